//! Gathers what a log covers from its records, which come oldest first, and from its damaged places.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::chunk::Integrity;
use super::layout::FileHeader;
use super::summary::{ClockStep, Gap, GapKind, Hole, LogSummary, Mark, Problem, Span};

/// A fall of the clock from one record to the next that is smaller than this is no step: records are numbered in the
/// order in which they reach the log, not in which they were stamped (41 in 42 real logs show falls below a second,
/// and time services correct by seconds).
const CLOCK_STEP: SignedDuration = SignedDuration::from_secs(60);
/// How many gaps and clock steps are kept one by one; all are counted.
const KEPT: usize = 256;

/// Records of one chunk that follow each other without a break: each bears the next number, in its header and as its
/// `EventRecordID`, no clock was set back between them, and all are of one channel and computer. Its first and its last
/// record say all that the summary wants of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub first: Mark,
    pub last: Mark,
    /// When the record behind the first was written, if there is one.
    second: Option<Timestamp>,
    /// Channel and computer, where the records could be read; else there is just one.
    pub origin: Option<(Arc<str>, Arc<str>)>,
    pub records: u64,
    pub templateless: u64,
    pub recovered: u64,
    /// Whether it is one record that is torn, whose time may be torn as well.
    pub torn: bool,
}

impl Run {
    /// A record by itself.
    pub fn of(
        mark: Mark,
        origin: Option<(Arc<str>, Arc<str>)>,
        templateless: bool,
        integrity: Integrity,
    ) -> Self {
        Run {
            first: mark,
            last: mark,
            second: None,
            origin,
            records: 1,
            templateless: u64::from(templateless),
            recovered: u64::from(integrity != Integrity::Whole),
            torn: integrity == Integrity::Torn,
        }
    }

    /// Takes in a record of the same channel and computer, if it follows without a break.
    pub fn take_in(&mut self, mark: Mark, templateless: bool, integrity: Integrity) -> bool {
        let next = |number: u64| number.checked_add(1);
        let follows = self.origin.is_some()
            && !self.torn
            && integrity != Integrity::Torn
            && next(self.last.order) == Some(mark.order)
            && next(self.last.number) == Some(mark.number)
            && self.last.time.duration_since(mark.time) < CLOCK_STEP;
        if follows {
            self.second = self.second.or(Some(mark.time));
            self.last = mark;
            self.records += 1;
            self.templateless += u64::from(templateless);
            self.recovered += u64::from(integrity != Integrity::Whole);
        }
        follows
    }
}

/// Gathers a [`LogSummary`] from chunks that come oldest first.
pub(super) struct Builder {
    summary: LogSummary,
    /// How many slots there are, those included that the file is cut off before.
    slots: usize,
    /// The slots in which records may be lost.
    damaged: BTreeSet<usize>,
    /// The holes of each slot of which it is not known yet what they hide.
    open: BTreeMap<usize, Vec<usize>>,
    previous: Option<(Mark, usize)>,
    /// For each (channel, computer), its last record and how much damage came before it.
    sequences: BTreeMap<(Arc<str>, Arc<str>), (Mark, u64)>,
    /// For each channel, the computer and the mark of its last record, and how much damage came before it.
    last_of_channel: BTreeMap<Arc<str>, (Arc<str>, Mark, u64)>,
    damage_seen: u64,
    /// The step of the clock behind which just one record was met so far.
    unsettled: Option<usize>,
}

impl Builder {
    pub fn new(header: Option<FileHeader>, slots: usize) -> Self {
        Builder {
            summary: LogSummary {
                header,
                ..LogSummary::default()
            },
            slots,
            damaged: BTreeSet::new(),
            open: BTreeMap::new(),
            previous: None,
            last_of_channel: BTreeMap::new(),
            sequences: BTreeMap::new(),
            damage_seen: 0,
            unsettled: None,
        }
    }

    pub fn problem(&mut self, chunk: Option<usize>, offset: u64, what: String) {
        self.summary.problems.push(Problem {
            chunk: chunk.map(|chunk| chunk as u64),
            offset,
            what,
        });
    }

    /// A place where records may be lost. Slots behind the end of the file are allowed.
    pub fn hole(&mut self, hole: Hole) {
        let slot = usize::try_from(hole.chunk).unwrap_or(usize::MAX);
        self.slots = self.slots.max(slot.saturating_add(1));
        self.damaged.insert(slot);
        // A stretch of slots with the same damage is one hole.
        let joins = |last: &&mut Hole| {
            last.hides.is_none()
                && hole.hides.is_none()
                && last.what == hole.what
                && last.offset + last.length == hole.offset
        };
        if let Some(last) = self.summary.holes.last_mut().filter(joins) {
            last.length += hole.length;
            return;
        }
        if hole.hides.is_none() {
            let index = self.summary.holes.len();
            self.open.entry(slot).or_default().push(index);
        }
        self.summary.holes.push(hole);
    }

