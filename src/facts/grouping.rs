//! Which file belongs to which host. A file belongs to one host: the one that it names; a file without a name to the host
//! of its nearest folder, or the only server among several there. Only a log of forwarded events belongs to every host that its records name.
//!
//! Hives and older logs hold names cut at 15 characters. So much tells a host, unless longer names in the collection differ behind it:
//! then they are of several hosts, and a file that has nothing but the cut name goes with its folder.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::bundle::path;

/// What a file says of the host it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// A hive: the computer name set in it, and other names in it (the one still in use before a restart).
    Hive {
        /// `ComputerName\ComputerName`, or the host name of TCP/IP.
        name: String,
        /// Other names in it.
        others: Vec<String>,
    },
    /// An event log: the names of its records, newest first; never empty.
    Log(Vec<NameInLog>),
    /// A log of forwarded events: the name of every host in it.
    Forwarded(BTreeSet<String>),
    /// Nothing.
    Nothing,
}

/// One name that an event log's records bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameInLog {
    /// As it stands in the records: `RDS01` or `rds01.corp.example`.
    pub name: String,
    /// The time of the oldest record with it.
    pub first: Option<Timestamp>,
    /// The time of the newest record with it.
    pub last: Option<Timestamp>,
    /// How far the records that bear it can be trusted.
    pub standing: NameStanding,
}

/// How far a name in a log can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameStanding {
    /// As it was written.
    Sound,
    /// Only records in damaged places bear it, so that a letter of it may be another: it counts where another file bears it too.
    Doubtful,
}

/// One file to be grouped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path in the collection.
    pub path: String,
    /// What it says of its host.
    pub says: Says,
    /// On which side of Remote Desktop it was written.
    pub side: Side,
}

/// On which side of Remote Desktop a file was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Where somebody connects to: a log of the listener's.
    Server,
    /// Where somebody connects from: the log of the Remote Desktop client.
    Client,
    /// Any machine has such a file.
    Either,
}

/// One host and its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host {
    /// Its name, first label; none where no file names one.
    pub name: Option<String>,
    /// Its older and longer names, sorted.
    pub aliases: Vec<String>,
    /// The first labels of all its names, in lower case.
    pub labels: BTreeSet<String>,
    /// Its files, as indices of what was given, ascending. A log of forwarded events stands with every host it names.
    pub files: Vec<usize>,
}

/// Every file with its host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grouping {
    /// The hosts, by name.
    pub hosts: Vec<Host>,
    /// Files that name no host and lie as near to one as to another.
    pub undecided: Vec<usize>,
}

/// NetBIOS names, which hives and older logs hold, are cut at 15 characters; so much of a name tells a host.
const LONGEST_NETBIOS_NAME: usize = 15;

/// What hosts are told by, one collection apart: the first label of a name in lower case, cut as NetBIOS cuts it.
pub(crate) fn key(name: &str) -> String {
    label(name).chars().take(LONGEST_NETBIOS_NAME).collect()
}

/// The first label of a name in lower case: `rds01` of `RDS01.corp.example`.
pub(crate) fn label(name: &str) -> String {
    first_label(name).to_lowercase()
}

/// How the names of one collection tell hosts apart.
struct Keys {
    /// Cut names that several longer ones begin with.
    shared: BTreeSet<String>,
    /// The cut names that stand somewhere undamaged.
    sound: BTreeSet<String>,
}

impl Keys {
    fn of(files: &[File]) -> Self {
        let mut longer: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for name in files.iter().flat_map(|file| file.says.names()) {
            let (key, label) = (key(name), label(name));
            if label != key {
                longer.entry(key).or_default().insert(label);
            }
        }
        let shared = longer.into_iter().filter(|(_, labels)| labels.len() > 1);
        let sound = files.iter().flat_map(|file| file.says.sound_names());
        Keys {
            shared: shared.map(|(key, _)| key).collect(),
            sound: sound.map(key).collect(),
        }
    }

