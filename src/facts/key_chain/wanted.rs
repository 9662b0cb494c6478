//! Which key file the listener's certificate asks for: its container, who keeps it, and the names that the file may have.

use crate::facts::catalog::key::KeyFolder;
use crate::facts::certificate::Chosen;
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::GapId;
use crate::facts::key_event::SELF_SIGNED_CONTAINER;
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;
use crate::parse::certificate::PublicKey;
use crate::parse::guid::Guid;
use crate::parse::key_file::{ContainerHash, KeyFileName};
use crate::parse::store_blob::{KeyProviderInfo, KeyStorage};

/// CRYPT_MACHINE_KEYSET, and NCRYPT_MACHINE_KEY_FLAG alike: the key is the machine's, not its maker's.
const MACHINE_KEY: u32 = 0x20;
/// PROV_RSA_FULL, PROV_RSA_SIG, PROV_RSA_SCHANNEL, PROV_RSA_AES: their keys lie below `Crypto\RSA`.
const RSA_PROVIDERS: [u32; 4] = [1, 2, 12, 24];
const SOFTWARE_KEY_STORAGE: &str = "Microsoft Software Key Storage Provider";

/// The key file that a certificate asks for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// The container; known to be none where the certificate names no key.
    pub(super) container: Known<Option<String>>,
    /// Who keeps it.
    pub(super) provider: Option<String>,
    /// Its folder.
    pub(super) folder: Known<KeyFolder>,
    /// The names that its file may have: a container that is a file's name is taken literally first.
    pub(super) names: Known<Vec<KeyFileName>>,
    /// The first half of the name, where the MachineGuid is not known.
    pub(super) hashes: Vec<ContainerHash>,
    /// The machine's MachineGuid.
    pub(super) machine: Known<Guid>,
    /// The certificate's public key.
    pub(super) public_key: Known<PublicKey>,
}

impl Wanted {
    /// Reads it from the certificate and the registry.
    pub(super) fn of(chosen: &Chosen, machine: Known<Guid>, facts: &mut FactSet) -> Wanted {
        let provider = match &chosen.entry {
            Known::Open(gap) => Known::Open(*gap),
            Known::Is(None) => Known::Is(None),
            Known::Is(Some(entry)) => entry.key_provider.clone(),
        };
        let public_key = match chosen.certificate() {
            Some(certificate) => Known::Is(certificate.public_key.clone()),
            None => Known::Open(facts.gaps.open(
                Subject::ListenerCertificate,
                "without the certificate its public key cannot be compared",
            )),
        };
        let mut wanted = Wanted {
            container: Known::Is(None),
            provider: None,
            folder: Known::Is(KeyFolder::MachineKeys),
            names: Known::Is(Vec::new()),
            hashes: Vec::new(),
            machine,
            public_key,
        };
        match provider {
            Known::Is(Some(info)) => {
                wanted.folder = folder(&info, facts);
                wanted.fill(&info.container, info.storage(), facts);
                wanted.provider = Some(info.provider);
            }
            // The key of the certificate that Windows makes itself always has the same container.
            Known::Open(_) if !chosen.custom => {
                wanted.fill(SELF_SIGNED_CONTAINER, KeyStorage::Capi, facts);
            }
            Known::Open(gap) => {
                wanted.container = Known::Open(gap);
                wanted.folder = Known::Open(gap);
                wanted.names = Known::Open(gap);
            }
            Known::Is(None) => {}
        }
        wanted
    }

    fn fill(&mut self, container: &str, storage: KeyStorage, facts: &mut FactSet) {
        self.container = Known::Is(Some(container.to_owned()));
        let literal = container.parse::<KeyFileName>().ok();
        let hash = ContainerHash::of(container, storage);
        self.hashes = literal
            .map(|name| name.hash)
            .into_iter()
            .chain(hash)
            .collect();
        self.names = match (literal, hash, &self.machine) {
            (None, None, _) => {
                let why = format!(
                    "the container {container:?} has letters beyond ASCII, whose bytes depend on the machine's code page"
                );
                Known::Open(facts.gaps.open(Subject::KeyFolderListing, why))
            }
            (None, Some(_), Known::Open(gap)) => Known::Open(*gap),
            (literal, hash, machine) => {
                let hashed = hash.zip(machine.settled().copied());
                let hashed = hashed.map(|(hash, machine)| KeyFileName { hash, machine });
                Known::Is(literal.into_iter().chain(hashed).collect())
            }
        };
    }

