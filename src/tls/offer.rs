//! The server's whole offer, computed from its settings, its build and its certificate.

use super::algorithm::Hash;
use super::certificate::{CertificateKind, Issuer, KeyCapability, KeyType};
use super::doubt::{Assumption, Doubt, Settled, State};
use super::generation::{Generation, GenerationMatch};
use super::list::ListSource;
use super::protocol::VersionStanding;
use super::residue::{Residue, residue};
use super::settings::SchannelSettings;
use super::side::{GroupStanding, Side, SignatureStanding};
use super::standing::{Fit, Standing, SuiteStanding};
use super::verdict::{self, ListVerdict};
use super::version::{Role, Version};

/// Diffie-Hellman groups of Windows before 10 may be this small.
const SMALL_GROUP: u32 = 1024;

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

    /// A Windows version as it is installed, with the certificate that Remote Desktop makes for itself.
    pub fn windows(generation: &'static Generation) -> ServerOffer {
        let certificate = CertificateKind::remote_desktop_default();
        let settings = SchannelSettings::default();
        let mut offer =
            ServerOffer::evaluate(&settings, Some(generation.into()), Some(certificate));
        // That nothing is set is what is asked.
        offer.assumptions.clear();
        offer
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
            Settled::Yes if self.stopped_by_algorithms().next().is_some() => Settled::Yes,
            Settled::Open(doubts) if doubts.iter().any(suspected) => Settled::Open(doubts),
            Settled::Yes | Settled::No | Settled::Open(_) => Settled::No,
        }
    }

    /// The suites that only such keys keep from being offered.
    fn stopped_by_algorithms(&self) -> impl Iterator<Item = &SuiteStanding> {
        let is_algorithm =
            |hindrance: &Standing| matches!(hindrance, Standing::AlgorithmDisabled { .. });
        self.suites
            .iter()
            .filter(|standing| !standing.hindrances.is_empty())
            .filter(move |standing| standing.hindrances.iter().all(is_algorithm))
    }

    /// The algorithm keys that by themselves keep a suite from being offered, as `Ciphers\AES 256/256`.
    pub fn disabled_algorithms(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = self
            .stopped_by_algorithms()
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
        if certificate.issuer == Issuer::Itself || signature.hash == Hash::Sha224 {
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
