//! Whose attempt a record belongs to that names neither a client nor a connection: by what is under way at that moment.

use jiff::{SignedDuration, Timestamp};

use super::people::People;
use crate::facts::coverage::Window;
use crate::facts::fact::FactSet;
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::subject::Subject;

/// From arriving to the end of authentication, where nobody types meanwhile.
const AUTHENTICATION: SignedDuration = SignedDuration::from_secs(30);

/// Whether, at this moment, only attempts of people who are locked out are under way. Where others are as well, it is not known;
/// where none is, it was no attempt.
pub(super) fn is_affected(
    history: &History<'_>,
    people: &People,
    at: Timestamp,
    facts: &mut FactSet,
) -> Known<bool> {
    let from = at.checked_sub(AUTHENTICATION).unwrap_or(at);
    let window = Window {
        from: Some(from),
        to: Some(at),
    };
    // Attempts stand in the order of their arrival.
    let first = history
        .attempts
        .partition_point(|attempt| attempt.at < from);
    let mut under_way = history
        .attempts
        .iter()
        .skip(first)
        .take_while(|attempt| attempt.at <= at)
        .map(|attempt| people.is_affected(attempt.client));
    let Some(one) = under_way.next() else {
        return match history.coverage.covers(Subject::Arrivals, &window) {
            true => Known::Is(false),
            false => Known::Open(facts.gaps.open(
                Subject::Arrivals,
                "nothing tells which attempts were under way when a logon was refused",
            )),
        };
    };
    match under_way.all(|other| other == one) {
        true => one,
        false => Known::Open(facts.gaps.open(
            Subject::SecurityLog,
            "a refused logon names no address, and several clients were connecting",
        )),
    }
}
