//! How far the reading is, told to whoever wants to show it.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bundle::ReadAt;

/// Is told how the reading goes on, by several threads at once.
pub trait Progress: Sync {
    /// The collection is open; so many bytes are to be read.
    fn begin(&self, bytes: u64);
    /// A file is begun, by its path in the collection.
    fn file(&self, path: &str);
    /// So many more bytes are done.
    fn advance(&self, bytes: u64);
}

/// Tells nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unseen;

impl Progress for Unseen {
    fn begin(&self, _: u64) {}
    fn file(&self, _: &str) {}
    fn advance(&self, _: u64) {}
}

/// The bytes of one file that are still to be told of. What is read twice counts once, what is never read counts when
/// the file is done with.
pub(super) struct Remaining<'p> {
    progress: &'p dyn Progress,
    bytes: AtomicU64,
}

impl<'p> Remaining<'p> {
    pub(super) fn new(progress: &'p dyn Progress, path: &str, bytes: u64) -> Self {
        progress.file(path);
        Remaining {
            progress,
            bytes: AtomicU64::new(bytes),
        }
    }

    fn done(&self, count: u64) {
        let take = |left: u64| Some(left - left.min(count));
        let told = self
            .bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, take);
        let told = told.unwrap_or_else(|left| left).min(count);
        if told > 0 {
            self.progress.advance(told);
        }
    }
}

impl Drop for Remaining<'_> {
    fn drop(&mut self) {
        self.done(u64::MAX);
    }
}

/// Bytes whose reading is told of.
pub(super) struct Counted<'r> {
    pub(super) source: Arc<dyn ReadAt>,
    pub(super) remaining: &'r Remaining<'r>,
}

impl ReadAt for Counted<'_> {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(offset, buffer)?;
        self.remaining.done(count as u64);
        Ok(count)
    }
}
