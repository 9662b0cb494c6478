//! Repairs the element names of a damaged chunk.
//!
//! A name stands once in a chunk and all its records point there: one flipped bit in `EventID` hides a hundred
//! records that are whole. Each name is preceded by its hash and its length ([MS-EVEN6] 2.2.12), which tell what it was.

use super::chunk::{STRING_TABLE, u32_at};

/// The names of the `System` part, and of what holds the rest.
const KNOWN: [&str; 31] = [
    "Event",
    "xmlns",
    "System",
    "Provider",
    "Name",
    "Guid",
    "EventSourceName",
    "EventID",
    "Qualifiers",
    "Version",
    "Level",
    "Task",
    "Opcode",
    "Keywords",
    "TimeCreated",
    "SystemTime",
    "EventRecordID",
    "Correlation",
    "ActivityID",
    "RelatedActivityID",
    "Execution",
    "ProcessID",
    "ThreadID",
    "Channel",
    "Computer",
    "Security",
    "UserID",
    "EventData",
    "UserData",
    "Data",
    "Binary",
];
/// A chunk has room for no more names than this; chains that link back end here.
const MOST_NAMES: usize = 0x10000 / 10;

/// Writes known names back where their hash and length still stand; returns which.
pub(super) fn repair(chunk: &mut [u8]) -> Vec<&'static str> {
    let mut repaired = Vec::new();
    let mut left = MOST_NAMES;
    for bucket in STRING_TABLE.step_by(4) {
        let mut entry = u32_at(chunk, bucket).unwrap_or(0);
        while entry != 0 && left > 0 {
            left -= 1;
            let at = entry as usize;
            let Some(next) = u32_at(chunk, at) else { break };
            if let Some((name, text)) = damaged_name(chunk, at)
                && let Some(place) = chunk.get_mut(at + 8..at + 8 + text.len())
            {
                place.copy_from_slice(&text);
                repaired.push(name);
            }
            entry = next;
        }
    }
    repaired
}

/// The known name that stood at `at`, and its bytes, if another one stands there now.
fn damaged_name(chunk: &[u8], at: usize) -> Option<(&'static str, Vec<u8>)> {
    let head = u32_at(chunk, at + 4)?;
    let (hash, length) = (head & 0xffff, (head >> 16) as usize);
    let stands = chunk.get(at + 8..at + 8 + length * 2)?;
    let known = KNOWN
        .iter()
        .find(|name| name.len() == length && name_hash(name) == hash)?;
    let text: Vec<u8> = known.encode_utf16().flat_map(u16::to_le_bytes).collect();
    (stands != text).then_some((*known, text))
}

fn name_hash(name: &str) -> u32 {
    let hash = |hash: u32, unit: u16| hash.wrapping_mul(65599).wrapping_add(u32::from(unit));
    name.encode_utf16().fold(0, hash) & 0xffff
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_names_are_told_apart_by_hash_and_length() {
        let mut keys: Vec<_> = KNOWN
            .iter()
            .map(|name| (name.len(), name_hash(name)))
            .collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), KNOWN.len());
        // As it stands in every log that Windows writes.
        assert_eq!(name_hash("Event"), 0x0cba);
    }

    #[test]
    fn a_chain_that_links_back_ends() {
        let mut chunk = vec![0; 1024];
        chunk[128..132].copy_from_slice(&600u32.to_le_bytes());
        chunk[600..604].copy_from_slice(&600u32.to_le_bytes());
        assert!(repair(&mut chunk).is_empty());
    }
}
