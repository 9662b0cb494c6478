//! Healthy machines whose logs are full of what rules of licensing and of updates ask for, each in the one zip of its ticket.

use std::collections::BTreeMap;
use std::io::{Cursor, Write};

use zip::write::SimpleFileOptions;

use super::{FUNNEL, PEOPLE, STRANGERS, Sample, with_hives, working_days};
use crate::support::machine::{CONTROL_SET, Channel, Machine, TlsFailure, Windows, at, minutes};

pub fn forge() -> Vec<Sample> {
    vec![licensing_noise_healthy(), updates_noise_healthy()]
}

fn used(name: &'static str, windows: Windows) -> Machine {
    let mut machine = Machine::new(name, windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .boots(at("2026-11-09T03:00:00Z"))
        .listener_starts(at("2026-11-09T03:00:40Z"));
    machine
}

/// What was collected, packed by a collector that writes no times.
fn packed(name: &'static str, machine: &Machine, channels: &[Channel]) -> Sample {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (path, bytes) in with_hives(machine, machine.logs(channels)) {
        zip.start_file(path, SimpleFileOptions::default())
            .expect("a name that is not too long");
        zip.write_all(&bytes).expect("memory takes it");
    }
    let bytes = zip.finish().expect("memory takes it").into_inner();
    Sample {
        name,
        files: BTreeMap::from([("ticket.zip".to_owned(), bytes)]),
    }
}

/// A session host past its grace period, of which only administrators make use: 1069 with every start, 1004 and 1003 now and then, and
/// everybody who tries gets a session.
fn licensing_noise_healthy() -> Sample {
    let mut machine = used("CONTOSO-LC01", Windows::Server2019);
    let role = format!(r"{CONTROL_SET}\Control\Terminal Server");
    machine
        .system
        .set_dword(&role, "TSAppCompat", 1)
        .set_dword(&role, "TSUserEnabled", 0);
    let end = at("2026-11-13T17:00:00Z");
    working_days(&mut machine, at("2026-11-09T07:30:00Z"), end);
    for day in 0..5 {
        let morning = at("2026-11-09T06:00:00Z") + minutes(day * 1440);
        machine
            .admin_event(morning, 1068)
            .admin_event(morning + minutes(300), 1069)
            .manager_event(morning + minutes(95), 1004);
        if day == 3 {
            machine.manager_event(morning + minutes(96), 1003);
        }
    }
    machine.admin_event(end - minutes(50), 1069);
    machine.mistypes(at("2026-11-12T07:28:00Z"), PEOPLE[1].0);
    machine.written(end);
    let channels = [FUNNEL, &[Channel::RemoteConnectionManagerAdmin]].concat();
    packed("licensing-noise-healthy", &machine, &channels)
}

/// A patch week: updates every day, among them one that once broke TLS on this build, a restart, and scanners whose handshakes end with
/// the very codes of that trouble. People work on.
fn updates_noise_healthy() -> Sample {
    let mut machine = used("CONTOSO-UP01", Windows::Server2019);
    let end = at("2026-11-13T17:00:00Z");
    working_days(&mut machine, at("2026-11-09T07:30:00Z"), end);
    for (day, title) in [
        "Security Intelligence Update for Microsoft Defender Antivirus - KB2267602 (Version 1.421.1.0)",
        "2026-11 Servicing Stack Update for Windows Server 2019 for x64-based Systems (KB5099999)",
        "2022-10 Cumulative Update for Windows Server 2019 (1809) for x64-based Systems (KB5018419)",
        "2026-11 Cumulative Update for .NET Framework 3.5, 4.7.2 and 4.8 for Windows Server 2019 (KB5099998)",
        "Windows Malicious Software Removal Tool x64 - v5.131 (KB890830)",
    ]
    .into_iter()
    .enumerate()
    {
        let day = i64::try_from(day).unwrap_or_default();
        let night = at("2026-11-09T02:00:00Z") + minutes(day * 1440);
        machine.update_installed(night + minutes(70), title);
        let stranger = STRANGERS[usize::try_from(day).unwrap_or_default() % STRANGERS.len()];
        machine.dies_in_tls(night + minutes(300), stranger, TlsFailure::IllegalMessage);
        machine.dies_in_tls(night + minutes(900), stranger, TlsFailure::IllegalMessage);
    }
    machine
        .boots(at("2026-11-11T04:00:00Z"))
        .listener_starts(at("2026-11-11T04:00:40Z"));
    machine.written(end);
    packed("updates-noise-healthy", &machine, FUNNEL)
}
