//! What is larger than anything a machine holds is not read, and the report says which file, how large it is and what is read.

mod support;

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::Path;

use rdptriage::facts::coverage::Window;
use rdptriage::facts::subject::Subject;
use rdptriage::gather;
use rdptriage::rules::{Cases, RuleSet};
use rdptriage::verdict::model::Report;
use support::certificate::ForgedCertificate;
use support::event_log::{Event, LogBuilder};
use support::machine::{Channel, Machine, Windows, at, minutes, seconds};
use support::samples::forge_all;
use support::verdict::{Files, collect, diagnosed, diagnosed_folder, rules, unhashed};

const MIB: u64 = 1 << 20;

/// Makes a file as long as that; what is added takes no room on the disk.
fn grow(file: &Path, length: u64) {
    let file = OpenOptions::new().write(true).open(file).expect("opened");
    file.set_len(length).expect("a sparse file");
}

#[test]
fn files_that_are_too_large_are_named() {
    let sample = forge_all()
        .into_iter()
        .find(|sample| sample.name == "key-listing-only")
        .expect("a sample");
    let folder = collect(&sample.files);
    let named = |end: &str| {
        let mut names = sample.files.keys();
        names.find(|name| name.ends_with(end)).expect("a file")
    };
    let grown = BTreeMap::from([
        (named("SOFTWARE").as_str(), (1 << 30) + 4096),
        (named(".acl").as_str(), 64 * MIB + 1),
    ]);
    for (file, length) in &grown {
        grow(&folder.path().join(file), *length);
    }
    let reports = diagnosed(&[folder.path().to_owned()], &rules());
    for (file, length) in grown {
        let told: Vec<&str> = reports
            .iter()
            .flat_map(|report| &report.problems)
            .filter(|problem| problem.artifact.as_deref() == Some(file))
            .map(|problem| problem.message.as_str())
            .collect();
        assert!(
            told.iter()
                .any(|message| message.contains(&length.to_string())),
            "{file}: {told:?}"
        );
    }
}

/// What a report says of one file.
fn told_of(reports: &[Report], file: &str) -> Vec<String> {
    reports
        .iter()
        .flat_map(|report| &report.problems)
        .filter(|problem| problem.artifact.as_deref() == Some(file))
        .map(|problem| problem.message.clone())
        .collect()
}

#[test]
fn a_file_of_certificates_without_end_is_named() {
    let certificate =
        ForgedCertificate::listener("ts1.contoso.example", at("2026-06-02T06:00:00Z")).der();
    let mut files = Files::new();
    files.insert("rdp.cer".into(), certificate.clone());
    files.insert("other.cer".into(), certificate);
    let folder = collect(&files);
    let length = 16 * MIB + 1;
    grow(&folder.path().join("rdp.cer"), length);
    let reports = diagnosed(&[folder.path().to_owned()], &rules());
    let told = told_of(&reports, "rdp.cer");
    assert!(
        told.iter().any(|what| what.contains(&length.to_string())),
        "{told:?}"
    );
    assert!(told_of(&reports, "other.cer").is_empty());
}

/// Records as text are read one by one: one that never ends costs neither memory nor the others.
#[test]
fn a_record_as_text_without_end_is_left_out() {
    let event = |number: u32| {
        format!(
            "<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'><System><Provider Name='Schannel'/>\
             <EventID>36870</EventID><TimeCreated SystemTime='2026-11-12T16:00:00Z'/><EventRecordID>{number}</EventRecordID>\
             <Channel>System</Channel><Computer>TS1</Computer></System></Event>\n"
        )
    };
    let json = |number: u32| {
        format!(
            "{{\"Event\":{{\"System\":{{\"Provider\":{{\"#attributes\":{{\"Name\":\"Schannel\"}}}},\"EventID\":36870,\"TimeCreated\":\
             {{\"#attributes\":{{\"SystemTime\":\"2026-11-12T16:00:00Z\"}}}},\"EventRecordID\":{number},\"Channel\":\"System\",\
             \"Computer\":\"TS1\"}}}}}}\n"
        )
    };
    let many = |one: &str| one.repeat(3 * MIB as usize / one.len());
    let mut files = Files::new();
    let in_xml = format!("{}<Event >{}</Event>{}", event(1), many("<a/>"), event(2));
    files.insert("System.xml".into(), in_xml.into_bytes());
    let in_json = format!("{}{{\"a\":[{}\n{}", json(3), many("{},\n"), json(4));
    files.insert("System.json".into(), in_json.into_bytes());
    let folder = collect(&files);
    let reports = diagnosed(&[folder.path().to_owned()], &rules());
    for file in ["System.xml", "System.json"] {
        let told = told_of(&reports, file);
        assert!(
            told.iter()
                .any(|what| what.contains("longer than 1024 KiB")),
            "{file}: {told:?}"
        );
        let entries = reports.iter().flat_map(|report| &report.artifacts);
        let records = entries
            .filter(|entry| entry.path == file)
            .find_map(|entry| entry.records);
        assert_eq!(records, Some(2), "{file}");
    }
}

