//! The certificates that a collection holds of one host: those of the machine's stores in SOFTWARE, and exported files.

use jiff::Timestamp;

use super::coverage::{Coverage, Window};
use super::fact::{FactSet, Source};
use super::gap::GapId;
use super::known::Known;
use super::registry::{Place, Problem, Registry, binary};
use super::revocation::{self, CollectedList};
use super::store_listing::Told;
use super::subject::Subject;
use crate::bundle::{Artifact, CertificateForm, Kind, Password};
use crate::parse::certificate::{Certificate, Thumbprint};
use crate::parse::certificate_bundle;
use crate::parse::hive::{Lookup, Why};
use crate::parse::pem::{read_pem, read_revocation_lists};
use crate::parse::pkcs12::{self, Effort, KeyHeld};
use crate::parse::registry::Key;
use crate::parse::store_blob::{KeyProviderInfo, SelfSignedMark, StoreBlob, StoreElement};

/// Files of certificates are read up to this size, in bytes.
const LARGEST_FILE: u64 = 16 << 20;

const NO_KEY: &str = "an exported certificate does not tell where its private key is kept";

/// Where a certificate was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// The machine's store named "Remote Desktop", where Windows keeps the listener's own.
    RemoteDesktop,
    /// The machine's store named MY.
    Personal,
    /// A file that somebody exported.
    Export,
    /// The store of a user, or of an account of services, which Windows keeps in files. The machine's own are in its registry.
    User,
}

impl Home {
    /// Whether it is one of the machine's stores, in which alone the service looks.
    #[must_use]
    pub fn is_machines(self) -> bool {
        match self {
            Home::RemoteDesktop | Home::Personal => true,
            Home::Export | Home::User => false,
        }
    }
}

/// A certificate of the collection.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Where it was found.
    pub home: Home,
    /// What it is known by: in a store the name of its key, else its SHA-1.
    pub thumbprint: Thumbprint,
    /// The certificate; none where the store entry cannot be read.
    pub certificate: Option<Certificate>,
    /// Where its private key is kept. An exported file does not tell.
    pub key_provider: Known<Option<KeyProviderInfo>>,
    /// Whether Windows marked it as one that it made for the listener.
    pub marked: bool,
    /// What is wrong with a store's entry: it cannot be read, or holds another certificate than its name says. Open where the hive
    /// itself is damaged there.
    pub damage: Known<Option<String>>,
    /// What an exported file holds of its private key.
    pub exported_key: KeyHeld,
    /// What listings say of one that is in no collected store.
    pub told: Told,
    /// Where it stands.
    pub sources: Vec<Source>,
}

impl Entry {
    /// The entry's key in SOFTWARE, and when it was last written; none of an exported certificate.
    #[must_use]
    pub fn key(&self) -> Option<(&str, Option<Timestamp>)> {
        self.sources.iter().find_map(|source| match source {
            Source::Value { key, written, .. } => Some((key.as_str(), *written)),
            _ => None,
        })
    }

    /// Whether it is, as far as can be told, one that Windows made for the listener.
    #[must_use]
    pub fn is_self_signed(&self) -> bool {
        self.marked
            || self
                .certificate
                .as_ref()
                .is_some_and(Certificate::self_issued)
    }
}

/// A certificate that somebody exported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// The file.
    pub artifact: String,
    /// The certificate.
    pub certificate: Certificate,
    /// What the same file holds of its private key.
    pub key: KeyHeld,
    /// [`Home::Export`] or [`Home::User`].
    pub home: Home,
}

/// Reads the exported certificates among these artifacts; what cannot be read is a problem.
pub fn exported<'a>(
    artifacts: impl IntoIterator<Item = &'a Artifact>,
) -> (Vec<Exported>, Vec<Problem>) {
    exported_with(artifacts, &[])
}

/// As [`exported`]; PKCS #12 files are opened with these passwords, or with the empty one.
pub fn exported_with<'a>(
    artifacts: impl IntoIterator<Item = &'a Artifact>,
    passwords: &[Password],
) -> (Vec<Exported>, Vec<Problem>) {
    let files = open(artifacts, passwords);
    (files.certificates, files.problems)
}

/// A list of revoked certificates beside certificates: where it stands, and its DER bytes or why there are none.
type Beside = (Option<String>, Result<Vec<u8>, String>);

/// What files of certificates hold.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// The certificates.
    pub certificates: Vec<Exported>,
    /// The lists of revoked certificates beside them.
    pub lists: Vec<CollectedList>,
    /// What cannot be read.
    pub problems: Vec<Problem>,
}

