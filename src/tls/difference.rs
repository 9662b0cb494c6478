//! Control sets compared: what the one in use has, and another one does not.

use std::fmt;

use super::settings::{SchannelSettings, Setting};

/// A setting that two control sets do not agree on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub setting: &'static str,
    /// What the control set in use has.
    pub current: String,
    /// What the other one has.
    pub other: String,
}

/// Where two readings of SYSTEM differ: the control set in use, and another one.
pub fn differences(current: &SchannelSettings, other: &SchannelSettings) -> Vec<Difference> {
    fn compare<T: PartialEq + fmt::Debug>(
        setting: &'static str,
        current: &Setting<T>,
        other: &Setting<T>,
        found: &mut Vec<Difference>,
    ) {
        let text = |setting: &Setting<T>| match setting {
            Setting::Absent => "not set".to_owned(),
            Setting::Present(value) => format!("{value:?}"),
            Setting::Unknown(why) => format!("not known ({why})"),
        };
        if current != other {
            found.push(Difference {
                setting,
                current: text(current),
                other: text(other),
            });
        }
    }
    let mut found = Vec::new();
    compare(
        "Protocols",
        &current.protocols,
        &other.protocols,
        &mut found,
    );
    compare("Ciphers", &current.ciphers, &other.ciphers, &mut found);
    compare("Hashes", &current.hashes, &other.hashes, &mut found);
    compare(
        "KeyExchangeAlgorithms",
        &current.key_exchanges,
        &other.key_exchanges,
        &mut found,
    );
    compare(
        "provider suite list",
        &current.provider_suites,
        &other.provider_suites,
        &mut found,
    );
    compare(
        "local suite list",
        &current.local_suites,
        &other.local_suites,
        &mut found,
    );
    compare(
        "EccCurves",
        &current.local_curves,
        &other.local_curves,
        &mut found,
    );
    compare(
        "signature suites",
        &current.signature_suites,
        &other.signature_suites,
        &mut found,
    );
    compare(
        "FipsAlgorithmPolicy",
        &current.fips,
        &other.fips,
        &mut found,
    );
    compare(
        "MessageLimitServer",
        &current.message_limit_server,
        &other.message_limit_server,
        &mut found,
    );
    compare(
        "EventLogging",
        &current.event_logging,
        &other.event_logging,
        &mut found,
    );
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_sets_are_compared_setting_by_setting() {
        let current = SchannelSettings {
            fips: Setting::Present(1),
            ..SchannelSettings::default()
        };
        let found = differences(&current, &SchannelSettings::default());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].setting, found[0].other.as_str()),
            ("FipsAlgorithmPolicy", "not set")
        );
    }
}
