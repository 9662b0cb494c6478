//! One chunk: its records, and the tables of names and templates that they share.

use std::collections::HashMap;

use super::value::utf16;
use super::{Event, binxml};

/// Bytes of a chunk.
pub const CHUNK_SIZE: usize = 0x10000;
const HEADER: usize = 512;

/// A record to be written.
pub(crate) struct NewRecord<'a> {
    pub event: &'a Event,
    /// The number in the record header.
    pub order: u64,
    /// `EventRecordID`.
    pub number: u64,
    /// The time in the record header.
    pub filetime: u64,
    pub channel: &'a str,
    pub computer: &'a str,
}

/// A chunk that is being filled. Offsets in BinXML count from its start.
#[derive(Clone)]
pub(crate) struct Chunk {
    pub(super) bytes: Vec<u8>,
    names: HashMap<String, u32>,
    templates: HashMap<Vec<String>, Template>,
    tables: Tables,
    first: Option<u64>,
    last: u64,
    last_offset: u32,
}

/// The heads of the chains of names and of template definitions.
#[derive(Clone, Copy)]
struct Tables {
    names: [u32; 64],
    templates: [u32; 32],
}

/// A template definition in this chunk.
#[derive(Clone, Copy)]
struct Template {
    id: u32,
    offset: u32,
}

impl Chunk {
    pub fn new() -> Self {
        Chunk {
            bytes: vec![0; HEADER],
            names: HashMap::new(),
            templates: HashMap::new(),
            tables: Tables {
                names: [0; 64],
                templates: [0; 32],
            },
            first: None,
            last: 0,
            last_offset: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Writes a record, if there is room for it.
    pub fn write(&mut self, record: &NewRecord<'_>) -> bool {
        let start = self.bytes.len();
        let tables = self.tables;
        self.bytes
            .extend_from_slice(&[0x2a, 0x2a, 0, 0, 0, 0, 0, 0]);
        self.u64(record.order);
        self.u64(record.filetime);
        binxml::event(self, record);
        // Records begin at multiples of eight.
        while !(self.bytes.len() + 4).is_multiple_of(8) {
            self.bytes.push(0);
        }
        let size = (self.bytes.len() + 4 - start) as u32;
        self.u32(size);
        self.bytes[start + 4..start + 8].copy_from_slice(&size.to_le_bytes());
        if self.bytes.len() > CHUNK_SIZE {
            self.bytes.truncate(start);
            self.tables = tables;
            return false;
        }
        self.first.get_or_insert(record.order);
        self.last = record.order;
        self.last_offset = start as u32;
        true
    }

    /// The chunk with its header and its checksums, padded with zeros.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.bytes;
        let free_space = bytes.len();
        bytes.resize(CHUNK_SIZE, 0);
        let mut put = |at: usize, field: &[u8]| bytes[at..at + field.len()].copy_from_slice(field);
        let first = self.first.unwrap_or(1);
        put(0, b"ElfChnk\0");
        put(8, &first.to_le_bytes());
        put(16, &self.last.to_le_bytes());
        put(24, &first.to_le_bytes());
        put(32, &self.last.to_le_bytes());
        put(40, &128u32.to_le_bytes());
        put(44, &self.last_offset.to_le_bytes());
        put(48, &(free_space as u32).to_le_bytes());
        for (index, head) in self.tables.names.iter().enumerate() {
            put(128 + index * 4, &head.to_le_bytes());
        }
        for (index, head) in self.tables.templates.iter().enumerate() {
            put(384 + index * 4, &head.to_le_bytes());
        }
        seal(&mut bytes);
        bytes
    }

    pub fn u8(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub fn u16(&mut self, value: u16) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u32(&mut self, value: u32) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn u64(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    pub fn put_u32(&mut self, at: usize, value: u32) {
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    /// A name: its place, and the name itself where the chunk has not got it yet.
    pub fn name(&mut self, name: &str) {
        if let Some(offset) = self.names.get(name) {
            let offset = *offset;
            return self.u32(offset);
        }
        let offset = self.bytes.len() as u32 + 4;
        self.u32(offset);
        let hash = name_hash(name);
        let bucket = usize::from(hash % 64);
        self.u32(self.tables.names[bucket]);
        self.u16(hash);
        self.u16(name.encode_utf16().count() as u16);
        self.bytes.extend_from_slice(&utf16(name));
        self.u16(0);
        self.tables.names[bucket] = offset;
        self.names.insert(name.to_owned(), offset);
    }

    /// The head of a template instance; its definition is written by `define` where the chunk has not got it yet.
    /// `key` tells templates apart.
    pub fn template(&mut self, key: Vec<String>, define: impl FnOnce(&mut Chunk)) {
        self.u8(0x0c);
        self.u8(1);
        if let Some(template) = self.templates.get(&key) {
            let Template { id, offset } = *template;
            self.u32(id);
            return self.u32(offset);
        }
        let guid = template_guid(&key);
        let id = u32::from_le_bytes([guid[0], guid[1], guid[2], guid[3]]);
        self.u32(id);
        let offset = self.bytes.len() as u32 + 4;
        self.u32(offset);
        let bucket = (id % 32) as usize;
        self.u32(self.tables.templates[bucket]);
        self.bytes.extend_from_slice(&guid);
        let size_at = self.bytes.len();
        self.u32(0);
        define(self);
        let size = self.bytes.len() - size_at - 4;
        self.put_u32(size_at, size as u32);
        self.tables.templates[bucket] = offset;
        self.templates.insert(key, Template { id, offset });
    }
}

/// Makes the checksums of a chunk right again: for tests that change one and want it to look whole.
pub fn seal(chunk: &mut [u8]) {
    let free_space = u32::from_le_bytes([chunk[48], chunk[49], chunk[50], chunk[51]]) as usize;
    let data = evtx::checksum_ieee(&chunk[HEADER..free_space.clamp(HEADER, CHUNK_SIZE)]);
    chunk[52..56].copy_from_slice(&data.to_le_bytes());
    let covered = [&chunk[..120], &chunk[128..HEADER]].concat();
    chunk[124..128].copy_from_slice(&evtx::checksum_ieee(&covered).to_le_bytes());
}

/// The hash in front of each name ([MS-EVEN6] 2.2.12, `NameHash`).
fn name_hash(name: &str) -> u16 {
    let hash = name.encode_utf16().fold(0u32, |hash, unit| {
        hash.wrapping_mul(65599).wrapping_add(u32::from(unit))
    });
    (hash & 0xffff) as u16
}

/// Any GUID will do, as long as the same template has the same one (FNV-1a, twice).
fn template_guid(key: &[String]) -> [u8; 16] {
    let mut guid = [0; 16];
    for (half, seed) in [(0, 0xcbf2_9ce4_8422_2325u64), (8, 0x8422_2325_cbf2_9ce4)] {
        let bytes = key.iter().flat_map(|part| part.bytes().chain([0]));
        let hash = bytes.fold(seed, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
        });
        guid[half..half + 8].copy_from_slice(&hash.to_le_bytes());
    }
    guid
}
