//! The table of damages: each kind done to one log, how many of its records must still be delivered, and what must be said of it.
//!
//! The bar of each row is the best that any reader of logs was measured to deliver on the same damage (evtx 0.15, chainsaw 2.16,
//! hayabusa 4.0, libevtx, pyevtx-rs 0.14); it is told here in records of the log and of the damaged chunk, so that it holds for
//! any log. What is not delivered must be named: which chunk, which byte, which records.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::path::Path;

use super::*;
use support::corpus::corpus;

/// The chunk that is damaged.
const CHUNK: usize = 1;

/// A log before it is damaged.
struct Whole {
    log: Vec<u8>,
    records: Vec<EventRecord>,
    /// What is wrong with it already.
    wrong: Vec<String>,
}

impl Whole {
    fn of(log: Vec<u8>) -> Self {
        let (records, summary) = read(&log);
        assert!(summary.is_whole(), "{:?}", summary.holes);
        let wrong = summary.problems.into_iter().map(|problem| problem.what);
        Whole {
            log,
            records,
            wrong: wrong.collect(),
        }
    }

    fn damaged(&self, damage: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut log = self.log.clone();
        damage(&mut log);
        log
    }

    /// Where the records of the damaged chunk begin in the file.
    fn places(&self) -> Vec<usize> {
        records_of(&self.log, CHUNK)
    }

    /// The numbers, as record headers have them, of the records that stand in these bytes.
    fn numbers_in(&self, bytes: std::ops::Range<usize>) -> BTreeSet<u64> {
        let stand = |record: &&EventRecord| bytes.contains(&(record.offset as usize));
        let records = self.records.iter().filter(stand);
        records.map(|record| record.order).collect()
    }
}

/// What must be said of a damage: in which chunk, at which byte, and in which words.
struct Told {
    chunk: Option<u64>,
    offset: usize,
    says: &'static str,
}

struct Row {
    damage: &'static str,
    log: Vec<u8>,
    /// The best of the readers delivered all records but these.
    bar_misses: BTreeSet<u64>,
    told: Vec<Told>,
}

fn file(offset: usize, says: &'static str) -> Told {
    Told {
        chunk: None,
        offset,
        says,
    }
}

fn chunk(offset: usize, says: &'static str) -> Told {
    Told {
        chunk: Some(CHUNK as u64),
        offset,
        says,
    }
}