    /// What tells the host of a name; empty where a cut name may be any of several hosts'.
    fn key(&self, name: &str) -> String {
        let (key, label) = (key(name), label(name));
        match (self.shared.contains(&key), label == key) {
            (true, true) => String::new(),
            (true, false) => label,
            (false, _) => key,
        }
    }

    /// Where no file bears a sound name, there is nothing that a doubtful one could be mistaken for.
    fn is_believed(&self, found: &NameInLog) -> bool {
        found.standing == NameStanding::Sound
            || self.sound.is_empty()
            || self.sound.contains(&key(&found.name))
    }

    fn own(&self, says: &Says) -> Option<String> {
        let name = match says {
            // The host name of TCP/IP is not cut.
            Says::Hive { name, others } => std::iter::once(name)
                .chain(others.iter().filter(|other| key(other) == key(name)))
                .find(|name| !self.key(name).is_empty()),
            Says::Log(names) => names
                .iter()
                .find(|found| self.is_believed(found))
                .map(|newest| &newest.name),
            Says::Forwarded(_) | Says::Nothing => None,
        };
        name.map(|name| self.key(name))
            .filter(|key| !key.is_empty())
    }
}

impl Says {
    fn sound_names(&self) -> Vec<&str> {
        match self {
            Says::Log(names) => names
                .iter()
                .filter(|found| found.standing == NameStanding::Sound)
                .map(|found| found.name.as_str())
                .collect(),
            _ => self.names(),
        }
    }

    fn names(&self) -> Vec<&str> {
        match self {
            Says::Hive { name, others } => std::iter::once(name)
                .chain(others)
                .map(String::as_str)
                .collect(),
            Says::Log(names) => names.iter().map(|found| found.name.as_str()).collect(),
            Says::Forwarded(names) => names.iter().map(String::as_str).collect(),
            Says::Nothing => Vec::new(),
        }
    }
}

fn first_label(name: &str) -> &str {
    let name = name.trim();
    name.split('.').next().unwrap_or(name)
}

/// Groups files by host; see the module's own words for how. The order of the files does not matter but for their indices.
#[must_use]
pub fn group(files: &[File]) -> Grouping {
    let keys = Keys::of(files);
    let mut owners: Vec<Option<String>> = files.iter().map(|file| keys.own(&file.says)).collect();
    follow_renames(files, &keys, &mut owners);
    let named = named_folders(files, &owners);
    let clients = clients(files, &owners);
    let mut grouping = Grouping::default();
    let mut members: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for key in owners.iter().flatten() {
        members.entry(key.clone()).or_default();
    }
    for (index, file) in files.iter().enumerate() {
        if let Says::Forwarded(names) = &file.says {
            let named: BTreeSet<String> = names.iter().map(|name| keys.key(name)).collect();
            for key in named.into_iter().filter(|key| !key.is_empty()) {
                members.entry(key).or_default().push(index);
            }
            continue;
        }
        match owners[index]
            .clone()
            .or_else(|| nearest(&file.path, &named, &clients))
        {
            Some(owner) => members.entry(owner).or_default().push(index),
            None => grouping.undecided.push(index),
        }
    }
    if members.is_empty() && !grouping.undecided.is_empty() {
        let files = std::mem::take(&mut grouping.undecided);
        grouping.hosts.push(Host {
            name: None,
            aliases: Vec::new(),
            labels: BTreeSet::new(),
            files,
        });
    }
    for (key, indices) in members {
        grouping.hosts.push(host(&key, indices, files, &keys));
    }
    grouping
}

