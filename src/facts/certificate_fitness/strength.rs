//! Whether the listener's certificate is too weak to be taken.

use crate::facts::catalog::certificate::CertificateStrength;
use crate::facts::certificate::Chosen;
use crate::facts::fact::FactSet;
use crate::facts::gap::GapId;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::tls_settings::Computed;
use crate::parse::certificate::{Certificate, Hash, PublicKey};

use super::derived;

/// What Schannel's clients ask of an RSA key where nothing is set (Microsoft, "TLS registry settings", ClientMinKeyBitLength).
const SMALLEST_RSA: u64 = 1024;

/// Adds `certificate.strength`.
pub(super) fn add_fact(chosen: &Chosen, tls: Option<&Computed>, facts: &mut FactSet) {
    let Some(certificate) = chosen.certificate() else {
        let gap = unread(facts);
        let body = CertificateStrength {
            thumbprint: chosen.thumbprint.to_string(),
            weak: Known::Open(gap),
            says: None,
            refused: Known::Open(gap),
        };
        facts.add(None, body, derived(facts));
        return;
    };
    let says = weakness(certificate);
    let refused = match tls.and_then(Computed::affected) {
        Some((client, _)) => Known::Is(
            rsa_bits(certificate).is_some_and(|bits| bits < u64::from(client.limits.rsa_bits)),
        ),
        // Nobody is known whose settings would refuse it.
        None => Known::Is(false),
    };
    let body = CertificateStrength {
        thumbprint: chosen.thumbprint.to_string(),
        weak: Known::Is(says.is_some()),
        says,
        refused,
    };
    facts.add(None, body, derived(facts));
}

/// Why what the certificate would say is not known.
pub(super) fn unread(facts: &mut FactSet) -> GapId {
    let why = "the certificate itself was not read";
    facts.gaps.open(Subject::ListenerCertificate, why)
}

fn rsa_bits(certificate: &Certificate) -> Option<u64> {
    match &certificate.public_key {
        PublicKey::Rsa(key) => Some(key.bits()),
        PublicKey::Ec(_) | PublicKey::Other(_) | PublicKey::Unreadable(_) => None,
    }
}

fn weakness(certificate: &Certificate) -> Option<String> {
    let small = rsa_bits(certificate).filter(|bits| *bits < SMALLEST_RSA);
    let small = small.map(|bits| format!("its RSA key has {bits} bits"));
    let hash = match certificate.signature_algorithm.hash() {
        Some(Hash::Md5) => Some("MD5"),
        Some(Hash::Md4) => Some("MD4"),
        Some(Hash::Md2) => Some("MD2"),
        _ => None,
    };
    // Nobody checks a self-signed certificate's own signature.
    let hash = hash.filter(|_| !certificate.self_issued());
    let hash = hash.map(|hash| format!("it is signed over {hash}"));
    let words: Vec<String> = small.into_iter().chain(hash).collect();
    (!words.is_empty()).then(|| words.join(" and "))
}
