//! How parts of a file are encrypted: with the schemes of PKCS #12 (RFC 7292, appendix C), as Windows wrote them before Server 2019
//! and writes them as "TripleDES-SHA1", or with PBES2 (RFC 8018, 6.2), its "AES256-SHA256".

use aes::{Aes128, Aes192, Aes256};
use cbc::Decryptor;
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{BlockModeDecrypt, InnerIvInit, KeyIvInit};
use des::{TdesEde2, TdesEde3};
use rc2::Rc2;
use zeroize::Zeroizing;

use super::super::ber::{Cursor, OCTET_STRING, SEQUENCE, Trouble};
use super::derivation::{self, Hash, Purpose, Stretch};
use super::effort::Effort;
use super::opener::Phrase;

/// A method that is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Method {
    cipher: Cipher,
    stretch: Stretch,
    keys: Keys,
}

/// How its key comes from the password.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Keys {
    Pkcs12,
    Pbkdf2 { hash: Hash, initial_vector: Vec<u8> },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cipher {
    TripleDes2,
    TripleDes3,
    Rc2Bits40,
    Rc2Bits128,
    Aes128,
    Aes192,
    Aes256,
}

/// Why a method cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not one of those that are read: its object identifier.
    Unknown(String),
    /// Its parameters cannot be read.
    Damaged,
}

impl From<Trouble> for Refusal {
    fn from(_: Trouble) -> Self {
        Refusal::Damaged
    }
}

/// What one password gives.
pub(super) enum Outcome {
    Opened(Zeroizing<Vec<u8>>),
    Refused,
    /// It was not tried, since that would take longer than is allowed.
    TooDear,
}

impl Cipher {
    fn of_pkcs12(method: &str) -> Option<Self> {
        match method.strip_prefix("1.2.840.113549.1.12.1.")? {
            "3" => Some(Cipher::TripleDes3),
            "4" => Some(Cipher::TripleDes2),
            "5" => Some(Cipher::Rc2Bits128),
            "6" => Some(Cipher::Rc2Bits40),
            _ => None,
        }
    }

    fn of_pbes2(method: &str) -> Option<Self> {
        match method {
            "1.2.840.113549.3.7" => Some(Cipher::TripleDes3),
            "2.16.840.1.101.3.4.1.2" => Some(Cipher::Aes128),
            "2.16.840.1.101.3.4.1.22" => Some(Cipher::Aes192),
            "2.16.840.1.101.3.4.1.42" => Some(Cipher::Aes256),
            _ => None,
        }
    }

    fn key_bytes(self) -> usize {
        match self {
            Cipher::Rc2Bits40 => 5,
            Cipher::TripleDes2 | Cipher::Rc2Bits128 | Cipher::Aes128 => 16,
            Cipher::TripleDes3 | Cipher::Aes192 => 24,
            Cipher::Aes256 => 32,
        }
    }

    /// What was encrypted, where the padding at its end is right.
    fn decrypt(self, key: &[u8], vector: &[u8], bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let mut buffer = Zeroizing::new(bytes.to_vec());
        let length = match self {
            Cipher::TripleDes2 => unpadded::<Decryptor<TdesEde2>>(key, vector, &mut buffer),
            Cipher::TripleDes3 => unpadded::<Decryptor<TdesEde3>>(key, vector, &mut buffer),
            Cipher::Aes128 => unpadded::<Decryptor<Aes128>>(key, vector, &mut buffer),
            Cipher::Aes192 => unpadded::<Decryptor<Aes192>>(key, vector, &mut buffer),
            Cipher::Aes256 => unpadded::<Decryptor<Aes256>>(key, vector, &mut buffer),
            Cipher::Rc2Bits40 | Cipher::Rc2Bits128 => {
                let cipher = Rc2::new_with_eff_key_len(key, key.len() * 8);
                let mode = Decryptor::inner_iv_slice_init(cipher, vector).ok()?;
                mode.decrypt_padded::<Pkcs7>(&mut buffer)
                    .ok()
                    .map(<[u8]>::len)
            }
        };
        buffer.truncate(length?);
        Some(buffer)
    }
}

fn unpadded<M: KeyIvInit + BlockModeDecrypt>(
    key: &[u8],
    vector: &[u8],
    buffer: &mut [u8],
) -> Option<usize> {
    let mode = M::new_from_slices(key, vector).ok()?;
    mode.decrypt_padded::<Pkcs7>(buffer).ok().map(<[u8]>::len)
}

