//! VMDK (VMware, "Virtual Disk Format 5.0"): a text that describes the disk, and extents: flat ones, which are bytes as they are,
//! and sparse ones, whose grains lie behind tables of two levels, packed or not. The text is a file of its own, or lies in the only
//! extent. All numbers are little-endian; sectors have 512 bytes.

use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use flate2::read::ZlibDecoder;

use super::laid::{Laid, Layout, Stretch};
use super::{Beside, ImageForm, bad, open_parent, piece, unreadable};
use crate::bundle::disk::bytes::{u16_le, u32_le, u64_le};
use crate::bundle::disk::trouble::DiskTrouble;
use crate::bundle::source::{PartSource, ReadAt};

const FORM: ImageForm = ImageForm::Vmdk;
const SECTOR: u64 = 512;
const HEADER: usize = 512;
/// A description of a disk in the 2 GB pieces that VMware cuts has a line for each.
const LONGEST_TEXT: u64 = 1 << 20;
const MOST_EXTENTS: usize = 4096;
/// A sparse extent says so when its tables are in a footer.
const AT_THE_END: u64 = u64::MAX;
const NO_PARENT: u32 = u32::MAX;

pub(super) fn open(
    file: Arc<dyn ReadAt>,
    beside: &Beside,
    depth: usize,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let sparse = Header::read(file.as_ref())?;
    let text = description(file.as_ref(), sparse.as_ref())?;
    let text = text.as_str();
    let parent = parent(text, beside, depth)?;
    let mut extents = Vec::new();
    let mut start: u64 = 0;
    for line in text.lines().filter_map(ExtentLine::read) {
        if extents.len() >= MOST_EXTENTS {
            return Err(bad(FORM, format!("more than {MOST_EXTENTS} extents")));
        }
        let bytes = line.sectors.saturating_mul(SECTOR);
        let source = line.open(&file, sparse.as_ref(), beside)?;
        extents.push(Extent {
            start,
            bytes,
            source,
        });
        start = start
            .checked_add(bytes)
            .ok_or_else(|| bad(FORM, "its extents are larger than any disk"))?;
    }
    if extents.is_empty() {
        return Err(bad(FORM, "its description names no extent"));
    }
    Ok(Arc::new(Extents {
        extents,
        bytes: start,
        parent,
    }))
}

/// The text that describes the disk.
fn description(file: &dyn ReadAt, sparse: Option<&Header>) -> Result<String, DiskTrouble> {
    let text = match sparse {
        Some(header) if header.text_bytes == 0 => return Err(DiskTrouble::PartOfAnother),
        Some(header) => {
            let len = header.text_bytes.min(LONGEST_TEXT) as usize;
            piece(file, FORM, header.text_at, len, "the description")?
        }
        None => file.read_all(LONGEST_TEXT).map_err(unreadable)?,
    };
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(text.split('\0').next().unwrap_or_default().to_owned())
}

/// What a description says of something.
fn value<'t>(text: &'t str, key: &str) -> Option<&'t str> {
    text.lines().find_map(|line| {
        let (name, value) = line.split_once('=')?;
        (name.trim().eq_ignore_ascii_case(key)).then(|| value.trim().trim_matches('"'))
    })
}

/// Content identifiers are hexadecimal, with or without zeros before them.
fn identifier(text: &str, key: &str) -> Option<u32> {
    u32::from_str_radix(value(text, key)?, 16).ok()
}

/// The parent, whose content identifier must be the one written here: it changes with the first write after the snapshot.
fn parent(
    text: &str,
    beside: &Beside,
    depth: usize,
) -> Result<Option<Arc<dyn ReadAt>>, DiskTrouble> {
    let wanted = match (value(text, "parentCID"), identifier(text, "parentCID")) {
        (None, _) | (_, Some(NO_PARENT)) => return Ok(None),
        (Some(_), wanted) => wanted,
    };
    let name = value(text, "parentFileNameHint").unwrap_or("its parent");
    let opened = open_parent(FORM, name, beside, depth)?;
    let is_other = beside.open(name).is_some_and(|file| {
        let text = Header::read(file.as_ref())
            .and_then(|sparse| description(file.as_ref(), sparse.as_ref()));
        // A parent of another format has none.
        let own = text.ok().and_then(|text| identifier(&text, "CID"));
        own.is_some() && own != wanted
    });
    match is_other {
        true => Err(DiskTrouble::OtherParent {
            form: FORM,
            name: name.to_owned(),
        }),
        false => Ok(Some(opened)),
    }
}

/// A line of the description: `RW 4192256 SPARSE "disk-s001.vmdk"`, `RW 83886080 FLAT "disk-flat.vmdk" 0`, `RW 63 ZERO`.
struct ExtentLine<'t> {
    sectors: u64,
    kind: &'t str,
    name: &'t str,
    offset: u64,
}

