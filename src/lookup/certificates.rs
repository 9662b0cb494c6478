//! The certificates of a collection: exported files, and every store in a SOFTWARE hive; and which collected key file holds the
//! key of which.

use std::panic::AssertUnwindSafe;

use jiff::Timestamp;

use crate::bundle::{Bundle, Kind, Password};
use crate::contain::contain;
use crate::facts::fact::Source;
use crate::facts::registry::{HiveFile, open_hives};
use crate::facts::revocation::{self, CollectedList};
use crate::facts::store::{self, Home};
use crate::parse::certificate::{Certificate, KeyMatch, Thumbprint};
use crate::parse::hive::Lookup;
use crate::parse::key_file::{KeyFile, KeyFileName};
use crate::parse::pkcs12;
use crate::parse::revocation_list::Revoked;
use crate::parse::store_blob::{KeyProviderInfo, SelfSignedMark, StoreBlob};

const STORES: &str = "Microsoft\\SystemCertificates";
/// What a store in files is called, whose path tells whose it is.
const OF_A_USER: &str = "a user's";

/// A certificate, and where it was found.
#[derive(Debug, Clone)]
pub struct Held {
    /// The file's path in the collection.
    pub artifact: String,
    /// The store's name; none for an exported file. Users' own stores lie in files.
    pub store: Option<String>,
    /// What it is known by: in a store the name of its key.
    pub thumbprint: Thumbprint,
    /// The certificate, or why it cannot be read.
    pub certificate: Result<Certificate, String>,
    /// Where its private key is kept, where the store says so.
    pub key: Option<KeyProviderInfo>,
    /// The name that its key file must have on this machine.
    pub key_file: Option<KeyFileName>,
    /// The collected key files that hold its key, or have the name of its key file.
    pub key_files: Vec<KeyHeld>,
    /// What the exported file that holds it holds of its private key.
    pub exported_key: pkcs12::KeyHeld,
    /// What the collected lists of its issuer say of it.
    pub revocations: Vec<Revocation>,
    /// Whether Windows marked it as one that it made for the listener.
    pub marked: bool,
}

/// A collected key file, held against a certificate. Only public halves are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyHeld {
    /// It holds the certificate's key.
    Same {
        /// The file's path in the collection.
        artifact: String,
        /// What is wrong with it besides.
        damages: Vec<String>,
    },
    /// It has the name of the certificate's key file and holds another key.
    Another {
        /// The file's path in the collection.
        artifact: String,
    },
    /// It has the name of the certificate's key file, and its key cannot be read or compared.
    Unreadable {
        /// The file's path in the collection.
        artifact: String,
        /// What is wrong with it.
        damages: Vec<String>,
    },
}

/// What a list of revoked certificates says of one of its issuer. The list's signature is not checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The list's file.
    pub artifact: String,
    /// The certificate's entry; none where it is not on the list.
    pub entry: Option<Revoked>,
    /// When the list was issued.
    pub issued: Timestamp,
    /// When the next one was due.
    pub next_due: Option<Timestamp>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// The certificates: exported ones first, then store by store.
    pub certificates: Vec<Held>,
    /// What could not be read.
    pub problems: Vec<String>,
}

/// Finds every certificate; PKCS #12 files are opened with these passwords, or with the empty one.
#[must_use]
pub fn find(bundle: &Bundle, passwords: &[Password]) -> Found {
    let files = bundle
        .artifacts
        .iter()
        .filter(|artifact| matches!(artifact.kind, Kind::Certificate(_)));
    let opened = store::open(files, passwords);
    let (from_files, problems) = (opened.certificates, opened.problems);
    let (hives, hive_problems) = open_hives(bundle);
    let mut found = Found {
        certificates: from_files
            .into_iter()
            .map(|exported| Held {
                exported_key: exported.key,
                revocations: Vec::new(),
                artifact: exported.artifact,
                store: (exported.home == Home::User).then(|| OF_A_USER.to_owned()),
                thumbprint: exported.certificate.thumbprint,
                certificate: Ok(exported.certificate),
                key: None,
                key_file: None,
                key_files: Vec::new(),
                marked: false,
            })
            .collect(),
        problems: problems
            .into_iter()
            .chain(hive_problems)
            .map(|problem| format!("{}: {}", problem.artifact, problem.message))
            .collect(),
    };
    for hive in &hives {
        // A damaged hive must not take the others with it.
        match contain(AssertUnwindSafe(|| in_stores(hive))) {
            Ok((certificates, problems)) => {
                found.certificates.extend(certificates);
                found.problems.extend(problems);
            }
            Err(panicked) => found
                .problems
                .push(format!("{}: {panicked}", hive.artifact)),
        }
    }
    compare_keys(bundle, &mut found);
    look_up_revocations(bundle, opened.lists, &mut found);
    found
}

