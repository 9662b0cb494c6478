//! `rdptriage diagnose --paths-from`: one collection a line in, one line of JSON each out, as they finish. What cannot be read
//! gives a line too, and never stops the rest; no more is in memory than the collections in work.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Write};
use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result, bail};
use rayon::ThreadPool;
use rdptriage::Options;
use rdptriage::contain::contain;
use rdptriage::report::{
    Clock, ListFormat, Listing, Room, collection_line, redact, unreadable_collection_line,
};
use rdptriage::rules::RuleSet;
use rdptriage::verdict::exit_status;
use rdptriage::verdict::model::{Report, Status};

use super::args::DiagnoseArgs;
use super::format_name::FormatName;
use super::run::threads;
use super::{FAILED, output, rules, screen};

/// Something is open.
const OPEN: u8 = 3;

type Lines = std::io::Split<Box<dyn BufRead + Send>>;

/// What several threads share.
struct Fleet<'f> {
    lines: Mutex<Lines>,
    said: Mutex<Said>,
    rules: &'f RuleSet,
    options: &'f Options,
    redacted: bool,
}

/// What was said so far.
#[derive(Default)]
struct Said {
    rows: Vec<Row>,
    statuses: Vec<u8>,
    unreadable: usize,
    /// Why nothing more can be said: whoever reads has closed the pipe, or the list cannot be read on.
    stopped: Option<io::Error>,
}

/// A row of the summary.
struct Row {
    path: String,
    cells: [String; 4],
}

pub(crate) fn run(args: &DiagnoseArgs, list: &Path, options: &Options) -> Result<ExitCode> {
    if !matches!(args.format, FormatName::Text | FormatName::Jsonl) {
        bail!("--paths-from answers in JSON Lines; leave --format out");
    }
    let rules = rules::set(args.rules.as_deref())?;
    let from: Box<dyn BufRead + Send> = match list == Path::new("-") {
        true => Box::new(BufReader::new(io::stdin())),
        false => Box::new(BufReader::new(
            File::open(list).with_context(|| format!("cannot read {}", list.display()))?,
        )),
    };
    let fleet = Fleet {
        lines: Mutex::new(from.split(b'\n')),
        said: Mutex::default(),
        rules: &rules,
        options,
        redacted: args.redact,
    };
    let pool = threads(args.jobs)?;
    std::thread::scope(|scope| {
        for _ in 0..pool.current_num_threads() {
            scope.spawn(|| while fleet.next(&pool) {});
        }
    });
    let said = fleet
        .said
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = said.stopped {
        // A reader that has seen enough is no failure.
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Ok(ExitCode::SUCCESS);
        }
        return Err(error).context("cannot go on");
    }
    if said.rows.is_empty() {
        bail!(
            "{}: names no collection; write one path a line",
            list.display()
        );
    }
    if !args.quiet {
        summary(args, said.rows)?;
    }
    Ok(code(&said.statuses, said.unreadable, args.exit_zero))
}

/// The most serious of all; what could not be read leaves it open, and where nothing could, nothing was done.
fn code(statuses: &[u8], unreadable: usize, exit_zero: bool) -> ExitCode {
    let some = |code: u8| statuses.contains(&code);
    match (statuses.is_empty(), exit_zero) {
        (true, _) => FAILED.into(),
        (false, true) => ExitCode::SUCCESS,
        (false, false) if some(1) => 1.into(),
        (false, false) if some(OPEN) || unreadable > 0 => OPEN.into(),
        (false, false) => ExitCode::SUCCESS,
    }
}

impl Fleet<'_> {
    /// Answers the next line; false where there is none.
    fn next(&self, pool: &ThreadPool) -> bool {
        if self.said().stopped.is_some() {
            return false;
        }
        let line = self
            .lines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .next();
        match line {
            None => false,
            Some(Err(error)) => {
                self.said().stopped = Some(error);
                false
            }
            Some(Ok(mut line)) => {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                if !line.is_empty() {
                    self.answer(&path(line), pool);
                }
                true
            }
        }
    }

    fn answer(&self, path: &Path, pool: &ThreadPool) {
        let shown = path.display().to_string();
        let inputs = [path.to_path_buf()];
        let diagnosed = pool.install(|| {
            contain(AssertUnwindSafe(|| {
                rdptriage::diagnose(&inputs, self.rules, self.options)
            }))
        });
        let outcome = match diagnosed {
            Ok(Ok(reports)) if self.redacted => Ok(redact(&reports)),
            Ok(Ok(reports)) => Ok(reports),
            Ok(Err(error)) => Err(error.to_string()),
            Err(panicked) => Err(panicked.to_string()),
        };
        let line = match &outcome {
            Ok(reports) => collection_line(&shown, reports),
            Err(why) => unreadable_collection_line(&shown, why),
        };
        let mut said = self.said();
        let mut out = io::stdout().lock();
        if let Err(error) = out.write_all(&line).and_then(|()| out.flush()) {
            said.stopped = Some(error);
        }
        match outcome {
            Ok(reports) => {
                said.statuses.push(exit_status(&reports));
                said.rows
                    .extend(reports.iter().map(|report| row(&shown, report)));
            }
            Err(why) => {
                let first = why.lines().next().unwrap_or_default().to_owned();
                said.unreadable += 1;
                said.rows.push(Row {
                    path: shown,
                    cells: [String::new(), "unreadable".to_owned(), first, String::new()],
                });
            }
        }
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn row(path: &str, report: &Report) -> Row {
    let verdict = &report.verdict;
    Row {
        path: path.to_owned(),
        cells: [
            report.host.name.clone().unwrap_or_default(),
            word(verdict.status).to_owned(),
            verdict.cause.clone().unwrap_or_default(),
            verdict.first_failure.clone().unwrap_or_default(),
        ],
    }
}

fn word(status: Status) -> &'static str {
    match status {
        Status::Confirmed => "confirmed",
        Status::Likely => "likely",
        Status::Possible => "possible",
        Status::Inconclusive => "inconclusive",
        Status::Healthy => "healthy",
    }
}

/// All hosts at a glance, beside the findings: by path, whatever finished first.
fn summary(args: &DiagnoseArgs, mut rows: Vec<Row>) -> Result<()> {
    rows.sort_by(|one, other| (&one.path, &one.cells).cmp(&(&other.path, &other.cells)));
    let mut list = Listing::new(&[
        ("collection", Room::Rest),
        ("host", Room::AtMost(20)),
        ("verdict", Room::Content),
        ("cause", Room::AtMost(34)),
        ("first failure", Room::AtMost(20)),
    ]);
    for Row { path, cells } in rows {
        list.row([vec![path], cells.to_vec()].concat());
    }
    let clock = Clock::new(args.tz.clone().unwrap_or(jiff::tz::TimeZone::UTC));
    let options = screen::for_terminal(&args.screen, clock);
    output::remark_styled(&list.render(ListFormat::Text, &options))
}

/// A path as the list's bytes name it.
#[cfg(unix)]
fn path(line: Vec<u8>) -> PathBuf {
    use std::os::unix::ffi::OsStringExt;
    OsString::from_vec(line).into()
}

/// A path as the list's text names it.
#[cfg(not(unix))]
fn path(line: Vec<u8>) -> PathBuf {
    OsString::from(String::from_utf8_lossy(&line).into_owned()).into()
}