/// An old name and the host that had it: a log that ends before a rename goes with the host, unless somebody else bears
/// that name: a hive that is set to it, two hosts that had it (a template's name), or records later than the rename.
fn follow_renames(files: &[File], keys: &Keys, owners: &mut [Option<String>]) {
    let mut heirs: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut renamed: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut borne = BTreeSet::new();
    for (file, owner) in files.iter().zip(owners.iter()) {
        let Some(owner) = owner else { continue };
        let mut inherit = |old: &str| {
            let old = keys.key(old);
            if !old.is_empty() && old != *owner {
                heirs.entry(old).or_default().insert(owner.clone());
            }
        };
        match &file.says {
            Says::Hive { others, .. } => {
                borne.insert(owner.clone());
                others.iter().for_each(|other| inherit(other));
            }
            Says::Log(names) => {
                let names = || names.iter().filter(|found| keys.is_believed(found));
                for (newer, older) in names().zip(names().skip(1)) {
                    inherit(&older.name);
                    if let Some(time) = newer.first {
                        let known = renamed.entry(keys.key(&older.name)).or_insert(time);
                        *known = time.max(*known);
                    }
                }
            }
            Says::Forwarded(_) | Says::Nothing => {}
        }
    }
    // A renamed hive may name what it was last; follow the chain, which cannot be longer than the names in it.
    let heir_of = |name: &str| -> Option<String> {
        let mut current = name.to_owned();
        for _ in 0..=heirs.len() {
            match heirs.get(&current) {
                Some(next) if next.len() == 1 && !borne.contains(&current) => {
                    current = next.first()?.clone();
                }
                Some(_) => return None,
                None => return Some(current).filter(|current| current != name),
            }
        }
        None
    };
    let later: BTreeSet<String> = files
        .iter()
        .zip(owners.iter())
        .filter_map(|(file, owner)| {
            let owner = owner.as_ref()?;
            let Says::Log(names) = &file.says else {
                return None;
            };
            let last = names.iter().find(|found| keys.is_believed(found))?.last?;
            (last > *renamed.get(owner)?).then(|| owner.clone())
        })
        .collect();
    for owner in owners.iter_mut() {
        let Some(name) = owner else { continue };
        let had_by_several = heirs.get(name).is_some_and(|heirs| heirs.len() > 1);
        if borne.contains(name) || later.contains(name) {
            continue;
        }
        if let Some(heir) = heir_of(name) {
            *owner = Some(heir);
        } else if had_by_several {
            // Whose it is, its folder tells.
            *owner = None;
        }
    }
}

/// For every folder the hosts that have files right in it, and those that have files anywhere below it.
#[derive(Default)]
struct Folder {
    here: BTreeSet<String>,
    below: BTreeSet<String>,
}

fn named_folders(files: &[File], owners: &[Option<String>]) -> BTreeMap<Vec<String>, Folder> {
    let mut folders: BTreeMap<Vec<String>, Folder> = BTreeMap::new();
    for (file, owner) in files.iter().zip(owners) {
        let Some(owner) = owner else { continue };
        let mut folder = folder_of(&file.path);
        folders
            .entry(folder.clone())
            .or_default()
            .here
            .insert(owner.clone());
        loop {
            folders
                .entry(folder.clone())
                .or_default()
                .below
                .insert(owner.clone());
            if folder.pop().is_none() {
                break;
            }
        }
    }
    folders
}

/// The hosts that somebody connects from, as far as their files tell: their client's log, and none of a listener's.
fn clients(files: &[File], owners: &[Option<String>]) -> BTreeSet<String> {
    let of_side = |side: Side| -> BTreeSet<String> {
        let placed = files.iter().zip(owners);
        placed
            .filter(|(file, _)| file.side == side)
            .filter_map(|(_, owner)| owner.clone())
            .collect()
    };
    &of_side(Side::Client) - &of_side(Side::Server)
}

