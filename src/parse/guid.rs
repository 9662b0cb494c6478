//! GUIDs as Windows writes them.

use std::fmt;
use std::str::FromStr;

/// A GUID; printed in lower case without braces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(u128);

/// A text that is no GUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a GUID is 8-4-4-4-12 hexadecimal digits")]
pub struct NotAGuid;

impl Guid {
    /// From its 16 bytes in a file: the first three fields are little-endian (MS-DTYP section 2.3.4.2).
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        let [a, b, c, d, e, f, g, h, rest @ ..] = bytes;
        let mut ordered = [d, c, b, a, f, e, h, g, 0, 0, 0, 0, 0, 0, 0, 0];
        for (slot, byte) in ordered.iter_mut().skip(8).zip(rest) {
            *slot = byte;
        }
        Guid(u128::from_be_bytes(ordered))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = |shift: u32, mask: u128| (self.0 >> shift) & mask;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            part(96, 0xffff_ffff),
            part(80, 0xffff),
            part(64, 0xffff),
            part(48, 0xffff),
            part(0, 0xffff_ffff_ffff),
        )
    }
}

impl FromStr for Guid {
    type Err = NotAGuid;

    /// Reads either case, with or without braces.
    fn from_str(text: &str) -> Result<Self, NotAGuid> {
        let bare = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .unwrap_or(text);
        let groups: Vec<&str> = bare.split('-').collect();
        let lengths = groups.iter().map(|group| group.len());
        if !lengths.eq([8, 4, 4, 4, 12]) {
            return Err(NotAGuid);
        }
        let digits = groups.concat();
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAGuid);
        }
        u128::from_str_radix(&digits, 16)
            .map(Guid)
            .map_err(|_| NotAGuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        // The DPAPI provider's GUID, as text and as every DPAPI blob holds it.
        let bytes = [
            0xd0, 0x8c, 0x9d, 0xdf, 1, 0x15, 0xd1, 0x11, 0x8c, 0x7a, 0, 0xc0, 0x4f, 0xc2, 0x97,
            0xeb,
        ];
        let text = "df9d8cd0-1501-11d1-8c7a-00c04fc297eb";
        assert_eq!(Guid::from_bytes(bytes).to_string(), text);
        assert_eq!(
            format!("{{{}}}", text.to_uppercase()).parse(),
            Ok(Guid::from_bytes(bytes))
        );
    }

    #[test]
    fn other_texts_are_no_guid() {
        for text in [
            "",
            "df9d8cd0",
            "df9d8cd0-1501-11d1-8c7a-00c04fc297e",
            "+f9d8cd0-1501-11d1-8c7a-00c04fc297eb",
        ] {
            assert_eq!(text.parse::<Guid>(), Err(NotAGuid), "{text}");
        }
    }
}
