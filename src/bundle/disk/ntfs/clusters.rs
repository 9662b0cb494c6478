//! A value in clusters: its runs from all records that tell of them, and how it is packed.

use std::sync::{Arc, Mutex};

use super::NtfsError;
use super::file::File;
use super::packed::{LARGEST_UNIT, PackedSource};
use super::record::Value;
use super::runs::{self, DataSource, Run};
use super::volume::Volume;
use crate::bundle::source::ReadAt;

/// More runs than a file of any size that matters has; each takes 32 bytes of memory.
const MOST_RUNS: usize = 1 << 20;
/// The stream of the change journal.
pub(super) const JOURNAL: &str = "$J";
const ENCRYPTED: &str = "encrypted by Windows (EFS): only the account that encrypted it can read it; copy the file out on the machine itself, \
    signed in as that account";
const OTHER_COMPRESSION: &str = "compressed by a method that NTFS does not have today: copy the file from the disk with Windows";

/// A value in clusters.
pub(super) struct Clusters {
    pub(super) source: DataSource,
    /// Of how many clusters the units are that it is compressed in, where it is.
    unit: Option<u64>,
}

impl Clusters {
    /// What they hold, unpacked.
    pub(super) fn bytes(self) -> Arc<dyn ReadAt> {
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

impl Volume {
    /// The runs of a value in clusters.
    pub(super) fn clusters_of(
        &self,
        file: &File,
        kind: u32,
        name: &str,
    ) -> Result<Clusters, NtfsError> {
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
        if name != JOURNAL && size > self.clusters.saturating_mul(self.cluster) {
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
}
