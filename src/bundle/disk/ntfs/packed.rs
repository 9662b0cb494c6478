//! Data that NTFS compresses: units of (mostly) 16 clusters, of which each is stored as it is, packed into fewer clusters, or, all zero,
//! not at all. What is packed is in the format LZNT1 (MS-XCA, section 2.5).
//!
//! The crate `lznt1` (0.1.3) was looked at and is not used: it bounds nothing that comes out, and a chunk that is shorter than the
//! others, which on a volume ends in zeros, is not filled up there.

use std::io;
use std::sync::{Arc, Mutex};

use super::runs::DataSource;
use crate::bundle::disk::bytes::u16_le;
use crate::bundle::source::ReadAt;

/// What a chunk of LZNT1 unpacks to.
const CHUNK: usize = 4096;
/// Windows compresses on volumes with clusters of up to 4 KiB, and then in units of 64 KiB; newer ones may allow more.
pub(super) const LARGEST_UNIT: u64 = 1 << 20;

/// The bytes of a compressed value.
pub(super) struct PackedSource {
    /// The clusters as they are stored, whole.
    pub(super) stored: DataSource,
    /// In clusters.
    pub(super) unit: u64,
    pub(super) size: u64,
    /// What follows was never written, and is zero.
    pub(super) initialized: u64,
    /// The unit that was unpacked last.
    pub(super) unpacked: Mutex<Option<(u64, Arc<Vec<u8>>)>>,
}

impl PackedSource {
    fn unit(&self, number: u64) -> io::Result<Arc<Vec<u8>>> {
        if let Ok(kept) = self.unpacked.lock()
            && let Some((of, bytes)) = kept.as_ref()
            && *of == number
        {
            return Ok(Arc::clone(bytes));
        }
        let bytes = Arc::new(self.unpack(number)?);
        if let Ok(mut kept) = self.unpacked.lock() {
            *kept = Some((number, Arc::clone(&bytes)));
        }
        Ok(bytes)
    }

    fn unpack(&self, number: u64) -> io::Result<Vec<u8>> {
        let cluster = self.stored.cluster;
        let first = number.saturating_mul(self.unit);
        let at = first.saturating_mul(cluster);
        let whole = self.unit.saturating_mul(cluster).min(LARGEST_UNIT);
        let stored = self.stored.stored(first, self.unit);
        let mut bytes = vec![0; usize::try_from(whole).unwrap_or_default()];
        if stored == 0 {
            return Ok(bytes);
        }
        if stored >= self.unit {
            // The last unit may end with the file.
            let filled = self.stored.read_full_at(at, &mut bytes)?;
            bytes.truncate(filled);
            return Ok(bytes);
        }
        let packed = usize::try_from(stored.saturating_mul(cluster)).unwrap_or_default();
        bytes.truncate(packed);
        let filled = self.stored.read_full_at(at, &mut bytes)?;
        bytes.truncate(filled);
        let most = usize::try_from(whole).unwrap_or_default();
        unpacked(&bytes, most).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::InvalidData,
                format!("compressed by NTFS, and damaged from byte {at} of the file on"),
            )
        })
    }
}

impl ReadAt for PackedSource {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.size.saturating_sub(offset);
        if rest == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let unit = self.unit.saturating_mul(self.stored.cluster).max(1);
        let written = self.initialized.saturating_sub(offset);
        let most = match written {
            0 => rest,
            _ => rest.min(written).min(unit - offset % unit),
        };
        let count = usize::try_from(most)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let Some(wanted) = buffer.get_mut(..count) else {
            return Ok(0);
        };
        if written == 0 {
            wanted.fill(0);
            return Ok(count);
        }
        let bytes = self.unit(offset / unit)?;
        let within = usize::try_from(offset % unit).unwrap_or(usize::MAX);
        let there = bytes.get(within..).unwrap_or_default();
        let there = there.get(..count).unwrap_or(there);
        // Behind the end of what a unit was packed from there are zeros.
        let (filled, zeros) = wanted.split_at_mut(there.len());
        filled.copy_from_slice(there);
        zeros.fill(0);
        Ok(count)
    }
}

/// Unpacks LZNT1: chunks, each with its length before it, up to an empty one or to `most` bytes. None where it is damaged.
fn unpacked(packed: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = packed;
    while bytes.len() < most {
        let header = match u16_le(rest, 0) {
            None | Some(0) => break,
            Some(header) => header,
        };
        let end = usize::from(header & 0xFFF) + 3;
        let chunk = rest.get(2..end)?;
        rest = rest.get(end..)?;
        let start = bytes.len();
        match header & 0x8000 {
            0 => bytes.extend_from_slice(chunk),
            _ => unpack_chunk(chunk, &mut bytes)?,
        }
        // A chunk that is shorter than all the others ends in zeros.
        (bytes.len() - start <= CHUNK).then_some(())?;
        bytes.resize(start + CHUNK, 0);
    }
    bytes.resize(most, 0);
    Some(bytes)
}

