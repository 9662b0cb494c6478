//! Every file read, and given to its host.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use rayon::prelude::*;

use crate::bundle::{self, Artifact, Bundle, Kind};
use crate::facts::client_report;
use crate::facts::event::LoggedEvent;
use crate::facts::grouping::{self, File, Says, Side};
use crate::facts::key_chain::KeyRecords;
use crate::facts::log_coverage::CollectedLog;
use crate::facts::registry::{self, ExportFile, HiveFile};
use crate::facts::revocation::CollectedList;
use crate::facts::store::Exported;
use crate::parse::collection_manifest::Failure;
use crate::parse::event_log::Hole;
use crate::verdict::model::Problem;

use super::Options;
use super::entries;
use super::manifest;
use super::progress::{Progress, Remaining};
use super::reading::{self, Content, Log};
use super::room::Room;

/// How many hosts are told of that have no file of their own. A log of forwarded events may name any number.
const MOST_HOSTS: usize = 2000;

/// Every file of the input, read.
pub(super) struct Collection {
    bundle: Bundle,
    options: Options,
    files: Vec<Opened>,
    /// What concerns no file of a host: unreadable folders, links.
    problems: Vec<Problem>,
    /// Files that are not what was collected, by a manifest's digests.
    altered: BTreeSet<String>,
    /// Places of files that may be anybody's.
    undecided: BTreeSet<usize>,
    /// Whether it is of several hosts.
    has_several: bool,
}

/// One file, read.
struct Opened {
    artifact: Artifact,
    says: Says,
    side: Side,
    /// What it holds of a machine's own Remote Desktop client; with the computer that each names, in a log of forwarded events.
    clients: Vec<(Option<Arc<str>>, LoggedEvent)>,
    /// Taken by its host.
    content: Mutex<Content>,
    problems: Vec<Problem>,
    /// Whether it is a log of several hosts.
    is_shared: bool,
}

/// One host of the input: which files are its own.
pub(super) struct Member {
    pub name: Option<String>,
    pub aliases: Vec<String>,
    /// The first labels of its names, in lower case.
    labels: BTreeSet<String>,
    /// Places in the collection.
    files: Vec<usize>,
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
    /// Reads every file, several at once, and hashes it. Of the files of many hosts only so much is kept as there is room for; the
    /// rest is read again when its host is in work.
    pub(super) fn read(bundle: Bundle, options: &Options, progress: &dyn Progress) -> Self {
        let room = Room::default();
        let mut files: Vec<Opened> = bundle
            .artifacts
            .par_iter()
            .map(|artifact| {
                let remaining = Remaining::new(progress, &artifact.path, artifact.bytes_to_read());
                let read = reading::open(&bundle, artifact, options, &remaining);
                Opened::new(read, &room)
            })
            .collect();
        let problems = bundle
            .problems
            .iter()
            .filter(|problem| bundle.artifact(&problem.path).is_none())
            .map(entries::bundle_problem)
            .collect();
        for file in &mut files {
            let own = bundle
                .problems
                .iter()
                .filter(|problem| problem.path == file.artifact.path);
            file.problems.splice(0..0, own.map(entries::bundle_problem));
        }
        let mut collection = Collection {
            bundle,
            options: options.clone(),
            files,
            problems,
            altered: BTreeSet::new(),
            undecided: BTreeSet::new(),
            has_several: false,
        };
        collection.check_manifests();
        collection
    }

    /// Holds the files against the manifests of their collections.
    fn check_manifests(&mut self) {
        let here = manifest::by_path(self.files.iter().map(|file| &file.artifact));
        let checked: Vec<_> = self
            .files
            .iter()
            .filter_map(|file| {
                let content = file.content.lock().unwrap_or_else(PoisonError::into_inner);
                match &*content {
                    Content::Manifest(read) => {
                        Some(manifest::check(&file.artifact.path, read, &here))
                    }
                    _ => None,
                }
            })
            .collect();
        for found in checked {
            for file in &mut self.files {
                let own = |problem: &&Problem| {
                    problem.artifact.as_deref() == Some(file.artifact.path.as_str())
                };
                file.problems
                    .extend(found.problems.iter().filter(own).cloned());
            }
            self.altered.extend(found.altered);
        }
    }

