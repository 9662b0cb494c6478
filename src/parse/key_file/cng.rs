//! Key files of CNG's software key storage provider (`Crypto\Keys`, `Crypto\SystemKeys`): seven little-endian words, 16
//! bytes, the name in UTF-16LE without terminator, the public properties, and two DPAPI blobs: private properties and
//! private key (mimikatz `kull_m_key`, dpapick3).

use crate::parse::certificate::{Curve, EcPublicKey, PublicKey, RsaPublicKey};

use super::{KeyFileDamage, KeyFileForm, KeyPurpose, Parts, StoredKey};

const HEADER: usize = 44;

/// Whether a file's first bytes are those of a CNG key file: version 1, an unused word, an even name length.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let Some((version, rest)) = bytes.split_first_chunk::<4>() else {
        return false;
    };
    let name_length = rest
        .get(4..8)
        .and_then(|word| word.first_chunk::<4>())
        .map(|word| u32::from_le_bytes(*word));
    *version == [1, 0, 0, 0]
        && name_length.is_none_or(|length| length.is_multiple_of(2) && (2..=2048).contains(&length))
}

/// Reads a file that [`begins`] as one.
pub(super) fn parse(parts: &mut Parts<'_>) {
    parts.file.form = Some(KeyFileForm::Cng);
    let Some([_, _, name, _, public, private_properties, private_key]) = parts.header::<7>(HEADER)
    else {
        return;
    };
    if !parts.expect_total(HEADER, &[name, public, private_properties, private_key]) {
        return;
    }
    let name_offset = parts.offset;
    if let Some(name) = parts.next(name) {
        match utf16_text(name) {
            Some(name) => parts.file.container = Some(name),
            None => parts.broken("container name", name_offset, "it is no UTF-16 text"),
        }
    }
    let public_offset = parts.offset;
    let before = parts.file.damages.len();
    if let Some(properties) = parts.next(public) {
        public_properties(parts, properties, public_offset);
    }
    // A symmetric key has none: only where nothing is wrong otherwise does the lack say something.
    if parts.file.keys.is_empty() && parts.file.damages.len() == before {
        parts.file.damages.push(KeyFileDamage::NoKey);
    }
    if private_properties > 0 {
        parts.protected("private properties", private_properties);
    }
    parts.protected("private key", private_key);
}

/// Each is its length, type, an unused word, the lengths of name and value, name and value. The public key is the nameless
/// one of type 10.
fn public_properties(parts: &mut Parts<'_>, mut rest: &[u8], mut offset: usize) {
    while !rest.is_empty() {
        let Some((length, kind, name, value)) = property(rest) else {
            return parts.broken(
                "public properties",
                offset,
                "a property does not fit its length",
            );
        };
        if kind == 0x0a && name.is_empty() {
            let key = public_key(value);
            if key.is_none() {
                parts.broken(
                    "public key",
                    offset,
                    "it is no RSA or elliptic curve public key blob",
                );
            }
            parts.file.keys.push(StoredKey {
                purpose: KeyPurpose::Cng,
                public_key: key,
            });
        }
        rest = rest.get(length..).unwrap_or_default();
        offset += length;
    }
}

fn property(bytes: &[u8]) -> Option<(usize, u32, &[u8], &[u8])> {
    let (header, rest) = bytes.split_first_chunk::<20>()?;
    let (words, _) = header.as_chunks::<4>();
    let &[length, kind, _, name, value] = words else {
        return None;
    };
    let [length, name, value] = [length, name, value].map(|word| u32::from_le_bytes(word) as usize);
    if name.checked_add(value)?.checked_add(header.len())? != length {
        return None;
    }
    let (name, rest) = rest.split_at_checked(name)?;
    Some((length, u32::from_le_bytes(kind), name, rest.get(..value)?))
}

/// BCRYPT_RSAKEY_BLOB and BCRYPT_ECCKEY_BLOB (bcrypt.h): all numbers big-endian.
fn public_key(bytes: &[u8]) -> Option<PublicKey> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    let curve = match magic {
        b"RSA1" => return rsa(rest),
        b"ECS1" | b"ECK1" => Curve::P256,
        b"ECS3" | b"ECK3" => Curve::P384,
        b"ECS5" | b"ECK5" => Curve::P521,
        // Generic curves: the name stands in another property.
        b"ECDP" | b"ECKP" => Curve::Unnamed,
        _ => return None,
    };
    let (length, coordinates) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length) as usize;
    let whole = length > 0 && Some(coordinates.len()) == length.checked_mul(2);
    if !whole || coordinates.iter().all(|byte| *byte == 0) {
        return None;
    }
    Some(PublicKey::Ec(EcPublicKey {
        curve,
        point: [&[4], coordinates].concat(),
    }))
}

fn rsa(rest: &[u8]) -> Option<PublicKey> {
    let (header, rest) = rest.split_first_chunk::<20>()?;
    let (words, _) = header.as_chunks::<4>();
    let &[bits, exponent, modulus, ..] = words else {
        return None;
    };
    let [bits, exponent, modulus] =
        [bits, exponent, modulus].map(|word| u32::from_le_bytes(word) as usize);
    let (exponent, rest) = rest.split_at_checked(exponent)?;
    if rest.len() != modulus {
        return None;
    }
    let key = RsaPublicKey::from_big_endian(rest, exponent)?;
    (key.bits() == bits as u64).then_some(PublicKey::Rsa(key))
}

fn utf16_text(bytes: &[u8]) -> Option<String> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units = pairs.iter().map(|pair| u16::from_le_bytes(*pair));
    let text = char::decode_utf16(units)
        .collect::<Result<String, _>>()
        .ok()?;
    (rest.is_empty() && !text.contains('\0')).then_some(text)
}
