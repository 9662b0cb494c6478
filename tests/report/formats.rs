//! The formats that are sent on: HTML, Markdown, JSON Lines and CSV.

use jiff::{SignedDuration, Timestamp};
use rdptriage::report::{Charset, Detail, Format, schema};
use rdptriage::verdict::model::{Connection, FactEntry, Report, SourceEntry};
use serde_json::json;

use super::{all, fixtures, options};

const SENT_ON: [Format; 5] = [
    Format::Html,
    Format::Markdown,
    Format::Json,
    Format::Jsonl,
    Format::Csv,
];

fn rendered(report: &Report, format: Format) -> String {
    let options = options(80, Charset::Unicode, Detail::Screen);
    let bytes = format.render(std::slice::from_ref(report), &options);
    String::from_utf8(bytes).expect("UTF-8")
}

/// A page without its style and without the JSON in it, which has tests of its own.
fn content(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").expect("the style");
    let (_, body) = rest.split_once("</style>").expect("its end");
    let page = &format!("{head}{body}");
    let (before, rest) = page.split_once("<pre tabindex=\"0\">").expect("the JSON");
    let (_, after) = rest.split_once("</pre>").expect("its end");
    format!("{before}<pre>{after}")
}

#[test]
fn pages_tickets_and_timelines() {
    for (name, report) in all().into_iter().take(4) {
        insta::assert_snapshot!(
            format!("{name}_html"),
            content(&rendered(&report, Format::Html))
        );
        insta::assert_snapshot!(
            format!("{name}_markdown"),
            rendered(&report, Format::Markdown)
        );
        insta::assert_snapshot!(format!("{name}_csv"), rendered(&report, Format::Csv));
        insta::assert_snapshot!(format!("{name}_json"), rendered(&report, Format::Json));
        insta::assert_snapshot!(format!("{name}_jsonl"), rendered(&report, Format::Jsonl));
    }
}

#[test]
fn the_same_bytes_on_each_run() {
    for (name, report) in all() {
        for format in SENT_ON {
            assert_eq!(
                rendered(&report, format),
                rendered(&report, format),
                "{name} {format:?}"
            );
        }
    }
}

