//! Lists of revoked certificates (RFC 5280, 5), from DER bytes. Read by `x509-parser`. Their signatures are not checked: a list that
//! somebody made up would be believed, which is said wherever it is shown.

use std::collections::BTreeMap;

use jiff::Timestamp;
use x509_parser::asn1_rs::{FromDer, oid};
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::time::ASN1Time;

use super::ber::{Cursor, INTEGER, SEQUENCE, Trouble};
use super::certificate::Certificate;

/// A list of revoked certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevocationList {
    /// Who issued it, for people.
    pub issuer: String,
    /// The same, byte for byte.
    issuer_raw: Vec<u8>,
    /// When it was issued.
    pub issued: Timestamp,
    /// When the next one is due; none where it does not say.
    pub next_due: Option<Timestamp>,
    /// By serial number, without leading zeros.
    entries: BTreeMap<Vec<u8>, Revoked>,
}

/// A certificate on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// When it was revoked.
    pub at: Timestamp,
    /// Why, where the list says so.
    pub reason: Option<Reason>,
}

/// Why a certificate was revoked (RFC 5280, 5.3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// Somebody else has, or may have, its key.
    KeyCompromise,
    /// The same of the authority.
    AuthorityCompromise,
    /// What it says of its owner changed.
    AffiliationChanged,
    /// Another one took its place.
    Superseded,
    /// It is no longer needed.
    CessationOfOperation,
    /// For the time being.
    OnHold,
    /// Another reason, or none.
    Other,
}

impl std::fmt::Display for Reason {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Reason::KeyCompromise => "key compromise",
            Reason::AuthorityCompromise => "compromise of the authority",
            Reason::AffiliationChanged => "affiliation changed",
            Reason::Superseded => "superseded",
            Reason::CessationOfOperation => "cessation of operation",
            Reason::OnHold => "on hold",
            Reason::Other => "another reason",
        })
    }
}

/// Why a list cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RevocationListError {
    /// It is damaged.
    #[error("the list of revoked certificates cannot be read ({0}); download or export it again")]
    Damaged(String),
    /// It lists certificates of other issuers as well.
    #[error(
        "the list names certificates of several issuers (an indirect list), which is not read: take the issuer's own list"
    )]
    Indirect,
}

impl From<Trouble> for RevocationListError {
    fn from(trouble: Trouble) -> Self {
        let (Trouble::Unexpected(at) | Trouble::Cut(at)) = trouble;
        RevocationListError::Damaged(format!("at byte {at}"))
    }
}

impl RevocationList {
    /// Reads one list.
    ///
    /// # Errors
    /// Why it cannot be read.
    pub fn from_der(bytes: &[u8]) -> Result<Self, RevocationListError> {
        let issuer_raw = issuer(bytes)?.to_vec();
        let (_, list) = CertificateRevocationList::from_der(bytes)
            .map_err(|error| RevocationListError::Damaged(error.to_string()))?;
        let mut entries = BTreeMap::new();
        for entry in list.iter_revoked_certificates() {
            // certificateIssuer: the entries from here on are another issuer's.
            if entry.find_extension(&oid!(2.5.29.29)).is_some() {
                return Err(RevocationListError::Indirect);
            }
            let reason = entry.reason_code().map(|(_, code)| code.0);
            let serial = without_zeros(entry.raw_serial()).to_vec();
            // removeFromCRL, in a list of changes.
            if reason == Some(8) {
                entries.remove(&serial);
                continue;
            }
            let revoked = Revoked {
                at: time(entry.revocation_date)?,
                reason: reason.map(reason_of),
            };
            entries.insert(serial, revoked);
        }
        Ok(RevocationList {
            issuer: list.issuer().to_string(),
            issuer_raw,
            issued: time(list.last_update())?,
            next_due: list.next_update().map(time).transpose()?,
            entries,
        })
    }

    /// Whether the certificate is of this list's issuer, so that the list could name it.
    #[must_use]
    pub fn concerns(&self, certificate: &Certificate) -> bool {
        self.issuer_raw == certificate.issuer.raw
    }

    /// The entry of a certificate that it concerns.
    #[must_use]
    pub fn entry_of(&self, certificate: &Certificate) -> Option<&Revoked> {
        let serial = without_zeros(&certificate.serial_number.0);
        self.entries
            .get(serial)
            .filter(|_| self.concerns(certificate))
    }
}

/// The issuer's name as it is encoded: version, algorithm, issuer.
fn issuer(bytes: &[u8]) -> Result<&[u8], Trouble> {
    let (list, _) = Cursor::of(bytes).expect(SEQUENCE)?;
    let (signed, _) = list.expect(SEQUENCE)?;
    let rest = match signed.next()? {
        Some(element) if element.tag == INTEGER => element.after,
        _ => signed,
    };
    let (_, rest) = rest.expect(SEQUENCE)?;
    match rest.next()? {
        Some(element) if element.tag == SEQUENCE => Ok(element.raw),
        _ => Err(Trouble::Unexpected(rest.at)),
    }
}

fn without_zeros(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    number.get(zeros..).unwrap_or_default()
}

fn time(time: ASN1Time) -> Result<Timestamp, RevocationListError> {
    Timestamp::from_second(time.timestamp())
        .map_err(|error| RevocationListError::Damaged(error.to_string()))
}

fn reason_of(code: u8) -> Reason {
    match code {
        1 => Reason::KeyCompromise,
        2 => Reason::AuthorityCompromise,
        3 => Reason::AffiliationChanged,
        4 => Reason::Superseded,
        5 => Reason::CessationOfOperation,
        6 => Reason::OnHold,
        _ => Reason::Other,
    }
}
