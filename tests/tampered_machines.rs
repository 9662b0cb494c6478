//! Machines of several generations, well and broken in several ways, that somebody has had his hands on: records written by a person's
//! account or that of a web server, crashes that never were, logs that were cleared, times that were set, files of another machine
//! between its own.
//!
//! `cargo test` tries a seeded slice on each machine; `cargo test --test tampered_machines -- --ignored` tries everything.
//!
//! Whatever is done, the tool is not surer than it is of the untouched machine, accuses nothing else, and calls nothing broken healthy;
//! tests/support/wrong.rs has it in full.

mod support;

use jiff::Timestamp;
use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Level, Report, Status};
use support::machine::{
    CONTROL_SET, Channel, LISTENER, Logged, Machine, Payload, Provider, TlsFailure, Windows, at,
    minutes,
};
use support::seeded::Seeded;
use support::verdict::{Files, Said, collect, diagnosed, rules};
use support::wrong::{bearable, wrong};

const NAME: &str = "CONTOSO-TM01";
const ANNA: &str = "10.20.4.17";
const BERT: &str = "10.20.4.31";
/// What broke, broke then.
const BROKE: &str = "2026-11-12T08:00:00Z";
const END: &str = "2026-11-13T12:00:00Z";

const PERSON: &str = "S-1-5-21-3623811015-3361044348-30300820-1104";
const WEB_SERVER: &str = "S-1-5-82-3006700770-424185619-1745488364-794895919-4004696415";
const DATABASE: &str = "S-1-5-80-3880718306-3832830129-1677859214-2598158968-1052248003";

const LOGS: [Channel; 5] = [
    Channel::System,
    Channel::Application,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
];
const GENERATIONS: [Windows; 4] = [
    Windows::Server2008R2,
    Windows::Server2012R2,
    Windows::Server2019,
    Windows::Server2025,
];

/// How many of each group of tamperings are tried on each machine by default.
const SLICE: usize = 2;
/// Numbers of the slice: any will do, as long as it stays.
const SEED: u64 = 0x0904_0010;

/// How a machine fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fares {
    Well,
    /// Nobody has connected since Friday.
    Quiet,
    KeyUnusable,
    NoCommonSuite,
    PasswordRefused,
    LineBreaks,
    ServiceDisabled,
    ServiceCrashes,
}

const ALL: [Fares; 8] = [
    Fares::Well,
    Fares::Quiet,
    Fares::KeyUnusable,
    Fares::NoCommonSuite,
    Fares::PasswordRefused,
    Fares::LineBreaks,
    Fares::ServiceDisabled,
    Fares::ServiceCrashes,
];

impl Fares {
    /// What is true of such a machine: it may be told, though the untouched one shows less of it.
    fn is_told_by(self) -> &'static [&'static str] {
        match self {
            Fares::KeyUnusable | Fares::NoCommonSuite => &["tls-handshake-failed"],
            _ => &[],
        }
    }
}

