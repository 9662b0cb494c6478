//! VHDX (MS-VHDX): blocks behind a table, with the disk's parameters in a region of their own. What was changing when the image was
//! taken is in its log, which is replayed in memory.

use std::io;
use std::sync::Arc;

use super::laid::{Laid, Layout, Stretch};
use super::vhdx_log::replayed;
use super::{Beside, ImageForm, bad, open_parent, piece};
use crate::bundle::disk::bytes::{field, guid, u16_le, u32_le, u64_le, utf16_le};
use crate::bundle::disk::trouble::DiskTrouble;
use crate::bundle::source::ReadAt;

const FORM: ImageForm = ImageForm::Vhdx;
const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
/// MS-VHDX section 2.2.3.
const BAT_REGION: &str = "2dc27766-f623-4200-9d64-115e9bfd4a08";
const METADATA_REGION: &str = "8b7ca206-4790-4b9a-b8fe-575f050f886e";
/// MS-VHDX section 2.6.2.
const FILE_PARAMETERS: &str = "caa16737-fa36-4d43-b3b6-33f0aa44e76b";
const DISK_SIZE: &str = "2fa54224-cd1b-4876-b211-5dbed83bf4b8";
const SECTOR_SIZE: &str = "8141bf1d-a96f-4709-ba47-f233a8faab5f";
const PARENT_LOCATOR: &str = "a8d35f2d-b30b-454d-abf7-d3d84834ab0c";
/// A chunk is what the bits of one block of a bitmap stand for, a bit for each sector.
const SECTORS_OF_A_CHUNK: u64 = 1 << 23;

/// One of the two headers; the one with the higher number counts.
pub(super) struct Header {
    sequence: u64,
    /// What the entries of the log must name; all zero where the log is empty.
    pub(super) log: [u8; 16],
    pub(super) log_bytes: u32,
    pub(super) log_at: u64,
    /// Changed whenever the content of the disk may be.
    data: [u8; 16],
}

pub(super) fn open(
    file: Arc<dyn ReadAt>,
    beside: &Beside,
    depth: usize,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let header = header(file.as_ref())?;
    let file = replayed(file, &header)?;
    let (table, metadata) = regions(file.as_ref())?;
    let metadata = Metadata::read(file.as_ref(), metadata)?;
    let chunk = SECTORS_OF_A_CHUNK.saturating_mul(metadata.sector) / metadata.block;
    let layout = Blocks {
        size: metadata.size,
        table,
        block: metadata.block,
        sector: metadata.sector,
        chunk: chunk.max(1),
        has_parent: metadata.parent.is_some(),
    };
    let parent = match &metadata.parent {
        Some(locator) => Some(parent(locator, beside, depth)?),
        None => None,
    };
    Ok(Arc::new(Laid {
        layout,
        file,
        parent,
    }))
}

fn header(file: &dyn ReadAt) -> Result<Header, DiskTrouble> {
    let mut newest: Option<Header> = None;
    for at in [64 * KIB, 128 * KIB] {
        let Ok(bytes) = piece(file, FORM, at, 4096, "a header") else {
            continue;
        };
        let read = || {
            (bytes.starts_with(b"head") && is_whole(&bytes)).then_some(())?;
            (u16_le(&bytes, 66)? == 1).then_some(())?;
            Some(Header {
                sequence: u64_le(&bytes, 8)?,
                data: field(&bytes, 32)?,
                log: field(&bytes, 48)?,
                log_bytes: u32_le(&bytes, 68)?,
                log_at: u64_le(&bytes, 72)?,
            })
        };
        if let Some(found) = read()
            && newest
                .as_ref()
                .is_none_or(|other| found.sequence > other.sequence)
        {
            newest = Some(found);
        }
    }
    newest.ok_or_else(|| bad(FORM, "neither of its headers is whole"))
}

/// Whether the sum at byte 4 is that of the bytes without it: CRC-32C (MS-VHDX sections 2.2.2, 2.2.3, 2.3.1).
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let mut copy = bytes.to_vec();
    let Some(sum) = copy.get_mut(4..8) else {
        return false;
    };
    sum.fill(0);
    u32_le(bytes, 4) == Some(crc32c(&copy))
}

