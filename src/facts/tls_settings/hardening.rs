//! Facts about what hardening changed beside versions and lists: algorithms, signatures, limits, and settings that do not do what
//! they look like.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::answer::{doubtful, settled};
use super::logged::Logged;
use super::{Computed, FoundValue};
use crate::facts::catalog::schannel::SchannelFailure;
use crate::facts::catalog::tls::{
    Algorithms, CertificateSignature, Messages, Residue, ResidueKind,
};
use crate::facts::credential::is_event;
use crate::facts::effect::in_effect_since;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::incident::ConnectionState;
use crate::facts::known::Known;
use crate::tls::{
    self, CertificateKind, Doubt, Issuer, ProtocolValues, Role, SchannelSettings, ServerOffer,
    Setting, Settled, State, Version,
};

/// The first build with TLS 1.3 (Microsoft, "Protocols in TLS/SSL").
const FIRST_WITH_TLS13: u32 = 20348;

/// Whether somebody switched TLS 1.2 off while another version is, or may be, on. A Windows that has it off by default (7 and Server
/// 2008 R2) serves whoever always came to it.
pub(super) fn lacks_tls12(offer: &ServerOffer, settings: &SchannelSettings) -> Settled {
    let key = (Version::Tls12, Role::Server);
    let switched = match &settings.protocols {
        Setting::Present(protocols) => protocols
            .get(&key)
            .is_some_and(|values| values.enabled == Setting::Present(0)),
        Setting::Absent => false,
        Setting::Unknown(why) => return Settled::Open([Doubt::Unread(why.clone())].into()),
    };
    if !switched {
        return Settled::No;
    }
    match (offer.version(Version::Tls12), offer.all_versions_off()) {
        (State::On, _) | (_, Settled::Yes) => Settled::No,
        (State::Uncertain(doubts), _) => Settled::Open(doubts),
        // A TLS 1.3 that is sure serves clients of today.
        (State::Off, _) if offer.version(Version::Tls13) == State::On => Settled::No,
        (State::Off, _) => Settled::Yes,
    }
}

/// Whether TLS 1.3 is switched on for the server role of a Windows that does not support it.
pub(super) fn tls13_forced(offer: &ServerOffer, settings: &SchannelSettings) -> Settled {
    let key = (Version::Tls13, Role::Server);
    let values = match &settings.protocols {
        Setting::Present(protocols) => protocols.get(&key).cloned().unwrap_or_default(),
        Setting::Absent => ProtocolValues::default(),
        Setting::Unknown(why) => return Settled::Open([Doubt::Unread(why.clone())].into()),
    };
    let old = offer
        .generation
        .map(|found| found.generation.builds.1 < FIRST_WITH_TLS13);
    match (values.enabled, old) {
        (Setting::Present(0) | Setting::Absent, _) | (_, Some(false)) => Settled::No,
        (Setting::Present(_), Some(true)) => Settled::Yes,
        (Setting::Present(_), None) => Settled::Open([Doubt::BuildUnknown].into()),
        (Setting::Unknown(why), _) => Settled::Open([Doubt::Unread(why)].into()),
    }
}

impl Computed {
    /// Adds `tls.algorithms`, `tls.certificate_signature`, `tls.messages`, `tls.fips` and `tls.residue`.
    pub(super) fn add_hardening(&self, logged: &Logged, server: FactId, facts: &mut FactSet) {
        self.algorithms(logged, server, facts);
        self.certificate_signature(server, facts);
        self.messages(server, facts);
        self.add_fips(server, facts);
        self.residue(server, facts);
    }

    fn algorithms(&self, logged: &Logged, server: FactId, facts: &mut FactSet) {
        let about = Algorithms::KIND.name;
        let answer = self.offer.algorithms_leave_nothing();
        let leave_nothing = settled(&mut facts.gaps, about, &answer);
        let keys = self.offer.disabled_algorithms();
        let keys: Vec<String> = keys.into_iter().map(str::to_owned).collect();
        let by_value = matches!(&answer, Settled::Open(doubts) if doubts.contains(&Doubt::AlgorithmEnabledValue));
        let failed = logged
            .refusals
            .seen
            .clone()
            .or(logged.no_credential.seen.clone());
        let suspected = Known::Is(by_value).and(failed);
        let branches = ["Ciphers", "Hashes", "KeyExchangeAlgorithms"];
        let (sources, written) = self.places(server, |key, name| {
            name == "Enabled"
                && branches
                    .iter()
                    .any(|branch| key.contains(&format!("\\SCHANNEL\\{branch}\\")))
        });
        // Schannel reads these keys at once, but the credential that the service holds lives on until it starts anew.
        let at = written
            .filter(|_| leave_nothing == Known::Is(true))
            .map(|written| in_effect_since(facts, written));
        let fact = Algorithms {
            leave_nothing,
            keys,
            suspected,
        };
        facts.add(at, fact, sources);
    }

