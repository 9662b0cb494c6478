//! The reader of hives against forged ones, whole and damaged in every way, and against real ones where they are at hand
//! (`RDPTRIAGE_CORPUS`).

mod support;

use std::collections::BTreeMap;
use std::path::PathBuf;

use rdptriage::bundle::{FileSource, ReadAt};
use rdptriage::parse::hive::{
    Hive, HiveError, Ignored, Key, LogFormat, Lookup, State, Stop, Value, ValueKind, Why,
};
use sha2::{Digest, Sha256};
use support::hive::{HiveBuilder, REG_NONE, descriptor, dirty, time, transaction_log};

const SERVICES: &str = r"ControlSet001\Services";
const TERMINAL_SERVER: &str = r"ControlSet001\Control\Terminal Server";

fn open(bytes: &[u8]) -> Hive {
    with_logs(bytes, &[])
}

fn with_logs(bytes: &[u8], logs: &[(&str, &Vec<u8>)]) -> Hive {
    let logs: Vec<(&str, &dyn ReadAt)> =
        logs.iter().map(|(name, log)| (*name, *log as _)).collect();
    Hive::open(&bytes.to_vec(), &logs).expect("a hive")
}

fn key<'h>(hive: &'h Hive, path: &str) -> Key<'h> {
    match hive.key(path) {
        Lookup::Present(key) => key,
        other => panic!("{path}: {other:?}"),
    }
}

fn value(hive: &Hive, path: &str, name: &str) -> Value {
    match key(hive, path).value(name) {
        Lookup::Present(value) => value,
        other => panic!("{path}, {name}: {other:?}"),
    }
}

fn why<T: std::fmt::Debug>(answer: Lookup<T>) -> Why {
    match answer {
        Lookup::Unreadable(trouble) => trouble.why,
        other => panic!("{other:?} should be unreadable"),
    }
}

/// A small hive of a machine with Remote Desktop.
fn system() -> HiveBuilder {
    let mut builder = HiveBuilder::new(r"\SystemRoot\System32\Config\SYSTEM")
        .written(time("2025-03-04T10:20:30Z"))
        .sequence(41)
        .key("Select", time("2025-01-02T03:04:05Z"), |key| {
            key.dword("Current", 1).dword("Default", 1)
        })
        .key(
            TERMINAL_SERVER,
            time("2025-03-01T12:00:00.1234567Z"),
            |key| {
                key.dword("fDenyTSConnections", 0)
                    .sz("ProductVersion", "5.1")
                    .class("Terminal")
            },
        );
    for number in 0..40 {
        builder.set_dword(&format!(r"{SERVICES}\Service{number:03}"), "Start", 3);
    }
    builder
}

/// Where `needle` stands in `hay`.
fn find(hay: &[u8], needle: &[u8]) -> usize {
    let found = hay
        .windows(needle.len())
        .position(|window| window == needle);
    found.expect("the bytes stand somewhere")
}