fn crc32c(bytes: &[u8]) -> u32 {
    const POLYNOMIAL: u32 = 0x82F6_3B78;
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (POLYNOMIAL & 0_u32.wrapping_sub(sum & 1))
        })
    });
    !sum
}

/// Where the block table and the metadata are.
fn regions(file: &dyn ReadAt) -> Result<(u64, u64), DiskTrouble> {
    for at in [192 * KIB, 256 * KIB] {
        let Ok(bytes) = piece(file, FORM, at, 64 << 10, "a region table") else {
            continue;
        };
        if !bytes.starts_with(b"regi") || !is_whole(&bytes) {
            continue;
        }
        let count = u32_le(&bytes, 8).unwrap_or_default().min(2047) as usize;
        let place = |wanted: &str| {
            bytes
                .get(16..)
                .unwrap_or_default()
                .chunks(32)
                .take(count)
                .find(|entry| guid(entry, 0).as_deref() == Some(wanted))
                .and_then(|entry| u64_le(entry, 16))
        };
        if let (Some(table), Some(metadata)) = (place(BAT_REGION), place(METADATA_REGION)) {
            return Ok((table, metadata));
        }
    }
    Err(bad(FORM, "neither of its region tables is whole"))
}

struct Metadata {
    block: u64,
    size: u64,
    sector: u64,
    /// The parent locator, where there is a parent.
    parent: Option<Vec<u8>>,
}

impl Metadata {
    fn read(file: &dyn ReadAt, at: u64) -> Result<Metadata, DiskTrouble> {
        let table = piece(file, FORM, at, 64 << 10, "the metadata")?;
        if !table.starts_with(b"metadata") {
            return Err(bad(FORM, format!("no metadata is at byte {at}")));
        }
        let count = usize::from(u16_le(&table, 10).unwrap_or_default()).min(2047);
        let item = |wanted: &str| {
            let entry = table
                .get(32..)?
                .chunks(32)
                .take(count)
                .find(|entry| guid(entry, 0).as_deref() == Some(wanted))?;
            let place = at.checked_add(u64::from(u32_le(entry, 16)?))?;
            let len = (u32_le(entry, 20)? as usize).min(64 << 10);
            piece(file, FORM, place, len, "an item of the metadata").ok()
        };
        let read = || {
            let parameters = item(FILE_PARAMETERS)?;
            Some((
                u64::from(u32_le(&parameters, 0)?),
                u32_le(&parameters, 4)? & 2 != 0,
                u64_le(&item(DISK_SIZE)?, 0)?,
                u64::from(u32_le(&item(SECTOR_SIZE)?, 0)?),
            ))
        };
        let Some((block, has_parent, size, sector)) = read() else {
            return Err(bad(FORM, "its metadata is not whole"));
        };
        if !block.is_power_of_two()
            || !(MIB..=256 * MIB).contains(&block)
            || ![512, 4096].contains(&sector)
        {
            return Err(bad(
                FORM,
                format!("blocks of {block} bytes, sectors of {sector}"),
            ));
        }
        let parent = match has_parent {
            true => {
                Some(item(PARENT_LOCATOR).ok_or_else(|| bad(FORM, "it does not name its parent"))?)
            }
            false => None,
        };
        Ok(Metadata {
            block,
            size,
            sector,
            parent,
        })
    }
}

