//! Why logons are refused: by what the Security log says of each, by what else is logged at that moment, and by settings.
//!
//! Strangers' failures never count. Everything here is asked about people: clients that are locked out and got in before, or
//! that the user names.

mod lockout;
mod nearby;
mod people;
mod policy;
mod refused;
mod rights;
mod signs;

use super::catalog::logon::Refusal;
use super::coverage::{Coverage, Window};
use super::fact::FactSet;
use super::history::History;
use super::incident::ConnectionState;
use super::known::Known;
use super::registry::Registry;
use super::subject::Subject;
use super::value::Code;

use people::People;

/// Adds every fact about logons; those about attempts and boots must be there before.
pub fn add_facts(
    history: &History<'_>,
    registry: &Registry,
    build: &Known<u32>,
    joined: &Known<bool>,
    facts: &mut FactSet,
) {
    let people = People::of(history, facts);
    cover_refusals(history, facts);
    refused::add_facts(history, &people, facts);
    lockout::add_facts(history, &people, facts);
    let restricted = policy::add_facts(history, registry, facts);
    signs::add_facts(history, &people, &restricted, build, facts);
    rights::add_facts(history, registry, joined, facts);
}

/// Whether nobody is locked out, so that nothing has to be explained.
fn nobody_locked_out(history: &History<'_>) -> bool {
    match history.standing.state {
        ConnectionState::Succeeding | ConnectionState::Dropping | ConnectionState::Silent => true,
        ConnectionState::Mixed | ConnectionState::Failing | ConnectionState::Unseen => false,
    }
}

/// Says from when to when the refusals of people who are locked out are all there. Where nobody is, there are none to look for.
/// Of a Security log without a single failed logon it is not known whether failures are audited at all.
fn cover_refusals(history: &History<'_>, facts: &mut FactSet) {
    if nobody_locked_out(history) {
        return facts.cover(Subject::Refusals, Coverage::Whole(Window::ALWAYS));
    }
    if !history.coverage.collected(Subject::SecurityLog) {
        let gap = facts
            .gaps
            .open(Subject::SecurityLog, "not in the collection");
        return facts.cover(Subject::Refusals, Coverage::Missing(gap));
    }
    let audited = history.events.iter().any(|placed| {
        matches!(
            placed.event.event,
            super::event::Event::Logon {
                refused: Some(_),
                ..
            }
        )
    });
    if !audited {
        let why = "holds no failed logon at all: perhaps failures are not audited (auditpol /get /subcategory:Logon)";
        let gap = facts.gaps.open(Subject::SecurityLog, why);
        return facts.cover(Subject::Refusals, Coverage::PresenceOnly(gap));
    }
    for part in history.coverage.parts(Subject::SecurityLog) {
        facts.cover(Subject::Refusals, part.clone());
    }
}

/// Why a logon was refused. The names are those of ntstatus.h.
fn refusal(code: Code) -> Refusal {
    match code.0 {
        // STATUS_WRONG_PASSWORD
        0xC000_006A => Refusal::Password,
        // STATUS_NO_SUCH_USER
        0xC000_0064 => Refusal::NoSuchUser,
        // STATUS_PASSWORD_EXPIRED, STATUS_PASSWORD_MUST_CHANGE
        0xC000_0071 | 0xC000_0224 => Refusal::PasswordExpired,
        // STATUS_INVALID_LOGON_HOURS, STATUS_INVALID_WORKSTATION, STATUS_ACCOUNT_DISABLED, STATUS_ACCOUNT_EXPIRED
        0xC000_006F | 0xC000_0070 | 0xC000_0072 | 0xC000_0193 => Refusal::Restricted,
        // STATUS_ACCOUNT_LOCKED_OUT
        0xC000_0234 => Refusal::Locked,
        // STATUS_LOGON_TYPE_NOT_GRANTED
        0xC000_015B => Refusal::NotGranted,
        // STATUS_NO_LOGON_SERVERS, STATUS_TRUSTED_RELATIONSHIP_FAILURE, STATUS_AUTHENTICATION_FIREWALL_FAILED
        0xC000_005E | 0xC000_018D | 0xC000_0413 => Refusal::Domain,
        // STATUS_NTLM_BLOCKED
        0xC000_0418 => Refusal::NtlmBlocked,
        _ => Refusal::Other,
    }
}
