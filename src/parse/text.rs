//! Text files as Windows tools write them: UTF-8 or UTF-16 with or without a mark, or bytes of a code page that nothing
//! in the file names.

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
    fn zeros_are_not_text() {
        assert_ne!(Text::decode(&[0; 64]).encoding, TextEncoding::Utf16Le);
    }
}
