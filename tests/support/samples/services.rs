//! Samples of what stands before the listener: the firewall, IPsec, another program on its port.

use super::super::machine::{
    CONTROL_SET, Channel, FIREWALL_POLICY, LISTENER, Machine, Windows, at, minutes, seconds,
};
use super::{FUNNEL, Sample, with_hives, working_days};

/// Forges them all.
pub fn forge() -> Vec<Sample> {
    vec![
        firewall_without_merge(),
        port_moved(),
        port_conflict(),
        domain_isolation_healthy(),
    ]
}

/// A machine that people used on two days, its firewall as Windows ships it, in its domain's network.
fn used(name: &'static str, windows: Windows) -> Machine {
    let mut machine = Machine::new(name, windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .firewall(true, at("2026-06-02T06:30:00Z"))
        .boots(at("2026-10-30T03:00:00Z"))
        .joins_network(at("2026-10-30T03:00:20Z"), 2)
        .listener_starts(at("2026-10-30T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-11T07:30:00Z"),
        at("2026-11-12T18:00:00Z"),
    );
    machine
}

/// Nobody comes any more, while Windows goes on.
fn silent(mut machine: Machine, name: &'static str) -> Sample {
    machine.service_state(at("2026-11-14T10:30:00Z"), "Windows Update", "stopped");
    machine.written(at("2026-11-14T10:35:00Z"));
    let channels = [FUNNEL, &[Channel::NetworkProfile]].concat();
    Sample {
        name,
        files: with_hives(&machine, machine.logs(&channels)),
    }
}

fn firewall_without_merge() -> Sample {
    let mut machine = used("CONTOSO-FW01", Windows::Server2019);
    let key = format!(r"{FIREWALL_POLICY}\DomainProfile");
    machine
        .software
        .set_dword(&key, "EnableFirewall", 1)
        .set_dword(&key, "DefaultInboundAction", 1)
        .set_dword(&key, "AllowLocalPolicyMerge", 0)
        .touch(&key, at("2026-11-12T21:14:00Z"));
    let rules = format!(r"{FIREWALL_POLICY}\FirewallRules");
    machine
        .software
        .set_sz(
            &rules,
            "{3D7C2B1A-52B0-4F0C-8A37-9E51D0C4B6F2}",
            "v2.31|Action=Allow|Active=TRUE|Dir=In|Protocol=6|Profile=Domain|LPort=5985|Name=Management|",
        )
        .touch(&rules, at("2026-11-12T21:14:00Z"));
    silent(machine, "firewall-policy-without-merge")
}

fn port_moved() -> Sample {
    let mut machine = used("CONTOSO-FW02", Windows::Server2025);
    machine
        .system
        .set_dword(LISTENER, "PortNumber", 33890)
        .touch(LISTENER, at("2026-11-12T20:02:00Z"));
    machine
        .boots(at("2026-11-12T20:10:00Z"))
        .joins_network(at("2026-11-12T20:10:20Z"), 2)
        .listener_starts(at("2026-11-12T20:10:40Z"));
    silent(machine, "port-moved")
}

fn port_conflict() -> Sample {
    let mut machine = used("CONTOSO-FW03", Windows::Server2016);
    machine
        .boots(at("2026-11-12T22:00:00Z"))
        .joins_network(at("2026-11-12T22:00:20Z"), 2)
        .listener_fails(at("2026-11-12T22:00:50Z"), 1035, "0x2740.")
        .listener_fails(at("2026-11-12T22:00:50Z"), 1036, "0x2740.");
    let other = format!(r"{CONTROL_SET}\Services\RelayAgent");
    machine
        .system
        .set_dword(&other, "Start", 2)
        .touch(&other, at("2026-11-12T19:41:00Z"));
    silent(machine, "port-conflict")
}

/// The domain asks IPsec of everything that comes in; its own machines bring it.
fn domain_isolation_healthy() -> Sample {
    let mut machine = used("CONTOSO-FW04", Windows::Server2022);
    let key = format!(r"{FIREWALL_POLICY}\ConSecRules");
    machine
        .software
        .set_sz(
            &key,
            "{15016A5E-6E4B-4A55-9B8B-0E2F6C1D7A90}",
            "v2.31|Action=SecureServer|Name=Isolation|Desc=|Active=TRUE|Auth1Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE3}|Crypto2Set={E5A5D32A-4BCE-4e4d-B07F-4AB1BA7E5FE2}|",
        )
        .touch(&key, at("2026-08-03T05:00:00Z"));
    let end = at("2026-11-12T17:00:00Z");
    machine.is_probed(end - minutes(90), "203.0.113.9");
    machine.mistypes(end - minutes(80) + seconds(9), "198.51.100.4");
    machine.written(end + minutes(70));
    let channels = [FUNNEL, &[Channel::NetworkProfile]].concat();
    Sample {
        name: "domain-isolation-healthy",
        files: with_hives(&machine, machine.logs(&channels)),
    }
}
