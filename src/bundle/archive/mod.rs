//! Archives, read in place: what lies in them becomes artifacts like any other, and nothing is ever written to a disk.
//!
//! What is stored in a zip or a tar is read where it lies. What is compressed is unpacked into memory: from a zip when it is read,
//! and let go of afterwards; from a 7z or a compressed tar, which have to be read from their beginning, in one pass that keeps what
//! is evidence. [`Limits`] bound all of it. Names are only names here: one that leads out of its folder leads nowhere.

mod limits;
pub(super) mod name;
mod packed;
mod seven_zip;
mod stream;
mod tar;
mod trouble;
mod zip;

use std::collections::BTreeSet;
use std::io;
use std::panic::AssertUnwindSafe;

use jiff::Timestamp;
use rayon::prelude::*;

pub use limits::{Access, LimitName, Limits, Password};
pub(super) use packed::Packed;
pub use trouble::ArchiveTrouble;

use super::artifact::Artifact;
use super::aside;
use super::error::{Problem, Trouble};
use super::kind::{self, Kind};
use super::origin::Origin;
use super::path;
use crate::contain::contain;
use limits::Taken;

/// What kind of archive a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveForm {
    /// PKWARE's, as portals and Explorer write it.
    Zip,
    /// 7-Zip's own.
    SevenZip,
    /// A tar that is not compressed.
    Tar,
    /// A tar, or a single file, compressed with gzip.
    Gzip,
    /// A tar, or a single file, compressed with Zstandard.
    Zstandard,
}

/// How many members that are refused are named one by one, in each archive.
const NAMED: usize = 100;

/// What lies in one archive and in the archives in it.
pub(super) struct Unpacking<'a> {
    access: &'a Access,
    /// The path of the archive that all of it lies in.
    outermost: String,
    taken: Taken,
    names: BTreeSet<String>,
    pub(super) artifacts: Vec<Artifact>,
    pub(super) problems: Vec<Problem>,
}

/// A member that can be read by itself, before its kind is known.
struct Member {
    path: String,
    origin: Origin,
    /// When it was last written, as its entry has it.
    written: Option<Timestamp>,
}

/// The archive that is being read.
struct Place<'p> {
    /// Its path.
    path: &'p str,
    /// Its bytes.
    origin: &'p Origin,
    /// Its size.
    bytes: u64,
}

/// Everything in an archive, at any depth that is allowed.
pub(super) fn unpack<'a>(
    archive: &Artifact,
    form: ArchiveForm,
    access: &'a Access,
) -> Unpacking<'a> {
    let mut unpacking = Unpacking {
        access,
        outermost: archive.path.clone(),
        taken: Taken::default(),
        names: BTreeSet::new(),
        artifacts: Vec::new(),
        problems: Vec::new(),
    };
    unpacking.archive(archive, form, 1);
    unpacking
}

