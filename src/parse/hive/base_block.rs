//! The base block: the first 4096 bytes of a hive, and the first 512 of its transaction logs.
//!
//! Source: "Windows registry file format specification" (M. Suhanov), section "Base block".

use jiff::Timestamp;

use super::cell::BASE_BLOCK_SIZE;

/// The bytes that a transaction log repeats of the base block; the checksum covers all but the last four.
pub(super) const SHORT_SIZE: usize = 512;

const SIGNATURE: &[u8; 4] = b"regf";
const PRIMARY_SEQUENCE: usize = 4;
const SECONDARY_SEQUENCE: usize = 8;
const WRITTEN: usize = 12;
const MAJOR_VERSION: usize = 20;
const MINOR_VERSION: usize = 24;
const FILE_TYPE: usize = 28;
const FILE_FORMAT: usize = 32;
const ROOT: usize = 36;
const HBINS_SIZE: usize = 40;
const CLUSTERING: usize = 44;
const NAME: usize = 48;
const NAME_SIZE: usize = 64;
const FLAGS: usize = 144;
const CHECKSUM: usize = 508;

/// What the base block of a hive or of a transaction log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseBlock {
    /// Counted up when a write begins.
    pub primary_sequence: u32,
    /// Set to the same number when the write has ended: while they differ, the hive is dirty.
    pub secondary_sequence: u32,
    /// When the hive was last written, by the clock of its machine. `None` where the field holds no date.
    pub written: Option<Timestamp>,
    /// The major version; always 1.
    pub major_version: u32,
    /// The minor version: 3 for what `reg save` writes, 5 and 6 for the machine's own hives.
    pub minor_version: u32,
    /// 0 for a hive; 1, 2 or 6 for a transaction log.
    pub file_type: u32,
    /// The offset of the root key's cell.
    pub root: u32,
    /// The length of everything after the base block, in bytes.
    pub hbins_size: u32,
    /// The path of the file, or its end, as far as 31 characters hold it.
    pub name: String,
    /// Whether the checksum fits.
    pub intact: bool,
}

impl BaseBlock {
    /// Reads a base block, whether its checksum fits or not. `None` without the signature or 512 bytes.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let block: &[u8; SHORT_SIZE] = bytes.first_chunk()?;
        if !block.starts_with(SIGNATURE) {
            return None;
        }
        let (_, from_written) = block.split_at(WRITTEN);
        let written = from_written.first_chunk().copied().map(u64::from_le_bytes);
        Some(BaseBlock {
            primary_sequence: word(block, PRIMARY_SEQUENCE),
            secondary_sequence: word(block, SECONDARY_SEQUENCE),
            written: written.and_then(timestamp),
            major_version: word(block, MAJOR_VERSION),
            minor_version: word(block, MINOR_VERSION),
            file_type: word(block, FILE_TYPE),
            root: word(block, ROOT),
            hbins_size: word(block, HBINS_SIZE),
            name: file_name(block),
            intact: word(block, CHECKSUM) == checksum(block),
        })
    }

    /// Whether a write to the hive was begun and not ended, or may have been: the transaction logs hold the rest.
    pub fn is_dirty(&self) -> bool {
        !self.intact || self.primary_sequence != self.secondary_sequence
    }
}

/// Writes into `bytes` a base block for the bins behind it, for a hive that has lost its own.
pub(super) fn synthesize(bytes: &mut [u8], root: u32) {
    let hbins_size = bytes.len().saturating_sub(BASE_BLOCK_SIZE);
    let Some(block) = bytes.first_chunk_mut::<BASE_BLOCK_SIZE>() else {
        return;
    };
    block.fill(0);
    block[..4].copy_from_slice(SIGNATURE);
    put(block, PRIMARY_SEQUENCE, 1);
    put(block, SECONDARY_SEQUENCE, 1);
    put(block, MAJOR_VERSION, 1);
    put(block, MINOR_VERSION, 5);
    put(block, FILE_FORMAT, 1);
    put(block, ROOT, root);
    put(
        block,
        HBINS_SIZE,
        u32::try_from(hbins_size / 4096 * 4096).unwrap_or(0),
    );
    put(block, CLUSTERING, 1);
    seal(bytes);
}

/// Writes where the root key is, without touching the checksum: the block stays marked as damaged.
pub(super) fn set_root(bytes: &mut [u8], root: u32) {
    put(bytes, ROOT, root);
}

/// Writes how long the bins are after a log entry was applied, and the flags of that entry.
pub(super) fn set_entry(bytes: &mut [u8], hbins_size: u32, flags: u32) {
    put(bytes, HBINS_SIZE, hbins_size);
    let kept = bytes
        .first_chunk::<SHORT_SIZE>()
        .map_or(0, |block| word(block, FLAGS))
        & !1;
    put(bytes, FLAGS, kept | flags & 1);
}

/// Marks a hive as whole after its logs were applied up to `sequence`.
pub(super) fn finish(bytes: &mut [u8], sequence: u32) {
    put(bytes, PRIMARY_SEQUENCE, sequence);
    put(bytes, SECONDARY_SEQUENCE, sequence);
    put(bytes, FILE_TYPE, 0);
    seal(bytes);
}

/// The date of a FILETIME (100 ns since 1601). `None` for zero and for what lies beyond the calendar.
pub(super) fn timestamp(filetime: u64) -> Option<Timestamp> {
    const UNIX_EPOCH: i64 = 116_444_736_000_000_000;
    const SECOND: i64 = 10_000_000;
    if filetime == 0 {
        return None;
    }
    let ticks = i64::try_from(filetime).ok()?.checked_sub(UNIX_EPOCH)?;
    let nanoseconds = i32::try_from(ticks.rem_euclid(SECOND) * 100).ok()?;
    Timestamp::new(ticks.div_euclid(SECOND), nanoseconds).ok()
}

fn seal(bytes: &mut [u8]) {
    if let Some(block) = bytes.first_chunk::<SHORT_SIZE>() {
        let sum = checksum(block);
        put(bytes, CHECKSUM, sum);
    }
}

/// All words before it, joined by exclusive or; 0 and -1 are avoided.
fn checksum(block: &[u8; SHORT_SIZE]) -> u32 {
    let words = (0..CHECKSUM).step_by(4).map(|at| word(block, at));
    match words.fold(0, |sum, word| sum ^ word) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

fn file_name(block: &[u8; SHORT_SIZE]) -> String {
    let stored = block.get(NAME..NAME + NAME_SIZE).unwrap_or(&[]);
    let units = stored
        .chunks_exact(2)
        .map(|unit| u16::from(unit[0]) | u16::from(unit[1]) << 8);
    let units: Vec<u16> = units.take_while(|unit| *unit != 0).collect();
    String::from_utf16_lossy(&units)
}

/// The word at a place that is one of the constants above.
fn word(block: &[u8; SHORT_SIZE], at: usize) -> u32 {
    let bytes = block.get(at..).and_then(<[u8]>::first_chunk);
    bytes.map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

fn put(bytes: &mut [u8], at: usize, word: u32) {
    if let Some(field) = bytes.get_mut(at..at + 4) {
        field.copy_from_slice(&word.to_le_bytes());
    }
}
