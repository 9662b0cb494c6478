//! What the rules in force make of connections to one port in one profile.

use super::network::Networks;
use super::store::{Owner, Stored, Stores};
use crate::facts::catalog::firewall::FirewallListener;
use crate::facts::gap::{Gap, GapId, Gaps};
use crate::facts::known::Known;
use crate::parse::firewall_rule::{Action, Addresses, Direction, FirewallRule, Profile};

/// The service behind the listener, its program, and the protocol that counts: UDP is a side channel.
const SERVICE: &str = "TermService";
const PROGRAM: &str = "\\system32\\svchost.exe";
const TCP: u8 = 6;
/// What is asked.
pub(super) struct Question<'q> {
    pub profile: Profile,
    pub port: u16,
    /// Whether the listener is the driver's, which is System to the firewall; else the service's. None where that is not known.
    pub driver_listens: Option<bool>,
    pub networks: &'q Networks,
}

/// Whether connections are let in, and what decides.
#[derive(Debug)]
pub(super) struct Admission {
    pub admits: Known<bool>,
    pub by: Option<String>,
}

/// Whether a rule matches the connections of the clients that are known.
enum Match {
    Yes,
    No,
    /// It may: why that cannot be told.
    Maybe(String),
}

/// What the rules in force make of it.
pub(super) fn judge(stores: &Stores, question: &Question<'_>, gaps: &mut Gaps) -> Admission {
    let settings = stores.settings(question.profile);
    if settings.on == Known::Is(false) {
        return Admission {
            admits: Known::Is(true),
            by: Some("the firewall is off".to_owned()),
        };
    }
    let counts = |owner: Owner| match owner {
        Owner::Policy => Known::Is(true),
        Owner::Machine => settings.merges.clone(),
    };
    let mut matched = |action: &[Action]| {
        let mut found = Found::nothing();
        for stored in stores
            .rules
            .iter()
            .filter(|stored| action.contains(&stored.rule.action))
        {
            let matches = match matches(&stored.rule, question) {
                Match::No => continue,
                Match::Yes => Known::Is(true),
                Match::Maybe(why) => Known::Open(maybe(stored, &why, gaps)),
            };
            found.join(stored, matches.and(counts(stored.owner)));
        }
        found
    };
    let blocked = matched(&[Action::Block]);
    let mut allowed = matched(&[Action::Allow, Action::Bypass]);
    if let (Some(gap), true) = (stores.incomplete, allowed.so == Known::Is(false)) {
        allowed.so = Known::Open(gap);
    }
    let by_rules = settings.no_exceptions.clone().not().and(allowed.so.clone());
    let admits = blocked
        .so
        .clone()
        .not()
        .and(settings.lets_in.clone().or(by_rules));
    let admits = settings.on.clone().not().or(admits);
    let by = match (&admits, &blocked.so, &settings.no_exceptions) {
        (_, Known::Is(true), _) => blocked.by,
        (Known::Is(false), _, Known::Is(true)) => Some("no exceptions are allowed".to_owned()),
        (Known::Is(false), ..) => Some(match settings.merges {
            Known::Is(false) => {
                "no rule of a policy lets it in, and the machine's own do not count".to_owned()
            }
            _ => "no active rule lets it in".to_owned(),
        }),
        (Known::Is(true), ..) => allowed.by,
        (Known::Open(_), ..) => None,
    };
    Admission { admits, by }
}

/// What holds in all profiles in force, or in all that may be.
pub(super) fn together(judged: Vec<Admission>, networks: &Networks, gaps: &mut Gaps) -> Admission {
    let all = |wanted: bool| judged.iter().all(|each| each.admits == Known::Is(wanted));
    let admits = if all(true) {
        Known::Is(true)
    } else if all(false) {
        Known::Is(false)
    } else {
        let open = judged.iter().find_map(|each| each.admits.gap());
        Known::Open(open.unwrap_or_else(|| networks.undecided(gaps)))
    };
    let by = judged
        .into_iter()
        .find_map(|each| each.by)
        .filter(|_| admits.gap().is_none());
    Admission { admits, by }
}

/// Whether any rule of a kind matches, and the first that surely does.
struct Found {
    so: Known<bool>,
    by: Option<String>,
}

