//! Tar, plain or compressed; and single files that are compressed.

use std::cell::RefCell;
use std::io::{self, BufReader, Chain, Cursor, Read};
use std::rc::Rc;

use ::tar::{Archive, Entry, EntryType};
use flate2::bufread::MultiGzDecoder;
use jiff::Timestamp;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

use super::limits::{Limits, SUSPICIOUS};
use super::stream::Behind;
use super::{ArchiveForm, ArchiveTrouble, Member, Place, Unpacking};
use crate::bundle::kind::is_tar;
use crate::bundle::path;
use crate::bundle::source::Reader;

const BLOCK: u64 = 512;

impl Unpacking<'_> {
    /// Files of a tar that is not compressed are read where they lie.
    pub(super) fn tar(&mut self, place: &Place<'_>) -> Result<(), ArchiveTrouble> {
        let source = place.origin.open().map_err(damaged)?;
        let mut archive = Archive::new(Reader::new(source));
        let mut members = Vec::new();
        let outcome = archive
            .entries_with_seek()
            .map_err(damaged)
            .and_then(|entries| {
                for entry in entries {
                    self.taken.entry(&self.access.limits)?;
                    let entry = entry.map_err(damaged)?;
                    if let Some(path) = self.file_of(place, &entry) {
                        let start = entry.raw_file_position();
                        let origin = self.part(place, &path, start, entry.size());
                        let written = written(&entry);
                        members.push(Member {
                            path,
                            origin,
                            written,
                        });
                    }
                }
                Ok(())
            });
        self.add(members);
        outcome
    }

    /// What is compressed as a whole: files of a tar in one pass, or the one file that it is.
    pub(super) fn compressed(
        &mut self,
        place: &Place<'_>,
        form: ArchiveForm,
    ) -> Result<(), ArchiveTrouble> {
        let source = place.origin.open().map_err(damaged)?;
        let packed = BufReader::new(Reader::new(source));
        let stopped = Rc::new(RefCell::new(None));
        let mut unpacked = Metered {
            inner: match form {
                ArchiveForm::Zstandard => Box::new(ZstandardFrames::Between(packed)),
                _ => Box::new(MultiGzDecoder::new(packed)),
            },
            read: 0,
            packed: place.bytes,
            limits: self.access.limits,
            stopped: Rc::clone(&stopped),
        };
        let mut head = Vec::new();
        let outcome = match unpacked.by_ref().take(BLOCK).read_to_end(&mut head) {
            Ok(_) if is_tar(&head) => self.tar_stream(place, Cursor::new(head).chain(unpacked)),
            Ok(_) => self.single(place, form, Cursor::new(head).chain(unpacked)),
            Err(error) => Err(damaged(error)),
        };
        // What stopped the stream is the reason, whatever became of it on the way up.
        match stopped.take() {
            Some(limit) => Err(limit),
            None => outcome,
        }
    }

    fn tar_stream(&mut self, place: &Place<'_>, stream: impl Read) -> Result<(), ArchiveTrouble> {
        let mut archive = Archive::new(stream);
        for entry in archive.entries().map_err(damaged)? {
            self.taken.entry(&self.access.limits)?;
            let mut entry = entry.map_err(damaged)?;
            let Some(path) = self.file_of(place, &entry) else {
                continue;
            };
            let size = entry.size();
            let written = written(&entry);
            if self.take(path, size, written, &mut entry)? == Behind::Lost {
                return Err(ArchiveTrouble::Damaged(
                    "a file in it ends early".to_owned(),
                ));
            }
        }
        Ok(())
    }

    /// A file compressed by itself has no name but that of what it is packed in.
    fn single(
        &mut self,
        place: &Place<'_>,
        form: ArchiveForm,
        stream: impl Read,
    ) -> Result<(), ArchiveTrouble> {
        self.taken.entry(&self.access.limits)?;
        let limit = self.access.limits.memory;
        let mut bytes = Vec::new();
        let read = stream.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        let size = bytes.len() as u64;
        if size > limit {
            return Err(ArchiveTrouble::Memory { bytes: size, limit });
        }
        let own = path::file_name(place.path);
        let ending = match form {
            ArchiveForm::Zstandard => ".zst",
            _ => ".gz",
        };
        let name = own.strip_suffix(ending).unwrap_or(own);
        if let Some(path) = self.path_of(place, name) {
            let declared = size.saturating_add(u64::from(read.is_err()));
            self.take(path, declared, None, &mut bytes.as_slice())?;
        }
        read.map(|_| ()).map_err(damaged)
    }

    /// The path of an entry, if it is a file.
    fn file_of<R: Read>(&mut self, place: &Place<'_>, entry: &Entry<'_, R>) -> Option<String> {
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let refused = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => None,
            EntryType::Symlink | EntryType::Link => Some(ArchiveTrouble::Link),
            EntryType::GNUSparse => Some(ArchiveTrouble::Method("a sparse file".to_owned())),
            _ => return None,
        };
        let path = self.path_of(place, &name)?;
        match refused {
            Some(refused) => {
                self.refuse(&path, refused);
                None
            }
            None => Some(path),
        }
    }
}

