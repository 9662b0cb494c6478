//! The checksum of transaction log entries: Marvin32 with the seed that Windows uses there.
//!
//! Source: "Windows registry file format specification" (M. Suhanov), section "Format of transaction log files".

/// The seed of every log entry's checksums.
const SEED: u64 = 0x82EF_4D88_7A4E_55C5;

/// The Marvin32 checksum of `bytes`, as the two 64-bit fields of a log entry hold it.
pub fn checksum(bytes: &[u8]) -> u64 {
    let mut state = State {
        low: SEED as u32,
        high: (SEED >> 32) as u32,
    };
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        state.mix(little_endian(word));
    }
    let rest = words.remainder();
    state.mix(little_endian(rest) | 0x80 << (8 * rest.len()));
    state.mix(0);
    u64::from(state.high) << 32 | u64::from(state.low)
}

/// Up to four bytes as a little-endian word.
fn little_endian(bytes: &[u8]) -> u32 {
    let significant = bytes.iter().rev();
    significant.fold(0, |word, byte| word << 8 | u32::from(*byte))
}

struct State {
    low: u32,
    high: u32,
}

impl State {
    fn mix(&mut self, word: u32) {
        self.low = self.low.wrapping_add(word);
        self.high ^= self.low;
        self.low = self.low.rotate_left(20).wrapping_add(self.high);
        self.high = self.high.rotate_left(9) ^ self.low;
        self.low = self.low.rotate_left(27).wrapping_add(self.high);
        self.high = self.high.rotate_left(19);
    }
}

#[cfg(test)]
mod tests {
    use super::checksum;

    /// What yarp, an independent implementation, computes for the same bytes. What logs hold is a multiple of four bytes
    /// long; yarp is wrong for two and three odd bytes, which therefore are not compared.
    #[test]
    fn agrees_with_another_implementation() {
        assert_eq!(checksum(b""), 0xB39E_FCA4_0396_6E08);
        assert_eq!(checksum(b"H"), 0x83BA_6713_F72D_DD43);
        assert_eq!(checksum(b"HvLE"), 0x9145_2793_2CF3_36DD);
        assert_eq!(checksum(b"a longer run of bytes"), 0x9B04_5DDC_8342_17CD);
    }
}
