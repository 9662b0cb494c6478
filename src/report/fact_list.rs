//! The list of facts, as a table or as JSON.

use std::collections::BTreeMap;

use serde::Serialize;

use super::observation::observation;
use super::source::Sources;
use super::text::paper::Paper;
use super::text::table::{Column, Room};
use super::{Format, TextOptions, json};
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
    format: Format,
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
        Format::Json => json::pretty(&listed),
        Format::Text => {
            let tables: Vec<String> = reports
                .iter()
                .zip(&listed)
                .map(|(report, listed)| table(report, &listed.facts, options))
                .collect();
            tables.join("\n").into_bytes()
        }
    }
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
        Column {
            title: "",
            room: Room::Content,
        },
        Column {
            title: "",
            room: Room::Rest,
        },
        Column {
            title: "",
            room: Room::AtMost(30),
        },
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
