//! Files and problems as the report lists them.

use std::collections::BTreeMap;

use crate::bundle::{self, Artifact, Kind};
use crate::facts::log_coverage::CollectedLog;
use crate::facts::registry;
use crate::parse::event_log::{GapKind, LogSummary};
use crate::parse::hive::{Hive, Ignored, LogFormat, LogUse, Replay, State, Stop};
use crate::verdict::model::{ArtifactEntry, Problem, Silence};

/// How many problems of one file are listed one by one; the rest are counted.
const LISTED: usize = 50;

/// An artifact, with what was wrong with it.
#[derive(Clone)]
pub(super) struct Listed {
    entry: ArtifactEntry,
    pub problems: Vec<Problem>,
}

impl Listed {
    pub(super) fn of(artifact: &Artifact, problems: &[Problem]) -> Self {
        let coverage = match artifact.kind.not_used() {
            Some(reason) => format!("not used: {reason}"),
            None => match artifact.kind {
                // Nothing private is read of keys, and of master keys not even that.
                Kind::KeyFile => "its structure and public key",
                Kind::MasterKey => "its name",
                Kind::AclListing | Kind::FolderListing => "whole",
                Kind::RevocationList(_) => "whole; its signature is not checked",
                Kind::CollectionManifest => "its digests, listings and failed steps",
                Kind::CertificateListing => {
                    "as text: hashes, key containers and the days of validity"
                }
                Kind::RunningState => "as text: what ran, without a time",
                Kind::DiskImage(_) => "the files that matter",
                Kind::FileTable | Kind::ChangeJournal => "what it tells of key files",
                Kind::Program => "its version, where it is Remote Desktop's",
                Kind::Folder => "its permissions and list of files",
                Kind::Archive(_) => "opened: its files are listed by themselves",
                _ => "not read",
            }
            .to_owned(),
        };
        Listed {
            entry: ArtifactEntry {
                path: artifact.path.clone(),
                kind: artifact.kind.word().to_owned(),
                bytes: artifact.bytes,
                sha256: artifact.sha256.map(|digest| digest.to_string()),
                records: None,
                first: None,
                last: None,
                coverage,
                problems: Vec::new(),
                gaps: Vec::new(),
            },
            problems: problems.to_vec(),
        }
    }
}

/// What became of the files of one host.
pub(super) struct Used<'u> {
    pub logs: &'u [CollectedLog],
    pub hives: Vec<&'u registry::HiveFile>,
    /// Files whose hive is another, newer copy.
    pub certificates: Vec<&'u str>,
}

/// The list of files, each with what is covered and what was wrong, and all problems.
pub(super) fn artifacts(
    listed: Vec<Listed>,
    used: &Used<'_>,
    mut problems: Vec<Problem>,
) -> (Vec<ArtifactEntry>, Vec<Problem>) {
    let logs: BTreeMap<&str, &LogSummary> = used
        .logs
        .iter()
        .map(|log| (log.artifact.as_ref(), &log.summary))
        .collect();
    let mut entries = Vec::new();
    for Listed {
        mut entry,
        problems: own,
    } in listed
    {
        if let Some(summary) = logs.get(entry.path.as_str()) {
            entry.records = Some(summary.records);
            entry.gaps = silences(summary);
            entry.first = summary.span.map(|span| span.oldest.time.to_string());
            entry.last = summary.span.map(|span| span.newest.time.to_string());
            entry.coverage = log_coverage(summary).to_owned();
        } else if let Some(file) = used.hives.iter().find(|file| file.artifact == entry.path) {
            entry.last = file.hive.newest_write().map(|time| time.to_string());
            if let Some(hive) = file.hive.hive() {
                entry.coverage = hive_coverage(hive);
            }
        } else if used.certificates.contains(&entry.path.as_str()) {
            entry.coverage = "whole".to_owned();
        } else if entry.kind == "transaction log" {
            entry.coverage = transaction_log(&entry.path, &used.hives);
        }
        let parts = used.hives.iter().flat_map(|file| &file.parts);
        let parts: Vec<String> = parts
            .filter(|part| part.artifact == entry.path)
            .map(exported)
            .collect();
        if !parts.is_empty() {
            entry.coverage = format!("as text, without times: {}", parts.join("; "));
        }
        problems.extend(own);
        entries.push(entry);
    }
    problems.extend(used.hives.iter().copied().flat_map(lost_writes));
    problems.sort();
    problems.dedup();
    for entry in &mut entries {
        entry.problems = problems
            .iter()
            .filter(|problem| problem.artifact.as_deref() == Some(entry.path.as_str()))
            .map(|problem| match &problem.at {
                Some(at) => format!("{at}: {}", problem.message),
                None => problem.message.clone(),
            })
            .collect();
    }
    entries.sort_by(|one, other| one.path.cmp(&other.path));
    (entries, problems)
}