/// Seconds since 1970, in UTC; 0 where the archiver left it out.
fn written<R: Read>(entry: &Entry<'_, R>) -> Option<Timestamp> {
    let seconds = entry.header().mtime().ok().filter(|seconds| *seconds > 0)?;
    Timestamp::from_second(i64::try_from(seconds).ok()?).ok()
}

fn damaged(error: io::Error) -> ArchiveTrouble {
    ArchiveTrouble::Damaged(error.to_string())
}

/// Counts what comes out of a compressed stream, and stops it at a limit.
struct Metered<'r> {
    inner: Box<dyn Read + 'r>,
    read: u64,
    packed: u64,
    limits: Limits,
    stopped: Rc<RefCell<Option<ArchiveTrouble>>>,
}

impl Read for Metered<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read = self.read.saturating_add(count as u64);
        let Limits { size, ratio, .. } = self.limits;
        let over = if self.read > size {
            Some(ArchiveTrouble::Size { limit: size })
        } else if self.read > SUSPICIOUS && self.read / ratio.max(1) > self.packed {
            Some(ArchiveTrouble::Ratio { limit: ratio })
        } else {
            None
        };
        match over {
            Some(trouble) => {
                let error = io::Error::other(trouble.to_string());
                *self.stopped.borrow_mut() = Some(trouble);
                Err(error)
            }
            None => Ok(count),
        }
    }
}

/// Zstandard frames one after the other (RFC 8878, 3): several of them make one stream, and some hold nothing to unpack.
enum ZstandardFrames<R: Read> {
    Between(R),
    Within(Box<Frame<R>>),
    Ended,
}

/// A frame, whose first bytes were read to tell what it is.
type Frame<R> = StreamingDecoder<Chain<Cursor<[u8; 4]>, R>, FrameDecoder>;

impl<R: Read> Read for ZstandardFrames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match std::mem::replace(self, ZstandardFrames::Ended) {
                ZstandardFrames::Ended => return Ok(0),
                ZstandardFrames::Between(packed) => *self = next_frame(packed)?,
                ZstandardFrames::Within(mut frame) => {
                    let count = frame.read(buffer)?;
                    if count > 0 || buffer.is_empty() {
                        *self = ZstandardFrames::Within(frame);
                        return Ok(count);
                    }
                    let (_, packed) = frame.into_inner().into_inner();
                    *self = ZstandardFrames::Between(packed);
                }
            }
        }
    }
}

fn next_frame<R: Read>(mut packed: R) -> io::Result<ZstandardFrames<R>> {
    let mut magic = Vec::new();
    packed.by_ref().take(4).read_to_end(&mut magic)?;
    let magic = match <[u8; 4]>::try_from(magic) {
        Ok(magic) => magic,
        Err(rest) if rest.is_empty() => return Ok(ZstandardFrames::Ended),
        Err(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
    };
    if matches!(magic, [0x50..=0x5F, 0x2A, 0x4D, 0x18]) {
        let mut length = [0; 4];
        packed.read_exact(&mut length)?;
        let length = u64::from(u32::from_le_bytes(length));
        io::copy(&mut packed.by_ref().take(length), &mut io::sink())?;
        return Ok(ZstandardFrames::Between(packed));
    }
    let frame = StreamingDecoder::new(Cursor::new(magic).chain(packed))
        .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(ZstandardFrames::Within(Box::new(frame)))
}
