//! Rules of the Windows Firewall as the registry holds them: one text for each, `v2.31|Action=Allow|Active=TRUE|Dir=In|...`.
//!
//! The grammar is that of [MS-GPFAS] 2.2.2.19 (firewall rules) and 2.2.6.2 (connection security rules); the local stores below
//! `SharedAccess\Parameters\FirewallPolicy` hold the same. A field that bounds a rule and is not modelled is kept by name in
//! [`Limits`]; one that the grammar does not know is kept as well: nothing is passed over in silence.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

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

/// Ports of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// From one to another; a single port is both.
    Range(RangeInclusive<u16>),
    /// Ports that Windows looks up (`RPC`, `RPC-EPMap`, `IPHTTPSIn`, `Ply2Disc` ...): dynamic ones of certain services.
    Keyword(String),
}

/// Addresses of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Addresses {
    /// From one to another, of one family.
    Range(IpAddr, IpAddr),
    /// The networks that the machine's adapters stand in.
    LocalSubnet,
    /// Addresses that Windows looks up (`DNS`, `DefaultGateway`, `IntErnet` ...).
    Keyword(String),
}

impl Addresses {
    /// Whether an address lies in it; none where that depends on the machine's networks.
    #[must_use]
    pub fn hold(&self, address: IpAddr) -> Option<bool> {
        match (self, address) {
            (Addresses::Range(IpAddr::V4(first), IpAddr::V4(last)), IpAddr::V4(address)) => {
                Some((*first..=*last).contains(&address))
            }
            (Addresses::Range(IpAddr::V6(first), IpAddr::V6(last)), IpAddr::V6(address)) => {
                Some((*first..=*last).contains(&address))
            }
            (Addresses::Range(..), _) => Some(false),
            (Addresses::LocalSubnet | Addresses::Keyword(_), _) => None,
        }
    }
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

/// Whether ports include one; none where Windows looks them up. No ports are all ports.
#[must_use]
pub fn covers(ports: &[Ports], port: u16) -> Option<bool> {
    if ports.is_empty() {
        return Some(true);
    }
    let mut looked_up = false;
    for each in ports {
        match each {
            Ports::Range(range) if range.contains(&port) => return Some(true),
            Ports::Range(_) => {}
            // Dynamic ports of RPC and the ports of IP-HTTPS, Teredo, discovery and the like: 3389 is none of them.
            Ports::Keyword(word)
                if KEYWORD_PORTS
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(word)) => {}
            Ports::Keyword(_) => looked_up = true,
        }
    }
    (!looked_up).then_some(false)
}

/// Keywords for ports that Windows gives to other services ([MS-FASP] 2.2.14): never a listener that is set to one port.
const KEYWORD_PORTS: &[&str] = &[
    "RPC",
    "RPC-EPMap",
    "Teredo",
    "IPTLSIn",
    "IPTLSOut",
    "IPHTTPSIn",
    "IPHTTPSOut",
    "Ply2Disc",
    "mDNS",
    "CORTANA",
    "WFDCtrl",
];

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

fn ports(text: &str) -> Ports {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) => Ports::Range(first..=last),
        _ => Ports::Keyword(text.to_owned()),
    }
}

fn addresses(text: &str) -> Addresses {
    let range = || -> Option<Addresses> {
        if let Some((first, last)) = text.split_once('-') {
            return Some(Addresses::Range(
                first.trim().parse().ok()?,
                last.trim().parse().ok()?,
            ));
        }
        if let Some((base, size)) = text.split_once('/') {
            return subnet(base.trim().parse().ok()?, size.trim());
        }
        let single: IpAddr = text.parse().ok()?;
        Some(Addresses::Range(single, single))
    };
    if text.eq_ignore_ascii_case("LocalSubnet")
        || text.eq_ignore_ascii_case("LocalSubnet4")
        || text.eq_ignore_ascii_case("LocalSubnet6")
    {
        return Addresses::LocalSubnet;
    }
    range().unwrap_or_else(|| Addresses::Keyword(text.to_owned()))
}

/// A network by its prefix length or its mask.
fn subnet(base: IpAddr, size: &str) -> Option<Addresses> {
    match base {
        IpAddr::V4(base) => {
            let mask = match size.parse::<Ipv4Addr>() {
                Ok(mask) => u32::from(mask),
                Err(_) => ones(size.parse::<u32>().ok().filter(|bits| *bits <= 32)?),
            };
            let first = u32::from(base) & mask;
            Some(Addresses::Range(
                IpAddr::V4(Ipv4Addr::from(first)),
                IpAddr::V4(Ipv4Addr::from(first | !mask)),
            ))
        }
        IpAddr::V6(base) => {
            let bits = size.parse::<u32>().ok().filter(|bits| *bits <= 128)?;
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            let first = u128::from(base) & mask;
            Some(Addresses::Range(
                IpAddr::V6(first.into()),
                IpAddr::V6((first | !mask).into()),
            ))
        }
    }
}

