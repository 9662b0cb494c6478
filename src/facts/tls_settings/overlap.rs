//! The facts about what the server and clients have in common, `tls.overlap`.

use std::collections::BTreeSet;

use super::answer::{doubtful, settled, unless_pending};
use crate::facts::catalog::schannel::SuiteRefusals;
use crate::facts::catalog::tls::{Obstacle, Overlap, Peer};
use crate::facts::effect::Effect;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::gap::{Gap, Gaps};
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::tls::{self, Client, Negotiation, Outcome, ServerOffer};

/// Whether any of these clients surely agrees with the server, or surely none does, and at what the latter fail.
pub(super) fn common_ground(
    negotiations: &[(Client, Negotiation)],
    gaps: &mut Gaps,
) -> (Known<bool>, Known<Option<Obstacle>>) {
    let mut doubts = BTreeSet::new();
    let mut obstacles = BTreeSet::new();
    for (_, negotiation) in negotiations {
        match &negotiation.outcome {
            Outcome::Agreed { .. } => return (Known::Is(true), Known::Is(None)),
            Outcome::None {
                failure, otherwise, ..
            } => {
                obstacles.insert(obstacle(failure.obstacle));
                obstacles.extend(otherwise.iter().copied().map(obstacle));
            }
            Outcome::Uncertain { doubts: more, .. } => doubts.extend(more.iter().cloned()),
        }
    }
    let about = Overlap::KIND.name;
    if !doubts.is_empty() {
        let gap = doubtful(gaps, about, &doubts);
        return (Known::Open(gap), Known::Open(gap));
    }
    let mut obstacles = obstacles.into_iter();
    let first = match (obstacles.next(), obstacles.next()) {
        (first, None) => Known::Is(first),
        // Some fail at this, others at that.
        (_, Some(_)) => Known::Open(gaps.record(Gap {
            about: about.to_owned(),
            why: "the clients fail at different stages of the negotiation".to_owned(),
            obtain: Subject::ClientOffer.obtain().to_owned(),
        })),
    };
    (Known::Is(false), first)
}

/// Somebody is locked out, or was refused and the logs do not tell how that ended, and what that client offers is not known: that
/// others would agree says nothing of it. Where not even they do, nothing more is needed.
pub(super) fn unknown_client(
    mainstream: &[(Client, Negotiation)],
    server: FactId,
    facts: &mut FactSet,
) {
    let locked_out = match facts.anchors.first_failure {
        Known::Is(failure) => failure.is_some(),
        Known::Open(_) => facts.of_kind(SuiteRefusals::KIND).next().is_some(),
    };
    if !locked_out || common_ground(mainstream, &mut facts.gaps).0 == Known::Is(false) {
        return;
    }
    let why = "what the locked-out client offers is not known";
    let gap = facts.gaps.open(Subject::ClientOffer, why);
    let fact = Overlap {
        with: Peer::AffectedClient,
        shares: Known::Open(gap),
        server_has_version: Known::Open(gap),
        obstacle: Known::Open(gap),
        policy_known: Known::Open(gap),
    };
    facts.add(None, fact, vec![Source::Derived(vec![server])]);
}

/// One fact for all of these clients: they share something if any of them surely does, and nothing if surely none does.
pub(super) fn overlap(
    with: Peer,
    negotiations: &[(Client, Negotiation)],
    offer: &ServerOffer,
    server: FactId,
    effect: Effect,
    facts: &mut FactSet,
) {
    let (shares, obstacle) = common_ground(negotiations, &mut facts.gaps);
    let at = effect.since().filter(|_| shares != Known::Is(true));
    let no_version = settled(
        &mut facts.gaps,
        Overlap::KIND.name,
        &offer.all_versions_off(),
    );
    let policy_known = match offer.policy_is_known() {
        true => Known::Is(true),
        false => Known::Open(facts.gaps.open(
            Subject::SoftwareHive,
            "whether a policy is set is not known",
        )),
    };
    let fact = Overlap {
        with,
        shares: unless_pending(effect, shares),
        server_has_version: unless_pending(effect, no_version.not()),
        obstacle: unless_pending(effect, obstacle),
        policy_known,
    };
    facts.add(at, fact, vec![Source::Derived(vec![server])]);
}

fn obstacle(obstacle: tls::Obstacle) -> Obstacle {
    match obstacle {
        tls::Obstacle::Version => Obstacle::Version,
        tls::Obstacle::Suite => Obstacle::Suite,
        tls::Obstacle::Group => Obstacle::Group,
        tls::Obstacle::Signature => Obstacle::Signature,
    }
}
