//! The dates in a listing, which stand in the order of the system's language. A whole listing has one order: it is told from the dates
//! that can be read in one way only.

use jiff::civil::DateTime;

/// The order of day, month and year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// 2026-11-17, 2026/11/17.
    YearMonthDay,
    /// 17.11.2026, 17/11/2026.
    DayMonthYear,
    /// 11/17/2026.
    MonthDayYear,
}

impl Order {
    /// The order of a listing; none where no date tells, or dates contradict one another.
    pub(super) fn of(text: &str) -> Option<Order> {
        let mut told = None;
        for line in text.lines() {
            let Some((word, [first, second, third])) = line
                .split_whitespace()
                .take(2)
                .find_map(|word| Some((word, numbers(word)?)))
            else {
                continue;
            };
            let order = if first > 31 {
                Order::YearMonthDay
            } else if third < 1000 {
                continue;
            } else if word.contains('.') || first > 12 {
                Order::DayMonthYear
            } else if second > 12 {
                Order::MonthDayYear
            } else {
                continue;
            };
            if told.is_some_and(|told| told != order) {
                return None;
            }
            told = Some(order);
        }
        told
    }
}

/// The three numbers of a date.
fn numbers(word: &str) -> Option<[i16; 3]> {
    let separator = word.chars().find(|letter| !letter.is_ascii_digit())?;
    if !matches!(separator, '.' | '/' | '-') {
        return None;
    }
    let mut parts = word.trim_end_matches('.').split(separator);
    let mut next = || parts.next()?.parse::<i16>().ok();
    let date = [next()?, next()?, next()?];
    parts.next().is_none().then_some(date)
}

/// The date and time before a name.
pub(super) fn date_in(before: &str, order: Order) -> Option<DateTime> {
    let words: Vec<&str> = before.split_whitespace().collect();
    let (at, date) = words
        .iter()
        .take(2)
        .enumerate()
        .find_map(|(at, word)| Some((at, numbers(word)?)))?;
    let [first, second, third] = date;
    let (year, month, day) = match order {
        Order::YearMonthDay => (first, second, third),
        Order::DayMonthYear => (third, second, first),
        Order::MonthDayYear => (third, first, second),
    };
    let (hour, minute) = words.get(at + 1)?.split_once(':')?;
    let (hour, minute): (i8, i8) = (hour.parse().ok()?, minute.get(..2)?.parse().ok()?);
    let hour = match words.get(at + 2) {
        Some(&"PM") if hour < 12 => hour + 12,
        Some(&"AM") if hour == 12 => 0,
        _ => hour,
    };
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    DateTime::new(year, month, day, hour, minute, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Vec<String> {
        let order = Order::of(lines);
        let dates = lines.lines().map(|line| {
            let date = order.and_then(|order| date_in(line, order));
            date.map_or("none".to_owned(), |date| date.to_string())
        });
        dates.collect()
    }

    #[test]
    fn one_date_that_is_clear_tells_how_all_are_read() {
        assert_eq!(
            read("03/04/2026  09:45 AM  2,225\n11/17/2026  09:45 PM  2,225"),
            ["2026-03-04T09:45:00", "2026-11-17T21:45:00"]
        );
        assert_eq!(
            read("03/04/2026  09:45  2 225\n17/11/2026  21:45  2 225"),
            ["2026-04-03T09:45:00", "2026-11-17T21:45:00"]
        );
        assert_eq!(read("04.03.2026  09:45  2.225"), ["2026-03-04T09:45:00"]);
        assert_eq!(read("2026/03/04  09:45  2,225"), ["2026-03-04T09:45:00"]);
        assert_eq!(
            read("-a-hs-  17.11.2026  9:45  2225"),
            ["2026-11-17T09:45:00"]
        );
    }

    #[test]
    fn a_date_that_can_be_read_in_two_ways_is_none() {
        assert_eq!(read("03/04/2026  09:45  2 225"), ["none"]);
        // The United States write the month first, Australia and New Zealand the day: all of them write AM and PM.
        assert_eq!(read("03/04/2026  09:45 AM  2,225"), ["none"]);
        assert_eq!(
            read("17/11/2026  09:45\n11/17/2026  09:45"),
            ["none", "none"]
        );
        assert_eq!(read("1 File(s)  2,225 bytes"), ["none"]);
    }
}