    /// A record that stands but could not be decoded: a hole of which all is known. Its number is due in [`Self::seen`].
    /// A record that could not be decoded; of a torn one, which has no time of its own, it is known when the one before was written.
    pub fn undecoded(&mut self, mut hole: Hole) {
        hole.after = hole.after.or(self.previous_time());
        self.damage_seen += 1;
        self.summary.holes.push(hole);
    }

    /// A place where some record may say another thing than was written.
    pub fn doubt(&mut self, doubt: Hole) {
        self.summary.doubts.push(doubt);
    }

    pub fn chunk_read(&mut self) {
        self.summary.chunks += 1;
    }

    /// When the record before was written.
    pub fn previous_time(&self) -> Option<Timestamp> {
        self.previous.map(|(mark, _)| mark.time)
    }

    /// The next records by number. One that is not decoded counts for the order of the log alone. The time of a torn one may be
    /// torn as well (padded with zeros it reads as a day in 1601), so that it counts as written when the record before it was.
    pub fn seen(&mut self, slot: usize, run: &Run) {
        let time = self.previous_time().filter(|_| run.torn);
        let placed = |mark: Mark| Mark {
            time: time.unwrap_or(mark.time),
            ..mark
        };
        let (first, last) = (placed(run.first), placed(run.last));
        self.settle(Some(first.time).filter(|_| !run.torn));
        if let Some((previous, previous_slot)) = self.previous {
            self.compare(previous, previous_slot, first, slot);
        }
        let is_next = |(previous, _): (Mark, usize)| previous.order <= last.order;
        if self.previous.map_or(!run.torn, is_next) {
            self.previous = Some((last, slot));
        }
        let Some((channel, computer)) = &run.origin else {
            return;
        };
        self.summary.records += run.records;
        self.summary.templateless += run.templateless;
        self.summary.recovered += run.recovered;
        if run.torn {
            return;
        }
        for mark in [run.first, run.last] {
            widen(&mut self.summary.span, mark);
            widen_named(&mut self.summary.channels, channel, mark);
            widen_named(&mut self.summary.computers, computer, mark);
        }
        self.sequence(channel, computer, run);
        self.settle(run.second);
    }

    /// What the record behind a step of the clock says of it.
    fn settle(&mut self, next: Option<Timestamp>) {
        let Some(next) = next else { return };
        let step = self.unsettled.take();
        let step = step.and_then(|index| self.summary.clock_steps.get_mut(index));
        if let Some(step) = step {
            step.undone = step.from.time.duration_since(next) < CLOCK_STEP;
        }
    }

    fn compare(&mut self, previous: Mark, previous_slot: usize, mark: Mark, slot: usize) {
        if !previous.renumbered() && !mark.renumbered() {
            self.clock(previous, mark);
        }
        if mark.order <= previous.order.saturating_add(1) {
            return;
        }
        let numbers = previous.order + 1..=mark.order - 1;
        if self.explained(previous_slot, slot, &numbers, previous.time, mark.time) {
            self.damage_seen += 1;
            return;
        }
        let kind = if previous_slot == slot {
            GapKind::Selected
        } else {
            GapKind::Missing
        };
        self.gap(numbers, kind, previous.time, mark.time);
    }

    fn clock(&mut self, from: Mark, to: Mark) {
        if to.order > from.order && from.time.duration_since(to.time) >= CLOCK_STEP {
            self.summary.clock_step_count += 1;
            if self.summary.clock_steps.len() < KEPT {
                self.unsettled = Some(self.summary.clock_steps.len());
                self.summary.clock_steps.push(ClockStep {
                    from,
                    to,
                    undone: false,
                });
            }
        }
    }

    fn gap(
        &mut self,
        numbers: RangeInclusive<u64>,
        kind: GapKind,
        after: Timestamp,
        before: Timestamp,
    ) {
        self.summary.gap_count += 1;
        let count = (numbers.end() - numbers.start()).saturating_add(1);
        self.summary.missing = self.summary.missing.saturating_add(count);
        self.summary.selected |= kind == GapKind::Selected;
        if self.summary.gaps.len() < KEPT {
            self.summary.gaps.push(Gap {
                numbers,
                kind,
                after,
                before,
            });
        }
    }

