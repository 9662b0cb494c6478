//! Forges a library of Windows: a header, one section, its version and its sum.

/// A library of that version.
pub fn library(version: [u16; 4]) -> Vec<u8> {
    const OPTIONAL: usize = 0x98;
    let mut bytes = vec![0; 0x400];
    let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
    put(0, b"MZ");
    put(0x3C, &0x80_u32.to_le_bytes());
    put(0x80, b"PE\0\0");
    put(0x86, &1_u16.to_le_bytes());
    put(0x94, &240_u16.to_le_bytes());
    put(OPTIONAL, &0x20B_u16.to_le_bytes());
    put(OPTIONAL + 240, b".rsrc");
    put(OPTIONAL + 256, &0x200_u32.to_le_bytes());
    put(OPTIONAL + 260, &0x200_u32.to_le_bytes());
    let key = "VS_VERSION_INFO\0".encode_utf16();
    let key: Vec<u8> = key.flat_map(u16::to_le_bytes).collect();
    put(0x206, &key);
    put(0x228, &0xFEEF_04BD_u32.to_le_bytes());
    for (at, number) in [0x232, 0x230, 0x236, 0x234].into_iter().zip(version) {
        put(at, &number.to_le_bytes());
    }
    let sum = sum(&bytes);
    bytes[OPTIONAL + 64..OPTIONAL + 68].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The words added, each time with the carry, and the length; the field of the sum is still zero.
fn sum(bytes: &[u8]) -> u32 {
    let (words, _) = bytes.as_chunks::<2>();
    let added = words.iter().fold(0, |sum, word| {
        let sum = sum + u32::from(u16::from_le_bytes(*word));
        (sum & 0xFFFF) + (sum >> 16)
    });
    added + bytes.len() as u32
}
