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
const BINXML: u8 = 0x21;

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
    /// A slot and its type; where it is empty, so is the place.
    Slot(u16, u8),
}

/// Elements in a template definition bear a dependency; those of a record without a template do not.
struct Writer<'c> {
    chunk: &'c mut Chunk,
    in_template: bool,
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
    let key = vec![
        if classic {
            event.provider.clone()
        } else {
            String::new()
        },
        event.source_name.clone().unwrap_or_default(),
        record.computer.to_owned(),
    ];
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
    if let Body::Nameless { strings, binary } = &event.body {
        slots.push(match strings.as_slice() {
            [] => Value::Null,
            [one] => Value::Text(one.clone()),
            many => Value::Texts(many.to_vec()),
        });
        slots.push(binary.clone().map_or(Value::Null, Value::Bytes));
        let (kinds, values) = encode(&slots);
        return substitutions(chunk, &kinds, &values);
    }
    let (mut kinds, values) = encode(&slots);
    // The size of the nested instance is known only when it is written.
    kinds.push((0, BINXML));
    let size_at = chunk.bytes.len() + 4 + (kinds.len() - 1) * 4;
    substitutions(chunk, &kinds, &values);
    let start = chunk.bytes.len();
    fields_instance(chunk, event);
    chunk.u8(END);
    let size = (chunk.bytes.len() - start) as u16;
    chunk.bytes[size_at..size_at + 2].copy_from_slice(&size.to_le_bytes());
}

/// Sizes and types, and the bytes one after another.
fn encode(slots: &[Value]) -> (Vec<(u16, u8)>, Vec<u8>) {
    let mut values = Vec::new();
    let kinds = slots.iter().map(|value| {
        let bytes = value.bytes();
        values.extend_from_slice(&bytes);
        (bytes.len() as u16, value.kind())
    });
    (kinds.collect(), values)
}

fn substitutions(chunk: &mut Chunk, kinds: &[(u16, u8)], values: &[u8]) {
    chunk.u32(kinds.len() as u32);
    for (size, kind) in kinds {
        chunk.u16(*size);
        chunk.u8(*kind);
        chunk.u8(0);
    }
    chunk.bytes.extend_from_slice(values);
}

fn root_template(chunk: &mut Chunk, event: &Event, computer: &str) {
    use Content::{Literal, Slot};
    chunk.bytes.extend_from_slice(&FRAGMENT);
    let mut out = Writer {
        chunk,
        in_template: true,
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
    out.element("Computer", NO_DEPENDENCY, &[], &Literal(computer));
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

/// The nested template instance with the event's own fields.
fn fields_instance(chunk: &mut Chunk, event: &Event) {
    let (kind, fields) = match &event.body {
        Body::Named(fields) => (vec![String::new()], fields),
        Body::User {
            element,
            namespace,
            fields,
        } => (vec![element.clone(), namespace.clone()], fields),
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
        };
        match &event.body {
            Body::User {
                element, namespace, ..
            } => out.user_data(element, namespace, &fields),
            _ => out.event_data(&fields),
        }
        out.chunk.u8(END);
    });
    let values: Vec<Value> = fields.iter().map(|(_, value)| value.clone()).collect();
    let (kinds, values) = encode(&values);
    substitutions(chunk, &kinds, &values);
}

/// The event as elements, every value as text.
fn elements(chunk: &mut Chunk, record: &NewRecord<'_>) {
    use Content::Literal;
    let event = record.event;
    let mut out = Writer {
        chunk,
        in_template: false,
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

    fn open(&mut self, name: &str, dependency: u16, attributes: &[(&str, Content<'_>)]) -> Open {
        self.chunk
            .u8(if attributes.is_empty() { 0x01 } else { 0x41 });
        if self.in_template {
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
            Content::Slot(slot, kind) => {
                self.chunk.u8(0x0e);
                self.chunk.u16(*slot);
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
