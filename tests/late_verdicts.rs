//! Verdicts that were wrong or missed once, each on the machine that showed it: what stands in the hive and is not in effect yet,
//! what has ended and is served all the same, whose the noise beside a fault is.

mod support;

use std::collections::BTreeMap;

use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Finding, Level, Report, Role};
use rdptriage::{Options, diagnose};
use support::machine::{Channel, LISTENER, Machine, TlsFailure, Windows, at, minutes};

type Files = BTreeMap<String, Vec<u8>>;

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

fn report(files: &Files) -> Report {
    let folder = tempfile::tempdir().unwrap();
    Machine::collect(folder.path(), files).unwrap();
    let rules = RuleSet::builtin().unwrap();
    let mut reports = diagnose(&[folder.path().to_owned()], &rules, &Options::default()).unwrap();
    assert_eq!(reports.len(), 1);
    reports.remove(0)
}

fn says(report: &Report) -> String {
    let cause = report.verdict.cause.as_deref().unwrap_or("-");
    let (status, state) = (report.verdict.status, &report.verdict.state);
    format!("{status:?} {cause} {state}").to_lowercase()
}

fn finding<'a>(report: &'a Report, cause: &str) -> &'a Finding {
    let mut findings = report.findings.iter();
    findings.find(|finding| finding.cause == cause).unwrap()
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
