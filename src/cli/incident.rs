//! The times of `--incident`, `--since` and `--until`. A wrong hour would move the whole verdict, so what can be read in two ways is refused.

use anyhow::{Result, anyhow, bail};
use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::{AmbiguousOffset, Disambiguation, OffsetConflict, TimeZone};

static STRICT: DateTimeParser = DateTimeParser::new()
    .disambiguation(Disambiguation::Reject)
    .offset_conflict(OffsetConflict::Reject);

/// A time with its distance from UTC (RFC 3339), with its zone in brackets (RFC 9557), or local time in the zone of `--tz`.
pub(crate) fn parse(option: &str, text: &str, zone: Option<&TimeZone>) -> Result<Timestamp> {
    let text = text.trim();
    if text.parse::<Date>().is_ok() && !text.contains(':') {
        bail!("{option} {text}: that is a whole day; say the hour too, such as {text}T09:30:00Z");
    }
    if text.contains('[') {
        return STRICT
            .parse_zoned(text)
            .map(|zoned| zoned.timestamp())
            .map_err(|error| anyhow!("{option} {text}: {error}"));
    }
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    let Ok(local) = text.parse::<DateTime>() else {
        bail!(
            "{option} {text}: not a time; write it like 2026-11-18T09:58:00Z or 2026-11-18T10:58:00+01:00"
        );
    };
    let Some(zone) = zone else {
        bail!(
            "{option} {text}: in which time zone? Write 2026-11-18T09:58:00Z or +01:00 behind it, or name the zone with --tz"
        );
    };
    local_time(option, text, local, zone)
}

fn local_time(option: &str, text: &str, local: DateTime, zone: &TimeZone) -> Result<Timestamp> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    match ambiguous.offset() {
        AmbiguousOffset::Unambiguous { .. } => Ok(ambiguous.unambiguous()?),
        AmbiguousOffset::Gap { .. } => {
            bail!(
                "{option} {text}: the clocks of that zone skipped this time; write it with its distance from UTC"
            )
        }
        AmbiguousOffset::Fold { before, after } => bail!(
            "{option} {text}: the clocks of that zone showed this time twice; write {} or {}",
            before.to_timestamp(local)?,
            after.to_timestamp(local)?
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn berlin() -> TimeZone {
        TimeZone::get("Europe/Berlin").expect("a zone of every time zone database")
    }

    fn refused(text: &str, zone: Option<&TimeZone>) -> String {
        parse("--incident", text, zone)
            .expect_err("refused")
            .to_string()
    }

    #[test]
    fn a_time_that_names_its_zone_is_read() {
        let expected: Timestamp = "2026-11-18T09:58:00Z".parse().expect("a time");
        for text in [
            "2026-11-18T09:58:00Z",
            "2026-11-18 10:58+01:00",
            "2026-11-18T10:58[Europe/Berlin]",
        ] {
            assert_eq!(
                parse("--incident", text, None).expect(text),
                expected,
                "{text}"
            );
        }
        assert_eq!(
            parse("--incident", "2026-11-18 10:58", Some(&berlin())).expect("local"),
            expected
        );
    }

    #[test]
    fn local_time_without_a_zone_is_refused() {
        assert!(refused("2026-11-18 10:58", None).contains("--tz"));
    }

    #[test]
    fn an_hour_that_came_twice_or_never_is_refused() {
        let twice = refused("2026-10-25 02:30", Some(&berlin()));
        assert!(
            twice.contains("2026-10-25T00:30:00Z") && twice.contains("2026-10-25T01:30:00Z"),
            "{twice}"
        );
        assert!(refused("2026-03-29 02:30", Some(&berlin())).contains("skipped"));
        assert!(parse("--incident", "2026-10-25T02:30[Europe/Berlin]", None).is_err());
    }

    #[test]
    fn a_day_or_a_word_is_refused() {
        assert!(refused("2026-11-18", None).contains("hour"));
        assert!(refused("yesterday", None).contains("not a time"));
    }
}
