//! Where the bytes of an artifact come from: positioned reads, so that a 10 GB log never has to fit in memory.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;
#[cfg(not(unix))]
use std::sync::Mutex;

/// Bytes that can be read at any position. Reading never changes what is read, and several threads may read at once.
pub trait ReadAt: Send + Sync {
    /// How many bytes there are.
    fn len(&self) -> u64;

    /// Fills as much of `buffer` as there are bytes from `offset` on; returns how many were read, 0 at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// What keeps these bytes from being those that were collected, where that is known: a packed file of which a part only could
    /// be unpacked.
    fn flaw(&self) -> Option<&str> {
        None
    }

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads until `buffer` is full or the bytes end; returns how many were read.
    fn read_full_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_at(offset + filled as u64, &mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// All the bytes, if there are at most `limit`; otherwise an error of kind [`io::ErrorKind::FileTooLarge`].
    fn read_all(&self, limit: u64) -> io::Result<Vec<u8>> {
        if self.len() > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("{} bytes, more than the {limit} that are read", self.len()),
            ));
        }
        let size = usize::try_from(self.len())
            .map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let mut bytes = vec![0; size];
        let filled = self.read_full_at(0, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }
}

impl ReadAt for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset)
            .ok()
            .and_then(|start| self.get(start..))
            .unwrap_or(&[]);
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        Ok(count)
    }
}

/// A part of other bytes.
pub(super) struct PartSource {
    pub(super) whole: Arc<dyn ReadAt>,
    pub(super) start: u64,
    pub(super) len: u64,
}

impl ReadAt for PartSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = rest.min(buffer.len());
        match (self.start.checked_add(offset), buffer.get_mut(..count)) {
            (Some(at), Some(wanted)) if count > 0 => self.whole.read_at(at, wanted),
            _ => Ok(0),
        }
    }

    fn flaw(&self) -> Option<&str> {
        self.whole.flaw()
    }
}

/// The bytes one after the other, for readers that want them so.
pub(super) struct Reader {
    source: Arc<dyn ReadAt>,
    position: u64,
}

impl Reader {
    pub(super) fn new(source: Arc<dyn ReadAt>) -> Self {
        Reader {
            source,
            position: 0,
        }
    }

    /// Goes on from another position.
    pub(super) fn go_to(&mut self, position: u64) {
        self.position = position;
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(self.position, buffer)?;
        self.position = self.position.saturating_add(count as u64);
        Ok(count)
    }
}

impl Seek for Reader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(distance) => self.source.len().checked_add_signed(distance),
            SeekFrom::Current(distance) => self.position.checked_add_signed(distance),
        };
        self.position = position.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.position)
    }
}

/// A regular file, opened for reading only. Its times and modes are never looked at.
#[derive(Debug)]
pub struct FileSource {
    file: Positioned,
    len: u64,
}

impl FileSource {
    /// Opens a regular file.
    ///
    /// # Errors
    /// What the operating system says when the file cannot be opened or its size cannot be told.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let len = file.metadata()?.len();
        Ok(FileSource {
            file: Positioned::new(file),
            len,
        })
    }
}

impl ReadAt for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(offset, buffer)
    }
}

/// `pread` where there is one; elsewhere seek and read under a lock.
#[derive(Debug)]
struct Positioned {
    #[cfg(unix)]
    file: File,
    #[cfg(not(unix))]
    file: Mutex<File>,
}

#[cfg(unix)]
impl Positioned {
    fn new(file: File) -> Self {
        Positioned { file }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        std::os::unix::fs::FileExt::read_at(&self.file, buffer, offset)
    }
}

#[cfg(not(unix))]
impl Positioned {
    fn new(file: File) -> Self {
        Positioned {
            file: Mutex::new(file),
        }
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut file = self
            .file
            .lock()
            .map_err(|_| io::Error::other("another reader of this file panicked"))?;
        file.seek(SeekFrom::Start(offset))?;
        file.read(buffer)
    }
}
