//! Private key files of Windows, checked to the last byte without decrypting anything. The public half stands in them in
//! clear, and tells which certificate they belong to; of the private half only lengths and framing are looked at, and no
//! byte of it is kept.

mod capi;
mod cng;
mod container_name;
mod dpapi;

use std::io;

use crate::bundle::ReadAt;
use crate::parse::certificate::{KeyMatch, PublicKey};

pub use container_name::{
    ContainerHash, KeyFileName, KnownContainer, NotAKeyFileName, known_container,
};
pub use dpapi::{BrokenFrame, DpapiBlob};

/// The most that is read of a file: key files have a few thousand bytes.
pub const READ_LIMIT: u64 = 1 << 20;

/// So many zeros in a row stand in no key file: its parts are random, encrypted, or shorter.
const ZERO_RUN: usize = 64;

/// What a file in a key folder is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// Its size in bytes.
    pub length: u64,
    /// Whose form it has; `None` where it has none.
    pub form: Option<KeyFileForm>,
    /// The container's name that stands in the file.
    pub container: Option<String>,
    /// The keys in it: one, or for CryptoAPI one for each purpose.
    pub keys: Vec<StoredKey>,
    /// The DPAPI frames around its private parts.
    pub protection: Vec<DpapiBlob>,
    /// What is wrong with it; nothing is, when there are none.
    pub damages: Vec<KeyFileDamage>,
}

/// The two forms of key files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFileForm {
    /// CryptoAPI, version 2: `Crypto\RSA\MachineKeys`.
    Capi,
    /// CNG, version 1: `Crypto\Keys`, `Crypto\SystemKeys`.
    Cng,
}

/// A key in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredKey {
    /// What it is for.
    pub purpose: KeyPurpose,
    /// Its public half; `None` where the file's damage does not let it be read.
    pub public_key: Option<PublicKey>,
}

/// What a key in a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyPurpose {
    /// AT_KEYEXCHANGE, key spec 1.
    Exchange,
    /// AT_SIGNATURE, key spec 2.
    Signature,
    /// CNG does not divide them.
    Cng,
}

/// What is wrong with a key file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileDamage {
    /// 0 bytes.
    #[error("the file is empty")]
    Empty,
    /// Zeros where none can be.
    #[error("{length} bytes from offset {from:#x} on are zero")]
    Zeroed {
        /// Where they begin.
        from: usize,
        /// How many there are.
        length: usize,
    },
    /// Shorter than its header says.
    #[error("the file is cut: {actual} bytes of {expected} are there")]
    Cut {
        /// What its header says; at least, where the header itself is cut.
        expected: u64,
        /// What is there.
        actual: u64,
    },
    /// Longer than its header says.
    #[error("{count} bytes follow the key, from offset {offset:#x} on")]
    Trailing {
        /// Where the key ends.
        offset: u64,
        /// How many bytes follow.
        count: u64,
    },
    /// It does not begin as a key file does.
    #[error("this is no key file: it begins as neither CryptoAPI nor CNG write one")]
    NotAKeyFile,
    /// One part is not what its place says it is.
    #[error("the {part} at offset {offset:#x} is damaged: {why}")]
    Part {
        /// Which part.
        part: &'static str,
        /// Where the damage shows.
        offset: usize,
        /// What is wrong.
        why: &'static str,
    },
    /// A whole file without a key pair in it.
    #[error("the file holds no key pair")]
    NoKey,
}

/// Whether a file belongs to the container that its name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameInside {
    /// The name in the file is the container's; Windows does not tell cases apart.
    Same,
    /// It is another one.
    Differs {
        /// The name that stands in the file.
        name: String,
    },
    /// The file's name could not be read.
    Unreadable,
}

impl KeyFile {
    /// Reads a file, at most [`READ_LIMIT`] of it.
    ///
    /// # Errors
    /// What the operating system says when the file cannot be read. Damage is no error.
    pub fn read(source: &dyn ReadAt) -> io::Result<Self> {
        let length = source.len();
        let mut bytes = vec![0; usize::try_from(length.min(READ_LIMIT)).unwrap_or(0)];
        let filled = source.read_full_at(0, &mut bytes)?;
        bytes.truncate(filled);
        Ok(KeyFile::parse(&bytes, length))
    }

    /// Whether nothing is wrong with it.
    pub fn is_whole(&self) -> bool {
        self.damages.is_empty()
    }

    /// Compares the container's name in the file with the one that the file is expected to hold.
    pub fn name_inside(&self, container: &str) -> NameInside {
        match &self.container {
            None => NameInside::Unreadable,
            Some(name) if name.to_lowercase() == container.to_lowercase() => NameInside::Same,
            Some(name) => NameInside::Differs { name: name.clone() },
        }
    }

