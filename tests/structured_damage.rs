//! Every sample, damaged in every way that copies and disks do it: each file cut at 64 points, each of its pages zeroed in turn,
//! bits flipped at 200 places, removed, its name swapped with another's; the collection twice over, and beside another host's.
//!
//! Never a panic, nor two seconds of work or 256 MB for one case; the exit code is what README says. Where the damage can be seen
//! (see [`Judged`]), what is said is not wrong either, as tests/support/wrong.rs has it.
//!
//! `cargo test` runs a seeded slice; `cargo test --test structured_damage -- --ignored --nocapture` runs every case,
//! `RDPTRIAGE_SAMPLE=name` those of one sample, `RDPTRIAGE_SHARE=8` a seeded eighth of each sample's.

mod support;

use std::fmt;
use std::path::Path;

use rdptriage::rules::RuleSet;
use rdptriage::verdict::exit_status;
use rdptriage::verdict::model::{Report, Status};
use support::corpus::corpus;
use support::damage::{Damage, Judged, damages};
use support::samples::{Sample, forge_all};
use support::seeded::Seeded;
use support::verdict::{Files, Said, collect, diagnosed_folder, rules, unhashed, write};
use support::watchdog::{Watchdog, peak_memory};
use support::wrong::{bearable, wrong};

/// How many cases of each sample are run by default.
const SLICE: usize = 8;
/// Numbers of the slice: any will do, as long as it stays.
const SEED: u64 = 0x0904_000A;
/// What one process may take for all of it, in bytes.
const MOST_MEMORY: u64 = 256 << 20;

/// What came of some cases.
#[derive(Default)]
struct Tally {
    cases: usize,
    /// Cases of which the verdict was held against the whole collection's.
    judged: usize,
    /// The verdict sank or moved, as it may.
    sank: usize,
    wrong: Vec<String>,
}

impl Tally {
    fn add(&mut self, other: Tally) {
        self.cases += other.cases;
        self.judged += other.judged;
        self.sank += other.sank;
        self.wrong.extend(other.wrong);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{} cases, {} of them judged: {} sank or moved as they may, {} wrong",
            self.cases,
            self.judged,
            self.sank,
            self.wrong.len()
        )
    }
}

/// What a sample says while it is whole.
struct Whole<'r> {
    name: &'static str,
    said: Said,
    bearable: std::collections::BTreeSet<String>,
    rules: &'r RuleSet,
}

impl Whole<'_> {
    /// Holds one report on the damaged collection against the whole one's.
    fn judge(&self, report: &Report, case: &dyn fmt::Display, tally: &mut Tally) {
        let said = Said::of(report);
        tally.judged += 1;
        if (said.status, &said.cause) != (self.said.status, &self.said.cause) {
            tally.sank += 1;
        }
        let wrong = wrong(&self.said, &said, &self.bearable, self.rules);
        if !wrong.is_empty() {
            tally.wrong.push(format!(
                "{} ({:?} {}), {case}: {}",
                self.name,
                self.said.status,
                self.said.cause.as_deref().unwrap_or("-"),
                wrong.join("; ")
            ));
        }
    }
}

/// The reports on a collection, with what holds of every run. None where nothing can be read, which is exit code 2.
fn diagnosed(folder: &Path, rules: &RuleSet, case: &dyn fmt::Display) -> Option<Vec<Report>> {
    let reports = rdptriage::diagnose(&[folder.to_owned()], rules, &unhashed()).ok()?;
    let expected = reports.iter().map(|report| match report.verdict.status {
        Status::Confirmed | Status::Likely => 1,
        Status::Possible | Status::Inconclusive => 3,
        Status::Healthy => 0,
    });
    // A cause before what is open, and that before health.
    let worst = expected.max_by_key(|code| [0, 3, 1].iter().position(|known| known == code));
    assert_eq!(
        Some(exit_status(&reports)),
        worst,
        "{case}: the exit code is what README says"
    );
    Some(reports)
}

