//! Whether the listener's certificate, or one above it, stands on a list of revoked certificates that was collected; and whether such a
//! list was out of date. Windows' service does not ask that of its own certificate; clients that check the chain do. No cause by
//! itself, since a client only says so: a fact, and a remark of `certs`.

use super::catalog::certificate::CertificateRevocation;
use super::certificate::Choice;
use super::fact::{FactSet, Source};
use super::known::Known;
use super::registry::{Place, Problem, Registry, binary};
use super::store::Stores;
use super::subject::Subject;
use crate::bundle::{Artifact, Kind, RevocationForm};
use crate::parse::certificate::Certificate;
use crate::parse::pem::read_revocation_lists;
use crate::parse::revocation_list::RevocationList;
use crate::parse::store_blob::{StoreBlob, StoreElement};

/// Files of lists are read up to this size, in bytes.
const LARGEST_FILE: u64 = 64 << 20;
/// Where the machine's stores keep them.
const STORES: [&str; 3] = [
    "Microsoft\\SystemCertificates\\CA\\CRLs",
    "Microsoft\\SystemCertificates\\MY\\CRLs",
    "Microsoft\\SystemCertificates\\Root\\CRLs",
];
/// How many certificates stand above one at most.
const LONGEST_CHAIN: usize = 8;

/// A list that was collected.
#[derive(Debug, Clone)]
pub struct CollectedList {
    /// Where it stands.
    pub source: Source,
    /// The list.
    pub list: RevocationList,
}

/// The lists in a file of lists; what cannot be read is a problem. Those beside certificates are read with these.
#[must_use]
pub fn collected(artifact: &Artifact) -> (Vec<CollectedList>, Vec<Problem>) {
    let Kind::RevocationList(form) = artifact.kind else {
        return (Vec::new(), Vec::new());
    };
    let problem = |at: Option<String>, message: String| Problem {
        artifact: artifact.path.clone(),
        at,
        message,
    };
    let bytes = match artifact
        .open()
        .and_then(|source| source.read_all(LARGEST_FILE))
    {
        Ok(bytes) => bytes,
        Err(error) => return (Vec::new(), vec![problem(None, error.to_string())]),
    };
    let found = match form {
        RevocationForm::Der => vec![(None, Ok(bytes))],
        RevocationForm::Pem => read_revocation_lists(&bytes)
            .into_iter()
            .map(|(line, der)| (Some(format!("line {line}")), der))
            .collect(),
    };
    let mut lists = Vec::new();
    let mut problems = Vec::new();
    for (at, der) in found {
        match read(artifact, der.map_err(|error| error.to_string())) {
            Ok(list) => lists.push(list),
            Err(message) => problems.push(problem(at, message)),
        }
    }
    (lists, problems)
}

/// Reads one list of a file; or says why it cannot be read.
pub(super) fn read(
    artifact: &Artifact,
    der: Result<Vec<u8>, String>,
) -> Result<CollectedList, String> {
    let list = RevocationList::from_der(&der?).map_err(|error| error.to_string())?;
    Ok(CollectedList {
        source: Source::File {
            artifact: artifact.path.clone(),
        },
        list,
    })
}

/// The lists that the machine's own stores hold. One that cannot be read concerns nobody.
#[must_use]
pub fn in_stores(registry: &Registry, facts: &mut FactSet) -> Vec<CollectedList> {
    let mut lists = Vec::new();
    if registry.software().is_none() {
        return lists;
    }
    for path in STORES {
        let listing = registry.subkeys(&mut facts.gaps, Place::Software(path));
        let Known::Is(Some(listing)) = listing.value else {
            continue;
        };
        for key in &listing.entries {
            let Some((file, value)) = registry.software().zip(key.value("Blob").present()) else {
                continue;
            };
            if let Ok(bytes) = binary(&value)
                && let StoreElement::RevocationList(der) = StoreBlob::parse(&bytes).element
                && let Ok(list) = RevocationList::from_der(&der)
            {
                let source = file.source(key.path(), Some("Blob"), key.written());
                lists.push(CollectedList { source, list });
            }
        }
    }
    lists
}

/// Adds `certificate.revocation` for each certificate of the listener's chain and each list of its issuer.
pub fn add_facts(lists: &[CollectedList], stores: &Stores, choice: &Choice, facts: &mut FactSet) {
    let Choice::Certificate(chosen) = choice else {
        return;
    };
    let Some(own) = chosen.certificate() else {
        return;
    };
    for certificate in chain(own, stores) {
        let of_issuer = lists.iter().filter(|list| list.list.concerns(certificate));
        for CollectedList { source, list } in of_issuer {
            let entry = list.entry_of(certificate);
            let out_of_date = match (facts.anchors.as_of, list.next_due) {
                (Some(as_of), Some(due)) => Known::Is(due < as_of),
                (_, None) => Known::Is(false),
                (None, Some(_)) => Known::Open(facts.gaps.open(
                    Subject::SystemLog,
                    "nothing in the collection carries a time to judge the list at",
                )),
            };
            let body = CertificateRevocation {
                thumbprint: certificate.thumbprint.to_string(),
                own: certificate.thumbprint == own.thumbprint,
                issuer: list.issuer.clone(),
                revoked: entry.is_some(),
                reason: entry
                    .and_then(|entry| entry.reason)
                    .map(|reason| reason.to_string()),
                next_due: list.next_due,
                out_of_date,
            };
            facts.add(entry.map(|entry| entry.at), body, vec![source.clone()]);
        }
    }
}

/// The certificate and those above it, by name, as far as they were collected.
fn chain<'c>(own: &'c Certificate, stores: &'c Stores) -> Vec<&'c Certificate> {
    let mut chain = vec![own];
    while chain.len() < LONGEST_CHAIN {
        let Some(last) = chain.last().filter(|last| !last.self_issued()) else {
            break;
        };
        let above = stores
            .entries
            .iter()
            .filter_map(|entry| entry.certificate.as_ref())
            .find(|above| above.subject.raw == last.issuer.raw);
        match above {
            Some(above) if !chain.contains(&above) => chain.push(above),
            _ => break,
        }
    }
    chain
}
