//! Keys from passwords: the way of PKCS #12 itself (RFC 7292, appendix B.2) and PBKDF2 (RFC 8018, 5.2).

use pbkdf2::pbkdf2_hmac;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::digest::block_api::BlockSizeUser;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use zeroize::Zeroizing;

use super::effort::Effort;

/// A hash that keys are made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    pub(super) fn bytes(self) -> usize {
        match self {
            Hash::Sha1 => 20,
            Hash::Sha224 => 28,
            Hash::Sha256 => 32,
            Hash::Sha384 => 48,
            Hash::Sha512 => 64,
        }
    }
}

/// What a key is for; the same password gives another one for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Encryption = 1,
    InitialVector = 2,
    Checksum = 3,
}

/// Salt and rounds, as the file chose them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) salt: Vec<u8>,
    pub(super) rounds: u64,
}

/// The way of PKCS #12; none where it would take more than the effort that is left.
pub(super) fn pkcs12(
    hash: Hash,
    password: &[u8],
    stretch: &Stretch,
    purpose: Purpose,
    length: usize,
    effort: &mut Effort,
) -> Option<Zeroizing<Vec<u8>>> {
    effort.spend(stretch.rounds, length.div_ceil(hash.bytes()))?;
    let derive = match hash {
        Hash::Sha1 => derive::<Sha1>,
        Hash::Sha224 => derive::<Sha224>,
        Hash::Sha256 => derive::<Sha256>,
        Hash::Sha384 => derive::<Sha384>,
        Hash::Sha512 => derive::<Sha512>,
    };
    Some(derive(password, stretch, purpose, length))
}

fn derive<D: Digest + BlockSizeUser>(
    password: &[u8],
    stretch: &Stretch,
    purpose: Purpose,
    length: usize,
) -> Zeroizing<Vec<u8>> {
    let block = D::block_size();
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let whole = bytes.len().div_ceil(block) * block;
        bytes.iter().copied().cycle().take(whole).collect()
    };
    let mut input = Zeroizing::new(filled(&stretch.salt));
    input.extend(filled(password));
    let diversifier = vec![purpose as u8; block];
    let mut key = Zeroizing::new(Vec::with_capacity(length + <D as Digest>::output_size()));
    while key.len() < length {
        let mut hash = D::new()
            .chain_update(&diversifier)
            .chain_update(input.as_slice())
            .finalize();
        for _ in 1..stretch.rounds {
            hash = D::digest(&hash);
        }
        key.extend_from_slice(&hash);
        for block in input.chunks_mut(block) {
            add(block, &hash);
        }
    }
    key.truncate(length);
    key
}

/// Adds to a number the hash, repeated as often as it takes, and one; both big-endian, what is carried over the first byte is lost.
fn add(number: &mut [u8], hash: &[u8]) {
    let addend: Vec<u8> = hash.iter().copied().cycle().take(number.len()).collect();
    let mut carry = 1_u16;
    for (digit, added) in number.iter_mut().zip(addend).rev() {
        let sum = u16::from(*digit) + u16::from(added) + carry;
        let [high, low] = sum.to_be_bytes();
        *digit = low;
        carry = u16::from(high);
    }
}

/// PBKDF2; none where it would take more than the effort that is left.
pub(super) fn pbkdf2(
    hash: Hash,
    password: &[u8],
    stretch: &Stretch,
    length: usize,
    effort: &mut Effort,
) -> Option<Zeroizing<Vec<u8>>> {
    // Each round hashes twice.
    effort.spend(stretch.rounds, 2 * length.div_ceil(hash.bytes()))?;
    let rounds = u32::try_from(stretch.rounds).ok()?.max(1);
    let derive = match hash {
        Hash::Sha1 => pbkdf2_hmac::<Sha1>,
        Hash::Sha224 => pbkdf2_hmac::<Sha224>,
        Hash::Sha256 => pbkdf2_hmac::<Sha256>,
        Hash::Sha384 => pbkdf2_hmac::<Sha384>,
        Hash::Sha512 => pbkdf2_hmac::<Sha512>,
    };
    let mut key = Zeroizing::new(vec![0; length]);
    derive(password, &stretch.salt, rounds, &mut key);
    Some(key)
}
