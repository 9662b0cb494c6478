//! Takes out of a report who it is about: hosts, domains, users, addresses, SIDs, GUIDs and names in certificates become tokens
//! such as `host-1`. The same value is the same token within a report, and nothing leads from the token back. What the diagnosis
//! rests on stays: times, codes, settings, suites, thumbprints, well-known accounts, the loopback address.
//!
//! It works on the report, before any format is written, so that no format can forget it.

mod names;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::verdict::model::{FactEntry, Report, SourceEntry};
use names::{Names, folded};

/// What a value is, and the name of its tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Secret {
    Host,
    Domain,
    User,
    Address,
    Sid,
    Guid,
    Name,
}

impl Secret {
    fn word(self) -> &'static str {
        match self {
            Secret::Host => "host",
            Secret::Domain => "domain",
            Secret::User => "user",
            Secret::Address => "address",
            Secret::Sid => "sid",
            Secret::Guid => "guid",
            Secret::Name => "name",
        }
    }
}

/// Names shorter than this are replaced only where they stand alone; longer ones also within other words.
const SHORT: usize = 5;

/// What can be told by its form. Of addresses and SIDs only candidates: what they are is decided by reading them.
static FORMS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
    r"(?P<sid>S-1-[0-9]+(?:-[0-9]+)+)",
    r"|(?P<guid>[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12})",
    r"|(?P<profile>(?:^|[\\/])(?i:users|documents and settings)[\\/])(?P<owner>[^\\/\x22*?<>|:]+)",
    r"|(?P<mail>[\w.%+-]+@[\w-]+(?:\.[\w-]+)+)",
    r"|(?P<six>[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%[0-9A-Za-z]+)?)",
    r"|(?P<four>[0-9]+(?:\.[0-9]+)+)",
    ))
    .expect("written here and tested")
});

/// What may be an address of four numbers.
static FOUR: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"[0-9]+(?:\.[0-9]+)+").expect("written here and tested"));

/// Folders of profiles that are no person's.
const NOBODY: &[&str] = &["public", "default", "default user", "all users"];

/// The reports without who they are about.
#[must_use]
pub fn redact(reports: &[Report]) -> Vec<Report> {
    reports
        .iter()
        .map(|report| {
            let mut redacted = report.clone();
            let mut redactor = Redactor::of(report);
            texts(&mut redacted, &mut |text| *text = redactor.redacted(text));
            redacted
        })
        .collect()
}

/// The tokens of one report.
struct Redactor {
    /// What is known by name.
    names: Names,
    tokens: BTreeMap<Secret, BTreeMap<String, usize>>,
}

impl Redactor {
    fn of(report: &Report) -> Self {
        let mut known = BTreeMap::new();
        let mut add = |text: &str, secret: Secret| {
            let text = text.trim();
            if text.chars().count() > 1 && !is_token(text) {
                known.entry(folded(text)).or_insert(secret);
            }
        };
        let host = &report.host;
        if let Some(domain) = &host.domain {
            add(domain, Secret::Domain);
            // `contoso.example` is CONTOSO to the accounts of its users.
            if let Some((first, _)) = domain.split_once('.') {
                add(first, Secret::Domain);
            }
        }
        for name in host.name.iter().chain(&host.aliases) {
            let (label, domain) = match name.split_once('.') {
                Some((label, domain)) => (label, Some(domain)),
                None => (name.as_str(), None),
            };
            add(label, Secret::Host);
            if let Some(domain) = domain {
                add(domain, Secret::Domain);
                if let Some((first, rest)) = domain.split_once('.') {
                    add(first, Secret::Domain);
                    // A parent domain, but no bare top-level one.
                    if rest.contains('.') {
                        add(rest, Secret::Domain);
                    }
                }
            }
        }
        for fact in &report.facts {
            for (name, secret) in named_by(fact) {
                add(&name, secret);
            }
        }
        Redactor {
            names: Names::of(known),
            tokens: BTreeMap::new(),
        }
    }