    /// Whether one of its keys is a certificate's. Where some key cannot be read or compared, none being the same settles
    /// nothing.
    pub fn public_key_matches(&self, public_key: &PublicKey) -> KeyMatch {
        let mut matches = self.keys.iter().map(|stored| {
            stored
                .public_key
                .as_ref()
                .map_or(KeyMatch::Undecided, |key| key.compare(public_key))
        });
        let mut answer = if self.keys.is_empty() {
            KeyMatch::Undecided
        } else {
            KeyMatch::Different
        };
        for one in matches.by_ref() {
            match one {
                KeyMatch::Same => return KeyMatch::Same,
                KeyMatch::Undecided => answer = KeyMatch::Undecided,
                KeyMatch::Different => {}
            }
        }
        answer
    }

    fn parse(bytes: &[u8], length: u64) -> Self {
        let mut file = KeyFile {
            length,
            form: None,
            container: None,
            keys: Vec::new(),
            protection: Vec::new(),
            damages: Vec::new(),
        };
        if length == 0 {
            file.damages.push(KeyFileDamage::Empty);
            return file;
        }
        if bytes.iter().all(|byte| *byte == 0) {
            file.damages.push(KeyFileDamage::Zeroed {
                from: 0,
                length: bytes.len(),
            });
            return file;
        }
        let mut parts = Parts {
            bytes,
            offset: 0,
            file,
        };
        if capi::begins(bytes) {
            capi::parse(&mut parts);
        } else if cng::begins(bytes) {
            cng::parse(&mut parts);
        } else {
            parts.file.damages.push(KeyFileDamage::NotAKeyFile);
        }
        parts.zeros();
        parts.file
    }
}

/// The parts of a file, one after another.
struct Parts<'a> {
    bytes: &'a [u8],
    offset: usize,
    file: KeyFile,
}

impl<'a> Parts<'a> {
    /// The header's first `N` words; `None`, and a damage, where it is cut.
    fn header<const N: usize>(&mut self, length: usize) -> Option<[u32; N]> {
        let header = self.bytes.get(..length);
        self.offset = length;
        let Some(header) = header else {
            self.file.damages.push(KeyFileDamage::Cut {
                expected: length as u64,
                actual: self.file.length,
            });
            return None;
        };
        let (words, _) = header.as_chunks::<4>();
        let mut values = [0; N];
        for (value, word) in values.iter_mut().zip(words) {
            *value = u32::from_le_bytes(*word);
        }
        Some(values)
    }

    /// Compares the file's size with what its header says. `false` where the header makes no sense for a key file.
    fn expect_total(&mut self, header: usize, lengths: &[u32]) -> bool {
        let expected = lengths
            .iter()
            .fold(header as u64, |sum, length| sum + u64::from(*length));
        let actual = self.file.length;
        if expected > READ_LIMIT {
            self.file.form = None;
            self.file.damages.push(KeyFileDamage::NotAKeyFile);
            return false;
        }
        if actual < expected {
            self.file
                .damages
                .push(KeyFileDamage::Cut { expected, actual });
        } else if actual > expected {
            self.file.damages.push(KeyFileDamage::Trailing {
                offset: expected,
                count: actual - expected,
            });
        }
        let end = usize::try_from(expected).unwrap_or(usize::MAX);
        self.bytes = self.bytes.get(..end).unwrap_or(self.bytes);
        true
    }

    /// The next part; `None` where the file is cut before its end, which was told already.
    fn next(&mut self, length: u32) -> Option<&'a [u8]> {
        let length = usize::try_from(length).ok()?;
        let part = self
            .bytes
            .get(self.offset..)
            .and_then(|rest| rest.get(..length));
        self.offset = self.offset.saturating_add(length);
        part
    }

    /// The next part, which must be a DPAPI blob.
    fn protected(&mut self, part: &'static str, length: u32) {
        let offset = self.offset;
        if length == 0 {
            return self.broken(part, offset, "it is missing");
        }
        let Some(bytes) = self.next(length) else {
            return;
        };
        match DpapiBlob::parse(bytes) {
            Ok(blob) => self.file.protection.push(blob),
            Err(broken) => self.broken(part, offset + broken.offset, broken.why),
        }
    }

    fn broken(&mut self, part: &'static str, offset: usize, why: &'static str) {
        self.file
            .damages
            .push(KeyFileDamage::Part { part, offset, why });
    }

    /// Names every run of zeros; what is broken inside one needs no second name.
    fn zeros(&mut self) {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        let mut start = 0;
        for (position, byte) in self.bytes.iter().chain([&1]).enumerate() {
            if *byte != 0 {
                if position - start >= ZERO_RUN {
                    runs.push((start, position - start));
                }
                start = position + 1;
            }
        }
        if runs.is_empty() {
            return;
        }
        self.file
            .damages
            .retain(|damage| !matches!(damage, KeyFileDamage::Part { .. }));
        self.file.damages.extend(
            runs.into_iter()
                .map(|(from, length)| KeyFileDamage::Zeroed { from, length }),
        );
    }
}