fn machine(windows: Windows, fares: Fares) -> Machine {
    let mut machine = Machine::new(NAME, windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-20T06:10:00Z"));
    machine
        .boots(at("2026-11-02T03:00:00Z"))
        .listener_starts(at("2026-11-02T03:00:40Z"));
    let days = match fares {
        Fares::Well => 5,
        _ => 3,
    };
    for day in 0..days {
        let morning = at("2026-11-09T08:00:00Z") + minutes(day * 1440);
        for (client, user, late) in [(ANNA, "anna", 0), (BERT, "bert", 7)] {
            machine.gets_in(morning + minutes(late), client, user);
            machine.leaves(morning + minutes(200 + late), client, user);
        }
    }
    for hour in 0..60 {
        let time = at("2026-11-11T01:00:00Z") + minutes(hour * 59);
        machine.service_state(time, "Windows Update", "stopped");
        machine.program_crashes(time, "w3wp.exe", "ntdll.dll");
    }
    let broke = at(BROKE);
    for turn in 0..8 {
        let time = broke + minutes(turn * 46);
        match fares {
            Fares::Well | Fares::Quiet => {}
            Fares::KeyUnusable => {
                machine.dies_in_tls(time, ANNA, TlsFailure::KeyUnusable);
            }
            Fares::NoCommonSuite => {
                machine.dies_in_tls(time, ANNA, TlsFailure::NoCommonSuite);
            }
            Fares::PasswordRefused => {
                machine.mistypes(time, ANNA);
            }
            Fares::LineBreaks => {
                machine.session_breaks(time, ANNA, "anna", minutes(45), 10060);
            }
            Fares::ServiceDisabled | Fares::ServiceCrashes => {}
        }
    }
    match fares {
        Fares::ServiceDisabled => {
            let service = format!(r"{CONTROL_SET}\Services\TermService");
            machine
                .system
                .set_dword(&service, "Start", 4)
                .touch(&service, broke);
        }
        Fares::ServiceCrashes => {
            machine.service_fails(broke, 7034, "Remote Desktop Services", "1");
            machine.program_crashes(broke, "svchost.exe_TermService", "rdpcorets.dll");
        }
        _ => {}
    }
    machine.written(at(END));
    machine
}

fn files(machine: &Machine) -> Files {
    let channels: Vec<Channel> = LOGS
        .into_iter()
        .filter(|channel| machine.windows.has_rdp_core_ts() || *channel != Channel::RdpCoreTs)
        .collect();
    let mut files = machine.logs(&channels);
    files.insert("config/SYSTEM".into(), machine.system.to_bytes());
    files.insert("config/SOFTWARE".into(), machine.software.to_bytes());
    files
}

/// What somebody does to a machine, and what is then collected.
struct Tampering {
    what: String,
    done: Box<dyn Fn(Machine) -> Files>,
}

fn tampering(what: impl Into<String>, done: impl Fn(Machine) -> Files + 'static) -> Tampering {
    Tampering {
        what: what.into(),
        done: Box::new(done),
    }
}

/// What this adds bears the account of whoever wrote it.
fn written_by(account: &'static str, machine: &mut Machine, write: impl FnOnce(&mut Machine)) {
    let before = machine.events_mut().len();
    write(machine);
    for event in &mut machine.events_mut()[before..] {
        event.user = Some(account);
    }
}

/// Whoever may not write to System writes only to the channels that are open to him.
fn keep_operational(machine: &mut Machine, from: usize) {
    let mut place = 0;
    machine.events_mut().retain(|event| {
        place += 1;
        place <= from || !matches!(event.channel, Channel::System | Channel::Security)
    });
}

fn forged_records() -> Vec<Tampering> {
    let mut all = Vec::new();
    for account in [PERSON, WEB_SERVER, DATABASE] {
        all.push(tampering(
            format!("{account} forges successes to the end"),
            move |mut machine| {
                let before = machine.events_mut().len();
                written_by(account, &mut machine, |machine| {
                    for hour in 0..10 {
                        machine.gets_in(
                            at("2026-11-13T01:00:00Z") + minutes(hour * 60),
                            ANNA,
                            "anna",
                        );
                    }
                });
                keep_operational(&mut machine, before);
                files(&machine)
            },
        ));
        all.push(tampering(
            format!("{account} forges refused passwords and TLS that dies"),
            move |mut machine| {
                let before = machine.events_mut().len();
                written_by(account, &mut machine, |machine| {
                    for turn in 0..9 {
                        let time = at("2026-11-13T02:00:00Z") + minutes(turn * 9);
                        machine.mistypes(time, BERT);
                        machine.dies_in_tls(time + minutes(3), BERT, TlsFailure::KeyUnusable);
                        machine.session_breaks(time + minutes(4), BERT, "bert", minutes(4), 10060);
                    }
                });
                keep_operational(&mut machine, before);
                files(&machine)
            },
        ));
    }
    for (program, module) in [
        ("lsass.exe", "tspkg.dll"),
        ("svchost.exe_TermService", "rdpcorets.dll"),
        ("PortICAService.exe", "ica.dll"),
    ] {
        all.push(tampering(
            format!("crashes of {program} are written to Application"),
            move |mut machine| {
                for time in [BROKE, "2026-11-12T09:00:00Z", "2026-11-13T10:00:00Z"] {
                    machine.program_crashes(at(time) - minutes(1), program, module);
                    machine.critical_process_fails(
                        at(time),
                        &format!(r"C:\Windows\System32\{program}"),
                    );
                }
                files(&machine)
            },
        ));
    }
    all
}

const LOG_KEEPER: Provider = Provider {
    name: "Microsoft-Windows-Eventlog",
    guid: None,
    source: None,
};

/// Clears a log at that time, as Windows does: System tells of it, of itself as well.
fn clear(machine: &mut Machine, channel: Channel, time: Timestamp) {
    let like = machine.events_mut()[0].clone();
    machine
        .events_mut()
        .retain(|event| event.channel != channel || event.time >= time);
    machine.events_mut().push(Logged {
        time,
        channel: Channel::System,
        provider: LOG_KEEPER,
        id: 104,
        user: Some(PERSON),
        payload: Payload::User(vec![
            ("SubjectUserName", "mallory".into()),
            ("Channel", channel.name().into()),
        ]),
        ..like
    });
}

fn cleared_logs() -> Vec<Tampering> {
    let mut all = Vec::new();
    let times = [
        "2026-11-12T07:00:00Z",
        "2026-11-12T11:00:00Z",
        "2026-11-13T11:00:00Z",
    ];
    for time in times {
        for channel in LOGS {
            all.push(tampering(
                format!("{} is cleared at {time}", channel.name()),
                move |mut machine| {
                    clear(&mut machine, channel, at(time));
                    files(&machine)
                },
            ));
        }
        all.push(tampering(
            format!("every log is cleared at {time}"),
            move |mut machine| {
                for channel in LOGS {
                    clear(&mut machine, channel, at(time));
                }
                files(&machine)
            },
        ));
    }
    all
}

/// The machine's files, those of these channels dated otherwise from then on.
fn restamped(machine: Machine, channels: &'static [Channel], from: &str, ahead: i64) -> Files {
    let mut found = files(&machine);
    let mut stamped = machine;
    stamped.clock_ahead = Some((at(from), at(END), minutes(ahead)));
    for (name, bytes) in stamped.logs(channels) {
        if found.contains_key(&name) {
            found.insert(name, bytes);
        }
    }
    found
}

fn set_times() -> Vec<Tampering> {
    let mut all = Vec::new();
    for (ahead, words) in [
        (-3 * 1440, "three days back"),
        (-90, "an hour and a half back"),
        (2 * 1440, "two days ahead"),
    ] {
        for channels in [
            &[Channel::RdpCoreTs][..],
            &[Channel::LocalSessionManager],
            &[Channel::RemoteConnectionManager],
            &[Channel::System],
        ] {
            all.push(tampering(
                format!("records of {channels:?} are dated {words}"),
                move |machine| restamped(machine, channels, "2026-11-12T07:30:00Z", ahead),
            ));
        }
    }
    for (key, time) in [
        (LISTENER, "2031-01-01T00:00:00Z"),
        (LISTENER, "2026-11-20T00:00:00Z"),
        (LISTENER, "1999-01-01T00:00:00Z"),
        (
            r"ControlSet001\Services\TermService",
            "2031-01-01T00:00:00Z",
        ),
    ] {
        all.push(tampering(
            format!("{key} is dated {time}"),
            move |mut machine| {
                machine.system.touch(key, at(time));
                files(&machine)
            },
        ));
    }
    all
}

/// Files of another machine between its own.
fn stitched() -> Vec<Tampering> {
    let mut all = Vec::new();
    // Of the same name, as somebody who makes evidence up would have it, and of another Windows.
    for other in [Fares::Well, Fares::KeyUnusable] {
        for channels in [
            &[Channel::LocalSessionManager][..],
            &[Channel::RdpCoreTs],
            &[Channel::RemoteConnectionManager],
            &[Channel::System],
        ] {
            all.push(tampering(
                format!("{channels:?} of another host that fares {other:?}"),
                move |machine| {
                    let mut stranger = self::machine(machine.windows, other);
                    stranger.name = "FABRIKAM-RD9";
                    let mut found = files(&machine);
                    for (name, bytes) in stranger.logs(channels) {
                        if found.contains_key(&name) {
                            found.insert(format!("other/{name}"), bytes);
                        }
                    }
                    found
                },
            ));
        }
    }
    for (hive, words) in [("config/SYSTEM", "SYSTEM"), ("config/SOFTWARE", "SOFTWARE")] {
        for windows in [Windows::Server2012R2, Windows::Server2025] {
            all.push(tampering(
                format!("{words} of a {windows:?} that is well"),
                move |machine| {
                    let stranger = self::machine(windows, Fares::Well);
                    let mut found = files(&machine);
                    let theirs = files(&stranger)[hive].clone();
                    found.insert(hive.into(), theirs);
                    found
                },
            ));
        }
    }
    all
}

fn of_this_machine(files: &Files, rules: &RuleSet) -> Option<Report> {
    let folder = collect(files);
    let reports = diagnosed(&[folder.path().to_owned()], rules);
    reports
        .into_iter()
        .find(|report| report.host.name.as_deref() == Some(NAME))
}

/// Tries so many of them, chosen by seeded numbers, on each machine.
fn hold(tamperings: &[Tampering], count: usize) {
    let rules = rules();
    let mut seeded = Seeded::new(SEED);
    let mut all_wrong = Vec::new();
    for windows in &GENERATIONS {
        for fares in ALL {
            let whole =
                of_this_machine(&files(&machine(*windows, fares)), &rules).expect("a report");
            let mut whole = Said::of(&whole);
            let mut bearable = bearable(&whole, &rules);
            for cause in fares.is_told_by() {
                let known = (Level::Confirmed, String::new());
                whole.levels.insert((*cause).to_owned(), known);
                bearable.insert((*cause).to_owned());
            }
            for tampering in seeded.choose(tamperings.iter().collect(), count) {
                let tampered = (tampering.done)(machine(*windows, fares));
                let Some(report) = of_this_machine(&tampered, &rules) else {
                    continue;
                };
                let said = Said::of(&report);
                let wrong = wrong(&whole, &said, &bearable, &rules);
                if !wrong.is_empty() {
                    all_wrong.push(format!(
                        "{windows:?} {fares:?} ({:?} {}), {}: {:?} {}: {}",
                        whole.status,
                        whole.cause.as_deref().unwrap_or("-"),
                        tampering.what,
                        said.status,
                        said.state,
                        wrong.join("; ")
                    ));
                }
            }
        }
    }
    assert!(all_wrong.is_empty(), "{}", all_wrong.join("\n"));
}

#[test]
fn the_untouched_machines_are_what_they_are_made_as() {
    let rules = rules();
    for windows in GENERATIONS {
        for fares in ALL {
            let report =
                of_this_machine(&files(&machine(windows, fares)), &rules).expect("a report");
            let is_well = report.verdict.status == Status::Healthy;
            assert_eq!(
                is_well,
                fares == Fares::Well,
                "{windows:?} {fares:?}: {:?} {:?} {}",
                report.verdict.status,
                report.verdict.cause,
                report.verdict.state
            );
        }
    }
}

#[test]
fn forged_records_are_not_believed() {
    hold(&forged_records(), SLICE);
}

#[test]
fn cleared_logs_prove_nothing() {
    hold(&cleared_logs(), SLICE);
}

#[test]
fn times_that_were_set_mislead_nobody() {
    hold(&set_times(), SLICE);
}

#[test]
fn what_is_another_machines_is_no_evidence() {
    hold(&stitched(), SLICE);
}

#[test]
#[ignore = "1,760 cases: five minutes"]
fn nothing_of_it_misleads() {
    for all in [forged_records(), cleared_logs(), set_times(), stitched()] {
        let every = all.len();
        hold(&all, every);
    }
}
