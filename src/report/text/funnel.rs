//! How far each client's attempts came: attempts by client and stage, those that count first.

use super::paper::{Ink, Paper};
use super::table::{Column, Room};
use super::{count, thousands};
use crate::report::attempt_rows;
use crate::report::clock::Clock;
use crate::verdict::model::{Connection, Report};

/// How many attempts are shown.
const MOST_ATTEMPTS: usize = 15;
/// How many clients are shown.
const MOST_CLIENTS: usize = 12;
/// The stages, in the order in which an attempt passes them.
const STAGES: [&str; 4] = ["arrived", "tls", "credentials", "session"];

pub(super) fn write(paper: &mut Paper, report: &Report, clock: &Clock) {
    if report.connections.is_empty() {
        return;
    }
    paper.heading(
        "Attempts by client",
        "how many came as far as each stage, and no further",
    );
    let (people, strangers): (Vec<&Connection>, Vec<&Connection>) = report
        .connections
        .iter()
        .partition(|client| !client.stranger);
    let all = people.iter().chain(&strangers);
    let rows: Vec<Vec<String>> = all
        .take(MOST_CLIENTS)
        .map(|client| row(client, clock))
        .collect();
    let columns = [
        Column::untitled(Room::AtMost(24)),
        Column::untitled(Room::Content),
        Column::untitled(Room::Rest),
    ];
    paper.table(2, &columns, &rows);
    let more = report.connections.len().saturating_sub(MOST_CLIENTS);
    if more > 0 {
        let says = format!(
            "and {} more, all in the JSON report",
            count(more as u64, "client", "clients")
        );
        paper.line(2, &[(Ink::Dim, &says)]);
    }
    one_by_one(paper, report, clock);
    if let Some(unseen) = unseen(report) {
        let says = format!("no log shows at the end who got past: {unseen}");
        paper.line(2, &[(Ink::Warning, &says)]);
    }
}

/// The latest attempts, a row each.
fn one_by_one(paper: &mut Paper, report: &Report, clock: &Clock) {
    let (rows, before) = attempt_rows::latest(report, MOST_ATTEMPTS, clock);
    if rows.is_empty() {
        return;
    }
    let remark = match before {
        0 => "all of them".to_owned(),
        before => format!(
            "the latest; {} before them: rdptriage facts --kind connection.attempt",
            thousands(before as u64)
        ),
    };
    paper.heading("Attempts one by one", &remark);
    let [time, client, over, reached, ended, code] = attempt_rows::TITLES;
    let of = |title, room| Column { title, room };
    let columns = [
        of(time, Room::Content),
        of(client, Room::AtMost(24)),
        of(over, Room::Content),
        of(reached, Room::Rest),
        of(ended, Room::Rest),
        of(code, Room::Content),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().map(Vec::from).collect();
    paper.table(2, &columns, &rows);
}

fn row(client: &Connection, clock: &Clock) -> Vec<String> {
    let state = match client.stranger {
        true => "never got in",
        false => client.state.as_str(),
    };
    let mut reached: Vec<String> = STAGES
        .iter()
        .filter_map(|stage| {
            let number = client.reached.get(*stage)?;
            Some(format!("{stage} {}", thousands(*number)))
        })
        .collect();
    if let Some(last) = &client.last {
        reached.push(format!("last {}", clock.full(last)));
    }
    vec![client.client.clone(), state.to_owned(), reached.join(", ")]
}

/// The stages that no log shows, as the fact about the state names them.
fn unseen(report: &Report) -> Option<&str> {
    let state = report
        .facts
        .iter()
        .find(|fact| fact.kind == "connection.state")?;
    state.fields.get("unseen")?.as_str()
}
