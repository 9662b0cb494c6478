//! Schannel's settings as they stand in the registry, before any judgement. Whoever reads hives fills them in.

use std::collections::BTreeMap;

use super::doubt::{Doubt, Settled};
use super::version::{Role, Version};

const SMALLEST_MESSAGE_LIMIT: u32 = 0x1000;

/// A value in the registry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// It is not there, and what was read proves that.
    #[default]
    Absent,
    /// It is there.
    Present(T),
    /// Not known; why, for people: "SOFTWARE was not collected", "is REG_SZ where a REG_DWORD belongs".
    Unknown(String),
}

impl<T> Setting<T> {
    /// The value, where there is one.
    pub fn present(&self) -> Option<&T> {
        match self {
            Setting::Present(value) => Some(value),
            Setting::Absent | Setting::Unknown(_) => None,
        }
    }
}

/// The two values under `SCHANNEL\Protocols\<version>\<role>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProtocolValues {
    /// `Enabled`.
    pub enabled: Setting<u32>,
    /// `DisabledByDefault`.
    pub disabled_by_default: Setting<u32>,
}

impl ProtocolValues {
    /// `Enabled` = 1 and `DisabledByDefault` = 0, as Microsoft writes them to switch a version on.
    pub fn on() -> ProtocolValues {
        ProtocolValues {
            enabled: Setting::Present(1),
            disabled_by_default: Setting::Present(0),
        }
    }

    /// `Enabled` = 0 and `DisabledByDefault` = 1.
    pub fn off() -> ProtocolValues {
        ProtocolValues {
            enabled: Setting::Present(0),
            disabled_by_default: Setting::Present(1),
        }
    }
}

/// The suite list of a policy: `SOFTWARE\Policies\Microsoft\Cryptography\Configuration\SSL\00010002`, value `Functions`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PolicyList {
    /// REG_SZ: names with commas between, as the policy writes it.
    Text(String),
    /// REG_MULTI_SZ, as some scripts write it, one name or several with commas in a string.
    Strings(Vec<String>),
}

impl PolicyList {
    /// The longest list, in characters, that the policy takes (Microsoft, "Manage Transport Layer Security (TLS)").
    pub const LIMIT: usize = 1023;

    /// Its length in characters, commas included.
    pub fn length(&self) -> usize {
        match self {
            PolicyList::Text(text) => text.chars().count(),
            PolicyList::Strings(names) => {
                let letters: usize = names.iter().map(|name| name.chars().count()).sum();
                letters + names.len().saturating_sub(1)
            }
        }
    }

    /// Its names as they stand, spaces and all; empty ones between or after commas are left out.
    pub fn names(&self) -> Vec<&str> {
        let names: Vec<&str> = match self {
            PolicyList::Text(text) => text.split(',').collect(),
            PolicyList::Strings(names) => names.iter().flat_map(|name| name.split(',')).collect(),
        };
        names.into_iter().filter(|name| !name.is_empty()).collect()
    }
}

/// A value whose type is not the one that Windows reads.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WrongType {
    /// Key and value name.
    pub path: String,
    /// The type it has: `REG_SZ`.
    pub found: String,
    /// The type it should have.
    pub expected: String,
}

