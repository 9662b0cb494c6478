//! What hardening leaves behind: settings that do not do what they look like.

use std::collections::BTreeMap;
use std::fmt;

use super::generation::{Generation, ProtocolDefault};
use super::group::Group;
use super::settings::{PolicyList, SchannelSettings, Setting, WrongType};
use super::signature::SignatureScheme;
use super::suite::{Suite, without_suffix};
use super::version::{Role, Version};

/// A setting that has no effect, or another than its author meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Residue {
    /// A key within a key where one with a slash in its name was meant: PowerShell takes the slash for a separator.
    NestedKey {
        /// `Ciphers\RC4 128\128`.
        path: String,
        /// `RC4 128/128`.
        meant: String,
    },
    /// A key below Ciphers, Hashes or KeyExchangeAlgorithms that Schannel does not look for.
    UnknownKey {
        /// `Ciphers\AES 128`.
        path: String,
        /// What it may have been meant for.
        meant: Option<&'static str>,
    },
    /// A key below Protocols that names no version.
    UnknownProtocol(String),
    /// An `Enabled` that Microsoft does not document there.
    UndocumentedValue {
        /// Key and value.
        path: String,
        /// What it holds.
        value: u32,
    },
    /// A value of another type than Windows reads.
    WrongType(WrongType),
    /// A policy list over the limit of 1,023 characters.
    PolicyTooLong {
        /// Its length in characters.
        length: usize,
        /// The name that the limit falls into or before.
        cut: String,
    },
    /// Names with a curve suffix where the build has none.
    SuffixedNames(Vec<String>),
    /// Names that belong into another list.
    WrongList {
        /// The list they are in.
        list: &'static str,
        /// The names.
        names: Vec<String>,
        /// What they are names of.
        are: &'static str,
    },
    /// TLS 1.3 switched on where it is not supported: "not a safe system configuration" (Microsoft, Protocols in TLS/SSL).
    Tls13Forced(Role),
}

impl fmt::Display for Residue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Residue::NestedKey { path, meant } => {
                write!(
                    f,
                    "{path} is a key within a key and has no effect; {meant:?} in one name was meant"
                )
            }
            Residue::UnknownKey {
                path,
                meant: Some(meant),
            } => {
                write!(
                    f,
                    "{path} is no key that Schannel reads; {meant:?} may have been meant"
                )
            }
            Residue::UnknownKey { path, meant: None } => {
                write!(f, "{path} is no key that Schannel reads")
            }
            Residue::UnknownProtocol(name) => write!(
                f,
                "Protocols\\{name} names no version that Schannel negotiates"
            ),
            Residue::UndocumentedValue { path, value } => {
                write!(f, "{path} = {value:#x}, which Microsoft does not document")
            }
            Residue::WrongType(wrong) => write!(
                f,
                "{} is {} and not {}",
                wrong.path, wrong.found, wrong.expected
            ),
            Residue::PolicyTooLong { length, cut } => write!(
                f,
                "the policy list has {length} characters, over the limit of {}, which falls on {cut}",
                PolicyList::LIMIT
            ),
            Residue::SuffixedNames(names) => {
                write!(
                    f,
                    "names with a curve suffix, which this Windows does not register: {}",
                    names.join(", ")
                )
            }
            Residue::WrongList { list, names, are } => {
                write!(f, "{list} holds names of {are}: {}", names.join(", "))
            }
            Residue::Tls13Forced(role) => {
                write!(
                    f,
                    "TLS 1.3 is switched on for the {role} role of a Windows that does not support it"
                )
            }
        }
    }
}

/// Names of keys that Schannel looks for (KB245030; AES, SHA-2, Diffie-Hellman and ECDH as Microsoft's "Demystifying
/// Schannel" and hardening tools have them).
const CIPHERS: [&str; 14] = [
    "NULL",
    "DES 56/56",
    "RC2 40/128",
    "RC2 56/128",
    "RC2 128/128",
    "RC4 40/128",
    "RC4 56/128",
    "RC4 64/128",
    "RC4 128/128",
    "Triple DES 168",
    "AES 128/128",
    "AES 256/256",
    "RC2 56/56",
    "DES 40/56",
];
const HASHES: [&str; 5] = ["MD5", "SHA", "SHA256", "SHA384", "SHA512"];
const KEY_EXCHANGES: [&str; 3] = ["PKCS", "Diffie-Hellman", "ECDH"];

