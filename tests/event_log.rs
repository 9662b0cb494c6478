//! Event logs: every shape of record, every kind of damage.

mod support;

use rdptriage::parse::event_log::{
    self, EventLogError, EventRecord, GapKind, Integrity, LogSummary, RecordKey,
};
use support::event_log::{CHUNK_SIZE, Event, FILE_HEADER, LogBuilder, Value, seal};

fn read(log: &Vec<u8>) -> (Vec<EventRecord>, LogSummary) {
    let mut records = Vec::new();
    let summary =
        event_log::read(log, &|_| true, &mut |record| records.push(record)).expect("a log");
    (records, summary)
}

/// One event of each shape.
fn shapes() -> Vec<Event> {
    let rdp = Event::new("Microsoft-Windows-RemoteDesktopServices-RdpCoreTS", 131)
        .guid("{1139c61b-b549-4251-8ed3-27250a1edec8}")
        .time("2026-03-01T08:00:00.1234567Z")
        .channel("Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational")
        .process(1232, 4321)
        .task(4, 15)
        .keywords(0x4000_0000_0000_0000)
        .activity("{F4202D6C-1234-4D4E-9A11-0123456789AB}")
        .user("S-1-5-20")
        .data("ConnType", "TCP")
        .data("ClientIP", "10.0.0.5:50222");
    let classic = Event::new(
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
        1056,
    )
    .guid("{c76baa63-ae81-421c-b425-340b4b24157f}")
    .source_name("TermService")
    .qualifiers(49152)
    .level(2)
    .time("2026-03-01T08:00:01Z")
    .string("srv1.corp.example")
    .string("")
    .string("third")
    .binary(&[0x01, 0xab, 0xff, 0x00]);
    let single = Event::new("TermDD", 56)
        .qualifiers(49162)
        .time("2026-03-01T08:00:02Z")
        .string("\u{1F512} \\Device\\Termdd");
    let user_data = Event::new(
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager",
        1149,
    )
    .time("2026-03-01T08:00:03Z")
    .user_data("EventXML", "Event_NS")
    .data("Param1", "admin")
    .data("Param2", "")
    .data("Param3", "10.0.0.5");
    let attribute = Event::new(
        "Microsoft-Windows-CertificateServicesClient-Lifecycle-System",
        1003,
    )
    .time("2026-03-01T08:00:04Z")
    .user_data("CertNotificationData", "urn:x")
    .data("CertificateDetails@Thumbprint", "00ff")
    .data("Action", "x");
    let types = Event::new("Types", 7)
        .version(3)
        .time("2026-03-01T08:00:05Z")
        .data("U8", Value::U8(200))
        .data("U16", Value::U16(65000))
        .data("U32", Value::U32(4_000_000_000))
        .data("U64", Value::U64(u64::MAX))
        .data("I32", Value::I32(-5))
        .data("Bool", Value::Bool(true))
        .data("Hex32", Value::Hex32(0x8009_030d))
        .data("Hex64", Value::Hex64(0x8000_0000_0000_0001))
        .data(
            "Time",
            Value::Time("2026-01-02T03:04:05.5Z".parse().expect("a time")),
        )
        .data("Sid", Value::Sid("S-1-5-21-1-2-3-500".into()))
        .data(
            "Guid",
            Value::Guid("{00112233-4455-6677-8899-AABBCCDDEEFF}".into()),
        )
        .data("Bytes", Value::Bytes(vec![1, 2, 254]))
        .data("None", Value::Null)
        .data("Many", Value::Texts(vec!["a".into(), "b".into()]));
    let bare = Event::new("Schannel", 36864).time("2026-03-01T08:00:06Z");
    vec![rdp, classic, single, user_data, attribute, types, bare]
}

fn numbers(records: &[EventRecord]) -> Vec<u64> {
    records.iter().map(|record| record.number).collect()
}

