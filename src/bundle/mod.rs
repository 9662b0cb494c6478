//! From paths to artifacts: what was collected, each piece with its place, its kind by content and its bytes.
//!
//! [`open`] walks files and folders, tells each file's kind by its content and gives a [`Bundle`]: the artifacts in the
//! order of their paths, and what could not be read. Nothing of the file system that the input lies on gets in but names
//! and bytes: no times, no modes, no absolute paths, so that the same collection gives the same bundle anywhere.

mod archive;
mod artifact;
mod aside;
pub mod disk;
mod error;
mod file_system;
pub(crate) mod file_time;
mod hash;
mod kind;
mod layout;
mod machine_keys;
mod origin;
pub mod path;
mod source;
mod text_form;
mod transaction_log;
mod walk;

use std::collections::BTreeSet;
use std::path::PathBuf;

use rayon::prelude::*;

pub use archive::{Access, ArchiveForm, ArchiveTrouble, LimitName, Limits, Password};
pub use artifact::Artifact;
pub use error::{OpenError, Problem, Trouble};
pub use hash::{Sha256Digest, sha256};
pub use kind::{CertificateForm, EventLogForm, HiveForm, Kind, NotUsed, RevocationForm};
pub use layout::Layout;
pub use origin::Origin;
pub use source::{FileSource, ReadAt};
pub(crate) use text_form::goes_on_as_utf16;

use archive::Unpacking;
use walk::Found;

/// Everything that was collected.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Every file that can be opened, sorted by path, whether it is used or not.
    pub artifacts: Vec<Artifact>,
    /// What could not be read, sorted by path.
    pub problems: Vec<Problem>,
}

impl Bundle {
    /// The artifact of that path.
    #[must_use]
    pub fn artifact(&self, path: &str) -> Option<&Artifact> {
        self.artifacts
            .binary_search_by(|artifact| artifact.path.as_str().cmp(path))
            .ok()
            .and_then(|index| self.artifacts.get(index))
    }

    /// The transaction logs that lie beside a hive, in the order of their paths.
    pub fn transaction_logs<'a>(
        &'a self,
        hive: &'a Artifact,
    ) -> impl Iterator<Item = &'a Artifact> {
        self.artifacts.iter().filter(
            |artifact| matches!(&artifact.kind, Kind::TransactionLog { hive: Some(of) } if *of == hive.path),
        )
    }

    /// Computes the SHA-256 of every artifact but those of which only a part is read ([`Kind::is_read_in_part`]); several at once;
    /// each is read once, in pieces. A file that cannot be read to its end becomes a problem.
    pub fn hash(&mut self) {
        let unreadable: Vec<Problem> = self
            .artifacts
            .par_iter_mut()
            .filter(|artifact| !artifact.kind.is_read_in_part())
            .filter(|artifact| artifact.sha256.is_none())
            .filter_map(|artifact| {
                let digest = artifact.open().and_then(|source| sha256(source.as_ref()));
                match digest {
                    Ok(digest) => artifact.sha256 = Some(digest),
                    Err(error) => {
                        return Some(Problem::of(
                            &artifact.path,
                            Trouble::UnreadableFile(error.to_string()),
                        ));
                    }
                }
                None
            })
            .collect();
        self.problems.extend(unreadable);
        self.problems.sort();
        self.problems.dedup();
    }
}

/// Opens files and folders, all together as one collection. Folders are read to any depth; symbolic links in them are not
/// followed, pipes and devices never opened. The order of the arguments does not matter, and a file that is reached twice
/// counts once. Archives are opened as far as the usual limits allow; see [`open_with`].
///
/// # Errors
/// [`OpenError`] where there is no input, or nothing in it can be used; the error names each path and what to do.
pub fn open(inputs: &[PathBuf]) -> Result<Bundle, OpenError> {
    open_with(inputs, &Access::default())
}

