//! $Secure: the security descriptors of a volume. Files name theirs by a number; the stream $SDS holds each once, and once more
//! 256 KiB further on, in pieces of that size.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::NtfsError;
use crate::bundle::disk::bytes::{u32_le, u64_le};
use crate::bundle::source::ReadAt;

const PIECE: u64 = 256 << 10;
const HEADER: usize = 20;
/// The length of an access control list is a number of 16 bits; a descriptor has two.
pub(super) const LARGEST: u64 = 256 << 10;
/// A volume with more different permissions than this has only some of them read.
const MOST: usize = 1 << 20;
const MOST_BYTES: u64 = 1 << 30;

/// Where each descriptor is.
pub(super) struct SecurityTable {
    stream: Arc<dyn ReadAt>,
    places: BTreeMap<u32, u64>,
}

impl SecurityTable {
    /// Reads which descriptors there are.
    pub(super) fn read(stream: Arc<dyn ReadAt>) -> Result<SecurityTable, NtfsError> {
        let mut table = SecurityTable {
            stream,
            places: BTreeMap::new(),
        };
        let mut piece = vec![0; PIECE as usize];
        let mut start = 0;
        let end = table.stream.len().min(MOST_BYTES);
        while start < end && table.places.len() < MOST {
            // The first of two is the descriptors, the second their copy; either may be damaged in another place.
            for copy in [0, PIECE] {
                let filled = table
                    .stream
                    .read_full_at(start.saturating_add(copy), &mut piece)
                    .unwrap_or_default();
                table.read_piece(start, piece.get(..filled).unwrap_or_default());
            }
            start = start.saturating_add(2 * PIECE);
        }
        Ok(table)
    }

    fn read_piece(&mut self, start: u64, piece: &[u8]) {
        let mut at = 0;
        while let Some(rest) = piece.get(at..).filter(|rest| rest.len() >= HEADER) {
            let header = Header::read(rest);
            let expected = start.saturating_add(at as u64);
            match header {
                Some(header) if header.at == expected && header.len >= HEADER => {
                    self.places.entry(header.id).or_insert(expected);
                    at = at.saturating_add(header.len).next_multiple_of(16);
                }
                // Behind the last one, or damaged: the next may begin at any multiple of 16.
                _ => at = at.saturating_add(16),
            }
        }
    }

    /// The descriptor of that number.
    pub(super) fn descriptor(&self, id: u32) -> Result<Vec<u8>, NtfsError> {
        let Some(at) = self.places.get(&id) else {
            return Err(NtfsError::NotReadable("its permissions are not in $Secure"));
        };
        for copy in [0, PIECE] {
            let at = at.saturating_add(copy);
            let mut header = [0; HEADER];
            if !matches!(self.stream.read_full_at(at, &mut header), Ok(HEADER)) {
                continue;
            }
            let Some(header) = Header::read(&header).filter(|header| header.id == id) else {
                continue;
            };
            let Some(len) = header
                .len
                .checked_sub(HEADER)
                .filter(|len| *len as u64 <= LARGEST)
            else {
                continue;
            };
            let mut bytes = vec![0; len];
            let from = at.saturating_add(HEADER as u64);
            let whole =
                matches!(self.stream.read_full_at(from, &mut bytes), Ok(count) if count == len);
            if whole && hash(&bytes) == header.hash {
                return Ok(bytes);
            }
        }
        Err(NtfsError::NotReadable(
            "its permissions in $Secure are damaged, and so is their copy",
        ))
    }
}

/// What stands before a descriptor.
struct Header {
    hash: u32,
    id: u32,
    at: u64,
    len: usize,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Header> {
        Some(Header {
            hash: u32_le(bytes, 0)?,
            id: u32_le(bytes, 4)?,
            at: u64_le(bytes, 8)?,
            len: usize::try_from(u32_le(bytes, 16)?).ok()?,
        })
    }
}

/// The sum of the descriptor's words, turned by three bits before each (Linux-NTFS documentation, "$Secure").
fn hash(descriptor: &[u8]) -> u32 {
    let (words, _) = descriptor.as_chunks::<4>();
    words.iter().fold(0, |hash: u32, word| {
        u32::from_le_bytes(*word).wrapping_add(hash.rotate_left(3))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream(descriptor: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0; 2 * PIECE as usize];
        let mut entry = Vec::new();
        entry.extend(hash(descriptor).to_le_bytes());
        entry.extend(257_u32.to_le_bytes());
        entry.extend(64_u64.to_le_bytes());
        entry.extend((HEADER as u32 + descriptor.len() as u32).to_le_bytes());
        entry.extend(descriptor);
        for copy in [64, PIECE as usize + 64] {
            bytes[copy..copy + entry.len()].copy_from_slice(&entry);
        }
        bytes
    }

    #[test]
    fn a_damaged_descriptor_is_read_from_its_copy() {
        let descriptor: Vec<u8> = (0..80).collect();
        let whole = stream(&descriptor);
        let asked = |bytes: Vec<u8>| {
            SecurityTable::read(Arc::new(bytes))
                .unwrap()
                .descriptor(257)
                .ok()
        };
        assert_eq!(asked(whole.clone()), Some(descriptor.clone()));
        let mut flipped = whole.clone();
        flipped[64 + HEADER + 7] ^= 1;
        assert_eq!(asked(flipped.clone()), Some(descriptor.clone()));
        flipped[PIECE as usize + 64 + HEADER] ^= 1;
        assert_eq!(asked(flipped), None);
        let mut no_header = whole;
        no_header[64..64 + HEADER].fill(0xFF);
        assert_eq!(asked(no_header), Some(descriptor));
    }
}
