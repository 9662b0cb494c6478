//! The attempts to connect, one row each: when, by whom, over what, how far it came, how it ended.

use serde_json::Value;

use super::clock::Clock;
use crate::verdict::model::{FactEntry, Report};

/// The columns' titles.
pub(super) const TITLES: [&str; 6] = ["Time", "Client", "Over", "As far as", "Ended", "Code"];

/// The latest attempts, in order, and how many there are before them. Those of strangers are left out where anybody counts.
pub(super) fn latest(report: &Report, most: usize, clock: &Clock) -> (Vec<[String; 6]>, usize) {
    let attempts = || {
        let facts = report.facts.iter();
        facts.filter(|fact| fact.kind == "connection.attempt")
    };
    let counts = |fact: &&FactEntry| fact.fields.get("stranger") != Some(&Value::Bool(true));
    let anybody = attempts().any(|fact| counts(&fact));
    let mut wanted: Vec<&FactEntry> = attempts().filter(|fact| !anybody || counts(fact)).collect();
    wanted.sort_by(|one, other| one.time.cmp(&other.time));
    let before = wanted.len().saturating_sub(most);
    let rows = wanted.into_iter().skip(before);
    (rows.map(|fact| row(fact, clock)).collect(), before)
}

fn row(fact: &FactEntry, clock: &Clock) -> [String; 6] {
    let text = |field: &str| match fact.fields.get(field) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Object(_)) => "not known".to_owned(),
        _ => String::new(),
    };
    let reached = match (text("reached"), text("session")) {
        (stage, session) if session.is_empty() => stage,
        (stage, session) => format!("{stage} {session}"),
    };
    let ended = match (fact.fields.get("ended"), text("reached").as_str()) {
        (Some(Value::Null), "session") => "got in".to_owned(),
        (Some(Value::Null), _) => "-".to_owned(),
        _ => text("ended"),
    };
    let time = fact.time.as_deref();
    [
        time.map_or_else(|| "-".to_owned(), |time| clock.full(time)),
        text("client"),
        text("transport").to_uppercase().replace("NOT KNOWN", "-"),
        reached,
        ended,
        text("code"),
    ]
}
