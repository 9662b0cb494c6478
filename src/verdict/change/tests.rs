use super::*;
use crate::facts::catalog::host::ClockStep;
use crate::facts::catalog::service::{ServiceStart, StartType};
use crate::facts::gap::{Gap, Gaps};
use crate::facts::incident::{Anchors, ConnectionState};
use crate::rules::{Cases, RuleSet};
use crate::verdict::judge;

const RULE: &str = r#"
id = "a"
family = "service"
standing = "cause"
title = "t"
summary = "s"
[[decisive]]
name = "off"
fact = "service.start"
where = { service = "TermService", start = "disabled" }
"#;

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

#[test]
fn what_the_verdict_rests_on_comes_first_then_what_lies_in_the_bracket() {
    let mut gaps = Gaps::default();
    let gap = gaps.record(Gap {
        about: String::new(),
        why: String::new(),
        obtain: String::new(),
    });
    let anchors = Anchors {
        state: ConnectionState::Failing,
        last_success: Known::Is(Some(second(100))),
        first_failure: Known::Is(Some(second(200))),
        incident: Some(second(200)),
        last_boot: Known::Open(gap),
        service_start: Known::Open(gap),
        as_of: Some(second(900)),
        oldest: Some(second(0)),
        gap,
    };
    let mut facts = FactSet::new(gaps, anchors);
    for (service, start, written) in [
        ("SessionEnv", StartType::Manual, 150),
        ("TermService", StartType::Disabled, 50),
    ] {
        let body = ServiceStart {
            default_start: None,
            pending_restart: false,
            service: service.to_owned(),
            present: Known::Is(true),
            start: Known::Is(Some(start)),
            needed: Known::Is(true),
        };
        let source = Source::Value {
            artifact: "SYSTEM".to_owned(),
            key: format!("Services\\{service}"),
            name: Some("Start".to_owned()),
            written: Some(second(written)),
            line: None,
        };
        facts.add(Some(second(written)), body, vec![source]);
    }
    let step = ClockStep {
        from: second(400),
        to: second(300),
        seconds: -100,
        crosses_validity: Known::Is(false),
    };
    facts.add(
        Some(second(300)),
        step,
        vec![Source::Record {
            artifact: "System".to_owned(),
            number: 1,
            offset: 0,
        }],
    );
    let rules = RuleSet::from_texts([("a.toml", RULE)], Cases::Optional).unwrap();
    let judgement = judge(&rules, &mut facts);
    let found = changes(&facts, &judgement);
    let told: Vec<(&str, bool)> = found
        .iter()
        .map(|change| (change.evidence[0].as_str(), change.in_bracket))
        .collect();
    assert_eq!(told, [("f2", false), ("f1", true), ("f3", false)]);
    assert_eq!(
        found[0].what,
        "the key of Services\\TermService\\Start was written"
    );
}
