//! The volumes of a disk: by a master boot record, by a GUID partition table (UEFI specification, section 5.3), or the whole
//! disk as one volume; and what file system each of them holds, by its first bytes.

use std::collections::BTreeSet;
use std::io;

use super::bytes::{field, guid, u32_le, u64_le};
use super::ntfs::has_copy;
use crate::bundle::source::ReadAt;

/// More partitions than any Windows makes; a table that goes on is damaged.
const MOST: usize = 128;
const SECTOR_SIZES: [u64; 2] = [512, 4096];

/// A part of the disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// From 1, in the order of the table.
    pub number: u32,
    /// Where it begins, in bytes.
    pub start: u64,
    /// How long it is, in bytes.
    pub bytes: u64,
    /// What is in it.
    pub holds: Holds,
}

/// What a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// NTFS.
    Ntfs,
    /// A volume that BitLocker encrypts.
    BitLocker,
    /// ReFS.
    Refs,
    /// A disk of a storage pool.
    StorageSpaces,
    /// Volumes of a dynamic disk.
    DynamicDisk,
    /// FAT, as in the EFI system partition.
    Fat,
    /// exFAT.
    ExFat,
    /// A file system of Linux.
    Linux,
    /// Encrypted by Linux.
    Luks,
    /// Volumes of Linux's volume manager.
    Lvm,
    /// Nothing but zero bytes at its beginning.
    Nothing,
    /// Reserved by Microsoft: no file system.
    Reserved,
    /// Its first bytes cannot be read.
    Unreadable,
    /// Something else.
    Unknown,
}

impl std::fmt::Display for Holds {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Holds::Ntfs => "NTFS",
            Holds::BitLocker => "BitLocker",
            Holds::Refs => "ReFS",
            Holds::StorageSpaces => "Storage Spaces",
            Holds::DynamicDisk => "dynamic disk",
            Holds::Fat => "FAT",
            Holds::ExFat => "exFAT",
            Holds::Linux => "Linux file system",
            Holds::Luks => "LUKS",
            Holds::Lvm => "LVM",
            Holds::Nothing => "nothing",
            Holds::Reserved => "reserved",
            Holds::Unreadable => "unreadable",
            Holds::Unknown => "unknown",
        })
    }
}

impl Holds {
    /// What to do about it, where it may hide Windows.
    #[must_use]
    pub fn advice(self) -> Option<&'static str> {
        match self {
            Holds::BitLocker => Some(
                "encrypted by BitLocker: attach the disk to a Windows machine, unlock it with its recovery key \
                 (`manage-bde -unlock E: -rp KEY`), and either take an image of the unlocked volume or collect its files",
            ),
            Holds::Refs => Some(
                "ReFS, which is not read: attach the disk to a Windows machine and collect its files",
            ),
            Holds::StorageSpaces => Some(
                "a disk of a storage pool, which is not read: attach all disks of the pool to a Windows machine and collect the files",
            ),
            Holds::DynamicDisk => Some(
                "volumes of a dynamic disk (LDM), which are not read: attach the disk to a Windows machine and collect its files",
            ),
            Holds::Unreadable => {
                Some("its first bytes cannot be read: the image is cut or damaged; copy it again")
            }
            _ => None,
        }
    }
}

/// How a disk is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Master boot record.
    Mbr,
    /// GUID partition table.
    Gpt,
    /// Not at all: it is one volume.
    None,
}

impl std::fmt::Display for Scheme {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Scheme::Mbr => "MBR",
            Scheme::Gpt => "GPT",
            Scheme::None => "one volume, no partitions",
        })
    }
}

/// The partitions of a disk.
pub(super) fn partitions(disk: &dyn ReadAt) -> io::Result<(Scheme, Vec<Partition>)> {
    let mut sector = [0; 512];
    disk.read_full_at(0, &mut sector)?;
    let whole = |holds: Holds| {
        let partition = Partition {
            number: 1,
            start: 0,
            bytes: disk.len(),
            holds,
        };
        (Scheme::None, vec![partition])
    };
    let first = holds_at(disk, 0);
    if is_told(first) {
        return Ok(whole(first));
    }
    for size in SECTOR_SIZES {
        // Where the first table is damaged, its copy is at the end of the disk.
        let last = (disk.len() / size).saturating_sub(1).saturating_mul(size);
        for header in [size, last] {
            if let Some(found) = gpt(disk, header, size)? {
                return Ok((Scheme::Gpt, found));
            }
        }
    }
    let found = mbr(disk, &sector)?;
    // Only without a table: the last volume of a disk may end where the disk does.
    if found.is_empty() && has_copy(disk, 0, disk.len()) {
        return Ok(whole(Holds::Ntfs));
    }
    Ok((Scheme::Mbr, found))
}

