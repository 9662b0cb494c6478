//! Ports and addresses of the firewall's rules ([MS-GPFAS] 2.2.2.5 to 2.2.2.13).

use std::net::{IpAddr, Ipv4Addr};
use std::ops::RangeInclusive;

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

pub(super) fn ports(text: &str) -> Ports {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    match (first.trim().parse(), last.trim().parse()) {
        (Ok(first), Ok(last)) => Ports::Range(first..=last),
        _ => Ports::Keyword(text.to_owned()),
    }
}

pub(super) fn addresses(text: &str) -> Addresses {
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
