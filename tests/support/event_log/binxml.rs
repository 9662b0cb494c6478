//! The BinXML of one event ([MS-EVEN6] 2.2.12): elements, attributes, templates and their substitutions.

use super::chunk::{Chunk, NewRecord};
use super::value::{Value, hex, time_text};
use super::{Body, Event};

const NAMESPACE: &str = "http://schemas.microsoft.com/win/2004/08/events/event";
const FRAGMENT: [u8; 4] = [0x0f, 1, 1, 0];
const END: u8 = 0;
const CLOSE_START: u8 = 2;
const CLOSE_EMPTY: u8 = 3;
const CLOSE: u8 = 4;
const NO_DEPENDENCY: u16 = 0xffff;
pub(super) const BINXML: u8 = 0x21;

/// The slots of the generic template, as Windows 10 numbers them.
mod slot {
    pub const LEVEL: u16 = 0;
    pub const OPCODE: u16 = 1;
    pub const TASK: u16 = 2;
    pub const EVENT_ID: u16 = 3;
    pub const QUALIFIERS: u16 = 4;
    pub const KEYWORDS: u16 = 5;
    pub const TIME: u16 = 6;
    pub const ACTIVITY: u16 = 7;
    pub const PROCESS: u16 = 8;
    pub const THREAD: u16 = 9;
    pub const RECORD: u16 = 10;
    pub const VERSION: u16 = 11;
    pub const USER: u16 = 12;
    pub const RELATED_ACTIVITY: u16 = 13;
    pub const PROVIDER: u16 = 14;
    pub const GUID: u16 = 15;
    pub const CHANNEL: u16 = 16;
    pub const CONTENT: u16 = 17;
    pub const BINARY: u16 = 18;
}

/// What stands in an attribute or an element: itself, or a slot that a record fills.
enum Content<'a> {
    Literal(&'a str),
    /// The first letter as a text, the rest as CDATA.
    Pieces(&'a str),
    /// A slot and its type; where it is empty, so is the place.
    Slot(u16, u8),
}

/// Elements in a template definition bear a dependency; those of a record without a template do not.
struct Writer<'c> {
    chunk: &'c mut Chunk,
    in_template: bool,
    /// Where each slot stands, if not at its own number.
    places: Vec<u16>,
}

/// An element whose size is still to be written.
struct Open {
    size_at: usize,
}

pub(super) fn event(chunk: &mut Chunk, record: &NewRecord<'_>) {
    chunk.bytes.extend_from_slice(&FRAGMENT);
    if record.event.templateless {
        elements(chunk, record);
    } else {
        instance(chunk, record);
    }
    chunk.u8(END);
}

fn instance(chunk: &mut Chunk, record: &NewRecord<'_>) {
    let event = record.event;
    let classic = matches!(event.body, Body::Nameless { .. });
    let mut key = vec![
        if classic {
            event.provider.clone()
        } else {
            String::new()
        },
        event.source_name.clone().unwrap_or_default(),
        record.computer.to_owned(),
    ];
    if event.slot_order != 0 || event.in_pieces {
        key.push(format!("{} {}", event.slot_order, event.in_pieces));
    }
    chunk.template(key, |chunk| root_template(chunk, event, record.computer));
    let text =
        |text: &Option<String>, value: fn(String) -> Value| text.clone().map_or(Value::Null, value);
    let mut slots = vec![
        Value::U8(event.level),
        Value::U8(event.opcode),
        Value::U16(event.task),
        Value::U16(event.id),
        event.qualifiers.map_or(Value::Null, Value::U16),
        Value::Hex64(event.keywords),
        Value::Time(event.time),
        text(&event.activity, Value::Guid),
        Value::U32(event.process),
        Value::U32(event.thread),
        Value::U64(record.number),
        Value::U8(event.version),
        text(&event.user_sid, Value::Sid),
        Value::Null,
        Value::Text(event.provider.clone()),
        text(&event.guid, Value::Guid),
        Value::Text(record.channel.to_owned()),
    ];
    match &event.body {
        Body::Nameless { strings, binary } => {
            slots.push(match strings.as_slice() {
                [] => Value::Null,
                [one] => Value::Text(one.clone()),
                many => Value::Texts(many.to_vec()),
            });
            slots.push(binary.clone().map_or(Value::Null, Value::Bytes));
        }
        Body::Named(fields) | Body::User { fields, .. } => {
            slots.push(Value::Fields(fields.clone()));
        }
    }
    let places = places(event.slot_order);
    let mut ordered = vec![Value::Null; places.len()];
    for (slot, value) in slots.into_iter().enumerate() {
        ordered[usize::from(places[slot])] = value;
    }
    // As many as there are, where they stand as Windows has them.
    if event.slot_order == 0 && !classic {
        ordered.truncate(usize::from(slot::CONTENT) + 1);
    }
    substitutions(chunk, &ordered, &event.body);
}

