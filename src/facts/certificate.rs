//! The certificate that the listener uses, and why it is that one; whether it is due to be renewed.
//!
//! It is the pinned one (`RDP-Tcp\SSLCertificateSHA1Hash`) if a store holds that, else the one of the template that a policy
//! names (`WinStations\TemplateCertificate`), else the one that Windows made (`WinStations\SelfSignedCertificate`), else the
//! newest self-signed one of the store "Remote Desktop". Without SOFTWARE the stores are not there: then an exported
//! certificate counts by its thumbprint, or, where SYSTEM names none either, by being self-signed and bearing the computer's
//! name.

use jiff::Timestamp;

use super::catalog::certificate::{CertificateStanding, ChosenBy, ListenerCertificate, RenewalDue};
use super::coverage::{Coverage, Window};
use super::fact::{FactSet, Source};
use super::gap::{Gap, GapId, Gaps};
use super::host::Identity;
use super::known::Known;
use super::listener::{LISTENER, POLICY, WIN_STATIONS};
use super::registry::{Answer, Place, Registry, binary};
use super::served::Served;
use super::store::{Entry, Home, Stores, newest};
use super::store_listing::Told;
use super::subject::Subject;
use crate::parse::certificate::{AlternativeName, Certificate, Curve, PublicKey, Thumbprint};
use crate::parse::certificate_listing::{Between, ListedNames};

/// Which certificate is the listener's.
#[derive(Debug, Clone)]
pub enum Choice {
    /// This one.
    Certificate(Box<Chosen>),
    /// There is none, and what was read proves that: Windows makes a new one.
    None(Vec<Source>),
    /// The collection does not tell.
    Unknown(GapId),
}

/// The listener's certificate.
#[derive(Debug, Clone)]
pub struct Chosen {
    /// Its SHA-1.
    pub thumbprint: Thumbprint,
    /// Why it is the listener's.
    pub chosen_by: ChosenBy,
    /// Whether it was pinned or issued from a template.
    pub custom: bool,
    /// The certificate itself; none where it is not in the stores, open where these were not collected.
    pub entry: Known<Option<Entry>>,
    /// What names it, and where it stands.
    pub sources: Vec<Source>,
}

impl Chosen {
    /// The certificate, where it was found and can be read.
    #[must_use]
    pub fn certificate(&self) -> Option<&Certificate> {
        self.entry.settled()?.as_ref()?.certificate.as_ref()
    }

    /// The container of its private key. Windows' own self-signed certificate has its key in TSSecKeySet1 on every build from 7600
    /// to 26100 (measured), so its name alone tells.
    pub fn container(&self, gaps: &mut Gaps) -> Known<Option<String>> {
        let own = || (!self.custom).then(|| SELF_SIGNED_CONTAINER.to_owned());
        let provider = match &self.entry {
            Known::Is(Some(entry)) => entry.key_provider.clone(),
            Known::Is(None) => Known::Is(None),
            Known::Open(gap) => Known::Open(*gap),
        };
        match (provider, own()) {
            (Known::Is(Some(provider)), _) => Known::Is(Some(provider.container)),
            (_, Some(container)) => Known::Is(Some(container)),
            (Known::Open(gap), None) => Known::Open(gap),
            (Known::Is(None), None) => Known::Open(gaps.open(
                Subject::ListenerCertificate,
                "the certificate was found without its key's container",
            )),
        }
    }
}

/// The container of the key that Windows makes for its self-signed listener certificate.
const SELF_SIGNED_CONTAINER: &str = "TSSecKeySet1";

/// Finds the listener's certificate; says in the coverage whether its absence is proved.
pub fn choose(
    registry: &Registry,
    stores: &Stores,
    identity: &Identity,
    facts: &mut FactSet,
) -> Choice {
    let choice = chosen(registry, stores, identity, &mut facts.gaps);
    let coverage = match &choice {
        Choice::Certificate(_) | Choice::None(_) => Coverage::Whole(Window::ALWAYS),
        Choice::Unknown(gap) => Coverage::Missing(*gap),
    };
    facts.cover(Subject::ListenerCertificate, coverage);
    choice
}

