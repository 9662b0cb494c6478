use super::*;
use std::collections::BTreeMap;

use crate::facts::catalog::policy::PolicyObject;
use crate::facts::coverage::Coverage;
use crate::facts::coverage::Window;
use crate::facts::fact::Source;
use crate::rules::RuleSet;

fn with_software() -> FactSet {
    let mut facts = FactSet::of_nothing();
    facts.cover(Subject::SoftwareHive, Coverage::Whole(Window::ALWAYS));
    facts
}

fn add(body: impl crate::facts::fact::Body, facts: &mut FactSet) {
    let artifact = "SOFTWARE".to_owned();
    facts.add(None, body, vec![Source::File { artifact }]);
}

fn fix(run: &str) -> Fix {
    Fix {
        step: String::new(),
        run: Some(run.to_owned()),
        risk: None,
        rollback: None,
        verify: None,
    }
}

/// The repairs of the built-in rules, their placeholders as they stand.
fn builtin() -> BTreeMap<String, Vec<Fix>> {
    let rules = RuleSet::builtin().unwrap();
    let of = |rule: &crate::rules::model::Rule| {
        let runs = rule.fixes.iter().filter_map(|fix| fix.run.as_ref());
        runs.map(|run| fix(&run.to_string())).collect()
    };
    rules
        .rules()
        .map(|rule| (rule.id.clone(), of(rule)))
        .collect()
}

/// What of a policy's places a text names, as people would look for it.
fn names(run: &str, over: &str) -> bool {
    let run = run.replace('"', "");
    let Some((key, value)) = over
        .rsplit_once('\\')
        .filter(|_| over.starts_with("HKLM\\"))
    else {
        return run.contains(over);
    };
    run.split(" & ").any(|part| {
        let writes = part.starts_with("reg add") || part.starts_with("reg delete");
        writes && part.contains(&format!("{key} /v {value} "))
    })
}

#[test]
fn every_repair_that_a_policy_would_revert_names_it_first() {
    let mut concerned = Vec::new();
    for (rule, fixes) in builtin() {
        for policy in policy::all() {
            let runs: Vec<&str> = fixes.iter().filter_map(|fix| fix.run.as_deref()).collect();
            let written = policy
                .over
                .iter()
                .any(|over| runs.iter().any(|run| names(run, over)));
            let mut facts = with_software();
            add(
                PolicyValue {
                    policy: policy.name.to_owned(),
                    place: policy.place.clone(),
                    says: "1".to_owned(),
                    over: policy.over.clone(),
                },
                &mut facts,
            );
            let first = policy_first(&fixes, &facts);
            assert_eq!(first.is_some(), written, "{rule}: {}", policy.name);
            if let Some(first) = first {
                assert!(first.step.contains(policy.name), "{rule}: {}", first.step);
                assert!(first.run.unwrap().contains("gpresult"), "{rule}");
                concerned.push(rule.clone());
                // Without SOFTWARE nobody knows, and the step says so.
                let unseen = policy_first(&fixes, &FactSet::of_nothing()).unwrap();
                assert!(
                    unseen.step.contains("The SOFTWARE hive would tell"),
                    "{rule}"
                );
            }
        }
        assert_eq!(
            policy_first(&fixes, &with_software()).map(|fix| fix.step),
            None,
            "{rule}: no policy is set"
        );
    }
    concerned.dedup();
    for rule in [
        "rdp-disabled",
        "listener-values-invalid",
        "security-layer-conflict",
        "session-limit-reached",
        "tls-suite-policy-unusable",
        "tls-local-suite-list-damaged",
        "certificate-pin-dangling",
        "certificate-weak",
        "certificate-signature-only-key",
        "licensing-grace-expired",
        "firewall-blocks-rdp",
        "listener-port-moved",
        "ipsec-required",
        "path-drop",
        "udp-transport-failing",
    ] {
        assert!(concerned.iter().any(|id| id == rule), "{rule}");
    }
}

#[test]
fn objects_that_can_write_it_are_named_where_no_policy_has_it() {
    let object = |extension| PolicyObject {
        object: "Hardening 2026".to_owned(),
        extension,
    };
    let registry = fix(
        r"reg add HKLM\SYSTEM\CurrentControlSet\Control\SecurityProviders\SCHANNEL\Protocols /v Enabled /t REG_DWORD /d 1 /f",
    );
    let service = fix("sc.exe config SessionEnv start= demand");
    let rights = fix(r"secedit /configure /db a.sdb /cfg a.inf");
    for (extension, names) in [
        (PolicyExtension::RegistryPreferences, [true, false, false]),
        (PolicyExtension::ServicePreferences, [false, true, false]),
        (PolicyExtension::SecuritySettings, [false, true, true]),
    ] {
        let mut facts = with_software();
        add(object(extension), &mut facts);
        for (fix, named) in [&registry, &service, &rights].into_iter().zip(names) {
            let first = policy_first(std::slice::from_ref(fix), &facts);
            assert_eq!(first.is_some(), named, "{extension}: {:?}", fix.run);
            assert!(first.is_none_or(|first| first.step.contains("Hardening 2026")));
        }
    }
}

#[test]
fn the_disk_of_a_machine_that_does_not_start_is_repaired_in_its_own_control_set() {
    let run = r#"reg export "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server" a.reg & reg add "HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server" /v fDenyTSConnections /t REG_DWORD /d 0 /f"#;
    let facts = with_software();
    let told = offline(&[fix(run)], &facts).unwrap();
    assert!(told.step.contains("Current below Select"), "{}", told.step);
    assert!(told.run.unwrap().contains(r"BROKENSYSTEM\ControlSet001\"));
    assert!(told.rollback.is_some() && told.risk.is_some());
    assert_eq!(offline(&[fix("query session")], &facts), None);
}
