//! One test at a time: true, false or unknown, and why.

use jiff::SignedDuration;

use super::*;
use crate::facts::catalog::connection::{Passed, Stage, State};
use crate::facts::catalog::service::{ServiceFailure, ServiceStart, StartType};
use crate::facts::coverage::{Coverage, Window};
use crate::facts::fact::Source;
use crate::facts::gap::{Gap, Gaps};
use crate::facts::incident::{Anchors, ConnectionState};
use crate::facts::subject::Subject;
use crate::rules::truth::Refutation;
use crate::rules::{Cases, RuleSet};

fn at(minutes: i64) -> Timestamp {
    let failure: Timestamp = "2026-03-02T08:10:00Z".parse().unwrap();
    failure
        .checked_add(SignedDuration::from_mins(minutes))
        .unwrap()
}

/// People got in ten minutes before the first failure; the collection ends an hour after it.
fn host() -> FactSet {
    let mut gaps = Gaps::default();
    let gap = gaps.record(Gap {
        about: "anchors".to_owned(),
        why: String::new(),
        obtain: String::new(),
    });
    FactSet::new(
        gaps,
        Anchors {
            state: ConnectionState::Failing,
            last_success: Known::Is(Some(at(-10))),
            first_failure: Known::Is(Some(at(0))),
            incident: Some(at(0)),
            last_boot: Known::Open(gap),
            service_start: Known::Open(gap),
            as_of: Some(at(60)),
            oldest: Some(at(-1000)),
            gap,
        },
    )
}

fn source() -> Vec<Source> {
    vec![Source::File {
        artifact: "made up".to_owned(),
    }]
}

fn failed(facts: &mut FactSet, minutes: i64) -> FactId {
    let body = ServiceFailure {
        service: "TermService".to_owned(),
        event: 7034,
        code: None,
    };
    facts.add(Some(at(minutes)), body, source())
}

fn log_from(facts: &mut FactSet, minutes: i64) {
    let window = Window {
        from: Some(at(minutes)),
        to: Some(at(60)),
    };
    facts.cover(Subject::SystemLog, Coverage::Whole(window));
}

/// Loads a rule out of this one decisive test, with another test behind it.
fn evaluated(facts: &mut FactSet, decisive: &str, more: &str) -> Evaluation {
    let text = format!(
        "id = \"a\"\nfamily = \"tls\"\nstanding = \"cause\"\ntitle = \"\"\nsummary = \"\"\n[[decisive]]\nname = \"d\"\n{decisive}\n{more}"
    );
    let rules = RuleSet::from_texts([("a.toml", text.as_str())], Cases::Optional)
        .unwrap_or_else(|errors| panic!("{errors}"));
    evaluate(rules.rule("a").unwrap(), facts)
}

fn asked(facts: &mut FactSet, test: &str) -> Truth {
    evaluated(facts, test, "").truths.remove(0)
}

const FAILURE: &str = "fact = \"service.failure\"\n";

#[test]
fn an_absence_is_proved_by_coverage_of_the_whole_time_or_not_at_all() {
    let mut facts = host();
    assert!(matches!(asked(&mut facts, FAILURE), Truth::Unknown(_)));
    log_from(&mut facts, 0);
    assert!(matches!(asked(&mut facts, FAILURE), Truth::Unknown(_)));
    log_from(&mut facts, -20);
    assert_eq!(
        asked(&mut facts, FAILURE),
        Truth::False(Refutation::Absent(vec![Subject::SystemLog]))
    );
    // The whole time of the collection reaches further back than this log.
    let all = format!("{FAILURE}window = \"all\"");
    assert!(matches!(asked(&mut facts, &all), Truth::Unknown(_)));
}

#[test]
fn events_count_since_the_last_success_states_as_they_stand() {
    let mut facts = host();
    log_from(&mut facts, -2000);
    let old = failed(&mut facts, -11);
    assert!(asked(&mut facts, FAILURE).is_false());
    assert_eq!(
        asked(&mut facts, &format!("{FAILURE}window = \"all\"")),
        Truth::True(vec![old])
    );
    let new = failed(&mut facts, 5);
    assert_eq!(asked(&mut facts, FAILURE), Truth::True(vec![new]));
    facts.anchors.last_success = Known::Is(None);
    assert_eq!(asked(&mut facts, FAILURE), Truth::True(vec![old, new]));
    let start = ServiceStart {
        default_start: None,
        pending_restart: false,
        service: "TermService".to_owned(),
        present: Known::Is(true),
        start: Known::Is(Some(StartType::Disabled)),
        needed: Known::Is(true),
    };
    let state = facts.add(Some(at(-900)), start, source());
    assert_eq!(
        asked(&mut facts, "fact = \"service.start\""),
        Truth::True(vec![state])
    );
}

