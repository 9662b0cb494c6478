//! Schannel's settings as the hives hold them, in the model's terms.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;

use crate::facts::fact::Source;
use crate::facts::gap::{GapId, Gaps};
use crate::facts::known::Known;
use crate::facts::registry::{Answer, HiveFile, Place, Registry};
use crate::parse::hive::{Lookup, Value, WrongType};
use crate::parse::registry::Key;
use crate::tls::{self, PolicyList, ProtocolValues, Role, SchannelSettings, Setting, Version};

const SCHANNEL: &str = "Control\\SecurityProviders\\SCHANNEL";
const LOCAL_SUITES: Place<'static> =
    Place::ControlSet("Control\\Cryptography\\Configuration\\Local\\SSL\\00010002");
const LOCAL_SIGNATURES: Place<'static> =
    Place::ControlSet("Control\\Cryptography\\Configuration\\Local\\SSL\\00010003");
const PROVIDER: Place<'static> = Place::ControlSet(
    "Control\\Cryptography\\Providers\\Microsoft SSL Protocol Provider\\UM\\00010002",
);
const PROVIDER_IMAGE: Place<'static> =
    Place::ControlSet("Control\\Cryptography\\Providers\\Microsoft SSL Protocol Provider\\UM");
const POLICY_SUITES: Place<'static> =
    Place::Software("Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002");
const LISTENER: Place<'static> =
    Place::ControlSet("Control\\Terminal Server\\WinStations\\RDP-Tcp");
const LISTENER_POLICY: Place<'static> =
    Place::Software("Policies\\Microsoft\\Windows NT\\Terminal Services");

/// What the hives hold of Schannel's settings, and where.
#[derive(Debug)]
pub struct Collected {
    /// The settings.
    pub settings: SchannelSettings,
    /// The policy list's place.
    pub(super) policy: Answer<PolicyList>,
    /// The local list's place.
    pub(super) local: Answer<Vec<String>>,
    /// The provider list's place.
    pub(super) provider: Answer<Vec<String>>,
    /// The keys of the server role that hold a value.
    pub(super) protocols: Vec<(Source, Option<Timestamp>)>,
    /// Whether the listener asks for FIPS encryption (MinEncryptionLevel 4, by policy or by its own key).
    pub(super) fips_encryption: Known<bool>,
    /// Every value that was found, in the order in which they were asked for.
    pub values: Vec<FoundValue>,
    /// Settings in which other control sets differ from the one in use, in words.
    pub elsewhere: Vec<OtherSet>,
}

/// A value that bears on TLS, and where it stands.
#[derive(Debug, Clone)]
pub struct FoundValue {
    /// The role it is for; none where it is for both.
    pub role: Option<Role>,
    /// What it holds: a number, a text, or how many names.
    pub shown: String,
    /// Where it stands.
    pub source: Source,
    /// When its key was last written.
    pub written: Option<Timestamp>,
    /// When Windows reads it.
    pub read_at: ReadAt,
}

/// When Windows reads a setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadAt {
    /// When Windows starts: lists of suites and curves (Microsoft, "Manage Transport Layer Security (TLS)").
    Boot,
    /// When the service makes its next credential, so at its start at the latest: versions (Microsoft, "TLS registry settings").
    ServiceStart,
    /// At once: Ciphers and Hashes (KB245030).
    Once,
}

/// A setting of another control set.
#[derive(Debug, Clone)]
pub struct OtherSet {
    /// The difference, in words.
    pub says: String,
    /// The control set.
    pub source: Source,
}

/// Reads Schannel's settings. What was not collected, is damaged or of another type than Windows reads is unknown in them.
pub fn read(registry: &Registry, gaps: &mut Gaps) -> Collected {
    let mut collected = read_set(registry, None, gaps);
    for set in registry.other_control_sets() {
        let other = read_set(registry, Some(&set), gaps);
        let source = registry.key(gaps, Place::System(&set)).source;
        let differences = tls::differences(&collected.settings, &other.settings);
        collected
            .elsewhere
            .extend(source.into_iter().flat_map(|source| {
                let of_set = |difference: &tls::Difference| OtherSet {
                    says: format!("{set} has other {}", difference.setting),
                    source: source.clone(),
                };
                differences.iter().map(of_set).collect::<Vec<_>>()
            }));
    }
    collected
}

