//! Services, the listener and what stands before it: broken machines, and healthy ones that look like them.

mod support;

use std::collections::BTreeMap;

use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Finding, Level, Report, Role, Status};
use rdptriage::{Options, diagnose};
use support::machine::{
    CONTROL_SET, Channel, FIREWALL, FIREWALL_POLICY, LISTENER, Machine, TlsFailure, Windows, at,
    minutes, seconds, shipped_rule,
};

type Files = BTreeMap<String, Vec<u8>>;

const ANNA: &str = "10.20.4.17";
const BERTIL: &str = "10.20.4.31";
/// People worked until the evening of the 11th; the collection ends on the 14th.
const FIRST_DAY: &str = "2026-11-09T08:00:00Z";
const CHANGED: &str = "2026-11-11T19:00:00Z";
const END: &str = "2026-11-14T13:00:00Z";
const GENERATIONS: [Windows; 5] = [
    Windows::Server2012R2,
    Windows::Server2016,
    Windows::Server2019,
    Windows::Server2022,
    Windows::Server2025,
];

fn report(files: &Files) -> Report {
    let folder = tempfile::tempdir().unwrap();
    Machine::collect(folder.path(), files).unwrap();
    let rules = RuleSet::builtin().unwrap();
    let mut reports = diagnose(&[folder.path().to_owned()], &rules, &Options::default()).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn says(report: &Report) -> String {
    let cause = report.verdict.cause.as_deref().unwrap_or("-");
    format!(
        "{:?} {cause} {}",
        report.verdict.status, report.verdict.state
    )
    .to_lowercase()
}

fn finding<'r>(report: &'r Report, cause: &str) -> &'r Finding {
    report
        .findings
        .iter()
        .find(|finding| finding.cause == cause)
        .unwrap()
}

fn level(report: &Report, cause: &str) -> Level {
    finding(report, cause).level
}

