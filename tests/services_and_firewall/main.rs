//! Services, the listener and what stands before it: broken machines, and healthy ones that look like them.

mod firewall;
mod services;
#[path = "../support/mod.rs"]
mod support;

use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Level, Problem, Report, Role, Status};
use rdptriage::{Options, diagnose};
use support::machine::keys::{HEALTHY_KEY, saved};
use support::machine::{
    CONTROL_SET, Channel, FIREWALL, FIREWALL_POLICY, LISTENER, Machine, TlsFailure, Windows, at,
    minutes, seconds, shipped_rule,
};
use support::verdict::{Files, finding, level, report, says};

const ANNA: &str = "10.20.4.17";
const BERTIL: &str = "10.20.4.31";
/// People worked until the evening of the 11th; the collection ends on the 14th.
const FIRST_DAY: &str = "2026-11-09T08:00:00Z";
const CHANGED: &str = "2026-11-11T19:00:00Z";
const END: &str = "2026-11-14T13:00:00Z";

/// A machine with its firewall as Windows ships it and Remote Desktop switched on, in a domain's network.
fn machine(windows: Windows) -> Machine {
    let mut machine = Machine::new("FABRIKAM-RD3", windows, at("2026-05-04T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine
        .firewall(true, at("2026-05-04T06:00:00Z"))
        .boots(at("2026-11-01T03:00:00Z"))
        .listener_starts(at("2026-11-01T03:00:40Z"))
        .joins_network(at("2026-11-01T03:00:20Z"), 2);
    machine
}

/// Two people, some days long.
fn people(machine: &mut Machine, days: i64) {
    for day in 0..days {
        for (offset, client, user) in [
            (0, ANNA, "anna"),
            (25, BERTIL, "bertil"),
            (250, ANNA, "anna"),
        ] {
            let time = at(FIRST_DAY) + minutes(day * 1440 + offset);
            machine.gets_in(time, client, user);
            machine.leaves(time + minutes(200), client, user);
        }
    }
}

/// Windows goes on after people stopped coming: something of the System log up to the end.
fn lives_on(machine: &mut Machine) {
    machine.service_state(at(END) - minutes(5), "Windows Update", "stopped");
}

const LOGS: &[Channel] = &[
    Channel::System,
    Channel::Application,
    Channel::NetworkProfile,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
];

fn all(machine: &mut Machine) -> Files {
    machine.written(at(END));
    machine.logs_and_hives(LOGS)
}

fn hives(machine: &mut Machine) -> Files {
    machine.written(at(END));
    let mut files = Files::new();
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    files.insert("SOFTWARE".into(), machine.software.to_bytes());
    files
}

/// A machine of people who come until CHANGED, changed as `change` does.
fn silent_after(windows: Windows, change: impl FnOnce(&mut Machine)) -> Report {
    let mut machine = machine(windows);
    people(&mut machine, 3);
    change(&mut machine);
    lives_on(&mut machine);
    report(&all(&mut machine))
}

/// The same, and people go on coming.
fn people_go_on(windows: Windows, change: impl FnOnce(&mut Machine)) -> Report {
    let mut machine = machine(windows);
    people(&mut machine, 6);
    change(&mut machine);
    report(&all(&mut machine))
}
