//! Load, licences, limits, the network and updates, through the whole pipeline: each fault beside a healthy machine that looks
//! like it.

mod support;

use rdptriage::verdict::model::{Level, Report, Role};
use support::machine::{
    CONTROL_SET, Channel, LISTENER, Machine, TlsFailure, Windows, at, minutes, seconds,
};
use support::verdict::{Files, level, report, role, says};

const ANNA: &str = "10.20.4.17";
const BERTIL: &str = "10.20.4.31";
const CHIARA: &str = "10.20.7.102";
const LOGS: &[Channel] = &[
    Channel::System,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
    Channel::RemoteConnectionManagerAdmin,
    Channel::SessionBrokerClient,
];

/// A machine that people work on for three days, until the evening of 11 November.
fn machine(windows: Windows) -> Machine {
    let mut machine = Machine::serving("FABRIKAM-RD4", windows, at("2026-11-08T03:00:00Z"));
    // The Admin channel and the broker's hold something from the beginning, so that they cover the time.
    machine.admin_event(at("2026-11-08T03:00:40Z"), 1141);
    machine.broker_joined(at("2026-11-08T03:01:00Z"));
    for day in 0..3 {
        for (offset, client, user) in [(0, ANNA, "anna"), (25, BERTIL, "bertil")] {
            let time = at("2026-11-09T08:00:00Z") + minutes(day * 1440 + offset);
            machine.session_ends(time, client, user, minutes(200), 11);
        }
    }
    machine
}

fn collected(machine: &mut Machine, end: &str) -> Files {
    machine.written(at(end));
    let logs: Vec<Channel> = LOGS
        .iter()
        .copied()
        .filter(|log| machine.windows.has_rdp_core_ts() || *log != Channel::RdpCoreTs)
        .collect();
    machine.logs_and_hives(&logs)
}

/// Anna and Bertil try in turn, twelve times in an hour.
fn try_in_vain(machine: &mut Machine, attempt: impl Fn(&mut Machine, i64, &str)) {
    for index in 0..12 {
        let client = [ANNA, BERTIL][usize::try_from(index % 2).unwrap()];
        attempt(machine, index, client);
    }
}

fn on_the_twelfth(index: i64) -> jiff::Timestamp {
    at("2026-11-12T08:00:00Z") + minutes(index * 5)
}

#[test]
fn clients_that_drop_off_the_network() {
    for windows in &Windows::SERVERS {
        let mut machine = machine(*windows);
        for index in 0..4 {
            // Back within half a minute, as the client does by itself.
            let time = at("2026-11-12T08:00:00Z") + minutes(index * 40) + seconds(30 * index);
            machine.session_breaks(time, ANNA, "anna", minutes(40), 10060);
        }
        machine.session_ends(at("2026-11-12T10:42:00Z"), ANNA, "anna", minutes(20), 11);
        let report = report(&collected(&mut machine, "2026-11-12T12:00:00Z"));
        assert_eq!(
            says(&report),
            "confirmed path-drop succeeding",
            "{windows:?}"
        );
    }
}

#[test]
fn resets_count_where_the_client_is_back_at_once() {
    for (pause, expected) in [(20, Level::Confirmed), (600, Level::RuledOut)] {
        let mut machine = machine(Windows::Server2022);
        for index in 0..4 {
            let time = at("2026-11-12T08:00:00Z") + (minutes(40) + seconds(pause)) * index;
            machine.session_breaks(time, ANNA, "anna", minutes(40), 10054);
        }
        let report = report(&collected(&mut machine, "2026-11-12T12:00:00Z"));
        assert_eq!(level(&report, "path-drop"), expected, "{pause}");
    }
}

#[test]
fn closed_windows_are_no_drops() {
    for windows in &Windows::SERVERS {
        let mut machine = machine(*windows);
        if machine.windows.has_rdp_core_ts() {
            for index in 0..4 {
                let time = at("2026-11-12T08:00:00Z") + minutes(index * 60);
                machine.session_breaks(time, ANNA, "anna", minutes(40), 10054);
            }
        }
        let report = report(&collected(&mut machine, "2026-11-12T13:00:00Z"));
        assert_eq!(level(&report, "path-drop"), Level::RuledOut, "{windows:?}");
        assert_eq!(report.verdict.cause, None, "{}", says(&report));
    }
}

