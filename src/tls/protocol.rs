//! Which protocol versions are on for a role: the `Protocols` keys on top of the build's defaults.

use super::doubt::{Doubt, State};
use super::generation::{Generation, ProtocolDefault};
use super::settings::{ProtocolValues, SchannelSettings, Setting};
use super::version::{Role, Version};

/// Whether a version is on for Remote Desktop, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionStanding {
    /// The version.
    pub version: Version,
    /// Whether it is on.
    pub state: State,
    /// Why, for people.
    pub reason: String,
}

/// The builds before which TLS 1.3 was never supported.
const FIRST_WITH_TLS13: u32 = 20348;

/// Judges one version. The 2019 edition of Microsoft's "TLS registry settings" knows three states (on: `Enabled` not 0 and
/// `DisabledByDefault` 0; off by default: both not 0; off: `Enabled` 0), the 2023 edition `Enabled` alone. What both agree on
/// is settled, the rest is a doubt.
pub(super) fn standing(
    settings: &SchannelSettings,
    generation: Option<&Generation>,
    version: Version,
    role: Role,
) -> VersionStanding {
    let (state, reason) = match &settings.protocols {
        Setting::Unknown(why) => (
            State::unless(Doubt::Unread(format!("SCHANNEL\\Protocols ({why})"))),
            why.clone(),
        ),
        Setting::Absent => judge(&ProtocolValues::default(), generation, version, role),
        Setting::Present(protocols) => {
            let values = protocols.get(&(version, role)).cloned().unwrap_or_default();
            judge(&values, generation, version, role)
        }
    };
    let state = match remote_desktop_doubt(generation, version) {
        Some(doubt) => state.and(State::unless(doubt)),
        None => state,
    };
    VersionStanding {
        version,
        state,
        reason,
    }
}

fn judge(
    values: &ProtocolValues,
    generation: Option<&Generation>,
    version: Version,
    role: Role,
) -> (State, String) {
    let default = generation.map(|generation| generation.default_of(version, role));
    let off_by_default = || State::unless(Doubt::OffByDefault(role));
    match (&values.enabled, &values.disabled_by_default) {
        (Setting::Present(0), _) => (State::Off, "Enabled = 0".into()),
        (Setting::Present(_), _) if default == Some(ProtocolDefault::None) => {
            forced(generation, version)
        }
        _ if default == Some(ProtocolDefault::None) => {
            (State::Off, "this build does not support it".into())
        }
        (Setting::Unknown(why), _) => unread("Enabled", version, role, why),
        (_, Setting::Unknown(why)) => unread("DisabledByDefault", version, role, why),
        (Setting::Present(enabled), Setting::Present(0)) => (
            known_version(generation, version),
            format!("Enabled = {enabled:#x}, DisabledByDefault = 0"),
        ),
        (Setting::Present(enabled), Setting::Present(by_default)) => (
            off_by_default(),
            format!("Enabled = {enabled:#x}, DisabledByDefault = {by_default:#x}"),
        ),
        (Setting::Present(enabled), Setting::Absent) => {
            let state = match default {
                Some(ProtocolDefault::Off) => State::unless(Doubt::HalfConfigured(role)),
                _ => known_version(generation, version),
            };
            (state, format!("Enabled = {enabled:#x}"))
        }
        (Setting::Absent, Setting::Present(0)) => {
            let state = match default {
                Some(ProtocolDefault::On) => State::On,
                _ => State::unless(Doubt::HalfConfigured(role)),
            };
            (state, "DisabledByDefault = 0, no Enabled".into())
        }
        (Setting::Absent, Setting::Present(by_default)) => {
            let state = match default {
                Some(ProtocolDefault::Off) => State::Off,
                _ => off_by_default(),
            };
            (
                state,
                format!("DisabledByDefault = {by_default:#x}, no Enabled"),
            )
        }
        (Setting::Absent, Setting::Absent) => by_default(generation, version, default),
    }
}

fn by_default(
    generation: Option<&Generation>,
    version: Version,
    default: Option<ProtocolDefault>,
) -> (State, String) {
    let disputed = generation.is_some_and(|generation| generation.builds.1 >= 26100)
        && matches!(version, Version::Tls10 | Version::Tls11);
    match default {
        Some(ProtocolDefault::On) if disputed => (
            State::unless(Doubt::LegacyVersionsByDefault),
            "not set; documented as on by default".into(),
        ),
        Some(ProtocolDefault::On) => (State::On, "on by default".into()),
        Some(ProtocolDefault::Off) => (State::Off, "off by default".into()),
        Some(ProtocolDefault::None) => (State::Off, "this build does not support it".into()),
        None => (
            State::unless(Doubt::BuildUnknown),
            "not set, and the build is not known".into(),
        ),
    }
}

