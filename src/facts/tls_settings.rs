//! What the machine's TLS settings come to: Schannel's values are read from the hives, the model in [`crate::tls`] judges them,
//! and what it says becomes facts.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::Timestamp;

use super::catalog::certificate::ChosenBy;
use super::catalog::host::Role as HostRole;
use super::catalog::tls::{
    ListFault, ListSource, LocalSuites, Obstacle, Overlap, Peer, SuitePolicy, TlsServer,
};
use super::certificate::{Choice, Chosen};
use super::effect::{Effect, at_boot, at_service_start};
use super::fact::{FactId, FactSet, Source};
use super::gap::{Gap, GapId, Gaps};
use super::host::Identity;
use super::known::Known;
use super::registry::{Answer, Place, Registry};
use super::subject::Subject;
use crate::parse::certificate as x509;
use crate::parse::hive::{Key, Lookup, Value, WrongType};
use crate::tls::{
    self, CertificateKind, Client, Doubt, Generation, GenerationMatch, Issuer, KeyCapability,
    ListVerdict, Negotiation, Outcome, PolicyList, Product, ProtocolValues, Role, SchannelSettings,
    ServerOffer, Setting, Settled, SignatureScheme, Standing, State, Version,
};

const SCHANNEL: &str = "Control\\SecurityProviders\\SCHANNEL";
const LOCAL_SUITES: Place<'static> =
    Place::ControlSet("Control\\Cryptography\\Configuration\\Local\\SSL\\00010002");
const LOCAL_SIGNATURES: Place<'static> =
    Place::ControlSet("Control\\Cryptography\\Configuration\\Local\\SSL\\00010003");
const PROVIDER: Place<'static> = Place::ControlSet(
    "Control\\Cryptography\\Providers\\Microsoft SSL Protocol Provider\\UM\\00010002",
);
const POLICY_SUITES: Place<'static> =
    Place::Software("Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002");

/// What the hives hold of Schannel's settings, and where.
#[derive(Debug)]
pub struct Collected {
    /// The settings.
    pub settings: SchannelSettings,
    /// The policy list's place.
    policy: Answer<PolicyList>,
    /// The local list's place.
    local: Answer<Vec<String>>,
    /// The provider list's place.
    provider: Answer<Vec<String>>,
    /// The keys of the server role that hold a value.
    protocols: Vec<(Source, Option<Timestamp>)>,
}

