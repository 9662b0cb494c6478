//! Forges disk images of formats that nothing here can make otherwise: dynamic and differencing VHD, and VHDX with a parent or with
//! a log that was not carried out.

use super::ntfs::record_wide as wide;

const MIB: usize = 1 << 20;

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    bytes[at..at + value.len()].copy_from_slice(value);
}

/// A VHD (Microsoft, "Virtual Hard Disk Image Format Specification"): dynamic, or differencing where it has a parent, which is given
/// by its file name and its bytes.
pub struct Vhd<'a> {
    pub disk: &'a [u8],
    pub id: [u8; 16],
    pub parent: Option<VhdParent<'a>>,
}

pub struct VhdParent<'a> {
    pub name: &'a str,
    pub id: [u8; 16],
    pub disk: &'a [u8],
}

const BLOCK: usize = 2 * MIB;
const SECTOR: usize = 512;

impl Vhd<'_> {
    pub fn build(&self) -> Vec<u8> {
        let entries = self.disk.len().div_ceil(BLOCK);
        let table_at = 512 + 1024;
        let locator_at = table_at + (entries * 4).next_multiple_of(SECTOR);
        let footer = self.footer();
        let mut bytes = footer.to_vec();
        bytes.extend(self.header(table_at, entries, locator_at));
        bytes.resize(locator_at, 0xFF);
        bytes.extend(self.locator());
        bytes.resize(locator_at + SECTOR, 0);
        for (number, block) in self.disk.chunks(BLOCK).enumerate() {
            let below = self
                .parent
                .as_ref()
                .map(|parent| parent.disk.get(number * BLOCK..).unwrap_or_default());
            let mut bitmap = [0_u8; BLOCK / SECTOR / 8];
            for (index, sector) in block.chunks(SECTOR).enumerate() {
                let same = match below {
                    Some(below) => below
                        .get(index * SECTOR..)
                        .is_some_and(|below| below.starts_with(sector)),
                    None => sector.iter().all(|byte| *byte == 0),
                };
                if !same {
                    bitmap[index / 8] |= 0x80 >> (index % 8);
                }
            }
            if bitmap.iter().all(|byte| *byte == 0) {
                continue;
            }
            let at = (bytes.len() / SECTOR) as u32;
            put(&mut bytes, table_at + number * 4, &at.to_be_bytes());
            bytes.extend(bitmap);
            let begin = bytes.len();
            for (index, sector) in block.chunks(SECTOR).enumerate() {
                let is_here =
                    self.parent.is_none() || bitmap[index / 8] & (0x80 >> (index % 8)) != 0;
                // What is the parent's must not be read from here.
                bytes.extend(if is_here {
                    sector.to_vec()
                } else {
                    vec![0xDB; sector.len()]
                });
            }
            bytes.resize(begin + BLOCK, 0);
        }
        bytes.extend(footer);
        bytes
    }

    fn footer(&self) -> [u8; 512] {
        let mut footer = [0; 512];
        put(&mut footer, 0, b"conectix");
        put(&mut footer, 8, &2_u32.to_be_bytes());
        put(&mut footer, 12, &0x1_0000_u32.to_be_bytes());
        put(&mut footer, 16, &512_u64.to_be_bytes());
        put(&mut footer, 28, b"test");
        put(&mut footer, 40, &(self.disk.len() as u64).to_be_bytes());
        put(&mut footer, 48, &(self.disk.len() as u64).to_be_bytes());
        // Cylinders, heads, sectors: 17 sectors, 4 heads.
        put(
            &mut footer,
            56,
            &((self.disk.len() / SECTOR / 68) as u16).to_be_bytes(),
        );
        put(&mut footer, 58, &[4, 17]);
        let kind: u32 = if self.parent.is_some() { 4 } else { 3 };
        put(&mut footer, 60, &kind.to_be_bytes());
        put(&mut footer, 68, &self.id);
        sum(&mut footer, 64);
        footer
    }

    fn header(&self, table_at: usize, entries: usize, locator_at: usize) -> [u8; 1024] {
        let mut header = [0; 1024];
        put(&mut header, 0, b"cxsparse");
        put(&mut header, 8, &u64::MAX.to_be_bytes());
        put(&mut header, 16, &(table_at as u64).to_be_bytes());
        put(&mut header, 24, &0x1_0000_u32.to_be_bytes());
        put(&mut header, 28, &(entries as u32).to_be_bytes());
        put(&mut header, 32, &(BLOCK as u32).to_be_bytes());
        if let Some(parent) = &self.parent {
            put(&mut header, 40, &parent.id);
            let name: Vec<u8> = parent
                .name
                .encode_utf16()
                .flat_map(u16::to_be_bytes)
                .collect();
            put(&mut header, 64, &name);
            let path = self.locator();
            put(&mut header, 576, b"W2ru");
            put(&mut header, 580, &(SECTOR as u32).to_be_bytes());
            put(&mut header, 584, &(path.len() as u32).to_be_bytes());
            put(&mut header, 592, &(locator_at as u64).to_be_bytes());
        }
        sum(&mut header, 36);
        header
    }

    fn locator(&self) -> Vec<u8> {
        self.parent
            .as_ref()
            .map_or(Vec::new(), |parent| wide(&format!(".\\{}", parent.name)))
    }
}