fn rows(whole: &Whole) -> Vec<Row> {
    let start = chunk_at(CHUNK);
    let places = whole.places();
    let (middle, record) = (places[places.len() / 2], places[40]);
    let letter = last_letter(&whole.log, record);
    let end = whole.log.len();
    let nothing = BTreeSet::new;
    let of_the_chunk = || whole.numbers_in(start..chunk_at(CHUNK + 1));
    let row = |damage, log, bar_misses, told| Row {
        damage,
        log,
        bar_misses,
        told,
    };
    vec![
        row("none", whole.log.clone(), nothing(), vec![]),
        row(
            "cut off within a chunk",
            whole.damaged(|log| log.truncate(middle + 60)),
            // The record in which it is cut is one that no reader has.
            whole.numbers_in(middle..end),
            vec![chunk(start, "the chunk is torn"), chunk(middle, "")],
        ),
        row(
            "file magic gone",
            whole.damaged(|log| log[..8].fill(0)),
            nothing(),
            vec![file(0, "the file header's magic is gone")],
        ),
        row(
            "file header cut off",
            whole.log[FILE_HEADER..].to_vec(),
            nothing(),
            vec![file(
                0,
                "the file header is lost; the first chunk begins at byte 0",
            )],
        ),
        row(
            "512 bytes prefixed",
            [vec![0xaa; 512], whole.log.clone()].concat(),
            nothing(),
            vec![file(
                0,
                "the log is shifted: its first chunk begins at byte 4608",
            )],
        ),
        row(
            "wrong checksum of the file header",
            whole.damaged(|log| log[124] ^= 1),
            nothing(),
            vec![file(0, "the checksum of the file header is wrong")],
        ),
        row(
            "chunk magic gone",
            whole.damaged(|log| log[start..start + 8].fill(0)),
            of_the_chunk(),
            vec![chunk(start, "the chunk's magic is gone")],
        ),
        row(
            "wrong checksum of the chunk header",
            whole.damaged(|log| log[start + 124] ^= 1),
            nothing(),
            vec![chunk(start, "the checksum of the chunk's header is wrong")],
        ),
        row(
            "wrong checksum of the records",
            whole.damaged(|log| log[start + 52] ^= 1),
            nothing(),
            vec![
                chunk(start, "the checksum of the chunk's header is wrong"),
                chunk(start, "the checksum of the chunk's records is wrong"),
            ],
        ),
        row(
            "record magic gone",
            whole.damaged(|log| log[record..record + 4].fill(0)),
            whole.numbers_in(record..record + 1),
            vec![chunk(record, "was recovered from damage")],
        ),
        row(
            "record size insane",
            whole.damaged(|log| log[record + 4..record + 8].fill(0xff)),
            whole.numbers_in(record..record + 1),
            vec![chunk(record, "was recovered from damage")],
        ),
        row(
            "record size zero",
            whole.damaged(|log| log[record + 4..record + 8].fill(0)),
            whole.numbers_in(record..record + 1),
            vec![chunk(record, "was recovered from damage")],
        ),
        row(
            "string table leads nowhere",
            whole.damaged(|log| log[start + 128..start + 384].fill(0xff)),
            nothing(),
            vec![chunk(
                start,
                "the chunk's string table is damaged and was left aside",
            )],
        ),
        row(
            "chunk zeroed",
            whole.damaged(|log| log[start..chunk_at(CHUNK + 1)].fill(0)),
            of_the_chunk(),
            vec![chunk(start, "a chunk is filled with zeros")],
        ),
        row(
            "chunk overwritten",
            whole.damaged(|log| log[start..chunk_at(CHUNK + 1)].fill(0xee)),
            of_the_chunk(),
            vec![chunk(start, "a chunk is overwritten")],
        ),
        row(
            "a bit of a value flipped",
            whole.damaged(|log| log[letter] ^= 1),
            nothing(),
            vec![chunk(start, "the checksum of the chunk's records is wrong")],
        ),
        row(
            "records overwritten",
            whole.damaged(|log| log[places[40]..places[43]].fill(0xee)),
            whole.numbers_in(places[40]..places[43]),
            vec![chunk(places[40], "records are damaged")],
        ),
        row(
            "a sector zeroed",
            whole.damaged(|log| log[middle..middle + 512].fill(0)),
            whole.numbers_in(places[places.len() / 2 - 1]..middle + 512),
            vec![chunk(start, "the checksum of the chunk's records is wrong")],
        ),
    ]
}

/// Where the last letter of a text in a record stands.
fn last_letter(log: &[u8], record: usize) -> usize {
    let end = record + field(log, record + 4);
    let is_text = |at: &usize| {
        let pairs = log[*at - 2..*at + 2].as_chunks::<2>().0;
        pairs
            .iter()
            .all(|[low, high]| low.is_ascii_alphanumeric() && *high == 0)
    };
    (record + 26..end - 4).rev().find(is_text).expect("a text")
}

