//! Disk images: from a file's format to the bytes of the disk in it. Every format ends in the same [`ReadAt`]; all of them
//! only ever open files for reading.
//!
//! The formats are read by code of our own: of the crates that exist, imago (0.2.6) reads qcow2 but no sparse VMDK, and
//! brings an asynchronous writer along; what reading needs is a table look-up for each format.

mod beside;
mod ewf;
mod laid;
mod qcow2;
mod vhd;
mod vhdx;
mod vhdx_log;
mod vmdk;

use std::io;
use std::sync::Arc;

pub(super) use beside::Beside;

use super::super::source::ReadAt;
use super::ntfs::has_copy;
use super::partition::told_by;
use super::trouble::DiskTrouble;

/// No disk and no volume of Windows is smaller.
const SMALLEST: u64 = 1 << 20;
/// As much of a file tells whether it is an image.
pub(super) const HEAD: usize = 8192;
/// How many images may build on each other.
const DEEPEST: usize = 32;

/// The format of a disk image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ImageForm {
    /// The disk's bytes as they are, or those of one volume; `dd` writes it, and Azure's fixed VHD is one with 512 bytes behind.
    Raw,
    /// Virtual PC's and Hyper-V's older format.
    Vhd,
    /// Hyper-V's format.
    Vhdx,
    /// QEMU's format.
    Qcow2,
    /// VMware's format.
    Vmdk,
    /// EnCase's format (E01).
    Ewf,
}

impl std::fmt::Display for ImageForm {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            ImageForm::Raw => "raw",
            ImageForm::Vhd => "VHD",
            ImageForm::Vhdx => "VHDX",
            ImageForm::Qcow2 => "qcow2",
            ImageForm::Vmdk => "VMDK",
            ImageForm::Ewf => "E01",
        })
    }
}

impl ImageForm {
    /// Tells it from the first bytes; a raw one by its boot sector, where the file is no tiny one.
    pub(in super::super) fn of(head: &[u8], bytes: u64) -> Option<ImageForm> {
        const MAGICS: [(&[u8], ImageForm); 6] = [
            (b"conectix", ImageForm::Vhd),
            (b"vhdxfile", ImageForm::Vhdx),
            (b"QFI\xfb", ImageForm::Qcow2),
            (b"KDMV", ImageForm::Vmdk),
            (b"# Disk DescriptorFile", ImageForm::Vmdk),
            (b"EVF\x09\x0d\x0a\xff\x00", ImageForm::Ewf),
        ];
        const BOOT_SECTOR_END: &[u8] = &[0x55, 0xAA];
        let by_magic = MAGICS.iter().find(|(magic, _)| head.starts_with(magic));
        by_magic.map(|(_, form)| *form).or_else(|| {
            let begins = head.get(510..512) == Some(BOOT_SECTOR_END);
            // Where the first sector is damaged, the table of partitions may not be.
            let has_table = [512, 4096].iter().any(|at| {
                head.get(*at..)
                    .is_some_and(|rest| rest.starts_with(b"EFI PART"))
            });
            // Other file systems than Windows' own need no boot sector; that is said of them.
            let is_disk = begins || has_table || told_by(head).is_some();
            (is_disk && bytes >= SMALLEST).then_some(ImageForm::Raw)
        })
    }

    /// Tells it from the last bytes, where the first are lost: the footer of a VHD, or the copy that NTFS keeps of its boot sector.
    pub(in super::super) fn by_its_end(file: &dyn ReadAt) -> io::Result<Option<ImageForm>> {
        let bytes = file.len();
        if bytes < SMALLEST {
            return Ok(None);
        }
        let mut magic = [0; 8];
        file.read_full_at(bytes - vhd::FOOTER, &mut magic)?;
        Ok(if magic == *b"conectix" {
            Some(ImageForm::Vhd)
        } else {
            has_copy(file, 0, bytes).then_some(ImageForm::Raw)
        })
    }
}

/// The disk in an image.
pub(super) fn open(
    form: ImageForm,
    file: Arc<dyn ReadAt>,
    beside: &Beside,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    open_at_depth(form, file, beside, 0)
}

fn open_at_depth(
    form: ImageForm,
    file: Arc<dyn ReadAt>,
    beside: &Beside,
    depth: usize,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    if depth > DEEPEST {
        return Err(DiskTrouble::TooDeep {
            form,
            most: DEEPEST,
        });
    }
    match form {
        ImageForm::Raw | ImageForm::Vhd => vhd::open(file, beside, depth),
        ImageForm::Vhdx => vhdx::open(file, beside, depth),
        ImageForm::Qcow2 => qcow2::open(file, beside, depth),
        ImageForm::Vmdk => vmdk::open(file, beside, depth),
        ImageForm::Ewf => ewf::open(file, beside),
    }
}

/// Opens a file that an image builds on, whatever its format.
fn open_parent(
    form: ImageForm,
    name: &str,
    beside: &Beside,
    depth: usize,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let missing = || DiskTrouble::PartMissing {
        form,
        name: name.to_owned(),
    };
    let file = beside.open(name).ok_or_else(missing)?;
    let mut head = vec![0; HEAD];
    let filled = file.read_full_at(0, &mut head).map_err(unreadable)?;
    head.truncate(filled);
    let parent = ImageForm::of(&head, file.len()).unwrap_or(ImageForm::Raw);
    open_at_depth(parent, file, beside, depth.saturating_add(1))
}

fn unreadable(error: io::Error) -> DiskTrouble {
    DiskTrouble::Unreadable(error.to_string())
}

/// `len` bytes at `at`, all of them; the length is one that the reader bounds.
fn piece(
    file: &dyn ReadAt,
    form: ImageForm,
    at: u64,
    len: usize,
    what: &'static str,
) -> Result<Vec<u8>, DiskTrouble> {
    let mut bytes = vec![0; len];
    let filled = file.read_full_at(at, &mut bytes).map_err(unreadable)?;
    if filled < len {
        return Err(DiskTrouble::BadImage {
            form,
            flaw: format!(
                "{what} at byte {at} is cut: the file ends at byte {}",
                file.len()
            ),
        });
    }
    Ok(bytes)
}

fn bad(form: ImageForm, flaw: impl Into<String>) -> DiskTrouble {
    DiskTrouble::BadImage {
        form,
        flaw: flaw.into(),
    }
}
