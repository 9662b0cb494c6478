//! The samples under `samples/`: what each machine went through, and which of its files were collected.

mod clients;
mod keys;
mod logons;
mod services;
mod sessions;
mod tickets;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::machine::{
    CONTROL_SET, Channel, Machine, PROTOCOLS, SUITE_POLICY, TlsFailure, Windows, at, minutes,
};

/// One sample: its folder's name and the files in `collected`.
pub struct Sample {
    pub name: &'static str,
    pub files: BTreeMap<String, Vec<u8>>,
}

const FUNNEL: &[Channel] = &[
    Channel::System,
    Channel::RdpCoreTs,
    Channel::RemoteConnectionManager,
    Channel::LocalSessionManager,
];

const PEOPLE: &[(&str, &str)] = &[
    ("10.20.4.17", "anna"),
    ("10.20.4.31", "bertil"),
    ("10.20.7.102", "chiara"),
];

/// Addresses kept for documentation (RFC 5737): the machine's strangers.
const STRANGERS: &[&str] = &["203.0.113.9", "203.0.113.77", "198.51.100.4", "192.0.2.200"];

/// The machines of this file, each by what forges it.
pub const EACH: &[fn() -> Sample] = &[
    healthy_under_scan,
    cipher_mismatch,
    certificate_expired,
    machine_keys,
    session_env_disabled,
    ecdsa_only_policy,
    policy_of_another_generation,
    protocols_off,
    service_disabled,
    evidence_missing,
];

/// Forges them all.
pub fn forge_all() -> Vec<Sample> {
    let mut samples: Vec<Sample> = EACH.iter().map(|forge| forge()).collect();
    samples.extend(keys::forge());
    samples.extend(services::forge());
    samples.extend(logons::forge());
    samples.extend(sessions::forge());
    samples.extend(clients::forge());
    samples.extend(tickets::forge());
    samples
}

/// People come and go on every working day until `end`.
fn working_days(machine: &mut Machine, first: Timestamp, end: Timestamp) {
    let mut morning = first;
    while morning < end {
        for (index, (client, user)) in PEOPLE.iter().enumerate() {
            let offset = i64::try_from(index).unwrap_or_default() * 17;
            for hour in [0, 240] {
                let start = morning + minutes(offset + hour);
                if start + minutes(200) < end {
                    machine.gets_in(start, client, user);
                    machine.leaves(start + minutes(190), client, user);
                }
            }
        }
        morning += minutes(24 * 60);
    }
}

/// The same three people try again and again, and TLS ends each attempt.
fn locked_out(machine: &mut Machine, from: Timestamp, end: Timestamp, failure: TlsFailure) {
    let mut time = from;
    let mut turn = 0;
    while time < end {
        let (client, _) = PEOPLE[turn % PEOPLE.len()];
        machine.dies_in_tls(time, client, failure);
        turn += 1;
        time += minutes(7);
    }
}

fn with_hives(
    machine: &Machine,
    mut files: BTreeMap<String, Vec<u8>>,
) -> BTreeMap<String, Vec<u8>> {
    files.insert("config/SYSTEM".into(), machine.system.to_bytes());
    files.insert("config/SOFTWARE".into(), machine.software.to_bytes());
    files
}

/// What most tickets have: the System log, SYSTEM, and the certificate as certlm.msc exports it.
fn ticket(machine: &Machine) -> BTreeMap<String, Vec<u8>> {
    let mut files = machine.logs(&[Channel::System]);
    files.insert("SYSTEM".into(), machine.system.to_bytes());
    if let Some(certificate) = &machine.certificate {
        files.insert("rdp.cer".into(), certificate.der());
    }
    files
}

fn healthy_under_scan() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-GW07",
        Windows::Server2022,
        at("2026-09-01T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine
        .boots(at("2026-11-09T03:00:00Z"))
        .listener_starts(at("2026-11-09T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-09T07:30:00Z"),
        at("2026-11-13T17:00:00Z"),
    );
    let mut time = at("2026-11-09T03:10:00Z");
    let mut turn = 0;
    while time < at("2026-11-13T16:55:00Z") {
        let stranger = STRANGERS[turn % STRANGERS.len()];
        match turn % 5 {
            0 => machine.is_probed(time, stranger),
            1 => machine.dies_in_tls(time, stranger, TlsFailure::NoCommonSuite),
            _ => machine.mistypes(time, stranger),
        };
        if turn % 9 == 0 {
            machine.schannel_noise(time + minutes(3));
        }
        turn += 1;
        time += minutes(47);
    }
    // Anna mistypes once and gets in.
    machine.mistypes(at("2026-11-13T07:28:00Z"), PEOPLE[0].0);
    machine.written(at("2026-11-13T17:00:00Z"));
    Sample {
        name: "healthy-under-scan",
        files: with_hives(&machine, machine.logs(FUNNEL)),
    }
}

