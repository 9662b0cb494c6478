//! The list of rules, as a table or for programs.

use super::json;
use super::{ListFormat, Listing, Room, TextOptions};
use crate::rules::show::Listed;

/// The rules in this format: a table for people, an array of objects or rows for programs.
#[must_use]
pub fn rule_list(rules: &[Listed], format: ListFormat, options: &TextOptions) -> Vec<u8> {
    if format == ListFormat::Json {
        return json::pretty(&rules);
    }
    let mut listing = Listing::new(&[
        ("Rule", Room::Content),
        ("Family", Room::Content),
        ("Standing", Room::Content),
        ("Title", Room::Rest),
    ]);
    for rule in rules {
        listing.row(vec![
            rule.id.clone(),
            rule.family.clone(),
            rule.standing.clone(),
            rule.title.clone(),
        ]);
    }
    listing.render(format, options)
}
