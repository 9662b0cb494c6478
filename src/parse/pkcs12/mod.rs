//! PKCS #12 files (RFC 7292), `.pfx` and `.p12`: certificates with a private key, most of it encrypted with a password. What is in
//! the clear is read without one.
//!
//! Of a private key only its public half is looked at, to say whether it is the certificate's; what was decrypted is overwritten as
//! soon as that is told, and nothing of it leaves this module.

mod derivation;
mod effort;
mod encryption;
mod integrity;
mod opener;
mod private_key;
mod safe;

use super::ber::{Cursor, SEQUENCE, Trouble};
use super::certificate::{Certificate, CertificateError, KeyMatch, ObjectIdentifier, PublicKey};

pub use effort::Effort;

use opener::Opener;
use safe::{Bags, KeyBag, Shown};

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pkcs12 {
    /// The certificates that could be opened, in the file's order.
    pub certificates: Vec<Held>,
    /// Its lists of revoked certificates, in DER.
    pub revocation_lists: Vec<Vec<u8>>,
    /// What could not be read, and why.
    pub problems: Vec<Pkcs12Problem>,
}

/// A certificate of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// It, or why it cannot be read.
    pub certificate: Result<Box<Certificate>, CertificateError>,
    /// What the file holds of its private key.
    pub key: KeyHeld,
}

/// What a file holds of a certificate's private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyHeld {
    /// Nothing.
    None,
    /// The key itself: its public half is the certificate's.
    Fits,
    /// A key that the file gives to this certificate and that is another's.
    Another,
    /// One that is encrypted, and no password opens it.
    Locked,
    /// One that cannot be compared: of another algorithm, or damaged.
    NotCompared,
}

/// A part of such a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// What holds the certificates, as a rule.
    Contents,
    /// A private key.
    PrivateKey,
}

impl std::fmt::Display for Part {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Part::Contents => "what should hold its certificates",
            Part::PrivateKey => "its private key",
        })
    }
}

/// What cannot be read of such a file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Pkcs12Problem {
    /// Something else stands where an element must.
    #[error("byte {0}: it does not go on as a PKCS #12 file does; export it again")]
    Unexpected(usize),
    /// It ends before it should.
    #[error("byte {0}: the file is cut off here; export or copy it again")]
    Cut(usize),
    /// A part inside of it is not what it should be.
    #[error("{0} is damaged; export it again")]
    Damaged(Part),
    /// Encrypted, and nobody named a password.
    #[error(
        "{0} is encrypted, with a password that is not empty: name a file that holds it with --pfx-password-file, or export the certificate alone, as .cer"
    )]
    NoPassword(Part),
    /// Encrypted, and none of the passwords opens it.
    #[error(
        "{0} is encrypted, and none of the passwords given opens it: name the right one with --pfx-password-file, or export the certificate alone, as .cer"
    )]
    WrongPassword(Part),
    /// Encrypted in a way that is not read.
    #[error(
        "{part} is encrypted by a method that is not read ({method}): export it again with AES256-SHA256 or TripleDES-SHA1, or the certificate alone, as .cer"
    )]
    Method {
        /// What is encrypted.
        part: Part,
        /// By what.
        method: ObjectIdentifier,
    },
    /// Encrypted for the holders of other keys, or signed instead of sealed with a password.
    #[error(
        "{0} is protected by a key and not by a password, which is not read: export the certificate alone, as .cer"
    )]
    ByKey(Part),
    /// Opening it would take too long.
    #[error(
        "{part} asks for {asked} rounds of hashing, more than is done for one file: export it again, or the certificate alone, as .cer"
    )]
    Rounds {
        /// What is encrypted.
        part: Part,
        /// The rounds that the file asks for.
        asked: u64,
    },
    /// The password opens it, and the checksum over the whole says that something was changed.
    #[error(
        "the password opens it, but its checksum does not fit: it was changed or damaged after it was exported"
    )]
    Checksum,
    /// A private key that belongs to none of the certificates.
    #[error(
        "its private key belongs to none of its certificates: what is imported from it has no key that serves"
    )]
    ForeignKey,
}

impl From<Trouble> for Pkcs12Problem {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Unexpected(at) => Pkcs12Problem::Unexpected(at),
            Trouble::Cut(at) => Pkcs12Problem::Cut(at),
        }
    }
}

const DATA: &str = "1.2.840.113549.1.7.1";
const SIGNED_DATA: &str = "1.2.840.113549.1.7.2";
const ENVELOPED_DATA: &str = "1.2.840.113549.1.7.3";
const ENCRYPTED_DATA: &str = "1.2.840.113549.1.7.6";
/// What an element of the first, and only, choice of its place begins with.
const FIRST: u8 = 0xA0;

/// Reads a file. The empty password is tried, and each of `passwords`; no more work is done than `effort` allows.
#[must_use]
pub fn read(bytes: &[u8], passwords: &[&str], effort: Effort) -> Pkcs12 {
    let mut opener = Opener::new(passwords, effort);
    let mut bags = Bags::default();
    if let Err(problem) = file(bytes, &mut opener, &mut bags) {
        bags.problems.push(problem);
    }
    held(bags)
}

