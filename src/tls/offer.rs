//! What one side brings to a negotiation, computed from its settings; and the server's whole offer.

use super::certificate::{CertificateKind, KeyCapability, KeyType};
use super::doubt::{Assumption, Doubt, Settled, State};
use super::generation::{Generation, GenerationMatch};
use super::group::Group;
use super::list::{self, ListSource, why_missing};
use super::protocol::{self, VersionStanding};
use super::residue::{Residue, residue};
use super::settings::{SchannelSettings, Setting};
use super::signature::SignatureScheme;
use super::standing::{Fit, Measure, Standing, SuiteStanding, switch};
use super::suite::Hash;
use super::verdict::{self, ListVerdict};
use super::version::{Role, Version};

/// Diffie-Hellman groups of Windows before 10 may be this small.
const SMALL_GROUP: u32 = 1024;

/// A named group and whether it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStanding {
    /// The group.
    pub group: Group,
    /// Whether it is on.
    pub state: State,
    /// Why, for people.
    pub reason: &'static str,
}

/// A signature scheme and whether it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureStanding {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// Whether it is on.
    pub state: State,
}

/// What the settings of one role come to.
pub(super) struct Side {
    pub versions: Vec<VersionStanding>,
    pub list_source: ListSource,
    pub suites: Vec<SuiteStanding>,
    pub groups: Vec<GroupStanding>,
    pub signatures: Vec<SignatureStanding>,
    pub assumptions: Vec<Assumption>,
}

impl Side {
    pub fn evaluate(
        settings: &SchannelSettings,
        generation: Option<GenerationMatch>,
        role: Role,
        fit: Fit<'_>,
    ) -> Side {
        let build = generation.map(|found| found.generation);
        let versions: Vec<VersionStanding> = Version::REMOTE_DESKTOP
            .into_iter()
            .map(|version| protocol::standing(settings, build, version, role))
            .collect();
        let list = list::effective(settings, build);
        let suites = Measure {
            settings,
            versions: &versions,
            fit,
        }
        .judge_all(&list);
        let mut assumptions = list.assumptions;
        if let Some(found) = generation.filter(|found| !found.exact) {
            assumptions.push(Assumption::NearestGeneration(
                found.generation.title.clone(),
            ));
        }
        if let Setting::Unknown(why) = &settings.fips {
            assumptions.push(Assumption::NoFips(why.clone()));
        }
        let groups = groups(settings, build, &suites, &mut assumptions);
        let signatures = signatures(settings, build, &mut assumptions);
        assumptions.sort();
        Side {
            versions,
            list_source: list.source,
            suites,
            groups,
            signatures,
            assumptions,
        }
    }
}

/// Groups: by the suffixes of the suites before Windows 10, by `EccCurves` since.
fn groups(
    settings: &SchannelSettings,
    generation: Option<&Generation>,
    suites: &[SuiteStanding],
    assumptions: &mut Vec<Assumption>,
) -> Vec<GroupStanding> {
    let listed = || suites.iter().filter(|standing| standing.own.is_possible());
    let suffixed = match generation {
        Some(generation) => generation.has_suffixed_names(),
        None => listed().any(|standing| {
            standing
                .suite
                .as_ref()
                .is_some_and(|suite| suite.curve.is_some())
        }),
    };
    let mut states: Vec<(Group, State)> = Vec::new();
    if suffixed {
        for standing in listed() {
            let Some(curve) = standing
                .suite
                .as_ref()
                .and_then(|suite| suite.curve.clone())
            else {
                continue;
            };
            match states.iter_mut().find(|(group, _)| *group == curve) {
                Some((_, state)) if standing.own == State::On => *state = State::On,
                Some(_) => {}
                None => states.push((curve, standing.own.clone())),
            }
        }
    } else {
        if let Setting::Unknown(why) = &settings.policy_curves {
            assumptions.push(Assumption::NoCurvePolicy(why.clone()));
        }
        let names = settings
            .policy_curves
            .present()
            .or(settings.local_curves.present());
        let curves: Vec<Group> = match (names, generation) {
            (Some(names), _) => names.iter().filter_map(|name| Group::parse(name)).collect(),
            (None, Some(generation)) => {
                assumptions.push(Assumption::DefaultCurves(why_missing(
                    &settings.local_curves,
                )));
                generation.curves().to_vec()
            }
            (None, None) => Vec::new(),
        };
        states.extend(curves.into_iter().map(|group| (group, State::On)));
        if names.is_none() && generation.is_none() {
            let common = [Group::X25519, Group::Secp256r1, Group::Secp384r1];
            states.extend(common.map(|group| (group, State::unless(Doubt::BuildUnknown))));
        }
    }
    let fips = settings.fips.present().is_some_and(|on| *on != 0);
    let standing = |(group, state): (Group, State)| {
        if fips && !group.is_allowed_in_fips() {
            GroupStanding {
                group,
                state: State::Off,
                reason: "not available in FIPS mode",
            }
        } else {
            let reason = if suffixed {
                "by the suffix of a suite"
            } else {
                "in the list of curves"
            };
            GroupStanding {
                group,
                state,
                reason,
            }
        }
    };
    states.into_iter().map(standing).collect()
}

