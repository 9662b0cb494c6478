//! Logs that lost bytes, or whose bytes lie: all that is there is read, and what is not is named.

use super::shapes::shapes;
use super::*;

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
fn a_record_whose_number_is_damaged_keeps_its_place() {
    let whole = log();
    let places = records_of(&whole, 1);
    let last = places.len() - 1;
    for (record, byte, bit) in [(40, 13, 0x40), (40, 8, 1), (0, 8, 0x80), (last, 9, 4)] {
        let mut log = whole.clone();
        log[places[record] + byte] ^= bit;
        let (records, summary) = read(&log);
        let what = format!("record {record}, byte {byte}");
        assert!(records.is_sorted_by_key(|record| record.order), "{what}");
        assert_eq!(numbers(&records), numbers(&read(&whole).0), "{what}");
        assert!(
            summary.is_whole() && summary.clock_steps.is_empty(),
            "{what}"
        );
        assert_eq!(
            summary.doubts.len(),
            1,
            "{what}: what else is damaged there, nobody knows"
        );
        let told = summary
            .problems
            .iter()
            .any(|problem| problem.what.contains("by their places"));
        assert!(told, "{what}: {:?}", summary.problems);
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

/// One bit of a record's structure can empty all of its fields; a time of 1601 would then turn the order of everything around it.
#[test]
fn a_record_whose_fields_are_shifted_or_empty_is_doubted() {
    let whole = LogBuilder::new("System").extend(stream(12)).to_bytes();
    let place = records_of(&whole, 0)[7];
    let mut emptied = 0;
    for bit in 24 * 8..112 * 8 {
        let mut log = whole.clone();
        log[place + bit / 8] ^= 1 << (bit % 8);
        let (records, summary) = read(&log);
        let believed = |record: &&EventRecord| record.integrity != Integrity::Torn;
        let old = records
            .iter()
            .filter(believed)
            .find(|record| record.time.as_second() < 0);
        assert!(old.is_none(), "bit {bit}: {old:?}");
        assert_eq!(summary.clock_step_count, 0, "bit {bit}");
        let is_emptied = |doubt: &&event_log::Hole| doubt.what.contains("shifted or empty");
        if let Some(doubt) = summary.doubts.iter().find(is_emptied) {
            assert_eq!(doubt.offset, place as u64, "bit {bit}: {doubt:?}");
            emptied += 1;
        }
    }
    assert!(emptied > 0, "no bit empties it");
}

/// Most bits of a record's values change what it says and nothing of how it is built: that none of them is known to be right is told
/// for all of the chunk, and only there.
#[test]
fn a_changed_value_makes_its_chunk_doubtful() {
    let whole = LogBuilder::new("System").extend(stream(600)).to_bytes();
    let (records, summary) = read(&whole);
    assert!(summary.is_whole());
    let second: Vec<&EventRecord> = records.iter().filter(|record| record.chunk == 1).collect();
    let (first, last) = (second[0], second[second.len() - 1]);
    let places = records_of(&whole, 1);
    let (place, next) = (places[3], places[4]);
    for bit in 100 * 8..(next - place - 4) * 8 {
        let mut log = whole.clone();
        log[place + bit / 8] ^= 1 << (bit % 8);
        let (damaged, summary) = read(&log);
        assert!(damaged.len() + 1 >= records.len(), "bit {bit}");
        let told: Vec<&event_log::Hole> = summary.holes.iter().chain(&summary.doubts).collect();
        let [told] = told.as_slice() else {
            panic!("bit {bit}: {told:?}");
        };
        assert_eq!(told.chunk, 1, "bit {bit}: {told:?}");
        assert!(told.after >= Some(first.time) && told.before <= Some(last.time));
    }
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
    let mut seeded = Seeded::new(0x2545_f491_4f6c_dd1d);
    let mut random = |below| seeded.below(below);
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
