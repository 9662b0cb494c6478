//! A volume: its file table, its files.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::{Arc, Mutex, OnceLock};

use jiff::Timestamp;

use super::NtfsError;
use super::boot::Boot;
use super::folder::FolderEntry;
use super::packed::{LARGEST_UNIT, PackedSource};
use super::record::{
    ATTRIBUTE_LIST, Attribute, DATA, FILE_NAME, FileName, REPARSE_POINT, Record,
    STANDARD_INFORMATION, VOLUME_INFORMATION, Value,
};
use super::runs::{self, DataSource, Run};
use super::security::SecurityTable;
use crate::bundle::disk::bytes::{u16_le, u32_le, u64_le};
use crate::bundle::file_time::file_time;
use crate::bundle::source::{PartSource, ReadAt};

const ROOT: u64 = 5;
const VOLUME: u64 = 3;
const SECURE: u64 = 9;
/// NTFS itself ends a list of attributes at 256 KiB.
const LONGEST_LIST: u64 = 256 << 10;
/// More records than any list of that length names.
const MOST_RECORDS: usize = 8192;
/// More runs than a file of any size that matters has; each takes 32 bytes of memory.
const MOST_RUNS: usize = 1 << 20;

const ENCRYPTED: &str = "encrypted by Windows (EFS): only the account that encrypted it can read it; copy the file out on the machine itself, \
    signed in as that account";
const OTHER_COMPRESSION: &str = "compressed by a method that NTFS does not have today: copy the file from the disk with Windows";

/// A volume.
pub(in crate::bundle::disk) struct Volume {
    bytes: Arc<dyn ReadAt>,
    cluster: u64,
    clusters: u64,
    record: usize,
    table: Arc<DataSource>,
    security: OnceLock<Result<SecurityTable, NtfsError>>,
}

/// Which file is meant: the number of its record, and what its folder says of it, where one does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bundle::disk) struct Reference {
    number: u64,
    /// Its name, and how often the record was used then.
    named: Option<(String, u16)>,
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
    base: Record,
    others: Vec<Record>,
}

impl Volume {
    /// Opens a volume.
    ///
    /// # Errors
    /// [`NtfsError`] where it has no whole boot sector, or the first record of $MFT cannot be read.
    pub(in crate::bundle::disk) fn open(bytes: Arc<dyn ReadAt>) -> Result<Volume, NtfsError> {
        let boot = Boot::of(bytes.as_ref())?;
        let mut volume = Volume {
            table: Arc::new(DataSource {
                volume: Arc::clone(&bytes),
                cluster: boot.cluster,
                runs: Vec::new(),
                size: 0,
                initialized: 0,
            }),
            bytes,
            cluster: boot.cluster,
            clusters: boot.clusters,
            record: boot.record,
            security: OnceLock::new(),
        };
        volume.open_table(boot.table)?;
        Ok(volume)
    }

    /// $MFT describes itself in its first record, of which there is a copy. Where it is in many runs, other records of its own
    /// tell of the later ones; they lie in the earlier.
    fn open_table(&mut self, places: [u64; 2]) -> Result<(), NtfsError> {
        let [first, copy] = places.map(|place| self.table_at(place));
        let (mut file, table) = first.or_else(|why| copy.map_err(|_| why))?;
        self.table = table;
        loop {
            let known = file.others.len();
            file.others = self.continuations(&file.base);
            if file.others.len() <= known {
                return Ok(());
            }
            // Where the later runs are damaged, the earlier ones still tell of many files.
            match self.clusters_of(&file, DATA, "") {
                Ok(clusters) => self.table = Arc::new(clusters.source),
                Err(_) => return Ok(()),
            }
        }
    }

    /// The table as the first record at that cluster describes it.
    fn table_at(&self, place: u64) -> Result<(File, Arc<DataSource>), NtfsError> {
        let mut bytes = vec![0; self.record];
        let at = place.saturating_mul(self.cluster);
        self.bytes.read_full_at(at, &mut bytes)?;
        let file = File {
            base: Record::read(0, bytes)?,
            others: Vec::new(),
        };
        let table = self.clusters_of(&file, DATA, "")?;
        Ok((file, Arc::new(table.source)))
    }

