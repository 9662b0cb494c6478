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
use rdptriage::report::{Clock, collection_line, redact, unreadable_collection_line};
use rdptriage::rules::RuleSet;
use rdptriage::verdict::exit_status;

use super::args::DiagnoseArgs;
use super::format_name::FormatName;
use super::run::threads;
use super::summary::Summary;
use super::{FAILED, exit_code, output, rules, screen};

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
    summary: Summary,
    statuses: Vec<u8>,
    unreadable: usize,
    /// Why nothing more can be said: whoever reads has closed the pipe, or the list cannot be read on.
    stopped: Option<io::Error>,
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
    let mut said = fleet
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
    if said.summary.is_empty() {
        bail!(
            "{}: names no collection; write one path a line",
            list.display()
        );
    }
    if !args.quiet {
        let clock = Clock::new(args.tz.clone().unwrap_or(jiff::tz::TimeZone::UTC));
        let options = screen::for_terminal(&args.screen, clock);
        said.summary.sort();
        output::remark_styled(&said.summary.render(&options))?;
    }
    Ok(code(&said.statuses, said.unreadable, args.exit_zero))
}

/// The most serious of all; what could not be read leaves it open, and where nothing could, nothing was done.
fn code(statuses: &[u8], unreadable: usize, exit_zero: bool) -> ExitCode {
    if statuses.is_empty() {
        return FAILED.into();
    }
    let open = (unreadable > 0).then_some(exit_code::OPEN);
    let statuses: Vec<u8> = statuses.iter().copied().chain(open).collect();
    exit_code::most_serious(&statuses, exit_zero)
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
                for report in &reports {
                    said.summary.add(Some(&shown), report);
                }
            }
            Err(why) => {
                said.unreadable += 1;
                said.summary.add_unreadable(&shown, &why);
            }
        }
    }

    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
