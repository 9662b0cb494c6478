//! The chain from the listener to the bytes of its private key, link by link: proved, broken, or not seen.

use crate::facts::catalog::certificate::ListenerCertificate;
use crate::facts::catalog::key::{KeyChain, KeyFileState, Link, LinkStanding};
use crate::facts::certificate::Chosen;
use crate::facts::fact::{Fact, FactId, FactSet, Source};
use crate::facts::gap::GapId;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::facts::value::{FieldState, Value};

use super::content::Content;
use super::evidence::KeyEvidence;
use super::file::{Common, Located};
use super::wanted::Wanted;

/// What a link came to: in words, or the gap that leaves it open.
type Told = Result<(LinkStanding, String), GapId>;

/// The facts and findings that the chain is told from.
pub(super) struct Chain<'c> {
    pub(super) chosen: &'c Chosen,
    pub(super) wanted: &'c Wanted,
    pub(super) located: &'c Located<'c>,
    pub(super) content: &'c Content,
    pub(super) evidence: &'c KeyEvidence,
    pub(super) common: &'c Common,
    pub(super) state: FactId,
    pub(super) access: &'c [FactId],
    pub(super) master_key: FactId,
}

impl Chain<'_> {
    /// Adds a fact for each link, in their order.
    pub(super) fn add_facts(&self, facts: &mut FactSet) {
        let listener = facts
            .of_kind(ListenerCertificate::KIND)
            .map(|fact| fact.id)
            .next();
        let links = [
            (Link::Listener, self.listener(), listener),
            (Link::Certificate, self.certificate(), listener),
            (Link::Container, self.container(), listener),
            (Link::File, self.file(), Some(self.state)),
            (Link::Structure, self.structure(facts), Some(self.state)),
            (Link::PublicKey, self.public_key(facts), Some(self.state)),
            (
                Link::Permissions,
                self.permissions(facts),
                self.access.first().copied(),
            ),
            (Link::Dpapi, self.dpapi(facts), Some(self.master_key)),
        ];
        for (link, told, derived) in links {
            let (standing, says) = match told {
                Ok((standing, says)) => (standing, Known::Is(says)),
                Err(gap) => (LinkStanding::NotSeen, Known::Open(gap)),
            };
            let derived = derived.or(listener).unwrap_or(self.state);
            let body = KeyChain {
                link,
                standing,
                says,
            };
            facts.add(None, body, vec![Source::Derived(vec![derived])]);
        }
    }

    fn listener(&self) -> Told {
        let thumbprint = &self.chosen.thumbprint;
        let by = self.chosen.chosen_by.word();
        proved(format!("RDP-Tcp uses {thumbprint} ({by})"))
    }

    fn certificate(&self) -> Told {
        match (&self.chosen.entry, self.chosen.certificate()) {
            (_, Some(certificate)) => {
                let name = certificate.subject_common_name().unwrap_or("no name");
                proved(format!("{name}, until {}", certificate.not_after))
            }
            (Known::Open(gap), _) => Err(*gap),
            (Known::Is(None), None) => broken("it is in no store".to_owned()),
            (Known::Is(Some(_)), None) => broken("its store entry cannot be read".to_owned()),
        }
    }

    fn container(&self) -> Told {
        match &self.wanted.container {
            Known::Open(gap) => Err(*gap),
            Known::Is(None) => broken("the certificate names no private key".to_owned()),
            Known::Is(Some(container)) => proved(match &self.wanted.provider {
                Some(provider) => format!("{container}, kept by {provider}"),
                None => format!("{container}, as of every self-signed certificate of the listener"),
            }),
        }
    }

    fn file(&self) -> Told {
        let path = &self.common.path;
        let instead = self
            .located
            .instead
            .map_or(String::new(), |found| found.artifact.clone());
        match (
            &self.located.missing,
            &self.located.relocated,
            &self.located.foreign,
        ) {
            (Known::Open(gap), ..) => Err(*gap),
            (Known::Is(false), ..) if self.wanted.container == Known::Is(None) => {
                broken("none, for want of a container".to_owned())
            }
            (Known::Is(false), ..) => proved(path.clone()),
            (Known::Is(true), Known::Is(true), _) => {
                broken(format!("{path} is not there, but {instead} is"))
            }
            (Known::Is(true), _, Known::Is(true)) => broken(format!(
                "{path} is not there, only another MachineGuid's: {instead}"
            )),
            (Known::Is(true), ..) => broken(format!("{path} is not there")),
        }
    }

    /// What cannot be looked at in a file that is not there.
    fn no_file(&self, facts: &mut FactSet) -> Option<GapId> {
        (self.located.missing == Known::Is(true))
            .then(|| facts.gaps.open(Subject::KeyFile, "the file is not there"))
    }

    fn structure(&self, facts: &mut FactSet) -> Told {
        if let Some(gap) = self.no_file(facts) {
            return Err(gap);
        }
        match &self.content.damaged {
            Known::Open(gap) => Err(*gap),
            Known::Is(None) => {
                let length = self.content.length.unwrap_or_default();
                proved(format!("whole, {length} bytes"))
            }
            Known::Is(Some(KeyFileState::OtherName)) => {
                broken(self.content.damage.clone().unwrap_or_default())
            }
            Known::Is(Some(state)) => broken(match &self.content.damage {
                Some(damage) => format!("{state}: {damage}"),
                None => state.to_string(),
            }),
        }
    }

    fn public_key(&self, facts: &mut FactSet) -> Told {
        if let Some(gap) = self.no_file(facts) {
            return Err(gap);
        }
        match &self.content.mismatch {
            Known::Open(gap) => Err(*gap),
            Known::Is(false) => proved("the certificate's".to_owned()),
            Known::Is(true) => broken("not the certificate's".to_owned()),
        }
    }

    fn permissions(&self, facts: &mut FactSet) -> Told {
        if let Some(gap) = self.no_file(facts) {
            return Err(gap);
        }
        let service = self
            .access
            .iter()
            .map(|id| facts.fact(*id))
            .find(|fact| fact.is("account", "S-1-5-20"));
        let yes = |fact: &Fact, field: &str| match fact.field(field) {
            Some(FieldState::Is(Value::Bool(answer))) => Ok(*answer),
            Some(FieldState::Open(gap)) => Err(Some(*gap)),
            _ => Err(None),
        };
        let told = match service {
            Some(fact) => {
                yes(fact, "can_read").map(|reads| (reads, yes(fact, "denied") == Ok(true)))
            }
            None => Err(None),
        };
        match told {
            Ok((true, _)) => proved("the service (NETWORK SERVICE) may read it".to_owned()),
            Ok((false, true)) => broken("an entry denies the service (NETWORK SERVICE) reading it".to_owned()),
            Ok((false, false)) => broken("no entry lets the service (NETWORK SERVICE) read it".to_owned()),
            Err(Some(gap)) => Err(gap),
            Err(None) => Err(facts.gaps.open(
                Subject::KeyFilePermissions,
                match self.located.seen.is_empty() {
                    true => "no listing of it is in the collection",
                    false => "the file was seen, but not its permissions: those of a copy are its copier's",
                },
            )),
        }
    }

    fn dpapi(&self, facts: &mut FactSet) -> Told {
        if let Some(gap) = self.no_file(facts) {
            return Err(gap);
        }
        let fact = facts.fact(self.master_key);
        let key = match fact.field("key") {
            Some(FieldState::Is(Value::Text(key))) => key.clone(),
            Some(FieldState::Open(gap)) => return Err(*gap),
            _ => String::new(),
        };
        match fact.field("missing") {
            Some(FieldState::Open(gap)) => Err(*gap),
            Some(FieldState::Is(Value::Bool(true))) => broken(format!(
                "its master key {key} is gone from Protect\\S-1-5-18"
            )),
            _ => {
                let seen = self.evidence.master_keys.keys.len();
                proved(format!(
                    "master key {key}, one of {seen} in Protect\\S-1-5-18"
                ))
            }
        }
    }
}

fn proved(says: String) -> Told {
    Ok((LinkStanding::Proved, says))
}

fn broken(says: String) -> Told {
    Ok((LinkStanding::Broken, says))
}
