//! A volume: its boot sector, its file table, its files.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;

use super::NtfsError;
use super::record::{
    ATTRIBUTE_LIST, Attribute, DATA, REPARSE_POINT, Record, STANDARD_INFORMATION,
    VOLUME_INFORMATION, Value,
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

/// A volume.
pub(in crate::bundle::disk) struct Volume {
    bytes: Arc<dyn ReadAt>,
    cluster: u64,
    clusters: u64,
    record: usize,
    table: Arc<DataSource>,
    security: OnceLock<Result<SecurityTable, NtfsError>>,
}

/// A file or a folder, with all its records.
pub(in crate::bundle::disk) struct File {
    base: Record,
    others: Vec<Record>,
}

/// What a boot sector says.
struct Boot {
    cluster: u64,
    clusters: u64,
    table: [u64; 2],
    record: usize,
}

impl Volume {
    /// Opens a volume.
    ///
    /// # Errors
    /// [`NtfsError`] where it has no whole boot sector, or the first record of $MFT cannot be read.
    pub(in crate::bundle::disk) fn open(bytes: Arc<dyn ReadAt>) -> Result<Volume, NtfsError> {
        let last = (bytes.len() / 512).saturating_sub(1).saturating_mul(512);
        let mut boot = None;
        for at in [0, last] {
            let mut sector = [0; 512];
            bytes.read_full_at(at, &mut sector)?;
            boot = boot.or_else(|| Boot::read(&sector));
        }
        let boot = boot.ok_or(NtfsError::NoBootSector)?;
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
        let mut first = Err(NtfsError::NoBootSector);
        for place in places {
            if first.is_ok() {
                break;
            }
            let mut bytes = vec![0; self.record];
            let at = place.saturating_mul(self.cluster);
            self.bytes.read_full_at(at, &mut bytes)?;
            first = Record::read(0, bytes);
        }
        let mut file = File {
            base: first?,
            others: Vec::new(),
        };
        self.table = self.clusters_of(&file, DATA, "")?;
        loop {
            let known = file.others.len();
            file.others = self.continuations(&file.base);
            self.table = self.clusters_of(&file, DATA, "")?;
            if file.others.len() <= known {
                return Ok(());
            }
        }
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
                match source.map(|source| source.read_all(LONGEST_LIST)) {
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
    fn clusters_of(
        &self,
        file: &File,
        kind: u32,
        name: &str,
    ) -> Result<Arc<DataSource>, NtfsError> {
        let number = file.base.number;
        let bad = |flaw| NtfsError::BadRecord { number, flaw };
        let mut runs: Vec<Run> = Vec::new();
        let mut sizes = None;
        for attribute in file.attributes(kind, name) {
            let Value::Clusters {
                first,
                runs: own,
                size,
                initialized,
                packed,
            } = attribute.value
            else {
                continue;
            };
            if attribute.is_encrypted() {
                return Err(NtfsError::NotReadable(
                    "encrypted by Windows (EFS): only its owner's account can read it",
                ));
            }
            if packed && attribute.flags & 0xFF != 0 {
                return Err(NtfsError::NotReadable(
                    "compressed by NTFS, which is not read: copy the file from the disk with Windows",
                ));
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
        runs.sort_by_key(|run| run.first);
        Ok(Arc::new(DataSource {
            volume: Arc::clone(&self.bytes),
            cluster: self.cluster,
            runs,
            size,
            initialized: initialized.min(size),
        }))
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
            Some(()) => Ok(self.clusters_of(file, kind, name)?),
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
                Some(0x8000_0017) => "compressed by Windows (WOF), which is not read",
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
            Ok(source) => {
                let start = source.first_kept();
                let len = source.len().saturating_sub(start);
                Ok(Arc::new(PartSource {
                    whole: source,
                    start,
                    len,
                }))
            }
            Err(_) => self.value(file, DATA, STREAM),
        }
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

    fn attributes<'f>(
        &'f self,
        kind: u32,
        name: &'f str,
    ) -> impl Iterator<Item = Attribute<'f>> + 'f {
        std::iter::once(&self.base)
            .chain(&self.others)
            .flat_map(Record::attributes)
            .filter(move |attribute| attribute.kind == kind && attribute.is_named(name))
    }
}

impl Boot {
    fn read(sector: &[u8; 512]) -> Option<Boot> {
        (sector.get(3..11)? == b"NTFS    ").then_some(())?;
        let sector_size = u64::from(u16_le(sector, 11)?);
        (sector_size.is_power_of_two() && (256..=4096).contains(&sector_size)).then_some(())?;
        // Above 128, the number is a power of two with its sign turned: clusters of more than 64 KiB.
        let per_cluster = match *sector.get(13)? {
            count @ 0..=0x80 => u64::from(count),
            power => 1_u64.checked_shl(256 - u32::from(power))?,
        };
        let cluster = sector_size.checked_mul(per_cluster)?;
        (cluster.is_power_of_two() && cluster <= 2 << 20).then_some(())?;
        let clusters = u64_le(sector, 40)?.checked_mul(sector_size)? / cluster;
        // Positive: clusters; negative: a power of two of bytes.
        let record = match sector.get(64)?.cast_signed() {
            count @ 1.. => u64::from(count.unsigned_abs()).checked_mul(cluster)?,
            power => 1_u64.checked_shl(u32::from(power.unsigned_abs()))?,
        };
        let record = usize::try_from(record).ok()?;
        (record.is_power_of_two() && (512..=64 << 10).contains(&record)).then_some(())?;
        let table = [u64_le(sector, 48)?, u64_le(sector, 56)?];
        (table.iter().any(|place| (1..clusters).contains(place))).then_some(())?;
        Some(Boot {
            cluster,
            clusters,
            table,
            record,
        })
    }
}
