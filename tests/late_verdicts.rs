//! Verdicts that were wrong or missed once, each on the machine that showed it: what stands in the hive and is not in effect yet,
//! what has ended and is served all the same, whose the noise beside a fault is.

mod support;

use jiff::Timestamp;
use rdptriage::verdict::model::{Level, Report, Role};
use rdptriage::{Options, diagnose};
use support::event_log::{Event, LogBuilder};
use support::machine::keys::{listener_key, saved};
use support::machine::{
    CONTROL_SET, Channel, LISTENER, Machine, Refused, TlsFailure, Windows, at, minutes, seconds,
};
use support::verdict::{Files, collect, finding, report, rules, says};

const ANNA: &str = "10.20.4.17";
const BERTIL: &str = "10.20.4.31";
const LOGS: [Channel; 8] = [
    Channel::System,
    Channel::Application,
    Channel::Security,
    Channel::NetworkProfile,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
    Channel::RemoteConnectionManagerAdmin,
];

/// What else stands, for a test that fails.
fn others(report: &Report) -> String {
    let standing = report
        .findings
        .iter()
        .filter(|finding| finding.level > Level::Undetermined);
    let told = standing.map(|each| format!("{} {:?} {:?}", each.cause, each.level, each.role));
    format!("{}; {}", says(report), told.collect::<Vec<_>>().join(", "))
}

