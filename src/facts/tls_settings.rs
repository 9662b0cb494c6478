//! What the machine's TLS settings come to: Schannel's values are read from the hives, the model in [`crate::tls`] judges them,
//! and what it says becomes facts.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::Timestamp;

use super::catalog::certificate::ChosenBy;
use super::catalog::host::Role as HostRole;
use super::catalog::schannel::{SchannelFailure, SuiteRefusals};
use super::catalog::tls::{
    ListFault, ListSource, LocalSuites, Obstacle, Overlap, Peer, SuitePolicy, TlsServer,
};
use super::certificate::{Choice, Chosen};
use super::coverage::Window;
use super::effect::in_effect_since;
use super::fact::{FactId, FactSet, Source};
use super::gap::{Gap, GapId, Gaps};
use super::host::Identity;
use super::known::Known;
use super::registry::{Answer, Place, Registry};
use super::subject::Subject;
use super::value::{FieldState, Value};
use crate::parse::certificate as x509;
use crate::parse::hive::{Value as HiveValue, WrongType};
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
        read: impl FnOnce(&HiveValue) -> Result<T, WrongType>,
    ) -> Answer<T> {
        let mut wrong = None;
        let answer = self.registry.typed(self.gaps, place, name, |value| {
            read(value).inspect_err(|found| wrong = Some(found.clone()))
        });
        if let (Some(wrong), Some(Source::Value { key, .. })) = (wrong, &answer.source) {
            self.wrong_types.push(tls::WrongType {
                path: format!("{key}\\{name}"),
                found: wrong.found.to_string(),
                expected: wrong.expected.to_owned(),
            });
        }
        answer
    }

    fn dword(&mut self, place: Place<'_>, name: &str) -> Answer<u32> {
        self.typed(place, name, HiveValue::dword)
    }

    fn texts(&mut self, place: Place<'_>, name: &str) -> Answer<Vec<String>> {
        self.typed(place, name, HiveValue::multi_text)
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
        let mut names = Vec::new();
        for key in listing.entries {
            let inner = key.subkeys();
            troubles.extend(inner.troubles);
            let name = key.name();
            names.extend(
                inner
                    .entries
                    .iter()
                    .map(|inner| format!("{name}\\{}", inner.name())),
            );
            names.push(name);
        }
        if let Some(trouble) = troubles.first() {
            return Setting::Unknown(format!("damaged: {trouble}"));
        }
        let mut found = BTreeMap::new();
        for name in names {
            let key = format!("{path}\\{name}");
            let answer = self.dword(Place::ControlSet(&key), "Enabled");
            let setting = self.setting(answer);
            found.insert(name, setting);
        }
        Setting::Present(found)
    }
}

fn why(gaps: &Gaps, gap: GapId) -> String {
    let gap = gaps.gap(gap);
    format!("{}: {}", gap.about, gap.why)
}

/// The policy writes REG_SZ; some scripts write REG_MULTI_SZ.
fn policy_list(value: &HiveValue) -> Result<PolicyList, WrongType> {
    match value.multi_text() {
        Ok(names) => Ok(PolicyList::Strings(names)),
        Err(_) => value.text().map(PolicyList::Text),
    }
}

/// REG_MULTI_SZ as documented, or one text with commas.
fn names_of(value: &HiveValue) -> Result<Vec<String>, WrongType> {
    value.multi_text().or_else(|wrong| {
        let text = value.text().map_err(|_| wrong)?;
        Ok(text.split(',').map(|name| name.trim().to_owned()).collect())
    })
}

/// What the settings come to.
#[derive(Debug)]
pub struct Computed {
    collected: Collected,
    /// What the server offers.
    pub offer: ServerOffer,
    /// What it would offer if no policy replaced the local list.
    local_offer: ServerOffer,
    mainstream: Vec<(Client, Negotiation)>,
    affected: Option<(Client, Negotiation)>,
}

/// What the settings come to, before it is known what was logged. None without SYSTEM. `affected` is the client that is locked
/// out, where its settings were given.
pub fn evaluate(
    registry: &Registry,
    identity: &Identity,
    choice: &Choice,
    affected: Option<Client>,
    gaps: &mut Gaps,
) -> Option<Computed> {
    registry.system()?;
    let collected = read(registry, gaps);
    let generation = generation(identity);
    let certificate = certificate_kind(choice);
    let offer = ServerOffer::evaluate(&collected.settings, generation, certificate.clone());
    let mut settings = collected.settings.clone();
    settings.policy_suites = Setting::Absent;
    let local_offer = ServerOffer::evaluate(&settings, generation, certificate);
    let negotiate = |client: Client| {
        let negotiation = tls::negotiate(&offer, &client);
        (client, negotiation)
    };
    let mainstream = Client::mainstream().into_iter().map(negotiate).collect();
    let affected = affected.map(negotiate);
    Some(Computed {
        collected,
        offer,
        local_offer,
        mainstream,
        affected,
    })
}

