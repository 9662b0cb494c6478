//! qcow2 (QEMU, docs/interop/qcow2.txt): clusters behind tables of two levels. All numbers are big-endian. Snapshots in the image
//! are not looked at: what counts is its present state.

use std::io::{self, Read};
use std::sync::{Arc, Mutex};

use flate2::read::DeflateDecoder;

use super::laid::{Laid, Layout, Stretch};
use super::{Beside, ImageForm, bad, open_parent, piece};
use crate::bundle::disk::bytes::{u32_be, u64_be};
use crate::bundle::disk::trouble::DiskTrouble;
use crate::bundle::source::ReadAt;

const FORM: ImageForm = ImageForm::Qcow2;
const HEADER: usize = 104;
const OFFSET: u64 = 0x00FF_FFFF_FFFF_FE00;
const COMPRESSED: u64 = 1 << 62;
const ZERO: u64 = 1;
const CONVERT: &str = "convert it with `qemu-img convert -O raw`";

/// The clusters of an image. The tables stay in the file: an entry is read when it is asked for.
struct Clusters {
    size: u64,
    bits: u32,
    table: u64,
    entries: u64,
    /// The cluster that was unpacked last, with where it is packed.
    unpacked: Mutex<Option<(u64, Arc<Vec<u8>>)>>,
}

pub(super) fn open(
    file: Arc<dyn ReadAt>,
    beside: &Beside,
    depth: usize,
) -> Result<Arc<dyn ReadAt>, DiskTrouble> {
    let header = piece(file.as_ref(), FORM, 0, 72, "the header")?;
    let cut = || bad(FORM, "its header is cut");
    let version = u32_be(&header, 4).ok_or_else(cut)?;
    let backing_at = u64_be(&header, 8).ok_or_else(cut)?;
    let backing_len = u32_be(&header, 16).ok_or_else(cut)?;
    let bits = u32_be(&header, 20).ok_or_else(cut)?;
    let size = u64_be(&header, 24).ok_or_else(cut)?;
    let encryption = u32_be(&header, 32).ok_or_else(cut)?;
    let entries = u64::from(u32_be(&header, 36).ok_or_else(cut)?);
    let table = u64_be(&header, 40).ok_or_else(cut)?;
    if !(2..=3).contains(&version) || !(9..=21).contains(&bits) {
        return Err(bad(
            FORM,
            format!("version {version}, clusters of 2^{bits} bytes"),
        ));
    }
    if encryption != 0 {
        return Err(feature(
            "is encrypted",
            "decrypt it with `qemu-img convert`",
        ));
    }
    if version == 3 {
        let header = piece(file.as_ref(), FORM, 0, HEADER, "the header")?;
        let features = u64_be(&header, 72).ok_or_else(cut)?;
        // Bit 0 says that the counts of references may be wrong, bit 1 that the image may be: neither hinders reading.
        match features {
            other if other & 4 != 0 => {
                return Err(feature("keeps its data in another file", CONVERT));
            }
            other if other & 8 != 0 => {
                return Err(feature(
                    "is compressed by another method than deflate",
                    CONVERT,
                ));
            }
            other if other & 16 != 0 => return Err(feature("has subclusters", CONVERT)),
            other if other & !3 != 0 => {
                return Err(feature("has features that are not known", CONVERT));
            }
            _ => {}
        }
    }
    // Each entry of the first table stands for a cluster of entries of eight bytes, each of which stands for a cluster.
    if entries.saturating_mul(1 << (2 * bits - 3)) < size {
        return Err(bad(FORM, "its cluster table is smaller than the disk"));
    }
    let parent = match backing_at {
        0 => None,
        at => {
            let len = usize::try_from(backing_len).unwrap_or(usize::MAX);
            if len > 1023 {
                return Err(bad(FORM, "the name of its backing file is too long"));
            }
            let name = piece(file.as_ref(), FORM, at, len, "the backing file's name")?;
            let name = String::from_utf8_lossy(&name).into_owned();
            Some(open_parent(FORM, &name, beside, depth)?)
        }
    };
    let layout = Clusters {
        size,
        bits,
        table,
        entries,
        unpacked: Mutex::new(None),
    };
    Ok(Arc::new(Laid {
        layout,
        file,
        parent,
    }))
}

fn feature(feature: &'static str, instead: &'static str) -> DiskTrouble {
    DiskTrouble::Feature {
        form: FORM,
        feature,
        instead,
    }
}

fn word(file: &dyn ReadAt, at: u64) -> io::Result<u64> {
    let mut bytes = [0; 8];
    if file.read_full_at(at, &mut bytes)? < bytes.len() {
        return Err(io::Error::other(
            "a cluster table of the qcow2 image is cut",
        ));
    }
    Ok(u64::from_be_bytes(bytes))
}

impl Layout for Clusters {
    fn len(&self) -> u64 {
        self.size
    }

    fn stretch(&self, file: &dyn ReadAt, offset: u64) -> io::Result<(Stretch, u64)> {
        let cluster = 1_u64 << self.bits;
        let within = offset & (cluster - 1);
        let rest = cluster - within;
        let number = offset >> self.bits;
        let per_table = cluster / 8;
        let index = number / per_table;
        if index >= self.entries {
            return Ok((Stretch::Zeros, rest));
        }
        let second = word(file, self.table.saturating_add(index * 8))? & OFFSET;
        if second == 0 {
            return Ok((Stretch::Parent, rest));
        }
        let entry = word(file, second.saturating_add(number % per_table * 8))?;
        if entry & COMPRESSED != 0 {
            return Ok((
                Stretch::Unpacked(self.unpack(file, entry)?, within as usize),
                rest,
            ));
        }
        if entry & ZERO != 0 {
            return Ok((Stretch::Zeros, rest));
        }
        match entry & OFFSET {
            0 => Ok((Stretch::Parent, rest)),
            at => Ok((Stretch::Stored(at.saturating_add(within)), rest)),
        }
    }
}

impl Clusters {
    /// Unpacks a cluster: its place and the number of further sectors share the entry, the longer the clusters the more bits for
    /// the sectors.
    fn unpack(&self, file: &dyn ReadAt, entry: u64) -> io::Result<Arc<Vec<u8>>> {
        let split = 62 - (self.bits - 8);
        let at = entry & ((1 << split) - 1);
        if let Ok(kept) = self.unpacked.lock()
            && let Some((place, bytes)) = kept.as_ref()
            && *place == at
        {
            return Ok(Arc::clone(bytes));
        }
        let sectors = ((entry & (COMPRESSED - 1)) >> split) + 1;
        let most = 2_u64 << self.bits;
        let len = (sectors * 512).saturating_sub(at & 511).min(most);
        let mut packed = vec![0; usize::try_from(len).unwrap_or_default()];
        let filled = file.read_full_at(at, &mut packed)?;
        packed.truncate(filled);
        let mut bytes = Vec::new();
        DeflateDecoder::new(packed.as_slice())
            .take(1 << self.bits)
            .read_to_end(&mut bytes)?;
        let bytes = Arc::new(bytes);
        if let Ok(mut kept) = self.unpacked.lock() {
            *kept = Some((at, Arc::clone(&bytes)));
        }
        Ok(bytes)
    }
}
