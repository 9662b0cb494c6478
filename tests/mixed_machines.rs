//! Whole machines with several things going on at once: an exposed server's noise, other roles and editions, and collections that
//! lack some of the evidence. What broke is the verdict, what belongs to every machine is not.

mod support;

use rdptriage::verdict::model::Level;
use support::machine::{CONTROL_SET, Channel, Machine, Refused, TlsFailure, Windows, at, minutes};
use support::verdict::{Files, level, report, says};

const ANNA: &str = "10.20.4.17";
const BERTIL: &str = "10.20.4.31";
const VERSION: &str = r"Microsoft\Windows NT\CurrentVersion";
const LOGS: [Channel; 9] = [
    Channel::System,
    Channel::Application,
    Channel::Security,
    Channel::NetworkProfile,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
    Channel::RemoteConnectionManagerAdmin,
    Channel::SessionBrokerClient,
];

/// A server on the Internet on which two people work from the ninth to the eleventh of November, with all that strangers and
/// unrelated services log there.
fn exposed(windows: Windows) -> Machine {
    let mut machine = Machine::new("FABRIKAM-RD6", windows, at("2026-05-04T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine.firewall(true, at("2026-05-04T06:00:00Z"));
    machine
        .boots(at("2026-11-08T03:00:00Z"))
        .joins_network(at("2026-11-08T03:00:20Z"), 2)
        .listener_starts(at("2026-11-08T03:00:40Z"));
    machine.admin_event(at("2026-11-08T03:00:40Z"), 1141);
    machine.broker_joined(at("2026-11-08T03:01:00Z"));
    machine.domain_lost(at("2026-11-08T03:00:15Z"));
    machine.service_fails(at("2026-11-08T03:02:00Z"), 7000, "Contoso Backup", "%%1053");
    machine.service_fails(at("2026-11-10T12:00:00Z"), 7034, "Print Spooler", "1");
    days(&mut machine, 9, 3);
    machine
}

/// People's days, from that day of November.
fn days(machine: &mut Machine, first: i64, count: i64) {
    for day in 0..count {
        let morning = at("2026-11-01T08:00:00Z") + minutes((first - 1 + day) * 1440);
        for (offset, client, user) in [(0, ANNA, "anna"), (25, BERTIL, "bertil")] {
            let time = morning + minutes(offset);
            machine.logs_on(time, client, user);
            machine.leaves(time + minutes(200), client, user);
        }
    }
}

/// What strangers do all day, from that time on.
fn noise(machine: &mut Machine, first: &str, times: i64) {
    for index in 0..times {
        let time = at(first) + minutes(index * 6);
        let stranger = format!("203.0.113.{}", 1 + index % 40);
        match index % 6 {
            0 => machine.is_probed(time, &stranger),
            1 => machine.dies_in_tls(time, &stranger, TlsFailure::NoCommonSuite),
            2 => machine.admin_event(time, 1006),
            3 => machine.stops(time, &stranger),
            4 => machine.is_refused(time, &stranger, "administrator", Refused::Password),
            _ => machine.is_refused(time, &stranger, "admin", Refused::NoSuchUser),
        };
    }
}

fn morning(index: i64) -> jiff::Timestamp {
    at("2026-11-12T08:00:00Z") + minutes(index * 5)
}

/// Anna and Bertil try in turn, twelve times in an hour.
fn try_in_vain(
    machine: &mut Machine,
    mut attempt: impl FnMut(&mut Machine, jiff::Timestamp, &str, &str),
) {
    for index in 0..12 {
        let (client, user) = [(ANNA, "anna"), (BERTIL, "bertil")][usize::from(index % 2 == 1)];
        attempt(machine, morning(index), client, user);
    }
}

fn all(machine: &mut Machine, end: &str) -> Files {
    machine.service_state(at(end), "Windows Update", "stopped");
    machine.written(at(end));
    let mut files = machine.logs(&LOGS);
    files.retain(|name, _| machine.windows.has_rdp_core_ts() || !name.contains("RdpCoreTS"));
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    files.insert("SOFTWARE".into(), machine.software.to_bytes());
    files
}

const MORNING_END: &str = "2026-11-12T09:10:00Z";

/// What is collected of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Collected {
    Everything,
    WithoutSecurity,
    WithoutSoftware,
    WithoutSystem,
    Logs,
    SecurityAlone,
    SystemHiveAlone,
}

const COLLECTIONS: [Collected; 7] = [
    Collected::Everything,
    Collected::WithoutSecurity,
    Collected::WithoutSoftware,
    Collected::WithoutSystem,
    Collected::Logs,
    Collected::SecurityAlone,
    Collected::SystemHiveAlone,
];

fn part(files: &Files, collected: Collected) -> Files {
    let kept = |name: &str| match collected {
        Collected::Everything => true,
        Collected::WithoutSecurity => name != "Security.evtx",
        Collected::WithoutSoftware => name != "SOFTWARE",
        Collected::WithoutSystem => name != "SYSTEM",
        Collected::Logs => name.ends_with(".evtx"),
        Collected::SecurityAlone => name == "Security.evtx",
        Collected::SystemHiveAlone => name == "SYSTEM",
    };
    files
        .iter()
        .filter(|(name, _)| kept(name))
        .map(|(name, bytes)| (name.clone(), bytes.clone()))
        .collect()
}

const REASONS: [Refused; 5] = [
    Refused::Password,
    Refused::PasswordExpired,
    Refused::NoLogonServers,
    Refused::NtlmBlocked,
    Refused::Locked,
];

#[test]
fn strangers_who_are_turned_away_do_not_make_a_wrong_password_a_flood() {
    for windows in Windows::SERVERS {
        for why in REASONS {
            let mut machine = exposed(windows);
            noise(&mut machine, "2026-11-11T00:00:00Z", 330);
            try_in_vain(&mut machine, |machine, time, client, user| {
                machine.is_refused(time, client, user, why);
            });
            let report = report(&all(&mut machine, MORNING_END));
            let flood = level(&report, "connection-flood");
            assert_eq!(
                flood,
                Level::RuledOut,
                "{windows:?} {why:?}: {}",
                says(&report)
            );
            let expected = match why {
                Refused::NoLogonServers => "nla-domain-unreachable",
                Refused::NtlmBlocked => "ntlm-blocked",
                Refused::Locked => continue,
                _ => "credentials-rejected",
            };
            let cause = report.verdict.cause.as_deref();
            assert_eq!(cause, Some(expected), "{windows:?} {why:?}");
            assert!(report.verdict.also.is_empty(), "{:?}", report.verdict.also);
        }
    }
}

#[test]
fn nor_a_missing_licence_nor_a_key_that_cannot_be_used() {
    for windows in Windows::SERVERS {
        let mut machine = exposed(windows);
        noise(&mut machine, "2026-11-11T00:00:00Z", 330);
        let key = format!(r"{CONTROL_SET}\Control\Terminal Server");
        machine.system.set_dword(&key, "TSAppCompat", 1);
        machine.admin_event(at("2026-11-12T07:59:00Z"), 1069);
        try_in_vain(&mut machine, |machine, time, client, user| {
            machine.gets_no_session(time, client, user);
        });
        let report = report(&all(&mut machine, MORNING_END));
        assert_eq!(
            says(&report),
            "confirmed licensing-grace-expired failing",
            "{windows:?}"
        );
        assert!(report.verdict.also.is_empty(), "{:?}", report.verdict.also);
    }
    let mut machine = exposed(Windows::Server2022);
    noise(&mut machine, "2026-11-11T00:00:00Z", 330);
    try_in_vain(&mut machine, |machine, time, client, _| {
        machine.dies_in_tls(time, client, TlsFailure::KeyUnusable);
    });
    let report = report(&all(&mut machine, MORNING_END));
    assert_eq!(says(&report), "confirmed key-unusable failing");
    assert_eq!(level(&report, "connection-flood"), Level::RuledOut);
}

#[test]
fn an_exposed_server_that_people_work_on_is_healthy_whatever_was_collected() {
    for windows in Windows::SERVERS {
        let mut machine = exposed(windows);
        noise(&mut machine, "2026-11-11T00:00:00Z", 300);
        days(&mut machine, 12, 1);
        let files = all(&mut machine, "2026-11-12T13:00:00Z");
        for collected in COLLECTIONS {
            let report = report(&part(&files, collected));
            assert_eq!(
                report.verdict.cause,
                None,
                "{windows:?} {collected:?}: {}",
                says(&report)
            );
        }
    }
}

#[test]
fn a_client_on_which_remote_desktop_was_never_on() {
    let mut machine = Machine::new("LAPTOP-9", Windows::Server2019, at("2026-05-04T06:00:00Z"));
    machine
        .software
        .set_sz(VERSION, "InstallationType", "Client")
        .set_sz(VERSION, "EditionID", "Professional")
        .set_sz(VERSION, "ProductName", "Windows 10 Pro");
    let product = format!(r"{CONTROL_SET}\Control\ProductOptions");
    let switch = format!(r"{CONTROL_SET}\Control\Terminal Server");
    machine.system.set_sz(&product, "ProductType", "WinNT");
    machine.system.set_dword(&switch, "fDenyTSConnections", 1);
    machine
        .firewall(false, at("2026-05-04T06:00:00Z"))
        .boots(at("2026-11-08T03:00:00Z"))
        .joins_network(at("2026-11-08T03:00:20Z"), 0);
    let report = report(&all(&mut machine, "2026-11-14T13:00:00Z"));
    assert_eq!(says(&report), "likely rdp-disabled unseen");
    assert_eq!(report.verdict.latent, ["firewall-blocks-rdp"]);
}
