//! The evidence, numbered and grouped by the test that it answers.

use std::collections::BTreeMap;

use super::paper::{Ink, Paper};
use super::table::{Column, Room};
use super::{in_role, thousands};
use crate::report::clock::Clock;
use crate::report::observation::observation;
use crate::report::source::Sources;
use crate::verdict::model::{FactEntry, Finding, Report, Role, TestEntry, TestRole, TruthValue};

/// How many rows one test shows; the rest is counted.
const ROWS_OF_A_TEST: usize = 4;

/// One row: observations that say the same, from the first to the last.
pub(in crate::report) struct Row<'a> {
    pub(in crate::report) number: usize,
    pub(in crate::report) time: Option<String>,
    pub(in crate::report) says: String,
    pub(in crate::report) place: String,
    /// The fact that the place is of: the earliest.
    pub(in crate::report) fact: Option<&'a FactEntry>,
}

/// The rows of one test.
pub(in crate::report) struct Group<'a> {
    pub(in crate::report) title: String,
    pub(in crate::report) rows: Vec<Row<'a>>,
    /// Numbers of rows that an earlier group already shows.
    pub(in crate::report) known: Vec<usize>,
    /// How many more rows there are.
    pub(in crate::report) more: usize,
}

/// Gives each observation its number, once.
pub(in crate::report) struct Evidence<'a> {
    sources: &'a Sources<'a>,
    clock: &'a Clock,
    numbers: BTreeMap<String, usize>,
    pub(in crate::report) groups: Vec<Group<'a>>,
    next: usize,
    wide: bool,
}

impl<'a> Evidence<'a> {
    pub(in crate::report) fn new(sources: &'a Sources<'a>, clock: &'a Clock, wide: bool) -> Self {
        Evidence {
            sources,
            clock,
            numbers: BTreeMap::new(),
            groups: Vec::new(),
            next: 1,
            wide,
        }
    }

    /// The numbers of these facts, such as `[2, 5]`; nothing where none of them is shown.
    pub(super) fn numbers(&self, facts: &[String]) -> String {
        list(&self.numbers_of(facts))
    }

    /// The same as numbers, in order, each once.
    pub(in crate::report) fn numbers_of(&self, facts: &[String]) -> Vec<usize> {
        let mut numbers: Vec<usize> = facts
            .iter()
            .filter_map(|fact| self.numbers.get(fact).copied())
            .collect();
        numbers.sort_unstable();
        numbers.dedup();
        numbers
    }

    /// A test's rows; at most so many are shown.
    fn add(&mut self, title: &str, ids: &[String], most: usize) {
        let mut known: Vec<usize> = Vec::new();
        let mut alike: Vec<(String, Vec<&'a FactEntry>)> = Vec::new();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for id in ids {
            if let Some(number) = self.numbers.get(id) {
                known.push(*number);
                continue;
            }
            let Some(fact) = self.sources.fact(id) else {
                continue;
            };
            let says = observation(fact, self.clock);
            let at = *places.entry(says.clone()).or_insert(alike.len());
            match alike.get_mut(at) {
                Some((_, facts)) => facts.push(fact),
                None => alike.push((says, vec![fact])),
            }
        }
        known.sort_unstable();
        known.dedup();
        let more = alike.len().saturating_sub(most);
        let rows: Vec<Row<'a>> = alike
            .into_iter()
            .take(most)
            .map(|(says, facts)| self.row(says, &facts))
            .collect();
        let said = self.groups.iter().any(|group| group.title == title);
        if !rows.is_empty() || !(known.is_empty() || said) {
            self.groups.push(Group {
                title: title.to_owned(),
                rows,
                known,
                more,
            });
        }
    }