/// Everything of the kind in these settings, in the order of the registry.
pub fn residue(settings: &SchannelSettings, generation: Option<&Generation>) -> Vec<Residue> {
    let mut found = Vec::new();
    keys("Ciphers", &settings.ciphers, &CIPHERS, &mut found);
    keys("Hashes", &settings.hashes, &HASHES, &mut found);
    keys(
        "KeyExchangeAlgorithms",
        &settings.key_exchanges,
        &KEY_EXCHANGES,
        &mut found,
    );
    found.extend(
        settings
            .other_protocols
            .iter()
            .cloned()
            .map(Residue::UnknownProtocol),
    );
    protocols(settings, generation, &mut found);
    lists(settings, generation, &mut found);
    found.extend(settings.wrong_types.iter().cloned().map(Residue::WrongType));
    found
}

fn keys(
    branch: &str,
    keys: &Setting<BTreeMap<String, Setting<u32>>>,
    known: &[&'static str],
    found: &mut Vec<Residue>,
) {
    for (name, value) in keys.present().into_iter().flatten() {
        let path = format!("{branch}\\{name}");
        if name.contains('\\') {
            found.push(Residue::NestedKey {
                path,
                meant: name.replace('\\', "/"),
            });
        } else if known.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            if let Setting::Present(value) = *value
                && !matches!(value, 0 | 0xffff_ffff)
            {
                found.push(Residue::UndocumentedValue {
                    path: format!("{path}\\Enabled"),
                    value,
                });
            }
        } else if !keys
            .present()
            .is_some_and(|keys| keys.keys().any(|key| key.starts_with(&format!("{name}\\"))))
        {
            found.push(Residue::UnknownKey {
                path,
                meant: meant(name, known),
            });
        }
    }
}

