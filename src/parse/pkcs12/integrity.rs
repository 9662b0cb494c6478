//! The checksum over a file, made with the password (RFC 7292, 5.1): it tells which password is the right one, and whether what is
//! held is as it was exported.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};

use super::super::ber::{Cursor, OCTET_STRING, SEQUENCE, Trouble};
use super::derivation::{self, Hash, Purpose, Stretch};
use super::effort::Effort;
use super::opener::Phrase;

/// MacData of a hash that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checksum {
    hash: Hash,
    sum: Vec<u8>,
    pub(super) stretch: Stretch,
}

impl Checksum {
    /// Reads MacData; none where its method is not read, as PBMAC1 (RFC 9579): then decrypting tells.
    pub(super) fn read(data: Cursor<'_>) -> Result<Option<Self>, Trouble> {
        let (info, rest) = data.expect(SEQUENCE)?;
        let (algorithm, sum) = info.expect(SEQUENCE)?;
        let (identifier, _) = algorithm.identifier()?;
        let (sum, _) = sum.expect(OCTET_STRING)?;
        let (salt, rest) = rest.expect(OCTET_STRING)?;
        let rounds = match rest.next()? {
            Some(_) => rest.number()?.0,
            None => 1,
        };
        let hash = match identifier.as_str() {
            "1.3.14.3.2.26" => Hash::Sha1,
            "2.16.840.1.101.3.4.2.4" => Hash::Sha224,
            "2.16.840.1.101.3.4.2.1" => Hash::Sha256,
            "2.16.840.1.101.3.4.2.2" => Hash::Sha384,
            "2.16.840.1.101.3.4.2.3" => Hash::Sha512,
            _ => return Ok(None),
        };
        Ok(Some(Checksum {
            hash,
            sum: sum.bytes.to_vec(),
            stretch: Stretch {
                salt: salt.bytes.to_vec(),
                rounds,
            },
        }))
    }

    /// Whether it is that of these bytes under this password; none where it would take too long to tell.
    pub(super) fn fits(&self, phrase: &Phrase, bytes: &[u8], effort: &mut Effort) -> Option<bool> {
        let length = self.hash.bytes();
        let key = derivation::pkcs12(
            self.hash,
            &phrase.wide,
            &self.stretch,
            Purpose::Checksum,
            length,
            effort,
        )?;
        let verify = match self.hash {
            Hash::Sha1 => verify::<Hmac<Sha1>>,
            Hash::Sha224 => verify::<Hmac<Sha224>>,
            Hash::Sha256 => verify::<Hmac<Sha256>>,
            Hash::Sha384 => verify::<Hmac<Sha384>>,
            Hash::Sha512 => verify::<Hmac<Sha512>>,
        };
        Some(verify(&key, bytes, &self.sum))
    }
}

fn verify<M: Mac + KeyInit>(key: &[u8], bytes: &[u8], sum: &[u8]) -> bool {
    <M as KeyInit>::new_from_slice(key)
        .is_ok_and(|code| code.chain_update(bytes).verify_slice(sum).is_ok())
}