fn is_told(holds: Holds) -> bool {
    !matches!(holds, Holds::Unknown | Holds::Nothing | Holds::Unreadable)
}

/// Types of partitions that say more than their first bytes.
const TYPES: [(&str, Holds); 3] = [
    ("e75caf8f-f680-4cee-afa3-b001e56efc2d", Holds::StorageSpaces),
    ("af9b60a0-1431-4f62-bc68-3311714a69ad", Holds::DynamicDisk),
    ("e3c9e316-0b5c-4db8-817d-f92df00215ae", Holds::Reserved),
];
const UNUSED: &str = "00000000-0000-0000-0000-000000000000";

fn gpt(disk: &dyn ReadAt, at: u64, sector: u64) -> io::Result<Option<Vec<Partition>>> {
    let mut header = [0; 512];
    disk.read_full_at(at, &mut header)?;
    if !header.starts_with(b"EFI PART") {
        return Ok(None);
    }
    let words = || {
        Some((
            u64_le(&header, 72)?,
            u32_le(&header, 80)?,
            u32_le(&header, 84)?,
        ))
    };
    let Some((first, count, size)) = words() else {
        return Ok(None);
    };
    let count = usize::try_from(count).unwrap_or(MOST).min(MOST);
    let size = usize::try_from(size).unwrap_or_default();
    if !(128..=4096).contains(&size) {
        return Ok(None);
    }
    let mut table = vec![0; count * size];
    disk.read_full_at(first.saturating_mul(sector), &mut table)?;
    let mut found = Vec::new();
    for entry in table.chunks(size) {
        let words = || Some((guid(entry, 0)?, u64_le(entry, 32)?, u64_le(entry, 40)?));
        let Some((kind, from, to)) = words() else {
            break;
        };
        if kind == UNUSED || to < from {
            continue;
        }
        let start = from.saturating_mul(sector);
        let bytes = (to - from).saturating_add(1).saturating_mul(sector);
        let told = TYPES.iter().find(|(name, _)| *name == kind);
        found.push(Partition {
            number: number(&found),
            start,
            bytes,
            holds: told.map_or_else(|| holds(disk, start, bytes), |(_, holds)| *holds),
        });
    }
    Ok(Some(found))
}

fn mbr(disk: &dyn ReadAt, sector: &[u8]) -> io::Result<Vec<Partition>> {
    let mut found: Vec<Partition> = Vec::new();
    let Some(unit) = unit(disk, sector) else {
        return Ok(found);
    };
    let mut extended = None;
    for (kind, from, count) in entries(sector) {
        if is_extended(kind) {
            extended = extended.or(Some(from));
            continue;
        }
        found.push(entry(disk, kind, from * unit, count * unit, number(&found)));
    }
    // Each logical volume has a table of its own, which names the next: relative to the first.
    let mut seen = BTreeSet::new();
    let mut next = extended;
    while let (Some(at), Some(base)) = (next, extended) {
        if !seen.insert(at) || found.len() >= MOST {
            break;
        }
        let mut table = [0; 512];
        disk.read_full_at(at.saturating_mul(unit), &mut table)?;
        next = None;
        for (kind, from, count) in entries(&table) {
            if is_extended(kind) {
                next = base.checked_add(from);
            } else {
                let start = at.saturating_add(from).saturating_mul(unit);
                found.push(entry(disk, kind, start, count * unit, number(&found)));
            }
        }
    }
    Ok(found)
}

fn entry(disk: &dyn ReadAt, kind: u8, start: u64, bytes: u64, number: u32) -> Partition {
    Partition {
        number,
        start,
        bytes,
        holds: match kind {
            0x42 => Holds::DynamicDisk,
            _ => holds(disk, start, bytes),
        },
    }
}

