//! Fields of on-disk structures, read where they are and nowhere else.

/// A field of `N` bytes.
pub(super) fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..)?.first_chunk::<N>().copied()
}

pub(super) fn u16_le(bytes: &[u8], at: usize) -> Option<u16> {
    field(bytes, at).map(u16::from_le_bytes)
}

pub(super) fn u32_le(bytes: &[u8], at: usize) -> Option<u32> {
    field(bytes, at).map(u32::from_le_bytes)
}

pub(super) fn u64_le(bytes: &[u8], at: usize) -> Option<u64> {
    field(bytes, at).map(u64::from_le_bytes)
}

pub(super) fn u32_be(bytes: &[u8], at: usize) -> Option<u32> {
    field(bytes, at).map(u32::from_be_bytes)
}

pub(super) fn u64_be(bytes: &[u8], at: usize) -> Option<u64> {
    field(bytes, at).map(u64::from_be_bytes)
}

/// UTF-16, little-endian, as text; what is no character becomes U+FFFD.
pub(super) fn utf16_le(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
    String::from_utf16_lossy(&units)
}

/// A GUID as it lies on a disk, the way people write it.
pub(super) fn guid(bytes: &[u8], at: usize) -> Option<String> {
    let first = u32_le(bytes, at)?;
    let second = u16_le(bytes, at.checked_add(4)?)?;
    let third = u16_le(bytes, at.checked_add(6)?)?;
    let rest: [u8; 8] = field(bytes, at.checked_add(8)?)?;
    let digits: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let (fourth, fifth) = digits.split_at(4);
    Some(format!(
        "{first:08x}-{second:04x}-{third:04x}-{fourth}-{fifth}"
    ))
}
