//! Remote Desktop clients: what they offer, as far as it is known.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::certificate::KeyType;
use super::doubt::{Assumption, State};
use super::generation::{Generation, GenerationMatch};
use super::group::Group;
use super::settings::SchannelSettings;
use super::side::Side;
use super::signature::SignatureScheme;
use super::standing::Fit;
use super::suite::Suite;
use super::version::{Role, Version};

/// How well a client's offer is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Knowledge {
    /// Its ClientHello was captured.
    Measured,
    /// Read in its source code.
    Source,
    /// Documented by Microsoft as the default of this Windows.
    Documented,
    /// Read from the client's own registry.
    Collected,
    /// Published nowhere: nothing about it is ever certain.
    Unpublished,
}

/// What a client makes of a SHA-1 signature over the key exchange in TLS 1.0 and 1.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sha1Exchange {
    /// Takes it.
    #[default]
    Accepted,
    /// Ends the handshake.
    Refused,
}

/// What a client refuses after the server has chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ClientLimits {
    /// The smallest RSA key of a certificate, in bits.
    pub rsa_bits: u32,
    /// The smallest Diffie-Hellman group, in bits.
    pub diffie_hellman_bits: u32,
    /// Whether TLS 1.0 and 1.1 work with (EC)DHE.
    pub sha1_exchange: Sha1Exchange,
}

/// A client.
#[derive(Debug, Clone)]
pub struct Client {
    /// A short name that people can type: `win-10-22h2`, `freerdp-3.27+`.
    pub id: String,
    /// What it is.
    pub title: String,
    /// How well it is known.
    pub knowledge: Knowledge,
    /// From where.
    pub source: String,
    /// The versions it offers, highest first.
    pub versions: Vec<(Version, State)>,
    /// Its suites, in its order.
    pub suites: Vec<(Suite, State)>,
    /// Its named groups, in its order.
    pub groups: Vec<(Group, State)>,
    /// Its signature schemes, in its order.
    pub signatures: Vec<(SignatureScheme, State)>,
    /// What it refuses.
    pub limits: ClientLimits,
    /// What is taken for granted of it.
    pub assumptions: Vec<Assumption>,
}

/// The Windows versions that most Remote Desktop clients run on: what was supported in its mainstream or long-term channel in
/// 2025. Left out are those that nobody should judge a server by: 2016 and older (some still offer RC4), 11 21H2.
const MAINSTREAM: [&str; 7] = [
    "10-1809-2019",
    "10-22h2",
    "server-2022",
    "11-22h2",
    "11-23h2",
    "11-24h2",
    "server-2025",
];

impl Client {
    /// Every profile: those of the table first, then each Windows version with its default settings.
    pub fn all() -> Vec<Client> {
        PROFILES
            .iter()
            .chain(Client::each_windows())
            .cloned()
            .collect()
    }