/// Everything in the registry that decides what Schannel offers. The default is a system where nothing is set; a hive that
/// was not read makes its values [`Setting::Unknown`], which is not the same.
///
/// `<CCS>` is the control set in use, in SYSTEM.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SchannelSettings {
    /// `<CCS>\Control\SecurityProviders\SCHANNEL\Protocols`, by version and role. A missing pair has neither value.
    pub protocols: Setting<BTreeMap<(Version, Role), ProtocolValues>>,
    /// Names under `Protocols` that are no version, as `Multi-Protocol Unified Hello` or `TLS1.2`.
    pub other_protocols: Vec<String>,
    /// `SCHANNEL\Ciphers`: `Enabled` of each key. The key's path below Ciphers is its name; `RC4 128/128` is one key, and
    /// `RC4 128\128` is one within another. A key without the value has [`Setting::Absent`].
    pub ciphers: Setting<BTreeMap<String, Setting<u32>>>,
    /// `SCHANNEL\Hashes`, the same way.
    pub hashes: Setting<BTreeMap<String, Setting<u32>>>,
    /// `SCHANNEL\KeyExchangeAlgorithms`, the same way.
    pub key_exchanges: Setting<BTreeMap<String, Setting<u32>>>,
    /// What this build registers: `<CCS>\Control\Cryptography\Providers\Microsoft SSL Protocol Provider\UM\00010002`, `Functions`.
    pub provider_suites: Setting<Vec<String>>,
    /// The library that the provider is in, `Image` beside that list.
    pub provider_library: Setting<String>,
    /// The local order: `<CCS>\Control\Cryptography\Configuration\Local\SSL\00010002`, `Functions`.
    pub local_suites: Setting<Vec<String>>,
    /// The order by policy, in SOFTWARE; it replaces the local one.
    pub policy_suites: Setting<PolicyList>,
    /// `EccCurves` beside the local order, from Windows 10 on.
    pub local_curves: Setting<Vec<String>>,
    /// `EccCurves` beside the policy's.
    pub policy_curves: Setting<Vec<String>>,
    /// `<CCS>\Control\Cryptography\Configuration\Local\SSL\00010003`, `Functions`: signature suites, no curves.
    pub signature_suites: Setting<Vec<String>>,
    /// `<CCS>\Control\Lsa\FipsAlgorithmPolicy`, `Enabled`.
    pub fips: Setting<u32>,
    /// `KeyExchangeAlgorithms\Diffie-Hellman`, `ServerMinKeyBitLength`.
    pub server_diffie_hellman_bits: Setting<u32>,
    /// `KeyExchangeAlgorithms\Diffie-Hellman`, `ClientMinKeyBitLength`.
    pub client_diffie_hellman_bits: Setting<u32>,
    /// `KeyExchangeAlgorithms\PKCS`, `ClientMinKeyBitLength`.
    pub client_rsa_bits: Setting<u32>,
    /// `SCHANNEL\Messaging`, `MessageLimitServer`, in bytes.
    pub message_limit_server: Setting<u32>,
    /// `SCHANNEL`, `EventLogging`: bits 1 errors, 2 warnings, 4 information.
    pub event_logging: Setting<u32>,
    /// Values of these keys that have another type than Windows reads.
    pub wrong_types: Vec<WrongType>,
}

impl SchannelSettings {
    /// A system of which neither hive was read.
    pub fn unread(why: &str) -> SchannelSettings {
        let mut settings = SchannelSettings::default();
        settings.leave_out_system(why);
        settings.leave_out_software(why);
        settings
    }

    /// Whether `MessageLimitServer` is so small that a handshake with a client certificate or large extensions is refused: 0
    /// refuses all (Microsoft, "TLS registry settings": defaults 0x4000 and 0x8000), below 0x1000 is taken as too small.
    pub fn refuses_messages(&self) -> Settled {
        match &self.message_limit_server {
            Setting::Present(limit) if *limit < SMALLEST_MESSAGE_LIMIT => Settled::Yes,
            Setting::Present(_) | Setting::Absent => Settled::No,
            Setting::Unknown(why) => {
                Settled::Open([Doubt::Unread(format!("MessageLimitServer ({why})"))].into())
            }
        }
    }

    /// Marks everything that stands in SYSTEM as not known.
    pub fn leave_out_system(&mut self, why: &str) {
        let why = || why.to_owned();
        self.protocols = Setting::Unknown(why());
        self.ciphers = Setting::Unknown(why());
        self.hashes = Setting::Unknown(why());
        self.key_exchanges = Setting::Unknown(why());
        self.provider_suites = Setting::Unknown(why());
        self.local_suites = Setting::Unknown(why());
        self.local_curves = Setting::Unknown(why());
        self.signature_suites = Setting::Unknown(why());
        self.fips = Setting::Unknown(why());
        self.server_diffie_hellman_bits = Setting::Unknown(why());
        self.client_diffie_hellman_bits = Setting::Unknown(why());
        self.client_rsa_bits = Setting::Unknown(why());
        self.message_limit_server = Setting::Unknown(why());
        self.event_logging = Setting::Unknown(why());
    }

    /// Marks everything that stands in SOFTWARE as not known.
    pub fn leave_out_software(&mut self, why: &str) {
        self.policy_suites = Setting::Unknown(why.to_owned());
        self.policy_curves = Setting::Unknown(why.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_text_is_split_at_commas_and_nothing_else() {
        let list = PolicyList::Text("A, B,,C,".into());
        assert_eq!(list.names(), ["A", " B", "C"]);
        assert_eq!(PolicyList::Text(String::new()).names(), Vec::<&str>::new());
        assert_eq!(
            PolicyList::Strings(vec!["A".into(), "BC".into()]).length(),
            "A,BC".len()
        );
    }
    #[test]
    fn a_message_limit_of_zero_refuses_everything() {
        let limit = |message_limit_server| SchannelSettings {
            message_limit_server,
            ..SchannelSettings::default()
        };
        assert_eq!(limit(Setting::Present(0)).refuses_messages(), Settled::Yes);
        assert_eq!(
            limit(Setting::Present(0x4000)).refuses_messages(),
            Settled::No
        );
        assert_eq!(limit(Setting::Absent).refuses_messages(), Settled::No);
        assert!(matches!(
            limit(Setting::Unknown("torn".into())).refuses_messages(),
            Settled::Open(_)
        ));
    }
}