    /// Whether damage lies between two records that follow each other by number; if so, its holes learn what they
    /// hide. The slots of a log are a ring.
    fn explained(
        &mut self,
        from: usize,
        to: usize,
        numbers: &RangeInclusive<u64>,
        after: Timestamp,
        before: Timestamp,
    ) -> bool {
        let ranges = if from <= to {
            [from..=to, to..=to]
        } else {
            [from..=self.slots, 0..=to]
        };
        if !ranges
            .iter()
            .any(|range| self.damaged.range(range.clone()).next().is_some())
        {
            return false;
        }
        for range in ranges {
            let here: Vec<usize> = self.open.range(range).map(|(slot, _)| *slot).collect();
            for hole in here
                .iter()
                .filter_map(|slot| self.open.remove(slot))
                .flatten()
            {
                if let Some(hole) = self.summary.holes.get_mut(hole) {
                    hole.hides = Some(numbers.clone());
                    hole.after = hole.after.or(Some(after));
                    hole.before = hole.before.or(Some(before));
                }
            }
        }
        true
    }

    /// `EventRecordID` runs on by one for each channel of each computer; in an export the headers are numbered anew,
    /// so that only it tells that records were left out.
    fn sequence(&mut self, channel: &Arc<str>, computer: &Arc<str>, run: &Run) {
        self.succession(channel, computer, run);
        let key = (Arc::clone(channel), Arc::clone(computer));
        let last = self.sequences.insert(key, (run.last, self.damage_seen));
        let Some((last, damage)) = last else { return };
        let mark = run.first;
        if !last.renumbered() && !mark.renumbered() {
            return;
        }
        self.clock(last, mark);
        if mark.number > last.number.saturating_add(1) && damage == self.damage_seen {
            let numbers = last.number + 1..=mark.number - 1;
            self.gap(numbers, GapKind::Selected, last.time, mark.time);
        }
    }

    /// A machine that is renamed goes on counting. Where another computer's record follows with a number that does not, records of
    /// several machines were picked into one file.
    fn succession(&mut self, channel: &Arc<str>, computer: &Arc<str>, run: &Run) {
        let last = self.last_of_channel.insert(
            Arc::clone(channel),
            (Arc::clone(computer), run.last, self.damage_seen),
        );
        let Some((before, last, damage)) = last else {
            return;
        };
        let mark = run.first;
        let follows = mark.number == last.number.saturating_add(1);
        if before != *computer && !follows && mark.renumbered() && damage == self.damage_seen {
            self.summary.selected = true;
        }
    }

    /// The summary; `end` is where the file ends.
    pub fn finish(mut self, end: u64) -> LogSummary {
        self.expect_all_that_the_header_counts(end);
        self.summary
            .holes
            .sort_by_key(|hole| (hole.offset, hole.chunk));
        self.summary
            .doubts
            .sort_by_key(|doubt| (doubt.offset, doubt.chunk));
        self.summary
            .problems
            .sort_by_key(|problem| (problem.offset, problem.chunk));
        self.summary
    }

    fn expect_all_that_the_header_counts(&mut self, end: u64) {
        let Some(header) = self.summary.header.filter(|header| header.checksum_right) else {
            return;
        };
        let hidden = self
            .summary
            .holes
            .iter()
            .filter_map(|hole| hole.hides.as_ref());
        let known = hidden
            .map(|hides| *hides.end())
            .chain(self.previous.map(|(mark, _)| mark.order))
            .max();
        let first_unknown = known.map_or(1, |known| known.saturating_add(1));
        let Some(last) = header
            .next_number
            .checked_sub(1)
            .filter(|last| *last >= first_unknown)
        else {
            return;
        };
        let after = self.previous.map(|(mark, _)| mark.time);
        let open = self
            .summary
            .holes
            .iter_mut()
            .filter(|hole| hole.hides.is_none());
        let mut found = false;
        for hole in open {
            hole.hides = Some(first_unknown..=last);
            hole.after = hole.after.or(after);
            found = true;
        }
        if !found {
            self.summary.holes.push(Hole {
                chunk: self.slots as u64,
                offset: end,
                length: 0,
                hides: Some(first_unknown..=last),
                after,
                before: None,
                what: "the file header counts records that no chunk holds".into(),
            });
        }
    }
}

fn widen(span: &mut Option<Span>, mark: Mark) {
    let span = span.get_or_insert(Span {
        oldest: mark,
        newest: mark,
    });
    if mark.order < span.oldest.order {
        span.oldest = mark;
    }
    if mark.order >= span.newest.order {
        span.newest = mark;
    }
}

fn widen_named(spans: &mut BTreeMap<String, Span>, name: &str, mark: Mark) {
    if name.is_empty() {
        return;
    }
    let mut span = spans.get(name).copied();
    widen(&mut span, mark);
    if let Some(span) = span {
        match spans.get_mut(name) {
            Some(known) => *known = span,
            None => drop(spans.insert(name.to_owned(), span)),
        }
    }
}