    pub(super) fn record(&self, number: u64) -> Result<Record, NtfsError> {
        let mut bytes = vec![0; self.record];
        let at = number.saturating_mul(self.record as u64);
        if self.table.read_full_at(at, &mut bytes)? < bytes.len() {
            return Err(NtfsError::BadRecord {
                number,
                flaw: "is behind the end of $MFT",
            });
        }
        Record::read(number, bytes)
    }

    /// A file by the number of its first record.
    ///
    /// # Errors
    /// [`NtfsError`] where the record is damaged, free, or continues another.
    pub(in crate::bundle::disk) fn file(&self, number: u64) -> Result<File, NtfsError> {
        let base = self.record(number)?;
        let bad = |flaw| Err(NtfsError::BadRecord { number, flaw });
        if !base.is_used() {
            return bad("is free: what named it is out of date");
        }
        if base.base().is_some() {
            return bad("continues another one");
        }
        let others = self.continuations(&base);
        Ok(File { base, others })
    }

    /// A file by what its folder says of it.
    ///
    /// # Errors
    /// As [`Volume::file`]; and where the record is by now another file's.
    pub(in crate::bundle::disk) fn find(&self, wanted: &Reference) -> Result<File, NtfsError> {
        let file = self.file(wanted.number)?;
        let Some((name, uses)) = &wanted.named else {
            return Ok(file);
        };
        let is_same = *uses == 0 || *uses == file.base.uses();
        let mut names = file.attributes(FILE_NAME, "");
        let is_named = names.any(|attribute| match attribute.value {
            Value::Resident(value) => {
                FileName::read(value).is_some_and(|known| known.name == *name)
            }
            Value::Clusters { .. } => false,
        });
        drop(names);
        match is_same && is_named {
            true => Ok(file),
            false => Err(NtfsError::BadRecord {
                number: wanted.number,
                flaw: "is not that of the file by which its folder names it",
            }),
        }
    }

    pub(super) fn cluster(&self) -> u64 {
        self.cluster
    }

    /// The records that a file's list of attributes names, as far as they can be read.
    fn continuations(&self, base: &Record) -> Vec<Record> {
        let Some(list) = base.find(ATTRIBUTE_LIST, "") else {
            return Vec::new();
        };
        let list = match list.value {
            Value::Resident(value) => value.to_vec(),
            Value::Clusters { .. } => {
                let file = File {
                    base: base.clone(),
                    others: Vec::new(),
                };
                let source = self.clusters_of(&file, ATTRIBUTE_LIST, "");
                match source.map(|clusters| clusters.source.read_all(LONGEST_LIST)) {
                    Ok(Ok(bytes)) => bytes,
                    _ => return Vec::new(),
                }
            }
        };
        let mut numbers = Vec::new();
        let mut rest = list.as_slice();
        while let (Some(len), Some(reference)) = (u16_le(rest, 4), u64_le(rest, 16)) {
            let number = reference & 0xFFFF_FFFF_FFFF;
            if number != base.number && !numbers.contains(&number) && numbers.len() < MOST_RECORDS {
                numbers.push(number);
            }
            match rest.get(usize::from(len)..) {
                Some(after) if len >= 24 => rest = after,
                _ => break,
            }
        }
        numbers
            .into_iter()
            .filter_map(|number| self.record(number).ok())
            .filter(|record| record.is_used() && record.base() == Some(base.number))
            .collect()
    }