fn chosen(registry: &Registry, stores: &Stores, identity: &Identity, gaps: &mut Gaps) -> Choice {
    let pin = pinned(registry, gaps);
    let template = thumbprint(registry, gaps, WIN_STATIONS, "TemplateCertificate");
    let own = thumbprint(registry, gaps, WIN_STATIONS, "SelfSignedCertificate");
    let by_policy = policy_template(registry, gaps);
    let by_template = by_policy
        .present()
        .is_some_and(|name| !name.trim().is_empty());

    let mut named = vec![(&pin, ChosenBy::Pin, true)];
    // Without SOFTWARE nobody knows whether the template is still in force.
    if by_template || by_policy.value.gap().is_some() {
        named.push((&template, ChosenBy::Template, true));
    }
    named.push((&own, ChosenBy::SelfSigned, false));
    let whole = stores.whole();

    for (answer, chosen_by, custom) in named {
        let Some(thumbprint) = answer.present().copied() else {
            continue;
        };
        let pick = |chosen_by, entry: &Entry| {
            Choice::Certificate(Box::new(Chosen {
                thumbprint,
                chosen_by,
                custom,
                sources: sources(answer, Some(entry)),
                entry: Known::Is(Some(entry.clone())),
            }))
        };
        if let Some(entry) = stores.installed(thumbprint) {
            return pick(chosen_by, entry);
        }
        match (&whole, stores.exported(thumbprint)) {
            (Known::Open(_), Some(entry)) => return pick(ChosenBy::ExportByThumbprint, entry),
            // A template's certificate that nothing else bears out yields to what SYSTEM names besides.
            (Known::Open(_), None)
                if chosen_by == ChosenBy::Template && own.present().is_some() => {}
            (Known::Open(gap), None) => {
                return Choice::Certificate(Box::new(Chosen {
                    thumbprint,
                    chosen_by,
                    custom,
                    entry: Known::Open(*gap),
                    sources: sources(answer, None),
                }));
            }
            // Named, and in no store: the next in line is used, and a new one made in the end.
            (Known::Is(()), _) => {}
        }
    }

    let by_itself = |chosen_by, entry: &Entry, answer: &Answer<Thumbprint>| {
        Choice::Certificate(Box::new(Chosen {
            thumbprint: entry.thumbprint,
            chosen_by,
            custom: false,
            sources: sources(answer, Some(entry)),
            entry: Known::Is(Some(entry.clone())),
        }))
    };
    if let Some(entry) = stores.newest_self_signed() {
        return by_itself(ChosenBy::NewestSelfSigned, entry, &own);
    }
    let gap = match (&whole, own.present()) {
        (Known::Is(()), Some(thumbprint)) => {
            return Choice::Certificate(Box::new(Chosen {
                thumbprint: *thumbprint,
                chosen_by: ChosenBy::SelfSigned,
                custom: false,
                entry: Known::Is(None),
                sources: sources(&own, None),
            }));
        }
        (Known::Is(()), None) => {
            if let Known::Open(gap) = own.value {
                return Choice::Unknown(gap);
            }
            let sources: Vec<Source> = [pin.source, own.source].into_iter().flatten().collect();
            return Choice::None(sources);
        }
        (Known::Open(gap), _) => *gap,
    };
    let mut named_like_host = Vec::new();
    for entry in &stores.entries {
        let bears_name = entry
            .certificate
            .as_ref()
            .is_some_and(|certificate| names_host(certificate, identity) == Some(true));
        if entry.home == Home::Export && entry.is_self_signed() && bears_name {
            named_like_host.push(entry);
        }
    }
    match newest(named_like_host.into_iter()) {
        Some(entry) => by_itself(ChosenBy::ExportByName, entry, &own),
        None => Choice::Unknown(gap),
    }
}

fn sources(answer: &Answer<Thumbprint>, entry: Option<&Entry>) -> Vec<Source> {
    let found = entry.map(|entry| entry.sources.clone()).unwrap_or_default();
    let named = answer.present().and(answer.source.clone());
    named.into_iter().chain(found).collect()
}

/// The certificate that is pinned to the listener.
pub(super) fn pinned(registry: &Registry, gaps: &mut Gaps) -> Answer<Thumbprint> {
    thumbprint(registry, gaps, LISTENER, "SSLCertificateSHA1Hash")
}

