//! The Windows Firewall, a moved port, and IPsec.

use super::*;
use support::corpus::corpus;

#[test]
fn healthy_machines_with_their_firewall_on_are_healthy_in_every_generation() {
    for windows in Windows::WITH_RDP_CORE_TS {
        let report = people_go_on(windows, |_| {});
        assert_eq!(says(&report), "healthy - succeeding", "{windows:?}");
        assert_eq!(
            level(&report, "firewall-blocks-rdp"),
            Level::RuledOut,
            "{windows:?}"
        );
    }
}

#[test]
fn the_rules_for_remote_desktop_were_switched_off() {
    for windows in Windows::WITH_RDP_CORE_TS {
        let report = silent_after(windows, |machine| {
            machine.firewall(false, at(CHANGED));
        });
        assert_eq!(
            says(&report),
            "confirmed firewall-blocks-rdp silent",
            "{windows:?}"
        );
    }
}

#[test]
fn a_rule_that_blocks_wins_over_the_one_that_allows() {
    let report = silent_after(Windows::Server2019, |machine| {
        let rule =
            "v2.29|Action=Block|Active=TRUE|Dir=In|Protocol=6|LPort2_10=3380-3400|Name=Harden|";
        machine.firewall_rule("{0C1F}", rule, at(CHANGED));
    });
    assert_eq!(says(&report), "confirmed firewall-blocks-rdp silent");
    let fact = report
        .facts
        .iter()
        .find(|fact| fact.kind == "firewall.listener")
        .unwrap();
    assert_eq!(fact.fields["by"], "rule {0C1F}");
}

#[test]
fn a_policy_that_does_not_merge_leaves_the_machines_own_rules_without_effect() {
    let merged = |merges: u32| {
        silent_after(Windows::Server2022, |machine| {
            let key = format!(r"{FIREWALL_POLICY}\DomainProfile");
            machine
                .software
                .set_dword(&key, "EnableFirewall", 1)
                .set_dword(&key, "AllowLocalPolicyMerge", merges)
                .touch(&key, at(CHANGED));
        })
    };
    assert_eq!(says(&merged(0)), "confirmed firewall-blocks-rdp silent");
    assert_eq!(level(&merged(1), "firewall-blocks-rdp"), Level::RuledOut);
}

#[test]
fn a_rule_of_a_policy_lets_in_what_the_machines_own_do_not() {
    let report = silent_after(Windows::Server2022, |machine| {
        machine.firewall(false, at(CHANGED));
        let rules = format!(r"{FIREWALL_POLICY}\FirewallRules");
        machine
            .software
            .set_sz(&rules, "Admins", &shipped_rule(true));
    });
    assert_eq!(
        level(&report, "firewall-blocks-rdp"),
        Level::RuledOut,
        "{}",
        says(&report)
    );
}

#[test]
fn what_lets_remote_desktop_in_without_its_own_rule_is_no_fault() {
    let with = |rule: &str| {
        let report = silent_after(Windows::Server2022, |machine| {
            machine.firewall(false, at(CHANGED));
            machine.firewall_rule("{AA}", rule, at(CHANGED));
        });
        level(&report, "firewall-blocks-rdp")
    };
    for rule in [
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Svc=TermService|Name=any port of the service|",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Name=no program|",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|LPort2_10=1-65535|Name=all|",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|RA4=10.0.0.0/8|Name=the office|",
    ] {
        assert_eq!(with(rule), Level::RuledOut, "{rule}");
    }
    for rule in [
        "v2.31|Action=Allow|Active=TRUE|Dir=Out|Protocol=6|LPort=3389|Name=out|",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=17|LPort=3389|Name=UDP|",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Public|LPort=3389|Name=another profile|",
        r"v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=C:\Tools\proxy.exe|Name=a program|",
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|RA4=192.168.0.0/16|Name=elsewhere|",
    ] {
        assert_eq!(with(rule), Level::Confirmed, "{rule}");
    }
    // What bounds a rule and cannot be judged leaves it open, and so does a field of a Windows to come.
    for rule in [
        "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|IF={698E50A9-4F58-4D86-B61D-F42E58DCACF6}|Name=one adapter|",
        "v2.55|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|Quux=1|Name=new|",
    ] {
        assert_eq!(with(rule), Level::Undetermined, "{rule}");
    }
}

#[test]
fn an_unknown_field_of_a_rule_is_named() {
    let report = silent_after(Windows::Server2022, |machine| {
        machine.firewall_rule(
            "{Q}",
            "v2.55|Action=Allow|Active=TRUE|Dir=In|Quux=1|",
            at(CHANGED),
        );
    });
    assert!(
        report
            .problems
            .iter()
            .any(|problem| problem.message.contains("Quux")),
        "{:?}",
        report.problems
    );
}

