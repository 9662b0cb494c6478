//! Resources that ran out: memory, pools, ports. Every busy machine runs out of something now and then; it matters where people
//! began to fail just then, of nothing that a log accounts for otherwise, or where the Remote Desktop service failed after it.

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::connection::Ending;
use crate::facts::catalog::load::Exhausted;
use crate::facts::catalog::service::{ServiceFailure, ServiceTrouble};
use crate::facts::connection::client::Fate;
use crate::facts::event::Event;
use crate::facts::fact::{Fact, FactSet};
use crate::facts::gap::Gap;
use crate::facts::history::History;
use crate::facts::incident::ConnectionState;
use crate::facts::known::Known;

/// What ran out so near to a failure may be what it came of.
const NEAR: SignedDuration = SignedDuration::from_mins(30);
/// Schannel's failures about the server's own credential: what making one takes may have run out.
const CREDENTIAL: [u32; 5] = [36869, 36870, 36871, 36872, 36886];

/// Adds a fact `resource.exhausted` for each record of one. What tells of the service's failures must be there before.
pub(super) fn add_facts(history: &History<'_>, facts: &mut FactSet) {
    let told_otherwise = told_otherwise(history);
    let service = service_failures(facts);
    for placed in &history.events {
        let Event::Exhausted {
            resource,
            provider,
            event,
        } = &placed.event.event
        else {
            continue;
        };
        let before_service_failure = match &service {
            Some((failures, prevents)) => {
                let before = failures
                    .iter()
                    .any(|failed| placed.at <= *failed && failed.duration_since(placed.at) <= NEAR);
                Known::Is(before).and(prevents.clone())
            }
            None => Known::Is(false),
        };
        let people = locks_out(history, placed.at, told_otherwise, facts);
        let body = Exhausted {
            resource: *resource,
            provider: (*provider).to_owned(),
            event: *event,
            prevents: people.or(before_service_failure),
        };
        facts.add(Some(placed.at), body, vec![placed.event.source()]);
    }
}

/// Whether people began to fail then, of nothing else that a log tells.
fn locks_out(
    history: &History<'_>,
    at: Timestamp,
    told_otherwise: bool,
    facts: &mut FactSet,
) -> Known<bool> {
    let near = |moment: Timestamp| moment.duration_since(at).abs() <= NEAR;
    let anchors = &history.anchors;
    match (history.standing.first_failure, anchors.state) {
        (Some(first), _) => Known::Is(near(first) && !told_otherwise),
        (None, ConnectionState::Unseen) if anchors.incident.is_some_and(near) => Known::Open(
            facts.gaps.record(Gap {
                about: Exhausted::KIND.name.to_owned(),
                why: "a resource ran out, and no log shows whether people failed to connect then"
                    .to_owned(),
                obtain: crate::facts::subject::Subject::ConnectionState
                    .obtain()
                    .to_owned(),
            }),
        ),
        (None, _) => Known::Is(false),
    }
}

/// Whether a log tells that attempts of those who are locked out end for another reason: their credentials or the broker refused
/// them, or Schannel refused something else than to make its own credential.
fn told_otherwise(history: &History<'_>) -> bool {
    let affected = history.clients.iter().filter(|client| client.is_affected());
    let failed = affected
        .flat_map(|client| &client.attempts)
        .filter(|index| matches!(history.fates.get(**index), Some(Fate::Failed(_))))
        .filter_map(|index| history.attempts.get(*index))
        .filter(|attempt| Some(attempt.at) >= history.standing.first_failure);
    let (mut otherwise, mut credential) = (false, false);
    for attempt in failed {
        let ending = attempt.death.map(|death| death.ending);
        otherwise |= matches!(ending, Some(Ending::Credentials | Ending::Broker));
        for record in &attempt.records {
            let event = history
                .events
                .get(*record)
                .map(|placed| &placed.event.event);
            if let Some(Event::Schannel(event)) = event {
                let own = CREDENTIAL.contains(&event.event);
                credential |= own;
                otherwise |= !own;
            }
        }
    }
    otherwise && !credential
}

/// When the Remote Desktop service failed, and whether that keeps people out.
fn service_failures(facts: &FactSet) -> Option<(Vec<Timestamp>, Known<bool>)> {
    let trouble = facts.of_kind(ServiceTrouble::KIND).next()?;
    let of_service = |fact: &&Fact| fact.is("service", "TermService");
    let told = facts.of_kind(ServiceFailure::KIND).filter(of_service);
    let times = told.chain([trouble]).filter_map(|fact| fact.at).collect();
    Some((
        times,
        trouble.truth("down").or(trouble.truth("ends_attempts")),
    ))
}