/// As [`open`], with limits for what is unpacked from archives, and their password.
///
/// # Errors
/// As [`open`].
pub fn open_with(inputs: &[PathBuf], access: &Access) -> Result<Bundle, OpenError> {
    if inputs.is_empty() {
        return Err(OpenError::NoInput);
    }
    let walked = walk::walk(inputs);
    let mut problems = walked.problems;
    let opened: Vec<Result<(Artifact, Option<Unpacking<'_>>), Problem>> = walked
        .found
        .into_par_iter()
        .map(|found| {
            let artifact = artifact(found)?;
            let inside = match artifact.kind {
                Kind::Archive(form) => Some(archive::unpack(&artifact, form, access)),
                _ => None,
            };
            Ok((artifact, inside))
        })
        .collect();
    let mut artifacts = Vec::with_capacity(opened.len());
    for outcome in opened {
        match outcome {
            Ok((artifact, inside)) => {
                problems.extend(artifact.disappointment());
                artifacts.push(artifact);
                if let Some(inside) = inside {
                    artifacts.extend(inside.artifacts);
                    problems.extend(inside.problems);
                }
            }
            Err(problem) => problems.push(problem),
        }
    }
    let (on_disks, disk_problems) = read_disks(&artifacts, access.volume);
    artifacts.extend(on_disks);
    problems.extend(disk_problems);
    artifacts.sort_by(|one, other| one.path.cmp(&other.path));
    problems.extend(transaction_log::attach(&mut artifacts));
    problems.sort();
    if artifacts.iter().any(|artifact| artifact.kind.is_evidence()) {
        Ok(Bundle {
            artifacts,
            problems,
        })
    } else {
        Err(OpenError::NothingUsable {
            problems,
            files: artifacts.into_iter().filter_map(useless).collect(),
        })
    }
}

/// What lies on the disks whose images are among the artifacts. A file that another image is made of is no disk by itself.
fn read_disks(artifacts: &[Artifact], volume: Option<u32>) -> (Vec<Artifact>, Vec<Problem>) {
    let images = |raw: bool| {
        artifacts
            .iter()
            .filter_map(move |artifact| match artifact.kind {
                Kind::DiskImage(form) => {
                    (raw == (form == disk::ImageForm::Raw)).then_some((artifact, form))
                }
                _ => None,
            })
    };
    let mut disks: Vec<(&Artifact, disk::Disk)> = Vec::new();
    let mut parts = BTreeSet::new();
    for (artifact, form) in images(false).chain(images(true)) {
        let is_part = |parts: &BTreeSet<PathBuf>| match &artifact.origin {
            Origin::File(path) => parts.contains(path),
            _ => false,
        };
        if !is_part(&parts) {
            let disk = disk::expanded(artifact, form, volume);
            parts.extend(disk.parts.iter().cloned());
            disks.push((artifact, disk));
        }
    }
    disks.retain(|(artifact, _)| match &artifact.origin {
        Origin::File(path) => !parts.contains(path),
        _ => true,
    });
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for (_, disk) in disks {
        found.extend(disk.artifacts);
        problems.extend(disk.problems);
        let opened: Vec<Result<Artifact, Problem>> =
            disk.found.into_par_iter().map(artifact).collect();
        for outcome in opened {
            match outcome {
                Ok(artifact) => {
                    problems.extend(artifact.disappointment());
                    found.push(artifact);
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    (found, problems)
}

fn useless(artifact: Artifact) -> Option<(String, NotUsed)> {
    match artifact.kind {
        Kind::NotUsed(reason) => Some((artifact.path, reason)),
        Kind::DiskImage(_) => Some((artifact.path, NotUsed::NothingOnDisk)),
        Kind::Archive(_) => Some((artifact.path, NotUsed::NothingInArchive)),
        _ => None,
    }
}

fn artifact(found: Found) -> Result<Artifact, Problem> {
    let sniffed = found.origin.open().and_then(|source| {
        let mut kind = kind::sniff(source.as_ref(), path::file_name(&found.path))?;
        if kind.is_a_guess() {
            kind = kind::by_its_end(source.as_ref())?.unwrap_or(kind);
        }
        Ok((source.len(), kind))
    });
    match sniffed {
        Ok((bytes, kind)) => {
            let mut artifact = Artifact {
                path: found.path,
                kind,
                bytes,
                sha256: None,
                written: found.origin.written(),
                origin: found.origin,
            };
            aside::set_aside(&mut artifact, &found.below);
            Ok(artifact)
        }
        Err(error) => Err(Problem {
            path: found.path,
            given: found.given,
            trouble: match found.origin {
                Origin::Volume(_) => {
                    Trouble::Disk(disk::DiskTrouble::UnreadableFile(error.to_string()))
                }
                _ => Trouble::UnreadableFile(error.to_string()),
            },
        }),
    }
}
