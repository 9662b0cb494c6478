//! $UsnJrnl:$J, the journal of changes to the files of a volume (Microsoft, winioctl.h, USN_RECORD_V2 and USN_RECORD_V3): what was
//! done to which file, and when. It keeps the last days or weeks.

use jiff::Timestamp;

use crate::bundle::ReadAt;
use crate::bundle::disk::EntryPlace;
use crate::bundle::file_time::file_time;

/// Windows keeps 32 MiB of it by default, and administrators seldom more than ten times that. Only the newest are looked at.
const MOST_BYTES: u64 = 1 << 30;
/// Records do not cross the border of a page.
const PAGE: usize = 4096;
const PIECE: usize = 256 * PAGE;

/// What was done to a file; each says so from the first time until the file is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Reasons(pub u32);

impl Reasons {
    /// Its content was overwritten, extended or cut.
    pub const WRITTEN: Reasons = Reasons(0x7);
    /// It was made.
    pub const MADE: Reasons = Reasons(0x100);
    /// It was deleted.
    pub const DELETED: Reasons = Reasons(0x200);
    /// Its permissions were changed.
    pub const PERMISSIONS: Reasons = Reasons(0x800);
    /// It was renamed or moved; this is the name that it had.
    pub const OLD_NAME: Reasons = Reasons(0x1000);
    /// This is the name that it got.
    pub const NEW_NAME: Reasons = Reasons(0x2000);
    /// It was closed.
    pub const CLOSED: Reasons = Reasons(0x8000_0000);

    /// Whether any of these is among them.
    #[must_use]
    pub fn any(self, of: Reasons) -> bool {
        self.0 & of.0 != 0
    }
}

/// A record of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Its number: the place that it had in the journal when it was written.
    pub number: u64,
    /// The file.
    pub file: EntryPlace,
    /// The folder that it stood in.
    pub folder: EntryPlace,
    /// Its name.
    pub name: String,
    /// When.
    pub at: Option<Timestamp>,
    /// What was done to it since it was opened.
    pub reasons: Reasons,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// What was read of a journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalSummary {
    /// How many records there are.
    pub records: u64,
    /// When the first was written.
    pub first: Option<Timestamp>,
    /// When the last was written.
    pub last: Option<Timestamp>,
    /// Why some of it was not read, where that is so.
    pub broken_off: Option<String>,
}

/// Hands over every record, the oldest first.
pub fn read(source: &dyn ReadAt, keep: &mut dyn FnMut(Change)) -> JournalSummary {
    let mut summary = JournalSummary::default();
    let skipped = source.len().saturating_sub(MOST_BYTES);
    let mut at = skipped - skipped % PAGE as u64;
    let mut piece = vec![0; PIECE];
    while at < source.len() {
        let filled = match source.read_full_at(at, &mut piece) {
            Ok(0) => break,
            Ok(filled) => filled,
            Err(error) => {
                summary.broken_off = Some(format!("from byte {at} on: {error}"));
                break;
            }
        };
        for page in piece.get(..filled).unwrap_or_default().chunks(PAGE) {
            read_page(page, &mut summary, keep);
        }
        at += filled as u64;
    }
    summary
}

/// The records of a page. Behind the last one are zeros; where one is damaged, those after it are not found.
fn read_page(page: &[u8], summary: &mut JournalSummary, keep: &mut dyn FnMut(Change)) {
    let mut rest = page;
    while let Some(len) = length(rest) {
        if let Some(change) = rest.get(..len).and_then(Change::read) {
            summary.records += 1;
            summary.first = summary.first.or(change.at);
            summary.last = change.at.or(summary.last);
            keep(change);
        }
        rest = rest.get(len..).unwrap_or_default();
    }
}

/// The length of the record that begins here.
fn length(bytes: &[u8]) -> Option<usize> {
    let len = usize::try_from(u32::from_le_bytes(*bytes.first_chunk::<4>()?)).ok()?;
    (len >= 60 && len % 8 == 0 && len <= bytes.len()).then_some(len)
}

