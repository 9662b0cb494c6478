//! Bins and cells: where the structures of a forged hive are put.

use jiff::Timestamp;

pub const PAGE: usize = 4096;
const BIN_HEADER: usize = 32;

/// Bins that grow as cells are put into them.
#[derive(Default)]
pub struct Bins {
    /// Everything after the base block.
    bytes: Vec<u8>,
    /// Where the next cell begins, and where the bin it stands in ends.
    next: usize,
}

impl Bins {
    /// Reserves a cell for `length` bytes and returns its offset.
    pub fn reserve(&mut self, length: usize) -> u32 {
        let size = (4 + length).next_multiple_of(8);
        if self.next + size > self.bytes.len() {
            self.close();
            let start = self.bytes.len();
            let bin_size = (BIN_HEADER + size).next_multiple_of(PAGE);
            self.bytes.resize(start + bin_size, 0);
            self.bytes[start..start + 4].copy_from_slice(b"hbin");
            self.word(start + 4, start as u32);
            self.word(start + 8, bin_size as u32);
            self.next = start + BIN_HEADER;
        }
        let offset = self.next;
        self.next += size;
        self.word(offset, (size as u32).wrapping_neg());
        offset as u32
    }

    /// Writes into the cell at `offset`.
    pub fn fill(&mut self, offset: u32, data: &[u8]) {
        let start = offset as usize + 4;
        self.bytes[start..start + data.len()].copy_from_slice(data);
    }

    /// Puts `data` into a cell of its own.
    pub fn put(&mut self, data: &[u8]) -> u32 {
        let offset = self.reserve(data.len());
        self.fill(offset, data);
        offset
    }

    /// The finished bins; the first carries the time of the hive.
    pub fn finish(mut self, written: Timestamp) -> Vec<u8> {
        self.close();
        self.bytes[20..28].copy_from_slice(&filetime(written).to_le_bytes());
        self.bytes
    }

    /// Makes what is left of the last bin a free cell.
    fn close(&mut self) {
        let rest = self.bytes.len() - self.next;
        if rest > 0 {
            self.word(self.next, rest as u32);
        }
        self.next = self.bytes.len();
    }

    fn word(&mut self, at: usize, word: u32) {
        self.bytes[at..at + 4].copy_from_slice(&word.to_le_bytes());
    }
}

/// Computes the checksum of the base block that `bytes` begin with.
pub fn seal(bytes: &mut [u8]) {
    let words = bytes[..508]
        .chunks(4)
        .map(|word| u32::from_le_bytes(word.try_into().unwrap()));
    let sum = match words.fold(0, |sum, word| sum ^ word) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    };
    bytes[508..512].copy_from_slice(&sum.to_le_bytes());
}

/// 100 ns since 1601.
pub fn filetime(time: Timestamp) -> u64 {
    u64::try_from(time.as_nanosecond() / 100 + 116_444_736_000_000_000).expect("a time since 1601")
}
