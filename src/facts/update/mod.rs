//! Updates: which were installed when, and whether one of them is known to break what is broken here. A known regression alone
//! is no proof: it must be this machine's, installed before the first failure and after the last success, not cured, and the
//! attempts must die as it makes them die.

mod table;

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::catalog::connection::{Ending, Stage};
use super::catalog::update::{Side, UpdateInstalled, UpdateRegression};
use super::connection::attempt::Attempt;
use super::connection::client::Fate;
use super::coverage::Window;
use super::event::Event;
use super::fact::{FactId, FactSet, Source};
use super::gap::Gaps;
use super::history::History;
use super::host::Identity;
use super::known::Known;
use super::registry::{Place, Registry};
use super::session::prevented;
use super::subject::Subject;
use table::{REGRESSIONS, Regression, Update};

const VERSION: Place<'static> = Place::Software("Microsoft\\Windows NT\\CurrentVersion");
const PACKAGES: &str = "Microsoft\\Windows\\CurrentVersion\\Component Based Servicing\\Packages";
/// CBS_STATE of servicing: installed, and installed once but replaced by a later one.
const INSTALLED: [u32; 2] = [0x70, 0x50];
/// Windows keeps some thousands; a forged hive could hold any number.
const MOST_PACKAGES: usize = 50_000;

/// An update that was installed.
struct Installed {
    at: Option<Timestamp>,
    source: Source,
    /// The fact that says so, once it is one.
    fact: Option<FactId>,
}

/// Adds the facts about updates.
pub fn add_facts(
    history: &History<'_>,
    registry: &Registry,
    identity: &Identity,
    facts: &mut FactSet,
) {
    let mut installed: BTreeMap<String, Installed> = BTreeMap::new();
    for placed in &history.events {
        if let Event::Updated { article } = &placed.event.event {
            let source = placed.event.source();
            installed.entry(article.clone()).or_insert(Installed {
                at: Some(placed.at),
                source,
                fact: None,
            });
        }
    }
    for (article, found) in packages(registry, &mut facts.gaps) {
        installed.entry(article).or_insert(found);
    }
    for (article, found) in &mut installed {
        let body = UpdateInstalled {
            article: article.clone(),
        };
        found.fact = Some(facts.add(found.at, body, vec![found.source.clone()]));
    }
    add_regressions(history, registry, identity, &installed, facts);
}

/// The packages of servicing that bear the number of an update, or that of a build in the table.
fn packages(registry: &Registry, gaps: &mut Gaps) -> Vec<(String, Installed)> {
    let mut found = Vec::new();
    let place = Place::Software(PACKAGES);
    let listing = registry.subkeys(gaps, place);
    let Some(listing) = listing.present() else {
        return found;
    };
    for key in listing.entries.iter().take(MOST_PACKAGES) {
        let Some(article) = article_of_package(&key.name()) else {
            continue;
        };
        let state = registry.dword_of(gaps, place, key, "CurrentState");
        if !state
            .present()
            .is_some_and(|state| INSTALLED.contains(state))
        {
            continue;
        }
        let half = |gaps: &mut Gaps, name| {
            let half = registry.dword_of(gaps, place, key, name);
            half.present().copied()
        };
        let high = half(gaps, "InstallTimeHigh");
        let low = half(gaps, "InstallTimeLow");
        let at = high.zip(low).and_then(|(high, low)| file_time(high, low));
        if let Some(source) = state.source {
            let fact = None;
            found.push((article, Installed { at, source, fact }));
        }
    }
    found
}

/// `Package_for_KB5018419~...`; `Package_for_RollupFix~...~~17763.3532.1.5` bears the build, by which the table knows the update.
fn article_of_package(name: &str) -> Option<String> {
    let rest = name.strip_prefix("Package_for_")?;
    if let Some(number) = rest.strip_prefix("KB") {
        let digits: String = number.chars().take_while(char::is_ascii_digit).collect();
        return (digits.len() >= 6).then(|| format!("KB{digits}"));
    }
    let version = rest.strip_prefix("RollupFix~")?.rsplit('~').next()?;
    let mut parts = version.split('.').map(str::parse::<u32>);
    let (build, revision) = (parts.next()?.ok()?, parts.next()?.ok()?);
    REGRESSIONS
        .iter()
        .flat_map(|row| &row.updates)
        .find_map(|update| match () {
            () if update.build != build => None,
            () if update.revision == Some(revision) => Some(update.article.clone()),
            () if update.fixed == Some(revision) => update.fixed_by.clone(),
            () => None,
        })
}

