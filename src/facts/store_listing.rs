//! Certificates that `certutil -store` or PowerShell listed: which there are, where their keys are kept, and when they end. What else
//! they say only the certificates themselves tell.

use std::collections::BTreeMap;

use super::fact::{FactSet, Source};
use super::known::Known;
use super::registry::Problem;
use super::store::{Entry, Home, Stores};
use super::subject::Subject;
use crate::bundle::{Artifact, Kind};
use crate::parse::certificate::Thumbprint;
use crate::parse::certificate_listing::{
    self, Between, ListedCertificate, ListedNames, ListedStore,
};
use crate::parse::pkcs12::KeyHeld;
use crate::parse::store_blob::KeyProviderInfo;

/// Listings are read up to this size, in bytes.
const LARGEST: u64 = 64 << 20;

const NOT_TOLD: &str = "the listing does not tell where the certificate's private key is kept";
const CONTRADICTED: &str =
    "one listing names the certificate's private key, and another says that it has none";

/// A certificate of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The listing, by its path in the collection.
    pub artifact: String,
    /// What it says.
    pub certificate: ListedCertificate,
}

/// Reads the listings among these artifacts; what cannot be read is a problem.
#[must_use]
pub fn read(artifacts: &[Artifact]) -> (Vec<Listed>, Vec<Problem>) {
    let mut found = Vec::new();
    let mut problems = Vec::new();
    for artifact in artifacts {
        if artifact.kind != Kind::CertificateListing {
            continue;
        }
        let mut problem = |at: Option<String>, message: &str| {
            problems.push(Problem {
                artifact: artifact.path.clone(),
                at,
                message: message.to_owned(),
            });
        };
        let read = artifact.open().and_then(|source| source.read_all(LARGEST));
        let listing = match read {
            Ok(bytes) => certificate_listing::read(&bytes),
            Err(error) => {
                problem(None, &error.to_string());
                continue;
            }
        };
        if listing.further > 0 {
            let message = format!(
                "{} more certificates, which are not read: no machine has so many",
                listing.further
            );
            problem(None, &message);
        }
        for line in listing.untold {
            let at = Some(format!("line {line}"));
            problem(at, "a certificate without its hash: the listing is cut");
        }
        let certificates = listing.certificates.into_iter();
        found.extend(certificates.map(|certificate| Listed {
            artifact: artifact.path.clone(),
            certificate,
        }));
    }
    (found, problems)
}

/// What listings say of a certificate besides its hash and its key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Told {
    /// Whether it was listed in one of the machine's stores that are asked here.
    pub in_store: bool,
    /// Whose it is, and who issued it.
    pub names: Option<ListedNames>,
    /// When it begins.
    pub begins: Option<Between>,
    /// When it ends.
    pub ends: Option<Between>,
}

impl Told {
    fn of(listed: &[Listed]) -> Told {
        let certificates = || listed.iter().map(|listed| &listed.certificate);
        Told {
            in_store: certificates().any(is_in_store),
            names: certificates().find_map(|certificate| certificate.names.clone()),
            begins: common(certificates().filter_map(|certificate| certificate.begins)),
            ends: common(certificates().filter_map(|certificate| certificate.ends)),
        }
    }
}

fn is_in_store(certificate: &ListedCertificate) -> bool {
    matches!(
        certificate.store,
        Some(ListedStore::RemoteDesktop | ListedStore::Personal)
    )
}

/// What all of them allow; none where they contradict one another.
fn common(all: impl Iterator<Item = Between>) -> Option<Between> {
    let joined = all.reduce(|one, other| Between {
        earliest: one.earliest.max(other.earliest),
        latest: one.latest.min(other.latest),
    });
    joined.filter(|joined| joined.earliest <= joined.latest)
}

/// Where listings say that the key is kept; that there is none only a listing of the machine's own store says.
fn key(listed: &[Listed], facts: &mut FactSet) -> Known<Option<KeyProviderInfo>> {
    let certificates = || listed.iter().map(|listed| &listed.certificate);
    let provider = certificates()
        .rev()
        .find_map(|certificate| certificate.key_provider.clone());
    let has_key = certificates().any(|certificate| certificate.has_key == Some(true));
    let without = certificates()
        .any(|certificate| certificate.has_key == Some(false) && is_in_store(certificate));
    let mut open = |why| Known::Open(facts.gaps.open(Subject::PersonalStore, why));
    match (provider, without) {
        (Some(_), true) => open(CONTRADICTED),
        (Some(provider), false) => Known::Is(Some(provider)),
        (None, true) if has_key => open(CONTRADICTED),
        (None, true) => Known::Is(None),
        (None, false) => open(NOT_TOLD),
    }
}

impl Stores {
    /// Takes in what was listed: where the key of an exported certificate is kept, and certificates that were not collected.
    /// What the registry's own stores hold tells more.
    pub fn take_listed(&mut self, listed: Vec<Listed>, facts: &mut FactSet) {
        let mut by_hash: BTreeMap<Thumbprint, Vec<Listed>> = BTreeMap::new();
        for one in listed {
            let same = by_hash.entry(one.certificate.thumbprint).or_default();
            same.push(one);
        }
        let mut known: BTreeMap<Thumbprint, usize> = BTreeMap::new();
        for (place, entry) in self.entries.iter().enumerate() {
            // What the registry's own stores hold comes first.
            known.entry(entry.thumbprint).or_insert(place);
        }
        for (thumbprint, listed) in by_hash {
            let place = known.get(&thumbprint).copied();
            let entry = place.and_then(|place| self.entries.get(place));
            if entry.is_some_and(|entry| entry.home != Home::Export) {
                continue;
            }
            let sources = listed.iter().map(|listed| Source::Line {
                artifact: listed.artifact.clone(),
                line: listed.certificate.line,
            });
            let key_provider = key(&listed, facts);
            match place.and_then(|place| self.entries.get_mut(place)) {
                Some(entry) => {
                    if let Known::Is(_) = key_provider {
                        entry.key_provider = key_provider;
                    }
                    entry.told = Told::of(&listed);
                    entry.sources.extend(sources);
                }
                None => self.entries.push(Entry {
                    home: Home::Export,
                    thumbprint,
                    certificate: None,
                    told: Told::of(&listed),
                    key_provider,
                    marked: false,
                    damage: Known::Is(None),
                    exported_key: KeyHeld::None,
                    sources: sources.collect(),
                }),
            }
        }
    }
}
