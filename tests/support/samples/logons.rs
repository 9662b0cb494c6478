//! Samples of logons: who is refused, why, and whether it matters. Each has the Security log beside those of Remote Desktop.

use jiff::Timestamp;

use super::super::machine::{Channel, Machine, Refused, Windows, at, minutes, rights};
use super::{PEOPLE, STRANGERS, Sample, with_hives};

/// The names that guessers try.
const GUESSED: &[&str] = &["administrator", "admin", "test", "scanner", "anna"];

const LOGS: &[Channel] = &[
    Channel::System,
    Channel::Security,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
];

/// Forges them all.
pub fn forge() -> Vec<Sample> {
    vec![
        healthy_under_spray(),
        domain_unreachable(),
        account_locked(),
        logon_right_denied(),
    ]
}

/// A machine on which people worked on Wednesday and Thursday.
fn machine(name: &'static str, windows: Windows) -> Machine {
    let mut machine = Machine::new(name, windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .boots(at("2026-11-10T03:00:00Z"))
        .listener_starts(at("2026-11-10T03:00:40Z"));
    for day in 0..2 {
        arrive(
            &mut machine,
            at("2026-11-11T07:30:00Z") + minutes(day * 1440),
        );
    }
    machine
}

/// Everybody gets in, one after the other, and goes home in the evening.
fn arrive(machine: &mut Machine, morning: Timestamp) {
    for (index, (client, user)) in PEOPLE.iter().enumerate() {
        let time = morning + minutes(i64::try_from(index).unwrap_or_default() * 11);
        machine.logs_on(time, client, user);
        machine.leaves(time + minutes(540), client, user);
    }
}

/// Guessers try one account after the other.
fn spray(machine: &mut Machine, from: Timestamp, end: Timestamp, pause: i64) {
    let mut time = from;
    let mut turn = 0;
    while time < end {
        let why = match turn % 3 {
            0 => Refused::NoSuchUser,
            _ => Refused::Password,
        };
        machine.is_refused(
            time,
            STRANGERS[turn % STRANGERS.len()],
            GUESSED[turn % GUESSED.len()],
            why,
        );
        turn += 1;
        time += minutes(pause);
    }
}

fn collected(machine: &mut Machine, name: &'static str, end: Timestamp) -> Sample {
    machine.written(end);
    Sample {
        name,
        files: with_hives(machine, machine.logs(LOGS)),
    }
}

fn healthy_under_spray() -> Sample {
    let mut machine = machine("CONTOSO-LG01", Windows::Server2022);
    spray(
        &mut machine,
        at("2026-11-13T00:10:00Z"),
        at("2026-11-13T09:00:00Z"),
        12,
    );
    // A lock that ended before its owner came, and the domain's noise of a start.
    machine
        .account_locked(at("2026-11-13T02:41:00Z"), "anna", "KALI")
        .domain_lost(at("2026-11-10T03:00:50Z"));
    for (index, (client, user)) in PEOPLE.iter().enumerate() {
        let offset = i64::try_from(index).unwrap_or_default() * 11;
        machine.logs_on(at("2026-11-13T07:30:00Z") + minutes(offset), client, user);
    }
    collected(
        &mut machine,
        "healthy-under-spray",
        at("2026-11-13T09:05:00Z"),
    )
}

fn domain_unreachable() -> Sample {
    let mut machine = machine("CONTOSO-LG02", Windows::Server2016);
    spray(
        &mut machine,
        at("2026-11-13T05:00:00Z"),
        at("2026-11-13T09:00:00Z"),
        19,
    );
    for index in 0..4 {
        machine.domain_lost(at("2026-11-13T06:50:00Z") + minutes(index * 15));
    }
    for turn in 0..12 {
        let (client, user) = PEOPLE[turn % PEOPLE.len()];
        let time =
            at("2026-11-13T07:31:00Z") + minutes(i64::try_from(turn).unwrap_or_default() * 6);
        machine.is_refused(time, client, user, Refused::NoLogonServers);
    }
    collected(
        &mut machine,
        "domain-unreachable",
        at("2026-11-13T09:05:00Z"),
    )
}

fn account_locked() -> Sample {
    let mut machine = machine("CONTOSO-LG03", Windows::Server2019);
    spray(
        &mut machine,
        at("2026-11-13T04:00:00Z"),
        at("2026-11-13T08:50:00Z"),
        9,
    );
    machine.account_locked(at("2026-11-13T06:42:00Z"), "anna", "KALI");
    let (anna, bertil) = (PEOPLE[0], PEOPLE[1]);
    for turn in 0..6 {
        let time = at("2026-11-13T07:33:00Z") + minutes(turn * 8);
        machine.is_refused(time, anna.0, anna.1, Refused::Locked);
    }
    machine.logs_on(at("2026-11-13T07:47:00Z"), bertil.0, bertil.1);
    collected(&mut machine, "account-locked", at("2026-11-13T09:05:00Z"))
}

fn logon_right_denied() -> Sample {
    let mut machine = machine("CONTOSO-LG04", Windows::Server2025);
    for turn in 0..9 {
        let (client, user) = PEOPLE[turn % PEOPLE.len()];
        let time =
            at("2026-11-13T07:31:00Z") + minutes(i64::try_from(turn).unwrap_or_default() * 6);
        machine.is_refused_in_session(time, client, user, Refused::NotGranted);
    }
    let changed = at("2026-11-12T21:14:00Z");
    let end = at("2026-11-13T09:05:00Z");
    let rights = rights(
        &[
            ("S-1-5-32-545", 0x803),
            ("S-1-5-32-546", 0x8C0),
            ("S-1-5-113", 0x080),
        ],
        changed,
    );
    let mut sample = collected(&mut machine, "logon-right-denied", end);
    sample
        .files
        .insert("config/SECURITY".into(), rights.written(end).to_bytes());
    sample
}