#[test]
fn what_is_written_is_read() {
    let mut builder = system();
    let secret = descriptor(
        &[18],
        &[18],
        &[(1, 0x0002, &[18]), (0, 0xF003F, &[32, 544])],
    );
    builder
        .set_qword("All", "qword", u64::MAX - 1)
        .set_multi_sz("All", "list", &["TLS_AES_256_GCM_SHA384", "Zoë"])
        .set_expand_sz("All", "path", r"%SystemRoot%\system32")
        .set_binary("All", "five", &[1, 2, 3, 4, 5])
        .set_binary("All", "empty", &[])
        .set_sz("All", "", "the default value")
        .set_sz(r"All\Ελληνικά", "Größe", "ü")
        .security("All", &secret)
        .touch(r"All\Ελληνικά", time("2031-05-06T07:08:09Z"));
    builder
        .at("All")
        .value("none", REG_NONE, &[7])
        .value("odd", 4, &[1, 2])
        .value("resource", 8, &[0; 9]);
    builder.at("All").value("big endian", 5, &[0, 0, 1, 2]);
    let hive = open(&builder.to_bytes());

    assert_eq!(hive.state(), State::Clean);
    assert_eq!(hive.name_in_header(), r"stemRoot\System32\Config\SYSTEM");
    assert_eq!(hive.header().written, Some(time("2025-03-04T10:20:30Z")));
    assert_eq!(hive.newest_write(), Some(time("2031-05-06T07:08:09Z")));
    assert_eq!(hive.survey().unreadable, 0);

    let server = key(&hive, r"controlset001\CONTROL\terminal server");
    assert_eq!(
        (server.name().as_str(), server.path()),
        ("Terminal Server", TERMINAL_SERVER)
    );
    assert_eq!(server.written(), Some(time("2025-03-01T12:00:00.1234567Z")));
    assert_eq!(server.class_name(), Lookup::Present("Terminal".to_owned()));
    assert_eq!(
        value(&hive, TERMINAL_SERVER, "FDENYTSCONNECTIONS").dword(),
        Ok(0)
    );
    assert_eq!(server.value("fDenyTS"), Lookup::Absent);

    assert_eq!(value(&hive, "All", "qword").qword(), Ok(u64::MAX - 1));
    let list = value(&hive, "All", "list").multi_text();
    assert_eq!(
        list,
        Ok(vec!["TLS_AES_256_GCM_SHA384".to_owned(), "Zoë".to_owned()])
    );
    assert_eq!(
        value(&hive, "All", "path").text().as_deref(),
        Ok(r"%SystemRoot%\system32")
    );
    assert_eq!(value(&hive, "All", "five").bytes, [1, 2, 3, 4, 5]);
    assert_eq!(value(&hive, "All", "empty").bytes, []);
    assert_eq!(
        value(&hive, "All", "").text().as_deref(),
        Ok("the default value")
    );
    assert_eq!(value(&hive, "All", "none").kind, ValueKind::RegNone);
    assert_eq!(value(&hive, "All", "resource").kind, ValueKind::Other(8));
    assert_eq!(value(&hive, "All", "big endian").dword(), Ok(0x0102));
    assert_eq!(
        value(&hive, r"All\ΕΛΛΗΝΙΚΆ", "GRÖßE").text().as_deref(),
        Ok("ü")
    );
    let wrong = value(&hive, "All", "odd").dword().unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "expected REG_DWORD, found REG_DWORD of 2 bytes"
    );
    assert!(value(&hive, "All", "five").text().is_err());

    assert_eq!(
        key(&hive, "All").security_descriptor(),
        Lookup::Present(secret.clone())
    );
    assert_eq!(
        key(&hive, r"All\Ελληνικά").security_descriptor(),
        Lookup::Present(secret)
    );
    let ordinary = support::hive::default_descriptor();
    assert_eq!(
        key(&hive, "Select").security_descriptor(),
        Lookup::Present(ordinary)
    );

    let names: Vec<String> = key(&hive, "")
        .subkeys()
        .entries
        .iter()
        .map(Key::name)
        .collect();
    assert_eq!(names, ["All", "ControlSet001", "Select"]);
    assert_eq!(hive.problems(), []);
}

#[test]
fn long_values_are_read_with_and_without_big_data() {
    let long: Vec<u8> = (0..70_000_u32).map(|number| (number % 251) as u8).collect();
    for version in [3, 5, 6] {
        let mut builder = HiveBuilder::new("SOFTWARE").minor_version(version);
        for length in [16_343, 16_344, 16_345, 32_688, 70_000] {
            builder.set_binary("Blobs", &length.to_string(), &long[..length]);
        }
        let hive = open(&builder.to_bytes());
        for length in [16_343, 16_344, 16_345, 32_688, 70_000] {
            let read = value(&hive, "Blobs", &length.to_string()).bytes;
            assert!(
                read == long[..length],
                "{length} bytes in version 1.{version}"
            );
        }
        assert!(key(&hive, "Blobs").values().is_whole());
        assert_eq!(hive.problems(), []);
    }
}

