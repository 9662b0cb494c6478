//! Machines that are crossed: one fault of TLS, the certificate, the key or the clock, on each generation of Windows, under the noise
//! of the Internet, and told by different collections. What looks like another fault must not take the verdict.

mod support;

use jiff::Timestamp;
use rdptriage::verdict::model::{Level, Report, Role, Status};
use support::machine::{
    CONTROL_SET, Channel, Machine, PROTOCOLS, Refused, TlsFailure, Windows, at, minutes,
};
use support::verdict::{Files, collect, diagnosed, rules, says};

const ANNA: &str = "10.20.4.17";
const BERTIL: &str = "10.20.4.31";
const GUESSER: &str = "203.0.113.77";
const SCANNER: &str = "198.51.100.23";
const HOST: &str = "FABRIKAM-RD7";
const END: &str = "2026-11-12T13:00:00Z";
const BROKEN: &str = "2026-11-11T21:30:00Z";
const SCHANNEL: &str = r"ControlSet001\Control\SecurityProviders\SCHANNEL";
const LOGS: [Channel; 6] = [
    Channel::System,
    Channel::Security,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
    Channel::RemoteConnectionManagerAdmin,
];

fn machine(windows: Windows) -> Machine {
    Machine::serving(HOST, windows, at("2026-11-01T03:00:00Z"))
}

/// What every exposed machine logs; guessers get as far as a password only while TLS works.
fn noise(machine: &mut Machine, works_until: Timestamp) {
    for start in ["2026-11-01T03:00:20Z", "2026-11-11T22:00:20Z"] {
        machine.domain_lost(at(start));
        machine.service_fails(at(start), 7000, "Downloaded Maps Manager", "%%1053");
    }
    for hour in 0..77 {
        let time = at("2026-11-09T07:00:00Z") + minutes(hour * 60);
        machine.schannel_noise(time + minutes(3));
        machine.is_probed(time + minutes(11), "198.51.100.9");
        if time < works_until {
            machine.mistypes(time + minutes(17), GUESSER);
            let user = "administrator";
            machine.refused(
                time + minutes(17),
                Some(GUESSER),
                user,
                3,
                Refused::Password,
            );
        }
        machine.dies_in_tls(time + minutes(29), SCANNER, TlsFailure::NoCommonSuite);
        machine.dies_in_tls(time + minutes(41), SCANNER, TlsFailure::IllegalMessage);
    }
    machine.admin_event(at("2026-11-09T20:00:00Z"), 1006);
    let update = "2026-11 Cumulative Update for Windows (KB5099999)";
    machine.update_installed(at(BROKEN), update);
    machine.clock_is_set(at("2026-11-12T02:00:00Z"), at("2026-11-12T02:00:01Z"));
}

fn people(machine: &mut Machine, days: i64) {
    for day in 0..days {
        for hour in [0, 4] {
            let time = at("2026-11-09T08:00:00Z") + minutes(day * 1440 + hour * 60);
            machine.logs_on(time, ANNA, "anna");
            machine.leaves(time + minutes(50), ANNA, "anna");
            machine.logs_on(time + minutes(7), BERTIL, "bertil");
            machine.leaves(time + minutes(40), BERTIL, "bertil");
        }
    }
}

/// Nobody gets in any more since the restart on Wednesday evening.
fn broken(windows: Windows, failure: TlsFailure) -> Machine {
    let mut machine = machine(windows);
    noise(&mut machine, at(BROKEN));
    people(&mut machine, 3);
    machine
        .boots(at("2026-11-11T22:00:00Z"))
        .listener_starts(at("2026-11-11T22:00:40Z"));
    for index in 0..8 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index * 6);
        machine.dies_in_tls(time, ANNA, failure);
        machine.dies_in_tls(time + minutes(2), BERTIL, failure);
    }
    machine
}

fn healthy(windows: Windows) -> Machine {
    let mut machine = machine(windows);
    noise(&mut machine, at(END));
    people(&mut machine, 4);
    machine
}

/// Somebody switches this off, some hours before the restart.
fn switch_off(machine: &mut Machine, key: &str, name: &str, value: u32) {
    machine
        .system
        .set_dword(key, name, value)
        .touch(key, at("2026-11-11T18:00:00Z"));
}

fn logs(machine: &mut Machine, channels: &[Channel]) -> Files {
    machine.written(at(END));
    machine.logs(channels)
}

