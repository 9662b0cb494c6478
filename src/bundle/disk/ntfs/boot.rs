//! The boot sector of a volume: where $MFT begins, and how long clusters and records are.

use crate::bundle::disk::bytes::{u16_le, u64_le};
use crate::bundle::source::ReadAt;

use super::NtfsError;

/// Sizes of a disk's sectors. The copy of the boot sector is the last sector of the partition, behind the volume's own.
const SECTOR_SIZES: [u64; 2] = [512, 4096];
const MARK: &[u8] = b"NTFS    ";

/// What a boot sector says.
pub(super) struct Boot {
    pub(super) cluster: u64,
    pub(super) clusters: u64,
    /// The first clusters of $MFT and of the copy of its first records.
    pub(super) table: [u64; 2],
    /// The length of a record, in bytes.
    pub(super) record: usize,
}

impl Boot {
    /// Reads it, or its copy at the end.
    pub(super) fn of(volume: &dyn ReadAt) -> Result<Boot, NtfsError> {
        for at in std::iter::once(0).chain(copies(volume.len())) {
            let mut sector = [0; 512];
            volume.read_full_at(at, &mut sector)?;
            if let Some(boot) = Boot::read(&sector) {
                return Ok(boot);
            }
        }
        Err(NtfsError::NoBootSector)
    }

    fn read(sector: &[u8; 512]) -> Option<Boot> {
        (sector.get(3..11)? == MARK).then_some(())?;
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

/// Where the copy may be in a partition of that length.
fn copies(bytes: u64) -> impl Iterator<Item = u64> {
    SECTOR_SIZES
        .into_iter()
        .filter_map(move |size| (bytes / size).checked_sub(1)?.checked_mul(size))
}

/// Whether a part of the disk ends in the copy that NTFS keeps there of its boot sector.
pub(in crate::bundle::disk) fn has_copy(disk: &dyn ReadAt, start: u64, bytes: u64) -> bool {
    copies(bytes).any(|at| {
        let mut sector = [0; 512];
        let filled = disk.read_full_at(start.saturating_add(at), &mut sector);
        matches!(filled, Ok(512)) && sector.get(3..11) == Some(MARK)
    })
}
