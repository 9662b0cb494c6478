//! The bags of a file (RFC 7292, 4.2): certificates, private keys, lists of revoked certificates, and bags of bags.

use super::super::ber::{Cursor, OCTET_STRING, SEQUENCE, Trouble};
use super::opener::Opener;
use super::private_key::public_half;
use super::{FIRST, Part, Pkcs12Problem};
use crate::parse::certificate::PublicKey;

/// How deep bags lie in bags at most; nobody is known to put any into another.
const DEEPEST: u32 = 8;

/// What the bags of a file hold.
#[derive(Default)]
pub(super) struct Bags {
    pub(super) certificates: Vec<CertificateBag>,
    /// Lists of revoked certificates, in DER.
    pub(super) revocation_lists: Vec<Vec<u8>>,
    pub(super) keys: Vec<KeyBag>,
    pub(super) problems: Vec<Pkcs12Problem>,
}

pub(super) struct CertificateBag {
    pub(super) der: Vec<u8>,
    pub(super) local_id: Option<Vec<u8>>,
}

/// A private key, of which nothing is kept but its public half.
pub(super) struct KeyBag {
    pub(super) shown: Shown,
    pub(super) local_id: Option<Vec<u8>>,
}

/// What is known of a private key.
pub(super) enum Shown {
    Public(PublicKey),
    Locked,
    NotCompared,
}

/// Reads SafeContents.
pub(super) fn read(bytes: &[u8], opener: &mut Opener, bags: &mut Bags) -> Result<(), Trouble> {
    contents(Cursor::of(bytes), opener, bags, DEEPEST)
}

fn contents(
    at: Cursor<'_>,
    opener: &mut Opener,
    bags: &mut Bags,
    depth: u32,
) -> Result<(), Trouble> {
    let (mut rest, _) = at.expect(SEQUENCE)?;
    while let Some(element) = rest.next()? {
        if bag(element.content, opener, bags, depth).is_err() {
            bags.problems.push(Pkcs12Problem::Damaged(Part::Contents));
        }
        rest = element.after;
    }
    Ok(())
}

fn bag(at: Cursor<'_>, opener: &mut Opener, bags: &mut Bags, depth: u32) -> Result<(), Trouble> {
    const BAGS: &str = "1.2.840.113549.1.12.10.1.";
    const X509: &str = "1.2.840.113549.1.9.22.1";
    const X509_LIST: &str = "1.2.840.113549.1.9.23.1";
    let (kind, rest) = at.identifier()?;
    let (value, rest) = rest.expect(FIRST)?;
    let local_id = local_id(rest);
    match kind.strip_prefix(BAGS) {
        Some("1") => {
            let shown = match public_half(value) {
                Ok(Some(key)) => Shown::Public(key),
                Ok(None) | Err(_) => Shown::NotCompared,
            };
            bags.keys.push(KeyBag { shown, local_id });
        }
        Some("2") => {
            let shown = shrouded(value, opener, &mut bags.problems)?;
            bags.keys.push(KeyBag { shown, local_id });
        }
        Some("3") => {
            let (certificate, _) = value.expect(SEQUENCE)?;
            let (kind, content) = certificate.identifier()?;
            if kind == X509 {
                let der = content.expect(FIRST)?.0.octets()?.into_owned();
                bags.certificates.push(CertificateBag { der, local_id });
            }
        }
        Some("4") => {
            let (list, _) = value.expect(SEQUENCE)?;
            let (kind, content) = list.identifier()?;
            if kind == X509_LIST {
                let der = content.expect(FIRST)?.0.octets()?.into_owned();
                bags.revocation_lists.push(der);
            }
        }
        Some("6") => {
            let depth = depth.checked_sub(1).ok_or(Trouble::Unexpected(at.at))?;
            contents(value, opener, bags, depth)?;
        }
        // Secrets, and what others may have thought of.
        _ => {}
    }
    Ok(())
}

/// EncryptedPrivateKeyInfo (RFC 5208, 6).
fn shrouded(
    value: Cursor<'_>,
    opener: &mut Opener,
    problems: &mut Vec<Pkcs12Problem>,
) -> Result<Shown, Trouble> {
    let (info, _) = value.expect(SEQUENCE)?;
    let (method, rest) = info.expect(SEQUENCE)?;
    let bytes = rest.octets()?;
    Ok(match opener.open(Part::PrivateKey, method, &bytes) {
        Ok(opened) => match public_half(Cursor::of(&opened)) {
            Ok(Some(key)) => Shown::Public(key),
            Ok(None) | Err(_) => Shown::NotCompared,
        },
        Err(problem) => {
            let locked = matches!(
                problem,
                Pkcs12Problem::NoPassword(_) | Pkcs12Problem::WrongPassword(_)
            );
            problems.push(problem);
            match locked {
                true => Shown::Locked,
                false => Shown::NotCompared,
            }
        }
    })
}

/// What binds a certificate and its key (RFC 2985, 5.5.2), among a bag's attributes.
fn local_id(attributes: Cursor<'_>) -> Option<Vec<u8>> {
    const LOCAL_KEY_ID: &str = "1.2.840.113549.1.9.21";
    let mut rest = attributes.next().ok()??.content;
    while let Some(attribute) = rest.next().ok()? {
        let (kind, values) = attribute.content.identifier().ok()?;
        if kind == LOCAL_KEY_ID {
            let value = values.next().ok()??.content;
            return Some(value.expect(OCTET_STRING).ok()?.0.bytes.to_vec());
        }
        rest = attribute.after;
    }
    None
}
