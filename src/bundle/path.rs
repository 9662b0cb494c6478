//! How files are named in reports: relative, with `/` between folders, readable and unique whatever bytes a name holds.

use std::ffi::OsStr;
use std::fmt::Write;
use std::path::{Component, Path};

/// A name as text. What is not UTF-8 is written `\xNN`, byte by byte; and so is a backslash that would look like the
/// beginning of that, so that two names are never shown alike.
#[must_use]
pub fn shown_name(name: &OsStr) -> String {
    let mut shown = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        let valid = chunk.valid();
        for (index, character) in valid.char_indices() {
            if character == '\\' && begins_escape(&valid[index..]) {
                shown.push_str("\\x5C");
            } else {
                shown.push(character);
            }
        }
        for byte in chunk.invalid() {
            // Writing to a string does not fail.
            let _ = write!(shown, "\\x{byte:02X}");
        }
    }
    shown
}

/// A path as text: its folders and its name, joined by `/`. Neither root nor drive is shown.
#[must_use]
pub fn shown_path(path: &Path) -> String {
    let names: Vec<String> = path
        .components()
        .filter_map(|component| match component {
            Component::Normal(name) => Some(shown_name(name)),
            _ => None,
        })
        .collect();
    names.join("/")
}

/// The folders and the name of a shown path. A collection that was packed on Windows and unpacked elsewhere may have
/// backslashes in its file names where folders should be (CyLR writes such archives): these part folders too.
#[must_use]
pub fn components(shown: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (index, character) in shown.char_indices() {
        let separates = match character {
            '/' => true,
            '\\' => !begins_escape(&shown[index..]),
            _ => false,
        };
        if separates {
            parts.push(&shown[start..index]);
            start = index + 1;
        }
    }
    parts.push(&shown[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

/// The last component of a shown path.
#[must_use]
pub fn file_name(shown: &str) -> &str {
    components(shown).last().copied().unwrap_or(shown)
}

fn begins_escape(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.get(1) == Some(&b'x')
        && bytes.get(2).is_some_and(u8::is_ascii_hexdigit)
        && bytes.get(3).is_some_and(u8::is_ascii_hexdigit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backslashes_of_windows_archives_part_folders() {
        assert_eq!(
            components("C\\Windows\\System32/config\\SYSTEM"),
            ["C", "Windows", "System32", "config", "SYSTEM"]
        );
        assert_eq!(file_name("a/b\\x5Cc"), "b\\x5Cc");
    }

    #[cfg(unix)]
    #[test]
    fn names_that_are_not_utf8_stay_distinct() {
        use std::os::unix::ffi::OsStrExt;
        let names: [&[u8]; 5] = [b"S\xffM", b"S\\xffM", b"S\\xFFM", b"S\xfeM", b"S\\x5CxffM"];
        let shown: Vec<String> = names
            .iter()
            .map(|name| shown_name(OsStr::from_bytes(name)))
            .collect();
        assert_eq!(shown[0], "S\\xFFM");
        assert_eq!(shown[1], "S\\x5CxffM");
        for (index, one) in shown.iter().enumerate() {
            assert!(!shown[index + 1..].contains(one), "{one} stands twice");
        }
        assert_eq!(
            shown_name(OsStr::from_bytes("Журнал.evtx".as_bytes())),
            "Журнал.evtx"
        );
    }
}
