//! One file read: what is taken out of it, what was wrong with it, and its hash.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use crate::bundle::{Artifact, Bundle, Kind, Trouble, sha256};
use crate::contain::contain;
use crate::facts::event::{EventReader, LoggedEvent};
use crate::facts::forgery::{Forged, Forgery};
use crate::facts::grouping::{self, NameInLog, NameStanding, Says, Side};
use crate::facts::key_chain::KeyRecords;
use crate::facts::log_coverage::CollectedLog;
use crate::facts::registry::{ExportFile, HiveFile};
use crate::facts::revocation::{self, CollectedList};
use crate::facts::store::{self, Exported};
use crate::facts::watch;
use crate::parse::collection_manifest::CollectionManifest;
use crate::parse::event_log::{self, LogSummary};
use crate::verdict::model::Problem;

use super::entries::{self, hive_problem, log_problems};
use super::newest::{Kept, Newest};
use super::progress::{Counted, Remaining};
use super::{Hashing, Options};

/// The channel that a collector keeps the records of other machines in.
const FORWARDED: &str = "ForwardedEvents";
/// The most that is read of a manifest, in bytes: 100,000 key files take half of it.
const LARGEST_MANIFEST: u64 = 64 << 20;

/// What the client writes where somebody connects from.
const CLIENT_CHANNEL: &str = "Microsoft-Windows-TerminalServices-RDPClient/Operational";
/// What the service writes where somebody connects to.
const LISTENER_CHANNELS: [&str; 2] = [
    "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational",
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational",
];

/// What was taken out of a file.
pub(super) enum Content {
    Log(Box<Log>),
    Hive(Box<HiveFile>),
    Export(ExportFile),
    Certificates(Vec<Exported>, Vec<CollectedList>),
    Manifest(Box<CollectionManifest>),
    Records(Box<KeyRecords>),
    /// A transaction log, which its hive takes in, or what is not used or not readable.
    Nothing,
    /// It was read, and is read again when its host is in work: there was no room to keep it.
    LetGo,
}

pub(super) struct Log {
    pub collected: CollectedLog,
    pub events: Vec<LoggedEvent>,
    /// The computer that each event names, in a log of forwarded ones.
    computers: Vec<Arc<str>>,
}

impl Content {
    /// What it says of the host that it comes from.
    pub(super) fn says(&self) -> Says {
        match self {
            Content::Log(log) => log.says(),
            Content::Hive(hive) => hive.says(),
            Content::Export(file) => file.says(),
            Content::Certificates(..)
            | Content::Manifest(_)
            | Content::Records(_)
            | Content::Nothing
            | Content::LetGo => Says::Nothing,
        }
    }

    /// Which end of a connection it is from.
    pub(super) fn side(&self) -> Side {
        match self {
            Content::Log(log) => log.side(),
            Content::Hive(_)
            | Content::Export(_)
            | Content::Certificates(..)
            | Content::Manifest(_)
            | Content::Records(_)
            | Content::Nothing
            | Content::LetGo => Side::Either,
        }
    }

    /// About how many bytes it takes in memory.
    pub(super) fn weight(&self, artifact: &Artifact) -> u64 {
        match self {
            Content::Log(log) => {
                // With its own texts.
                (log.events.len() * size_of::<LoggedEvent>() * 5 / 4) as u64
            }
            Content::Hive(_) | Content::Export(_) | Content::Certificates(..) => artifact.bytes,
            // A manifest speaks of other files; of a file table only what concerns keys is kept.
            Content::Manifest(_) | Content::Records(_) | Content::Nothing | Content::LetGo => 0,
        }
    }
}

/// Reads a file and hashes it, both at the same time where a thread is free: the system reads it from the disk once.
pub(super) fn open(
    bundle: &Bundle,
    artifact: &Artifact,
    options: &Options,
    remaining: &Remaining<'_>,
) -> (Artifact, Content, Vec<Problem>) {
    let counted = |source| Counted { source, remaining };
    // Of an image only the files that matter are read, and each of them has its own digest.
    let hashing = match artifact.kind.is_read_in_part() {
        true => Hashing::Off,
        false => options.hashing,
    };
    // Held while it is read and hashed, so that what is packed is unpacked once for both.
    let held = match artifact.kind {
        Kind::DiskImage(_) => None,
        Kind::NotUsed(_) if artifact.sha256.is_some() => None,
        _ => artifact.open().ok(),
    };
    let (opened, digest) = match hashing {
        Hashing::Off => (contained(bundle, artifact, options, Some(remaining)), None),
        Hashing::Sha256 if artifact.sha256.is_some() => (
            contained(bundle, artifact, options, Some(remaining)),
            artifact.sha256.map(Ok),
        ),
        // Hashing is what takes the time, so it tells how far it is.
        Hashing::Sha256 => rayon::join(
            || contained(bundle, artifact, options, None),
            || Some(artifact.open().and_then(|source| sha256(&counted(source)))),
        ),
    };
    let (content, mut problems) = opened;
    if let Some(flaw) = held.as_ref().and_then(|source| source.flaw()) {
        problems.push(entries::problem(&artifact.path, None, flaw.to_owned()));
    }
    let mut artifact = artifact.clone();
    artifact.sha256 = None;
    match digest {
        Some(Ok(digest)) => artifact.sha256 = Some(digest),
        Some(Err(error)) => {
            let trouble = Trouble::UnreadableFile(error.to_string());
            problems.push(entries::problem(&artifact.path, None, trouble.to_string()));
        }
        None => {}
    }
    (artifact, content, problems)
}