/// `CurrentControlSet\Control\Terminal Server and all below it`.
fn exported(part: &registry::Part) -> String {
    let key = match part.title.as_str() {
        "" => "the whole hive",
        path => path,
    };
    match part.is_whole {
        true => format!("{key} and all below it"),
        false => format!("what it shows of {key} and other keys"),
    }
}

fn hive_coverage(hive: &Hive) -> String {
    let applied = |replay: &Replay| {
        let logs: Vec<String> = replay.used.iter().map(applied).collect();
        let logs = logs.join(", then ");
        format!("{logs}; now at sequence number {}", replay.sequence)
    };
    let replay = hive.replay().filter(|replay| !replay.used.is_empty());
    match (hive.state(), replay) {
        (State::Clean, _) => "whole".to_owned(),
        (State::Replayed, Some(replay)) => format!("whole, replayed {}", applied(replay)),
        (State::Replayed, None) => "whole, transaction logs replayed".to_owned(),
        (State::Stale, Some(replay)) => {
            format!(
                "stale: replayed {}, and what may follow is missing",
                applied(replay)
            )
        }
        (State::Stale, None) => {
            "stale: its last writes are in transaction logs that are missing".to_owned()
        }
    }
}

/// `SYSTEM.LOG1 (24 entries, 2107 to 2130)`.
fn applied(log: &LogUse) -> String {
    let name = log.name.rsplit('/').next().unwrap_or(&log.name);
    let entries = match (log.format, log.entries) {
        (LogFormat::DirtyPages, _) => "dirty pages".to_owned(),
        (LogFormat::Entries, 1) => format!("1 entry, {}", log.last_sequence),
        (LogFormat::Entries, many) => {
            format!(
                "{many} entries, {} to {}",
                log.first_sequence, log.last_sequence
            )
        }
    };
    format!("{name} ({entries})")
}

/// What was done with a transaction log, and what ended it.
fn transaction_log(path: &str, hives: &[&registry::HiveFile]) -> String {
    let replays = || hives.iter().filter_map(|file| file.hive.hive()?.replay());
    let used = replays()
        .flat_map(|replay| &replay.used)
        .find(|log| log.name == path);
    if let Some(log) = used {
        let stopped = match &log.stopped {
            Some(stop) => format!("; stopped: {stop}"),
            None => String::new(),
        };
        return format!("replayed: {}{stopped}", applied(log));
    }
    let ignored = replays()
        .flat_map(|replay| &replay.ignored)
        .find(|(name, _)| name == path);
    match ignored {
        Some((_, why)) => format!("not used: {why}"),
        None => "with its hive".to_owned(),
    }
}

/// Writes that a hive's transaction logs held and that could not be brought into it.
fn lost_writes(file: &registry::HiveFile) -> Vec<Problem> {
    let Some(replay) = file.hive.hive().and_then(Hive::replay) else {
        return Vec::new();
    };
    let damaged = replay.used.iter().filter_map(|log| match &log.stopped {
        Some(stop @ Stop::Damaged { at, .. }) => Some(problem(
            &log.name,
            Some(format!("offset {at:#x}")),
            stop.to_string(),
        )),
        Some(Stop::Torn { .. }) | None => None,
    });
    let ignored = replay.ignored.iter().filter_map(|(name, why)| match why {
        Ignored::Clean | Ignored::Empty | Ignored::Older { .. } | Ignored::Superseded => None,
        Ignored::Read(_)
        | Ignored::NoHeader
        | Ignored::Dirty
        | Ignored::NotALog(_)
        | Ignored::Before
        | Ignored::Gap { .. }
        | Ignored::NoEntry => Some(problem(name, None, format!("not used: the log {why}"))),
    });
    damaged.chain(ignored).collect()
}