fn everything(machine: &mut Machine) -> Files {
    let mut files = logs(machine, &LOGS);
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    files.insert("SOFTWARE".into(), machine.software.to_bytes());
    files
}

fn system_alone(machine: &mut Machine) -> Files {
    let mut files = logs(machine, &[Channel::System]);
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    files
}

fn report(files: &Files) -> Report {
    let reports = diagnosed(&[collect(files).path().to_owned()], &rules());
    let mut of_host = reports
        .into_iter()
        .filter(|report| report.host.name.as_deref() == Some(HOST));
    of_host.next().unwrap()
}

#[test]
fn an_exposed_machine_is_healthy_in_every_generation() {
    for windows in Windows::SERVERS {
        let mut machine = healthy(windows);
        let whole = report(&everything(&mut machine));
        assert_eq!(whole.verdict.cause, None, "{windows:?}: {}", says(&whole));
        let logs_alone = report(&logs(&mut machine, &LOGS));
        assert_eq!(
            logs_alone.verdict.cause,
            None,
            "{windows:?}: {}",
            says(&logs_alone)
        );
    }
}

/// Attempts ended two and a half hours before the collection: nobody is locked out, and scanners' refusals are no mismatch.
#[test]
fn scanners_refusals_say_nothing_of_a_quiet_machine() {
    let mut machine = healthy(Windows::Server2022);
    machine.service_state(at("2026-11-12T19:00:00Z"), "Windows Update", "stopped");
    let report = report(&machine.logs(&LOGS));
    assert_eq!(report.verdict.state, "silent");
    assert_eq!(report.verdict.cause, None, "{}", says(&report));
}

/// A certificate that could not be made once, and people who got in for days after it.
#[test]
fn a_key_that_people_got_in_with_for_days_is_not_unusable_on_a_quiet_machine() {
    for windows in Windows::SERVERS {
        let mut machine = healthy(windows);
        machine.renewal_fails(at("2026-11-01T03:01:00Z"), 1057, "Keyset does not exist");
        machine.service_state(at("2026-11-12T19:00:00Z"), "Windows Update", "stopped");
        let report = report(&everything(&mut machine));
        let mut findings = report.findings.iter();
        let unusable = findings.find(|finding| finding.cause == "key-unusable");
        let level = unusable.map(|finding| finding.level);
        assert_eq!(level, Some(Level::RuledOut), "{windows:?}");
        assert_ne!(report.verdict.status, Status::Confirmed, "{windows:?}");
    }
}

#[test]
fn scanners_refusals_do_not_become_the_cause_of_what_locks_people_out() {
    for (failure, expected) in [
        (TlsFailure::KeyUnusable, "key-unusable"),
        (TlsFailure::NoCredential, "tls-credential-unavailable"),
        (TlsFailure::CertificateRefused, "tls-handshake-failed"),
        (TlsFailure::NoCommonSuite, "tls-no-common-suite"),
    ] {
        let mut machine = broken(Windows::Server2022, failure);
        let report = report(&logs(&mut machine, &LOGS));
        let cause = report.verdict.cause.as_deref();
        assert_eq!(cause, Some(expected), "{}", says(&report));
        assert!(report.verdict.also.is_empty(), "{:?}", report.verdict.also);
    }
}

#[test]
fn an_algorithm_that_was_switched_off_strikes_at_the_restart() {
    for windows in &Windows::SERVERS[1..4] {
        let mut machine = broken(*windows, TlsFailure::NoCommonSuite);
        for cipher in [
            "AES 128/128",
            "AES 256/256",
            "Triple DES 168",
            "RC4 128/128",
        ] {
            let key = format!(r"{SCHANNEL}\Ciphers\{cipher}");
            switch_off(&mut machine, &key, "Enabled", 0);
        }
        let report = report(&everything(&mut machine));
        assert_eq!(
            says(&report),
            "confirmed tls-algorithms-disabled failing",
            "{windows:?}"
        );
        assert!(report.verdict.also.is_empty(), "{:?}", report.verdict.also);
    }
}