fn run(sample: &Sample, cases: Vec<Damage>, rules: &RuleSet, watchdog: &Watchdog) -> Tally {
    let folder = collect(&sample.files);
    let said = Said::of(&diagnosed_folder(folder.path(), rules));
    let whole = Whole {
        name: sample.name,
        bearable: bearable(&said, rules),
        said,
        rules,
    };
    let mut tally = Tally::default();
    for damage in cases {
        let changed = damage.changed(&sample.files);
        for (file, left) in &changed {
            match left {
                Some(left) => write(folder.path(), file, left),
                None => std::fs::remove_file(folder.path().join(file)).expect("removed"),
            }
        }
        let reports = watchdog.timed(&format!("{}, {damage}", sample.name), || {
            diagnosed(folder.path(), rules, &damage)
        });
        for (file, _) in &changed {
            match sample.files.get(file) {
                Some(bytes) => write(folder.path(), file, bytes),
                None => std::fs::remove_file(folder.path().join(file)).expect("removed"),
            }
        }
        tally.cases += 1;
        // Where nothing is left that can be read, nothing is said.
        let Some(reports) = reports else {
            continue;
        };
        if damage.judged(&sample.files) == Judged::Yes {
            assert_eq!(reports.len(), 1, "{}, {damage}: one host", sample.name);
            whole.judge(&reports[0], &damage, &mut tally);
        }
    }
    tally
}

/// Two hosts in one input are judged as each of them alone.
fn side_by_side(one: &Sample, other: &Sample, rules: &RuleSet, watchdog: &Watchdog) -> Tally {
    let mut tally = Tally::default();
    let alone = [one, other].map(|sample| {
        let folder = collect(&sample.files);
        (sample.name, diagnosed_folder(folder.path(), rules))
    });
    let [(_, first), (_, second)] = &alone;
    if first.host.name == second.host.name {
        return tally; // files of one name are one host's
    }
    let both: Files = [("one", one), ("other", other)]
        .into_iter()
        .flat_map(|(folder, sample)| {
            let files = sample.files.iter();
            files.map(move |(name, bytes)| (format!("{folder}/{name}"), bytes.clone()))
        })
        .collect();
    let folder = collect(&both);
    let case = format!("{} beside {}", one.name, other.name);
    let reports = watchdog.timed(&case, || diagnosed(folder.path(), rules, &case));
    let reports = reports.unwrap_or_default();
    tally.cases += 1;
    for (name, alone) in &alone {
        tally.judged += 1;
        let found = reports
            .iter()
            .find(|report| report.host.name == alone.host.name);
        let (expected, told) = (Said::of(alone), found.map(Said::of));
        let same = |told: &Said| (told.status, &told.cause) == (expected.status, &expected.cause);
        if !told.as_ref().is_some_and(same) {
            tally.wrong.push(format!(
                "{case}: {name} is {:?} {:?} alone, and there {:?}",
                expected.status,
                expected.cause,
                told.map(|told| (told.status, told.cause))
            ));
        }
    }
    tally
}

fn run_all(choose: impl Fn(Vec<Damage>) -> Vec<Damage>, pairs: usize) {
    let rules = rules();
    let watchdog = Watchdog::start();
    let mut total = Tally::default();
    let only = std::env::var("RDPTRIAGE_SAMPLE").ok();
    let samples = forge_all();
    for sample in &samples {
        if only.as_ref().is_some_and(|only| only != sample.name) {
            continue;
        }
        let tally = run(sample, choose(damages(&sample.files)), &rules, &watchdog);
        println!("{}: {tally}", sample.name);
        for wrong in &tally.wrong {
            println!("    {wrong}");
        }
        total.add(tally);
    }
    if only.is_none() {
        for (one, other) in samples.iter().zip(samples.iter().skip(1)).take(pairs) {
            total.add(side_by_side(one, other, &rules, &watchdog));
        }
    }
    println!("{total}; the slowest: {}", watchdog.slowest());
    assert!(total.wrong.is_empty(), "{}", total.wrong.join("\n"));
    watchdog.nothing_was_slow();
    within_memory();
}

fn within_memory() {
    if let Some(memory) = peak_memory() {
        println!("at most {} MB of memory", memory >> 20);
        assert!(memory <= MOST_MEMORY, "{memory} bytes of memory");
    }
}

/// The part of all cases that was asked for: one in so many.
fn share() -> usize {
    let share = std::env::var("RDPTRIAGE_SHARE").ok();
    share.and_then(|share| share.parse().ok()).unwrap_or(1)
}

