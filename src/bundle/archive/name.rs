//! The names that archives give to their files: slashes of either kind, drive letters, Velociraptor's percent signs.

/// A name, read.
pub(super) struct Name {
    /// Its folders and itself; empty for the archive's root.
    pub(super) parts: Vec<String>,
    /// Whether it would lead out of the folder it was unpacked in.
    pub(super) leads_outside: bool,
}

/// Reads a name. Velociraptor escapes each component of a path as in an address, and so the drive's colon: only where a colon or
/// a backslash is escaped is anything read so, since `%4A` is also a part of the names of logs (`...%4Admin.evtx`).
pub(super) fn read(name: &str) -> Name {
    let raw: Vec<&str> = name.split(['/', '\\']).collect();
    let is_escaped = raw.iter().any(|part| {
        let part = part.to_ascii_uppercase();
        part.contains("%3A") || part.contains("%5C")
    });
    let mut parts: Vec<String> = Vec::new();
    let mut leads_outside = false;
    for part in raw {
        let whole = match is_escaped {
            true => decoded(part),
            false => part.to_owned(),
        };
        for part in whole.split(['/', '\\']) {
            match part {
                "" | "." => {}
                ".." => leads_outside = true,
                part => parts.push(part.to_owned()),
            }
        }
    }
    Name {
        parts,
        leads_outside,
    }
}

/// A path of an unpacked collection as it was before a collector escaped it, by the same rule; none for one that it did not escape,
/// or that would lead outside.
pub(in crate::bundle) fn unescaped(path: &str) -> Option<String> {
    let read = read(path);
    let whole = read.parts.join("/");
    (!read.leads_outside && !path.contains('\\') && !whole.is_empty() && whole != path)
        .then_some(whole)
}

/// Replaces `%XX` by its byte, where that gives text.
fn decoded(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let escaped = (first == b'%')
            .then(|| after.split_at_checked(2))
            .flatten()
            .and_then(|(digits, after)| {
                let digits = std::str::from_utf8(digits).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                Some((u8::from_str_radix(digits, 16).ok()?, after))
            });
        match escaped {
            Some((byte, after)) => {
                bytes.push(byte);
                rest = after;
            }
            None => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| part.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn joined(name: &str) -> String {
        read(name).parts.join("/")
    }

    #[test]
    fn names_of_every_collector_are_read() {
        for (name, path) in [
            (
                "C\\Windows\\System32\\config\\SYSTEM",
                "C/Windows/System32/config/SYSTEM",
            ),
            ("/C:/Windows/./SYSTEM", "C:/Windows/SYSTEM"),
            (
                "uploads/auto/C%3A/Windows/System32/winevt/Logs/X%254Operational.evtx",
                "uploads/auto/C:/Windows/System32/winevt/Logs/X%4Operational.evtx",
            ),
            (
                "uploads/ntfs/%5C%5C.%5CC%3A/Windows/System32/config/SYSTEM.LOG1",
                "uploads/ntfs/C:/Windows/System32/config/SYSTEM.LOG1",
            ),
            // No escape: that is how channels are named in files.
            ("logs/X%4Admin.evtx", "logs/X%4Admin.evtx"),
            ("a%3Ab%FF", "a%3Ab%FF"),
            ("a%3Ab%4", "a:b%4"),
            ("", ""),
            ("///", ""),
        ] {
            assert_eq!(joined(name), path, "{name}");
        }
    }

    #[test]
    fn a_name_that_leads_outside_stays_inside() {
        let name = read("../../etc/../SYSTEM");
        assert!(name.leads_outside);
        assert_eq!(name.parts, ["etc", "SYSTEM"]);
        assert!(!read("a..b/..c").leads_outside);
        assert!(read("%2E%2E%5C..%5CC%3A").leads_outside);
    }
}