impl<'t> ExtentLine<'t> {
    fn read(line: &'t str) -> Option<Self> {
        let mut words = line.trim().splitn(4, char::is_whitespace);
        let access = words.next()?;
        ["RW", "RDONLY", "NOACCESS"]
            .contains(&access)
            .then_some(())?;
        let sectors = words.next()?.parse().ok()?;
        let kind = words.next()?;
        let mut rest = words.next().unwrap_or_default().trim().splitn(3, '"');
        rest.next();
        let name = rest.next().unwrap_or_default();
        let offset = rest.next().unwrap_or_default().trim();
        Some(ExtentLine {
            sectors,
            kind,
            name,
            offset: offset.parse().unwrap_or_default(),
        })
    }

    fn open(
        &self,
        own: &Arc<dyn ReadAt>,
        own_header: Option<&Header>,
        beside: &Beside,
    ) -> Result<Option<Arc<dyn ReadAt>>, DiskTrouble> {
        let missing = || DiskTrouble::PartMissing {
            form: FORM,
            name: self.name.to_owned(),
        };
        match self.kind {
            "ZERO" => Ok(None),
            // What the image that holds the description is called now does not matter.
            "SPARSE" if own_header.is_some() => sparse(Arc::clone(own)).map(Some),
            "SPARSE" => sparse(beside.open(self.name).ok_or_else(missing)?).map(Some),
            "FLAT" | "VMFS" => Ok(Some(Arc::new(PartSource {
                whole: beside.open(self.name).ok_or_else(missing)?,
                start: self.offset.saturating_mul(SECTOR),
                len: self.sectors.saturating_mul(SECTOR),
            }))),
            _ => Err(DiskTrouble::Feature {
                form: FORM,
                feature: "has extents as ESXi keeps snapshots in",
                instead: "merge the snapshots, or export the disk (`vmkfstools -i`)",
            }),
        }
    }
}

/// The disk, extent after extent.
struct Extents {
    extents: Vec<Extent>,
    bytes: u64,
    parent: Option<Arc<dyn ReadAt>>,
}

struct Extent {
    start: u64,
    bytes: u64,
    /// None is all zero.
    source: Option<Arc<dyn ReadAt>>,
}

impl ReadAt for Extents {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let after = self
            .extents
            .partition_point(|extent| extent.start <= offset);
        let Some(extent) = after
            .checked_sub(1)
            .and_then(|index| self.extents.get(index))
        else {
            return Ok(0);
        };
        let within = offset - extent.start;
        let rest = usize::try_from(extent.bytes.saturating_sub(within)).unwrap_or(usize::MAX);
        let count = rest.min(buffer.len());
        let Some(wanted) = buffer.get_mut(..count) else {
            return Ok(0);
        };
        let Some(source) = &extent.source else {
            wanted.fill(0);
            return Ok(count);
        };
        match source.read_at(within, wanted) {
            Ok(0) if count > 0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "an extent of the VMDK image is shorter than it should be",
            )),
            // A grain that is not here is the parent's.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let filled = match &self.parent {
                    Some(parent) => parent.read_full_at(
                        offset,
                        wanted.get_mut(..GRAIN_STEP.min(count)).unwrap_or_default(),
                    )?,
                    None => 0,
                };
                let step = GRAIN_STEP.min(count);
                wanted.get_mut(filled..step).unwrap_or_default().fill(0);
                Ok(step)
            }
            read => read,
        }
    }
}

/// What is taken from a parent at once: grains are aligned to it.
const GRAIN_STEP: usize = 512;

/// The header of a sparse extent.
struct Header {
    flags: u32,
    sectors: u64,
    grain: u64,
    text_at: u64,
    text_bytes: u64,
    per_table: u32,
    directory: u64,
    packed: bool,
}

impl Header {
    fn read(file: &dyn ReadAt) -> Result<Option<Header>, DiskTrouble> {
        let mut bytes = vec![0; HEADER];
        file.read_full_at(0, &mut bytes).map_err(unreadable)?;
        if !bytes.starts_with(b"KDMV") {
            return Ok(None);
        }
        let cut = || bad(FORM, "its header is cut");
        let header = Header::of(&bytes).ok_or_else(cut)?;
        if header.directory != AT_THE_END {
            return Ok(Some(header));
        }
        // The footer lies before the last sector, which marks the end of the stream.
        let at = file.len().saturating_sub(1024);
        let footer = piece(file, FORM, at, HEADER, "the footer")?;
        let footer = Header::of(&footer).filter(|_| footer.starts_with(b"KDMV"));
        let Some(footer) = footer else {
            return Err(bad(
                FORM,
                "its footer is missing: it was not written to its end",
            ));
        };
        Ok(Some(Header {
            text_at: header.text_at,
            text_bytes: header.text_bytes,
            ..footer
        }))
    }