/// "The one's complement of the sum of all the bytes" without the field itself.
fn sum(bytes: &mut [u8], at: usize) {
    let sum: u32 = bytes.iter().map(|byte| u32::from(*byte)).sum();
    put(bytes, at, &(!sum).to_be_bytes());
}

/// A VHDX (MS-VHDX) with blocks of one MiB.
pub struct Vhdx<'a> {
    pub disk: &'a [u8],
    /// Which state of the disk it is, as a child refers to it.
    pub id: [u8; 16],
    /// The parent's file name, its state and its bytes.
    pub parent: Option<(&'a str, [u8; 16], &'a [u8])>,
    /// Whether the block table is in the log only: it was being written when the machine died.
    pub unfinished: bool,
}

const KIB: usize = 1 << 10;
const LOG_AT: usize = MIB;
const METADATA_AT: usize = 2 * MIB;
const TABLE_AT: usize = 3 * MIB;
const LOG: [u8; 16] = [0x4C; 16];
/// Blocks before each entry of a bitmap: 2^23 sectors of 512 bytes.
const CHUNK: usize = 4096;

impl Vhdx<'_> {
    pub fn build(&self) -> Vec<u8> {
        let blocks = self.disk.len().div_ceil(MIB);
        assert!(blocks < CHUNK);
        let mut bytes = vec![0; 4 * MIB];
        put(&mut bytes, 0, b"vhdxfile");
        for (at, sequence) in [(64 * KIB, 1_u64), (128 * KIB, 2)] {
            put(&mut bytes, at, &self.header(sequence));
        }
        for at in [192 * KIB, 256 * KIB] {
            put(&mut bytes, at, &regions());
        }
        put(&mut bytes, METADATA_AT, &self.metadata());
        let mut bitmap = vec![0_u8; MIB];
        for number in 0..blocks {
            let block = &self.disk[number * MIB..((number + 1) * MIB).min(self.disk.len())];
            let entry = |bytes: &mut Vec<u8>, state: u64| {
                let at = (bytes.len() / MIB) as u64;
                put(
                    bytes,
                    TABLE_AT + number * 8,
                    &((at << 20) | state).to_le_bytes(),
                );
                let begin = bytes.len();
                bytes.extend(block);
                bytes.resize(begin + MIB, 0);
            };
            match self.parent {
                None if block.iter().all(|byte| *byte == 0) => {}
                None => entry(&mut bytes, 6),
                Some((_, _, below)) => {
                    let below = below.get(number * MIB..).unwrap_or_default();
                    if below.starts_with(block) {
                        continue;
                    }
                    // Partly here: each sector that differs.
                    entry(&mut bytes, 7);
                    let begin = bytes.len() - MIB;
                    for (index, sector) in block.chunks(SECTOR).enumerate() {
                        if below
                            .get(index * SECTOR..)
                            .is_some_and(|below| below.starts_with(sector))
                        {
                            bytes[begin + index * SECTOR..begin + (index + 1) * SECTOR].fill(0xDB);
                        } else {
                            let bit = number * (MIB / SECTOR) + index;
                            bitmap[bit / 8] |= 1 << (bit % 8);
                        }
                    }
                }
            }
        }
        if self.parent.is_some() {
            let at = (bytes.len() / MIB) as u64;
            put(
                &mut bytes,
                TABLE_AT + CHUNK * 8,
                &((at << 20) | 6).to_le_bytes(),
            );
            bytes.extend(bitmap);
        }
        if self.unfinished {
            let sector = bytes[TABLE_AT..TABLE_AT + 4096].to_vec();
            bytes[TABLE_AT..TABLE_AT + 4096].fill(0);
            let size = bytes.len() as u64;
            put(
                &mut bytes,
                LOG_AT,
                &log_entry(&sector, TABLE_AT as u64, size),
            );
        }
        bytes
    }

    fn header(&self, sequence: u64) -> Vec<u8> {
        let mut header = vec![0; 4096];
        put(&mut header, 0, b"head");
        put(&mut header, 8, &sequence.to_le_bytes());
        put(&mut header, 16, &[1; 16]);
        put(&mut header, 32, &self.id);
        if self.unfinished {
            put(&mut header, 48, &LOG);
        }
        put(&mut header, 66, &1_u16.to_le_bytes());
        put(&mut header, 68, &(MIB as u32).to_le_bytes());
        put(&mut header, 72, &(LOG_AT as u64).to_le_bytes());
        castagnoli(&mut header);
        header
    }

    fn metadata(&self) -> Vec<u8> {
        let mut items: Vec<(&str, Vec<u8>, u32)> = vec![
            (
                "caa16737-fa36-4d43-b3b6-33f0aa44e76b",
                [
                    (MIB as u32).to_le_bytes(),
                    (if self.parent.is_some() { 2_u32 } else { 0 }).to_le_bytes(),
                ]
                .concat(),
                4,
            ),
            (
                "2fa54224-cd1b-4876-b211-5dbed83bf4b8",
                (self.disk.len() as u64).to_le_bytes().to_vec(),
                6,
            ),
            ("beca12ab-b2e6-4523-93ef-c309e000c746", vec![9; 16], 6),
            (
                "8141bf1d-a96f-4709-ba47-f233a8faab5f",
                512_u32.to_le_bytes().to_vec(),
                6,
            ),
            (
                "cda348c7-445d-4471-9cc9-e9885251c556",
                512_u32.to_le_bytes().to_vec(),
                6,
            ),
        ];
        if let Some((name, id, _)) = self.parent {
            items.push(("a8d35f2d-b30b-454d-abf7-d3d84834ab0c", locator(name, id), 4));
        }
        let mut table = vec![0; 64 * KIB];
        put(&mut table, 0, b"metadata");
        put(&mut table, 10, &(items.len() as u16).to_le_bytes());
        let mut at = 64 * KIB;
        for (index, (id, value, flags)) in items.iter().enumerate() {
            let entry = 32 + index * 32;
            put(&mut table, entry, &guid(id));
            put(&mut table, entry + 16, &(at as u32).to_le_bytes());
            put(&mut table, entry + 20, &(value.len() as u32).to_le_bytes());
            put(&mut table, entry + 24, &flags.to_le_bytes());
            table.extend(value);
            table.resize(table.len().next_multiple_of(8), 0);
            at = table.len();
        }
        table
    }
}

