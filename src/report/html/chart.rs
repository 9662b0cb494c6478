//! The timeline as a picture: who got in, what failed, what changed, and what the logs cover. Everything is computed here; the
//! template only writes it down.

use jiff::Timestamp;

use crate::report::clock::Clock;
use crate::report::happening::{Happening, Happenings};
use crate::report::source::last_part;
use crate::report::text::attempts::{Fared, counted, window};
use crate::report::text::{count, thousands};
use crate::verdict::model::{ArtifactEntry, Change, Report};

const WIDTH: f64 = 960.0;
/// Where the plot begins and ends; the names of the rows stand left of it, their totals right.
const LEFT: f64 = 168.0;
const RIGHT: f64 = 892.0;
const COLUMNS: usize = 120;
const BAR_ROW: f64 = 40.0;
const LOG_ROW: f64 = 18.0;
const MOST_LOGS: usize = 10;
/// Changes beyond these are listed below the picture and not marked in it.
const MOST_MARKS: usize = 9;
const LONGEST_NAME: usize = 24;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// How far ticks may stand apart, and how they are written.
const TICKS: &[(i64, &str)] = &[
    (5 * MINUTE, "%H:%M"),
    (15 * MINUTE, "%H:%M"),
    (30 * MINUTE, "%H:%M"),
    (HOUR, "%H:%M"),
    (3 * HOUR, "%d %b %H:%M"),
    (6 * HOUR, "%d %b %H:%M"),
    (12 * HOUR, "%d %b %H:%M"),
    (DAY, "%d %b"),
    (2 * DAY, "%d %b"),
    (7 * DAY, "%d %b"),
    (14 * DAY, "%d %b %Y"),
    (28 * DAY, "%d %b %Y"),
    (91 * DAY, "%b %Y"),
    (364 * DAY, "%Y"),
    (3640 * DAY, "%Y"),
];
const MOST_TICKS: i64 = 7;

/// A picture, in the units of its view box.
#[derive(Debug, Default)]
pub(super) struct Chart {
    pub(super) height: String,
    pub(super) title: String,
    pub(super) description: String,
    pub(super) rects: Vec<Rect>,
    pub(super) lines: Vec<Line>,
    pub(super) labels: Vec<Label>,
}

#[derive(Debug)]
pub(super) struct Rect {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) width: String,
    pub(super) height: String,
    pub(super) class: &'static str,
    /// What it stands for, shown where the reader points at it.
    pub(super) hint: String,
}

#[derive(Debug)]
pub(super) struct Line {
    pub(super) x1: String,
    pub(super) y1: String,
    pub(super) x2: String,
    pub(super) y2: String,
    pub(super) class: &'static str,
}

#[derive(Debug)]
pub(super) struct Label {
    pub(super) x: String,
    pub(super) y: String,
    pub(super) anchor: &'static str,
    pub(super) class: &'static str,
    pub(super) text: String,
}

/// The stretch of time that is drawn, in seconds.
struct Scale {
    from: i64,
    to: i64,
}

impl Scale {
    fn x(&self, second: i64) -> f64 {
        let second = second.clamp(self.from, self.to);
        // Spans of seconds are far below what a double holds exactly.
        let share = (second - self.from) as f64 / (self.to - self.from).max(1) as f64;
        LEFT + share * (RIGHT - LEFT)
    }

    fn holds(&self, second: i64) -> bool {
        (self.from..=self.to).contains(&second)
    }

    fn column(&self, second: i64) -> Option<usize> {
        if !self.holds(second) {
            return None;
        }
        let columns = i128::try_from(COLUMNS).ok()?;
        let length = i128::from(self.to - self.from).max(1);
        let column = i128::from(second - self.from) * columns / length;
        Some(usize::try_from(column).ok()?.min(COLUMNS - 1))
    }
}

