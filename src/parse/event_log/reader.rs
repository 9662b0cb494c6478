//! Reads a log, several chunks at once, and tells the summary of everything that was met, in order.

use std::io;

use rayon::prelude::*;

use super::Asked;
use super::chunk::CHUNK_SIZE;
use super::gather::Builder;
use super::inspect::{BATCH, Inspector, Item, Report, hole};
use super::layout::{self, Content, Layout, Slot};
use super::record::EventRecord;
use super::summary::{Hole, LogSummary};
use crate::bundle::ReadAt;

/// How many batches each thread reads before what they say is taken in: enough that none waits for long.
const WINDOW: usize = 8;
/// So many wanted records a chunk make a log a dense one, of which each thread reads a batch at a time: decoded, records take far more
/// room than in their log.
const DENSE: usize = 16;

/// What reading one log needs.
pub(super) struct Reader<'a> {
    bytes: &'a dyn ReadAt,
    asked: Asked<'a>,
    on_record: &'a mut dyn FnMut(EventRecord),
    summary: Builder,
}

impl<'a> Reader<'a> {
    pub fn new(
        bytes: &'a dyn ReadAt,
        asked: Asked<'a>,
        on_record: &'a mut dyn FnMut(EventRecord),
        layout: &Layout,
    ) -> Self {
        Reader {
            bytes,
            asked,
            on_record,
            summary: Builder::new(layout.header, layout.slots.len()),
        }
    }

    /// Reads all chunks; what they say is taken in oldest first, whichever thread was done first.
    pub fn run(mut self, layout: &Layout) -> io::Result<LogSummary> {
        self.file_header(layout);
        self.empty_slots(layout);
        let mut chunks: Vec<(usize, &Slot)> = layout
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| matches!(slot.content, Content::Chunk | Content::Headless))
            .collect();
        // Those without a readable record come first: they only tell of damage.
        chunks.sort_by_key(|(index, slot)| (slot.first_number, *index));
        let inspector = Inspector::new(self.bytes, self.asked);
        let (mut rest, mut batches) = (chunks.as_slice(), 1);
        while !rest.is_empty() {
            let size = BATCH * batches * rayon::current_num_threads();
            let (window, behind) = rest.split_at(size.min(rest.len()));
            rest = behind;
            let reports: Vec<io::Result<Vec<Report>>> = match window.len() {
                0..=BATCH => vec![inspector.inspect(window)],
                _ => window
                    .par_chunks(BATCH)
                    .map(|batch| inspector.inspect_aside(batch))
                    .collect(),
            };
            let mut wanted = 0;
            for report in reports {
                for report in report? {
                    wanted += report.wanted.len();
                    self.take(report);
                }
            }
            batches = match wanted >= DENSE * window.len() {
                true => 1,
                false => WINDOW,
            };
        }
        Ok(self.summary.finish(self.bytes.len()))
    }

    fn file_header(&mut self, layout: &Layout) {
        if layout.slots.is_empty() && layout.header.is_none() {
            let what = "the file ends within its header".into();
            self.summary.hole(hole(0, self.bytes.len(), 0, what));
        }
        let Some(header) = layout.header else {
            let what = format!(
                "the file header is lost; the first chunk begins at byte {}",
                layout.start
            );
            return self.summary.problem(None, 0, what);
        };
        if !layout.magic_stands {
            self.summary.problem(
                None,
                0,
                "the file header's magic is gone; its checksum vouches for the rest".into(),
            );
        }
        if layout.start != layout::FILE_HEADER_BLOCK {
            let what = format!(
                "the log is shifted: its first chunk begins at byte {}",
                layout.start
            );
            self.summary.problem(None, 0, what);
        }
        if !header.checksum_right {
            self.summary
                .problem(None, 0, "the checksum of the file header is wrong".into());
        }
        let found = layout
            .slots
            .iter()
            .rposition(|slot| slot.content == Content::Chunk);
        let found = found.map_or(0, |last| last + 1);
        if found > usize::from(header.chunks) {
            let what = format!(
                "the file header counts {} chunks and {found} stand here: the log was being written when it was copied",
                header.chunks
            );
            self.summary.problem(None, 0, what);
        }
    }

    /// Slots without a chunk. Zeros behind the last chunk in use are room that was never written.
    fn empty_slots(&mut self, layout: &Layout) {
        let counted = layout.header.map_or(0, |header| usize::from(header.chunks));
        let last_chunk = layout
            .slots
            .iter()
            .rposition(|slot| matches!(slot.content, Content::Chunk | Content::Headless));
        let in_use = counted.max(last_chunk.map_or(0, |last| last + 1));
        for (index, slot) in layout.slots.iter().enumerate().take(in_use) {
            let what = match slot.content {
                Content::Zeros => "a chunk is filled with zeros",
                Content::Junk => "a chunk is overwritten: no record stands in it",
                Content::Chunk | Content::Headless => continue,
            };
            self.summary
                .hole(hole(index, slot.offset, slot.length, what.into()));
        }
        let mut behind = layout.slots.iter().enumerate().skip(in_use);
        if let Some((index, slot)) = behind.find(|(_, slot)| slot.content == Content::Junk) {
            let what =
                "from here to its end the file holds bytes that are none of the log's".into();
            self.summary.problem(Some(index), slot.offset, what);
        }
        if let Some(end) = layout.given_up_at(self.bytes.len()) {
            let what =
                "no chunk of the log stood here for so long that what is behind was not read"
                    .into();
            self.summary.problem(None, end, what);
        }
        if counted > layout.slots.len() {
            let lost = (counted - layout.slots.len()) * CHUNK_SIZE;
            let what =
                format!("the file is cut off: {lost} bytes that its header counts are missing");
            let end = self.bytes.len();
            self.summary.hole(Hole {
                length: 0,
                ..hole(layout.slots.len(), end, 0, what)
            });
        }
    }

    fn take(&mut self, report: Report) {
        for problem in report.problems {
            self.summary
                .problem(Some(report.slot), problem.offset, problem.what);
        }
        for hole in report.holes {
            self.summary.hole(hole);
        }
        for doubt in report.doubts {
            self.summary.doubt(doubt);
        }
        if report.has_records {
            self.summary.chunk_read();
        }
        for item in report.items {
            match item {
                Item::Run(run) => self.summary.seen(report.slot, &run),
                Item::Undecoded(hole) => self.summary.undecoded(hole),
            }
        }
        for record in report.wanted {
            (self.on_record)(record);
        }
    }
}