/// PFX (RFC 7292, 4): the version, what is held, and a checksum with a password.
fn file(bytes: &[u8], opener: &mut Opener, bags: &mut Bags) -> Result<(), Pkcs12Problem> {
    let whole = match Cursor::of(bytes).next()? {
        Some(element) if element.tag == SEQUENCE => element,
        _ => return Err(Pkcs12Problem::Unexpected(0)),
    };
    if !whole.whole {
        bags.problems.push(Pkcs12Problem::Cut(bytes.len()));
    }
    let (_, rest) = whole.content.number()?;
    let (info, rest) = rest.expect(SEQUENCE)?;
    let (kind, content) = info.identifier()?;
    if kind == SIGNED_DATA {
        return Err(Pkcs12Problem::ByKey(Part::Contents));
    }
    if kind != DATA {
        return Err(Pkcs12Problem::Unexpected(info.at));
    }
    let contents = content.expect(FIRST)?.0.octets()?;
    if let Some(checksum) = rest.next()? {
        opener.check(&contents, checksum.content)?;
    }
    let (parts, _) = Cursor::of(&contents)
        .expect(SEQUENCE)
        .map_err(|_| Pkcs12Problem::Damaged(Part::Contents))?;
    let mut rest = parts;
    while let Some(part) = rest
        .next()
        .map_err(|_| Pkcs12Problem::Damaged(Part::Contents))?
    {
        if let Err(problem) = content_of(part.content, opener, bags) {
            bags.problems.push(problem);
        }
        rest = part.after;
    }
    if opener.opened_against_checksum() {
        bags.problems.push(Pkcs12Problem::Checksum);
    }
    Ok(())
}

/// One part of what is held: in the clear, or encrypted with a password or for a key.
fn content_of(info: Cursor<'_>, opener: &mut Opener, bags: &mut Bags) -> Result<(), Pkcs12Problem> {
    let damaged = |_: Trouble| Pkcs12Problem::Damaged(Part::Contents);
    let (kind, content) = info.identifier().map_err(damaged)?;
    let (content, _) = content.expect(FIRST).map_err(damaged)?;
    match kind.as_str() {
        DATA => {
            let bytes = content.octets().map_err(damaged)?;
            safe::read(&bytes, opener, bags).map_err(damaged)
        }
        ENCRYPTED_DATA => {
            let (data, _) = content.expect(SEQUENCE).map_err(damaged)?;
            let (_, rest) = data.number().map_err(damaged)?;
            let (encrypted, _) = rest.expect(SEQUENCE).map_err(damaged)?;
            let (_, rest) = encrypted.identifier().map_err(damaged)?;
            let (method, rest) = rest.expect(SEQUENCE).map_err(damaged)?;
            let bytes = rest.octets().map_err(damaged)?;
            let opened = opener.open(Part::Contents, method, &bytes)?;
            safe::read(&opened, opener, bags).map_err(damaged)
        }
        ENVELOPED_DATA => Err(Pkcs12Problem::ByKey(Part::Contents)),
        _ => Err(Pkcs12Problem::Damaged(Part::Contents)),
    }
}

/// Gives each certificate what is known of its key.
fn held(bags: Bags) -> Pkcs12 {
    let Bags {
        certificates,
        revocation_lists,
        keys,
        mut problems,
    } = bags;
    let whole = problems.is_empty();
    let certificates: Vec<Held> = certificates
        .into_iter()
        .map(|bag| {
            let certificate = Certificate::from_der(&bag.der).map(Box::new);
            let key = match &certificate {
                Ok(read) => key_of(&read.public_key, bag.local_id.as_deref(), &keys),
                Err(_) => KeyHeld::None,
            };
            Held { certificate, key }
        })
        .collect();
    let readable = certificates
        .iter()
        .filter_map(|held| held.certificate.as_ref().ok());
    let fits_one = |key: &PublicKey| {
        readable
            .clone()
            .any(|certificate| certificate.public_key.compare(key) != KeyMatch::Different)
    };
    let foreign = keys.iter().any(|key| match &key.shown {
        Shown::Public(key) => !fits_one(key),
        Shown::Locked | Shown::NotCompared => false,
    });
    if whole && foreign && !certificates.is_empty() {
        problems.push(Pkcs12Problem::ForeignKey);
    }
    problems.sort();
    problems.dedup();
    Pkcs12 {
        certificates,
        revocation_lists,
        problems,
    }
}

fn key_of(public: &PublicKey, local_id: Option<&[u8]>, keys: &[KeyBag]) -> KeyHeld {
    let matching = |key: &KeyBag| match &key.shown {
        Shown::Public(key) => match key.compare(public) {
            KeyMatch::Same => KeyHeld::Fits,
            KeyMatch::Different => KeyHeld::Another,
            KeyMatch::Undecided => KeyHeld::NotCompared,
        },
        Shown::Locked => KeyHeld::Locked,
        Shown::NotCompared => KeyHeld::NotCompared,
    };
    if keys.iter().any(|key| matching(key) == KeyHeld::Fits) {
        return KeyHeld::Fits;
    }
    // The attribute that binds both (RFC 2985, 5.5.2).
    let own = keys
        .iter()
        .find(|key| local_id.is_some() && key.local_id.as_deref() == local_id);
    own.map_or(KeyHeld::None, matching)
}
