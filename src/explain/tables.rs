//! The tables in `data/`: events, status codes, alerts and states, and what usually lies behind each.

use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// A provider of events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Provider {
    /// What people call it.
    pub name: String,
    /// The name in its records, where that is another.
    pub long: Option<String>,
    /// What else it is called.
    #[serde(default)]
    pub aliases: Vec<String>,
    /// The log that it writes to.
    pub log: String,
    pub source: String,
    /// What holds for all of its events.
    pub remark: Option<String>,
    pub events: Vec<Event>,
}

/// An event.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Event {
    pub id: u32,
    pub says: String,
    #[serde(default)]
    pub behind: Vec<String>,
    pub remark: Option<String>,
}

/// A range of status codes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Family {
    pub name: String,
    pub first: u32,
    pub last: u32,
    pub source: String,
    pub codes: Vec<Status>,
}

/// A status code.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Status {
    pub code: u32,
    pub name: String,
    pub says: String,
    #[serde(default)]
    pub behind: Vec<String>,
}

/// What TLS and Schannel number.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub alerts: Alerts,
    pub states: States,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alerts {
    pub source: String,
    pub codes: Vec<Alert>,
}

/// An alert of TLS.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Alert {
    pub code: u32,
    pub name: String,
    pub says: String,
    /// The status that Schannel gives for it.
    pub status: Option<u32>,
    #[serde(default)]
    pub behind: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct States {
    pub source: String,
    pub codes: Vec<State>,
}

/// An error state of Schannel.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub code: u32,
    pub says: String,
    #[serde(default)]
    pub behind: Vec<String>,
}

/// What lies behind the codes of clients.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Client {
    pub source: String,
    pub primary: Vec<ClientCode>,
    pub extended: Vec<ClientCode>,
    pub negotiation: Vec<ClientCode>,
    pub families: Vec<ClientFamily>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientCode {
    pub code: u32,
    pub behind: Vec<String>,
}

/// Disconnect reasons with the same low byte.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ClientFamily {
    pub low: u32,
    pub says: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Providers {
    provider: Vec<Provider>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Families {
    family: Vec<Family>,
}

pub(super) static PROVIDERS: LazyLock<Vec<Provider>> = LazyLock::new(|| {
    embedded::<Providers>(include_str!("data/events.toml"), "events.toml").provider
});
pub(super) static FAMILIES: LazyLock<Vec<Family>> = LazyLock::new(|| {
    embedded::<Families>(include_str!("data/statuses.toml"), "statuses.toml").family
});
pub(super) static TLS: LazyLock<Tls> =
    LazyLock::new(|| embedded(include_str!("data/tls.toml"), "tls.toml"));
pub(super) static CLIENT: LazyLock<Client> =
    LazyLock::new(|| embedded(include_str!("data/client.toml"), "client.toml"));

/// Parses a built-in table. It panics where the table is broken, which the tests of every table keep from being released.
fn embedded<T: DeserializeOwned>(text: &str, file: &str) -> T {
    match toml::from_str(text) {
        Ok(table) => table,
        Err(error) => panic!("the built-in table {file} is broken: {error}"),
    }
}

impl Provider {
    /// Whether somebody who writes this means it, in either case.
    pub fn is_called(&self, name: &str) -> bool {
        self.names().any(|own| own.eq_ignore_ascii_case(name))
    }

    /// Everything that it is called.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let own = [Some(self.name.as_str()), self.long.as_deref()];
        let aliases = self.aliases.iter().map(String::as_str);
        own.into_iter().flatten().chain(aliases)
    }
}

/// The status of that number.
pub(super) fn status(code: u32) -> Option<(&'static Family, &'static Status)> {
    FAMILIES.iter().find_map(|family| {
        let status = family.codes.iter().find(|status| status.code == code)?;
        Some((family, status))
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::explain::catalogue_ids;

    fn behind() -> impl Iterator<Item = &'static String> {
        let events = PROVIDERS.iter().flat_map(|provider| &provider.events);
        let statuses = FAMILIES.iter().flat_map(|family| &family.codes);
        let codes = [&CLIENT.primary, &CLIENT.extended, &CLIENT.negotiation];
        events
            .flat_map(|event| &event.behind)
            .chain(statuses.flat_map(|status| &status.behind))
            .chain(TLS.alerts.codes.iter().flat_map(|alert| &alert.behind))
            .chain(TLS.states.codes.iter().flat_map(|state| &state.behind))
            .chain(codes.into_iter().flatten().flat_map(|code| &code.behind))
    }

    #[test]
    fn every_cause_that_is_named_is_one_of_the_catalogue() {
        let ids = catalogue_ids();
        let strangers: BTreeSet<&String> =
            behind().filter(|id| !ids.contains(&id.as_str())).collect();
        assert!(strangers.is_empty(), "{strangers:?}");
        assert!(behind().count() > 150);
    }

    #[test]
    fn no_code_stands_twice_and_each_in_its_family() {
        for provider in PROVIDERS.iter() {
            let ids: Vec<u32> = provider.events.iter().map(|event| event.id).collect();
            assert!(
                ids.is_sorted_by(|one, next| one < next),
                "{}",
                provider.name
            );
        }
        for family in FAMILIES.iter() {
            let codes: Vec<u32> = family.codes.iter().map(|status| status.code).collect();
            assert!(
                codes.is_sorted_by(|one, next| one < next),
                "{}",
                family.name
            );
            for code in codes {
                assert!((family.first..=family.last).contains(&code), "{code:#x}");
            }
        }
        let alerts: Vec<u32> = TLS.alerts.codes.iter().map(|alert| alert.code).collect();
        assert!(alerts.is_sorted_by(|one, next| one < next));
        let states: Vec<u32> = TLS.states.codes.iter().map(|state| state.code).collect();
        assert!(states.is_sorted_by(|one, next| one < next));
        for alert in &TLS.alerts.codes {
            if let Some(code) = alert.status {
                let known = status(code).is_some() || code == 0x8009_0333;
                assert!(known, "{}: {code:#x}", alert.name);
            }
        }
    }

    #[test]
    fn every_table_names_where_it_is_from() {
        for provider in PROVIDERS.iter() {
            assert!(provider.source.starts_with("https://"), "{}", provider.name);
        }
        for family in FAMILIES.iter() {
            assert!(family.source.starts_with("https://"), "{}", family.name);
        }
        assert!(TLS.alerts.source.contains("rfc8446") && CLIENT.source.starts_with("https://"));
        assert!(TLS.states.source.starts_with("no official table"));
    }
}