/// Where no chunk has stood for a gibibyte the log has ended, however long its file is.
#[test]
fn a_log_longer_than_logs_can_be_ends() {
    let sample = forge_all()
        .into_iter()
        .find(|sample| sample.name == "certificate-expired")
        .expect("a sample");
    let name = "System.evtx";
    let folder = collect(&sample.files);
    grow(&folder.path().join(name), 1 << 40);
    let begun = std::time::Instant::now();
    let report = diagnosed(&[folder.path().to_owned()], &rules()).remove(0);
    assert!(
        begun.elapsed().as_secs() < 120,
        "it reads what is not there"
    );
    let log = report
        .artifacts
        .iter()
        .find(|artifact| artifact.path == name)
        .expect("it is listed");
    let told = report
        .problems
        .iter()
        .any(|told| told.message.contains("what is behind was not read"));
    assert!(told, "{:?}", report.problems);
    assert!(log.records.is_some_and(|records| records > 0));
}

/// A night of strangers: so many attempts that not all of them are kept. What is left out proves nothing, and half an attempt is none.
#[test]
fn a_flood_of_events_leaves_the_newest() {
    let night = at("2026-11-09T00:00:00Z");
    let mut machine = Machine::serving("SRV-1", Windows::Server2022, night - minutes(60));
    let provider = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS";
    let log = LogBuilder::new(&format!("{provider}/Operational")).computer("SRV-1");
    let attempts = (0..26_000).flat_map(|second: i64| {
        let event = |id| Event::new(provider, id).at(night + seconds(second));
        let first = event(131)
            .data("ConnType", "TCP")
            .data("ClientIP", "203.0.113.9:50222");
        [Some(first), (second % 13 == 0).then(|| event(102))]
    });
    let log = log.extend(attempts.flatten());
    machine.gets_in(at("2026-11-09T08:00:00Z"), "10.0.0.5", "anna");
    let mut files = machine.logs_and_hives(&[Channel::System]);
    files.insert("RdpCoreTS.evtx".to_owned(), log.to_bytes());
    let folder = collect(&files);
    let report = diagnosed_folder(folder.path(), &rules());
    let problems = report.problems.iter();
    let told: Vec<&str> = problems.map(|problem| problem.message.as_str()).collect();
    // With 76 ends of attempts whose beginnings are gone.
    let expected = "it holds more events of one kind than are kept: the 1077 oldest were left out, and what it does not hold counts only after 2026-11-09T00:16:39Z";
    assert!(told.contains(&expected), "{told:?}");
    let input = [folder.path().to_owned()];
    let mut host = gather(&input, &unhashed()).expect("a host").remove(0);
    let mut covers = |from: &str| {
        let window = Window {
            from: Some(at(from)),
            to: Some(at("2026-11-09T02:00:00Z")),
        };
        host.facts
            .subject_covers(Subject::RdpCoreTsLog, &window)
            .is_ok()
    };
    assert!(covers("2026-11-09T00:17:00Z"));
    assert!(!covers("2026-11-09T00:16:00Z"));
    let attempts = report
        .facts
        .iter()
        .filter(|fact| fact.kind == "connection.attempt");
    let first = attempts.filter_map(|fact| fact.time.as_deref()).min();
    assert_eq!(first, Some("2026-11-09T00:16:40Z"));
}

#[test]
fn a_rule_file_without_end_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("endless.toml");
    std::fs::write(&file, b"# ").expect("written");
    grow(&file, 1 << 40);
    let rules = RuleSet::builtin().expect("the built-in rules load");
    let error = rules
        .with_dir(folder.path(), Cases::Optional)
        .expect_err("refused");
    let told = error.to_string();
    assert!(told.contains("endless.toml"), "{told}");
    assert!(told.contains("more than the 1048576 bytes"), "{told}");
}