#[test]
fn each_line_of_json_lines_follows_the_schema() {
    let schema: serde_json::Value = serde_json::from_slice(&schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
    let reports: Vec<Report> = all().into_iter().map(|(_, report)| report).collect();
    let bytes = Format::Jsonl.render(&reports, &options(80, Charset::Unicode, Detail::Screen));
    let text = String::from_utf8(bytes).expect("UTF-8");
    assert_eq!(text.lines().count(), reports.len());
    for line in text.lines() {
        let value: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert!(validator.is_valid(&value));
    }
}

#[test]
fn a_page_fetches_nothing_and_runs_nothing() {
    for (name, report) in all() {
        let page = rendered(&report, Format::Html);
        let lower = page.to_lowercase();
        assert!(
            page.contains("default-src 'none'; style-src 'unsafe-inline'; img-src data:"),
            "{name}"
        );
        for absent in [
            "<script",
            "<iframe",
            "<img",
            "<link",
            "<form",
            "@import",
            "javascript:",
            " onload=",
            "src=\"http",
        ] {
            assert!(!lower.contains(absent), "{name}: {absent}");
        }
        // Every link leads to a place in the page.
        for link in page.split("href=\"").skip(1) {
            let target = link.split('"').next().expect("an end");
            let anchor = target
                .strip_prefix('#')
                .unwrap_or_else(|| panic!("{name}: leads away: {target}"));
            assert!(
                page.contains(&format!("id=\"{anchor}\"")),
                "{name}: {anchor} is not there"
            );
        }
    }
}

/// Evidence that attacks whatever shows it.
fn attacking() -> Report {
    let attack = "</code></pre><script>alert(1)</script>\u{1b}[2J\u{202e}gnp\0| ``` [x](javascript:1) <b>\n# HEALTHY\n=cmd()";
    let mut report = fixtures::hostile();
    let long = "A".repeat(1_000_000);
    report.host.name = Some(format!("=HYPERLINK(){attack}"));
    report.verdict.summary = format!("{attack} {long}");
    report.verdict.title = attack.to_owned();
    for finding in &mut report.findings {
        finding.title = attack.to_owned();
        for test in &mut finding.tests {
            test.name = format!("{attack}{long}");
        }
        for fix in &mut finding.fixes {
            fix.run = Some(format!("{attack}\n````\n{attack}"));
        }
    }
    for gap in &mut report.gaps {
        gap.obtain = attack.to_owned();
        gap.why = attack.to_owned();
    }
    for artifact in &mut report.artifacts {
        artifact.path = format!("{attack}.evtx");
        artifact.problems = vec![long.clone()];
    }
    for entry in &mut report.timeline {
        entry.title = attack.to_owned();
    }
    report
}

/// What of a ticket is not within fences.
fn without_commands(ticket: &str) -> String {
    let mut fence: Option<String> = None;
    let mut prose = String::new();
    for line in ticket.lines() {
        let bare = line.trim_start();
        let ticks: String = bare.chars().take_while(|letter| *letter == '`').collect();
        match &fence {
            Some(open) if bare == open => fence = None,
            Some(_) => {}
            None if ticks.len() >= 3 => fence = Some(ticks),
            None => prose = prose + line + "\n",
        }
    }
    assert!(fence.is_none(), "a fence stays open");
    prose
}

#[test]
fn evidence_acts_in_no_format() {
    let report = attacking();
    for format in SENT_ON {
        let shown = rendered(&report, format);
        let raw = ['\u{1b}', '\u{202e}', '\0'];
        assert!(!shown.contains(raw), "{format:?}");
    }
    let page = rendered(&report, Format::Html);
    assert!(!page.contains("<script") && !page.contains("<b>"));
    assert!(page.len() < 5_000_000, "{}", page.len());
    let ticket = rendered(&report, Format::Markdown);
    assert!(ticket.len() < 500_000, "{}", ticket.len());
    let prose = without_commands(&ticket);
    assert!(!prose.contains(" [x](") && !prose.contains("<b>") && !prose.contains("\n# HEALTHY"));
    let timeline = rendered(&report, Format::Csv);
    let mut csv = csv::Reader::from_reader(timeline.as_bytes());
    assert_eq!(&csv.headers().expect("a head")[0], "message");
    for row in csv.records() {
        let row = row.expect("a row");
        assert!(row.iter().all(|cell| !cell.starts_with('=')), "{row:?}");
    }
}

#[test]
fn a_hundred_thousand_attempts_are_sampled_and_counted() {
    let mut report = fixtures::key_denied();
    let start: Timestamp = "2026-11-18T00:00:00Z".parse().expect("a time");
    let mut ids = Vec::new();
    for number in 0..100_000_i64 {
        let id = format!("x{number}");
        report.facts.push(FactEntry {
            id: id.clone(),
            kind: "connection.attempt".to_owned(),
            time: Some((start + SignedDuration::from_millis(number * 500)).to_string()),
            fields: json!({"client": "10.0.0.1", "reached": "arrived", "ended": "silent", "stranger": false})
                .as_object()
                .cloned()
                .expect("an object"),
            sources: vec![SourceEntry {
                artifact: Some("logs/RdpCoreTS.evtx".to_owned()),
                record: Some(number.unsigned_abs()),
                ..SourceEntry::default()
            }],
        });
        ids.push(id);
    }
    report.findings[0].tests[0].evidence.extend(ids);
    for number in 0..100_000_u32 {
        report.connections.push(Connection {
            client: std::net::Ipv4Addr::from(0x0a00_0000 + number).to_string(),
            stranger: true,
            attempts: 1,
            first: None,
            last: None,
            reached: std::collections::BTreeMap::new(),
            state: "undecided".to_owned(),
        });
    }
    let page = rendered(&report, Format::Html);
    assert!(page.len() < 5_000_000, "{}", page.len());
    assert!(
        page.contains("sampled: ") && page.contains("of 1000"),
        "the totals are said"
    );
    assert!(rendered(&report, Format::Markdown).len() < 500_000);
}
