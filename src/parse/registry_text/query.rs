//! What `reg query` prints: a key in a line of its own, its values below it in columns with four spaces between them (a tab on
//! Windows XP and Server 2003). The types are named alike in every language; all else that is printed is not.

use super::line::utf16;
use super::{Export, ExportedKey, ExportedValue, MOST_NESTED, NoExport};
use crate::parse::hive::{Value, ValueKind};
use crate::parse::text::{Text, TextEncoding};

/// The types by the names that `reg query` prints.
const TYPES: [(&str, ValueKind); 9] = [
    ("REG_NONE", ValueKind::RegNone),
    ("REG_SZ", ValueKind::RegSz),
    ("REG_EXPAND_SZ", ValueKind::RegExpandSz),
    ("REG_BINARY", ValueKind::RegBinary),
    ("REG_DWORD", ValueKind::RegDword),
    ("REG_DWORD_BIG_ENDIAN", ValueKind::RegDwordBigEndian),
    ("REG_LINK", ValueKind::Other(6)),
    ("REG_MULTI_SZ", ValueKind::RegMultiSz),
    ("REG_QWORD", ValueKind::RegQword),
];

const COLUMN: &str = "    ";

const NOT_UNDERSTOOD: &str = "a value that is not understood: its line is cut or damaged";
const RUNS_ON: &str =
    "goes on behind the end of its line, or a line is missing: the value before is not used";

/// Reads the keys of an output, which may hold several with the commands between them.
pub(super) fn read(text: &Text) -> Result<Export, NoExport> {
    let mut export = Export::new();
    // Whether the line before was a value, which a text with line ends in it would go on from.
    let mut after_value = false;
    let mut lines = text.characters.split_inclusive('\n').zip(1..).peekable();
    while let Some((line, number)) = lines.next() {
        let is_whole = line.ends_with('\n');
        let line = line
            .trim_end_matches(['\r', '\n'])
            .trim_start_matches('\u{feff}');
        if let Some(path) = key(line) {
            if !is_whole && lines.peek().is_none() {
                export.flaw(number, "the file ends in the middle of this line");
                break;
            }
            export.keys.push(ExportedKey {
                path: path.to_owned(),
                line: number,
                values: Vec::new(),
            });
            after_value = false;
        } else if line.trim().is_empty() {
            after_value = false;
        } else if let (Some(columns), false) = (columns(line), export.keys.is_empty()) {
            let read = columns.value(text).filter(|_| is_whole);
            after_value = read.is_some();
            match (read, export.keys.last_mut()) {
                (Some(value), Some(key)) => key.values.push(ExportedValue {
                    line: number,
                    value,
                }),
                _ => {
                    export.flaw(number, NOT_UNDERSTOOD);
                    export.last_key_has_a_hole();
                }
            }
        } else if after_value {
            if let Some(key) = export.keys.last_mut() {
                key.values.pop();
            }
            export.flaw(number, RUNS_ON);
            export.last_key_has_a_hole();
            after_value = false;
        }
    }
    match export.keys.is_empty() {
        true => Err(NoExport::Title),
        false => Ok(export),
    }
}

fn key(line: &str) -> Option<&str> {
    let path = line.trim_end();
    let mut names = path.strip_prefix("HKEY_")?.split('\\');
    let is_machine = names.next()? == "LOCAL_MACHINE";
    let is_path = names.clone().count() <= MOST_NESTED && names.all(|name| !name.is_empty());
    (is_machine && is_path).then_some(path)
}

/// The columns of a value's line.
struct Columns<'l> {
    name: &'l str,
    kind: ValueKind,
    data: &'l str,
}

/// The columns of a line that holds a value: a name may hold spaces, but none is likely to hold the name of a type between columns.
fn columns(line: &str) -> Option<Columns<'_>> {
    let line = line
        .strip_prefix(COLUMN)
        .or_else(|| line.strip_prefix('\t'))?;
    for gap in [COLUMN, "\t"] {
        for (at, _) in line.match_indices(&format!("{gap}REG_")) {
            let (name, rest) = line.split_at_checked(at)?;
            let rest = rest.strip_prefix(gap)?;
            let end = rest.find([' ', '\t']).unwrap_or(rest.len());
            let (kind, data) = rest.split_at_checked(end)?;
            let known = TYPES.iter().find(|(name, _)| *name == kind);
            if let Some((_, kind)) = known {
                let data = without_number(data);
                let data = data.strip_prefix(gap).unwrap_or(data);
                let kind = *kind;
                return Some(Columns { name, kind, data });
            }
        }
    }
    None
}

/// What follows the number of the type, which `/z` prints behind its name: ` (4)`.
fn without_number(data: &str) -> &str {
    let number = data
        .strip_prefix(" (")
        .and_then(|rest| rest.split_once(')'));
    match number {
        Some((digits, rest)) if digits.bytes().all(|digit| digit.is_ascii_digit()) => rest,
        _ => data,
    }
}

impl Columns<'_> {
    /// The value; none where its data is not what the type allows, or its letters are not known.
    fn value(&self, text: &Text) -> Option<Value> {
        let unsure = |part: &str| {
            (text.encoding == TextEncoding::CodePage && !part.is_ascii())
                || (text.damaged && part.contains('\u{fffd}'))
                || part.contains('\0')
        };
        // The default value has no name; what is printed instead is in the language of Windows, and in brackets.
        let is_default = self.name.starts_with('(') && self.name.ends_with(')');
        let name = match is_default {
            true => "",
            false => self.name,
        };
        if unsure(name) || unsure(self.data) || (is_default && self.data.starts_with('(')) {
            return None;
        }
        Some(Value {
            name: name.to_owned(),
            kind: self.kind,
            bytes: bytes(self.kind, self.data)?,
        })
    }
}

fn bytes(kind: ValueKind, data: &str) -> Option<Vec<u8>> {
    let number = || {
        let digits = data.trim().strip_prefix("0x")?;
        u64::from_str_radix(digits, 16).ok()
    };
    Some(match kind {
        ValueKind::RegSz | ValueKind::RegExpandSz => utf16(data),
        ValueKind::RegMultiSz => {
            let texts = data.split("\\0").filter(|text| !text.is_empty());
            texts.flat_map(utf16).chain([0, 0]).collect()
        }
        ValueKind::RegDword => u32::try_from(number()?).ok()?.to_le_bytes().to_vec(),
        ValueKind::RegDwordBigEndian => u32::try_from(number()?).ok()?.to_be_bytes().to_vec(),
        ValueKind::RegQword => number()?.to_le_bytes().to_vec(),
        ValueKind::RegBinary | ValueKind::RegNone | ValueKind::Other(_) => {
            let digits = data.trim().as_bytes();
            let (pairs, rest) = digits.as_chunks::<2>();
            if !rest.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            let byte = |pair: &[u8; 2]| {
                let digits = std::str::from_utf8(pair).ok()?;
                u8::from_str_radix(digits, 16).ok()
            };
            pairs.iter().map(byte).collect::<Option<_>>()?
        }
    })
}
