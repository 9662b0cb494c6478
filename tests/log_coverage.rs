//! What a collected log proves about what did not happen, from the files to the facts: one row for each sentence of the rule.

mod support;

use jiff::Timestamp;
use rdptriage::facts::coverage::Window;
use rdptriage::facts::subject::Subject;
use rdptriage::{Hashing, HostFacts, Options, gather};
use support::event_log::{Event, LogBuilder};
use support::machine::{Channel, Machine, Windows, at, minutes};
use support::verdict::{Files, collect};

const CORE: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational";

/// What a collection covers, asked subject by subject.
struct Told(HostFacts);

fn told(files: &Files) -> Told {
    let folder = collect(files);
    let options = Options {
        hashing: Hashing::Off,
        ..Options::default()
    };
    let mut hosts = gather(&[folder.path().to_owned()], &options).expect("something to read");
    assert_eq!(hosts.len(), 1);
    Told(hosts.remove(0))
}

impl Told {
    #[track_caller]
    fn covers(&mut self, subject: Subject, from: &str, to: &str, expected: bool) {
        let window = Window {
            from: Some(at(from)),
            to: Some(at(to)),
        };
        let found = self.0.facts.subject_covers(subject, &window);
        assert_eq!(found.is_ok(), expected, "{subject:?} from {from} to {to}");
    }

    fn as_of(&self) -> Option<Timestamp> {
        self.0.facts.anchors.as_of
    }
}

/// People work on the 9th in the morning; the System log goes on to noon of the 10th.
fn machine() -> Machine {
    let mut machine = Machine::new(
        "CONTOSO-TS22",
        Windows::Server2022,
        at("2026-06-02T06:00:00Z"),
    );
    machine
        .boots(at("2026-11-09T06:00:00Z"))
        .listener_starts(at("2026-11-09T06:00:40Z"));
    for hour in 0..3 {
        machine.gets_in(
            at("2026-11-09T08:00:00Z") + minutes(60 * hour),
            "10.20.4.17",
            "anna",
        );
    }
    machine.service_state(at("2026-11-10T12:00:00Z"), "Windows Update", "stopped");
    machine
}

fn files(machine: &Machine) -> Files {
    machine.logs_and_hives(&Channel::OF_CONNECTIONS)
}

/// A service that changes its state at these times.
fn services(times: &[&str]) -> Vec<Event> {
    let event = |time: &&str| {
        Event::new("Service Control Manager", 7036)
            .data("param1", "Windows Update")
            .data("param2", "stopped")
            .time(time)
    };
    times.iter().map(event).collect()
}

fn system_log(log: LogBuilder) -> Files {
    let mut files = Files::new();
    files.insert("System.evtx".into(), log.to_bytes());
    files
}

#[test]
fn silence_in_a_whole_log_is_evidence_to_the_end_of_the_collection() {
    let mut told = told(&files(&machine()));
    let core = Subject::RdpCoreTsLog;
    told.covers(core, "2026-11-09T08:00:00Z", "2026-11-10T12:00:00Z", true);
    told.covers(core, "2026-11-09T07:59:00Z", "2026-11-10T12:00:00Z", false);
    told.covers(core, "2026-11-09T08:00:00Z", "2026-11-10T12:01:00Z", false);
}

#[test]
fn damage_is_a_hole_and_what_lies_beside_it_is_covered() {
    let mut machine = machine();
    for turn in 0..120 {
        machine.mistypes(at("2026-11-09T11:00:00Z") + minutes(turn), "203.0.113.9");
    }
    let mut files = files(&machine);
    let core = files
        .get_mut(&Channel::RdpCoreTs.file_name())
        .expect("the log");
    assert!(core.len() > 4096 + 3 * 65536, "three chunks and more");
    core[4096 + 65536..4096 + 2 * 65536].fill(0);
    let mut told = told(&files);
    let core = Subject::RdpCoreTsLog;
    told.covers(core, "2026-11-09T08:00:00Z", "2026-11-09T11:01:00Z", true);
    told.covers(core, "2026-11-09T08:00:00Z", "2026-11-10T12:00:00Z", false);
    told.covers(core, "2026-11-10T06:00:00Z", "2026-11-10T12:00:00Z", true);
    // The same connections stand in another log, which is whole.
    told.covers(
        Subject::Arrivals,
        "2026-11-09T08:00:00Z",
        "2026-11-10T12:00:00Z",
        true,
    );
}

#[test]
fn an_export_by_query_proves_presence_alone() {
    let chosen = LogBuilder::new("System")
        .computer("CONTOSO-TS22")
        .first_record(100)
        .extend(services(&["2026-11-09T08:00:00Z", "2026-11-09T09:00:00Z"]))
        .first_record(140)
        .extend(services(&["2026-11-09T10:00:00Z", "2026-11-09T11:00:00Z"]));
    let mut told = told(&system_log(chosen));
    let system = Subject::SystemLog;
    told.covers(
        system,
        "2026-11-09T08:10:00Z",
        "2026-11-09T08:20:00Z",
        false,
    );
    told.covers(
        system,
        "2026-11-09T10:10:00Z",
        "2026-11-09T10:20:00Z",
        false,
    );
}

