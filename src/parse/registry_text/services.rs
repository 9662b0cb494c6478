//! What `sc qc` prints: a service's settings as they stand in its key below `Services`.
//!
//! The names of the fields are in the language of Windows; their order, their numbers and the words for these are not
//! (outputs in English, German and Spanish). Each service begins with a line of its own that is not indented.

use super::line::utf16;
use super::{Export, ExportedKey, ExportedValue, NoExport};
use crate::parse::hive::{Value, ValueKind};
use crate::parse::text::{Text, TextEncoding};

const SERVICES: &str = "HKEY_LOCAL_MACHINE\\SYSTEM\\CurrentControlSet\\Services";

/// The words for the start types 0 to 4.
const START_WORDS: [&str; 5] = [
    "BOOT_START",
    "SYSTEM_START",
    "AUTO_START",
    "DEMAND_START",
    "DISABLED",
];

/// Where the path of the program and the account stand among the fields, from 1; what the service depends on stands between and
/// may take several lines.
const IMAGE_PATH: usize = 4;
const FIELDS: usize = 9;

/// Reads the services of an output, which may hold several.
pub(super) fn read(text: &Text) -> Result<Export, NoExport> {
    let mut export = Export::new();
    let mut block: Option<Block<'_>> = None;
    for (line, number) in text.characters.split_inclusive('\n').zip(1..) {
        let is_whole = line.ends_with('\n');
        let line = line.trim_end();
        if line.is_empty() {
            block
                .take()
                .and_then(|block| block.finish(text, &mut export));
        } else if !line.starts_with([' ', '\t']) {
            // `sc query` names the service again, as people know it.
            if block.as_ref().is_none_or(|block| !block.fields.is_empty()) {
                block
                    .take()
                    .and_then(|block| block.finish(text, &mut export));
                block = Block::begin(line, number);
            }
        } else if let Some(block) = &mut block {
            block.take(line, number, is_whole);
        }
    }
    block.and_then(|block| block.finish(text, &mut export));
    match export.keys.is_empty() {
        true => Err(NoExport::Title),
        false => Ok(export),
    }
}

/// One service.
struct Block<'t> {
    name: &'t str,
    line: u64,
    fields: Vec<(u64, &'t str)>,
    /// Whether its last line has its end.
    is_whole: bool,
}

impl<'t> Block<'t> {
    /// `SERVICE_NAME: TermService`.
    fn begin(line: &'t str, number: u64) -> Option<Self> {
        let (_, name) = line.split_once(':')?;
        let name = name.trim();
        let is_name = !name.is_empty()
            && name.len() <= 256
            && !name.contains(['\\', '/', ':', '\0'])
            && !line.starts_with('[');
        is_name.then(|| Block {
            name,
            line: number,
            fields: Vec::new(),
            is_whole: true,
        })
    }

    /// `        START_TYPE         : 3   DEMAND_START`; a line without a name goes on with the list before.
    fn take(&mut self, line: &'t str, number: u64, is_whole: bool) {
        let Some((name, value)) = line.split_once(':') else {
            return;
        };
        self.is_whole = is_whole;
        if !name.trim().is_empty() {
            self.fields.push((number, value.trim()));
        }
    }

    /// Takes the service in, where its start type is there.
    fn finish(self, text: &Text, export: &mut Export) -> Option<()> {
        let (start_line, start) = self
            .fields
            .iter()
            .find_map(|(line, value)| Some((*line, start(value)?)))?;
        let mut values = vec![ExportedValue {
            line: start_line,
            value: Value {
                name: "Start".to_owned(),
                kind: ValueKind::RegDword,
                bytes: start.to_le_bytes().to_vec(),
            },
        }];
        let is_sure = |value: &str| text.encoding != TextEncoding::CodePage || value.is_ascii();
        if self.fields.len() == FIELDS && self.is_whole {
            let image = self.fields.get(IMAGE_PATH - 1);
            let account = self.fields.last();
            for (name, kind, field) in [
                ("ImagePath", ValueKind::RegExpandSz, image),
                ("ObjectName", ValueKind::RegSz, account),
            ] {
                let field = field.filter(|(_, value)| !value.is_empty() && is_sure(value));
                values.extend(field.map(|(line, value)| ExportedValue {
                    line: *line,
                    value: Value {
                        name: name.to_owned(),
                        kind,
                        bytes: utf16(value),
                    },
                }));
            }
        } else {
            export.flaw(self.line, "a service of which lines are missing");
        }
        export.keys.push(ExportedKey {
            path: format!("{SERVICES}\\{}", self.name),
            line: self.line,
            values,
        });
        Some(())
    }
}

/// The start type, where the number and its word agree.
fn start(value: &str) -> Option<u32> {
    let mut parts = value.split_whitespace();
    let number: u32 = parts.next()?.parse().ok()?;
    let word = START_WORDS.get(usize::try_from(number).ok()?)?;
    (parts.next() == Some(word)).then_some(number)
}
