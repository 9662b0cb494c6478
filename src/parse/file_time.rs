//! FILETIME: units of 100 ns since 1601 (MS-DTYP section 2.3.3).

use jiff::Timestamp;

const UNIX_EPOCH: i128 = 116_444_736_000_000_000;

/// The moment; none for 0, which stands for none, and for what no calendar reaches.
pub(super) fn moment(ticks: u64) -> Option<Timestamp> {
    (ticks != 0).then_some(())?;
    Timestamp::from_nanosecond((i128::from(ticks) - UNIX_EPOCH) * 100).ok()
}