/// The place of each slot of the generic template: its own number, or an odd order with unused ones between.
fn places(order: u64) -> Vec<u16> {
    let count = slot::BINARY + 1;
    if order == 0 {
        return (0..count).collect();
    }
    let mut places: Vec<u16> = (0..count + (order % 9) as u16).collect();
    let mut state = order;
    for last in (1..places.len()).rev() {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        places.swap(last, (state >> 33) as usize % (last + 1));
    }
    places
}

/// Sizes and types, and the values one after another. What is BinXML itself points at places in the chunk, so it is written where
/// it stands and its size afterwards.
fn substitutions(chunk: &mut Chunk, values: &[Value], body: &Body) {
    chunk.u32(values.len() as u32);
    let table = chunk.bytes.len();
    for value in values {
        chunk.u16(0);
        chunk.u8(value.kind());
        chunk.u8(0);
    }
    for (index, value) in values.iter().enumerate() {
        let start = chunk.bytes.len();
        match value {
            Value::Fields(fields) => {
                fields_instance(chunk, body, fields);
                chunk.u8(END);
            }
            value => chunk.bytes.extend_from_slice(&value.bytes()),
        }
        let size = (chunk.bytes.len() - start) as u16;
        chunk.bytes[table + index * 4..][..2].copy_from_slice(&size.to_le_bytes());
    }
}

