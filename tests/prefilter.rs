//! Reading the wanted records alone gives the same as decoding all and leaving the others out: over every shape of record,
//! every kind of damage, random logs, and the corpus.

mod support;

use std::ops::RangeBounds;

use proptest::prelude::*;
use rdptriage::bundle::ReadAt;
use rdptriage::facts::watch;
use rdptriage::parse::event_log::{self, EventRecord, LogSummary, RecordKey};
use support::corpus::corpus;
use support::event_log::places::{chunk_at, field, records_of};
use support::event_log::{CHUNK_SIZE, Event, FILE_HEADER, LogBuilder, Value, seal};
use support::properties;

type Wants<'a> = &'a (dyn Fn(&RecordKey<'_>) -> bool + Sync);

/// With the filter: what is not wanted is not decoded.
fn filtered(log: &dyn ReadAt, wants: Wants<'_>) -> (Vec<EventRecord>, LogSummary) {
    let mut records = Vec::new();
    let summary = event_log::read(log, wants, &mut |record| records.push(record)).expect("a log");
    (records, summary)
}

/// Without it: everything is wanted, so everything is decoded, and chosen afterwards.
fn decoded(log: &dyn ReadAt, wants: Wants<'_>) -> (Vec<EventRecord>, LogSummary) {
    let (mut records, summary) = filtered(log, &|_| true);
    records.retain(|record| {
        wants(&RecordKey {
            provider: &record.provider,
            source_name: record.source_name.as_deref(),
            event_id: record.event_id,
        })
    });
    (records, summary)
}

#[track_caller]
fn assert_same(what: &str, log: &dyn ReadAt, wants: Wants<'_>) {
    let (with, with_summary) = filtered(log, wants);
    let (without, without_summary) = decoded(log, wants);
    assert_eq!(with, without, "{what}: the records");
    assert_eq!(with_summary, without_summary, "{what}: the summary");
}

const SELECTIONS: [(&str, Wants<'static>); 4] = [
    ("the watch list", &watch::wants),
    ("nothing", &|_| false),
    ("one id", &|key| key.event_id == 36874),
    ("a source name", &|key| {
        key.source_name == Some("TermService")
    }),
];

fn event(index: u32) -> Event {
    let start: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().expect("a time");
    let rdp = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS";
    let manager = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
    match index % 7 {
        0 => Event::new("Service Control Manager", 7036)
            .qualifiers(16384)
            .string("TermService")
            .string("running"),
        1 => Event::new(rdp, 131)
            .guid("{1139c61b-b549-4251-8ed3-27250a1edec8}")
            .activity("{F4202D6C-1234-4D4E-9A11-0123456789AB}")
            .user("S-1-5-20")
            .data("ConnType", "TCP")
            .data("ClientIP", "10.0.0.5:50222"),
        2 => Event::new(manager, 1056)
            .source_name("TermService")
            .qualifiers(49152)
            .string("srv1")
            .string("")
            .binary(&[1, 2, 3]),
        3 => Event::new(manager, 1149)
            .user_data("EventXML", "Event_NS")
            .data("Param1", "admin")
            .data("Param3", "10.0.0.5"),
        4 => Event::new("Schannel", 36874).data("Protocol", "TLS 1.2"),
        5 => Event::new("Microsoft-Windows-Security-Auditing", 4688)
            .data("SubjectUserSid", Value::Sid("S-1-5-18".into()))
            .data("NewProcessId", Value::Hex64(0x1234))
            .data("Many", Value::Texts(vec!["a".into(), "b".into()])),
        _ => Event::new("Übersetzer-Ω", 99).data("Name", "& < ü \u{1F512}"),
    }
    .at(start + jiff::SignedDuration::from_secs(i64::from(index)))
}

fn stream(count: u32) -> impl Iterator<Item = Event> {
    (0..count).map(event)
}

fn log() -> Vec<u8> {
    LogBuilder::new("System").extend(stream(700)).to_bytes()
}

/// One log of each kind.
fn kinds() -> [(&'static str, Vec<u8>); 10] {
    [
        ("live", log()),
        (
            "without templates",
            LogBuilder::new("System")
                .extend(stream(700).map(Event::templateless))
                .to_bytes(),
        ),
        (
            "with and without templates",
            LogBuilder::new("System")
                .extend(
                    stream(700)
                        .enumerate()
                        .map(|(index, event)| match index % 3 {
                            0 => event.templateless(),
                            _ => event,
                        }),
                )
                .to_bytes(),
        ),
        (
            "exported",
            LogBuilder::new("System")
                .exported()
                .first_record(40_000)
                .extend(stream(300))
                .first_record(50_000)
                .extend(stream(300))
                .to_bytes(),
        ),
        (
            "wrapped",
            LogBuilder::new("System")
                .extend(stream(2000))
                .wraps_after(3)
                .to_bytes(),
        ),
        (
            "a renamed computer, another channel, a clock set back and forth",
            LogBuilder::new("System")
                .computer("WIN-TEMPLATE")
                .extend(stream(50))
                .computer("SRV1")
                .extend(stream(50))
                .extend(stream(20).map(|event| event.channel("Application")))
                .extend(stream(20).map(|event| event.time("2030-01-01T00:00:00Z")))
                .extend(stream(50))
                .to_bytes(),
        ),
        (
            "times nobody believes",
            LogBuilder::new("System")
                .extend(stream(10).map(|event| event.time("1601-01-01T00:00:01Z")))
                .extend(stream(10).map(|event| event.time("1999-12-31T23:59:59Z")))
                .to_bytes(),
        ),
        (
            "names that are not plain",
            LogBuilder::new("System")
                .computer(" SRV1\t")
                .extend(stream(20))
                .push(Event::new("Schannel\u{1}", 36874))
                .push(Event::new("Schannel ", 36874))
                .push(Event::new("SCHANNEL", 36874))
                .push(Event::new("", 36874))
                .push(Event::new("Schannel", 36874).channel(""))
                .to_bytes(),
        ),
        (
            "gaps",
            LogBuilder::new("System")
                .extend(stream(10))
                .first_record(21)
                .extend(stream(5))
                .to_bytes(),
        ),
        (
            "empty",
            LogBuilder::new("System").spare_chunks(2).to_bytes(),
        ),
    ]
}

#[test]
fn every_kind_of_log_gives_the_same() {
    for (kind, log) in &kinds() {
        for (selection, wants) in SELECTIONS {
            assert_same(&format!("{kind}, {selection}"), log, wants);
        }
    }
}

/// What happened in a stretch of time, by the time of the event: that of the record's header is when it was written, and exported
/// records have none.
#[test]
fn a_stretch_of_time_gives_the_same() {
    use std::ops::Bound::{Excluded, Included, Unbounded};
    let at = |seconds: i64| {
        let start: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().expect("a time");
        start + jiff::SignedDuration::from_secs(seconds)
    };
    let stretches = [
        (Included(at(100)), Excluded(at(200))),
        (Included(at(15)), Unbounded),
        (Unbounded, Excluded(at(15))),
        (Included(at(100_000_000)), Unbounded),
    ];
    for (kind, log) in &kinds() {
        for during in stretches {
            for (selection, wants) in SELECTIONS {
                let (chosen, _) = decoded(log, wants);
                let chosen: Vec<EventRecord> = chosen
                    .into_iter()
                    .filter(|record| during.contains(&record.time))
                    .collect();
                let mut read = Vec::new();
                let summary =
                    event_log::read_during(log, during, wants, &mut |record| read.push(record));
                assert_eq!(read, chosen, "{kind}, {selection}, {during:?}");
                assert_eq!(
                    summary.expect("a log"),
                    filtered(log, wants).1,
                    "{kind}: the summary speaks of all records"
                );
            }
        }
    }
}

#[test]
fn every_damage_gives_the_same() {
    let whole = log();
    let places = records_of(&whole, 1);
    let damaged = |damage: &dyn Fn(&mut Vec<u8>)| {
        let mut log = whole.clone();
        damage(&mut log);
        log
    };
    let sealed = |damage: &dyn Fn(&mut Vec<u8>)| {
        let mut log = damaged(damage);
        seal(&mut log[chunk_at(1)..chunk_at(2)]);
        log
    };
    let place = places[40];
    let logs = [
        (
            "cut off within a chunk",
            damaged(&|log| log.truncate(places[20] + 60)),
        ),
        ("file magic gone", damaged(&|log| log[..8].fill(0))),
        (
            "file header cut off",
            damaged(&|log| drop(log.drain(..FILE_HEADER))),
        ),
        (
            "shifted",
            damaged(&|log| log.splice(0..0, [0xaa; 512]).for_each(drop)),
        ),
        (
            "chunk magic gone",
            damaged(&|log| log[chunk_at(1)..chunk_at(1) + 8].fill(0)),
        ),
        (
            "chunk header gone",
            damaged(&|log| log[chunk_at(1)..chunk_at(1) + 512].fill(0)),
        ),
        (
            "record magic gone",
            damaged(&|log| log[place..place + 4].fill(0)),
        ),
        (
            "record size insane",
            damaged(&|log| log[place + 4..place + 8].fill(0xff)),
        ),
        (
            "record size insane, sealed",
            sealed(&|log| log[place + 4..place + 8].fill(0xff)),
        ),
        (
            "string table bad",
            damaged(&|log| log[chunk_at(1) + 128..chunk_at(1) + 384].fill(0xff)),
        ),
        (
            "string table bad, sealed",
            sealed(&|log| log[chunk_at(1) + 128..chunk_at(1) + 384].fill(0xff)),
        ),
        (
            "chunk zeroed",
            damaged(&|log| log[chunk_at(1)..chunk_at(2)].fill(0)),
        ),
        (
            "last chunk zeroed",
            damaged(&|log| {
                let last = log.len() - CHUNK_SIZE;
                log[last..].fill(0);
            }),
        ),
        ("a byte flipped", damaged(&|log| log[place + 100] ^= 1)),
        (
            "records overwritten",
            damaged(&|log| log[places[40]..places[43]].fill(0xee)),
        ),
        (
            "records overwritten, sealed",
            sealed(&|log| log[places[40]..places[43]].fill(0xee)),
        ),
        (
            "an unknown token, sealed",
            sealed(&|log| log[place + 28] = 0x3f),
        ),
        (
            "a definition out of place, sealed",
            sealed(&|log| log[place + 34..place + 38].fill(0xff)),
        ),
        (
            "a definition in the header, sealed",
            sealed(&|log| log[place + 34..place + 38].fill(0)),
        ),
        (
            "bytes taken out",
            damaged(&|log| drop(log.drain(chunk_at(1) + 8192..chunk_at(1) + 12288))),
        ),
        (
            "a chunk missing",
            damaged(&|log| drop(log.drain(chunk_at(1)..chunk_at(2)))),
        ),
        (
            "a chunk twice",
            damaged(&|log| {
                let again = log[chunk_at(1)..chunk_at(2)].to_vec();
                log.extend(again);
            }),
        ),
    ];
    for (damage, log) in &logs {
        for (selection, wants) in SELECTIONS {
            assert_same(&format!("{damage}, {selection}"), log, wants);
        }
    }
}

/// Bytes of records changed, with checksums that are right: what the filter does not understand it leaves to the decoder, and
/// what reaches beyond its record reads the same however its neighbours are passed over.
#[track_caller]
fn assert_same_events(what: &str, log: &Vec<u8>) {
    let wants = SELECTIONS[0].1;
    assert_eq!(filtered(log, wants).0, decoded(log, wants).0, "{what}");
}

#[test]
fn changed_bytes_under_right_checksums_give_the_same_events() {
    let whole = LogBuilder::new("System").extend(stream(8)).to_bytes();
    let places = records_of(&whole, 0);
    for at in places[0] + 24..places[2] {
        for value in [0x00, whole[at] ^ 0x05] {
            let mut log = whole.clone();
            log[at] = value;
            seal(&mut log[chunk_at(0)..]);
            assert_same_events(&format!("byte {at} set to {value:#x}"), &log);
        }
    }
}

/// A name's length that reaches beyond the NUL behind it: the decoder ends the name there, whatever its length says. The record
/// that holds the name is broken by it, those that point to it are not.
#[test]
fn a_name_longer_than_itself_reads_the_same() {
    let named = |id| Event::new("Schannel", id).source_name("TermService");
    let mut log = LogBuilder::new("System")
        .push(named(1).data("One", 1))
        .push(named(2).string("another template"))
        .to_bytes();
    let name: Vec<u8> = "EventSourceName"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let name = log.windows(name.len()).position(|text| text == name);
    log[name.expect("the name") - 1] = 1; // 271 characters
    seal(&mut log[chunk_at(0)..]);
    let (selection, wants) = SELECTIONS[3];
    assert!(!decoded(&log, wants).0.is_empty());
    assert_same(selection, &log, wants);
}

/// Values longer than their records: they reach into the header of the next one, which passing over it changes.
#[test]
fn a_value_that_reaches_beyond_its_record_reads_the_same() {
    // Bytes are shown to their last one, as texts are not; and whoever stands behind is not wanted.
    let bytes = (0..18).map(|index| match index % 3 {
        0 => Event::new("Schannel", 36874).data("Blob", Value::Bytes(vec![0xab; 12])),
        _ => Event::new("Other", 7).data("Index", index),
    });
    let bytes = LogBuilder::new("System").extend(bytes).to_bytes();
    let texts = LogBuilder::new("System").extend(stream(21)).to_bytes();
    for (whole, which) in [(&bytes, 6..8), (&texts, 7..14)] {
        for place in &records_of(whole, 0)[which] {
            // Whatever is a length there becomes a longer one.
            for at in place + 24..place + field(whole, place + 4) - 4 {
                let mut log = whole.clone();
                log[at] = log[at].wrapping_add(44);
                seal(&mut log[chunk_at(0)..]);
                assert_same_events(&format!("byte {at}"), &log);
            }
        }
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        "\\PC{0,12}".prop_map(Value::Text),
        any::<u8>().prop_map(Value::U8),
        any::<u16>().prop_map(Value::U16),
        any::<u32>().prop_map(Value::U32),
        any::<u64>().prop_map(Value::U64),
        any::<i32>().prop_map(Value::I32),
        any::<bool>().prop_map(Value::Bool),
        any::<u32>().prop_map(Value::Hex32),
        any::<u64>().prop_map(Value::Hex64),
        proptest::collection::vec(any::<u8>(), 0..9).prop_map(Value::Bytes),
        proptest::collection::vec("[a-z]{0,5}", 0..4).prop_map(Value::Texts),
        proptest::collection::vec(any::<u32>(), 0..4).prop_map(Value::Numbers),
        (0u32..9, 0u32..9).prop_map(|(one, other)| Value::Sid(format!("S-1-5-{one}-{other}"))),
    ]
}

/// A value, or fields by a template of their own, two deep.
fn any_field() -> impl Strategy<Value = Value> {
    any_value().prop_recursive(2, 6, 3, |inner| {
        proptest::collection::vec(("[A-Z][a-z]{0,3}", inner), 0..3).prop_map(Value::Fields)
    })
}

prop_compose! {
    fn any_event()(
        provider in prop_oneof![
            Just("Schannel".to_owned()),
            Just("Microsoft-Windows-TerminalServices-RemoteConnectionManager".to_owned()),
            "\\PC{0,10}",
        ],
        id in prop_oneof![Just(36874u16), Just(1056), any::<u16>()],
        shape in 0..4u8,
        fields in proptest::collection::vec(("[A-Z][a-z]{0,6}", any_field()), 0..5),
        strings in proptest::collection::vec("\\PC{0,8}", 1..4),
        // Seconds: mostly near each other, now and then far off.
        second in prop_oneof![5 => 1_767_225_600i64..1_767_225_900, 1 => -9_000_000_000i64..9_000_000_000],
        (qualified, source, templateless, user, activity, elsewhere) in any::<(bool, bool, bool, bool, bool, bool)>(),
        version in any::<u8>(),
        // Few, so that definitions and names are shared between records.
        slot_order in prop_oneof![3 => Just(0u64), 2 => 1..20u64],
        in_pieces in prop::bool::weighted(0.1),
    ) -> Event {
        let mut event = Event::new(&provider, id)
            .version(version)
            .slot_order(slot_order)
            .at(jiff::Timestamp::from_second(second).expect("a time"));
        if qualified { event = event.qualifiers(id ^ 0x4000); }
        if user { event = event.user("S-1-5-20"); }
        if activity { event = event.activity("{F4202D6C-1234-4D4E-9A11-0123456789AB}"); }
        if elsewhere { event = event.channel("Application"); }
        if source { event = event.source_name("TermService"); }
        if in_pieces { event = event.in_pieces(); }
        match shape {
            0 => event = strings.iter().fold(event, |event, text| event.string(text)),
            1 => event = fields.into_iter().fold(
                event.user_data("EventXML", "urn:x"),
                |event, (name, value)| event.data(&name, value),
            ),
            _ => event = fields.into_iter().fold(event, |event, (name, value)| event.data(&name, value)),
        }
        if templateless { event = event.templateless(); }
        event
    }
}

prop_compose! {
    fn any_log()(
        events in proptest::collection::vec(any_event(), 1..60),
        exported in any::<bool>(),
        first in 1u64..1_000_000,
    ) -> Vec<u8> {
        let log = LogBuilder::new("System").first_record(first);
        let log = if exported { log.exported() } else { log };
        log.extend(events).to_bytes()
    }
}

proptest! {
    #![proptest_config(properties::cases(200))]

    /// Records of every shape: templates nested and shared, slots in odd orders, arrays, names that stand in other records.
    #[test]
    fn random_records_give_the_same(log in any_log()) {
        for (_, wants) in SELECTIONS {
            let (with, with_summary) = filtered(&log, wants);
            let (without, without_summary) = decoded(&log, wants);
            prop_assert_eq!(with, without);
            prop_assert_eq!(with_summary, without_summary);
        }
    }

    /// The same with a few bytes changed under checksums that are right: the events are the same in every field. What is only
    /// passed over may be damaged unnoticed, so that the summaries may differ.
    #[test]
    fn random_damage_under_right_checksums_gives_the_same_events(
        log in any_log(),
        damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let mut log = log;
        for (place, value) in damage {
            // Somewhere in the records of the first chunk.
            let end = chunk_at(0) + field(&log, chunk_at(0) + 48);
            let start = chunk_at(0) + 512;
            log[start + place.index(end - start)] = value;
        }
        seal(&mut log[chunk_at(0)..chunk_at(1)]);
        for (_, wants) in SELECTIONS {
            prop_assert_eq!(filtered(&log, wants).0, decoded(&log, wants).0);
        }
    }
}

/// Each log of the corpus, with each selection.
#[test]
fn the_corpus_gives_the_same() {
    let Some(corpus) = corpus("") else {
        return;
    };
    let folder = std::path::Path::new(&corpus).join("evtx");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    for path in &files {
        let source = rdptriage::bundle::FileSource::open(path).expect("a file");
        let (all, whole) = filtered(&source, &|_| true);
        for (selection, wants) in SELECTIONS {
            let (with, summary) = filtered(&source, wants);
            let without: Vec<_> = all
                .iter()
                .filter(|record| {
                    wants(&RecordKey {
                        provider: &record.provider,
                        source_name: record.source_name.as_deref(),
                        event_id: record.event_id,
                    })
                })
                .collect();
            assert!(
                with.iter().eq(without.iter().copied()),
                "{}, {selection}: {} and {} records",
                path.display(),
                with.len(),
                without.len()
            );
            assert_eq!(summary, whole, "{}, {selection}", path.display());
        }
    }
    assert!(!files.is_empty());
}
