//! The list of rules, as a table or for programs.

use super::json;
use super::{ListFormat, Listing, Room, TextOptions};
use crate::rules::show::Listed;

/// The rules in this format: a table for people, an array of objects or rows for programs.
#[must_use]
pub fn rule_list(rules: &[Listed], format: ListFormat, options: &TextOptions) -> Vec<u8> {
    match format {
        ListFormat::Json => json::pretty(&rules),
        ListFormat::Text => for_people(rules).render(format, options),
        ListFormat::Csv | ListFormat::Jsonl => for_programs(rules).render(format, options),
    }
}

fn for_people(rules: &[Listed]) -> Listing {
    let mut listing = Listing::new(&[
        ("Rule", Room::Content),
        ("Family", Room::Content),
        ("Title", Room::Rest),
        ("Needs", Room::Rest),
    ]);
    for rule in rules {
        let title = match rule.standing.as_str() {
            "cause" => rule.title.clone(),
            other => format!("{} ({other})", rule.title),
        };
        listing.row(vec![
            rule.id.clone(),
            rule.family.clone(),
            title,
            rule.needs.join(", "),
        ]);
    }
    listing
}

fn for_programs(rules: &[Listed]) -> Listing {
    let mut listing = Listing::new(&[
        ("Rule", Room::Content),
        ("Family", Room::Content),
        ("Standing", Room::Content),
        ("Title", Room::Rest),
        ("Needs", Room::Rest),
    ]);
    for rule in rules {
        listing.row(vec![
            rule.id.clone(),
            rule.family.clone(),
            rule.standing.clone(),
            rule.title.clone(),
            rule.needs.join(", "),
        ]);
    }
    listing
}