/// The template that a policy names for the listener's certificate.
pub(super) fn policy_template(registry: &Registry, gaps: &mut Gaps) -> Answer<String> {
    registry.text(gaps, POLICY, "CertTemplateName")
}

/// A thumbprint as the listener keeps it: 20 bytes of REG_BINARY; an empty value is none.
fn thumbprint(
    registry: &Registry,
    gaps: &mut Gaps,
    place: Place<'_>,
    name: &str,
) -> Answer<Thumbprint> {
    let answer = registry.typed(gaps, place, name, |value| {
        let bytes = binary(value).map_err(|wrong| wrong.to_string())?;
        match Thumbprint::from_bytes(&bytes) {
            Some(thumbprint) => Ok(Some(thumbprint)),
            None if bytes.is_empty() => Ok(None),
            None => Err(format!("{} bytes, a thumbprint has 20", bytes.len())),
        }
    });
    Answer {
        value: answer.value.map(Option::flatten),
        source: answer.source,
        written: answer.written,
    }
}

/// Whether a certificate bears the computer's name: its short name or its full one, or a wildcard for its domain. None where
/// the computer's name is not known.
pub(super) fn names_host(certificate: &Certificate, identity: &Identity) -> Option<bool> {
    let fits = fits(identity)?;
    let alternative = certificate.alternative_names.present();
    let alternative = alternative.into_iter().flatten().any(|name| match name {
        AlternativeName::Dns(name) => fits(name),
        _ => false,
    });
    Some(alternative || certificate.subject.common_names().any(fits))
}

/// Whether a name is the computer's; none where the computer's is not known.
fn fits(identity: &Identity) -> Option<impl Fn(&str) -> bool> {
    let host = identity.name.settled()?.as_ref()?.to_lowercase();
    let domain = identity.domain.settled().and_then(Option::as_ref);
    let domain = domain.map(|domain| domain.to_lowercase());
    Some(move |name: &str| {
        let name = name.trim().trim_end_matches('.').to_lowercase();
        let (label, rest) = match name.split_once('.') {
            Some((label, rest)) => (label, Some(rest)),
            None => (name.as_str(), None),
        };
        let same_domain = match (rest, &domain) {
            (Some(rest), Some(domain)) => rest == domain,
            _ => true,
        };
        same_domain && (label == host || (label == "*" && rest.is_some() && domain.is_some()))
    })
}

/// Whether a certificate that is only listed bears the computer's name as its own; that it does not, its other names could refute.
fn listed_for_host(told: &Told, identity: &Identity) -> bool {
    let Some((fits, names)) = fits(identity).zip(told.names.as_ref()) else {
        return false;
    };
    let parts = names.subject.split(',').map(str::trim);
    let mut common = parts.filter_map(|part| part.strip_prefix("CN="));
    common.any(fits)
}

/// The type of a key and its size, as people name it.
pub(super) fn key_name(key: &PublicKey) -> Option<String> {
    match key {
        PublicKey::Rsa(key) => Some(format!("RSA {}", key.bits())),
        PublicKey::Ec(key) => Some(match &key.curve {
            Curve::Other(identifier) => format!("ECDSA {identifier}"),
            Curve::Unnamed => "ECDSA".to_owned(),
            curve => format!("ECDSA {}", curve.bits().unwrap_or_default()),
        }),
        PublicKey::Other(identifier) | PublicKey::Unreadable(identifier) => {
            Some(identifier.to_string())
        }
    }
}

/// What a fact says of the certificate that was chosen, field by field.
struct Described<'c> {
    chosen: &'c Chosen,
    /// Why what the certificate would say is not known; none where it is there.
    unread: Option<GapId>,
    /// What listings say of one that is not there itself.
    told: Option<&'c Told>,
}

