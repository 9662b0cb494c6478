//! What somebody asks about: a rule, an event, a client's code, a status, an alert, a state.

use super::tables::{FAMILIES, PROVIDERS, TLS};
use crate::rules::RuleSet;
use crate::verdict::client_error::ClientCode;

/// One thing that can be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Question {
    /// A rule of that id.
    Rule(String),
    /// An event of that number, of the provider with that place in the table.
    Event { provider: usize, id: u32 },
    /// A number that no event of that provider has in the table.
    UnknownEvent { provider: usize, id: u32 },
    /// A code that a client shows.
    Client(ClientCode),
    /// A status, as HRESULT or NTSTATUS.
    Status(u32),
    /// An alert of TLS.
    Alert(u32),
    /// An error state of Schannel.
    State(u32),
    /// A number of which nothing here is known.
    Unknown(u32),
}

/// Everything that this text may ask about, the likeliest first; nothing where it is not understood.
pub(super) fn read(asked: &str, rules: &RuleSet) -> Vec<Question> {
    let found = as_written(asked.trim(), rules);
    if !found.is_empty() {
        return found;
    }
    // As logs, viewers and forums write it: `Schannel-36874`, `Event ID: 36874`, `error 0x80090016`.
    let plain: Vec<String> = asked
        .to_ascii_lowercase()
        .split(|letter: char| letter.is_whitespace() || "-:,;#()[]".contains(letter))
        .filter(|word| !word.is_empty() && !FILLERS.contains(word))
        .map(str::to_owned)
        .collect();
    as_written(&plain.join(" "), rules)
}

/// Words that say nothing of what the number behind them is.
const FILLERS: [&str; 12] = [
    "a", "an", "the", "id", "error", "code", "status", "hresult", "ntstatus", "result", "reason",
    "source",
];

fn as_written(asked: &str, rules: &RuleSet) -> Vec<Question> {
    let lower = asked.to_ascii_lowercase();
    let id = lower.replace(['_', ' '], "-");
    if rules.rule(&id).is_some() {
        return vec![Question::Rule(id)];
    }
    if let Some(named) = by_name(&lower) {
        return vec![named];
    }
    let words: Vec<&str> = lower.split_whitespace().collect();
    if let Some(told) = told(&words) {
        return told;
    }
    if let [word] = words[..]
        && let Some(questions) = number(word).map(|number| of_number(word, number))
    {
        return questions;
    }
    ClientCode::parse(asked).map_or_else(|_| Vec::new(), |code| vec![Question::Client(code)])
}

/// A status or an alert by the name that its makers gave it.
fn by_name(lower: &str) -> Option<Question> {
    let statuses = FAMILIES.iter().flat_map(|family| &family.codes);
    let alert = lower.strip_prefix("alert ").unwrap_or(lower);
    statuses
        .into_iter()
        .find(|status| status.name.eq_ignore_ascii_case(lower))
        .map(|status| Question::Status(status.code))
        .or_else(|| {
            let named = TLS.alerts.codes.iter().find(|known| known.name == alert);
            named.map(|known| Question::Alert(known.code))
        })
}

/// A number with words that say what it is: `schannel 36874`, `event 1057`, `alert 40`, `state 10013`.
fn told(words: &[&str]) -> Option<Vec<Question>> {
    let (said, id) = match words {
        [said @ .., last] if !said.is_empty() && number(last).is_some() => (said, number(last)?),
        [first, said @ ..] if !said.is_empty() && number(first).is_some() => (said, number(first)?),
        _ => return None,
    };
    match said {
        ["alert" | "tls"] | ["tls", "alert"] => return Some(vec![Question::Alert(id)]),
        ["state"] | ["error", "state"] | ["schannel", "state"] => {
            return Some(vec![Question::State(id)]);
        }
        ["extended"] | ["extended", "error", "code"] => {
            let code = ClientCode::parse(&format!("extended 0x{id:X}")).ok()?;
            return Some(vec![Question::Client(code)]);
        }
        ["event" | "system" | "application"] => {
            let events = events(id);
            return Some(match events.is_empty() {
                true => vec![Question::Unknown(id)],
                false => events,
            });
        }
        _ => {}
    }
    let name = said.join(" ");
    let name = name.strip_suffix(" event").unwrap_or(&name);
    let provider = PROVIDERS
        .iter()
        .position(|provider| provider.is_called(name))?;
    let is_known = events(id).contains(&Question::Event { provider, id });
    Some(vec![match is_known {
        true => Question::Event { provider, id },
        false => Question::UnknownEvent { provider, id },
    }])
}

