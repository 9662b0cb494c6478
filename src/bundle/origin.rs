//! Where an artifact's bytes are to be found.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::disk::OnVolume;
use super::source::{FileSource, ReadAt};

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
}

impl Origin {
    /// Opens the bytes for reading.
    ///
    /// # Errors
    /// What the operating system says when the file cannot be opened.
    pub fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        match self {
            Origin::File(path) => Ok(Arc::new(FileSource::open(path)?)),
            Origin::Memory(bytes) => Ok(Arc::clone(bytes) as Arc<dyn ReadAt>),
            Origin::Volume(file) => file.open(),
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
        })
    }
}
