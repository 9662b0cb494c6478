//! Live copies of hives: what stands only in a transaction log decides with the log beside the hive, and nothing decides without.

#[allow(dead_code)]
#[path = "support/archive.rs"]
mod archive;
mod support;

use std::collections::BTreeMap;

use rdptriage::verdict::model::{ArtifactEntry, Report, Status};
use support::hive::{HiveBuilder, dirty, transaction_log};
use support::machine::{
    CONTROL_SET, Channel, Machine, SUITE_POLICY, TlsFailure, Windows, at, minutes,
};
use support::verdict::{Files, report};

/// The number that the hives are written with, and that of their first log entry.
const SEQUENCE: u32 = 41;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LogFormat {
    Entries,
    DirtyPages,
}

/// A machine that somebody broke by a value in one hive, which Windows had not written yet when the hive was copied.
struct Broken {
    cause: &'static str,
    hive: &'static str,
    /// The hive on disk, and as it should be.
    versions: Vec<Vec<u8>>,
    files: Files,
}

fn at_work(windows: Windows) -> Machine {
    let mut machine = Machine::new("CONTOSO-TS21", windows, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine.system = machine.system.clone().sequence(SEQUENCE);
    machine.software = machine.software.clone().sequence(SEQUENCE);
    machine
        .boots(at("2026-11-09T03:00:00Z"))
        .listener_starts(at("2026-11-09T03:00:40Z"));
    for hour in 0..8 {
        let start = at("2026-11-12T08:00:00Z") + minutes(60 * hour);
        machine.gets_in(start, "10.20.4.17", "anna");
        machine.leaves(start + minutes(40), "10.20.4.17", "anna");
    }
    machine.written(at("2026-11-12T16:00:00Z"));
    machine
}

/// TermService was disabled, and nobody arrives since the restart.
fn service_disabled(windows: Windows) -> Broken {
    let mut machine = at_work(windows);
    let before = machine.system.to_bytes();
    let service = format!(r"{CONTROL_SET}\Services\TermService");
    machine
        .system
        .set_dword(&service, "Start", 4)
        .touch(&service, at("2026-11-12T18:04:00Z"));
    machine.boots(at("2026-11-12T22:00:00Z"));
    machine.service_state(at("2026-11-14T10:30:00Z"), "Windows Update", "stopped");
    machine.written(at("2026-11-14T10:35:00Z"));
    broken("termservice-disabled", "SYSTEM", before, &machine)
}

/// A policy left no suite that fits the certificate, and everybody fails since the restart.
fn suite_policy(windows: Windows) -> Broken {
    let mut machine = at_work(windows);
    let before = machine.software.to_bytes();
    let list = "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256";
    machine
        .software
        .set_sz(SUITE_POLICY, "Functions", list)
        .touch(SUITE_POLICY, at("2026-11-12T18:04:00Z"));
    machine
        .boots(at("2026-11-12T22:00:00Z"))
        .listener_starts(at("2026-11-12T22:00:40Z"));
    for turn in 0..20 {
        let time = at("2026-11-13T06:52:00Z") + minutes(7 * turn);
        machine.dies_in_tls(time, "10.20.4.17", TlsFailure::NoCommonSuite);
    }
    machine.written(at("2026-11-13T09:20:00Z"));
    broken("tls-suite-policy-unusable", "SOFTWARE", before, &machine)
}

fn broken(cause: &'static str, hive: &'static str, before: Vec<u8>, machine: &Machine) -> Broken {
    let bytes = |builder: &HiveBuilder| builder.to_bytes();
    let after = match hive {
        "SYSTEM" => bytes(&machine.system),
        _ => bytes(&machine.software),
    };
    let mut files = machine.logs(&[
        Channel::System,
        Channel::RdpCoreTs,
        Channel::RemoteConnectionManager,
        Channel::LocalSessionManager,
    ]);
    files.insert("config/SYSTEM".into(), bytes(&machine.system));
    files.insert("config/SOFTWARE".into(), bytes(&machine.software));
    files.insert(format!("config/{hive}"), dirty(&before));
    Broken {
        cause,
        hive,
        versions: vec![before, after],
        files,
    }
}

impl Broken {
    fn log(&self, format: LogFormat) -> Vec<u8> {
        match format {
            LogFormat::Entries => transaction_log::entries(&self.versions, SEQUENCE + 1),
            LogFormat::DirtyPages => {
                transaction_log::dirty_pages(&self.versions[0], &self.versions[1], SEQUENCE + 1)
            }
        }
    }
}

fn entry<'r>(report: &'r Report, path: &str) -> &'r ArtifactEntry {
    let found = report
        .artifacts
        .iter()
        .find(|entry| entry.path.ends_with(path));
    found.unwrap_or_else(|| panic!("{path} is not listed"))
}

