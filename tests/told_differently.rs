//! The same case told differently gives the same verdict: at another time, under another name, with logs in two files, with files
//! renamed, named one by one in another order, or beside a machine that is well.

mod support;

use std::path::PathBuf;

use jiff::SignedDuration;
use rdptriage::rules::RuleSet;
use rdptriage::verdict::model::{Report, Status};
use support::machine::{Channel, Machine, Telling, Windows, at, minutes, told};
use support::samples::{Sample, forge_all};
use support::verdict::{Files, Said, collect, diagnosed, diagnosed_folder, rules};

const YEAR: SignedDuration = SignedDuration::from_hours(24 * 365);

/// Each sample as it is, and told in another way.
fn compare(told: impl Fn(&Sample, &Sample, &RuleSet) -> Report, telling: Telling, what: &str) {
    let rules = rules();
    let mut wrong = Vec::new();
    let mut cases = 0;
    for (sample, other) in forge_all().iter().zip(self::told(telling, forge_all)) {
        let plain = collect(&sample.files);
        let plain = Said::of(&diagnosed_folder(plain.path(), &rules));
        let found = Said::of(&told(sample, &other, &rules));
        cases += 1;
        if plain != found {
            wrong.push(format!("{}: {}", sample.name, difference(&plain, &found)));
        }
    }
    println!("{what}: {cases} cases, {} verdicts changed", wrong.len());
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

fn difference(plain: &Said, found: &Said) -> String {
    let findings = plain
        .levels
        .iter()
        .filter(|(id, said)| found.levels.get(*id) != Some(said));
    let findings: Vec<String> = findings
        .map(|(id, said)| format!("{id} {said:?}, told differently {:?}", found.levels.get(id)))
        .collect();
    format!(
        "{:?} {:?} {} became {:?} {:?} {}; {}",
        plain.status,
        plain.cause,
        plain.state,
        found.status,
        found.cause,
        found.state,
        findings.join("; ")
    )
}

fn as_forged(_: &Sample, other: &Sample, rules: &RuleSet) -> Report {
    diagnosed_folder(collect(&other.files).path(), rules)
}

#[test]
fn a_year_later() {
    let telling = Telling {
        later: YEAR,
        ..Telling::default()
    };
    compare(as_forged, telling, "a year later");
}

#[test]
fn under_another_name() {
    let telling = Telling {
        name: Some("WIN-8KQ2LMT"),
        ..Telling::default()
    };
    compare(as_forged, telling, "under another name");
}

#[test]
fn with_each_log_in_two_files() {
    let telling = Telling {
        split_logs: true,
        ..Telling::default()
    };
    let split = |sample: &Sample, other: &Sample, rules: &RuleSet| {
        // A laptop's log of six records has one chunk, and cannot be cut in two.
        let alone = sample.files.len() == 1;
        assert!(
            alone || other.files.len() > sample.files.len(),
            "{}",
            sample.name
        );
        as_forged(sample, other, rules)
    };
    compare(split, telling, "with each log in two files");
}

#[test]
fn with_files_renamed() {
    // Renamed is what a collector may name as it likes: logs wherever they lie, and hives but those of a mounted disk. What Windows
    // names stays as it is, because the name is evidence itself: a key file's is its container's (one under another name is another
    // key), a store file's its thumbprint, and the folders of a volume say what stands in them.
    let named_by_windows = |name: &str, bytes: &[u8]| {
        let is_log = bytes.starts_with(b"ElfFile");
        let is_hive = bytes.starts_with(b"regf");
        !is_log && !is_hive || name.contains("System32/config/")
    };
    let renamed = |sample: &Sample, _: &Sample, rules: &RuleSet| {
        let files: Files = sample
            .files
            .iter()
            .enumerate()
            .map(
                |(index, (name, bytes))| match named_by_windows(name, bytes) {
                    true => (name.clone(), bytes.clone()),
                    false => {
                        let folder = name.rfind('/').map_or("", |end| &name[..=end]);
                        (
                            format!("{folder}evidence-{}.bin", 99 - index),
                            bytes.clone(),
                        )
                    }
                },
            )
            .collect();
        diagnosed_folder(collect(&files).path(), rules)
    };
    compare(renamed, Telling::default(), "with files renamed");
}

#[test]
fn with_files_named_one_by_one_the_last_first() {
    let reversed = |sample: &Sample, _: &Sample, rules: &RuleSet| {
        let folder = collect(&sample.files);
        let mut inputs: Vec<PathBuf> = std::fs::read_dir(folder.path())
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path())
            .collect();
        inputs.sort();
        inputs.reverse();
        let mut reports = diagnosed(&inputs, rules);
        assert_eq!(reports.len(), 1, "{}: one host", sample.name);
        reports.remove(0)
    };
    compare(reversed, Telling::default(), "in another order");
}

#[test]
fn beside_a_machine_that_is_well() {
    let well = well();
    let beside = |sample: &Sample, _: &Sample, rules: &RuleSet| {
        let within = |folder: &str, files: &Files| -> Files {
            let moved = files.iter();
            moved
                .map(|(name, bytes)| (format!("{folder}/{name}"), bytes.clone()))
                .collect()
        };
        let mut files = within("broken", &sample.files);
        files.extend(within("well", &well));
        let reports = diagnosed(&[collect(&files).path().to_owned()], rules);
        assert_eq!(reports.len(), 2, "{}: two hosts", sample.name);
        let (others, own): (Vec<Report>, Vec<Report>) = reports.into_iter().partition(|report| {
            report
                .host
                .name
                .as_deref()
                .is_some_and(|name| name.starts_with("WELL"))
        });
        assert_eq!(others[0].verdict.status, Status::Healthy, "{}", sample.name);
        own.into_iter().next().expect("the sample's own host")
    };
    compare(beside, Telling::default(), "beside a machine that is well");
}

/// A machine that two people use.
fn well() -> Files {
    let mut machine = Machine::new("WELL-TS40", Windows::Server2022, at("2026-06-02T06:00:00Z"));
    machine.self_signed_certificate(at("2026-09-14T06:10:00Z"));
    machine
        .boots(at("2026-11-09T03:00:00Z"))
        .listener_starts(at("2026-11-09T03:00:40Z"));
    for hour in 0..8 {
        let start = at("2026-11-09T08:00:00Z") + minutes(60 * hour);
        machine.gets_in(start, "10.20.4.90", "dora");
        machine.leaves(start + minutes(40), "10.20.4.90", "dora");
    }
    machine.written(at("2026-11-09T16:00:00Z"));
    let mut files = machine.logs(&[
        Channel::System,
        Channel::RdpCoreTs,
        Channel::RemoteConnectionManager,
        Channel::LocalSessionManager,
    ]);
    files.insert("config/SYSTEM".into(), machine.system.to_bytes());
    files.insert("config/SOFTWARE".into(), machine.software.to_bytes());
    files
}
