//! How many random cases a property is held against, and which.

use proptest::test_runner::{Config, RngSeed};

/// The same cases in every run, so that a change is judged by what it changes. `PROPTEST_RNG_SEED` takes others, and
/// `PROPTEST_CASES` more: they go before what is said here.
pub fn cases(cases: u32) -> Config {
    Config {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(0x0904),
        ..Config::default()
    }
}