/// A machine on which two people work from the ninth to the eleventh of November.
fn machine(windows: Windows) -> Machine {
    let mut machine = Machine::new("FABRIKAM-RD8", windows, at("2026-05-04T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine.firewall(true, at("2026-05-04T06:00:00Z"));
    machine
        .boots(at("2026-11-08T03:00:00Z"))
        .joins_network(at("2026-11-08T03:00:20Z"), 2)
        .listener_starts(at("2026-11-08T03:00:40Z"))
        .admin_event(at("2026-11-08T03:00:40Z"), 1141);
    people(&mut machine, 9, 3);
    machine
}

/// People's days, from that day of November on.
fn people(machine: &mut Machine, first: i64, days: i64) {
    for day in 0..days {
        let morning = at("2026-11-01T08:00:00Z") + minutes((first - 1 + day) * 1440);
        for (offset, client, user) in [(0, ANNA, "anna"), (25, BERTIL, "bertil")] {
            let time = morning + minutes(offset);
            machine.logs_on(time, client, user);
            machine.leaves(time + minutes(200), client, user);
        }
    }
}

fn everything(machine: &mut Machine, end: &str) -> Files {
    machine.service_state(at(end), "Windows Update", "stopped");
    machine.written(at(end));
    let mut files = machine.logs(&LOGS);
    files.retain(|name, _| machine.windows.has_rdp_core_ts() || !name.contains("RdpCoreTS"));
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    files.insert("SOFTWARE".into(), machine.software.to_bytes());
    files
}

/// The service reads its port when it starts: what was written since closes nothing yet.
#[test]
fn a_port_that_waits_for_the_service_to_start_again_closes_nothing() {
    for windows in [Windows::Server2012R2, Windows::Server2022] {
        let mut machine = machine(windows);
        machine
            .system
            .set_dword(LISTENER, "PortNumber", 33890)
            .touch(LISTENER, at("2026-11-11T15:00:00Z"));
        let waits = report(&everything(&mut machine, "2026-11-11T16:00:00Z"));
        assert_eq!(says(&waits), "healthy - succeeding", "{windows:?}");
        assert_eq!(finding(&waits, "listener-port-moved").role, Role::Latent);

        let quiet = report(&everything(&mut machine, "2026-11-15T16:00:00Z"));
        assert_eq!(quiet.verdict.cause, None, "{}", says(&quiet));
        assert_eq!(finding(&quiet, "listener-port-moved").role, Role::Latent);

        machine
            .boots(at("2026-11-11T20:00:00Z"))
            .listener_starts(at("2026-11-11T20:00:40Z"));
        let strikes = report(&everything(&mut machine, "2026-11-15T16:00:00Z"));
        assert_eq!(says(&strikes), "confirmed listener-port-moved silent");
    }
}

/// Windows lets a service that was disabled run on until its next start.
#[test]
fn what_waits_for_a_restart_is_latent_while_people_work_or_rest() {
    type Change = fn(&mut Machine, Timestamp);
    fn disable(machine: &mut Machine, service: &str, time: Timestamp) {
        let key = format!(r"{CONTROL_SET}\Services\{service}");
        machine.system.set_dword(&key, "Start", 4).touch(&key, time);
    }
    let changes: [(&str, Change, bool); 3] = [
        (
            "termservice-disabled",
            |m, at| disable(m, "TermService", at),
            false,
        ),
        (
            "crypto-service-disabled",
            |m, at| disable(m, "KeyIso", at),
            true,
        ),
        (
            "listener-adapter-missing",
            |machine, at| {
                let terminal_server = format!(r"{CONTROL_SET}\Control\Terminal Server");
                let table = format!(
                    r"{terminal_server}\LanaTable\{{6AAFC9A9-0542-4DB2-8760-CCFFA953737C}}"
                );
                let adapters = format!(
                    r"{CONTROL_SET}\Control\Class\{{4D36E972-E325-11CE-BFC1-08002BE10318}}\0001"
                );
                machine
                    .system
                    .set_dword(LISTENER, "LanAdapter", 2)
                    .touch(LISTENER, at);
                machine.system.set_dword(&table, "LanaId", 2);
                let other = "{698E50A9-4F58-4D86-B61D-F42E58DCACF6}";
                machine.system.set_sz(&adapters, "NetCfgInstanceId", other);
            },
            true,
        ),
    ];
    for (cause, change, on_a_quiet_machine) in changes {
        for windows in [Windows::Server2012R2, Windows::Server2022] {
            let mut machine = machine(windows);
            change(&mut machine, at("2026-11-11T15:00:00Z"));
            let waits = report(&everything(&mut machine, "2026-11-11T15:30:00Z"));
            assert_eq!(says(&waits), "healthy - succeeding", "{cause} {windows:?}");
            assert_eq!(
                finding(&waits, cause).role,
                Role::Latent,
                "{cause} {windows:?}"
            );
            if on_a_quiet_machine {
                let quiet = report(&everything(&mut machine, "2026-11-15T16:00:00Z"));
                assert_eq!(quiet.verdict.cause, None, "{cause} {}", others(&quiet));
            }
        }
    }
}

/// In the second control set the same, and nothing in the first.
#[test]
fn the_control_set_in_use_is_what_counts() {
    let mut machine = machine(Windows::Server2019);
    let service = format!(r"{CONTROL_SET}\Services\TermService");
    machine
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-11-11T15:00:00Z"));
    machine.boots(at("2026-11-11T20:00:00Z"));
    let mut files = everything(&mut machine, "2026-11-15T16:00:00Z");
    let healthy = machine.system.clone().in_set_two();
    files.insert(
        "SYSTEM".into(),
        machine.system.clone().in_set_two().to_bytes(),
    );
    assert_eq!(
        says(&report(&files)),
        "confirmed termservice-disabled silent"
    );
    let mut other = healthy;
    let first = r"ControlSet001\Services\TermService";
    other
        .set_dword(r"ControlSet002\Services\TermService", "Start", 3)
        .set_dword(first, "Start", 4);
    files.insert("SYSTEM".into(), other.to_bytes());
    assert_eq!(
        finding(&report(&files), "termservice-disabled").level,
        Level::RuledOut
    );
}

/// Before Server 2012 no log names who connects, and each attempt dies of the same.
#[test]
fn a_credential_that_cannot_be_made_hits_every_client_named_or_not() {
    for failure in [TlsFailure::NoCredential, TlsFailure::KeyUnusable] {
        let mut machine = machine(Windows::Server2008R2);
        machine
            .boots(at("2026-11-11T22:00:00Z"))
            .listener_starts(at("2026-11-11T22:00:40Z"));
        for index in 0..8 {
            machine.dies_in_tls(
                at("2026-11-12T08:00:00Z") + minutes(index * 6),
                ANNA,
                failure,
            );
        }
        let report = report(&everything(&mut machine, "2026-11-12T09:10:00Z"));
        let expected = match failure {
            TlsFailure::KeyUnusable => "key-unusable",
            _ => "tls-credential-unavailable",
        };
        assert_eq!(
            report.verdict.cause.as_deref(),
            Some(expected),
            "{}",
            others(&report)
        );
    }
}

/// While Windows starts the service may fail for a moment: nothing but System.evtx tells, and of nothing more.
#[test]
fn a_credential_that_failed_for_a_moment_at_the_start_is_no_fault() {
    let mut machine = machine(Windows::Server2022);
    machine
        .events_mut()
        .retain(|event| event.channel == Channel::System);
    machine.boots(at("2026-11-11T22:00:00Z"));
    for index in 0..4 {
        let time = at("2026-11-11T22:00:30Z") + seconds(index);
        machine.schannel_failure(time, TlsFailure::NoCredential);
    }
    let mut files = everything(&mut machine, "2026-11-12T12:40:00Z");
    files.retain(|name, _| ["System.evtx", "SYSTEM", "SOFTWARE"].contains(&name.as_str()));
    let report = report(&files);
    assert_eq!(report.verdict.cause, None, "{}", others(&report));
}

/// Most clients only warn of a certificate that has ended.
#[test]
fn a_certificate_that_ended_weeks_before_people_got_in_is_no_cause_on_a_quiet_machine() {
    for windows in [Windows::Server2016, Windows::Server2022] {
        for restarts in [false, true] {
            let mut machine = Machine::new("FABRIKAM-RD8", windows, at("2026-01-04T06:00:00Z"));
            machine.self_signed_certificate(at("2026-04-20T06:10:00Z"));
            machine
                .boots(at("2026-11-08T03:00:00Z"))
                .renewal_fails(at("2026-11-08T03:00:50Z"), 1058, "Access is denied.")
                .listener_starts(at("2026-11-08T03:00:40Z"));
            people(&mut machine, 9, 3);
            if restarts {
                machine
                    .boots(at("2026-11-14T03:00:00Z"))
                    .renewal_fails(at("2026-11-14T03:00:50Z"), 1058, "Access is denied.")
                    .listener_starts(at("2026-11-14T03:00:40Z"));
            }
            let report = report(&everything(&mut machine, "2026-11-15T16:00:00Z"));
            assert_eq!(report.verdict.state, "silent");
            let told = others(&report);
            assert_eq!(
                finding(&report, "certificate-expired").role,
                Role::None,
                "{windows:?} {told}"
            );
            assert_ne!(
                report.verdict.cause.as_deref(),
                Some("certificate-expired"),
                "{told}"
            );
        }
    }
}

#[test]
fn what_ran_out_before_the_service_failed_is_its_cause() {
    for windows in [Windows::Server2012R2, Windows::Server2022] {
        for event in [4227, 4231] {
            let mut machine = machine(windows);
            machine.ports_run_out(at("2026-11-11T22:45:00Z"), event);
            machine.service_fails(
                at("2026-11-11T23:00:00Z"),
                7034,
                "Remote Desktop Services",
                "1",
            );
            let broken = report(&everything(&mut machine, "2026-11-12T12:00:00Z"));
            let told = others(&broken);
            assert_eq!(
                broken.verdict.cause.as_deref(),
                Some("resource-exhaustion"),
                "{told}"
            );
            assert_eq!(
                broken.verdict.consequences,
                ["termservice-failing"],
                "{told}"
            );

            machine.listener_starts(at("2026-11-11T23:05:00Z"));
            people(&mut machine, 12, 1);
            let mended = report(&everything(&mut machine, "2026-11-12T12:00:00Z"));
            assert_eq!(says(&mended), "healthy - succeeding");
            assert_eq!(
                finding(&mended, "resource-exhaustion").level,
                Level::RuledOut
            );
        }
    }
}

#[test]
fn what_ran_out_while_passwords_are_refused_is_not_why() {
    for (windows, why) in [
        (Windows::Server2016, Refused::Password),
        (Windows::Server2022, Refused::PasswordExpired),
    ] {
        let mut machine = machine(windows);
        machine.ports_run_out(at("2026-11-12T07:50:00Z"), 4227);
        for index in 0..10 {
            machine.is_refused(
                at("2026-11-12T08:00:00Z") + minutes(index * 6),
                ANNA,
                "anna",
                why,
            );
        }
        let report = report(&everything(&mut machine, "2026-11-12T09:10:00Z"));
        assert_eq!(says(&report), "confirmed credentials-rejected failing");
        let exhausted = finding(&report, "resource-exhaustion");
        assert_eq!(
            (exhausted.level, exhausted.role),
            (Level::RuledOut, Role::None)
        );
    }
}

#[test]
fn who_asks_whether_the_port_answers_asks_this_machine_and_its_own_port() {
    let mut machine = machine(Windows::Server2022);
    machine.system.set_dword(LISTENER, "PortNumber", 33890);
    let files = everything(&mut machine, "2026-11-15T16:00:00Z");
    let folder = collect(&files);
    let options = Options {
        incident: Some(at("2026-11-15T12:00:00Z")),
        ..Options::default()
    };
    let reports = diagnose(&[folder.path().to_owned()], &rules(), &options);
    let report = reports.unwrap().remove(0);
    let fixes = &finding(&report, "no-connection-arrived").fixes;
    let run = fixes.iter().find_map(|fix| fix.run.as_deref()).unwrap();
    assert!(
        run.contains("fabrikam-rd8.contoso.example -Port 33890"),
        "{run}"
    );
}

/// Nothing but System.evtx tells: what every handshake dies of is the fault, what scanners are refused for is none.
#[test]
fn scanners_refusals_do_not_cover_a_credential_that_cannot_be_made() {
    for failure in [TlsFailure::NoCredential, TlsFailure::KeyUnusable] {
        let mut machine = machine(Windows::Server2022);
        machine
            .events_mut()
            .retain(|event| event.channel == Channel::System);
        for hour in 0..70 {
            let time = at("2026-11-09T04:00:00Z") + minutes(hour * 60);
            machine.schannel_failure(time, TlsFailure::NoCommonSuite);
        }
        for index in 0..12 {
            let time = at("2026-11-11T20:10:00Z") + minutes(index * 9);
            machine.schannel_failure(time, failure);
        }
        machine.service_state(at("2026-11-12T02:00:00Z"), "Windows Update", "stopped");
        machine.written(at("2026-11-12T02:00:00Z"));
        let mut files = machine.logs(&[Channel::System]);
        let without_hives = report(&files);
        files.insert("SYSTEM".into(), machine.system.to_bytes());
        files.insert("SOFTWARE".into(), machine.software.to_bytes());
        let with_hives = report(&files);
        let expected = match failure {
            TlsFailure::KeyUnusable => "key-unusable",
            _ => "tls-credential-unavailable",
        };
        for report in [without_hives, with_hives] {
            assert_eq!(
                report.verdict.cause.as_deref(),
                Some(expected),
                "{}",
                others(&report)
            );
            assert!(report.verdict.also.is_empty(), "{}", others(&report));
        }
    }
}

/// The machine believes that its certificate has ended; it is the clock that is wrong.
#[test]
fn a_clock_that_leapt_past_the_end_of_the_certificate_is_the_cause() {
    for windows in [Windows::Server2016, Windows::Server2022] {
        for renewal in [
            None,
            Some("Access is denied."),
            Some("Keyset does not exist"),
        ] {
            for tries in [
                None,
                Some(TlsFailure::CertificateRefused),
                Some(TlsFailure::NoCredential),
            ] {
                let mut machine = machine(windows);
                let leap = at("2027-11-12T03:00:00Z");
                machine.clock_is_set(at("2026-11-12T03:00:00Z"), leap);
                if let Some(status) = renewal {
                    machine.renewal_fails(leap + minutes(3), 1058, status);
                }
                for index in 0..10 {
                    let time = leap + minutes(300 + index * 6);
                    if let Some(failure) = tries {
                        machine.dies_in_tls(time, ANNA, failure);
                    }
                }
                let report = report(&everything(&mut machine, "2027-11-12T10:00:00Z"));
                if tries != Some(TlsFailure::CertificateRefused) {
                    let level = finding(&report, "certificate-expired").level;
                    assert!(level < Level::Likely, "{}", others(&report));
                }
                let what = format!("{windows:?} {renewal:?} {tries:?} {}", others(&report));
                let expected = match (tries, renewal) {
                    // A client that says so has a clock that agrees.
                    (Some(TlsFailure::CertificateRefused), Some(_)) => "certificate-expired",
                    (Some(TlsFailure::CertificateRefused), None) => "tls-handshake-failed",
                    (Some(_), None) => "tls-credential-unavailable",
                    (Some(_), Some(_)) => continue,
                    (None, _) => "clock-wrong",
                };
                assert_eq!(report.verdict.cause.as_deref(), Some(expected), "{what}");
            }
        }
    }
}

/// An expired password leaves nothing but an audit; before Windows 10 1803 not even TLS does.
#[test]
fn who_is_refused_without_a_word_is_not_crowded_out_by_scanners() {
    for windows in [
        Windows::Server2012R2,
        Windows::Server2016,
        Windows::Server2019,
    ] {
        for period in [3, 36] {
            let mut machine = machine(windows);
            for index in 0..(2400 / period) {
                let time = at("2026-11-11T00:00:00Z") + minutes(index * period);
                machine.admin_event(time, 1006);
                machine.stops(time + seconds(9), &format!("203.0.113.{}", 1 + index % 90));
            }
            for index in 0..12 {
                let time = at("2026-11-12T08:00:00Z") + minutes(index * 5);
                machine.is_refused(time, ANNA, "anna", Refused::PasswordExpired);
            }
            let mut files = everything(&mut machine, "2026-11-12T09:10:00Z");
            files.remove("Security.evtx");
            let report = report(&files);
            let what = format!("{windows:?} {period} {}", others(&report));
            assert_eq!(report.verdict.cause, None, "{what}");
        }
    }
}

/// A listing at the root of a disk names no machine; the client whose log lies beside is not the one that it was taken from.
#[test]
fn a_listing_belongs_to_the_server_where_a_client_of_it_lies_beside() {
    let mut machine = machine(Windows::Server2022);
    let mut files: Files = everything(&mut machine, "2026-11-12T12:00:00Z")
        .into_iter()
        .map(|(name, bytes)| match name.ends_with(".evtx") {
            true => (format!("Windows/System32/winevt/Logs/{name}"), bytes),
            false => (format!("Windows/System32/config/{name}"), bytes),
        })
        .collect();
    let denied = "D:PAI(A;;FA;;;SY)(A;;FR;;;BA)";
    files.insert("keys.acl".into(), saved(&[(&listener_key(), denied)]));
    files.insert("client/RDPClient.evtx".into(), client_log());
    let folder = collect(&files);
    let reports = diagnose(&[folder.path().to_owned()], &rules(), &Options::default()).unwrap();
    let server = reports
        .iter()
        .find(|report| report.host.name.as_deref() == Some("FABRIKAM-RD8"));
    let facts = &server.unwrap().facts;
    assert!(
        facts.iter().any(|fact| fact.kind == "key_file.access"),
        "{facts:#?}"
    );
}

fn client_log() -> Vec<u8> {
    const CHANNEL: &str = "Microsoft-Windows-TerminalServices-RDPClient/Operational";
    let attempt = Event::new("Microsoft-Windows-TerminalServices-ClientActiveXCore", 1024)
        .guid("{28aa95bb-d444-4719-a36f-40462168127e}")
        .computer("LAPTOP-7.contoso.example")
        .channel(CHANNEL)
        .time("2026-11-11T08:00:00Z")
        .data("Name", "Server Name")
        .data("Value", "fabrikam-rd8.contoso.example")
        .data("CustomLevel", "Info");
    let log = LogBuilder::new(CHANNEL).computer("LAPTOP-7.contoso.example");
    log.push(attempt).to_bytes()
}