    fn certificate_signature(&self, server: FactId, facts: &mut FactSet) {
        let about = CertificateSignature::KIND.name;
        let certificate = self.offer.certificate.as_ref();
        let unknown = BTreeSet::from([Doubt::Unread("the listener's certificate".to_owned())]);
        let unsupported = match (certificate, self.offer.certificate_signature()) {
            (None, _) => Known::Open(doubtful(&mut facts.gaps, about, &unknown)),
            (_, State::Off) => Known::Is(true),
            (_, State::On) => Known::Is(false),
            (_, State::Uncertain(doubts)) => Known::Open(doubtful(&mut facts.gaps, about, &doubts)),
        };
        let older = [Version::Tls11, Version::Tls10].map(|version| self.offer.version(version));
        let newer_only = if older.contains(&State::On) {
            Known::Is(false)
        } else {
            let doubts: BTreeSet<Doubt> = older.iter().flat_map(State::doubts).cloned().collect();
            match doubts.is_empty() {
                true => Known::Is(true),
                false => Known::Open(doubtful(&mut facts.gaps, about, &doubts)),
            }
        };
        let all_off = settled(&mut facts.gaps, about, &self.offer.all_versions_off());
        let refused = unsupported.clone().and(newer_only).and(all_off.not());
        let (sources, written) = self.places(server, |key, _| key.ends_with("SSL\\00010003"));
        let at = written.filter(|_| refused == Known::Is(true));
        let fact = CertificateSignature {
            signature: signature(certificate),
            unsupported,
            refused,
        };
        facts.add(at, fact, sources);
    }

    fn messages(&self, server: FactId, facts: &mut FactSet) {
        let about = Messages::KIND.name;
        let settings = &self.collected.settings;
        let refuses = settled(&mut facts.gaps, about, &settings.refuses_messages());
        let limit = match &settings.message_limit_server {
            Setting::Present(limit) => Known::Is(Some(*limit)),
            Setting::Absent => Known::Is(None),
            Setting::Unknown(_) => refuses.clone().map(|_| None),
        };
        let alerts = facts
            .of_kind(SchannelFailure::KIND)
            .any(|fact| is_event(fact, &[36887, 36888]) && fact.is("affected", true));
        let some = facts.anchors.state == ConnectionState::Mixed && alerts;
        let (sources, written) = self.places(server, |_, name| name == "MessageLimitServer");
        let at = written.filter(|_| refuses == Known::Is(true));
        let fact = Messages {
            limit,
            selective: refuses.clone().and(Known::Is(some)),
            refuses,
        };
        facts.add(at, fact, sources);
    }

    fn residue(&self, server: FactId, facts: &mut FactSet) {
        for residue in &self.offer.residue {
            let (sources, _) = self.places(server, |key, name| is_about(residue, key, name));
            let fact = Residue {
                residue: kind(residue),
                says: residue.to_string(),
            };
            facts.add(None, fact, sources);
        }
        for other in &self.collected.elsewhere {
            let fact = Residue {
                residue: ResidueKind::OtherControlSet,
                says: other.says.clone(),
            };
            facts.add(None, fact, vec![other.source.clone()]);
        }
    }

    /// Where values of that key and name stand and when the newest was written; else what the server offers as a whole.
    pub(super) fn places(
        &self,
        server: FactId,
        wanted: impl Fn(&str, &str) -> bool,
    ) -> (Vec<Source>, Option<Timestamp>) {
        let is_wanted = |value: &&FoundValue| match &value.source {
            Source::Value { key, name, .. } => wanted(key, name.as_deref().unwrap_or_default()),
            _ => false,
        };
        let found: Vec<&FoundValue> = self.collected.values.iter().filter(is_wanted).collect();
        let written = found.iter().filter_map(|value| value.written).max();
        let sources: Vec<Source> = found
            .into_iter()
            .map(|value| value.source.clone())
            .collect();
        if sources.is_empty() {
            return (vec![Source::Derived(vec![server])], None);
        }
        (sources, written)
    }
}

fn signature(certificate: Option<&CertificateKind>) -> Option<String> {
    let certificate = certificate.filter(|certificate| certificate.issuer == Issuer::Other)?;
    Some(certificate.signature?.to_string())
}

fn kind(residue: &tls::Residue) -> ResidueKind {
    match residue {
        tls::Residue::NestedKey { .. } => ResidueKind::NestedKey,
        tls::Residue::UnknownKey { .. } => ResidueKind::UnknownKey,
        tls::Residue::UnknownProtocol(_) => ResidueKind::UnknownProtocol,
        tls::Residue::UndocumentedValue { .. } => ResidueKind::UndocumentedValue,
        tls::Residue::WrongType(_) => ResidueKind::WrongType,
        tls::Residue::PolicyTooLong { .. } => ResidueKind::PolicyTooLong,
        tls::Residue::SuffixedNames(_) => ResidueKind::SuffixedNames,
        tls::Residue::WrongList { .. } => ResidueKind::WrongList,
        tls::Residue::Tls13Forced(_) => ResidueKind::Tls13Forced,
    }
}

/// Whether a value is one that the residue speaks of.
fn is_about(residue: &tls::Residue, key: &str, name: &str) -> bool {
    let path = format!("{key}\\{name}");
    let lists = || ["Functions", "EccCurves"].contains(&name) && !key.contains("\\Providers\\");
    match residue {
        tls::Residue::NestedKey { path: own, .. } | tls::Residue::UnknownKey { path: own, .. } => {
            key.ends_with(own.as_str())
        }
        tls::Residue::UndocumentedValue { path: own, .. } => path.ends_with(own.as_str()),
        tls::Residue::UnknownProtocol(_) => false,
        tls::Residue::WrongType(wrong) => path == wrong.path,
        tls::Residue::PolicyTooLong { .. } => name == "Functions" && key.starts_with("Policies"),
        tls::Residue::SuffixedNames(_) | tls::Residue::WrongList { .. } => lists(),
        tls::Residue::Tls13Forced(role) => key.ends_with(&format!("\\TLS 1.3\\{role}")),
    }
}
