//! What record numbers tell: wrapped logs, exports, missing records, steps of the clock, names of computers.

use super::*;

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
    assert!(!step.undone);
}

/// One record among others that is dated long before them: no clock was set for it, wherever the chunk ends.
#[test]
fn a_record_that_was_written_late_is_an_undone_step() {
    for late in [300, 301, 302, 303] {
        let event = |(index, event): (usize, Event)| match index == late {
            true => event.time("2026-01-01T00:00:00Z"),
            false => event,
        };
        let events = stream(900).enumerate().map(event);
        let (_, summary) = read(&LogBuilder::new("System").extend(events).to_bytes());
        let [step] = summary.clock_steps.as_slice() else {
            panic!("{:?}", summary.clock_steps)
        };
        assert_eq!(step.to.number, late as u64 + 1);
        assert!(step.undone, "{late}");
    }
    // Nobody knows what would have followed.
    let last = stream(9).chain([Event::new("A", 1).time("2026-01-01T00:00:00Z")]);
    let (_, summary) = read(&LogBuilder::new("System").extend(last).to_bytes());
    assert!(!summary.clock_steps[0].undone);
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
