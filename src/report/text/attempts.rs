//! The spark line: how many attempts to connect succeeded and failed, over time.

use jiff::Timestamp;
use serde_json::Value;

use super::paper::{Ink, Paper};
use super::{count, thousands};
use crate::report::clock::Clock;
use crate::report::escape::Charset;
use crate::verdict::model::{FactEntry, Report};

/// How many locked-out clients are named; more are counted.
const MOST_CLIENTS: usize = 3;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// The stretches that a column may stand for.
const STEPS: &[(i64, &str)] = &[
    (MINUTE, "minute"),
    (5 * MINUTE, "5 minutes"),
    (15 * MINUTE, "15 minutes"),
    (30 * MINUTE, "30 minutes"),
    (HOUR, "hour"),
    (2 * HOUR, "2 hours"),
    (6 * HOUR, "6 hours"),
    (12 * HOUR, "12 hours"),
    (DAY, "day"),
    (7 * DAY, "week"),
    (28 * DAY, "4 weeks"),
    (364 * DAY, "52 weeks"),
];

/// What stands left of the columns: two spaces, the row's name, two spaces.
const LABEL: usize = 10;

/// No more columns than this, however wide the screen is.
const MOST_COLUMNS: usize = 96;

/// How an attempt of somebody who counts fared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::report) enum Fared {
    In,
    Failed,
}

pub(super) fn write(paper: &mut Paper, report: &Report, clock: &Clock) {
    let attempts = counted(report);
    let (Some(first), Some(last)) = (
        attempts.iter().map(|(time, _)| *time).min(),
        attempts.iter().map(|(time, _)| *time).max(),
    ) else {
        return bracket(paper, report, clock);
    };
    let room = paper.width().saturating_sub(LABEL).min(MOST_COLUMNS);
    let shift = clock.offset_seconds(last);
    let (from, to) = window(report, first.as_second(), last.as_second());
    let Some((step, step_name)) = STEPS
        .iter()
        .find(|(step, _)| columns_between(from + shift, to + shift, *step) <= room)
    else {
        return bracket(paper, report, clock);
    };
    let start = (from + shift).div_euclid(*step);
    let columns = columns_between(from + shift, to + shift, *step);

    let mut succeeded = vec![0_u64; columns];
    let mut failed = vec![0_u64; columns];
    for (time, fared) in &attempts {
        let column = (time.as_second() + shift).div_euclid(*step) - start;
        let row = match fared {
            Fared::In => &mut succeeded,
            Fared::Failed => &mut failed,
        };
        if let Some(cell) = usize::try_from(column)
            .ok()
            .and_then(|column| row.get_mut(column))
        {
            *cell += 1;
        }
    }
    let most = succeeded.iter().chain(&failed).copied().max().unwrap_or(0);
    let charset = paper.charset();

    paper.heading("Attempts", &remark(report, (from, to), step_name, clock));
    paper.line(
        2,
        &[
            (Ink::Good, "ok      "),
            (Ink::Good, &sparks(&succeeded, most, charset)),
        ],
    );
    paper.line(
        2,
        &[
            (Ink::Bad, "failed  "),
            (Ink::Bad, &sparks(&failed, most, charset)),
        ],
    );
    paper.line(
        LABEL,
        &[(Ink::Dim, &axis(start, columns, *step, clock, shift))],
    );
    marks(paper, report, clock);
}

/// Where there are no attempts to draw: the two moments alone, if they are known.
fn bracket(paper: &mut Paper, report: &Report, clock: &Clock) {
    let verdict = &report.verdict;
    if verdict.last_success.is_some() || verdict.first_failure.is_some() {
        paper.heading(
            "Attempts",
            &format!("state: {}; times in {}", verdict.state, clock.zone_name()),
        );
        marks(paper, report, clock);
    }
}

/// The attempts of those who count, by whether they got in. What is open is not drawn.
pub(in crate::report) fn counted(report: &Report) -> Vec<(Timestamp, Fared)> {
    report
        .facts
        .iter()
        .filter(|fact| fact.kind == "connection.attempt" && !is_stranger(fact))
        .filter_map(|fact| Some((fact.time.as_ref()?.parse().ok()?, fared(fact)?)))
        .collect()
}

pub(in crate::report) fn is_stranger(fact: &FactEntry) -> bool {
    fact.fields.get("stranger") == Some(&Value::Bool(true))
}

fn fared(fact: &FactEntry) -> Option<Fared> {
    let reached = fact.fields.get("reached").and_then(Value::as_str);
    match fact.fields.get("ended") {
        Some(Value::String(_)) => Some(Fared::Failed),
        _ if reached == Some("session") => Some(Fared::In),
        Some(Value::Null) => Some(Fared::In),
        _ => None,
    }
}

/// The stretch that is drawn: all of it, or, where something broke, as long before that as after it.
pub(in crate::report) fn window(report: &Report, first: i64, last: i64) -> (i64, i64) {
    let second = |time: &Option<String>| {
        let moment: Timestamp = time.as_ref()?.parse().ok()?;
        Some(moment.as_second())
    };
    let Some(broke) = second(&report.verdict.first_failure) else {
        return (first, last);
    };
    let worked = second(&report.verdict.last_success).unwrap_or(broke);
    let lead = (last - broke).clamp(6 * HOUR, 14 * DAY);
    (first.max(worked.min(broke) - lead).min(last), last)
}

