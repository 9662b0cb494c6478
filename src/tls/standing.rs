//! The standing of each suite: offered, or what keeps it from being offered.

use std::collections::{BTreeMap, BTreeSet};

use super::algorithm::{Authentication, Hash, KeyExchange};
use super::certificate::{CertificateKind, KeyCapability, KeyType};
use super::doubt::{Doubt, State};
use super::list::{EffectiveList, Entry, ListSource, NameFault};
use super::protocol::VersionStanding;
use super::settings::{SchannelSettings, Setting};
use super::suite::Suite;
use super::version::Version;

/// Whether a suite is offered to Remote Desktop's peers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Offered,
    /// It is, if these questions have the favourable answer.
    Uncertain(BTreeSet<Doubt>),
    /// Registered, but left out of the policy list, which replaces the local one.
    NotInPolicy,
    /// Registered, but left out of the local list or, where there is none, of the build's default.
    NotInLocalList,
    /// In the list, but no suite of this build.
    NotRegistered(NameFault),
    /// A suite of SSL 2.0.
    NotTls,
    /// Without encryption or certificate: used only for an application that asks, which Remote Desktop does not.
    OnlyOnRequest,
    /// FIPS mode leaves it out.
    FipsExcluded,
    /// One of its algorithms is switched off by this key below SCHANNEL.
    AlgorithmDisabled {
        /// `Ciphers\AES 256/256`.
        key: String,
    },
    /// No version that it can be used with is on.
    NoEnabledVersion,
    /// It needs a certificate with a key of another type.
    CertificateType {
        /// The type it needs.
        needs: KeyType,
    },
    /// It needs a private key that decrypts; this one only signs.
    NeedsDecryptKey,
}

/// A suite and its standing.
#[derive(Debug, Clone)]
pub struct SuiteStanding {
    /// The name as it stands in the list (or in the provider's, for one that is not listed).
    pub name: String,
    /// The suite; none where the name stands for no suite of this build.
    pub suite: Option<Suite>,
    /// The first thing in its way, or that it is offered.
    pub standing: Standing,
    /// Everything that stands in its way.
    pub hindrances: Vec<Standing>,
    /// Why, for people.
    pub reason: String,
    /// Whether it is on, its versions left aside.
    pub(super) own: State,
    /// Whether the list and the certificate let it be used, all other settings left aside.
    pub(super) in_list: State,
}

/// Whose certificate the suites must fit.
pub(super) enum Fit<'a> {
    /// The server's own; none where it is not known.
    Server(Option<&'a CertificateKind>),
    /// A client has none.
    Client,
}

/// What the suites of a list are judged by.
pub(super) struct Measure<'a> {
    pub settings: &'a SchannelSettings,
    pub versions: &'a [VersionStanding],
    pub fit: Fit<'a>,
}