    fn row(&mut self, says: String, facts: &[&'a FactEntry]) -> Row<'a> {
        let number = self.next;
        self.next += 1;
        for fact in facts {
            self.numbers.insert(fact.id.clone(), number);
        }
        let first = facts.iter().min_by(|one, other| one.time.cmp(&other.time));
        let last = facts.iter().filter_map(|fact| fact.time.as_ref()).max();
        let place = first
            .map(|fact| self.sources.place(fact, self.wide))
            .unwrap_or_default();
        let says = match (facts.len(), last) {
            (0 | 1, _) => says,
            (count, Some(last)) => format!(
                "{says} (×{}, last {})",
                thousands(count as u64),
                self.clock.short(last)
            ),
            (count, None) => format!("{says} (×{})", thousands(count as u64)),
        };
        Row {
            number,
            time: first.and_then(|fact| fact.time.clone()),
            says,
            place,
            fact: first.copied(),
        }
    }
}

pub(super) fn write<'a>(
    paper: &mut Paper,
    report: &'a Report,
    evidence: &mut Evidence<'a>,
    ruled_out: &[&Finding],
) {
    gather(report, evidence, ruled_out);
    if !evidence.groups.is_empty() {
        print(paper, evidence);
    }
}

/// Everything that is shown of the evidence, in order; at the end what refutes the findings that are shown as ruled out.
pub(in crate::report) fn gather(
    report: &Report,
    evidence: &mut Evidence<'_>,
    ruled_out: &[&Finding],
) {
    for finding in spoken_of(report) {
        for test in true_tests(finding) {
            evidence.add(&test.name, &test.evidence, ROWS_OF_A_TEST);
        }
    }
    if in_role(report, Role::RootCause).next().is_none() {
        evidence.add(
            "how people's connections fare",
            &state(report),
            ROWS_OF_A_TEST,
        );
        evidence.add("how each client fares", &clients(report), ROWS_OF_A_TEST);
    }
    let against: Vec<String> = ruled_out
        .iter()
        .filter_map(|finding| super::ruled_out::refutation(finding))
        .filter_map(|test| test.evidence.first().cloned())
        .filter(|fact| !evidence.numbers.contains_key(fact))
        .collect();
    evidence.add("what rules other causes out", &against, usize::MAX);
}

fn print(paper: &mut Paper, evidence: &Evidence<'_>) {
    let wide = evidence.wide;
    let time = |row: &Row<'_>| match &row.time {
        Some(time) if wide => evidence.clock.full(time),
        Some(time) => evidence.clock.short(time),
        None => "—".to_owned(),
    };
    let cells: Vec<Vec<String>> = evidence
        .groups
        .iter()
        .flat_map(|group| &group.rows)
        .map(|row| {
            vec![
                row.number.to_string(),
                time(row),
                row.says.clone(),
                row.place.clone(),
            ]
        })
        .collect();
    let columns = [
        Column {
            title: "#",
            room: Room::Content,
        },
        Column {
            title: "Time",
            room: Room::Content,
        },
        Column {
            title: "Observation",
            room: Room::Rest,
        },
        Column {
            title: "Source",
            room: Room::AtMost(paper.width() / 3),
        },
    ];
    paper.heading(
        "Evidence",
        &format!("times in {}", evidence.clock.zone_name()),
    );
    let mut lines = paper.rows(4, &columns, &cells).into_iter();
    if let Some(head) = lines.next().filter(|_| !cells.is_empty()) {
        paper.row(4, Ink::Dim, &head);
    }
    for group in &evidence.groups {
        let known = list(&group.known);
        let title = match known.is_empty() {
            true => group.title.clone(),
            false => format!("{}  {known}", group.title),
        };
        paper.paragraph(2, Ink::Plain, &title);
        for row in lines.by_ref().take(group.rows.len()) {
            paper.row(4, Ink::Plain, &row);
        }
        if group.more > 0 {
            let more = format!(
                "and {} more, all in the JSON report",
                thousands(group.more as u64)
            );
            paper.line(7, &[(Ink::Dim, &more)]);
        }
    }
}

/// The findings whose evidence is laid out, the verdict's first.
fn spoken_of(report: &Report) -> impl Iterator<Item = &Finding> {
    [
        Role::RootCause,
        Role::Also,
        Role::Candidate,
        Role::Contributing,
        Role::Latent,
    ]
    .into_iter()
    .flat_map(|role| in_role(report, role))
}

/// The tests that speak for the finding, what proves it first.
pub(in crate::report) fn true_tests(finding: &Finding) -> impl Iterator<Item = &TestEntry> {
    [TestRole::Decisive, TestRole::Require, TestRole::Support]
        .into_iter()
        .flat_map(|role| {
            finding
                .tests
                .iter()
                .filter(move |test| test.role == role && test.truth == TruthValue::True)
        })
}

fn state(report: &Report) -> Vec<String> {
    report
        .facts
        .iter()
        .filter(|fact| fact.kind == "connection.state")
        .map(|fact| fact.id.clone())
        .collect()
}

/// The outcomes of clients that count; strangers have their number in the state.
fn clients(report: &Report) -> Vec<String> {
    report
        .facts
        .iter()
        .filter(|fact| fact.kind == "client.outcome")
        .filter(|fact| fact.fields.get("stranger") != Some(&serde_json::Value::Bool(true)))
        .map(|fact| fact.id.clone())
        .collect()
}

/// `[1, 3]`, or nothing.
fn list(numbers: &[usize]) -> String {
    if numbers.is_empty() {
        return String::new();
    }
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    format!("[{}]", words.join(", "))
}
