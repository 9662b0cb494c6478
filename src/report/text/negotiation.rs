//! The screen of `negotiate`: what each client comes to, then what it rests on.

use super::clients::reason;
use super::paper::{Ink, Paper};
use super::table::{Column, Room};
use super::{Detail, TextOptions};
use crate::report::clock::Clock;
use crate::verdict::model::{ClientNegotiation, NegotiationOutput, ServerOffer, SettingEntry};

const LABEL: usize = 13;

/// More clients than this stand in a table.
const MOST_IN_FULL: usize = 2;

/// The whole screen.
pub(in crate::report) fn render(said: &NegotiationOutput, options: &TextOptions) -> String {
    let mut paper = Paper::new(options.width, options.charset);
    let clients = &said.negotiation.clients;
    if clients.len() > MOST_IN_FULL {
        table(&mut paper, clients);
    } else {
        for client in clients {
            in_full(&mut paper, client);
        }
    }
    if let Some(server) = &said.negotiation.server {
        offer(&mut paper, server);
        settings(&mut paper, server, &options.clock);
        listed(&mut paper, "Left behind by hardening", &server.residue);
        if options.detail == Detail::Reasoning {
            suites(&mut paper, server);
        }
    }
    let problems = said.problems.iter().map(|problem| {
        let place = [problem.artifact.as_deref(), problem.at.as_deref()];
        let place: Vec<&str> = place.into_iter().flatten().collect();
        format!("{}: {}", place.join(", "), problem.message)
    });
    listed(&mut paper, "Problems", &problems.collect::<Vec<_>>());
    paper.into_text()
}

fn ink(client: &ClientNegotiation) -> Ink {
    match client.outcome.as_str() {
        "agreed" => Ink::Good,
        "none" => Ink::Bad,
        _ => Ink::Warning,
    }
}

fn in_full(paper: &mut Paper, client: &ClientNegotiation) {
    let word = match client.outcome.as_str() {
        "agreed" => "AGREED",
        "none" => "NOTHING IN COMMON",
        _ => "NOT CERTAIN",
    };
    paper.blank();
    paper.line(
        0,
        &[
            (ink(client), word),
            (Ink::Plain, "  "),
            (Ink::Strong, &client.profile),
            (Ink::Dim, &format!("  {}", client.title)),
        ],
    );
    let agreed = [
        ("version", &client.version),
        ("suite", &client.suite),
        ("group", &client.group),
        ("signature", &client.signature),
    ];
    for (label, value) in agreed {
        if let Some(value) = value {
            paper.labelled(2, (Ink::Dim, label), LABEL, Ink::Plain, value);
        }
    }
    if client.outcome != "agreed" || !client.open.is_empty() || reason(client).contains("; ") {
        paper.labelled(2, (Ink::Dim, "because"), LABEL, Ink::Plain, reason(client));
    }
}

fn table(paper: &mut Paper, clients: &[ClientNegotiation]) {
    let column = |title, room| Column { title, room };
    let columns = [
        column("Client", Room::AtMost(24)),
        column("Outcome", Room::Content),
        column("Version", Room::Content),
        column("Suite, or why not", Room::Rest),
    ];
    let rows: Vec<Vec<String>> = clients
        .iter()
        .map(|client| {
            let says = match (&client.suite, client.outcome.as_str()) {
                (Some(suite), "agreed") => match &client.group {
                    Some(group) => format!("{suite}, {group}"),
                    None => suite.clone(),
                },
                _ => reason(client).to_owned(),
            };
            vec![
                client.profile.clone(),
                client.outcome.clone(),
                client.version.clone().unwrap_or_else(|| "-".to_owned()),
                says,
            ]
        })
        .collect();
    paper.table(0, &columns, &rows);
}