/// A version that is switched on: settled, but for TLS 1.3 on a build that is not known.
fn known_version(generation: Option<&Generation>, version: Version) -> State {
    if generation.is_none() && version == Version::Tls13 {
        State::unless(Doubt::BuildUnknown)
    } else {
        State::On
    }
}

/// A version that is switched on where it is not supported. Windows 10 has the beginnings of TLS 1.3.
fn forced(generation: Option<&Generation>, version: Version) -> (State, String) {
    let has_suffixes = generation.is_some_and(Generation::has_suffixed_names);
    if version == Version::Tls13 && !has_suffixes {
        (
            State::unless(Doubt::Tls13OnOldBuild),
            "switched on, but not supported before Server 2022".into(),
        )
    } else {
        (
            State::Off,
            "switched on, but this build does not support it".into(),
        )
    }
}

fn unread(value: &str, version: Version, role: Role, why: &str) -> (State, String) {
    let what = format!("Protocols\\{version}\\{role}\\{value} ({why})");
    (State::unless(Doubt::Unread(what.clone())), what)
}

fn remote_desktop_doubt(generation: Option<&Generation>, version: Version) -> Option<Doubt> {
    let builds = generation?.builds;
    match version {
        Version::Tls13 if builds.0 == FIRST_WITH_TLS13 => Some(Doubt::RemoteDesktopTls13),
        Version::Tls11 | Version::Tls12 if builds.1 < 9200 => Some(Doubt::RemoteDesktopUpdate),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn state(id: &str, version: Version, enabled: Option<u32>, by_default: Option<u32>) -> State {
        let setting = |value: Option<u32>| value.map_or(Setting::Absent, Setting::Present);
        let values = ProtocolValues {
            enabled: setting(enabled),
            disabled_by_default: setting(by_default),
        };
        let protocols = BTreeMap::from([((version, Role::Server), values)]);
        let settings = SchannelSettings {
            protocols: Setting::Present(protocols),
            ..SchannelSettings::default()
        };
        standing(&settings, Generation::by_id(id), version, Role::Server).state
    }

    #[test]
    fn what_both_editions_of_the_page_say_is_settled() {
        for enabled in [1, 0xffff_ffff] {
            assert_eq!(
                state("10-1809-2019", Version::Tls12, Some(enabled), Some(0)),
                State::On
            );
            assert_eq!(
                state("10-1809-2019", Version::Tls12, Some(enabled), None),
                State::On
            );
        }
        for by_default in [None, Some(0), Some(1)] {
            assert_eq!(
                state("10-1809-2019", Version::Tls12, Some(0), by_default),
                State::Off
            );
        }
        assert_eq!(state("10-1809-2019", Version::Tls12, None, None), State::On);
        assert_eq!(state("7-2008r2", Version::Tls12, None, None), State::Off);
        assert_eq!(
            state("10-1607-2016", Version::Ssl2, Some(1), Some(0)),
            State::Off
        );
    }

    #[test]
    fn what_the_sources_disagree_on_is_uncertain() {
        let doubt = |state: State| state.doubts().next().cloned();
        let off_by_default = Some(Doubt::OffByDefault(Role::Server));
        assert_eq!(
            doubt(state("10-1809-2019", Version::Tls12, Some(1), Some(1))),
            off_by_default
        );
        assert_eq!(
            doubt(state("10-1809-2019", Version::Tls12, None, Some(1))),
            off_by_default
        );
        assert_eq!(
            doubt(state("server-2025", Version::Tls10, None, None)),
            Some(Doubt::LegacyVersionsByDefault)
        );
        assert_eq!(
            state("server-2025", Version::Tls10, Some(1), Some(0)),
            State::On
        );
        assert_eq!(
            doubt(state("server-2022", Version::Tls13, None, None)),
            Some(Doubt::RemoteDesktopTls13)
        );
        assert_eq!(
            doubt(state("10-1809-2019", Version::Tls13, Some(1), Some(0))),
            Some(Doubt::Tls13OnOldBuild)
        );
        assert_eq!(
            state("8.1-2012r2", Version::Tls13, Some(1), Some(0)),
            State::Off
        );
    }

    #[test]
    fn remote_desktop_of_2008_r2_needs_an_update_for_tls_1_2() {
        let state = state("7-2008r2", Version::Tls12, Some(1), Some(0));
        assert_eq!(
            state.doubts().collect::<Vec<_>>(),
            [&Doubt::RemoteDesktopUpdate]
        );
    }

    #[test]
    fn a_hive_that_was_not_read_proves_nothing() {
        let settings = SchannelSettings::unread("SYSTEM was not collected");
        let standing = standing(
            &settings,
            Generation::by_id("server-2022"),
            Version::Tls12,
            Role::Server,
        );
        assert!(matches!(standing.state, State::Uncertain(_)));
    }
}
