//! Rules of the Windows Firewall as the registry holds them: one text for each, `v2.31|Action=Allow|Active=TRUE|Dir=In|...`.
//!
//! The grammar is that of [MS-GPFAS] 2.2.2.19 (firewall rules) and 2.2.6.2 (connection security rules); the local stores below
//! `SharedAccess\Parameters\FirewallPolicy` hold the same. A field that bounds a rule and is not modelled is kept by name in
//! [`Limits`]; one that the grammar does not know is kept as well: nothing is passed over in silence.

mod scope;
#[cfg(test)]
mod tests;

pub use scope::{Addresses, Ports, covers};

use scope::{addresses, ports};

/// Why a text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It does not begin with `v` and a version.
    #[error("does not begin with a version such as v2.31")]
    Version,
    /// There is no action, or one that the grammar does not know.
    #[error("has no action that is known")]
    Action,
    /// A field has no `=`.
    #[error("holds {0:?}, which is no field")]
    Field(String),
    /// The value of a field cannot be read.
    #[error("{field} is {value:?}, which cannot be read")]
    Value {
        /// The field.
        field: String,
        /// What it holds.
        value: String,
    },
}

/// What a firewall rule does with what it matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Lets it in.
    Allow,
    /// Keeps it out, whatever other rules allow.
    Block,
    /// Lets in what IPsec vouches for, whatever blocks it.
    Bypass,
}

/// What a connection security rule asks of the connections that it matches ([MS-FASP] 2.2.54).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Protection of what comes in and of what goes out.
    Secure,
    /// Protection of what comes in; of what goes out where the other side can.
    SecureServer,
    /// Protection where the other side can.
    Boundary,
    /// None: what it matches is exempt.
    DoNotSecure,
}

/// Which way the traffic goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// To this machine.
    In,
    /// From it.
    Out,
}

/// A kind of network that the firewall has a profile for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// A network with a domain controller.
    Domain,
    /// One that somebody called private.
    Private,
    /// Any other.
    Public,
}

impl Profile {
    /// All of them.
    pub const ALL: [Profile; 3] = [Profile::Domain, Profile::Private, Profile::Public];
}

/// What else bounds a rule: by the names of the fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Fields that the grammar knows and that are not modelled here (`IF`, `LA4`, `RMauth` ...).
    pub known: Vec<String>,
    /// Fields that the grammar does not know.
    pub unknown: Vec<String>,
}

impl Limits {
    /// Whether nothing does.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.known.is_empty() && self.unknown.is_empty()
    }
}

/// A firewall rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirewallRule {
    /// What it does.
    pub action: Action,
    /// Which way.
    pub direction: Direction,
    /// Whether it is switched on.
    pub active: bool,
    /// In which profiles.
    pub profiles: Vec<Profile>,
    /// The IP protocol; none for all.
    pub protocol: Option<u8>,
    /// The ports of this machine; empty for all.
    pub local_ports: Vec<Ports>,
    /// The addresses of the other side; empty for all.
    pub remote_addresses: Vec<Addresses>,
    /// The program, as the rule writes its path.
    pub program: Option<String>,
    /// The service, by key name; `*` for any service.
    pub service: Option<String>,
    /// Whether it is for the apps of a package alone (`AppPkgId`, `LUOwn`), or for a kind of connection that Windows itself vouches for
    /// (`TTK`: Wi-Fi Direct, proximity, UPnP; FW_TRUST_TUPLE_KEYWORD of [MS-FASP]).
    pub set_apart: bool,
    /// Its name, or the resource that holds it.
    pub name: Option<String>,
    /// What else bounds it.
    pub limits: Limits,
}

/// A connection security rule: IPsec.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSecurityRule {
    /// What it asks for.
    pub demand: Demand,
    /// Whether it is switched on.
    pub active: bool,
    /// In which profiles.
    pub profiles: Vec<Profile>,
    /// The IP protocol; none for all.
    pub protocol: Option<u8>,
    /// The ports of the first end, commonly this machine; empty for all.
    pub first_ports: Vec<Ports>,
    /// The ports of the second end; empty for all.
    pub second_ports: Vec<Ports>,
    /// Its name, or the resource that holds it.
    pub name: Option<String>,
    /// What else bounds it: addresses, interfaces, tunnels.
    pub limits: Limits,
}