/// Looks every certificate up on the collected lists of its issuer; `beside` are those that stood with certificates.
fn look_up_revocations(bundle: &Bundle, beside: Vec<CollectedList>, found: &mut Found) {
    let mut lists = beside;
    for artifact in &bundle.artifacts {
        let (collected, problems) = revocation::collected(artifact);
        let problems = problems
            .into_iter()
            .map(|problem| format!("{}: {}", problem.artifact, problem.message));
        found.problems.extend(problems);
        lists.extend(collected);
    }
    for CollectedList { source, list } in &lists {
        let Source::File { artifact } = source else {
            continue;
        };
        for held in &mut found.certificates {
            if let Ok(certificate) = &held.certificate
                && list.concerns(certificate)
            {
                held.revocations.push(Revocation {
                    artifact: artifact.clone(),
                    entry: list.entry_of(certificate).cloned(),
                    issued: list.issued,
                    next_due: list.next_due,
                });
            }
        }
    }
}

/// Holds every collected key file against every certificate.
fn compare_keys(bundle: &Bundle, found: &mut Found) {
    let files = bundle
        .artifacts
        .iter()
        .filter(|artifact| artifact.kind == Kind::KeyFile);
    for artifact in files {
        let read = artifact.open().and_then(|source| KeyFile::read(&*source));
        let file = match read {
            Ok(file) => file,
            Err(error) => {
                found.problems.push(format!("{}: {error}", artifact.path));
                continue;
            }
        };
        let name = artifact.name().parse::<KeyFileName>().ok();
        for held in &mut found.certificates {
            let Ok(certificate) = &held.certificate else {
                continue;
            };
            let named = name.is_some() && held.key_file == name;
            let path = artifact.path.clone();
            let damages = || file.damages.iter().map(ToString::to_string).collect();
            let answer = match file.public_key_matches(&certificate.public_key) {
                KeyMatch::Same => KeyHeld::Same {
                    artifact: path,
                    damages: damages(),
                },
                KeyMatch::Different if named => KeyHeld::Another { artifact: path },
                KeyMatch::Undecided if named => KeyHeld::Unreadable {
                    artifact: path,
                    damages: damages(),
                },
                KeyMatch::Different | KeyMatch::Undecided => continue,
            };
            held.key_files.push(answer);
        }
    }
}

fn in_stores(file: &HiveFile) -> (Vec<Held>, Vec<String>) {
    let mut certificates = Vec::new();
    let mut problems = Vec::new();
    let Lookup::Present(stores) = file.hive.key(STORES) else {
        return (certificates, problems);
    };
    let machine = file
        .hive
        .key("Microsoft\\Cryptography")
        .and_then(|key| key.value("MachineGuid"))
        .present()
        .and_then(|value| value.text().ok()?.trim().parse().ok());
    for store in stores.subkeys().entries {
        let Lookup::Present(listed) = store.key("Certificates") else {
            continue;
        };
        let entries = listed.subkeys();
        problems.extend(
            entries
                .troubles
                .iter()
                .map(|trouble| format!("{}: {trouble}", file.artifact)),
        );
        for entry in entries.entries {
            let blob = entry
                .value("Blob")
                .present()
                .map(|value| StoreBlob::parse(&value.bytes));
            let (Some(blob), Ok(thumbprint)) = (blob, entry.name().parse::<Thumbprint>()) else {
                problems.push(format!(
                    "{}: {}: no certificate can be read",
                    file.artifact,
                    entry.path()
                ));
                continue;
            };
            let certificate = match blob.certificate() {
                Some(certificate) => Ok(certificate.clone()),
                None => Err("its bytes cannot be read as a certificate".to_owned()),
            };
            let key_file = blob
                .key_provider
                .as_ref()
                .zip(machine)
                .and_then(|(key, machine)| {
                    KeyFileName::expected(&key.container, key.storage(), machine)
                });
            certificates.push(Held {
                artifact: file.artifact.clone(),
                store: Some(store.name()),
                thumbprint,
                certificate,
                key: blob.key_provider,
                key_file,
                key_files: Vec::new(),
                exported_key: pkcs12::KeyHeld::None,
                revocations: Vec::new(),
                marked: blob.self_signed_mark == SelfSignedMark::Marked,
            });
        }
    }
    (certificates, problems)
}
