//! What was seen of a folder of keys, and what of that proves an absence.
//!
//! A folder from a disk is whole. A listing is whole only where it could have shown what it does not: the key file of Remote
//! Desktop denies administrators everything from build 17763 on, so that `icacls` run by one leaves it out without a word in
//! what it saves. `dir` asks the folder, not the file.

use crate::facts::catalog::certificate::Renewal;
use crate::facts::catalog::key::{KeyFolder, KeyFolderListing, KeyOperation, ListingForm};
use crate::facts::catalog::schannel::SchannelFailure;
use crate::facts::coverage::{Coverage, Window};
use crate::facts::fact::{Fact, FactId, FactSet, Source};
use crate::facts::key_event::SELF_SIGNED_CONTAINER;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::parse::guid::Guid;
use crate::parse::key_file::ContainerHash;
use crate::parse::store_blob::KeyStorage;

use super::evidence::{KeyEvidence, View};
use super::wanted::Wanted;

/// What the listings of the listener's folder come to.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    /// The fact about a whole listing; or what lacks.
    pub(super) whole: Known<FactId>,
    /// Whether that is a folder of a disk.
    pub(super) from_disk: bool,
    /// The facts about every listing of the folder.
    pub(super) facts: Vec<FactId>,
}

/// Adds a fact for each listing; says what those of the listener's folder prove.
pub(super) fn add_facts(
    evidence: &KeyEvidence,
    wanted: &Wanted,
    folder: KeyFolder,
    build: &Known<u32>,
    facts: &mut FactSet,
) -> Listed {
    let shown = Shown::of(build, facts);
    let mut found = Vec::new();
    let mut whole: Option<(FactId, bool)> = None;
    let mut lacking: Option<String> = None;
    for view in &evidence.views {
        let other_machine = other_machine(view, &wanted.machine);
        let verdict = completeness(view, wanted, &other_machine, shown);
        let (complete, why) = match verdict {
            Ok(why) => (true, why.to_owned()),
            Err(why) => (false, why),
        };
        let body = KeyFolderListing {
            folder: view.folder,
            form: view.form,
            artifact: view.artifact.clone(),
            files: view.names.len(),
            complete,
            why: why.clone(),
            other_machine,
        };
        let source = Source::File {
            artifact: view.artifact.clone(),
        };
        let id = facts.add(None, body, vec![source]);
        if view.folder != folder {
            continue;
        }
        found.push(id);
        let from_disk = matches!(view.form, ListingForm::Disk | ListingForm::FileTable);
        if complete {
            whole = whole.filter(|(_, disk)| *disk).or(Some((id, from_disk)));
        } else {
            lacking = lacking.or(Some(format!("{}: {why}", view.artifact)));
        }
    }
    let from_disk = whole.is_some_and(|(_, disk)| disk);
    let whole = match whole {
        Some((id, _)) => Known::Is(id),
        None => {
            let why = lacking.unwrap_or_else(|| {
                format!(
                    "no listing of {} is in the collection",
                    folder.below_program_data()
                )
            });
            Known::Open(facts.gaps.open(Subject::KeyFolderListing, why))
        }
    };
    facts.cover(
        Subject::KeyFolderListing,
        match &whole {
            Known::Is(_) => Coverage::Whole(Window::ALWAYS),
            Known::Open(gap) if found.is_empty() => Coverage::Missing(*gap),
            Known::Open(gap) => Coverage::PresenceOnly(*gap),
        },
    );
    Listed {
        whole,
        from_disk,
        facts: found,
    }
}

/// Whether all its key files are another machine's.
fn other_machine(view: &View, machine: &Known<Guid>) -> Known<bool> {
    machine.as_ref().map(|machine| {
        !view.names.is_empty() && view.names.iter().all(|name| name.machine != *machine)
    })
}

/// Whether a listing by an administrator would show Remote Desktop's key file. Its third entry is for administrators up to build
/// 14393 and for SessionEnv from 17763 on (measured); that icacls then leaves the file out is not measured, so that its absence
/// counts where the key is seen to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// Administrators may read it.
    ToAdministrators,
    /// They may not, and the key is seen to fail.
    Failing,
    /// They may not, or the build is not known.
    PerhapsNot,
}

impl Shown {
    const FIRST_WITHOUT: u32 = 17763;

    fn of(build: &Known<u32>, facts: &FactSet) -> Self {
        let unopened = |fact: &Fact| fact.is("event", 36870_u32) && fact.is("affected", true);
        let unmade = |fact: &Fact| fact.is("about_key", true) && fact.is("superseded", false);
        let refused = |fact: &Fact| {
            fact.is("listener", true) && fact.is("succeeded", false) && fact.is("superseded", false)
        };
        if build
            .settled()
            .is_some_and(|build| *build < Self::FIRST_WITHOUT)
        {
            Shown::ToAdministrators
        } else if facts.of_kind(SchannelFailure::KIND).any(unopened)
            || facts.of_kind(Renewal::KIND).any(unmade)
            || facts.of_kind(KeyOperation::KIND).any(refused)
        {
            Shown::Failing
        } else {
            Shown::PerhapsNot
        }
    }
}

/// Why what a listing does not show is not there; or why it may be there all the same.
fn completeness(
    view: &View,
    wanted: &Wanted,
    other_machine: &Known<bool>,
    shown: Shown,
) -> Result<&'static str, String> {
    if let Some(flaw) = &view.flaw {
        return Err(flaw.clone());
    }
    if view.form == ListingForm::Disk {
        return Ok("the folder itself, from the disk that the hives lie on");
    }
    let own = ContainerHash::of(SELF_SIGNED_CONTAINER, KeyStorage::Capi);
    if view.own_only && !wanted.hashes.iter().all(|hash| Some(*hash) == own) {
        return Err("of very many key files only Remote Desktop's own are looked at".to_owned());
    }
    if view.form == ListingForm::FileTable {
        return Ok("the file system's own table of all files");
    }
    if *other_machine == Known::Is(true) {
        return Err(
            "every key file in it bears another MachineGuid: it is of another machine, or of before the MachineGuid changed"
                .to_owned(),
        );
    }
    if view.form == ListingForm::Manifest {
        return Ok("collect.ps1 lists every file of the folder, whatever its permissions");
    }
    let is_own = |hash| wanted.hashes.contains(&hash);
    let others = view.names.iter().any(|name| !is_own(name.hash));
    match view.form {
        ListingForm::Disk | ListingForm::Manifest | ListingForm::FileTable => Ok("the folder itself"),
        ListingForm::Copies => Err("copies of some files: others may lie beside them".to_owned()),
        ListingForm::GetAcl => Err("Get-Acl shows what it was asked for, and no more".to_owned()),
        _ if !others => Err("it shows no other key file, so that it may have been asked for one alone".to_owned()),
        ListingForm::Directory => Ok("dir lists every file, whatever its permissions"),
        ListingForm::Console => Ok("icacls was refused none of the files"),
        ListingForm::Saved if view.past_permissions => {
            Ok("icacls was run by somebody who sees what administrators do not")
        }
        ListingForm::Saved if shown == Shown::ToAdministrators => {
            Ok("icacls saves what administrators may read, and on this build they may read the key file")
        }
        ListingForm::Saved if shown == Shown::Failing => {
            Ok("icacls saved no such file, and the key fails as one that is not there does")
        }
        ListingForm::Saved => Err(
            "icacls, run by an administrator, leaves out what administrators may not read, as Remote Desktop's key file"
                .to_owned(),
        ),
    }
}