/// Reads Schannel's settings. What was not collected, is damaged or of another type than Windows reads is unknown in them.
pub fn read(registry: &Registry, gaps: &mut Gaps) -> Collected {
    let mut reader = Reader {
        registry,
        gaps,
        wrong_types: Vec::new(),
    };
    let mut protocols = Vec::new();
    let mut values = BTreeMap::new();
    for version in Version::ALL {
        for role in [Role::Server, Role::Client] {
            let path = format!("{SCHANNEL}\\Protocols\\{version}\\{role}");
            let place = Place::ControlSet(&path);
            let enabled = reader.dword(place, "Enabled");
            let disabled_by_default = reader.dword(place, "DisabledByDefault");
            if role == Role::Server {
                for answer in [&enabled, &disabled_by_default] {
                    if let (Some(_), Some(source)) = (answer.present(), &answer.source) {
                        protocols.push((source.clone(), answer.written));
                    }
                }
            }
            let pair = ProtocolValues {
                enabled: reader.setting(enabled),
                disabled_by_default: reader.setting(disabled_by_default),
            };
            if pair != ProtocolValues::default() {
                values.insert((version, role), pair);
            }
        }
    }
    let names = reader.key_names(&format!("{SCHANNEL}\\Protocols"));
    let other_protocols = names
        .into_iter()
        .filter(|name| Version::from_str(name).is_err())
        .collect();
    let policy = reader.typed(POLICY_SUITES, "Functions", policy_list);
    let local = reader.texts(LOCAL_SUITES, "Functions");
    let provider = reader.texts(PROVIDER, "Functions");
    let local_curves = reader.texts(LOCAL_SUITES, "EccCurves");
    let policy_curves = reader.typed(POLICY_SUITES, "EccCurves", names_of);
    let signatures = reader.texts(LOCAL_SIGNATURES, "Functions");
    let diffie_hellman = format!("{SCHANNEL}\\KeyExchangeAlgorithms\\Diffie-Hellman");
    let pkcs = format!("{SCHANNEL}\\KeyExchangeAlgorithms\\PKCS");
    let messaging = format!("{SCHANNEL}\\Messaging");
    let mut number = |path: &str, name: &str| {
        let answer = reader.dword(Place::ControlSet(path), name);
        reader.setting(answer)
    };
    let fips = number("Control\\Lsa\\FipsAlgorithmPolicy", "Enabled");
    let server_diffie_hellman_bits = number(&diffie_hellman, "ServerMinKeyBitLength");
    let client_diffie_hellman_bits = number(&diffie_hellman, "ClientMinKeyBitLength");
    let client_rsa_bits = number(&pkcs, "ClientMinKeyBitLength");
    let message_limit_server = number(&messaging, "MessageLimitServer");
    let event_logging = number(SCHANNEL, "EventLogging");
    let settings = SchannelSettings {
        protocols: Setting::Present(values),
        other_protocols,
        ciphers: reader.algorithms("Ciphers"),
        hashes: reader.algorithms("Hashes"),
        key_exchanges: reader.algorithms("KeyExchangeAlgorithms"),
        provider_suites: reader.setting(provider.clone()),
        local_suites: reader.setting(local.clone()),
        policy_suites: reader.setting(policy.clone()),
        local_curves: reader.setting(local_curves),
        policy_curves: reader.setting(policy_curves),
        signature_suites: reader.setting(signatures),
        fips,
        server_diffie_hellman_bits,
        client_diffie_hellman_bits,
        client_rsa_bits,
        message_limit_server,
        event_logging,
        wrong_types: reader.wrong_types,
    };
    Collected {
        settings,
        policy,
        local,
        provider,
        protocols,
    }
}

/// Reads values into the model's terms.
struct Reader<'r> {
    registry: &'r Registry,
    gaps: &'r mut Gaps,
    wrong_types: Vec<tls::WrongType>,
}