fn cipher_mismatch() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-TS01",
        Windows::Server2022,
        at("2026-06-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-08-20T06:10:00Z"));
    let list = format!(r"{CONTROL_SET}\Control\Cryptography\Configuration\Local\SSL\00010002");
    machine
        .system
        .set_multi_sz(
            &list,
            "Functions",
            &[
                "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
                "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            ],
        )
        .touch(&list, at("2026-11-16T20:15:00Z"));
    machine.boots(at("2026-11-16T21:00:00Z"));
    let mut time = at("2026-11-17T06:58:00Z");
    while time < at("2026-11-17T09:40:00Z") {
        machine.schannel_failure(time, TlsFailure::NoCommonSuite);
        time += minutes(9);
    }
    machine.schannel_noise(at("2026-11-17T08:00:00Z"));
    machine.written(at("2026-11-17T09:45:00Z"));
    Sample {
        name: "cipher-mismatch",
        files: ticket(&machine),
    }
}

fn certificate_expired() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-TS02",
        Windows::Server2019,
        at("2026-03-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-05-11T08:00:00Z")); // ends 2026-11-09
    machine.boots(at("2026-11-05T03:00:00Z"));
    for day in 10..=17 {
        machine.renewal_fails(
            at(&format!("2026-11-{day}T04:12:00Z")),
            1058,
            "Access is denied.",
        );
    }
    machine.schannel_noise(at("2026-11-16T08:00:00Z"));
    machine.written(at("2026-11-17T09:45:00Z"));
    Sample {
        name: "certificate-expired",
        files: ticket(&machine),
    }
}

fn machine_keys() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-TS03",
        Windows::Server2022,
        at("2026-06-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine.boots(at("2026-11-16T21:00:00Z"));
    machine.renewal_fails(
        at("2026-11-16T21:01:30Z"),
        1057,
        "Der Schlüsselsatz ist nicht vorhanden.",
    );
    let mut time = at("2026-11-17T06:58:00Z");
    while time < at("2026-11-17T09:40:00Z") {
        machine.schannel_failure(time, TlsFailure::KeyUnusable);
        time += minutes(8);
    }
    machine.written(at("2026-11-17T09:45:00Z"));
    Sample {
        name: "machine-keys",
        files: ticket(&machine),
    }
}

fn session_env_disabled() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-TS04",
        Windows::Server2022,
        at("2026-02-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-05-16T11:30:00Z")); // ends 2026-11-14T11:30
    let service = format!(r"{CONTROL_SET}\Services\SessionEnv");
    machine
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-11-02T15:20:00Z"));
    machine
        .boots(at("2026-10-30T03:00:00Z"))
        .listener_starts(at("2026-10-30T03:00:40Z"));
    machine.start_type_changes(
        at("2026-11-02T15:20:00Z"),
        "Remote Desktop Configuration",
        "SessionEnv",
        "demand start",
        "disabled",
    );
    machine
        .boots(at("2026-11-08T03:00:00Z"))
        .listener_starts(at("2026-11-08T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-09T07:30:00Z"),
        at("2026-11-14T11:20:00Z"),
    );
    locked_out(
        &mut machine,
        at("2026-11-14T11:41:00Z"),
        at("2026-11-14T16:00:00Z"),
        TlsFailure::CertificateRefused,
    );
    machine.written(at("2026-11-14T16:05:00Z"));
    Sample {
        name: "sessionenv-disabled",
        files: with_hives(&machine, machine.logs(FUNNEL)),
    }
}