fn columns_between(from: i64, to: i64, step: i64) -> usize {
    let columns = to.div_euclid(step) - from.div_euclid(step) + 1;
    usize::try_from(columns).unwrap_or(usize::MAX)
}

fn sparks(row: &[u64], most: u64, charset: Charset) -> String {
    let levels: &[char] = match charset {
        Charset::Unicode => &['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'],
        Charset::Ascii => &[':', '-', '=', '+', '*', '%', '#', '@'],
    };
    let nothing = match charset {
        Charset::Unicode => '·',
        Charset::Ascii => '.',
    };
    row.iter()
        .map(|value| match value {
            0 => nothing,
            // Any attempt shows: the lowest level is above nothing.
            _ => {
                let level = (value * levels.len() as u64).div_ceil(most.max(1)).max(1) - 1;
                levels
                    [usize::try_from(level).map_or(levels.len() - 1, |at| at.min(levels.len() - 1))]
            }
        })
        .collect()
}

/// Times below the columns, as many as stand apart.
fn axis(start: i64, columns: usize, step: i64, clock: &Clock, shift: i64) -> String {
    let (form, every): (&str, i64) = match step {
        ..HOUR => (
            "%H:%M",
            [HOUR, 2 * HOUR, 4 * HOUR, 6 * HOUR]
                .into_iter()
                .find(|every| every / step >= 8)
                .unwrap_or(12 * HOUR),
        ),
        HOUR..DAY => (
            "%m-%d",
            [DAY, 2 * DAY, 7 * DAY]
                .into_iter()
                .find(|every| every / step >= 8)
                .unwrap_or(14 * DAY),
        ),
        _ => ("%Y-%m-%d", step * 14),
    };
    let mut axis = String::new();
    for column in 0..columns {
        let local = (start + i64::try_from(column).unwrap_or(0)) * step;
        let taken = axis.chars().count();
        if local.rem_euclid(every) >= step || column < taken || (column == taken && column > 0) {
            continue;
        }
        let Ok(moment) = Timestamp::from_second(local - shift) else {
            continue;
        };
        let label = clock.moment(moment, form);
        if column + label.len() <= columns {
            axis.push_str(&" ".repeat(column - taken));
            axis.push_str(&label);
        }
    }
    axis
}

fn remark(report: &Report, (from, to): (i64, i64), step: &str, clock: &Clock) -> String {
    let day = |second: i64| {
        let moment = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
        clock.moment(moment, "%Y-%m-%d")
    };
    let days = match (day(from), day(to)) {
        (first, last) if first == last => first,
        (first, last) => format!("{first} to {last}"),
    };
    let strangers: u64 = report
        .connections
        .iter()
        .filter(|client| client.stranger)
        .map(|client| client.attempts)
        .fold(0, u64::saturating_add);
    let mut remark = format!("per {step}, {days} {}", clock.zone_name());
    if strangers > 0 {
        remark.push_str(&format!(
            "; {} by strangers not drawn",
            thousands(strangers)
        ));
    }
    remark
}

fn marks(paper: &mut Paper, report: &Report, clock: &Clock) {
    let verdict = &report.verdict;
    let mut pieces = Vec::new();
    if let Some(time) = &verdict.last_success {
        pieces.push(format!("last good {}", clock.short(time)));
    }
    if let Some(time) = &verdict.first_failure {
        pieces.push(format!(
            "first failure {}{}",
            clock.short(time),
            later(verdict.last_success.as_deref(), time)
        ));
    }
    pieces.extend(locked_out(report).map(|clients| format!("locked out: {clients}")));
    paper.pieces(2, Ink::Plain, &pieces);
}

/// Who is locked out, by name where they are few.
pub(in crate::report) fn locked_out(report: &Report) -> Option<String> {
    let clients: Vec<&str> = report
        .connections
        .iter()
        .filter(|client| !client.stranger && client.state == "locked-out")
        .map(|client| client.client.as_str())
        .collect();
    match clients.len() {
        0 => None,
        few if few <= MOST_CLIENTS => Some(clients.join(", ")),
        many => Some(count(many as u64, "client", "clients")),
    }
}

/// How long after the last success the first failure was, where that is short enough to matter.
fn later(success: Option<&str>, failure: &str) -> String {
    let gap = success
        .and_then(|success| success.parse::<Timestamp>().ok())
        .zip(failure.parse::<Timestamp>().ok())
        .map(|(success, failure)| failure.as_second() - success.as_second());
    match gap {
        Some(seconds @ 0..HOUR) => {
            format!(" ({} min {} s later)", seconds / MINUTE, seconds % MINUTE)
        }
        Some(seconds @ HOUR..DAY) => format!(
            " ({} h {} min later)",
            seconds / HOUR,
            seconds % HOUR / MINUTE
        ),
        _ => String::new(),
    }
}