fn read_set(registry: &Registry, set: Option<&str>, gaps: &mut Gaps) -> Collected {
    let mut reader = Reader {
        registry,
        set,
        gaps,
        wrong_types: Vec::new(),
        values: Vec::new(),
    };
    let mut protocols = Vec::new();
    let mut values = BTreeMap::new();
    for version in Version::ALL {
        for role in [Role::Server, Role::Client] {
            let path = format!("{SCHANNEL}\\Protocols\\{version}\\{role}");
            let place = Place::ControlSet(&path);
            let enabled = reader.dword(place, "Enabled");
            let disabled_by_default = reader.dword(place, "DisabledByDefault");
            if role == Role::Server {
                for answer in [&enabled, &disabled_by_default] {
                    if let (Some(_), Some(source)) = (answer.present(), &answer.source) {
                        protocols.push((source.clone(), answer.written));
                    }
                }
            }
            let pair = ProtocolValues {
                enabled: reader.setting(enabled),
                disabled_by_default: reader.setting(disabled_by_default),
            };
            if pair != ProtocolValues::default() {
                values.insert((version, role), pair);
            }
        }
    }
    let names = reader.key_names(&format!("{SCHANNEL}\\Protocols"));
    let other_protocols = names
        .into_iter()
        .filter(|name| Version::from_str(name).is_err())
        .collect();
    let policy = reader.typed(POLICY_SUITES, "Functions", policy_list);
    let local = reader.texts(LOCAL_SUITES, "Functions");
    let provider = reader.texts(PROVIDER, "Functions");
    // Windows' own, and the same in every control set.
    let provider_library = reader.registry.text(reader.gaps, PROVIDER_IMAGE, "Image");
    let local_curves = reader.texts(LOCAL_SUITES, "EccCurves");
    let policy_curves = reader.typed(POLICY_SUITES, "EccCurves", names_of);
    let signatures = reader.texts(LOCAL_SIGNATURES, "Functions");
    let diffie_hellman = format!("{SCHANNEL}\\KeyExchangeAlgorithms\\Diffie-Hellman");
    let pkcs = format!("{SCHANNEL}\\KeyExchangeAlgorithms\\PKCS");
    let messaging = format!("{SCHANNEL}\\Messaging");
    let mut number = |path: &str, name: &str| {
        let answer = reader.dword(Place::ControlSet(path), name);
        reader.setting(answer)
    };
    let fips = number("Control\\Lsa\\FipsAlgorithmPolicy", "Enabled");
    let server_diffie_hellman_bits = number(&diffie_hellman, "ServerMinKeyBitLength");
    let client_diffie_hellman_bits = number(&diffie_hellman, "ClientMinKeyBitLength");
    let client_rsa_bits = number(&pkcs, "ClientMinKeyBitLength");
    let message_limit_server = number(&messaging, "MessageLimitServer");
    let event_logging = number(SCHANNEL, "EventLogging");
    let settings = SchannelSettings {
        protocols: Setting::Present(values),
        other_protocols,
        ciphers: reader.algorithms("Ciphers"),
        hashes: reader.algorithms("Hashes"),
        key_exchanges: reader.algorithms("KeyExchangeAlgorithms"),
        provider_suites: reader.setting(provider.clone()),
        provider_library: reader.setting(provider_library),
        local_suites: reader.setting(local.clone()),
        policy_suites: reader.setting(policy.clone()),
        local_curves: reader.setting(local_curves),
        policy_curves: reader.setting(policy_curves),
        signature_suites: reader.setting(signatures),
        fips,
        server_diffie_hellman_bits,
        client_diffie_hellman_bits,
        client_rsa_bits,
        message_limit_server,
        event_logging,
        wrong_types: reader.wrong_types,
    };
    Collected {
        settings,
        policy,
        local,
        provider,
        protocols,
        fips_encryption: fips_encryption(registry, reader.gaps),
        values: reader.values,
        elsewhere: Vec::new(),
    }
}