/// A number alone: a long one is a status; a short one in hexadecimal is what clients show; one in decimal may be many things.
fn of_number(text: &str, number: u32) -> Vec<Question> {
    const LONGEST_SHORT: u32 = 0xFFFF;
    if number > LONGEST_SHORT {
        return vec![Question::Status(number)];
    }
    let client = ClientCode::parse(text).ok();
    let wrapped = 0x8007_0000 | number;
    if text.starts_with("0x") {
        let mut found: Vec<Question> = client.clone().map(Question::Client).into_iter().collect();
        // `0x2740`, a socket's error, is one that no client shows; `0x7` is shown as an extended reason.
        if !client.is_some_and(|client| client.is_documented()) {
            let extended = ClientCode::parse(&format!("extended {text}")).ok();
            let told = extended
                .filter(ClientCode::is_documented)
                .map(Question::Client);
            let status = super::tables::status(wrapped).map(|_| Question::Status(wrapped));
            let others: Vec<Question> = told.into_iter().chain(status).collect();
            if !others.is_empty() {
                found = others;
            }
        }
        return found;
    }
    let mut found = events(number);
    found.extend(
        client
            .filter(ClientCode::is_documented)
            .map(Question::Client),
    );
    if TLS.alerts.codes.iter().any(|alert| alert.code == number) {
        found.push(Question::Alert(number));
    }
    if TLS.states.codes.iter().any(|state| state.code == number) {
        found.push(Question::State(number));
    }
    if super::tables::status(wrapped).is_some() {
        found.push(Question::Status(wrapped));
    }
    if found.is_empty() {
        // People copy the digits without the 0x.
        let meant = ClientCode::parse(&format!("0x{text}"));
        found.extend(
            meant
                .ok()
                .filter(ClientCode::is_documented)
                .map(Question::Client),
        );
    }
    if found.is_empty() {
        found.push(Question::Unknown(number));
    }
    found
}

fn events(id: u32) -> Vec<Question> {
    let has =
        |provider: &super::tables::Provider| provider.events.iter().any(|event| event.id == id);
    let providers = PROVIDERS.iter().enumerate();
    providers
        .filter(|(_, provider)| has(provider))
        .map(|(provider, _)| Question::Event { provider, id })
        .collect()
}

/// A number as people and logs write it: hexadecimal with 0x, eight hexadecimal digits, decimal, signed decimal.
fn number(text: &str) -> Option<u32> {
    const DIGITS_OF_A_STATUS: usize = 8;
    if let Some(digits) = text.strip_prefix("0x") {
        let are_digits = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        return u32::from_str_radix(digits, 16).ok().filter(|_| are_digits);
    }
    if let Some(digits) = text.strip_prefix('-') {
        let value: i64 = digits.parse().ok()?;
        return i32::try_from(-value).ok().map(i32::cast_unsigned);
    }
    let is_status = text.len() == DIGITS_OF_A_STATUS
        && text.starts_with(['8', 'c', 'd'])
        && text.bytes().all(|digit| digit.is_ascii_hexdigit());
    match is_status {
        true => u32::from_str_radix(text, 16).ok(),
        false => text
            .bytes()
            .all(|digit| digit.is_ascii_digit())
            .then(|| text.parse().ok())?,
    }
}

/// The names that a mistyped one may have meant, the nearest first.
pub(super) fn nearest(asked: &str, rules: &RuleSet) -> Vec<String> {
    const MOST: usize = 3;
    let lower = asked.trim().to_lowercase();
    let statuses = FAMILIES.iter().flat_map(|family| &family.codes);
    let names = rules
        .rules()
        .map(|rule| rule.id.clone())
        .chain(statuses.map(|status| status.name.clone()))
        .chain(TLS.alerts.codes.iter().map(|alert| alert.name.clone()));
    let mut near: Vec<(usize, String)> = names
        .map(|name| {
            let apart = strsim::damerau_levenshtein(&lower, &name.to_lowercase());
            (apart, name)
        })
        .filter(|(apart, name)| *apart <= name.len() / 3)
        .collect();
    // `shannel 36874`: the number is right, the provider's name is not.
    if let Some((word, rest)) = lower.split_once(' ')
        && number(rest.trim()).is_some()
    {
        for provider in PROVIDERS.iter() {
            let apart = strsim::damerau_levenshtein(word, &provider.name.to_lowercase());
            if apart <= provider.name.len() / 3 {
                let name = format!("{} {}", provider.name.to_lowercase(), rest.trim());
                near.push((apart, name));
            }
        }
    }
    near.sort();
    near.into_iter().take(MOST).map(|(_, name)| name).collect()
}
