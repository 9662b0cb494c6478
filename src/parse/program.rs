//! Programs and libraries of Windows (Microsoft, "PE Format"): which version one is, and whether it is as its maker's linker left it.

use crate::bundle::ReadAt;

/// No library of Windows that is looked at is larger.
const LARGEST: u64 = 64 << 20;
/// `VS_FIXEDFILEINFO.dwSignature` (Microsoft, verrsrc.h).
const FIXED_INFO: u32 = 0xFEEF_04BD;
const VERSION_KEY: &str = "VS_VERSION_INFO";

/// What is read of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// The version of the file, of four numbers; none where it has no version resource.
    pub version: Option<[u16; 4]>,
    /// Whether its bytes add up to the sum in its header; none where the header has no sum.
    pub sum_holds: Option<bool>,
}

/// Why a file is no whole program.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoProgram {
    /// It cannot be read.
    #[error("it cannot be read: {0}")]
    Unreadable(String),
    /// Its beginning is none of a program.
    #[error("it does not begin as a program does")]
    NoHeader,
    /// It ends before what its header names.
    #[error("it ends at byte {end}, and its header names bytes up to {named}")]
    Cut {
        /// Where it ends.
        end: u64,
        /// What is named.
        named: u64,
    },
}

impl Program {
    /// Reads a program.
    ///
    /// # Errors
    /// [`NoProgram`] where it is none, or not whole.
    pub fn read(source: &dyn ReadAt) -> Result<Program, NoProgram> {
        let bytes = source
            .read_all(LARGEST)
            .map_err(|error| NoProgram::Unreadable(error.to_string()))?;
        let header = Header::read(&bytes).ok_or(NoProgram::NoHeader)?;
        let end = bytes.len() as u64;
        if header.end > end {
            return Err(NoProgram::Cut {
                end,
                named: header.end,
            });
        }
        Ok(Program {
            version: version(&bytes),
            sum_holds: (header.sum != 0).then(|| sum(&bytes, header.sum_at) == header.sum),
        })
    }
}

/// What the headers say.
struct Header {
    sum: u32,
    sum_at: usize,
    /// The end of the last section.
    end: u64,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Header> {
        bytes.starts_with(b"MZ").then_some(())?;
        let at = usize::try_from(u32_at(bytes, 0x3C)?).ok()?;
        bytes.get(at..)?.starts_with(b"PE\0\0").then_some(())?;
        let coff = at.checked_add(4)?;
        let sections = usize::from(u16_at(bytes, coff.checked_add(2)?)?);
        let optional = coff.checked_add(20)?;
        let optional_bytes = usize::from(u16_at(bytes, coff.checked_add(16)?)?);
        // 0x10B for 32 bits, 0x20B for 64; the sum stands at the same place in both.
        matches!(u16_at(bytes, optional)?, 0x10B | 0x20B).then_some(())?;
        let sum_at = optional.checked_add(64)?;
        let table = optional.checked_add(optional_bytes)?;
        let mut end = 0;
        for index in 0..sections {
            let section = table.checked_add(index.checked_mul(40)?)?;
            let size = u64::from(u32_at(bytes, section.checked_add(16)?)?);
            let place = u64::from(u32_at(bytes, section.checked_add(20)?)?);
            end = end.max(place + size);
        }
        Some(Header {
            sum: u32_at(bytes, sum_at)?,
            sum_at,
            end,
        })
    }
}

/// The sum as imagehlp's CheckSumMappedFile makes it: the words added with their carries, without the sum itself, and the length.
fn sum(bytes: &[u8], sum_at: usize) -> u32 {
    let mut sum = 0_u32;
    for (index, pair) in bytes.chunks(2).enumerate() {
        let at = index * 2;
        if (sum_at..sum_at + 4).contains(&at) {
            continue;
        }
        let low = u32::from(pair.first().copied().unwrap_or_default());
        let high = u32::from(pair.get(1).copied().unwrap_or_default());
        sum += low | high << 8;
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    sum.wrapping_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}

/// The version in the resource of that kind: its key, in UTF-16, stands right before the numbers.
fn version(bytes: &[u8]) -> Option<[u16; 4]> {
    let key: Vec<u8> = VERSION_KEY
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut from = 0;
    loop {
        let rest = bytes.get(from..)?;
        let found = from + rest.windows(key.len()).position(|window| window == key)?;
        let behind = found + key.len();
        // The key ends in a zero, and the value begins at the next multiple of four.
        let value = (behind..behind + 8).find(|at| u32_at(bytes, *at) == Some(FIXED_INFO));
        if let Some(at) = value {
            return Some([
                u16_at(bytes, at + 10)?,
                u16_at(bytes, at + 8)?,
                u16_at(bytes, at + 14)?,
                u16_at(bytes, at + 12)?,
            ]);
        }
        from = behind;
    }
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A library of one section that holds its version.
    fn library() -> Vec<u8> {
        let mut bytes = vec![0; 0x400];
        let mut put = |at: usize, value: &[u8]| bytes[at..at + value.len()].copy_from_slice(value);
        put(0, b"MZ");
        put(0x3C, &0x80_u32.to_le_bytes());
        put(0x80, b"PE\0\0");
        put(0x86, &1_u16.to_le_bytes());
        put(0x94, &240_u16.to_le_bytes());
        put(0x98, &0x20B_u16.to_le_bytes());
        let section = 0x98 + 240;
        put(section, b".rsrc");
        put(section + 16, &0x200_u32.to_le_bytes());
        put(section + 20, &0x200_u32.to_le_bytes());
        let key: Vec<u8> = "VS_VERSION_INFO\0"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        put(0x206, &key);
        put(0x228, &FIXED_INFO.to_le_bytes());
        put(0x230, &[0, 0, 10, 0, 0x0C, 0x16, 0x63, 0x45]);
        let sum = sum(&bytes, 0x98 + 64);
        bytes[0x98 + 64..0x98 + 68].copy_from_slice(&sum.to_le_bytes());
        bytes
    }

    #[test]
    fn version_and_sum_are_read() {
        let read = Program::read(&library()).unwrap();
        assert_eq!(read.version, Some([10, 0, 17763, 5644]));
        assert_eq!(read.sum_holds, Some(true));
        let mut patched = library();
        patched[0x300] = 0x90;
        assert_eq!(Program::read(&patched).unwrap().sum_holds, Some(false));
        assert_eq!(Program::read(&patched).unwrap().version, read.version);
    }

    #[test]
    fn what_is_not_whole_is_told() {
        let mut cut = library();
        cut.truncate(0x300);
        assert_eq!(
            Program::read(&cut),
            Err(NoProgram::Cut {
                end: 0x300,
                named: 0x400
            })
        );
        for garbage in [
            vec![],
            vec![0; 4096],
            b"MZ".to_vec(),
            [b"MZ".as_slice(), &[0xFF; 200]].concat(),
        ] {
            assert_eq!(Program::read(&garbage), Err(NoProgram::NoHeader));
        }
    }
}
