//! A file or a folder: its records, and what they say of it beside its content.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::folder::FolderEntry;
use super::record::{Attribute, DATA, Record, STANDARD_INFORMATION};
use crate::bundle::disk::bytes::u64_le;
use crate::bundle::file_time::file_time;

/// Which file is meant: the number of its record, and what its folder says of it, where one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bundle::disk) struct Reference {
    pub(super) number: u64,
    /// Its name, and how often the record was used then.
    pub(super) named: Option<(String, u16)>,
}

impl Reference {
    /// Whatever file has that record.
    pub(in crate::bundle::disk) fn of_record(number: u64) -> Reference {
        Reference {
            number,
            named: None,
        }
    }
}

impl From<&FolderEntry> for Reference {
    fn from(entry: &FolderEntry) -> Self {
        Reference {
            number: entry.number,
            named: Some((entry.name.name.clone(), entry.uses)),
        }
    }
}

/// A file or a folder, with all its records.
pub(in crate::bundle::disk) struct File {
    pub(super) base: Record,
    pub(super) others: Vec<Record>,
}

impl File {
    /// Its record number.
    pub(in crate::bundle::disk) fn number(&self) -> u64 {
        self.base.number
    }

    /// When its data was last written ($STANDARD_INFORMATION, where the second time is that of the data).
    pub(in crate::bundle::disk) fn written(&self) -> Option<Timestamp> {
        let times = self.base.resident(STANDARD_INFORMATION)?;
        file_time(u64_le(times, 8)?)
    }

    /// The names of the streams that it has beside its content.
    pub(in crate::bundle::disk) fn streams(&self) -> BTreeSet<String> {
        let attributes = self.records().flat_map(Record::attributes);
        attributes
            .filter(|attribute| attribute.kind == DATA)
            .filter_map(|attribute| attribute.name())
            .collect()
    }

    fn records(&self) -> impl Iterator<Item = &Record> {
        std::iter::once(&self.base).chain(&self.others)
    }

    pub(super) fn attributes<'f>(
        &'f self,
        kind: u32,
        name: &'f str,
    ) -> impl Iterator<Item = Attribute<'f>> + 'f {
        self.records()
            .flat_map(Record::attributes)
            .filter(move |attribute| attribute.kind == kind && attribute.is_named(name))
    }
}