    /// Whether a cryptographic service provider keeps the key.
    pub(super) fn csp(&self) -> Known<bool> {
        match &self.container {
            Known::Open(gap) => Known::Open(*gap),
            Known::Is(None) => Known::Is(false),
            Known::Is(Some(_)) => self
                .folder
                .clone()
                .map(|folder| folder == KeyFolder::MachineKeys),
        }
    }
}

/// The folder that a provider keeps its keys in.
fn folder(info: &KeyProviderInfo, facts: &mut FactSet) -> Known<KeyFolder> {
    let machine = info.flags & MACHINE_KEY != 0;
    let smart_card = info.provider.to_lowercase().contains("smart card");
    let found = match info.storage() {
        KeyStorage::Cng if info.provider.eq_ignore_ascii_case(SOFTWARE_KEY_STORAGE) => {
            Some(if machine {
                KeyFolder::Keys
            } else {
                KeyFolder::SystemKeys
            })
        }
        KeyStorage::Capi
            if RSA_PROVIDERS.contains(&info.provider_type)
                && machine
                && !smart_card
                && info.provider.starts_with("Microsoft ") =>
        {
            Some(KeyFolder::MachineKeys)
        }
        KeyStorage::Capi | KeyStorage::Cng => None,
    };
    match found {
        Some(folder) => Known::Is(folder),
        None => {
            let why = format!(
                "{} keeps the key, and not in a folder that is known here",
                info.provider
            );
            Known::Open(facts.gaps.open(Subject::KeyFolderListing, why))
        }
    }
}

/// The machine's MachineGuid.
pub(super) fn machine_guid(
    registry: &Registry,
    facts: &mut FactSet,
) -> (Known<Guid>, Option<Source>) {
    let place = Place::Software("Microsoft\\Cryptography");
    let answer = registry.typed(&mut facts.gaps, place, "MachineGuid", |value| {
        let text = value.text().map_err(|wrong| wrong.to_string())?;
        text.trim().parse::<Guid>().map_err(|why| why.to_string())
    });
    let guid = match answer.value {
        Known::Is(Some(guid)) => Known::Is(guid),
        Known::Is(None) => Known::Open(no_guid(facts)),
        Known::Open(gap) => Known::Open(gap),
    };
    (guid, answer.source)
}

fn no_guid(facts: &mut FactSet) -> GapId {
    facts.gaps.open(
        Subject::SoftwareHive,
        "Microsoft\\Cryptography\\MachineGuid is not there",
    )
}

/// `ProgramData` on the machine, where the registry says it, else where Windows puts it.
pub(super) fn program_data(registry: &Registry, facts: &mut FactSet) -> String {
    let version = "Microsoft\\Windows NT\\CurrentVersion";
    let list = format!("{version}\\ProfileList");
    let gaps = &mut facts.gaps;
    let told = registry.text(gaps, Place::Software(&list), "ProgramData");
    let root = registry.text(gaps, Place::Software(version), "SystemRoot");
    let drive = root
        .present()
        .and_then(|root| root.get(..2))
        .filter(|drive| drive.ends_with(':'))
        .unwrap_or("C:");
    match told.present() {
        Some(path)
            if path.len() >= SYSTEM_DRIVE.len() && path.is_char_boundary(SYSTEM_DRIVE.len()) =>
        {
            let (start, rest) = path.split_at(SYSTEM_DRIVE.len());
            if start.eq_ignore_ascii_case(SYSTEM_DRIVE) {
                format!("{drive}{rest}")
            } else {
                path.clone()
            }
        }
        Some(path) => path.clone(),
        None => format!("{drive}\\ProgramData"),
    }
}

const SYSTEM_DRIVE: &str = "%SystemDrive%";