impl Measure<'_> {
    /// Judges the whole list, and after it what the build registers and the list leaves out.
    pub fn judge_all(&self, list: &EffectiveList) -> Vec<SuiteStanding> {
        let left_out = match list.source {
            ListSource::Policy => Standing::NotInPolicy,
            ListSource::Local | ListSource::BuildDefault | ListSource::Unknown => {
                Standing::NotInLocalList
            }
        };
        let listed = list.entries.iter().map(|entry| self.judge(entry));
        let unlisted = list
            .unlisted
            .iter()
            .map(|suite| self.judge_suite(suite.name(), suite, State::Off, vec![left_out.clone()]));
        listed.chain(unlisted).collect()
    }

    fn judge(&self, entry: &Entry) -> SuiteStanding {
        match &entry.resolved {
            Ok((suite, registered)) => {
                self.judge_suite(&entry.name, suite, registered.clone(), Vec::new())
            }
            Err(fault) => {
                let standing = Standing::NotRegistered(fault.clone());
                SuiteStanding {
                    name: entry.name.clone(),
                    suite: None,
                    reason: reason(&standing),
                    hindrances: vec![standing.clone()],
                    standing,
                    own: State::Off,
                    in_list: State::Off,
                }
            }
        }
    }

    /// Judges a suite of this build; `listed` is whether it surely is in the list, and `hindrances` what is in its way so far.
    fn judge_suite(
        &self,
        name: &str,
        suite: &Suite,
        listed: State,
        mut hindrances: Vec<Standing>,
    ) -> SuiteStanding {
        let mut in_list = listed.clone();
        let mut own = listed;
        if suite.versions == [Version::Ssl2] {
            hindrances.push(Standing::NotTls);
        }
        if suite.is_only_on_request() {
            hindrances.push(Standing::OnlyOnRequest);
        }
        if self.settings.fips.present().is_some_and(|on| *on != 0) && !suite.is_allowed_in_fips() {
            hindrances.push(Standing::FipsExcluded);
        }
        for algorithm in self.algorithms(suite) {
            match algorithm {
                Ok(state) => own = own.and(state),
                Err(key) => hindrances.push(Standing::AlgorithmDisabled { key }),
            }
        }
        match self.certificate(suite) {
            Ok(state) => {
                in_list = in_list.and(state.clone());
                own = own.and(state);
            }
            Err(hindrance) => {
                if matches!(hindrance, Standing::CertificateType { .. }) {
                    in_list = State::Off;
                }
                hindrances.push(hindrance);
            }
        }
        if !hindrances.is_empty() {
            own = State::Off;
        }
        let version = version_state(suite, self.versions);
        if version == State::Off && !hindrances.contains(&Standing::NotTls) {
            hindrances.push(Standing::NoEnabledVersion);
        }
        let standing = match (hindrances.first(), own.clone().and(version)) {
            (Some(first), _) => first.clone(),
            (None, State::Uncertain(doubts)) => Standing::Uncertain(doubts),
            (None, _) => Standing::Offered,
        };
        let reason = match standing {
            Standing::NoEnabledVersion => self.why_no_version(suite),
            _ => reason(&standing),
        };
        SuiteStanding {
            name: name.to_owned(),
            reason,
            suite: Some(suite.clone()),
            standing,
            hindrances,
            own,
            in_list,
        }
    }

    /// Which version a suite would need, and why that is off.
    fn why_no_version(&self, suite: &Suite) -> String {
        let needed = self
            .versions
            .iter()
            .find(|standing| suite.versions.contains(&standing.version));
        match needed {
            Some(needed) => format!(
                "waits for {}, which is off ({})",
                needed.version, needed.reason
            ),
            None => reason(&Standing::NoEnabledVersion),
        }
    }

    /// What the keys below SCHANNEL make of a suite's algorithms: a state, or the key that switches one off.
    fn algorithms(&self, suite: &Suite) -> Vec<Result<State, String>> {
        let mut states = Vec::new();
        if let Some(name) = suite.cipher.registry_name() {
            states.push(switch("Ciphers", &self.settings.ciphers, name));
        }
        let hash = switch("Hashes", &self.settings.hashes, &suite.hash.to_string());
        states.push(match (hash, suite.hash) {
            (Err(key), Hash::Md5 | Hash::Sha) => Err(key),
            (Err(_), hash) => Ok(State::unless(Doubt::HashOff(hash))),
            (state, _) => state,
        });
        if let Some(name) = suite.key_exchange.registry_name() {
            let exchange = switch("KeyExchangeAlgorithms", &self.settings.key_exchanges, name);
            states.push(match (exchange, suite.key_exchange) {
                (Err(_), KeyExchange::AnyGroup) => Ok(State::unless(Doubt::EcdhOffTls13)),
                (state, _) => state,
            });
        }
        if self.is_signed_with_rsa(suite) {
            let pkcs = switch(
                "KeyExchangeAlgorithms",
                &self.settings.key_exchanges,
                "PKCS",
            );
            states.push(pkcs.or(Ok(State::unless(Doubt::PkcsOff))));
        }
        states
    }

    /// Whether the handshake is, or may be, signed with an RSA key.
    fn is_signed_with_rsa(&self, suite: &Suite) -> bool {
        let certificate = match &self.fit {
            Fit::Server(certificate) => {
                certificate.and_then(|certificate| certificate.key.key_type())
            }
            Fit::Client => None,
        };
        match suite.authentication {
            Authentication::Certificate(key) => key == KeyType::Rsa && suite.needs_signature(),
            Authentication::AnyCertificate => certificate.is_none_or(|key| key == KeyType::Rsa),
            Authentication::PreSharedKey => false,
        }
    }

    fn certificate(&self, suite: &Suite) -> Result<State, Standing> {
        let Fit::Server(certificate) = &self.fit else {
            return Ok(State::On);
        };
        let needs = match suite.authentication {
            Authentication::Certificate(needs) => needs,
            Authentication::AnyCertificate => {
                // TLS 1.3 takes RSA and EC keys; a DSA key fits no suite of it.
                let key = certificate.map(|certificate| certificate.key.key_type());
                return match key {
                    Some(Some(KeyType::Dsa) | None) => Err(Standing::CertificateType {
                        needs: KeyType::Rsa,
                    }),
                    Some(Some(KeyType::Rsa | KeyType::Ec)) | None => Ok(State::On),
                };
            }
            Authentication::PreSharedKey => return Ok(State::On),
        };
        let Some(certificate) = certificate else {
            return Ok(State::unless(Doubt::CertificateKey(needs)));
        };
        if certificate.key.key_type() != Some(needs) {
            return Err(Standing::CertificateType { needs });
        }
        if suite.key_exchange == KeyExchange::Rsa
            && certificate.capability == KeyCapability::SignOnly
        {
            return Err(Standing::NeedsDecryptKey);
        }
        Ok(State::On)
    }
}

