//! Samples of which the client is the point: old ones that a new policy locks out, and a client's log with no server beside it.

use std::collections::BTreeMap;

use super::super::event_log::{Event, LogBuilder};
use super::super::machine::{Machine, SUITE_POLICY, TlsFailure, Windows, at, minutes};
use super::{FUNNEL, PEOPLE, Sample, with_hives, working_days};

/// Forges them all.
pub fn forge() -> Vec<Sample> {
    vec![old_clients_locked_out(), client_log_alone()]
}

/// Suites with GCM and ECDHE only: Windows 7 and 8.1 have none of them for a certificate with an RSA key.
const MODERN: &str = "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";

fn old_clients_locked_out() -> Sample {
    let mut machine = Machine::new(
        "CONTOSO-TS31",
        Windows::Server2019,
        at("2026-06-02T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .boots(at("2026-11-02T03:00:00Z"))
        .listener_starts(at("2026-11-02T03:00:40Z"));
    let morning = at("2026-11-12T06:50:00Z");
    working_days(
        &mut machine,
        at("2026-11-10T07:30:00Z"),
        at("2026-11-11T18:00:00Z"),
    );
    machine
        .software
        .set_sz(SUITE_POLICY, "Functions", MODERN)
        .touch(SUITE_POLICY, at("2026-11-11T21:00:00Z"));
    machine
        .boots(at("2026-11-11T22:00:00Z"))
        .listener_starts(at("2026-11-11T22:00:40Z"));
    for (index, (client, user)) in PEOPLE.iter().enumerate() {
        let start = morning + minutes(i64::try_from(index).unwrap_or_default() * 4);
        match index {
            0 => {
                for turn in 0..12 {
                    machine.dies_in_tls(
                        start + minutes(turn * 9),
                        client,
                        TlsFailure::NoCommonSuite,
                    );
                }
            }
            _ => {
                machine.gets_in(start, client, user);
            }
        }
    }
    machine.written(at("2026-11-12T10:00:00Z"));
    Sample {
        name: "old-clients-locked-out",
        files: with_hives(&machine, machine.logs(FUNNEL)),
    }
}

/// A laptop's Remote Desktop log of one morning, with the reason 0x904 each time.
fn client_log_alone() -> Sample {
    const CHANNEL: &str = "Microsoft-Windows-TerminalServices-RDPClient/Operational";
    const COMPUTER: &str = "LAPTOP-7.contoso.example";
    let event = |id: u16, name: &str, value: &str, time: &str| {
        Event::new("Microsoft-Windows-TerminalServices-ClientActiveXCore", id)
            .guid("{28aa95bb-d444-4719-a36f-40462168127e}")
            .computer(COMPUTER)
            .channel(CHANNEL)
            .time(time)
            .data("Name", name)
            .data("Value", value)
            .data("CustomLevel", "Info")
    };
    let mut log = LogBuilder::new(CHANNEL)
        .computer(COMPUTER)
        .first_record(310);
    for (start, end) in [
        ("2026-11-13T07:58:01Z", "2026-11-13T07:58:04Z"),
        ("2026-11-13T07:59:20Z", "2026-11-13T07:59:23Z"),
        ("2026-11-13T08:14:42Z", "2026-11-13T08:14:44Z"),
    ] {
        log = log
            .push(event(
                1024,
                "Server Name",
                "contoso-ts32.contoso.example",
                start,
            ))
            .push(event(1026, "Disconnect Reason", "2308", end));
    }
    Sample {
        name: "client-log-alone",
        files: BTreeMap::from([("RDPClient.evtx".to_owned(), log.to_bytes())]),
    }
}