fn locator(name: &str, id: [u8; 16]) -> Vec<u8> {
    let digits = |range: std::ops::Range<usize>| -> String {
        id[range].iter().map(|byte| format!("{byte:02x}")).collect()
    };
    // The states that are made here are the same bytes from both ends.
    let linkage = format!(
        "{{{}-{}-{}-{}-{}}}",
        digits(0..4),
        digits(4..6),
        digits(6..8),
        digits(8..10),
        digits(10..16)
    );
    let pairs = [
        ("parent_linkage", linkage),
        ("relative_path", format!(".\\{name}")),
    ];
    let mut bytes = guid("b04aefb7-d19e-4a81-b789-25b8e9445913").to_vec();
    bytes.extend([0; 2]);
    bytes.extend((pairs.len() as u16).to_le_bytes());
    let mut texts = Vec::new();
    let start = 20 + pairs.len() * 12;
    for (key, value) in &pairs {
        let (key, value) = (wide(key), wide(value));
        let at = start + texts.len();
        bytes.extend((at as u32).to_le_bytes());
        bytes.extend(((at + key.len()) as u32).to_le_bytes());
        bytes.extend((key.len() as u16).to_le_bytes());
        bytes.extend((value.len() as u16).to_le_bytes());
        texts.extend(key);
        texts.extend(value);
    }
    bytes.extend(texts);
    bytes
}

