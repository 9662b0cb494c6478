//! The listener's key file: whether it is there, whole, the right one, and who may read it.

use std::collections::BTreeSet;

use crate::facts::catalog::certificate::ChosenBy;
use crate::facts::catalog::key::{KeyFile, KeyFileAccess, KeyFileState, KeyFolder, MasterKey};
use crate::facts::coverage::{Coverage, Window};
use crate::facts::credential;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::parse::key_file::KeyFileName;
use crate::parse::security::{AccessMask, Answer, ObjectKind, SecurityDescriptor, Sid, Trustee};

use super::access::{Token, can_read};
use super::content::{self, Content};
use super::evidence::{KeyEvidence, Shown, Sighting, Starred};
use super::folder::Listed;
use super::place::Place;
use super::wanted::Wanted;

/// Where the listener's key file was found, or not.
pub(super) struct Located<'e> {
    /// The file as it was seen in its folder, or as a loose copy of it.
    pub(super) seen: Vec<&'e Sighting>,
    /// Its name, where it is known.
    pub(super) name: Option<KeyFileName>,
    /// Whether it is certainly not in its folder.
    pub(super) missing: Known<bool>,
    /// Whether it is missing and lies beside the folder.
    pub(super) relocated: Known<bool>,
    /// Whether it is missing and only another machine's is there.
    pub(super) foreign: Known<bool>,
    /// What was found instead.
    pub(super) instead: Option<&'e Sighting>,
}

/// Looks for the file.
pub(super) fn locate<'e>(
    evidence: &'e KeyEvidence,
    wanted: &Wanted,
    folder: KeyFolder,
    listed: &Listed,
    facts: &mut FactSet,
) -> Located<'e> {
    let is_wanted = |name: KeyFileName| match &wanted.names {
        Known::Is(names) => names.contains(&name),
        Known::Open(_) => wanted.hashes.contains(&name.hash),
    };
    let of = |place: Place| {
        evidence
            .sightings
            .iter()
            .filter(move |sighting| sighting.place == place && is_wanted(sighting.name))
    };
    let mut seen: Vec<&Sighting> = of(Place::Home(folder)).collect();
    let mentioned = evidence
        .mentioned
        .iter()
        .copied()
        .find(|name| is_wanted(*name));
    if seen.is_empty() && (listed.whole.gap().is_some() || mentioned.is_some()) {
        seen.extend(of(Place::Loose));
    }
    let named = seen.first().map(|sighting| sighting.name).or(mentioned);
    // The first candidate that is there is the one that Windows opens; where the MachineGuid is not known, nobody knows which.
    let order = |name: &KeyFileName| match &wanted.names {
        Known::Is(names) => names.iter().position(|each| each == name),
        Known::Open(_) => None,
    };
    if let Some(first) = seen.iter().map(|sighting| sighting.name).min_by_key(order) {
        let is_first = |sighting: &&Sighting| sighting.name == first;
        if wanted.names.gap().is_some() && !seen.iter().all(is_first) {
            seen.clear();
        }
        seen.retain(|sighting| sighting.name == first);
    }
    let csp = wanted.csp();
    let missing = match (named, &wanted.container, &listed.whole, &csp) {
        // Without the MachineGuid it may be another machine's.
        (Some(_), ..) => wanted.names.as_ref().map(|_| false),
        (None, Known::Is(None), ..) => Known::Is(false),
        (None, Known::Open(gap), ..) => Known::Open(*gap),
        (None, Known::Is(Some(_)), Known::Open(gap), _) => Known::Open(*gap),
        (None, Known::Is(Some(_)), Known::Is(_), Known::Is(true)) => match &wanted.names {
            Known::Open(gap) if !listed.from_disk => Known::Open(*gap),
            _ => Known::Is(true),
        },
        (None, Known::Is(Some(_)), Known::Is(_), _) => {
            let why = "the file is not in its folder, and the software key storage provider keeps keys elsewhere too";
            Known::Open(facts.gaps.open(Subject::KeyFolderListing, why))
        }
    };
    let beside = of(Place::Beside(folder)).next();
    let namesake = evidence.sightings.iter().find(|sighting| {
        sighting.place == Place::Home(folder)
            && wanted.hashes.contains(&sighting.name.hash)
            && !is_wanted(sighting.name)
    });
    let relocated = match (&missing, beside) {
        (Known::Is(false), _) => Known::Is(false),
        (Known::Is(true), Some(_)) => Known::Is(true),
        (Known::Is(true), None) if evidence.siblings_seen => Known::Is(false),
        (Known::Is(true), None) => {
            let why = "the folders beside MachineKeys were not collected";
            Known::Open(facts.gaps.open(Subject::KeyFolderListing, why))
        }
        (Known::Open(gap), _) => Known::Open(*gap),
    };
    let foreign = missing.clone().map(|missing| missing && namesake.is_some());
    let missing_now = missing == Known::Is(true);
    Located {
        name: seen.first().map(|sighting| sighting.name).or(mentioned),
        seen,
        instead: beside.or(namesake).filter(|_| missing_now),
        missing,
        relocated,
        foreign,
    }
}