#[test]
fn a_key_among_two_thousand_is_found() {
    for version in [3, 5] {
        let mut builder = HiveBuilder::new("SYSTEM").minor_version(version);
        for number in 0..2000 {
            builder.set_dword(&format!(r"Many\Key {number}"), "number", number);
        }
        let hive = open(&builder.to_bytes());
        let subkeys = key(&hive, "Many").subkeys();
        assert_eq!((subkeys.entries.len(), subkeys.is_whole()), (2000, true));
        for number in [0, 7, 510, 511, 512, 1022, 1999] {
            assert_eq!(
                value(&hive, &format!(r"many\KEY {number}"), "number").dword(),
                Ok(number)
            );
        }
        assert!(matches!(hive.key(r"Many\Key 2000"), Lookup::Absent));
        assert_eq!(hive.problems(), []);
        assert_eq!(hive.survey().keys, 2002);
    }
}

#[test]
fn a_list_out_of_order_does_not_hide_a_key() {
    let mut bytes = system().to_bytes();
    let root_list = find(&bytes, b"lh\x02\0");
    let (first, second): (Vec<u8>, Vec<u8>) = (
        bytes[root_list + 4..root_list + 12].to_vec(),
        bytes[root_list + 12..root_list + 20].to_vec(),
    );
    bytes[root_list + 4..root_list + 12].copy_from_slice(&second);
    bytes[root_list + 12..root_list + 20].copy_from_slice(&first);
    let hive = open(&bytes);
    assert_eq!(value(&hive, "Select", "Current").dword(), Ok(1));
    assert_eq!(
        value(&hive, TERMINAL_SERVER, "fDenyTSConnections").dword(),
        Ok(0)
    );
    assert!(matches!(hive.key("Nowhere"), Lookup::Absent));
    let problems = hive.problems();
    assert!(
        problems
            .iter()
            .any(|problem| problem.message.contains("not sorted")),
        "{problems:?}"
    );
}

#[test]
fn a_damaged_neighbour_makes_absent_unreadable() {
    let mut bytes = system().to_bytes();
    let at = find(&bytes, b"Service007") - 76;
    bytes[at] = b'X';
    let hive = open(&bytes);
    assert_eq!(
        value(&hive, r"ControlSet001\Services\Service008", "Start").dword(),
        Ok(3)
    );
    let expected = Why::Signature {
        expected: "nk",
        found: *b"Xk",
    };
    let missing = hive.key(r"ControlSet001\Services\TermService");
    assert_eq!(why(missing), expected);
    assert_eq!(
        why(hive.key(r"ControlSet001\Services\Service007")),
        expected
    );
    let services = key(&hive, SERVICES).subkeys();
    assert_eq!((services.entries.len(), services.is_whole()), (39, false));
    let trouble = &services.troubles[0];
    assert_eq!(
        (trouble.path.as_str(), trouble.offset),
        (SERVICES, at as u64 - 4)
    );
    assert!(matches!(hive.key(r"ControlSet001\Nowhere"), Lookup::Absent));
}

#[test]
fn a_renamed_key_makes_absent_unreadable() {
    let mut bytes = system().to_bytes();
    let at = find(&bytes, b"Service007");
    bytes[at] = b'T';
    let hive = open(&bytes);
    let name = "Tervice007".to_owned();
    assert_eq!(
        why(hive.key(r"ControlSet001\Services\Service007")),
        Why::Hash { name }
    );
}

