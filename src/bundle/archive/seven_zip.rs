//! 7z: block by block, since the files of a block can only be unpacked in their order.

use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, Error};

use super::stream::Behind;
use super::{ArchiveTrouble, Place, Unpacking};
use crate::bundle::file_time::file_time;
use crate::bundle::source::Reader;

/// A reparse point; and, where the high half holds a Unix mode, a symbolic link.
const REPARSE_POINT: u32 = 0x400;
const UNIX_MODE: u32 = 0x8000;
const LINK: u32 = 0o120_000;
const FILE_TYPE: u32 = 0o170_000;

impl Unpacking<'_> {
    pub(super) fn seven_zip(&mut self, place: &Place<'_>) -> Result<(), ArchiveTrouble> {
        let source = place
            .origin
            .open()
            .map_err(|error| ArchiveTrouble::Damaged(error.to_string()))?;
        let mut reader = Reader::new(source);
        let given = self.access.password.as_ref();
        let password = given.map_or_else(sevenz_rust2::Password::empty, |password| {
            password.text().into()
        });
        let is_given = given.is_some();
        let archive =
            Archive::read(&mut reader, &password).map_err(|error| trouble(&error, is_given))?;
        let mut first_trouble = None;
        for block in 0..archive.blocks.len() {
            let mut stopped = None;
            let decoder = BlockDecoder::new(1, block, &archive, &password, &mut reader);
            let read = decoder.for_each_entries(&mut |entry, content| {
                Ok(match self.file(place, entry, content) {
                    Ok(Behind::Readable) => true,
                    Ok(Behind::Lost) => {
                        let cut = "a file in it ends early".to_owned();
                        stopped = Some(ArchiveTrouble::Damaged(cut));
                        false
                    }
                    Err(trouble) => {
                        stopped = Some(trouble);
                        false
                    }
                })
            });
            let failed = stopped.or_else(|| read.err().map(|error| trouble(&error, is_given)));
            match failed {
                // Another block may be whole; a limit that is reached stays reached.
                Some(damaged @ ArchiveTrouble::Damaged(_)) => {
                    first_trouble.get_or_insert(damaged);
                }
                Some(limit) => return Err(limit),
                None => {}
            }
        }
        let has_data = |entry: &&ArchiveEntry| entry.has_stream() && entry.size() > 0;
        for entry in archive.files.iter().filter(|entry| !has_data(entry)) {
            let in_block = archive.blocks.is_empty() || !entry.has_stream();
            if in_block && !entry.is_directory() && !entry.is_anti_item() {
                self.file(place, entry, &mut std::io::empty())?;
            }
        }
        first_trouble.map_or(Ok(()), Err)
    }

    fn file(
        &mut self,
        place: &Place<'_>,
        entry: &ArchiveEntry,
        content: &mut dyn std::io::Read,
    ) -> Result<Behind, ArchiveTrouble> {
        self.taken.entry(&self.access.limits)?;
        if entry.is_directory() {
            return Ok(Behind::Readable);
        }
        let Some(path) = self.path_of(place, entry.name()) else {
            return Ok(Behind::Readable);
        };
        if is_link(entry.windows_attributes()) {
            self.refuse(&path, ArchiveTrouble::Link);
            return Ok(Behind::Readable);
        }
        let size = entry.size();
        let limits = &self.access.limits;
        if let Err(refused) = self.taken.unpacked(size, place.bytes, limits) {
            self.refuse(&path, refused.clone());
            return Err(refused);
        }
        let written = entry
            .has_last_modified_date
            .then(|| file_time(entry.last_modified_date().into()))
            .flatten();
        self.take(path, size, written, content)
    }
}

fn is_link(attributes: u32) -> bool {
    let has_mode = attributes & UNIX_MODE != 0;
    attributes & REPARSE_POINT != 0 || has_mode && (attributes >> 16) & FILE_TYPE == LINK
}

fn trouble(error: &Error, is_given: bool) -> ArchiveTrouble {
    match error {
        Error::PasswordRequired => ArchiveTrouble::PasswordNeeded,
        Error::MaybeBadPassword(_) if is_given => ArchiveTrouble::WrongPassword,
        Error::UnsupportedCompressionMethod(method) => ArchiveTrouble::Method(method.clone()),
        Error::Unsupported(what) => ArchiveTrouble::Method(what.to_string()),
        Error::ExternalUnsupported => ArchiveTrouble::Method("an external table".to_owned()),
        other => ArchiveTrouble::Damaged(format!(
            "its table stands at the end: without that nothing in it can be told; {other}"
        )),
    }
}
