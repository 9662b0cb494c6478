//! SHA-256 of an artifact, so that somebody else can see that they look at the same file.

use std::io;

use sha2::{Digest, Sha256};

use super::source::ReadAt;

const PIECE: usize = 1 << 20;

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sha256Digest(pub [u8; 32]);

impl std::fmt::Display for Sha256Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0
            .iter()
            .try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Sha256Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, formatter)
    }
}

/// Reads the bytes once, in pieces of a mebibyte, and gives their SHA-256.
///
/// # Errors
/// What the operating system says when a piece cannot be read.
pub fn sha256(source: &dyn ReadAt) -> io::Result<Sha256Digest> {
    let mut digest = Sha256::new();
    let mut buffer = vec![0; PIECE];
    let mut offset = 0;
    loop {
        let count = source.read_full_at(offset, &mut buffer)?;
        digest.update(&buffer[..count]);
        offset += count as u64;
        if count < PIECE {
            return Ok(Sha256Digest(digest.finalize().into()));
        }
    }
}

/// The SHA-256 of what was read already and of what follows it, and how many bytes that is.
pub(super) fn sha256_of_stream(
    read: &[u8],
    rest: &mut dyn io::Read,
) -> io::Result<(Sha256Digest, u64)> {
    let mut digest = Sha256::new();
    digest.update(read);
    let mut bytes = read.len() as u64;
    let mut buffer = vec![0; PIECE];
    loop {
        match rest.read(&mut buffer) {
            Ok(0) => return Ok((Sha256Digest(digest.finalize().into()), bytes)),
            Ok(count) => {
                digest.update(buffer.get(..count).unwrap_or_default());
                bytes = bytes.saturating_add(count as u64);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_that_everybody_else_computes() {
        // FIPS 180-2, appendix B.
        let digest = |bytes: Vec<u8>| sha256(&bytes).unwrap().to_string();
        assert_eq!(
            digest(b"abc".to_vec()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        // A million times "a", which is longer than one piece is not; 2^20 + 1 bytes are.
        assert_eq!(
            digest(vec![b'a'; 1_000_000]),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        );
        assert_eq!(
            digest(vec![0; PIECE + 1]),
            Sha256Digest(Sha256::digest(vec![0; PIECE + 1]).into()).to_string()
        );
    }
}
