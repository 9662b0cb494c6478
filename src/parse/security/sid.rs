//! Security identifiers (MS-DTYP section 2.4.2).

use std::fmt;
use std::str::FromStr;

use sha1::{Digest, Sha1};

/// The most sub-authorities that a SID has (SID_MAX_SUB_AUTHORITIES).
const MOST_SUB_AUTHORITIES: usize = 15;

/// Whom an access entry is about.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sid {
    authority: u64,
    sub_authorities: Vec<u32>,
}

/// A text that is no SID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a SID is S-1-, an authority and up to 15 numbers")]
pub struct NotASid;

impl Sid {
    /// SYSTEM, S-1-5-18.
    pub fn system() -> Self {
        Sid::nt(&[18])
    }

    /// NETWORK SERVICE, S-1-5-20.
    pub fn network_service() -> Self {
        Sid::nt(&[20])
    }

    /// Administrators, S-1-5-32-544.
    pub fn administrators() -> Self {
        Sid::nt(&[32, 544])
    }

    /// Users, S-1-5-32-545.
    pub fn users() -> Self {
        Sid::nt(&[32, 545])
    }

    /// Authenticated Users, S-1-5-11.
    pub fn authenticated_users() -> Self {
        Sid::nt(&[11])
    }

    /// SERVICE, S-1-5-6: whoever was started as a service.
    pub fn service() -> Self {
        Sid::nt(&[6])
    }

    /// Everyone, S-1-1-0.
    pub fn everyone() -> Self {
        Sid {
            authority: 1,
            sub_authorities: vec![0],
        }
    }

    /// OWNER RIGHTS, S-1-3-4: stands for the owner, and replaces what an owner may do anyway.
    pub fn owner_rights() -> Self {
        Sid {
            authority: 3,
            sub_authorities: vec![4],
        }
    }

    /// The SID of a service, `NT SERVICE\name`: S-1-5-80 and the five words of the SHA-1 of its name in upper case, UTF-16LE
    /// (`sc showsid` prints the same).
    pub fn of_service(name: &str) -> Self {
        let upper: Vec<u8> = name
            .to_uppercase()
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let digest: [u8; 20] = Sha1::digest(upper).into();
        let (words, _) = digest.as_chunks::<4>();
        let words = words.iter().map(|word| u32::from_le_bytes(*word));
        Sid {
            authority: 5,
            sub_authorities: [80].into_iter().chain(words).collect(),
        }
    }

    /// S-1-5 and these numbers.
    pub(super) fn nt(sub_authorities: &[u32]) -> Self {
        Sid {
            authority: 5,
            sub_authorities: sub_authorities.to_vec(),
        }
    }

    /// The relative identifier of an account of a machine or a domain: the last number of S-1-5-21-a-b-c-rid.
    pub fn account_rid(&self) -> Option<u32> {
        match (self.authority, &self.sub_authorities[..]) {
            (5, [21, _, _, _, rid]) => Some(*rid),
            _ => None,
        }
    }

    /// Whether this is an account or group of a machine or a domain: S-1-5-21-...
    pub fn is_account(&self) -> bool {
        self.authority == 5 && self.sub_authorities.first() == Some(&21)
    }

    /// Reads a binary SID at the beginning of these bytes.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&[1, count, a, b, c, d, e, f], rest) = bytes.split_first_chunk::<8>()? else {
            return None;
        };
        let count = usize::from(count);
        if count > MOST_SUB_AUTHORITIES {
            return None;
        }
        let (words, _) = rest.get(..count * 4)?.as_chunks::<4>();
        Some(Sid {
            authority: u64::from_be_bytes([0, 0, a, b, c, d, e, f]),
            sub_authorities: words.iter().map(|word| u32::from_le_bytes(*word)).collect(),
        })
    }
}

impl fmt::Display for Sid {
    /// As Windows prints it: an authority of more than 32 bits in hexadecimal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.authority > u64::from(u32::MAX) {
            write!(f, "S-1-{:#014x}", self.authority)?;
        } else {
            write!(f, "S-1-{}", self.authority)?;
        }
        self.sub_authorities
            .iter()
            .try_for_each(|number| write!(f, "-{number}"))
    }
}

impl fmt::Debug for Sid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sid({self})")
    }
}

impl FromStr for Sid {
    type Err = NotASid;

    fn from_str(text: &str) -> Result<Self, NotASid> {
        let mut parts = text.split('-');
        if !parts
            .next()
            .is_some_and(|part| part.eq_ignore_ascii_case("S"))
            || parts.next() != Some("1")
        {
            return Err(NotASid);
        }
        let authority = number(parts.next().ok_or(NotASid)?)?;
        let sub_authorities = parts
            .map(|part| u32::try_from(number(part)?).map_err(|_| NotASid))
            .collect::<Result<Vec<u32>, NotASid>>()?;
        if authority >> 48 != 0 || sub_authorities.len() > MOST_SUB_AUTHORITIES {
            return Err(NotASid);
        }
        Ok(Sid {
            authority,
            sub_authorities,
        })
    }
}

/// A decimal number, or a hexadecimal one after 0x.
fn number(text: &str) -> Result<u64, NotASid> {
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (digits, radix) = hexadecimal.map_or((text, 10), |digits| (digits, 16));
    if digits.starts_with('+') {
        return Err(NotASid);
    }
    u64::from_str_radix(digits, radix).map_err(|_| NotASid)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        let bytes = [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0];
        assert_eq!(Sid::from_bytes(&bytes), Some(Sid::administrators()));
        assert_eq!("S-1-5-32-544".parse(), Ok(Sid::administrators()));
        assert_eq!(Sid::administrators().to_string(), "S-1-5-32-544");
        assert_eq!(Sid::from_bytes(&bytes[..15]), None);
    }

    #[test]
    fn service_sids_are_the_published_ones() {
        // Measured on key files of Windows Server 2019 and later, and `sc showsid`.
        assert_eq!(
            Sid::of_service("SessionEnv").to_string(),
            "S-1-5-80-4022436659-1090538466-1613889075-870485073-3428993833",
        );
        assert_eq!(
            Sid::of_service("TermService").to_string(),
            "S-1-5-80-446051430-1559341753-4161941529-1950928533-810483104",
        );
        assert_eq!(
            Sid::of_service("TrustedInstaller").to_string(),
            "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
        );
    }

    #[test]
    fn other_texts_are_no_sid() {
        for text in [
            "",
            "S-1",
            "S-2-5-18",
            "S-1-5-x",
            "S-1-5-4294967296",
            "NT AUTHORITY",
            "S-1-5-",
            "S-1-+5",
        ] {
            assert_eq!(text.parse::<Sid>(), Err(NotASid), "{text}");
        }
        let long = format!("S-1-5{}", "-1".repeat(16));
        assert_eq!(long.parse::<Sid>(), Err(NotASid));
    }
}
