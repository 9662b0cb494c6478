//! The log of a VHDX image (MS-VHDX section 2.3): sectors that were to be written when it was last in use. They are laid over the
//! image in memory; the file stays as it is.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::vhdx::{Header, is_whole};
use super::{ImageForm, bad, piece};
use crate::bundle::disk::bytes::{field, u32_le, u64_le};
use crate::bundle::disk::trouble::DiskTrouble;
use crate::bundle::source::ReadAt;

const FORM: ImageForm = ImageForm::Vhdx;
const SECTOR: usize = 4096;
/// Hyper-V's is one MiB.
const LARGEST: u32 = 64 << 20;
/// No log of that size replaces more: 64 MiB.
const MOST_SECTORS: usize = 16 << 10;

/// The image with its log carried out; as it is where the log is empty.
pub(super) fn replayed(
    file: Arc<dyn ReadAt>,
    header: &Header,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    if header.log == [0; 16] {
        return Ok(file);
    }
    if header.log_bytes > LARGEST || !header.log_bytes.is_multiple_of(SECTOR as u32) {
        return Err(bad(FORM, format!("a log of {} bytes", header.log_bytes)));
    }
    let len = header.log_bytes as usize;
    let log = piece(file.as_ref(), FORM, header.log_at, len, "the log")?;
    let entries = entries(&log, header.log);
    let Some(last) = active(&entries, len) else {
        return Err(DiskTrouble::Feature {
            form: FORM,
            feature: "was not closed, and its log is damaged",
            instead: "attach it once in Hyper-V, or repair a copy with `qemu-img check -r all`",
        });
    };
    let mut sectors = BTreeMap::new();
    for entry in last {
        apply(entry, &mut sectors);
        if sectors.len() > MOST_SECTORS {
            return Err(bad(FORM, "its log replaces more than it can hold"));
        }
    }
    Ok(Arc::new(Overlaid { file, sectors }))
}

/// An entry of the log, unrolled from its ring.
struct Entry {
    at: usize,
    len: usize,
    tail: usize,
    sequence: u64,
    bytes: Vec<u8>,
}

/// Every whole entry of this log, by where it begins.
fn entries(log: &[u8], id: [u8; 16]) -> BTreeMap<usize, Entry> {
    let mut found = BTreeMap::new();
    // Whole entries lie side by side; what only looks like some must not be summed over and over.
    let mut budget = log.len().saturating_mul(8);
    for at in (0..log.len()).step_by(SECTOR) {
        let mut read = || {
            let head = log.get(at..at.checked_add(64)?)?;
            head.starts_with(b"loge").then_some(())?;
            (field(head, 32)? == id).then_some(())?;
            let len = u32_le(head, 8)? as usize;
            (len > 0 && len.is_multiple_of(SECTOR) && len <= log.len()).then_some(())?;
            budget = budget.checked_sub(len)?;
            let mut bytes = log.get(at..at.checked_add(len)?.min(log.len()))?.to_vec();
            let wrapped = len - bytes.len();
            bytes.extend_from_slice(log.get(..wrapped)?);
            is_whole(&bytes).then_some(())?;
            Some(Entry {
                at,
                len,
                tail: u32_le(head, 12)? as usize,
                sequence: u64_le(head, 16)?,
                bytes,
            })
        };
        if let Some(entry) = read() {
            found.insert(at, entry);
        }
    }
    found
}

/// The entries to carry out, in their order: those from the tail that the newest entry names up to itself, without a gap.
fn active(entries: &BTreeMap<usize, Entry>, size: usize) -> Option<Vec<&Entry>> {
    let mut heads: Vec<&Entry> = entries.values().collect();
    heads.sort_by_key(|entry| std::cmp::Reverse(entry.sequence));
    heads.into_iter().find_map(|head| {
        let mut run = vec![entries.get(&head.tail)?];
        while let Some(last) = run.last().copied() {
            if last.at == head.at {
                return Some(run);
            }
            let next = entries.get(&last.at.checked_add(last.len)?.checked_rem(size)?)?;
            (next.sequence == last.sequence.checked_add(1)? && run.len() <= entries.len())
                .then_some(())?;
            run.push(next);
        }
        None
    })
}

/// Puts the sectors of an entry where they belong.
fn apply(entry: &Entry, sectors: &mut BTreeMap<u64, Vec<u8>>) {
    let count = u32_le(&entry.bytes, 24).unwrap_or_default() as usize;
    let descriptors = entry
        .bytes
        .get(64..)
        .unwrap_or_default()
        .chunks_exact(32)
        .take(count);
    // The sectors of data begin behind the one that the descriptors end in.
    let mut data = (64 + count.saturating_mul(32)).next_multiple_of(SECTOR);
    for descriptor in descriptors {
        let Some(at) = u64_le(descriptor, 16) else {
            return;
        };
        if descriptor.starts_with(b"zero") {
            let len = u64_le(descriptor, 8).unwrap_or_default();
            for step in (0..len).step_by(SECTOR) {
                if sectors.len() > MOST_SECTORS {
                    return;
                }
                sectors.insert(at.saturating_add(step), vec![0; SECTOR]);
            }
        } else if descriptor.starts_with(b"desc") {
            let piece = data
                .checked_add(SECTOR)
                .and_then(|end| entry.bytes.get(data..end));
            let (Some(piece), Some(leading), Some(trailing)) =
                (piece, descriptor.get(8..16), descriptor.get(4..8))
            else {
                return;
            };
            // The first eight and the last four bytes of the sector gave way to marks, and stand in the descriptor.
            let mut whole = leading.to_vec();
            whole.extend_from_slice(piece.get(8..4092).unwrap_or_default());
            whole.extend_from_slice(trailing);
            sectors.insert(at, whole);
            data = data.saturating_add(SECTOR);
        }
    }
}

/// A file with some sectors replaced.
struct Overlaid {
    file: Arc<dyn ReadAt>,
    sectors: BTreeMap<u64, Vec<u8>>,
}

impl ReadAt for Overlaid {
    fn len(&self) -> u64 {
        let end = self.sectors.keys().next_back();
        let end = end.map_or(0, |at| at.saturating_add(SECTOR as u64));
        self.file.len().max(end)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.sectors.range(..=offset).next_back();
        if let Some((at, sector)) = before
            && let Some(there) = usize::try_from(offset - at)
                .ok()
                .and_then(|within| sector.get(within..))
                .filter(|there| !there.is_empty())
        {
            let count = there.len().min(buffer.len());
            if let (Some(to), Some(from)) = (buffer.get_mut(..count), there.get(..count)) {
                to.copy_from_slice(from);
            }
            return Ok(count);
        }
        let next = self.sectors.range(offset..).next();
        let room = next.map_or(usize::MAX, |(at, _)| {
            usize::try_from(at - offset).unwrap_or(usize::MAX)
        });
        let count = room.min(buffer.len());
        match buffer.get_mut(..count) {
            Some(wanted) => self.file.read_at(offset, wanted),
            None => Ok(0),
        }
    }
}