fn each(test: impl Fn(&Broken, LogFormat)) {
    for (format, windows) in [
        (LogFormat::Entries, Windows::Server2019),
        (LogFormat::DirtyPages, Windows::Server2012R2),
    ] {
        for broken in [service_disabled(windows), suite_policy(windows)] {
            test(&broken, format);
        }
    }
}

#[test]
fn with_its_log_the_hive_gives_the_verdict_and_the_report_says_what_was_replayed() {
    each(|broken, format| {
        let log = format!("config/{}.LOG1", broken.hive);
        let mut files = broken.files.clone();
        files.insert(log.clone(), broken.log(format));
        files.insert(format!("config/{}.LOG2", broken.hive), Vec::new());
        let report = report(&files);
        let what = format!("{}, {format:?}", broken.cause);
        assert_eq!(
            report.verdict.cause.as_deref(),
            Some(broken.cause),
            "{what}"
        );
        assert_eq!(report.verdict.status, Status::Confirmed, "{what}");
        let hive = &entry(&report, broken.hive).coverage;
        let said = match format {
            LogFormat::Entries => "LOG1 (1 entry, 42)",
            LogFormat::DirtyPages => "LOG1 (dirty pages)",
        };
        assert!(
            hive.contains(said) && hive.ends_with("sequence number 42"),
            "{hive}"
        );
        let log = &entry(&report, &log).coverage;
        assert!(log.starts_with("replayed: "), "{log}");
        assert!(
            entry(&report, "LOG2")
                .coverage
                .starts_with("not used: empty")
        );
    });
}

#[test]
fn without_its_log_the_hive_is_stale_and_proves_nothing() {
    each(|broken, format| {
        let report = report(&broken.files);
        let what = format!("{}, {format:?}", broken.cause);
        let hive = &entry(&report, broken.hive).coverage;
        assert!(hive.starts_with("stale"), "{what}: {hive}");
        assert_ne!(
            report.verdict.cause.as_deref(),
            Some(broken.cause),
            "{what}"
        );
        assert_ne!(report.verdict.status, Status::Healthy, "{what}");
    });
}

#[test]
fn what_ended_the_replay_is_in_the_report() {
    let broken = service_disabled(Windows::Server2019);
    let turns = [broken.versions.clone(), broken.versions.clone()].concat();
    let whole = transaction_log::entries(&turns, SEQUENCE + 1);
    // Behind the base block and the first entry, whose size stands at its byte 4: the pages of the second.
    let first = u32::from_le_bytes(whole[516..520].try_into().expect("four bytes"));
    let mut damaged = whole.clone();
    damaged[512 + first as usize + 500] ^= 0xFF;
    let cases: BTreeMap<&str, Vec<u8>> = BTreeMap::from([
        (
            "not written to its end",
            whole[..whole.len() - 512].to_vec(),
        ),
        ("is lost with it", damaged),
    ]);
    for (said, log) in cases {
        let mut files = broken.files.clone();
        files.insert("config/SYSTEM.LOG1".into(), log);
        let report = report(&files);
        let log = entry(&report, "SYSTEM.LOG1");
        let all = format!("{} {:?}", log.coverage, log.problems);
        assert!(all.contains(said), "{said}: {all}");
    }
}

/// The files as a collector lays them out below `root`.
fn laid_out(files: &Files, root: &str) -> Files {
    let files = files.iter().map(|(name, bytes)| {
        let name = match name.strip_prefix("config/") {
            Some(hive) => format!("{root}Windows/System32/config/{hive}"),
            None => format!("{root}Windows/System32/winevt/Logs/{name}"),
        };
        (name, bytes.clone())
    });
    files.collect()
}