    fn of(bytes: &[u8]) -> Option<Header> {
        Some(Header {
            flags: u32_le(bytes, 8)?,
            sectors: u64_le(bytes, 12)?,
            grain: u64_le(bytes, 20)?.saturating_mul(SECTOR),
            text_at: u64_le(bytes, 28)?.saturating_mul(SECTOR),
            text_bytes: u64_le(bytes, 36)?.saturating_mul(SECTOR),
            per_table: u32_le(bytes, 44)?,
            directory: match u64_le(bytes, 56)? {
                AT_THE_END => AT_THE_END,
                sector => sector.saturating_mul(SECTOR),
            },
            packed: u16_le(bytes, 77)? != 0,
        })
    }
}

/// The grains of a sparse extent. The tables stay in the file: an entry is read when it is asked for.
struct Grains {
    header: Header,
    /// The grain that was unpacked last, with where it is packed.
    unpacked: Mutex<Option<(u64, Arc<Vec<u8>>)>>,
}

fn sparse(file: Arc<dyn ReadAt>) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let header =
        Header::read(file.as_ref())?.ok_or_else(|| bad(FORM, "a sparse extent has no header"))?;
    let grain = header.grain;
    if !grain.is_power_of_two() || !(512..=1 << 20).contains(&grain) || header.per_table == 0 {
        return Err(bad(
            FORM,
            format!("grains of {grain} bytes, {} in a table", header.per_table),
        ));
    }
    let layout = Grains {
        header,
        unpacked: Mutex::new(None),
    };
    Ok(Arc::new(Laid {
        layout,
        file,
        parent: None,
    }))
}

fn word(file: &dyn ReadAt, at: u64) -> io::Result<u64> {
    let mut bytes = [0; 4];
    if file.read_full_at(at, &mut bytes)? < bytes.len() {
        return Err(io::Error::other("a grain table of the VMDK image is cut"));
    }
    Ok(u64::from(u32::from_le_bytes(bytes)))
}

impl Layout for Grains {
    fn len(&self) -> u64 {
        self.header.sectors.saturating_mul(SECTOR)
    }

    fn stretch(&self, file: &dyn ReadAt, offset: u64) -> io::Result<(Stretch, u64)> {
        let header = &self.header;
        let (number, within) = (offset / header.grain, offset % header.grain);
        let rest = header.grain - within;
        let per_table = u64::from(header.per_table);
        let directory = header.directory.saturating_add(number / per_table * 4);
        let entry = match word(file, directory)? {
            0 => 0,
            table => word(
                file,
                table
                    .saturating_mul(SECTOR)
                    .saturating_add(number % per_table * 4),
            )?,
        };
        let at = entry.saturating_mul(SECTOR);
        match entry {
            0 => Err(io::Error::new(io::ErrorKind::NotFound, "the parent's")),
            // Bit 2 of the flags: 1 stands for a grain of zeros.
            1 if header.flags & 4 != 0 => Ok((Stretch::Zeros, rest)),
            _ if header.packed => Ok((
                Stretch::Unpacked(self.unpack(file, at)?, within as usize),
                rest,
            )),
            _ => Ok((Stretch::Stored(at.saturating_add(within)), rest)),
        }
    }
}

impl Grains {
    /// Unpacks a grain: eight bytes for its sector on the disk, four for its packed size, then zlib's format.
    fn unpack(&self, file: &dyn ReadAt, at: u64) -> io::Result<Arc<Vec<u8>>> {
        if let Ok(kept) = self.unpacked.lock()
            && let Some((place, bytes)) = kept.as_ref()
            && *place == at
        {
            return Ok(Arc::clone(bytes));
        }
        let mut mark = [0; 12];
        file.read_full_at(at, &mut mark)?;
        let len = u64::from(u32_le(&mark, 8).unwrap_or_default()).min(2 * self.header.grain);
        let mut packed = vec![0; usize::try_from(len).unwrap_or_default()];
        let filled = file.read_full_at(at.saturating_add(12), &mut packed)?;
        packed.truncate(filled);
        let mut bytes = Vec::new();
        ZlibDecoder::new(packed.as_slice())
            .take(self.header.grain)
            .read_to_end(&mut bytes)?;
        let bytes = Arc::new(bytes);
        if let Ok(mut kept) = self.unpacked.lock() {
            *kept = Some((at, Arc::clone(&bytes)));
        }
        Ok(bytes)
    }
}