#[test]
fn windows_hold_what_lies_in_them() {
    for (window, minutes, inside) in [
        ("within = { of = \"incident\", minutes = 5 }", -5, true),
        ("within = { of = \"incident\", minutes = 5 }", 6, false),
        ("after = \"first_failure\"", 1, true),
        ("after = \"first_failure\"", 0, false),
        ("before = \"first_failure\"", -900, true),
        ("before = \"first_failure\"", 0, false),
        (
            "after = \"last_success\"\nbefore = \"first_failure\"",
            -5,
            true,
        ),
        (
            "after = \"last_success\"\nbefore = \"first_failure\"",
            -15,
            false,
        ),
    ] {
        let mut facts = host();
        log_from(&mut facts, -2000);
        failed(&mut facts, minutes);
        let truth = asked(&mut facts, &format!("{FAILURE}{window}"));
        assert_eq!(
            (truth.is_true(), truth.is_false()),
            (inside, !inside),
            "{window}: {minutes}"
        );
    }
}

#[test]
fn a_window_around_the_end_does_not_ask_for_what_comes_after_it() {
    let mut facts = host();
    log_from(&mut facts, -2000);
    assert!(
        asked(
            &mut facts,
            &format!("{FAILURE}within = {{ of = \"as_of\", minutes = 10 }}")
        )
        .is_false()
    );
}

#[test]
fn an_anchor_that_is_not_known_leaves_a_test_open() {
    let mut facts = host();
    log_from(&mut facts, -2000);
    failed(&mut facts, 5);
    for anchor in ["last_boot", "service_start"] {
        let truth = asked(&mut facts, &format!("{FAILURE}after = \"{anchor}\""));
        assert_eq!(truth, Truth::Unknown(vec![facts.anchors.gap]));
    }
    facts.anchors.first_failure = Known::Is(None);
    assert!(matches!(
        asked(&mut facts, &format!("{FAILURE}after = \"first_failure\"")),
        Truth::Unknown(_)
    ));
}

#[test]
fn a_field_that_is_open_leaves_a_test_open_unless_another_settles_it() {
    let mut facts = host();
    let gap = facts.anchors.gap;
    let start = |service: &str, start| ServiceStart {
        default_start: None,
        pending_restart: false,
        service: service.to_owned(),
        present: Known::Is(true),
        start,
        needed: Known::Is(true),
    };
    facts.add(None, start("TermService", Known::Open(gap)), source());
    let disabled =
        "fact = \"service.start\"\nwhere = { start = \"disabled\", service = \"TermService\" }";
    assert_eq!(asked(&mut facts, disabled), Truth::Unknown(vec![gap]));
    let other =
        "fact = \"service.start\"\nwhere = { start = \"disabled\", service = \"SessionEnv\" }";
    assert!(asked(&mut facts, other).is_false());
}

#[test]
fn what_is_always_there_is_decided_by_what_is_there() {
    let disabled =
        "fact = \"service.start\"\nwhere = { service = \"TermService\", start = \"disabled\" }";
    let mut facts = host();
    assert!(matches!(asked(&mut facts, disabled), Truth::Unknown(_)));
    // The hive was read, yet nothing was made of it: that is no answer either.
    facts.cover(Subject::SystemHive, Coverage::Whole(Window::ALWAYS));
    assert!(matches!(asked(&mut facts, disabled), Truth::Unknown(_)));
    let start = |service: &str| ServiceStart {
        default_start: None,
        pending_restart: false,
        service: service.to_owned(),
        present: Known::Is(true),
        start: Known::Is(Some(StartType::Manual)),
        needed: Known::Is(true),
    };
    let own = facts.add(None, start("TermService"), source());
    facts.add(None, start("SessionEnv"), source());
    assert_eq!(
        asked(&mut facts, disabled),
        Truth::False(Refutation::Contradicted(vec![own]))
    );
}

#[test]
fn the_stage_asked_for_says_which_logs_prove_that_nobody_passed() {
    let mut facts = host();
    let window = Window {
        from: Some(at(-20)),
        to: Some(at(60)),
    };
    facts.cover(Subject::TlsOutcomes, Coverage::Whole(window));
    let stage =
        |stage: &str| format!("fact = \"connection.passed\"\nwhere = {{ stage = {stage} }}");
    assert!(asked(&mut facts, &stage("\"tls\"")).is_false());
    assert!(matches!(
        asked(&mut facts, &stage("\"session\"")),
        Truth::Unknown(_)
    ));
    assert!(matches!(
        asked(&mut facts, &stage("{ any_of = [\"tls\", \"session\"] }")),
        Truth::Unknown(_)
    ));
    assert!(matches!(
        asked(&mut facts, "fact = \"connection.passed\""),
        Truth::Unknown(_)
    ));
}

