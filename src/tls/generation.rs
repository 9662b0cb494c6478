//! The Windows versions that differ in what Schannel supports or has on by default.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde::Deserialize;

use super::algorithm::Hash;
use super::doubt::{Doubt, State};
use super::group::Group;
use super::signature::SignatureScheme;
use super::version::{Role, Version};

/// The first build whose suite names carry no curve suffix and whose curves have a list of their own: Windows 10 1507.
const FIRST_WITHOUT_SUFFIXES: u32 = 10240;

/// Client or server edition of Windows, as `InstallationType` or `ProductName` in SOFTWARE tell it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Product {
    /// Windows 7, 10, 11 ...
    Client,
    /// Windows Server.
    Server,
    /// Not known; for a row of the table: both.
    #[serde(rename = "both")]
    Unknown,
}

/// What a protocol version does without any setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProtocolDefault {
    /// On.
    On,
    /// Supported and off.
    Off,
    /// Not supported.
    None,
}

/// A Windows version.
#[derive(Debug)]
pub struct Generation {
    /// A short name that people can type: `server-2022`, `8.1-2012r2`.
    pub id: String,
    /// What Microsoft calls it.
    pub title: String,
    /// The first and the last build of it.
    pub builds: (u32, u32),
    /// The edition it is.
    pub product: Product,
    /// Names of the suites enabled by default, in order.
    pub default_suites: Vec<String>,
    /// Names of the suites that are supported besides.
    pub optional_suites: Vec<String>,
    curves: Vec<Group>,
    signatures: Vec<SignatureScheme>,
    server: BTreeMap<Version, ProtocolDefault>,
    client: BTreeMap<Version, ProtocolDefault>,
}

/// The generation that a build was matched with.
#[derive(Debug, Clone, Copy)]
pub struct GenerationMatch {
    /// The generation.
    pub generation: &'static Generation,
    /// What says that it is this one.
    pub basis: Basis,
}

/// What a machine's generation was told by.
#[derive(Debug, Clone, Copy)]
pub enum Basis {
    /// The build is one of its own.
    Build,
    /// It is the nearest lower one of which we have data.
    NearestBuild,
    /// The build is not known: the lists of the provider leave this one, this last one and those between them, and with these
    /// settings they all come to the same.
    Lists {
        /// The newest that is left.
        newest: &'static Generation,
    },
}

impl GenerationMatch {
    /// What to call it.
    pub fn title(&self) -> String {
        match self.basis {
            Basis::Lists { newest } if newest.id != self.generation.id => {
                format!("{} to {}", self.generation.title, newest.title)
            }
            Basis::Build | Basis::NearestBuild | Basis::Lists { .. } => {
                self.generation.title.clone()
            }
        }
    }
}

impl From<&'static Generation> for GenerationMatch {
    fn from(generation: &'static Generation) -> Self {
        GenerationMatch {
            generation,
            basis: Basis::Build,
        }
    }
}