fn root_template(chunk: &mut Chunk, event: &Event, computer: &str) {
    use Content::{Literal, Pieces, Slot};
    chunk.bytes.extend_from_slice(&FRAGMENT);
    let mut out = Writer {
        chunk,
        in_template: true,
        places: places(event.slot_order),
    };
    let classic = matches!(event.body, Body::Nameless { .. });
    let root = out.open("Event", NO_DEPENDENCY, &[("xmlns", Literal(NAMESPACE))]);
    out.chunk.u8(CLOSE_START);
    let system = out.open("System", NO_DEPENDENCY, &[]);
    out.chunk.u8(CLOSE_START);
    let name = if classic {
        Literal(&event.provider)
    } else {
        Slot(slot::PROVIDER, 0x01)
    };
    let mut provider = vec![("Name", name), ("Guid", Slot(slot::GUID, 0x0f))];
    if let Some(source) = &event.source_name {
        provider.push(("EventSourceName", Literal(source)));
    }
    out.empty("Provider", &provider);
    out.element(
        "EventID",
        slot::EVENT_ID,
        &[("Qualifiers", Slot(slot::QUALIFIERS, 0x06))],
        &Slot(slot::EVENT_ID, 0x06),
    );
    out.element("Version", slot::VERSION, &[], &Slot(slot::VERSION, 0x04));
    out.element("Level", slot::LEVEL, &[], &Slot(slot::LEVEL, 0x04));
    out.element("Task", slot::TASK, &[], &Slot(slot::TASK, 0x06));
    out.element("Opcode", slot::OPCODE, &[], &Slot(slot::OPCODE, 0x04));
    out.element("Keywords", slot::KEYWORDS, &[], &Slot(slot::KEYWORDS, 0x15));
    out.empty("TimeCreated", &[("SystemTime", Slot(slot::TIME, 0x11))]);
    out.element(
        "EventRecordID",
        slot::RECORD,
        &[],
        &Slot(slot::RECORD, 0x0a),
    );
    let activities = [
        ("ActivityID", Slot(slot::ACTIVITY, 0x0f)),
        ("RelatedActivityID", Slot(slot::RELATED_ACTIVITY, 0x0f)),
    ];
    out.empty("Correlation", &activities);
    out.empty(
        "Execution",
        &[
            ("ProcessID", Slot(slot::PROCESS, 0x08)),
            ("ThreadID", Slot(slot::THREAD, 0x08)),
        ],
    );
    out.element("Channel", slot::CHANNEL, &[], &Slot(slot::CHANNEL, 0x01));
    let computer = match event.in_pieces {
        true => Pieces(computer),
        false => Literal(computer),
    };
    out.element("Computer", NO_DEPENDENCY, &[], &computer);
    out.empty("Security", &[("UserID", Slot(slot::USER, 0x13))]);
    out.close(system);
    if classic {
        let data = out.open("EventData", NO_DEPENDENCY, &[]);
        out.chunk.u8(CLOSE_START);
        out.element("Data", slot::CONTENT, &[], &Slot(slot::CONTENT, 0x01));
        out.element("Binary", slot::BINARY, &[], &Slot(slot::BINARY, 0x0e));
        out.close(data);
    } else {
        out.content(&Slot(slot::CONTENT, BINXML));
    }
    out.close(root);
    out.chunk.u8(END);
}