#[test]
fn counts_need_coverage_for_what_is_not_there() {
    let count = |count: &str| format!("{FAILURE}count = {{ {count} }}");
    let mut facts = host();
    let ids = vec![failed(&mut facts, 1), failed(&mut facts, 2)];
    assert_eq!(
        asked(&mut facts, &count("min = 2")),
        Truth::True(ids.clone())
    );
    assert!(matches!(
        asked(&mut facts, &count("min = 3")),
        Truth::Unknown(_)
    ));
    assert!(matches!(
        asked(&mut facts, &count("min = 1, max = 2")),
        Truth::Unknown(_)
    ));
    assert_eq!(
        asked(&mut facts, &count("max = 0")),
        Truth::False(Refutation::Contradicted(ids.clone()))
    );
    log_from(&mut facts, -20);
    assert!(asked(&mut facts, &count("min = 3")).is_false());
    assert_eq!(
        asked(&mut facts, &count("min = 1, max = 2")),
        Truth::True(ids)
    );
    let mut none = host();
    assert!(matches!(
        asked(&mut none, &count("max = 0")),
        Truth::Unknown(_)
    ));
    log_from(&mut none, -20);
    assert_eq!(asked(&mut none, &count("max = 0")), Truth::True(Vec::new()));
}

const AFTER_FAULT: &str = "[[exclude]]\nname = \"e\"\nfact = \"connection.passed\"\nwhere = { stage = \"tls\" }\nafter = \"fault\"\n";

fn passed(facts: &mut FactSet, minutes: i64) {
    let body = Passed {
        stage: Stage::Tls,
        client: Known::Is(None),
        affected: Known::Is(false),
        stranger: false,
    };
    facts.add(Some(at(minutes)), body, source());
}

#[test]
fn a_success_excludes_only_when_it_comes_after_the_newest_time_of_the_fault() {
    let mut facts = host();
    let window = Window {
        from: Some(at(-20)),
        to: Some(at(60)),
    };
    facts.cover(Subject::TlsOutcomes, Coverage::Whole(window));
    failed(&mut facts, 1);
    failed(&mut facts, 9);
    passed(&mut facts, 5);
    let before = evaluated(&mut facts, FAILURE, AFTER_FAULT);
    assert_eq!(
        (before.fault, before.level),
        (Some(at(9)), Level::Confirmed)
    );
    passed(&mut facts, 10);
    assert_eq!(
        evaluated(&mut facts, FAILURE, AFTER_FAULT).level,
        Level::RuledOut
    );
}

#[test]
fn without_a_time_of_the_fault_a_success_asks_how_people_fare() {
    use ConnectionState::{Dropping, Failing, Mixed, Silent, Succeeding, Unseen};
    for (state, expected) in [
        (Succeeding, "true"),
        (Dropping, "true"),
        (Unseen, "unknown"),
        (Mixed, "false"),
        (Failing, "false"),
        (Silent, "false"),
    ] {
        let mut facts = host();
        facts.anchors.state = state;
        facts.anchors.first_failure = Known::Is(None);
        let body = State {
            state,
            stage: None,
            clients: 1,
            strangers: 0,
            prevented: Known::Is(state.prevents() == Some(true)),
            without_session: Known::Is(false),
            unseen: None,
        };
        let id = facts.add(None, body, source());
        let start = ServiceStart {
            default_start: None,
            pending_restart: false,
            service: "TermService".to_owned(),
            present: Known::Is(true),
            start: Known::Is(Some(StartType::Disabled)),
            needed: Known::Is(true),
        };
        facts.add(None, start, source());
        let truth = evaluated(&mut facts, "fact = \"service.start\"", AFTER_FAULT)
            .truths
            .remove(1);
        match expected {
            "true" => assert_eq!(truth, Truth::True(vec![id])),
            "false" => assert_eq!(truth, Truth::False(Refutation::Contradicted(vec![id]))),
            _ => assert!(matches!(truth, Truth::Unknown(_)), "{state}"),
        }
    }
}

#[test]
fn what_rests_on_a_stale_value_alone_is_likely_at_most() {
    let mut facts = host();
    let gap = facts.anchors.gap;
    let first = failed(&mut facts, 1);
    assert_eq!(evaluated(&mut facts, FAILURE, "").level, Level::Confirmed);
    facts.mark_stale(first, gap);
    assert_eq!(evaluated(&mut facts, FAILURE, "").level, Level::Likely);
    failed(&mut facts, 2);
    assert_eq!(evaluated(&mut facts, FAILURE, "").level, Level::Confirmed);
}

#[test]
fn a_single_record_of_a_damaged_part_confirms_nothing_and_two_of_them_do() {
    let mut facts = host();
    let gap = facts.anchors.gap;
    let first = failed(&mut facts, 1);
    facts.mark_doubtful(first, gap);
    assert_eq!(evaluated(&mut facts, FAILURE, "").level, Level::Likely);
    let second = failed(&mut facts, 2);
    facts.mark_doubtful(second, gap);
    assert_eq!(evaluated(&mut facts, FAILURE, "").level, Level::Confirmed);
}
