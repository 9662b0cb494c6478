//! What was looked up, as lists: few columns for people, all of it for programs.

use super::event_words::words;
use super::source::last_part;
use super::{Clock, ListFormat, Listing, Room, escape};
use crate::lookup::certificates::Held as HeldCertificate;
use crate::lookup::events::Held as HeldEvent;
use crate::lookup::registry::{Described, HeldKey};
use crate::parse::certificate::{Certificate, Extension, PublicKey};
use crate::parse::event_log::{EventRecord, Integrity};
use crate::parse::hive::{Value, ValueKind};
use jiff::Timestamp;

/// Longer values are cut in a table.
const LONGEST: usize = 300;
/// How many bytes of a binary value a table shows.
const MOST_BYTES: usize = 24;

fn is_for_people(format: ListFormat) -> bool {
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
                format!(
                    "last written {}{below} ({})",
                    time(key.written, format, clock),
                    key.artifact
                ),
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

/// Certificates, one a row.
#[must_use]
pub fn certificate_list(
    certificates: &[HeldCertificate],
    format: ListFormat,
    clock: &Clock,
) -> Listing {
    let mut listing = Listing::new(&[
        ("Thumbprint", Room::Content),
        ("Store", Room::AtMost(18)),
        ("Subject", Room::Rest),
        ("Valid from", Room::Content),
        ("Valid to", Room::Content),
    ]);
    for held in certificates {
        let (subject, from, to) = match &held.certificate {
            Ok(certificate) => (
                certificate.subject.to_string(),
                time(Some(certificate.not_before), format, clock),
                time(Some(certificate.not_after), format, clock),
            ),
            Err(why) => (why.clone(), String::new(), String::new()),
        };
        let thumbprint = held.thumbprint.to_string();
        listing.row(vec![
            match is_for_people(format) {
                true => thumbprint.chars().take(12).chain(['…']).collect(),
                false => thumbprint,
            },
            store(held),
            subject,
            from,
            to,
        ]);
    }
    listing
}

fn store(held: &HeldCertificate) -> String {
    match &held.store {
        Some(store) => store.clone(),
        None => last_part(&held.artifact).to_owned(),
    }
}

/// Certificates with everything in them, a field a row.
#[must_use]
pub fn certificate_details(certificates: &[HeldCertificate], clock: &Clock) -> Listing {
    let mut listing = Listing::new(&[
        ("Thumbprint", Room::Content),
        ("Field", Room::Content),
        ("Content", Room::Rest),
    ]);
    for held in certificates {
        let thumbprint = held.thumbprint.to_string();
        let short: String = thumbprint.chars().take(8).chain(['…']).collect();
        for (field, content) in fields(held, clock) {
            listing.row(vec![short.clone(), field.to_owned(), content]);
        }
    }
    listing
}

fn fields(held: &HeldCertificate, clock: &Clock) -> Vec<(&'static str, String)> {
    let mut fields = vec![
        ("thumbprint", held.thumbprint.to_string()),
        ("file", held.artifact.clone()),
    ];
    if let Some(store) = &held.store {
        fields.push(("store", store.clone()));
    }
    match &held.certificate {
        Ok(certificate) => content(certificate, clock, &mut fields),
        Err(why) => fields.push(("content", why.clone())),
    }
    if held.marked {
        fields.push((
            "mark",
            "made by Windows for the Remote Desktop listener".to_owned(),
        ));
    }
    match (&held.key, &held.store) {
        (Some(key), _) => {
            fields.push(("key container", key.container.clone()));
            fields.push((
                "key provider",
                format!("{} (type {})", key.provider, key.provider_type),
            ));
        }
        (None, Some(_)) => fields.push((
            "key container",
            "none: this machine holds no private key for it".to_owned(),
        )),
        (None, None) => {}
    }
    if let Some(file) = &held.key_file {
        fields.push(("key file", format!("must be named {file}")));
    }
    if let Ok(certificate) = &held.certificate {
        for remark in remarks(certificate) {
            fields.push(("remark", remark));
        }
    }
    fields
}

fn content(certificate: &Certificate, clock: &Clock, fields: &mut Vec<(&'static str, String)>) {
    let at = |time: Timestamp| format!("{} {}", clock.full(&time.to_string()), clock.zone_name());
    fields.push(("subject", certificate.subject.to_string()));
    fields.push(("issuer", certificate.issuer.to_string()));
    fields.push(("serial number", certificate.serial_number.to_string()));
    fields.push(("valid from", at(certificate.not_before)));
    fields.push(("valid to", at(certificate.not_after)));
    fields.push(("public key", public_key(&certificate.public_key)));
    fields.push((
        "signature",
        format!("{:?}", certificate.signature_algorithm),
    ));
    if let Some(usage) = certificate.key_usage.present() {
        fields.push(("key usage", format!("{:?}", usage.uses())));
    }
    if let Some(purposes) = certificate.extended_key_usage.present() {
        fields.push(("purposes", format!("{purposes:?}")));
    }
    if let Some(names) = certificate.alternative_names.present() {
        fields.push(("other names", format!("{names:?}")));
    }
}

fn public_key(key: &PublicKey) -> String {
    match key {
        PublicKey::Rsa(key) => format!("RSA {}", key.bits()),
        PublicKey::Ec(key) => match key.curve.bits() {
            Some(bits) => format!("elliptic curve P-{bits}"),
            None => "another elliptic curve".to_owned(),
        },
        PublicKey::Other(algorithm) => format!("algorithm {algorithm}"),
        PublicKey::Unreadable(algorithm) => {
            format!("algorithm {algorithm}, its bytes cannot be read")
        }
    }
}

/// What is odd about it, and what a Remote Desktop listener would mind.
fn remarks(certificate: &Certificate) -> Vec<String> {
    let mut remarks: Vec<String> = certificate
        .problems
        .iter()
        .map(ToString::to_string)
        .collect();
    if matches!(certificate.alternative_names, Extension::Absent) && !certificate.self_issued() {
        remarks.push("no subject alternative name: clients compare names with it".to_owned());
    }
    if certificate.not_after < certificate.not_before {
        remarks.push("it ends before it begins".to_owned());
    }
    remarks
}

fn time(time: Option<Timestamp>, format: ListFormat, clock: &Clock) -> String {
    let Some(time) = time else {
        return String::new();
    };
    match is_for_people(format) {
        true => clock.full(&time.to_string()),
        false => time.to_string(),
    }
}
