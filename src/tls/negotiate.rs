//! What a server and a client agree on, or the first thing they do not.
//!
//! The highest common version comes first, and there is no way back to a lower one; within it the server's order of suites
//! decides, and of named groups too. Where an answer rests on a [`Doubt`], every combination of answers is tried: what
//! is said is what holds in all of them, or else that it is uncertain, and by what.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::certificate::{Issuer, KeyType, PublicKey};
use super::client::{Client, Knowledge, Sha1Exchange};
use super::doubt::{Assumption, Doubt, Settled, State};
use super::explain;
use super::group::Group;
use super::list::ListSource;
use super::offer::ServerOffer;
use super::signature::{SignatureAlgorithm, SignatureScheme};
use super::standing::SuiteStanding;
use super::suite::{Hash, KeyExchange, Suite};
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
const MOST_DOUBTS: usize = 10;

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

/// One combination of answers.
struct World {
    /// The questions with the unfavourable answer.
    against: BTreeSet<Doubt>,
    /// The type of the certificate's key.
    key: Option<KeyType>,
}

struct Pair<'a> {
    server: &'a ServerOffer,
    client: &'a Client,
}

impl Pair<'_> {
    /// The types that the certificate's key may have, the likelier first. No one issues DSA certificates any more.
    fn possible_keys(&self) -> Vec<Option<KeyType>> {
        match &self.server.certificate {
            Some(certificate) => vec![certificate.key.key_type()],
            None => vec![Some(KeyType::Rsa), Some(KeyType::Ec)],
        }
    }

    fn likely_world(&self, against: BTreeSet<Doubt>) -> World {
        let key = self.possible_keys().first().copied().flatten();
        self.world(against, key)
    }

    fn world(&self, mut against: BTreeSet<Doubt>, key: Option<KeyType>) -> World {
        let others = [KeyType::Rsa, KeyType::Ec, KeyType::Dsa]
            .into_iter()
            .filter(|other| Some(*other) != key);
        against.extend(others.map(Doubt::CertificateKey));
        World { against, key }
    }

    /// The open questions that this negotiation may rest on, the certificate's type left aside.
    fn doubts(&self) -> BTreeSet<Doubt> {
        let mut states = vec![self.certificate_signature()];
        for version in Version::REMOTE_DESKTOP {
            states.push(
                self.server
                    .version(version)
                    .and(self.client.version(version)),
            );
        }
        for (standing, suite) in self.server_suites() {
            states.push(standing.own.clone());
            states.push(self.client.suite(suite));
            if suite.key_exchange == KeyExchange::Dhe {
                states.push(
                    self.server
                        .diffie_hellman_fits(self.client.limits.diffie_hellman_bits),
                );
            }
        }
        for standing in &self.server.groups {
            states.push(
                standing
                    .state
                    .clone()
                    .and(self.client.group(&standing.group)),
            );
        }
        for standing in &self.server.signatures {
            states.push(
                standing
                    .state
                    .clone()
                    .and(self.client.signature(standing.scheme)),
            );
        }
        let doubts = states.iter().flat_map(State::doubts);
        doubts
            .filter(|doubt| !matches!(doubt, Doubt::CertificateKey(_)))
            .cloned()
            .collect()
    }

    fn server_suites(&self) -> impl Iterator<Item = (&SuiteStanding, &Suite)> {
        self.server
            .suites
            .iter()
            .filter(|standing| standing.own.is_possible())
            .filter_map(|standing| Some((standing, standing.suite.as_ref()?)))
    }

    fn handshake(&self, world: &World) -> Result<Agreement, Obstacle> {
        let mut versions = Version::REMOTE_DESKTOP.to_vec();
        versions.retain(|version| {
            self.server.version(*version).holds(&world.against)
                && self.client.version(*version).holds(&world.against)
        });
        if versions.is_empty() {
            return Err(Obstacle::Version);
        }
        let offered: Vec<&Suite> = self
            .server_suites()
            .filter(|(standing, _)| standing.own.holds(&world.against))
            .map(|(_, suite)| suite)
            .collect();
        // A side without any suite for a version does not negotiate it: 2022 with a policy from before TLS 1.3 speaks 1.2.
        let version = versions
            .into_iter()
            .find(|version| {
                let mut own = self
                    .client
                    .suites
                    .iter()
                    .filter(|(_, state)| state.holds(&world.against));
                offered.iter().any(|suite| suite.versions.contains(version))
                    && own.any(|(suite, _)| suite.versions.contains(version))
            })
            .ok_or(Obstacle::Suite)?;
        let mut shared: Vec<&Suite> = offered
            .into_iter()
            .filter(|suite| {
                suite.versions.contains(&version) && self.client.suite(suite).holds(&world.against)
            })
            .collect();
        if shared.is_empty() {
            return Err(Obstacle::Suite);
        }
        shared.retain(|suite| self.exchange(suite, version, world).is_some());
        if shared.is_empty() {
            return Err(Obstacle::Group);
        }
        let signed = |suite: &&Suite| {
            version < Version::Tls12
                || !suite.needs_signature()
                || self.signature(version, world).is_some()
        };
        let suite = shared.into_iter().find(signed).ok_or(Obstacle::Signature)?;
        if self.is_refused(suite, version, world) {
            return Err(Obstacle::Signature);
        }
        Ok(Agreement {
            version,
            suite: suite.iana_name().to_owned(),
            group: self.exchange(suite, version, world).flatten(),
            signature: self
                .signature(version, world)
                .filter(|_| suite.needs_signature() && version >= Version::Tls12),
        })
    }

    /// Whether the two can do a suite's key exchange; if so, the named group, where it has one.
    fn exchange(&self, suite: &Suite, version: Version, world: &World) -> Option<Option<Group>> {
        let is_shared = |group: &Group, state: &State| {
            state.holds(&world.against)
                && self.client.group(group).holds(&world.against)
                && (version == Version::Tls13 || group.is_curve())
        };
        match suite.key_exchange {
            KeyExchange::Rsa | KeyExchange::PreShared => Some(None),
            KeyExchange::Dhe => {
                let fits = self
                    .server
                    .diffie_hellman_fits(self.client.limits.diffie_hellman_bits);
                fits.holds(&world.against).then_some(None)
            }
            KeyExchange::Ecdhe | KeyExchange::AnyGroup => {
                let on_curve = |group: &&super::offer::GroupStanding| {
                    suite
                        .curve
                        .as_ref()
                        .is_none_or(|curve| *curve == group.group)
                };
                let mut groups = self.server.groups.iter().filter(on_curve);
                let group = groups.find(|standing| is_shared(&standing.group, &standing.state))?;
                let certified =
                    version == Version::Tls13 || self.certificate_curve_is_shared(world);
                certified.then(|| Some(group.group.clone()))
            }
        }
    }

    /// Before TLS 1.3 the list of groups also says which curves a certificate may have (RFC 8422, 5.1).
    fn certificate_curve_is_shared(&self, world: &World) -> bool {
        let certificate = self
            .server
            .certificate
            .as_ref()
            .map(|certificate| &certificate.key);
        let Some(PublicKey::Ec { curve: Some(curve) }) = certificate else {
            return true;
        };
        let mut own = self
            .server
            .groups
            .iter()
            .filter(|standing| standing.group == *curve);
        own.any(|standing| standing.state.holds(&world.against))
            && self.client.group(curve).holds(&world.against)
    }

    /// The first scheme of the server that the certificate's key can sign with and the client takes.
    fn signature(&self, version: Version, world: &World) -> Option<SignatureScheme> {
        let key = world.key?;
        let fits = |scheme: SignatureScheme| {
            scheme.signs(key, version) && (version < Version::Tls13 || self.suits_curve(scheme))
        };
        self.server
            .signatures
            .iter()
            .filter(|standing| fits(standing.scheme) && standing.state.holds(&world.against))
            .map(|standing| standing.scheme)
            .find(|scheme| self.client.signature(*scheme).holds(&world.against))
    }

    /// TLS 1.3 ties each ECDSA scheme to one curve (RFC 8446, 4.2.3).
    fn suits_curve(&self, scheme: SignatureScheme) -> bool {
        let certificate = self
            .server
            .certificate
            .as_ref()
            .map(|certificate| &certificate.key);
        let Some(PublicKey::Ec { curve: Some(curve) }) = certificate else {
            return true;
        };
        scheme.algorithm != SignatureAlgorithm::Ecdsa
            || matches!(
                (curve, scheme.hash),
                (Group::Secp256r1, Hash::Sha256)
                    | (Group::Secp384r1, Hash::Sha384)
                    | (Group::Secp521r1, Hash::Sha512)
            )
    }

    /// What one side ends the handshake for, once the suite is chosen.
    fn is_refused(&self, suite: &Suite, version: Version, world: &World) -> bool {
        let bits = self
            .server
            .certificate
            .as_ref()
            .and_then(|certificate| match certificate.key {
                PublicKey::Rsa { bits } => Some(bits),
                _ => None,
            });
        let sha1 = version < Version::Tls12
            && suite.needs_signature()
            && self.client.limits.sha1_exchange == Sha1Exchange::Refused;
        let certificate =
            version >= Version::Tls12 && !self.certificate_signature().holds(&world.against);
        sha1 || certificate
            || world
                .key
                .is_some_and(|key| !self.client.takes_key(key, bits))
    }

    /// Whether the signature on the certificate passes: the server's own list decides; a client that does not list it leaves
    /// it open, as TLS 1.2 lets the client, but not all of them, insist.
    fn certificate_signature(&self) -> State {
        let own = self.server.certificate_signature();
        let issued = self
            .server
            .certificate
            .as_ref()
            .filter(|certificate| certificate.issuer == Issuer::Other);
        let signature = issued.and_then(|certificate| certificate.signature);
        match signature {
            Some(signature) if !self.client.signature(signature).is_possible() => {
                own.and(State::unless(Doubt::CertificateSignatureUnlisted))
            }
            _ => own,
        }
    }
}