    /// The runs of a value in clusters.
    fn clusters_of(&self, file: &File, kind: u32, name: &str) -> Result<Clusters, NtfsError> {
        let number = file.base.number;
        let bad = |flaw| NtfsError::BadRecord { number, flaw };
        let mut runs: Vec<Run> = Vec::new();
        let mut sizes = None;
        let mut packed = None;
        for attribute in file.attributes(kind, name) {
            let Value::Clusters {
                first,
                runs: own,
                size,
                initialized,
                unit,
            } = attribute.value
            else {
                continue;
            };
            if attribute.is_encrypted() {
                return Err(NtfsError::NotReadable(ENCRYPTED));
            }
            // Only the part with the first cluster says how it is compressed.
            if let Some(unit) = unit.filter(|_| first == 0) {
                packed = match attribute.compression() {
                    0 => None,
                    1 => Some(unit),
                    _ => return Err(NtfsError::NotReadable(OTHER_COMPRESSION)),
                };
            }
            let own = runs::unpack(own, first, self.clusters)
                .ok_or_else(|| bad("names clusters that there are not"))?;
            if runs.len().saturating_add(own.len()) > MOST_RUNS {
                return Err(bad("is in too many pieces"));
            }
            if first == 0 {
                sizes = Some((size, initialized));
            }
            runs.extend(own);
        }
        let (size, initialized) = sizes.ok_or_else(|| bad("does not say where its data begins"))?;
        // What Windows lets go of at the beginning of a journal counts, though it is nowhere.
        if name.is_empty() && size > self.clusters.saturating_mul(self.cluster) {
            return Err(bad("says that it is longer than the volume"));
        }
        runs.sort_by_key(|run| run.first);
        if runs.windows(2).any(
            |pair| matches!(pair, [one, next] if one.first.saturating_add(one.count) > next.first),
        ) {
            return Err(bad("says of some of its data twice where it is"));
        }
        let unit = match packed {
            None => None,
            Some(power) => Some(
                1_u64
                    .checked_shl(u32::from(power))
                    .filter(|unit| unit.saturating_mul(self.cluster) <= LARGEST_UNIT)
                    .ok_or_else(|| bad("is compressed in units of a size that there is not"))?,
            ),
        };
        let source = DataSource {
            volume: Arc::clone(&self.bytes),
            cluster: self.cluster,
            runs,
            size,
            initialized: initialized.min(size),
        };
        Ok(Clusters { source, unit })
    }

    /// A value of a file, wherever it lies.
    pub(in crate::bundle::disk) fn value(
        &self,
        file: &File,
        kind: u32,
        name: &str,
    ) -> Result<Arc<dyn ReadAt>, NtfsError> {
        let number = file.base.number;
        let mut found = None;
        for attribute in file.attributes(kind, name) {
            match attribute.value {
                Value::Resident(value) => return Ok(Arc::new(value.to_vec())),
                Value::Clusters { .. } => found = Some(()),
            }
        }
        match found {
            Some(()) => Ok(self.clusters_of(file, kind, name)?.bytes()),
            None => Err(NtfsError::Missing {
                number,
                what: "such data",
            }),
        }
    }

    /// The content of a file: its unnamed stream, or the one of that name.
    ///
    /// # Errors
    /// [`NtfsError`] where it is damaged, packed or encrypted, or kept elsewhere.
    pub(in crate::bundle::disk) fn data(
        &self,
        file: &File,
        stream: &str,
    ) -> Result<Arc<dyn ReadAt>, NtfsError> {
        if let Some(reparse) = file.base.resident(REPARSE_POINT) {
            // MS-FSCC section 2.1.2.1.
            return Err(NtfsError::NotReadable(match u32_le(reparse, 0) {
                Some(0x8000_0017) => {
                    "compressed by Windows (WOF, `compact /exe`), which is not read: copy the file from the disk with Windows"
                }
                Some(0x8000_0013) => {
                    "deduplicated by Windows, which is not read: copy the file from the disk with Windows"
                }
                _ => "a link, or data that is kept elsewhere, which is not followed",
            }));
        }
        self.value(file, DATA, stream)
    }

    /// The list of files of a folder, as it lies on the volume.
    pub(in crate::bundle::disk) fn index(
        &self,
        folder: &File,
    ) -> Result<Arc<dyn ReadAt>, NtfsError> {
        self.value(folder, super::record::INDEX_ALLOCATION, "$I30")
            .or_else(|_| self.value(folder, super::record::INDEX_ROOT, "$I30"))
    }

