//! How fast event logs are read, as ratios to a plain read of the same file in the same run.
//!
//! ```text
//! cargo bench                        16 MB and 256 MB of each kind
//! cargo bench -- --megabytes 1024    1 GB of each kind
//! cargo bench -- --rounds 9          the least time of nine rounds instead of five
//! cargo bench -- --megabytes 1024 --kind dense --make FOLDER    only writes such a log
//! ```
//!
//! The logs are forged by the tests' own writer and kept below `target/tmp`. Each round runs every way of reading once, one
//! after another, so that all of them meet the same machine; the least time of each counts.

#[allow(dead_code)]
#[path = "../support/event_log/mod.rs"]
mod event_log;
mod logs;

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rdptriage::bundle::{FileSource, ReadAt};
use rdptriage::facts::watch;
use rdptriage::parse::event_log as reader;
use rdptriage::rules::RuleSet;
use rdptriage::{Hashing, Options};

use logs::Kind;

const BLOCK: usize = 1 << 20;

/// A way of reading some files.
struct Way {
    name: &'static str,
    threads: usize,
    run: fn(&[PathBuf]),
}

const WAYS: &[Way] = &[
    Way {
        name: "plain read",
        threads: 1,
        run: plain_read,
    },
    Way {
        name: "read + CRC-32",
        threads: 1,
        run: checked_read,
    },
    Way {
        name: "select events",
        threads: 1,
        run: select,
    },
    Way {
        name: "select events",
        threads: 0,
        run: select,
    },
    Way {
        name: "diagnose --no-hash",
        threads: 0,
        run: diagnose,
    },
    Way {
        name: "diagnose",
        threads: 0,
        run: diagnose_and_hash,
    },
    Way {
        name: "evtx: every record as JSON",
        threads: 0,
        run: decode_all,
    },
];

fn main() {
    let asked = Asked::parse(std::env::args().skip(1));
    if let Some(folder) = &asked.make {
        for megabytes in &asked.megabytes {
            let path = folder.join(format!("{megabytes}.evtx"));
            logs::write(&path, asked.kind, *megabytes).expect("a log");
        }
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("benchmark");
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    for megabytes in &asked.megabytes {
        for kind in Kind::ALL {
            let files = logs::files(&folder, kind, *megabytes).expect("the logs");
            report(kind, *megabytes, &files, asked.rounds, processors);
        }
    }
}

fn report(kind: Kind, megabytes: u64, files: &[PathBuf], rounds: usize, processors: usize) {
    let least = measure(files, rounds);
    let bytes: u64 = files.iter().map(|file| open(file).len()).sum();
    println!(
        "\n{} ({megabytes} MB, {} files)\n",
        kind.title(),
        files.len()
    );
    println!("| | threads | × plain read | MB/s |\n|---|---|---|---|");
    let plain = least[0].as_secs_f64();
    for (way, time) in WAYS.iter().zip(&least) {
        let threads = match way.threads {
            0 => processors,
            count => count,
        };
        let seconds = time.as_secs_f64();
        let rate = bytes as f64 / 1e6 / seconds;
        let ratio = seconds / plain;
        println!("| {} | {threads} | {ratio:.2} | {rate:.0} |", way.name);
    }
}

/// The least time of each way.
fn measure(files: &[PathBuf], rounds: usize) -> Vec<Duration> {
    let pools: Vec<rayon::ThreadPool> = WAYS
        .iter()
        .map(|way| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(way.threads);
            pool.build().expect("threads")
        })
        .collect();
    let mut least = vec![Duration::MAX; WAYS.len()];
    // The first round only warms up.
    for round in 0..=rounds {
        for ((way, pool), least) in WAYS.iter().zip(&pools).zip(&mut least) {
            let start = Instant::now();
            pool.install(|| (way.run)(files));
            if round > 0 {
                *least = start.elapsed().min(*least);
            }
        }
    }
    least
}

fn open(path: &Path) -> FileSource {
    FileSource::open(path).expect("a file")
}

fn blocks(path: &Path, mut each: impl FnMut(&[u8])) {
    let source = open(path);
    let mut block = vec![0; BLOCK];
    let mut offset = 0;
    loop {
        let count = source.read_full_at(offset, &mut block).expect("bytes");
        if count == 0 {
            return;
        }
        each(&block[..count]);
        offset += count as u64;
    }
}

fn plain_read(files: &[PathBuf]) {
    for file in files {
        blocks(file, |block| {
            black_box(block);
        });
    }
}

fn checked_read(files: &[PathBuf]) {
    for file in files {
        blocks(file, |block| {
            black_box(evtx::checksum_ieee(block));
        });
    }
}

fn select(files: &[PathBuf]) {
    use rayon::prelude::*;
    files.par_iter().for_each(|file| {
        let mut events = 0;
        reader::read(&open(file), &watch::wants, &mut |_| events += 1).expect("a log");
        black_box(events);
    });
}

fn run_diagnose(files: &[PathBuf], hashing: Hashing) {
    let rules = RuleSet::builtin().expect("the rules");
    let options = Options {
        hashing,
        ..Options::default()
    };
    black_box(rdptriage::diagnose(files, &rules, &options).expect("a report"));
}

fn diagnose(files: &[PathBuf]) {
    run_diagnose(files, Hashing::Off);
}

fn diagnose_and_hash(files: &[PathBuf]) {
    run_diagnose(files, Hashing::Sha256);
}

fn decode_all(files: &[PathBuf]) {
    for file in files {
        let threads = rayon::current_num_threads();
        let settings = evtx::ParserSettings::default()
            .num_threads(threads)
            .indent(false);
        let parser = evtx::EvtxParser::from_path(file).expect("a log");
        let mut parser = parser.with_configuration(settings);
        let bytes: usize = parser
            .records_json()
            .flatten()
            .map(|record| record.data.len())
            .sum();
        black_box(bytes);
    }
}

/// What the command line asks for; what cargo itself adds is ignored.
struct Asked {
    megabytes: Vec<u64>,
    rounds: usize,
    /// Only write logs of these sizes into this folder.
    make: Option<PathBuf>,
    /// What they hold.
    kind: Kind,
}

impl Asked {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Self {
        let mut asked = Asked {
            megabytes: vec![16, 256],
            rounds: 5,
            make: None,
            kind: Kind::Sparse,
        };
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().expect("a value");
            match argument.as_str() {
                "--megabytes" => {
                    let list = value();
                    let number = |text: &str| text.parse().expect("megabytes");
                    asked.megabytes = list.split(',').map(number).collect();
                }
                "--rounds" => asked.rounds = value().parse().expect("rounds"),
                "--make" => asked.make = Some(PathBuf::from(value())),
                "--kind" => asked.kind = Kind::named(&value()).expect("a kind of log"),
                _ => {}
            }
        }
        asked
    }
}
