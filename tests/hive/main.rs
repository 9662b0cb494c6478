//! The reader of hives against forged ones, whole and damaged in every way, and against real ones where they are at hand
//! (`RDPTRIAGE_CORPUS`).

mod corpus;
mod damage;
mod logs;
mod reading;
#[path = "../support/mod.rs"]
mod support;

use std::collections::BTreeMap;

use rdptriage::bundle::{FileSource, ReadAt};
use rdptriage::parse::hive::{
    Hive, HiveError, Ignored, Key, LogFormat, Lookup, State, Stop, Value, ValueKind, Why,
};
use sha2::{Digest, Sha256};
use support::hive::{HiveBuilder, REG_NONE, descriptor, dirty, time, transaction_log};
use support::seeded::Seeded;

const SERVICES: &str = r"ControlSet001\Services";
const TERMINAL_SERVER: &str = r"ControlSet001\Control\Terminal Server";

fn open(bytes: &[u8]) -> Hive {
    with_logs(bytes, &[])
}

fn with_logs(bytes: &[u8], logs: &[(&str, &Vec<u8>)]) -> Hive {
    let logs: Vec<(&str, &dyn ReadAt)> =
        logs.iter().map(|(name, log)| (*name, *log as _)).collect();
    Hive::open(&bytes.to_vec(), &logs).expect("a hive")
}

fn key<'h>(hive: &'h Hive, path: &str) -> Key<'h> {
    match hive.key(path) {
        Lookup::Present(key) => key,
        other => panic!("{path}: {other:?}"),
    }
}

fn value(hive: &Hive, path: &str, name: &str) -> Value {
    match key(hive, path).value(name) {
        Lookup::Present(value) => value,
        other => panic!("{path}, {name}: {other:?}"),
    }
}

fn why<T: std::fmt::Debug>(answer: Lookup<T>) -> Why {
    match answer {
        Lookup::Unreadable(trouble) => trouble.why,
        other => panic!("{other:?} should be unreadable"),
    }
}

/// A small hive of a machine with Remote Desktop.
fn system() -> HiveBuilder {
    let mut builder = HiveBuilder::new(r"\SystemRoot\System32\Config\SYSTEM")
        .written(time("2025-03-04T10:20:30Z"))
        .sequence(41)
        .key("Select", time("2025-01-02T03:04:05Z"), |key| {
            key.dword("Current", 1).dword("Default", 1)
        })
        .key(
            TERMINAL_SERVER,
            time("2025-03-01T12:00:00.1234567Z"),
            |key| {
                key.dword("fDenyTSConnections", 0)
                    .sz("ProductVersion", "5.1")
                    .class("Terminal")
            },
        );
    for number in 0..40 {
        builder.set_dword(&format!(r"{SERVICES}\Service{number:03}"), "Start", 3);
    }
    builder
}

/// Where `needle` stands in `hay`.
fn find(hay: &[u8], needle: &[u8]) -> usize {
    let found = hay
        .windows(needle.len())
        .position(|window| window == needle);
    found.expect("the bytes stand somewhere")
}

/// Three versions of a hive, each written over the one before.
fn versions() -> Vec<Vec<u8>> {
    let mut builder = system();
    let mut versions = vec![builder.to_bytes()];
    builder
        .set_dword(TERMINAL_SERVER, "fDenyTSConnections", 1)
        .touch(TERMINAL_SERVER, time("2025-03-04T10:00:00Z"));
    versions.push(builder.to_bytes());
    for number in 0..200 {
        builder.set_sz(
            r"ControlSet001\Control\New",
            &format!("value {number}"),
            "written at last",
        );
    }
    versions.push(builder.to_bytes());
    builder.set_dword("Select", "Current", 2);
    versions.push(builder.to_bytes());
    versions
}

/// Asks everything that can be asked, and counts keys and values so that nothing is left out.
fn ask_everything(hive: &Hive) -> (usize, usize) {
    let mut pending = match hive.key("") {
        Lookup::Present(root) => vec![root],
        _ => Vec::new(),
    };
    let (mut keys, mut values) = (0, 0);
    while let Some(key) = pending.pop() {
        keys += 1;
        if keys > 3000 {
            break;
        }
        values += key.values().entries.len();
        let _ = (
            key.security_descriptor(),
            key.class_name(),
            key.value("no such value"),
        );
        pending.extend(key.subkeys().entries);
    }
    let _ = (
        hive.key(r"ControlSet001\Services\Service020"),
        hive.key(r"ControlSet001\Nowhere"),
    );
    let _ = (hive.problems(), hive.survey());
    (keys, values)
}

/// The names of all keys, by path, as nt-hive walks them.
fn walk_with_nt_hive(bytes: &[u8]) -> BTreeMap<String, usize> {
    let hive = nt_hive::Hive::without_validation(bytes).expect("nt-hive opens it");
    let mut pending = vec![(
        String::new(),
        hive.root_key_node().expect("nt-hive finds the root"),
    )];
    let mut names = BTreeMap::new();
    while let Some((path, key)) = pending.pop() {
        *names.entry(path.clone()).or_default() += 1;
        let Some(Ok(subkeys)) = key.subkeys() else {
            continue;
        };
        for subkey in subkeys.flatten() {
            let Ok(name) = subkey.name().map(|name| name.to_string_lossy()) else {
                continue;
            };
            pending.push((format!("{path}\\{name}"), subkey));
        }
    }
    names
}

fn walk_ourselves(hive: &Hive) -> (BTreeMap<String, usize>, Vec<String>) {
    let mut pending = vec![key(hive, "")];
    let mut names = BTreeMap::new();
    let mut troubles = Vec::new();
    while let Some(key) = pending.pop() {
        let path = match key.path() {
            "" => String::new(),
            path => format!("\\{path}"),
        };
        *names.entry(path).or_default() += 1;
        let subkeys = key.subkeys();
        troubles.extend(subkeys.troubles.iter().map(ToString::to_string));
        pending.extend(subkeys.entries);
    }
    (names, troubles)
}