    /// Each Windows version with its default settings, oldest first. Worked out once.
    pub fn each_windows() -> &'static [Client] {
        static EACH: LazyLock<Vec<Client>> =
            LazyLock::new(|| Generation::all().iter().map(Client::windows).collect());
        &EACH
    }

    /// The Windows clients that a working server must serve.
    pub fn mainstream() -> Vec<Client> {
        let named = |id: &str| {
            let each = Generation::all().iter().zip(Client::each_windows());
            each.into_iter()
                .find(|(generation, _)| generation.id == id)
                .map(|(_, client)| client.clone())
        };
        MAINSTREAM.into_iter().filter_map(named).collect()
    }

    /// The clients in common use: the mainstream Windows versions and every other profile but those with settings of their own.
    pub fn common() -> Vec<Client> {
        let others = PROFILES
            .iter()
            .filter(|profile| profile.id != "freerdp-seclevel0");
        Client::mainstream()
            .into_iter()
            .chain(others.cloned())
            .collect()
    }

    /// By its id, whatever its case; a Windows version may go without its `win-`.
    pub fn by_id(id: &str) -> Option<Client> {
        if let Some(profile) = PROFILES
            .iter()
            .find(|profile| profile.id.eq_ignore_ascii_case(id))
        {
            return Some(profile.clone());
        }
        let generation = match id.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("win-") => id.get(4..).unwrap_or_default(),
            _ => id,
        };
        Generation::by_id(generation).map(Client::windows)
    }

    /// The client of this Windows version with its default settings: `mstsc`, which uses Schannel.
    pub fn windows(generation: &'static Generation) -> Client {
        let settings = SchannelSettings::default();
        let mut client = Client::from_settings(
            &format!("win-{}", generation.id),
            &format!("Remote Desktop Connection on {}", generation.title),
            &settings,
            Some(generation.into()),
        );
        client.knowledge = Knowledge::Documented;
        client.source =
            "Microsoft's suite, protocol and curve pages for this Windows version".into();
        // That nothing is set is what this profile means.
        client.assumptions.clear();
        client
    }

    /// A client from its own registry, in the client role.
    pub fn from_settings(
        id: &str,
        title: &str,
        settings: &SchannelSettings,
        generation: Option<GenerationMatch>,
    ) -> Client {
        let side = Side::evaluate(settings, generation, Role::Client, Fit::Client);
        // Defaults of 1,024 bits since Windows 10 (Microsoft, "TLS registry settings").
        let newer = generation.is_some_and(|found| !found.generation.has_suffixed_names());
        let default_bits = if newer { 1024 } else { 0 };
        let bits = |setting: Option<&u32>| setting.copied().unwrap_or(default_bits);
        let suites = side
            .suites
            .into_iter()
            .filter_map(|standing| Some((standing.suite?, standing.own)));
        Client {
            id: id.into(),
            title: title.into(),
            knowledge: Knowledge::Collected,
            source: "its registry".into(),
            versions: side
                .versions
                .into_iter()
                .map(|standing| (standing.version, standing.state))
                .collect(),
            suites: suites.filter(|(_, state)| state.is_possible()).collect(),
            groups: side
                .groups
                .into_iter()
                .map(|standing| (standing.group, standing.state))
                .collect(),
            signatures: side
                .signatures
                .into_iter()
                .map(|standing| (standing.scheme, standing.state))
                .collect(),
            limits: ClientLimits {
                rsa_bits: bits(settings.client_rsa_bits.present()),
                diffie_hellman_bits: bits(settings.client_diffie_hellman_bits.present()),
                sha1_exchange: Sha1Exchange::Accepted,
            },
            assumptions: side.assumptions,
        }
    }

    /// The state of a version.
    pub(super) fn version(&self, version: Version) -> State {
        let found = self.versions.iter().find(|(own, _)| *own == version);
        found.map_or(State::Off, |(_, state)| state.clone())
    }

    /// The state of a suite: this one, or one of another name that is the same on the wire.
    pub(super) fn suite(&self, suite: &Suite) -> State {
        let same = self
            .suites
            .iter()
            .filter(|(own, _)| own.iana_name() == suite.iana_name());
        best(same.map(|(_, state)| state))
    }

    /// The state of a group.
    pub(super) fn group(&self, group: &Group) -> State {
        best(
            self.groups
                .iter()
                .filter(|(own, _)| own == group)
                .map(|(_, state)| state),
        )
    }

    /// The state of a signature scheme.
    pub(super) fn signature(&self, scheme: SignatureScheme) -> State {
        best(
            self.signatures
                .iter()
                .filter(|(own, _)| *own == scheme)
                .map(|(_, state)| state),
        )
    }

    /// Whether a key of a certificate is large enough for it.
    pub(super) fn takes_key(&self, key: KeyType, bits: Option<u32>) -> bool {
        key != KeyType::Rsa || bits.is_none_or(|bits| bits >= self.limits.rsa_bits)
    }
}

/// On if one of them is, else the first that may be.
fn best<'a>(states: impl Iterator<Item = &'a State>) -> State {
    let mut best = State::Off;
    for state in states {
        match (state, &best) {
            (State::On, _) => return State::On,
            (State::Uncertain(_), State::Off) => best = state.clone(),
            _ => {}
        }
    }
    best
}

