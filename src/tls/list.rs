//! The effective list of suite names: the policy's if there is one, else the local one, else the build's default; of it,
//! what the provider registers.
//!
//! Microsoft's suites pages: "Default priority order is overridden when a priority list is configured. Cipher suites not in
//! the priority list will not be used." That the provider list decides which names exist was measured on hives of Windows
//! 7, 8.1 and 10, and on a capture of build 14393 whose policy names resolved to nothing.

use std::collections::BTreeSet;

use super::doubt::{Assumption, Doubt, State};
use super::generation::Generation;
use super::settings::{PolicyList, SchannelSettings, Setting};
use super::suite::{Suite, is_known_to_windows, names_known_to_windows, without_suffix};

/// Where the effective list comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListSource {
    /// The policy in SOFTWARE.
    Policy,
    /// The local list in SYSTEM.
    Local,
    /// What the build has by default, as no list was found.
    BuildDefault,
    /// Neither a list nor the build is known.
    Unknown,
}

/// Why a name in a list stands for no suite of this build.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameFault {
    /// A suite of other Windows versions: a plain ECDHE name before Windows 10, or one that came or went.
    OtherGeneration,
    /// The beginning of this name, where the list was cut.
    Cut(String),
    /// A registered name with spaces or line ends around it.
    Spaces,
    /// No name that any Windows version has registered.
    Unknown,
}

/// A name of the effective list.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// As it stands in the list.
    pub name: String,
    /// The suite it stands for, and whether it surely does.
    pub resolved: Result<(Suite, State), NameFault>,
}

/// The effective list and what of the build is left out of it.
#[derive(Debug)]
pub(super) struct EffectiveList {
    pub source: ListSource,
    pub entries: Vec<Entry>,
    pub unlisted: Vec<Suite>,
    pub assumptions: Vec<Assumption>,
}

pub(super) fn effective(
    settings: &SchannelSettings,
    generation: Option<&Generation>,
) -> EffectiveList {
    let mut assumptions = Vec::new();
    if let Setting::Unknown(why) = &settings.policy_suites {
        assumptions.push(Assumption::NoSuitePolicy(why.clone()));
    }
    let (source, names) = match (&settings.policy_suites, &settings.local_suites, generation) {
        (Setting::Present(policy), _, _) => (ListSource::Policy, policy_names(policy)),
        (_, Setting::Present(local), _) => (
            ListSource::Local,
            local.iter().map(|name| (name.clone(), State::On)).collect(),
        ),
        (_, missing, Some(generation)) => {
            assumptions.push(Assumption::DefaultSuites(why_missing(missing)));
            let state = unless_unread(missing, "the local suite list");
            let names = generation
                .default_suites
                .iter()
                .map(|name| (name.clone(), state.clone()));
            (ListSource::BuildDefault, names.collect())
        }
        (_, _, None) => (ListSource::Unknown, Vec::new()),
    };
    let registered = Registered::of(settings, generation, &mut assumptions);
    let mut seen = BTreeSet::new();
    let names = names
        .into_iter()
        .filter(|(name, _)| seen.insert(name.clone()));
    let entries: Vec<Entry> = names
        .map(|(name, state)| registered.resolve(name, state))
        .collect();
    let listed: BTreeSet<String> = entries
        .iter()
        .filter_map(|entry| entry.resolved.as_ref().ok())
        .map(|(suite, _)| suite.name().to_owned())
        .collect();
    let unlisted = registered
        .names
        .iter()
        .filter(|name| !listed.contains(**name));
    let unlisted = unlisted.filter_map(|name| Suite::parse(name)).collect();
    EffectiveList {
        source,
        entries,
        unlisted,
        assumptions,
    }
}

/// Why a fallback is used, for people.
pub(super) fn why_missing<T>(setting: &Setting<T>) -> String {
    match setting {
        Setting::Unknown(why) => why.clone(),
        Setting::Absent | Setting::Present(_) => "there is no such list in the registry".into(),
    }
}

/// What a default stands for: what an absent value surely means, and one that was not read perhaps.
pub(super) fn unless_unread<T>(setting: &Setting<T>, what: &str) -> State {
    match setting {
        Setting::Unknown(why) => State::unless(Doubt::Unread(format!("{what} ({why})"))),
        Setting::Absent | Setting::Present(_) => State::On,
    }
}

/// A policy's names with what its form leaves open.
fn policy_names(policy: &PolicyList) -> Vec<(String, State)> {
    let mut end = 0;
    let typed = match policy {
        PolicyList::Text(_) => State::On,
        PolicyList::Strings(_) => State::unless(Doubt::PolicyType),
    };
    // Empty names count for the length, so the text is walked as it stands.
    let names: Vec<&str> = match policy {
        PolicyList::Text(text) => text.split(',').collect(),
        PolicyList::Strings(names) => names.iter().flat_map(|name| name.split(',')).collect(),
    };
    let mut listed = Vec::new();
    for name in names {
        end += name.chars().count();
        let within = if end <= PolicyList::LIMIT {
            State::On
        } else {
            State::unless(Doubt::PolicyTooLong)
        };
        end += 1;
        if !name.is_empty() {
            listed.push((name.to_owned(), typed.clone().and(within)));
        }
    }
    listed
}

/// The names that the build registers.
struct Registered<'a> {
    names: Vec<&'a str>,
    set: BTreeSet<&'a str>,
    known: bool,
    has_suffixed_names: bool,
}

