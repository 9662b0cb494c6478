//! The list of facts, as a table or as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::observation::observation;
use super::source::Sources;
use super::text::paper::Paper;
use super::text::table::{Column, Room};
use super::{Clock, ListFormat, Listing, TextOptions, json};
use crate::verdict::model::{FactEntry, GapEntry, Host, Report};

/// The facts of one host.
#[derive(Debug, Serialize)]
struct Listed<'r> {
    host: &'r Host,
    facts: Vec<&'r FactEntry>,
    /// Why fields are open.
    gaps: &'r [GapEntry],
}

/// The facts of these reports in this format: a table for each host for people, an array with one object for each host for
/// programs. Where kinds are named, only facts of these.
#[must_use]
pub fn fact_list(
    reports: &[Report],
    kinds: &[String],
    format: ListFormat,
    options: &TextOptions,
) -> Vec<u8> {
    let listed: Vec<Listed<'_>> = reports
        .iter()
        .map(|report| Listed {
            host: &report.host,
            facts: chosen(&report.facts, kinds),
            gaps: &report.gaps,
        })
        .collect();
    match format {
        ListFormat::Json => json::pretty(&listed),
        ListFormat::Jsonl => listed.iter().flat_map(json::line).collect(),
        ListFormat::Csv => rows(reports, kinds).csv(),
        ListFormat::Text => {
            let tables: Vec<String> = reports
                .iter()
                .zip(&listed)
                .map(|(report, listed)| table(report, &listed.facts, options))
                .collect();
            tables.join("\n").into_bytes()
        }
    }
}

/// A row for each fact.
fn rows(reports: &[Report], kinds: &[String]) -> Listing {
    let column = |title| (title, super::Room::Content);
    let mut listing = Listing::new(&["host", "id", "kind", "time", "says", "source"].map(column));
    let clock = Clock::new(jiff::tz::TimeZone::UTC);
    for report in reports {
        let sources = Sources::of(report);
        for fact in chosen(&report.facts, kinds) {
            listing.row(vec![
                report.host.name.clone().unwrap_or_default(),
                fact.id.clone(),
                fact.kind.clone(),
                fact.time.clone().unwrap_or_default(),
                observation(fact, &clock),
                sources.place(fact, true),
            ]);
        }
    }
    listing
}

fn chosen<'r>(facts: &'r [FactEntry], kinds: &[String]) -> Vec<&'r FactEntry> {
    facts
        .iter()
        .filter(|fact| kinds.is_empty() || kinds.contains(&fact.kind))
        .collect()
}

/// One table for each kind, in the order of their names.
fn table(report: &Report, facts: &[&FactEntry], options: &TextOptions) -> String {
    let sources = Sources::of(report);
    let mut paper = Paper::new(options.width, options.charset);
    let host = report.host.name.as_deref();
    let host = host.unwrap_or("a host without a name");
    let count = match facts.len() {
        1 => "1 fact".to_owned(),
        many => format!("{many} facts"),
    };
    paper.heading(
        host,
        &format!("{count}, times in {}", options.clock.zone_name()),
    );
    let mut kinds: BTreeMap<&str, Vec<&FactEntry>> = BTreeMap::new();
    for fact in facts {
        kinds.entry(&fact.kind).or_default().push(fact);
    }
    let columns = [
        Column::untitled(Room::Content),
        Column::untitled(Room::Rest),
        Column::untitled(Room::AtMost(30)),
    ];
    for (kind, mut facts) in kinds {
        paper.heading(kind, "");
        facts.sort_by_key(|fact| fact.time.as_deref());
        let rows: Vec<Vec<String>> = facts
            .iter()
            .map(|fact| {
                let time = fact.time.as_deref();
                vec![
                    time.map_or_else(|| "-".to_owned(), |time| options.clock.full(time)),
                    observation(fact, &options.clock),
                    sources.place(fact, true),
                ]
            })
            .collect();
        paper.table(2, &columns, &rows);
    }
    paper.into_text()
}
