//! Whether the listener's certificate has a private key at all.

use crate::facts::catalog::certificate::CertificateKeyLink;
use crate::facts::catalog::schannel::SchannelFailure;
use crate::facts::certificate::Choice;
use crate::facts::credential::{self, is_event};
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::known::Known;

use super::{Bearing, derived, installed};

/// "The TLS server credential's certificate does not have a private key information property attached to it" (Schannel).
const NO_KEY_INFORMATION: i64 = 36869;

/// Adds `certificate.key_link`, where a certificate or Schannel tells of it.
pub(super) fn add_fact(bearing: &Bearing<'_>, facts: &mut FactSet) {
    let chosen = match bearing.choice {
        Choice::Certificate(chosen) => Some(chosen),
        Choice::None(_) | Choice::Unknown(_) => None,
    };
    let since = chosen.and_then(|chosen| installed(chosen));
    let reports: Vec<FactId> = facts
        .of_kind(SchannelFailure::KIND)
        .filter(|failure| {
            is_event(failure, &[NO_KEY_INFORMATION])
                && failure.is("attributed", true)
                && failure.is("role", "server")
                && !failure.is("overcome", true)
                && since.is_none_or(|since| failure.at.is_some_and(|at| at >= since))
        })
        .map(|failure| failure.id)
        .collect();
    let named = match chosen.map(|chosen| &chosen.entry) {
        None | Some(Known::Is(None)) => Known::Is(false),
        Some(Known::Open(gap)) => Known::Open(*gap),
        Some(Known::Is(Some(entry))) => entry.key_provider.as_ref().map(Option::is_none),
    };
    if chosen.is_none() && reports.is_empty() {
        return;
    }
    let without_key = named.or(Known::Is(!reports.is_empty()));
    let falls_back = credential::falls_back(facts);
    let failing = credential::fails(since, facts);
    let mut sources: Vec<Source> = match chosen {
        Some(_) => derived(facts),
        None => Vec::new(),
    };
    if !reports.is_empty() {
        sources.push(Source::Derived(reports));
    }
    let body = CertificateKeyLink {
        thumbprint: chosen.map(|chosen| chosen.thumbprint.to_string()),
        breaks: without_key
            .clone()
            .and(failing)
            .and(falls_back.clone().not()),
        without_key,
        falls_back,
    };
    facts.add(None, body, sources);
}
