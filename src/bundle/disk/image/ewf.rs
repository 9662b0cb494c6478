//! E01, EnCase's format (Expert Witness Compression Format; libewf documents it): chunks of the disk, packed by themselves, with
//! tables of where they are, in segment files of which each names no other: `disk.E01`, `disk.E02` and so on. All numbers are
//! little-endian.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use flate2::read::ZlibDecoder;

use super::{Beside, ImageForm, bad, piece};
use crate::bundle::disk::bytes::{u16_le, u32_le, u64_le};
use crate::bundle::disk::trouble::DiskTrouble;
use crate::bundle::source::ReadAt;

const FORM: ImageForm = ImageForm::Ewf;
const SECTION: usize = 76;
/// A system lets a process open so many files, and some more.
const MOST_SEGMENTS: usize = 900;
const MOST_SECTIONS: usize = 1 << 20;
/// A disk of 127 GiB has some 300 of them.
const MOST_TABLES: usize = 1 << 20;
/// A table has at most 16,375 entries, or 65,534 by newer tools.
const MOST_ENTRIES: u32 = 1 << 20;
const PACKED: u32 = 1 << 31;
/// How many unpacked chunks are kept.
const KEPT: usize = 16;

/// A disk in segments.
struct Segments {
    files: Vec<Arc<dyn ReadAt>>,
    tables: Vec<Table>,
    chunk: u64,
    bytes: u64,
    unpacked: Mutex<VecDeque<(u64, Arc<Vec<u8>>)>>,
}

/// Where some chunks are. The entries stay in the file: one is read when it is asked for.
struct Table {
    first: u64,
    count: u64,
    segment: usize,
    entries: u64,
    base: u64,
}

pub(super) fn open(file: Arc<dyn ReadAt>, beside: &Beside) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let mut disk = Segments {
        files: Vec::new(),
        tables: Vec::new(),
        chunk: 0,
        bytes: 0,
        unpacked: Mutex::default(),
    };
    let mut next = Some(file);
    while let Some(file) = next.take() {
        let head = piece(file.as_ref(), FORM, 0, 13, "the header")?;
        let number = usize::from(u16_le(&head, 9).unwrap_or_default());
        if number != disk.files.len() + 1 {
            return Err(match disk.files.is_empty() {
                true => DiskTrouble::PartOfAnother,
                false => bad(
                    FORM,
                    format!("segment {} is numbered {number}", disk.files.len() + 1),
                ),
            });
        }
        disk.files.push(Arc::clone(&file));
        if disk.files.len() > MOST_SEGMENTS {
            return Err(bad(FORM, format!("more than {MOST_SEGMENTS} segments")));
        }
        if disk.read_segment(file.as_ref())? {
            let name = segment_name(beside.own_name(), number + 1);
            let missing = || DiskTrouble::PartMissing {
                form: FORM,
                name: name.clone(),
            };
            next = Some(beside.open(&name).ok_or_else(missing)?);
        }
    }
    if disk.chunk == 0 {
        return Err(bad(FORM, "it does not say how large the disk is"));
    }
    Ok(Arc::new(disk))
}

/// `disk.E01` to `disk.E99`, then `disk.EAA` to `disk.EZZ`, `disk.FAA` and so on.
fn segment_name(first: &str, number: usize) -> String {
    let (stem, ending) = first.rsplit_once('.').unwrap_or((first, "E01"));
    let letter = ending.bytes().next().unwrap_or(b'E');
    if number < 100 {
        return format!("{stem}.{}{number:02}", char::from(letter));
    }
    let index = number - 100;
    let shifted =
        |base: u8, by: usize| char::from(base.saturating_add(u8::try_from(by).unwrap_or(u8::MAX)));
    let a = if letter.is_ascii_lowercase() {
        b'a'
    } else {
        b'A'
    };
    format!(
        "{stem}.{}{}{}",
        shifted(letter, index / 676),
        shifted(a, index / 26 % 26),
        shifted(a, index % 26)
    )
}

impl Segments {
    /// Reads the sections of a segment; says whether another segment follows.
    fn read_segment(&mut self, file: &dyn ReadAt) -> Result<bool, DiskTrouble> {
        let segment = self.files.len() - 1;
        let mut at = 13;
        for _ in 0..MOST_SECTIONS {
            let section = piece(file, FORM, at, SECTION, "a section")?;
            let kind = section.get(..16).unwrap_or_default();
            let kind = kind.split(|byte| *byte == 0).next().unwrap_or_default();
            let data = at.saturating_add(SECTION as u64);
            match kind {
                b"volume" | b"disk" => self.read_volume(file, data)?,
                b"table" => self.read_table(file, data, segment)?,
                b"next" => return Ok(true),
                b"done" => return Ok(false),
                _ => {}
            }
            match u64_le(&section, 16) {
                Some(next) if next >= data => at = next,
                _ => return Err(bad(FORM, format!("the section at byte {at} leads nowhere"))),
            }
        }
        Err(bad(FORM, "it has more sections than any disk needs"))
    }