impl Found {
    fn nothing() -> Found {
        Found {
            so: Known::Is(false),
            by: None,
        }
    }

    fn join(&mut self, stored: &Stored<FirewallRule>, matches: Known<bool>) {
        if matches == Known::Is(true) && self.by.is_none() {
            self.by = Some(format!("rule {}", stored.id));
        }
        self.so = std::mem::replace(&mut self.so, Known::Is(false)).or(matches);
    }
}

fn maybe(stored: &Stored<FirewallRule>, why: &str, gaps: &mut Gaps) -> GapId {
    gaps.record(Gap {
        about: FirewallListener::KIND.name.to_owned(),
        why: format!("the firewall rule {} {why}", stored.id),
        obtain: "on the machine: Get-NetFirewallRule -PolicyStore ActiveStore -Direction Inbound -Enabled True | Format-List".to_owned(),
    })
}

fn matches(rule: &FirewallRule, question: &Question<'_>) -> Match {
    let about_it = rule.active
        && rule.direction == Direction::In
        && rule.holds_in(question.profile)
        && rule.protocol.is_none_or(|protocol| protocol == TCP)
        && !rule.set_apart;
    let of_service = rule
        .service
        .as_deref()
        .is_none_or(|service| service == "*" || service.eq_ignore_ascii_case(SERVICE));
    if !about_it || !of_service || rule.covers_port(question.port) == Some(false) {
        return Match::No;
    }
    let mut doubts = Vec::new();
    match rule.program.as_deref().map(str::to_ascii_lowercase) {
        None => {}
        Some(program) if program.ends_with(PROGRAM) => {}
        Some(program) if program == "system" => match question.driver_listens {
            Some(false) => return Match::No,
            Some(true) => {}
            None => {
                doubts.push("is for System, which is the listener only before Windows 8".to_owned())
            }
        },
        Some(_) => return Match::No,
    }
    if rule.covers_port(question.port).is_none() {
        doubts.push("names a group of ports that is not known here".to_owned());
    }
    if !rule.limits.are_none() {
        let names = rule.limits.known.iter().chain(&rule.limits.unknown);
        let names: Vec<&str> = names.map(String::as_str).collect();
        doubts.push(format!(
            "is bounded by {}, which files alone do not tell",
            names.join(", ")
        ));
    }
    if rule.action == Action::Bypass {
        doubts.push("lets in only what IPsec vouches for".to_owned());
    }
    match scope(rule, question.networks) {
        Match::No => return Match::No,
        Match::Maybe(why) => doubts.push(why),
        Match::Yes => {}
    }
    match doubts.is_empty() {
        true => Match::Yes,
        false => Match::Maybe(doubts.join("; ")),
    }
}

/// Whether the other side's addresses are those of the clients that are known: of one of them for a rule that allows, of all for
/// one that blocks.
fn scope(rule: &FirewallRule, networks: &Networks) -> Match {
    if rule.remote_addresses.is_empty() || rule.remote_addresses.iter().any(is_everything) {
        return Match::Yes;
    }
    let held: Vec<Option<bool>> = networks
        .clients
        .iter()
        .map(|client| {
            let mut each = rule
                .remote_addresses
                .iter()
                .map(|addresses| networks.hold(addresses, *client));
            let doubtful = each.clone().any(|held| held.is_none());
            match each.any(|held| held == Some(true)) {
                true => Some(true),
                false => (!doubtful).then_some(false),
            }
        })
        .collect();
    let surely = |wanted: bool| held.iter().filter(|held| **held == Some(wanted)).count();
    let (inside, outside) = (surely(true), surely(false));
    if held.is_empty() {
        return Match::Maybe("is for some addresses alone, and no client is known".to_owned());
    }
    match rule.action {
        _ if outside == held.len() => Match::No,
        Action::Allow | Action::Bypass if inside > 0 => Match::Yes,
        Action::Block if inside == held.len() => Match::Yes,
        _ => Match::Maybe(
            "is for some addresses alone, and whether the clients' are among them is not known"
                .to_owned(),
        ),
    }
}

fn is_everything(addresses: &Addresses) -> bool {
    match addresses {
        Addresses::Range(std::net::IpAddr::V4(first), std::net::IpAddr::V4(last)) => {
            first.is_unspecified() && last.is_broadcast()
        }
        _ => false,
    }
}
