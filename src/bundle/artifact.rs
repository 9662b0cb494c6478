//! One file of the collection.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::error::{Problem, Trouble};
use super::hash::Sha256Digest;
use super::kind::{Kind, NotUsed, promised_by_name};
use super::origin::Origin;
use super::path;
use super::source::ReadAt;

/// One file of the collection.
#[derive(Debug, Clone)]
pub struct Artifact {
    /// Its path relative to the input, with `/` between folders; where there are several inputs, with as much of their
    /// own paths before it as tells them apart. No two artifacts share one.
    pub path: String,
    /// What it is, by content.
    pub kind: Kind,
    /// Its size.
    pub bytes: u64,
    /// Its SHA-256, once [`super::Bundle::hash`] has computed it.
    pub sha256: Option<Sha256Digest>,
    /// Where its bytes are.
    pub origin: Origin,
    /// When it was last written, where the collection itself carries that: the entry of an archive, the record of a disk's own file
    /// system. Never the time of a file that lies on the disk that the input lies on.
    pub written: Option<Timestamp>,
}

impl Artifact {
    /// Opens its bytes for reading. Where only a part of it could be unpacked, that part is given of a log or a hive, and nothing
    /// of what does not show that a part is missing.
    ///
    /// # Errors
    /// What the operating system says when the file cannot be opened, or the reader of archives when it cannot be unpacked.
    pub fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        let source = self.origin.open()?;
        match source.flaw() {
            Some(flaw) if !self.kind.survives_damage() => Err(io::Error::other(flaw.to_owned())),
            _ => Ok(source),
        }
    }

    /// Its security descriptor as it stands on the machine, in binary, where the file was read from the machine's own disk; or
    /// why that cannot be read. A copy has none: its permissions are its copier's.
    #[must_use]
    pub fn permissions(&self) -> Option<Result<Vec<u8>, String>> {
        match &self.origin {
            Origin::Volume(file) => file.permissions(),
            _ => None,
        }
    }

    /// How much of it is read at the most: of a disk image nothing by itself, since what matters of it is read file by file.
    #[must_use]
    pub fn bytes_to_read(&self) -> u64 {
        match self.kind {
            Kind::DiskImage(_) => 0,
            _ => self.bytes,
        }
    }

    /// Its own name, without folders.
    #[must_use]
    pub fn name(&self) -> &str {
        path::file_name(&self.path)
    }

    /// What people will miss: a file whose name promises evidence and whose content is none.
    pub(super) fn disappointment(&self) -> Option<Problem> {
        let promised = promised_by_name(self.name())?;
        let trouble = match self.kind.not_used()? {
            NotUsed::EarlierWindows | NotUsed::HiveBackup => return None,
            NotUsed::Empty => Trouble::Empty(promised),
            reason => Trouble::NotWhatItsNameSays {
                promised,
                found: reason.clone(),
            },
        };
        Some(Problem::of(&self.path, trouble))
    }
}
