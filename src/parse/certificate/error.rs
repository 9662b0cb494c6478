//! Why bytes could not be read as a certificate.

use std::fmt;

/// Why there is no certificate in these bytes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// No bytes at all.
    #[error("there are no bytes: export the certificate again")]
    Empty,
    /// Nothing but zeros, as a lost disk sector leaves them.
    #[error("all {length} bytes are zero: the disk has lost the certificate")]
    Zeroed {
        /// How many bytes.
        length: usize,
    },
    /// Something else, known by its first elements.
    #[error(
        "this is {0}, not a certificate: export the certificate alone, as .cer (certutil -store MY)"
    )]
    OtherFormat(OtherFormat),
    /// The first byte opens no DER sequence.
    #[error(
        "this is no certificate: it begins with {first:#04x} where a DER sequence begins with 0x30"
    )]
    NotDer {
        /// The first byte.
        first: u8,
    },
    /// The outermost length runs past the end.
    #[error("the certificate is cut: it says it has {expected} bytes, {actual} are there")]
    Cut {
        /// Bytes that the outermost header promises, itself included.
        expected: u64,
        /// Bytes that are there.
        actual: u64,
    },
    /// One field is not what RFC 5280 says it is.
    #[error("the certificate's {field} at offset {offset:#x} cannot be read: {why}")]
    Field {
        /// Which field.
        field: Field,
        /// Where it begins, from the start of the DER bytes.
        offset: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// A field of a certificate (RFC 5280 section 4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The variants are the names of RFC 5280.
pub enum Field {
    Body,
    Version,
    SerialNumber,
    SignatureAlgorithm,
    Issuer,
    Validity,
    Subject,
    PublicKey,
    Extensions,
    Signature,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Body => "body",
            Field::Version => "version",
            Field::SerialNumber => "serial number",
            Field::SignatureAlgorithm => "signature algorithm",
            Field::Issuer => "issuer",
            Field::Validity => "validity",
            Field::Subject => "subject",
            Field::PublicKey => "public key",
            Field::Extensions => "extensions",
            Field::Signature => "signature",
        })
    }
}

/// What else DER files and certificate stores hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtherFormat {
    /// PKCS #7 / CMS: `.p7b`, `.p7c`.
    Pkcs7,
    /// PKCS #12: `.pfx`, `.p12`; holds a private key.
    Pkcs12,
    /// PKCS #8 or PKCS #1.
    PrivateKey,
    /// Serialized store: `.sst`.
    SerializedStore,
    /// A certification request or a revocation list: a signed body that is not a certificate's.
    OtherSigned,
    /// A cabinet: `.msu`, `.cab`.
    Cabinet,
}

impl fmt::Display for OtherFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            OtherFormat::Pkcs7 => "a PKCS #7 bundle (.p7b)",
            OtherFormat::Pkcs12 => "a PKCS #12 file (.pfx) with a private key",
            OtherFormat::PrivateKey => "a private key",
            OtherFormat::SerializedStore => "a serialized certificate store (.sst)",
            OtherFormat::OtherSigned => "a certification request or a revocation list",
            OtherFormat::Cabinet => "a cabinet",
        })
    }
}

/// What is odd about a certificate that could be read all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateProblem {
    /// Bytes after the certificate's end.
    #[error("{count} bytes follow the certificate, from offset {offset:#x} on")]
    Trailing {
        /// Where the certificate ends.
        offset: usize,
        /// How many bytes follow.
        count: usize,
    },
    /// An extension whose content is not what its identifier says, or that stands there twice.
    #[error("the extension {extension} {why}")]
    Extension {
        /// Its object identifier.
        extension: super::ObjectIdentifier,
        /// What is wrong with it.
        why: String,
    },
    /// A part of a name that could not be read.
    #[error("the {field} has a part at offset {offset:#x} that cannot be read: {why}")]
    Name {
        /// Issuer or subject.
        field: Field,
        /// Where the part begins.
        offset: usize,
        /// What is wrong with it.
        why: String,
    },
}