impl Reader<'_> {
    fn typed<T>(
        &mut self,
        place: Place<'_>,
        name: &str,
        read: impl FnOnce(&Value) -> Result<T, WrongType>,
    ) -> Answer<T> {
        let mut wrong = None;
        let answer = self.registry.typed(self.gaps, place, name, |value| {
            read(value).inspect_err(|found| wrong = Some(found.clone()))
        });
        if let (Some(wrong), Some(Source::Value { key, .. })) = (wrong, &answer.source) {
            self.refused(format!("{key}\\{name}"), &wrong);
        }
        answer
    }

    fn dword(&mut self, place: Place<'_>, name: &str) -> Answer<u32> {
        self.typed(place, name, Value::dword)
    }

    fn texts(&mut self, place: Place<'_>, name: &str) -> Answer<Vec<String>> {
        self.typed(place, name, Value::multi_text)
    }

    fn setting<T>(&self, answer: Answer<T>) -> Setting<T> {
        match answer.value {
            Known::Is(Some(value)) => Setting::Present(value),
            Known::Is(None) => Setting::Absent,
            Known::Open(gap) => Setting::Unknown(why(self.gaps, gap)),
        }
    }

    fn key_names(&mut self, path: &str) -> Vec<String> {
        let listing = self.registry.subkeys(self.gaps, Place::ControlSet(path));
        let entries = listing.present().map(|listing| listing.entries.iter());
        let names = entries.into_iter().flatten().map(|key| key.name());
        names.collect()
    }

    /// `Enabled` of every key below one of SCHANNEL's, and of the keys in these: a name with a slash, made by a tool that takes
    /// the slash for a separator, lies one level deeper.
    fn algorithms(&mut self, branch: &str) -> Setting<BTreeMap<String, Setting<u32>>> {
        let path = format!("{SCHANNEL}\\{branch}");
        let listing = self.registry.subkeys(self.gaps, Place::ControlSet(&path));
        let listing = match listing.value {
            Known::Is(Some(listing)) => listing,
            Known::Is(None) => return Setting::Absent,
            Known::Open(gap) => return Setting::Unknown(why(self.gaps, gap)),
        };
        let stale = self
            .registry
            .system()
            .is_some_and(|file| file.hive.is_stale());
        if stale {
            return Setting::Unknown(
                "SYSTEM is dirty and its transaction logs are missing".to_owned(),
            );
        }
        let mut troubles = listing.troubles;
        let mut found = BTreeMap::new();
        for key in listing.entries {
            let inner = key.subkeys();
            troubles.extend(inner.troubles);
            for inner in inner.entries {
                let name = format!("{}\\{}", key.name(), inner.name());
                found.insert(name, self.enabled(&inner));
            }
            found.insert(key.name(), self.enabled(&key));
        }
        if let Some(trouble) = troubles.first() {
            return Setting::Unknown(format!("damaged: {trouble}"));
        }
        Setting::Present(found)
    }

    fn enabled(&mut self, key: &Key<'_>) -> Setting<u32> {
        let value = match key.value("Enabled") {
            Lookup::Present(value) => value,
            Lookup::Absent => return Setting::Absent,
            Lookup::Unreadable(trouble) => return Setting::Unknown(format!("damaged: {trouble}")),
        };
        value.dword().map_or_else(
            |wrong| {
                let why = wrong.to_string();
                self.refused(format!("{}\\Enabled", key.path()), &wrong);
                Setting::Unknown(why)
            },
            Setting::Present,
        )
    }

    fn refused(&mut self, path: String, wrong: &WrongType) {
        self.wrong_types.push(tls::WrongType {
            path,
            found: wrong.found.to_string(),
            expected: wrong.expected.to_owned(),
        });
    }
}

fn why(gaps: &Gaps, gap: GapId) -> String {
    let gap = gaps.gap(gap);
    format!("{}: {}", gap.about, gap.why)
}

/// The policy writes REG_SZ; some scripts write REG_MULTI_SZ.
fn policy_list(value: &Value) -> Result<PolicyList, WrongType> {
    match value.multi_text() {
        Ok(names) => Ok(PolicyList::Strings(names)),
        Err(_) => value.text().map(PolicyList::Text),
    }
}

/// REG_MULTI_SZ as documented, or one text with commas.
fn names_of(value: &Value) -> Result<Vec<String>, WrongType> {
    value.multi_text().or_else(|wrong| {
        let text = value.text().map_err(|_| wrong)?;
        Ok(text.split(',').map(|name| name.trim().to_owned()).collect())
    })
}

/// What the settings come to.
#[derive(Debug)]
pub struct Computed {
    /// What the server offers.
    pub offer: ServerOffer,
    /// What it comes to with each of the mainstream Windows clients, and with the affected client where that is known.
    pub negotiations: Vec<(Client, Negotiation)>,
    /// The fact `tls.server`.
    pub server: FactId,
}