/// The entries of a table that are used: type, first sector, number of sectors.
fn entries(table: &[u8]) -> Vec<(u8, u64, u64)> {
    if table.get(510..512) != Some(&[0x55, 0xAA]) {
        return Vec::new();
    }
    table
        .get(446..510)
        .unwrap_or_default()
        .chunks(16)
        .filter_map(|entry| {
            let kind = *entry.get(4)?;
            let from = u64::from(u32_le(entry, 8)?);
            let count = u64::from(u32_le(entry, 12)?);
            (kind != 0 && count > 0).then_some((kind, from, count))
        })
        .collect()
}

fn is_extended(kind: u8) -> bool {
    matches!(kind, 0x05 | 0x0F | 0x85)
}

/// The size of a sector, which the table does not tell: the one with which a partition begins where a file system does.
fn unit(disk: &dyn ReadAt, sector: &[u8]) -> Option<u64> {
    let entries = entries(sector);
    if entries.is_empty() {
        return None;
    }
    let fits = |unit: u64| {
        entries.iter().any(|(_, from, count)| {
            let found = holds(disk, from * unit, count * unit);
            is_told(found)
        })
    };
    let told = SECTOR_SIZES.into_iter().find(|unit| fits(*unit));
    Some(told.unwrap_or(SECTOR_SIZES[0]))
}

fn number(found: &[Partition]) -> u32 {
    u32::try_from(found.len())
        .unwrap_or(u32::MAX)
        .saturating_add(1)
}

/// What is in a part of the disk.
fn holds(disk: &dyn ReadAt, start: u64, bytes: u64) -> Holds {
    let found = holds_at(disk, start);
    match is_told(found) {
        false if has_copy(disk, start, bytes) => Holds::Ntfs,
        _ => found,
    }
}

/// What begins at a place of the disk.
fn holds_at(disk: &dyn ReadAt, start: u64) -> Holds {
    let mut head = vec![0; 4096];
    match disk.read_full_at(start, &mut head) {
        Ok(filled) if filled > 0 => {}
        _ => return Holds::Unreadable,
    }
    if let Some(told) = told_by(&head) {
        return told;
    }
    if btrfs(disk, start) {
        return Holds::Linux;
    }
    if head.iter().all(|byte| *byte == 0) {
        Holds::Nothing
    } else {
        Holds::Unknown
    }
}

/// What begins so; none where its first 4 KiB do not tell.
pub(super) fn told_by(head: &[u8]) -> Option<Holds> {
    let named = |at: usize, name: &[u8]| head.get(at..).is_some_and(|from| from.starts_with(name));
    const NAMES: [(usize, &[u8], Holds); 10] = [
        (3, b"NTFS    ", Holds::Ntfs),
        (3, b"-FVE-FS-", Holds::BitLocker),
        (3, b"ReFS\0\0\0\0", Holds::Refs),
        (3, b"EXFAT   ", Holds::ExFat),
        (54, b"FAT1", Holds::Fat),
        (82, b"FAT32", Holds::Fat),
        (0, b"LUKS\xba\xbe", Holds::Luks),
        (512, b"LABELONE", Holds::Lvm),
        (0, b"XFSB", Holds::Linux),
        (0, b"PRIVHEAD", Holds::DynamicDisk),
    ];
    if let Some((.., holds)) = NAMES.iter().find(|(at, name, _)| named(*at, name)) {
        return Some(*holds);
    }
    // BitLocker To Go looks like FAT and names its own GUID (MS-FVE is not published; libbde documents it).
    if named(424, &[0x3b, 0xd6, 0x67, 0x49, 0x29, 0x2e, 0xd8, 0x4a]) {
        return Some(Holds::BitLocker);
    }
    is_ext(head).then_some(Holds::Linux)
}

/// Whether it is ext2, ext3 or ext4: the superblock at byte 1024 has a mark of two bytes only, so that its revision and the size of its
/// blocks have to make sense (Linux, Documentation/filesystems/ext4, "Super Block").
fn is_ext(head: &[u8]) -> bool {
    let blocks = u32_le(head, 1024 + 24);
    let revision = u32_le(head, 1024 + 76);
    field::<2>(head, 1024 + 56) == Some([0x53, 0xEF])
        && blocks.is_some_and(|power| power <= 6)
        && revision.is_some_and(|revision| revision <= 1)
}

fn btrfs(disk: &dyn ReadAt, start: u64) -> bool {
    let mut magic = [0; 8];
    let at = start.saturating_add(0x1_0040);
    disk.read_full_at(at, &mut magic).is_ok() && magic == *b"_BHRfS_M"
}