/// What the facts about the file rest on and tell alike.
pub(super) struct Common {
    /// The file's path on the machine.
    pub(super) path: String,
    /// Its folder's.
    pub(super) folder: String,
    /// Its name.
    pub(super) file_name: String,
    /// Whether connections meet what befalls it.
    pub(super) relied_on: Known<bool>,
    /// What else lies in the folder.
    pub(super) beside: String,
    /// What of this machine's lies in the folder beside it.
    pub(super) old_folder: Option<String>,
    /// What took it away, as a sentence.
    pub(super) traced: String,
    /// The build of Windows.
    pub(super) build: Known<u32>,
    /// The facts that say which file it is.
    pub(super) derived: Vec<FactId>,
}

/// Adds `key_file.state`.
pub(super) fn add_state(
    located: &Located<'_>,
    content: &Content,
    wanted: &Wanted,
    common: &Common,
    facts: &mut FactSet,
) -> FactId {
    let damaged = match &located.missing {
        Known::Is(true) => Known::Is(false),
        _ => content.damaged.clone().map(|state| state.is_some()),
    };
    let mismatch = match &located.missing {
        Known::Is(true) => Known::Is(false),
        _ => content.mismatch.clone(),
    };
    let state = match (&located.missing, &located.relocated, &located.foreign) {
        (Known::Open(gap), ..) if located.seen.is_empty() => Known::Open(*gap),
        (Known::Is(true), Known::Is(true), _) => Known::Is(KeyFileState::Relocated),
        (Known::Is(true), _, Known::Is(true)) => Known::Is(KeyFileState::Foreign),
        (Known::Is(true), ..) => Known::Is(KeyFileState::Missing),
        (Known::Is(false) | Known::Open(_), ..) => match (&content.damaged, &content.mismatch) {
            (Known::Is(Some(state)), _) => Known::Is(*state),
            (Known::Is(None), Known::Is(true)) => Known::Is(KeyFileState::Mismatch),
            (Known::Is(None), Known::Is(false)) => Known::Is(KeyFileState::Good),
            (_, Known::Open(gap)) | (Known::Open(gap), _) => Known::Open(*gap),
        },
    };
    let mut sources = content.sources.clone();
    sources.extend(located.seen.iter().map(|sighting| sighting.source.clone()));
    sources.extend(located.instead.map(|sighting| sighting.source.clone()));
    sources.push(Source::Derived(common.derived.clone()));
    sources.sort();
    sources.dedup();
    let body = KeyFile {
        listener: true,
        path: common.path.clone(),
        folder: common.folder.clone(),
        file_name: common.file_name.clone(),
        state,
        container: wanted.container.settled().cloned().flatten(),
        csp: wanted.csp(),
        missing: located.missing.clone(),
        relocated: located.relocated.clone(),
        foreign: located.foreign.clone(),
        found_at: located.instead.map(|sighting| sighting.artifact.clone()),
        found_in: located
            .instead
            .filter(|_| located.relocated == Known::Is(true))
            .and_then(|sighting| sighting.folder.as_ref())
            .and_then(|name| {
                let (parent, _) = common.folder.rsplit_once('\\')?;
                Some(format!("{parent}\\{name}"))
            }),
        damaged,
        damage: content.damage.clone(),
        mismatch,
        relied_on: common.relied_on.clone(),
        beside: common.beside.clone(),
        old_folder: common.old_folder.clone(),
        traced: common.traced.clone(),
    };
    facts.add(None, body, sources)
}

