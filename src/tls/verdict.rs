//! Whether the effective suite list can work at all: does it leave a suite that this build registers, that an enabled version
//! can use and that fits the certificate?

use std::collections::BTreeSet;

use super::certificate::{CertificateKind, KeyType};
use super::doubt::{Doubt, State};
use super::list::{ListSource, NameFault};
use super::side::Side;
use super::standing::{Standing, SuiteStanding, version_state};

/// What the effective list leaves. Switched-off algorithms and FIPS do not count here: they are faults of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListVerdict {
    /// At least one suite.
    Usable {
        /// What is wrong with it nevertheless.
        faults: Vec<ListFault>,
    },
    /// None.
    Unusable {
        /// Why; never empty.
        faults: Vec<ListFault>,
    },
    /// It depends.
    Uncertain {
        /// On these questions.
        doubts: BTreeSet<Doubt>,
        /// What is wrong with it besides.
        faults: Vec<ListFault>,
    },
    /// There is no list: neither in the registry nor known from the build.
    NoList,
}

/// What is wrong with a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListFault {
    /// It has no name in it.
    Empty,
    /// These names belong to other Windows versions.
    OtherGeneration(Vec<String>),
    /// These names are none that Windows knows.
    UnknownNames(Vec<String>),
    /// This name was cut off at the end of the list.
    Cut {
        /// What is left.
        name: String,
        /// What it was.
        full: String,
    },
    /// All suites that are left need a certificate with a key of another type.
    CertificateType {
        /// The type that they need.
        needs: KeyType,
        /// The certificate's; none if no suite of Schannel fits it.
        certificate: Option<KeyType>,
    },
    /// All suites that are left are for versions that are off.
    NoEnabledVersion,
    /// Only suites are left that Remote Desktop never uses (SSL 2.0, NULL, pre-shared keys).
    NotForRemoteDesktop,
}

impl std::fmt::Display for ListFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ListFault::Empty => f.write_str("the list is empty"),
            ListFault::OtherGeneration(names) => {
                write!(f, "names of other Windows versions: {}", names.join(", "))
            }
            ListFault::UnknownNames(names) => {
                let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
                write!(f, "names that Windows does not know: {}", names.join(", "))
            }
            ListFault::Cut { name, full } => {
                write!(f, "the last name is cut: {name} should read {full}")
            }
            ListFault::CertificateType {
                needs,
                certificate: Some(key),
            } => {
                write!(
                    f,
                    "the list allows only {needs} suites; the certificate is {key}"
                )
            }
            ListFault::CertificateType {
                needs,
                certificate: None,
            } => {
                write!(
                    f,
                    "the list allows only {needs} suites; no suite fits the certificate's key"
                )
            }
            ListFault::NoEnabledVersion => {
                f.write_str("its suites are for TLS versions that are off")
            }
            ListFault::NotForRemoteDesktop => {
                f.write_str("it has only suites that Remote Desktop never uses")
            }
        }
    }
}

pub(super) fn of_list(side: &Side, certificate: Option<&CertificateKind>) -> ListVerdict {
    if side.list_source == ListSource::Unknown {
        return ListVerdict::NoList;
    }
    let left_out = |standing: &&SuiteStanding| {
        !matches!(
            standing.standing,
            Standing::NotInPolicy | Standing::NotInLocalList
        )
    };
    let listed: Vec<&SuiteStanding> = side.suites.iter().filter(left_out).collect();
    // With every version off the list is not to blame.
    let versions_matter = side
        .versions
        .iter()
        .any(|standing| standing.state.is_possible());
    let mut doubts = BTreeSet::new();
    let mut works = false;
    for standing in &listed {
        match state(standing, side, versions_matter) {
            State::On => works = true,
            State::Off => {}
            State::Uncertain(more) => doubts.extend(more),
        }
    }
    let faults = faults(&listed, certificate, works);
    match (works, doubts.is_empty()) {
        (true, _) => ListVerdict::Usable { faults },
        (false, false) => ListVerdict::Uncertain { doubts, faults },
        (false, true) => ListVerdict::Unusable { faults },
    }
}

/// Whether the list, the versions and the certificate let a suite be used.
fn state(standing: &SuiteStanding, side: &Side, versions_matter: bool) -> State {
    let Some(suite) = &standing.suite else {
        return State::Off;
    };
    for hindrance in &standing.hindrances {
        match hindrance {
            Standing::NotTls | Standing::OnlyOnRequest => return State::Off,
            Standing::NoEnabledVersion if versions_matter => return State::Off,
            _ => {}
        }
    }
    // A key that only signs is a fault of the certificate, and stays in_list.
    let in_list = standing.in_list.clone();
    if versions_matter {
        in_list.and(version_state(suite, &side.versions))
    } else {
        in_list
    }
}

fn faults(
    listed: &[&SuiteStanding],
    certificate: Option<&CertificateKind>,
    works: bool,
) -> Vec<ListFault> {
    let mut faults = Vec::new();
    let (mut other, mut unknown) = (Vec::new(), Vec::new());
    for standing in listed {
        match &standing.standing {
            Standing::NotRegistered(NameFault::OtherGeneration) => {
                other.push(standing.name.clone())
            }
            Standing::NotRegistered(NameFault::Spaces | NameFault::Unknown) => {
                unknown.push(standing.name.clone());
            }
            Standing::NotRegistered(NameFault::Cut(full)) => {
                faults.push(ListFault::Cut {
                    name: standing.name.clone(),
                    full: full.clone(),
                });
            }
            _ => {}
        }
    }
    if listed.is_empty() {
        faults.push(ListFault::Empty);
    }
    if !other.is_empty() {
        faults.push(ListFault::OtherGeneration(other));
    }
    if !unknown.is_empty() {
        faults.push(ListFault::UnknownNames(unknown));
    }
    let suites: Vec<&&SuiteStanding> = listed
        .iter()
        .filter(|standing| standing.suite.is_some())
        .collect();
    if works || suites.is_empty() {
        return faults;
    }
    let unused = |standing: &SuiteStanding| {
        standing
            .hindrances
            .iter()
            .any(|hindrance| matches!(hindrance, Standing::NotTls | Standing::OnlyOnRequest))
    };
    let usable: Vec<&&SuiteStanding> = suites
        .into_iter()
        .filter(|standing| !unused(standing))
        .collect();
    if usable.is_empty() {
        faults.push(ListFault::NotForRemoteDesktop);
        return faults;
    }
    let misfit = |standing: &SuiteStanding| {
        standing
            .hindrances
            .iter()
            .find_map(|hindrance| match hindrance {
                Standing::CertificateType { needs } => Some(*needs),
                _ => None,
            })
    };
    let fitting = usable
        .iter()
        .filter(|standing| misfit(standing).is_none())
        .count();
    if let Some(needs) = usable
        .iter()
        .find_map(|standing| misfit(standing))
        .filter(|_| fitting == 0)
    {
        let certificate = certificate.and_then(|certificate| certificate.key.key_type());
        faults.push(ListFault::CertificateType { needs, certificate });
    } else if usable
        .iter()
        .filter(|standing| misfit(standing).is_none())
        .all(|standing| standing.hindrances.contains(&Standing::NoEnabledVersion))
    {
        faults.push(ListFault::NoEnabledVersion);
    }
    faults
}
