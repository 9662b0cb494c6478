//! Marvin32 as transaction log entries use it.

const SEED: (u32, u32) = (0x7A4E_55C5, 0x82EF_4D88);

/// The checksum of `bytes`, padded with 0x80 and zeroes to a whole word.
pub fn checksum(bytes: &[u8]) -> u64 {
    let mut padded = bytes.to_vec();
    padded.push(0x80);
    padded.resize(padded.len().next_multiple_of(4) + 4, 0);
    let (low, high) = padded.chunks(4).fold(SEED, |(mut low, mut high), word| {
        low = low.wrapping_add(u32::from_le_bytes(word.try_into().unwrap()));
        high ^= low;
        low = low.rotate_left(20).wrapping_add(high);
        high = high.rotate_left(9) ^ low;
        low = low.rotate_left(27).wrapping_add(high);
        (low, high.rotate_left(19))
    });
    u64::from(high) << 32 | u64::from(low)
}