/// The nested template instance with the event's own fields, or one that is nested in a field.
fn fields_instance(chunk: &mut Chunk, body: &Body, fields: &[(String, Value)]) {
    let kind = match body {
        Body::Named(_) => vec![String::new()],
        Body::User {
            element, namespace, ..
        } => vec![element.clone(), namespace.clone()],
        Body::Nameless { .. } => unreachable!("classic events have no nested template"),
    };
    // Two versions of an event, or two values of another type, have another template.
    let key = kind.iter().cloned().chain(
        fields
            .iter()
            .flat_map(|(name, value)| [name.clone(), value.kind().to_string()]),
    );
    chunk.template(key.collect(), |chunk| {
        chunk.bytes.extend_from_slice(&FRAGMENT);
        let slots: Vec<Content<'_>> = (0u16..)
            .zip(fields)
            .map(|(slot, (_, value))| Content::Slot(slot, value.kind()))
            .collect();
        let fields: Vec<(&str, &Content<'_>)> = fields
            .iter()
            .map(|(name, _)| name.as_str())
            .zip(&slots)
            .collect();
        let mut out = Writer {
            chunk,
            in_template: true,
            places: Vec::new(),
        };
        match body {
            Body::User {
                element, namespace, ..
            } => out.user_data(element, namespace, &fields),
            _ => out.event_data(&fields),
        }
        out.chunk.u8(END);
    });
    let values: Vec<Value> = fields.iter().map(|(_, value)| value.clone()).collect();
    substitutions(chunk, &values, body);
}

/// The event as elements, every value as text.
fn elements(chunk: &mut Chunk, record: &NewRecord<'_>) {
    use Content::Literal;
    let event = record.event;
    let mut out = Writer {
        chunk,
        in_template: false,
        places: Vec::new(),
    };
    let root = out.open("Event", NO_DEPENDENCY, &[("xmlns", Literal(NAMESPACE))]);
    out.chunk.u8(CLOSE_START);
    let system = out.open("System", NO_DEPENDENCY, &[]);
    out.chunk.u8(CLOSE_START);
    let guid = event.guid.clone().map(|guid| Value::Guid(guid).text());
    let mut provider = vec![("Name", Literal(&event.provider))];
    provider.extend(guid.as_deref().map(|guid| ("Guid", Literal(guid))));
    provider.extend(
        event
            .source_name
            .as_deref()
            .map(|name| ("EventSourceName", Literal(name))),
    );
    out.empty("Provider", &provider);
    let qualifiers = event.qualifiers.map(|qualifiers| qualifiers.to_string());
    let attributes: Vec<_> = qualifiers
        .as_deref()
        .map(|text| ("Qualifiers", Literal(text)))
        .into_iter()
        .collect();
    out.element(
        "EventID",
        NO_DEPENDENCY,
        &attributes,
        &Literal(&event.id.to_string()),
    );
    let texts = [
        ("Version", event.version.to_string()),
        ("Level", event.level.to_string()),
        ("Task", event.task.to_string()),
        ("Opcode", event.opcode.to_string()),
        ("Keywords", format!("0x{:x}", event.keywords)),
    ];
    for (name, text) in &texts {
        out.element(name, NO_DEPENDENCY, &[], &Literal(text));
    }
    out.empty(
        "TimeCreated",
        &[("SystemTime", Literal(&time_text(event.time)))],
    );
    out.element(
        "EventRecordID",
        NO_DEPENDENCY,
        &[],
        &Literal(&record.number.to_string()),
    );
    let activity = event.activity.clone().map(|guid| Value::Guid(guid).text());
    let attributes: Vec<_> = activity
        .as_deref()
        .map(|guid| ("ActivityID", Literal(guid)))
        .into_iter()
        .collect();
    out.empty("Correlation", &attributes);
    let (process, thread) = (event.process.to_string(), event.thread.to_string());
    out.empty(
        "Execution",
        &[
            ("ProcessID", Literal(&process)),
            ("ThreadID", Literal(&thread)),
        ],
    );
    out.element("Channel", NO_DEPENDENCY, &[], &Literal(record.channel));
    out.element("Computer", NO_DEPENDENCY, &[], &Literal(record.computer));
    let attributes: Vec<_> = event
        .user_sid
        .as_deref()
        .map(|sid| ("UserID", Literal(sid)))
        .into_iter()
        .collect();
    out.empty("Security", &attributes);
    out.close(system);
    out.body(&event.body);
    out.close(root);
}

impl Writer<'_> {
    /// `EventData` or `UserData` with its values as text.
    fn body(&mut self, body: &Body) {
        let texts = |fields: &[(String, Value)]| -> Vec<String> {
            fields.iter().map(|(_, value)| value.text()).collect()
        };
        match body {
            Body::Named(fields) | Body::User { fields, .. } => {
                let texts = texts(fields);
                let contents: Vec<Content<'_>> =
                    texts.iter().map(|text| Content::Literal(text)).collect();
                let fields: Vec<_> = fields
                    .iter()
                    .map(|(name, _)| name.as_str())
                    .zip(&contents)
                    .collect();
                match body {
                    Body::User {
                        element, namespace, ..
                    } => self.user_data(element, namespace, &fields),
                    _ => self.event_data(&fields),
                }
            }
            Body::Nameless { strings, binary } => {
                let data = self.open("EventData", NO_DEPENDENCY, &[]);
                self.chunk.u8(CLOSE_START);
                for text in strings {
                    self.element("Data", NO_DEPENDENCY, &[], &Content::Literal(text));
                }
                if let Some(bytes) = binary {
                    self.element("Binary", NO_DEPENDENCY, &[], &Content::Literal(&hex(bytes)));
                }
                self.close(data);
            }
        }
    }

    fn event_data(&mut self, fields: &[(&str, &Content<'_>)]) {
        let data = self.open("EventData", NO_DEPENDENCY, &[]);
        self.chunk.u8(CLOSE_START);
        for (name, content) in fields {
            self.element(
                "Data",
                NO_DEPENDENCY,
                &[("Name", Content::Literal(name))],
                content,
            );
        }
        self.close(data);
    }

    fn user_data(&mut self, element: &str, namespace: &str, fields: &[(&str, &Content<'_>)]) {
        let user_data = self.open("UserData", NO_DEPENDENCY, &[]);
        self.chunk.u8(CLOSE_START);
        let inner = self.open(
            element,
            NO_DEPENDENCY,
            &[("xmlns", Content::Literal(namespace))],
        );
        self.chunk.u8(CLOSE_START);
        for (name, content) in fields {
            match name.split_once('@') {
                Some((element, attribute)) => {
                    let content = match content {
                        Content::Literal(text) => Content::Literal(text),
                        Content::Pieces(text) => Content::Pieces(text),
                        Content::Slot(slot, kind) => Content::Slot(*slot, *kind),
                    };
                    self.empty(element, &[(attribute, content)]);
                }
                None => self.element(name, NO_DEPENDENCY, &[], content),
            }
        }
        self.close(inner);
        self.close(user_data);
    }

    fn place(&self, slot: u16) -> u16 {
        let place = self.places.get(usize::from(slot));
        place.copied().unwrap_or(slot)
    }

    fn open(&mut self, name: &str, dependency: u16, attributes: &[(&str, Content<'_>)]) -> Open {
        self.chunk
            .u8(if attributes.is_empty() { 0x01 } else { 0x41 });
        if self.in_template {
            let dependency = self.place(dependency);
            self.chunk.u16(dependency);
        }
        let size_at = self.chunk.bytes.len();
        self.chunk.u32(0);
        self.chunk.name(name);
        if let [others @ .., last] = attributes {
            let list_at = self.chunk.bytes.len();
            self.chunk.u32(0);
            for (name, content) in others {
                self.attribute(0x46, name, content);
            }
            self.attribute(0x06, last.0, &last.1);
            let size = self.chunk.bytes.len() - list_at - 4;
            self.chunk.put_u32(list_at, size as u32);
        }
        Open { size_at }
    }

    fn attribute(&mut self, token: u8, name: &str, content: &Content<'_>) {
        self.chunk.u8(token);
        self.chunk.name(name);
        self.content(content);
    }

    fn content(&mut self, content: &Content<'_>) {
        match content {
            Content::Literal(text) => {
                self.chunk.u8(0x05);
                self.chunk.u8(0x01);
                self.chunk.u16(text.encode_utf16().count() as u16);
                self.chunk
                    .bytes
                    .extend_from_slice(&super::value::utf16(text));
            }
            Content::Pieces(text) => {
                let rest = text.chars().next().map_or(0, char::len_utf8);
                self.content(&Content::Literal(&text[..rest]));
                self.chunk.u8(0x07);
                self.chunk.u16(text[rest..].encode_utf16().count() as u16);
                self.chunk
                    .bytes
                    .extend_from_slice(&super::value::utf16(&text[rest..]));
            }
            Content::Slot(slot, kind) => {
                self.chunk.u8(0x0e);
                let place = self.place(*slot);
                self.chunk.u16(place);
                self.chunk.u8(*kind);
            }
        }
    }

    fn element(
        &mut self,
        name: &str,
        dependency: u16,
        attributes: &[(&str, Content<'_>)],
        content: &Content<'_>,
    ) {
        let open = self.open(name, dependency, attributes);
        self.chunk.u8(CLOSE_START);
        self.content(content);
        self.close(open);
    }

    fn empty(&mut self, name: &str, attributes: &[(&str, Content<'_>)]) {
        let open = self.open(name, NO_DEPENDENCY, attributes);
        self.chunk.u8(CLOSE_EMPTY);
        self.end(open);
    }

    fn close(&mut self, open: Open) {
        self.chunk.u8(CLOSE);
        self.end(open);
    }

    /// The size of an element counts from behind its own field to its end.
    fn end(&mut self, open: Open) {
        let size = self.chunk.bytes.len() - open.size_at - 4;
        self.chunk.put_u32(open.size_at, size as u32);
    }
}