#[test]
fn a_template_event_with_named_data_reads_back() {
    let (records, _) = read(
        &LogBuilder::new("System")
            .first_record(1000)
            .extend(shapes())
            .to_bytes(),
    );
    let rdp = &records[0];
    assert_eq!(rdp.number, 1000);
    assert_eq!(rdp.time.to_string(), "2026-03-01T08:00:00.1234567Z");
    assert_eq!(
        rdp.provider,
        "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS"
    );
    assert_eq!(
        (rdp.event_id, rdp.version, rdp.level, rdp.qualifiers),
        (131, Some(0), Some(4), None)
    );
    assert_eq!(rdp.keywords, Some(0x4000_0000_0000_0000));
    assert_eq!(
        rdp.channel,
        "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational"
    );
    assert_eq!(rdp.computer, "SRV1");
    assert_eq!((rdp.process_id, rdp.thread_id), (Some(1232), Some(4321)));
    assert_eq!(
        rdp.activity_id.as_deref(),
        Some("{f4202d6c-1234-4d4e-9a11-0123456789ab}")
    );
    assert_eq!(rdp.user_sid.as_deref(), Some("S-1-5-20"));
    assert_eq!(rdp.data.field("ClientIP"), Some("10.0.0.5:50222"));
    assert_eq!(rdp.data.field("clientip"), None);
    assert_eq!(rdp.integrity, Integrity::Whole);
}

#[test]
fn a_classic_event_keeps_the_places_of_its_strings_and_its_bytes() {
    let (records, _) = read(&LogBuilder::new("System").extend(shapes()).to_bytes());
    let classic = &records[1];
    assert_eq!(classic.source_name.as_deref(), Some("TermService"));
    assert_eq!((classic.event_id, classic.qualifiers), (1056, Some(49152)));
    assert_eq!(classic.data.unnamed, ["srv1.corp.example", "", "third"]);
    assert_eq!(
        classic.data.binary.as_deref(),
        Some(&[0x01, 0xab, 0xff, 0x00][..])
    );
    assert_eq!(records[2].data.unnamed, ["\u{1F512} \\Device\\Termdd"]);
    assert_eq!(records[2].data.binary, None);
}

#[test]
fn user_data_is_looked_up_by_leaf_and_by_attribute() {
    let (records, _) = read(&LogBuilder::new("System").extend(shapes()).to_bytes());
    assert_eq!(records[3].data.container, "EventXML");
    assert_eq!(records[3].data.field("Param1"), Some("admin"));
    assert_eq!(records[3].data.field("Param2"), Some(""));
    assert_eq!(records[3].data.field("EventXML@xmlns"), None);
    assert_eq!(records[4].data.container, "CertNotificationData");
    assert_eq!(
        records[4].data.field("CertificateDetails@Thumbprint"),
        Some("00ff")
    );
}