/// A policy's level comes before the listener's own (Microsoft, "Set client connection encryption level").
fn fips_encryption(registry: &Registry, gaps: &mut Gaps) -> Known<bool> {
    const FIPS: u32 = 4;
    let policy = registry
        .dword(gaps, LISTENER_POLICY, "MinEncryptionLevel")
        .value;
    let own = registry.dword(gaps, LISTENER, "MinEncryptionLevel").value;
    policy.and_then(|policy| match policy {
        Some(level) => Known::Is(level == FIPS),
        None => own.map(|level| level == Some(FIPS)),
    })
}

/// Reads values into the model's terms.
struct Reader<'r> {
    registry: &'r Registry,
    /// The control set to read; none for the one in use.
    set: Option<&'r str>,
    gaps: &'r mut Gaps,
    wrong_types: Vec<tls::WrongType>,
    values: Vec<FoundValue>,
}

impl Reader<'_> {
    /// A key's path from the root of SYSTEM, where another control set than the one in use is read.
    fn moved(&self, place: Place<'_>) -> Option<String> {
        match (place, self.set) {
            (Place::ControlSet(path), Some(set)) => Some(format!("{set}\\{path}")),
            _ => None,
        }
    }

    fn typed<T>(
        &mut self,
        place: Place<'_>,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, WrongType>,
    ) -> Answer<T> {
        let moved = self.moved(place);
        let place = moved.as_deref().map_or(place, Place::System);
        let mut wrong = None;
        let mut shown = None;
        let answer = self.registry.typed(self.gaps, place, name, |value| {
            shown = Some(text_of(value));
            read(value).inspect_err(|found| wrong = Some(found.clone()))
        });
        if let (Some(shown), Some(source)) = (shown, &answer.source) {
            self.note(shown, source.clone(), answer.written);
        }
        if let (Some(wrong), Some(Source::Value { key, .. })) = (wrong, &answer.source) {
            self.refused(format!("{key}\\{name}"), &wrong);
        }
        answer
    }

    fn note(&mut self, shown: String, source: Source, written: Option<Timestamp>) {
        let Source::Value { key, name, .. } = &source else {
            return;
        };
        let name = name.as_deref().unwrap_or_default();
        if name == "EventLogging" {
            return;
        }
        let is_for = |word: &str| key.ends_with(&format!("\\{word}")) || name.starts_with(word);
        let role = [(Role::Server, "Server"), (Role::Client, "Client")]
            .into_iter()
            .find(|(_, word)| is_for(word) || name.ends_with(word));
        let below = |branch: &str| key.contains(&format!("\\SCHANNEL\\{branch}"));
        let read_at = if below("Protocols") || below("Messaging") {
            ReadAt::ServiceStart
        } else if below("") {
            ReadAt::Once
        } else {
            ReadAt::Boot
        };
        self.values.push(FoundValue {
            role: role.map(|(role, _)| role),
            shown,
            source,
            written,
            read_at,
        });
    }

    fn dword(&mut self, place: Place<'_>, name: &str) -> Answer<u32> {
        self.typed(place, name, Value::dword)
    }

    fn texts(&mut self, place: Place<'_>, name: &str) -> Answer<Vec<String>> {
        self.typed(place, name, Value::multi_text)
    }

    fn setting<T>(&self, answer: Answer<T>) -> Setting<T> {
        match answer.value {
            Known::Is(Some(value)) => Setting::Present(value),
            Known::Is(None) => Setting::Absent,
            Known::Open(gap) => Setting::Unknown(why(self.gaps, gap)),
        }
    }

    fn key_names(&mut self, path: &str) -> Vec<String> {
        let place = Place::ControlSet(path);
        let moved = self.moved(place);
        let place = moved.as_deref().map_or(place, Place::System);
        let listing = self.registry.subkeys(self.gaps, place);
        let entries = listing.present().map(|listing| listing.entries.iter());
        let names = entries.into_iter().flatten().map(|key| key.name());
        names.collect()
    }

    /// `Enabled` of every key below one of SCHANNEL's, and of the keys in these: a name with a slash, made by a tool that takes
    /// the slash for a separator, lies one level deeper.
    fn algorithms(&mut self, branch: &str) -> Setting<BTreeMap<String, Setting<u32>>> {
        let path = format!("{SCHANNEL}\\{branch}");
        let place = Place::ControlSet(&path);
        let moved = self.moved(place);
        let place = moved.as_deref().map_or(place, Place::System);
        let listing = self.registry.subkeys(self.gaps, place);
        let listing = match listing.value {
            Known::Is(Some(listing)) => listing,
            Known::Is(None) => return Setting::Absent,
            Known::Open(gap) => return Setting::Unknown(why(self.gaps, gap)),
        };
        let system = self.registry.system();
        if let Some(why) = system.and_then(HiveFile::silence_proves_nothing) {
            return Setting::Unknown(why.to_owned());
        }
        let mut troubles = listing.troubles;
        let mut found = BTreeMap::new();
        for key in listing.entries {
            let inner = key.subkeys();
            troubles.extend(inner.troubles);
            for inner in inner.entries {
                let name = format!("{}\\{}", key.name(), inner.name());
                found.insert(name, self.enabled(&inner));
            }
            found.insert(key.name(), self.enabled(&key));
        }
        if let Some(trouble) = troubles.first() {
            return Setting::Unknown(trouble.reason());
        }
        Setting::Present(found)
    }

    fn enabled(&mut self, key: &Key<'_>) -> Setting<u32> {
        let value = match key.value("Enabled") {
            Lookup::Present(value) => value,
            Lookup::Absent => return Setting::Absent,
            Lookup::Unreadable(trouble) => return Setting::Unknown(trouble.reason()),
        };
        if let Some(file) = self.registry.system() {
            let source = file.source(key.path(), Some("Enabled"), key.written());
            self.note(text_of(&value), source, key.written());
        }
        value.dword().map_or_else(
            |wrong| {
                let why = wrong.to_string();
                self.refused(format!("{}\\Enabled", key.path()), &wrong);
                Setting::Unknown(why)
            },
            Setting::Present,
        )
    }

    fn refused(&mut self, path: String, wrong: &WrongType) {
        self.wrong_types.push(tls::WrongType {
            path,
            found: wrong.found.to_string(),
            expected: wrong.expected.to_owned(),
        });
    }
}