/// Opens the files of certificates among these artifacts; PKCS #12 files with these passwords, or with the empty one.
#[must_use]
pub fn open<'a>(
    artifacts: impl IntoIterator<Item = &'a Artifact>,
    passwords: &[Password],
) -> Opened {
    let passwords: Vec<&str> = passwords.iter().map(Password::text).collect();
    let mut found = Vec::new();
    let mut lists = Vec::new();
    let mut problems = Vec::new();
    for artifact in artifacts {
        let Kind::Certificate(form) = artifact.kind else {
            continue;
        };
        let mut problem = |at: Option<String>, message: String| {
            problems.push(Problem {
                artifact: artifact.path.clone(),
                at,
                message,
            });
        };
        let home = match form {
            CertificateForm::StoreElement => Home::User,
            _ => Home::Export,
        };
        let mut beside: Vec<Beside> = Vec::new();
        let mut keep_list = |at, der| beside.push((at, der));
        let mut keep_with = |certificate: Certificate, key: KeyHeld| {
            found.push(Exported {
                artifact: artifact.path.clone(),
                certificate,
                key,
                home,
            });
        };
        let mut keep = |certificate: Certificate| keep_with(certificate, KeyHeld::None);
        let bytes = match artifact
            .open()
            .and_then(|source| source.read_all(LARGEST_FILE))
        {
            Ok(bytes) => bytes,
            Err(error) => {
                problem(None, error.to_string());
                continue;
            }
        };
        match form {
            CertificateForm::Der => match Certificate::from_der(&bytes) {
                Ok(certificate) => keep(certificate),
                Err(error) => problem(None, error.to_string()),
            },
            CertificateForm::StoreElement => match StoreBlob::parse(&bytes).element {
                StoreElement::Certificate(Ok(certificate)) => keep(*certificate),
                StoreElement::Certificate(Err(error)) => problem(None, error.to_string()),
                StoreElement::RevocationList(der) => keep_list(None, Ok(der)),
                StoreElement::TrustList | StoreElement::Missing => {
                    problem(None, "it holds no certificate".to_owned());
                }
            },
            CertificateForm::Pkcs7 | CertificateForm::SerializedStore => {
                let ((bundled, error), beside) = match form {
                    CertificateForm::Pkcs7 => (
                        certificate_bundle::pkcs7(&bytes),
                        certificate_bundle::revocation_lists_of_pkcs7(&bytes),
                    ),
                    _ => (
                        certificate_bundle::serialized_store(&bytes),
                        certificate_bundle::revocation_lists_of_store(&bytes),
                    ),
                };
                for list in beside {
                    keep_list(Some(format!("byte {}", list.offset)), Ok(list.der));
                }
                for one in bundled {
                    match one.certificate {
                        Ok(certificate) => keep(*certificate),
                        Err(error) => {
                            problem(Some(format!("byte {}", one.offset)), error.to_string());
                        }
                    }
                }
                if let Some(error) = error {
                    problem(None, error.to_string());
                }
            }
            CertificateForm::Pkcs12 => {
                let read = pkcs12::read(&bytes, &passwords, Effort::USUAL);
                for held in read.certificates {
                    match held.certificate {
                        Ok(certificate) => keep_with(*certificate, held.key),
                        Err(error) => problem(None, error.to_string()),
                    }
                }
                for list in read.revocation_lists {
                    keep_list(None, Ok(list));
                }
                for trouble in read.problems {
                    problem(None, trouble.to_string());
                }
            }
            CertificateForm::Pem => {
                for (line, der) in read_revocation_lists(&bytes) {
                    let der = der.map_err(|error| error.to_string());
                    keep_list(Some(format!("line {line}")), der);
                }
                for block in read_pem(&bytes) {
                    match block.certificate {
                        Ok(certificate) => keep(certificate),
                        Err(error) => {
                            problem(Some(format!("line {}", block.line)), error.to_string());
                        }
                    }
                }
            }
        }
        for (at, der) in beside {
            match revocation::read(artifact, der) {
                Ok(list) => lists.push(list),
                Err(message) => problems.push(Problem {
                    artifact: artifact.path.clone(),
                    at,
                    message,
                }),
            }
        }
    }
    Opened {
        certificates: found,
        lists,
        problems,
    }
}

/// All certificates of one host.
#[derive(Debug, Clone)]
pub struct Stores {
    /// Every one that was found.
    pub entries: Vec<Entry>,
    /// Whether the store "Remote Desktop" was read whole; the gap where it was not.
    pub remote_desktop: Known<()>,
    /// The same for the store MY.
    pub personal: Known<()>,
}

