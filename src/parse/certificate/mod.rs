//! X.509 certificates (RFC 5280), from DER bytes.
//!
//! Read by `x509-parser`; our own walk over the outer structure adds what it does not give: offsets for errors, whole
//! names, and what a file is that is no certificate. Signatures are not verified: what the listener needs to know is
//! whether issuer and subject are the same name, not whether anybody vouches for it.

mod der;
mod error;
mod extensions;
mod identifiers;
mod layout;
mod name;
mod public_key;
mod signature;

use jiff::Timestamp;
use x509_parser::asn1_rs::FromDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::error::X509Error;
use x509_parser::time::ASN1Time;
use x509_parser::x509::X509Name;

pub use error::{CertificateError, CertificateProblem, Field, OtherFormat};
pub use extensions::{AlternativeName, Extension, KeyUsage, KeyUse, Purpose};
pub use identifiers::{NotAThumbprint, ObjectIdentifier, SerialNumber, Thumbprint};
pub use name::{Attribute, Completeness, DistinguishedName};
pub use public_key::{Curve, EcPublicKey, KeyMatch, PublicKey, RsaPublicKey};
pub use signature::{Hash, SignatureAlgorithm};

use layout::Layout;

/// A certificate, with everything in it that can decide whether a server can use it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The certificate's own bytes, without what followed them.
    pub der: Vec<u8>,
    /// SHA-1 of `der`.
    pub thumbprint: Thumbprint,
    /// The serial number.
    pub serial_number: SerialNumber,
    /// Whom it was issued to.
    pub subject: DistinguishedName,
    /// Who issued it.
    pub issuer: DistinguishedName,
    /// Valid from this second on.
    pub not_before: Timestamp,
    /// Valid up to and including this second.
    pub not_after: Timestamp,
    /// The public key.
    pub public_key: PublicKey,
    /// How the issuer signed it.
    pub signature_algorithm: SignatureAlgorithm,
    /// What the key may do; absent means anything.
    pub key_usage: Extension<KeyUsage>,
    /// What the certificate is for; absent means anything.
    pub extended_key_usage: Extension<Vec<Purpose>>,
    /// Further names of its owner.
    pub alternative_names: Extension<Vec<AlternativeName>>,
    /// What is odd about it.
    pub problems: Vec<CertificateProblem>,
}

impl Certificate {
    /// Reads one certificate in DER. Bytes after its end are a problem of the certificate, not an error.
    ///
    /// # Errors
    /// What these bytes are instead, or which field cannot be read and where.
    pub fn from_der(bytes: &[u8]) -> Result<Self, CertificateError> {
        let layout = Layout::of(bytes)?;
        let (_, parsed) = X509Certificate::from_der(layout.der)
            .map_err(|error| refused(&X509Error::from(error), &layout))?;
        let body = &parsed.tbs_certificate;
        let mut problems = Vec::new();
        if layout.der.len() < bytes.len() {
            problems.push(CertificateProblem::Trailing {
                offset: layout.der.len(),
                count: bytes.len() - layout.der.len(),
            });
        }
        let issuer = name::read(&layout.issuer, Field::Issuer, &mut problems);
        let subject = name::read(&layout.subject, Field::Subject, &mut problems);
        let usage = extensions::Usage::read(body.extensions(), &mut problems);
        Ok(Certificate {
            thumbprint: Thumbprint::of(layout.der),
            der: layout.der.to_vec(),
            serial_number: SerialNumber(layout.serial_number.content.to_vec()),
            subject,
            issuer,
            not_before: timestamp(body.validity.not_before, &layout)?,
            not_after: timestamp(body.validity.not_after, &layout)?,
            public_key: PublicKey::from_subject_public_key_info(&body.subject_pki),
            signature_algorithm: SignatureAlgorithm::from_identifier(&parsed.signature_algorithm),
            key_usage: usage.key_usage,
            extended_key_usage: usage.extended_key_usage,
            alternative_names: usage.alternative_names,
            problems,
        })
    }

    /// Whether issuer and subject are the same name, byte for byte, as in the certificate that the Remote Desktop service
    /// makes for itself. Nobody checked that the signature is its own.
    pub fn self_issued(&self) -> bool {
        self.issuer.raw == self.subject.raw
    }

    /// The subject's last, most specific common name.
    pub fn subject_common_name(&self) -> Option<&str> {
        self.subject.common_names().last()
    }
}

fn timestamp(time: ASN1Time, layout: &Layout<'_>) -> Result<Timestamp, CertificateError> {
    Timestamp::from_second(time.timestamp()).map_err(|error| CertificateError::Field {
        field: Field::Validity,
        offset: layout.offset(Field::Validity),
        why: error.to_string(),
    })
}

/// Gives the library's refusal the place of the field it speaks of.
fn refused(error: &X509Error, layout: &Layout<'_>) -> CertificateError {
    let field = match error {
        X509Error::InvalidVersion => Field::Version,
        X509Error::InvalidSerial => Field::SerialNumber,
        X509Error::InvalidAlgorithmIdentifier => Field::SignatureAlgorithm,
        X509Error::InvalidX509Name if X509Name::from_der(layout.issuer.raw).is_err() => {
            Field::Issuer
        }
        X509Error::InvalidX509Name => Field::Subject,
        X509Error::InvalidDate => Field::Validity,
        X509Error::InvalidSPKI => Field::PublicKey,
        X509Error::InvalidExtensions | X509Error::DuplicateExtensions => Field::Extensions,
        X509Error::InvalidSignatureValue => Field::Signature,
        _ => Field::Body,
    };
    CertificateError::Field {
        field,
        offset: layout.offset(field),
        why: error.to_string(),
    }
}
