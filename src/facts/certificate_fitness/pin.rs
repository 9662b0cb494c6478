//! The pinned certificate, where it is in no store.

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::certificate::{PinnedCertificate, Renewal};
use crate::facts::certificate;
use crate::facts::credential;
use crate::facts::fact::FactSet;
use crate::facts::host::Identity;
use crate::facts::known::Known;
use crate::facts::registry::Answer;
use crate::facts::store::{Home, Stores, newest};
use crate::facts::subject::Subject;
use crate::parse::certificate::Thumbprint;

use super::Bearing;

/// How long before its end a pin is told of: enough to have another certificate issued.
const NEAR: SignedDuration = SignedDuration::from_hours(30 * 24);

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
    let named = pin.present().copied();
    let instead = instead(named, bearing.stores, bearing.identity);
    let ends = ends(&pin, bearing.stores);
    let ending = ending(&ends, bearing, facts);
    let says = match (&dangling, &ending, &ends) {
        (Known::Is(true), ..) => Some(match named.and_then(|pin| bearing.stores.of_user(pin)) {
            None => "is in no store of the machine".to_owned(),
            Some(file) => format!(
                "is in no store of the machine, only in that of a user ({file}), where the service does not look"
            ),
        }),
        (_, Known::Is(true), Known::Is(Some(end))) => Some(format!(
            "ends at {end}; nothing renews it, and a newer one has another thumbprint"
        )),
        _ => None,
    };
    let body = PinnedCertificate {
        ends,
        ending,
        says,
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

/// When the pinned certificate ends; none where nothing is pinned or no store holds it.
fn ends(pin: &Answer<Thumbprint>, stores: &Stores) -> Known<Option<Timestamp>> {
    pin.value.clone().and_then(|pinned| {
        let entry = pinned.and_then(|thumbprint| stores.installed(thumbprint));
        let inside = entry.and_then(|entry| entry.certificate.as_ref());
        match (inside, stores.whole()) {
            (Some(inside), _) => Known::Is(Some(inside.not_after)),
            (None, Known::Open(gap)) if pinned.is_some() => Known::Open(gap),
            (None, _) => Known::Is(None),
        }
    })
}

/// Whether it ends soon, and the policy that would have the service take a newer one is not set.
fn ending(
    ends: &Known<Option<Timestamp>>,
    bearing: &Bearing<'_>,
    facts: &mut FactSet,
) -> Known<bool> {
    let as_of = facts.anchors.as_of;
    let soon = ends.clone().map(|end| {
        end.zip(as_of)
            .is_some_and(|(end, as_of)| end > as_of && end.duration_since(as_of) <= NEAR)
    });
    if soon == Known::Is(false) {
        return soon;
    }
    let template = certificate::policy_template(bearing.registry, &mut facts.gaps);
    soon.and(template.value.map(|name| name.is_none()))
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
    let listed = || {
        let entry = stores.exported(thumbprint);
        entry.is_some_and(|entry| entry.told.in_store)
    };
    match (sound(thumbprint), stores.whole()) {
        (Some(()), _) => Known::Is(false),
        (None, Known::Open(_)) if listed() => Known::Is(false),
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
            && !renewal.is("superseded", true)
            && start.is_none_or(|start| renewal.at.is_some_and(|at| at >= start))
    })
}

/// The certificate of MY to pin instead.
fn instead(pinned: Option<Thumbprint>, stores: &Stores, identity: &Identity) -> Option<String> {
    let fits = stores.entries.iter().filter(|entry| {
        let bears_name = entry
            .certificate
            .as_ref()
            .and_then(|inside| certificate::names_host(inside, identity));
        let has_key = matches!(entry.key_provider, Known::Is(Some(_)));
        entry.home == Home::Personal
            && bears_name == Some(true)
            && has_key
            && Some(entry.thumbprint) != pinned
    });
    newest(fits).map(|entry| entry.thumbprint.to_string())
}
