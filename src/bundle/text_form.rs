//! Which tool wrote a text: by what its output is made of, never by words that the language of Windows changes.
//!
//! All that is looked for is ASCII, so that the text is given without the zero bytes of UTF-16.

use super::kind::{EventLogForm, Kind};

/// What a text is, by its lines.
pub(super) fn kind(text: &[u8]) -> Option<Kind> {
    if is_event_text(text) {
        Some(Kind::EventLog(EventLogForm::Text))
    } else if is_registry_query(text) || is_service_query(text) {
        // What runs may follow in the same file.
        Some(Kind::RegistryExport)
    } else {
        let runs = is_service_state(text) || is_session_list(text);
        runs.then_some(Kind::RunningState)
    }
}

/// What a text is that one tool began in bytes and another went on with in UTF-16: such are lists that people gather in one file.
pub(super) fn joined(text: &[u8]) -> Option<Kind> {
    if is_certificate_listing(text) {
        Some(Kind::CertificateListing)
    } else {
        let runs = is_service_state(text) || is_session_list(text);
        runs.then_some(Kind::RunningState)
    }
}

/// Whether text in bytes goes on in UTF-16: zeros behind letters and never two, as no other file has them.
pub(crate) fn goes_on_as_utf16(bytes: &[u8]) -> bool {
    let is_letter = |byte: u8| byte >= b' ' || matches!(byte, b'\t' | b'\n' | b'\r');
    let mut zeros = bytes
        .iter()
        .zip(bytes.iter().skip(1))
        .filter(|(_, byte)| **byte == 0)
        .peekable();
    zeros.peek().is_some()
        && bytes.first() != Some(&0)
        && zeros.all(|(before, _)| is_letter(*before))
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

/// The state of a service as `sc query` prints it: `STATE  : 4  RUNNING`, where only the name before is translated.
fn is_service_state(text: &[u8]) -> bool {
    const STATES: [&[u8]; 7] = [
        b": 1  STOPPED",
        b": 2  START_PENDING",
        b": 3  STOP_PENDING",
        b": 4  RUNNING",
        b": 5  CONTINUE_PENDING",
        b": 6  PAUSE_PENDING",
        b": 7  PAUSED",
    ];
    let is_state = |line: &[u8]| STATES.iter().any(|known| contains(line, known));
    lines(text).any(|line| line.starts_with(b" ") && is_state(line))
}

/// The row of `qwinsta` that is on every machine: the session of services, of number 0.
fn is_session_list(text: &[u8]) -> bool {
    lines(text).any(|line| {
        let mut words = line
            .get(1..)
            .unwrap_or_default()
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty());
        (line.starts_with(b" services ") || line.starts_with(b">services "))
            && words.nth(1) == Some(b"0")
            && words.next().is_some()
    })
}

/// Certificates as `certutil` or PowerShell list them.
pub(super) fn is_certificate_listing(text: &[u8]) -> bool {
    is_certutil_listing(text) || is_powershell_listing(text)
}

/// The rule before each certificate of `certutil -store`, and the name of a hash in some line.
fn is_certutil_listing(text: &[u8]) -> bool {
    const RULE: &[u8] = b"================ ";
    lines(text)
        .any(|line| line.starts_with(RULE) && line.trim_ascii_end().ends_with(b" ================"))
        && contains(text, b"(sha1)")
}

/// The name that .NET gives a certificate's hash, which no language changes: as the title of a table or of a file of values, or
/// before a hash.
fn is_powershell_listing(text: &[u8]) -> bool {
    const HASH: &[u8] = b"thumbprint";
    let text = without_mark(text);
    let is_hash = |title: &[u8]| {
        let title = title.trim_ascii();
        let title = title.strip_prefix(b"\"").unwrap_or(title);
        title
            .strip_suffix(b"\"")
            .unwrap_or(title)
            .eq_ignore_ascii_case(HASH)
    };
    let is_dashes =
        |line: &[u8]| contains(line, b"---") && line.iter().all(|byte| matches!(byte, b'-' | b' '));
    let is_before_a_hash = |line: &[u8]| {
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(line.len()));
        let digits = value.get(1..).unwrap_or_default().trim_ascii_start();
        let digits = digits.iter().take_while(|byte| byte.is_ascii_hexdigit());
        is_hash(name) && digits.count() >= 8
    };
    let written = lines(text).filter(|line| !line.is_empty());
    let mut titles = written
        .clone()
        .skip_while(|line| line.starts_with(b"#TYPE"));
    let of_values = titles.next().is_some_and(|titles| {
        [b'\t', b',', b';']
            .iter()
            .any(|mark| titles.contains(mark) && titles.split(|byte| byte == mark).any(is_hash))
    });
    let of_a_table = |titles: &[u8], below: &[u8]| {
        is_dashes(below) && titles.split(u8::is_ascii_whitespace).any(is_hash)
    };
    of_values
        || written.clone().any(is_before_a_hash)
        || written
            .clone()
            .zip(written.skip(1))
            .any(|(titles, below)| of_a_table(titles, below))
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> + Clone {
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
