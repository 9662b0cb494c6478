//! FILETIME, the clock of NTFS and of what carries its times.

use jiff::Timestamp;

/// 1970 on that clock, which counts units of 100 ns since 1601, in UTC.
const UNIX_EPOCH: i128 = 116_444_736_000_000_000;

/// The time; none for zero and for what lies beyond the calendar.
pub(crate) fn file_time(ticks: u64) -> Option<Timestamp> {
    let since = i128::from(ticks) - UNIX_EPOCH;
    let time = Timestamp::from_nanosecond(since * 100).ok()?;
    (ticks > 0).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_no_time_and_1970_is_its_own() {
        assert_eq!(file_time(0), None);
        assert_eq!(
            file_time(116_444_736_000_000_000),
            Some(Timestamp::UNIX_EPOCH)
        );
        assert_eq!(file_time(u64::MAX), None);
    }
}
