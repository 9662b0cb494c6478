//! What a server and a client agree on, or the first thing they do not.
//!
//! The highest common version comes first, and there is no way back to a lower one; within it the server's order of suites
//! decides, and of named groups too. Where an answer rests on a [`Doubt`], every combination of answers is tried: what
//! is said is what holds in all of them, or else that it is uncertain, and by what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::certificate::KeyType;
use super::client::{Client, Knowledge};
use super::doubt::{Assumption, Doubt, Settled};
use super::explain;
use super::group::Group;
use super::handshake::Pair;
use super::list::ListSource;
use super::offer::ServerOffer;
use super::signature::SignatureScheme;
use super::version::Version;

/// What a handshake settles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// The version.
    pub version: Version,
    /// The suite, by the name on the wire, without a curve.
    pub suite: String,
    /// The named group, where there is a key exchange that has one.
    pub group: Option<Group>,
    /// The server's signature, where the version lets it be chosen (TLS 1.2 and later) and the suite needs one.
    pub signature: Option<SignatureScheme>,
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.version, self.suite)?;
        if let Some(group) = &self.group {
            write!(f, ", {group}")?;
        }
        match self.signature {
            Some(signature) => write!(f, ", {signature}"),
            None => Ok(()),
        }
    }
}

/// The stage at which nothing in common is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Obstacle {
    /// No version that both have on.
    Version,
    /// No suite.
    Suite,
    /// No named group, or a Diffie-Hellman group that is too small for the client.
    Group,
    /// No signature scheme, or a key or signature that one side refuses.
    Signature,
}

/// Why nothing is agreed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The first stage that leaves nothing.
    pub obstacle: Obstacle,
    /// That stage in words.
    pub explanation: String,
    /// What else would stand in the way.
    pub also: Vec<String>,
}

/// How a negotiation ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The two agree.
    Agreed {
        /// On this; where there are doubts, by their likelier answers.
        agreement: Agreement,
        /// On one of these, by other answers: the two agree in any case.
        otherwise: Vec<Agreement>,
        /// The questions that decide between them.
        doubts: BTreeSet<Doubt>,
    },
    /// They agree on nothing, whatever the answers to open questions.
    None {
        /// Why; where there are doubts, by their likelier answers.
        failure: Failure,
        /// The obstacles that come first by other answers.
        otherwise: BTreeSet<Obstacle>,
        /// The questions that decide which obstacle comes first.
        doubts: BTreeSet<Doubt>,
    },
    /// Whether they agree rests on these questions.
    Uncertain {
        /// The questions; never empty.
        doubts: BTreeSet<Doubt>,
        /// What follows from their likelier answers; none where nothing is known of one side.
        likely: Option<Result<Agreement, Failure>>,
    },
}

/// A negotiation between a server and a client.
#[derive(Debug, Clone)]
pub struct Negotiation {
    /// The client's id.
    pub client: String,
    /// How it ends.
    pub outcome: Outcome,
    /// What it takes for granted, of either side.
    pub assumptions: Vec<Assumption>,
}

impl Negotiation {
    /// Whether nothing is agreed, surely, and this stage is surely the first obstacle.
    pub fn fails_at(&self, stage: Obstacle) -> Settled {
        match &self.outcome {
            Outcome::None {
                failure,
                otherwise,
                doubts,
            } => {
                let first = failure.obstacle == stage;
                match (first, otherwise.is_empty()) {
                    (true, true) => Settled::Yes,
                    (true, false) => Settled::Open(doubts.clone()),
                    (false, _) if otherwise.contains(&stage) => Settled::Open(doubts.clone()),
                    (false, _) => Settled::No,
                }
            }
            Outcome::Agreed { .. } => Settled::No,
            Outcome::Uncertain { doubts, .. } => Settled::Open(doubts.clone()),
        }
    }

    /// The agreement that is sure or likely.
    pub fn agreement(&self) -> Option<&Agreement> {
        match &self.outcome {
            Outcome::Agreed { agreement, .. }
            | Outcome::Uncertain {
                likely: Some(Ok(agreement)),
                ..
            } => Some(agreement),
            Outcome::None { .. } | Outcome::Uncertain { .. } => None,
        }
    }
}

/// More open questions than this are not tried in every combination.
const MOST_DOUBTS: usize = 8;

/// Computes what the two agree on.
pub fn negotiate(server: &ServerOffer, client: &Client) -> Negotiation {
    let outcome = if client.knowledge == Knowledge::Unpublished {
        with_unpublished(server, client)
    } else {
        with_known(&Pair { server, client })
    };
    let mut assumptions = server.assumptions.clone();
    assumptions.extend(client.assumptions.iter().cloned());
    assumptions.sort();
    assumptions.dedup();
    Negotiation {
        client: client.id.clone(),
        outcome,
        assumptions,
    }
}

