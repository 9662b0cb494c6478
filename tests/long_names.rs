//! Hosts whose names are longer than NetBIOS allows: hives and older logs hold them cut, and two may be the same up to there.

mod support;

use rdptriage::verdict::model::{Report, Status};
use support::event_log::{Event, LogBuilder};
use support::machine::{Channel, Machine, TlsFailure, Windows, at, minutes};
use support::verdict::{Files, collect, diagnosed, rules};

const ANNA: &str = "10.20.4.17";
/// What NetBIOS leaves of both names.
const CUT: &str = "CONTOSO-TERMSER";

/// A machine on which people work to the end, or find the key unusable on the third day; its hive holds the name as NetBIOS cuts it.
fn machine(name: &'static str, is_well: bool) -> Machine {
    let mut machine = Machine::new(name, Windows::Server2019, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-20T06:10:00Z"));
    machine
        .boots(at("2026-11-02T03:00:00Z"))
        .listener_starts(at("2026-11-02T03:00:40Z"));
    for day in 0..if is_well { 5 } else { 3 } {
        let morning = at("2026-11-09T08:00:00Z") + minutes(day * 1440);
        machine.gets_in(morning, ANNA, "anna");
        machine.leaves(morning + minutes(200), ANNA, "anna");
    }
    for turn in 0..if is_well { 0 } else { 8 } {
        let time = at("2026-11-12T08:00:00Z") + minutes(turn * 46);
        machine.dies_in_tls(time, ANNA, TlsFailure::KeyUnusable);
    }
    let named = r"ControlSet001\Control\ComputerName\ComputerName";
    machine.system.set_sz(named, "ComputerName", CUT);
    machine.written(at("2026-11-13T12:00:00Z"));
    machine
}

fn files(machine: &Machine, folder: &str) -> Files {
    let mut files = machine.logs(&Channel::OF_CONNECTIONS);
    files.insert("config/SYSTEM".into(), machine.system.to_bytes());
    files.insert("config/SOFTWARE".into(), machine.software.to_bytes());
    let placed = files.into_iter();
    placed
        .map(|(name, bytes)| (format!("{folder}/{name}"), bytes))
        .collect()
}

fn reports(files: &Files) -> Vec<Report> {
    let folder = collect(files);
    diagnosed(&[folder.path().to_owned()], &rules())
}

fn of<'r>(reports: &'r [Report], name: &str) -> &'r Report {
    let mut named = reports.iter().filter(|report| {
        let own = report.host.name.as_deref().unwrap_or_default();
        own.eq_ignore_ascii_case(name)
    });
    named.next().unwrap_or_else(|| {
        let names: Vec<_> = reports.iter().map(|report| &report.host.name).collect();
        panic!("no report on {name}, but on {names:?}")
    })
}

#[test]
fn a_cut_name_and_the_whole_one_are_one_host() {
    let broken = machine("CONTOSO-TERMSERVER01", false);
    let reports = reports(&files(&broken, "a"));
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].verdict.cause.as_deref(), Some("key-unusable"));
}

#[test]
fn two_hosts_whose_cut_names_are_the_same_stay_two() {
    let mut both = files(&machine("CONTOSO-TERMSERVER01", false), "a");
    both.extend(files(&machine("CONTOSO-TERMSERVER02", true), "b"));
    let reports = reports(&both);
    assert_eq!(reports.len(), 2);
    let broken = of(&reports, "CONTOSO-TERMSERVER01");
    assert_eq!(broken.verdict.cause.as_deref(), Some("key-unusable"));
    let well = of(&reports, "CONTOSO-TERMSERVER02");
    assert_eq!(well.verdict.status, Status::Healthy);
    assert_eq!(well.artifacts.len(), broken.artifacts.len());
}

/// The record that says that a log of that number was cleared.
fn cleared(channel: &str, computer: &str, number: u64) -> Event {
    Event::new("Microsoft-Windows-Eventlog", 104)
        .channel(channel)
        .computer(computer)
        .user_data("EventXML", "Event_NS")
        .data("SubjectUserName", "mallory")
        .data("Channel", format!("Application{number}").as_str())
        .time("2026-11-13T09:00:00Z")
}

#[test]
fn forwarded_records_reach_the_host_that_they_name_in_full() {
    let broken = machine("CONTOSO-TERMSERVER01", false);
    let forwarded = LogBuilder::new("ForwardedEvents")
        .computer("COLLECTOR")
        .push(cleared(
            "ForwardedEvents",
            "contoso-termserver01.contoso.example",
            1,
        ))
        .push(cleared(
            "ForwardedEvents",
            "CONTOSO-TERMSERVER02.contoso.example",
            2,
        ));
    let mut collected = files(&broken, "a");
    collected.insert("a/ForwardedEvents.evtx".into(), forwarded.to_bytes());
    let reports = reports(&collected);
    let told = |report: &Report, what: &str| {
        let mut problems = report.problems.iter();
        problems.any(|problem| problem.message.contains(what))
    };
    let own = of(&reports, "CONTOSO-TERMSERVER01");
    assert!(told(own, "Application1 was cleared"), "{:?}", own.problems);
    assert!(!told(own, "Application2 was cleared"), "{:?}", own.problems);
    let other = of(&reports, "CONTOSO-TERMSERVER02");
    assert!(
        told(other, "Application2 was cleared"),
        "{:?}",
        other.problems
    );
}

/// Real collectors of events keep the channel that each record was written to; only that computers take turns tells what the log is.
#[test]
fn a_log_in_which_computers_take_turns_is_split_among_them() {
    let broken = machine("CONTOSO-TERMSERVER01", false);
    let log = LogBuilder::new("System")
        .computer("COLLECTOR")
        .push(cleared("System", "contoso-termserver01.contoso.example", 1))
        .push(cleared("System", "DB-7.contoso.example", 2))
        .push(cleared("System", "contoso-termserver01.contoso.example", 3));
    let mut collected = files(&broken, "a");
    collected.insert("a/all of them.evtx".into(), log.to_bytes());
    let reports = reports(&collected);
    let own = of(&reports, "CONTOSO-TERMSER");
    let told = |what: &str| {
        let mut problems = own.problems.iter();
        problems.any(|problem| problem.message.contains(what))
    };
    assert!(told("Application1 was cleared"), "{:?}", own.problems);
    assert!(told("Application3 was cleared"), "{:?}", own.problems);
    assert!(!told("Application2 was cleared"), "{:?}", own.problems);
}
