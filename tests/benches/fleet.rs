//! How fast a fleet is diagnosed, and in how much memory: hosts a second, and the peak beside that of one host.
//!
//! ```text
//! cargo bench --bench fleet                                    1,000 hosts
//! cargo bench --bench fleet -- --hosts 100
//! cargo bench --bench fleet -- --hosts 1000 --make FOLDER      only writes them
//! ```
//!
//! The hosts are the samples' machines, each under a name of its own: logs and hives as they are collected, most of them broken.
//! They are kept below `target/tmp`. Each way runs the program three times, with `--no-hash`; the least time counts.

#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use support::machine::{Telling, told};
use support::samples::{EACH, Sample};

const ROUNDS: usize = 3;

fn main() {
    let (hosts, make) = asked(std::env::args().skip(1));
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("benchmark/fleet-{hosts}"));
    let folder = make.clone().unwrap_or(folder);
    forge(&folder, hosts).expect("the hosts");
    if make.is_some() {
        return;
    }
    let paths: Vec<PathBuf> = (0..hosts).map(|index| folder.join(name(index))).collect();
    let list: String = paths
        .iter()
        .map(|path| format!("{}\n", path.display()))
        .collect();
    let first = paths.first().expect("a host").display().to_string();
    let folder = folder.display().to_string();

    println!("\n{hosts} hosts\n\n| | seconds | hosts a second | peak, MB |\n|---|---|---|---|");
    row("one host", 1, &[&first], "");
    row(
        "a list of collections",
        hosts,
        &["--paths-from", "-"],
        &list,
    );
    row("one folder of all", hosts, &[&folder], "");
}

fn asked(mut arguments: impl Iterator<Item = String>) -> (usize, Option<PathBuf>) {
    let (mut hosts, mut make) = (1000, None);
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().expect("a value");
        match argument.as_str() {
            "--hosts" => hosts = value().parse().expect("a number of hosts"),
            "--make" => make = Some(PathBuf::from(value())),
            _ => {}
        }
    }
    (hosts, make)
}

fn name(index: usize) -> String {
    format!("TS{index:05}")
}

/// Writes the collections that are not there yet.
fn forge(folder: &Path, hosts: usize) -> io::Result<()> {
    for index in 0..hosts {
        let own = folder.join(name(index));
        if own.exists() {
            continue;
        }
        let telling = Telling {
            name: Some(name(index).leak()),
            ..Telling::default()
        };
        let sample: Sample = told(telling, EACH[index % EACH.len()]);
        let unfinished = folder.join("unfinished");
        write(&unfinished, &sample.files)?;
        fs::rename(&unfinished, &own)?;
    }
    Ok(())
}

fn write(folder: &Path, files: &BTreeMap<String, Vec<u8>>) -> io::Result<()> {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// Runs the program that way, and says how it went.
fn row(what: &str, hosts: usize, arguments: &[&str], input: &str) {
    let mut least = Duration::MAX;
    let mut peak = 0;
    for _ in 0..ROUNDS {
        let (time, memory) = run(arguments, input);
        least = least.min(time);
        peak = peak.max(memory);
    }
    let seconds = least.as_secs_f64();
    let rate = hosts as f64 / seconds;
    let peak = match peak {
        0 => "not told".to_owned(),
        kilobytes => format!("{:.0}", kilobytes as f64 / 1024.0),
    };
    println!("| {what} | {seconds:.2} | {rate:.0} | {peak} |");
}

/// How long it takes, and its peak of memory in KB: 0 where the system does not tell.
fn run(arguments: &[&str], input: &str) -> (Duration, u64) {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["diagnose", "--no-hash", "--exit-zero", "-f", "jsonl", "-q"])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program");
    let mut stdin = child.stdin.take().expect("its input");
    stdin.write_all(input.as_bytes()).expect("a reader");
    drop(stdin);
    let mut peak = 0;
    let status = loop {
        peak = peak.max(peak_so_far(&child));
        match child.try_wait().expect("its end") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(1)),
        }
    };
    assert!(status.success(), "{arguments:?}: {status}");
    (start.elapsed(), peak)
}

/// `VmHWM`, as Linux tells it of a process.
fn peak_so_far(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().strip_suffix(" kB"));
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}
