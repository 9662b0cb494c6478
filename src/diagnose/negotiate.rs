//! `negotiate`: what a server and some clients would agree on in TLS, each of them a collection or a known profile.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::bundle::{self, OpenError};
use crate::facts::gap::Gaps;
use crate::facts::history;
use crate::facts::hives::{self, Evidence};
use crate::facts::registry::{HiveRole, Registry};
use crate::facts::served::Served;
use crate::facts::{store_listing, tls_settings};
use crate::tls::{Client, Generation, ServerOffer};
use crate::verdict::model::{Negotiation, NegotiationOutput, Problem, SCHEMA_VERSION, Tool};

use super::collection::{Collection, HostFiles};
use super::entries;
use super::host::{self, Records};
use super::negotiation::{self, Starts};
use super::{Hashing, Options, Unseen};

/// Why a negotiation cannot be computed.
#[derive(Debug, thiserror::Error)]
pub enum NegotiateError {
    /// Neither a Windows version nor a path.
    #[error(
        "{asked}: neither a file or folder nor a Windows version that is known. The nearest first:\n{}",
        .known.join(", ")
    )]
    UnknownServer {
        /// What was asked for.
        asked: String,
        /// Every Windows version, the nearest name first.
        known: Vec<String>,
    },
    /// Neither a client's profile nor a path.
    #[error(
        "{asked}: neither a client profile nor a file or folder. The nearest first:\n{}\n`all` asks for every one; \
         a client's own collection needs its SYSTEM hive",
        .known.join(", ")
    )]
    UnknownClient {
        /// What was asked for.
        asked: String,
        /// Every profile, the nearest name first.
        known: Vec<String>,
    },
    /// A collection without the hive that holds the settings.
    #[error(
        "{path}: no SYSTEM hive that can be read, and without it nothing is known of its TLS settings{}. Collect it with \
         `reg save HKLM\\SYSTEM SYSTEM.hiv` (and SOFTWARE, for the policy), or name a Windows version for its defaults",
        .because.iter().map(|why| format!("\n  {why}")).collect::<String>()
    )]
    NoSystem {
        /// What was named.
        path: String,
        /// What could not be read.
        because: Vec<String>,
    },
    /// Hives of several machines.
    #[error("{path}: holds the hives of several machines ({}); name the folder of one of them", .hosts.join(", "))]
    SeveralHosts {
        /// What was named.
        path: String,
        /// Their names.
        hosts: Vec<String>,
    },
    /// A path that cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
}

/// Computes what this server and these clients would agree on. The server is a Windows version (`server-2022`, with its default
/// settings) or the files of a collection. Without any client it is asked for those in common use. A client is a profile, `all` for every profile, or the path of its own collection,
/// whose client-role settings count. A name that is both a profile and a file means the profile; `./name` means the file.
///
/// # Errors
/// [`NegotiateError`] where one of them is not known or holds no settings.
pub fn negotiate(
    server: &[String],
    clients: &[String],
) -> Result<NegotiationOutput, NegotiateError> {
    let mut asked = Vec::new();
    let mut problems = Vec::new();
    for name in clients {
        if name.eq_ignore_ascii_case("all") {
            asked.extend(Client::all());
        } else {
            let (client, own) = resolve(name)?;
            asked.push(client);
            problems.extend(own);
        }
    }
    if clients.is_empty() {
        asked.extend(Client::common());
    }
    let mut seen = BTreeSet::new();
    asked.retain(|client| seen.insert(client.id.clone()));

    let (offer, values, starts, own) = match server {
        [name] if windows(name).is_some() || !Path::new(name).exists() => match windows(name) {
            Some(generation) => (
                ServerOffer::windows(generation),
                Vec::new(),
                Starts::default(),
                Vec::new(),
            ),
            None => {
                let ids = Generation::all()
                    .iter()
                    .map(|generation| generation.id.clone());
                return Err(NegotiateError::UnknownServer {
                    asked: name.clone(),
                    known: nearest(name, ids),
                });
            }
        },
        paths => offer_of(paths)?,
    };
    problems.extend(own);
    problems.sort();
    problems.dedup();
    let clients = asked
        .iter()
        .map(|client| negotiation::client_entry(&offer, client, true))
        .collect();
    Ok(NegotiationOutput {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        negotiation: Negotiation {
            server: Some(negotiation::server_entry(&offer, &values, starts)),
            clients,
        },
        problems,
    })
}

/// The client of that profile, or of that collection.
///
/// # Errors
/// [`NegotiateError`] where there is no such profile, or no settings in the collection.
pub fn client(name: &str) -> Result<Client, NegotiateError> {
    resolve(name).map(|(client, _)| client)
}

fn windows(name: &str) -> Option<&'static Generation> {
    Generation::by_id(name.strip_prefix("win-").unwrap_or(name))
}

