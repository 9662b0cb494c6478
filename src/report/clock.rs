//! Times as people read them, in the zone that they asked for.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The zone that times are shown in.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: TimeZone,
}

impl Clock {
    /// Shows times in this zone.
    #[must_use]
    pub fn new(zone: TimeZone) -> Self {
        Clock { zone }
    }

    /// The zone's name, for the head of a column.
    #[must_use]
    pub fn zone_name(&self) -> String {
        if self.zone == TimeZone::UTC {
            return "UTC".to_owned();
        }
        match self.zone.iana_name() {
            Some(name) => name.to_owned(),
            None => Timestamp::UNIX_EPOCH
                .to_zoned(self.zone.clone())
                .strftime("UTC%:z")
                .to_string(),
        }
    }

    /// `2026-11-18 09:57:12`; what is no time in RFC 3339 stays as it is.
    #[must_use]
    pub fn full(&self, time: &str) -> String {
        self.shown(time, "%Y-%m-%d %H:%M:%S")
    }

    /// `11-18 09:57:12`.
    #[must_use]
    pub fn short(&self, time: &str) -> String {
        self.shown(time, "%m-%d %H:%M:%S")
    }

    /// `2026-11-18`.
    #[must_use]
    pub fn day(&self, time: &str) -> String {
        self.shown(time, "%Y-%m-%d")
    }

    /// A moment in any form that `strftime` knows.
    #[must_use]
    pub fn moment(&self, time: Timestamp, form: &str) -> String {
        time.to_zoned(self.zone.clone()).strftime(form).to_string()
    }

    /// How many seconds local time is ahead of UTC then.
    #[must_use]
    pub fn offset_seconds(&self, time: Timestamp) -> i64 {
        i64::from(self.zone.to_offset(time).seconds())
    }

    fn shown(&self, time: &str, form: &str) -> String {
        match time.parse::<Timestamp>() {
            Ok(moment) => self.moment(moment, form),
            Err(_) => time.to_owned(),
        }
    }
}