static PROFILES: LazyLock<Vec<Client>> = LazyLock::new(|| {
    let table: ClientFile =
        super::data::embedded(include_str!("data/clients.toml"), "clients.toml");
    table.client.iter().map(|row| table.profile(row)).collect()
});

#[derive(Deserialize)]
struct ClientFile {
    lists: BTreeMap<String, Vec<String>>,
    signature_lists: BTreeMap<String, Vec<String>>,
    group_lists: BTreeMap<String, Vec<String>>,
    client: Vec<ClientRow>,
}

#[derive(Deserialize)]
struct ClientRow {
    id: String,
    title: String,
    knowledge: Knowledge,
    source: String,
    #[serde(default)]
    versions: Vec<Version>,
    #[serde(default)]
    suites: String,
    #[serde(default)]
    groups: String,
    #[serde(default)]
    signatures: String,
    #[serde(default)]
    sha1_exchange: Sha1Exchange,
    #[serde(default)]
    rsa_bits: u32,
    #[serde(default)]
    dh_bits: u32,
}

impl ClientFile {
    fn profile(&self, row: &ClientRow) -> Client {
        fn read<T>(
            lists: &BTreeMap<String, Vec<String>>,
            name: &str,
            parse: impl Fn(&str) -> Option<T>,
        ) -> Vec<(T, State)> {
            let names = lists.get(name).into_iter().flatten();
            names
                .filter_map(|name| parse(name))
                .map(|value| (value, State::On))
                .collect()
        }
        Client {
            id: row.id.clone(),
            title: row.title.clone(),
            knowledge: row.knowledge,
            source: row.source.clone(),
            versions: row
                .versions
                .iter()
                .map(|version| (*version, State::On))
                .collect(),
            suites: read(&self.lists, &row.suites, Suite::parse),
            groups: read(&self.group_lists, &row.groups, Group::parse),
            signatures: read(
                &self.signature_lists,
                &row.signatures,
                SignatureScheme::parse,
            ),
            limits: ClientLimits {
                rsa_bits: row.rsa_bits,
                diffie_hellman_bits: row.dh_bits,
                sha1_exchange: row.sha1_exchange,
            },
            assumptions: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_published_profile_is_whole() {
        assert_eq!(Client::all().len(), 8 + 26);
        for client in Client::all()
            .iter()
            .filter(|client| client.knowledge != Knowledge::Unpublished)
        {
            assert!(
                !client.versions.is_empty() && client.suites.len() >= 9,
                "{}",
                client.id
            );
            assert!(
                client.groups.len() >= 2 && client.signatures.len() >= 7,
                "{}",
                client.id
            );
        }
    }

    #[test]
    fn each_list_of_the_table_is_read_to_its_last_name() {
        let count = |id: &str| {
            let client = Client::by_id(id).unwrap();
            (
                client.suites.len(),
                client.groups.len(),
                client.signatures.len(),
            )
        };
        assert_eq!(count("freerdp-3.27+"), (30, 10, 20));
        assert_eq!(count("freerdp-seclevel0"), (30, 10, 23));
        assert_eq!(count("ironrdp-rustls"), (9, 4, 10));
    }

    #[test]
    fn windows_defaults_are_its_page_without_what_is_only_on_request() {
        for (id, suites) in [
            ("win-7-2008r2", 36),
            ("win-10-1607-2016", 30),
            ("win-10-22h2", 18),
            ("win-11-24h2", 20),
        ] {
            assert_eq!(Client::by_id(id).unwrap().suites.len(), suites, "{id}");
        }
        let windows7 = Client::by_id("7-2008r2").unwrap();
        let on: Vec<Version> = windows7
            .versions
            .iter()
            .filter(|(_, state)| *state == State::On)
            .map(|(version, _)| *version)
            .collect();
        assert_eq!(on, [Version::Tls10]);
    }

    #[test]
    fn mainstream_windows_are_all_there() {
        assert_eq!(Client::mainstream().len(), MAINSTREAM.len());
    }
}