/// The picture of a report; none where nothing in it has a time.
pub(super) fn chart(report: &Report, changes: &[&Change], clock: &Clock) -> Option<Chart> {
    let attempts: Vec<(i64, Fared)> = counted(report)
        .into_iter()
        .map(|(time, fared)| (time.as_second(), fared))
        .collect();
    let of = |wanted: Fared| -> Vec<i64> {
        let times = attempts.iter().filter(|(_, fared)| *fared == wanted);
        times.map(|(time, _)| *time).collect()
    };
    let got_in = of(Fared::In);
    let failed = of(Fared::Failed);
    let errors = errors(report);
    let scale = scale(report, &[&got_in, &failed, &errors])?;

    let mut chart = Chart::default();
    let logs = logs(report, &scale);
    let rows: Vec<(&str, &'static str, &[i64])> = [
        ("got in", "in", got_in.as_slice()),
        ("failed attempts", "out", failed.as_slice()),
        ("errors logged", "error", errors.as_slice()),
    ]
    .into_iter()
    .filter(|(_, class, times)| !times.is_empty() || (*class != "error" && !attempts.is_empty()))
    .collect();

    let shows_moments = [&report.verdict.last_success, &report.verdict.first_failure]
        .into_iter()
        .filter_map(|time| second(time.as_ref()?))
        .any(|time| scale.holds(time));
    let top = if shows_moments { 44.0 } else { 10.0 };
    let mut y = top;
    for (name, class, times) in &rows {
        bars(&mut chart, &scale, y, name, class, times, clock);
        y += BAR_ROW;
    }
    let marked: Vec<(usize, i64)> = changes
        .iter()
        .enumerate()
        .filter_map(|(index, change)| Some((index + 1, second(&change.time)?)))
        .filter(|(_, time)| scale.holds(*time))
        .take(MOST_MARKS)
        .collect();
    if !marked.is_empty() {
        y += 6.0;
        change_marks(&mut chart, &scale, y, &marked);
        y += 24.0;
    }
    y += 10.0;
    for log in &logs {
        log_row(&mut chart, &scale, y, log, clock);
        y += LOG_ROW;
    }
    let hidden = log_count(report).saturating_sub(logs.len());
    axis(&mut chart, &scale, y + 4.0, top, clock);
    moments(&mut chart, report, &scale, y + 4.0, clock);
    chart.height = number(y + 30.0);
    chart.title = "Timeline of the incident".to_owned();
    chart.description = description(report, &scale, &rows, logs.len(), hidden, clock);
    Some(chart)
}

/// When something that concerns people's connections was logged as an error.
fn errors(report: &Report) -> Vec<i64> {
    let happenings = Happenings::of(report);
    report
        .facts
        .iter()
        .filter(|fact| fact.kind != "connection.attempt")
        .filter(|fact| happenings.kind(fact) == Happening::Failure && !happenings.is_noise(fact))
        .filter_map(|fact| second(fact.time.as_ref()?))
        .collect()
}

fn scale(report: &Report, rows: &[&[i64]]) -> Option<Scale> {
    let verdict = &report.verdict;
    let known = [&verdict.last_success, &verdict.first_failure]
        .into_iter()
        .filter_map(|time| second(time.as_ref()?));
    let all: Vec<i64> = rows
        .iter()
        .copied()
        .flatten()
        .copied()
        .chain(known)
        .collect();
    let end = report.host.as_of.as_deref().and_then(second);
    let (from, to) = match (all.iter().min(), all.iter().max()) {
        (Some(first), Some(last)) => {
            window(report, *first, end.map_or(*last, |end| end.max(*last)))
        }
        _ => {
            let [first, last] = report.host.collected.as_ref()?;
            (second(first)?, second(last)?)
        }
    };
    // A little room at both ends, so that nothing stands on the edge.
    let room = ((to - from) / 60).max(5 * MINUTE);
    Some(Scale {
        from: from.checked_sub(room)?,
        to: to.checked_add(room)?,
    })
}

fn bars(
    chart: &mut Chart,
    scale: &Scale,
    y: f64,
    name: &str,
    class: &'static str,
    times: &[i64],
    clock: &Clock,
) {
    let mut columns = [0_u64; COLUMNS];
    for column in times.iter().filter_map(|time| scale.column(*time)) {
        columns[column] += 1;
    }
    let shown: u64 = columns.iter().sum();
    let most = columns.iter().copied().max().unwrap_or(0).max(1);
    let base = y + BAR_ROW - 8.0;
    let wide = (RIGHT - LEFT) / COLUMNS as f64;
    for (index, number_of) in columns
        .iter()
        .enumerate()
        .filter(|(_, number)| **number > 0)
    {
        // Square roots keep a single attempt visible beside hundreds.
        let tall = ((*number_of as f64 / most as f64).sqrt() * (BAR_ROW - 12.0)).max(3.0);
        let begin = scale.from + (scale.to - scale.from) * index as i64 / COLUMNS as i64;
        chart.rects.push(Rect {
            x: number(LEFT + index as f64 * wide + 0.5),
            y: number(base - tall),
            width: number(wide - 1.0),
            height: number(tall),
            class,
            hint: format!(
                "{name}: {} from {}",
                thousands(*number_of),
                full(begin, clock)
            ),
        });
    }
    chart.lines.push(line(LEFT, base, RIGHT, base, "base"));
    chart.labels.push(label(
        LEFT - 12.0,
        base - 2.0,
        "end",
        "row",
        name.to_owned(),
    ));
    chart.labels.push(label(
        RIGHT + 8.0,
        base - 2.0,
        "start",
        "total",
        thousands(shown),
    ));
}