impl Stores {
    /// Reads the stores of SOFTWARE and adds the exported certificates; says how much of the stores is covered.
    pub fn read(registry: &Registry, exported: Vec<Exported>, facts: &mut FactSet) -> Stores {
        let mut entries = Vec::new();
        let remote_desktop = read_store(registry, Home::RemoteDesktop, facts, &mut entries);
        let personal = read_store(registry, Home::Personal, facts, &mut entries);
        for exported in exported {
            let thumbprint = exported.certificate.thumbprint;
            entries.push(Entry {
                home: exported.home,
                thumbprint,
                key_provider: Known::Open(facts.gaps.open(Subject::RemoteDesktopStore, NO_KEY)),
                marked: false,
                damage: Known::Is(None),
                exported_key: exported.key,
                told: Told::default(),
                sources: vec![source(&exported.artifact, thumbprint)],
                certificate: Some(exported.certificate),
            });
        }
        Stores {
            entries,
            remote_desktop,
            personal,
        }
    }

    /// Both stores were read whole, so that what is not in them is not on the machine; or why not.
    #[must_use]
    pub fn whole(&self) -> Known<()> {
        self.remote_desktop
            .clone()
            .and_then(|()| self.personal.clone())
    }

    /// The entry of that thumbprint in one of the machine's stores.
    #[must_use]
    pub fn installed(&self, thumbprint: Thumbprint) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| entry.home.is_machines() && entry.thumbprint == thumbprint)
    }

    /// The certificate of that thumbprint from somewhere else, which is the same wherever it is: exported, or a user's.
    #[must_use]
    pub fn exported(&self, thumbprint: Thumbprint) -> Option<&Entry> {
        let of = |home: Home| {
            let mut entries = self.entries.iter();
            entries.find(move |entry| entry.home == home && entry.thumbprint == thumbprint)
        };
        of(Home::Export).or_else(|| of(Home::User))
    }

    /// The file in which a user's store holds the certificate of that thumbprint.
    #[must_use]
    pub fn of_user(&self, thumbprint: Thumbprint) -> Option<&str> {
        let mut entries = self.entries.iter();
        let entry =
            entries.find(|entry| entry.home == Home::User && entry.thumbprint == thumbprint)?;
        entry.sources.iter().find_map(|source| match source {
            Source::Certificate { artifact, .. } => Some(artifact.as_str()),
            _ => None,
        })
    }

    /// The newest self-signed certificate of the store "Remote Desktop".
    #[must_use]
    pub fn newest_self_signed(&self) -> Option<&Entry> {
        newest(
            self.entries
                .iter()
                .filter(|entry| entry.home == Home::RemoteDesktop && entry.is_self_signed()),
        )
    }
}

/// The certificate that begins last.
pub(super) fn newest<'e>(entries: impl Iterator<Item = &'e Entry>) -> Option<&'e Entry> {
    entries.max_by_key(|entry| {
        let begins = entry
            .certificate
            .as_ref()
            .map(|certificate| certificate.not_before);
        (begins, entry.thumbprint)
    })
}

fn source(artifact: &str, thumbprint: Thumbprint) -> Source {
    Source::Certificate {
        artifact: artifact.to_owned(),
        thumbprint: thumbprint.to_string(),
    }
}

fn read_store(
    registry: &Registry,
    home: Home,
    facts: &mut FactSet,
    entries: &mut Vec<Entry>,
) -> Known<()> {
    let (subject, path) = match home {
        Home::RemoteDesktop => (
            Subject::RemoteDesktopStore,
            "Microsoft\\SystemCertificates\\Remote Desktop\\Certificates",
        ),
        Home::Personal | Home::Export | Home::User => (
            Subject::PersonalStore,
            "Microsoft\\SystemCertificates\\MY\\Certificates",
        ),
    };
    let listing = registry.subkeys(&mut facts.gaps, Place::Software(path));
    let artifact = registry
        .software()
        .map_or("", |file| file.artifact.as_str());
    let whole = match listing.value {
        Known::Open(gap) => Known::Open(gap),
        Known::Is(None) => Known::Is(()),
        Known::Is(Some(listing)) => {
            let names = match listing.troubles.first() {
                None => Known::Is(()),
                Some(trouble) => {
                    if trouble.why != Why::NotExported {
                        registry.remark(artifact, Some(path.to_owned()), trouble.to_string());
                    }
                    Known::Open(facts.gaps.open(subject, trouble.reason()))
                }
            };
            for key in &listing.entries {
                entries.extend(read_entry(registry, artifact, home, (key, &names), facts));
            }
            names
        }
    };
    // In a stale hive the entries that are there count, and do not prove that there are no others.
    let whole = match registry.software() {
        Some(file) if file.hive.is_stale() => Known::Open(stale(subject, facts)),
        Some(file) => match (file.silence_proves_nothing(), whole) {
            (Some(why), Known::Is(())) => Known::Open(facts.gaps.open(subject, why)),
            (_, whole) => whole,
        },
        None => whole,
    };
    let coverage = match &whole {
        Known::Is(()) => Coverage::Whole(Window::ALWAYS),
        Known::Open(gap) if registry.software().is_some() => Coverage::PresenceOnly(*gap),
        Known::Open(gap) => Coverage::Missing(*gap),
    };
    facts.cover(subject, coverage);
    whole
}