/// Reads a file that was let go once more.
pub(super) fn again(bundle: &Bundle, artifact: &Artifact, options: &Options) -> Content {
    contained(bundle, artifact, options, None).0
}

fn contained(
    bundle: &Bundle,
    artifact: &Artifact,
    options: &Options,
    remaining: Option<&Remaining<'_>>,
) -> (Content, Vec<Problem>) {
    contain(AssertUnwindSafe(|| {
        read(bundle, artifact, options, remaining)
    }))
    .unwrap_or_else(|panicked| {
        let problem = entries::problem(&artifact.path, None, panicked.to_string());
        (Content::Nothing, vec![problem])
    })
}

fn read(
    bundle: &Bundle,
    artifact: &Artifact,
    options: &Options,
    remaining: Option<&Remaining<'_>>,
) -> (Content, Vec<Problem>) {
    match &artifact.kind {
        Kind::EventLog(_) => read_log(artifact, remaining),
        Kind::Hive(_) => match HiveFile::open(bundle, artifact) {
            Ok(hive) => (Content::Hive(Box::new(hive)), Vec::new()),
            Err(problem) => (Content::Nothing, vec![hive_problem(problem)]),
        },
        Kind::Certificate(_) | Kind::RevocationList(_) => {
            let mut opened = store::open([artifact], &options.pfx_passwords);
            let (lists, unread) = revocation::collected(artifact);
            opened.lists.extend(lists);
            let problems = opened.problems.into_iter().chain(unread).map(hive_problem);
            (
                Content::Certificates(opened.certificates, opened.lists),
                problems.collect(),
            )
        }
        Kind::CollectionManifest => read_manifest(artifact),
        Kind::RegistryExport => match ExportFile::open(artifact) {
            Ok(file) => {
                let problems = file.problems().into_iter().map(hive_problem).collect();
                (Content::Export(file), problems)
            }
            Err(problem) => (Content::Nothing, vec![hive_problem(problem)]),
        },
        Kind::FileTable | Kind::ChangeJournal => read_records(artifact, remaining),
        Kind::TransactionLog { hive: None } => {
            let lone = "a transaction log without its hive beside it: collect the hive as well";
            (
                Content::Nothing,
                vec![entries::problem(&artifact.path, None, lone.to_owned())],
            )
        }
        // Key files and listings are read together, once it is known whose they are.
        Kind::TransactionLog { hive: Some(_) }
        | Kind::KeyFile
        | Kind::MasterKey
        | Kind::AclListing
        | Kind::FolderListing
        | Kind::CertificateListing
        | Kind::RunningState
        | Kind::DiskImage(_)
        | Kind::Program
        | Kind::Folder
        | Kind::Archive(_)
        | Kind::NotUsed(_) => (Content::Nothing, Vec::new()),
    }
}

/// Why it cannot be read is told where its folders are asked for.
fn read_manifest(artifact: &Artifact) -> (Content, Vec<Problem>) {
    let read = artifact
        .open()
        .and_then(|source| source.read_all(LARGEST_MANIFEST));
    let content = match read.map(|bytes| CollectionManifest::parse(&bytes)) {
        Ok(Ok(manifest)) => Content::Manifest(Box::new(manifest)),
        Ok(Err(_)) | Err(_) => Content::Nothing,
    };
    (content, Vec::new())
}

fn read_records(artifact: &Artifact, remaining: Option<&Remaining<'_>>) -> (Content, Vec<Problem>) {
    let opened = artifact.open().map_err(|error| error.to_string());
    let read = opened.and_then(|source| match remaining {
        Some(remaining) => KeyRecords::read(artifact, &Counted { source, remaining }),
        None => KeyRecords::read(artifact, source.as_ref()),
    });
    let problem = |why: &str| entries::problem(&artifact.path, None, why.to_owned());
    match read {
        Ok(records) => {
            let problems = records.flaw().map(problem).into_iter().collect();
            (Content::Records(Box::new(records)), problems)
        }
        Err(why) => (Content::Nothing, vec![problem(&why)]),
    }
}

