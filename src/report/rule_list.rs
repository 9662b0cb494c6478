//! The list of rules, as a table or as JSON.

use super::json;
use super::text::paper::Paper;
use super::text::table::{Column, Room};
use super::{Format, TextOptions};
use crate::rules::show::Listed;

/// The rules in this format: a table for people, an array of objects for programs.
#[must_use]
pub fn rule_list(rules: &[Listed], format: Format, options: &TextOptions) -> Vec<u8> {
    match format {
        Format::Json => json::pretty(&rules),
        Format::Text => table(rules, options).into_bytes(),
    }
}

fn table(rules: &[Listed], options: &TextOptions) -> String {
    let mut paper = Paper::new(options.width, options.charset);
    let columns = [
        Column {
            title: "Rule",
            room: Room::Content,
        },
        Column {
            title: "Family",
            room: Room::Content,
        },
        Column {
            title: "Standing",
            room: Room::Content,
        },
        Column {
            title: "Title",
            room: Room::Rest,
        },
    ];
    let rows: Vec<Vec<String>> = rules
        .iter()
        .map(|rule| {
            vec![
                rule.id.clone(),
                rule.family.clone(),
                rule.standing.clone(),
                rule.title.clone(),
            ]
        })
        .collect();
    paper.table(0, &columns, &rows);
    paper.into_text()
}
