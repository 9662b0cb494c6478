//! Samples of how people fare: lines that break, attacks, quiet days, clocks, names, exports, and two faults at once.

use jiff::Timestamp;

use super::super::machine::{
    CONTROL_SET, Channel, Machine, SUITE_POLICY, TlsFailure, Windows, at, minutes, seconds,
};
use super::{FUNNEL, PEOPLE, STRANGERS, Sample, locked_out, with_hives, working_days};

/// Forges them all.
pub fn forge() -> Vec<Sample> {
    vec![
        network_drops(),
        password_attack(),
        flood(),
        flapping(),
        strangers_at_the_weekend(),
        quiet_weekend(),
        export_by_query(),
        change_waiting_for_restart(),
        two_causes(),
        renamed_host(),
        clock_set_back(),
        update_of_october_2022(),
    ]
}

/// A machine with a certificate of September that started on 2 November.
fn machine(name: &'static str, windows: Windows) -> Machine {
    let mut machine = Machine::new(name, windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .boots(at("2026-11-02T03:00:00Z"))
        .listener_starts(at("2026-11-02T03:00:40Z"));
    machine
}

fn sample(name: &'static str, machine: &mut Machine, end: &str) -> Sample {
    machine.written(at(end));
    Sample {
        name,
        files: with_hives(machine, machine.logs(FUNNEL)),
    }
}

/// The same, with the Admin channel.
fn with_admin(name: &'static str, machine: &mut Machine, end: &str) -> Sample {
    let mut sample = sample(name, machine, end);
    sample
        .files
        .extend(machine.logs(&[Channel::RemoteConnectionManagerAdmin]));
    sample
}

/// Everybody works from the morning of the 10th to this moment.
fn week(machine: &mut Machine, end: Timestamp) {
    working_days(machine, at("2026-11-10T07:30:00Z"), end);
}

fn network_drops() -> Sample {
    let mut machine = machine("CONTOSO-NW01", Windows::Server2019);
    week(&mut machine, at("2026-11-11T18:00:00Z"));
    for index in 0..5 {
        for (turn, (client, user)) in PEOPLE.iter().take(2).enumerate() {
            let offset = minutes(i64::try_from(turn).unwrap_or_default() * 7);
            let time = at("2026-11-12T08:00:00Z") + offset + (minutes(45) + seconds(35)) * index;
            machine.session_breaks(time, client, user, minutes(45), 10060);
        }
    }
    let (client, user) = PEOPLE[2];
    machine.session_ends(at("2026-11-12T09:00:00Z"), client, user, minutes(120), 11);
    sample("network-drops", &mut machine, "2026-11-12T12:30:00Z")
}

fn password_attack() -> Sample {
    let mut machine = machine("CONTOSO-NW02", Windows::Server2022);
    machine.admin_event(at("2026-11-08T02:00:00Z"), 1006);
    week(&mut machine, at("2026-11-12T18:00:00Z"));
    let mut time = at("2026-11-12T06:00:00Z");
    let mut turn = 0;
    while time < at("2026-11-12T10:30:00Z") {
        machine.mistypes(time, STRANGERS[turn % STRANGERS.len()]);
        if turn % 6 == 0 {
            machine.admin_event(time + seconds(20), 1006);
        }
        turn += 1;
        time += minutes(9);
    }
    with_admin("password-attack", &mut machine, "2026-11-12T18:00:00Z")
}

fn flood() -> Sample {
    let mut machine = machine("CONTOSO-NW03", Windows::Server2016);
    machine.admin_event(at("2026-11-08T02:00:00Z"), 1006);
    week(&mut machine, at("2026-11-11T18:00:00Z"));
    let mut time = at("2026-11-12T06:50:00Z");
    let mut turn = 0;
    while time < at("2026-11-12T08:30:00Z") {
        machine.admin_event(time, 1006);
        machine.stops(time + seconds(5), PEOPLE[turn % PEOPLE.len()].0);
        for each in 0..2 {
            machine.stops(
                time + seconds(10 + each),
                &format!("198.51.100.{}", turn * 2 + 1),
            );
        }
        turn += 1;
        time += minutes(8);
    }
    with_admin("connection-flood", &mut machine, "2026-11-12T08:35:00Z")
}

fn flapping() -> Sample {
    let mut machine = machine("CONTOSO-NW04", Windows::Server2019);
    week(&mut machine, at("2026-11-11T18:00:00Z"));
    for index in 0..8 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index * 25);
        let (client, user) = PEOPLE[usize::try_from(index % 3).unwrap_or_default()];
        machine.dies_in_tls(time, client, TlsFailure::NoCommonSuite);
        machine.session_ends(time + minutes(4), client, user, minutes(15), 11);
    }
    sample("flapping", &mut machine, "2026-11-12T11:45:00Z")
}

