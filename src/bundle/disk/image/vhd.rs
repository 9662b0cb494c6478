//! VHD: fixed, dynamic and differencing (Microsoft, "Virtual Hard Disk Image Format Specification", version 1.0). A fixed one is
//! the disk's bytes with a footer of 512 bytes behind, so that what has none is a raw image. All numbers are big-endian.

use std::io;
use std::sync::Arc;

use super::laid::{Laid, Layout, Stretch};
use super::{Beside, ImageForm, bad, open_parent, piece, unreadable};
use crate::bundle::disk::bytes::{field, u32_be, u64_be, utf16_le};
use crate::bundle::disk::trouble::DiskTrouble;
use crate::bundle::source::{PartSource, ReadAt};

const FORM: ImageForm = ImageForm::Vhd;
pub(super) const FOOTER: u64 = 512;
const HEADER: usize = 1024;
const SECTOR: u64 = 512;
/// Virtual PC's own footers are 511 bytes long (before version 2004).
const SHORT_FOOTER: u64 = 511;
const NOT_THERE: u32 = u32::MAX;
/// Windows makes blocks of 2 MiB, or of 512 KiB; larger ones would have bitmaps that take long to read, again and again.
const BLOCKS: std::ops::RangeInclusive<u64> = 4096..=64 << 20;

/// What the footer says.
struct Footer {
    size: u64,
    kind: u32,
    header: u64,
    id: [u8; 16],
}

/// Opens a file that may have a footer; what has none is raw.
pub(super) fn open(
    file: Arc<dyn ReadAt>,
    beside: &Beside,
    depth: usize,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let Some(footer) = footer(file.as_ref())? else {
        let mut magic = [0; 8];
        let filled = file.read_full_at(0, &mut magic).map_err(unreadable)?;
        if filled == magic.len() && magic == *b"conectix" {
            return Err(bad(FORM, "neither of its footers is whole"));
        }
        return Ok(file);
    };
    match footer.kind {
        2 => {
            let len = footer.size.min(file.len().saturating_sub(SHORT_FOOTER));
            Ok(Arc::new(PartSource {
                whole: file,
                start: 0,
                len,
            }))
        }
        3 | 4 => open_blocks(file, &footer, beside, depth),
        other => Err(bad(
            FORM,
            format!("its footer names type {other}, which there is not"),
        )),
    }
}

/// The footer at the end; else its copy at the beginning, which dynamic disks have.
fn footer(file: &dyn ReadAt) -> Result<Option<Footer>, DiskTrouble> {
    let end = file.len();
    for at in [
        end.checked_sub(FOOTER),
        end.checked_sub(SHORT_FOOTER),
        Some(0),
    ] {
        let Some(at) = at else { continue };
        let mut bytes = [0; FOOTER as usize];
        file.read_full_at(at, &mut bytes).map_err(unreadable)?;
        if let Some(footer) = read_footer(&bytes) {
            return Ok(Some(footer));
        }
    }
    Ok(None)
}

fn read_footer(bytes: &[u8]) -> Option<Footer> {
    let sum = u32_be(bytes, 64)?;
    // "A basic checksum of the hard disk footer": the complement of the sum of its bytes without this field.
    let added: u32 = bytes
        .iter()
        .enumerate()
        .filter(|(at, _)| !(64..68).contains(at))
        .map(|(_, byte)| u32::from(*byte))
        .sum();
    (bytes.starts_with(b"conectix") && !added == sum).then_some(())?;
    Some(Footer {
        header: u64_be(bytes, 16)?,
        size: u64_be(bytes, 48)?,
        kind: u32_be(bytes, 60)?,
        id: field(bytes, 68)?,
    })
}

/// The blocks of a dynamic or differencing disk. The table stays in the file: an entry is read when it is asked for.
struct Blocks {
    size: u64,
    table: u64,
    entries: u32,
    block: u64,
    bitmap: u64,
    differencing: bool,
}