/// SessionEnv's entry came with build 17763; before, administrators had one.
const FIRST_WITH_SESSION_ENV: u32 = 17763;

/// Adds `key_file.access` for the accounts that use the key; says whether the permissions are covered.
pub(super) fn add_access(
    located: &Located<'_>,
    starred: &[&Starred],
    folder_permissions: &Known<SecurityDescriptor>,
    common: &Common,
    facts: &mut FactSet,
) -> Vec<FactId> {
    if located.missing == Known::Is(true) {
        facts.cover(Subject::KeyFilePermissions, Coverage::Whole(Window::ALWAYS));
        return Vec::new();
    }
    let mut descriptors = Vec::new();
    let mut sources = Vec::new();
    let mut unread = None;
    for sighting in &located.seen {
        match &sighting.shown {
            Shown::Permissions(Ok(descriptor)) => {
                descriptors.push(descriptor);
                sources.push(sighting.source.clone());
            }
            Shown::Permissions(Err(why)) => unread = Some(why.clone()),
            Shown::Copy(_) | Shown::Name { .. } => {}
        }
    }
    for starred in starred {
        match &starred.descriptor {
            Ok(descriptor) => {
                descriptors.push(descriptor);
                sources.push(starred.source.clone());
            }
            Err(why) => unread = Some(why.clone()),
        }
    }
    if descriptors.is_empty() {
        let why = match (unread, located.seen.is_empty()) {
            (Some(why), _) => why,
            (None, false) => {
                "the file was seen, but not its permissions: those of a copy are its copier's"
                    .to_owned()
            }
            (None, true) => "no listing of it is in the collection".to_owned(),
        };
        let gap = facts.gaps.open(Subject::KeyFilePermissions, why);
        facts.cover(Subject::KeyFilePermissions, Coverage::Missing(gap));
        return Vec::new();
    }
    sources.push(Source::Derived(common.derived.clone()));
    facts.cover(Subject::KeyFilePermissions, Coverage::Whole(Window::ALWAYS));
    let third_entry = match common.build.settled() {
        Some(build) if *build >= FIRST_WITH_SESSION_ENV => {
            format!("*{}:F", Token::session_env().account)
        }
        Some(_) => "*S-1-5-32-544:R".to_owned(),
        None => String::new(),
    };
    let owners: BTreeSet<&Sid> = descriptors
        .iter()
        .filter_map(|each| match each.owner.as_ref()? {
            Trustee::Sid(sid) => Some(sid),
            Trustee::AccountRid(_) | Trustee::Account(_) | Trustee::Unknown(_) => None,
        })
        .collect();
    let other = owners.iter().find(|owner| ***owner != Sid::system());
    let owner = other.or(owners.first()).map(|owner| format!("*{owner}"));
    let owner_changed = match (&owner, other) {
        (Some(_), other) => Known::Is(other.is_some()),
        (None, _) => Known::Open(facts.gaps.open(
            Subject::KeyFilePermissions,
            "what was listed does not name the file's owner: dir /a /q does, and Get-Acl",
        )),
    };
    let tokens = [Token::term_service(), Token::system(), Token::session_env()];
    let mut added = Vec::new();
    for token in tokens {
        let gaps = &mut facts.gaps;
        let mut ask = |answer: &dyn Fn(&SecurityDescriptor) -> Answer| {
            let answers: Vec<Answer> = descriptors.iter().map(|each| answer(each)).collect();
            let why = match answers.as_slice() {
                [first, rest @ ..] if rest.iter().all(|other| other == first) => match first {
                    Answer::Allowed => return Known::Is(true),
                    Answer::Denied => return Known::Is(false),
                    Answer::Unknown => {
                        "an entry's account, or what opening the file asks for, is not known"
                    }
                },
                _ => "two listings of the file differ",
            };
            Known::Open(gaps.open(Subject::KeyFilePermissions, why))
        };
        let reads = ask(&|each| can_read(&token, each));
        let writes = ask(&|each| token.may(each, AccessMask::FILE_WRITE_DATA, ObjectKind::File));
        let deletes = ask(&|each| token.may(each, AccessMask::DELETE, ObjectKind::File));
        let mut deniers: Vec<String> = descriptors
            .iter()
            .flat_map(|each| token.denied_by(each, AccessMask::FILE_READ_DATA))
            .map(|sid| format!("*{sid}"))
            .collect();
        deniers.sort();
        deniers.dedup();
        let denied = reads.clone().map(|reads| !reads && !deniers.is_empty());
        // Whoever may delete what lies in the folder needs no right on the file.
        let deletes = deletes.or(folder_permissions.clone().and_then(|folder| {
            match token.may(&folder, DELETE_CHILD, ObjectKind::File) {
                Answer::Allowed => Known::Is(true),
                Answer::Denied => Known::Is(false),
                Answer::Unknown => Known::Open(facts.gaps.open(
                    Subject::MachineKeysPermissions,
                    "an entry's account is not known",
                )),
            }
        }));
        let body = KeyFileAccess {
            listener: true,
            path: common.path.clone(),
            folder: common.folder.clone(),
            account: token.account.to_string(),
            can_read: reads,
            can_write: writes.clone(),
            can_replace: writes.and(deletes),
            denied_by: (denied == Known::Is(true)).then(|| deniers.join(" ")),
            denied,
            relied_on: common.relied_on.clone(),
            owner: owner.clone(),
            owner_changed: owner_changed.clone(),
            third_entry: third_entry.clone(),
            beside: common.beside.clone(),
        };
        added.push(facts.add(None, body, sources.clone()));
    }
    added
}