#[test]
fn a_channel_that_is_off_proves_nothing() {
    let mut machine = machine();
    let channels = r"Microsoft\Windows\CurrentVersion\WINEVT\Channels";
    machine
        .software
        .set_dword(&format!(r"{channels}\{CORE}"), "Enabled", 0);
    machine.system.set_dword(
        r"ControlSet001\Control\SecurityProviders\SCHANNEL",
        "EventLogging",
        0,
    );
    let mut told = told(&files(&machine));
    let (from, to) = ("2026-11-09T09:00:00Z", "2026-11-09T09:30:00Z");
    told.covers(Subject::RdpCoreTsLog, from, to, false);
    told.covers(Subject::RemoteConnectionManagerLog, from, to, true);
    told.covers(Subject::SchannelEvents, from, to, false);
    told.covers(Subject::SystemLog, from, to, true);
}

#[test]
fn a_log_ends_where_another_shows_what_it_should_have_recorded() {
    let mut machine = machine();
    machine.events_mut().retain(|event| {
        event.channel != Channel::RdpCoreTs || event.time < at("2026-11-09T09:30:00Z")
    });
    let mut told = told(&files(&machine));
    let core = Subject::RdpCoreTsLog;
    told.covers(core, "2026-11-09T08:00:00Z", "2026-11-09T09:00:00Z", true);
    told.covers(core, "2026-11-09T08:00:00Z", "2026-11-09T10:10:00Z", false);
    told.covers(
        Subject::Arrivals,
        "2026-11-09T08:00:00Z",
        "2026-11-10T12:00:00Z",
        true,
    );
}

#[test]
fn time_that_goes_back_while_numbers_rise_is_a_step_of_the_clock() {
    let stepped = LogBuilder::new("System")
        .computer("CONTOSO-TS22")
        .extend(services(&["2026-11-20T08:00:00Z", "2026-11-20T09:00:00Z"]))
        .extend(services(&["2026-11-09T08:00:00Z", "2026-11-09T09:00:00Z"]));
    let mut told = told(&system_log(stepped));
    assert_eq!(told.as_of(), Some(at("2026-11-09T09:00:00Z")));
    let system = Subject::SystemLog;
    told.covers(system, "2026-11-09T08:00:00Z", "2026-11-09T09:00:00Z", true);
    told.covers(
        system,
        "2026-11-08T08:00:00Z",
        "2026-11-09T09:00:00Z",
        false,
    );
}

#[test]
fn a_log_that_was_cleared_starts_there() {
    let cleared_at = "2026-11-09T08:30:00Z";
    let cleared = Event::new("Microsoft-Windows-Eventlog", 104)
        .user_data(
            "LogFileCleared",
            "http://manifests.microsoft.com/win/2004/08/windows/eventlog",
        )
        .data("SubjectUserName", "anna")
        .data("Channel", CORE)
        .time(cleared_at);
    let system = LogBuilder::new("System")
        .computer("CONTOSO-TS22")
        .extend(services(&["2026-11-09T06:00:00Z"]))
        .push(cleared)
        .extend(services(&["2026-11-10T12:00:00Z"]));
    let mut files = files(&machine());
    files.extend(system_log(system));
    let mut told = told(&files);
    let core = Subject::RdpCoreTsLog;
    told.covers(core, "2026-11-09T08:10:00Z", "2026-11-10T12:00:00Z", false);
    told.covers(core, cleared_at, "2026-11-10T12:00:00Z", true);
}

#[test]
fn a_security_log_that_was_cleared_starts_with_the_record_that_says_so() {
    let log = |time: &str| {
        let logon = Event::new("Microsoft-Windows-Security-Auditing", 4624);
        logon
            .data("LogonType", 10_u32)
            .data("IpAddress", "10.20.4.17")
            .time(time)
    };
    let cleared = Event::new("Microsoft-Windows-Eventlog", 1102)
        .user_data(
            "LogFileCleared",
            "http://manifests.microsoft.com/win/2004/08/windows/eventlog",
        )
        .data("SubjectUserName", "anna")
        .time("2026-11-09T08:30:00Z");
    let security = LogBuilder::new("Security")
        .computer("CONTOSO-TS22")
        .push(log("2026-11-09T07:00:00Z"))
        .push(cleared)
        .push(log("2026-11-09T09:00:00Z"));
    let mut files = Files::new();
    files.insert("Security.evtx".into(), security.to_bytes());
    let mut told = told(&files);
    let security = Subject::SecurityLog;
    told.covers(
        security,
        "2026-11-09T08:00:00Z",
        "2026-11-09T09:00:00Z",
        false,
    );
    told.covers(
        security,
        "2026-11-09T08:30:00Z",
        "2026-11-09T09:00:00Z",
        true,
    );
}

#[test]
fn forwarded_records_were_chosen_by_somebody() {
    let forwarded = LogBuilder::new("ForwardedEvents")
        .computer("CONTOSO-TS22")
        .extend(
            services(&["2026-11-09T08:00:00Z"])
                .into_iter()
                .map(|event| event.channel("System")),
        )
        .push(
            Event::new("Microsoft-Windows-Security-Auditing", 4624)
                .channel("Security")
                .data("LogonType", 10_u32)
                .time("2026-11-09T08:30:00Z"),
        )
        .extend(
            services(&["2026-11-09T09:00:00Z"])
                .into_iter()
                .map(|event| event.channel("System")),
        );
    let mut files = Files::new();
    files.insert("ForwardedEvents.evtx".into(), forwarded.to_bytes());
    let mut told = told(&files);
    told.covers(
        Subject::SystemLog,
        "2026-11-09T08:10:00Z",
        "2026-11-09T08:20:00Z",
        false,
    );
}