impl<'a> Registered<'a> {
    fn of(
        settings: &'a SchannelSettings,
        generation: Option<&'a Generation>,
        assumptions: &mut Vec<Assumption>,
    ) -> Registered<'a> {
        let names: Vec<&str> = match (&settings.provider_suites, generation) {
            (Setting::Present(names), _) => names.iter().map(String::as_str).collect(),
            (missing, Some(generation)) => {
                assumptions.push(Assumption::DocumentedProvider(why_missing(missing)));
                generation.registered().into_iter().collect()
            }
            (_, None) => Vec::new(),
        };
        let set: BTreeSet<&str> = names.iter().copied().collect();
        let known = generation.is_some() || settings.provider_suites.present().is_some();
        let has_suffixed_names = set.iter().any(|name| without_suffix(name) != *name);
        Registered {
            names,
            set,
            known,
            has_suffixed_names,
        }
    }

    fn resolve(&self, name: String, state: State) -> Entry {
        let resolved = self
            .suite(&name)
            .map(|(suite, registered)| (suite, state.and(registered)));
        Entry { name, resolved }
    }

    fn suite(&self, name: &str) -> Result<(Suite, State), NameFault> {
        let parsed = |name: &str, state| {
            Suite::parse(name)
                .map(|suite| (suite, state))
                .ok_or(NameFault::Unknown)
        };
        if !self.known {
            return parsed(name, State::unless(Doubt::BuildUnknown));
        }
        if self.set.contains(name) {
            return parsed(name, State::On);
        }
        let plain = without_suffix(name);
        if plain != name && !self.has_suffixed_names && self.set.contains(plain) {
            return parsed(plain, State::unless(Doubt::SuffixedName));
        }
        if let Some(same) = self
            .set
            .iter()
            .find(|registered| registered.eq_ignore_ascii_case(name))
        {
            return parsed(same, State::unless(Doubt::NameCase));
        }
        if self
            .set
            .contains(name.trim_matches(|c: char| c.is_whitespace() || c == '\0'))
        {
            return Err(NameFault::Spaces);
        }
        if is_known_to_windows(name) || is_known_to_windows(plain) {
            return Err(NameFault::OtherGeneration);
        }
        let beginning = |full: &&str| name.len() > "TLS_".len() && full.starts_with(name);
        match self
            .set
            .iter()
            .copied()
            .find(beginning)
            .or_else(|| names_known_to_windows().find(beginning))
        {
            Some(full) => Err(NameFault::Cut(full.to_owned())),
            None => Err(NameFault::Unknown),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under_policy(id: &str, policy: &str) -> Vec<Entry> {
        let policy_suites = Setting::Present(PolicyList::Text(policy.into()));
        let settings = SchannelSettings {
            policy_suites,
            ..SchannelSettings::default()
        };
        effective(&settings, Generation::by_id(id)).entries
    }

    fn fault(id: &str, name: &str) -> Option<NameFault> {
        under_policy(id, name).remove(0).resolved.err()
    }

    #[test]
    fn names_of_another_windows_are_told_from_nonsense() {
        let plain = "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384";
        assert_eq!(fault("8.1-2012r2", plain), Some(NameFault::OtherGeneration));
        assert_eq!(fault("server-2022", plain), None);
        assert_eq!(
            fault("server-2022", "ECDHE-RSA-AES256-SHA384"),
            Some(NameFault::Unknown)
        );
        assert_eq!(
            fault("server-2022", " TLS_AES_128_GCM_SHA256"),
            Some(NameFault::Spaces)
        );
        let cut = NameFault::Cut("TLS_RSA_WITH_AES_128_CBC_SHA".into());
        assert_eq!(fault("server-2022", "TLS_RSA_WITH_AES_128_CB"), Some(cut));
    }

    #[test]
    fn a_suffix_on_a_new_windows_is_uncertain() {
        let entry =
            under_policy("10-1607-2016", "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384_P256").remove(0);
        let (suite, state) = entry.resolved.unwrap();
        assert_eq!(suite.name(), "TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384");
        assert_eq!(state, State::unless(Doubt::SuffixedName));
    }

    #[test]
    fn names_beyond_the_limit_of_a_policy_are_uncertain() {
        let list = Generation::by_id("8.1-2012r2")
            .unwrap()
            .default_suites
            .join(",");
        assert!(list.len() > PolicyList::LIMIT);
        let entries = under_policy("8.1-2012r2", &list);
        let first_doubtful = entries.iter().position(|entry| {
            entry
                .resolved
                .as_ref()
                .is_ok_and(|(_, state)| *state == State::unless(Doubt::PolicyTooLong))
        });
        let before: usize = entries
            .iter()
            .take(first_doubtful.unwrap())
            .map(|entry| entry.name.len() + 1)
            .sum();
        assert!(before - 1 <= PolicyList::LIMIT && PolicyList::LIMIT < before + 50);
    }

    #[test]
    fn an_absent_list_is_the_default_and_an_empty_one_is_empty() {
        let generation = Generation::by_id("10-1809-2019");
        let list = effective(&SchannelSettings::default(), generation);
        assert_eq!(
            (list.source, list.entries.len()),
            (ListSource::BuildDefault, 23)
        );
        let settings = SchannelSettings {
            local_suites: Setting::Present(vec![]),
            ..SchannelSettings::default()
        };
        let list = effective(&settings, generation);
        assert_eq!((list.source, list.entries.len()), (ListSource::Local, 0));
        assert!(list.unlisted.len() > 40);
    }
}