fn signatures(
    settings: &SchannelSettings,
    generation: Option<&Generation>,
    assumptions: &mut Vec<Assumption>,
) -> Vec<SignatureStanding> {
    let schemes: Vec<(SignatureScheme, State)> = match (&settings.signature_suites, generation) {
        (Setting::Present(names), _) => names
            .iter()
            .filter_map(|name| SignatureScheme::parse(name))
            .map(|scheme| (scheme, State::On))
            .collect(),
        (missing, Some(generation)) => {
            assumptions.push(Assumption::DefaultSignatures(why_missing(missing)));
            generation.signatures()
        }
        (_, None) => {
            let newest = Generation::all()
                .last()
                .map(Generation::signatures)
                .unwrap_or_default();
            newest
                .into_iter()
                .map(|(scheme, _)| (scheme, State::unless(Doubt::BuildUnknown)))
                .collect()
        }
    };
    let standing = |(scheme, state): (SignatureScheme, State)| {
        // KB245030 speaks of suites only, so what a hash that is off does to signatures is not known.
        let hash = switch("Hashes", &settings.hashes, &scheme.hash.to_string());
        let state = match (hash, scheme.hash) {
            (Ok(hash), _) => state.and(hash),
            (Err(_), hash) => state.and(State::unless(Doubt::HashOff(hash))),
        };
        SignatureStanding { scheme, state }
    };
    schemes.into_iter().map(standing).collect()
}

/// What a server offers to Remote Desktop's clients.
#[derive(Debug)]
pub struct ServerOffer {
    /// The Windows version it was judged by.
    pub generation: Option<GenerationMatch>,
    /// TLS 1.3 down to TLS 1.0.
    pub versions: Vec<VersionStanding>,
    /// Where the suite list comes from.
    pub list_source: ListSource,
    /// Every name of the effective list in its order, then what the build registers besides.
    pub suites: Vec<SuiteStanding>,
    /// Named groups in the server's order.
    pub groups: Vec<GroupStanding>,
    /// Signature schemes in the server's order.
    pub signatures: Vec<SignatureStanding>,
    /// The certificate; none where it is not known.
    pub certificate: Option<CertificateKind>,
    /// What the effective list by itself leaves.
    pub list_verdict: ListVerdict,
    /// What the offer takes for granted.
    pub assumptions: Vec<Assumption>,
    /// Settings that do not do what they look like.
    pub residue: Vec<Residue>,
    /// The size of its Diffie-Hellman groups in bits; none where it depends on updates.
    pub diffie_hellman_bits: Option<u32>,
}

impl ServerOffer {
    /// Computes the offer from the settings. Without a generation (the build is not known) every default is a doubt; without
    /// a certificate, which suites it fits.
    pub fn evaluate(
        settings: &SchannelSettings,
        generation: Option<GenerationMatch>,
        certificate: Option<CertificateKind>,
    ) -> ServerOffer {
        let build = generation.map(|found| found.generation);
        let mut side = Side::evaluate(
            settings,
            generation,
            Role::Server,
            Fit::Server(certificate.as_ref()),
        );
        let unknown_capability = certificate.as_ref().is_some_and(|certificate| {
            certificate.capability == KeyCapability::Unknown
                && certificate.key.key_type() == Some(KeyType::Rsa)
        });
        if unknown_capability {
            side.assumptions.push(Assumption::KeyDecrypts);
        }
        let list_verdict = verdict::of_list(&side, certificate.as_ref());
        let diffie_hellman_bits = match (settings.server_diffie_hellman_bits.present(), build) {
            (Some(bits), _) => Some(*bits),
            (None, Some(build)) if !build.has_suffixed_names() => Some(2048),
            _ => None,
        };
        ServerOffer {
            generation,
            versions: side.versions,
            list_source: side.list_source,
            suites: side.suites,
            groups: side.groups,
            signatures: side.signatures,
            certificate,
            list_verdict,
            assumptions: side.assumptions,
            residue: residue(settings, build),
            diffie_hellman_bits,
        }
    }

