//! Zip: what its directory lists; where that is lost, what can be found from the beginning on.

use std::io::{self, BufReader, Read};
use std::sync::Arc;

use ::zip::extra_fields::ExtraField;
use ::zip::read::{Config, OwnedZipFileEntry};
use ::zip::result::ZipError;
use ::zip::unstable::read::{ZipIterable, ZipIterableFiles};
use ::zip::{CompressionMethod, ZipReadOptions};
use jiff::Timestamp;

use super::packed::{Packed, Way, trouble};
use super::{ArchiveTrouble, Member, Place, Unpacking};
use crate::bundle::file_time::file_time;
use crate::bundle::origin::Origin;
use crate::bundle::path;
use crate::bundle::source::{ReadAt, Reader};

const LOCAL_HEADER: &[u8] = b"PK\x03\x04";
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ENCRYPTED: u16 = 1;
const SIZES_FOLLOW: u16 = 1 << 3;
/// How far behind a file the next one is searched: its descriptor takes 24 bytes at most.
const DESCRIPTOR: usize = 24;

impl Unpacking<'_> {
    pub(super) fn zip(&mut self, place: &Place<'_>) -> Result<(), ArchiveTrouble> {
        let damaged = |error: io::Error| ArchiveTrouble::Damaged(error.to_string());
        let source = place.origin.open().map_err(damaged)?;
        let mut archive = match ZipIterable::try_new(Reader::new(source), Config::default()) {
            Ok(archive) => archive,
            Err(ZipError::UnsupportedArchive(why)) => {
                return Err(ArchiveTrouble::Method(why.to_owned()));
            }
            Err(_) => return self.zip_without_directory(place),
        };
        let mut members = Vec::new();
        let outcome = match archive.files() {
            Ok(files) => self.directory(place, files, &mut members),
            Err(error) => Err(ArchiveTrouble::Damaged(error.to_string())),
        };
        self.add(members);
        outcome
    }

    fn directory(
        &mut self,
        place: &Place<'_>,
        files: &mut ZipIterableFiles<Reader>,
        members: &mut Vec<Member>,
    ) -> Result<(), ArchiveTrouble> {
        while let Some(next) = files.next() {
            self.taken.entry(&self.access.limits)?;
            let entry = next.map_err(|error| ArchiveTrouble::Damaged(error.to_string()))?;
            if entry.is_dir() {
                continue;
            }
            let name = match entry.name() {
                Ok(name) => name.into_owned(),
                Err(_) => String::from_utf8_lossy(entry.name_raw()).into_owned(),
            };
            let Some(path) = self.path_of(place, &name) else {
                continue;
            };
            let is_stored = entry.compression() == CompressionMethod::Stored && !entry.encrypted();
            let refused = if entry.is_symlink() {
                Some(ArchiveTrouble::Link)
            } else if entry.encrypted() && self.access.password.is_none() {
                Some(ArchiveTrouble::PasswordNeeded)
            } else if is_stored {
                None
            } else {
                self.may_unpack(entry.size(), entry.compressed_size()).err()
            };
            if let Some(refused) = refused {
                self.refuse(&path, refused);
                continue;
            }
            let encrypted = entry.encrypted();
            let entry = OwnedZipFileEntry::from(entry);
            let written = (may_be_a_key_file(&path) && !encrypted)
                .then(|| {
                    let reader = files.reader_mut();
                    let opened = entry.as_ref().with_reader(reader, ZipReadOptions::new());
                    opened.ok()?.extra_data_fields().find_map(written)
                })
                .flatten();
            let size = entry.size();
            if !is_stored {
                let way = Way::Entry {
                    entry,
                    password: self.access.password.clone(),
                };
                let packed = Packed::new(place.origin.clone(), way, size);
                let origin = Origin::Packed(Arc::new(packed));
                members.push(Member {
                    path,
                    origin,
                    written,
                });
                continue;
            }
            let opened = entry
                .as_ref()
                .with_reader(files.reader_mut(), ZipReadOptions::new());
            match opened.map(|file| file.data_start()) {
                Ok(Some(start)) => {
                    let origin = self.part(place, &path, start, size);
                    members.push(Member {
                        path,
                        origin,
                        written,
                    });
                }
                Ok(None) => self.refuse(&path, ArchiveTrouble::Member("it has no place".into())),
                Err(error) => self.refuse(&path, trouble(&error)),
            }
        }
        Ok(())
    }

    /// Whether a compressed file may be unpacked into memory.
    fn may_unpack(&mut self, size: u64, packed: u64) -> Result<(), ArchiveTrouble> {
        let limits = &self.access.limits;
        if size > limits.memory {
            return Err(ArchiveTrouble::Memory {
                bytes: size,
                limit: limits.memory,
            });
        }
        self.taken.unpacked(size, packed, limits)
    }

    /// A stored file, where it lies in the archive.
    pub(super) fn part(&mut self, place: &Place<'_>, path: &str, start: u64, size: u64) -> Origin {
        let there = place.bytes.saturating_sub(start).min(size);
        if there < size {
            let cut = ArchiveTrouble::Part {
                read: there,
                bytes: size,
                why: "the archive ends there".to_owned(),
            };
            self.refuse(path, cut);
        }
        Origin::Part {
            whole: Arc::new(place.origin.clone()),
            start,
            bytes: there,
        }
    }

    /// A zip that is cut off has lost its directory, but before each file stands its name (APPNOTE.TXT, 4.3.7).
    fn zip_without_directory(&mut self, place: &Place<'_>) -> Result<(), ArchiveTrouble> {
        let damaged = |error: io::Error| ArchiveTrouble::Damaged(error.to_string());
        let source = place.origin.open().map_err(damaged)?;
        let mut members = Vec::new();
        let mut at = 0;
        let mut outcome = Ok(());
        while let Some(header) = LocalHeader::read(source.as_ref(), at).map_err(damaged)? {
            outcome = self.taken.entry(&self.access.limits);
            if outcome.is_err() {
                break;
            }
            let extent = match header.extent(&source, self.access.limits.memory) {
                Ok(extent) => extent,
                Err(why) => {
                    self.refuse(&format!("{}/{}", place.path, header.name), why);
                    break;
                }
            };
            at = header
                .next(source.as_ref(), extent.packed)
                .map_err(damaged)?;
            if header.name.ends_with(['/', '\\']) {
                continue;
            }
            let Some(path) = self.path_of(place, &header.name) else {
                continue;
            };
            if header.flags & ENCRYPTED != 0 {
                self.refuse(&path, ArchiveTrouble::Method("encrypted".to_owned()));
                continue;
            }
            let origin = match header.method {
                STORED => self.part(place, &path, header.data, extent.size),
                DEFLATED => {
                    if let Err(refused) = self.may_unpack(extent.size, extent.packed) {
                        self.refuse(&path, refused);
                        continue;
                    }
                    let way = Way::Deflated { start: header.data };
                    Origin::Packed(Arc::new(Packed::new(
                        place.origin.clone(),
                        way,
                        extent.size,
                    )))
                }
                other => {
                    self.refuse(&path, ArchiveTrouble::Method(format!("zip method {other}")));
                    continue;
                }
            };
            members.push(Member {
                path,
                origin,
                written: None,
            });
        }
        self.add(members);
        outcome.and(Err(ArchiveTrouble::Damaged(
            "its directory, which stands at the end, is missing".to_owned(),
        )))
    }
}