#[test]
fn where_no_version_is_left_the_suites_are_not_what_is_wrong() {
    for windows in Windows::SERVERS {
        let mut machine = broken(windows, TlsFailure::NoCredential);
        for version in ["TLS 1.0", "TLS 1.1", "TLS 1.2", "TLS 1.3"] {
            let key = format!(r"{PROTOCOLS}\{version}\Server");
            switch_off(&mut machine, &key, "Enabled", 0);
        }
        for files in [everything(&mut machine), system_alone(&mut machine)] {
            let report = report(&files);
            let cause = report.verdict.cause.as_deref();
            let said = says(&report);
            assert_eq!(
                cause,
                Some("tls-server-protocols-disabled"),
                "{windows:?}: {said}"
            );
            assert!(report.verdict.also.is_empty(), "{:?}", report.verdict.also);
        }
    }
}

#[test]
fn a_key_that_a_disabled_service_would_open_is_its_consequence() {
    for windows in &Windows::SERVERS[1..] {
        let mut machine = broken(*windows, TlsFailure::KeyUnusable);
        let key = format!(r"{CONTROL_SET}\Services\KeyIso");
        switch_off(&mut machine, &key, "Start", 4);
        let report = report(&everything(&mut machine));
        assert_eq!(
            says(&report),
            "confirmed crypto-service-disabled failing",
            "{windows:?}"
        );
        assert!(report.verdict.also.is_empty(), "{:?}", report.verdict.also);
    }
}

/// Logs alone prove no TLS before 2019: the kinds of an unusable key are its candidates, not five verdicts.
#[test]
fn kinds_of_a_fault_that_is_merely_possible_are_its_candidates() {
    for status in [
        "Keyset does not exist",
        "Der Schlüsselsatz ist nicht vorhanden.",
        "キー セットが存在しません。",
    ] {
        let mut machine = broken(Windows::Server2012R2, TlsFailure::KeyUnusable);
        machine.renewal_fails(at("2026-11-11T22:01:00Z"), 1057, status);
        let report = report(&logs(&mut machine, &LOGS));
        let said = says(&report);
        assert_eq!(said, "possible key-unusable failing", "{status}");
        let candidates = &report.verdict.candidates;
        assert!(candidates.iter().any(|id| id == "key-missing"), "{status}");
    }
}

#[test]
fn a_command_whose_value_nobody_knows_is_not_printed() {
    let mut machine = broken(Windows::Server2022, TlsFailure::KeyUnusable);
    let report = report(&everything(&mut machine));
    let denied = report
        .findings
        .iter()
        .find(|finding| finding.cause == "key-access-denied")
        .unwrap();
    assert_eq!(denied.role, Role::Candidate);
    for fix in report.findings.iter().flat_map(|finding| &finding.fixes) {
        let run = fix.run.as_deref().unwrap_or_default();
        assert!(!run.contains("(unknown)"), "{run}");
    }
    let told = |fix: &rdptriage::verdict::model::Fix| fix.step.contains("key_file.access.path");
    assert!(denied.fixes.iter().any(told), "{:#?}", denied.fixes);
}

/// A client's own log tells a time that this machine's clock never showed.
#[test]
fn a_clock_that_leapt_over_a_clients_attempt_does_not_say_that_nothing_arrived() {
    use support::event_log::{Event, LogBuilder};
    const CHANNEL: &str = "Microsoft-Windows-TerminalServices-RDPClient/Operational";
    let mut machine = machine(Windows::Server2022);
    people(&mut machine, 3);
    machine.clock_is_set(at("2026-11-12T03:00:00Z"), at("2027-11-12T03:00:00Z"));
    for index in 0..8 {
        let time = at("2027-11-12T04:00:00Z") + minutes(index * 6);
        machine.dies_in_tls(time, ANNA, TlsFailure::CertificateRefused);
    }
    machine.written(at("2027-11-12T05:00:00Z"));
    let mut files = machine.logs_and_hives(&LOGS);
    let attempt = Event::new("Microsoft-Windows-TerminalServices-ClientActiveXCore", 1024)
        .guid("{28aa95bb-d444-4719-a36f-40462168127e}")
        .computer("LAPTOP-7.contoso.example")
        .channel(CHANNEL)
        .time("2026-11-12T08:00:00Z")
        .data("Name", "Server Name")
        .data("Value", "fabrikam-rd7.contoso.example")
        .data("CustomLevel", "Info");
    let log = LogBuilder::new(CHANNEL)
        .computer("LAPTOP-7.contoso.example")
        .push(attempt);
    files.insert("RDPClient.evtx".into(), log.to_bytes());
    let report = report(&files);
    assert_ne!(
        report.verdict.cause.as_deref(),
        Some("no-connection-arrived"),
        "{}",
        says(&report)
    );
}