    /// Whether the policy is known: set, or known not to be. Where it is not, everything about suites holds only if none is set.
    pub fn policy_is_known(&self) -> bool {
        !self
            .assumptions
            .iter()
            .any(|assumption| matches!(assumption, Assumption::NoSuitePolicy(_)))
    }

    /// The state of a version.
    pub fn version(&self, version: Version) -> State {
        let found = self
            .versions
            .iter()
            .find(|standing| standing.version == version);
        found.map_or(State::Off, |standing| standing.state.clone())
    }

    /// Whether every TLS version that this build and Remote Desktop can use is off.
    pub fn all_versions_off(&self) -> Settled {
        Settled::none_on(self.versions.iter().map(|standing| &standing.state))
    }

    /// Whether no suite is left that could be offered at any version that is on.
    pub fn offers_no_suite(&self) -> Settled {
        if self.list_source == ListSource::Unknown {
            return Settled::Open([Doubt::BuildUnknown].into());
        }
        let states: Vec<State> = self
            .suites
            .iter()
            .map(|standing| match &standing.standing {
                Standing::Offered => State::On,
                Standing::Uncertain(doubts) => State::Uncertain(doubts.clone()),
                _ => State::Off,
            })
            .collect();
        Settled::none_on(&states)
    }

    /// Whether keys below Ciphers, Hashes and KeyExchangeAlgorithms leave no suite, where without them the lists, versions and
    /// certificate would leave one.
    pub fn algorithms_leave_nothing(&self) -> Settled {
        let stopped = |standing: &&SuiteStanding| {
            !standing.hindrances.is_empty()
                && standing
                    .hindrances
                    .iter()
                    .all(|hindrance| matches!(hindrance, Standing::AlgorithmDisabled { .. }))
        };
        let suspected = |doubt: &Doubt| {
            matches!(
                doubt,
                Doubt::AlgorithmEnabledValue
                    | Doubt::PkcsOff
                    | Doubt::HashOff(_)
                    | Doubt::EcdhOffTls13
            )
        };
        match self.offers_no_suite() {
            Settled::Yes if self.suites.iter().any(|standing| stopped(&standing)) => Settled::Yes,
            Settled::Open(doubts) if doubts.iter().any(suspected) => Settled::Open(doubts),
            Settled::Yes | Settled::No | Settled::Open(_) => Settled::No,
        }
    }

    /// The algorithm keys that are off, as `Ciphers\AES 256/256`.
    pub fn disabled_algorithms(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self
            .suites
            .iter()
            .flat_map(|standing| &standing.hindrances)
            .filter_map(|hindrance| match hindrance {
                Standing::AlgorithmDisabled { key } => Some(key.as_str()),
                _ => None,
            })
            .collect();
        keys.sort_unstable();
        keys.dedup();
        keys
    }

    /// Whether its Diffie-Hellman group is large enough for a client.
    pub(super) fn diffie_hellman_fits(&self, client_minimum: u32) -> State {
        match self.diffie_hellman_bits {
            Some(bits) if bits >= client_minimum => State::On,
            Some(_) => State::Off,
            None if client_minimum <= SMALL_GROUP => State::On,
            None => State::unless(Doubt::SmallDiffieHellman),
        }
    }

    /// Whether the certificate's own signature is one that the server's signature suites know. A self-signed certificate's is
    /// not looked at. Matters for TLS 1.2 and later only (Microsoft, on SHA-512 certificates under TLS 1.2 before Windows 10).
    pub fn certificate_signature(&self) -> State {
        let Some(certificate) = &self.certificate else {
            return State::On;
        };
        let Some(signature) = certificate.signature else {
            return State::On;
        };
        if certificate.issuer == super::certificate::Issuer::Itself
            || signature.hash == Hash::Sha224
        {
            return State::On;
        }
        let listed = self
            .signatures
            .iter()
            .filter(|standing| standing.scheme == signature);
        listed
            .map(|standing| standing.state.clone())
            .next()
            .unwrap_or(State::Off)
    }
}
