//! Where an artifact's bytes are to be found.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::archive::Packed;
use super::disk::OnVolume;
use super::source::{FileSource, PartSource, ReadAt};

/// Where an artifact's bytes are to be found. They are opened when they are read and not before, since a collection may
/// hold more files than a process may keep open.
#[derive(Clone)]
pub enum Origin {
    /// A file.
    File(PathBuf),
    /// Bytes in memory.
    Memory(Arc<Vec<u8>>),
    /// A file on a volume of a disk image.
    Volume(Arc<OnVolume>),
    /// A part of something else: what an archive stores as it is.
    Part {
        /// What it is a part of.
        whole: Arc<Origin>,
        /// Where it begins.
        start: u64,
        /// How long it is.
        bytes: u64,
    },
    /// Compressed in a zip.
    Packed(Arc<Packed>),
    /// It passed when an archive was unpacked, and was let go of since nothing in it is used.
    Passed,
}

impl Origin {
    /// Opens the bytes for reading.
    ///
    /// # Errors
    /// What the operating system says when the file cannot be opened, or the reader of archives when nothing can be unpacked.
    pub fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        match self {
            Origin::File(path) => Ok(Arc::new(FileSource::open(path)?)),
            Origin::Memory(bytes) => Ok(Arc::clone(bytes) as Arc<dyn ReadAt>),
            Origin::Volume(file) => file.open(),
            Origin::Part {
                whole,
                start,
                bytes,
            } => Ok(Arc::new(PartSource {
                whole: whole.open()?,
                start: *start,
                len: *bytes,
            })),
            Origin::Packed(packed) => packed.open(),
            Origin::Passed => Err(io::Error::other("it was not kept when it was unpacked")),
        }
    }

    /// When a file of a disk image was last written.
    pub(super) fn written(&self) -> Option<Timestamp> {
        match self {
            Origin::Volume(file) => file.written(),
            _ => None,
        }
    }

    /// Opens the bytes to tell what they are: of what is packed, no more is unpacked than is looked at.
    pub(super) fn look(&self) -> io::Result<Arc<dyn ReadAt>> {
        match self {
            Origin::Packed(packed) => packed.look(),
            Origin::File(_)
            | Origin::Memory(_)
            | Origin::Part { .. }
            | Origin::Volume(_)
            | Origin::Passed => self.open(),
        }
    }
}

/// Says nothing of paths: what is printed of an artifact must not depend on where the collection lies.
impl std::fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Origin::File(_) => "File",
            Origin::Memory(_) => "Memory",
            Origin::Volume(_) => "Volume",
            Origin::Part { .. } => "Part",
            Origin::Packed(_) => "Packed",
            Origin::Passed => "Passed",
        })
    }
}