/// A byte of flags, a bit for each of eight items: a byte as it is, or two that say how many are repeated, and from where. How the
/// bits of the two are shared out depends on how far one can go back.
fn unpack_chunk(chunk: &[u8], bytes: &mut Vec<u8>) -> Option<()> {
    let start = bytes.len();
    let mut rest = chunk;
    while let Some((flags, items)) = rest.split_first() {
        rest = items;
        for bit in 0..8 {
            if rest.is_empty() {
                break;
            }
            if flags & (1 << bit) == 0 {
                let (byte, after) = rest.split_first()?;
                bytes.push(*byte);
                rest = after;
                continue;
            }
            let token = usize::from(u16_le(rest, 0)?);
            rest = rest.get(2..)?;
            let before = bytes.len() - start;
            let length_bits = length_bits(before)?;
            let distance = (token >> length_bits) + 1;
            let count = (token & ((1 << length_bits) - 1)) + 3;
            (distance <= before && before + count <= CHUNK).then_some(())?;
            let from = bytes.len() - distance;
            for index in from..from + count {
                bytes.push(*bytes.get(index)?);
            }
        }
        (bytes.len() - start <= CHUNK).then_some(())?;
    }
    Some(())
}

/// How many of the sixteen bits tell the length, behind so many bytes of the chunk; none at its beginning, where nothing can be repeated.
fn length_bits(before: usize) -> Option<u32> {
    let last = before.checked_sub(1)?;
    // Twelve up to 16 bytes, one less each time that the bytes double.
    let doublings = (usize::BITS - last.leading_zeros()).saturating_sub(4);
    12_u32.checked_sub(doublings)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::disk::ntfs::runs::Run;

    /// The example of MS-XCA, section 3.3.
    const PACKED: [u8; 59] = [
        0x38, 0xb0, 0x88, 0x46, 0x23, 0x20, 0x00, 0x20, 0x47, 0x20, 0x41, 0x00, 0x10, 0xa2, 0x47,
        0x01, 0xa0, 0x45, 0x20, 0x44, 0x00, 0x08, 0x45, 0x01, 0x50, 0x79, 0x00, 0xc0, 0x45, 0x20,
        0x05, 0x24, 0x13, 0x88, 0x05, 0xb4, 0x02, 0x4a, 0x44, 0xef, 0x03, 0x58, 0x02, 0x8c, 0x09,
        0x16, 0x01, 0x48, 0x45, 0x00, 0xbe, 0x00, 0x9e, 0x00, 0x04, 0x01, 0x18, 0x90, 0x00,
    ];
    const TEXT: &[u8] = b"F# F# G A A G F# E D D E F# F# E E F# F# G A A G F# E D D E F# E D D E E F# D E F# G F# D \
        E F# G F# E D E A F# F# G A A G F# E D D E F# E D D\0";

    #[test]
    fn the_published_example_is_unpacked() {
        let bytes = unpacked(&PACKED, CHUNK).unwrap();
        assert_eq!(bytes[..TEXT.len()], *TEXT);
        assert!(bytes[TEXT.len()..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn damage_is_told_and_ends() {
        // Longer than it is, from before its beginning, nothing to repeat yet.
        for (at, byte) in [(1, 0xBF), (16, 0xFF), (2, 0x01)] {
            let mut bytes = PACKED;
            bytes[at] = byte;
            assert_eq!(unpacked(&bytes, CHUNK), None, "byte {at}");
        }
        for len in 2..PACKED.len() {
            assert_eq!(unpacked(&PACKED[..len], CHUNK), None, "cut at {len}");
        }
    }

    #[test]
    fn units_are_packed_plain_or_left_out() {
        // Three units of four clusters of 1 KiB: packed into one cluster, as they are, all zero.
        let mut volume = vec![0xDB; 16 << 10];
        volume[1 << 10..(1 << 10) + PACKED.len()].copy_from_slice(&PACKED);
        volume[(1 << 10) + PACKED.len()..2 << 10].fill(0);
        volume[4 << 10..8 << 10].fill(7);
        let run = |first, count, place| Run {
            first,
            count,
            place,
        };
        let runs = vec![
            run(0, 1, Some(1)),
            run(1, 3, None),
            run(4, 4, Some(4)),
            run(8, 4, None),
        ];
        let source = PackedSource {
            stored: DataSource {
                volume: Arc::new(volume),
                cluster: 1 << 10,
                runs,
                size: 12 << 10,
                initialized: 12 << 10,
            },
            unit: 4,
            size: (12 << 10) - 100,
            initialized: 6 << 10,
            unpacked: Mutex::default(),
        };
        let bytes = source.read_all(1 << 20).unwrap();
        assert_eq!(bytes.len(), (12 << 10) - 100);
        assert_eq!(bytes[..TEXT.len()], *TEXT);
        assert!(bytes[TEXT.len()..4 << 10].iter().all(|byte| *byte == 0));
        assert!(bytes[4 << 10..6 << 10].iter().all(|byte| *byte == 7));
        assert!(bytes[6 << 10..].iter().all(|byte| *byte == 0));
    }
}