#[test]
fn a_slice_of_all_damage_is_borne() {
    run_all(|damages| Seeded::new(SEED).choose(damages, SLICE), 8);
}

/// Single cases of the whole, and of other seeds, that were wrong once.
#[test]
fn what_was_wrong_once_stays_mended() {
    const SESSIONS: &str =
        "Microsoft-Windows-TerminalServices-LocalSessionManager%4Operational.evtx";
    const ARRIVALS: &str =
        "Microsoft-Windows-TerminalServices-RemoteConnectionManager%4Operational.evtx";
    const TRANSPORTS: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS%4Operational.evtx";
    let flipped = |file: &str, at, bit| Damage::Flipped {
        file: file.to_owned(),
        at,
        bit,
    };
    let cut = |file: &str, at| Damage::Cut {
        file: file.to_owned(),
        at,
    };
    let found = [
        ("renamed-host", flipped(SESSIONS, 0x3d95, 6)),
        ("evidence-missing", cut(ARRIVALS, 0x7ba1)),
        (
            "key-denied-explicitly",
            flipped("config/SOFTWARE", 0x1731, 1),
        ),
        ("key-listing-only", flipped("System.evtx", 0x2786, 4)),
        ("sessionenv-disabled", flipped(TRANSPORTS, 0x21ddd, 5)),
        (
            "firewall-policy-without-merge",
            flipped(SESSIONS, 0x62e6, 0),
        ),
    ];
    let rules = rules();
    let watchdog = Watchdog::start();
    let samples = forge_all();
    for (name, damage) in found {
        let sample = samples.iter().find(|sample| sample.name == name);
        let tally = run(sample.expect("a sample"), vec![damage], &rules, &watchdog);
        assert_eq!((tally.judged, tally.wrong), (1, Vec::<String>::new()));
    }
}

#[test]
#[ignore = "every case: an hour of an optimized build"]
fn all_damage_is_borne() {
    let share = share();
    run_all(
        |damages| {
            let count = damages.len().div_ceil(share);
            match share {
                1 => damages,
                _ => Seeded::new(SEED).choose(damages, count),
            }
        },
        usize::MAX,
    );
}

/// How large a file of the corpus is that plain `cargo test` damages, in bytes.
const SMALL: u64 = 2 << 20;

/// Real logs and hives under the same damage, each by itself: never a panic, never a hang.
fn run_corpus(largest: u64, choose: impl Fn(Vec<Damage>) -> Vec<Damage>) {
    let Some(corpus) = corpus("") else { return };
    let rules = rules();
    let watchdog = Watchdog::start();
    let mut cases = 0;
    for entry in walkdir::WalkDir::new(corpus).sort_by_file_name() {
        let entry = entry.expect("an entry of the corpus");
        let is_small = entry.metadata().is_ok_and(|known| known.len() <= largest);
        if !entry.file_type().is_file() || !is_small {
            continue;
        }
        let bytes = std::fs::read(entry.path()).expect("a file of the corpus");
        if !bytes.starts_with(b"ElfFile\0") && !bytes.starts_with(b"regf") {
            continue;
        }
        let name = entry.file_name().to_string_lossy().into_owned();
        let files = Files::from([(name.clone(), bytes)]);
        let folder = collect(&files);
        let alone = damages(&files)
            .into_iter()
            .filter(|damage| !matches!(damage, Damage::Removed { .. } | Damage::Doubled));
        for damage in choose(alone.collect()) {
            for (file, left) in damage.changed(&files) {
                write(folder.path(), &file, &left.unwrap_or_default());
            }
            watchdog.timed(&damage.to_string(), || {
                diagnosed(folder.path(), &rules, &damage)
            });
            cases += 1;
        }
    }
    println!(
        "{cases} cases of the corpus; the slowest: {}",
        watchdog.slowest()
    );
    watchdog.nothing_was_slow();
    within_memory();
}

#[test]
fn a_slice_of_all_damage_to_the_corpus_is_borne() {
    run_corpus(SMALL, |damages| Seeded::new(SEED).choose(damages, 2));
}

#[test]
#[ignore = "every case: hours of an optimized build"]
fn all_damage_to_the_corpus_is_borne() {
    let share = share();
    run_corpus(u64::MAX, |damages| {
        let count = damages.len().div_ceil(share);
        Seeded::new(SEED).choose(damages, count)
    });
}