/// Whether a version is on that this suite can be used with. A version that is surely on settles it.
pub(super) fn version_state(suite: &Suite, versions: &[VersionStanding]) -> State {
    let mut best = State::Off;
    for standing in versions
        .iter()
        .filter(|standing| suite.versions.contains(&standing.version))
    {
        match (&standing.state, &best) {
            (State::On, _) => return State::On,
            (State::Uncertain(_), State::Off) => best = standing.state.clone(),
            _ => {}
        }
    }
    best
}

/// The state of one algorithm key, or its name where it is off. Only an absent value and 0xffffffff are surely on: KB245030
/// documents no other.
pub(super) fn switch(
    branch: &str,
    keys: &Setting<BTreeMap<String, Setting<u32>>>,
    name: &str,
) -> Result<State, String> {
    let keys = match keys {
        Setting::Absent => return Ok(State::On),
        Setting::Unknown(why) => {
            return Ok(State::unless(Doubt::Unread(format!(
                "SCHANNEL\\{branch} ({why})"
            ))));
        }
        Setting::Present(keys) => keys,
    };
    let value = keys
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value);
    match value {
        None | Some(Setting::Absent | Setting::Present(0xffff_ffff)) => Ok(State::On),
        Some(Setting::Present(0)) => Err(format!("{branch}\\{name}")),
        Some(Setting::Present(_)) => Ok(State::unless(Doubt::AlgorithmEnabledValue)),
        Some(Setting::Unknown(why)) => Ok(State::unless(Doubt::Unread(format!(
            "SCHANNEL\\{branch}\\{name}\\Enabled ({why})"
        )))),
    }
}

/// A standing in words.
fn reason(standing: &Standing) -> String {
    match standing {
        Standing::Offered => "offered".into(),
        Standing::Uncertain(doubts) => {
            let texts: Vec<String> = doubts.iter().map(Doubt::to_string).collect();
            format!("uncertain: {}", texts.join("; "))
        }
        Standing::NotInPolicy => "not in the policy list, which replaces the local one".into(),
        Standing::NotInLocalList => "registered, but not in the list of enabled suites".into(),
        Standing::NotRegistered(NameFault::OtherGeneration) => {
            "a name of other Windows versions".into()
        }
        Standing::NotRegistered(NameFault::Cut(full)) => {
            format!("cut: the name should read {full}")
        }
        Standing::NotRegistered(NameFault::Spaces) => {
            "has spaces around the name, which the list must not have".into()
        }
        Standing::NotRegistered(NameFault::Unknown) => "no suite name that Windows knows".into(),
        Standing::NotTls => "SSL 2.0, which Remote Desktop does not use".into(),
        Standing::OnlyOnRequest => "used only for an application that asks for it".into(),
        Standing::FipsExcluded => "left out in FIPS mode".into(),
        Standing::AlgorithmDisabled { key } => format!("switched off by SCHANNEL\\{key}"),
        Standing::NoEnabledVersion => "no version that it can be used with is on".into(),
        Standing::CertificateType { needs } => format!("needs a certificate with an {needs} key"),
        Standing::NeedsDecryptKey => {
            "needs a private key that decrypts, and this one only signs".into()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absent_and_all_ones_are_surely_on() {
        let keys = |value| Setting::Present(BTreeMap::from([("AES 128/128".to_owned(), value)]));
        let state = |value| switch("Ciphers", &keys(value), "AES 128/128");
        assert_eq!(
            state(Setting::Present(0)),
            Err("Ciphers\\AES 128/128".into())
        );
        assert_eq!(state(Setting::Present(0xffff_ffff)), Ok(State::On));
        assert_eq!(state(Setting::Absent), Ok(State::On));
        assert_eq!(
            state(Setting::Present(1)),
            Ok(State::unless(Doubt::AlgorithmEnabledValue))
        );
        assert!(matches!(
            state(Setting::Unknown("REG_SZ".into())),
            Ok(State::Uncertain(_))
        ));
    }
}