fn read_log(artifact: &Artifact, remaining: Option<&Remaining<'_>>) -> (Content, Vec<Problem>) {
    let name: Arc<str> = Arc::from(artifact.path.as_str());
    let mut newest = Newest::default();
    let mut reader = EventReader::new(&name);
    let mut forged = Forged::default();
    let summary = artifact
        .open()
        .map_err(|error| error.to_string())
        .and_then(|source| {
            // Of a torn record the fields may be wrong; the hole it stands in is named.
            let mut keep = |record: event_log::EventRecord| {
                if record.integrity == event_log::Integrity::Torn {
                    return;
                }
                if let Some(forgery) = Forgery::of(&record) {
                    forged.note(forgery, &record);
                    return;
                }
                if let Some(event) = reader.read(&record) {
                    let kind = (reader.word(&record.provider), record.event_id);
                    let computer = reader.word(&record.computer);
                    newest.add(kind, Kept { event, computer });
                }
            };
            let read = match remaining {
                Some(remaining) => {
                    event_log::read(&Counted { source, remaining }, &watch::wants, &mut keep)
                }
                None => event_log::read(source.as_ref(), &watch::wants, &mut keep),
            };
            read.map_err(|error| error.to_string())
        });
    match summary {
        Ok(summary) => {
            let mut problems = log_problems(&artifact.path, &summary);
            problems.extend(forged.told().map(|(first, what)| {
                entries::problem(&artifact.path, Some(format!("record {first}")), what)
            }));
            let (kept, left_out) = newest.finish();
            problems.extend(
                left_out.map(|left_out| entries::problem(&artifact.path, None, left_out.told())),
            );
            let (events, computers) = kept
                .into_iter()
                .map(|kept| (kept.event, kept.computer))
                .unzip();
            let mut log = Log {
                collected: CollectedLog {
                    artifact: name,
                    summary,
                    forged,
                    left_out_until: left_out.map(|left_out| left_out.until),
                },
                events,
                computers,
            };
            if !log.is_forwarded() {
                log.computers = Vec::new();
            }
            (Content::Log(Box::new(log)), problems)
        }
        Err(why) => (
            Content::Nothing,
            vec![entries::problem(&artifact.path, None, why)],
        ),
    }
}

/// Whether records of different hosts stand between one another. Damage may change a name, so that nothing is told from a damaged log.
fn take_turns(summary: &LogSummary) -> bool {
    if !(summary.holes.is_empty() && summary.doubts.is_empty()) {
        return false;
    }
    let mut hosts: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for (name, span) in &summary.computers {
        let (oldest, newest) = (span.oldest.order, span.newest.order);
        let host = hosts.entry(grouping::key(name)).or_insert((oldest, newest));
        *host = (host.0.min(oldest), host.1.max(newest));
    }
    let mut spans: Vec<(u64, u64)> = hosts.into_values().collect();
    spans.sort_unstable();
    spans
        .windows(2)
        .any(|pair| matches!(pair, [one, next] if next.0 < one.1))
}

impl Log {
    /// Its events with the computer that each names, where it is a log of forwarded ones.
    pub(super) fn by_computer(&self) -> impl Iterator<Item = (Option<&Arc<str>>, &LoggedEvent)> {
        let computers = self.computers.iter().map(Some);
        let computers = computers.chain(std::iter::repeat(None));
        computers.zip(&self.events)
    }

    fn side(&self) -> Side {
        let of = |channels: &[&str]| {
            let mut own = self.collected.summary.channels.keys();
            own.any(|own| {
                channels
                    .iter()
                    .any(|channel| own.eq_ignore_ascii_case(channel))
            })
        };
        match (of(&LISTENER_CHANNELS), of(&[CLIENT_CHANNEL])) {
            (true, _) => Side::Server,
            (false, true) => Side::Client,
            (false, false) => Side::Either,
        }
    }

    /// Whether it holds what several computers sent. Such records mostly keep the channel that they were written to, so that the name
    /// of the file tells, or that computers take turns in it: the names that one computer had follow one another (in all of 14 real logs
    /// with several names; an export of what was forwarded changes 73 times between eleven).
    fn is_forwarded(&self) -> bool {
        let CollectedLog {
            artifact, summary, ..
        } = &self.collected;
        let named = artifact
            .rsplit(['/', '\\'])
            .next()
            .is_some_and(|name| name.to_lowercase().contains("forwardedevents"));
        named || summary.channels.contains_key(FORWARDED) || take_turns(summary)
    }

    fn says(&self) -> Says {
        let summary = &self.collected.summary;
        if self.is_forwarded() {
            return Says::Forwarded(summary.computers.keys().cloned().collect());
        }
        let mut names: Vec<_> = summary.computers.iter().collect();
        names.sort_by_key(|(name, span)| (std::cmp::Reverse(span.newest.order), (*name).clone()));
        let is_doubtful = |span: &event_log::Span| {
            summary.doubts.iter().any(|doubt| {
                doubt.after.is_some_and(|after| after <= span.oldest.time)
                    && doubt
                        .before
                        .is_some_and(|before| span.newest.time <= before)
            })
        };
        let names: Vec<NameInLog> = names
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, span)| NameInLog {
                name: name.clone(),
                first: Some(span.oldest.time),
                last: Some(span.newest.time),
                standing: match is_doubtful(span) {
                    true => NameStanding::Doubtful,
                    false => NameStanding::Sound,
                },
            })
            .collect();
        match names.is_empty() {
            true => Says::Nothing,
            false => Says::Log(names),
        }
    }
}