fn resolve(name: &str) -> Result<(Client, Vec<Problem>), NegotiateError> {
    if let Some(profile) = Client::by_id(name) {
        return Ok((profile, Vec::new()));
    }
    if !Path::new(name).exists() {
        let ids = Client::all().into_iter().map(|client| client.id);
        return Err(NegotiateError::UnknownClient {
            asked: name.to_owned(),
            known: nearest(name, ids),
        });
    }
    let machine = one_machine(&[name.to_owned()])?;
    let registry = Registry::of(machine.hives);
    let records = Records {
        name: machine.name.clone(),
        events: &machine.events,
        logs: &machine.logs,
    };
    let (identity, ..) = host::begin(&registry, &records, &history::Options::default());
    let mut gaps = Gaps::default();
    let collected = tls_settings::read(&registry, &mut gaps);
    let title = match &machine.name {
        Some(host) => format!("Remote Desktop Connection on {host}, by its own settings"),
        None => format!("Remote Desktop Connection, by the settings in {name}"),
    };
    let id = machine.name.unwrap_or_else(|| name.to_owned());
    let generation = tls_settings::generation(&identity, &collected.settings);
    let client = Client::from_settings(&id, &title, &collected.settings, generation);
    Ok((client, hive_problems(&registry)))
}

type Offered = (
    ServerOffer,
    Vec<tls_settings::FoundValue>,
    Starts,
    Vec<Problem>,
);

fn offer_of(paths: &[String]) -> Result<Offered, NegotiateError> {
    let machine = one_machine(paths)?;
    let registry = Registry::of(machine.hives);
    let records = Records {
        name: machine.name.clone(),
        events: &machine.events,
        logs: &machine.logs,
    };
    let (identity, history, mut facts) =
        host::begin(&registry, &records, &history::Options::default());
    let evidence = Evidence {
        registry: &registry,
        identity: &identity,
        exported: machine.certificates,
        listed: store_listing::read(&machine.collected).0,
        affected: None,
        served: Served::of(&history),
    };
    let Some(computed) = hives::read(evidence, &mut facts).tls else {
        return Err(NegotiateError::NoSystem {
            path: paths.join(", "),
            because: Vec::new(),
        });
    };
    let starts = Starts::of(&history.anchors);
    let elsewhere = computed
        .collected
        .elsewhere
        .iter()
        .map(|other| other.says.clone());
    let mut problems = hive_problems(&registry);
    problems.extend(elsewhere.map(|message| Problem {
        artifact: registry.system().map(|file| file.artifact.clone()),
        at: None,
        message,
    }));
    problems.extend(super::contradiction::contradictions(
        &history,
        Some(&computed),
    ));
    Ok((computed.offer, computed.collected.values, starts, problems))
}

fn hive_problems(registry: &Registry) -> Vec<Problem> {
    registry
        .problems()
        .into_iter()
        .map(entries::hive_problem)
        .collect()
}

/// The one machine of which these files hold the SYSTEM hive.
fn one_machine(paths: &[String]) -> Result<HostFiles, NegotiateError> {
    let inputs: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    let options = Options {
        hashing: Hashing::Off,
        ..Options::default()
    };
    let mut collection = Collection::read(bundle::open(&inputs)?, &options, &Unseen);
    let members = collection.hosts();
    let (mut with, without): (Vec<HostFiles>, Vec<HostFiles>) = members
        .iter()
        .map(|member| collection.files_of(member))
        .partition(|host| host.hives.iter().any(|hive| hive.role == HiveRole::System));
    let path = paths.join(", ");
    match (with.pop(), with.is_empty()) {
        (Some(only), true) => Ok(only),
        (Some(last), false) => {
            with.push(last);
            let names = with
                .into_iter()
                .map(|host| host.name.unwrap_or_else(|| "without a name".into()));
            Err(NegotiateError::SeveralHosts {
                path,
                hosts: names.collect(),
            })
        }
        (None, _) => {
            let problems = without.iter().flat_map(|host| {
                let own = host.artifacts.iter().flat_map(|listed| &listed.problems);
                host.problems.iter().chain(own)
            });
            let mut because: Vec<String> = problems
                .map(|problem| match &problem.artifact {
                    Some(artifact) => format!("{artifact}: {}", problem.message),
                    None => problem.message.clone(),
                })
                .collect();
            because.sort();
            because.dedup();
            Err(NegotiateError::NoSystem { path, because })
        }
    }
}

/// All of these names, the nearest first.
fn nearest(asked: &str, names: impl Iterator<Item = String>) -> Vec<String> {
    let asked = asked.to_lowercase();
    let distance = |name: &String| {
        let apart = strsim::damerau_levenshtein(&asked, name);
        // Part of a name is nearer than a mistyped one: `2012` for `8.1-2012r2`.
        let part = !asked.is_empty() && name.contains(&asked);
        (!part, apart)
    };
    let mut names: Vec<String> = names.collect();
    names.sort_by_cached_key(|name| (distance(name), name.clone()));
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_nearer_the_more_it_is_alike() {
        let names = [
            "win-10-22h2",
            "ironrdp-rustls",
            "freerdp-3.27+",
            "win-8.1-2012r2",
        ];
        let names = || names.into_iter().map(str::to_owned);
        assert_eq!(
            nearest("rustls", names()).first().unwrap(),
            "ironrdp-rustls"
        );
        assert_eq!(
            nearest("freerdp-3.28", names()).first().unwrap(),
            "freerdp-3.27+"
        );
        assert_eq!(
            nearest("2012R2", names()).first().unwrap(),
            "win-8.1-2012r2"
        );
    }
}