impl Change {
    fn read(bytes: &[u8]) -> Option<Change> {
        let word = |at: usize| Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let double = |at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        let quad = |at: usize| Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
        // The third version has references of 16 bytes, of which NTFS uses the first eight.
        let (folder_at, rest) = match word(4)? {
            2 => (16, 24),
            3 => (24, 40),
            _ => return None,
        };
        let name_bytes = usize::from(word(rest + 32)?);
        let name_at = usize::from(word(rest + 34)?);
        let name = bytes.get(name_at..name_at.checked_add(name_bytes)?)?;
        let (pairs, _) = name.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| u16::from_le_bytes(*pair)).collect();
        Some(Change {
            number: quad(rest)?,
            file: EntryPlace::of_reference(quad(8)?),
            folder: EntryPlace::of_reference(quad(folder_at)?),
            name: String::from_utf16_lossy(&units),
            at: file_time(quad(rest + 8)?),
            reasons: Reasons(double(rest + 16)?),
            is_folder: double(rest + 28)? & 0x10 != 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A record as the second version has it, or the third.
    fn record(version: u16, reasons: Reasons, name: &str) -> Vec<u8> {
        let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let header: usize = if version == 2 { 60 } else { 76 };
        let len = (header + wide.len()).next_multiple_of(8);
        let mut bytes = u32::try_from(len).unwrap().to_le_bytes().to_vec();
        bytes.extend(version.to_le_bytes());
        bytes.extend(0_u16.to_le_bytes());
        for reference in [(7_u64 << 48) | 1234, (2 << 48) | 99] {
            bytes.extend(reference.to_le_bytes());
            if version == 3 {
                bytes.extend([0; 8]);
            }
        }
        bytes.extend(4096_u64.to_le_bytes());
        bytes.extend(133_000_000_000_000_000_u64.to_le_bytes());
        bytes.extend(reasons.0.to_le_bytes());
        bytes.extend([0; 8]);
        bytes.extend(0x10_u32.to_le_bytes());
        bytes.extend(u16::try_from(wide.len()).unwrap().to_le_bytes());
        bytes.extend(u16::try_from(header).unwrap().to_le_bytes());
        bytes.extend(wide);
        bytes.resize(len, 0);
        bytes
    }

    fn read_all(bytes: Vec<u8>) -> (Vec<Change>, JournalSummary) {
        let mut found = Vec::new();
        let summary = read(&bytes, &mut |change| found.push(change));
        (found, summary)
    }

    #[test]
    fn both_versions_say_the_same() {
        for version in [2, 3] {
            let (found, summary) = read_all(record(version, Reasons::OLD_NAME, "MachineKeys"));
            assert_eq!(summary.records, 1, "version {version}");
            let change = &found[0];
            assert_eq!(change.name, "MachineKeys");
            assert_eq!((change.file.number, change.file.uses), (1234, 7));
            assert_eq!((change.folder.number, change.folder.uses), (99, 2));
            assert_eq!(change.number, 4096);
            assert!(change.is_folder && change.reasons.any(Reasons::OLD_NAME));
            assert_eq!(change.at.unwrap().to_string(), "2022-06-18T04:26:40Z");
        }
    }

    #[test]
    fn a_damaged_page_costs_no_other() {
        let mut bytes = record(2, Reasons::MADE, "one");
        bytes.extend([0xFF; 64]);
        bytes.resize(PAGE, 0);
        bytes.extend(record(2, Reasons::DELETED, "two"));
        // A record that says it is longer than what is left.
        bytes.extend(4000_u32.to_le_bytes());
        let (found, _) = read_all(bytes);
        let names: Vec<&str> = found.iter().map(|change| change.name.as_str()).collect();
        assert_eq!(names, ["one", "two"]);
    }
}
