//! NTFS, read only, from any bytes that hold a volume.
//!
//! The crate `ntfs` (0.4.0) was looked at and is not used: it does not know how far a file's data is valid and returns old
//! sectors behind that, does not read an $MFT that is itself in several records, as those of old busy servers are, and needs an
//! exclusive reader, where the files of a collection are read by several threads at once. What is read here is a small part of
//! NTFS: records, attributes, runs, folders, the table of security descriptors. The structures are those that the Linux-NTFS
//! project documents and its driver reads.
//!
//! Every count and offset comes from the disk and may be wrong: nothing is followed twice, all lengths are bounded.

mod boot;
mod entry;
mod folder;
mod log_file;
mod packed;
mod record;
mod runs;
mod security;
mod volume;

pub(super) use boot::has_copy;
pub use entry::{EntryName, EntryPlace, FileEntry, FileTimes, entry_bytes};
pub(super) use folder::FolderEntry;
pub(super) use volume::{File, Reference, Volume};

/// Why something on a volume cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum NtfsError {
    /// The disk's bytes cannot be had.
    #[error("{0}")]
    Unreadable(String),
    /// No boot sector of NTFS.
    #[error("its boot sector is none of NTFS, and neither is the copy at its end")]
    NoBootSector,
    /// A record that is no record.
    #[error("file record {number} {flaw}")]
    BadRecord {
        /// Its number in $MFT.
        number: u64,
        /// What is wrong with it.
        flaw: &'static str,
    },
    /// The record has no such attribute.
    #[error("file record {number} has no {what}")]
    Missing {
        /// Its number in $MFT.
        number: u64,
        /// The attribute.
        what: &'static str,
    },
    /// Data that is there and cannot be read here.
    #[error("{0}")]
    NotReadable(&'static str),
}

impl From<std::io::Error> for NtfsError {
    fn from(error: std::io::Error) -> Self {
        NtfsError::Unreadable(error.to_string())
    }
}
