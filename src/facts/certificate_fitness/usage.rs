//! What the listener's certificate and its key are for, against what the service does with them.
//!
//! Windows' own listener certificate allows encipherment alone and works with every suite (measured): Schannel does not ask an RSA
//! key for the use "digital signature". What is missing here is what nobody could do without.

use crate::facts::catalog::certificate::{CertificateKeyUse, CertificateNotice, CertificateUsage};
use crate::facts::catalog::connection::ClientReport;
use crate::facts::certificate::Chosen;
use crate::facts::credential::{self, is_event};
use crate::facts::fact::FactSet;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::tls_settings::Computed;
use crate::facts::value::Code;
use crate::parse::certificate::{Certificate, Extension, KeyUse, PublicKey, Purpose};
use crate::tls::{KeyExchange, Standing};

use super::strength::unread;
use super::{derived, installed};

/// The certificate's purposes do not fit.
const WRONG_PURPOSE: i64 = 1054;
/// SEC_E_CERT_WRONG_USAGE.
const CERT_WRONG_USAGE: Code = Code(0x8009_0349);
/// Signs, and cannot decrypt (wincrypt.h).
const AT_SIGNATURE: u32 = 2;

/// Adds `certificate.usage` and `certificate.key_use`.
pub(super) fn add_facts(chosen: &Chosen, tls: Option<&Computed>, facts: &mut FactSet) {
    add_usage(chosen, tls, facts);
    add_key_use(chosen, tls, facts);
}

fn add_usage(chosen: &Chosen, tls: Option<&Computed>, facts: &mut FactSet) {
    let start = credential::service_start(facts);
    let reported = facts.of_kind(CertificateNotice::KIND).any(|notice| {
        is_event(notice, &[WRONG_PURPOSE])
            && start.is_none_or(|start| notice.at.is_some_and(|at| at >= start))
    });
    let (purpose, key_use) = match chosen.certificate() {
        None => {
            let gap = unread(facts);
            (Known::Open(gap), Known::Open(gap))
        }
        Some(certificate) => (
            purpose_missing(certificate, facts),
            key_use_missing(certificate, tls, facts),
        ),
    };
    let mut words: Vec<String> = Vec::new();
    if purpose == Known::Is(true) {
        words.push("it is not for server authentication".to_owned());
    }
    if key_use == Known::Is(true) {
        words.push("its key usage leaves out what the handshake needs".to_owned());
    }
    if reported {
        words.push("the service says that its purposes do not fit (1054)".to_owned());
    }
    let unfit = purpose.clone().or(key_use.clone()).or(Known::Is(reported));
    let client_says = facts
        .of_kind(ClientReport::KIND)
        .any(|report| report.is("code", CERT_WRONG_USAGE) && report.is("names_host", true));
    let failing = credential::fails(installed(chosen), facts).or(Known::Is(client_says));
    let body = CertificateUsage {
        thumbprint: chosen.thumbprint.to_string(),
        purpose_missing: purpose,
        key_use_missing: key_use,
        refused: unfit.clone().and(failing),
        unfit,
        says: (!words.is_empty()).then(|| words.join("; ")),
    };
    facts.add(None, body, derived(facts));
}

fn purpose_missing(certificate: &Certificate, facts: &mut FactSet) -> Known<bool> {
    match &certificate.extended_key_usage {
        Extension::Absent => Known::Is(false),
        Extension::Present(purposes) => Known::Is(!purposes.iter().any(|purpose| {
            matches!(
                purpose,
                Purpose::Any | Purpose::ServerAuthentication | Purpose::RemoteDesktopAuthentication
            )
        })),
        Extension::Unreadable => Known::Open(facts.gaps.open(
            Subject::ListenerCertificate,
            "the certificate's purposes cannot be read",
        )),
    }
}

fn key_use_missing(
    certificate: &Certificate,
    tls: Option<&Computed>,
    facts: &mut FactSet,
) -> Known<bool> {
    let usage = match &certificate.key_usage {
        Extension::Absent => return Known::Is(false),
        Extension::Present(usage) => *usage,
        Extension::Unreadable => {
            let why = "the certificate's key usage cannot be read";
            return Known::Open(facts.gaps.open(Subject::ListenerCertificate, why));
        }
    };
    let signs = usage.allows(KeyUse::DigitalSignature);
    let enciphers = usage.allows(KeyUse::KeyEncipherment);
    match certificate.public_key {
        PublicKey::Rsa(_) => match (signs, enciphers) {
            (_, true) => Known::Is(false),
            (false, false) => Known::Is(true),
            (true, false) => suites_decrypt(tls, facts),
        },
        PublicKey::Ec(_) => Known::Is(!signs),
        PublicKey::Other(_) | PublicKey::Unreadable(_) => Known::Is(false),
    }
}

fn add_key_use(chosen: &Chosen, tls: Option<&Computed>, facts: &mut FactSet) {
    let signature_only = match &chosen.entry {
        Known::Open(gap) => Known::Open(*gap),
        Known::Is(None) => Known::Is(false),
        Known::Is(Some(entry)) => entry.key_provider.as_ref().map(|provider| {
            provider.as_ref().is_some_and(|provider| {
                provider.provider_type != 0 && provider.key_spec == AT_SIGNATURE
            })
        }),
    };
    let suites_decrypt = suites_decrypt(tls, facts);
    let body = CertificateKeyUse {
        thumbprint: chosen.thumbprint.to_string(),
        leaves_nothing: signature_only.clone().and(suites_decrypt.clone()),
        signature_only,
        suites_decrypt,
    };
    facts.add(None, body, derived(facts));
}

/// Whether every suite that is left, but for what this key can do, has the client encrypt to the certificate's key.
fn suites_decrypt(tls: Option<&Computed>, facts: &mut FactSet) -> Known<bool> {
    let Some(tls) = tls else {
        let why = "which cipher suites are left is not known";
        return Known::Open(facts.gaps.open(Subject::SystemHive, why));
    };
    let mut left = false;
    let mut uncertain = false;
    for standing in &tls.offer.suites {
        let decrypts = standing
            .suite
            .as_ref()
            .is_some_and(|suite| suite.key_exchange == KeyExchange::Rsa);
        match &standing.standing {
            Standing::Offered if !decrypts => return Known::Is(false),
            Standing::Uncertain(_) if !decrypts => uncertain = true,
            Standing::Offered => left = true,
            Standing::NeedsDecryptKey => {
                left |= standing.hindrances.as_slice() == [Standing::NeedsDecryptKey];
            }
            _ => {}
        }
    }
    match (left, uncertain) {
        (false, _) => Known::Is(false),
        (true, false) => Known::Is(true),
        (true, true) => {
            let why = "whether suites that sign are left is not certain";
            Known::Open(facts.gaps.open(Subject::SystemHive, why))
        }
    }
}
