//! What reports look like: the screen at several widths, in ASCII, with hostile evidence; JSON against its schema.

mod fixtures;

use anstream::adapter::strip_str;
use jiff::tz::TimeZone;
use rdptriage::report::{Charset, Clock, Detail, Format, TextOptions, schema};
use rdptriage::verdict::model::{Output, Report};
use unicode_width::UnicodeWidthStr;

fn options(width: u16, charset: Charset, detail: Detail) -> TextOptions {
    TextOptions {
        width,
        charset,
        clock: Clock::new(TimeZone::UTC),
        detail,
    }
}

fn screen(report: &Report, options: &TextOptions) -> String {
    let bytes = Format::Text.render(std::slice::from_ref(report), options);
    let styled = String::from_utf8(bytes).expect("text is UTF-8");
    strip_str(&styled).to_string()
}

fn plain(report: &Report, width: u16) -> String {
    screen(report, &options(width, Charset::Unicode, Detail::Screen))
}

fn all() -> [(&'static str, Report); 5] {
    [
        ("key_denied", fixtures::key_denied()),
        ("key_candidates", fixtures::key_candidates()),
        ("healthy_with_noise", fixtures::healthy_with_noise()),
        ("inconclusive", fixtures::inconclusive()),
        ("hostile", fixtures::hostile()),
    ]
}

#[test]
fn screens() {
    for (name, report) in all() {
        for width in [80, 120] {
            insta::assert_snapshot!(format!("{name}_{width}"), plain(&report, width));
        }
    }
}

#[test]
fn a_screen_in_ascii() {
    let report = fixtures::key_denied();
    let shown = screen(&report, &options(80, Charset::Ascii, Detail::Screen));
    assert!(shown.is_ascii());
    insta::assert_snapshot!("key_denied_ascii", shown);
    let hostile = screen(
        &fixtures::hostile(),
        &options(80, Charset::Ascii, Detail::Reasoning),
    );
    assert!(hostile.is_ascii());
}

#[test]
fn the_reasoning_names_every_test_of_every_rule() {
    let report = fixtures::key_denied();
    let shown = screen(&report, &options(120, Charset::Unicode, Detail::Reasoning));
    for test in report.findings.iter().flat_map(|finding| &finding.tests) {
        assert!(shown.contains(&test.name), "{}", test.name);
    }
    insta::assert_snapshot!("key_denied_reasoning", shown);
}

#[test]
fn the_verdict_alone_is_one_line_for_each_host() {
    let reports = [fixtures::key_denied(), fixtures::healthy_with_noise()];
    let bytes = Format::Text.render(&reports, &options(120, Charset::Unicode, Detail::Verdict));
    let shown = strip_str(std::str::from_utf8(&bytes).expect("UTF-8")).to_string();
    assert_eq!(
        shown,
        "CONTOSO-TS01  CONFIRMED  key-access-denied: The RDP certificate's private key cannot be read by the service\n\
         GATE  HEALTHY  No fault of Remote Desktop found\n"
    );
}

#[test]
fn several_hosts_stand_one_below_the_other() {
    let reports = [fixtures::key_denied(), fixtures::healthy_with_noise()];
    let bytes = Format::Text.render(&reports, &options(80, Charset::Unicode, Detail::Screen));
    let shown = strip_str(std::str::from_utf8(&bytes).expect("UTF-8")).to_string();
    assert!(shown.find("CONTOSO-TS01") < shown.find("GATE"));
    assert!(shown.contains(&"─".repeat(80)));
}

#[test]
fn no_line_is_wider_than_the_screen_but_commands() {
    for (name, report) in all() {
        let commands: Vec<&str> = report
            .findings
            .iter()
            .flat_map(|finding| &finding.fixes)
            .flat_map(|fix| [&fix.run, &fix.rollback])
            .flatten()
            .chain(report.gaps.iter().map(|gap| &gap.obtain))
            .map(|command| &command[..command.len().min(20)])
            .collect();
        for width in [60, 61, 79, 80, 99, 100, 120, 157, 200] {
            let shown = screen(
                &report,
                &options(width, Charset::Unicode, Detail::Reasoning),
            );
            for line in shown.lines() {
                let is_command = commands.iter().any(|command| line.contains(command));
                assert!(
                    is_command || line.width() <= usize::from(width),
                    "{name} at {width}: {line}"
                );
                assert_eq!(
                    line,
                    line.trim_end(),
                    "{name} at {width}: white space at the end"
                );
            }
            assert!(
                !shown.contains("\n\n\n"),
                "{name} at {width}: two empty lines"
            );
        }
    }
}

#[test]
fn nothing_of_the_evidence_acts_on_the_terminal() {
    for detail in [Detail::Verdict, Detail::Screen, Detail::Reasoning] {
        let report = fixtures::hostile();
        let bytes = Format::Text.render(&[report], &options(80, Charset::Unicode, detail));
        let styled = String::from_utf8(bytes).expect("UTF-8");
        // What is left when our own styles are taken away, and what was taken away is only styles.
        let shown = strip_str(&styled).to_string();
        assert!(
            shown
                .chars()
                .all(|letter| letter == '\n' || !letter.is_control())
        );
        assert!(!shown.contains(['\u{202e}', '\u{200b}', '\u{9b}']));
        assert!(!styled.contains("[2J\u{1b}") && !styled.contains("\u{1b}]"));
        assert!(!shown.lines().any(|line| line.starts_with("HEALTHY")));
    }
}

#[test]
fn what_to_do_next_is_always_the_last_thing() {
    for (name, report) in all() {
        let shown = plain(&report, 80);
        let last = shown.rfind("\n\n").map(|at| shown[at..].trim_start());
        assert!(
            last.is_some_and(|last| last.starts_with("Next\n")),
            "{name}: {shown}"
        );
    }
}

#[test]
fn a_time_zone_moves_every_time() {
    let mut options = options(120, Charset::Unicode, Detail::Screen);
    options.clock = Clock::new(TimeZone::get("Asia/Kolkata").expect("a zone"));
    let shown = screen(&fixtures::key_denied(), &options);
    assert!(shown.contains("times in Asia/Kolkata"));
    assert!(shown.contains("2026-11-18 15:28:03"), "{shown}");
    assert!(shown.contains("first failure 11-18 15:20:00"));
}

#[test]
fn json_follows_its_schema() {
    let schema: serde_json::Value = serde_json::from_slice(&schema()).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON Schema");
    for (name, report) in all() {
        let bytes = Format::Json.render(&[report], &options(80, Charset::Unicode, Detail::Screen));
        assert_eq!(bytes.last(), Some(&b'\n'));
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let errors: Vec<String> = validator
            .iter_errors(&value)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{name}: {errors:?}");
        let mut broken = value;
        broken["reports"][0]["verdict"]["status"] = "perhaps".into();
        assert!(!validator.is_valid(&broken), "the schema takes anything");
    }
}

#[test]
fn json_reads_back_as_it_was() {
    let report = fixtures::hostile();
    let bytes = Format::Json.render(
        std::slice::from_ref(&report),
        &options(80, Charset::Unicode, Detail::Screen),
    );
    let output: Output = serde_json::from_slice(&bytes).expect("our own shape");
    assert_eq!(output.schema_version, 1);
    assert_eq!(output.reports, [report]);
}

#[test]
fn formats_are_known_by_their_extension() {
    assert_eq!(Format::of_file("a/case.JSON".as_ref()), Ok(Format::Json));
    assert_eq!(Format::of_file("case.txt".as_ref()), Ok(Format::Text));
    let error = Format::of_file("case.pdf".as_ref())
        .expect_err("unknown")
        .to_string();
    assert_eq!(
        error,
        "case.pdf: the extension names no format; use one of .txt, .html, .md, .json, .jsonl, .csv"
    );
}

#[test]
fn a_hundred_thousand_facts_make_one_screen() {
    let mut report = fixtures::key_denied();
    let pattern = report.facts.last().cloned().expect("facts");
    let ids: Vec<String> = (0..100_000).map(|number| format!("x{number}")).collect();
    for (number, id) in ids.iter().enumerate() {
        let mut fact = pattern.clone();
        fact.id.clone_from(id);
        fact.fields.insert("service".to_owned(), number.into());
        report.facts.push(fact);
    }
    report.findings[0].tests[2].evidence.extend(ids);
    let shown = plain(&report, 80);
    assert!(
        shown.contains("and 99,997 more, all in the JSON report"),
        "{shown}"
    );
    assert!(shown.lines().count() < 150);
}

mod formats;
