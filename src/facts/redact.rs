//! Takes out of texts what names a machine, a person, an address or a secret's place, and puts a token there that is the same for
//! the same thing every time.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

/// Accounts before a backslash that name nobody.
const NOBODY: &[&str] = &[
    "nt authority",
    "nt service",
    "builtin",
    "window manager",
    "font driver host",
];

/// The folder whose subfolders are named after people.
const PROFILES: &str = "\\Users\\";

/// Hexadecimal digits from which on a number is somebody's: serial numbers, thumbprints, names of key files.
const SERIAL: usize = 16;

/// Replaces what names somebody. The same thing gets the same token, in the order in which things are met.
#[derive(Debug, Clone, Default)]
pub struct Redactor {
    /// Names of the machine and its domain, lower case, longest first, with what each is replaced by.
    names: Vec<(String, String)>,
    /// What was replaced, lower case, by the kind of its token.
    known: BTreeMap<&'static str, Vec<String>>,
}

impl Redactor {
    /// Takes out these names of machines and domains wherever they stand, besides what can be told by its form.
    #[must_use]
    pub fn of(hosts: impl IntoIterator<Item = String>) -> Self {
        let mut redactor = Redactor::default();
        for host in hosts {
            let whole = host.trim().to_lowercase();
            let label = whole.split('.').next().unwrap_or_default().to_owned();
            for name in [whole, label] {
                if name.len() > 1 && !redactor.names.iter().any(|(known, _)| *known == name) {
                    let token = redactor.token("HOST", &name);
                    redactor.names.push((name, token));
                }
            }
        }
        redactor
            .names
            .sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
        redactor
    }

    /// The text without what names somebody.
    pub fn text(&mut self, text: &str) -> String {
        if let Some(account) = self.account(text) {
            return account;
        }
        let mut redacted = String::with_capacity(text.len());
        let mut word = String::new();
        for letter in text.chars() {
            if is_part(letter) {
                word.push(letter);
                continue;
            }
            self.word(&mut word, &mut redacted);
            redacted.push(letter);
        }
        self.word(&mut word, &mut redacted);
        redacted
    }

    /// `DOMAIN\user` and `user@domain`, where that is all there is.
    fn account(&mut self, text: &str) -> Option<String> {
        let plain = |part: &str| !part.is_empty() && !part.contains(['\\', '/', ':', ',', '@']);
        if let Some((domain, user)) = text.split_once('\\') {
            let named = plain(domain) && plain(user);
            if !named || NOBODY.contains(&domain.to_lowercase().as_str()) {
                return None;
            }
            let (domain, user) = (self.token("DOMAIN", domain), self.token("USER", user));
            return Some(format!("{domain}\\{user}"));
        }
        let (user, domain) = text.split_once('@')?;
        let named = plain(user) && plain(domain) && !text.contains(' ');
        named.then(|| {
            let (user, domain) = (self.token("USER", user), self.token("DOMAIN", domain));
            format!("{user}@{domain}")
        })
    }

    fn word(&mut self, word: &mut String, redacted: &mut String) {
        let found = std::mem::take(word);
        // A sentence's full stop is not part of an address.
        let trimmed = found.trim_end_matches(['.', ':']);
        let rest = found.get(trimmed.len()..).unwrap_or_default();
        let before = redacted.len().checked_sub(PROFILES.len());
        let in_profile = before
            .and_then(|at| redacted.get(at..))
            .is_some_and(|end| end.replace('/', "\\").eq_ignore_ascii_case(PROFILES));
        let token = match trimmed {
            "" => String::new(),
            name if in_profile => self.token("USER", name),
            other => self.replaced(other),
        };
        redacted.push_str(&token);
        redacted.push_str(rest);
    }

    fn replaced(&mut self, word: &str) -> String {
        if let Ok(address) = word.parse::<IpAddr>() {
            return self.token("ADDRESS", &address.to_string());
        }
        if let Ok(socket) = word.parse::<SocketAddr>() {
            let address = self.token("ADDRESS", &socket.ip().to_string());
            return format!("{address}:{}", socket.port());
        }
        let lower = word.to_lowercase();
        // The accounts of a machine or domain, and of a cloud tenant; all other SIDs are the same everywhere.
        if lower.starts_with("s-1-5-21-") || lower.starts_with("s-1-12-1-") {
            return self.token("SID", word);
        }
        if is_guid(word) {
            return self.token("GUID", word);
        }
        let code = lower.strip_prefix("0x");
        if code.is_none()
            && word.len() >= SERIAL
            && word.chars().all(|digit| digit.is_ascii_hexdigit())
        {
            return self.token("SERIAL", word);
        }
        // `container_MachineGuid` and the like.
        if let Some((before, after)) = word.split_once('_') {
            let (one, other) = (self.replaced(before), self.replaced(after));
            return format!("{one}_{other}");
        }
        self.without_names(word)
    }

    fn without_names(&self, word: &str) -> String {
        let lower = word.to_lowercase();
        let found = self.names.iter().find(|(name, _)| {
            lower == *name
                || lower
                    .strip_prefix(name.as_str())
                    .is_some_and(|rest| rest.starts_with(['.', '$']))
        });
        match found {
            Some((_, token)) => token.clone(),
            None => word.to_owned(),
        }
    }

    fn token(&mut self, kind: &'static str, of: &str) -> String {
        let of = of.to_lowercase();
        let known = self.known.entry(kind).or_default();
        let place = known.iter().position(|each| *each == of);
        let place = place.unwrap_or_else(|| {
            known.push(of);
            known.len() - 1
        });
        format!("{kind}-{}", place + 1)
    }
}

/// Letters that names, addresses and SIDs are made of.
fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '.' | ':' | '-' | '_' | '$')
}

/// Eight, four, four, four and twelve hexadecimal digits.
fn is_guid(word: &str) -> bool {
    let lengths: Vec<usize> = word.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12]
        && word
            .chars()
            .all(|digit| digit == '-' || digit.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_somebody_is_replaced_and_nothing_else() {
        let mut redactor = Redactor::of(["TS01.contoso.example".to_owned()]);
        for (text, expected) in [
            ("10.20.4.17", "ADDRESS-1"),
            ("from 10.20.4.17:50122.", "from ADDRESS-1:50122."),
            ("fe80::1", "ADDRESS-2"),
            ("S-1-5-20", "S-1-5-20"),
            ("S-1-5-21-1-2-3-500", "SID-1"),
            ("ts01", "HOST-2"),
            ("TS01.contoso.example", "HOST-1"),
            ("HOST-TS01X", "HOST-TS01X"),
            (r"CONTOSO\anna", r"DOMAIN-1\USER-1"),
            ("anna@contoso", "USER-1@DOMAIN-1"),
            (
                r"NT AUTHORITY\NetworkService",
                r"NT AUTHORITY\NetworkService",
            ),
            (r"C:\Users\anna\x.rdp", r"C:\Users\USER-1\x.rdp"),
            (
                r"C:\ProgramData\f686aace6942fb7f7ceb231212eef4a4_7c3b5a90-2f41-4d0e-9b7a-6f1d2c8e4b55",
                r"C:\ProgramData\SERIAL-1_GUID-1",
            ),
            ("0x8009030D", "0x8009030D"),
            (
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            ),
            ("TSSecKeySet1", "TSSecKeySet1"),
        ] {
            assert_eq!(redactor.text(text), expected, "{text}");
        }
    }
}
