//! Disks: an image of a dead machine's disk is a collection like any other, read where it lies.
//!
//! ```text
//! image (raw, VHD, VHDX, ...) → the disk's bytes → partitions → NTFS → the Windows installation → artifacts
//! ```
//!
//! Nothing is mounted, nothing is written, and a file of the disk is read when it is asked for. What a disk has beyond a folder
//! of copies: permissions as they stand on the machine, and folders that are certainly whole.

mod bytes;
mod checked;
mod image;
mod installation;
mod listing;
mod ntfs;
mod partition;
mod trouble;

use std::collections::BTreeSet;
use std::io;
use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

pub use image::ImageForm;
pub use listing::{DiskListing, ListedVolume, list};
pub use ntfs::{EntryName, EntryPlace, FileEntry, FileTimes, NtfsError, entry_bytes};
pub use partition::{Holds, Partition, Scheme};
pub use trouble::DiskTrouble;

use super::artifact::Artifact;
use super::error::{Problem, Trouble};
use super::kind::Kind;
use super::origin::Origin;
use super::path::shown_name;
use super::source::{PartSource, ReadAt};
use super::walk::Found;
use crate::contain::contain;
use image::Beside;
use ntfs::{Reference, Volume};
use partition::partitions;

/// A file on a volume of an image.
#[derive(Clone)]
pub struct OnVolume {
    volume: Arc<Volume>,
    file: Reference,
    what: What,
    /// Whether its permissions are those of the machine; in a collector's container they are the collector's.
    is_machines: bool,
}

/// What of a file is read.
#[derive(Debug, Clone, Copy)]
enum What {
    /// Its content.
    Data,
    /// The list of files of a folder.
    Index,
    /// The change journal, from where it is kept.
    Journal,
}

impl OnVolume {
    /// Opens its bytes.
    ///
    /// # Errors
    /// Where its record is damaged, or its data cannot be read.
    pub(super) fn open(&self) -> io::Result<Arc<dyn ReadAt>> {
        let open = || {
            let file = || self.volume.find(&self.file);
            match self.what {
                What::Data => self.volume.data(&file()?, ""),
                What::Index => self.volume.index(&file()?),
                What::Journal => self.volume.journal(&file()?),
            }
        };
        open().map_err(|error| io::Error::other(error.to_string()))
    }

    /// When it was last written, where that is the machine's own record.
    pub(super) fn written(&self) -> Option<Timestamp> {
        let file = self.volume.find(&self.file).ok()?;
        self.is_machines.then(|| file.written()).flatten()
    }

    /// Its security descriptor, as bytes, where that is the machine's.
    pub(super) fn permissions(&self) -> Option<Result<Vec<u8>, String>> {
        self.is_machines.then(|| {
            let file = self.volume.find(&self.file);
            file.and_then(|file| self.volume.descriptor(&file))
                .map_err(|error| error.to_string())
        })
    }
}

/// What an image comes to.
#[derive(Default)]
pub(super) struct Disk {
    /// The files on it, whose kinds are still to be told.
    pub(super) found: Vec<Found>,
    /// Folders, whose kind is known.
    pub(super) artifacts: Vec<Artifact>,
    pub(super) problems: Vec<Problem>,
    /// The other files that belong to the image.
    pub(super) parts: BTreeSet<PathBuf>,
}

/// Opens the image that an artifact is. Should its damage make the reader panic, that is told of this image and ends nothing else.
pub(super) fn expanded(artifact: &Artifact, form: ImageForm, volume: Option<u32>) -> Disk {
    let read = contain(AssertUnwindSafe(|| expand(artifact, form, volume)));
    read.unwrap_or_else(|panicked| {
        let mut disk = Disk::default();
        disk.problem(&artifact.path, DiskTrouble::Damaged(panicked.to_string()));
        disk
    })
}

fn expand(artifact: &Artifact, form: ImageForm, volume: Option<u32>) -> Disk {
    let mut disk = Disk::default();
    let beside = match &artifact.origin {
        Origin::File(path) => Beside::of(path),
        _ => Beside::default(),
    };
    // What is packed can only be unpacked as a whole, which a disk is too large for.
    let file = match &artifact.origin {
        Origin::Packed(_) | Origin::Passed => Err(DiskTrouble::Packed),
        _ => artifact
            .open()
            .map_err(|error| DiskTrouble::Unreadable(error.to_string())),
    };
    let opened = file.and_then(|file| image::open(form, file, &beside));
    let read = opened.and_then(|bytes| disk.read(&artifact.path, &bytes, volume));
    if let Err(trouble) = read {
        disk.problem(&artifact.path, trouble);
    }
    disk.parts = beside.opened();
    // One that builds on itself is none of its own parts.
    if let Origin::File(path) = &artifact.origin {
        disk.parts.remove(path);
    }
    disk
}

impl Disk {
    fn problem(&mut self, path: &str, trouble: DiskTrouble) {
        self.problems
            .push(Problem::of(path, Trouble::Disk(trouble)));
    }