/// FILE_DELETE_CHILD.
const DELETE_CHILD: AccessMask = AccessMask(0x40);

/// Adds `master_key.state`.
pub(super) fn add_master_key(
    evidence: &KeyEvidence,
    located: &Located<'_>,
    content: &Content,
    common: &Common,
    facts: &mut FactSet,
) -> FactId {
    let folders = &evidence.master_keys;
    let not_whole = |facts: &mut FactSet| {
        let why = match folders.whole {
            [false, false] => {
                "Windows\\System32\\Microsoft\\Protect\\S-1-5-18 is not in the collection"
            }
            [true, _] => "the folder User in Protect\\S-1-5-18 was not seen",
            [false, true] => "of Protect\\S-1-5-18 only its folder User was seen",
        };
        facts.gaps.open(Subject::MasterKeyFolder, why)
    };
    let unread = |facts: &mut FactSet| {
        let gap = content.damaged.gap();
        gap.unwrap_or_else(|| {
            facts
                .gaps
                .open(Subject::KeyFile, "no master key can be read from it")
        })
    };
    let (key, missing) = match (
        located.missing == Known::Is(true),
        content.master_keys.as_slice(),
    ) {
        (true, _) => (Known::Is(None), Known::Is(false)),
        (false, []) => {
            let gap = unread(facts);
            (Known::Open(gap), Known::Open(gap))
        }
        (false, keys) => {
            let lost = keys.iter().find(|key| !folders.keys.contains(key));
            let missing = match (lost, folders.whole) {
                (None, _) => Known::Is(false),
                (Some(_), [true, true]) => Known::Is(true),
                (Some(_), _) => Known::Open(not_whole(facts)),
            };
            let shown = lost.or(keys.first());
            (Known::Is(shown.map(ToString::to_string)), missing)
        }
    };
    let mut sources = content.sources.clone();
    if missing == Known::Is(false) {
        let named = key.settled().cloned().flatten();
        let found = folders.artifacts.iter().find(|artifact| {
            named
                .as_ref()
                .is_some_and(|name| artifact.to_lowercase().ends_with(name.as_str()))
        });
        sources.extend(found.map(|artifact| Source::File {
            artifact: artifact.clone(),
        }));
    }
    sources.push(Source::Derived(common.derived.clone()));
    let body = MasterKey {
        listener: true,
        key,
        missing,
        relied_on: common.relied_on.clone(),
    };
    facts.add(None, body, sources)
}

/// Whether connections meet what befalls the key. The service falls back from a pinned certificate to one of its own (1055), so
/// that a pinned one's key counts only with credentials that fail.
pub(super) fn relied_on(chosen_by: ChosenBy, facts: &mut FactSet) -> Known<bool> {
    if chosen_by != ChosenBy::Pin {
        return Known::Is(true);
    }
    credential::fails(None, facts)
}

/// The content of the file, where it is there.
pub(super) fn read_content(located: &Located<'_>, wanted: &Wanted, facts: &mut FactSet) -> Content {
    content::read(&located.seen, &wanted.public_key, facts)
}
