//! A well-known repair grants NETWORK SERVICE the whole folder of keys, file by file, and with it every private key of the machine.

use crate::facts::catalog::listener::{Leftover, RepairResidue};
use crate::facts::fact::{FactSet, Source};
use crate::parse::security::{AccessMask, Ace, AceKind, Dacl, SecurityDescriptor, Sid, Trustee};

use super::evidence::{KeyEvidence, Shown};

/// Fewer files than these may each have a reason of their own: keys of web servers often name the service.
const FEWEST: usize = 3;

/// Adds `repair.residue` where nearly every key file whose permissions were listed lets NETWORK SERVICE read it.
pub(super) fn add_fact(evidence: &KeyEvidence, facts: &mut FactSet) {
    let listed: Vec<(&SecurityDescriptor, &Source)> = evidence
        .sightings
        .iter()
        .filter_map(|sighting| match &sighting.shown {
            Shown::Permissions(Ok(descriptor)) => Some((descriptor, &sighting.source)),
            Shown::Permissions(Err(_)) | Shown::Copy(_) | Shown::Name { .. } => None,
        })
        .collect();
    let seen = listed.len();
    let listed: Vec<_> = listed
        .into_iter()
        .filter(|(descriptor, _)| is_open(descriptor))
        .collect();
    // Keys made since, and those of programs that set their own permissions, need not have it.
    if listed.len() < FEWEST || listed.len() * 5 < seen * 4 {
        return;
    }
    let mut sources: Vec<Source> = listed.iter().map(|(_, source)| (*source).clone()).collect();
    sources.sort();
    sources.dedup();
    let says = format!(
        "{} of {seen} key files whose permissions were listed let NETWORK SERVICE read them, as icacls with /t over the folder leaves them: every \
         service of that account can read these private keys of the machine",
        listed.len()
    );
    let fact = RepairResidue {
        left: Leftover::KeysOpened,
        says,
        undo: None,
    };
    facts.add(None, fact, sources);
}

fn is_open(descriptor: &SecurityDescriptor) -> bool {
    let names_it = |ace: &Ace| {
        ace.kind == AceKind::Allow
            && ace.trustee == Trustee::Sid(Sid::network_service())
            && ace.mask.contains(AccessMask::FILE_READ_DATA)
    };
    match &descriptor.dacl {
        Dacl::Entries { entries, .. } => entries.iter().any(names_it),
        Dacl::NotGiven | Dacl::Null => false,
    }
}
