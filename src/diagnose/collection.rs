//! Every file read, and given to its host.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use rayon::prelude::*;

use crate::bundle::{self, Artifact, Bundle, Kind, Trouble, sha256};
use crate::contain::contain;
use crate::facts::client_report;
use crate::facts::event::LoggedEvent;
use crate::facts::forgery::{Forged, Forgery};
use crate::facts::grouping::{self, File, NameInLog, Says, Side};
use crate::facts::key_chain::KeyRecords;
use crate::facts::log_coverage::CollectedLog;
use crate::facts::registry::{self, ExportFile, HiveFile};
use crate::facts::revocation::{self, CollectedList};
use crate::facts::store::{Exported, exported_with};
use crate::facts::watch;
use crate::parse::collection_manifest::{CollectionManifest, Failure};
use crate::parse::event_log::{self, Hole};
use crate::verdict::model::Problem;

use super::entries::{self, hive_problem, log_problems};
use super::manifest;
use super::progress::{Counted, Progress, Remaining};
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

/// How many hosts are told of. A log of forwarded events may name any number.
const MOST_HOSTS: usize = 2000;

/// Every file of the input, read.
pub(super) struct Collection {
    files: Vec<Opened>,
    /// What concerns no file of a host: unreadable folders, links.
    problems: Vec<Problem>,
    /// What could not be opened, for whoever asks whether a folder was seen whole.
    unread: Vec<bundle::Problem>,
    /// Files that are not what was collected, by a manifest's digests.
    altered: BTreeSet<String>,
}

/// One file, read.
struct Opened {
    artifact: Artifact,
    content: Content,
    problems: Vec<Problem>,
}

enum Content {
    Log(Box<Log>),
    Hive(Box<HiveFile>),
    Certificates(Vec<Exported>, Vec<CollectedList>),
    Manifest(Box<CollectionManifest>),
    Export(ExportFile),
    Records(Box<KeyRecords>),
    /// A transaction log, which its hive takes in, or what is not used or not readable.
    Nothing,
}

struct Log {
    collected: CollectedLog,
    /// With the computer that each names.
    events: Vec<(Arc<str>, LoggedEvent)>,
}

/// The files of one host.
pub(super) struct HostFiles {
    pub name: Option<String>,
    pub aliases: Vec<String>,
    pub logs: Vec<CollectedLog>,
    pub events: Vec<LoggedEvent>,
    pub hives: Vec<HiveFile>,
    /// Exports of its registry, until they are joined with its hives.
    exports: Vec<ExportFile>,
    pub certificates: Vec<Exported>,
    pub revocation_lists: Vec<CollectedList>,
    /// Its files that are not what was collected, by the digests in the collection's manifest.
    pub altered: BTreeSet<String>,
    /// What the script that collected could not.
    pub failures: Vec<Failure>,
    /// What its file system recorded of keys.
    pub file_system: Vec<KeyRecords>,
    /// Its files as they lie in the collection, and what of the input could not be opened: what is known of key folders.
    pub collected: Vec<Artifact>,
    pub unread: Vec<bundle::Problem>,
    /// Every artifact of this host, with what was wrong with it.
    pub artifacts: Vec<entries::Listed>,
    pub problems: Vec<Problem>,
}

impl Collection {
    /// Reads every file, several at once, and hashes it.
    pub(super) fn read(bundle: Bundle, options: &Options, progress: &dyn Progress) -> Self {
        let files = bundle
            .artifacts
            .par_iter()
            .map(|artifact| {
                let remaining = Remaining::new(progress, &artifact.path, artifact.bytes_to_read());
                open(&bundle, artifact, options, &remaining)
            })
            .collect();
        let problems = bundle
            .problems
            .iter()
            .filter(|problem| bundle.artifact(&problem.path).is_none())
            .map(entries::bundle_problem)
            .collect();
        let mut collection = Collection {
            files,
            problems,
            unread: bundle.problems.clone(),
            altered: BTreeSet::new(),
        };
        for file in &mut collection.files {
            let own = bundle
                .problems
                .iter()
                .filter(|problem| problem.path == file.artifact.path);
            file.problems.splice(0..0, own.map(entries::bundle_problem));
        }
        collection.check_manifests();
        collection
    }

    /// Holds the files against the manifests of their collections.
    fn check_manifests(&mut self) {
        let manifests = self.files.iter().filter_map(|file| match &file.content {
            Content::Manifest(manifest) => Some((&file.artifact, manifest)),
            _ => None,
        });
        let here = manifest::by_path(self.files.iter().map(|file| &file.artifact));
        let checked: Vec<_> = manifests
            .map(|(at, read)| manifest::check(&at.path, read, &here))
            .collect();
        for found in checked {
            for file in &mut self.files {
                let own = |problem: &&Problem| {
                    problem.artifact.as_deref() == Some(file.artifact.path.as_str())
                };
                file.problems
                    .extend(found.problems.iter().filter(own).cloned());
                if let Content::Log(log) = &mut file.content
                    && found.altered.contains(&file.artifact.path)
                {
                    log.collected.summary.holes.push(Hole {
                        chunk: 0,
                        offset: 0,
                        length: 0,
                        hides: None,
                        after: None,
                        before: None,
                        what: "the file is not what was collected".to_owned(),
                    });
                }
            }
            self.altered.extend(found.altered);
        }
    }