#[test]
fn drops_that_are_over_only_contribute() {
    let mut machine = machine(Windows::Server2019);
    for index in 0..2 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index * 40) + seconds(20);
        machine.session_breaks(time, ANNA, "anna", minutes(39), 10060);
    }
    for day in 13..17 {
        let time = at(&format!("2026-11-{day}T08:00:00Z"));
        machine.session_ends(time, ANNA, "anna", minutes(200), 11);
    }
    let report = report(&collected(&mut machine, "2026-11-16T13:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
    assert_eq!(role(&report, "path-drop"), Role::Contributing);
}

#[test]
fn without_the_transports_log_drops_stay_open() {
    let mut machine = machine(Windows::Server2022);
    let mut files = collected(&mut machine, "2026-11-11T13:00:00Z");
    files.retain(|name, _| !name.contains("RdpCoreTS"));
    let report = report(&files);
    assert_eq!(level(&report, "path-drop"), Level::Undetermined);
    assert_eq!(report.verdict.cause, None);
}

#[test]
fn without_the_transports_log_torn_sessions_make_it_likely() {
    let mut machine = machine(Windows::Server2022);
    for index in 0..4 {
        let time = at("2026-11-12T08:00:00Z") + (minutes(40) + seconds(30)) * index;
        machine.session_breaks(time, ANNA, "anna", minutes(40), 10060);
    }
    let mut files = collected(&mut machine, "2026-11-12T12:00:00Z");
    files.retain(|name, _| !name.contains("RdpCoreTS"));
    assert_eq!(says(&report(&files)), "likely path-drop succeeding");
}

#[test]
fn a_flood_that_people_suffer_by() {
    for windows in &Windows::WITH_RDP_CORE_TS {
        let mut machine = machine(*windows);
        try_in_vain(&mut machine, |machine, index, client| {
            machine.admin_event(on_the_twelfth(index), 1006);
            machine.stops(on_the_twelfth(index) + minutes(1), client);
            for stranger in 1..6 {
                let address = format!("203.0.113.{}", index * 6 + stranger);
                machine.stops(on_the_twelfth(index) + seconds(stranger), &address);
            }
        });
        let report = report(&collected(&mut machine, "2026-11-12T09:10:00Z"));
        assert_eq!(
            report.verdict.cause.as_deref(),
            Some("connection-flood"),
            "{windows:?}: {}",
            says(&report)
        );
    }
}

#[test]
fn a_flood_while_people_work_is_no_fault() {
    let mut machine = machine(Windows::Server2022);
    for index in 0..40 {
        let time = at("2026-11-12T07:00:00Z") + minutes(index * 5);
        machine.admin_event(time, 1006);
        machine.mistypes(time + seconds(7), &format!("203.0.113.{}", index + 1));
        if index % 8 == 0 {
            machine.session_ends(time + minutes(1), ANNA, "anna", minutes(30), 11);
        }
    }
    let report = report(&collected(&mut machine, "2026-11-12T10:30:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
    assert_eq!(level(&report, "connection-flood"), Level::RuledOut);
}

const OCTOBER_2022: &str =
    "2022-10 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems (KB5018419)";

/// People work, an update comes in the night, and in the morning TLS ends every attempt.
fn updated(update_at: &str, failure: TlsFailure, revision: u32) -> Report {
    let mut machine = machine(Windows::Server2019);
    let version = r"Microsoft\Windows NT\CurrentVersion";
    machine.software.set_dword(version, "UBR", revision);
    machine.update_installed(at(update_at), OCTOBER_2022);
    machine
        .boots(at("2026-11-11T22:00:00Z"))
        .listener_starts(at("2026-11-11T22:00:40Z"));
    try_in_vain(&mut machine, |machine, index, client| {
        machine.dies_in_tls(on_the_twelfth(index), client, failure);
    });
    report(&collected(&mut machine, "2026-11-12T09:10:00Z"))
}

#[test]
fn an_update_that_is_known_for_it() {
    let report = updated("2026-11-11T21:40:00Z", TlsFailure::IllegalMessage, 3532);
    assert_eq!(says(&report), "confirmed update-regression failing");
    assert!(
        report
            .verdict
            .consequences
            .iter()
            .any(|id| id == "tls-handshake-failed")
    );
    let change = report.changes.first().unwrap();
    assert!(change.what.contains("KB5018419"), "{}", change.what);
    assert!(change.in_bracket);
}

#[test]
fn an_update_that_cannot_have_done_it() {
    for (at, failure, revision) in [
        // People worked for days with it.
        ("2026-11-08T12:00:00Z", TlsFailure::IllegalMessage, 3532),
        // Attempts die otherwise.
        ("2026-11-11T21:40:00Z", TlsFailure::NoCommonSuite, 3532),
        // Its cure is there.
        ("2026-11-11T21:40:00Z", TlsFailure::IllegalMessage, 3534),
    ] {
        let report = updated(at, failure, revision);
        assert_eq!(
            level(&report, "update-regression"),
            Level::RuledOut,
            "{at} {failure:?} {revision}"
        );
    }
}

#[test]
fn ports_that_ran_out() {
    for windows in &Windows::WITH_RDP_CORE_TS {
        let mut machine = machine(*windows);
        machine.ports_run_out(at("2026-11-12T07:56:00Z"), 4231);
        try_in_vain(&mut machine, |machine, index, client| {
            machine.dies_in_tls(on_the_twelfth(index), client, TlsFailure::NoCredential);
        });
        let report = report(&collected(&mut machine, "2026-11-12T09:10:00Z"));
        assert_eq!(
            says(&report),
            "confirmed resource-exhaustion failing",
            "{windows:?}"
        );
    }
}

#[test]
fn ports_that_ran_out_while_people_work() {
    let mut machine = machine(Windows::Server2016);
    machine.ports_run_out(at("2026-11-11T11:50:00Z"), 4227);
    let report = report(&collected(&mut machine, "2026-11-11T12:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
}

/// A Session Host, or not, whose people authenticate and get no session.
fn without_session(windows: Windows, session_host: bool, logged: &[u16]) -> Report {
    let mut machine = machine(windows);
    let key = format!(r"{CONTROL_SET}\Control\Terminal Server");
    machine
        .system
        .set_dword(&key, "TSAppCompat", u32::from(session_host));
    for id in logged {
        machine.admin_event(at("2026-11-12T07:59:00Z"), *id);
    }
    try_in_vain(&mut machine, |machine, index, client| {
        machine.gets_no_session(on_the_twelfth(index), client, "anna");
    });
    report(&collected(&mut machine, "2026-11-12T09:10:00Z"))
}

#[test]
fn a_grace_period_that_is_over() {
    for windows in &Windows::SERVERS {
        let report = without_session(*windows, true, &[1069]);
        assert_eq!(
            says(&report),
            "confirmed licensing-grace-expired failing",
            "{windows:?}"
        );
    }
}

#[test]
fn no_licences_are_needed_without_the_role_or_inside_the_grace_period() {
    for (session_host, logged) in [(false, 1069), (true, 1068)] {
        let report = without_session(Windows::Server2019, session_host, &[logged]);
        assert_eq!(level(&report, "licensing-grace-expired"), Level::RuledOut);
        assert_eq!(report.verdict.cause, None, "{}", says(&report));
    }
}

#[test]
fn a_licensing_certificate_of_zeros() {
    for (reported, expected) in [(true, Level::Confirmed), (false, Level::RuledOut)] {
        let mut machine = machine(Windows::Server2012R2);
        let key = format!(r"{CONTROL_SET}\Control\Terminal Server\RCM");
        machine
            .system
            .set_binary(&key, "X509 Certificate", &[0; 512])
            .set_binary(&key, "Certificate", &[])
            .touch(&key, at("2026-11-11T20:00:00Z"));
        if reported {
            machine.manager_event(at("2026-11-12T08:00:05Z"), 1004);
        }
        try_in_vain(&mut machine, |machine, index, client| {
            machine.gets_no_session(on_the_twelfth(index), client, "anna");
        });
        let report = report(&collected(&mut machine, "2026-11-12T09:10:00Z"));
        assert_eq!(level(&report, "licensing-certificate-corrupt"), expected);
    }
}

#[test]
fn two_sessions_allowed_and_the_third_refused() {
    for (limit, expected) in [(2, Level::Confirmed), (u32::MAX, Level::RuledOut)] {
        let mut machine = machine(Windows::Server2019);
        machine
            .system
            .set_dword(LISTENER, "MaxInstanceCount", limit)
            .touch(LISTENER, at("2026-11-07T20:00:00Z"));
        machine.session_ends(
            at("2026-11-11T13:00:00Z"),
            CHIARA,
            "chiara",
            minutes(30),
            11,
        );
        machine.gets_in(at("2026-11-12T07:30:00Z"), ANNA, "anna");
        machine.gets_in(at("2026-11-12T07:31:00Z"), BERTIL, "bertil");
        for index in 0..5 {
            machine.gets_no_session(on_the_twelfth(index), CHIARA, "chiara");
        }
        let report = report(&collected(&mut machine, "2026-11-12T09:10:00Z"));
        assert_eq!(level(&report, "session-limit-reached"), expected, "{limit}");
    }
}

#[test]
fn a_limit_of_time_is_no_drop() {
    let mut machine = machine(Windows::Server2022);
    let policy = r"Policies\Microsoft\Windows NT\Terminal Services";
    machine.software.set_dword(policy, "MaxIdleTime", 1_800_000);
    for index in 0..3 {
        let time = at("2026-11-12T08:00:00Z") + minutes(index * 50);
        machine.session_ends(time, ANNA, "anna", minutes(40), 3);
    }
    let report = report(&collected(&mut machine, "2026-11-12T12:00:00Z"));
    assert_eq!(says(&report), "healthy - succeeding");
    assert_eq!(role(&report, "session-time-limit"), Role::Contributing);
    assert_eq!(level(&report, "path-drop"), Level::RuledOut);
}

#[test]
fn a_side_channel_that_takes_the_session_with_it() {
    for (lasts, expected) in [
        (minutes(2), Level::Confirmed),
        (minutes(90), Level::RuledOut),
    ] {
        let mut machine = machine(Windows::Server2016);
        for index in 0..3 {
            let time = at("2026-11-12T08:00:00Z") + (lasts + seconds(40)) * index;
            machine.session_breaks(time, ANNA, "anna", lasts, 10054);
            machine.side_channel_fails(time + seconds(65));
        }
        let report = report(&collected(&mut machine, "2026-11-12T14:00:00Z"));
        assert_eq!(level(&report, "udp-transport-failing"), expected);
    }
}

#[test]
fn a_broker_that_is_not_ready() {
    let mut machine = machine(Windows::Server2022);
    try_in_vain(&mut machine, |machine, index, client| {
        machine.gets_no_session(on_the_twelfth(index), client, "anna");
        machine.broker_fails(on_the_twelfth(index) + seconds(4), 1296);
    });
    let broken = report(&collected(&mut machine, "2026-11-12T09:10:00Z"));
    assert_eq!(says(&broken), "confirmed broker-redirect-failing failing");
    let ended = broken
        .facts
        .iter()
        .rfind(|fact| fact.kind == "connection.attempt")
        .map(|fact| fact.fields["ended"].clone());
    assert_eq!(ended, Some("broker".into()));

    let mut machine = self::machine(Windows::Server2022);
    machine.broker_fails(at("2026-11-11T08:20:00Z"), 1306);
    let healthy = report(&collected(&mut machine, "2026-11-11T12:00:00Z"));
    assert_eq!(says(&healthy), "healthy - succeeding");
}

#[test]
fn an_attempt_is_one_row() {
    let mut machine = machine(Windows::Server2022);
    machine.session_breaks(at("2026-11-12T08:00:00Z"), ANNA, "anna", minutes(3), 10060);
    machine.side_channel_fails(at("2026-11-12T08:02:00Z"));
    let report = report(&collected(&mut machine, "2026-11-12T09:00:00Z"));
    let attempt = report
        .facts
        .iter()
        .rfind(|fact| fact.kind == "connection.attempt")
        .unwrap();
    assert_eq!(attempt.fields["client"], ANNA);
    assert_eq!(attempt.fields["transport"], "tcp+udp");
    assert_eq!(attempt.fields["reached"], "session");
    assert!(attempt.fields["session"].is_number());
    let state = report
        .facts
        .iter()
        .find(|fact| fact.kind == "connection.state")
        .unwrap();
    assert!(state.fields["unseen"].is_null());
}

#[test]
fn stages_that_no_log_shows_are_named() {
    let mut machine = machine(Windows::Server2022);
    let mut files = collected(&mut machine, "2026-11-11T13:00:00Z");
    files.retain(|name, _| !name.contains("LocalSessionManager") && !name.contains("RdpCoreTS"));
    let report = report(&files);
    let state = report
        .facts
        .iter()
        .find(|fact| fact.kind == "connection.state")
        .unwrap();
    assert_eq!(state.fields["unseen"], "tls, session");
}