fn change_marks(chart: &mut Chart, scale: &Scale, y: f64, marked: &[(usize, i64)]) {
    chart.labels.push(label(
        LEFT - 12.0,
        y + 13.0,
        "end",
        "row",
        "what changed".to_owned(),
    ));
    let mut free = LEFT;
    for (index, time) in marked {
        let at = scale.x(*time);
        let x = (at - 8.0).max(free);
        free = x + 19.0;
        chart
            .lines
            .push(line(at, y - 6.0, x + 8.0, y + 1.0, "lead"));
        chart.rects.push(Rect {
            x: number(x),
            y: number(y + 1.0),
            width: number(17.0),
            height: number(17.0),
            class: "change",
            hint: format!("change {index}, see the list below"),
        });
        chart.labels.push(label(
            x + 8.5,
            y + 13.5,
            "middle",
            "change-number",
            index.to_string(),
        ));
    }
}

/// One log's row.
struct LogRow<'a> {
    artifact: &'a ArtifactEntry,
    first: i64,
    last: i64,
}

fn log_count(report: &Report) -> usize {
    let logs = report.artifacts.iter();
    logs.filter(|artifact| artifact.kind == "event log").count()
}

fn logs<'a>(report: &'a Report, scale: &Scale) -> Vec<LogRow<'a>> {
    let mut rows: Vec<LogRow<'a>> = report
        .artifacts
        .iter()
        .filter(|artifact| artifact.kind == "event log")
        .filter_map(|artifact| {
            Some(LogRow {
                artifact,
                first: second(artifact.first.as_ref()?)?,
                last: second(artifact.last.as_ref()?)?,
            })
        })
        .filter(|row| row.first <= scale.to && row.last >= scale.from)
        .collect();
    // Those that matter here first: Remote Desktop's own, System and Security.
    let weight = |path: &str| {
        let name = last_part(path).to_lowercase();
        let known = [
            "rdpcorets",
            "remoteconnectionmanager",
            "localsessionmanager",
            "system",
            "security",
        ];
        known
            .iter()
            .position(|part| name.contains(part))
            .unwrap_or(known.len())
    };
    rows.sort_by_key(|row| (weight(&row.artifact.path), row.artifact.path.clone()));
    rows.truncate(MOST_LOGS);
    rows
}

fn log_row(chart: &mut Chart, scale: &Scale, y: f64, row: &LogRow<'_>, clock: &Clock) {
    let mut bar = |from: i64, to: i64, class: &'static str, hint: String| {
        let (begin, end) = (scale.x(from), scale.x(to));
        chart.rects.push(Rect {
            x: number(begin),
            y: number(y + 4.0),
            width: number((end - begin).max(1.5)),
            height: number(8.0),
            class,
            hint,
        });
    };
    let artifact = row.artifact;
    let span = format!(
        "{}: {} to {}, {}",
        last_part(&artifact.path),
        full(row.first, clock),
        full(row.last, clock),
        artifact.coverage
    );
    let proves_presence_only = artifact.coverage.starts_with("presence");
    bar(row.first, row.last, "log", span);
    if proves_presence_only && artifact.gaps.is_empty() {
        bar(row.first, row.last, "gap", artifact.coverage.clone());
    }
    for gap in &artifact.gaps {
        let edge = |time: &Option<String>, open: i64| match time {
            Some(time) => second(time).unwrap_or(open),
            None => open,
        };
        let (from, to) = (edge(&gap.after, row.first), edge(&gap.before, row.last));
        if to >= scale.from && from <= scale.to {
            bar(from, to, "gap", gap.what.clone());
        }
    }
    chart.labels.push(label(
        LEFT - 12.0,
        y + 11.5,
        "end",
        "log-name",
        log_name(&artifact.path),
    ));
}

/// `RdpCoreTS`: the file's name without what all of them share.
fn log_name(path: &str) -> String {
    let mut name = last_part(path);
    for end in [".evtx", "%4Operational", "%4Admin"] {
        name = name.strip_suffix(end).unwrap_or(name);
    }
    for start in [
        "Microsoft-Windows-",
        "TerminalServices-",
        "RemoteDesktopServices-",
    ] {
        name = name.strip_prefix(start).unwrap_or(name);
    }
    match name.chars().count() {
        0..=LONGEST_NAME => name.to_owned(),
        _ => name.chars().take(LONGEST_NAME - 1).chain(['…']).collect(),
    }
}