/// Adds the facts `tls.server`, `tls.suite_policy`, `tls.local_suites` and `tls.overlap`; none without SYSTEM. `affected` is the
/// client that is locked out, where its settings were given.
pub fn compute(
    registry: &Registry,
    identity: &Identity,
    choice: &Choice,
    affected: Option<Client>,
    facts: &mut FactSet,
) -> Option<Computed> {
    registry.system()?;
    let collected = read(registry, &mut facts.gaps);
    let generation = generation(identity);
    let certificate = certificate_kind(choice);
    let offer = ServerOffer::evaluate(&collected.settings, generation, certificate.clone());
    let newest = collected
        .protocols
        .iter()
        .filter_map(|(_, written)| *written)
        .max();
    let protocols = at_service_start(facts, TlsServer::KIND.name, newest);
    let set = |answer: Option<Timestamp>, present: bool| answer.filter(|_| present);
    let policy_written = set(
        collected.policy.written,
        collected.policy.present().is_some(),
    );
    let policy = at_boot(facts, SuitePolicy::KIND.name, policy_written);
    let local_written = set(collected.local.written, collected.local.present().is_some());
    let local = at_boot(facts, LocalSuites::KIND.name, local_written);
    let list = match offer.list_source {
        tls::ListSource::Policy => policy,
        tls::ListSource::Local => local,
        tls::ListSource::BuildDefault | tls::ListSource::Unknown => Effect::Since(None),
    };

    let server = server(&offer, &collected, protocols, list, facts);
    suite_policy(&offer, &collected, policy, facts);
    local_suites(&collected, generation, certificate, local, facts);

    let in_effect = match protocols.pending().or(list.pending()) {
        Some(gap) => Effect::Pending(gap),
        None => Effect::Since(protocols.since().max(list.since())),
    };
    let negotiate = |client: Client| {
        let negotiation = tls::negotiate(&offer, &client);
        (client, negotiation)
    };
    let mut negotiations: Vec<(Client, Negotiation)> =
        Client::mainstream().into_iter().map(negotiate).collect();
    let with = Peer::MainstreamWindows;
    overlap(with, &negotiations, &offer, server, in_effect, facts);
    if let Some(client) = affected {
        let own = [negotiate(client)];
        overlap(Peer::AffectedClient, &own, &offer, server, in_effect, facts);
        negotiations.extend(own);
    }
    Some(Computed {
        offer,
        negotiations,
        server,
    })
}

fn generation(identity: &Identity) -> Option<GenerationMatch> {
    let product = match identity.role {
        Known::Is(HostRole::Client) => Product::Client,
        Known::Is(HostRole::Server | HostRole::DomainController) => Product::Server,
        Known::Open(_) => Product::Unknown,
    };
    Generation::for_build(*identity.build.settled()?, product)
}

/// The listener's certificate in the model's terms. One that Windows makes itself is always RSA with a key that decrypts, so
/// that it need not be there; nothing is known of a custom one that is not.
fn certificate_kind(choice: &Choice) -> Option<CertificateKind> {
    let chosen = match choice {
        Choice::Certificate(chosen) => chosen,
        Choice::None(_) => return Some(CertificateKind::remote_desktop_default()),
        Choice::Unknown(_) => return None,
    };
    match chosen.certificate() {
        Some(certificate) => Some(CertificateKind {
            key: public_key(&certificate.public_key),
            capability: capability(chosen),
            signature: signature(&certificate.signature_algorithm),
            issuer: if certificate.self_issued() {
                Issuer::Itself
            } else {
                Issuer::Other
            },
        }),
        None if chosen.chosen_by == ChosenBy::SelfSigned => {
            Some(CertificateKind::remote_desktop_default())
        }
        None => None,
    }
}

fn public_key(key: &x509::PublicKey) -> tls::PublicKey {
    /// id-dsa (RFC 3279, 2.3.2).
    const DSA: &str = "1.2.840.10040.4.1";
    match key {
        x509::PublicKey::Rsa(key) => tls::PublicKey::Rsa {
            bits: u32::try_from(key.bits()).unwrap_or(u32::MAX),
        },
        x509::PublicKey::Ec(key) => tls::PublicKey::Ec {
            curve: match key.curve {
                x509::Curve::P256 => Some(tls::Group::Secp256r1),
                x509::Curve::P384 => Some(tls::Group::Secp384r1),
                x509::Curve::P521 => Some(tls::Group::Secp521r1),
                x509::Curve::Other(_) | x509::Curve::Unnamed => None,
            },
        },
        x509::PublicKey::Other(algorithm) if algorithm.0 == DSA => tls::PublicKey::Dsa,
        x509::PublicKey::Other(algorithm) | x509::PublicKey::Unreadable(algorithm) => {
            tls::PublicKey::Other(algorithm.0.clone())
        }
    }
}