fn log_coverage(summary: &LogSummary) -> &'static str {
    if summary.records == 0 {
        "no record"
    } else if summary.is_selection() {
        "presence only: an export by query, or as text"
    } else if summary.is_whole() && summary.doubts.is_empty() {
        "whole"
    } else {
        "holed"
    }
}

/// What a log says nothing of, in the order of time; the longest where there are many.
fn silences(summary: &LogSummary) -> Vec<Silence> {
    let gaps = summary.gaps.iter().map(|gap| {
        let what = match gap.kind {
            GapKind::Selected => "records left out of the export",
            GapKind::Missing => "records missing from the copy",
        };
        (Some(gap.after), Some(gap.before), what.to_owned())
    });
    let holes = summary
        .holes
        .iter()
        .chain(&summary.doubts)
        .filter(|hole| hole.after.is_some() || hole.before.is_some())
        .map(|hole| (hole.after, hole.before, hole.what.clone()));
    let mut all: Vec<_> = gaps.chain(holes).collect();
    let length =
        |after: &Option<jiff::Timestamp>, before: &Option<jiff::Timestamp>| match (after, before) {
            (Some(after), Some(before)) => before.as_second() - after.as_second(),
            // Open at one end: as long as the log.
            _ => i64::MAX,
        };
    all.sort_by_key(|(after, before, _)| std::cmp::Reverse(length(after, before)));
    all.truncate(LISTED);
    all.sort_by_key(|(after, before, _)| (*after, *before));
    all.into_iter()
        .map(|(after, before, what)| Silence {
            after: after.map(|time| time.to_string()),
            before: before.map(|time| time.to_string()),
            what,
        })
        .collect()
}

/// One problem.
pub(super) fn problem(artifact: &str, at: Option<String>, message: String) -> Problem {
    Problem {
        artifact: Some(artifact.to_owned()),
        at,
        message,
    }
}

/// A problem of the host as a whole.
pub(super) fn problem_of_host(message: String) -> Problem {
    Problem {
        artifact: None,
        at: None,
        message,
    }
}

pub(super) fn bundle_problem(of: &bundle::Problem) -> Problem {
    problem(&of.path, None, of.trouble.to_string())
}

pub(super) fn hive_problem(of: registry::Problem) -> Problem {
    problem(&of.artifact, of.at, of.message)
}

pub(super) fn undecided(artifact: &Artifact) -> Problem {
    let message = "not used: it names no host and lies as near to one as to another; diagnose one host's folder at a time";
    problem(&artifact.path, None, message.to_owned())
}

/// More hosts than are told of.
pub(super) fn too_many_hosts(most: usize, left_out: usize) -> Problem {
    Problem {
        artifact: None,
        at: None,
        message: format!(
            "the files name {left_out} hosts more than the {most} that are told of; diagnose the folders of some hosts at a time"
        ),
    }
}

/// What is damaged or missing in a log, each with its place and what it hides.
pub(super) fn log_problems(artifact: &str, summary: &LogSummary) -> Vec<Problem> {
    let mut found = Vec::new();
    for hole in &summary.holes {
        let hides = match &hole.hides {
            Some(numbers) if numbers.start() == numbers.end() => {
                format!("; hides record {}", numbers.start())
            }
            Some(numbers) => format!("; hides records {} to {}", numbers.start(), numbers.end()),
            None => String::new(),
        };
        let at = format!("chunk {}, offset {:#x}", hole.chunk, hole.offset);
        found.push(problem(artifact, Some(at), format!("{}{hides}", hole.what)));
    }
    for doubt in &summary.doubts {
        let at = format!("chunk {}, offset {:#x}", doubt.chunk, doubt.offset);
        found.push(problem(artifact, Some(at), doubt.what.clone()));
    }
    for trouble in &summary.problems {
        let at = match trouble.chunk {
            Some(chunk) => format!("chunk {chunk}, offset {:#x}", trouble.offset),
            None => format!("offset {:#x}", trouble.offset),
        };
        found.push(problem(artifact, Some(at), trouble.what.clone()));
    }
    let more = found.len().saturating_sub(LISTED);
    if more > 0 {
        found.truncate(LISTED);
        found.push(problem(
            artifact,
            None,
            format!("and {more} more places that are damaged"),
        ));
    }
    found
}