#[test]
fn the_profile_in_force_decides() {
    let domain_alone = shipped_rule(true).replace("Dir=In|", "Dir=In|Profile=Domain|");
    let joined = |category: u32| {
        silent_after(Windows::Server2025, |machine| {
            machine.firewall(false, at("2026-05-04T06:00:00Z"));
            machine.firewall_rule(
                "RemoteDesktop-UserMode-In-TCP",
                &domain_alone,
                at("2026-05-04T06:00:00Z"),
            );
            machine.boots(at(CHANGED));
            machine.listener_starts(at(CHANGED) + seconds(40));
            machine.joins_network(at(CHANGED) + seconds(20), category);
        })
    };
    assert_eq!(level(&joined(2), "firewall-blocks-rdp"), Level::RuledOut);
    // A domain controller that comes up in the public profile: nothing was written, and nobody gets in.
    assert_ne!(level(&joined(0), "firewall-blocks-rdp"), Level::RuledOut);
}

#[test]
fn without_the_profile_only_what_holds_in_all_of_them_counts() {
    let domain_alone = shipped_rule(true).replace("Dir=In|", "Dir=In|Profile=Domain|");
    let mut machine = Machine::new(
        "FABRIKAM-RD3",
        Windows::Server2019,
        at("2026-05-04T06:00:00Z"),
    );
    machine.firewall(false, at("2026-05-04T06:00:00Z"));
    assert_eq!(
        level(&report(&hives(&mut machine)), "firewall-blocks-rdp"),
        Level::Likely
    );
    machine.firewall_rule("RemoteDesktop-UserMode-In-TCP", &domain_alone, at(CHANGED));
    assert_eq!(
        level(&report(&hives(&mut machine)), "firewall-blocks-rdp"),
        Level::Undetermined
    );
}

#[test]
fn without_the_policies_and_beside_another_firewall_it_is_at_most_likely() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, 3);
    machine.firewall(false, at(CHANGED));
    lives_on(&mut machine);
    let mut files = all(&mut machine);
    files.remove("SOFTWARE");
    assert_eq!(says(&report(&files)), "likely firewall-blocks-rdp silent");
    let service = format!(r"{CONTROL_SET}\Services\SepMasterService");
    machine.system.set_dword(&service, "Start", 2);
    assert_eq!(
        says(&report(&all(&mut machine))),
        "likely firewall-blocks-rdp silent"
    );
}

#[test]
fn a_firewall_that_is_off_blocks_nothing() {
    let report = silent_after(Windows::Server2016, |machine| {
        machine.firewall(false, at(CHANGED));
        for profile in ["DomainProfile", "StandardProfile", "PublicProfile"] {
            machine
                .system
                .set_dword(&format!(r"{FIREWALL}\{profile}"), "EnableFirewall", 0);
        }
    });
    assert_eq!(
        level(&report, "firewall-blocks-rdp"),
        Level::RuledOut,
        "{}",
        says(&report)
    );
}

#[test]
fn a_blocking_rule_that_people_come_through_all_the_same_is_no_verdict() {
    let report = people_go_on(Windows::Server2022, |machine| {
        machine.firewall(false, at(CHANGED));
    });
    assert_eq!(says(&report), "healthy - succeeding");
    assert_eq!(finding(&report, "firewall-blocks-rdp").role, Role::Latent);
}

#[test]
fn the_listener_was_moved_away_from_its_rule() {
    for windows in Windows::WITH_RDP_CORE_TS {
        let report = silent_after(windows, |machine| {
            machine
                .system
                .set_dword(LISTENER, "PortNumber", 33890)
                .touch(LISTENER, at(CHANGED));
            machine.listener_starts(at(CHANGED) + minutes(5));
        });
        assert_eq!(
            says(&report),
            "confirmed listener-port-moved silent",
            "{windows:?}"
        );
        assert_eq!(level(&report, "firewall-blocks-rdp"), Level::RuledOut);
        let fix = &finding(&report, "listener-port-moved").fixes[0];
        assert!(
            fix.run.as_deref().unwrap().contains("localport=33890"),
            "{fix:?}"
        );
    }
}

#[test]
fn a_listener_that_was_moved_together_with_its_rule_is_healthy() {
    let moved = |machine: &mut Machine| {
        machine.system.set_dword(LISTENER, "PortNumber", 33890);
        let rule = shipped_rule(true).replace("3389", "33890");
        machine.firewall_rule("{Moved}", &rule, at("2026-05-04T06:00:00Z"));
    };
    let busy = people_go_on(Windows::Server2022, moved);
    assert_eq!(says(&busy), "healthy - succeeding");
    let quiet = silent_after(Windows::Server2022, moved);
    assert_eq!(quiet.verdict.cause, None, "{}", says(&quiet));
    assert_eq!(
        finding(&quiet, "listener-port-moved").role,
        Role::Contributing
    );
}