fn file_time(high: u32, low: u32) -> Option<Timestamp> {
    // 100 ns since 1601; the Unix epoch is 11,644,473,600 seconds later.
    let ticks = (u64::from(high) << 32) | u64::from(low);
    let seconds = i64::try_from(ticks / 10_000_000).ok()? - 11_644_473_600;
    Timestamp::from_second(seconds).ok()
}

fn add_regressions(
    history: &History<'_>,
    registry: &Registry,
    identity: &Identity,
    installed: &BTreeMap<String, Installed>,
    facts: &mut FactSet,
) {
    let revision = registry.dword(&mut facts.gaps, VERSION, "UBR");
    let build = identity.build.settled().copied();
    let mut any = false;
    for row in REGRESSIONS.iter() {
        for update in &row.updates {
            let Some(found) = installed.get(&update.article) else {
                continue;
            };
            if build.is_some_and(|build| build != update.build) {
                continue;
            }
            any = true;
            add_row(
                history,
                row,
                update,
                found,
                installed,
                &revision.value,
                facts,
            );
        }
    }
    if any {
        return;
    }
    let breaks = none_installed(history, &mut facts.gaps);
    let source = revision.source.unwrap_or(Source::Derived(Vec::new()));
    let body = UpdateRegression {
        in_bracket: breaks.clone(),
        seen: breaks.clone(),
        breaks,
        article: None,
        installed: None,
        fixed_by: None,
        side: None,
        symptom: None,
    };
    facts.add(None, body, vec![source]);
}

fn add_row(
    history: &History<'_>,
    row: &Regression,
    update: &Update,
    found: &Installed,
    installed: &BTreeMap<String, Installed>,
    revision: &Known<Option<u32>>,
    facts: &mut FactSet,
) {
    let in_bracket = in_bracket(history, found.at, &mut facts.gaps);
    let seen = seen(history, row, found.at, &mut facts.gaps);
    let uncured = uncured(update, installed, revision, &mut facts.gaps);
    let own = Known::Is(row.side() == Side::Server);
    let breaks = own.and(in_bracket.clone()).and(uncured).and(seen.clone());
    let body = UpdateRegression {
        breaks,
        article: Some(update.article.clone()),
        installed: found.at,
        fixed_by: update.fixed_by.clone(),
        side: Some(row.side()),
        symptom: Some(row.symptom.clone()),
        in_bracket,
        seen,
    };
    let source = Source::Derived(found.fact.into_iter().collect());
    facts.add(found.at, body, vec![source]);
}

/// Whether the update came between the last success and the first failure.
fn in_bracket(history: &History<'_>, at: Option<Timestamp>, gaps: &mut Gaps) -> Known<bool> {
    let Some(at) = at else {
        return Known::Open(gaps.open(
            Subject::SystemLog,
            "it does not tell when an update was installed",
        ));
    };
    let anchors = &history.anchors;
    let after = anchors
        .last_success
        .as_ref()
        .map(|success| success.is_none_or(|success| at > success));
    let before = anchors
        .first_failure
        .as_ref()
        .map(|failure| failure.is_some_and(|failure| at <= failure));
    after.and(before)
}

/// Whether the cure is not there.
fn uncured(
    update: &Update,
    installed: &BTreeMap<String, Installed>,
    revision: &Known<Option<u32>>,
    gaps: &mut Gaps,
) -> Known<bool> {
    let cure_is_there = update
        .fixed_by
        .as_ref()
        .is_some_and(|article| installed.contains_key(article));
    match (cure_is_there, update.fixed, revision) {
        (true, ..) => Known::Is(false),
        (false, None, _) if update.fixed_by.is_none() => Known::Is(true),
        (false, Some(fixed), Known::Is(Some(revision))) => Known::Is(*revision < fixed),
        (false, _, Known::Open(gap)) => Known::Open(*gap),
        (false, None, Known::Is(_)) | (false, Some(_), Known::Is(None)) => Known::Open(gaps.open(
            Subject::SoftwareHive,
            "it does not tell the revision of the build (UBR)",
        )),
    }
}

