//! How much is unpacked at most, so that an archive that was made to exhaust a machine does not.

use std::fmt;

use super::ArchiveTrouble;

/// How to open what is packed.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// How much is unpacked at most, of each archive among the inputs with all that is in it.
    pub limits: Limits,
    /// What encrypted archives are opened with.
    pub password: Option<Password>,
    /// Which volume of a disk image is read, by its number; without one, the volume that Windows is on.
    pub volume: Option<u32>,
}

/// A password; never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// Keeps a password.
    #[must_use]
    pub fn new(text: String) -> Self {
        Password(text)
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Password(..)")
    }
}

/// How much is unpacked at most, of each archive among the inputs with all that is in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Files and folders in it.
    pub entries: u64,
    /// Bytes unpacked, in all.
    pub size: u64,
    /// Bytes in memory at once: of one compressed file of a zip, or of all the evidence of another archive.
    pub memory: u64,
    /// How many times larger than packed, where that is more than `SUSPICIOUS`.
    pub ratio: u64,
    /// Archives in archives.
    pub depth: u64,
}

/// From how many bytes on it is asked how well something was compressed. A new event log is a mebibyte of almost nothing.
pub const SUSPICIOUS: u64 = 256 << 20;

impl Default for Limits {
    fn default() -> Self {
        Limits {
            entries: 200_000,
            size: 64 << 30,
            memory: 4 << 30,
            ratio: 200,
            depth: 3,
        }
    }
}

/// One of the limits, by the name that it is raised by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitName {
    /// [`Limits::entries`].
    Entries,
    /// [`Limits::size`].
    Size,
    /// [`Limits::memory`].
    Memory,
    /// [`Limits::ratio`].
    Ratio,
    /// [`Limits::depth`].
    Depth,
}

impl Limits {
    /// Sets one of them.
    pub fn set(&mut self, name: LimitName, value: u64) {
        match name {
            LimitName::Entries => self.entries = value,
            LimitName::Size => self.size = value,
            LimitName::Memory => self.memory = value,
            LimitName::Ratio => self.ratio = value,
            LimitName::Depth => self.depth = value,
        }
    }
}

/// What of it is used up.
#[derive(Debug, Default)]
pub(super) struct Taken {
    entries: u64,
    size: u64,
    held: u64,
}

impl Taken {
    /// Counts an entry.
    pub(super) fn entry(&mut self, limits: &Limits) -> Result<(), ArchiveTrouble> {
        self.entries = self.entries.saturating_add(1);
        match self.entries > limits.entries {
            true => Err(ArchiveTrouble::Entries {
                limit: limits.entries,
            }),
            false => Ok(()),
        }
    }

    /// Counts what is unpacked from `packed` bytes; what is refused is not counted.
    pub(super) fn unpacked(
        &mut self,
        bytes: u64,
        packed: u64,
        limits: &Limits,
    ) -> Result<(), ArchiveTrouble> {
        let size = self.size.saturating_add(bytes);
        if size > limits.size {
            return Err(ArchiveTrouble::Size { limit: limits.size });
        }
        if bytes > SUSPICIOUS && bytes / limits.ratio.max(1) > packed {
            return Err(ArchiveTrouble::Ratio {
                limit: limits.ratio,
            });
        }
        self.size = size;
        Ok(())
    }

    /// Counts what stays in memory.
    pub(super) fn hold(&mut self, bytes: u64, limits: &Limits) -> Result<(), ArchiveTrouble> {
        let held = self.held.saturating_add(bytes);
        if held > limits.memory {
            return Err(ArchiveTrouble::Memory {
                bytes: held,
                limit: limits.memory,
            });
        }
        self.held = held;
        Ok(())
    }
}