/// The host of the nearest folder that has files of exactly one, going up from the file's own. Where a folder has files of
/// several, the one whose name stands in the file's own name is meant, else the only one of them that is no client of another; or
/// nobody knows.
fn nearest(
    path: &str,
    folders: &BTreeMap<Vec<String>, Folder>,
    clients: &BTreeSet<String>,
) -> Option<String> {
    let name = path::file_name(path).to_lowercase();
    let mut folder = folder_of(path);
    loop {
        let hosts = folders.get(&folder).map(|found| {
            if found.here.is_empty() {
                &found.below
            } else {
                &found.here
            }
        });
        if let Some(hosts) = hosts {
            let mut named = hosts.iter().filter(|host| name.contains(host.as_str()));
            let mut servers = hosts.difference(clients);
            return match (hosts.len(), named.next(), named.next()) {
                (1, ..) => hosts.first().cloned(),
                (_, Some(host), None) => Some(host.clone()),
                (_, None, _) => servers.next().filter(|_| servers.next().is_none()).cloned(),
                _ => None,
            };
        }
        folder.pop()?;
    }
}

fn folder_of(path: &str) -> Vec<String> {
    let mut parts = path::components(path);
    parts.pop();
    parts.into_iter().map(str::to_lowercase).collect()
}

/// A host as its files name it: a hive's spelling before a log's, and the names that differ from it.
fn host(owner: &str, indices: Vec<usize>, files: &[File], keys: &Keys) -> Host {
    let mut spellings: BTreeSet<(u8, &str)> = BTreeSet::new();
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for index in &indices {
        match &files[*index].says {
            Says::Hive { name, others } => {
                spellings.insert((0, name));
                names.insert(name);
                names.extend(others.iter().map(String::as_str));
            }
            Says::Log(found) => {
                spellings.extend(found.iter().map(|found| (1, found.name.as_str())));
                names.extend(found.iter().map(|found| found.name.as_str()));
            }
            Says::Forwarded(found) => {
                let own = found.iter().filter(|name| keys.key(name) == owner);
                for name in own {
                    spellings.insert((2, name));
                    names.insert(name);
                }
            }
            Says::Nothing => {}
        }
    }
    let spelled = spellings
        .into_iter()
        .find(|(_, name)| keys.key(name) == owner);
    let name = spelled.map_or_else(
        || owner.to_owned(),
        |(_, name)| first_label(name).to_owned(),
    );
    let labels = names.iter().map(|name| label(name)).collect();
    let mut aliases: Vec<String> = Vec::new();
    for alias in names {
        let known = alias.eq_ignore_ascii_case(&name)
            || aliases
                .iter()
                .any(|known| known.eq_ignore_ascii_case(alias));
        if !known && !alias.trim().is_empty() {
            aliases.push(alias.to_owned());
        }
    }
    Host {
        name: Some(name),
        aliases,
        labels,
        files: indices,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hive(path: &str, name: &str) -> File {
        let says = Says::Hive {
            name: name.to_owned(),
            others: Vec::new(),
        };
        file(path, says)
    }

    fn hive_of(path: &str, name: &str, other: &str) -> File {
        let says = Says::Hive {
            name: name.to_owned(),
            others: vec![other.to_owned()],
        };
        file(path, says)
    }

    /// A log with these names, newest first, one day each, the newest on `day`.
    fn log(path: &str, day: i64, names: &[&str]) -> File {
        let time = |days: i64| Timestamp::from_second(days * 86_400).ok();
        let names = names.iter().zip(0..).map(|(name, age)| NameInLog {
            name: (*name).to_owned(),
            first: time(day - age),
            last: time(day - age),
            standing: NameStanding::Sound,
        });
        file(path, Says::Log(names.collect()))
    }

    fn nameless(path: &str) -> File {
        file(path, Says::Nothing)
    }

    fn file(path: &str, says: Says) -> File {
        File {
            path: path.to_owned(),
            says,
            side: Side::Either,
        }
    }

    fn on(side: Side, file: File) -> File {
        File { side, ..file }
    }

    /// Hosts with their files, as text: `RDS01 (alias) = a b; ? = c`.
    fn told(files: &[File]) -> String {
        let grouping = group(files);
        let paths = |indices: &[usize]| {
            let paths = indices.iter().map(|index| files[*index].path.as_str());
            paths.collect::<Vec<_>>().join(" ")
        };
        let mut lines: Vec<String> = grouping
            .hosts
            .iter()
            .map(|host| {
                let name = host.name.as_deref().unwrap_or("-");
                let aliases = host.aliases.join(", ");
                let aliases = if aliases.is_empty() {
                    String::new()
                } else {
                    format!(" ({aliases})")
                };
                format!("{name}{aliases} = {}", paths(&host.files))
            })
            .collect();
        if !grouping.undecided.is_empty() {
            lines.push(format!("? = {}", paths(&grouping.undecided)));
        }
        lines.join("; ")
    }

    #[test]
    fn files_go_where_their_names_and_folders_say() {
        let table: &[(&str, Vec<File>, &str)] = &[
            (
                "case and domain do not part a host",
                vec![
                    hive("SYSTEM", "RDS01"),
                    log("System.evtx", 9, &["rds01.corp.example"]),
                ],
                "RDS01 (rds01.corp.example) = SYSTEM System.evtx",
            ),
            (
                "a name longer than NetBIOS allows is one host with its short form",
                vec![
                    hive("SYSTEM", "TERMINALSERVER0"),
                    log("a.evtx", 9, &["terminalserver01.corp"]),
                ],
                "TERMINALSERVER0 (terminalserver01.corp) = SYSTEM a.evtx",
            ),
            (
                "two names that are the same as far as NetBIOS goes are two hosts; the hive's other name tells whose it is",
                vec![
                    hive_of("a/SYSTEM", "TERMINALSERVER0", "TerminalServer01"),
                    log("a/System.evtx", 9, &["terminalserver01.corp"]),
                    log("b/System.evtx", 9, &["terminalserver02.corp"]),
                    hive("b/SYSTEM", "TERMINALSERVER0"),
                ],
                "terminalserver01 (TERMINALSERVER0, terminalserver01.corp) = a/SYSTEM a/System.evtx; terminalserver02 (TERMINALSERVER0, terminalserver02.corp) = b/System.evtx b/SYSTEM",
            ),
            (
                "nothing names a host",
                vec![nameless("SOFTWARE"), nameless("rdp.cer")],
                "- = SOFTWARE rdp.cer",
            ),
            (
                "one host gets everything, wherever it lies",
                vec![
                    log("logs/System.evtx", 9, &["A"]),
                    nameless("reg/deep/SOFTWARE"),
                ],
                "A = logs/System.evtx reg/deep/SOFTWARE",
            ),
            (
                "the nearest folder decides between two",
                vec![
                    hive("a/config/SYSTEM", "A"),
                    nameless("a/certs/rdp.cer"),
                    hive("b/config/SYSTEM", "B"),
                    nameless("b/config/SOFTWARE"),
                    nameless("b/certs/rdp.cer"),
                ],
                "A = a/config/SYSTEM a/certs/rdp.cer; B = b/config/SYSTEM b/config/SOFTWARE b/certs/rdp.cer",
            ),
            (
                "between a server and a client of it, the server's",
                vec![
                    hive("Windows/System32/config/SYSTEM", "SRV-A"),
                    on(Side::Client, log("client/RDPClient.evtx", 9, &["PC-B"])),
                    nameless("keys.acl"),
                    nameless("client/notes.txt"),
                ],
                "PC-B = client/RDPClient.evtx client/notes.txt; SRV-A = Windows/System32/config/SYSTEM keys.acl",
            ),
            (
                "two servers, of which one connects to the other",
                vec![
                    hive("a/SYSTEM", "SRV-A"),
                    on(Side::Client, log("b/RDPClient.evtx", 9, &["SRV-B"])),
                    on(Side::Server, log("b/RdpCoreTS.evtx", 9, &["SRV-B"])),
                    nameless("keys.acl"),
                ],
                "SRV-A = a/SYSTEM; SRV-B = b/RDPClient.evtx b/RdpCoreTS.evtx; ? = keys.acl",
            ),
            (
                "as near to one as to the other: nobody knows, unless its own name says it",
                vec![
                    hive("A_SYSTEM", "SRV-A"),
                    hive("B_SYSTEM", "SRV-B"),
                    nameless("SOFTWARE"),
                    nameless("srv-b_SOFTWARE"),
                ],
                "SRV-A = A_SYSTEM; SRV-B = B_SYSTEM srv-b_SOFTWARE; ? = SOFTWARE",
            ),
            (
                "folders of a Windows archive unpacked elsewhere",
                vec![
                    hive("a\\config\\SYSTEM", "A"),
                    nameless("a\\config\\SOFTWARE"),
                    hive("b\\config\\SYSTEM", "B"),
                ],
                "A = a\\config\\SYSTEM a\\config\\SOFTWARE; B = b\\config\\SYSTEM",
            ),
            (
                "a log that ends before the rename goes with the renamed host",
                vec![
                    log("System.evtx", 9, &["NEW", "OLD"]),
                    log("Core.evtx", 8, &["OLD"]),
                ],
                "NEW (OLD) = System.evtx Core.evtx",
            ),
            (
                "somebody else bears the old name now: its hive says so",
                vec![
                    log("n/System.evtx", 9, &["NEW", "OLD"]),
                    hive("o/SYSTEM", "OLD"),
                ],
                "NEW (OLD) = n/System.evtx; OLD = o/SYSTEM",
            ),
            (
                "somebody else bears the old name now: its log goes on after the rename",
                vec![
                    log("n/System.evtx", 9, &["NEW", "OLD"]),
                    log("o/System.evtx", 12, &["OLD"]),
                ],
                "NEW (OLD) = n/System.evtx; OLD = o/System.evtx",
            ),
            (
                "the name of a template that two hosts came from tells neither",
                vec![
                    log("a/System.evtx", 9, &["A", "WIN-TEMPLATE"]),
                    log("b/System.evtx", 9, &["B", "WIN-TEMPLATE"]),
                    log("b/Setup.evtx", 8, &["WIN-TEMPLATE"]),
                ],
                "A (WIN-TEMPLATE) = a/System.evtx; B (WIN-TEMPLATE) = b/System.evtx b/Setup.evtx",
            ),
            (
                "a log of forwarded events stands with every host in it",
                vec![
                    hive("SYSTEM", "A"),
                    file(
                        "ForwardedEvents.evtx",
                        Says::Forwarded(["a.corp", "b.corp"].map(str::to_owned).into()),
                    ),
                ],
                "A (a.corp) = SYSTEM ForwardedEvents.evtx; b (b.corp) = ForwardedEvents.evtx",
            ),
        ];
        for (what, files, expected) in table {
            assert_eq!(told(files), *expected, "{what}");
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter() {
        let mut files = vec![
            log("n/System.evtx", 9, &["NEW", "MIDDLE", "OLD"]),
            log("n/Core.evtx", 7, &["OLD"]),
            hive("n/SYSTEM", "NEW"),
            nameless("n/SOFTWARE"),
            hive("b/SYSTEM", "B"),
        ];
        let sorted = |files: &[File]| {
            let grouping = group(files);
            let hosts = grouping.hosts.into_iter().map(|host| {
                let mut paths: Vec<_> = host
                    .files
                    .iter()
                    .map(|index| files[*index].path.clone())
                    .collect();
                paths.sort();
                (host.name, host.aliases, paths)
            });
            hosts.collect::<Vec<_>>()
        };
        let before = sorted(&files);
        assert_eq!(before[1].0.as_deref(), Some("NEW"));
        assert_eq!(before[1].2.len(), 4);
        for _ in 0..files.len() {
            files.rotate_left(1);
            assert_eq!(sorted(&files), before);
        }
    }
}
