//! What an event record says, free of how its log wrote it down.

use jiff::Timestamp;
use serde::Deserialize;

use super::chunk::{Integrity, RecordSpan};
use super::node::{Node, number};

/// What names the kind of an event. Asked before the rest of the record is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordKey<'a> {
    /// The provider's name.
    pub provider: &'a str,
    /// The name under which a classic source writes, where the record has one: `TermService` for
    /// Microsoft-Windows-TerminalServices-RemoteConnectionManager.
    pub source_name: Option<&'a str>,
    /// The event id without its qualifiers.
    pub event_id: u32,
}

/// One event record.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRecord {
    /// `EventRecordID`, which the Event Viewer shows. Exporting tools number the records of the new file from 1 and
    /// leave this as it was (measured on every exported log of three collections).
    pub number: u64,
    /// The number in the record's header, which orders the records of one file.
    pub order: u64,
    /// When the event happened: `TimeCreated`. The record's header bears the time at which it was written to this
    /// file, which in an exported or forwarded log is another one.
    pub time: Timestamp,
    /// The provider's name.
    pub provider: String,
    /// The name under which a classic source writes.
    pub source_name: Option<String>,
    /// The event id without its qualifiers.
    pub event_id: u32,
    /// The upper half of a classic event id.
    pub qualifiers: Option<u16>,
    /// Version of the event's template.
    pub version: Option<u8>,
    /// 1 critical, 2 error, 3 warning, 4 information, 5 verbose; 0 always.
    pub level: Option<u8>,
    /// Keyword bits; audit success is 0x20000000000000, audit failure 0x10000000000000.
    pub keywords: Option<u64>,
    /// The channel it was written to; empty where the record does not say.
    pub channel: String,
    /// The computer that wrote it; empty where the record does not say.
    pub computer: String,
    /// The process that wrote it.
    pub process_id: Option<u32>,
    /// The thread that wrote it.
    pub thread_id: Option<u32>,
    /// Joins events of one activity, as a lower-case GUID in braces.
    pub activity_id: Option<String>,
    /// The account on whose behalf it was written, as `S-1-...`.
    pub user_sid: Option<String>,
    /// What else it says.
    pub data: EventData,
    /// Index of its chunk in the file.
    pub chunk: u64,
    /// Place of the record in the file, in bytes.
    pub offset: u64,
    /// How far it can be trusted.
    pub integrity: Integrity,
}

/// The part of a record that its provider filled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventData {
    /// `EventData`, or the name of the element within `UserData` (`EventXML`); empty where there is neither.
    pub container: String,
    /// Fields by name, in the order of the record. A field of `UserData` bears the name of its element, an attribute
    /// is `Element@Attribute`. A field that holds a list stands here once for each item.
    pub named: Vec<(String, String)>,
    /// The values of nameless `Data` elements, empty ones included: their place is their meaning.
    pub unnamed: Vec<String>,
    /// The bytes of `Binary`.
    pub binary: Option<Vec<u8>>,
}

impl EventData {
    /// The first field of this name.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.named
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_str())
    }

    /// All fields of this name, those included that the decoder numbered (`Name_1`) because the name was taken.
    pub fn fields<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.named
            .iter()
            .filter(move |(field, _)| {
                field == name
                    || field
                        .strip_prefix(name)
                        .and_then(|rest| rest.strip_prefix('_'))
                        .is_some_and(|digits| {
                            !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit())
                        })
            })
            .map(|(_, value)| value.as_str())
    }
}

/// 1993-07-27, when Windows NT 3.1 came out: nothing was logged before. Damage that empties or shifts a record's fields leaves such
/// times.
pub(super) const FIRST_LOGS: Timestamp = Timestamp::constant(743_731_200, 0);

/// FILETIME (100 ns since 1601) as a time; `None` beyond the year 9999.
pub(super) fn timestamp(filetime: u64) -> Option<Timestamp> {
    const TICKS: u64 = 10_000_000;
    const SECONDS_TO_1970: i64 = 11_644_473_600;
    let seconds = i64::try_from(filetime / TICKS).ok()? - SECONDS_TO_1970;
    let nanoseconds = i32::try_from(filetime % TICKS * 100).ok()?;
    Timestamp::new(seconds, nanoseconds).ok()
}

