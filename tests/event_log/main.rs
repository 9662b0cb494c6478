//! Event logs: every shape of record, every kind of damage, against real logs where they are at hand (`RDPTRIAGE_CORPUS`).

mod corpus;
mod damage;
mod damage_table;
mod numbers;
mod shapes;
#[path = "../support/mod.rs"]
mod support;

use rdptriage::parse::event_log::{
    self, EventLogError, EventRecord, GapKind, Integrity, LogSummary, RecordKey,
};
use support::event_log::places::{chunk_at, field, records_of};
use support::event_log::{CHUNK_SIZE, Event, FILE_HEADER, LogBuilder, Value, seal};
use support::seeded::Seeded;

fn read(log: &Vec<u8>) -> (Vec<EventRecord>, LogSummary) {
    let mut records = Vec::new();
    let summary =
        event_log::read(log, &|_| true, &mut |record| records.push(record)).expect("a log");
    (records, summary)
}

fn numbers(records: &[EventRecord]) -> Vec<u64> {
    records.iter().map(|record| record.number).collect()
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
