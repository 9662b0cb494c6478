//! When Windows was set up, and what it was upgraded from. The hives say so themselves: setup writes the date into SOFTWARE, and what
//! ran before under `Setup` of SYSTEM. Its logs (`Panther`) say no more of it, as text in the machine's language and time zone.
//!
//! That an image was generalized is not told: Windows' own is, so that every machine has a `CloneTag` (seen in Windows 7 to 10).

use jiff::Timestamp;

use super::catalog::host::HostInstalled;
use super::fact::{FactSet, Source};
use super::known::Known;
use super::registry::{Place, Registry};
use crate::parse::hive::Lookup;
use crate::parse::registry::Key;

const VERSION: Place<'static> = Place::Software("Microsoft\\Windows NT\\CurrentVersion");
const SETUP: Place<'static> = Place::System("Setup");
/// `Source OS (Updated on 8/12/2023 14:03:22)`: an upgrade keeps here what the version before said of itself.
const BEFORE: &str = "Source OS (";

/// Adds the fact `host.installed`; none where SOFTWARE does not date it.
pub fn add(registry: &Registry, facts: &mut FactSet) {
    let date = registry.dword(&mut facts.gaps, VERSION, "InstallDate");
    let Some(at) = date.present().and_then(|seconds| time(*seconds)) else {
        return;
    };
    let mut sources: Vec<Source> = date.source.into_iter().collect();
    let earlier = registry
        .subkeys(&mut facts.gaps, SETUP)
        .value
        .map(|listing| {
            let entries = listing.map(|listing| listing.entries).unwrap_or_default();
            let earlier = entries.iter().filter_map(Earlier::read);
            earlier
                .filter(|earlier| earlier.installed < at)
                .max_by_key(|earlier| earlier.installed)
        });
    let says = match &earlier {
        Known::Is(Some(earlier)) => {
            if let Some(system) = registry.system() {
                sources.push(system.source(&earlier.key, None, None));
            }
            format!("Windows was upgraded in place from {}", earlier.name)
        }
        Known::Is(None) | Known::Open(_) => {
            "Windows was installed, or started for the first time from an image".to_owned()
        }
    };
    let body = HostInstalled {
        from_build: earlier.map(|earlier| earlier.and_then(|earlier| earlier.build)),
        says,
    };
    facts.add(Some(at), body, sources);
}

/// Seconds since 1970.
fn time(seconds: u32) -> Option<Timestamp> {
    (seconds > 0).then(|| Timestamp::from_second(i64::from(seconds)).ok())?
}

/// A version that ran before.
struct Earlier {
    key: String,
    installed: Timestamp,
    build: Option<u32>,
    name: String,
}

impl Earlier {
    fn read(key: &Key<'_>) -> Option<Earlier> {
        key.name().starts_with(BEFORE).then_some(())?;
        let text = |name: &str| match key.value(name) {
            Lookup::Present(value) => value.text().ok(),
            Lookup::Absent | Lookup::Unreadable(_) => None,
        };
        let Lookup::Present(installed) = key.value("InstallDate") else {
            return None;
        };
        let build = text("CurrentBuild").and_then(|build| build.trim().parse().ok());
        let product = text("ProductName").unwrap_or_else(|| "an earlier version".to_owned());
        Some(Earlier {
            key: key.path().to_owned(),
            installed: time(installed.dword().ok()?)?,
            name: build.map_or_else(|| product.clone(), |build| format!("{product} ({build})")),
            build,
        })
    }
}
