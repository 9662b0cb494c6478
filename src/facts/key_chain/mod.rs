//! The listener's private key, proved without decrypting anything: which file its certificate asks for, whether it is there,
//! whole and the right one, who may read it, and what it is encrypted under.

mod access;
mod chain;
mod content;
mod dependents;
mod evidence;
mod file;
mod file_system;
mod folder;
mod folder_access;
mod manifest;
mod opened;
mod place;
mod store;
mod trace;
mod wanted;
mod written;

use super::catalog::certificate::CertificateStanding;
use super::catalog::key::KeyFolder;
use super::certificate::Choice;
use super::coverage::{Coverage, Window};
use super::fact::FactSet;
use super::host::Identity;
use super::known::Known;
use super::registry::Registry;
use super::store::Stores;
use super::subject::Subject;
use crate::parse::key_file::KeyFileName;

pub use evidence::KeyEvidence;
pub use file_system::KeyRecords;

/// What the facts of the key chain are made from.
#[derive(Debug, Clone, Copy)]
pub struct Bearing<'b> {
    /// The files of keys and their listings.
    pub evidence: &'b KeyEvidence,
    /// The host's hives.
    pub registry: &'b Registry,
    /// Every certificate found.
    pub stores: &'b Stores,
    /// Who the host is.
    pub identity: &'b Identity,
    /// Which certificate is the listener's.
    pub choice: &'b Choice,
    /// How it stands at the incident.
    pub standing: &'b Known<CertificateStanding>,
}

/// Adds every fact of the key chain. The facts about the listener's certificate, its renewals and Schannel must be there
/// before.
pub fn add_facts(bearing: &Bearing<'_>, facts: &mut FactSet) {
    opened::add_fact(bearing.evidence, facts);
    let needed = store::needed(bearing.choice, bearing.standing, facts);
    store::add_access(bearing.registry, &needed, facts);
    store::add_place(bearing.registry, &needed, facts);
    let program_data = wanted::program_data(bearing.registry, facts);
    let machine_keys = format!(
        "{program_data}\\{}",
        KeyFolder::MachineKeys.below_program_data()
    );
    let chosen = match bearing.choice {
        Choice::Certificate(chosen) => chosen,
        Choice::None(_) => {
            folder_access::add_facts(
                bearing.evidence,
                &machine_keys,
                &bearing.identity.build,
                None,
                facts,
            );
            return no_certificate(facts, Coverage::Whole(Window::ALWAYS));
        }
        Choice::Unknown(gap) => {
            folder_access::add_facts(
                bearing.evidence,
                &machine_keys,
                &bearing.identity.build,
                None,
                facts,
            );
            return no_certificate(facts, Coverage::Missing(*gap));
        }
    };
    let not_after = chosen
        .certificate()
        .map(|certificate| certificate.not_after);
    folder_access::add_facts(
        bearing.evidence,
        &machine_keys,
        &bearing.identity.build,
        not_after,
        facts,
    );
    let (machine, guid_source) = wanted::machine_guid(bearing.registry, facts);
    let wanted = wanted::Wanted::of(chosen, machine, facts);
    // Where the provider is not known here, MachineKeys is looked at, and proves nothing.
    let folder = wanted
        .folder
        .settled()
        .copied()
        .unwrap_or(KeyFolder::MachineKeys);
    let listed = folder::add_facts(
        bearing.evidence,
        &wanted,
        folder,
        &bearing.identity.build,
        facts,
    );
    let folder_path = format!("{program_data}\\{}", folder.below_program_data());
    let located = file::locate(bearing.evidence, &wanted, folder, &listed, facts);
    let beside = dependents::add_facts(
        bearing.evidence,
        bearing.stores,
        &wanted,
        folder,
        &folder_path,
        &listed.facts,
        facts,
    );
    let name = expected_name(&wanted, located.name);
    let derived = facts
        .of_kind(super::catalog::certificate::ListenerCertificate::KIND)
        .map(|fact| fact.id)
        .chain(listed.whole.settled().copied())
        .collect();
    let mut common = file::Common {
        path: format!("{folder_path}\\{name}"),
        folder: folder_path,
        file_name: name,
        relied_on: file::relied_on(chosen.chosen_by, facts),
        beside,
        old_folder: dependents::in_old_folder(bearing.evidence, bearing.stores, &wanted, folder),
        build: bearing.identity.build.clone(),
        traced: trace::add_facts(bearing.evidence, &wanted, folder, facts),
        derived,
    };
    let written = written::add_facts(&located, &common, bearing.registry, facts);
    common.derived.extend(written);
    let mut content = file::read_content(&located, &wanted, facts);
    content
        .sources
        .extend(guid_source.filter(|_| located.name.is_some()));
    let folder_permissions = folder_access::descriptor(bearing.evidence, facts);
    let state = file::add_state(&located, &content, &wanted, &common, facts);
    let starred: Vec<_> = bearing
        .evidence
        .starred
        .iter()
        .filter(|starred| wanted.hashes.contains(&starred.hash))
        .collect();
    let access = file::add_access(&located, &starred, &folder_permissions, &common, facts);
    let master_key = file::add_master_key(bearing.evidence, &located, &content, &common, facts);
    chain::Chain {
        chosen,
        wanted: &wanted,
        located: &located,
        content: &content,
        evidence: bearing.evidence,
        common: &common,
        state,
        access: &access,
        master_key,
    }
    .add_facts(facts);
}

/// The file's name: as it was seen, else as it should be.
fn expected_name(wanted: &wanted::Wanted, seen: Option<KeyFileName>) -> String {
    if let Some(name) = seen {
        return name.to_string();
    }
    let first = wanted.names.settled().and_then(|names| names.first());
    match (first, wanted.hashes.first()) {
        (Some(name), _) => name.to_string(),
        (None, Some(hash)) => format!("{hash}_*"),
        (None, None) => "*".to_owned(),
    }
}

/// Without a certificate there is no key to look for.
fn no_certificate(facts: &mut FactSet, coverage: Coverage) {
    for subject in [
        Subject::KeyFolderListing,
        Subject::KeyFilePermissions,
        Subject::KeyFile,
        Subject::MasterKeyFolder,
    ] {
        facts.cover(subject, coverage.clone());
    }
}