#[test]
fn every_type_of_value_reads_as_its_text() {
    let (records, _) = read(&LogBuilder::new("System").extend(shapes()).to_bytes());
    let types = &records[5].data;
    for (name, text) in [
        ("U8", "200"),
        ("U16", "65000"),
        ("U32", "4000000000"),
        ("U64", "18446744073709551615"),
        ("I32", "-5"),
        ("Bool", "true"),
        ("Hex32", "0x8009030d"),
        ("Hex64", "0x8000000000000001"),
        ("Time", "2026-01-02T03:04:05.5000000Z"),
        ("Sid", "S-1-5-21-1-2-3-500"),
        ("Guid", "{00112233-4455-6677-8899-aabbccddeeff}"),
        ("Bytes", "0102FE"),
    ] {
        assert_eq!(types.field(name), Some(text), "{name}");
    }
    assert_eq!(types.fields("Many").collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(records[5].version, Some(3));
}

#[test]
fn fields_of_the_same_name_are_all_found() {
    let event = Event::new("Twice", 1)
        .data("Name", "first")
        .data("Other", "x")
        .data("Name", "second")
        .data("Name_of", "no");
    let (records, _) = read(&LogBuilder::new("System").push(event).to_bytes());
    assert_eq!(records[0].data.field("Name"), Some("first"));
    assert_eq!(
        records[0].data.fields("Name").collect::<Vec<_>>(),
        ["first", "second"]
    );
}

#[test]
fn records_without_templates_say_the_same() {
    let with = LogBuilder::new("System").extend(shapes()).to_bytes();
    let without = shapes().into_iter().map(Event::templateless);
    let without = LogBuilder::new("System").extend(without).to_bytes();
    let (with, summary) = read(&with);
    assert_eq!(summary.templateless, 0);
    let (without, summary) = read(&without);
    assert_eq!(summary.templateless, 7);
    for (with, without) in with
        .iter()
        .zip(&without)
        .filter(|(with, _)| with.provider != "Types")
    {
        assert_eq!(
            EventRecord {
                offset: 0,
                ..with.clone()
            },
            EventRecord {
                offset: 0,
                ..without.clone()
            }
        );
    }
    assert_eq!(with.len(), without.len());
}

#[test]
fn only_what_is_wanted_is_delivered_and_all_is_summed_up() {
    let log = LogBuilder::new("System").extend(shapes()).to_bytes();
    let mut delivered = Vec::new();
    let wants =
        |key: &RecordKey<'_>| key.source_name == Some("TermService") && key.event_id == 1056;
    let summary = event_log::read(&log, &wants, &mut |record| delivered.push(record.event_id));
    assert_eq!(delivered, [1056]);
    assert_eq!(summary.expect("a log").records, 7);
}

/// `count` events, one each second, from 2026-03-01T00:00:00Z on.
fn stream(count: u32) -> impl Iterator<Item = Event> {
    let start: jiff::Timestamp = "2026-03-01T00:00:00Z".parse().expect("a time");
    (0..count).map(move |index| {
        let time = start + jiff::SignedDuration::from_secs(i64::from(index));
        match index % 5 {
            0 => Event::new("Service Control Manager", 7036)
                .qualifiers(16384)
                .string("TermService")
                .string("running"),
            _ => Event::new("Schannel", 36874)
                .level(2)
                .data("Protocol", "TLS 1.2")
                .data("Index", index),
        }
        .at(time)
    })
}

const RECORDS: u32 = 900;

/// A log of [`RECORDS`] records from number 1 on, over several chunks.
fn log() -> Vec<u8> {
    LogBuilder::new("System").extend(stream(RECORDS)).to_bytes()
}

fn chunk_at(index: usize) -> usize {
    FILE_HEADER + index * CHUNK_SIZE
}

fn field(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

/// Where the records of a chunk begin, in the file.
fn records_of(log: &[u8], chunk: usize) -> Vec<usize> {
    let start = chunk_at(chunk);
    let mut place = start + 512;
    let mut places = Vec::new();
    while place < start + field(log, start + 48) {
        places.push(place);
        place += field(log, place + 4);
    }
    places
}

#[test]
fn a_whole_log_is_whole() {
    let (records, summary) = read(&log());
    assert_eq!(
        numbers(&records),
        (1..=u64::from(RECORDS)).collect::<Vec<_>>()
    );
    assert!(summary.is_whole() && !summary.is_selection());
    assert_eq!(summary.problems, []);
    assert!(summary.chunks >= 3, "{}", summary.chunks);
    let span = summary.span.expect("records");
    assert_eq!(
        (span.oldest.number, span.newest.number),
        (1, u64::from(RECORDS))
    );
    assert_eq!(span.newest.time.to_string(), "2026-03-01T00:14:59Z");
}

#[test]
fn forging_twice_gives_the_same_bytes() {
    assert_eq!(log(), log());
}

#[test]
fn a_lost_or_shifted_file_header_loses_no_record() {
    let whole = log();
    let mut magic_gone = whole.clone();
    magic_gone[..8].fill(0);
    let cut_off = whole[FILE_HEADER..].to_vec();
    let shifted = [vec![0xaa; 512], whole.clone()].concat();
    let mut zeroed = whole.clone();
    zeroed[..FILE_HEADER].fill(0);
    for (what, log) in [
        ("magic", magic_gone),
        ("cut", cut_off),
        ("shifted", shifted),
        ("zeroed", zeroed),
    ] {
        let (records, summary) = read(&log);
        assert_eq!(records.len(), RECORDS as usize, "{what}");
        assert_eq!(summary.holes, [], "{what}");
        assert!(!summary.problems.is_empty(), "{what}");
    }
}

#[test]
fn a_first_chunk_without_magic_is_found_though_the_file_header_is_gone() {
    let mut log = log();
    log[..FILE_HEADER + 8].fill(0);
    assert_eq!(read(&log).0.len(), RECORDS as usize);
}

#[test]
fn a_log_cut_off_within_a_chunk_gives_all_that_is_there() {
    let whole = log();
    let places = records_of(&whole, 1);
    let cut = places[places.len() / 2] + 60;
    let complete = records_of(&whole, 0).len() + places.len() / 2;
    let (records, summary) = read(&whole[..cut].to_vec());
    let untorn = records
        .iter()
        .filter(|record| record.integrity == Integrity::Whole)
        .count();
    assert_eq!(untorn, complete);
    let last = records.last().expect("records").number;
    let hidden: Vec<_> = summary
        .holes
        .iter()
        .filter_map(|hole| hole.hides.clone())
        .collect();
    let hidden_from = hidden.iter().map(|hides| *hides.start()).min();
    let hidden_to = hidden.iter().map(|hides| *hides.end()).max();
    assert_eq!(
        (hidden_from, hidden_to),
        (Some(last + 1), Some(u64::from(RECORDS)))
    );
    assert!(!summary.is_whole());
}

#[test]
fn a_chunk_without_magic_gives_its_records() {
    let mut log = log();
    log[chunk_at(1)..chunk_at(1) + 8].fill(0x55);
    let (records, summary) = read(&log);
    assert_eq!(
        numbers(&records),
        (1..=u64::from(RECORDS)).collect::<Vec<_>>()
    );
    assert_eq!(summary.holes, []);
    assert_eq!(
        (summary.problems[0].chunk, summary.problems[0].offset),
        (Some(1), chunk_at(1) as u64)
    );
}

#[test]
fn a_chunk_without_header_gives_its_records() {
    let mut log = log();
    log[chunk_at(1)..chunk_at(1) + 512].fill(0);
    let (records, summary) = read(&log);
    assert_eq!(records.len(), RECORDS as usize);
    assert_eq!(summary.holes, []);
}

#[test]
fn a_record_without_magic_or_with_an_insane_size_is_recovered() {
    for (at, value) in [(0, 0u32), (4, 0xffff_0000), (4, 3), (4, 0)] {
        let mut log = log();
        let place = records_of(&log, 1)[40];
        log[place + at..place + at + 4].copy_from_slice(&value.to_le_bytes());
        let (records, summary) = read(&log);
        assert_eq!(records.len(), RECORDS as usize, "{at} {value:#x}");
        assert_eq!(summary.recovered, 1, "{at} {value:#x}");
        assert_eq!(summary.holes, []);
    }
}

#[test]
fn overwritten_records_are_a_hole_that_names_them() {
    let mut log = log();
    let places = records_of(&log, 1);
    let first = records_of(&log, 0).len() as u64 + 41;
    log[places[40]..places[43]].fill(0xee);
    let (records, summary) = read(&log);
    assert_eq!(records.len(), RECORDS as usize - 3);
    let [hole] = summary.holes.as_slice() else {
        panic!("{:?}", summary.holes)
    };
    assert_eq!(hole.hides, Some(first..=first + 2));
    assert_eq!((hole.chunk, hole.offset), (1, places[40] as u64));
    assert_eq!(hole.length, (places[43] - places[40]) as u64);
    assert!(hole.after.is_some() && hole.before > hole.after);
    assert!(!summary.is_selection());
}

#[test]
fn a_record_whose_content_is_broken_is_a_hole_of_one() {
    let mut log = log();
    let place = records_of(&log, 1)[40];
    // An element token that does not exist, in place of the template instance.
    log[place + 28] = 0x3f;
    let (records, summary) = read(&log);
    assert_eq!(records.len(), RECORDS as usize - 1);
    let number = records_of(&log, 0).len() as u64 + 41;
    assert_eq!(summary.holes[0].hides, Some(number..=number));
    assert_eq!(summary.holes[0].offset, place as u64);
    assert_eq!(summary.gap_count, 0);
}

#[test]
fn a_broken_string_table_loses_no_record() {
    let mut log = log();
    for entry in 0..64 {
        let at = chunk_at(1) + 128 + entry * 4;
        log[at..at + 4].copy_from_slice(&0x00ff_0000u32.to_le_bytes());
    }
    let (records, summary) = read(&log);
    assert_eq!(records.len(), RECORDS as usize);
    assert!(
        summary
            .problems
            .iter()
            .any(|problem| problem.what.contains("string table"))
    );
}

#[test]
fn a_zeroed_chunk_is_a_hole_that_names_its_records() {
    let mut log = log();
    let first = records_of(&log, 0).len() as u64 + 1;
    let count = records_of(&log, 1).len() as u64;
    log[chunk_at(1)..chunk_at(2)].fill(0);
    let (records, summary) = read(&log);
    assert_eq!(records.len() as u64, u64::from(RECORDS) - count);
    let [hole] = summary.holes.as_slice() else {
        panic!("{:?}", summary.holes)
    };
    assert_eq!(hole.hides, Some(first..=first + count - 1));
    assert_eq!(
        (hole.chunk, hole.offset, hole.length),
        (1, chunk_at(1) as u64, CHUNK_SIZE as u64)
    );
    assert!(!summary.is_selection());
}

#[test]
fn a_zeroed_last_chunk_is_told_by_the_file_header() {
    let mut log = log();
    let last = (log.len() - FILE_HEADER) / CHUNK_SIZE - 1;
    log[chunk_at(last)..].fill(0);
    let (records, summary) = read(&log);
    let newest = records.last().expect("records").number;
    assert_eq!(
        summary.holes[0].hides,
        Some(newest + 1..=u64::from(RECORDS))
    );
}

#[test]
fn room_that_was_never_written_is_no_hole() {
    let log = LogBuilder::new("System")
        .extend(stream(10))
        .spare_chunks(3)
        .to_bytes();
    let (records, summary) = read(&log);
    assert_eq!(records.len(), 10);
    assert!(summary.is_whole() && summary.problems.is_empty());
}

#[test]
fn a_flipped_byte_is_told_by_the_checksum_and_drops_nothing() {
    let mut log = log();
    let place = records_of(&log, 1)[40];
    log[place + 100] ^= 1;
    let (records, summary) = read(&log);
    assert_eq!(records.len(), RECORDS as usize);
    assert!(
        summary
            .problems
            .iter()
            .any(|problem| problem.chunk == Some(1) && problem.what.contains("checksum"))
    );
}

#[test]
fn a_flipped_byte_in_a_name_that_all_records_share_hides_none_of_them() {
    for name in ["Event", "EventID", "Computer"] {
        let mut log = log();
        let text: Vec<u8> = name
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .chain([0, 0])
            .collect();
        let chunk = &log[chunk_at(1)..chunk_at(2)];
        let length = [name.len() as u8, 0];
        let place = chunk
            .windows(text.len() + 2)
            .position(|window| window[..2] == length && window[2..] == text)
            .expect("the name");
        log[chunk_at(1) + place + 2] ^= 0x10;
        let (records, summary) = read(&log);
        assert_eq!(records.len(), RECORDS as usize, "{name}");
        assert_eq!(summary.computers.len(), 1, "{name}");
        let told = |what: &str| {
            summary
                .problems
                .iter()
                .any(|problem| problem.what.contains(what))
        };
        assert!(told("names were repaired"), "{name}");
    }
}

#[test]
fn a_control_character_in_a_field_name_hides_no_record() {
    let event = Event::new("Schannel", 36874)
        .data("Pro\u{1}tocol", "TLS 1.2")
        .data("Index", 7);
    let (records, summary) = read(&LogBuilder::new("System").push(event).to_bytes());
    assert_eq!(records[0].data.field("Index"), Some("7"));
    assert_eq!(summary.holes, []);
}

#[test]
fn bytes_taken_out_of_the_middle_cost_only_what_they_held() {
    let whole = log();
    let cut = chunk_at(1) + 8192;
    let log = [&whole[..cut], &whole[cut + 4096..]].concat();
    let (records, _) = read(&log);
    let lost = records_of(&whole, 1).len();
    assert!(
        records.len() >= RECORDS as usize - lost,
        "{}",
        records.len()
    );
    assert!(
        records
            .iter()
            .any(|record| record.number == u64::from(RECORDS))
    );
}

#[test]
fn a_log_copied_while_it_was_written_is_read_to_its_end() {
    let mut log = LogBuilder::new("System")
        .extend(stream(RECORDS))
        .copied_live(1)
        .to_bytes();
    // The header of the last chunk is behind by five records.
    let last = (log.len() - FILE_HEADER) / CHUNK_SIZE - 1;
    let places = records_of(&log, last);
    let start = chunk_at(last);
    let behind = places.len() - 5;
    let free_space = (places[behind] - start) as u32;
    log[start + 48..start + 52].copy_from_slice(&free_space.to_le_bytes());
    log[start + 44..start + 48]
        .copy_from_slice(&((places[behind - 1] - start) as u32).to_le_bytes());
    log[start + 32..start + 40].copy_from_slice(&(u64::from(RECORDS) - 5).to_le_bytes());
    seal(&mut log[start..]);
    let (records, summary) = read(&log);
    assert_eq!(
        numbers(&records),
        (1..=u64::from(RECORDS)).collect::<Vec<_>>()
    );
    assert_eq!(summary.holes, []);
    let told: Vec<&str> = summary
        .problems
        .iter()
        .map(|problem| problem.what.as_str())
        .collect();
    assert!(
        told.iter()
            .any(|what| what.contains("file header counts 1 chunks")),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|what| what.starts_with("5 records stand behind")),
        "{told:?}"
    );
    assert!(summary.header.expect("a header").dirty);
}

#[test]
fn records_of_an_earlier_turn_are_not_live() {
    let mut log = LogBuilder::new("System")
        .first_record(5000)
        .extend(stream(30))
        .to_bytes();
    let old = LogBuilder::new("System")
        .first_record(100)
        .extend(stream(120))
        .to_bytes();
    let end = records_of(&old, 0)[60];
    let free = chunk_at(0) + field(&log, chunk_at(0) + 48);
    let slack = &old[end..chunk_at(1)];
    log[free..free + slack.len().min(chunk_at(1) - free)]
        .copy_from_slice(&slack[..slack.len().min(chunk_at(1) - free)]);
    let (records, summary) = read(&log);
    assert_eq!(numbers(&records), (5000..5030).collect::<Vec<_>>());
    assert!(summary.is_whole());
}

#[test]
fn a_wrapped_log_comes_oldest_first() {
    let log = LogBuilder::new("System")
        .extend(stream(2000))
        .wraps_after(3)
        .to_bytes();
    let (records, summary) = read(&log);
    let numbers = numbers(&records);
    assert!(numbers.is_sorted() && numbers[0] > 1);
    assert_eq!(*numbers.last().expect("records"), 2000);
    assert_eq!(numbers.len() as u64, 2001 - numbers[0]);
    assert!(summary.is_whole());
    assert!(
        records[0].offset > records.last().expect("records").offset,
        "it has wrapped"
    );
}

#[test]
fn numbers_left_out_without_damage_tell_of_a_selection() {
    let log = LogBuilder::new("System")
        .extend(stream(10))
        .first_record(21)
        .extend(stream(5))
        .to_bytes();
    let (_, summary) = read(&log);
    assert!(summary.is_selection());
    assert_eq!((summary.gap_count, summary.missing), (1, 10));
    assert_eq!(
        (summary.gaps[0].numbers.clone(), summary.gaps[0].kind),
        (11..=20, GapKind::Selected)
    );
}

#[test]
fn an_export_is_a_selection_only_where_event_record_ids_jump() {
    let all = LogBuilder::new("System")
        .exported()
        .first_record(40_000)
        .extend(stream(RECORDS))
        .to_bytes();
    let (records, summary) = read(&all);
    assert_eq!((records[0].number, records[0].order), (40_000, 1));
    assert_eq!(records[0].time.to_string(), "2026-03-01T00:00:00Z");
    assert!(summary.is_whole() && !summary.is_selection());
    let some = LogBuilder::new("System")
        .exported()
        .first_record(40_000)
        .extend(stream(5))
        .first_record(40_100)
        .extend(stream(5))
        .to_bytes();
    let (_, summary) = read(&some);
    assert!(summary.is_selection());
    assert_eq!(summary.gaps[0].numbers, 40_005..=40_099);
}

#[test]
fn a_damaged_export_of_everything_is_no_selection() {
    let mut log = LogBuilder::new("System")
        .exported()
        .first_record(40_000)
        .extend(stream(RECORDS))
        .to_bytes();
    log[chunk_at(1)..chunk_at(2)].fill(0);
    let (_, summary) = read(&log);
    assert!(!summary.is_selection());
    assert_eq!(summary.holes.len(), 1);
}

#[test]
fn chunks_that_are_missing_without_a_trace_are_no_selection() {
    let mut log = log();
    log.drain(chunk_at(1)..chunk_at(2));
    let (_, summary) = read(&log);
    assert!(!summary.is_whole() && !summary.is_selection());
}

#[test]
fn a_clock_set_back_is_a_step() {
    let log = LogBuilder::new("System")
        .push(Event::new("A", 1).time("2026-03-01T10:00:00Z"))
        .push(Event::new("A", 1).time("2026-03-01T09:59:59.9Z"))
        .push(Event::new("A", 1).time("2026-02-01T00:00:00Z"))
        .push(Event::new("A", 1).time("2026-02-01T00:00:01Z"))
        .to_bytes();
    let (records, summary) = read(&log);
    assert_eq!(numbers(&records), [1, 2, 3, 4]);
    let [step] = summary.clock_steps.as_slice() else {
        panic!("{:?}", summary.clock_steps)
    };
    assert_eq!((step.from.number, step.to.number), (2, 3));
}

#[test]
fn each_computer_name_has_its_span() {
    let log = LogBuilder::new("System")
        .computer("WIN-TEMPLATE")
        .extend(stream(300))
        .computer("SRV1.corp.example")
        .extend(stream(300))
        .to_bytes();
    let (_, summary) = read(&log);
    let span = |name: &str| {
        let span = summary.computers[name];
        (span.oldest.number, span.newest.number)
    };
    assert_eq!(span("WIN-TEMPLATE"), (1, 300));
    assert_eq!(span("SRV1.corp.example"), (301, 600));
    assert_eq!(summary.computers.len(), 2);
}

#[test]
fn what_is_no_log_says_so() {
    let refused = |bytes: Vec<u8>| event_log::read(&bytes, &|_| true, &mut |_| {}).map(drop);
    assert!(matches!(refused(Vec::new()), Err(EventLogError::Empty)));
    assert!(matches!(
        refused(vec![0x4d; 9000]),
        Err(EventLogError::NotAnEventLog)
    ));
    let (records, summary) = read(&LogBuilder::new("System").to_bytes());
    assert!(records.is_empty() && summary.span.is_none() && summary.is_whole());
}

#[test]
fn a_log_cut_at_every_sector_neither_panics_nor_invents_records() {
    let whole = LogBuilder::new("System").extend(stream(400)).to_bytes();
    let (all, _) = read(&whole);
    for length in (1..whole.len()).step_by(512 * 7 + 1) {
        let cut = whole[..length].to_vec();
        let mut records = Vec::new();
        let Ok(summary) = event_log::read(&cut, &|_| true, &mut |record| records.push(record))
        else {
            continue;
        };
        let untorn: Vec<&EventRecord> = records
            .iter()
            .filter(|record| record.integrity == Integrity::Whole)
            .collect();
        assert!(
            untorn.iter().zip(&all).all(|(cut, whole)| *cut == whole),
            "cut at {length}"
        );
        assert!(
            !summary.is_whole() || untorn.len() == all.len(),
            "cut at {length}"
        );
    }
}

#[test]
fn random_damage_neither_panics_nor_hangs() {
    let whole = LogBuilder::new("System")
        .extend(shapes())
        .extend(stream(300))
        .to_bytes();
    let mut state = 0x2545_f491_4f6c_dd1du64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..60 {
        let mut log = whole.clone();
        for _ in 0..1 + random(40) {
            let at = random(log.len());
            log[at] = random(256) as u8;
        }
        if let Ok(summary) = event_log::read(&log, &|_| true, &mut |_| {}) {
            assert!(summary.records <= 320);
        }
    }
}

/// Each log of the corpus: as many records as the decoder finds by itself, or more.
#[test]
fn the_corpus_gives_at_least_what_a_plain_decode_gives() {
    let Some(corpus) = std::env::var_os("RDPTRIAGE_CORPUS") else {
        return println!("skipped: RDPTRIAGE_CORPUS names no corpus");
    };
    let folder = std::path::Path::new(&corpus).join("evtx");
    let mut files = 0;
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let source = rdptriage::bundle::FileSource::open(&path).expect("a file");
        let mut places = std::collections::BTreeSet::new();
        let mut ours = std::collections::BTreeMap::new();
        event_log::read(&source, &|_| true, &mut |record| {
            assert!(places.insert(record.offset), "{}: twice", path.display());
            *ours.entry(record.order).or_insert(0) += 1;
        })
        .expect("a log");
        let mut parser = evtx::EvtxParser::from_path(&path).expect("a log");
        let mut theirs = std::collections::BTreeMap::new();
        for record in parser.records_json().flatten() {
            *theirs.entry(record.event_record_id).or_insert(0) += 1;
        }
        for (number, count) in theirs {
            let found = ours.get(&number).copied().unwrap_or(0);
            assert!(
                found >= count,
                "{}: record {number}: {found} of {count}",
                path.display()
            );
        }
        files += 1;
    }
    assert!(files > 0);
}