fn regions() -> Vec<u8> {
    let mut table = vec![0; 64 * KIB];
    put(&mut table, 0, b"regi");
    put(&mut table, 8, &2_u32.to_le_bytes());
    let places = [
        ("2dc27766-f623-4200-9d64-115e9bfd4a08", TABLE_AT),
        ("8b7ca206-4790-4b9a-b8fe-575f050f886e", METADATA_AT),
    ];
    for (index, (id, at)) in places.into_iter().enumerate() {
        let entry = 16 + index * 32;
        put(&mut table, entry, &guid(id));
        put(&mut table, entry + 16, &(at as u64).to_le_bytes());
        put(&mut table, entry + 24, &(MIB as u32).to_le_bytes());
        put(&mut table, entry + 28, &1_u32.to_le_bytes());
    }
    castagnoli(&mut table);
    table
}

/// An entry of the log that writes one sector.
fn log_entry(sector: &[u8], at: u64, size: u64) -> Vec<u8> {
    let sequence = 7_u64;
    let mut entry = vec![0; 8192];
    put(&mut entry, 0, b"loge");
    put(&mut entry, 8, &8192_u32.to_le_bytes());
    put(&mut entry, 16, &sequence.to_le_bytes());
    put(&mut entry, 24, &1_u32.to_le_bytes());
    put(&mut entry, 32, &LOG);
    put(&mut entry, 48, &size.to_le_bytes());
    put(&mut entry, 56, &size.to_le_bytes());
    put(&mut entry, 64, b"desc");
    put(&mut entry, 68, &sector[4092..]);
    put(&mut entry, 72, &sector[..8]);
    put(&mut entry, 80, &at.to_le_bytes());
    put(&mut entry, 88, &sequence.to_le_bytes());
    put(&mut entry, 4096, b"data");
    put(&mut entry, 4100, &((sequence >> 32) as u32).to_le_bytes());
    put(&mut entry, 4104, &sector[8..4092]);
    put(&mut entry, 8188, &(sequence as u32).to_le_bytes());
    castagnoli(&mut entry);
    entry
}

/// A GUID as it lies in a file.
fn guid(text: &str) -> [u8; 16] {
    let digits: String = text.chars().filter(|char| *char != '-').collect();
    let byte =
        |index: usize| u8::from_str_radix(&digits[2 * index..2 * index + 2], 16).expect("digits");
    [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15].map(byte)
}

/// CRC-32C of the bytes without the field at byte 4, into it.
fn castagnoli(bytes: &mut [u8]) {
    let sum = bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0x82F6_3B78 & 0_u32.wrapping_sub(sum & 1))
        })
    });
    put(bytes, 4, &(!sum).to_le_bytes());
}
