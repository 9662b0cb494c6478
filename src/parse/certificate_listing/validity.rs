//! The days at which a listed certificate begins and ends, as far as they can be told.
//!
//! They stand in the order of the machine's language and in its time zone, and neither is named. A day is therefore kept with every
//! reading that its listing leaves open, and a reading with the hours that the time zones of the world lie apart: what is said of it
//! holds whichever is right. What would have to be guessed is not said.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

/// A moment that lies between two others, both included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Between {
    /// Not before this.
    pub earliest: Timestamp,
    /// Not after this.
    pub latest: Timestamp,
}

/// Local time is at most 14 hours ahead of UTC and 12 behind, and an hour more where summer time was taken for winter time.
const AHEAD: SignedDuration = SignedDuration::from_hours(15);
const BEHIND: SignedDuration = SignedDuration::from_hours(13);
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Certificates of Windows begin and end within these years. Other calendars count otherwise: 2026 is 2569 in Thailand and 1447 or 1448
/// in Saudi Arabia.
const YEARS: std::ops::Range<i16> = 1990..2400;

/// A day as it was printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PrintedDay {
    /// 2026-11-17, 2026/11/17: the year stands first only where the month follows it.
    YearFirst(Date),
    /// 17.11.2026: with dots nobody puts the month first.
    DayFirst(Date),
    /// 17/11/2026, 11/17/2026, 17-11-2026.
    YearLast { first: i8, second: i8, year: i16 },
}

/// Which of day and month comes first in a listing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Day,
    Month,
    /// No day tells.
    Either,
    /// Days contradict one another: the listing is put together of several, or is no listing.
    Neither,
}

impl PrintedDay {
    /// The day that a text begins with; what follows it, the time, is left aside.
    pub(super) fn at_start_of(text: &str) -> Option<Self> {
        let is_mark = |letter: char| matches!(letter, '\u{200e}' | '\u{200f}');
        let text =
            text.trim_start_matches(|letter: char| letter.is_whitespace() || is_mark(letter));
        let mut rest = text;
        let mut numbers = [0_i16; 3];
        let mut separators = [' '; 2];
        let mut digits = [0; 3];
        for at in 0..3 {
            let length = rest.bytes().take_while(u8::is_ascii_digit).count();
            let (number, after) = rest.split_at_checked(length)?;
            *numbers.get_mut(at)? = number.parse().ok()?;
            *digits.get_mut(at)? = length;
            rest = after;
            if let Some(separator) = separators.get_mut(at) {
                rest = rest.trim_start_matches(is_mark);
                *separator = rest.chars().next()?;
                // Hungarian and Czech put a space behind the dot.
                rest = rest
                    .get(1..)?
                    .trim_start_matches([' ', '\u{200e}', '\u{200f}']);
            }
        }
        let [one, other] = separators;
        let ends_there = !rest.starts_with(|letter: char| letter.is_alphanumeric());
        if one != other || !matches!(one, '.' | '/' | '-') || !ends_there {
            return None;
        }
        let small = |number: i16| i8::try_from(number).ok();
        let [first, second, third] = numbers;
        match digits {
            [4, 1..=2, 1..=2] => date(first, second, third).map(PrintedDay::YearFirst),
            [1..=2, 1..=2, 4] if one == '.' => date(third, second, first).map(PrintedDay::DayFirst),
            [1..=2, 1..=2, 4] => Some(PrintedDay::YearLast {
                first: small(first)?,
                second: small(second)?,
                year: third,
            }),
            _ => None,
        }
    }

    /// Every day that it may be.
    fn readings(self, order: Order) -> Vec<Date> {
        match self {
            PrintedDay::YearFirst(date) | PrintedDay::DayFirst(date) => vec![date],
            PrintedDay::YearLast {
                first,
                second,
                year,
            } => {
                let by_day = matches!(order, Order::Day | Order::Either);
                let by_month = matches!(order, Order::Month | Order::Either);
                let (first, second) = (i16::from(first), i16::from(second));
                let day = by_day.then(|| date(year, second, first)).flatten();
                let month = by_month.then(|| date(year, first, second)).flatten();
                day.into_iter().chain(month).collect()
            }
        }
    }

    /// The time that the day takes up, in whatever order and time zone.
    pub(super) fn between(self, order: Order) -> Option<Between> {
        let readings = self.readings(order);
        let (first, last) = (readings.iter().min()?, readings.iter().max()?);
        let midnight = |date: &Date| Some(date.to_zoned(TimeZone::UTC).ok()?.timestamp());
        Some(Between {
            earliest: midnight(first)?.checked_sub(AHEAD).ok()?,
            latest: midnight(last)?.checked_add(DAY + BEHIND).ok()?,
        })
    }
}

