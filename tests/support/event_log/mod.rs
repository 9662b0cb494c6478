//! Forges Windows event logs (`.evtx`), byte for byte the same each time.
//!
//! ```text
//! LogBuilder::new("System").computer("SRV1").first_record(1000)
//!     .push(Event::new("Schannel", 36874).time("2026-03-01T08:00:00Z").level(2).data("CallerProcessId", Value::U32(700)))
//!     .to_bytes()
//! ```
//!
//! Records are written as Windows 10 and later write them: one generic template for each computer holds the `System`
//! part, its slot 14 the provider, its slot 17 another template with the fields; both are defined at their first use in
//! a chunk and pointed at later. Classic sources (nameless strings) get a template that names the provider itself.
//! Exporting tools write no templates: [`Event::templateless`].

mod binxml;
mod chunk;
pub mod places;
mod value;

pub use value::Value;

pub use chunk::CHUNK_SIZE;
use chunk::{Chunk, NewRecord};

#[allow(unused_imports)]
pub use chunk::seal;

/// Bytes before the first chunk.
pub const FILE_HEADER: usize = 4096;

/// What an event says besides its `System` part.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    /// `EventData` with named `Data`, possibly none.
    Named(Vec<(String, Value)>),
    /// `EventData` with nameless `Data` and perhaps `Binary`: a classic source.
    Nameless {
        strings: Vec<String>,
        binary: Option<Vec<u8>>,
    },
    /// An element of `UserData`; a field `Element@Attribute` becomes an attribute.
    User {
        element: String,
        namespace: String,
        fields: Vec<(String, Value)>,
    },
}

/// An event to be written.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    pub(crate) provider: String,
    pub(crate) guid: Option<String>,
    pub(crate) source_name: Option<String>,
    pub(crate) id: u16,
    pub(crate) qualifiers: Option<u16>,
    pub(crate) version: u8,
    pub(crate) level: u8,
    pub(crate) task: u16,
    pub(crate) opcode: u8,
    pub(crate) keywords: u64,
    pub(crate) time: jiff::Timestamp,
    pub(crate) process: u32,
    pub(crate) thread: u32,
    pub(crate) activity: Option<String>,
    pub(crate) user_sid: Option<String>,
    pub(crate) channel: Option<String>,
    pub(crate) computer: Option<String>,
    pub(crate) body: Body,
    pub(crate) templateless: bool,
    pub(crate) slot_order: u64,
    pub(crate) in_pieces: bool,
}

impl Event {
    /// An event of level 4 without fields, at 2026-01-01T00:00:00Z.
    pub fn new(provider: &str, id: u16) -> Self {
        Event {
            provider: provider.into(),
            guid: None,
            source_name: None,
            id,
            qualifiers: None,
            version: 0,
            level: 4,
            task: 0,
            opcode: 0,
            keywords: 0x8000_0000_0000_0000,
            time: jiff::Timestamp::from_second(1_767_225_600).expect("a time"),
            process: 4,
            thread: 8,
            activity: None,
            user_sid: None,
            channel: None,
            computer: None,
            body: Body::Named(Vec::new()),
            templateless: false,
            slot_order: 0,
            in_pieces: false,
        }
    }

    /// The provider's GUID, with or without braces.
    pub fn guid(mut self, guid: &str) -> Self {
        self.guid = Some(guid.into());
        self
    }

    /// The name of the classic source behind a manifest provider.
    pub fn source_name(mut self, name: &str) -> Self {
        self.source_name = Some(name.into());
        self
    }

    /// The upper half of a classic event id.
    pub fn qualifiers(mut self, qualifiers: u16) -> Self {
        self.qualifiers = Some(qualifiers);
        self
    }

    pub fn version(mut self, version: u8) -> Self {
        self.version = version;
        self
    }

    pub fn level(mut self, level: u8) -> Self {
        self.level = level;
        self
    }

    pub fn task(mut self, task: u16, opcode: u8) -> Self {
        self.task = task;
        self.opcode = opcode;
        self
    }

    pub fn keywords(mut self, keywords: u64) -> Self {
        self.keywords = keywords;
        self
    }