#[test]
fn the_log_is_found_beside_its_hive_in_every_layout_and_archive() {
    let broken = suite_policy(Windows::Server2019);
    let hive = broken.hive;
    let mut files = broken.files.clone();
    files.insert(
        format!("config/{hive}.LOG1"),
        broken.log(LogFormat::Entries),
    );
    for (root, layout) in [
        ("", "disk"),
        ("C/", "drive-tree"),
        ("device_0/", "inspect-iaas-disk"),
        ("uploads/auto/C%3A/", "velociraptor"),
        ("uploads/ntfs/%5C%5C.%5CC%3A/", "velociraptor"),
    ] {
        let tree = laid_out(&files, root);
        let packed: archive::Files = tree.clone().into_iter().collect();
        let zip = archive::zip(&packed, zip::CompressionMethod::Deflated);
        let seven = archive::seven_zip(&packed, None);
        let tar = archive::gzip(&archive::tar(&packed));
        for (how, files) in [
            ("folder", tree),
            ("zip", Files::from([("case.zip".to_owned(), zip)])),
            ("7z", Files::from([("case.7z".to_owned(), seven)])),
            ("tar.gz", Files::from([("case.tar.gz".to_owned(), tar)])),
        ] {
            let report = report(&files);
            assert_eq!(report.layout.name, layout, "{root} {how}");
            assert_eq!(
                report.verdict.cause.as_deref(),
                Some(broken.cause),
                "{root} {how}"
            );
            let coverage = &entry(&report, &format!("config/{hive}")).coverage;
            assert!(
                coverage.contains("LOG1 (1 entry, 42)"),
                "{root}: {coverage}"
            );
        }
    }
}

#[test]
fn the_log_of_another_hive_is_never_taken() {
    let broken = suite_policy(Windows::Server2019);
    for elsewhere in [
        // Of the same name on another drive, and of another name beside it.
        "D/Windows/System32/config/SOFTWARE.LOG1",
        "C/Windows/System32/config/SECURITY.LOG1",
        "C/Windows/System32/config/SYSTEM.LOG1",
    ] {
        let mut files = laid_out(&broken.files, "C/");
        files.insert(elsewhere.to_owned(), broken.log(LogFormat::Entries));
        let report = report(&files);
        let coverage = &entry(&report, "config/SOFTWARE").coverage;
        assert!(coverage.starts_with("stale"), "{elsewhere}: {coverage}");
        assert_ne!(
            report.verdict.cause.as_deref(),
            Some(broken.cause),
            "{elsewhere}"
        );
    }
}

#[test]
fn what_a_layout_never_holds_is_said_of_what_is_missing() {
    let broken = suite_policy(Windows::Server2019);
    let mut files = laid_out(&broken.files, "C/");
    files.insert(
        "2026-11-14T10_CopyLog.csv".to_owned(),
        b"CopiedTimestamp,SourceFile,DestinationFile".to_vec(),
    );
    let report = report(&files);
    assert_eq!(report.layout.title.as_deref(), Some("KAPE collection"));
    let never = &report.layout.never_holds;
    assert!(
        never.iter().any(|kind| kind == "private key file"),
        "{never:?}"
    );
    let said = |kind: &str| {
        let gaps = report.gaps.iter();
        let never = "a KAPE collection never holds it";
        gaps.filter(|gap| gap.kind == kind && gap.why.ends_with(never))
            .count()
    };
    let kinds: Vec<_> = report
        .gaps
        .iter()
        .map(|gap| (&gap.kind, &gap.why))
        .collect();
    assert!(never.iter().any(|kind| said(kind) > 0), "{kinds:?}");
    assert_eq!(said("Security log"), 0, "{kinds:?}");
}

/// What is there and cannot be read must not be collected again as if it had been forgotten: somebody has to copy it better.
#[test]
fn a_hive_of_which_nothing_can_be_read_is_told_as_damaged() {
    let machine = at_work(Windows::Server2022);
    let whole = machine.logs_and_hives(&[Channel::System]);
    let gaps = |files: &Files| -> Vec<String> {
        let report = report(files);
        let of_software = report
            .gaps
            .into_iter()
            .filter(|gap| gap.kind == "SOFTWARE hive");
        of_software.map(|gap| gap.why).collect()
    };
    let size = whole["SOFTWARE"].len();
    let damaged: [(&str, std::ops::Range<usize>); 2] =
        [("its cells", 4096..size), ("all of it", 0..size)];
    for (what, zeroed) in damaged {
        let mut files = whole.clone();
        if let Some(bytes) = files.get_mut("SOFTWARE") {
            bytes[zeroed].fill(0);
        }
        let told = gaps(&files);
        let is_told = told.iter().any(|why| why.contains("SOFTWARE is damaged"));
        assert!(is_told, "{what}: {told:?}");
        let is_missed = told.iter().any(|why| why.contains("not in the collection"));
        assert!(!is_missed, "{what}: {told:?}");
    }
    let mut without = whole.clone();
    without.remove("SOFTWARE");
    assert!(
        gaps(&without)
            .iter()
            .any(|why| why == "not in the collection")
    );
}