impl Described<'_> {
    fn of<'c>(chosen: &'c Chosen, gaps: &mut Gaps) -> Described<'c> {
        let unread = match &chosen.entry {
            Known::Open(gap) => Some(*gap),
            Known::Is(Some(entry)) if entry.certificate.is_none() => Some(gaps.open(
                Subject::ListenerCertificate,
                match entry.home {
                    Home::Export | Home::User => listed_only(chosen.thumbprint, entry.told.ends),
                    Home::RemoteDesktop | Home::Personal => {
                        format!("the store entry {} cannot be read", chosen.thumbprint)
                    }
                },
            )),
            Known::Is(_) => None,
        };
        let entry = chosen.entry.settled().and_then(Option::as_ref);
        Described {
            chosen,
            unread,
            told: entry.filter(|_| unread.is_some()).map(|entry| &entry.told),
        }
    }

    fn names(&self) -> Option<&ListedNames> {
        self.told?.names.as_ref()
    }

    /// The moment that a certificate which is only listed begins or ends, held against the incident.
    fn listed_before(
        &self,
        incident: Option<Timestamp>,
        moment: impl FnOnce(&Told) -> Option<Between>,
    ) -> Option<bool> {
        let (between, incident) = self.told.and_then(moment).zip(incident)?;
        match (between.latest < incident, incident < between.earliest) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            (false, false) => None,
        }
    }

    /// What the certificate says; none where there is none.
    fn field<T>(&self, read: impl FnOnce(&Certificate) -> T) -> Known<Option<T>> {
        match self.unread {
            Some(gap) => Known::Open(gap),
            None => Known::Is(self.chosen.certificate().map(read)),
        }
    }

    fn key_provider<T>(
        &self,
        read: impl FnOnce(&crate::parse::store_blob::KeyProviderInfo) -> T,
    ) -> Known<Option<T>> {
        match &self.chosen.entry {
            Known::Open(gap) => Known::Open(*gap),
            Known::Is(None) => Known::Is(None),
            Known::Is(Some(entry)) => entry
                .key_provider
                .as_ref()
                .map(|provider| provider.as_ref().map(read)),
        }
    }

    /// Whether the certificate's time compares so with the incident; open without either.
    fn at_incident(
        &self,
        incident: Option<Timestamp>,
        gaps: &mut Gaps,
        test: impl FnOnce(&Certificate, Timestamp) -> bool,
    ) -> Known<bool> {
        let Some(incident) = incident else {
            return Known::Open(no_time(gaps));
        };
        match self.field(|certificate| test(certificate, incident)) {
            Known::Is(Some(answer)) => Known::Is(answer),
            Known::Is(None) => Known::Is(false),
            Known::Open(gap) => Known::Open(gap),
        }
    }

    fn names_host(&self, identity: &Identity, gaps: &mut Gaps) -> Known<bool> {
        match self.field(|certificate| names_host(certificate, identity)) {
            Known::Is(Some(Some(answer))) => Known::Is(answer),
            Known::Open(_)
                if self
                    .told
                    .is_some_and(|told| listed_for_host(told, identity)) =>
            {
                Known::Is(true)
            }
            Known::Is(Some(None)) => {
                Known::Open(identity.name.gap().unwrap_or_else(|| {
                    gaps.open(Subject::SystemHive, "nothing names the computer")
                }))
            }
            Known::Is(None) => Known::Is(false),
            Known::Open(gap) => Known::Open(gap),
        }
    }
}

fn listed_only(thumbprint: Thumbprint, ends: Option<Between>) -> String {
    let dates = "dates in the language and time zone of the machine";
    match ends {
        Some(Between { earliest, latest }) => format!(
            "{thumbprint} is only listed as text, with {dates}: it ends between {earliest} and {latest}"
        ),
        None => format!("{thumbprint} is only listed as text, with {dates}"),
    }
}

fn no_time(gaps: &mut Gaps) -> GapId {
    gaps.record(Gap {
        about: "time of the incident".to_owned(),
        why: "nothing in the collection carries a time to judge the certificate at".to_owned(),
        obtain: Subject::SystemLog.obtain().to_owned(),
    })
}

