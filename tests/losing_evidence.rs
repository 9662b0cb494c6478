//! Losing evidence never makes the tool surer: over every sample, each file removed in turn, each log cut at eight places,
//! each chunk of a log and each page of a hive zeroed in turn.
//!
//! The verdict may sink in level or move to something that the sample's own cause explains, or that the whole sample finds to
//! explain that cause. It never confirms or makes likely what the whole sample does not, and never turns a broken machine
//! healthy or a healthy one broken.
//!
//! That holds of everything the tool stands for: the verdict, what is independent of it, its consequences; tests/support/wrong.rs
//! has it in full.
//!
//! `cargo test` runs a seeded slice; `cargo test --test losing_evidence -- --ignored --nocapture` runs every case,
//! `RDPTRIAGE_SAMPLE=name` those of one sample.

mod support;

use rdptriage::rules::RuleSet;
use support::damage::Damage;
use support::samples::{Sample, forge_all};
use support::seeded::Seeded;
use support::verdict::{Said, collect, diagnosed_folder, rules, unhashed, write};
use support::wrong::{bearable, wrong};

/// How many cases of each sample are run by default.
const SLICE: usize = 12;
const PAGE: usize = 4096;
const CHUNK: usize = 65_536;
/// Numbers of the slice: any will do, as long as it stays.
const SEED: u64 = 0x0904_0007;

/// Every loss that a sample is put through.
fn losses(sample: &Sample) -> Vec<Damage> {
    let mut losses = Vec::new();
    for (file, bytes) in &sample.files {
        // A key file that is not there is what a machine without it looks like: a symptom, no loss.
        if file.contains("MachineKeys/") {
            continue;
        }
        let file = || file.clone();
        losses.push(Damage::Removed { file: file() });
        if bytes.starts_with(b"ElfFile\0") {
            // Within headers, within records, between chunks: eighths of the file, each a little off.
            losses.extend((0..8).map(|eighth| Damage::Cut {
                file: file(),
                at: (bytes.len() * eighth / 8 + 1237 * (eighth % 3)).min(bytes.len()),
            }));
            losses.extend(zeroed(&file(), PAGE, CHUNK, bytes.len()));
        } else if bytes.starts_with(b"regf") {
            losses.extend(zeroed(&file(), 0, PAGE, bytes.len()));
        }
    }
    losses
}

fn zeroed(file: &str, from: usize, step: usize, end: usize) -> impl Iterator<Item = Damage> {
    (from..end).step_by(step).map(move |at| Damage::Zeroed {
        file: file.to_owned(),
        at,
        length: step.min(end - at),
    })
}

/// What came of some cases of one sample.
#[derive(Default)]
struct Tally {
    cases: usize,
    /// The verdict sank or moved, as it may.
    sank: usize,
    wrong: Vec<String>,
}

fn run(sample: &Sample, cases: Vec<Damage>, rules: &RuleSet) -> Tally {
    let folder = collect(&sample.files);
    let whole = Said::of(&diagnosed_folder(folder.path(), rules));
    let bearable = bearable(&whole, rules);
    let mut tally = Tally::default();
    for loss in cases {
        let changed = loss.changed(&sample.files);
        for (file, left) in &changed {
            match left {
                Some(left) => write(folder.path(), file, left),
                None => std::fs::remove_file(folder.path().join(file)).expect("removed"),
            }
        }
        let damaged = rdptriage::diagnose(&[folder.path().to_owned()], rules, &unhashed());
        for (file, _) in &changed {
            write(folder.path(), file, &sample.files[file]);
        }
        tally.cases += 1;
        // Where nothing is left that can be read, nothing is said.
        let Ok(reports) = damaged else {
            tally.sank += 1;
            continue;
        };
        assert_eq!(reports.len(), 1, "{}, {loss}: one host", sample.name);
        let damaged = Said::of(&reports[0]);
        if (damaged.status, &damaged.cause) != (whole.status, &whole.cause) {
            tally.sank += 1;
        }
        let wrong = wrong(&whole, &damaged, &bearable, rules);
        if !wrong.is_empty() {
            tally.wrong.push(format!(
                "{} ({:?} {}), {loss}: {}",
                sample.name,
                whole.status,
                whole.cause.as_deref().unwrap_or("-"),
                wrong.join("; ")
            ));
        }
    }
    tally
}

fn run_all(choose: impl Fn(Vec<Damage>) -> Vec<Damage>) {
    let rules = rules();
    let mut total = Tally::default();
    let only = std::env::var("RDPTRIAGE_SAMPLE").ok();
    for sample in forge_all() {
        if only.as_ref().is_some_and(|only| only != sample.name) {
            continue;
        }
        let tally = run(&sample, choose(losses(&sample)), &rules);
        println!(
            "{}: {} cases, {} sank or moved, {} wrong",
            sample.name,
            tally.cases,
            tally.sank,
            tally.wrong.len()
        );
        total.cases += tally.cases;
        total.sank += tally.sank;
        total.wrong.extend(tally.wrong);
    }
    println!(
        "{} cases, {} sank or moved as they may, {} wrong",
        total.cases,
        total.sank,
        total.wrong.len()
    );
    assert!(total.wrong.is_empty(), "{}", total.wrong.join("\n"));
}

#[test]
fn a_slice_of_all_losses_makes_nothing_surer() {
    run_all(|losses| Seeded::new(SEED).choose(losses, SLICE));
}

#[test]
#[ignore = "every case: minutes"]
fn no_loss_makes_anything_surer() {
    run_all(|losses| losses);
}
