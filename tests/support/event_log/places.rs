//! Where things stand in a finished log, for tests that damage it.

use super::{CHUNK_SIZE, FILE_HEADER};

/// Where a chunk begins in the file.
pub fn chunk_at(index: usize) -> usize {
    FILE_HEADER + index * CHUNK_SIZE
}

/// A number of four bytes.
pub fn field(bytes: &[u8], at: usize) -> usize {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize
}

/// Where the records of a chunk begin, in the file.
pub fn records_of(log: &[u8], chunk: usize) -> Vec<usize> {
    let start = chunk_at(chunk);
    let mut place = start + 512;
    let mut places = Vec::new();
    while place < start + field(log, start + 48) {
        places.push(place);
        place += field(log, place + 4);
    }
    places
}