impl Generation {
    /// All of them, oldest first.
    pub fn all() -> &'static [Generation] {
        &GENERATIONS
    }

    /// By its id, whatever its case.
    pub fn by_id(id: &str) -> Option<&'static Generation> {
        GENERATIONS
            .iter()
            .find(|generation| generation.id.eq_ignore_ascii_case(id))
    }

    /// By `CurrentBuild`. A build we have no data of is matched with the nearest lower one of its product; none for one before
    /// Vista. 26100 is both Windows 11 24H2 and Server 2025, whose defaults are the same.
    pub fn for_build(build: u32, product: Product) -> Option<GenerationMatch> {
        let of_product = |generation: &&Generation| {
            product == Product::Unknown
                || generation.product == Product::Unknown
                || generation.product == product
        };
        let has_build =
            |generation: &&Generation| (generation.builds.0..=generation.builds.1).contains(&build);
        let mut own = GENERATIONS.iter().filter(has_build);
        if let Some(generation) = own.clone().find(of_product).or_else(|| own.next()) {
            return Some(GenerationMatch {
                generation,
                basis: Basis::Build,
            });
        }
        let below = GENERATIONS
            .iter()
            .filter(|generation| generation.builds.1 < build)
            .filter(of_product);
        let generation = below.max_by_key(|generation| generation.builds)?;
        Some(GenerationMatch {
            generation,
            basis: Basis::NearestBuild,
        })
    }

    /// What a version does by default in this role.
    pub fn default_of(&self, version: Version, role: Role) -> ProtocolDefault {
        let states = match role {
            Role::Server => &self.server,
            Role::Client => &self.client,
        };
        states
            .get(&version)
            .copied()
            .unwrap_or(ProtocolDefault::None)
    }

    /// Whether its suite names are tied to curves by a suffix, as before Windows 10.
    pub fn has_suffixed_names(&self) -> bool {
        self.builds.1 < FIRST_WITHOUT_SUFFIXES
    }

    /// The curves enabled by default, in order.
    pub fn curves(&self) -> &[Group] {
        &self.curves
    }

    /// The default signature suites. Before Windows 10 those with SHA-512 came with an update, and are uncertain.
    pub(super) fn signatures(&self) -> Vec<(SignatureScheme, State)> {
        let state = |scheme: &SignatureScheme| {
            if scheme.hash == Hash::Sha512 && self.has_suffixed_names() {
                State::unless(Doubt::Sha512Update)
            } else {
                State::On
            }
        };
        self.signatures
            .iter()
            .map(|scheme| (*scheme, state(scheme)))
            .collect()
    }

    /// Names of all suites that the documentation says it registers.
    pub(super) fn registered(&self) -> BTreeSet<&str> {
        self.default_suites
            .iter()
            .chain(&self.optional_suites)
            .map(String::as_str)
            .collect()
    }
}

static GENERATIONS: LazyLock<Vec<Generation>> = LazyLock::new(|| {
    let lists: ListFile =
        super::data::embedded(include_str!("data/suite_lists.toml"), "suite_lists.toml");
    let table: GenerationFile =
        super::data::embedded(include_str!("data/generations.toml"), "generations.toml");
    let mut generations: Vec<Generation> = table
        .generation
        .into_iter()
        .filter_map(|row| {
            let list = lists.list.iter().find(|list| list.id == row.suites)?;
            let signatures = table.signatures.get(&row.signature)?;
            let supported = [&list.unused, &list.optional, &list.psk];
            Some(Generation {
                id: row.id,
                title: row.title,
                builds: row.builds,
                product: row.product,
                default_suites: list.default.clone(),
                optional_suites: supported.into_iter().flatten().cloned().collect(),
                curves: row
                    .curves
                    .iter()
                    .filter_map(|name| Group::parse(name))
                    .collect(),
                signatures: signatures
                    .iter()
                    .filter_map(|name| SignatureScheme::parse(name))
                    .collect(),
                server: row.server,
                client: row.client,
            })
        })
        .collect();
    generations.sort_by_key(|generation| generation.builds.0);
    generations
});

#[derive(Deserialize)]
struct ListFile {
    list: Vec<ListRow>,
}

#[derive(Deserialize)]
struct ListRow {
    id: String,
    #[serde(default)]
    unused: Vec<String>,
    default: Vec<String>,
    optional: Vec<String>,
    psk: Vec<String>,
}

#[derive(Deserialize)]
struct GenerationFile {
    signatures: BTreeMap<String, Vec<String>>,
    generation: Vec<GenerationRow>,
}

#[derive(Deserialize)]
struct GenerationRow {
    id: String,
    title: String,
    product: Product,
    builds: (u32, u32),
    suites: String,
    signature: String,
    curves: Vec<String>,
    server: BTreeMap<Version, ProtocolDefault>,
    client: BTreeMap<Version, ProtocolDefault>,
}

#[cfg(test)]
mod tests {
    use super::super::suite::Suite;
    use super::*;

