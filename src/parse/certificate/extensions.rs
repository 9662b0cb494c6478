//! The extensions that decide what a certificate may be used for (RFC 5280 section 4.2.1).

use std::net::{Ipv4Addr, Ipv6Addr};

use x509_parser::asn1_rs::{FromDer, Oid};
use x509_parser::extensions::{
    GeneralName, KeyUsage as RawKeyUsage, SubjectAlternativeName, X509Extension,
};

use super::ObjectIdentifier;
use super::error::CertificateProblem;

/// An extension that may be missing, and may be there without being readable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Extension<T> {
    /// The certificate has none.
    Absent,
    /// It has one.
    Present(T),
    /// It has one (or two) that cannot be read; the certificate's problems say why.
    Unreadable,
}

impl<T> Extension<T> {
    /// The extension's value where it is there and was read.
    pub fn present(&self) -> Option<&T> {
        match self {
            Extension::Present(value) => Some(value),
            Extension::Absent | Extension::Unreadable => None,
        }
    }
}

/// What the key may be used for (RFC 5280 section 4.2.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyUsage(u16);

/// One of the uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs)] // The variants are the names of RFC 5280, their numbers the bits there.
pub enum KeyUse {
    DigitalSignature = 0,
    NonRepudiation = 1,
    KeyEncipherment = 2,
    DataEncipherment = 3,
    KeyAgreement = 4,
    KeyCertSign = 5,
    CrlSign = 6,
    EncipherOnly = 7,
    DecipherOnly = 8,
}

impl KeyUsage {
    /// Whether this use is allowed.
    pub fn allows(self, usage: KeyUse) -> bool {
        (self.0 >> (usage as u16)) & 1 == 1
    }

    /// The uses allowed, in the order of RFC 5280.
    pub fn uses(self) -> Vec<KeyUse> {
        use KeyUse::{
            CrlSign, DataEncipherment, DecipherOnly, DigitalSignature, EncipherOnly, KeyAgreement,
            KeyCertSign, KeyEncipherment, NonRepudiation,
        };
        [
            DigitalSignature,
            NonRepudiation,
            KeyEncipherment,
            DataEncipherment,
            KeyAgreement,
            KeyCertSign,
            CrlSign,
            EncipherOnly,
            DecipherOnly,
        ]
        .into_iter()
        .filter(|usage| self.allows(*usage))
        .collect()
    }
}

/// A purpose (extended key usage).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// 2.5.29.37.0
    Any,
    /// 1.3.6.1.5.5.7.3.1
    ServerAuthentication,
    /// 1.3.6.1.5.5.7.3.2
    ClientAuthentication,
    /// 1.3.6.1.4.1.311.54.1.2
    RemoteDesktopAuthentication,
    /// Another one.
    Other(ObjectIdentifier),
}

impl Purpose {
    fn from_identifier(identifier: &Oid<'_>) -> Self {
        let dotted = identifier.to_id_string();
        match dotted.as_str() {
            "2.5.29.37.0" => Purpose::Any,
            "1.3.6.1.5.5.7.3.1" => Purpose::ServerAuthentication,
            "1.3.6.1.5.5.7.3.2" => Purpose::ClientAuthentication,
            "1.3.6.1.4.1.311.54.1.2" => Purpose::RemoteDesktopAuthentication,
            _ => Purpose::Other(ObjectIdentifier(dotted)),
        }
    }
}

/// A name under which the certificate's owner is known besides the subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AlternativeName {
    /// A host name, as encoded; may begin with `*.`.
    Dns(String),
    /// An address.
    Ip(std::net::IpAddr),
    /// A mail address.
    Email(String),
    /// A URI.
    Uri(String),
    /// A kind of name that names no host; its context tag.
    Other(u32),
}

/// The extensions of one certificate.
pub(super) struct Usage {
    pub key_usage: Extension<KeyUsage>,
    pub extended_key_usage: Extension<Vec<Purpose>>,
    pub alternative_names: Extension<Vec<AlternativeName>>,
}

impl Usage {
    /// Reads the extensions of interest; what is wrong with one goes to `problems`.
    pub fn read(extensions: &[X509Extension<'_>], problems: &mut Vec<CertificateProblem>) -> Self {
        Usage {
            key_usage: read(extensions, "2.5.29.15", problems, |value| {
                let (_, usage) = RawKeyUsage::from_der(value).ok()?;
                Some(KeyUsage(usage.flags))
            }),
            extended_key_usage: read(extensions, "2.5.29.37", problems, |value| {
                let (_, purposes) = Vec::<Oid>::from_der(value).ok()?;
                Some(purposes.iter().map(Purpose::from_identifier).collect())
            }),
            alternative_names: read(extensions, "2.5.29.17", problems, |value| {
                let (_, names) = SubjectAlternativeName::from_der(value).ok()?;
                names.general_names.iter().map(alternative_name).collect()
            }),
        }
    }
}

fn read<T>(
    extensions: &[X509Extension<'_>],
    identifier: &str,
    problems: &mut Vec<CertificateProblem>,
    value: impl FnOnce(&[u8]) -> Option<T>,
) -> Extension<T> {
    let mut found = extensions
        .iter()
        .filter(|extension| extension.oid.to_id_string() == identifier);
    let Some(extension) = found.next() else {
        return Extension::Absent;
    };
    let mut problem = |why: &str| {
        problems.push(CertificateProblem::Extension {
            extension: ObjectIdentifier(identifier.to_owned()),
            why: why.to_owned(),
        });
        Extension::Unreadable
    };
    if found.next().is_some() {
        return problem("stands there more than once");
    }
    match value(extension.value) {
        Some(value) => Extension::Present(value),
        None => problem("cannot be read"),
    }
}

fn alternative_name(name: &GeneralName<'_>) -> Option<AlternativeName> {
    Some(match name {
        GeneralName::DNSName(name) => AlternativeName::Dns((*name).to_owned()),
        GeneralName::RFC822Name(address) => AlternativeName::Email((*address).to_owned()),
        GeneralName::URI(uri) => AlternativeName::Uri((*uri).to_owned()),
        GeneralName::IPAddress(bytes) => {
            if let Ok(bytes) = <[u8; 4]>::try_from(*bytes) {
                AlternativeName::Ip(Ipv4Addr::from(bytes).into())
            } else {
                AlternativeName::Ip(Ipv6Addr::from(<[u8; 16]>::try_from(*bytes).ok()?).into())
            }
        }
        GeneralName::OtherName(..) => AlternativeName::Other(0),
        GeneralName::X400Address(_) => AlternativeName::Other(3),
        GeneralName::DirectoryName(_) => AlternativeName::Other(4),
        GeneralName::EDIPartyName(_) => AlternativeName::Other(5),
        GeneralName::RegisteredID(_) => AlternativeName::Other(8),
        GeneralName::Invalid(..) => return None,
    })
}