/// Whether attempts of those who are locked out die as the regression makes them die, since it came.
fn seen(
    history: &History<'_>,
    row: &Regression,
    installed: Option<Timestamp>,
    gaps: &mut Gaps,
) -> Known<bool> {
    match prevented(history) {
        Known::Is(true) => {}
        other => return other,
    }
    if !row.shows() {
        return Known::Is(false);
    }
    let codes = row.codes();
    let mut without_code = false;
    let affected = history.clients.iter().filter(|client| client.is_affected());
    for index in affected.flat_map(|client| &client.attempts) {
        let (Some(attempt), Some(Fate::Failed(ending))) =
            (history.attempts.get(*index), history.fates.get(*index))
        else {
            continue;
        };
        let dies_there = matches!(
            (row.stage(), ending),
            (Some(Stage::Tls), Some(Ending::Tls))
                | (Some(Stage::Credentials), Some(Ending::Credentials))
                | (Some(_), None)
        );
        if !dies_there || installed.is_some_and(|installed| attempt.at < installed) {
            continue;
        }
        match shows(history, attempt, &codes, &row.alerts) {
            Some(true) => return Known::Is(true),
            Some(false) => {}
            None => without_code = true,
        }
    }
    match without_code {
        true => Known::Open(gaps.open(
            Subject::TlsOutcomes,
            "no record tells with which code the attempts ended",
        )),
        false => Known::Is(false),
    }
}

/// Whether the records of an attempt hold one of the codes or alerts; none where they hold no code at all.
fn shows(history: &History<'_>, attempt: &Attempt, codes: &[u32], alerts: &[u32]) -> Option<bool> {
    let mut told = None;
    for placed in attempt
        .records
        .iter()
        .filter_map(|record| history.events.get(*record))
    {
        let (code, alert) = match &placed.event.event {
            Event::Schannel(schannel) => (schannel.error, schannel.alert),
            Event::SecurityLayerError { code, .. } | Event::TransitionFailed { code, .. } => {
                (*code, None)
            }
            _ => (None, None),
        };
        if code.is_some_and(|code| codes.contains(&code.0))
            || alert.is_some_and(|alert| alerts.contains(&alert))
        {
            return Some(true);
        }
        if code.is_some() || alert.is_some() {
            told = Some(false);
        }
    }
    told
}

/// No update of the table is known to be there: that is so where the System log tells of every update of the time in question.
fn none_installed(history: &History<'_>, gaps: &mut Gaps) -> Known<bool> {
    if prevented(history) == Known::Is(false) {
        return Known::Is(false);
    }
    let since = history.anchors.last_success.settled().copied().flatten();
    let window = Window {
        from: since.or(history.clock.oldest),
        to: history.clock.as_of,
    };
    let subject = Subject::SystemLog;
    match history.clock.as_of.is_some() && history.coverage.covers(subject, &window) {
        true => Known::Is(false),
        false => {
            let why = "does not tell which updates were installed since the last success";
            Known::Open(history.coverage.gap(subject, why, gaps))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_name_their_update_or_their_build() {
        for (name, article) in [
            (
                "Package_for_KB5018419~31bf3856ad364e35~amd64~~10.0.1.0",
                Some("KB5018419"),
            ),
            (
                "Package_for_RollupFix~31bf3856ad364e35~amd64~~17763.3532.1.5",
                Some("KB5018419"),
            ),
            (
                "Package_for_RollupFix~31bf3856ad364e35~amd64~~17763.3534.1.5",
                Some("KB5020438"),
            ),
            (
                "Package_for_RollupFix~31bf3856ad364e35~amd64~~17763.4000.1.5",
                None,
            ),
            (
                "Microsoft-Windows-Foundation-Package~31bf3856ad364e35~amd64~~10.0.17763.1",
                None,
            ),
        ] {
            assert_eq!(article_of_package(name).as_deref(), article, "{name}");
        }
    }

    #[test]
    fn the_time_of_a_package_is_a_file_time() {
        // 2022-10-12T00:00:00Z
        let ticks: u64 = (1_665_532_800 + 11_644_473_600) * 10_000_000;
        let (high, low) = ((ticks >> 32) as u32, ticks as u32);
        assert_eq!(
            file_time(high, low),
            Timestamp::from_second(1_665_532_800).ok()
        );
    }
}