/// Whether it is called as key files are: 32 digits, an underscore, a GUID. Only of these is the time of use, and it takes a look
/// into the archive for each.
fn may_be_a_key_file(path: &str) -> bool {
    path::file_name(path).find('_') == Some(32)
}

/// The time of a zip entry that is in UTC: in the extra fields of Info-ZIP and of NTFS (APPNOTE.TXT, 4.5.5). The entry's own time is
/// local to whoever packed it, and nothing says where that was.
fn written(field: &ExtraField) -> Option<Timestamp> {
    match field {
        ExtraField::ExtendedTimestamp(times) => {
            Timestamp::from_second(i64::from(times.mod_time()?)).ok()
        }
        ExtraField::Ntfs(times) => file_time(times.mtime()),
        _ => None,
    }
}

/// What stands before a file in a zip.
struct LocalHeader {
    flags: u16,
    method: u16,
    packed: u64,
    size: u64,
    name: String,
    /// Where the file's data begin.
    data: u64,
}

/// How long a file is.
struct Extent {
    packed: u64,
    size: u64,
}

impl LocalHeader {
    /// The header at this offset; none where there is none.
    fn read(source: &dyn ReadAt, at: u64) -> io::Result<Option<Self>> {
        let mut fixed = [0; 30];
        let filled = source.read_full_at(at, &mut fixed)?;
        if filled < fixed.len() || !fixed.starts_with(LOCAL_HEADER) {
            return Ok(None);
        }
        let word = |at: usize| {
            let bytes = fixed.get(at..).and_then(|rest| rest.first_chunk());
            u16::from_le_bytes(bytes.copied().unwrap_or_default())
        };
        let long = |at: usize| u64::from(word(at)) | u64::from(word(at + 2)) << 16;
        let (name_bytes, extra_bytes) = (usize::from(word(26)), usize::from(word(28)));
        let mut variable = vec![0; name_bytes + extra_bytes];
        let filled = source.read_full_at(at + 30, &mut variable)?;
        if filled < variable.len() {
            return Ok(None);
        }
        let (name, extra) = variable.split_at(name_bytes);
        let (mut packed, mut size) = (long(18), long(22));
        if size == u64::from(u32::MAX)
            && let Some([long_size, long_packed]) = zip64(extra)
        {
            (packed, size) = (long_packed, long_size);
        }
        Ok(Some(LocalHeader {
            flags: word(6),
            method: word(8),
            packed,
            size,
            name: String::from_utf8_lossy(name).into_owned(),
            data: at + 30 + variable.len() as u64,
        }))
    }