/// The known name that begins like this one, letters and digits alone.
fn meant(name: &str, known: &[&'static str]) -> Option<&'static str> {
    let plain = |text: &str| -> String {
        text.chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    let name = plain(name);
    let alike = |known: &str| {
        let known = plain(known);
        !name.is_empty() && (known.starts_with(&name) || name.starts_with(&known))
    };
    known
        .iter()
        .copied()
        .filter(|known| alike(known))
        .max_by_key(|known| known.len())
}

fn protocols(
    settings: &SchannelSettings,
    generation: Option<&Generation>,
    found: &mut Vec<Residue>,
) {
    for ((version, role), values) in settings.protocols.present().into_iter().flatten() {
        let Setting::Present(enabled) = values.enabled else {
            continue;
        };
        let unsupported = generation.is_some_and(|generation| {
            generation.default_of(*version, *role) == ProtocolDefault::None
        });
        if *version == Version::Tls13 && enabled != 0 && unsupported {
            found.push(Residue::Tls13Forced(*role));
        }
        // Hardening tools write 0xffffffff, which every reading takes as on.
        if !matches!(enabled, 0 | 1 | 0xffff_ffff) {
            let path = format!("Protocols\\{version}\\{role}\\Enabled");
            found.push(Residue::UndocumentedValue {
                path,
                value: enabled,
            });
        }
    }
}

fn lists(settings: &SchannelSettings, generation: Option<&Generation>, found: &mut Vec<Residue>) {
    let policy = settings.policy_suites.present();
    if let Some(policy) = policy
        && policy.length() > PolicyList::LIMIT
    {
        let mut end = 0;
        let cut = policy.names().into_iter().find(|name| {
            end += name.chars().count() + 1;
            end > PolicyList::LIMIT
        });
        let cut = cut.unwrap_or_default().to_owned();
        found.push(Residue::PolicyTooLong {
            length: policy.length(),
            cut,
        });
    }
    let policy: Vec<&str> = policy.map(PolicyList::names).unwrap_or_default();
    let local: Vec<&str> = strings(&settings.local_suites);
    if generation.is_some_and(|generation| !generation.has_suffixed_names()) {
        let names: Vec<String> = policy
            .iter()
            .chain(&local)
            .filter(|name| without_suffix(name) != **name)
            .map(|name| (*name).to_owned())
            .collect();
        if !names.is_empty() {
            found.push(Residue::SuffixedNames(names));
        }
    }
    let is_suite = |name: &str| Suite::parse(name).is_some();
    let is_curve = |name: &str| Group::parse(name).is_some();
    let is_signature = |name: &str| SignatureScheme::parse(name).is_some();
    misplaced(
        "the policy's SSL\\00010002\\Functions (suites)",
        &policy,
        is_curve,
        "curves",
        found,
    );
    misplaced(
        "the local SSL\\00010002\\Functions (suites)",
        &local,
        is_curve,
        "curves",
        found,
    );
    let signatures = strings(&settings.signature_suites);
    misplaced(
        "SSL\\00010003\\Functions (signatures)",
        &signatures,
        is_curve,
        "curves",
        found,
    );
    misplaced(
        "SSL\\00010003\\Functions (signatures)",
        &signatures,
        is_suite,
        "suites",
        found,
    );
    for (list, names) in [
        ("the policy's EccCurves", strings(&settings.policy_curves)),
        ("the local EccCurves", strings(&settings.local_curves)),
    ] {
        misplaced(list, &names, is_suite, "suites", found);
        misplaced(list, &names, is_signature, "signatures", found);
    }
}

fn strings(setting: &Setting<Vec<String>>) -> Vec<&str> {
    setting
        .present()
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect()
}

fn misplaced(
    list: &'static str,
    names: &[&str],
    is_foreign: impl Fn(&str) -> bool,
    are: &'static str,
    found: &mut Vec<Residue>,
) {
    let names: Vec<String> = names
        .iter()
        .filter(|name| is_foreign(name))
        .map(|name| (*name).to_owned())
        .collect();
    if !names.is_empty() {
        found.push(Residue::WrongList { list, names, are });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ciphers(names: &[(&str, Setting<u32>)]) -> Vec<String> {
        let keys = names
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        let settings = SchannelSettings {
            ciphers: Setting::Present(keys),
            ..SchannelSettings::default()
        };
        residue(&settings, Generation::by_id("10-1809-2019"))
            .iter()
            .map(Residue::to_string)
            .collect()
    }

    #[test]
    fn keys_without_effect_are_named_with_what_was_meant() {
        let found = ciphers(&[
            ("RC4 128", Setting::Absent),
            ("RC4 128\\128", Setting::Present(0)),
            ("AES 128", Setting::Present(0xffff_ffff)),
            ("Triple DES 168/168", Setting::Present(0)),
            ("DES 56", Setting::Present(0)),
            ("AES 256/256", Setting::Present(1)),
            ("NULL", Setting::Present(0)),
        ]);
        assert_eq!(found.len(), 5, "{found:#?}");
        assert!(
            found
                .iter()
                .any(|text| text.contains("\"RC4 128/128\" in one name"))
        );
        assert!(
            found
                .iter()
                .any(|text| text.contains("\"AES 128/128\" may have been meant"))
        );
        assert!(
            found
                .iter()
                .any(|text| text.contains("\"Triple DES 168\" may have been meant"))
        );
        assert!(
            found
                .iter()
                .any(|text| text.contains("\"DES 56/56\" may have been meant"))
        );
        assert!(
            found
                .iter()
                .any(|text| text.contains("AES 256/256\\Enabled = 0x1"))
        );
    }

    #[test]
    fn the_name_that_a_long_policy_is_cut_in_is_named() {
        let suites = Generation::by_id("8.1-2012r2")
            .unwrap()
            .default_suites
            .clone();
        let text = suites.join(",");
        let cut = suites
            .iter()
            .find(|name| text.find(name.as_str()).unwrap() + name.len() > PolicyList::LIMIT);
        let policy_suites = Setting::Present(PolicyList::Text(text.clone()));
        let settings = SchannelSettings {
            policy_suites,
            ..SchannelSettings::default()
        };
        let expected = Residue::PolicyTooLong {
            length: text.len(),
            cut: cut.unwrap().clone(),
        };
        assert_eq!(
            residue(&settings, Generation::by_id("8.1-2012r2")),
            [expected]
        );
    }

    #[test]
    fn lists_that_were_mixed_up_are_named() {
        let names = |names: &[&str]| {
            Setting::Present(names.iter().map(|name| (*name).to_owned()).collect())
        };
        let settings = SchannelSettings {
            signature_suites: names(&["NistP256", "RSA/SHA256"]),
            local_suites: names(&["TLS_RSA_WITH_AES_128_CBC_SHA_P256", "curve25519"]),
            ..SchannelSettings::default()
        };
        let found = residue(&settings, Generation::by_id("server-2022"));
        let lists: Vec<&str> = found
            .iter()
            .filter_map(|residue| match residue {
                Residue::WrongList { list, .. } => Some(*list),
                _ => None,
            })
            .collect();
        assert_eq!(
            lists,
            [
                "the local SSL\\00010002\\Functions (suites)",
                "SSL\\00010003\\Functions (signatures)"
            ]
        );
        assert!(
            found
                .iter()
                .any(|residue| matches!(residue, Residue::SuffixedNames(_)))
        );
    }
}