    /// The change journal, from the first byte on that is kept: Windows lets go of its beginning and counts on.
    pub(in crate::bundle::disk) fn journal(
        &self,
        file: &File,
    ) -> Result<Arc<dyn ReadAt>, NtfsError> {
        const STREAM: &str = "$J";
        match self.clusters_of(file, DATA, STREAM) {
            Ok(Clusters { source, .. }) => {
                let start = source.first_kept();
                let len = source.len().saturating_sub(start);
                Ok(Arc::new(PartSource {
                    whole: Arc::new(source),
                    start,
                    len,
                }))
            }
            Err(_) => self.value(file, DATA, STREAM),
        }
    }

    /// Which clusters of the volume hold the content of a file; none where it is in its record, or that is damaged.
    pub(in crate::bundle::disk) fn places(&self, file: &File) -> Vec<Range<u64>> {
        let runs = self.clusters_of(file, DATA, "");
        let runs = runs.map_or_else(|_| Vec::new(), |clusters| clusters.source.runs);
        runs.iter()
            .filter_map(|run| {
                let start = run.place?;
                Some(start..start.saturating_add(run.count))
            })
            .collect()
    }

    pub(in crate::bundle::disk) fn root(&self) -> Result<File, NtfsError> {
        self.file(ROOT)
    }

    /// The security descriptor of a file, as bytes: its own, or the one that its id names in $Secure.
    pub(in crate::bundle::disk) fn descriptor(&self, file: &File) -> Result<Vec<u8>, NtfsError> {
        let number = file.base.number;
        let id = file
            .base
            .resident(STANDARD_INFORMATION)
            .and_then(|value| u32_le(value, 52))
            .filter(|id| *id != 0);
        if let Some(id) = id {
            let table = self.security.get_or_init(|| {
                let secure = self.file(SECURE)?;
                SecurityTable::read(self.value(&secure, DATA, "$SDS")?)
            });
            return table.as_ref().map_err(Clone::clone)?.descriptor(id);
        }
        // Volumes of before Windows 2000, and some tools, keep it with the file.
        let own = self.value(file, super::record::SECURITY_DESCRIPTOR, "");
        let own = own.map_err(|_| NtfsError::Missing {
            number,
            what: "permissions",
        })?;
        Ok(own.read_all(super::security::LARGEST)?)
    }

    /// Why the volume is not as it was left, if it is not: its own mark, or changes in $LogFile that were not carried out.
    pub(in crate::bundle::disk) fn not_clean(&self) -> Option<&'static str> {
        let marked = self.file(VOLUME).ok().and_then(|file| {
            let value = file.base.resident(VOLUME_INFORMATION)?;
            Some(u16_le(value, 10)? & 1 != 0)
        });
        if marked == Some(true) {
            return Some("it is marked as dirty");
        }
        let log = self.file(2).and_then(|file| self.data(&file, ""));
        match log {
            Ok(log) if super::log_file::is_open(log.as_ref()) => {
                Some("its $LogFile holds changes that were not completed")
            }
            _ => None,
        }
    }
}

/// A value in clusters.
struct Clusters {
    source: DataSource,
    /// Of how many clusters the units are that it is compressed in, where it is.
    unit: Option<u64>,
}

impl Clusters {
    /// What they hold, unpacked.
    fn bytes(self) -> Arc<dyn ReadAt> {
        let Clusters { mut source, unit } = self;
        let Some(unit) = unit else {
            return Arc::new(source);
        };
        let (size, initialized) = (source.size, source.initialized);
        let end = source
            .runs
            .last()
            .map_or(0, |run| run.first.saturating_add(run.count));
        source.size = end.saturating_mul(source.cluster);
        source.initialized = source.size;
        Arc::new(PackedSource {
            stored: source,
            unit,
            size,
            initialized,
            unpacked: Mutex::default(),
        })
    }
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

    fn attributes<'f>(
        &'f self,
        kind: u32,
        name: &'f str,
    ) -> impl Iterator<Item = Attribute<'f>> + 'f {
        self.records()
            .flat_map(Record::attributes)
            .filter(move |attribute| attribute.kind == kind && attribute.is_named(name))
    }
}
