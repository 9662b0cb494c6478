//! Text files as Windows tools write them: UTF-8 or UTF-16 with or without a mark, or bytes of a code page that nothing
//! in the file names.

use crate::bundle::goes_on_as_utf16;
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// How the bytes were turned into characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextEncoding {
    /// UTF-8, ASCII included.
    Utf8,
    /// UTF-16, little-endian: PowerShell's `>` and `icacls /save`.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// A code page that is not known. Each byte became the character of the same number (U+0000 to U+00FF), so that
    /// nothing is lost; only ASCII can be trusted.
    CodePage,
}

/// Decoded text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    /// The characters, without byte order mark. What does not decode is U+FFFD.
    pub characters: String,
    /// How they were encoded.
    pub encoding: TextEncoding,
    /// Whether some bytes did not decode.
    pub damaged: bool,
}

impl Text {
    /// Decodes a whole file.
    pub fn decode(bytes: &[u8]) -> Self {
        if let Some((encoding, mark)) = Encoding::for_bom(bytes) {
            return Self::decode_as(encoding, bytes.get(mark..).unwrap_or_default());
        }
        if looks_like_utf16_le(bytes) {
            return Self::decode_as(UTF_16LE, bytes);
        }
        match std::str::from_utf8(bytes) {
            Ok(text) => Text {
                characters: text.to_owned(),
                encoding: TextEncoding::Utf8,
                damaged: false,
            },
            Err(_) => Text {
                characters: bytes.iter().copied().map(char::from).collect(),
                encoding: TextEncoding::CodePage,
                damaged: false,
            },
        }
    }

    /// Decodes a file that one tool began and another went on with: PowerShell's `>>` appends UTF-16 to whatever is there, and cmd's
    /// appends bytes of its code page to UTF-16.
    pub fn decode_joined(bytes: &[u8]) -> Self {
        let wide = Encoding::for_bom(bytes).is_some_and(|(encoding, _)| encoding == UTF_16LE)
            || bytes.get(1) == Some(&0) && looks_like_utf16_le(bytes);
        let end = match wide {
            true => end_of_utf16(bytes),
            false => None,
        };
        match end.and_then(|end| bytes.split_at_checked(end)) {
            Some((wide, rest)) => {
                let mut text = Self::decode(wide);
                let rest = Self::decode_joined_bytes(rest);
                text.characters.push_str(&rest.characters);
                text.encoding = TextEncoding::CodePage;
                text
            }
            None if wide => Self::decode(bytes),
            None => Self::decode_joined_bytes(bytes),
        }
    }

    /// What begins as bytes of a code page: without its zeros, the ASCII of UTF-16 reads the same.
    fn decode_joined_bytes(bytes: &[u8]) -> Self {
        match goes_on_as_utf16(bytes) {
            true => {
                let bytes: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
                Text {
                    encoding: TextEncoding::CodePage,
                    ..Self::decode(&bytes)
                }
            }
            false => Self::decode(bytes),
        }
    }

    fn decode_as(encoding: &'static Encoding, bytes: &[u8]) -> Self {
        let (characters, damaged) = encoding.decode_without_bom_handling(bytes);
        let encoding = if encoding == UTF_16LE {
            TextEncoding::Utf16Le
        } else if encoding == UTF_16BE {
            TextEncoding::Utf16Be
        } else {
            debug_assert_eq!(encoding, UTF_8);
            TextEncoding::Utf8
        };
        Text {
            characters: characters.into_owned(),
            encoding,
            damaged,
        }
    }
}

/// Without a mark, UTF-16 shows by its zeros: text of any language holds line ends, spaces and digits, whose high byte is
/// zero, and no text in bytes holds zeros at all. Random bytes and zeroed disk sectors have zeros on both sides.
fn looks_like_utf16_le(bytes: &[u8]) -> bool {
    let (pairs, _) = bytes.get(..4096).unwrap_or(bytes).as_chunks::<2>();
    let high_zeros = pairs
        .iter()
        .filter(|pair| pair[1] == 0 && pair[0] != 0)
        .count();
    let low_zeros = pairs.iter().filter(|pair| pair[0] == 0).count();
    high_zeros * 8 > pairs.len() && low_zeros * 16 < high_zeros.max(1)
}

