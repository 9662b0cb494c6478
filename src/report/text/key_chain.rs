//! The chain from the listener to its private key, link by link.

use serde_json::Value;

use super::paper::{Ink, Paper};
use super::table::{Column, Room};
use crate::verdict::model::{FactEntry, Report};

/// The kind of facts that hold the links, in their order.
const KIND: &str = "key.chain";
/// Links that only what was collected of keys can tell; the ones before stand in the hives.
const OF_THE_KEY: [&str; 5] = ["file", "structure", "public-key", "permissions", "dpapi"];

/// Shows the chain where it is the matter, or where anything was collected of the key.
pub(super) fn write(paper: &mut Paper, report: &Report) {
    let links: Vec<&FactEntry> = report
        .facts
        .iter()
        .filter(|fact| fact.kind == KIND)
        .collect();
    let is_seen = |fact: &&FactEntry| {
        let standing = text(fact, "standing");
        standing == "broken" || (standing == "proved" && OF_THE_KEY.contains(&text(fact, "link")))
    };
    let concerned = report.verdict.family.as_deref() == Some("private-key");
    if links.is_empty() || !(concerned || links.iter().any(is_seen)) {
        return;
    }
    paper.heading(
        "The private key",
        "from the listener to the file, link by link",
    );
    let rows: Vec<Vec<String>> = links.iter().map(|fact| row(fact, report)).collect();
    let columns = [
        Column::untitled(Room::Content),
        Column::untitled(Room::Content),
        Column::untitled(Room::Rest),
    ];
    paper.table(2, &columns, &rows);
    let broken = links.iter().find(|fact| text(fact, "standing") == "broken");
    if let Some(link) = broken {
        let says = format!("It breaks at: {}.", words(text(link, "link")));
        paper.line(2, &[(Ink::Strong, &says)]);
    }
}

fn row(fact: &FactEntry, report: &Report) -> Vec<String> {
    let standing = match text(fact, "standing") {
        "proved" => "proved",
        "broken" => "BROKEN",
        _ => "not seen",
    };
    vec![
        words(text(fact, "link")).to_owned(),
        standing.to_owned(),
        says(fact, report),
    ]
}

/// What is known of a link; of one that was not seen, why not.
fn says(fact: &FactEntry, report: &Report) -> String {
    match fact.fields.get("says") {
        Some(Value::String(says)) => says.clone(),
        Some(Value::Object(open)) => {
            let id = open.get("gap").and_then(Value::as_str).unwrap_or_default();
            let gap = report.gaps.iter().find(|gap| gap.id == id);
            gap.map_or_else(String::new, |gap| gap.why.clone())
        }
        _ => String::new(),
    }
}

fn words(link: &str) -> &str {
    match link {
        "public-key" => "public key",
        "dpapi" => "DPAPI",
        other => other,
    }
}

fn text<'a>(fact: &'a FactEntry, field: &str) -> &'a str {
    fact.fields
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
}