/// Opens the parent by the names in the locator (MS-VHDX section 2.6.2.6); its identifier must be one of those that stand there.
fn parent(locator: &[u8], beside: &Beside, depth: usize) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let count = usize::from(u16_le(locator, 18).unwrap_or_default()).min(64);
    let text = |at: Option<u32>, len: Option<u16>| {
        let at = usize::try_from(at?).ok()?;
        locator
            .get(at..at.checked_add(usize::from(len?))?)
            .map(utf16_le)
    };
    let mut pairs = Vec::new();
    for entry in locator.get(20..).unwrap_or_default().chunks(12).take(count) {
        let key = text(u32_le(entry, 0), u16_le(entry, 8));
        let value = text(u32_le(entry, 4), u16_le(entry, 10));
        pairs.extend(key.zip(value));
    }
    let values = |wanted: &'static str| {
        pairs
            .iter()
            .filter(move |(key, _)| key.starts_with(wanted))
            .map(|(_, value)| value.as_str())
    };
    let names: Vec<&str> = ["relative_path", "volume_path", "absolute_win32_path"]
        .into_iter()
        .flat_map(values)
        .collect();
    let mut other = None;
    for name in &names {
        let Some(found) = beside.open(name) else {
            continue;
        };
        let id = header(found.as_ref())
            .ok()
            .and_then(|header| guid(&header.data, 0));
        let is_named = values("parent_linkage").any(|value| {
            let value = value.trim_matches(['{', '}']).to_lowercase();
            Some(value) == id
        });
        if is_named {
            return open_parent(FORM, name, beside, depth);
        }
        other = Some(*name);
    }
    let name = names.first().copied().unwrap_or("its parent").to_owned();
    Err(match other {
        Some(name) => DiskTrouble::OtherParent {
            form: FORM,
            name: name.to_owned(),
        },
        None => DiskTrouble::PartMissing { form: FORM, name },
    })
}

/// The blocks of the disk. The table stays in the file: an entry is read when it is asked for.
struct Blocks {
    size: u64,
    table: u64,
    block: u64,
    sector: u64,
    /// How many blocks stand before the entry of each bitmap.
    chunk: u64,
    has_parent: bool,
}

impl Blocks {
    fn entry(&self, file: &dyn ReadAt, index: u64) -> io::Result<(u64, u64)> {
        let mut entry = [0; 8];
        let at = self.table.saturating_add(index.saturating_mul(8));
        if file.read_full_at(at, &mut entry)? < entry.len() {
            return Err(io::Error::other("the block table of the VHDX image is cut"));
        }
        let entry = u64::from_le_bytes(entry);
        Ok((entry & 7, (entry >> 20).saturating_mul(MIB)))
    }
}

impl Layout for Blocks {
    fn len(&self) -> u64 {
        self.size
    }

    fn stretch(&self, file: &dyn ReadAt, offset: u64) -> io::Result<(Stretch, u64)> {
        let (number, within) = (offset / self.block, offset % self.block);
        let rest = self.block - within;
        let (state, place) = self.entry(file, number.saturating_add(number / self.chunk))?;
        let stored = Stretch::Stored(place.saturating_add(within));
        match state {
            // MS-VHDX section 2.5.1.1: not present means the parent's where there is one.
            0 if self.has_parent => Ok((Stretch::Parent, rest)),
            6 => Ok((stored, rest)),
            7 => {
                let chunk = number / self.chunk;
                let (_, bitmap) =
                    self.entry(file, chunk.saturating_add((chunk + 1) * self.chunk))?;
                let first = offset / self.sector % SECTORS_OF_A_CHUNK;
                // The lowest bit first; whole bytes of equal bits make long runs.
                let mut bits = vec![0; 4096];
                let start = first / 8;
                let filled = file.read_full_at(bitmap.saturating_add(start), &mut bits)?;
                bits.truncate(filled);
                let is_here = |sector: u64| {
                    let at =
                        usize::try_from((sector / 8).saturating_sub(start)).unwrap_or(usize::MAX);
                    bits.get(at).map(|byte| byte & (1 << (sector % 8)) != 0)
                };
                let Some(here) = is_here(first) else {
                    return Err(io::Error::other("a bitmap of the VHDX image is cut"));
                };
                let same = (first + 1..SECTORS_OF_A_CHUNK)
                    .take_while(|sector| is_here(*sector) == Some(here))
                    .count() as u64;
                let run = (same + 1) * self.sector - offset % self.sector;
                let stretch = if here { stored } else { Stretch::Parent };
                Ok((stretch, run.min(rest)))
            }
            _ => Ok((Stretch::Zeros, rest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sum_is_castagnolis() {
        // RFC 3720, appendix B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
    }
}