    #[test]
    fn all_26_windows_versions_are_whole() {
        assert_eq!(Generation::all().len(), 26);
        for generation in Generation::all() {
            assert!(
                generation.builds.0 <= generation.builds.1,
                "{}",
                generation.id
            );
            assert!(generation.default_suites.len() >= 20, "{}", generation.id);
            assert!(
                generation.curves.len() >= 2 && generation.signatures.len() >= 7,
                "{}",
                generation.id
            );
            assert_eq!(
                (generation.server.len(), generation.client.len()),
                (6, 6),
                "{}",
                generation.id
            );
            for name in generation.registered() {
                let suite =
                    Suite::parse(name).unwrap_or_else(|| panic!("{}: {name}", generation.id));
                let suffixed = suite.curve.is_some();
                assert!(
                    !suffixed || generation.has_suffixed_names(),
                    "{}: {name}",
                    generation.id
                );
            }
        }
    }

    #[test]
    fn every_name_of_a_page_is_in_the_catalogue() {
        for name in Generation::all().iter().flat_map(Generation::registered) {
            assert!(super::super::suite::is_known_to_windows(name), "{name}");
        }
    }

    /// Lengths of the default lists joined by commas, as counted on captures of these systems.
    #[test]
    fn default_lists_are_as_long_as_on_real_systems() {
        for (id, length) in [
            ("8.1-2012r2", 1449),
            ("10-1607-2016", 1078),
            ("server-2022", 836),
            ("10-1809-2019", 790),
        ] {
            let list = Generation::by_id(id).unwrap().default_suites.join(",");
            assert_eq!(list.len(), length, "{id}");
        }
    }

    #[test]
    fn default_order_begins_and_ends_as_documented() {
        for (id, first, last) in [
            (
                "7-2008r2",
                "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256",
                "SSL_CK_DES_192_EDE3_CBC_WITH_MD5",
            ),
            (
                "10-1809-2019",
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_RSA_WITH_NULL_SHA",
            ),
            (
                "server-2025",
                "TLS_AES_256_GCM_SHA384",
                "TLS_RSA_WITH_NULL_SHA",
            ),
        ] {
            let list = &Generation::by_id(id).unwrap().default_suites;
            assert_eq!(list.first().map(String::as_str), Some(first), "{id}");
            assert_eq!(list.last().map(String::as_str), Some(last), "{id}");
        }
    }

    #[test]
    fn ecdhe_rsa_with_gcm_begins_with_windows_10() {
        for generation in Generation::all() {
            let has = generation
                .registered()
                .contains("TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384");
            assert_eq!(has, generation.builds.0 >= 10240, "{}", generation.id);
        }
    }

    #[test]
    fn builds_are_matched_or_marked_as_nearest() {
        let id = |build, product| {
            Generation::for_build(build, product).map(|found| {
                (
                    found.generation.id.as_str(),
                    matches!(found.basis, Basis::Build),
                )
            })
        };
        assert_eq!(id(9600, Product::Unknown), Some(("8.1-2012r2", true)));
        assert_eq!(id(20348, Product::Server), Some(("server-2022", true)));
        assert_eq!(id(26100, Product::Server), Some(("server-2025", true)));
        assert_eq!(id(26100, Product::Client), Some(("11-24h2", true)));
        assert_eq!(id(26200, Product::Client), Some(("11-24h2", true)));
        assert_eq!(id(28000, Product::Server), Some(("server-2025", false)));
        assert_eq!(id(20285, Product::Server), Some(("10-21h2", false)));
        assert_eq!(id(3790, Product::Server), None);
    }

    #[test]
    fn tls_1_3_and_1_2_come_on_where_the_protocols_page_says() {
        use ProtocolDefault::{None, Off, On};
        for (id, tls12, tls13) in [
            ("vista-2008", None, None),
            ("7-2008r2", Off, None),
            ("8-2012", On, None),
            ("10-22h2", On, None),
            ("server-2022", On, On),
            ("11-24h2", On, On),
        ] {
            let generation = Generation::by_id(id).unwrap();
            assert_eq!(
                generation.default_of(Version::Tls12, Role::Server),
                tls12,
                "{id}"
            );
            assert_eq!(
                generation.default_of(Version::Tls13, Role::Client),
                tls13,
                "{id}"
            );
        }
    }
}