    /// Gives every file to its host; what cannot be told is listed with each.
    pub(super) fn hosts(&mut self) -> Vec<HostFiles> {
        let said: Vec<File> = self.files.iter().map(Opened::file).collect();
        let grouping = grouping::group(&said);
        let undecided: BTreeSet<usize> = grouping.undecided.iter().copied().collect();
        let mut shared: BTreeMap<usize, usize> = BTreeMap::new();
        for file in grouping.hosts.iter().flat_map(|host| &host.files) {
            *shared.entry(*file).or_default() += 1;
        }
        let several = grouping.hosts.len() > 1;
        let (told, left_out) = told_of(grouping.hosts, &shared, MOST_HOSTS);
        if left_out > 0 {
            self.problems
                .push(entries::too_many_hosts(MOST_HOSTS, left_out));
        }
        let mut hosts = Vec::new();
        for host in told {
            let mut files = HostFiles {
                name: host.name,
                aliases: host.aliases,
                logs: Vec::new(),
                events: Vec::new(),
                hives: Vec::new(),
                exports: Vec::new(),
                certificates: Vec::new(),
                revocation_lists: Vec::new(),
                altered: BTreeSet::new(),
                failures: Vec::new(),
                file_system: Vec::new(),
                collected: Vec::new(),
                unread: self.unread.clone(),
                artifacts: Vec::new(),
                problems: self.problems.clone(),
            };
            for index in host.files.into_iter().chain(undecided.iter().copied()) {
                let Some(file) = self.files.get_mut(index) else {
                    continue;
                };
                files
                    .artifacts
                    .push(entries::Listed::of(&file.artifact, &file.problems));
                if undecided.contains(&index) {
                    if several && file.artifact.kind.is_evidence() {
                        files.problems.push(entries::undecided(&file.artifact));
                    }
                    continue;
                }
                if self.altered.contains(&file.artifact.path) {
                    files.altered.insert(file.artifact.path.clone());
                }
                files.collected.push(file.artifact.clone());
                file.give(&mut files, shared.get(&index).copied().unwrap_or(1) > 1);
            }
            files.join_exports();
            hosts.push(files);
        }
        hosts
    }
}

/// So many hosts, those with files of their own first; and how many are left out.
fn told_of(
    mut hosts: Vec<grouping::Host>,
    shared: &BTreeMap<usize, usize>,
    most: usize,
) -> (Vec<grouping::Host>, usize) {
    let left_out = hosts.len().saturating_sub(most);
    if left_out > 0 {
        let has_own = |host: &grouping::Host| {
            let mut files = host.files.iter();
            files.any(|file| shared.get(file).is_none_or(|hosts| *hosts == 1))
        };
        hosts.sort_by_key(|host| !has_own(host));
        hosts.truncate(most);
    }
    (hosts, left_out)
}