/// Ticks below everything.
fn axis(chart: &mut Chart, scale: &Scale, y: f64, top: f64, clock: &Clock) {
    chart.lines.push(line(LEFT, y, RIGHT, y, "axis"));
    let length = scale.to - scale.from;
    let (step, form) = TICKS
        .iter()
        .find(|(step, _)| length / step <= MOST_TICKS)
        .or(TICKS.last())
        .copied()
        .unwrap_or((DAY, "%d %b"));
    let shift = Timestamp::from_second(scale.from).map_or(0, |time| clock.offset_seconds(time));
    let mut local = (scale.from + shift).div_euclid(step) * step + step;
    // Never many: the last step is ten years.
    for _ in 0..1000 {
        let time = local - shift;
        if time > scale.to {
            break;
        }
        if let Ok(moment) = Timestamp::from_second(time) {
            let x = scale.x(time);
            chart.lines.push(line(x, top - 8.0, x, y + 4.0, "tick"));
            chart.labels.push(label(
                x,
                y + 17.0,
                "middle",
                "tick-label",
                clock.moment(moment, form),
            ));
        }
        local += step;
    }
}

/// The two moments that the verdict turns on.
fn moments(chart: &mut Chart, report: &Report, scale: &Scale, bottom: f64, clock: &Clock) {
    let verdict = &report.verdict;
    let success = verdict.last_success.as_deref().and_then(second);
    let failure = verdict.first_failure.as_deref().and_then(second);
    for (time, name, class, row) in [
        (success, "last success", "last-success", 14.0),
        (failure, "first failure", "first-failure", 30.0),
    ] {
        let Some(time) = time.filter(|time| scale.holds(*time)) else {
            continue;
        };
        let x = scale.x(time);
        chart.lines.push(line(x, row + 4.0, x, bottom, class));
        let text = format!("{name} {}", full(time, clock));
        let (anchor, beside) = match x > (LEFT + RIGHT) / 2.0 {
            true => ("end", x - 5.0),
            false => ("start", x + 5.0),
        };
        chart.labels.push(label(beside, row, anchor, class, text));
    }
}

fn description(
    report: &Report,
    scale: &Scale,
    rows: &[(&str, &'static str, &[i64])],
    logs: usize,
    hidden: usize,
    clock: &Clock,
) -> String {
    let within = |times: &[i64]| times.iter().filter(|time| scale.holds(**time)).count() as u64;
    let mut pieces: Vec<String> = rows
        .iter()
        .map(|(name, _, times)| format!("{name}: {}", thousands(within(times))))
        .collect();
    let strangers: u64 = report
        .connections
        .iter()
        .filter(|connection| connection.stranger)
        .map(|connection| connection.attempts)
        .fold(0, u64::saturating_add);
    if strangers > 0 {
        pieces.push(format!(
            "{} by strangers not drawn",
            count(strangers, "attempt", "attempts")
        ));
    }
    if logs > 0 {
        pieces.push("grey bars: what each log covers, hatched where it has gaps".to_owned());
    }
    if hidden > 0 {
        pieces.push(format!("{hidden} more logs in the list of files"));
    }
    format!(
        "{} to {} {}. {}.",
        full(scale.from, clock),
        full(scale.to, clock),
        clock.zone_name(),
        pieces.join("; ")
    )
}

fn full(second: i64, clock: &Clock) -> String {
    let time = Timestamp::from_second(second).unwrap_or(Timestamp::UNIX_EPOCH);
    clock.moment(time, "%Y-%m-%d %H:%M:%S")
}

fn second(time: impl AsRef<str>) -> Option<i64> {
    let time: Timestamp = time.as_ref().parse().ok()?;
    Some(time.as_second())
}

fn line(x1: f64, y1: f64, x2: f64, y2: f64, class: &'static str) -> Line {
    Line {
        x1: number(x1),
        y1: number(y1),
        x2: number(x2),
        y2: number(y2),
        class,
    }
}

fn label(x: f64, y: f64, anchor: &'static str, class: &'static str, text: String) -> Label {
    Label {
        x: number(x),
        y: number(y),
        anchor,
        class,
        text: super::clean(&text),
    }
}

/// One decimal is finer than a screen shows.
fn number(value: f64) -> String {
    format!("{value:.1}")
}

/// How wide the view box is.
pub(super) fn width() -> String {
    number(WIDTH)
}
