//! The framing of a DPAPI blob, which wraps the private part of every key file: lengths, algorithms and the GUID of the
//! master key, all in clear. What it protects is never kept, only measured.
//!
//! Layout (mimikatz and dpapick3, checked on five published dumps): version 1, provider GUID, master key version, master key
//! GUID, flags, description, cipher and its bits, salt, HMAC key, hash and its bits, second HMAC key, data, signature.

use crate::parse::guid::Guid;

/// df9d8cd0-1501-11d1-8c7a-00c04fc297eb, little-endian: the only provider there is.
const PROVIDER: [u8; 16] = [
    0xd0, 0x8c, 0x9d, 0xdf, 0x01, 0x15, 0xd1, 0x11, 0x8c, 0x7a, 0x00, 0xc0, 0x4f, 0xc2, 0x97, 0xeb,
];

/// The frame of one blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DpapiBlob {
    /// The master key that the blob is encrypted under: a file of this name in `Microsoft\Protect`.
    pub master_key: Guid,
    /// What the writer said it is; localized ("CryptoAPI Private Key").
    pub description: String,
    /// The cipher's ALG_ID: 0x6610 AES-256, 0x6603 3DES.
    pub cipher: u32,
    /// The hash's ALG_ID: 0x800e SHA-512, 0x8004 SHA-1.
    pub hash: u32,
}

/// Where and why a frame breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BrokenFrame {
    /// Offset inside the blob.
    pub offset: usize,
    /// What is wrong there.
    pub why: &'static str,
}

impl DpapiBlob {
    /// Reads a frame, which must end exactly where the bytes end.
    pub fn parse(bytes: &[u8]) -> Result<Self, BrokenFrame> {
        let mut reader = Reader { bytes, offset: 0 };
        if reader.word("the version is missing")? != 1 {
            return Err(BrokenFrame {
                offset: 0,
                why: "no DPAPI blob begins here: its version is not 1",
            });
        }
        let provider_offset = reader.offset;
        if reader.array::<16>("the provider is missing")? != PROVIDER {
            return Err(BrokenFrame {
                offset: provider_offset,
                why: "the provider is not DPAPI's",
            });
        }
        reader.word("the master key's version is missing")?;
        let master_key = Guid::from_bytes(reader.array("the master key's GUID is missing")?);
        reader.word("the flags are missing")?;
        let description = reader.sized("the description is cut")?;
        let description = utf16_text(description);
        let cipher = reader.word("the cipher is missing")?;
        reader.word("the cipher's key length is missing")?;
        reader.sized("the salt is cut")?;
        reader.sized("the HMAC key is cut")?;
        let hash = reader.word("the hash is missing")?;
        reader.word("the hash's length is missing")?;
        reader.sized("the second HMAC key is cut")?;
        if reader.sized("the data is cut")?.is_empty() {
            return Err(BrokenFrame {
                offset: reader.offset,
                why: "there is no encrypted data",
            });
        }
        if reader.sized("the signature is cut")?.is_empty() {
            return Err(BrokenFrame {
                offset: reader.offset,
                why: "the signature is missing",
            });
        }
        if reader.offset < bytes.len() {
            return Err(BrokenFrame {
                offset: reader.offset,
                why: "it ends before the place kept for it",
            });
        }
        Ok(DpapiBlob {
            master_key,
            description,
            cipher,
            hash,
        })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize, why: &'static str) -> Result<&'a [u8], BrokenFrame> {
        let taken = self
            .bytes
            .get(self.offset..)
            .and_then(|rest| rest.get(..length))
            .ok_or(BrokenFrame {
                offset: self.offset,
                why,
            })?;
        self.offset += length;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, why: &'static str) -> Result<[u8; N], BrokenFrame> {
        let offset = self.offset;
        self.take(N, why)?
            .try_into()
            .map_err(|_| BrokenFrame { offset, why })
    }

    fn word(&mut self, why: &'static str) -> Result<u32, BrokenFrame> {
        self.array(why).map(u32::from_le_bytes)
    }

    fn sized(&mut self, why: &'static str) -> Result<&'a [u8], BrokenFrame> {
        let offset = self.offset;
        let length = usize::try_from(self.word(why)?).map_err(|_| BrokenFrame { offset, why })?;
        self.take(length, why)
            .map_err(|broken| BrokenFrame { offset, ..broken })
    }
}

fn utf16_text(bytes: &[u8]) -> String {
    let (pairs, _) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs
        .iter()
        .map(|pair| u16::from_le_bytes(*pair))
        .take_while(|unit| *unit != 0)
        .collect();
    String::from_utf16_lossy(&units)
}
