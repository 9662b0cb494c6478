//! Which tool wrote a text: by what its output is made of, never by words that the language of Windows changes.
//!
//! All that is looked for is ASCII, so that the text is given without the zero bytes of UTF-16.

use super::kind::{EventLogForm, Kind};

/// What a text is, by its lines.
pub(super) fn kind(text: &[u8]) -> Option<Kind> {
    if is_event_text(text) {
        Some(Kind::EventLog(EventLogForm::Text))
    } else {
        let is_registry = is_registry_query(text) || is_service_query(text);
        is_registry.then_some(Kind::RegistryExport)
    }
}

/// Event records in XML or JSON: the elements and members that each must have.
fn is_event_text(text: &[u8]) -> bool {
    let start = without_mark(text).trim_ascii_start();
    let is_xml =
        || contains(text, b"<Event") && contains(text, b"<System>") && contains(text, b"<EventID");
    let is_json = || {
        contains(text, b"\"System\"") && contains(text, b"\"EventID\"")
            || contains(text, b"\"ProviderName\"") && contains(text, b"\"TimeCreated\"")
    };
    // `evtx_dump` puts a heading before each.
    match start.first() {
        Some(b'<') => is_xml(),
        Some(b'{' | b'[') => is_json(),
        _ if start.starts_with(b"Record ") => is_xml() || is_json(),
        _ => false,
    }
}

/// Whether it begins with the title of a `.reg` file. What follows may be in another encoding.
pub(super) fn is_reg_file(text: &[u8]) -> bool {
    const TITLES: [&[u8]; 2] = [b"Windows Registry Editor Version", b"REGEDIT4"];
    let text = without_mark(text).trim_ascii_start();
    TITLES.iter().any(|title| text.starts_with(title))
}

/// A key in a line of its own, and a value with its type in columns.
fn is_registry_query(text: &[u8]) -> bool {
    const KEY: &[u8] = b"HKEY_LOCAL_MACHINE\\";
    let is_value = |line: &[u8]| {
        line.starts_with(b"    ") && contains(line, b"    REG_")
            || line.starts_with(b"\t") && contains(line, b"\tREG_")
    };
    let mut lines = lines(text).skip_while(|line| !without_mark(line).starts_with(KEY));
    lines.any(is_value)
}

/// The start type of a service as `sc qc` prints it: `START_TYPE  : 3   DEMAND_START`, where only the name before is translated.
fn is_service_query(text: &[u8]) -> bool {
    const TYPES: [&[u8]; 5] = [
        b": 0   BOOT_START",
        b": 1   SYSTEM_START",
        b": 2   AUTO_START",
        b": 3   DEMAND_START",
        b": 4   DISABLED",
    ];
    let is_type = |line: &[u8]| TYPES.iter().any(|known| contains(line, known));
    lines(text).any(|line| line.starts_with(b" ") && is_type(line))
}

/// The rule before each certificate of `certutil -store`, and the name of a hash in some line.
pub(super) fn is_certificate_listing(text: &[u8]) -> bool {
    const RULE: &[u8] = b"================ ";
    lines(text)
        .any(|line| line.starts_with(RULE) && line.trim_ascii_end().ends_with(b" ================"))
        && contains(text, b"(sha1)")
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| matches!(byte, b'\n' | b'\r'))
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

fn without_mark(text: &[u8]) -> &[u8] {
    const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"];
    let marked = MARKS.iter().find_map(|mark| text.strip_prefix(*mark));
    marked.unwrap_or(text)
}