impl Unpacking<'_> {
    fn archive(&mut self, archive: &Artifact, form: ArchiveForm, depth: u64) {
        if depth > self.access.limits.depth {
            let limit = self.access.limits.depth;
            self.refuse(&archive.path, ArchiveTrouble::Depth { limit });
            return;
        }
        let before = self.artifacts.len();
        let origin = match self.seekable(archive) {
            Ok(origin) => origin,
            Err(trouble) => return self.refuse(&archive.path, trouble),
        };
        let refused_before = self.problems.len();
        let place = Place {
            path: &archive.path,
            origin: &origin,
            bytes: archive.bytes,
        };
        let read = contain(AssertUnwindSafe(|| match form {
            ArchiveForm::Zip => self.zip(&place),
            ArchiveForm::SevenZip => self.seven_zip(&place),
            ArchiveForm::Tar => self.tar(&place),
            ArchiveForm::Gzip | ArchiveForm::Zstandard => self.compressed(&place, form),
        }));
        match read {
            Ok(Ok(())) => {}
            Ok(Err(trouble)) => self.refuse(&archive.path, trouble),
            Err(panicked) => {
                self.refuse(&archive.path, ArchiveTrouble::Damaged(panicked.to_string()));
            }
        }
        self.count_refusals(&archive.path, refused_before);
        let nested: Vec<(Artifact, ArchiveForm)> = self
            .artifacts
            .get(before..)
            .unwrap_or_default()
            .iter()
            .filter_map(|artifact| match artifact.kind {
                Kind::Archive(form) => Some((artifact.clone(), form)),
                _ => None,
            })
            .collect();
        for (artifact, form) in nested {
            self.archive(&artifact, form, depth + 1);
        }
    }

    /// Where the archive's bytes can be read at any position: a compressed archive in an archive is unpacked once, not once for
    /// each of its members.
    fn seekable(&mut self, archive: &Artifact) -> Result<Origin, ArchiveTrouble> {
        match &archive.origin {
            Origin::Packed(_) => {
                self.taken.hold(archive.bytes, &self.access.limits)?;
                let damaged = |error: io::Error| ArchiveTrouble::Damaged(error.to_string());
                let source = archive.origin.open().map_err(damaged)?;
                let bytes = source
                    .read_all(self.access.limits.memory)
                    .map_err(damaged)?;
                Ok(Origin::Memory(bytes.into()))
            }
            readable => Ok(readable.clone()),
        }
    }

    /// The path of a member: unique, whatever it is called. None where it has no name.
    fn path_of(&mut self, archive: &Place<'_>, name: &str) -> Option<String> {
        let read = name::read(name);
        if read.parts.is_empty() {
            return None;
        }
        let path = format!("{}/{}", archive.path, read.parts.join("/"));
        if read.leads_outside {
            self.refuse(&path, ArchiveTrouble::LeadsOutside);
        }
        if self.names.insert(path.clone()) {
            return Some(path);
        }
        self.refuse(&path, ArchiveTrouble::SameName);
        let mut again = (2..NAMED).map(|number| format!("{path} ({number})"));
        again.find(|path| self.names.insert(path.clone()))
    }

    /// Tells what each member is, several at once.
    fn add(&mut self, members: Vec<Member>) {
        let looked: Vec<Result<Artifact, Problem>> =
            members.into_par_iter().map(Member::look).collect();
        for outcome in looked {
            match outcome {
                Ok(artifact) => self.keep(artifact),
                Err(problem) => self.problems.push(problem),
            }
        }
    }

    fn keep(&mut self, mut artifact: Artifact) {
        let below = artifact.path.strip_prefix(&self.outermost);
        let below = below.unwrap_or_default().to_owned();
        aside::set_aside(&mut artifact, &below);
        self.problems.extend(artifact.disappointment());
        self.artifacts.push(artifact);
    }

    fn refuse(&mut self, path: &str, trouble: ArchiveTrouble) {
        self.problems
            .push(Problem::of(path, Trouble::Archive(trouble)));
    }

    /// Names the first of many refusals, and counts the others.
    fn count_refusals(&mut self, archive: &str, from: usize) {
        let told = self.problems.len().saturating_sub(from);
        if told > NAMED {
            self.problems.truncate(from + NAMED);
            let count = told - NAMED;
            self.refuse(archive, ArchiveTrouble::More { count });
        }
    }
}

impl Member {
    fn look(self) -> Result<Artifact, Problem> {
        let Member {
            path,
            origin,
            written,
        } = self;
        let looked = contain(AssertUnwindSafe(|| {
            let source = origin.look()?;
            let kind = kind::sniff(source.as_ref(), path::file_name(&path))?;
            Ok((source.len(), kind))
        }));
        match looked {
            Ok(Ok((bytes, kind))) => Ok(Artifact {
                path,
                kind,
                bytes,
                sha256: None,
                origin,
                written,
            }),
            Ok(Err(error)) => Err(Problem::of(&path, unreadable(&error))),
            Err(panicked) => Err(Problem::of(
                &path,
                Trouble::Archive(ArchiveTrouble::Member(panicked.to_string())),
            )),
        }
    }
}

/// Why a member cannot be read: what the reader of archives says, or the system.
fn unreadable(error: &io::Error) -> Trouble {
    let own = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<ArchiveTrouble>());
    Trouble::Archive(match own {
        Some(trouble) => trouble.clone(),
        None => ArchiveTrouble::Member(error.to_string()),
    })
}
