//! Records of $MFT and the attributes in them.

pub const RECORD: usize = 1024;
pub const CLUSTER: usize = 4096;

pub const STANDARD_INFORMATION: u32 = 0x10;
pub const ATTRIBUTE_LIST: u32 = 0x20;
pub const FILE_NAME: u32 = 0x30;
pub const SECURITY_DESCRIPTOR: u32 = 0x50;
pub const VOLUME_NAME: u32 = 0x60;
pub const VOLUME_INFORMATION: u32 = 0x70;
pub const DATA: u32 = 0x80;
pub const INDEX_ROOT: u32 = 0x90;
pub const INDEX_ALLOCATION: u32 = 0xA0;
pub const BITMAP: u32 = 0xB0;
pub const REPARSE_POINT: u32 = 0xC0;

/// A run of clusters: how many, and where; without a place it is sparse.
pub type Run = (u64, Option<u64>);

/// A record in the making.
pub struct Record {
    pub number: u64,
    pub sequence: u16,
    /// 1 in use, 2 a folder.
    pub flags: u16,
    /// The record that it continues.
    pub base: u64,
    pub links: u16,
    pub attributes: Vec<Vec<u8>>,
}

impl Record {
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = b"FILE".to_vec();
        bytes.extend(48_u16.to_le_bytes());
        bytes.extend(3_u16.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(self.sequence.to_le_bytes());
        bytes.extend(self.links.to_le_bytes());
        bytes.extend(56_u16.to_le_bytes());
        bytes.extend(self.flags.to_le_bytes());
        bytes.extend([0; 4]);
        bytes.extend((RECORD as u32).to_le_bytes());
        bytes.extend(self.base.to_le_bytes());
        bytes.extend((self.attributes.len() as u16 + 1).to_le_bytes());
        bytes.extend([0; 2]);
        bytes.extend((self.number as u32).to_le_bytes());
        bytes.extend([0; 8]);
        for (id, attribute) in self.attributes.iter().enumerate() {
            let mut attribute = attribute.clone();
            attribute[14..16].copy_from_slice(&(id as u16).to_le_bytes());
            bytes.extend(attribute);
        }
        bytes.extend(u32::MAX.to_le_bytes());
        bytes.extend([0; 4]);
        let used = bytes.len() as u32;
        assert!(bytes.len() <= RECORD, "record {} is too full", self.number);
        bytes[24..28].copy_from_slice(&used.to_le_bytes());
        bytes.resize(RECORD, 0);
        protect(&mut bytes, 48);
        bytes
    }
}

/// Puts the check of each sector in place and keeps what was there, as NTFS does before it writes.
pub fn protect(bytes: &mut [u8], array: usize) {
    const CHECK: [u8; 2] = [7, 0];
    bytes[array..array + 2].copy_from_slice(&CHECK);
    for sector in 0..bytes.len() / 512 {
        let end = sector * 512 + 510;
        let kept = [bytes[end], bytes[end + 1]];
        bytes[array + 2 + 2 * sector..array + 4 + 2 * sector].copy_from_slice(&kept);
        bytes[end..end + 2].copy_from_slice(&CHECK);
    }
}

pub fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// An attribute whose value is in the record.
pub fn resident(kind: u32, name: &str, value: &[u8]) -> Vec<u8> {
    let name = wide(name);
    let at = (24 + name.len()).next_multiple_of(8);
    let len = (at + value.len()).next_multiple_of(8);
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend((len as u32).to_le_bytes());
    bytes.extend([0, (name.len() / 2) as u8]);
    bytes.extend(24_u16.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend((value.len() as u32).to_le_bytes());
    bytes.extend((at as u16).to_le_bytes());
    bytes.extend([u8::from(kind == FILE_NAME), 0]);
    bytes.extend(name);
    bytes.resize(at, 0);
    bytes.extend(value);
    bytes.resize(len, 0);
    bytes
}

/// How the clusters of a value are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    Plain,
    Compressed,
    Encrypted,
    Sparse,
}

/// An attribute whose value is in clusters; these are the runs from `first` on.
pub fn in_clusters(
    kind: u32,
    name: &str,
    size: u64,
    first: u64,
    runs: &[Run],
    kept: Kept,
) -> Vec<u8> {
    let name = wide(name);
    let has_unit = matches!(kept, Kept::Compressed | Kept::Sparse);
    let header: usize = if has_unit { 72 } else { 64 };
    let packed = pack(runs);
    let at = (header + name.len()).next_multiple_of(8);
    let len = (at + packed.len()).next_multiple_of(8);
    let count: u64 = runs.iter().map(|(count, _)| count).sum();
    let stored: u64 = runs
        .iter()
        .filter(|(_, place)| place.is_some())
        .map(|(count, _)| count)
        .sum();
    let (flags, unit): (u16, u16) = match kept {
        Kept::Plain => (0, 0),
        Kept::Compressed => (1, 4),
        Kept::Encrypted => (0x4000, 0),
        Kept::Sparse => (0x8000, 4),
    };
    let mut bytes = kind.to_le_bytes().to_vec();
    bytes.extend((len as u32).to_le_bytes());
    bytes.extend([1, (name.len() / 2) as u8]);
    bytes.extend((header as u16).to_le_bytes());
    bytes.extend(flags.to_le_bytes());
    bytes.extend([0; 2]);
    bytes.extend(first.to_le_bytes());
    bytes.extend((first + count).wrapping_sub(1).to_le_bytes());
    bytes.extend((at as u16).to_le_bytes());
    bytes.extend(unit.to_le_bytes());
    bytes.extend([0; 4]);
    let sizes = if first == 0 {
        [
            (count * CLUSTER as u64).max(size.next_multiple_of(CLUSTER as u64)),
            size,
            size,
        ]
    } else {
        [0; 3]
    };
    for size in sizes {
        bytes.extend(size.to_le_bytes());
    }
    if has_unit {
        bytes.extend((stored * CLUSTER as u64).to_le_bytes());
    }
    bytes.extend(name);
    bytes.resize(at, 0);
    bytes.extend(packed);
    bytes.resize(len, 0);
    bytes
}

/// Runs as NTFS packs them: sizes of two numbers, the count, and the distance from the run before.
pub fn pack(runs: &[Run]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut before = 0_i64;
    for (count, place) in runs {
        let count = shortest(*count as i64);
        let distance = place.map(|place| {
            let distance = place as i64 - before;
            before = place as i64;
            shortest(distance)
        });
        let distance = distance.unwrap_or_default();
        bytes.push((distance.len() << 4 | count.len()) as u8);
        bytes.extend(count);
        bytes.extend(distance);
    }
    bytes.push(0);
    bytes
}

/// A number in as few bytes as keep its sign.
fn shortest(number: i64) -> Vec<u8> {
    let bytes = number.to_le_bytes();
    let fits = |len: usize| {
        let shift = 64 - 8 * len as u32;
        number << shift >> shift == number
    };
    let len = (1..=8).find(|len| fits(*len)).unwrap_or(8);
    bytes[..len].to_vec()
}
