//! Certificates that `certutil -store` listed: which there are, and where their keys are kept. What else they say only the certificates
//! themselves tell.

use super::fact::{FactSet, Source};
use super::known::Known;
use super::registry::Problem;
use super::store::{Entry, Home, Stores};
use super::subject::Subject;
use crate::bundle::{Artifact, Kind};
use crate::parse::certificate_listing::{self, ListedCertificate};
use crate::parse::pkcs12::KeyHeld;

/// Listings are read up to this size, in bytes.
const LARGEST: u64 = 64 << 20;

const NOT_TOLD: &str = "the listing does not tell where the certificate's private key is kept";

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

impl Stores {
    /// Takes in what was listed: where the key of an exported certificate is kept, and certificates that were not collected.
    /// What the registry's own stores hold tells more.
    pub fn take_listed(&mut self, listed: Vec<Listed>, facts: &mut FactSet) {
        for Listed {
            artifact,
            certificate,
        } in listed
        {
            let ListedCertificate {
                line,
                thumbprint,
                key_provider,
            } = certificate;
            let source = Source::Line { artifact, line };
            let mut known = self.entries.iter_mut();
            let known = known.find(|entry| entry.thumbprint == thumbprint);
            match (known, key_provider) {
                (Some(entry), Some(provider)) if entry.home == Home::Export => {
                    entry.key_provider = Known::Is(Some(provider));
                    entry.sources.push(source);
                }
                (Some(_), _) => {}
                (None, provider) => {
                    let key_provider = match provider {
                        Some(provider) => Known::Is(Some(provider)),
                        None => Known::Open(facts.gaps.open(Subject::PersonalStore, NOT_TOLD)),
                    };
                    self.entries.push(Entry {
                        home: Home::Export,
                        thumbprint,
                        certificate: None,
                        key_provider,
                        marked: false,
                        damage: Known::Is(None),
                        exported_key: KeyHeld::None,
                        sources: vec![source],
                    });
                }
            }
        }
    }
}