impl Order {
    /// The order of a listing whose certificates begin and end at these days.
    pub(super) fn of(
        days: impl IntoIterator<Item = (Option<PrintedDay>, Option<PrintedDay>)>,
    ) -> Order {
        let (mut day, mut month) = (true, true);
        for (begins, ends) in days {
            for order in [Order::Day, Order::Month] {
                let reading = |printed: Option<PrintedDay>| {
                    printed.map(|printed| printed.readings(order).first().copied())
                };
                let possible = match (reading(begins), reading(ends)) {
                    (Some(Some(begins)), Some(Some(ends))) => begins <= ends,
                    (begins, ends) => begins != Some(None) && ends != Some(None),
                };
                match order {
                    Order::Day => day &= possible,
                    _ => month &= possible,
                }
            }
        }
        match (day, month) {
            (true, true) => Order::Either,
            (true, false) => Order::Day,
            (false, true) => Order::Month,
            (false, false) => Order::Neither,
        }
    }
}

fn date(year: i16, month: i16, day: i16) -> Option<Date> {
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    Date::new(year, month, day)
        .ok()
        .filter(|date| YEARS.contains(&date.year()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(begins: &str, ends: &str) -> (Option<PrintedDay>, Option<PrintedDay>) {
        (
            PrintedDay::at_start_of(begins),
            PrintedDay::at_start_of(ends),
        )
    }

    fn ends(listing: &[(&str, &str)], at: usize) -> Option<(String, String)> {
        let order = Order::of(listing.iter().map(|(begins, ends)| days(begins, ends)));
        let between = PrintedDay::at_start_of(listing[at].1)?.between(order)?;
        Some((between.earliest.to_string(), between.latest.to_string()))
    }

    fn span(first: &str, last: &str) -> Option<(String, String)> {
        Some((format!("{first}:00:00Z"), format!("{last}:00:00Z")))
    }

    #[test]
    fn a_day_above_twelve_settles_the_order_of_the_whole_listing() {
        let french = [
            ("02/11/2026 06:10", "04/05/2027 06:10"),
            ("17/11/2026 06:10", "18/05/2027 06:10"),
        ];
        assert_eq!(ends(&french, 0), span("2027-05-03T09", "2027-05-05T13"));
        let american = [
            ("11/2/2026 6:10 AM", "5/4/2027 6:10 AM"),
            ("1/31/2026 6:10 AM", "8/1/2026 6:10 AM"),
        ];
        assert_eq!(ends(&american, 0), span("2027-05-03T09", "2027-05-05T13"));
    }

    #[test]
    fn a_day_that_can_be_read_in_two_ways_is_both() {
        let one = [("11/2/2026 6:10 AM", "5/4/2027 6:10 AM")];
        assert_eq!(ends(&one, 0), span("2027-04-04T09", "2027-05-05T13"));
        let one = [("09/11/2026", "05/05/2026")];
        assert_eq!(ends(&one, 0), None, "either way it ends before it begins");
        // Read with the month first, the second one would end before it begins.
        let one = [("02/12/2026", "10/12/2026"), ("05/11/2026", "01/12/2026")];
        assert_eq!(ends(&one, 1), span("2026-11-30T09", "2026-12-02T13"));
    }

    #[test]
    fn other_forms_have_one_reading() {
        for (begins, text) in [
            ("02.11.2026 06:10", "04.05.2027 06:10:00"),
            ("2. 11. 2026", "4. 5. 2027 6:10"),
            ("2026/11/02 6:10", "2027/05/04 6:10"),
            ("2026. 11. 02. 6:10", "2027. 05. 04. 6:10"),
            ("2026-11-02 오전 6:10", "2027-05-04 오전 6:10"),
            (
                "\u{200e}2026/11/02",
                "\u{200e}2027/\u{200f}05/04\u{200f} 6:10",
            ),
            ("2.11.2026 г. 6:10", "4.5.2027 г. 6:10"),
        ] {
            let read = ends(&[(begins, text)], 0);
            assert_eq!(read, span("2027-05-03T09", "2027-05-05T13"), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_or_of_another_calendar_is_none() {
        for text in [
            "",
            "04.05.27 06:10",
            "04/05/2570 06:10",
            "1448/05/04",
            "2.5.4.97=NTR",
            "5/4",
            "5/4-2027",
            "31/02/2027x",
            "2027/13/04",
            "٠٤/٠٥/٢٠٢٧",
            "令和9年5月4日",
        ] {
            let day = PrintedDay::at_start_of(text);
            assert_eq!(
                day.and_then(|day| day.between(Order::Either)),
                None,
                "{text}"
            );
        }
        let contradicting = [("17/11/2026", "11/17/2027")];
        assert_eq!(ends(&contradicting, 0), None);
    }
}