/// What a record's rendering holds, read once.
pub(super) struct Rendering<'a> {
    pub system: System<'a>,
    pub event_data: Option<Node<'a>>,
    pub user_data: Option<Node<'a>>,
}

impl<'a> Rendering<'a> {
    /// Reads it; of an element that stands there twice the first counts.
    pub fn parse(json: &'a [u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Envelope<'a> {
            #[serde(rename = "Event", borrow)]
            event: Node<'a>,
        }
        let envelope: Envelope<'a> =
            serde_json::from_slice(json).map_err(|error| format!("no Event element: {error}"))?;
        let (mut system, mut event_data, mut user_data) = (None, None, None);
        for (name, node) in envelope.event.into_members() {
            let element = match name.as_ref() {
                "System" => &mut system,
                "EventData" => &mut event_data,
                "UserData" => &mut user_data,
                _ => continue,
            };
            if node != Node::Null {
                element.get_or_insert(node);
            }
        }
        Ok(Rendering {
            system: System(system.ok_or("no System element")?),
            event_data,
            user_data,
        })
    }
}

/// The `System` part of a record.
pub(super) struct System<'a>(Node<'a>);

impl<'a> System<'a> {
    /// The `System` part, read already.
    pub fn of(node: Node<'a>) -> Self {
        System(node)
    }

    pub fn key(&self) -> Result<RecordKey<'_>, String> {
        let provider = self.0.member("Provider");
        let event_id = self.0.member("EventID").and_then(Node::number);
        Ok(RecordKey {
            provider: provider
                .and_then(|provider| provider.attribute("Name"))
                .unwrap_or(""),
            source_name: provider.and_then(|provider| provider.attribute("EventSourceName")),
            event_id: event_id
                .and_then(|id| u32::try_from(id).ok())
                .ok_or("its EventID is no number")?,
        })
    }

    /// `EventRecordID`; nothing writes 0, but salvaged records and some tools leave it so.
    pub fn number(&self) -> Option<u64> {
        self.0
            .member("EventRecordID")
            .and_then(Node::number)
            .filter(|number| *number != 0)
    }

    pub fn time(&self) -> Option<Timestamp> {
        self.0
            .member("TimeCreated")?
            .attribute("SystemTime")?
            .parse()
            .ok()
    }

    pub fn channel(&self) -> &str {
        self.0.member("Channel").and_then(Node::text).unwrap_or("")
    }

    pub fn computer(&self) -> &str {
        self.0.member("Computer").and_then(Node::text).unwrap_or("")
    }

    fn small<T: TryFrom<u64>>(&self, element: &str) -> Option<T> {
        T::try_from(self.0.member(element)?.number()?).ok()
    }

    fn attribute(&self, element: &str, name: &str) -> Option<&str> {
        self.0.member(element)?.attribute(name)
    }

    fn attribute_number<T: TryFrom<u64>>(&self, element: &str, name: &str) -> Option<T> {
        T::try_from(number(self.attribute(element, name)?)?).ok()
    }
}

/// Where a record stands and what its header says, for a record.
pub(super) struct Place {
    pub span: RecordSpan,
    pub number: u64,
    pub time: Timestamp,
    pub chunk: u64,
    pub offset: u64,
}

/// Puts a record together from its `System` part and what its provider filled.
pub(super) fn record_of(
    system: &System<'_>,
    data: EventData,
    place: &Place,
) -> Result<EventRecord, String> {
    let key = system.key()?;
    let text = |text: &str| text.to_owned();
    Ok(EventRecord {
        number: place.number,
        order: place.span.number,
        time: place.time,
        provider: key.provider.to_owned(),
        source_name: key.source_name.map(text),
        event_id: key.event_id,
        qualifiers: system.attribute_number("EventID", "Qualifiers"),
        version: system.small("Version"),
        level: system.small("Level"),
        keywords: system.small("Keywords"),
        channel: system.channel().to_owned(),
        computer: system.computer().to_owned(),
        process_id: system.attribute_number("Execution", "ProcessID"),
        thread_id: system.attribute_number("Execution", "ThreadID"),
        activity_id: system
            .attribute("Correlation", "ActivityID")
            .map(str::to_lowercase),
        user_sid: system.attribute("Security", "UserID").map(text),
        data,
        chunk: place.chunk,
        offset: place.offset,
        integrity: place.span.integrity,
    })
}

