//! One handshake between two sides, with every open question answered.

use std::collections::BTreeSet;

use super::algorithm::{Hash, KeyExchange};
use super::certificate::{Issuer, KeyType, PublicKey};
use super::client::{Client, Sha1Exchange};
use super::doubt::{Doubt, State};
use super::group::Group;
use super::negotiate::{Agreement, Obstacle};
use super::offer::ServerOffer;
use super::side::GroupStanding;
use super::signature::{SignatureAlgorithm, SignatureScheme};
use super::standing::SuiteStanding;
use super::suite::Suite;
use super::version::Version;

/// One combination of answers.
pub(super) struct World {
    /// The questions with the unfavourable answer.
    against: BTreeSet<Doubt>,
    /// The type of the certificate's key.
    key: Option<KeyType>,
}

/// The two sides.
pub(super) struct Pair<'a> {
    pub server: &'a ServerOffer,
    pub client: &'a Client,
}

impl Pair<'_> {
    /// The types that the certificate's key may have, the likelier first. No one issues DSA certificates any more.
    pub fn possible_keys(&self) -> Vec<Option<KeyType>> {
        match &self.server.certificate {
            Some(certificate) => vec![certificate.key.key_type()],
            None => vec![Some(KeyType::Rsa), Some(KeyType::Ec)],
        }
    }

    pub fn likely_world(&self, against: BTreeSet<Doubt>) -> World {
        let key = self.possible_keys().first().copied().flatten();
        self.world(against, key)
    }

    pub fn world(&self, mut against: BTreeSet<Doubt>, key: Option<KeyType>) -> World {
        let others = [KeyType::Rsa, KeyType::Ec, KeyType::Dsa]
            .into_iter()
            .filter(|other| Some(*other) != key);
        against.extend(others.map(Doubt::CertificateKey));
        World { against, key }
    }

    /// The open questions that this negotiation may rest on, the certificate's type left aside.
    pub fn doubts(&self) -> BTreeSet<Doubt> {
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

    pub fn handshake(&self, world: &World) -> Result<Agreement, Obstacle> {
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
                let on_curve = |group: &&GroupStanding| {
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
