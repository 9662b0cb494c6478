//! The service, its listener, and what repairs left behind.

use rdptriage::report::{Charset, Clock, Detail, Format, TextOptions};

use super::*;

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

/// LSASS crashes when connections begin to fail, and Windows starts again two minutes later, or goes on.
fn lsass_crashes(windows: Windows, restarts: bool) -> Report {
    let mut machine = machine(windows);
    people(&mut machine, 3);
    machine.program_crashes(at("2026-11-10T10:00:00Z"), "w3wp.exe", "ntdll.dll");
    machine.critical_process_fails(at("2026-11-12T07:57:00Z"), r"C:\Windows\system32\lsass.exe");
    if restarts {
        machine
            .boots(at("2026-11-12T07:59:00Z"))
            .listener_starts(at("2026-11-12T07:59:20Z"));
    }
    for turn in 0..6 {
        machine.dies_in_tls(
            at("2026-11-12T08:00:00Z") + minutes(turn * 6),
            ANNA,
            TlsFailure::NoCredential,
        );
    }
    report(&all(&mut machine))
}

#[test]
fn lsass_crashes_when_connections_begin_to_fail() {
    for windows in [
        Windows::Server2012R2,
        Windows::Server2019,
        Windows::Server2025,
    ] {
        let report = lsass_crashes(windows, true);
        assert_eq!(says(&report), "confirmed lsass-failing failing");
    }
}

/// Windows does not run without LSASS: whoever wrote that it crashed was not Windows.
#[test]
fn a_crash_of_lsass_that_windows_survives_is_not_believed() {
    let report = lsass_crashes(Windows::Server2022, false);
    assert_eq!(level(&report, "lsass-failing"), Level::RuledOut);
    let told = |problem: &Problem| problem.message.contains("lsass.exe crashed");
    assert!(report.problems.iter().any(told), "{:?}", report.problems);
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
        bind_to(machine, OTHER_ADAPTER);
        machine.listener_starts(at(CHANGED) + minutes(5));
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
    let options = TextOptions {
        width: 100,
        charset: Charset::Unicode,
        clock: Clock::new(jiff::tz::TimeZone::UTC),
        detail: Detail::Screen,
    };
    for format in [Format::Text, Format::Markdown, Format::Html] {
        let page = format.render(std::slice::from_ref(&report), &options);
        let page = String::from_utf8(page).unwrap();
        assert!(
            page.contains("Left behind") && page.contains("65536"),
            "{format:?}"
        );
    }
    let clean = people_go_on(Windows::Server2022, |_| {});
    assert!(clean.facts.iter().all(|fact| fact.kind != "repair.residue"));
}

#[test]
fn keys_that_were_all_opened_are_told_from_those_that_were_not() {
    let listed = |others: &str| {
        let mut machine = machine(Windows::Server2022);
        people(&mut machine, 6);
        let mut files = all(&mut machine);
        let name = |hash: &str| format!("{hash}_7c3b5a90-2f41-4d0e-9b7a-6f1d2c8e4b55");
        let entries = [
            (name("f686aace6942fb7f7ceb231212eef4a4"), HEALTHY_KEY),
            (name("6de9cb26d2b98c01ec4e9e8b34824aa2"), others),
            (name("76944fb33636aeddb9590521c2e8815a"), others),
        ];
        let entries: Vec<(&str, &str)> = entries
            .iter()
            .map(|(name, descriptor)| (name.as_str(), *descriptor))
            .collect();
        files.insert("MachineKeys.acl".into(), saved(&entries));
        report(&files)
            .facts
            .iter()
            .any(|fact| fact.kind == "repair.residue" && fact.fields["left"] == "keys-opened")
    };
    assert!(listed("D:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;NS)"));
    assert!(!listed("D:PAI(A;;FA;;;SY)(A;;FA;;;BA)"));
}
