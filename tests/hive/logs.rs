//! Dirty hives and their transaction logs.

use super::*;

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
fn a_log_that_cannot_be_read_may_be_the_newer_one() {
    let versions = versions();
    let primary = dirty(&versions[0]);
    let one = transaction_log::entries(&versions[..3], 50);
    let two = transaction_log::entries(&versions[2..], 52);
    let mut bad_checksum = two.clone();
    bad_checksum[508] ^= 1;
    let cut = two[..300].to_vec();
    for two in [bad_checksum, cut] {
        let hive = with_logs(&primary, &[("LOG1", &one), ("LOG2", &two)]);
        assert!(hive.is_stale());
        let replay = hive.replay().unwrap();
        assert_eq!(replay.used.len(), 1);
        assert_eq!(replay.ignored, [("LOG2".to_owned(), Ignored::NoHeader)]);
        // What the readable one holds is there all the same.
        assert_eq!(hive.bytes()[4096..], versions[2][4096..]);
    }
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

/// Windows writes to one log while it brings the other's entries into the hive: the one that is missing may hold the newer writes.
#[test]
fn one_of_two_logs_counts_where_its_numbers_go_on_to_the_hives_own() {
    let versions = versions();
    let primary = dirty(&versions[0]);
    let empty = Vec::new();
    let next = transaction_log::entries(&versions, 42);
    let later = transaction_log::entries(&versions, 50);
    let pages = transaction_log::dirty_pages(&versions[0], &versions[3], 42);
    let later_pages = transaction_log::dirty_pages(&versions[0], &versions[3], 43);
    for (log, alone) in [
        (&next, State::Replayed),
        (&later, State::Stale),
        (&pages, State::Replayed),
        (&later_pages, State::Stale),
    ] {
        for (name, other) in [
            ("SYSTEM.LOG1", "SYSTEM.LOG2"),
            ("system.log2", "system.log1"),
        ] {
            let hive = with_logs(&primary, &[(name, log)]);
            assert_eq!(hive.state(), alone, "{name}");
            assert_eq!(hive.bytes()[4096..], versions[3][4096..]);
            let hive = with_logs(&primary, &[(name, log), (other, &empty)]);
            assert_eq!(hive.state(), State::Replayed, "{name}, {other} empty");
        }
    }
    let hive = with_logs(&primary, &[("SYSTEM.LOG", &pages)]);
    assert_eq!(hive.state(), State::Replayed);
}