    fn read_volume(&mut self, file: &dyn ReadAt, at: u64) -> Result<(), DiskTrouble> {
        let volume = piece(file, FORM, at, 94, "the description of the disk")?;
        let read = || {
            let chunk = u64::from(u32_le(&volume, 8)?) * u64::from(u32_le(&volume, 12)?);
            let sectors = u64_le(&volume, 16)?;
            Some((chunk, sectors.checked_mul(u64::from(u32_le(&volume, 12)?))?))
        };
        let Some((chunk, bytes)) = read().filter(|(chunk, _)| (512..=4 << 20).contains(chunk))
        else {
            return Err(bad(FORM, "its description of the disk makes no sense"));
        };
        (self.chunk, self.bytes) = (chunk, bytes);
        Ok(())
    }

    fn read_table(
        &mut self,
        file: &dyn ReadAt,
        at: u64,
        segment: usize,
    ) -> Result<(), DiskTrouble> {
        let header = piece(file, FORM, at, 24, "a table")?;
        let count = u32_le(&header, 0).unwrap_or_default();
        if count > MOST_ENTRIES || self.tables.len() >= MOST_TABLES {
            let number = self.tables.len() + 1;
            return Err(bad(FORM, format!("table {number}, of {count} chunks")));
        }
        let first = self.tables.last().map_or(0, |last| last.first + last.count);
        self.tables.push(Table {
            first,
            count: u64::from(count),
            segment,
            entries: at.saturating_add(24),
            base: u64_le(&header, 8).unwrap_or_default(),
        });
        Ok(())
    }

    fn unpacked(&self, number: u64) -> io::Result<Arc<Vec<u8>>> {
        if let Ok(kept) = self.unpacked.lock()
            && let Some((_, bytes)) = kept.iter().find(|(kept, _)| *kept == number)
        {
            return Ok(Arc::clone(bytes));
        }
        let bytes = Arc::new(self.unpack(number)?);
        if let Ok(mut kept) = self.unpacked.lock() {
            kept.push_back((number, Arc::clone(&bytes)));
            if kept.len() > KEPT {
                kept.pop_front();
            }
        }
        Ok(bytes)
    }

    fn unpack(&self, number: u64) -> io::Result<Vec<u8>> {
        let missing = || {
            io::Error::other(format!(
                "chunk {number} is in no table of the E01 image: it is cut"
            ))
        };
        let after = self.tables.partition_point(|table| table.first <= number);
        let table = after
            .checked_sub(1)
            .and_then(|index| self.tables.get(index));
        let table = table
            .filter(|table| number - table.first < table.count)
            .ok_or_else(missing)?;
        let file = self.files.get(table.segment).ok_or_else(missing)?;
        let mut entry = [0; 4];
        let at = table.entries.saturating_add((number - table.first) * 4);
        if file.read_full_at(at, &mut entry)? < entry.len() {
            return Err(missing());
        }
        let entry = u32::from_le_bytes(entry);
        let at = table.base.saturating_add(u64::from(entry & !PACKED));
        // Packed chunks are shorter than others, or about as long.
        let most = match entry & PACKED {
            0 => self.chunk,
            _ => self.chunk + 4096,
        };
        let mut stored = vec![0; usize::try_from(most).unwrap_or_default()];
        let filled = file.read_full_at(at, &mut stored)?;
        stored.truncate(filled);
        if entry & PACKED == 0 {
            return Ok(stored);
        }
        let mut bytes = Vec::new();
        ZlibDecoder::new(stored.as_slice())
            .take(self.chunk)
            .read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl ReadAt for Segments {
    fn len(&self) -> u64 {
        self.bytes
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.bytes.saturating_sub(offset);
        if rest == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let chunk = self.unpacked(offset / self.chunk)?;
        let within = usize::try_from(offset % self.chunk).unwrap_or(usize::MAX);
        let there = chunk.get(within..).unwrap_or_default();
        let most = usize::try_from(rest).unwrap_or(usize::MAX);
        let count = there.len().min(buffer.len()).min(most);
        match (buffer.get_mut(..count), there.get(..count)) {
            (Some(to), Some(from)) if count > 0 => to.copy_from_slice(from),
            _ => return Err(io::Error::other("a chunk of the E01 image is cut")),
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_numbered_and_then_lettered() {
        let name = |number| segment_name("disk.E01", number);
        assert_eq!(name(2), "disk.E02");
        assert_eq!(name(99), "disk.E99");
        assert_eq!(name(100), "disk.EAA");
        assert_eq!(name(126), "disk.EBA");
        assert_eq!(name(100 + 676), "disk.FAA");
        assert_eq!(segment_name("disk.e01", 100), "disk.eaa");
    }
}