/// What a provider filled, out of `EventData` or `UserData`.
pub(super) fn data_of(event_data: Option<Node<'_>>, user_data: Option<Node<'_>>) -> EventData {
    let mut data = EventData::default();
    if let Some(user_data) = user_data.filter(|node| *node != Node::Null) {
        let element = user_data
            .members()
            .iter()
            .find(|(name, _)| !name.starts_with('#'));
        if let Some((name, content)) = element {
            data.container = name.clone().into_owned();
            flatten(name, content, &mut data.named);
        } else if let Some(text) = user_data.text() {
            data.unnamed.push(text.to_owned());
        }
    } else if let Some(event_data) = event_data {
        data.container = "EventData".to_owned();
        event_data_fields(&event_data, &mut data);
    }
    data
}

fn event_data_fields(event_data: &Node<'_>, data: &mut EventData) {
    for (name, value) in event_data.members() {
        match (name.as_ref(), value) {
            ("#attributes", _) => {}
            // The decoder renders nameless Data so, and only these.
            ("Data", Node::Map(_)) => {
                let content = value.member("#text").unwrap_or(&Node::Null);
                push_values(content, |value| data.unnamed.push(value));
            }
            ("#text" | "Data", value) => push_values(value, |value| data.unnamed.push(value)),
            ("Binary", value) if data.binary.is_none() => {
                let digits = value.text().unwrap_or("");
                match bytes(digits) {
                    Some(bytes) => data.binary = Some(bytes),
                    None => data.named.push(("Binary".to_owned(), digits.to_owned())),
                }
            }
            (name, Node::Map(_)) => flatten(name, value, &mut data.named),
            (name, value) => push_values(value, |value| data.named.push((name.to_owned(), value))),
        }
    }
}

fn push_values(node: &Node<'_>, mut push: impl FnMut(String)) {
    match node {
        Node::List(items) => {
            for item in items {
                push(item.text().unwrap_or("").to_owned());
            }
        }
        single => push(single.text().unwrap_or("").to_owned()),
    }
}

/// The fields beneath an element of `UserData`: leaves by name, attributes as `Element@Attribute`. Depth is bounded
/// by the JSON reader.
fn flatten(element: &str, content: &Node<'_>, fields: &mut Vec<(String, String)>) {
    match content {
        Node::Null => fields.push((element.to_owned(), String::new())),
        Node::Text(text) => fields.push((element.to_owned(), text.clone().into_owned())),
        Node::List(items) => items.iter().for_each(|item| flatten(element, item, fields)),
        Node::Map(members) => {
            for (name, value) in members {
                match name.as_ref() {
                    "#attributes" => {
                        let attributes = value.members().iter();
                        for (name, value) in attributes.filter(|(name, _)| !is_namespace(name)) {
                            let value = value.text().unwrap_or("").to_owned();
                            fields.push((format!("{element}@{name}"), value));
                        }
                    }
                    "#text" => flatten(element, value, fields),
                    name => flatten(name, value, fields),
                }
            }
        }
    }
}

fn is_namespace(attribute: &str) -> bool {
    attribute == "xmlns" || attribute.starts_with("xmlns:")
}

/// Hexadecimal digits as bytes.
fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let value = |digit: u8| {
        char::from(digit)
            .to_digit(16)
            .and_then(|value| u8::try_from(value).ok())
    };
    digits
        .chunks_exact(2)
        .map(|pair| Some(value(pair[0])? << 4 | value(pair[1])?))
        .collect()
}