fn offer(paper: &mut Paper, server: &ServerOffer) {
    paper.heading(
        "The server",
        server
            .windows
            .as_deref()
            .unwrap_or("its Windows version is not known"),
    );
    for version in &server.versions {
        let says = format!("{} ({})", version.state, version.reason);
        paper.labelled(2, (Ink::Dim, &version.version), LABEL, Ink::Plain, &says);
    }
    let list = match server.list.as_str() {
        "policy" => "by policy",
        "local" => "by the local list",
        "build-default" => "the default of this Windows",
        _ => "not known",
    };
    let count = |standing: &str| {
        server
            .suites
            .iter()
            .filter(|suite| suite.standing == standing)
            .count()
    };
    let left_out = server.suites.len() - count("offered") - count("uncertain");
    let mut says = format!("{list}: {} offered", count("offered"));
    if count("uncertain") > 0 {
        says.push_str(&format!(", {} uncertain", count("uncertain")));
    }
    says.push_str(&format!(", {left_out} not (-v lists them all)"));
    paper.labelled(2, (Ink::Dim, "suites"), LABEL, Ink::Plain, &says);
    if let Some(says) = waiting_for_tls13(server) {
        paper.labelled(2, (Ink::Dim, "waiting"), LABEL, Ink::Plain, &says);
    }
    paper.labelled(
        2,
        (Ink::Dim, "groups"),
        LABEL,
        Ink::Plain,
        &server.groups.join(", "),
    );
    let certificate = server.certificate.as_deref().unwrap_or("not known");
    paper.labelled(2, (Ink::Dim, "certificate"), LABEL, Ink::Plain, certificate);
    for assumption in &server.assumptions {
        paper.labelled(2, (Ink::Warning, "only if"), LABEL, Ink::Plain, assumption);
    }
}

/// The suites of TLS 1.3 in a list whose build has no TLS 1.3: on Windows 10 they are no mistake. Their names alone have no `WITH`
/// (RFC 8446, B.4).
fn waiting_for_tls13(server: &ServerOffer) -> Option<String> {
    let unsupported = server
        .versions
        .iter()
        .find(|version| version.version == "TLS 1.3" && version.state == "off")?;
    let names: Vec<&str> = server
        .suites
        .iter()
        .filter(|suite| suite.standing == "no-enabled-version" && !suite.name.contains("_WITH_"))
        .map(|suite| suite.name.as_str())
        .collect();
    if names.is_empty() {
        return None;
    }
    Some(format!(
        "{}: suites of TLS 1.3, which is off here ({})",
        names.join(", "),
        unsupported.reason
    ))
}

fn settings(paper: &mut Paper, server: &ServerOffer, clock: &Clock) {
    if server.settings.is_empty() {
        return;
    }
    paper.heading("Settings found", "with the last write of their key");
    for setting in &server.settings {
        let written = setting.written.as_deref().map(|time| clock.full(time));
        let written = written.unwrap_or_else(|| "at a time not known".to_owned());
        let says = format!("{} = {}  (written {written})", setting.name, setting.value);
        paper.paragraph(2, Ink::Plain, &says);
        paper.paragraph(
            4,
            Ink::Dim,
            &format!("{}: {}", setting.artifact, setting.key),
        );
    }
    let waiting: Vec<&SettingEntry> = server
        .settings
        .iter()
        .filter(|setting| setting.waits == Some(true))
        .collect();
    for setting in &waiting {
        let says = format!(
            "{}\\{} was written after the last {} and waits for the next: this is what will be, not what is.",
            setting.key,
            setting.name,
            setting.read_at.as_deref().unwrap_or("start")
        );
        paper.paragraph(2, Ink::Warning, &says);
    }
    if waiting.is_empty()
        && server
            .settings
            .iter()
            .any(|setting| setting.waits.is_none())
    {
        paper.paragraph(
            2,
            Ink::Dim,
            "Whether some of them wait for a restart is not known: the last boot is in the System log.",
        );
    }
}

fn suites(paper: &mut Paper, server: &ServerOffer) {
    paper.heading(
        "Every suite",
        "in the server's order, then what this Windows registers besides",
    );
    let column = |title, room| Column { title, room };
    let columns = [
        column("Suite", Room::AtMost(46)),
        column("Standing", Room::Content),
        column("Why", Room::Rest),
    ];
    let rows: Vec<Vec<String>> = server
        .suites
        .iter()
        .map(|suite| {
            vec![
                suite.name.clone(),
                suite.standing.clone(),
                suite.reason.clone(),
            ]
        })
        .collect();
    paper.table(2, &columns, &rows);
}

fn listed(paper: &mut Paper, title: &str, lines: &[String]) {
    if lines.is_empty() {
        return;
    }
    paper.heading(title, "");
    for line in lines {
        paper.paragraph(2, Ink::Plain, line);
    }
}
