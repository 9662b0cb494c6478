//! Hives that lost bytes, or whose bytes lie.

use super::*;

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
    assert_eq!(value(&hive, "Blob", "first").bytes, [0_u8; 0]);
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
    let length = headless.len() as u64;
    for problem in hive.problems() {
        assert!(problem.at < length, "no such place: {problem:?}");
    }

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

#[test]
fn no_damage_makes_it_panic_or_hang() {
    let versions = versions();
    let log = transaction_log::entries(&versions, 50);
    let old_log = transaction_log::dirty_pages(&versions[0], &versions[3], 42);
    let mut seeded = Seeded::new(0x5EED_0001);
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

/// Whatever sector is zeroed: a value is read as it was, or it is unreadable, never absent or another.
#[test]
fn no_zeroed_sector_makes_a_value_absent_or_another() {
    let whole = versions().pop().expect("a version");
    let intact = open(&whole);
    let mut asked: Vec<(String, String)> = (0..40)
        .map(|number| {
            (
                format!(r"{SERVICES}\Service{number:03}"),
                "Start".to_owned(),
            )
        })
        .collect();
    asked.extend((0..200).step_by(10).map(|number| {
        (
            r"ControlSet001\Control\New".to_owned(),
            format!("value {number}"),
        )
    }));
    asked.push((TERMINAL_SERVER.to_owned(), "fDenyTSConnections".to_owned()));
    asked.push(("Select".to_owned(), "Current".to_owned()));
    let (mut read, mut unreadable) = (0, 0);
    for sector in (4096..whole.len()).step_by(512) {
        let mut damaged = whole.clone();
        damaged[sector..sector + 512].fill(0);
        let hive = open(&damaged);
        for (path, name) in &asked {
            match hive.key(path).and_then(|key| key.value(name)) {
                Lookup::Present(found) => {
                    assert_eq!(
                        found,
                        value(&intact, path, name),
                        "{path}, sector at {sector}"
                    );
                    read += 1;
                }
                Lookup::Unreadable(_) => unreadable += 1,
                Lookup::Absent => {
                    panic!("{path}, {name}: absent with the sector at {sector} zeroed")
                }
            }
        }
    }
    assert!(
        read > 4 * unreadable && unreadable > 0,
        "{read} read, {unreadable} not"
    );
}

/// A policy list that lost a sector must not be taken for a shorter list.
#[test]
fn a_text_that_lost_a_sector_is_unreadable() {
    let suites: Vec<String> = (0..60)
        .map(|number| format!("TLS_SUITE_{number:03}"))
        .collect();
    let suites: Vec<&str> = suites.iter().map(String::as_str).collect();
    let mut builder = system();
    builder
        .set_multi_sz("Policy", "Functions", &suites)
        .set_sz("Policy", "Text", &suites.join(","))
        .at("Policy")
        .value("Padded", 1, &[b"s\0hort".as_slice(), &[0; 1500]].concat());
    let whole = builder.to_bytes();
    let hive = open(&whole);
    assert!(key(&hive, "Policy").values().is_whole());
    for (name, separator) in [("Functions", "\0"), ("Text", ",")] {
        let start = suites.join(separator);
        let start: Vec<u8> = start.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let sector = (find(&whole, &start) + 512).next_multiple_of(512);
        let mut damaged = whole.clone();
        damaged[sector..sector + 512].fill(0);
        let hive = open(&damaged);
        assert_eq!(why(key(&hive, "Policy").value(name)), Why::Zeroed, "{name}");
    }
}