    fn read(
        &mut self,
        path: &str,
        bytes: &Arc<dyn ReadAt>,
        number: Option<u32>,
    ) -> Result<(), DiskTrouble> {
        let (_, mut volumes) = volumes(bytes)?;
        if let Some(number) = number {
            volumes.retain(|volume| volume.partition.number == number);
            if volumes.is_empty() {
                return Err(DiskTrouble::NoSuchVolume { number });
            }
        }
        let windows: Vec<&Opened> = volumes
            .iter()
            .filter(|volume| volume.is_windows())
            .collect();
        match windows.as_slice() {
            [] => self.take_containers(path, &volumes),
            [one] => {
                self.take_windows(path, one);
                Ok(())
            }
            several => {
                let numbers: Vec<String> = several
                    .iter()
                    .map(|volume| volume.partition.number.to_string())
                    .collect();
                Err(DiskTrouble::SeveralInstallations {
                    count: several.len(),
                    numbers: numbers.join(", "),
                })
            }
        }
    }

    fn take_windows(&mut self, path: &str, opened: &Opened) {
        let Ok(volume) = &opened.volume else {
            return;
        };
        if installation::is_hibernated(volume) {
            self.problem(path, DiskTrouble::Hibernated);
        } else if let Some(why) = volume.not_clean() {
            self.problem(path, DiskTrouble::NotClean { why });
        }
        self.take(path, volume, installation::take(volume), true);
    }

    /// Volumes without Windows: what a collector wrote into an image of its own.
    fn take_containers(&mut self, path: &str, volumes: &[Opened]) -> Result<(), DiskTrouble> {
        let several = volumes
            .iter()
            .filter(|volume| volume.volume.is_ok())
            .count()
            > 1;
        let mut any = false;
        for opened in volumes {
            let Ok(volume) = &opened.volume else { continue };
            let taken = installation::take_all(volume);
            any |= !taken.files.is_empty();
            let below = match several {
                true => format!("{path}/volume {}", opened.partition.number),
                false => path.to_owned(),
            };
            self.take(&below, volume, taken, false);
        }
        match any {
            true => Ok(()),
            false => Err(DiskTrouble::NoWindows {
                found: described(volumes),
            }),
        }
    }

    fn take(
        &mut self,
        path: &str,
        volume: &Arc<Volume>,
        taken: installation::Taken,
        is_machines: bool,
    ) {
        for file in taken.files {
            let path = below(path, &file.path);
            let on_volume = OnVolume {
                volume: Arc::clone(volume),
                file: file.file,
                what: file.what,
                is_machines,
            };
            let origin = Origin::Volume(Arc::new(on_volume));
            if matches!(file.what, What::Index) {
                let bytes = origin.open().map_or(0, |index| index.len());
                self.artifacts.push(Artifact {
                    path,
                    kind: Kind::Folder,
                    bytes,
                    sha256: None,
                    origin,
                    written: None,
                });
            } else {
                self.found.push(Found {
                    path,
                    below: file.path,
                    given: None,
                    origin,
                });
            }
        }
        for (place, trouble) in taken.problems {
            self.problem(&below(path, &place), trouble);
        }
    }
}

/// A path in an image; names on a disk may hold anything but a slash.
fn below(image: &str, path: &str) -> String {
    let names: Vec<String> = path
        .split('/')
        .filter(|name| !name.is_empty())
        .map(|name| shown_name(std::ffi::OsStr::new(name)))
        .collect();
    match names.is_empty() {
        true => image.to_owned(),
        false => format!("{image}/{}", names.join("/")),
    }
}

/// A partition, with its volume where it has one that is read.
struct Opened {
    partition: Partition,
    volume: Result<Arc<Volume>, String>,
}

impl Opened {
    fn is_windows(&self) -> bool {
        self.volume
            .as_ref()
            .is_ok_and(|volume| installation::is_on(volume))
    }
}

fn volumes(bytes: &Arc<dyn ReadAt>) -> Result<(Scheme, Vec<Opened>), DiskTrouble> {
    let unreadable = |error: io::Error| DiskTrouble::Unreadable(error.to_string());
    let (scheme, partitions) = partitions(bytes.as_ref()).map_err(unreadable)?;
    let opened = partitions.into_iter().map(|partition| {
        let volume = match partition.holds {
            Holds::Ntfs => Volume::open(Arc::new(PartSource {
                whole: Arc::clone(bytes),
                start: partition.start,
                len: partition
                    .bytes
                    .min(bytes.len().saturating_sub(partition.start)),
            }))
            .map(Arc::new)
            .map_err(|error| error.to_string()),
            other => Err(other.advice().unwrap_or("not read").to_owned()),
        };
        Opened { partition, volume }
    });
    Ok((scheme, opened.collect()))
}

/// What the volumes are, for whoever wonders why nothing was read.
fn described(volumes: &[Opened]) -> String {
    if volumes.is_empty() {
        return "it has no partition table, which is lost if its first sector is, and no file system that is known; if it is encrypted as a \
             whole, unlock it first"
            .to_owned();
    }
    let each: Vec<String> = volumes
        .iter()
        .map(|opened| {
            let Partition { number, holds, .. } = opened.partition;
            match &opened.volume {
                Ok(_) => format!("volume {number} is {holds}, without Windows on it"),
                Err(why) if holds.advice().is_some() || holds == Holds::Ntfs => {
                    format!("volume {number} is {holds}: {why}")
                }
                Err(_) => format!("volume {number} is {holds}"),
            }
        })
        .collect();
    each.join("; ")
}