fn ones(bits: u32) -> u32 {
    u32::MAX.checked_shl(32 - bits).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rule_that_windows_ships_is_read_whole() {
        let rule = FirewallRule::parse(
            "v2.30|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|Profile=Private|LPort=3389|App=%SystemRoot%\\system32\\svchost.exe|Svc=termservice|Name=@FirewallAPI.dll,-28775|Desc=@FirewallAPI.dll,-28756|EmbedCtxt=@FirewallAPI.dll,-28752|",
        )
        .unwrap();
        assert!(rule.active && rule.limits.are_none());
        assert_eq!(
            (rule.action, rule.direction, rule.protocol),
            (Action::Allow, Direction::In, Some(6))
        );
        assert_eq!(rule.covers_port(3389), Some(true));
        assert_eq!(rule.covers_port(33890), Some(false));
        assert!(rule.holds_in(Profile::Domain) && !rule.holds_in(Profile::Public));
        assert_eq!(rule.service.as_deref(), Some("termservice"));
    }

    #[test]
    fn a_rule_without_ports_covers_all_and_ranges_cover_what_they_span() {
        let open = FirewallRule::parse("v2.0|Action=Allow|Active=TRUE|Dir=In|").unwrap();
        assert_eq!(open.covers_port(33890), Some(true));
        let range = FirewallRule::parse(
            "v2.31|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort2_10=3000-4000|LPort=RPC|",
        )
        .unwrap();
        assert_eq!(range.covers_port(3389), Some(true));
        assert_eq!(range.covers_port(4001), Some(false));
        let strange =
            FirewallRule::parse("v2.40|Action=Allow|Active=TRUE|Dir=In|LPort=SomethingNew|")
                .unwrap();
        assert_eq!(strange.covers_port(3389), None);
    }

    #[test]
    fn remote_addresses_are_read_in_every_form() {
        let rule = FirewallRule::parse(
            "v2.31|Action=Allow|Active=TRUE|Dir=In|RA4=10.0.0.0/255.0.0.0|RA4=192.168.4.0/24|RA4=172.16.0.9|RA4=1.2.3.4-1.2.3.9|RA4=LocalSubnet|RA6=fe80::/64|RA42=IntErnet|",
        )
        .unwrap();
        let hold = |index: usize, address: &str| {
            rule.remote_addresses[index].hold(address.parse().unwrap())
        };
        assert_eq!(hold(0, "10.200.1.1"), Some(true));
        assert_eq!(hold(0, "11.0.0.1"), Some(false));
        assert_eq!(hold(1, "192.168.4.255"), Some(true));
        assert_eq!(hold(2, "172.16.0.10"), Some(false));
        assert_eq!(hold(3, "1.2.3.9"), Some(true));
        assert_eq!(hold(4, "1.2.3.9"), None);
        assert_eq!(hold(5, "fe80::1"), Some(true));
        assert_eq!(hold(6, "8.8.8.8"), None);
    }

    #[test]
    fn what_is_not_known_is_kept() {
        let rule = FirewallRule::parse(
            "v2.31|Action=Allow|Active=TRUE|Dir=In|IF={1}|Quux=7|TTK2_22=WFDPrint|",
        )
        .unwrap();
        assert_eq!(rule.limits.known, ["IF"]);
        assert_eq!(rule.limits.unknown, ["Quux"]);
        for text in [
            "",
            "Action=Allow|",
            "v2.31|Active=TRUE|",
            "v2.31|Action=Allow|nonsense|",
            "v2.31|Action=Allow|Profile=Moon|",
        ] {
            assert!(FirewallRule::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_connection_security_rule_says_what_it_asks_for_and_of_what() {
        let rule = ConnectionSecurityRule::parse(
            "v2.31|Action=SecureServer|Name=Isolation|Desc=|Protocol=6|EP1Port=3389|Active=TRUE|Auth1Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}|Auth2Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE4}|Crypto2Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE2}|",
        )
        .unwrap();
        assert_eq!(rule.demand, Demand::SecureServer);
        assert_eq!(covers(&rule.first_ports, 3389), Some(true));
        assert!(rule.active && rule.limits.are_none());
        let exempt =
            ConnectionSecurityRule::parse("v2.10|Action=DoNotSecure|EP2_4=10.0.0.1|Active=TRUE|")
                .unwrap();
        assert_eq!(exempt.limits.known, ["EP2_4"]);
    }
}