fn suite_policy(name: &'static str, host: &'static str, windows: Windows, list: &str) -> Sample {
    let mut machine = Machine::new(host, windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .software
        .set_sz(SUITE_POLICY, "Functions", list)
        .touch(SUITE_POLICY, at("2026-11-12T18:04:00Z"));
    machine
        .boots(at("2026-10-30T03:00:00Z"))
        .listener_starts(at("2026-10-30T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-09T07:30:00Z"),
        at("2026-11-12T18:00:00Z"),
    );
    machine
        .boots(at("2026-11-12T22:00:00Z"))
        .listener_starts(at("2026-11-12T22:00:40Z"));
    locked_out(
        &mut machine,
        at("2026-11-13T06:52:00Z"),
        at("2026-11-13T10:30:00Z"),
        TlsFailure::NoCommonSuite,
    );
    machine.schannel_noise(at("2026-11-13T08:00:00Z"));
    machine.written(at("2026-11-13T10:35:00Z"));
    Sample {
        name,
        files: with_hives(&machine, machine.logs(FUNNEL)),
    }
}

fn ecdsa_only_policy() -> Sample {
    suite_policy(
        "ecdsa-only-policy",
        "CONTOSO-TS05",
        Windows::Server2019,
        "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
    )
}

fn policy_of_another_generation() -> Sample {
    suite_policy(
        "policy-of-another-generation",
        "CONTOSO-TS06",
        Windows::Server2012R2,
        "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,\
         TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA384,TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256",
    )
}

fn protocols_off() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-TS08",
        Windows::Server2016,
        at("2026-06-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    let written = at("2026-11-12T18:04:00Z");
    for version in ["SSL 3.0", "TLS 1.0", "TLS 1.1", "TLS 1.2"] {
        let key = format!(r"{PROTOCOLS}\{version}\Server");
        machine
            .system
            .set_dword(&key, "Enabled", 0)
            .set_dword(&key, "DisabledByDefault", 1)
            .touch(&key, written);
    }
    machine
        .boots(at("2026-10-30T03:00:00Z"))
        .listener_starts(at("2026-10-30T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-09T07:30:00Z"),
        at("2026-11-12T18:00:00Z"),
    );
    machine
        .boots(at("2026-11-12T22:00:00Z"))
        .listener_starts(at("2026-11-12T22:00:40Z"));
    locked_out(
        &mut machine,
        at("2026-11-13T06:52:00Z"),
        at("2026-11-13T10:30:00Z"),
        TlsFailure::NoCredential,
    );
    machine.written(at("2026-11-13T10:35:00Z"));
    Sample {
        name: "protocols-off",
        files: with_hives(&machine, machine.logs(FUNNEL)),
    }
}

fn service_disabled() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-TS09",
        Windows::Server2022,
        at("2026-06-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    let service = format!(r"{CONTROL_SET}\Services\TermService");
    machine
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-11-12T18:04:00Z"));
    machine
        .boots(at("2026-10-30T03:00:00Z"))
        .listener_starts(at("2026-10-30T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-09T07:30:00Z"),
        at("2026-11-12T18:00:00Z"),
    );
    machine.start_type_changes(
        at("2026-11-12T18:04:00Z"),
        "Remote Desktop Services",
        "TermService",
        "demand start",
        "disabled",
    );
    machine.boots(at("2026-11-12T22:00:00Z"));
    machine.service_state(at("2026-11-12T22:01:00Z"), "Windows Update", "running");
    machine.service_state(at("2026-11-14T10:30:00Z"), "Windows Update", "stopped");
    machine.written(at("2026-11-14T10:35:00Z"));
    Sample {
        name: "service-disabled",
        files: with_hives(&machine, machine.logs(FUNNEL)),
    }
}

fn evidence_missing() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-TS10",
        Windows::Server2019,
        at("2026-06-02T06:00:00Z"),
    );
    machine
        .boots(at("2026-10-30T03:00:00Z"))
        .listener_starts(at("2026-10-30T03:00:40Z"));
    working_days(
        &mut machine,
        at("2026-11-09T07:30:00Z"),
        at("2026-11-12T18:00:00Z"),
    );
    locked_out(
        &mut machine,
        at("2026-11-13T06:52:00Z"),
        at("2026-11-13T10:30:00Z"),
        TlsFailure::KeyUnusable,
    );
    Sample {
        name: "evidence-missing",
        files: machine.logs(&[
            Channel::RemoteConnectionManager,
            Channel::LocalSessionManager,
        ]),
    }
}