/// AT_KEYEXCHANGE keys decrypt, AT_SIGNATURE keys do not (Microsoft, "CRYPT_KEY_PROV_INFO"); of CNG keys the store does not tell.
fn capability(chosen: &Chosen) -> KeyCapability {
    const AT_KEYEXCHANGE: u32 = 1;
    const AT_SIGNATURE: u32 = 2;
    let entry = chosen.entry.settled().and_then(Option::as_ref);
    let provider = entry.and_then(|entry| entry.key_provider.settled()?.as_ref());
    match provider.map(|provider| provider.key_spec) {
        Some(AT_KEYEXCHANGE) => KeyCapability::SignAndDecrypt,
        Some(AT_SIGNATURE) => KeyCapability::SignOnly,
        _ if entry.is_some_and(|entry| entry.is_self_signed()) && !chosen.custom => {
            KeyCapability::SignAndDecrypt
        }
        _ => KeyCapability::Unknown,
    }
}

fn signature(algorithm: &x509::SignatureAlgorithm) -> Option<SignatureScheme> {
    let hash = |hash: &x509::Hash| match hash {
        x509::Hash::Md5 => Some(tls::Hash::Md5),
        x509::Hash::Sha1 => Some(tls::Hash::Sha),
        x509::Hash::Sha224 => Some(tls::Hash::Sha224),
        x509::Hash::Sha256 => Some(tls::Hash::Sha256),
        x509::Hash::Sha384 => Some(tls::Hash::Sha384),
        x509::Hash::Sha512 => Some(tls::Hash::Sha512),
        x509::Hash::Md2 | x509::Hash::Md4 | x509::Hash::Other(_) => None,
    };
    let (algorithm, hash) = match algorithm {
        x509::SignatureAlgorithm::RsaPkcs1(own) => (tls::SignatureAlgorithm::Rsa, hash(own)),
        x509::SignatureAlgorithm::RsaPss(own) => (tls::SignatureAlgorithm::RsaPss, hash(own)),
        x509::SignatureAlgorithm::Ecdsa(own) => (tls::SignatureAlgorithm::Ecdsa, hash(own)),
        x509::SignatureAlgorithm::Dsa(own) => (tls::SignatureAlgorithm::Dsa, hash(own)),
        x509::SignatureAlgorithm::Ed25519 => {
            (tls::SignatureAlgorithm::EdDsa, Some(tls::Hash::Sha512))
        }
        x509::SignatureAlgorithm::Other(_) => return None,
    };
    Some(SignatureScheme {
        algorithm,
        hash: hash?,
    })
}

/// A gap that names the questions which public sources leave open.
fn doubtful(gaps: &mut Gaps, about: &str, doubts: &BTreeSet<Doubt>) -> GapId {
    let reasons: Vec<String> = doubts.iter().map(Doubt::to_string).collect();
    let unread = doubts
        .iter()
        .any(|doubt| matches!(doubt, Doubt::Unread(_) | Doubt::BuildUnknown));
    let obtain = if unread {
        "reg save HKLM\\SYSTEM SYSTEM.hiv and reg save HKLM\\SOFTWARE SOFTWARE.hiv"
    } else {
        "on the machine: Get-TlsCipherSuite; from a client: nmap --script ssl-enum-ciphers -p 3389 SERVER"
    };
    gaps.record(Gap {
        about: about.to_owned(),
        why: reasons.join("; "),
        obtain: obtain.to_owned(),
    })
}

fn settled(gaps: &mut Gaps, about: &str, answer: &Settled) -> Known<bool> {
    match answer {
        Settled::Yes => Known::Is(true),
        Settled::No => Known::Is(false),
        Settled::Open(doubts) => Known::Open(doubtful(gaps, about, doubts)),
    }
}