    /// RFC 3339.
    pub fn time(self, time: &str) -> Self {
        self.at(time.parse().expect("an RFC 3339 time"))
    }

    pub fn at(mut self, time: jiff::Timestamp) -> Self {
        self.time = time;
        self
    }

    pub fn process(mut self, process: u32, thread: u32) -> Self {
        self.process = process;
        self.thread = thread;
        self
    }

    /// `Correlation/ActivityID`.
    pub fn activity(mut self, guid: &str) -> Self {
        self.activity = Some(guid.into());
        self
    }

    /// `Security/UserID`.
    pub fn user(mut self, sid: &str) -> Self {
        self.user_sid = Some(sid.into());
        self
    }

    /// Another channel than the log's.
    pub fn channel(mut self, channel: &str) -> Self {
        self.channel = Some(channel.into());
        self
    }

    /// Another computer than the log's.
    pub fn computer(mut self, computer: &str) -> Self {
        self.computer = Some(computer.into());
        self
    }

    /// A named field, of `EventData` or of the element that [`Self::user_data`] opened.
    pub fn data(mut self, name: &str, value: impl Into<Value>) -> Self {
        match &mut self.body {
            Body::Named(fields) | Body::User { fields, .. } => {
                fields.push((name.into(), value.into()))
            }
            Body::Nameless { .. } => panic!("a classic event has no named fields"),
        }
        self
    }

    /// A nameless string: the event is one of a classic source.
    pub fn string(mut self, text: &str) -> Self {
        self.nameless().0.push(text.into());
        self
    }

    /// The bytes of `Binary`: the event is one of a classic source.
    pub fn binary(mut self, bytes: &[u8]) -> Self {
        *self.nameless().1 = Some(bytes.to_vec());
        self
    }

    /// Fields that follow stand in `UserData/element`.
    pub fn user_data(mut self, element: &str, namespace: &str) -> Self {
        self.body = Body::User {
            element: element.into(),
            namespace: namespace.into(),
            fields: Vec::new(),
        };
        self
    }

    /// Written as exporting tools write: no template, every value a string.
    pub fn templateless(mut self) -> Self {
        self.templateless = true;
        self
    }

    /// Another order of the slots, a different one for each number, with unused slots between.
    pub fn slot_order(mut self, order: u64) -> Self {
        self.slot_order = order;
        self
    }

    /// The computer's name is put together of a text and a CDATA section.
    pub fn in_pieces(mut self) -> Self {
        self.in_pieces = true;
        self
    }

    fn nameless(&mut self) -> (&mut Vec<String>, &mut Option<Vec<u8>>) {
        if matches!(&self.body, Body::Named(fields) if fields.is_empty()) {
            self.body = Body::Nameless {
                strings: Vec::new(),
                binary: None,
            };
        }
        match &mut self.body {
            Body::Nameless { strings, binary } => (strings, binary),
            _ => panic!("an event has named fields or nameless ones"),
        }
    }
}

/// How record headers are numbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Numbering {
    /// As `EventRecordID`.
    Live,
    /// From 1, whatever `EventRecordID` is, and without a time: as exports are.
    Exported(u64),
}

/// Puts a log together, record by record.
pub struct LogBuilder {
    channel: String,
    computer: String,
    next_number: u64,
    numbering: Numbering,
    chunks: Vec<Vec<u8>>,
    chunk: Chunk,
    ring: Option<usize>,
    spare: usize,
    dirty: bool,
    header_chunks: Option<u16>,
}

impl LogBuilder {
    /// A log of this channel, by computer `SRV1`, whose first record has number 1.
    pub fn new(channel: &str) -> Self {
        LogBuilder {
            channel: channel.into(),
            computer: "SRV1".into(),
            next_number: 1,
            numbering: Numbering::Live,
            chunks: Vec::new(),
            chunk: Chunk::new(),
            ring: None,
            spare: 0,
            dirty: false,
            header_chunks: None,
        }
    }

    /// The computer of the records that follow.
    pub fn computer(mut self, computer: &str) -> Self {
        self.computer = computer.into();
        self
    }

    /// The number of the next record: called again later, it leaves a gap.
    pub fn first_record(mut self, number: u64) -> Self {
        self.next_number = number;
        self
    }

