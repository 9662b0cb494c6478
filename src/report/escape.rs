//! Text that strangers wrote, made safe to show. A log holds whatever somebody sent to the machine: terminal control sequences,
//! overrides of the writing direction, letters without width. All of it becomes visible, none of it takes effect.

use std::fmt::Write;

/// The characters that the reader's terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// All.
    Unicode,
    /// Only ASCII: the locale is not UTF-8.
    Ascii,
}

/// The text with whatever would act on a terminal, turn the direction of writing or take no room written out, such as `\u{202e}`.
#[must_use]
pub fn visible(text: &str, charset: Charset) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            _ if acts_or_hides(character) => push_code(&mut shown, character),
            _ if character.is_ascii() || charset == Charset::Unicode => shown.push(character),
            _ => match in_ascii(character) {
                Some(spelled) => shown.push_str(spelled),
                None => push_code(&mut shown, character),
            },
        }
    }
    shown
}

/// Prose, whose line ends are only where its author broke the line: runs of white space become one space.
#[must_use]
pub fn prose(text: &str, charset: Charset) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    visible(&words.join(" "), charset)
}

/// The text of a JSON document, safe to show: what [`visible`] writes out stands here as JSON writes it, so that the document keeps
/// its meaning.
#[must_use]
pub fn in_json(document: &str) -> String {
    let mut shown = String::with_capacity(document.len());
    for character in document.chars() {
        if character == '\n' || !acts_or_hides(character) {
            shown.push(character);
            continue;
        }
        for unit in character.encode_utf16(&mut [0; 2]) {
            // Writing to a String cannot fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// As much of the text as that many letters, and a sign where there is more.
#[must_use]
pub fn cut(text: &str, letters: usize) -> String {
    match text.char_indices().nth(letters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn push_code(shown: &mut String, character: char) {
    // Writing to a String cannot fail.
    let _ = write!(shown, "\\u{{{:x}}}", u32::from(character));
}

/// Control characters; what Unicode calls Bidi_Control; and Default_Ignorable_Code_Point with the other letters that show nothing
/// (DerivedCoreProperties.txt and PropList.txt of the Unicode Character Database).
fn acts_or_hides(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{2800}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// The signs that our own texts use, in ASCII.
fn in_ascii(character: char) -> Option<&'static str> {
    Some(match character {
        '…' => "...",
        '–' | '—' | '‑' => "-",
        '·' | '•' => "|",
        '×' => "x",
        '→' => "->",
        '‘' | '’' => "'",
        '“' | '”' => "\"",
        '\u{a0}' => " ",
        '≥' => ">=",
        '≤' => "<=",
        '─' => "-",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_sequence_is_shown_and_not_sent() {
        let shown = visible("\u{1b}[31mred\u{7}\u{9b}2J", Charset::Unicode);
        assert_eq!(shown, "\\u{1b}[31mred\\u{7}\\u{9b}2J");
    }

    #[test]
    fn a_json_document_keeps_its_meaning() {
        let value = serde_json::json!({"name": "a\u{202e}b\u{7f}\u{e0041}ü"});
        let shown = in_json(&value.to_string());
        assert!(!shown.contains('\u{202e}') && shown.contains("\\u202e"));
        let read: serde_json::Value = serde_json::from_str(&shown).expect("still JSON");
        assert_eq!(read, value);
    }

    #[test]
    fn an_override_of_the_direction_is_shown() {
        assert_eq!(
            visible("a\u{202e}b\u{2066}c", Charset::Unicode),
            "a\\u{202e}b\\u{2066}c"
        );
    }

    #[test]
    fn letters_without_width_are_shown() {
        assert_eq!(
            visible("ad\u{200b}min\u{feff}", Charset::Unicode),
            "ad\\u{200b}min\\u{feff}"
        );
    }

    #[test]
    fn a_line_end_cannot_forge_a_line() {
        assert_eq!(visible("x\r\nHEALTHY", Charset::Unicode), "x\\r\\nHEALTHY");
        assert_eq!(prose("two\n  lines", Charset::Unicode), "two lines");
    }

    #[test]
    fn other_scripts_stay_where_they_can_be_shown() {
        assert_eq!(visible("Zugriff für Ж", Charset::Unicode), "Zugriff für Ж");
        assert_eq!(visible("für 9F3C…", Charset::Ascii), "f\\u{fc}r 9F3C...");
    }

    #[test]
    fn paths_keep_their_backslashes() {
        assert_eq!(visible(r"C:\new\table", Charset::Unicode), r"C:\new\table");
    }
}