/// A machine with its firewall as Windows ships it and Remote Desktop switched on, in a domain's network.
fn machine(windows: Windows) -> Machine {
    let mut machine = Machine::new("FABRIKAM-RD3", windows, at("2026-05-04T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine
        .firewall(true, at("2026-05-04T06:00:00Z"))
        .boots(at("2026-11-01T03:00:00Z"))
        .listener_starts(at("2026-11-01T03:00:40Z"))
        .joins_network(at("2026-11-01T03:00:20Z"), 2);
    machine
}

/// Two people, some days long.
fn people(machine: &mut Machine, days: i64) {
    for day in 0..days {
        for (offset, client, user) in [
            (0, ANNA, "anna"),
            (25, BERTIL, "bertil"),
            (250, ANNA, "anna"),
        ] {
            let time = at(FIRST_DAY) + minutes(day * 1440 + offset);
            machine.gets_in(time, client, user);
            machine.leaves(time + minutes(200), client, user);
        }
    }
}

/// Windows goes on after people stopped coming: something of the System log up to the end.
fn lives_on(machine: &mut Machine) {
    machine.service_state(at(END) - minutes(5), "Windows Update", "stopped");
}

const LOGS: &[Channel] = &[
    Channel::System,
    Channel::Application,
    Channel::NetworkProfile,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
];

fn all(machine: &mut Machine) -> Files {
    machine.written(at(END));
    let mut files = machine.logs(LOGS);
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    files.insert("SOFTWARE".into(), machine.software.to_bytes());
    files
}

fn hives(machine: &mut Machine) -> Files {
    machine.written(at(END));
    let mut files = Files::new();
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    files.insert("SOFTWARE".into(), machine.software.to_bytes());
    files
}

/// A machine of people who come until CHANGED, changed as `change` does.
fn silent_after(windows: Windows, change: impl FnOnce(&mut Machine)) -> Report {
    let mut machine = machine(windows);
    people(&mut machine, 3);
    change(&mut machine);
    lives_on(&mut machine);
    report(&all(&mut machine))
}

/// The same, and people go on coming.
fn people_go_on(windows: Windows, change: impl FnOnce(&mut Machine)) -> Report {
    let mut machine = machine(windows);
    people(&mut machine, 6);
    change(&mut machine);
    report(&all(&mut machine))
}

#[test]
fn healthy_machines_with_their_firewall_on_are_healthy_in_every_generation() {
    for windows in GENERATIONS {
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
fn a_healthy_machine_under_scan_is_healthy() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, 6);
    for turn in 0..60 {
        let time = at(FIRST_DAY) + minutes(turn * 37);
        machine.is_probed(time, "203.0.113.9");
        machine.mistypes(time + minutes(5), "198.51.100.4");
        machine.dies_in_tls(time + minutes(9), "203.0.113.77", TlsFailure::NoCommonSuite);
    }
    machine.program_crashes(at("2026-11-12T10:00:00Z"), "w3wp.exe", "ntdll.dll");
    let report = report(&all(&mut machine));
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn the_rules_for_remote_desktop_were_switched_off() {
    for windows in GENERATIONS {
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
    for windows in GENERATIONS {
        let report = silent_after(windows, |machine| {
            machine
                .system
                .set_dword(LISTENER, "PortNumber", 33890)
                .touch(LISTENER, at(CHANGED));
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
fn another_program_took_the_port() {
    let report = silent_after(Windows::Server2022, |machine| {
        machine.boots(at(CHANGED));
        machine.listener_fails(at(CHANGED) + seconds(50), 1036, "0x2740.");
    });
    assert_eq!(says(&report), "confirmed listener-port-conflict silent");
    assert_ne!(level(&report, "listener-missing"), Level::Confirmed);
}

#[test]
fn a_listener_that_came_up_at_the_second_try_is_healthy() {
    let report = people_go_on(Windows::Server2022, |machine| {
        machine.listener_fails(at("2026-11-13T03:00:50Z"), 1036, "0x80072740");
        machine.listener_starts(at("2026-11-13T03:01:50Z"));
    });
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn the_service_runs_and_the_listener_did_not_start() {
    let restarted = |starts: bool| {
        silent_after(Windows::Server2016, |machine| {
            machine.boots(at(CHANGED));
            machine.service_state(
                at(CHANGED) + seconds(30),
                "Remote Desktop Services",
                "running",
            );
            if starts {
                machine.listener_starts(at(CHANGED) + seconds(40));
            }
        })
    };
    assert_eq!(says(&restarted(false)), "confirmed listener-missing silent");
    assert_eq!(level(&restarted(true), "listener-missing"), Level::RuledOut);
}

#[test]
fn a_listener_that_is_switched_off_is_not_missing() {
    let report = silent_after(Windows::Server2016, |machine| {
        let key = format!(r"{CONTROL_SET}\Control\Terminal Server");
        machine
            .system
            .set_dword(&key, "fDenyTSConnections", 1)
            .touch(&key, at(CHANGED));
        machine.boots(at(CHANGED) + minutes(10));
        machine.service_state(
            at(CHANGED) + minutes(11),
            "Remote Desktop Services",
            "running",
        );
    });
    assert_eq!(says(&report), "confirmed rdp-disabled silent");
    assert_eq!(level(&report, "listener-missing"), Level::RuledOut);
}

#[test]
fn the_service_fails_and_does_not_come_back() {
    for (shown, id) in [
        ("Remote Desktop Services", 7034),
        ("Remotedesktopdienste", 7023),
        ("Службы удаленных рабочих столов", 7031),
    ] {
        let report = silent_after(Windows::Server2022, |machine| {
            machine.service_fails(at(CHANGED), id, shown, "1");
        });
        assert_eq!(
            says(&report),
            "confirmed termservice-failing silent",
            "{shown} {id}"
        );
    }
}

#[test]
fn a_service_that_crashed_and_came_back_is_healthy() {
    let report = people_go_on(Windows::Server2022, |machine| {
        machine.service_fails(at(CHANGED), 7031, "Remote Desktop Services", "1");
        machine.program_crashes(at(CHANGED), "svchost.exe_TermService", "rdpcorets.dll");
        machine.listener_starts(at(CHANGED) + minutes(1));
    });
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn a_wrapper_is_named_and_is_the_cause_only_where_the_service_fails() {
    let wrapped = |fails: bool| {
        let mut machine = machine(Windows::Server2019);
        people(&mut machine, if fails { 3 } else { 6 });
        let key = format!(r"{CONTROL_SET}\Services\TermService\Parameters");
        machine.system.set_expand_sz(
            &key,
            "ServiceDll",
            r"%ProgramFiles%\RDP Wrapper\rdpwrap.dll",
        );
        if fails {
            machine.service_fails(at(CHANGED), 7034, "Remote Desktop Services", "1");
            lives_on(&mut machine);
        }
        report(&all(&mut machine))
    };
    assert_eq!(
        says(&wrapped(true)),
        "confirmed termservice-replaced silent"
    );
    let healthy = wrapped(false);
    assert_eq!(says(&healthy), "healthy - succeeding");
    assert_eq!(
        finding(&healthy, "termservice-replaced").role,
        Role::Contributing
    );
}

#[test]
fn lsass_crashes_when_connections_begin_to_fail() {
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, 3);
    machine.critical_process_fails(at("2026-11-12T07:59:00Z"), r"C:\Windows\system32\lsass.exe");
    for turn in 0..6 {
        machine.dies_in_tls(
            at("2026-11-12T08:00:00Z") + minutes(turn * 6),
            ANNA,
            TlsFailure::NoCredential,
        );
    }
    let report = report(&all(&mut machine));
    assert_eq!(says(&report), "confirmed lsass-failing failing");
}

#[test]
fn a_session_host_in_drain_mode_leaves_people_without_a_session() {
    let drained = |role: bool, mode: u32| {
        let mut machine = machine(Windows::Server2019);
        people(&mut machine, 3);
        let key = format!(r"{CONTROL_SET}\Control\Terminal Server");
        machine
            .system
            .set_dword(&key, "TSServerDrainMode", mode)
            .touch(&key, at(CHANGED));
        if !role {
            machine.no_session_host(at("2026-11-01T03:00:41Z"));
        }
        for turn in 0..6 {
            machine.is_left_without_a_session(
                at("2026-11-12T08:00:00Z") + minutes(turn * 6),
                ANNA,
                "anna",
            );
        }
        report(&all(&mut machine))
    };
    assert_eq!(
        drained(true, 1).verdict.cause.as_deref(),
        Some("listener-drained")
    );
    assert_eq!(
        level(&drained(true, 0), "listener-drained"),
        Level::RuledOut
    );
    assert_eq!(
        level(&drained(false, 2), "listener-drained"),
        Level::RuledOut
    );
}

#[test]
fn logons_that_are_switched_off_leave_people_without_a_session() {
    let mut machine = machine(Windows::Server2025);
    people(&mut machine, 3);
    let key = r"Microsoft\Windows NT\CurrentVersion\Winlogon";
    machine
        .software
        .set_sz(key, "WinStationsDisabled", "1")
        .touch(key, at(CHANGED));
    for turn in 0..6 {
        machine.is_left_without_a_session(
            at("2026-11-12T08:00:00Z") + minutes(turn * 6),
            ANNA,
            "anna",
        );
    }
    assert_eq!(
        report(&all(&mut machine)).verdict.cause.as_deref(),
        Some("logons-disabled")
    );
    machine.software.set_sz(key, "WinStationsDisabled", "0");
    assert_eq!(
        level(&report(&all(&mut machine)), "logons-disabled"),
        Level::RuledOut
    );
}

const ADAPTER: &str = "{698E50A9-4F58-4D86-B61D-F42E58DCACF6}";
const OTHER_ADAPTER: &str = "{6AAFC9A9-0542-4DB2-8760-CCFFA953737C}";

fn bind_to(machine: &mut Machine, adapter: &str) {
    machine
        .system
        .set_dword(LISTENER, "LanAdapter", 2)
        .touch(LISTENER, at(CHANGED));
    let table = format!(r"{CONTROL_SET}\Control\Terminal Server\LanaTable\{adapter}");
    machine.system.set_dword(&table, "LanaId", 2);
    let known =
        format!(r"{CONTROL_SET}\Control\Class\{{4D36E972-E325-11CE-BFC1-08002BE10318}}\0001");
    machine.system.set_sz(&known, "NetCfgInstanceId", ADAPTER);
}

#[test]
fn a_listener_that_is_bound_to_an_adapter_that_is_gone() {
    let report = silent_after(Windows::Server2016, |machine| {
        bind_to(machine, OTHER_ADAPTER)
    });
    assert_eq!(says(&report), "confirmed listener-adapter-missing silent");
    let report = people_go_on(Windows::Server2016, |machine| bind_to(machine, ADAPTER));
    assert_eq!(says(&report), "healthy - succeeding");
}

#[test]
fn a_home_edition_has_no_host() {
    let home = |wrapper: bool| {
        let mut machine = Machine::new("LAPTOP-7", Windows::Server2022, at("2026-05-04T06:00:00Z"));
        let version = r"Microsoft\Windows NT\CurrentVersion";
        machine
            .software
            .set_sz(version, "EditionID", "CoreSingleLanguage");
        if wrapper {
            let key = format!(r"{CONTROL_SET}\Services\TermService\Parameters");
            machine.system.set_expand_sz(
                &key,
                "ServiceDll",
                r"C:\Program Files\RDP Wrapper\rdpwrap.dll",
            );
        }
        report(&hives(&mut machine))
    };
    assert_eq!(says(&home(false)), "likely edition-without-host unseen");
    assert_eq!(level(&home(true), "edition-without-host"), Level::RuledOut);
}

#[test]
fn a_workstation_whose_remote_desktop_was_never_on_is_told_so() {
    let mut machine = Machine::new("WKS-7", Windows::Server2022, at("2026-05-04T06:00:00Z"));
    let key = format!(r"{CONTROL_SET}\Control\Terminal Server");
    machine.system.set_dword(&key, "fDenyTSConnections", 1);
    machine.system.set_sz(
        &format!(r"{CONTROL_SET}\Control\ProductOptions"),
        "ProductType",
        "WinNT",
    );
    machine.firewall(false, at("2026-05-04T06:00:00Z"));
    let report = report(&hives(&mut machine));
    let switch = report
        .facts
        .iter()
        .find(|fact| fact.kind == "listener.switch")
        .unwrap();
    assert_eq!(switch.fields["never_on"], true);
    assert_eq!(report.verdict.status, Status::Likely);
    assert_eq!(
        report.verdict.cause.as_deref(),
        Some("rdp-disabled"),
        "{}",
        says(&report)
    );
}

#[test]
fn a_citrix_host_that_works_is_healthy() {
    let citrix = |machine: &mut Machine| {
        machine
            .system
            .set_sz(
                LISTENER,
                "CitrixBackupRdpTcpLoadableProtocolObject",
                "{5828227c-20cf-4408-b73f-73ab70b8849f}",
            )
            .set_sz(
                LISTENER,
                "LoadableProtocol_Object",
                "{F2B2E3F5-6E0D-4C7B-A1F0-3C5D2B7E9A10}",
            );
        machine.system.at(&format!(
            r"{CONTROL_SET}\Control\Terminal Server\WinStations\ICA-TCP"
        ));
    };
    let healthy = people_go_on(Windows::Server2019, citrix);
    assert_eq!(says(&healthy), "healthy - succeeding");
    assert_eq!(
        finding(&healthy, "third-party-listener").role,
        Role::Contributing
    );
    let broken = silent_after(Windows::Server2019, |machine| {
        citrix(machine);
        machine.service_fails(at(CHANGED), 7034, "PorticaService", "1");
    });
    assert_eq!(says(&broken), "confirmed third-party-listener silent");
}

#[test]
fn dhcp_matters_only_where_the_address_comes_from_it() {
    let disabled = |fixed: bool| {
        silent_after(Windows::Server2022, |machine| {
            let service = format!(r"{CONTROL_SET}\Services\Dhcp");
            machine
                .system
                .set_dword(&service, "Start", 4)
                .touch(&service, at(CHANGED));
            let adapter = format!(r"{CONTROL_SET}\Services\Tcpip\Parameters\Interfaces\{ADAPTER}");
            machine
                .system
                .set_dword(&adapter, "EnableDHCP", u32::from(!fixed));
            if fixed {
                machine
                    .system
                    .set_multi_sz(&adapter, "IPAddress", &["10.20.4.2"]);
            }
        })
    };
    assert_eq!(
        says(&disabled(false)),
        "confirmed dependency-disabled silent"
    );
    assert_eq!(
        level(&disabled(true), "dependency-disabled"),
        Level::RuledOut
    );
}

#[test]
fn a_dependency_is_what_the_hive_says_it_is() {
    let report = silent_after(Windows::Server2012R2, |machine| {
        let service = |name: &str| format!(r"{CONTROL_SET}\Services\{name}");
        machine.system.set_multi_sz(
            &service("TermService"),
            "DependOnService",
            &["RPCSS", "TermDD"],
        );
        machine
            .system
            .set_dword(&service("TermDD"), "Start", 4)
            .touch(&service("TermDD"), at(CHANGED));
    });
    assert_eq!(says(&report), "confirmed dependency-disabled silent");
}

#[test]
fn what_repairs_left_behind_is_shown_and_never_the_verdict() {
    let report = people_go_on(Windows::Server2022, |machine| {
        machine
            .system
            .set_dword(LISTENER, "SecurityLayer", 0)
            .set_dword(LISTENER, "UserAuthentication", 0)
            .set_dword(LISTENER, "MinEncryptionLevel", 1)
            .set_dword(LISTENER, " MaxIdleTime", 0)
            .set_binary(LISTENER, "SSLCertificateSHA1HashValue", &[7; 20])
            .set_dword(&format!(r"{CONTROL_SET}\Services\gpsvc"), "Start", 4)
            .set_dword(
                &format!(r"{CONTROL_SET}\Control\Terminal Server"),
                "MaxOutstandingConnections",
                65536,
            );
        let other = r"ControlSet002\Control\Terminal Server";
        machine
            .system
            .set_dword(other, "fDenyTSConnections", 1)
            .touch(other, at(CHANGED));
        machine.software.set_dword(
            r"Microsoft\Windows\CurrentVersion\Policies\System\CredSSP\Parameters",
            "AllowEncryptionOracle",
            2,
        );
    });
    let left: Vec<&str> = report
        .facts
        .iter()
        .filter(|fact| fact.kind == "repair.residue")
        .filter_map(|fact| fact.fields["left"].as_str())
        .collect();
    for word in [
        "reset-rdp-cert",
        "spaced-name",
        "misnamed-pin",
        "group-policy-off",
        "credssp-weakened",
        "flood-limit-raised",
        "other-control-set",
    ] {
        assert!(left.contains(&word), "{word}: {left:?}");
    }
    assert_eq!(report.verdict.cause, None, "{}", says(&report));
    let clean = people_go_on(Windows::Server2022, |_| {});
    assert!(clean.facts.iter().all(|fact| fact.kind != "repair.residue"));
}

/// Every rule of the real machines' firewalls is read, and none of them makes a verdict.
#[test]
fn the_firewalls_of_real_machines_are_read_whole() {
    let Some(corpus) = std::env::var_os("RDPTRIAGE_CORPUS") else {
        println!("skipped: RDPTRIAGE_CORPUS is not set");
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
