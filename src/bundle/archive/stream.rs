//! What comes out of an archive that can only be read from its beginning: told what it is as it passes, kept where it is
//! evidence, hashed and let go of where it is not.

use std::io::{self, Read};

use jiff::Timestamp;

use super::{ArchiveTrouble, Unpacking, unreadable};
use crate::bundle::artifact::Artifact;
use crate::bundle::error::Problem;
use crate::bundle::hash::sha256_of_stream;
use crate::bundle::kind::{self, Kind};
use crate::bundle::origin::Origin;
use crate::bundle::path;
use crate::bundle::source::ReadAt;

/// How much of a file is held while it is told what it is: as far as a log without its header is searched for.
const HEAD: u64 = 4 << 20;

/// The beginning of a file, and how long it is.
struct Beginning {
    bytes: Vec<u8>,
    len: u64,
}

impl ReadAt for Beginning {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.bytes.read_at(offset, buffer)
    }
}

/// Whether the archive can be read on behind a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Behind {
    /// It can.
    Readable,
    /// The file could not be read to its end, and so what follows cannot either.
    Lost,
}

impl Unpacking<'_> {
    /// Takes a file of `size` bytes in as it passes.
    pub(super) fn take(
        &mut self,
        path: String,
        size: u64,
        written: Option<Timestamp>,
        reader: &mut dyn Read,
    ) -> Result<Behind, ArchiveTrouble> {
        let mut bytes = Vec::new();
        let read = reader.take(HEAD.min(size)).read_to_end(&mut bytes);
        let beginning = Beginning { bytes, len: size };
        let kind = match kind::sniff(&beginning, path::file_name(&path)) {
            Ok(kind) => kind,
            Err(error) => {
                self.problems.push(Problem::of(&path, unreadable(&error)));
                return Ok(Behind::Lost);
            }
        };
        let mut bytes = beginning.bytes;
        let mut artifact = Artifact {
            path,
            kind,
            bytes: size,
            sha256: None,
            origin: Origin::Passed,
            written,
        };
        if matches!(artifact.kind, Kind::NotUsed(_)) && read.is_ok() {
            let hashed = sha256_of_stream(&bytes, reader);
            let rest = match hashed {
                Ok((digest, read)) if read == size => {
                    artifact.sha256 = Some(digest);
                    Behind::Readable
                }
                Ok(_) | Err(_) => Behind::Lost,
            };
            self.keep(artifact);
            return Ok(rest);
        }
        self.taken.hold(size, &self.access.limits)?;
        let read = read.and_then(|_| reader.read_to_end(&mut bytes));
        let there = bytes.len() as u64;
        let why = match read {
            Err(error) => Some(error.to_string()),
            Ok(_) if there < size => Some("it ends early".to_owned()),
            Ok(_) => None,
        };
        let behind = match there < size {
            true => Behind::Lost,
            false => Behind::Readable,
        };
        if let Some(why) = why {
            let part = ArchiveTrouble::Part {
                read: there,
                bytes: size,
                why,
            };
            self.refuse(&artifact.path, part);
            if !artifact.kind.survives_damage() {
                return Ok(behind);
            }
        }
        bytes.shrink_to_fit();
        artifact.origin = Origin::Memory(bytes.into());
        self.keep(artifact);
        Ok(behind)
    }
}
