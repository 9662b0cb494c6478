//! What a collection is for a rule, printed as a case of that rule: it comes to the same level, and names nobody.

mod support;

use rdptriage::facts::redact::Redactor;
use rdptriage::rules::case::{case_of, run};
use rdptriage::rules::eval::evaluate;
use rdptriage::rules::load::load;
use rdptriage::{Hashing, HostFacts, Options, gather};
use support::samples::{Sample, forge_all};
use support::verdict::{collect, rules};

/// What the printed cases must not hold: machines, people, addresses.
const NAMES: &[&str] = &[
    "CONTOSO",
    "anna",
    "bertil",
    "chiara",
    "10.20.",
    "203.0.113",
    "198.51.100",
    "192.0.2.",
    "S-1-5-21-",
];

fn gathered(sample: &Sample) -> HostFacts {
    let folder = collect(&sample.files);
    let options = Options {
        hashing: Hashing::Off,
        ..Options::default()
    };
    let mut hosts = gather(&[folder.path().to_owned()], &options).expect("something to read");
    assert_eq!(hosts.len(), 1, "{}: one host", sample.name);
    hosts.remove(0)
}

#[test]
fn every_sample_as_a_case_of_every_rule_comes_to_the_same_level() {
    let rules = rules();
    let mut cases = 0;
    let mut largest = 0;
    let mut wrong = Vec::new();
    for sample in forge_all() {
        let host = gathered(&sample);
        for rule in rules.rules() {
            let what = format!("{}, {}", sample.name, rule.id);
            let level = evaluate(rule, &mut host.facts.clone()).level;
            let names = host.name.iter().chain(&host.aliases).cloned();
            let printed = case_of(rule, &host.facts, &mut Redactor::of(names)).to_string();
            for name in NAMES {
                assert!(!printed.contains(name), "{what} names {name}:\n{printed}");
            }
            largest = largest.max(printed.len());
            let file = format!("{}\n{printed}", rules.text(&rule.id).expect("its text"));
            let read = load(&rule.file, &file);
            let read = read.unwrap_or_else(|errors| panic!("{what}: {errors:?}\n{printed}"));
            let case = read.rule.cases.last().expect("the printed one");
            let result = run(&read.rule, case);
            cases += 1;
            if result.evaluation.level != level || !result.failures.is_empty() {
                let failures = result.failures.join("\n");
                wrong.push(format!("{what}: {level} became\n{failures}\n{printed}"));
            }
        }
    }
    println!(
        "{cases} cases, {} levels changed, the longest case has {largest} bytes",
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