fn stale(subject: Subject, facts: &mut FactSet) -> GapId {
    let why =
        "SOFTWARE is dirty and its transaction logs are missing: newer entries may not be in it";
    facts.gaps.open(subject, why)
}

/// One entry of a store. Its key is named by the certificate's SHA-1: where it is not, or the entry cannot be read, the store is
/// damaged, which is a problem; but where the hive is damaged in the names of its keys (`names`), the store may be well.
fn read_entry(
    registry: &Registry,
    artifact: &str,
    home: Home,
    (key, names): (&Key<'_>, &Known<()>),
    facts: &mut FactSet,
) -> Option<Entry> {
    let at = key.path().to_owned();
    let problem = |message: String| registry.remark(artifact, Some(at.clone()), message);
    let Ok(thumbprint) = key.name().parse::<Thumbprint>() else {
        problem("a store entry whose name is no thumbprint".to_owned());
        return None;
    };
    let (bytes, hive_damaged) = match key.value("Blob") {
        Lookup::Present(value) => (binary(&value).map_err(|wrong| wrong.to_string()), false),
        Lookup::Absent => (
            Err("a store entry without its certificate (no value Blob)".to_owned()),
            false,
        ),
        Lookup::Unreadable(trouble) => (Err(trouble.to_string()), true),
    };
    let place = registry
        .software()
        .map(|file| file.source(&at, Some("Blob"), key.written()));
    let held_by = match &place {
        Some(Source::Value { artifact, .. }) => artifact.clone(),
        _ => artifact.to_owned(),
    };
    let mut sources = vec![source(&held_by, thumbprint)];
    sources.splice(0..0, place);
    let mut unreadable = |why: String| {
        problem(format!("the store entry cannot be read: {why}"));
        let subject = match home {
            Home::RemoteDesktop => Subject::RemoteDesktopStore,
            Home::Personal | Home::Export | Home::User => Subject::PersonalStore,
        };
        let gap = facts
            .gaps
            .open(subject, format!("the entry {thumbprint} is damaged: {why}"));
        Known::Open(gap)
    };
    let blob = match bytes {
        Ok(bytes) => StoreBlob::parse(&bytes),
        Err(why) => {
            let key_provider = unreadable(why.clone());
            let damage = match key_provider.gap().filter(|_| hive_damaged) {
                Some(gap) => Known::Open(gap),
                None => Known::Is(Some(why)),
            };
            return Some(Entry {
                home,
                thumbprint,
                certificate: None,
                key_provider,
                marked: false,
                damage,
                exported_key: KeyHeld::None,
                told: Told::default(),
                sources,
            });
        }
    };
    for trouble in &blob.problems {
        problem(trouble.to_string());
    }
    let marked = blob.self_signed_mark == SelfSignedMark::Marked;
    let (certificate, why) = match blob.element {
        StoreElement::Certificate(Ok(certificate)) => (Some(*certificate), None),
        StoreElement::Certificate(Err(error)) => (None, Some(error.to_string())),
        StoreElement::RevocationList(_) | StoreElement::TrustList | StoreElement::Missing => {
            (None, Some("it holds no certificate".to_owned()))
        }
    };
    let mut damage = Known::Is(why.clone());
    if let Some(certificate) = &certificate
        && certificate.thumbprint != thumbprint
    {
        let own = certificate.thumbprint;
        let misnamed = format!("it is named {thumbprint}, but holds the certificate {own}");
        problem(format!("the store entry is damaged: {misnamed}"));
        damage = names.clone().map(|()| Some(misnamed));
    }
    let key_provider = match why {
        None => Known::Is(blob.key_provider),
        Some(why) => unreadable(why),
    };
    Some(Entry {
        home,
        thumbprint,
        certificate,
        key_provider,
        marked,
        damage,
        exported_key: KeyHeld::None,
        told: Told::default(),
        sources,
    })
}