/// Holds one row against its bar, and returns how many records were delivered.
fn hold(whole: &Whole, row: &Row, log: &str) -> usize {
    let what = format!("{log}, {}", row.damage);
    let (records, summary) = read(&row.log);
    let delivered: BTreeSet<u64> = records.iter().map(|record| record.order).collect();
    assert_eq!(
        delivered.len(),
        records.len(),
        "{what}: a record came twice"
    );
    let missing: BTreeSet<u64> = whole
        .records
        .iter()
        .map(|record| record.order)
        .filter(|order| !delivered.contains(order))
        .collect();
    assert!(
        missing.is_subset(&row.bar_misses),
        "{what}: {missing:?} are missing, and other readers miss only {:?}",
        row.bar_misses
    );
    // Nothing is made up: what is delivered as whole says what it said before.
    for record in records
        .iter()
        .filter(|record| record.integrity == Integrity::Whole)
    {
        let before = whole
            .records
            .iter()
            .find(|before| before.order == record.order);
        let before = before.unwrap_or_else(|| panic!("{what}: {} was never there", record.order));
        let same = (before.number, before.time, before.event_id)
            == (record.number, record.time, record.event_id);
        assert!(same, "{what}: {record:?}");
    }
    let hidden: BTreeSet<u64> = summary
        .holes
        .iter()
        .filter_map(|hole| hole.hides.clone())
        .flat_map(RangeInclusive::into_iter)
        .collect();
    // A hole that no record follows hides all that came after, where the file header does not tell how much that was.
    let newest = delivered.last().copied();
    let is_open = summary.holes.iter().any(|hole| hole.before.is_none());
    let unnamed = missing.difference(&hidden);
    let unnamed = unnamed.filter(|order| !(is_open && Some(**order) > newest));
    assert_eq!(
        unnamed.count(),
        0,
        "{what}: {missing:?} are missing, {hidden:?} are said to be"
    );
    assert!(
        hidden.is_disjoint(&delivered),
        "{what}: {hidden:?} are said to be missing"
    );
    assert!(
        !summary.is_selection(),
        "{what}: damage is no export by query"
    );
    assert_eq!(
        summary.is_whole(),
        missing.is_empty(),
        "{what}: {:?}",
        summary.holes
    );
    let holes = summary
        .holes
        .iter()
        .map(|hole| (Some(hole.chunk), hole.offset, &hole.what));
    let problems = summary
        .problems
        .iter()
        .map(|problem| (problem.chunk, problem.offset, &problem.what));
    // What was wrong with the log before is no news.
    let news = |what: &str| !whole.wrong.iter().any(|before| before == what);
    let said: Vec<_> = holes
        .chain(problems)
        .filter(|(_, _, what)| news(what))
        .collect();
    assert_eq!(said.is_empty(), row.told.is_empty(), "{what}: {said:?}");
    for told in &row.told {
        let found = said.iter().any(|(chunk, offset, says)| {
            *chunk == told.chunk && *offset == told.offset as u64 && says.contains(told.says)
        });
        assert!(
            found,
            "{what}: nobody says \"{}\" of chunk {:?}, byte {}: {said:#?}",
            told.says, told.chunk, told.offset
        );
    }
    records.len()
}

fn hold_all(whole: &Whole, log: &str) -> Vec<(&'static str, usize)> {
    let rows = rows(whole);
    rows.iter()
        .map(|row| (row.damage, hold(whole, row, log)))
        .collect()
}

#[test]
fn a_sample_log_under_every_damage() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/healthy-under-scan/collected");
    let logs = std::fs::read_dir(folder).expect("the sample");
    let mut held = 0;
    for entry in logs {
        let path = entry.expect("an entry").path();
        if path.extension().is_none_or(|extension| extension != "evtx") {
            continue;
        }
        let whole = Whole::of(std::fs::read(&path).expect("the log"));
        // Damage to the middle one of three chunks is the table's case.
        if whole.log.len() < chunk_at(3) {
            continue;
        }
        held += hold_all(&whole, &path.display().to_string()).len();
    }
    assert!(held > 0, "a sample log of three chunks");
}

#[test]
fn logs_of_every_kind_under_every_damage() {
    let events = || stream(RECORDS);
    let kinds = [
        ("live", log()),
        (
            "without templates",
            LogBuilder::new("System")
                .extend(events().map(Event::templateless))
                .to_bytes(),
        ),
        (
            "exported",
            LogBuilder::new("System")
                .exported()
                .first_record(40_000)
                .extend(events())
                .to_bytes(),
        ),
        (
            "with room behind it",
            LogBuilder::new("System")
                .extend(events())
                .spare_chunks(2)
                .to_bytes(),
        ),
    ];
    for (kind, log) in kinds {
        hold_all(&Whole::of(log), kind);
    }
}

/// The log that the table was measured on, with its own figures.
#[test]
fn the_log_of_the_table_under_every_damage() {
    let Some(corpus) = corpus("") else {
        return;
    };
    let path = Path::new(&corpus).join("evtx/omerbenamram-samples_system.evtx");
    let whole = Whole::of(std::fs::read(path).expect("the log"));
    assert_eq!((whole.records.len(), whole.places().len()), (1881, 102));
    let counts = hold_all(&whole, "system.evtx");
    for (damage, count) in &counts {
        println!("{damage}: {count}");
    }
    for (damage, best) in [
        ("none", 1881),
        ("file magic gone", 1881),
        ("file header cut off", 1881),
        ("512 bytes prefixed", 1881),
        ("chunk magic gone", 1779),
        ("record magic gone", 1880),
        ("record size insane", 1880),
        ("string table leads nowhere", 1881),
        ("chunk zeroed", 1779),
        ("a bit of a value flipped", 1881),
    ] {
        let count = counts.iter().find(|(name, _)| *name == damage);
        assert!(
            count.is_some_and(|(_, count)| *count >= best),
            "{damage}: {best}"
        );
    }
}
