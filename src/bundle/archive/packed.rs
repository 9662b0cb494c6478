//! A compressed file of a zip: unpacked into memory when it is read, and let go of when nobody reads it any more.

use std::io::{self, BufReader, Read};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use ::zip::ZipReadOptions;
use ::zip::read::OwnedZipFileEntry;
use ::zip::result::ZipError;

use super::{ArchiveTrouble, Password};
use crate::bundle::origin::Origin;
use crate::bundle::source::{ReadAt, Reader};

/// How much of a file is unpacked to tell what it is.
const HEAD: usize = 256 << 10;
const BUFFER: usize = 64 << 10;

/// A compressed file of a zip.
pub struct Packed {
    archive: Origin,
    way: Way,
    size: u64,
    /// What is being read just now, so that several readers at once share it.
    read: Mutex<Weak<Unpacked>>,
}

/// How it is packed.
pub(super) enum Way {
    /// As the archive's directory says.
    Entry {
        entry: OwnedZipFileEntry,
        password: Option<Password>,
    },
    /// Deflated at this offset of the archive, whose directory is lost.
    Deflated { start: u64 },
}

/// What came out, with what went wrong.
struct Unpacked {
    bytes: Vec<u8>,
    flaw: Option<String>,
}

/// The beginning of a packed file; the rest is unpacked if it is asked for.
struct Head {
    packed: Arc<Packed>,
    bytes: Vec<u8>,
    whole: OnceLock<Result<Arc<dyn ReadAt>, String>>,
}

impl Packed {
    pub(super) fn new(archive: Origin, way: Way, size: u64) -> Self {
        Packed {
            archive,
            way,
            size,
            read: Mutex::new(Weak::new()),
        }
    }

    /// All of it, or what can be unpacked of it.
    pub(crate) fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        let mut shared = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(unpacked) = shared.upgrade() {
            return Ok(unpacked);
        }
        let unpacked = Arc::new(self.unpack()?);
        *shared = Arc::downgrade(&unpacked);
        Ok(unpacked)
    }

    /// Enough of it to tell what it is.
    pub(crate) fn look(self: &Arc<Self>) -> io::Result<Arc<dyn ReadAt>> {
        let mut bytes = Vec::new();
        let outcome = self.read_with(|reader| reader.take(HEAD as u64).read_to_end(&mut bytes))?;
        if bytes.is_empty() {
            outcome?;
        }
        Ok(Arc::new(Head {
            packed: Arc::clone(self),
            bytes,
            whole: OnceLock::new(),
        }))
    }

    fn unpack(&self) -> io::Result<Unpacked> {
        let capacity =
            usize::try_from(self.size).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
        let mut bytes = Vec::new();
        bytes
            .try_reserve_exact(capacity)
            .map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory))?;
        // One byte more than there should be tells that there is more.
        let limit = self.size.saturating_add(1);
        let outcome = self.read_with(|reader| reader.take(limit).read_to_end(&mut bytes))?;
        let read = bytes.len() as u64;
        let why = match outcome {
            Err(error) => Some(error.to_string()),
            Ok(_) if read > self.size => Some("there is more than the archive says".to_owned()),
            Ok(_) if read < self.size => Some("it ends early".to_owned()),
            Ok(_) => None,
        };
        bytes.truncate(capacity);
        let flaw = why.map(|why| {
            let bytes = self.size;
            ArchiveTrouble::Part { read, bytes, why }.to_string()
        });
        Ok(Unpacked { bytes, flaw })
    }

    /// Reads what comes out; the outer error is that nothing can.
    fn read_with(
        &self,
        read: impl FnOnce(&mut dyn Read) -> io::Result<usize>,
    ) -> io::Result<io::Result<usize>> {
        let mut archive = BufReader::with_capacity(BUFFER, Reader::new(self.archive.open()?));
        match &self.way {
            Way::Entry { entry, password } => {
                let password = password.as_ref().map(|password| password.text().as_bytes());
                let asked = password.filter(|_| entry.encrypted());
                let options = ZipReadOptions::new().password(asked);
                let mut file = entry
                    .as_ref()
                    .with_reader(&mut archive, options)
                    .map_err(|error| io::Error::other(trouble(&error)))?;
                Ok(read(&mut file))
            }
            Way::Deflated { start } => {
                archive.get_mut().go_to(*start);
                Ok(read(&mut flate2::bufread::DeflateDecoder::new(archive)))
            }
        }
    }
}

/// What the reader of zips says, in our words.
pub(super) fn trouble(error: &ZipError) -> ArchiveTrouble {
    match error {
        ZipError::InvalidPassword => ArchiveTrouble::WrongPassword,
        ZipError::UnsupportedArchive(why) if *why == ZipError::PASSWORD_REQUIRED => {
            ArchiveTrouble::PasswordNeeded
        }
        ZipError::UnsupportedArchive(why) => ArchiveTrouble::Method((*why).to_owned()),
        ZipError::CompressionMethodNotSupported(method) => {
            ArchiveTrouble::Method(format!("zip method {method}"))
        }
        other => ArchiveTrouble::Member(other.to_string()),
    }
}

impl ReadAt for Unpacked {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read_at(offset, buffer)
    }

    fn flaw(&self) -> Option<&str> {
        self.flaw.as_deref()
    }
}

impl ReadAt for Head {
    fn len(&self) -> u64 {
        self.packed.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let known = self.bytes.len() as u64;
        if offset < known || known >= self.len() {
            return self.bytes.read_at(offset, buffer);
        }
        let whole = self
            .whole
            .get_or_init(|| self.packed.open().map_err(|error| error.to_string()));
        match whole {
            Ok(whole) => whole.read_at(offset, buffer),
            Err(why) => Err(io::Error::other(why.clone())),
        }
    }
}