fn server(
    offer: &ServerOffer,
    collected: &Collected,
    protocols: Effect,
    list: Effect,
    facts: &mut FactSet,
) -> FactId {
    let gaps = &mut facts.gaps;
    let about = TlsServer::KIND.name;
    let all_versions_off = settled(gaps, about, &offer.all_versions_off());
    let versions = offer
        .versions
        .iter()
        .filter(|standing| standing.state == State::On);
    let versions = versions
        .map(|standing| standing.version.to_string())
        .collect();
    let possible: Vec<&State> = offer
        .versions
        .iter()
        .map(|standing| &standing.state)
        .filter(|state| state.is_possible())
        .collect();
    let by_default = |state: &&State| {
        state
            .doubts()
            .any(|doubt| *doubt == Doubt::OffByDefault(Role::Server))
    };
    let off_by_default_only = !possible.is_empty() && possible.iter().all(by_default);
    let unknown = || BTreeSet::from([Doubt::BuildUnknown]);
    let list_source = match offer.list_source {
        tls::ListSource::Policy => Known::Is(ListSource::Policy),
        tls::ListSource::Local => Known::Is(ListSource::Local),
        tls::ListSource::BuildDefault => Known::Is(ListSource::BuildDefault),
        tls::ListSource::Unknown => Known::Open(doubtful(gaps, about, &unknown())),
    };
    let offered = offer
        .suites
        .iter()
        .filter(|suite| suite.standing == Standing::Offered);
    let offered: Vec<String> = offered.map(|suite| suite.name.clone()).collect();
    let suites = list_source.as_ref().map(|_| offered);
    let mut sources: Vec<Source> = collected
        .protocols
        .iter()
        .map(|(source, _)| source.clone())
        .collect();
    sources.extend(
        collected
            .policy
            .present()
            .and(collected.policy.source.clone()),
    );
    sources.extend(collected.local.source.clone());
    sources.extend(collected.provider.source.clone());
    sources.dedup();
    let fact = TlsServer {
        versions: unless_pending(protocols, Known::Is(versions)),
        all_versions_off: unless_pending(protocols, all_versions_off),
        off_by_default_only: unless_pending(protocols, Known::Is(off_by_default_only)),
        suites: unless_pending(protocols, unless_pending(list, suites)),
        list_source,
        policy_known: offer.policy_is_known(),
    };
    facts.add(protocols.since(), fact, sources)
}

/// What is in effect now is not known where the setting waits for a start.
fn unless_pending<T>(effect: Effect, value: Known<T>) -> Known<T> {
    effect.pending().map_or(value, Known::Open)
}

fn verdict(
    gaps: &mut Gaps,
    about: &str,
    verdict: &ListVerdict,
) -> (Known<bool>, Known<Option<ListFault>>) {
    match verdict {
        ListVerdict::Usable { .. } => (Known::Is(true), Known::Is(None)),
        ListVerdict::Unusable { faults } => (Known::Is(false), Known::Is(main_fault(faults))),
        ListVerdict::Uncertain { doubts, .. } => {
            let gap = doubtful(gaps, about, doubts);
            (Known::Open(gap), Known::Open(gap))
        }
        ListVerdict::NoList => {
            let gap = doubtful(gaps, about, &BTreeSet::from([Doubt::BuildUnknown]));
            (Known::Open(gap), Known::Open(gap))
        }
    }
}

/// The fault that stands for all: what the names that do count come to before those that do not.
fn main_fault(faults: &[tls::ListFault]) -> Option<ListFault> {
    let named = faults.iter().map(|fault| match fault {
        tls::ListFault::Empty => (0, ListFault::Empty),
        tls::ListFault::CertificateType { .. } => (1, ListFault::CertificateType),
        tls::ListFault::NoEnabledVersion => (2, ListFault::NoVersion),
        tls::ListFault::NotForRemoteDesktop => (3, ListFault::NotForRemoteDesktop),
        tls::ListFault::OtherGeneration(_) => (4, ListFault::OtherGeneration),
        tls::ListFault::Cut { .. } => (5, ListFault::Cut),
        tls::ListFault::UnknownNames(_) => (6, ListFault::UnknownNames),
    });
    named.min().map(|(_, fault)| fault)
}