#[test]
fn damaged_values_are_unreadable_and_others_are_read() {
    let mut builder = system();
    builder
        .set_binary("Blob", "first", &[0xAB; 100])
        .set_binary("Blob", "second", &[0xCD; 100]);
    let whole = builder.to_bytes();

    let mut freed = whole.clone();
    let data = find(&freed, &[0xAB; 100]) - 4;
    freed[data..data + 4].copy_from_slice(&104_i32.to_le_bytes());
    let hive = open(&freed);
    assert_eq!(why(key(&hive, "Blob").value("first")), Why::Free);
    assert_eq!(value(&hive, "Blob", "second").bytes, [0xCD; 100]);

    let mut lost = whole.clone();
    let first = find(&lost, b"first") - 20;
    lost[first..first + 2].fill(0);
    let hive = open(&lost);
    assert!(matches!(
        key(&hive, "Blob").value("first"),
        Lookup::Unreadable(_)
    ));
    assert!(matches!(
        key(&hive, "Blob").value("third"),
        Lookup::Unreadable(_)
    ));
    assert_eq!(value(&hive, "Blob", "second").bytes, [0xCD; 100]);

    let mut long = whole.clone();
    long[first + 4..first + 8].copy_from_slice(&0x0200_0000_u32.to_le_bytes());
    let hive = open(&long);
    assert!(matches!(
        why(key(&hive, "Blob").value("first")),
        Why::TooLong { .. }
    ));

    let mut inline = whole.clone();
    inline[first + 4..first + 8].copy_from_slice(&0x8000_0005_u32.to_le_bytes());
    let hive = open(&inline);
    assert!(matches!(
        why(key(&hive, "Blob").value("first")),
        Why::TooLong { has: 4, .. }
    ));

    let mut empty = whole;
    empty[first + 4..first + 12].copy_from_slice(&[0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
    let hive = open(&empty);
    assert_eq!(value(&hive, "Blob", "first").bytes, []);
    assert_eq!(hive.problems(), []);
}

#[test]
fn circles_end() {
    // The list of a subkey leads back to its parent's: the keys on it say that they belong to another.
    let mut builder = HiveBuilder::new("SYSTEM");
    builder.set_dword(r"Outer\Inner", "value", 1);
    let mut bytes = builder.to_bytes();
    let outer = find(&bytes, b"Outer") - 76;
    let inner = find(&bytes, b"Inner") - 76;
    let list: [u8; 8] = bytes[outer + 20..outer + 28].try_into().unwrap();
    bytes[inner + 20..inner + 28].copy_from_slice(&list);
    let offset: [u8; 4] = bytes[outer + 28..outer + 32].try_into().unwrap();
    bytes[inner + 28..inner + 32].copy_from_slice(&offset);
    let hive = open(&bytes);
    assert_eq!(why(hive.key(r"Outer\Inner\Inner\Inner")), Why::Foreign);
    // A key that says that it is its own parent gets past that check.
    let own = (inner - 4 - 4096) as u32;
    bytes[inner + 16..inner + 20].copy_from_slice(&own.to_le_bytes());
    let hive = open(&bytes);
    assert!(hive.survey().keys < 5);
    assert!(hive.survey().unreadable > 0);
}

#[test]
fn keys_nested_too_deep_are_unreadable() {
    let mut builder = HiveBuilder::new("SYSTEM");
    let path = vec!["k"; 600].join(r"\");
    builder.set_dword(&path, "value", 1);
    let hive = open(&builder.to_bytes());
    assert_eq!(why(hive.key(&path)), Why::Depth { limit: 512 });
    assert_eq!(hive.survey().keys, 513);
}

/// Three versions of a hive, each written over the one before.
fn versions() -> Vec<Vec<u8>> {
    let mut builder = system();
    let mut versions = vec![builder.to_bytes()];
    builder
        .set_dword(TERMINAL_SERVER, "fDenyTSConnections", 1)
        .touch(TERMINAL_SERVER, time("2025-03-04T10:00:00Z"));
    versions.push(builder.to_bytes());
    for number in 0..200 {
        builder.set_sz(
            r"ControlSet001\Control\New",
            &format!("value {number}"),
            "written at last",
        );
    }
    versions.push(builder.to_bytes());
    builder.set_dword("Select", "Current", 2);
    versions.push(builder.to_bytes());
    versions
}

#[test]
fn entries_of_both_logs_are_replayed() {
    let versions = versions();
    let primary = dirty(&versions[0]);
    let one = transaction_log::entries(&versions[..3], 50);
    let two = transaction_log::entries(&versions[2..], 52);
    for logs in [
        [("SYSTEM.LOG1", &one), ("SYSTEM.LOG2", &two)],
        [("SYSTEM.LOG2", &two), ("SYSTEM.LOG1", &one)],
    ] {
        let hive = with_logs(&primary, &logs);
        assert_eq!(hive.state(), State::Replayed);
        assert_eq!(hive.bytes()[4096..], versions[3][4096..]);
        assert_eq!(
            value(&hive, TERMINAL_SERVER, "fDenyTSConnections").dword(),
            Ok(1)
        );
        assert_eq!(value(&hive, "Select", "Current").dword(), Ok(2));
        let replay = hive.replay().unwrap();
        assert_eq!(
            (replay.sequence, replay.ignored.as_slice()),
            (52, [].as_slice())
        );
        let used: Vec<_> = replay
            .used
            .iter()
            .map(|log| (log.name.as_str(), log.entries, log.format))
            .collect();
        assert_eq!(
            used,
            [
                ("SYSTEM.LOG1", 2, LogFormat::Entries),
                ("SYSTEM.LOG2", 1, LogFormat::Entries)
            ]
        );
        assert!(replay.used.iter().all(|log| log.stopped.is_none()));
        nt_hive::Hive::new(hive.bytes()).expect("a hive that nt-hive takes for clean");
    }
}

#[test]
fn without_its_logs_a_dirty_hive_is_stale() {
    let versions = versions();
    let hive = open(&dirty(&versions[0]));
    assert!(hive.is_stale() && hive.replay().is_none());
    assert_eq!(
        value(&hive, TERMINAL_SERVER, "fDenyTSConnections").dword(),
        Ok(0)
    );
    // An empty log does not help; logs of a clean hive are not needed.
    let empty = Vec::new();
    let hive = with_logs(&dirty(&versions[0]), &[("SYSTEM.LOG1", &empty)]);
    assert!(hive.is_stale());
    assert_eq!(
        hive.replay().unwrap().ignored,
        [("SYSTEM.LOG1".to_owned(), Ignored::Empty)]
    );
    let log = transaction_log::entries(&versions, 50);
    let hive = with_logs(&versions[0], &[("SYSTEM.LOG1", &log)]);
    assert_eq!(hive.state(), State::Clean);
    assert_eq!(hive.bytes(), versions[0]);
    assert_eq!(
        hive.replay().unwrap().ignored,
        [("SYSTEM.LOG1".to_owned(), Ignored::Clean)]
    );
}

#[test]
fn a_log_that_cannot_be_joined_leaves_the_hive_stale() {
    let versions = versions();
    let primary = dirty(&versions[0]);
    let one = transaction_log::entries(&versions[..2], 50);
    let late = transaction_log::entries(&versions[2..], 52);
    let hive = with_logs(&primary, &[("LOG1", &one), ("LOG2", &late)]);
    assert!(hive.is_stale());
    assert_eq!(
        value(&hive, TERMINAL_SERVER, "fDenyTSConnections").dword(),
        Ok(1)
    );
    let replay = hive.replay().unwrap();
    assert_eq!(
        replay.ignored,
        [(
            "LOG2".to_owned(),
            Ignored::Gap {
                begins: 52,
                expected: 51
            }
        )]
    );

    let old = transaction_log::entries(&versions, 12);
    let hive = with_logs(&primary, &[("LOG1", &old)]);
    assert_eq!(
        hive.replay().unwrap().ignored,
        [("LOG1".to_owned(), Ignored::Older { log: 12, hive: 41 })]
    );
    assert!(hive.is_stale());
}

#[test]
fn a_damaged_entry_ends_the_replay() {
    let versions = versions();
    let primary = dirty(&versions[0]);
    let whole = transaction_log::entries(&versions, 50);
    let second = 512 + find(&whole[513..], b"HvLE") + 1;

    let mut damaged = whole.clone();
    damaged[second + 600] ^= 1;
    let hive = with_logs(&primary, &[("LOG1", &damaged)]);
    let used = &hive.replay().unwrap().used[0];
    assert_eq!(used.entries, 1);
    assert_eq!(
        used.stopped,
        Some(Stop::Damaged {
            at: second as u64,
            sequence: 52
        })
    );
    assert!(hive.is_stale());

    let torn = whole[..second + 4000].to_vec();
    let hive = with_logs(&primary, &[("LOG1", &torn)]);
    let used = &hive.replay().unwrap().used[0];
    assert_eq!(used.stopped, Some(Stop::Torn { at: second as u64 }));
    assert_eq!(hive.state(), State::Replayed);
    assert_eq!(hive.bytes()[4096..], versions[1][4096..]);
}

#[test]
fn dirty_pages_of_an_old_log_are_replayed() {
    let versions = versions();
    let primary = dirty(&versions[0]);
    let log = transaction_log::dirty_pages(&versions[0], &versions[3], 42);
    let hive = with_logs(&primary, &[("SYSTEM.LOG1", &log)]);
    assert_eq!(hive.state(), State::Replayed);
    assert_eq!(hive.bytes()[4096..], versions[3][4096..]);
    let used = &hive.replay().unwrap().used[0];
    assert_eq!(
        (used.format, used.entries, used.last_sequence),
        (LogFormat::DirtyPages, 1, 42)
    );
    nt_hive::Hive::new(hive.bytes()).expect("a hive that nt-hive takes for clean");

    let cut = log[..log.len() - 1].to_vec();
    let hive = with_logs(&primary, &[("SYSTEM.LOG1", &cut)]);
    assert!(hive.is_stale());
    assert_eq!(
        hive.replay().unwrap().ignored,
        [("SYSTEM.LOG1".to_owned(), Ignored::NoEntry)]
    );
}

#[test]
fn a_lost_base_block_is_replaced() {
    let versions = versions();
    let mut headless = versions[0].clone();
    headless[..4096].fill(0);
    let hive = open(&headless);
    assert!(hive.is_stale());
    assert_eq!(
        value(&hive, TERMINAL_SERVER, "fDenyTSConnections").dword(),
        Ok(0)
    );
    assert_eq!(hive.problems()[0].at, 0);

    let log = transaction_log::entries(&versions, 50);
    let hive = with_logs(&headless, &[("LOG1", &log)]);
    assert_eq!(hive.state(), State::Replayed);
    assert_eq!(hive.bytes()[4096..], versions[3][4096..]);
    assert!(
        hive.problems()[0].message.contains("transaction log"),
        "{:?}",
        hive.problems()
    );

    let mut bad_sum = versions[0].clone();
    bad_sum[36] ^= 0x40;
    let hive = open(&bad_sum);
    assert!(hive.is_stale());
    assert_eq!(value(&hive, "Select", "Current").dword(), Ok(1));
    assert_eq!(hive.problems().len(), 2, "{:?}", hive.problems());
}

#[test]
fn what_is_no_hive_is_refused() {
    let refused = |bytes: Vec<u8>| Hive::open(&bytes, &[]).expect_err("no hive");
    assert!(matches!(refused(Vec::new()), HiveError::Empty));
    assert!(matches!(refused(vec![0; 10_000]), HiveError::NotAHive));
    assert!(matches!(refused(b"regf".to_vec()), HiveError::NotAHive));
    assert!(matches!(
        refused(system().to_bytes()[..4096].to_vec()),
        HiveError::NoKeys(4096)
    ));
    assert!(matches!(
        refused(system().to_bytes()[..600].to_vec()),
        HiveError::NoKeys(600)
    ));
}

#[test]
fn what_stands_of_a_cut_hive_is_read() {
    let mut builder = system();
    builder.set_binary("Zlast", "blob", &[0x5A; 12_000]);
    let whole = builder.to_bytes();
    let blob = find(&whole, &[0x5A; 12_000]);
    let hive = open(&whole[..blob + 6000]);
    assert_eq!(value(&hive, "Select", "Current").dword(), Ok(1));
    assert!(matches!(
        why(key(&hive, "Zlast").value("blob")),
        Why::CutShort { .. } | Why::Outside
    ));
    assert!(
        hive.problems()
            .iter()
            .any(|problem| problem.message.contains("cut short"))
    );
}

/// Asks everything that can be asked, and counts keys and values so that nothing is left out.
fn ask_everything(hive: &Hive) -> (usize, usize) {
    let mut pending = match hive.key("") {
        Lookup::Present(root) => vec![root],
        _ => Vec::new(),
    };
    let (mut keys, mut values) = (0, 0);
    while let Some(key) = pending.pop() {
        keys += 1;
        if keys > 3000 {
            break;
        }
        values += key.values().entries.len();
        let _ = (
            key.security_descriptor(),
            key.class_name(),
            key.value("no such value"),
        );
        pending.extend(key.subkeys().entries);
    }
    let _ = (
        hive.key(r"ControlSet001\Services\Service020"),
        hive.key(r"ControlSet001\Nowhere"),
    );
    let _ = (hive.problems(), hive.survey());
    (keys, values)
}

/// Numbers that look random and are the same each time (xorshift).
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

#[test]
fn no_damage_makes_it_panic_or_hang() {
    let versions = versions();
    let log = transaction_log::entries(&versions, 50);
    let old_log = transaction_log::dirty_pages(&versions[0], &versions[3], 42);
    let mut seeded = Seeded(0x5EED_0001);
    let mut opened = 0;
    for round in 0..600 {
        let mut primary = dirty(&versions[round % 3]);
        let mut log = if round % 2 == 0 {
            log.clone()
        } else {
            old_log.clone()
        };
        let target = if round % 5 == 4 {
            &mut log
        } else {
            &mut primary
        };
        match round % 4 {
            0 => {
                for _ in 0..64 {
                    let at = seeded.below(target.len());
                    target[at] ^= 1 << seeded.below(8);
                }
            }
            1 => {
                let at = seeded.below(target.len() / 512) * 512;
                target[at..at + 512].fill(0);
            }
            2 => target.truncate(seeded.below(target.len())),
            _ => {
                for _ in 0..16 {
                    let at = seeded.below(target.len() / 4) * 4;
                    target[at..at + 4].fill(0xFF);
                }
            }
        }
        let logs: [(&str, &dyn ReadAt); 1] = [("LOG1", &log)];
        let logs = if round % 3 == 0 {
            &logs[..0]
        } else {
            &logs[..]
        };
        if let Ok(hive) = Hive::open(&primary, logs) {
            opened += 1;
            ask_everything(&hive);
        }
    }
    assert!(opened > 500, "only {opened} of 600 were read at all");
}

/// No value that a damaged hive still gives is said to be absent, unless its own bytes are what changed.
#[test]
fn no_zeroed_page_makes_a_value_absent() {
    let whole = versions().pop().unwrap();
    for page in (4096..whole.len()).step_by(512) {
        let mut damaged = whole.clone();
        damaged[page..page + 512].fill(0);
        let Ok(hive) = Hive::open(&damaged, &[]) else {
            continue;
        };
        for (path, name) in [
            (TERMINAL_SERVER, "fDenyTSConnections"),
            ("Select", "Current"),
            (r"ControlSet001\Control\New", "value 150"),
        ] {
            let answer = hive.key(path).and_then(|key| key.value(name));
            assert!(
                !matches!(answer, Lookup::Absent),
                "{path}, {name} with 512 bytes zeroed at {page}"
            );
        }
    }
}

/// The names of all keys, by path, as nt-hive walks them.
fn walk_with_nt_hive(bytes: &[u8]) -> BTreeMap<String, usize> {
    let hive = nt_hive::Hive::without_validation(bytes).expect("nt-hive opens it");
    let mut pending = vec![(
        String::new(),
        hive.root_key_node().expect("nt-hive finds the root"),
    )];
    let mut names = BTreeMap::new();
    while let Some((path, key)) = pending.pop() {
        *names.entry(path.clone()).or_default() += 1;
        let Some(Ok(subkeys)) = key.subkeys() else {
            continue;
        };
        for subkey in subkeys.flatten() {
            let Ok(name) = subkey.name().map(|name| name.to_string_lossy()) else {
                continue;
            };
            pending.push((format!("{path}\\{name}"), subkey));
        }
    }
    names
}

fn walk_ourselves(hive: &Hive) -> (BTreeMap<String, usize>, Vec<String>) {
    let mut pending = vec![key(hive, "")];
    let mut names = BTreeMap::new();
    let mut troubles = Vec::new();
    while let Some(key) = pending.pop() {
        let path = match key.path() {
            "" => String::new(),
            path => format!("\\{path}"),
        };
        *names.entry(path).or_default() += 1;
        let subkeys = key.subkeys();
        troubles.extend(subkeys.troubles.iter().map(ToString::to_string));
        pending.extend(subkeys.entries);
    }
    (names, troubles)
}

#[test]
fn both_walks_find_the_same_keys() {
    for version in [3, 6] {
        let mut builder = system().minor_version(version);
        for number in 0..1300 {
            builder.set_dword(&format!(r"Many\Ключ {number}\Sub"), "number", number);
        }
        let hive = open(&builder.to_bytes());
        let (names, troubles) = walk_ourselves(&hive);
        assert_eq!(troubles, [] as [String; 0]);
        assert_eq!(names.len(), hive.survey().keys);
        assert_eq!(names, walk_with_nt_hive(hive.bytes()));
    }
}

#[test]
fn the_same_hive_is_forged_twice() {
    assert_eq!(versions(), versions());
}

/// The folder of real hives, or a line that says that they are not here.
fn corpus(test: &str) -> Option<PathBuf> {
    match std::env::var_os("RDPTRIAGE_CORPUS") {
        Some(folder) => Some(PathBuf::from(folder).join("hives")),
        None => {
            println!("{test}: skipped, RDPTRIAGE_CORPUS is not set");
            None
        }
    }
}

fn open_corpus(folder: &std::path::Path, primary: &str, logs: &[&str]) -> Hive {
    let source = |name: &str| FileSource::open(&folder.join(name)).expect(name);
    let logs: Vec<(&str, FileSource)> = logs.iter().map(|name| (*name, source(name))).collect();
    let logs: Vec<(&str, &dyn ReadAt)> = logs.iter().map(|(name, log)| (*name, log as _)).collect();
    Hive::open(&source(primary), &logs).expect(primary)
}

#[test]
fn corpus_dirty_hive_is_replayed_to_its_end() {
    let Some(folder) = corpus("dirty-b") else {
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
fn corpus_windows_7_holds_what_other_readers_found() {
    let Some(folder) = corpus("wks-win732bita") else {
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
fn corpus_both_walks_find_the_same_keys() {
    let Some(folder) = corpus("walks") else {
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
fn corpus_damaged_hives_are_survived() {
    let Some(folder) = corpus("damaged") else {
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
