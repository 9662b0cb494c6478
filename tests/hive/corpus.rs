//! Real hives, where they are at hand.

use super::*;
use support::corpus::corpus;

fn open_corpus(folder: &std::path::Path, primary: &str, logs: &[&str]) -> Hive {
    let source = |name: &str| FileSource::open(&folder.join(name)).expect(name);
    let logs: Vec<(&str, FileSource)> = logs.iter().map(|name| (*name, source(name))).collect();
    let logs: Vec<(&str, &dyn ReadAt)> = logs.iter().map(|(name, log)| (*name, log as _)).collect();
    Hive::open(&source(primary), &logs).expect(primary)
}

#[test]
fn dirty_hive_is_replayed_to_its_end() {
    let Some(folder) = corpus("hives") else {
        return;
    };
    let logs = ["dirty-b/SYSTEM.LOG1", "dirty-b/SYSTEM.LOG2"];
    let hive = open_corpus(&folder, "dirty-b/SYSTEM", &logs);
    assert_eq!(hive.state(), State::Replayed);
    assert_eq!(hive.replay().unwrap().sequence, 2130);
    // What yarp's recovery of the same three files gives, after the base block.
    let bins: [u8; 32] = Sha256::digest(&hive.bytes()[4096..]).into();
    let bins: String = bins.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(
        bins,
        "18df453410086f0eee8ed7161a9e8f63b2977225aab5d30e5894eda30e0d882d"
    );
    assert!(open_corpus(&folder, "dirty-b/SYSTEM", &[]).is_stale());
}

#[test]
fn windows_7_holds_what_other_readers_found() {
    let Some(folder) = corpus("hives") else {
        return;
    };
    let hive = open_corpus(&folder, "wks-win732bita/SYSTEM", &[]);
    assert_eq!(hive.state(), State::Clean);
    let select = key(&hive, "Select");
    let written = select.written().expect("a date").to_string();
    assert!(written.starts_with("2009-07-14T04:53:15."), "{written}");
    assert_eq!(value(&hive, "Select", "LastKnownGood").dword(), Ok(2));
    let computer = value(
        &hive,
        r"ControlSet001\Control\ComputerName\ComputerName",
        "ComputerName",
    );
    assert_eq!(computer.text().as_deref(), Ok("WKS-WIN732BITA"));
    let listener = r"ControlSet001\Control\Terminal Server\WinStations";
    let thumbprint = value(&hive, listener, "SelfSignedCertificate");
    assert_eq!(thumbprint.kind, ValueKind::RegBinary);
    assert_eq!(thumbprint.bytes[..4], [0x33, 0x49, 0xEF, 0xE1]);
    let software = open_corpus(&folder, "wks-win732bita/SOFTWARE", &[]);
    let store = r"Microsoft\SystemCertificates\Remote Desktop\Certificates";
    let certificate = format!(r"{store}\3349efe1b964207ca08f1dbb2a091650f6790155");
    assert!(value(&software, &certificate, "Blob").bytes.len() > 700);
    assert!(matches!(
        key(&software, store).security_descriptor(),
        Lookup::Present(_)
    ));
}

#[test]
fn both_walks_find_the_same_keys() {
    let Some(folder) = corpus("hives") else {
        return;
    };
    let hives = [
        "wks-win732bita/SYSTEM",
        "wks-win732bita/SOFTWARE",
        "win10-1709/SYSTEM",
        "dirty-b/SYSTEM",
    ];
    for name in hives {
        let logs: &[&str] = match name {
            "dirty-b/SYSTEM" => &["dirty-b/SYSTEM.LOG1", "dirty-b/SYSTEM.LOG2"],
            _ => &[],
        };
        let hive = open_corpus(&folder, name, logs);
        let (names, troubles) = walk_ourselves(&hive);
        println!(
            "{name}: {:?}, {} keys, newest {:?}, header {:?}, {} troubles, {} problems",
            hive.state(),
            names.len(),
            hive.newest_write(),
            hive.header().written,
            troubles.len(),
            hive.problems().len()
        );
        for line in troubles.iter().take(10) {
            println!("  {line}");
        }
        for problem in hive.problems().iter().take(10) {
            println!("  {problem:?}");
        }
        let (mut values, mut unreadable) = (0, Vec::new());
        let mut pending = vec![key(&hive, "")];
        while let Some(key) = pending.pop() {
            let found = key.values();
            values += found.entries.len();
            unreadable.extend(found.troubles);
            let descriptor = key.security_descriptor();
            assert!(matches!(descriptor, Lookup::Present(_)), "{}", key.path());
            pending.extend(key.subkeys().entries);
        }
        println!("  {values} values");
        assert_eq!(unreadable, []);
        let theirs = walk_with_nt_hive(hive.bytes());
        for (name, count) in &theirs {
            assert!(
                names.get(name) == Some(count),
                "{name} found by nt-hive {count} times, by us {:?}",
                names.get(name)
            );
        }
        assert_eq!(names.len(), theirs.len());
    }
}

#[test]
fn damaged_hives_are_survived() {
    let Some(folder) = corpus("hives") else {
        return;
    };
    let hive = open_corpus(&folder, "corrupted_system_hive", &[]);
    ask_everything(&hive);
    println!(
        "corrupted_system_hive: {} keys, {} troubles",
        hive.survey().keys,
        hive.survey().unreadable
    );
    for trouble in hive.survey().troubles.iter().take(5) {
        println!("  {trouble}");
    }
    assert!(hive.survey().unreadable > 0);
    let logs: Vec<String> = [
        "new_log_1",
        "new_log_2",
        "new_log_1_reversed_and_invalid_checksum",
    ]
    .iter()
    .flat_map(|set| {
        [
            format!("new-log/{set}/SYSTEM.LOG1"),
            format!("new-log/{set}/SYSTEM.LOG2"),
        ]
    })
    .collect();
    for pair in logs.chunks(2) {
        let pair: Vec<&str> = pair.iter().map(String::as_str).collect();
        let hive = open_corpus(&folder, "win10-1709/SYSTEM", &pair);
        println!("{pair:?} on another hive: {:?}", hive.replay());
        ask_everything(&hive);
    }
}