const ISOLATION: &str = "v2.31|Action=SecureServer|Name=Isolation|Desc=|Active=TRUE|Auth1Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}|Crypto2Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE2}|";

fn isolate(machine: &mut Machine, rule: &str, time: &str) {
    let key = format!(r"{FIREWALL_POLICY}\ConSecRules");
    machine
        .software
        .set_sz(&key, "{1501}", rule)
        .touch(&key, at(time));
}

#[test]
fn a_domain_that_is_isolated_and_works_is_healthy() {
    let report = people_go_on(Windows::Server2019, |machine| {
        isolate(machine, ISOLATION, CHANGED)
    });
    assert_eq!(says(&report), "healthy - succeeding");
    assert_eq!(level(&report, "ipsec-required"), Level::RuledOut);
}

#[test]
fn isolation_that_nobody_comes_through_any_more_is_likely_and_confirmed_by_its_failures() {
    let isolated = |rule: &str, fails: bool| {
        silent_after(Windows::Server2019, |machine| {
            isolate(machine, rule, CHANGED);
            if fails {
                machine.ipsec_fails(at(CHANGED) + minutes(20));
            }
        })
    };
    assert_eq!(
        level(&isolated(ISOLATION, false), "ipsec-required"),
        Level::Likely
    );
    let mut machine = machine(Windows::Server2019);
    people(&mut machine, 3);
    isolate(&mut machine, ISOLATION, CHANGED);
    machine.ipsec_fails(at(CHANGED) + minutes(20));
    lives_on(&mut machine);
    let mut files = all(&mut machine);
    files.extend(machine.logs(&[Channel::Security]));
    assert_eq!(says(&report(&files)), "confirmed ipsec-required silent");
    for other in [
        ISOLATION.replace("SecureServer", "Boundary"),
        ISOLATION.replace("Active=TRUE", "Active=FALSE"),
        ISOLATION.replace("Active=TRUE", "Active=TRUE|Protocol=6|EP1Port=445"),
        ISOLATION.replace("Active=TRUE", "Active=TRUE|Profile=Public"),
    ] {
        assert_eq!(
            level(&isolated(&other, false), "ipsec-required"),
            Level::RuledOut,
            "{other}"
        );
    }
    let bounded = ISOLATION.replace("Active=TRUE", "Active=TRUE|EP2_4=10.20.0.0/255.255.0.0");
    assert_eq!(
        level(&isolated(&bounded, false), "ipsec-required"),
        Level::Undetermined
    );
}

#[test]
fn a_rule_of_the_old_drivers_time_lets_in_only_where_the_driver_listens() {
    let old = "v2.10|Action=Allow|Active=TRUE|Dir=In|Protocol=6|LPort=3389|App=System|Name=@FirewallAPI.dll,-28753|";
    let with = |build: &str| {
        let mut machine = Machine::new(
            "FABRIKAM-RD3",
            Windows::Server2012R2,
            at("2026-05-04T06:00:00Z"),
        );
        machine.firewall(false, at("2026-05-04T06:00:00Z"));
        machine.firewall_rule("RemoteDesktop-In-TCP", old, at(CHANGED));
        let version = r"Microsoft\Windows NT\CurrentVersion";
        machine
            .software
            .set_sz(version, "CurrentBuild", build)
            .set_sz(version, "CurrentBuildNumber", build);
        level(&report(&hives(&mut machine)), "firewall-blocks-rdp")
    };
    assert_eq!(with("7601"), Level::RuledOut);
    assert_eq!(with("9600"), Level::Likely);
}

/// Every rule of the real machines' firewalls is read, and none of them makes a verdict.
#[test]
fn the_firewalls_of_real_machines_are_read_whole() {
    let Some(corpus) = corpus("") else {
        return;
    };
    let folder = std::path::Path::new(&corpus).join("hives");
    let rules = RuleSet::builtin().unwrap();
    for name in [
        "wks-win732bita",
        "win10-1709",
        "dirty-b",
        "corrupted_system_hive",
    ] {
        let reports = diagnose(&[folder.join(name)], &rules, &Options::default()).unwrap();
        let report = &reports[0];
        let unread: Vec<&str> = report
            .problems
            .iter()
            .map(|problem| problem.message.as_str())
            .filter(|message| message.starts_with("the rule "))
            .collect();
        assert!(unread.is_empty(), "{name}: {unread:?}");
        for finding in &report.findings {
            assert_ne!(finding.level, Level::Confirmed, "{name}: {}", finding.cause);
        }
    }
}
