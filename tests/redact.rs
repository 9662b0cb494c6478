//! `--redact`: who a report is about stands in no format, and the verdict stays what it was.

mod support;

use std::path::Path;
use std::process::Command;

use support::machine::{Channel, Machine, Windows, at, minutes};
use support::verdict::write;

/// What must not be found, in lower case.
const SECRETS: &[&str] = &[
    "zebrahost77",
    "contoso",
    "198.18.77.66",
    "quokkauser",
    "wombatuser",
    "1004336348",
    "7c3b5a90",
];

/// Those of them that a report shows where they are not taken out.
const IN_EVERY_REPORT: &[&str] = &[
    "zebrahost77",
    "contoso",
    "198.18.77.66",
    "wombatuser",
    "1004336348",
];

fn rdptriage(arguments: &[&str], folder: &Path) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(arguments)
        .arg("collected")
        .current_dir(folder)
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_ne!(output.status.code(), Some(2), "{arguments:?}: {said}");
    output.stdout
}

/// A machine with telling names, collected into folders that bear them.
fn collect(folder: &Path) {
    let start = at("2026-11-09T07:00:00Z");
    let mut machine = Machine::new(
        "ZEBRAHOST77",
        Windows::Server2022,
        at("2026-09-01T06:00:00Z"),
    );
    machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
    machine.boots(start);
    for hour in 0..6 {
        let time = start + minutes(60 * hour + 10);
        machine.gets_in(time, "198.18.77.66", "quokkauser");
        machine.leaves(time + minutes(30), "198.18.77.66", "quokkauser");
    }
    machine.start_type_changes(
        start + minutes(400),
        "Remote Desktop Services",
        "TermService",
        "demand start",
        "disabled",
    );
    machine.written(start + minutes(420));
    let mut files = machine.logs(&[
        Channel::System,
        Channel::RdpCoreTs,
        Channel::RemoteConnectionManager,
        Channel::LocalSessionManager,
    ]);
    files.insert("SYSTEM".to_owned(), machine.system.to_bytes());
    files.insert("SOFTWARE".to_owned(), machine.software.to_bytes());
    for (name, bytes) in &files {
        let place = folder.join("collected/Users/wombatuser/ZEBRAHOST77");
        write(&place, name, bytes);
    }
}

#[test]
fn nobody_is_named_in_any_format() {
    let folder = tempfile::tempdir().expect("a folder");
    collect(folder.path());
    let plain = rdptriage(&["diagnose", "-f", "json"], folder.path());
    let plain = String::from_utf8(plain).expect("UTF-8").to_lowercase();
    for secret in IN_EVERY_REPORT {
        assert!(
            plain.contains(secret),
            "{secret} is not in the evidence: the test would prove nothing"
        );
    }
    let mut shown = vec![rdptriage(
        &["timeline", "--redact", "-f", "jsonl"],
        folder.path(),
    )];
    for format in ["text", "json", "jsonl", "md", "html", "csv"] {
        shown.push(rdptriage(
            &["diagnose", "--redact", "-v", "-f", format],
            folder.path(),
        ));
    }
    for bytes in shown {
        let text = String::from_utf8(bytes).expect("UTF-8").to_lowercase();
        assert!(
            text.contains("host-1") || text.contains("address-1"),
            "{text}"
        );
        for secret in SECRETS {
            let at = text.find(secret);
            assert!(
                at.is_none(),
                "{secret}: {:?}",
                at.and_then(|at| text.get(at.saturating_sub(80)..at + 20))
            );
        }
    }
}

#[test]
fn the_verdict_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    collect(folder.path());
    let verdict = |arguments: &[&str]| {
        let bytes = rdptriage(arguments, folder.path());
        let value: serde_json::Value = serde_json::from_slice(&bytes).expect("JSON");
        let report = value["reports"][0].clone();
        (
            report["verdict"]["cause"].clone(),
            report["verdict"]["state"].clone(),
            report["facts"].as_array().map(Vec::len),
        )
    };
    assert_eq!(
        verdict(&["diagnose", "-f", "json"]),
        verdict(&["diagnose", "-f", "json", "--redact"])
    );
}