/// Fields that say nothing about what a rule matches.
const ASIDE: &[&str] = &[
    "Desc",
    "EmbedCtxt",
    "Edge",
    "Defer",
    "LSM",
    "LOM",
    "PCross",
    "SkipVer",
    "ICMP4",
    "ICMP6",
    // Which Windows a rule is for: it stands in the store of one that took it.
    "Platform",
    "Platform2",
];

/// Fields that bound a firewall rule in a way that is not judged here.
const BOUNDS: &[&str] = &[
    "RPort",
    "RPort2_10",
    "Security",
    "Security2_9",
    "Security2",
    "IF",
    "IFType",
    "LA4",
    "LA6",
    "RMauth",
    "RUAuth",
    "AuthByPassOut",
    "LUAuth",
    "LUAuth2_24",
    "NNm",
    "SecurityRealmId",
];

/// The same of a connection security rule.
const ENDS: &[&str] = &[
    "EP1_4",
    "EP1_6",
    "EP2_4",
    "EP2_6",
    "IF",
    "IFType",
    "LTEP",
    "RTEP",
    "Mach",
    "SecurityRealmId",
    "Mode",
    "ETunnel",
    "LTEP6",
    "RTEP6",
    "LT4",
    "LT6",
    "RT4",
    "RT6",
    "ApplyAuthorization",
    "FwdLifetime",
    "TransportRules",
];

/// Fields of a connection security rule that say how it protects, not what.
const MEANS: &[&str] = &[
    "Desc",
    "EmbedCtxt",
    "Auth1Set",
    "Auth2Set",
    "Crypto2Set",
    "KMS",
    "KeyModules",
    "KeyModule",
    "SkipVer",
    "Platform",
    "Platform2",
    "DTM",
    "MainModeCryptoSet",
];

impl FirewallRule {
    /// Reads a rule.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<FirewallRule, RuleError> {
        let mut action = None;
        let mut rule = FirewallRule {
            action: Action::Allow,
            direction: Direction::In,
            active: false,
            profiles: Vec::new(),
            protocol: None,
            local_ports: Vec::new(),
            remote_addresses: Vec::new(),
            program: None,
            service: None,
            set_apart: false,
            name: None,
            limits: Limits::default(),
        };
        for (field, value) in fields(text)? {
            let unread = || RuleError::Value {
                field: field.to_owned(),
                value: value.to_owned(),
            };
            match field {
                "Action" => {
                    action = Some(match value.to_ascii_lowercase().as_str() {
                        "allow" => Action::Allow,
                        "block" => Action::Block,
                        "bypass" => Action::Bypass,
                        _ => return Err(RuleError::Action),
                    });
                }
                "Dir" => {
                    rule.direction = match value.to_ascii_lowercase().as_str() {
                        "in" => Direction::In,
                        "out" => Direction::Out,
                        _ => return Err(unread()),
                    }
                }
                "Active" => rule.active = truth(value).ok_or_else(unread)?,
                "Profile" => rule.profiles.push(profile(value).ok_or_else(unread)?),
                "Protocol" => rule.protocol = protocol(value).ok_or_else(unread)?,
                "LPort" | "LPort2_10" | "LPort2_20" | "LPort2_24" | "LPort2_29" => {
                    rule.local_ports.push(ports(value))
                }
                "RA4" | "RA6" | "RA42" | "RA62" => rule.remote_addresses.push(addresses(value)),
                "App" => rule.program = Some(value.to_owned()),
                "Svc" => rule.service = Some(value.to_owned()),
                "AppPkgId" | "LUOwn" | "TTK" | "TTK2_22" | "TTK2_27" | "TTK2_28" => {
                    rule.set_apart = true;
                }
                "Name" => rule.name = Some(value.to_owned()),
                _ => rule.limits.note(field, ASIDE, BOUNDS),
            }
        }
        rule.action = action.ok_or(RuleError::Action)?;
        Ok(rule)
    }

    /// Whether it holds in a profile.
    #[must_use]
    pub fn holds_in(&self, profile: Profile) -> bool {
        self.profiles.is_empty() || self.profiles.contains(&profile)
    }

    /// Whether its ports include this one; none where Windows looks them up.
    #[must_use]
    pub fn covers_port(&self, port: u16) -> Option<bool> {
        covers(&self.local_ports, port)
    }
}