/// Adds the facts `listener.certificate` and `certificate.due`, judged at the incident. Both are absent where the collection
/// does not tell which certificate it is; the first also where there is none.
pub fn listener(
    choice: &Choice,
    identity: &Identity,
    served: &Served,
    facts: &mut FactSet,
) -> Known<CertificateStanding> {
    let chosen = match choice {
        Choice::Certificate(chosen) => chosen,
        Choice::None(sources) => {
            let standing = Known::Is(CertificateStanding::Missing);
            if !sources.is_empty() {
                let fact = RenewalDue {
                    standing: standing.clone(),
                    not_after: Known::Is(None),
                };
                facts.add(None, fact, sources.clone());
            }
            return standing;
        }
        Choice::Unknown(gap) => return Known::Open(*gap),
    };
    let incident = facts.anchors.incident;
    let gaps = &mut facts.gaps;
    let described = Described::of(chosen, gaps);
    let found = chosen.certificate().is_some();
    let self_signed = match &chosen.entry {
        Known::Is(Some(entry)) if found || entry.marked => Known::Is(entry.is_self_signed()),
        Known::Is(Some(_)) | Known::Open(_) => match (described.names(), described.unread) {
            (Some(names), _) => Known::Is(names.subject == names.issuer),
            (None, Some(gap)) => Known::Open(gap),
            (None, None) => Known::Is(false),
        },
        Known::Is(None) => Known::Is(!chosen.custom),
    };
    let ended = described.at_incident(incident, gaps, |certificate, incident| {
        certificate.not_after < incident
    });
    let ended = match described.listed_before(incident, |told| told.ends) {
        Some(listed) => Known::Is(listed),
        None => ended,
    };
    let end = chosen
        .certificate()
        .map(|certificate| certificate.not_after)
        .or_else(|| Some(described.told?.ends?.latest));
    let doubt = end.and_then(|end| served.doubt(end, gaps));
    let ended = match (&ended, doubt) {
        (Known::Is(true), Some(gap)) => Known::Open(gap),
        _ => ended,
    };
    let not_begun = described.at_incident(incident, gaps, |certificate, incident| {
        incident < certificate.not_before
    });
    let not_begun = match described.listed_before(incident, |told| told.begins) {
        Some(listed) => Known::Is(!listed),
        None => not_begun,
    };
    let names_host = described.names_host(identity, gaps);
    let not_after = described.field(|certificate| certificate.not_after);
    // Of one that is only listed, its end may be that early.
    let may_end = match described.told.and_then(|told| told.ends) {
        Some(listed) => Some(listed.earliest),
        None => end,
    };
    let served_since_end = may_end
        .zip(served.last)
        .is_some_and(|(end, served)| end < served);
    let standing = standing(chosen, &ended, &names_host);
    let fact = ListenerCertificate {
        thumbprint: chosen.thumbprint.to_string(),
        chosen_by: chosen.chosen_by,
        found,
        self_signed,
        custom: chosen.custom,
        subject: match described.names() {
            Some(names) => Known::Is(Some(names.subject.clone())),
            None => described.field(|certificate| certificate.subject.to_string()),
        },
        not_before: described.field(|certificate| certificate.not_before),
        not_after: not_after.clone(),
        ended,
        served_since_end,
        not_begun,
        names_host,
        key: described
            .field(|certificate| key_name(&certificate.public_key))
            .map(Option::flatten),
        container: described.key_provider(|provider| provider.container.clone()),
        provider_type: described.key_provider(|provider| provider.provider_type),
    };
    let certificate = facts.add(None, fact, chosen.sources.clone());
    let due = RenewalDue {
        standing: standing.clone(),
        not_after,
    };
    facts.add(None, due, vec![Source::Derived(vec![certificate])]);
    standing
}

/// How the certificate stands. Another name makes only Windows' own due to be made anew: a custom one may bear any.
fn standing(
    chosen: &Chosen,
    ended: &Known<bool>,
    names_host: &Known<bool>,
) -> Known<CertificateStanding> {
    if matches!(chosen.entry, Known::Is(None)) {
        return Known::Is(CertificateStanding::Missing);
    }
    match (ended, names_host) {
        (Known::Is(true), _) => Known::Is(CertificateStanding::Ended),
        (Known::Open(gap), _) => Known::Open(*gap),
        (Known::Is(false), _) if chosen.custom => Known::Is(CertificateStanding::Valid),
        (Known::Is(false), Known::Is(false)) => Known::Is(CertificateStanding::OtherName),
        (Known::Is(false), Known::Is(true)) => Known::Is(CertificateStanding::Valid),
        (Known::Is(false), Known::Open(gap)) => Known::Open(*gap),
    }
}