    /// How long the file is; where its sizes stand behind it, it has to be unpacked to find its end.
    fn extent(&self, source: &Arc<dyn ReadAt>, limit: u64) -> Result<Extent, ArchiveTrouble> {
        if self.flags & SIZES_FOLLOW == 0 {
            return Ok(Extent {
                packed: self.packed,
                size: self.size,
            });
        }
        if self.method != DEFLATED || self.flags & ENCRYPTED != 0 {
            let why = "its size stands behind it, and it is not deflated";
            return Err(ArchiveTrouble::Method(why.to_owned()));
        }
        let mut reader = Reader::new(Arc::clone(source));
        reader.go_to(self.data);
        let mut decoder = flate2::bufread::DeflateDecoder::new(BufReader::new(reader));
        let mut sink = Counting(0);
        // Cut off, it is as long as it goes.
        let _ = io::copy(&mut (&mut decoder).take(limit.saturating_add(1)), &mut sink);
        if sink.0 > limit {
            let bytes = sink.0;
            return Err(ArchiveTrouble::Memory { bytes, limit });
        }
        Ok(Extent {
            packed: decoder.total_in(),
            size: sink.0,
        })
    }

    /// Where the next header stands.
    fn next(&self, source: &dyn ReadAt, packed: u64) -> io::Result<u64> {
        let end = self.data.saturating_add(packed);
        if self.flags & SIZES_FOLLOW == 0 {
            return Ok(end);
        }
        let mut behind = [0; DESCRIPTOR + LOCAL_HEADER.len()];
        let filled = source.read_full_at(end, &mut behind)?;
        let found = behind
            .get(..filled)
            .unwrap_or_default()
            .windows(LOCAL_HEADER.len())
            .position(|window| window == LOCAL_HEADER);
        Ok(found.map_or(u64::MAX, |skip| end.saturating_add(skip as u64)))
    }
}

/// The sizes of a zip64 (APPNOTE.TXT, 4.5.3): unpacked, packed.
fn zip64(mut extra: &[u8]) -> Option<[u64; 2]> {
    while let Some((header, rest)) = extra.split_first_chunk::<4>() {
        let [id_low, id_high, low, high] = *header;
        let length = usize::from(u16::from_le_bytes([low, high]));
        let field = rest.get(..length)?;
        if [id_low, id_high] == [1, 0] {
            let (size, rest) = field.split_first_chunk::<8>()?;
            let packed = rest.first_chunk::<8>()?;
            return Some([u64::from_le_bytes(*size), u64::from_le_bytes(*packed)]);
        }
        extra = rest.get(length..)?;
    }
    None
}

/// Counts what is written and keeps nothing.
struct Counting(u64);

impl io::Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 = self.0.saturating_add(bytes.len() as u64);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