impl Computed {
    /// What it comes to with each of the mainstream Windows clients, and with the affected client where that is known.
    pub fn negotiations(&self) -> impl Iterator<Item = &(Client, Negotiation)> {
        self.mainstream.iter().chain(&self.affected)
    }

    /// Whether the lists that are known leave something in common with mainstream clients.
    pub fn lists_share(&self, gaps: &mut Gaps) -> Known<bool> {
        common_ground(&self.mainstream, gaps).0
    }

    /// Adds the facts `tls.server`, `tls.suite_policy`, `tls.local_suites` and `tls.overlap`. What was logged must be there
    /// before: boots say when a setting took effect, refusals bear it out.
    pub fn add_facts(&self, facts: &mut FactSet) {
        let written = self
            .collected
            .protocols
            .iter()
            .filter_map(|(_, written)| *written)
            .max();
        let in_effect = |written: Option<Timestamp>, facts: &FactSet| {
            written.map(|written| in_effect_since(facts, written))
        };
        let protocols_at = in_effect(written, facts);
        let policy_at = in_effect(self.collected.policy.written, facts);
        let local_at = in_effect(self.collected.local.written, facts);
        let logged = Logged::of(facts);
        let server = server(&self.offer, &self.collected, &logged, protocols_at, facts);
        let waits = self.waits(&logged, facts);
        self.suite_policy(&logged, waits, policy_at, facts);
        self.local_suites(&logged, local_at, facts);
        let list_at = match self.offer.list_source {
            tls::ListSource::Policy => policy_at,
            tls::ListSource::Local => local_at,
            tls::ListSource::BuildDefault | tls::ListSource::Unknown => None,
        };
        let at = protocols_at.max(list_at);
        let with = Peer::MainstreamWindows;
        overlap(
            with,
            &self.mainstream,
            &self.offer,
            server,
            at,
            waits,
            facts,
        );
        if let Some(own) = &self.affected {
            let own = std::slice::from_ref(own);
            overlap(
                Peer::AffectedClient,
                own,
                &self.offer,
                server,
                at,
                waits,
                facts,
            );
        }
    }

    /// The gap that stands for a policy list written after the last boot: it is read at the next one, and what was in force before is
    /// not in the hive. Refusals that fit it say that it is in force all the same.
    fn waits(&self, logged: &Logged, facts: &mut FactSet) -> Option<GapId> {
        let boot = facts.anchors.last_boot.settled().copied()?;
        let written = self.collected.policy.written?;
        self.collected.policy.present()?;
        let pending = written > boot && logged.refusals != Known::Is(true);
        pending.then(|| {
            facts.gaps.record(Gap {
                about: SuitePolicy::KIND.name.to_owned(),
                why: "the policy's list was written after the last start of Windows and is read at the next; what was in force \
                      before it is not in the hive"
                    .to_owned(),
                obtain: "Get-TlsCipherSuite on the machine, or a new attempt to connect after a restart".to_owned(),
            })
        })
    }

    fn suite_policy(
        &self,
        logged: &Logged,
        waits: Option<GapId>,
        at: Option<Timestamp>,
        facts: &mut FactSet,
    ) {
        let collected = &self.collected;
        let Some(source) = collected.policy.source.clone() else {
            return;
        };
        let unregistered =
            |suite: &&tls::SuiteStanding| matches!(suite.standing, Standing::NotRegistered(_));
        let fact = match &collected.policy.value {
            Known::Is(Some(list)) => {
                let (usable, fault) = verdict(
                    &mut facts.gaps,
                    SuitePolicy::KIND.name,
                    &self.offer.list_verdict,
                );
                let first = self.offer.suites.iter().find(unregistered);
                let spoils = usable.clone().not();
                SuitePolicy {
                    present: Known::Is(true),
                    usable: waits.map_or(usable, Known::Open),
                    spoils_after_restart: match waits {
                        Some(_) => spoils.clone(),
                        None => Known::Is(false),
                    },
                    borne_out: spoils.and(logged.refusals.clone()),
                    fault,
                    length: Known::Is(Some(list.length())),
                    first_unknown: Known::Is(first.map(|suite| suite.name.clone())),
                }
            }
            // What is not set stands in nobody's way.
            Known::Is(None) => SuitePolicy {
                present: Known::Is(false),
                usable: Known::Is(true),
                spoils_after_restart: Known::Is(false),
                borne_out: Known::Is(false),
                fault: Known::Is(None),
                length: Known::Is(None),
                first_unknown: Known::Is(None),
            },
            Known::Open(gap) => SuitePolicy {
                present: Known::Open(*gap),
                usable: Known::Open(*gap),
                spoils_after_restart: Known::Open(*gap),
                borne_out: Known::Open(*gap),
                fault: Known::Open(*gap),
                length: Known::Open(*gap),
                first_unknown: Known::Open(*gap),
            },
        };
        let at = at.filter(|_| collected.policy.present().is_some());
        facts.add(at, fact, vec![source]);
    }

