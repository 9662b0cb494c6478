//! Key files of CryptoAPI's RSA providers (`Crypto\RSA\MachineKeys`): a header of ten little-endian words, then name, hash,
//! and for the signature and the exchange key each public part, private part and export flag. The file's size is exactly
//! their sum (mimikatz `kull_m_key`, dpapick3; checked on two published dumps).

use crate::parse::certificate::{ObjectIdentifier, PublicKey, RsaPublicKey};

use super::{KeyFileDamage, KeyFileForm, KeyPurpose, Parts, StoredKey};

const HEADER: usize = 40;

/// Whether a file's first bytes are those of a CryptoAPI key file: version 2, an unused word, a name of sane length.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let Some((version, rest)) = bytes.split_first_chunk::<4>() else {
        return false;
    };
    let name_length = rest.get(4..8).and_then(|word| word.first_chunk::<4>());
    *version == [2, 0, 0, 0]
        && name_length.is_none_or(|length| (2..=1024).contains(&u32::from_le_bytes(*length)))
}

/// Reads a file that [`begins`] as one.
pub(super) fn parse(parts: &mut Parts<'_>) {
    parts.file.form = Some(KeyFileForm::Capi);
    let Some(header) = parts.header::<10>(HEADER) else {
        return;
    };
    let [
        _,
        _,
        name,
        signature_public,
        signature_private,
        exchange_public,
        exchange_private,
        hash,
        signature_flag,
        exchange_flag,
    ] = header;
    if !parts.expect_total(HEADER, &header[2..]) {
        return;
    }
    let name_offset = parts.offset;
    if let Some(name) = parts.next(name) {
        match name.split_last() {
            // ANSI, in the code page of the machine: letters beyond ASCII keep their numbers.
            Some((0, text)) if !text.is_empty() && !text.contains(&0) => {
                parts.file.container = Some(text.iter().copied().map(char::from).collect());
            }
            _ => parts.broken(
                "container name",
                name_offset,
                "it is no text with its terminator",
            ),
        }
    }
    parts.next(hash);
    pair(
        parts,
        KeyPurpose::Signature,
        [signature_public, signature_private, signature_flag],
    );
    pair(
        parts,
        KeyPurpose::Exchange,
        [exchange_public, exchange_private, exchange_flag],
    );
    if signature_public == 0 && exchange_public == 0 {
        parts.file.damages.push(KeyFileDamage::NoKey);
    }
}

fn pair(parts: &mut Parts<'_>, purpose: KeyPurpose, [public, private, flag]: [u32; 3]) {
    if public == 0 && private == 0 && flag == 0 {
        return;
    }
    let offset = parts.offset;
    let key = parts.next(public).and_then(|bytes| {
        let key = public_key(bytes);
        if key.is_none() {
            parts.broken("public key", offset, "it is no RSA public key blob");
        }
        key
    });
    parts.file.keys.push(StoredKey {
        purpose,
        public_key: key,
    });
    parts.protected("private key", private);
    if flag > 0 {
        parts.protected("export flag", flag);
    }
}

/// `RSA1`, length (bits / 8 + 8), bits, bits / 8 - 1, exponent, modulus little-endian, zeros. In a blob for DSS only the
/// kind is told.
fn public_key(bytes: &[u8]) -> Option<PublicKey> {
    let (magic, rest) = bytes.split_first_chunk::<4>()?;
    if magic == b"DSS1" {
        return Some(PublicKey::Other(ObjectIdentifier(
            "1.2.840.10040.4.1".to_owned(),
        )));
    }
    let (words, rest) = rest.split_first_chunk::<16>()?;
    let (words, _) = words.as_chunks::<4>();
    let &[length, bits, _, exponent] = words else {
        return None;
    };
    let (length, bits) = (
        u32::from_le_bytes(length) as usize,
        u32::from_le_bytes(bits) as usize,
    );
    if magic != b"RSA1"
        || bits == 0
        || !bits.is_multiple_of(8)
        || rest.len() != length
        || length < bits / 8
    {
        return None;
    }
    let modulus: Vec<u8> = rest.get(..bits / 8)?.iter().rev().copied().collect();
    let mut exponent = exponent;
    exponent.reverse();
    let key = RsaPublicKey::from_big_endian(&modulus, &exponent)?;
    // A zeroed sector in the modulus leaves fewer bits than the blob says.
    (key.bits() == bits as u64).then_some(PublicKey::Rsa(key))
}