    /// Record headers count from 1 and bear no time, as `wevtutil epl` and the Event Viewer write them.
    pub fn exported(mut self) -> Self {
        self.numbering = Numbering::Exported(1);
        self
    }

    /// The log keeps so many chunks and then overwrites the oldest.
    pub fn wraps_after(mut self, chunks: usize) -> Self {
        self.ring = Some(chunks);
        self
    }

    /// Room for more chunks follows, filled with zeros.
    pub fn spare_chunks(mut self, chunks: usize) -> Self {
        self.spare = chunks;
        self
    }

    /// Copied while it was open: the dirty flag is set, and the file header still counts so many chunks.
    pub fn copied_live(mut self, header_chunks: u16) -> Self {
        self.dirty = true;
        self.header_chunks = Some(header_chunks);
        self
    }

    /// Ends the chunk at hand: the next record opens a new one.
    pub fn new_chunk(mut self) -> Self {
        self.close_chunk();
        self
    }

    /// Writes an event with the next number.
    pub fn push(mut self, event: Event) -> Self {
        self.add(&event);
        self
    }

    /// Writes events with the next numbers.
    pub fn extend(mut self, events: impl IntoIterator<Item = Event>) -> Self {
        for event in events {
            self.add(&event);
        }
        self
    }

    fn add(&mut self, event: &Event) {
        let (order, filetime) = match &mut self.numbering {
            Numbering::Live => (self.next_number, value::filetime(event.time)),
            Numbering::Exported(next) => {
                *next += 1;
                (*next - 1, 0)
            }
        };
        let record = NewRecord {
            event,
            order,
            number: self.next_number,
            filetime,
            channel: event.channel.as_deref().unwrap_or(&self.channel),
            computer: event.computer.as_deref().unwrap_or(&self.computer),
        };
        if !self.chunk.write(&record) {
            let full = std::mem::replace(&mut self.chunk, Chunk::new());
            self.chunks.push(full.finish());
            assert!(self.chunk.write(&record), "a record of 64 KiB or more");
        }
        self.next_number += 1;
    }

    fn close_chunk(&mut self) {
        let full = std::mem::replace(&mut self.chunk, Chunk::new());
        if !full.is_empty() {
            self.chunks.push(full.finish());
        }
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut chunks = self.chunks.clone();
        if !self.chunk.is_empty() {
            chunks.push(self.chunk.clone().finish());
        }
        let written = chunks.len();
        let capacity = self.ring.unwrap_or(written).max(1).min(written.max(1));
        let mut slots: Vec<&[u8]> = vec![&[]; capacity];
        for (index, chunk) in chunks.iter().enumerate() {
            slots[index % capacity] = chunk;
        }
        let newest = written.saturating_sub(1);
        let oldest = written.saturating_sub(capacity);
        let next = match self.numbering {
            Numbering::Live => self.next_number,
            Numbering::Exported(next) => next,
        };
        let in_use = if written == 0 { 0 } else { capacity };
        let mut file = vec![0u8; FILE_HEADER];
        file[..8].copy_from_slice(b"ElfFile\0");
        file[8..16].copy_from_slice(&((oldest % capacity) as u64).to_le_bytes());
        file[16..24].copy_from_slice(&((newest % capacity) as u64).to_le_bytes());
        file[24..32].copy_from_slice(&next.to_le_bytes());
        file[32..36].copy_from_slice(&128u32.to_le_bytes());
        file[36..38].copy_from_slice(&1u16.to_le_bytes());
        file[38..40].copy_from_slice(&3u16.to_le_bytes());
        file[40..42].copy_from_slice(&4096u16.to_le_bytes());
        let count = self.header_chunks.unwrap_or(in_use as u16);
        file[42..44].copy_from_slice(&count.to_le_bytes());
        file[120..124].copy_from_slice(&u32::from(self.dirty).to_le_bytes());
        let checksum = evtx::checksum_ieee(&file[..120]);
        file[124..128].copy_from_slice(&checksum.to_le_bytes());
        for slot in slots {
            file.extend_from_slice(slot);
        }
        file.resize(file.len() + self.spare * CHUNK_SIZE, 0);
        file
    }
}
