//! Evidence that somebody has had his hands on: forged records, cleared logs, times that were set, collections put together from two
//! machines. It is said, and nothing is believed for it that honest evidence would not bear.

mod support;

use rdptriage::verdict::model::{Level, Report, Status};
use support::event_log::{Event, LogBuilder};
use support::machine::{
    CONTROL_SET, Channel, LISTENER, Machine, Payload, Provider, TlsFailure, Windows, at, minutes,
};
use support::verdict::{Files, collect, diagnosed, report, rules};

const PERSON: &str = "S-1-5-21-3623811015-3361044348-30300820-1104";
const CLIENT: &str = "10.20.4.17";
const END: &str = "2026-11-13T12:00:00Z";
const LOGS: [Channel; 5] = [
    Channel::System,
    Channel::Application,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
];

fn machine(name: &'static str, windows: Windows) -> Machine {
    let mut machine = Machine::new(name, windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-20T06:10:00Z"));
    machine
        .boots(at("2026-11-09T03:00:00Z"))
        .listener_starts(at("2026-11-09T03:00:40Z"));
    for day in 0..3 {
        let morning = at("2026-11-09T08:00:00Z") + minutes(day * 1440);
        machine.gets_in(morning, CLIENT, "anna");
        machine.leaves(morning + minutes(200), CLIENT, "anna");
    }
    machine.service_state(at("2026-11-13T11:59:00Z"), "Windows Update", "stopped");
    machine.written(at(END));
    machine
}

/// Since the 12th nobody gets in: the key cannot be opened.
fn broken() -> Machine {
    let mut machine = machine("CONTOSO-TS31", Windows::Server2019);
    for turn in 0..12 {
        let time = at("2026-11-12T08:00:00Z") + minutes(turn * 7);
        machine.dies_in_tls(time, CLIENT, TlsFailure::KeyUnusable);
    }
    machine
}

/// What this does to the machine is written by a person's account.
fn forged(machine: &mut Machine, forge: impl FnOnce(&mut Machine)) {
    let before = machine.events_mut().len();
    forge(machine);
    for event in &mut machine.events_mut()[before..] {
        event.user = Some(PERSON);
    }
}

fn files(machine: &Machine) -> Files {
    let mut files = machine.logs(&LOGS);
    files.insert("config/SYSTEM".into(), machine.system.to_bytes());
    files.insert("config/SOFTWARE".into(), machine.software.to_bytes());
    files
}

fn reports(files: &Files) -> Vec<Report> {
    let folder = collect(files);
    diagnosed(&[folder.path().to_owned()], &rules())
}

#[track_caller]
fn is_told(report: &Report, words: &str) {
    let told = report
        .problems
        .iter()
        .any(|problem| problem.message.contains(words));
    let problems: Vec<&str> = report
        .problems
        .iter()
        .map(|problem| problem.message.as_str())
        .collect();
    assert!(told, "{words:?} in {problems:#?}");
}

/// Nothing is said to be broken with any trust.
#[track_caller]
fn accuses_nobody(report: &Report) {
    let accused: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.level >= Level::Likely)
        .map(|finding| finding.cause.as_str())
        .collect();
    assert!(accused.is_empty(), "{accused:?}");
}

#[test]
fn forged_successes_do_not_hide_an_outage() {
    let honest = report(&files(&broken()));
    let mut machine = broken();
    forged(&mut machine, |machine| {
        for hour in 0..6 {
            machine.gets_in(
                at("2026-11-13T06:00:00Z") + minutes(hour * 60),
                CLIENT,
                "anna",
            );
        }
    });
    let report = report(&files(&machine));
    is_told(&report, "they are forged");
    assert_ne!(report.verdict.status, Status::Healthy);
    assert_ne!(report.verdict.state, "succeeding");
    // Whether anybody got in after the failures, a log that was tampered with does not prove.
    let cause = report.verdict.cause.as_ref();
    assert!(cause.is_none() || cause == honest.verdict.cause.as_ref());
    assert!(
        report.verdict.status >= honest.verdict.status,
        "surer than without"
    );
}

#[test]
fn forged_failures_accuse_nobody() {
    let mut machine = machine("CONTOSO-TS32", Windows::Server2019);
    // Only what goes to the Operational channels; Schannel writes to System, where a person may not.
    forged(&mut machine, |machine| {
        for turn in 0..12 {
            machine.mistypes(at("2026-11-13T08:00:00Z") + minutes(turn * 5), CLIENT);
        }
    });
    let report = report(&files(&machine));
    is_told(&report, "they are forged");
    accuses_nobody(&report);
}