fn open_blocks(
    file: Arc<dyn ReadAt>,
    footer: &Footer,
    beside: &Beside,
    depth: usize,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let header = piece(file.as_ref(), FORM, footer.header, HEADER, "the header")?;
    let words = || {
        Some((
            u64_be(&header, 16)?,
            u32_be(&header, 28)?,
            u32_be(&header, 32)?,
        ))
    };
    let Some((table, entries, block)) = words().filter(|_| header.starts_with(b"cxsparse")) else {
        return Err(bad(
            FORM,
            format!("no dynamic header is at byte {}", footer.header),
        ));
    };
    let block = u64::from(block);
    if !block.is_power_of_two() || !BLOCKS.contains(&block) {
        return Err(bad(FORM, format!("a block size of {block} bytes")));
    }
    if u64::from(entries).saturating_mul(block) < footer.size {
        return Err(bad(FORM, "its block table is smaller than the disk"));
    }
    let layout = Blocks {
        size: footer.size,
        table,
        entries,
        block,
        bitmap: (block / SECTOR / 8).next_multiple_of(SECTOR),
        differencing: footer.kind == 4,
    };
    let parent = match layout.differencing {
        true => Some(parent(file.as_ref(), &header, beside, depth)?),
        false => None,
    };
    Ok(Arc::new(Laid {
        layout,
        file,
        parent,
    }))
}

/// The parent, by the names that the locators and the header have for it; its identifier must be the one written here.
fn parent(
    file: &dyn ReadAt,
    header: &[u8],
    beside: &Beside,
    depth: usize,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let mut names = Vec::new();
    for entry in header.get(576..768).unwrap_or_default().chunks(24) {
        let (Some(platform), Some(length), Some(at)) =
            (entry.get(..4), u32_be(entry, 8), u64_be(entry, 16))
        else {
            continue;
        };
        // Windows paths in UTF-16, relative ("W2ru") or absolute ("W2ku").
        if platform.starts_with(b"W2") && (2..=8192).contains(&length) {
            let bytes = piece(file, FORM, at, length as usize, "the parent's name")?;
            names.push(utf16_le(&bytes).trim_end_matches('\0').to_owned());
        }
    }
    let (pairs, _) = header.get(64..576).unwrap_or_default().as_chunks::<2>();
    let units: Vec<u16> = pairs
        .iter()
        .map(|pair| u16::from_be_bytes(*pair))
        .take_while(|unit| *unit != 0)
        .collect();
    names.push(String::from_utf16_lossy(&units));
    names.retain(|name| !name.is_empty());
    let wanted: Option<[u8; 16]> = field(header, 40);
    let mut other = None;
    for name in &names {
        let Some(found) = beside.open(name) else {
            continue;
        };
        if footer(found.as_ref())?.map(|footer| footer.id) != wanted {
            other = Some(name.clone());
            continue;
        }
        return open_parent(FORM, name, beside, depth);
    }
    let name = names
        .into_iter()
        .next()
        .unwrap_or_else(|| "its parent".to_owned());
    Err(match other {
        Some(name) => DiskTrouble::OtherParent { form: FORM, name },
        None => DiskTrouble::PartMissing { form: FORM, name },
    })
}

impl Layout for Blocks {
    fn len(&self) -> u64 {
        self.size
    }

    fn stretch(&self, file: &dyn ReadAt, offset: u64) -> io::Result<(Stretch, u64)> {
        let (number, within) = (offset / self.block, offset % self.block);
        let rest = self.block - within;
        if number >= u64::from(self.entries) {
            return Ok((Stretch::Zeros, rest));
        }
        let mut entry = [0; 4];
        let at = self.table.saturating_add(number.saturating_mul(4));
        if file.read_full_at(at, &mut entry)? < entry.len() {
            return Err(io::Error::other("the block table of the VHD is cut"));
        }
        let sector = u32::from_be_bytes(entry);
        if sector == NOT_THERE {
            return Ok((Stretch::Parent, rest));
        }
        let start = u64::from(sector).saturating_mul(SECTOR);
        let data = Stretch::Stored(start.saturating_add(self.bitmap).saturating_add(within));
        if !self.differencing {
            return Ok((data, rest));
        }
        // One bit for each sector, the highest first: whether it is here or in the parent.
        let mut bitmap = vec![0; usize::try_from(self.bitmap).unwrap_or_default()];
        file.read_full_at(start, &mut bitmap)?;
        let is_here = |sector: u64| {
            let byte = usize::try_from(sector / 8)
                .ok()
                .and_then(|at| bitmap.get(at));
            byte.is_some_and(|byte| byte & (0x80 >> (sector % 8)) != 0)
        };
        let first = within / SECTOR;
        let here = is_here(first);
        let last = (first + 1..self.block / SECTOR)
            .find(|sector| is_here(*sector) != here)
            .unwrap_or(self.block / SECTOR);
        let run = last * SECTOR - within;
        Ok((if here { data } else { Stretch::Parent }, run))
    }
}
