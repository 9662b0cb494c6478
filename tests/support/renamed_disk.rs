//! A disk on which MachineKeys was renamed: what images are made of, and what is said of them.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::machine::at;
use super::ntfs::Volume;
use super::verdict::{diagnosed, rules, unhashed};

/// What is wrong with it.
pub const CAUSE: &str = "machinekeys-relocated";

pub fn volume() -> Volume {
    let sample =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/machinekeys-renamed/collected");
    let mut volume = Volume::new(at("2024-02-01T08:00:00Z"));
    volume.copy(&sample);
    volume
}

/// The disk, and what it was before a third of its pieces of that size was written: records, and some of the files.
pub fn disks(piece: usize) -> (Vec<u8>, Vec<u8>) {
    let disk = volume().build();
    let mut before = disk.clone();
    for (index, piece) in before.chunks_mut(piece).enumerate() {
        if index % 3 == 1 {
            piece.fill(0x11);
        }
    }
    (disk, before)
}

pub fn write(folder: &TempDir, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    path
}

pub fn cause(image: &Path) -> Option<String> {
    let mut reports = diagnosed(&[image.to_owned()], &rules());
    assert_eq!(reports.len(), 1);
    reports.remove(0).verdict.cause
}

/// What is said where nothing can be read.
pub fn refusal(image: &Path) -> String {
    rdptriage::diagnose(&[image.to_owned()], &rules(), &unhashed())
        .expect_err("nothing can be read")
        .to_string()
}
