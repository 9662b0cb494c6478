//! Data in clusters: runs, and the bytes that they make.

use std::io;
use std::sync::Arc;

use crate::bundle::source::ReadAt;

/// A run of clusters of a value; without a place it is sparse, and reads as zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    /// The first cluster of the value.
    pub(super) first: u64,
    pub(super) count: u64,
    /// The first cluster on the volume.
    pub(super) place: Option<u64>,
}

/// Unpacks runs: for each a byte with the sizes of two numbers, the count and the distance from the run before. None where they
/// cannot be what they say.
pub(super) fn unpack(mut packed: &[u8], mut first: u64, clusters: u64) -> Option<Vec<Run>> {
    let mut runs = Vec::new();
    let mut place: i64 = 0;
    while let Some((sizes, rest)) = packed.split_first() {
        if *sizes == 0 {
            return Some(runs);
        }
        let (count_size, place_size) = (usize::from(sizes & 0xF), usize::from(sizes >> 4));
        let (count, rest) = rest.split_at_checked(count_size)?;
        let (distance, rest) = rest.split_at_checked(place_size)?;
        packed = rest;
        let count = u64::try_from(signed(count)?)
            .ok()
            .filter(|count| *count > 0)?;
        let place = match place_size {
            0 => None,
            _ => {
                place = place.checked_add(signed(distance)?)?;
                let start = u64::try_from(place).ok()?;
                (start.checked_add(count)? <= clusters).then_some(())?;
                Some(start)
            }
        };
        runs.push(Run {
            first,
            count,
            place,
        });
        first = first.checked_add(count)?;
    }
    Some(runs)
}

/// A number of up to eight bytes, low byte first, with its sign.
fn signed(bytes: &[u8]) -> Option<i64> {
    let sign = match bytes.last()? {
        0x80.. => 0xFF,
        _ => 0,
    };
    let mut whole = [sign; 8];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(i64::from_le_bytes(whole))
}

/// The bytes of a value that lies in clusters.
pub(in crate::bundle::disk) struct DataSource {
    pub(super) volume: Arc<dyn ReadAt>,
    pub(super) cluster: u64,
    /// Sorted by their first clusters.
    pub(super) runs: Vec<Run>,
    pub(super) size: u64,
    /// What follows was never written, and is zero whatever the clusters hold.
    pub(super) initialized: u64,
}

impl DataSource {
    /// How many of so many clusters of the value, from `first` on, have a place on the volume.
    pub(super) fn stored(&self, first: u64, count: u64) -> u64 {
        let end = first.saturating_add(count);
        let before = self
            .runs
            .partition_point(|run| run.first.saturating_add(run.count) <= first);
        self.runs
            .get(before..)
            .unwrap_or_default()
            .iter()
            .take_while(|run| run.first < end)
            .filter(|run| run.place.is_some())
            .map(|run| {
                let run_end = run.first.saturating_add(run.count).min(end);
                run_end.saturating_sub(run.first.max(first))
            })
            .sum()
    }

    /// Where the first byte is that is kept: what is sparse before it was never written, or let go of since.
    pub(super) fn first_kept(&self) -> u64 {
        let kept = self.runs.iter().find(|run| run.place.is_some());
        kept.map_or(self.size, |run| {
            run.first.saturating_mul(self.cluster).min(self.size)
        })
    }
}

impl ReadAt for DataSource {
    fn len(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.size.saturating_sub(offset);
        if rest == 0 || buffer.is_empty() || self.cluster == 0 {
            return Ok(0);
        }
        let (run_rest, place) = if offset >= self.initialized {
            (rest, None)
        } else {
            let cluster = offset / self.cluster;
            let after = self.runs.partition_point(|run| run.first <= cluster);
            let run = after
                .checked_sub(1)
                .and_then(|index| self.runs.get(index))
                .filter(|run| cluster - run.first < run.count)
                .ok_or_else(|| {
                    io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("the file system does not say where byte {offset} of the file is"),
                    )
                })?;
            let within = offset - run.first.saturating_mul(self.cluster);
            let len = run
                .count
                .saturating_mul(self.cluster)
                .saturating_sub(within);
            let place = run
                .place
                .map(|place| place.saturating_mul(self.cluster).saturating_add(within));
            (len.min(self.initialized - offset).min(rest), place)
        };
        let most = usize::try_from(run_rest).unwrap_or(usize::MAX);
        let count = most.min(buffer.len());
        let Some(wanted) = buffer.get_mut(..count) else {
            return Ok(0);
        };
        let Some(at) = place else {
            wanted.fill(0);
            return Ok(count);
        };
        match self.volume.read_full_at(at, wanted)? {
            0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                format!("byte {offset} of the file lies behind the end of the image, which is cut"),
            )),
            filled => Ok(filled),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_unpacked_with_their_distances() {
        // 0x18 clusters at 0x5634, then 0x10 before that (-0x100), then 4 sparse.
        let packed = [
            0x21, 0x18, 0x34, 0x56, 0x21, 0x10, 0x00, 0xFF, 0x01, 0x04, 0x00, 0xAA,
        ];
        let run = |first, count, place| Run {
            first,
            count,
            place,
        };
        assert_eq!(
            unpack(&packed, 0, 1 << 20),
            Some(vec![
                run(0, 0x18, Some(0x5634)),
                run(0x18, 0x10, Some(0x5534)),
                run(0x28, 4, None),
            ])
        );
        // Behind the volume's end, before its beginning, cut, without clusters.
        assert_eq!(unpack(&packed, 0, 0x5000), None);
        assert_eq!(unpack(&[0x11, 0x01, 0xFF, 0], 0, 100), None);
        assert_eq!(unpack(&[0x21, 0x18], 0, 100), None);
        assert_eq!(unpack(&[0x11, 0x00, 0x01, 0], 0, 100), None);
        assert_eq!(unpack(&[0xFF, 1, 2, 3], 0, 100), None);
    }

    #[test]
    fn what_was_never_written_is_zero_and_what_is_not_there_an_error() {
        let volume: Arc<dyn ReadAt> = Arc::new(vec![7_u8; 64]);
        let run = |first, count, place| Run {
            first,
            count,
            place,
        };
        let source = DataSource {
            volume,
            cluster: 16,
            runs: vec![run(0, 1, Some(1)), run(1, 1, None), run(2, 1, Some(2))],
            size: 60,
            initialized: 40,
        };
        let mut bytes = vec![1; 60];
        assert_eq!(source.read_full_at(0, &mut bytes).unwrap(), 60);
        assert_eq!(bytes[..16], [7; 16]);
        assert_eq!(bytes[16..32], [0; 16]);
        assert_eq!(bytes[32..40], [7; 8]);
        assert_eq!(bytes[40..], [0; 20]);
        let short = DataSource {
            size: 64,
            initialized: 64,
            ..source
        };
        assert!(short.read_full_at(0, &mut [0; 64]).is_err());
    }
}
