//! When a setting took effect that is read only when Windows or a service starts.

use jiff::Timestamp;

use super::catalog::host::HostBoot;
use super::fact::FactSet;

/// The first boot after the setting was written; where none is known, the write itself. Boots are the facts `host.boot`, so
/// these must be there before.
#[must_use]
pub fn in_effect_since(facts: &FactSet, written: Timestamp) -> Timestamp {
    let boots = facts.of_kind(HostBoot::KIND).filter_map(|boot| boot.at);
    boots
        .filter(|boot| *boot >= written)
        .min()
        .unwrap_or(written)
}