/// Over the corpus, what the watch list delivers is what it would choose from everything that is delivered, and in files that the
/// decoder reads to the end that is exactly what the decoder finds.
#[test]
fn the_watch_list_misses_nothing_of_the_corpus() {
    use rdptriage::facts::watch;
    let Some(corpus) = std::env::var_os("RDPTRIAGE_CORPUS") else {
        return println!("skipped: RDPTRIAGE_CORPUS names no corpus");
    };
    let folder = std::path::Path::new(&corpus).join("evtx");
    let (mut files, mut delivered, mut damaged) = (0, 0, 0);
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let source = rdptriage::bundle::FileSource::open(&path).expect("a file");
        let mut ours: Vec<u64> = Vec::new();
        let summary = event_log::read(&source, &watch::wants, &mut |record| {
            ours.push(record.number);
        })
        .expect("a log");
        let mut theirs: Vec<u64> = Vec::new();
        let mut failed = false;
        let mut parser = evtx::EvtxParser::from_path(&path).expect("a log");
        for record in parser.records_json_value() {
            let Ok(record) = record else {
                failed = true;
                continue;
            };
            let system = &record.data["Event"]["System"];
            let text = |value: &serde_json::Value| {
                let value = value.get("#text").unwrap_or(value);
                value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned)
            };
            let provider = &system["Provider"]["#attributes"];
            let name = provider["Name"].as_str().unwrap_or_default();
            let classic = provider["EventSourceName"].as_str();
            let event = text(&system["EventID"]).parse().unwrap_or(u32::MAX);
            if watch::watched(name, classic, event).is_some() {
                theirs.push(text(&system["EventRecordID"]).parse().unwrap_or(0));
            }
        }
        ours.sort_unstable();
        theirs.sort_unstable();
        delivered += ours.len();
        files += 1;
        if failed || !summary.is_whole() || !summary.problems.is_empty() {
            damaged += 1;
            assert!(ours.len() >= theirs.len(), "{}", path.display());
        } else {
            assert_eq!(ours, theirs, "{}", path.display());
        }
    }
    println!("{files} files, {damaged} of them damaged, {delivered} events of the watch list");
    assert!(delivered > 0);
}