fn suite_policy(offer: &ServerOffer, collected: &Collected, effect: Effect, facts: &mut FactSet) {
    let Some(source) = collected.policy.source.clone() else {
        return;
    };
    let gaps = &mut facts.gaps;
    let unregistered =
        |suite: &&tls::SuiteStanding| matches!(suite.standing, Standing::NotRegistered(_));
    let fact = match &collected.policy.value {
        Known::Is(Some(list)) => {
            let (usable, fault) = verdict(gaps, SuitePolicy::KIND.name, &offer.list_verdict);
            let first = offer.suites.iter().find(unregistered);
            SuitePolicy {
                present: Known::Is(true),
                usable: unless_pending(effect, usable),
                fault: unless_pending(effect, fault),
                length: Known::Is(Some(list.length())),
                first_unknown: Known::Is(first.map(|suite| suite.name.clone())),
            }
        }
        // What is not set stands in nobody's way.
        Known::Is(None) => SuitePolicy {
            present: Known::Is(false),
            usable: Known::Is(true),
            fault: Known::Is(None),
            length: Known::Is(None),
            first_unknown: Known::Is(None),
        },
        Known::Open(gap) => SuitePolicy {
            present: Known::Open(*gap),
            usable: Known::Open(*gap),
            fault: Known::Open(*gap),
            length: Known::Open(*gap),
            first_unknown: Known::Open(*gap),
        },
    };
    facts.add(effect.since(), fact, vec![source]);
}

/// The local list judged as if no policy replaced it; whether one does is a field of its own.
fn local_suites(
    collected: &Collected,
    generation: Option<GenerationMatch>,
    certificate: Option<CertificateKind>,
    effect: Effect,
    facts: &mut FactSet,
) {
    let Some(source) = collected.local.source.clone() else {
        return;
    };
    let mut settings = collected.settings.clone();
    settings.policy_suites = Setting::Absent;
    let offer = ServerOffer::evaluate(&settings, generation, certificate);
    let (usable, fault) = verdict(&mut facts.gaps, LocalSuites::KIND.name, &offer.list_verdict);
    let in_force = collected
        .policy
        .value
        .as_ref()
        .map(|policy| policy.is_none());
    let fact = LocalSuites {
        in_force,
        usable: unless_pending(effect, usable),
        fault: unless_pending(effect, fault),
    };
    let sources: Vec<Source> = [Some(source), collected.provider.source.clone()]
        .into_iter()
        .flatten()
        .collect();
    facts.add(effect.since(), fact, sources);
}

/// One fact for all of these clients: they share something if any of them surely does, and nothing if surely none does.
fn overlap(
    with: Peer,
    negotiations: &[(Client, Negotiation)],
    offer: &ServerOffer,
    server: FactId,
    effect: Effect,
    facts: &mut FactSet,
) {
    let mut doubts = BTreeSet::new();
    let mut obstacles = BTreeSet::new();
    let mut agreed = false;
    for (_, negotiation) in negotiations {
        match &negotiation.outcome {
            Outcome::Agreed { .. } => agreed = true,
            Outcome::None {
                failure, otherwise, ..
            } => {
                obstacles.insert(obstacle(failure.obstacle));
                obstacles.extend(otherwise.iter().copied().map(obstacle));
            }
            Outcome::Uncertain { doubts: more, .. } => doubts.extend(more.iter().cloned()),
        }
    }
    let gaps = &mut facts.gaps;
    let about = Overlap::KIND.name;
    let (shares, obstacle) = if agreed {
        (Known::Is(true), Known::Is(None))
    } else if !doubts.is_empty() {
        let gap = doubtful(gaps, about, &doubts);
        (Known::Open(gap), Known::Open(gap))
    } else {
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
    };
    let at = effect.since().filter(|_| !agreed);
    let fact = Overlap {
        with,
        shares: unless_pending(effect, shares),
        obstacle: unless_pending(effect, obstacle),
        policy_known: offer.policy_is_known(),
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
