use super::*;
use crate::facts::catalog::connection::{Stage, State};
use crate::facts::catalog::service::{ServiceStart, StartType};
use crate::facts::gap::{Gap, Gaps};
use crate::facts::incident::{Anchors, ConnectionState};
use crate::facts::known::Known;
use crate::rules::Cases;
use crate::verdict::judge;

const RULE: &str = r#"
id = "a"
family = "service"
standing = "cause"
title = "{service.start.service} is {service.start.start}"
summary = "The build is {host.identity.build}."
[[decisive]]
name = "off"
fact = "service.start"
where = { start = "disabled" }
[[support]]
name = "build"
fact = "host.identity"
where = { build = 1 }
[[fix]]
step = "Start {service.start.service}"
when = "off"
[[fix]]
step = "For that build"
when = "build"
"#;

fn report(start: Option<StartType>, state: ConnectionState) -> Report {
    let mut gaps = Gaps::default();
    let unused = Gap {
        about: "unused".to_owned(),
        why: String::new(),
        obtain: String::new(),
    };
    let gap = gaps.record(unused);
    let moment = "2026-03-02T08:00:00Z".parse().ok();
    let anchors = Anchors {
        state,
        last_success: Known::Is(None),
        first_failure: Known::Is(moment),
        incident: moment,
        last_boot: Known::Open(gap),
        service_start: Known::Open(gap),
        as_of: moment,
        oldest: moment,
        gap,
    };
    let mut facts = FactSet::new(gaps, anchors);
    let fact = ServiceStart {
        default_start: None,
        pending_restart: false,
        service: "TermService".to_owned(),
        present: Known::Is(true),
        start: Known::Is(start),
        needed: Known::Is(true),
    };
    facts.add(
        None,
        fact,
        vec![Source::File {
            artifact: "SYSTEM".to_owned(),
        }],
    );
    let attempts = State {
        state,
        stage: Some(Stage::Arrived),
        clients: 1,
        strangers: 3,
        prevented: Known::Is(true),
        without_session: Known::Is(false),
        unseen: None,
    };
    facts.add(
        None,
        attempts,
        vec![Source::File {
            artifact: "a.evtx".to_owned(),
        }],
    );
    let rules = RuleSet::from_texts([("a.toml", RULE)], Cases::Optional).unwrap();
    let judgement = judge(&rules, &mut facts);
    let host = Host {
        name: None,
        aliases: Vec::new(),
        domain: None,
        product: None,
        build: None,
        as_of: None,
        time_zone: None,
        collected: None,
    };
    assemble(
        &rules,
        &facts,
        &judgement,
        Surroundings {
            layout: CollectionLayout::default(),
            host,
            connections: Vec::new(),
            negotiation: Negotiation::default(),
            artifacts: Vec::new(),
            problems: Vec::new(),
            client_error: None,
        },
    )
}

#[test]
fn texts_are_filled_from_the_facts_and_say_what_is_not_known() {
    let report = report(Some(StartType::Disabled), ConnectionState::Failing);
    assert_eq!(report.verdict.title, "TermService is disabled");
    assert!(
        report
            .verdict
            .summary
            .starts_with("The build is (unknown).")
    );
    assert!(report.verdict.summary.contains("3 addresses never got in"));
    let steps: Vec<&str> = report.findings[0]
        .fixes
        .iter()
        .map(|fix| fix.step.as_str())
        .collect();
    assert_eq!(steps, ["Start TermService"]);
}

#[test]
fn only_gaps_that_leave_something_open_are_listed_and_every_name_leads_somewhere() {
    let report = report(Some(StartType::Disabled), ConnectionState::Failing);
    let gaps: Vec<&str> = report.gaps.iter().map(|gap| gap.kind.as_str()).collect();
    assert_eq!(gaps, ["SYSTEM hive"]);
    for test in &report.findings[0].tests {
        assert!(
            test.gaps
                .iter()
                .all(|id| report.gaps.iter().any(|gap| gap.id == *id))
        );
        assert!(
            test.evidence
                .iter()
                .all(|id| report.facts.iter().any(|fact| fact.id == *id))
        );
    }
}

#[test]
fn an_inconclusive_report_says_where_the_attempts_die() {
    let report = report(Some(StartType::Manual), ConnectionState::Failing);
    assert_eq!(report.verdict.status, Status::Inconclusive);
    assert!(
        report
            .verdict
            .summary
            .contains("end before TLS is negotiated")
    );
    assert_eq!(report.verdict.cause, None);
}

#[test]
fn the_most_serious_report_gives_the_exit_status() {
    let sick = report(Some(StartType::Disabled), ConnectionState::Failing);
    let open = report(Some(StartType::Manual), ConnectionState::Failing);
    let well = report(Some(StartType::Manual), ConnectionState::Succeeding);
    assert_eq!(exit_status(std::slice::from_ref(&well)), 0);
    assert_eq!(exit_status(&[well.clone(), open.clone()]), 3);
    assert_eq!(exit_status(&[well, open, sick]), 1);
}
