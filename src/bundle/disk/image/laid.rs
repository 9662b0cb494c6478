//! A disk whose bytes lie in pieces in an image: all formats differ only in how they say where.

use std::io;
use std::sync::Arc;

use crate::bundle::source::ReadAt;

/// Where a stretch of the disk is.
pub(super) enum Stretch {
    /// Nowhere: it is all zero.
    Zeros,
    /// In the image, as it is, from that byte on.
    Stored(u64),
    /// In the image that this one builds on; where there is none, it is all zero.
    Parent,
    /// Unpacked, from that index on.
    Unpacked(Arc<Vec<u8>>, usize),
}

/// How an image lays a disk out.
pub(super) trait Layout: Send + Sync {
    /// The disk's size in bytes.
    fn len(&self) -> u64;

    /// Where the byte at `offset` of the disk is, and how many bytes from there on are in the same place, at least one.
    fn stretch(&self, file: &dyn ReadAt, offset: u64) -> io::Result<(Stretch, u64)>;
}

/// The disk in an image.
pub(super) struct Laid<L> {
    pub(super) layout: L,
    pub(super) file: Arc<dyn ReadAt>,
    pub(super) parent: Option<Arc<dyn ReadAt>>,
}

impl<L: Layout> ReadAt for Laid<L> {
    fn len(&self) -> u64 {
        self.layout.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.layout.len().saturating_sub(offset);
        if rest == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let (stretch, run) = self.layout.stretch(self.file.as_ref(), offset)?;
        let most = usize::try_from(run.clamp(1, rest)).unwrap_or(usize::MAX);
        let count = most.min(buffer.len());
        let Some(wanted) = buffer.get_mut(..count) else {
            return Ok(0);
        };
        match stretch {
            Stretch::Zeros => wanted.fill(0),
            Stretch::Stored(at) => {
                let filled = self.file.read_full_at(at, wanted)?;
                if filled == 0 {
                    return Err(cut(at, self.file.len()));
                }
                return Ok(filled);
            }
            Stretch::Parent => {
                let filled = match &self.parent {
                    Some(parent) => parent.read_full_at(offset, wanted)?,
                    None => 0,
                };
                // A parent may be smaller than its child.
                wanted.get_mut(filled..).unwrap_or_default().fill(0);
            }
            Stretch::Unpacked(bytes, from) => {
                let there = bytes.get(from..).unwrap_or_default();
                let count = there.len().min(wanted.len());
                if count == 0 {
                    return Err(io::Error::other("a packed piece of the image is too short"));
                }
                if let (Some(to), Some(from)) = (wanted.get_mut(..count), there.get(..count)) {
                    to.copy_from_slice(from);
                }
                return Ok(count);
            }
        }
        Ok(count)
    }
}

fn cut(at: u64, end: u64) -> io::Error {
    io::Error::new(
        io::ErrorKind::UnexpectedEof,
        format!("the image is cut: it ends at byte {end}, and byte {at} is asked for"),
    )
}