impl ConnectionSecurityRule {
    /// Reads a rule.
    ///
    /// # Errors
    /// Why it is none.
    pub fn parse(text: &str) -> Result<ConnectionSecurityRule, RuleError> {
        let mut demand = None;
        let mut rule = ConnectionSecurityRule {
            demand: Demand::DoNotSecure,
            active: false,
            profiles: Vec::new(),
            protocol: None,
            first_ports: Vec::new(),
            second_ports: Vec::new(),
            name: None,
            limits: Limits::default(),
        };
        for (field, value) in fields(text)? {
            let unread = || RuleError::Value {
                field: field.to_owned(),
                value: value.to_owned(),
            };
            match field {
                "Action" => {
                    demand = Some(match value.to_ascii_lowercase().as_str() {
                        "secure" => Demand::Secure,
                        "secureserver" => Demand::SecureServer,
                        "boundary" => Demand::Boundary,
                        "donotsecure" => Demand::DoNotSecure,
                        _ => return Err(RuleError::Action),
                    });
                }
                "Active" => rule.active = truth(value).ok_or_else(unread)?,
                "Profile" => rule.profiles.push(profile(value).ok_or_else(unread)?),
                "Protocol" => rule.protocol = protocol(value).ok_or_else(unread)?,
                "EP1Port" | "EP1Port2_10" => rule.first_ports.push(ports(value)),
                "EP2Port" | "EP2Port2_10" => rule.second_ports.push(ports(value)),
                "Name" => rule.name = Some(value.to_owned()),
                _ => rule.limits.note(field, MEANS, ENDS),
            }
        }
        rule.demand = demand.ok_or(RuleError::Action)?;
        Ok(rule)
    }
}

impl Limits {
    fn note(&mut self, field: &str, aside: &[&str], bounds: &[&str]) {
        if aside.contains(&field) {
            return;
        }
        let list = match bounds.contains(&field) {
            true => &mut self.known,
            false => &mut self.unknown,
        };
        if !list.iter().any(|name| name == field) {
            list.push(field.to_owned());
        }
    }
}

/// The fields of a rule, after its version.
fn fields(text: &str) -> Result<Vec<(&str, &str)>, RuleError> {
    let mut parts = text.trim_matches('\0').trim().split('|');
    let version = parts.next().unwrap_or_default();
    let is_version = version
        .strip_prefix(['v', 'V'])
        .and_then(|version| version.split_once('.'))
        .is_some_and(|(major, minor)| major.parse::<u8>().is_ok() && minor.parse::<u8>().is_ok());
    if !is_version {
        return Err(RuleError::Version);
    }
    parts
        .filter(|part| !part.trim().is_empty())
        .map(|part| {
            let field = part
                .split_once('=')
                .ok_or_else(|| RuleError::Field(part.to_owned()))?;
            Ok((field.0.trim(), field.1.trim()))
        })
        .collect()
}

fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_uppercase().as_str() {
        "TRUE" => Some(true),
        "FALSE" => Some(false),
        _ => None,
    }
}

fn profile(text: &str) -> Option<Profile> {
    match text.to_ascii_lowercase().as_str() {
        "domain" => Some(Profile::Domain),
        "private" => Some(Profile::Private),
        "public" => Some(Profile::Public),
        _ => None,
    }
}

/// A protocol's number; 256 is any.
fn protocol(text: &str) -> Option<Option<u8>> {
    let number: u16 = text.parse().ok()?;
    match number {
        256 => Some(None),
        number => u8::try_from(number).ok().map(Some),
    }
}