/// What a value holds, in few words.
fn text_of(value: &Value) -> String {
    const LONGEST: usize = 60;
    if let Ok(number) = value.dword() {
        return match number {
            0..=9 => number.to_string(),
            _ => format!("{number:#x}"),
        };
    }
    if let Ok(names) = value.multi_text() {
        return match names.as_slice() {
            names if names.len() <= 3 => names.join(", "),
            names => format!("{} names", names.len()),
        };
    }
    match value.text() {
        Ok(text) if text.chars().count() <= LONGEST => text,
        Ok(text) => format!("{} characters", text.chars().count()),
        Err(wrong) => format!("{}, {} bytes", wrong.found, wrong.length),
    }
}

fn why(gaps: &Gaps, gap: GapId) -> String {
    let gap = gaps.gap(gap);
    format!("{}: {}", gap.about, gap.why)
}

/// The policy writes REG_SZ; some scripts write REG_MULTI_SZ.
fn policy_list(value: &Value) -> Result<PolicyList, WrongType> {
    match value.multi_text() {
        Ok(names) => Ok(PolicyList::Strings(names)),
        Err(_) => value.text().map(PolicyList::Text),
    }
}

/// REG_MULTI_SZ as documented, or one text with commas.
fn names_of(value: &Value) -> Result<Vec<String>, WrongType> {
    value.multi_text().or_else(|wrong| {
        let text = value.text().map_err(|_| wrong)?;
        Ok(text.split(',').map(|name| name.trim().to_owned()).collect())
    })
}
