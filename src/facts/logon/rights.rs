//! The rights to log on, from the SECURITY hive: `Policy\Accounts\<SID>\ActSysAc`, four bytes.
//!
//! The bits are those of MS-LSAD 2.2.1.2 ("system access"); they agree with what secedit exports on Server 2022 (measured).

use jiff::Timestamp;

use crate::facts::catalog::logon::{LogonWithheld, Withheld};
use crate::facts::coverage::{Coverage, Window};
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::Gaps;
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;

const ACCOUNTS: &str = "Policy\\Accounts";
/// SeRemoteInteractiveLogonRight.
const REMOTE: u32 = 0x400;
/// SeDenyRemoteInteractiveLogonRight.
const DENY_REMOTE: u32 = 0x800;

const ADMINISTRATORS: &str = "S-1-5-32-544";
const REMOTE_DESKTOP_USERS: &str = "S-1-5-32-555";
/// Everyone, Authenticated Users, Users, Administrators.
const BROAD: [&str; 4] = ["S-1-1-0", "S-1-5-11", "S-1-5-32-545", ADMINISTRATORS];
/// Local accounts, and those of them that are administrators.
const LOCAL: [&str; 2] = ["S-1-5-113", "S-1-5-114"];

/// The rights of one account.
struct Rights {
    account: String,
    bits: u32,
    written: Option<Timestamp>,
    source: Option<Source>,
}

/// Adds the facts `logon.withheld`. `joined` is whether the machine belongs to a domain or a tenant, whose accounts are not local.
pub(super) fn add_facts(
    history: &History<'_>,
    registry: &Registry,
    joined: &Known<bool>,
    facts: &mut FactSet,
) {
    if registry.security().is_none() {
        // Where nobody is locked out the rights have nothing to explain.
        if super::nobody_locked_out(history) {
            facts.cover(Subject::LogonRights, Coverage::Whole(Window::ALWAYS));
        }
        return;
    }
    let rights = match read(registry, &mut facts.gaps) {
        Known::Is(rights) => rights,
        Known::Open(gap) => return facts.cover(Subject::LogonRights, Coverage::PresenceOnly(gap)),
    };
    facts.cover(Subject::LogonRights, Coverage::Whole(Window::ALWAYS));
    let having = |bit: u32| rights.iter().filter(move |rights| rights.bits & bit != 0);
    let built_in = |rights: &&Rights| {
        [ADMINISTRATORS, REMOTE_DESKTOP_USERS].contains(&rights.account.as_str())
    };
    if !having(REMOTE).any(|rights| built_in(&rights)) {
        let others: Vec<&Rights> = having(REMOTE).collect();
        let members = "who belongs to the groups that may log on through Remote Desktop is not in the collection";
        let binding = match others.is_empty() {
            true => Known::Is(true),
            false => Known::Open(facts.gaps.open(Subject::SecurityHive, members)),
        };
        let emptied: Vec<&Rights> = rights.iter().filter(built_in).collect();
        let concerned = if emptied.is_empty() {
            rights.iter().collect()
        } else {
            emptied
        };
        let names = match others.is_empty() {
            true => "nobody".to_owned(),
            false => format!("only {}", names(&others)),
        };
        add(Withheld::Nobody, names, binding, &concerned, facts);
    }
    let denied: Vec<&Rights> = having(DENY_REMOTE).collect();
    let (broad, rest): (Vec<&Rights>, Vec<&Rights>) = denied
        .into_iter()
        .partition(|rights| BROAD.contains(&rights.account.as_str()));
    if !broad.is_empty() {
        add(
            Withheld::Broad,
            names(&broad),
            Known::Is(true),
            &broad,
            facts,
        );
    }
    let (local, baseline): (Vec<&Rights>, Vec<&Rights>) = rest
        .into_iter()
        .partition(|rights| LOCAL.contains(&rights.account.as_str()));
    if !local.is_empty() {
        // Of the local accounts all are denied only by the wider of the two, or where only administrators connect.
        let binding = joined.clone().not();
        add(Withheld::Baseline, names(&local), binding, &local, facts);
    }
    if !baseline.is_empty() {
        let (names, binding) = (names(&baseline), Known::Is(false));
        add(Withheld::Baseline, names, binding, &baseline, facts);
    }
}

fn add(
    how: Withheld,
    accounts: String,
    binding: Known<bool>,
    concerned: &[&Rights],
    facts: &mut FactSet,
) {
    let at = concerned.iter().filter_map(|rights| rights.written).max();
    let sources: Vec<Source> = concerned
        .iter()
        .filter_map(|rights| rights.source.clone())
        .collect();
    if sources.is_empty() {
        return;
    }
    let body = LogonWithheld {
        how,
        accounts,
        binding,
    };
    facts.add(at, body, sources);
}

fn names(rights: &[&Rights]) -> String {
    let names: Vec<&str> = rights
        .iter()
        .map(|rights| match rights.account.as_str() {
            "S-1-1-0" => "Everyone",
            "S-1-5-11" => "Authenticated Users",
            "S-1-5-32-544" => "Administrators",
            "S-1-5-32-545" => "Users",
            "S-1-5-32-546" => "Guests",
            "S-1-5-32-555" => "Remote Desktop Users",
            "S-1-5-113" => "local accounts",
            "S-1-5-114" => "local accounts that are administrators",
            other => other,
        })
        .collect();
    names.join(", ")
}

/// The value has no name: the key says it all.
fn of_key(source: Source) -> Source {
    match source {
        Source::Value {
            artifact,
            key,
            written,
            line,
            ..
        } => Source::Value {
            artifact,
            key,
            name: None,
            written,
            line,
        },
        other => other,
    }
}

/// The rights of every account that the hive lists; open where one cannot be read, or where there is none: no Windows is so.
fn read(registry: &Registry, gaps: &mut Gaps) -> Known<Vec<Rights>> {
    let listed = registry.subkeys(gaps, Place::Security(ACCOUNTS));
    let listing = match listed.value {
        Known::Is(Some(listing)) => listing,
        Known::Is(None) => {
            let why = "Policy\\Accounts is not in the SECURITY hive";
            return Known::Open(gaps.open(Subject::SecurityHive, why));
        }
        Known::Open(gap) => return Known::Open(gap),
    };
    let whole = listing.is_whole();
    let mut rights = Vec::new();
    for key in listing.entries {
        let account = key.name();
        let path = format!("{ACCOUNTS}\\{account}\\ActSysAc");
        let answer = registry.typed(gaps, Place::Security(&path), "", |value| {
            let bytes: Result<[u8; 4], _> = value.bytes.as_slice().try_into();
            bytes
                .map(u32::from_le_bytes)
                .map_err(|_| format!("{} bytes instead of 4", value.bytes.len()))
        });
        match answer.value {
            Known::Is(bits) => rights.push(Rights {
                account: account.to_uppercase(),
                bits: bits.unwrap_or(0),
                written: answer.written,
                source: answer.source.map(of_key),
            }),
            Known::Open(gap) => return Known::Open(gap),
        }
    }
    if !whole || rights.iter().all(|rights| rights.bits == 0) {
        let why = "the accounts in Policy\\Accounts cannot all be read";
        return Known::Open(gaps.open(Subject::SecurityHive, why));
    }
    Known::Is(rights)
}
