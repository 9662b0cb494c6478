//! The small values a certificate is known by: thumbprint, serial number, object identifiers.

use std::fmt;
use std::str::FromStr;

use sha1::{Digest, Sha1};

/// The SHA-1 of a certificate's DER bytes: what Windows calls its thumbprint, and names its store keys by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Thumbprint(pub [u8; 20]);

impl Thumbprint {
    /// The thumbprint of these DER bytes.
    pub fn of(der: &[u8]) -> Self {
        Thumbprint(Sha1::digest(der).into())
    }

    /// From the 20 bytes of a registry value; `None` for any other length.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Thumbprint)
    }
}

/// A text that is not 40 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a thumbprint is 40 hexadecimal digits")]
pub struct NotAThumbprint;

impl FromStr for Thumbprint {
    type Err = NotAThumbprint;

    /// Reads 40 hexadecimal digits in either case. Spaces, colons and the invisible left-to-right mark that the
    /// certificate dialog of Windows copies along are skipped.
    fn from_str(text: &str) -> Result<Self, NotAThumbprint> {
        let mut bytes = [0_u8; 20];
        let mut digits = 0;
        for character in text.chars() {
            if character == ' ' || character == ':' || character == '\u{200e}' {
                continue;
            }
            let digit = character.to_digit(16).ok_or(NotAThumbprint)?;
            let byte = bytes.get_mut(digits / 2).ok_or(NotAThumbprint)?;
            *byte = (*byte << 4) | digit as u8;
            digits += 1;
        }
        if digits == 40 {
            Ok(Thumbprint(bytes))
        } else {
            Err(NotAThumbprint)
        }
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Thumbprint({self})")
    }
}

/// A certificate's serial number, big-endian, as encoded.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialNumber(pub Vec<u8>);

impl fmt::Display for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(f, &self.0)
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

/// An object identifier in dotted decimals, such as `1.3.6.1.5.5.7.3.1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectIdentifier(pub String);

impl fmt::Display for ObjectIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn write_hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thumbprint_reads_back_what_it_prints() {
        let thumbprint = Thumbprint::of(b"abc");
        assert_eq!(
            thumbprint.to_string(),
            "A9993E364706816ABA3E25717850C26C9CD0D89D"
        );
        assert_eq!(thumbprint.to_string().parse(), Ok(thumbprint));
    }

    #[test]
    fn a_thumbprint_copied_from_the_certificate_dialog_is_read() {
        let copied = "\u{200e}a9 99 3e 36 47 06 81 6a ba 3e 25 71 78 50 c2 6c 9c d0 d8 9d";
        assert_eq!(copied.parse(), Ok(Thumbprint::of(b"abc")));
    }

    #[test]
    fn a_text_of_another_length_is_no_thumbprint() {
        assert_eq!("A999".parse::<Thumbprint>(), Err(NotAThumbprint));
        assert_eq!("A".repeat(41).parse::<Thumbprint>(), Err(NotAThumbprint));
        assert_eq!("G".repeat(40).parse::<Thumbprint>(), Err(NotAThumbprint));
    }
}
