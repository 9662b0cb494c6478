//! When the listener's key file was last written, where the collection itself carries that time.

use jiff::{SignedDuration, Timestamp};

use crate::facts::catalog::key::KeyFileWritten;
use crate::facts::fact::{FactId, FactSet, Source};
use crate::facts::registry::{Place, Registry};

use super::evidence::{Shown, Written};
use super::file::{Common, Located};

/// Adds `key_file.written`: of a copy what its archive or its disk says, of a listing what it prints. A time after the end of the
/// collection is that of copying.
pub(super) fn add_facts(
    located: &Located<'_>,
    common: &Common,
    registry: &Registry,
    facts: &mut FactSet,
) -> Option<FactId> {
    let mut told: Option<(Timestamp, bool, Source)> = None;
    for sighting in &located.seen {
        let exact = match &sighting.shown {
            Shown::Copy(artifact) => artifact.written,
            Shown::Name {
                written: Some(Written::Exact(written)),
                ..
            } => Some(*written),
            _ => None,
        };
        let printed = match &sighting.shown {
            Shown::Name {
                written: Some(Written::OnTheWall(written)),
                ..
            } => behind_utc(registry, facts).and_then(|behind| {
                let utc = written.checked_add(behind).ok()?;
                let utc = utc.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
                Some(utc.timestamp())
            }),
            _ => None,
        };
        let next = match (exact, printed) {
            (Some(at), _) => Some((at, false, sighting.source.clone())),
            (None, Some(at)) => Some((at, true, sighting.source.clone())),
            (None, None) => None,
        };
        // What is exact comes before what a listing prints.
        if let Some(next) = next
            && told.as_ref().is_none_or(|told| told.1 && !next.1)
        {
            told = Some(next);
        }
    }
    let (at, to_the_minute, source) = told?;
    if facts.anchors.as_of.is_none_or(|as_of| at > as_of) {
        return None;
    }
    let body = KeyFileWritten {
        path: common.path.clone(),
        to_the_minute,
    };
    Some(facts.add(Some(at), body, vec![source]))
}

/// How far the machine's clock on the wall was behind UTC when SYSTEM was last written (`ActiveTimeBias`, in minutes).
fn behind_utc(registry: &Registry, facts: &mut FactSet) -> Option<SignedDuration> {
    let zone = Place::ControlSet("Control\\TimeZoneInformation");
    let bias = registry.dword(&mut facts.gaps, zone, "ActiveTimeBias");
    let minutes = i64::from(bias.present()?.cast_signed());
    (minutes.abs() <= 24 * 60).then(|| SignedDuration::from_mins(minutes))
}
