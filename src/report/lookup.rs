//! Events and keys that were looked up, as lists: few columns for people, all of it for programs.

use super::event_words::words;
use super::source::last_part;
use super::{Clock, ListFormat, Listing, Room, escape};
use crate::lookup::events::Held as HeldEvent;
use crate::lookup::registry::{Described, HeldKey};
use crate::parse::event_log::{EventRecord, Integrity};
use crate::parse::hive::{Value, ValueKind};
use jiff::Timestamp;

/// Longer values are cut in a table.
const LONGEST: usize = 300;
/// How many bytes of a binary value a table shows.
const MOST_BYTES: usize = 24;

pub(super) fn is_for_people(format: ListFormat) -> bool {
    format == ListFormat::Text
}

/// Event records.
#[must_use]
pub fn event_list(events: &[HeldEvent], format: ListFormat, clock: &Clock) -> Listing {
    if is_for_people(format) {
        let mut listing = Listing::new(&[
            ("Time", Room::Content),
            ("Id", Room::Content),
            ("What it says", Room::Rest),
            ("Record", Room::AtMost(32)),
        ]);
        for HeldEvent { artifact, record } in events {
            listing.row(vec![
                clock.full(&record.time.to_string()),
                record.event_id.to_string(),
                escape::cut(&says(record), LONGEST),
                format!("{} #{}", last_part(artifact), record.number),
            ]);
        }
        return listing;
    }
    let mut listing = Listing::new(&[
        ("datetime", Room::Content),
        ("artifact", Room::Content),
        ("record", Room::Content),
        ("channel", Room::Content),
        ("provider", Room::Content),
        ("event_id", Room::Content),
        ("level", Room::Content),
        ("computer", Room::Content),
        ("user", Room::Content),
        ("activity", Room::Content),
        ("message", Room::Rest),
        ("integrity", Room::Content),
    ]);
    for HeldEvent { artifact, record } in events {
        listing.row(vec![
            record.time.to_string(),
            artifact.to_string(),
            record.number.to_string(),
            record.channel.clone(),
            record.provider.clone(),
            record.event_id.to_string(),
            record
                .level
                .map(|level| level.to_string())
                .unwrap_or_default(),
            record.computer.clone(),
            record.user_sid.clone().unwrap_or_default(),
            record.activity_id.clone().unwrap_or_default(),
            says(record),
            match record.integrity {
                Integrity::Torn => "torn: fields may be wrong".to_owned(),
                _ => String::new(),
            },
        ]);
    }
    listing
}

/// What the event is, where that is known, and its fields.
fn says(record: &EventRecord) -> String {
    let named = record.data.named.iter();
    let fields: Vec<String> = named
        .map(|(name, value)| format!("{name}={value}"))
        .chain(record.data.unnamed.iter().cloned())
        .collect();
    let fields = fields.join(" ");
    let provider = record
        .provider
        .strip_prefix("Microsoft-Windows-")
        .unwrap_or(&record.provider);
    match words(record) {
        Some(words) if fields.is_empty() => words.to_owned(),
        Some(words) => format!("{words}: {fields}"),
        None => format!("{provider}: {fields}"),
    }
}

/// Hives.
#[must_use]
pub fn hive_list(hives: &[Described], format: ListFormat, clock: &Clock) -> Listing {
    let mut listing = Listing::new(&[
        ("Hive", Room::Content),
        ("File", Room::Rest),
        ("State", Room::AtMost(40)),
        ("Newest write", Room::Content),
        ("Control set", Room::Content),
    ]);
    for hive in hives {
        let name = match hive.name.as_str() {
            "" => "unnamed",
            name => last_part(name),
        };
        listing.row(vec![
            name.to_owned(),
            hive.artifact.clone(),
            hive.state.to_owned(),
            time(hive.newest, format, clock),
            hive.control_set.clone().unwrap_or_default(),
        ]);
    }
    listing
}

/// Keys and their values.
#[must_use]
pub fn key_list(keys: &[HeldKey], format: ListFormat, clock: &Clock) -> Listing {
    if is_for_people(format) {
        let mut listing = Listing::new(&[
            ("Key and value", Room::AtMost(60)),
            ("Type", Room::Content),
            ("Data", Room::Rest),
        ]);
        for key in keys {
            let path = match key.path.as_str() {
                "" => "(root)",
                path => path,
            };
            let below = match key.subkeys {
                0 => String::new(),
                1 => ", 1 key below".to_owned(),
                many => format!(", {many} keys below"),
            };
            listing.row(vec![
                format!("[{path}]"),
                "key".to_owned(),
                match key.written {
                    None => format!("not known when written{below} ({})", key.artifact),
                    written => format!(
                        "last written {}{below} ({})",
                        time(written, format, clock),
                        key.artifact
                    ),
                },
            ]);
            for value in &key.values {
                listing.row(vec![
                    name(value).to_owned(),
                    value.kind.to_string(),
                    escape::cut(&data(value, MOST_BYTES), LONGEST),
                ]);
            }
        }
        return listing;
    }
    let mut listing = Listing::new(&[
        ("artifact", Room::Content),
        ("key", Room::Content),
        ("written", Room::Content),
        ("value", Room::Content),
        ("type", Room::Content),
        ("data", Room::Rest),
    ]);
    for key in keys {
        let row = |value: &str, kind: String, data: String| {
            vec![
                key.artifact.clone(),
                key.path.clone(),
                time(key.written, format, clock),
                value.to_owned(),
                kind,
                data,
            ]
        };
        if key.values.is_empty() {
            listing.row(row("", String::new(), String::new()));
        }
        for value in &key.values {
            listing.row(row(
                &value.name,
                value.kind.to_string(),
                data(value, usize::MAX),
            ));
        }
    }
    listing
}

fn name(value: &Value) -> &str {
    match value.name.as_str() {
        "" => "(default)",
        name => name,
    }
}

fn data(value: &Value, most: usize) -> String {
    let read = match value.kind {
        ValueKind::RegDword | ValueKind::RegDwordBigEndian => value
            .dword()
            .ok()
            .map(|number| format!("{number} ({number:#x})")),
        ValueKind::RegQword => value
            .qword()
            .ok()
            .map(|number| format!("{number} ({number:#x})")),
        ValueKind::RegSz | ValueKind::RegExpandSz => value.text().ok(),
        ValueKind::RegMultiSz => value.multi_text().ok().map(|texts| texts.join(", ")),
        ValueKind::RegNone | ValueKind::RegBinary | ValueKind::Other(_) => None,
    };
    read.unwrap_or_else(|| {
        let shown: Vec<String> = value
            .bytes
            .iter()
            .take(most)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        match value.bytes.len() > most {
            true => format!("{} … ({} bytes)", shown.join(" "), value.bytes.len()),
            false => shown.join(" "),
        }
    })
}

pub(super) fn time(time: Option<Timestamp>, format: ListFormat, clock: &Clock) -> String {
    let Some(time) = time else {
        return String::new();
    };
    match is_for_people(format) {
        true => clock.full(&time.to_string()),
        false => time.to_string(),
    }
}