/// Of a client that nothing is known of one thing is certain: it cannot reach a server that offers nothing.
fn with_unpublished(server: &ServerOffer, client: &Client) -> Outcome {
    let obstacle = if server.all_versions_off() == Settled::Yes {
        Obstacle::Version
    } else if server.offers_no_suite() == Settled::Yes {
        Obstacle::Suite
    } else {
        let doubts = BTreeSet::from([Doubt::UnpublishedClient(client.title.clone())]);
        return Outcome::Uncertain {
            doubts,
            likely: None,
        };
    };
    let explanation = explain::server_offers_nothing(server, obstacle);
    let failure = Failure {
        obstacle,
        explanation,
        also: Vec::new(),
    };
    Outcome::None {
        failure,
        otherwise: BTreeSet::new(),
        doubts: BTreeSet::new(),
    }
}

fn with_known(pair: &Pair<'_>) -> Outcome {
    let doubts: Vec<Doubt> = pair.doubts().into_iter().collect();
    if doubts.len() > MOST_DOUBTS {
        let against = doubts
            .iter()
            .filter(|doubt| !doubt.leans_on())
            .cloned()
            .collect();
        let likely = pair.handshake(&pair.likely_world(against));
        let likely =
            likely.map_err(|obstacle| explain::failure(pair.server, pair.client, obstacle));
        return Outcome::Uncertain {
            doubts: doubts.into_iter().collect(),
            likely: Some(likely),
        };
    }
    let unlikely = doubts
        .iter()
        .enumerate()
        .filter(|(_, doubt)| !doubt.leans_on());
    let likely_bits: usize = unlikely.map(|(bit, _)| 1 << bit).sum();
    let mut ends: BTreeMap<(usize, usize), Result<Agreement, Obstacle>> = BTreeMap::new();
    let keys = pair.possible_keys();
    for (index, key) in keys.iter().enumerate() {
        for bits in 0..1_usize << doubts.len() {
            let against = doubts
                .iter()
                .enumerate()
                .filter(|(bit, _)| bits >> bit & 1 == 1);
            let against = against.map(|(_, doubt)| doubt.clone()).collect();
            ends.insert((index, bits), pair.handshake(&pair.world(against, *key)));
        }
    }
    let mut deciding = deciding(&ends, &doubts);
    if ends.iter().any(|((_, bits), end)| {
        ends.get(&(0, *bits))
            .is_some_and(|first| !alike(first, end))
    }) {
        deciding.insert(Doubt::CertificateKey(KeyType::Rsa));
    }
    let Some(likely) = ends.get(&(0, likely_bits)).cloned() else {
        return Outcome::Uncertain {
            doubts: deciding,
            likely: None,
        };
    };
    let agreements = ends.values().filter(|end| end.is_ok()).count();
    let nothing_known = pair.server.list_source == ListSource::Unknown;
    match likely {
        Ok(agreement) if agreements == ends.len() => {
            let mut otherwise: Vec<Agreement> = Vec::new();
            for other in ends.into_values().flatten() {
                let same = |known: &Agreement| {
                    known.version == other.version && known.suite == other.suite
                };
                if !same(&agreement) && !otherwise.iter().any(same) {
                    otherwise.push(other);
                }
            }
            Outcome::Agreed {
                agreement,
                otherwise,
                doubts: deciding,
            }
        }
        Err(obstacle) if agreements == 0 && !(nothing_known && obstacle != Obstacle::Version) => {
            let otherwise = ends
                .into_values()
                .filter_map(Result::err)
                .filter(|other| *other != obstacle)
                .collect();
            let failure = explain::failure(pair.server, pair.client, obstacle);
            Outcome::None {
                failure,
                otherwise,
                doubts: deciding,
            }
        }
        likely => {
            if nothing_known {
                deciding.insert(Doubt::BuildUnknown);
            }
            let likely =
                likely.map_err(|obstacle| explain::failure(pair.server, pair.client, obstacle));
            Outcome::Uncertain {
                doubts: deciding,
                likely: (!nothing_known).then_some(likely),
            }
        }
    }
}

/// The questions whose answer changes the end in at least one combination.
fn deciding(
    ends: &BTreeMap<(usize, usize), Result<Agreement, Obstacle>>,
    doubts: &[Doubt],
) -> BTreeSet<Doubt> {
    let changes = |bit: usize| {
        ends.iter().any(|((key, bits), end)| {
            ends.get(&(*key, bits ^ (1 << bit)))
                .is_some_and(|other| !alike(end, other))
        })
    };
    doubts
        .iter()
        .enumerate()
        .filter(|(bit, _)| changes(*bit))
        .map(|(_, doubt)| doubt.clone())
        .collect()
}

fn alike(one: &Result<Agreement, Obstacle>, other: &Result<Agreement, Obstacle>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => one.version == other.version && one.suite == other.suite,
        (Err(one), Err(other)) => one == other,
        _ => false,
    }
}