#[test]
fn records_that_application_never_holds_are_not_believed() {
    let mut machine = machine("CONTOSO-TS33", Windows::Server2019);
    let before = machine.events_mut().len();
    for turn in 0..12 {
        machine.schannel_failure(
            at("2026-11-13T08:00:00Z") + minutes(turn * 5),
            TlsFailure::KeyUnusable,
        );
    }
    for event in &mut machine.events_mut()[before..] {
        event.channel = Channel::Application;
    }
    let report = report(&files(&machine));
    is_told(&report, "never writes to Application");
    accuses_nobody(&report);
}

#[test]
fn a_cleared_log_is_told() {
    let mut machine = machine("CONTOSO-TS34", Windows::Server2019);
    let mut cleared = machine.events_mut()[0].clone();
    cleared.time = at("2026-11-13T09:00:00Z");
    cleared.channel = Channel::System;
    cleared.id = 104;
    cleared.provider = Provider {
        name: "Microsoft-Windows-Eventlog",
        guid: None,
        source: None,
    };
    let channel = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational";
    cleared.payload = Payload::User(vec![
        ("SubjectUserName", "mallory".into()),
        ("Channel", channel.into()),
    ]);
    machine.events_mut().push(cleared);
    let report = report(&files(&machine));
    is_told(
        &report,
        &format!("the log {channel} was cleared at 2026-11-13T09:00:00Z"),
    );
}

#[test]
fn times_that_run_against_the_numbers_are_told() {
    let event = |time: &&str| {
        Event::new("Service Control Manager", 7036)
            .data("param1", "Windows Update")
            .data("param2", "stopped")
            .time(time)
    };
    let times = [
        "2026-11-09T08:00:00Z",
        "2026-11-13T08:00:00Z",
        "2026-11-10T08:00:00Z",
        "2026-11-10T09:00:00Z",
    ];
    let log = LogBuilder::new("System")
        .computer("CONTOSO-TS35")
        .extend(times.iter().map(event));
    let mut files = Files::new();
    files.insert("System.evtx".into(), log.to_bytes());
    let report = report(&files);
    is_told(&report, "Records are taken in the order of their numbers");
    assert_eq!(report.host.as_of.as_deref(), Some("2026-11-10T09:00:00Z"));
}

#[test]
fn a_key_of_the_future_does_not_end_the_collection() {
    let mut machine = machine("CONTOSO-TS36", Windows::Server2019);
    machine.system.touch(LISTENER, at("2031-01-01T00:00:00Z"));
    let report = report(&files(&machine));
    is_told(&report, "a hive holds a key dated 2031-01-01T00:00:00Z");
    assert_eq!(report.host.as_of.as_deref(), Some("2026-11-13T11:59:00Z"));
    accuses_nobody(&report);
}

#[test]
fn hives_of_another_windows_confirm_nothing_by_themselves() {
    let honest = machine("CONTOSO-TS37", Windows::Server2019);
    let mut other = machine("CONTOSO-TS37", Windows::Server2022);
    let service = format!(r"{CONTROL_SET}\Services\TermService");
    other
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-11-12T08:00:00Z"));
    let confirmed = report(&files(&other));
    assert_eq!(confirmed.verdict.status, Status::Confirmed);

    let mut stitched = honest.logs(&[Channel::System]);
    stitched.insert("config/SYSTEM".into(), other.system.to_bytes());
    stitched.insert("config/SOFTWARE".into(), other.software.to_bytes());
    let report = report(&stitched);
    is_told(&report, "the hives are of build");
    assert_ne!(report.verdict.status, Status::Confirmed);
}

#[test]
fn logs_of_one_machine_are_not_explained_by_the_hives_of_another() {
    let broken = broken();
    let mut other = machine("FABRIKAM-RD9", Windows::Server2019);
    let service = format!(r"{CONTROL_SET}\Services\TermService");
    other.system.set_dword(&service, "Start", 4);
    let mut stitched = broken.logs(&LOGS);
    stitched.insert("config/SYSTEM".into(), other.system.to_bytes());
    stitched.insert("config/SOFTWARE".into(), broken.software.to_bytes());
    let reports = reports(&stitched);
    assert_eq!(reports.len(), 2, "each machine by itself");
    let of = |name: &str| {
        let found = reports
            .iter()
            .find(|report| report.host.name.as_deref() == Some(name));
        found.expect("a report on it")
    };
    let level = of("CONTOSO-TS31")
        .findings
        .iter()
        .find(|finding| finding.cause == "termservice-disabled");
    assert!(level.is_none_or(|finding| finding.level < Level::Likely));
    assert!(of("FABRIKAM-RD9").verdict.cause.as_deref() != Some("key-unusable"));
}
