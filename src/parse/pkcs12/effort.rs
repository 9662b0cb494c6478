//! How much is computed at most to open a file: the rounds of hashing that make a key of a password are the file's choice.

/// How many rounds of hashing may still be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort(u64);

impl Effort {
    /// What is done for one file: about a second. Windows asks for 2,000 rounds for each part, OpenSSL for 2,048; what is meant to be
    /// strong, for some 600,000.
    pub const USUAL: Effort = Effort(4_000_000);

    /// As many rounds as that.
    #[must_use]
    pub fn rounds(rounds: u64) -> Self {
        Effort(rounds)
    }

    /// Takes that many rounds, each of so many hashes; none where so many are not left.
    pub(super) fn spend(&mut self, rounds: u64, hashes: usize) -> Option<()> {
        let asked = rounds.checked_mul(u64::try_from(hashes).ok()?)?;
        self.0 = self.0.checked_sub(asked)?;
        Some(())
    }
}
