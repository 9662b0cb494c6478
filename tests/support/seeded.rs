//! Numbers that look random and are the same in every run, so that a failure can be seen again.

/// A row of them (splitmix64).
pub struct Seeded(u64);

impl Seeded {
    /// The row of that number; `RDPTRIAGE_SEED` (a number) makes another one of each.
    pub fn new(row: u64) -> Self {
        let other = std::env::var("RDPTRIAGE_SEED").ok();
        let other: u64 = other.map_or(0, |other| {
            other.parse().expect("RDPTRIAGE_SEED is a number")
        });
        Seeded(row ^ other.rotate_left(32))
    }

    /// The next one, below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % limit.max(1) as u64).unwrap_or(0)
    }

    /// The next one, whatever it is.
    pub fn any(&mut self) -> usize {
        self.below(usize::MAX)
    }

    /// So many of them, or all there are.
    pub fn choose<T>(&mut self, mut all: Vec<T>, count: usize) -> Vec<T> {
        let mut chosen = Vec::new();
        while chosen.len() < count && !all.is_empty() {
            let place = self.below(all.len());
            chosen.push(all.swap_remove(place));
        }
        chosen
    }
}