/// Reads a file and hashes it, both at the same time where a thread is free: the system reads it from the disk once.
fn open(
    bundle: &Bundle,
    artifact: &Artifact,
    options: &Options,
    remaining: &Remaining<'_>,
) -> Opened {
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
    Opened {
        artifact,
        content,
        problems,
    }
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
            let (found, problems) = exported_with([artifact], &options.pfx_passwords);
            let (lists, unread) = revocation::collected(artifact);
            let problems = problems.into_iter().chain(unread).map(hive_problem);
            (Content::Certificates(found, lists), problems.collect())
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
    let mut events = Vec::new();
    let mut names = Names::default();
    let mut forged = Forged::default();
    let summary = artifact
        .open()
        .map_err(|error| error.to_string())
        .and_then(|source| {
            let mut keep = |record: event_log::EventRecord| {
                if record.integrity == event_log::Integrity::Torn {
                    return; // its fields may be wrong; the hole it stands in is named
                }
                if let Some(forgery) = Forgery::of(&record) {
                    forged.note(forgery, &record);
                    return;
                }
                if let Some(mut event) = LoggedEvent::read(&name, &record) {
                    event.channel = names.shared(&record.channel);
                    events.push((names.shared(&record.computer), event));
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
            let collected = CollectedLog {
                artifact: name,
                summary,
                forged,
            };
            (Content::Log(Box::new(Log { collected, events })), problems)
        }
        Err(why) => (
            Content::Nothing,
            vec![entries::problem(&artifact.path, None, why)],
        ),
    }
}

/// Names of channels and computers, each kept once.
#[derive(Default)]
struct Names(BTreeSet<Arc<str>>);

impl Names {
    fn shared(&mut self, name: &str) -> Arc<str> {
        if let Some(known) = self.0.get(name) {
            return Arc::clone(known);
        }
        let new: Arc<str> = Arc::from(name);
        self.0.insert(Arc::clone(&new));
        new
    }
}

impl Opened {
    fn file(&self) -> File {
        let says = match &self.content {
            Content::Log(log) => log.says(),
            Content::Hive(hive) => hive.says(),
            Content::Export(file) => file.says(),
            Content::Certificates(..)
            | Content::Manifest(_)
            | Content::Records(_)
            | Content::Nothing => Says::Nothing,
        };
        let side = match &self.content {
            Content::Log(log) => log.side(),
            Content::Hive(_)
            | Content::Certificates(..)
            | Content::Manifest(_)
            | Content::Export(_)
            | Content::Records(_)
            | Content::Nothing => Side::Either,
        };
        File {
            path: self.artifact.path.clone(),
            says,
            side,
        }
    }

    fn give(&mut self, host: &mut HostFiles, is_shared: bool) {
        match std::mem::replace(&mut self.content, Content::Nothing) {
            Content::Log(log) if is_shared => {
                host.logs.push(log.collected.clone());
                let own = log.events.iter().filter(|(computer, _)| host.is(computer));
                host.events
                    .extend(own.map(|(_, event)| event.clone()).collect::<Vec<_>>());
                self.content = Content::Log(log);
            }
            Content::Log(log) => {
                host.logs.push(log.collected);
                host.events
                    .extend(log.events.into_iter().map(|(_, event)| event));
            }
            Content::Hive(hive) => host.hives.push(*hive),
            Content::Certificates(found, lists) => {
                host.certificates.extend(found);
                host.revocation_lists.extend(lists);
            }
            Content::Manifest(manifest) => host.failures.extend(manifest.failures),
            Content::Export(file) => host.exports.push(file),
            Content::Records(records) => host.file_system.push(*records),
            Content::Nothing => {}
        }
    }
}

impl HostFiles {
    /// Makes of its exports what the hives do not tell.
    fn join_exports(&mut self) {
        let exports = std::mem::take(&mut self.exports);
        let (joined, problems) = registry::join(&exports, &self.hives);
        self.hives.extend(joined);
        self.problems.extend(problems.into_iter().map(hive_problem));
    }

    /// What this machine's own Remote Desktop client logged, in the order of its logs.
    pub(super) fn as_client(&self) -> Vec<LoggedEvent> {
        let own = self
            .events
            .iter()
            .filter(|event| client_report::is_clients(&event.event));
        let mut own: Vec<LoggedEvent> = own.cloned().collect();
        own.sort_by(|one, other| (&one.artifact, one.order).cmp(&(&other.artifact, other.order)));
        own
    }

    /// Whether a computer's name is one of this host's.
    fn is(&self, computer: &str) -> bool {
        let label = |name: &str| name.split('.').next().unwrap_or(name).to_lowercase();
        let asked = label(computer);
        self.name
            .iter()
            .chain(&self.aliases)
            .any(|name| label(name) == asked)
    }
}

impl Log {
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

    fn says(&self) -> Says {
        let summary = &self.collected.summary;
        if summary.channels.contains_key(FORWARDED) {
            return Says::Forwarded(summary.computers.keys().cloned().collect());
        }
        let mut names: Vec<_> = summary.computers.iter().collect();
        names.sort_by_key(|(name, span)| (std::cmp::Reverse(span.newest.order), (*name).clone()));
        let names: Vec<NameInLog> = names
            .into_iter()
            .filter(|(name, _)| !name.is_empty())
            .map(|(name, span)| NameInLog {
                name: name.clone(),
                first: Some(span.oldest.time),
                last: Some(span.newest.time),
            })
            .collect();
        match names.is_empty() {
            true => Says::Nothing,
            false => Says::Log(names),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_too_many_hosts_those_with_files_of_their_own_are_told() {
        let host = |name: &str, files: &[usize]| grouping::Host {
            name: Some(name.to_owned()),
            aliases: Vec::new(),
            files: files.to_vec(),
        };
        let shared = BTreeMap::from([(0, 3), (1, 1)]);
        let hosts = vec![host("A", &[0]), host("B", &[0]), host("C", &[0, 1])];
        let names = |most: usize| {
            let (told, left_out) = told_of(hosts.clone(), &shared, most);
            let names: Vec<String> = told.into_iter().filter_map(|host| host.name).collect();
            (names.join(" "), left_out)
        };
        assert_eq!(names(3), ("A B C".to_owned(), 0));
        assert_eq!(names(2), ("C A".to_owned(), 1));
    }
}