    fn redacted(&mut self, text: &str) -> String {
        let formed = FORMS.replace_all(text, |found: &Captures<'_>| self.formed(found));
        let whole = formed.as_ref();
        let neighbour = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
        let mut redacted = String::with_capacity(whole.len());
        let mut done = 0;
        for found in self.names.find(whole) {
            let (before, behind) = (&whole[..found.place.start], &whole[found.place.end..]);
            let within = neighbour(before.chars().next_back()) || neighbour(behind.chars().next());
            if within && found.name.chars().count() < SHORT {
                continue;
            }
            redacted.push_str(&whole[done..found.place.start]);
            redacted.push_str(&token(
                &mut self.tokens,
                found.secret,
                found.name.to_owned(),
            ));
            done = found.place.end;
        }
        redacted.push_str(&whole[done..]);
        redacted
    }

    /// What stands for something that was found by its form.
    fn formed(&mut self, found: &Captures<'_>) -> String {
        let group = |name: &str| found.name(name).map(|group| group.as_str());
        let whole = found.get(0).map(|hit| hit.as_str()).unwrap_or_default();
        if let Some(sid) = group("sid") {
            return match is_well_known(sid) {
                true => sid.to_owned(),
                false => self.token(Secret::Sid, sid.to_lowercase()),
            };
        }
        if let Some(guid) = group("guid") {
            return self.token(Secret::Guid, guid.to_lowercase());
        }
        if let (Some(profile), Some(owner)) = (group("profile"), group("owner")) {
            let owner_lower = owner.to_lowercase();
            return match NOBODY.contains(&owner_lower.as_str()) || is_token(owner) {
                true => whole.to_owned(),
                false => format!("{profile}{}", self.token(Secret::User, owner_lower)),
            };
        }
        if let Some(mail) = group("mail") {
            return self.token(Secret::User, mail.to_lowercase());
        }
        if let Some(six) = group("six") {
            return self.six(six);
        }
        self.four(whole)
    }

    /// A text with colons: an address, perhaps with something behind it, or a time, or a port behind an address of the other kind.
    fn six(&mut self, text: &str) -> String {
        let bare = text.split('%').next().unwrap_or(text);
        let trimmed = bare.trim_end_matches('.');
        for end in [trimmed, trimmed.strip_suffix(':').unwrap_or(trimmed)] {
            if let Ok(address) = end.parse::<Ipv6Addr>() {
                let rest = &bare[end.len()..];
                return format!("{}{rest}", self.address(IpAddr::V6(address), end));
            }
        }
        FOUR.replace_all(text, |found: &Captures<'_>| self.four(&found[0]))
            .into_owned()
    }

    fn four(&mut self, text: &str) -> String {
        match text.parse::<Ipv4Addr>() {
            Ok(address) => self.address(IpAddr::V4(address), text),
            Err(_) => text.to_owned(),
        }
    }

    fn address(&mut self, address: IpAddr, written: &str) -> String {
        let address = address.to_canonical();
        match address.is_loopback() || address.is_unspecified() {
            true => written.to_owned(),
            false => self.token(Secret::Address, address.to_string()),
        }
    }

    fn token(&mut self, secret: Secret, value: String) -> String {
        token(&mut self.tokens, secret, value)
    }
}

/// The value's token; numbers are given in the order in which values are met.
fn token(
    tokens: &mut BTreeMap<Secret, BTreeMap<String, usize>>,
    secret: Secret,
    value: String,
) -> String {
    let of_kind = tokens.entry(secret).or_default();
    let next = of_kind.len() + 1;
    let number = of_kind.entry(value).or_insert(next);
    format!("{}-{number}", secret.word())
}

/// The names that a fact gives to people and machines.
fn named_by(fact: &FactEntry) -> Vec<(String, Secret)> {
    let mut found = Vec::new();
    for (field, value) in &fact.fields {
        let Value::String(text) = value else {
            continue;
        };
        match field.as_str() {
            "account" | "by" | "user" | "owner" if !text.starts_with("S-1-") => {
                let (domain, user) = match text.rsplit_once('\\') {
                    Some((domain, user)) => (Some(domain), user),
                    None => (None, text.as_str()),
                };
                found.push((user.to_owned(), Secret::User));
                found.extend(domain.map(|domain| (domain.to_owned(), Secret::Domain)));
            }
            "subject" | "issuer" => {
                found.extend(name_parts(text).map(|part| (part.to_owned(), Secret::Name)));
            }
            "computer" | "server" | "host" => found.push((text.clone(), Secret::Host)),
            "name" if fact.kind == "host.identity" => found.push((text.clone(), Secret::Host)),
            "domain" => found.push((text.clone(), Secret::Domain)),
            "object" if fact.kind == "policy.object" => found.push((text.clone(), Secret::Name)),
            "says" if fact.kind == "policy.value" && names_servers(fact) => {
                let servers = text.split([',', ';', ' ']);
                found.extend(servers.map(|server| (server.to_owned(), Secret::Host)));
            }
            _ => {}
        }
    }
    found
}

/// Whether a policy's setting is a list of servers.
fn names_servers(fact: &FactEntry) -> bool {
    let place = fact.fields.get("place").and_then(Value::as_str);
    place.is_some_and(|place| place.ends_with("LicenseServers"))
}

/// The values of a distinguished name: `CN=a, O=b` holds a and b.
fn name_parts(name: &str) -> impl Iterator<Item = &str> {
    name.split([',', '+', ';'])
        .filter_map(|part| part.split_once('='))
        .map(|(_, value)| value.trim().trim_matches('"'))
}

/// Whether it is one of our own tokens already.
fn is_token(text: &str) -> bool {
    text.rsplit_once('-').is_some_and(|(word, number)| {
        ["host", "domain", "user", "address", "sid", "guid", "name"].contains(&word)
            && !number.is_empty()
            && number.bytes().all(|digit| digit.is_ascii_digit())
    })
}

/// Accounts that every Windows has under the same SID, services and application packages included (Microsoft, "Security
/// identifiers"). Those of a domain or a machine (S-1-5-21), of a logon session (S-1-5-5) and of a directory (S-1-12) are not.
fn is_well_known(sid: &str) -> bool {
    let lower = sid.to_uppercase();
    !["S-1-5-21-", "S-1-5-5-", "S-1-12-", "S-1-11-"]
        .iter()
        .any(|start| lower.starts_with(start))
}

/// Every text of a report that the evidence or the user's files had a part in. Ids, levels, kinds and states are ours and stay.
fn texts(report: &mut Report, change: &mut impl FnMut(&mut String)) {
    let host = &mut report.host;
    host.name.iter_mut().for_each(&mut *change);
    host.aliases.iter_mut().for_each(&mut *change);
    host.domain.iter_mut().for_each(&mut *change);
    report.layout.title.iter_mut().for_each(&mut *change);
    report.layout.never_holds.iter_mut().for_each(&mut *change);
    for refused in &mut report.layout.refused {
        change(&mut refused.why);
    }
    let verdict = &mut report.verdict;
    change(&mut verdict.title);
    change(&mut verdict.summary);
    if let Some(error) = &mut verdict.client_error {
        change(&mut error.meaning);
    }
    for refusal in &mut verdict.refuse {
        change(&mut refusal.advice);
        change(&mut refusal.why);
        change(&mut refusal.instead);
    }
    for connection in &mut report.connections {
        change(&mut connection.client);
    }
    for finding in &mut report.findings {
        change(&mut finding.title);
        for fix in &mut finding.fixes {
            change(&mut fix.step);
            let texts = [
                &mut fix.run,
                &mut fix.risk,
                &mut fix.rollback,
                &mut fix.verify,
            ];
            texts.into_iter().flatten().for_each(&mut *change);
        }
    }
    for fact in &mut report.facts {
        for (_, value) in &mut fact.fields {
            in_value(value, change);
        }
        fact.sources
            .iter_mut()
            .for_each(|source| in_source(source, change));
    }
    for entry in &mut report.changes {
        change(&mut entry.what);
        entry.before.iter_mut().for_each(&mut *change);
        entry.after.iter_mut().for_each(&mut *change);
    }
    for entry in &mut report.timeline {
        change(&mut entry.title);
    }
    for client in &mut report.negotiation.clients {
        change(&mut client.profile);
        change(&mut client.title);
        change(&mut client.reason);
        client.also.iter_mut().for_each(&mut *change);
        client.open.iter_mut().for_each(&mut *change);
    }
    if let Some(server) = &mut report.negotiation.server {
        for setting in &mut server.settings {
            change(&mut setting.artifact);
            change(&mut setting.key);
            change(&mut setting.value);
        }
        server.residue.iter_mut().for_each(&mut *change);
        server.assumptions.iter_mut().for_each(&mut *change);
    }
    for artifact in &mut report.artifacts {
        change(&mut artifact.path);
        artifact.problems.iter_mut().for_each(&mut *change);
    }
    for problem in &mut report.problems {
        problem.artifact.iter_mut().for_each(&mut *change);
        problem.at.iter_mut().for_each(&mut *change);
        change(&mut problem.message);
    }
    for gap in &mut report.gaps {
        change(&mut gap.kind);
        change(&mut gap.why);
        change(&mut gap.obtain);
    }
}

fn in_value(value: &mut Value, change: &mut impl FnMut(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(values) => values.iter_mut().for_each(|value| in_value(value, change)),
        // `{"gap": id}` is ours.
        Value::Object(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn in_source(source: &mut SourceEntry, change: &mut impl FnMut(&mut String)) {
    let texts = [
        &mut source.artifact,
        &mut source.key,
        &mut source.value,
        &mut source.option,
    ];
    texts.into_iter().flatten().for_each(change);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redactor(names: &[(&str, Secret)]) -> Redactor {
        let known: BTreeMap<String, Secret> = names
            .iter()
            .map(|(name, secret)| (name.to_lowercase(), *secret))
            .collect();
        Redactor {
            names: Names::of(known),
            tokens: BTreeMap::new(),
        }
    }

    #[test]
    fn the_same_value_is_the_same_token() {
        let mut redactor = redactor(&[("TS01", Secret::Host), ("contoso.example", Secret::Domain)]);
        assert_eq!(
            redactor.redacted("10.1.2.3 to ts01.CONTOSO.example, 10.1.2.4, 10.1.2.3:3389: refused"),
            "address-1 to host-1.domain-1, address-2, address-1:3389: refused"
        );
        assert_eq!(redactor.redacted("::ffff:10.1.2.3"), "address-1");
    }

    #[test]
    fn addresses_of_both_kinds_go_and_what_only_looks_like_one_stays() {
        let mut redactor = redactor(&[]);
        assert_eq!(redactor.redacted("[2001:db8::7]:3389"), "[address-1]:3389");
        assert_eq!(redactor.redacted("fe80::1%eth0: x"), "address-2: x");
        for stays in [
            "2026-11-18T09:58:03.120Z",
            "1.3.6.1.4.1.311.54.1.2",
            "10.0.17763.1",
            "127.0.0.1 ::1",
            "C:\\ProgramData\\Microsoft\\Crypto",
            "S-1-5-20 S-1-5-80-956008885-3418522649",
        ] {
            assert_eq!(redactor.redacted(stays), stays);
        }
    }

    #[test]
    fn accounts_guids_and_profiles_go() {
        let mut redactor = redactor(&[("anna", Secret::User)]);
        assert_eq!(
            redactor.redacted("S-1-5-21-1-2-3-1106 f686_61841625-24c4-495b-9080-eccd903b9e6f"),
            "sid-1 f686_guid-1"
        );
        assert_eq!(
            redactor.redacted("C:\\Users\\Berta\\x C:/Users/Public/y"),
            "C:\\Users\\user-1\\x C:/Users/Public/y"
        );
        assert_eq!(
            redactor.redacted("CONTOSO\\Anna, savannah"),
            "CONTOSO\\user-2, savannah"
        );
        assert_eq!(redactor.redacted("berta.b@contoso.example"), "user-3");
    }
}