const PBES2: &str = "1.2.840.113549.1.5.13";
const PBKDF2: &str = "1.2.840.113549.1.5.12";

impl Method {
    /// Reads an AlgorithmIdentifier.
    pub(super) fn read(algorithm: Cursor<'_>) -> Result<Self, Refusal> {
        let (identifier, parameters) = algorithm.identifier()?;
        let (parameters, _) = match identifier.as_str() {
            PBES2 => return pbes2(parameters),
            _ => parameters
                .expect(SEQUENCE)
                .or(Err(match Cipher::of_pkcs12(&identifier) {
                    Some(_) => Refusal::Damaged,
                    None => Refusal::Unknown(identifier.clone()),
                }))?,
        };
        let cipher = Cipher::of_pkcs12(&identifier).ok_or(Refusal::Unknown(identifier))?;
        let (salt, rest) = parameters.expect(OCTET_STRING)?;
        let (rounds, _) = rest.number()?;
        Ok(Method {
            cipher,
            stretch: Stretch {
                salt: salt.bytes.to_vec(),
                rounds,
            },
            keys: Keys::Pkcs12,
        })
    }

    /// The rounds that it asks for.
    pub(super) fn rounds(&self) -> u64 {
        self.stretch.rounds
    }

    /// Tries one password.
    pub(super) fn open(&self, phrase: &Phrase, bytes: &[u8], effort: &mut Effort) -> Outcome {
        let length = self.cipher.key_bytes();
        let (key, vector) = match &self.keys {
            Keys::Pkcs12 => {
                // All ciphers of these schemes have blocks of eight bytes.
                let mut derive = |purpose, length| {
                    let password = &phrase.wide;
                    derivation::pkcs12(Hash::Sha1, password, &self.stretch, purpose, length, effort)
                };
                let key = derive(Purpose::Encryption, length);
                (key, derive(Purpose::InitialVector, 8))
            }
            Keys::Pbkdf2 {
                hash,
                initial_vector,
            } => {
                let password = &phrase.narrow;
                let key = derivation::pbkdf2(*hash, password, &self.stretch, length, effort);
                (key, Some(Zeroizing::new(initial_vector.clone())))
            }
        };
        let Some((key, vector)) = key.zip(vector) else {
            return Outcome::TooDear;
        };
        match self.cipher.decrypt(&key, &vector, bytes) {
            Some(opened) => Outcome::Opened(opened),
            None => Outcome::Refused,
        }
    }
}

/// PBES2-params: how the key is derived, and what it is for.
fn pbes2(parameters: Cursor<'_>) -> Result<Method, Refusal> {
    let (parameters, _) = parameters.expect(SEQUENCE)?;
    let (derivation, rest) = parameters.expect(SEQUENCE)?;
    let (cipher, _) = rest.expect(SEQUENCE)?;
    let (identifier, derivation) = derivation.identifier()?;
    if identifier != PBKDF2 {
        return Err(Refusal::Unknown(identifier));
    }
    let (derivation, _) = derivation.expect(SEQUENCE)?;
    let (salt, rest) = derivation.expect(OCTET_STRING)?;
    let (rounds, rest) = rest.number()?;
    // The length of the key may be left out; the cipher says it as well.
    let rest = rest.number().map_or(rest, |(_, rest)| rest);
    let hash = match rest.next()? {
        None => Hash::Sha1,
        Some(element) => {
            let (identifier, _) = element.content.identifier()?;
            pseudo_random(&identifier).ok_or(Refusal::Unknown(identifier))?
        }
    };
    let (identifier, vector) = cipher.identifier()?;
    let cipher = Cipher::of_pbes2(&identifier).ok_or(Refusal::Unknown(identifier))?;
    let (vector, _) = vector.expect(OCTET_STRING)?;
    Ok(Method {
        cipher,
        stretch: Stretch {
            salt: salt.bytes.to_vec(),
            rounds,
        },
        keys: Keys::Pbkdf2 {
            hash,
            initial_vector: vector.bytes.to_vec(),
        },
    })
}

/// hmacWithSHA1 and its kin (RFC 8018, B.1.2).
fn pseudo_random(identifier: &str) -> Option<Hash> {
    match identifier {
        "1.2.840.113549.2.7" => Some(Hash::Sha1),
        "1.2.840.113549.2.8" => Some(Hash::Sha224),
        "1.2.840.113549.2.9" => Some(Hash::Sha256),
        "1.2.840.113549.2.10" => Some(Hash::Sha384),
        "1.2.840.113549.2.11" => Some(Hash::Sha512),
        _ => None,
    }
}
