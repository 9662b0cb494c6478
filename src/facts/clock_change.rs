//! What changes of the clock do: whether one that stands puts the time outside of the certificate's validity, or further off than
//! Kerberos takes.
//!
//! A change says that one of two clocks was wrong, not which. Set back to before the certificate began, the machine has been
//! later before: one of the two was wrong for certain. Set forward, it may just have been put right after a machine was paused.

use jiff::{SignedDuration, Timestamp};

use super::catalog::connection::Stage;
use super::catalog::host::ClockChange;
use super::clock::is_step;
use super::event::Event;
use super::fact::{FactSet, Source};
use super::history::History;
use super::incident::ConnectionState;
use super::known::Known;
use super::subject::Subject;

/// "Maximum tolerance for computer clock synchronization", five minutes where no policy says otherwise (Microsoft).
const KERBEROS_LIMIT: SignedDuration = SignedDuration::from_mins(5);
/// Who is locked out by the clock is so at the next attempts.
const AT_ONCE: SignedDuration = SignedDuration::from_mins(30);
/// System and Security tell of the same change.
const SAME_CHANGE: SignedDuration = SignedDuration::from_secs(2);

/// One change of the clock.
struct Change {
    at: Timestamp,
    from: Timestamp,
    to: Timestamp,
    source: Source,
}

impl Change {
    fn by(&self) -> SignedDuration {
        self.to.duration_since(self.from)
    }
}

/// Adds `clock.change` for each since people last got in. `validity` is that of the listener's certificate, `domain` the one that
/// the machine is joined to.
pub fn add_facts(
    history: &History<'_>,
    validity: &Known<Option<(Timestamp, Timestamp)>>,
    domain: &Known<Option<String>>,
    facts: &mut FactSet,
) {
    let changes = changes(history);
    for (index, change) in changes.iter().enumerate() {
        if is_before_success(history, change) {
            continue;
        }
        let stands = stands(&changes, index);
        let leaves_validity = validity.clone().map(|validity| {
            validity.is_some_and(|(begin, end)| {
                let valid = |time: Timestamp| begin <= time && time <= end;
                valid(change.from) && !valid(change.to)
            })
        });
        let beyond = change.by().abs() > KERBEROS_LIMIT;
        let over_kerberos_limit = match beyond {
            true => domain.as_ref().map(Option::is_some),
            false => Known::Is(false),
        };
        let back = change.to < change.from;
        let passes_end = Known::Is(stands && !back).and(leaves_validity.clone());
        let perhaps = match passes_end {
            Known::Is(true) => Known::Open(facts.gaps.open(
                Subject::SystemLog,
                "whether the clock was put right or wrong is not known: compare the end of the collection with the true time",
            )),
            Known::Is(false) | Known::Open(_) => Known::Is(false),
        };
        let breaks = Known::Is(stands && back)
            .and(leaves_validity.clone())
            .or(Known::Is(stands && credentials_fail_after(history, change))
                .and(over_kerberos_limit.clone()))
            .or(perhaps);
        let body = ClockChange {
            from: change.from,
            to: change.to,
            seconds: change.by().as_secs(),
            undone: !stands,
            leaves_validity,
            over_kerberos_limit,
            breaks,
        };
        facts.add(Some(change.at), body, vec![change.source.clone()]);
    }
}

/// The leaps ahead since people last got in that nothing took back and nobody bore out, each from and to: what ended in between may
/// have ended by a wrong clock alone. A client that says of the certificate that it has ended (alert 45) has a clock that agrees.
#[must_use]
pub fn doubtful_leaps(history: &History<'_>) -> Vec<(Timestamp, Timestamp)> {
    let changes = changes(history);
    let borne_out = |change: &Change| {
        history.events.iter().enumerate().any(|(index, placed)| {
            let says_ended = match &placed.event.event {
                Event::Schannel(event) => (event.event, event.alert) == (36887, Some(45)),
                _ => false,
            };
            says_ended
                && placed.at > change.at
                && history.attribution.of(index) == Some(&Known::Is(true))
        })
    };
    let ahead = changes.iter().enumerate().filter(|(index, change)| {
        change.to > change.from
            && !is_before_success(history, change)
            && stands(&changes, *index)
            && !borne_out(change)
    });
    ahead.map(|(_, change)| (change.from, change.to)).collect()
}

fn is_before_success(history: &History<'_>, change: &Change) -> bool {
    let since = history.standing.last_success;
    since.is_some_and(|since| change.at < since)
}

/// Whether later changes did not take it back.
fn stands(changes: &[Change], index: usize) -> bool {
    let mut off = SignedDuration::ZERO;
    let undone = changes.iter().skip(index).any(|later| {
        off = off.saturating_add(later.by());
        off.abs() <= KERBEROS_LIMIT
    });
    let is_small = |change: &Change| change.by().abs() <= KERBEROS_LIMIT;
    changes.get(index).is_some_and(is_small) || !undone
}

fn changes(history: &History<'_>) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::new();
    for placed in &history.events {
        let Event::ClockSet { from, to } = placed.event.event else {
            continue;
        };
        let close =
            |one: Timestamp, other: Timestamp| one.duration_since(other).abs() <= SAME_CHANGE;
        let told = changes
            .iter()
            .any(|change| close(change.from, from) && close(change.to, to));
        if is_step(from, to) && !told {
            changes.push(Change {
                at: placed.at,
                from,
                to,
                source: placed.event.source(),
            });
        }
    }
    changes
}

/// Whether people are locked out since shortly after the change, and their attempts get past TLS and no further.
fn credentials_fail_after(history: &History<'_>, change: &Change) -> bool {
    let standing = &history.standing;
    let at_once = standing.first_failure.is_some_and(|failure| {
        failure >= change.at && failure.duration_since(change.at) <= AT_ONCE
    });
    let locked_out = matches!(
        standing.state,
        ConnectionState::Failing | ConnectionState::Mixed
    );
    at_once && locked_out && standing.stage == Some(Stage::Tls)
}