fn strangers_at_the_weekend() -> Sample {
    let mut machine = machine("CONTOSO-NW05", Windows::Server2025);
    working_days(
        &mut machine,
        at("2026-11-06T07:30:00Z"),
        at("2026-11-06T18:00:00Z"),
    );
    week(&mut machine, at("2026-11-13T18:00:00Z"));
    for turn in 0..16_usize {
        let time = at("2026-11-13T20:00:00Z") + minutes(103) * i32::try_from(turn).unwrap_or(0);
        let stranger = STRANGERS[turn % STRANGERS.len()];
        match turn % 3 {
            0 => machine.is_probed(time, stranger),
            1 => machine.dies_in_tls(time, stranger, TlsFailure::NoCommonSuite),
            _ => machine.mistypes(time, stranger),
        };
    }
    sample("strangers", &mut machine, "2026-11-15T09:00:00Z")
}

fn quiet_weekend() -> Sample {
    let mut machine = machine("CONTOSO-NW06", Windows::Server2022);
    working_days(
        &mut machine,
        at("2026-11-06T07:30:00Z"),
        at("2026-11-06T18:00:00Z"),
    );
    week(&mut machine, at("2026-11-13T18:00:00Z"));
    machine.service_state(at("2026-11-15T18:00:00Z"), "Windows Update", "stopped");
    sample("quiet-weekend", &mut machine, "2026-11-15T18:10:00Z")
}

fn export_by_query() -> Sample {
    let mut machine = machine("CONTOSO-NW07", Windows::Server2019);
    week(&mut machine, at("2026-11-11T18:00:00Z"));
    locked_out(
        &mut machine,
        at("2026-11-12T07:00:00Z"),
        at("2026-11-12T09:30:00Z"),
        TlsFailure::NoCommonSuite,
    );
    for index in 0..5 {
        machine.schannel_noise(at("2026-11-12T07:03:00Z") + minutes(index * 30));
    }
    // Errors and arrivals only: who got in, and whether anybody still does, is not in it.
    machine.query = Some(&[131, 139, 226, 36874, 36888]);
    Sample {
        name: "export-by-query",
        files: machine.logs(&[Channel::System, Channel::RdpCoreTs]),
    }
}

fn change_waiting_for_restart() -> Sample {
    let mut machine = machine("CONTOSO-NW08", Windows::Server2022);
    let list = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
    machine
        .software
        .set_sz(SUITE_POLICY, "Functions", list)
        .touch(SUITE_POLICY, at("2026-11-11T15:04:00Z"));
    week(&mut machine, at("2026-11-12T18:00:00Z"));
    sample(
        "change-waiting-for-restart",
        &mut machine,
        "2026-11-12T18:05:00Z",
    )
}