    /// Tells the hosts, by name, and which file is whose.
    pub(super) fn hosts(&mut self) -> Vec<Member> {
        let said: Vec<File> = self.files.iter().map(Opened::file).collect();
        let grouping = grouping::group(&said);
        let mut shares: BTreeMap<usize, usize> = BTreeMap::new();
        for file in grouping.hosts.iter().flat_map(|host| &host.files) {
            *shares.entry(*file).or_default() += 1;
        }
        for (index, file) in self.files.iter_mut().enumerate() {
            file.is_shared = shares.get(&index).copied().unwrap_or(1) > 1;
        }
        self.has_several = grouping.hosts.len() > 1;
        self.undecided = grouping.undecided.into_iter().collect();
        let (told, left_out) = told_of(grouping.hosts, &shares, MOST_HOSTS);
        if left_out > 0 {
            self.problems
                .push(entries::too_many_hosts(MOST_HOSTS, left_out));
        }
        let members = told.into_iter().map(|host| Member {
            name: host.name,
            aliases: host.aliases,
            labels: host.labels,
            files: host.files,
        });
        members.collect()
    }

    /// The files of a host; what cannot be told is listed with each. To be asked once: what only it has is taken out.
    pub(super) fn files_of(&self, member: &Member) -> HostFiles {
        let mut files = HostFiles {
            unread: self.bundle.problems.clone(),
            problems: self.problems.clone(),
            ..HostFiles::named(&member.name, &member.aliases)
        };
        for index in member.files.iter().chain(&self.undecided) {
            let Some(file) = self.files.get(*index) else {
                continue;
            };
            files
                .artifacts
                .push(entries::Listed::of(&file.artifact, &file.problems));
            if self.undecided.contains(index) {
                if self.has_several && file.artifact.kind.is_evidence() {
                    files.problems.push(entries::undecided(&file.artifact));
                }
                continue;
            }
            let is_altered = self.altered.contains(&file.artifact.path);
            if is_altered {
                files.altered.insert(file.artifact.path.clone());
                // What a changed log wrote into its hive is not what was collected either.
                if let Kind::TransactionLog { hive: Some(hive) } = &file.artifact.kind {
                    files.altered.insert(hive.clone());
                }
            }
            files.collected.push(file.artifact.clone());
            let logs = files.logs.len();
            file.give(self, member, &mut files);
            for log in files.logs.iter_mut().skip(logs).filter(|_| is_altered) {
                log.summary.holes.push(Hole {
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
        files.join_exports();
        files
    }

    /// What this machine's own Remote Desktop client logged, in the order of its logs.
    pub(super) fn as_client(&self, member: &Member) -> Vec<LoggedEvent> {
        let files = member
            .files
            .iter()
            .filter_map(|index| self.files.get(*index));
        let mut own: Vec<LoggedEvent> = files
            .flat_map(|file| {
                let is_own = |computer: &Arc<str>| !file.is_shared || member.is(computer);
                let own = file
                    .clients
                    .iter()
                    .filter(move |(computer, _)| computer.as_ref().is_none_or(is_own));
                own.map(|(_, event)| event.clone())
            })
            .collect();
        own.sort_by(|one, other| (&one.artifact, one.order).cmp(&(&other.artifact, other.order)));
        own
    }
}

/// Every host with files of its own, and of the others so many that they are no more than that; and how many are left out.
fn told_of(
    hosts: Vec<grouping::Host>,
    shares: &BTreeMap<usize, usize>,
    most: usize,
) -> (Vec<grouping::Host>, usize) {
    let has_own = |host: &grouping::Host| {
        let mut files = host.files.iter();
        files.any(|file| shares.get(file).is_none_or(|hosts| *hosts == 1))
    };
    let own = hosts.iter().filter(|host| has_own(host)).count();
    let mut room = most.saturating_sub(own);
    let before = hosts.len();
    let told: Vec<grouping::Host> = hosts
        .into_iter()
        .filter(|host| {
            has_own(host) || {
                let fits = room > 0;
                room = room.saturating_sub(1);
                fits
            }
        })
        .collect();
    let left_out = before - told.len();
    (told, left_out)
}

impl Opened {
    fn new((artifact, content, problems): (Artifact, Content, Vec<Problem>), room: &Room) -> Self {
        let (says, side) = (content.says(), content.side());
        let clients = match &content {
            Content::Log(log) => {
                let clients = log
                    .by_computer()
                    .filter(|(_, event)| client_report::is_clients(&event.event));
                clients
                    .map(|(computer, event)| (computer.cloned(), event.clone()))
                    .collect()
            }
            _ => Vec::new(),
        };
        let content = match room.keeps(&says, content.weight(&artifact)) {
            true => content,
            false => Content::LetGo,
        };
        Opened {
            artifact,
            says,
            side,
            clients,
            content: Mutex::new(content),
            problems,
            is_shared: false,
        }
    }

    fn file(&self) -> File {
        File {
            path: self.artifact.path.clone(),
            says: self.says.clone(),
            side: self.side,
        }
    }

    fn give(&self, of: &Collection, to: &Member, host: &mut HostFiles) {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let taken = std::mem::replace(&mut *content, Content::Nothing);
        let taken = match taken {
            Content::LetGo => {
                if self.is_shared {
                    *content = Content::LetGo;
                }
                // Others need not wait for it.
                drop(content);
                reading::again(&of.bundle, &self.artifact, &of.options)
            }
            Content::Log(log) if self.is_shared => {
                host.take_own(&log, to);
                *content = Content::Log(log);
                return;
            }
            taken => taken,
        };
        match taken {
            Content::Log(log) if self.is_shared => host.take_own(&log, to),
            Content::Log(log) => {
                host.logs.push(log.collected);
                // The first, often the only one, is moved as it is.
                match host.events.is_empty() {
                    true => host.events = log.events,
                    false => host.events.extend(log.events),
                }
            }
            Content::Hive(hive) => host.hives.push(*hive),
            Content::Export(file) => host.exports.push(file),
            Content::Certificates(found, lists) => {
                host.certificates.extend(found);
                host.revocation_lists.extend(lists);
            }
            Content::Manifest(manifest) => host.failures.extend(manifest.failures),
            Content::Records(records) => host.file_system.push(*records),
            Content::Nothing | Content::LetGo => {}
        }
    }
}

impl HostFiles {
    /// A host without files.
    fn named(name: &Option<String>, aliases: &[String]) -> Self {
        HostFiles {
            name: name.clone(),
            aliases: aliases.to_vec(),
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
            unread: Vec::new(),
            artifacts: Vec::new(),
            problems: Vec::new(),
        }
    }

    /// Makes of its exports what the hives do not tell.
    fn join_exports(&mut self) {
        let exports = std::mem::take(&mut self.exports);
        let (joined, problems) = registry::join(&exports, &self.hives);
        self.hives.extend(joined);
        self.problems
            .extend(problems.into_iter().map(entries::hive_problem));
    }

    /// Of a log of several hosts, what is this one's.
    fn take_own(&mut self, log: &Log, member: &Member) {
        self.logs.push(log.collected.clone());
        let own = log
            .by_computer()
            .filter(|(computer, _)| computer.is_some_and(|computer| member.is(computer)));
        self.events.extend(own.map(|(_, event)| event.clone()));
    }

    /// The same host, of which nothing is used.
    pub(super) fn emptied(&self) -> Self {
        HostFiles {
            artifacts: self.artifacts.clone(),
            problems: self.problems.clone(),
            ..HostFiles::named(&self.name, &self.aliases)
        }
    }
}

impl Member {
    /// Whether a computer's name is one of this host's.
    fn is(&self, computer: &str) -> bool {
        self.labels.contains(&grouping::label(computer))
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
            labels: BTreeSet::new(),
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
        assert_eq!(names(2), ("A C".to_owned(), 1));
        assert_eq!(names(0), ("C".to_owned(), 2));
    }
}
