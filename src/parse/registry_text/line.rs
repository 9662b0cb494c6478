//! The lines of a `.reg` file: titles, keys and values, with those joined that continue.

use super::reg_file::Title;
use crate::parse::hive::ValueKind;
use crate::parse::text::{Text, TextEncoding};

/// One line, with what continues it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Title(Title),
    Empty,
    Key(String),
    /// A key or a value to be deleted.
    Deleted,
    Value(String, Data),
    Unreadable(&'static str),
}

/// The data of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Data {
    Whole(ValueKind, Vec<u8>),
    /// It is there, and cannot be told.
    Doubtful(&'static str),
}

/// The lines of a text.
pub(super) struct Lines<'t> {
    rest: &'t str,
    number: u64,
    title: Title,
    /// Whether only ASCII can be trusted.
    code_page: bool,
    damaged: bool,
}

const NOT_A_LINE: &str = "not a line of a registry export: something is damaged or missing here";
const UNKNOWN_LETTERS: &str = "letters of a code page that nothing in the file names";

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t Text) -> Self {
        Lines {
            rest: &text.characters,
            number: 0,
            title: Title::Wide,
            code_page: text.encoding == TextEncoding::CodePage,
            damaged: text.damaged,
        }
    }

    /// From here on lines follow this title.
    pub(super) fn title(&mut self, title: Title) {
        self.title = title;
    }

    /// The number of the last line that was read, from 1.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// The next physical line, and whether its end is there.
    fn physical(&mut self) -> Option<(&'t str, bool)> {
        if self.rest.is_empty() {
            return None;
        }
        self.number += 1;
        let (line, rest, ended) = match self.rest.split_once('\n') {
            Some((line, rest)) => (line, rest, true),
            None => (self.rest, "", false),
        };
        self.rest = rest;
        Some((line.strip_suffix('\r').unwrap_or(line), ended))
    }

    /// The next line with its number.
    pub(super) fn next(&mut self) -> Option<(u64, Line)> {
        let (first, ended) = self.physical()?;
        let number = self.number;
        let line = first.trim_start_matches('\u{feff}');
        if line.trim().is_empty() || line.trim_start().starts_with(';') {
            return Some((number, Line::Empty));
        }
        if !ended {
            return Some((number, Line::Unreadable("a line without its end")));
        }
        Some((number, self.line(line)))
    }

    fn line(&mut self, line: &str) -> Line {
        if let Some(title) = Title::of(line) {
            return Line::Title(title);
        }
        if line.contains('\0') || (self.damaged && line.contains('\u{fffd}')) {
            return Line::Unreadable(NOT_A_LINE);
        }
        if let Some(key) = line.strip_prefix('[') {
            let Some(path) = key.trim_end().strip_suffix(']') else {
                return Line::Unreadable(NOT_A_LINE);
            };
            if path.starts_with('-') {
                return Line::Deleted;
            }
            let whole = path.starts_with("HKEY_") && path.split('\\').all(|name| !name.is_empty());
            return match whole {
                true if self.code_page && !path.is_ascii() => Line::Unreadable(UNKNOWN_LETTERS),
                true => Line::Key(path.to_owned()),
                false => Line::Unreadable(NOT_A_LINE),
            };
        }
        let (name, data) = if let Some(data) = line.strip_prefix("@=") {
            (String::new(), data.to_owned())
        } else if let Some(quoted) = line.strip_prefix('"') {
            let Some((name, rest)) = self.quoted(quoted) else {
                return Line::Unreadable(NOT_A_LINE);
            };
            let Some(data) = rest.strip_prefix('=') else {
                return Line::Unreadable(NOT_A_LINE);
            };
            (name, data.to_owned())
        } else {
            return Line::Unreadable(NOT_A_LINE);
        };
        if self.code_page && !name.is_ascii() {
            return Line::Value(name, Data::Doubtful(UNKNOWN_LETTERS));
        }
        self.data(name, data.trim_end())
    }

    fn data(&mut self, name: String, data: &str) -> Line {
        if data == "-" {
            return Line::Deleted;
        }
        if let Some(quoted) = data.strip_prefix('"') {
            return match self.quoted(quoted) {
                Some((text, rest)) if rest.trim_end().is_empty() => {
                    let data = match self.code_page && !text.is_ascii() {
                        true => Data::Doubtful(UNKNOWN_LETTERS),
                        false => Data::Whole(ValueKind::RegSz, utf16(&text)),
                    };
                    Line::Value(name, data)
                }
                Some(_) | None => Line::Unreadable(NOT_A_LINE),
            };
        }
        if let Some(digits) = data.strip_prefix("dword:") {
            let number = Some(digits)
                .filter(|digits| digits.len() == 8 && is_hexadecimal(digits))
                .and_then(|digits| u32::from_str_radix(digits, 16).ok());
            return match number {
                Some(number) => Line::Value(
                    name,
                    Data::Whole(ValueKind::RegDword, number.to_le_bytes().to_vec()),
                ),
                None => Line::Unreadable(NOT_A_LINE),
            };
        }
        let Some((kind, bytes)) = self.hexadecimal(data) else {
            return Line::Unreadable(NOT_A_LINE);
        };
        let is_text = matches!(
            kind,
            ValueKind::RegSz | ValueKind::RegExpandSz | ValueKind::RegMultiSz
        );
        let data = match (self.title, is_text) {
            (Title::CodePage, true) if !bytes.is_ascii() => Data::Doubtful(UNKNOWN_LETTERS),
            (Title::CodePage, true) => {
                let wide = bytes.iter().flat_map(|byte| [*byte, 0]).collect();
                Data::Whole(kind, wide)
            }
            _ => Data::Whole(kind, bytes),
        };
        Line::Value(name, data)
    }

    /// A text up to its closing quotation mark, and what follows that. A text may hold line ends.
    fn quoted(&mut self, first: &str) -> Option<(String, String)> {
        let mut text = String::new();
        let mut line = first;
        loop {
            let mut letters = line.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '"' => return Some((text, letters.as_str().to_owned())),
                    '\\' => match letters.next() {
                        Some(escaped @ ('"' | '\\')) => text.push(escaped),
                        Some(_) | None => return None,
                    },
                    other => text.push(other),
                }
            }
            // A text that lost its end would take in the keys that follow.
            if self.rest.starts_with("[HKEY_") {
                return None;
            }
            let (next, ended) = self.physical()?;
            if !ended || next.contains('\0') {
                return None;
            }
            text.push_str("\r\n");
            line = next;
        }
    }

    /// `hex:` or `hex(7):` and bytes with commas between them, over as many lines as end in a backslash.
    fn hexadecimal(&mut self, first: &str) -> Option<(ValueKind, Vec<u8>)> {
        let rest = first.strip_prefix("hex")?;
        let (kind, mut digits) = match rest.strip_prefix('(') {
            Some(rest) => {
                let (number, digits) = rest.split_once("):")?;
                (
                    ValueKind::from(u32::from_str_radix(number, 16).ok()?),
                    digits,
                )
            }
            None => (ValueKind::RegBinary, rest.strip_prefix(':')?),
        };
        let mut bytes = Vec::new();
        loop {
            let (line, continues) = match digits.strip_suffix('\\') {
                Some(line) => (line, true),
                None => (digits, false),
            };
            let mut pieces = line.split(',').map(str::trim).peekable();
            while let Some(piece) = pieces.next() {
                let is_last = pieces.peek().is_none();
                match piece {
                    // Behind the comma that ends a line, and as the data of an empty value.
                    "" if is_last && (continues || bytes.is_empty()) => {}
                    piece if piece.len() == 2 && is_hexadecimal(piece) => {
                        bytes.push(u8::from_str_radix(piece, 16).ok()?);
                    }
                    _ => return None,
                }
            }
            if !continues {
                return Some((kind, bytes));
            }
            let (next, ended) = self.physical()?;
            if !ended {
                return None;
            }
            digits = next.trim();
        }
    }
}

fn is_hexadecimal(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A text as it is stored, with the NUL that ends it.
pub(super) fn utf16(text: &str) -> Vec<u8> {
    let units = text.encode_utf16().chain([0]);
    units.flat_map(u16::to_le_bytes).collect()
}