/// Where UTF-16 ends and bytes go on: behind the last line end of two times two bytes before the first of two. No text in UTF-16 has
/// U+0A0D, which is no character.
fn end_of_utf16(bytes: &[u8]) -> Option<usize> {
    const WIDE_END: &[u8] = b"\r\0\n\0";
    let narrow = bytes.windows(3).position(|three| {
        three.starts_with(b"\r\n") && three.last().is_some_and(|after| *after != 0)
    });
    let narrow = narrow.or_else(|| bytes.ends_with(b"\r\n").then(|| bytes.len() - 2))?;
    let wide = bytes.get(..narrow)?;
    let last = wide
        .windows(WIDE_END.len())
        .rposition(|window| window == WIDE_END)?;
    Some(last + WIDE_END.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_le(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    #[test]
    fn utf16_is_known_with_and_without_its_mark() {
        for text in ["D:PAI(A;;FA;;;BA)\r\n", "Администраторы:(F)\r\n"] {
            for bytes in [utf16_le(text), utf16_le(&format!("\u{feff}{text}"))] {
                let decoded = Text::decode(&bytes);
                assert_eq!(decoded.characters, text);
                assert_eq!(decoded.encoding, TextEncoding::Utf16Le);
            }
        }
    }

    #[test]
    fn utf8_with_a_mark_loses_only_the_mark() {
        let decoded = Text::decode("\u{feff}é".as_bytes());
        assert_eq!(
            (decoded.characters.as_str(), decoded.encoding),
            ("é", TextEncoding::Utf8)
        );
    }

    #[test]
    fn bytes_of_an_unknown_code_page_keep_their_numbers() {
        let decoded = Text::decode(b"SERVICE R\x90SEAU");
        assert_eq!(decoded.characters, "SERVICE R\u{90}SEAU");
        assert_eq!(decoded.encoding, TextEncoding::CodePage);
    }

    #[test]
    fn half_a_character_at_the_end_is_told() {
        let mut bytes = utf16_le("\u{feff}D:P");
        bytes.push(0x28);
        assert!(Text::decode(&bytes).damaged);
    }

    #[test]
    fn what_two_tools_wrote_one_after_the_other_is_read_to_its_end() {
        let (first, second) = ("Schl\u{fc}ssel: 1\r\n", "Thumbprint : A5\r\nx\r\n");
        let in_bytes = |text: &str| -> Vec<u8> { text.chars().map(|one| one as u8).collect() };
        let marked = utf16_le(&format!("\u{feff}{first}"));
        for joined in [
            [in_bytes(first), utf16_le(second)].concat(),
            [marked, in_bytes(second)].concat(),
            [
                utf16_le(&first.repeat(40)),
                in_bytes(second),
                utf16_le(second),
            ]
            .concat(),
        ] {
            let text = Text::decode_joined(&joined);
            assert!(text.characters.starts_with("Schl"), "{text:?}");
            assert!(text.characters.ends_with(second), "{text:?}");
            assert_eq!(text.encoding, TextEncoding::CodePage);
        }
        for whole in [in_bytes(first), utf16_le(first), first.as_bytes().to_vec()] {
            assert_eq!(Text::decode_joined(&whole), Text::decode(&whole));
        }
        assert!(!goes_on_as_utf16(b"a\0\0b"));
        assert!(!goes_on_as_utf16(b"\x01\0a\0"));
    }

    #[test]
    fn zeros_are_not_text() {
        assert_ne!(Text::decode(&[0; 64]).encoding, TextEncoding::Utf16Le);
    }
}
