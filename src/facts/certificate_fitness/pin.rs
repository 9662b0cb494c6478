//! The pinned certificate, where it is in no store.

use crate::facts::catalog::certificate::{PinnedCertificate, Renewal};
use crate::facts::certificate;
use crate::facts::credential;
use crate::facts::fact::FactSet;
use crate::facts::host::Identity;
use crate::facts::known::Known;
use crate::facts::registry::Answer;
use crate::facts::store::{Home, Stores, newest};
use crate::facts::subject::Subject;
use crate::facts::value::Value;
use crate::parse::certificate::Thumbprint;

use super::Bearing;

/// Making the certificate failed, replacing it failed.
const NOT_MADE: [i64; 2] = [1057, 1058];

/// Adds `certificate.pin`; none without SYSTEM.
pub(super) fn add_fact(bearing: &Bearing<'_>, facts: &mut FactSet) {
    let pin = certificate::pinned(bearing.registry, &mut facts.gaps);
    let Some(source) = pin.source.clone() else {
        return;
    };
    let dangling = dangling(&pin, bearing.stores, facts);
    let falls_back = credential::falls_back(facts);
    let failing = credential::fails(None, facts).or(Known::Is(not_made(facts)));
    let instead = instead(bearing.stores, bearing.identity);
    let body = PinnedCertificate {
        thumbprint: pin
            .value
            .map(|pin| pin.map(|thumbprint| thumbprint.to_string())),
        breaks: dangling
            .clone()
            .and(failing.clone())
            .and(falls_back.clone().not()),
        dangling,
        failing,
        falls_back,
        replaced: instead.is_some(),
        instead,
    };
    facts.add(None, body, vec![source]);
}

fn dangling(pin: &Answer<Thumbprint>, stores: &Stores, facts: &mut FactSet) -> Known<bool> {
    let thumbprint = match &pin.value {
        Known::Open(gap) => return Known::Open(*gap),
        Known::Is(None) => return Known::Is(false),
        Known::Is(Some(thumbprint)) => *thumbprint,
    };
    let sound = |thumbprint| {
        let entry = stores.installed(thumbprint)?;
        (entry.damage == Known::Is(None)).then_some(())
    };
    match (sound(thumbprint), stores.whole()) {
        (Some(()), _) => Known::Is(false),
        (None, Known::Open(gap)) => Known::Open(gap),
        // An entry that is there and damaged is another matter.
        (None, Known::Is(())) if stores.installed(thumbprint).is_some() => {
            let why = "the pinned certificate's store entry is damaged";
            Known::Open(facts.gaps.open(Subject::PersonalStore, why))
        }
        (None, Known::Is(())) => Known::Is(true),
    }
}

/// Whether the service could not make a certificate of its own since its last start, and has not since.
fn not_made(facts: &FactSet) -> bool {
    let start = credential::service_start(facts);
    facts.of_kind(Renewal::KIND).any(|renewal| {
        credential::is_event(renewal, &NOT_MADE)
            && !credential::is(renewal, "superseded", &Value::Bool(true))
            && start.is_none_or(|start| renewal.at.is_some_and(|at| at >= start))
    })
}

/// The certificate of MY to pin instead.
fn instead(stores: &Stores, identity: &Identity) -> Option<String> {
    let fits = stores.entries.iter().filter(|entry| {
        let bears_name = entry
            .certificate
            .as_ref()
            .and_then(|inside| certificate::names_host(inside, identity));
        let has_key = matches!(entry.key_provider, Known::Is(Some(_)));
        entry.home == Home::Personal && bears_name == Some(true) && has_key
    });
    newest(fits).map(|entry| entry.thumbprint.to_string())
}