    /// The local list judged as if no policy replaced it; whether one does is a field of its own.
    fn local_suites(&self, logged: &Logged, at: Option<Timestamp>, facts: &mut FactSet) {
        let collected = &self.collected;
        let Some(source) = collected.local.source.clone() else {
            return;
        };
        let list = &self.local_offer.list_verdict;
        let (usable, fault) = verdict(&mut facts.gaps, LocalSuites::KIND.name, list);
        let in_force = collected.policy.value.as_ref().map(Option::is_none);
        let fact = LocalSuites {
            borne_out: in_force
                .clone()
                .and(usable.clone().not())
                .and(logged.refusals.clone()),
            in_force,
            usable,
            fault,
        };
        let sources: Vec<Source> = [Some(source), collected.provider.source.clone()]
            .into_iter()
            .flatten()
            .collect();
        facts.add(at, fact, sources);
    }
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
    logged: &Logged,
    at: Option<Timestamp>,
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
        versions: Known::Is(versions),
        borne_out: all_versions_off.clone().and(logged.no_credential.clone()),
        all_versions_off,
        off_by_default_only: Known::Is(off_by_default_only),
        suites,
        list_source,
        policy_known: offer.policy_is_known(),
    };
    facts.add(at, fact, sources)
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

/// What Schannel logged that bears on its settings.
struct Logged {
    /// Whether refusals for want of a common suite (36874) speak for a mismatch.
    refusals: Known<bool>,
    /// Whether the service's credential could not be made (36871).
    no_credential: Known<bool>,
}

impl Logged {
    fn of(facts: &mut FactSet) -> Logged {
        let telling = facts
            .of_kind(SuiteRefusals::KIND)
            .find_map(|fact| fact.field("telling").cloned());
        let refusals = telling.map(truth);
        let credential: Vec<Known<bool>> = facts
            .of_kind(SchannelFailure::KIND)
            .filter(|fact| fact.field("event") == Some(&FieldState::Is(Value::Number(36871))))
            .filter_map(|fact| fact.field("affected").cloned().map(truth))
            .collect();
        let window = Window {
            from: facts.anchors.oldest,
            to: facts.anchors.as_of,
        };
        let unlogged = match facts.subject_covers(Subject::SchannelEvents, &window) {
            Ok(()) => Known::Is(false),
            Err(gap) => Known::Open(gap),
        };
        Logged {
            refusals: refusals.unwrap_or_else(|| unlogged.clone()),
            no_credential: credential.into_iter().fold(unlogged, Known::or),
        }
    }
}

fn truth(state: FieldState) -> Known<bool> {
    match state {
        FieldState::Is(value) => Known::Is(value == Value::Bool(true)),
        FieldState::Nothing => Known::Is(false),
        FieldState::Open(gap) => Known::Open(gap),
    }
}

/// Whether any of these clients surely agrees with the server, or surely none does, and at what the latter fail.
fn common_ground(
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

/// One fact for all of these clients: they share something if any of them surely does, and nothing if surely none does.
fn overlap(
    with: Peer,
    negotiations: &[(Client, Negotiation)],
    offer: &ServerOffer,
    server: FactId,
    at: Option<Timestamp>,
    waits: Option<GapId>,
    facts: &mut FactSet,
) {
    let (shares, obstacle) = match waits {
        Some(gap) => (Known::Open(gap), Known::Open(gap)),
        None => common_ground(negotiations, &mut facts.gaps),
    };
    let fact = Overlap {
        with,
        obstacle,
        policy_known: offer.policy_is_known(),
        shares: shares.clone(),
    };
    let at = at.filter(|_| shares != Known::Is(true));
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