fn two_causes() -> Sample {
    let mut machine = machine("CONTOSO-NW09", Windows::Server2019);
    week(&mut machine, at("2026-11-11T18:00:00Z"));
    let service = format!(r"{CONTROL_SET}\Services\TermService");
    machine
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-11-11T18:30:00Z"));
    machine.start_type_changes(
        at("2026-11-11T18:30:00Z"),
        "Remote Desktop Services",
        "TermService",
        "demand start",
        "disabled",
    );
    let policy = r"Policies\Microsoft\Windows NT\Terminal Services";
    machine
        .software
        .set_dword(policy, "fDenyTSConnections", 1)
        .touch(policy, at("2026-11-11T18:10:00Z"));
    machine.boots(at("2026-11-11T22:00:00Z"));
    machine.service_state(at("2026-11-13T09:30:00Z"), "Windows Update", "stopped");
    sample("two-causes", &mut machine, "2026-11-13T09:40:00Z")
}

fn renamed_host() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-NW10",
        Windows::Server2022,
        at("2026-06-02T06:00:00Z"),
    );
    machine.former = Some((at("2026-11-10T22:00:00Z"), "WIN-4K7Q2M9ZP1T"));
    machine
        .boots(at("2026-11-02T03:00:00Z"))
        .listener_starts(at("2026-11-02T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-09T07:30:00Z"),
        at("2026-11-10T18:00:00Z"),
    );
    machine
        .boots(at("2026-11-10T22:00:00Z"))
        .listener_starts(at("2026-11-10T22:00:40Z"));
    // The name is new, and so is the certificate.
    machine.self_signed_certificate(at("2026-11-10T22:00:50Z"));
    machine.certificate_made(at("2026-11-10T22:00:50Z"), &[0x5A; 20]);
    working_days(
        &mut machine,
        at("2026-11-11T07:30:00Z"),
        at("2026-11-12T18:00:00Z"),
    );
    sample("renamed-host", &mut machine, "2026-11-12T18:05:00Z")
}

fn clock_set_back() -> Sample {
    let mut machine = machine("CONTOSO-NW11", Windows::Server2016);
    week(&mut machine, at("2026-11-11T18:00:00Z"));
    // For two hours of the evening the clock stood a day and a half ahead.
    let (wrong, right) = (at("2026-11-11T19:00:00Z"), at("2026-11-11T21:00:00Z"));
    let ahead = minutes(36 * 60);
    machine.clock_ahead = Some((wrong, right, ahead));
    machine.clock_set(wrong, wrong, wrong + ahead);
    let (client, user) = PEOPLE[0];
    machine.session_ends(at("2026-11-11T19:30:00Z"), client, user, minutes(20), 11);
    machine.clock_set(right, right + ahead, right);
    working_days(
        &mut machine,
        at("2026-11-12T07:30:00Z"),
        at("2026-11-12T18:00:00Z"),
    );
    sample("clock-set-back", &mut machine, "2026-11-12T18:05:00Z")
}

fn update_of_october_2022() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-NW12",
        Windows::Server2019,
        at("2022-06-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2022-09-14T06:10:00Z"));
    machine
        .boots(at("2022-10-03T03:00:00Z"))
        .listener_starts(at("2022-10-03T03:00:40Z"));
    working_days(
        &mut machine,
        at("2022-10-10T06:30:00Z"),
        at("2022-10-12T17:00:00Z"),
    );
    let title = "2022-10 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems (KB5018419)";
    machine.update_installed(at("2022-10-12T20:40:00Z"), title);
    machine
        .software
        .set_dword(r"Microsoft\Windows NT\CurrentVersion", "UBR", 3532);
    machine
        .boots(at("2022-10-12T21:00:00Z"))
        .listener_starts(at("2022-10-12T21:00:40Z"));
    locked_out(
        &mut machine,
        at("2022-10-13T06:10:00Z"),
        at("2022-10-13T09:00:00Z"),
        TlsFailure::IllegalMessage,
    );
    sample(
        "update-of-october-2022",
        &mut machine,
        "2022-10-13T09:05:00Z",
    )
}
