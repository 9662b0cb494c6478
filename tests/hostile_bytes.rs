//! Every entry point that takes bytes from outside, with what may come: each finding of the fuzzer that was kept (see
//! tests/fuzz), and the samples' own files, whole and damaged in seeded ways. None panics, none disagrees with itself.

#[path = "fuzz/entry.rs"]
mod entry;
#[path = "support/properties.rs"]
mod properties;

use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::sample::Index;

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else {
        return found;
    };
    for path in entries.map(|entry| entry.expect("an entry").path()) {
        match path.is_dir() {
            true => found.extend(files_below(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn what_the_fuzzer_found_stays_mended() {
    for (name, entry) in entry::ENTRIES {
        for finding in files_below(&root().join("tests/fuzz/findings").join(name)) {
            println!("{}", finding.display());
            entry(&std::fs::read(&finding).expect("a finding"));
        }
    }
}

/// Which entry point a sample's file is for.
fn entry_for(path: &Path, bytes: &[u8]) -> &'static str {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    match bytes {
        [b'E', b'l', b'f', ..] => "prefilter",
        [b'r', b'e', b'g', b'f', ..] => "hive",
        _ if name.ends_with(".cer") => "certificate",
        _ if name.ends_with(".txt") => "folder_listing",
        _ if name.ends_with(".acl") => "acl_listing",
        _ => "key_file",
    }
}

/// The smaller files of the samples, one of each kind and size at most.
fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let mut seeds: Vec<(&'static str, Vec<u8>)> = Vec::new();
    for path in files_below(&root().join("samples")) {
        let bytes = std::fs::read(&path).expect("a sample's file");
        let small = (1..200_000).contains(&bytes.len());
        let target = entry_for(&path, &bytes);
        let known = seeds
            .iter()
            .any(|(other, seed)| *other == target && seed.len() == bytes.len());
        if small
            && !known
            && path
                .components()
                .any(|part| part.as_os_str() == "collected")
        {
            seeds.push((target, bytes));
        }
    }
    for export in files_below(&root().join("tests/pfx")) {
        seeds.push(("pkcs12", std::fs::read(export).expect("an export")));
    }
    for rule in files_below(&root().join("src/rules/builtin"))
        .into_iter()
        .take(3)
    {
        seeds.push(("rule_file", std::fs::read(rule).expect("a rule")));
    }
    seeds.push(("diagnose", (0..=255).collect()));
    let sddl = b"O:SYG:SYD:PAI(A;;FA;;;SY)(A;;FA;;;BA)(A;;FR;;;NS)";
    seeds.push(("security_descriptor", sddl.to_vec()));
    let export = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\X]\r\n\"a\"=dword:00000001\r\n\"b\"=hex(7):61,00,00,00,\\\r\n  00,00\r\n\r\n[HKEY_LOCAL_MACHINE\\SYSTEM\\X\\y]\r\n@=\"z\"\r\n\r\n";
    seeds.push(("registry_text", export.as_bytes().to_vec()));
    let query = "\r\nHKEY_LOCAL_MACHINE\\SYSTEM\\X\r\n    a    REG_DWORD    0x1\r\n    b    REG_MULTI_SZ    x\\0y\r\n\r\nSERVICE_NAME: t\r\n        START_TYPE         : 3   DEMAND_START\r\n";
    seeds.push(("registry_text", query.as_bytes().to_vec()));
    let event = b"xmlns='e'><System><Provider Name='Schannel'/><EventID>36870</EventID><TimeCreated SystemTime='2026-11-12T16:00:00Z'/><Computer>a</Computer></System><EventData><Data Name='Type'>x&amp;</Data></EventData></Event>";
    seeds.push(("event_text", event.to_vec()));
    let listing = b"Cert Hash(sha1): 37378a1b06dcef1b4d4753f7d21e4f20b18fbfec\r\n  Key Container = a\r\n  Provider = b\r\n";
    seeds.push(("certificate_listing", listing.to_vec()));
    let list = b"PSParentPath  : Microsoft.PowerShell.Security\\Certificate::LocalMachine\\My\r\nThumbprint    : 37378A1B06DCEF1B4D4753F7D21E4F20B18FBFEC\r\nNotBefore     : 17/11/2026 06:10:00\r\nNotAfter      : 19/05/2027 06:10:00\r\nHasPrivateKey : True\r\n\r\nThumbprint                                Subject\r\n----------                                -------\r\nA50337AB015D5612B7DC4C1E759D201E74CC2A93  CN=a\r\n\r\n";
    seeds.push(("certificate_listing", list.to_vec()));
    let values = b"\"Store\"\t\"Thumbprint\"\t\"NotAfter\"\t\"IssuerThumbprint\"\r\n\"My\"\t\"37378a1b06dcef1b4d4753f7d21e4f20b18fbfec\"\t\"5/14/2027 6:10:00 AM\"\t\r\n";
    seeds.push(("certificate_listing", values.to_vec()));
    let running = b"\r\nSERVICE_NAME: t\r\n        STATE              : 1  STOPPED\r\n        WIN32_EXIT_CODE    : 1067  (0x42b)\r\n\r\n services                                    0  Disc\r\n>rdp-tcp#2         a                         2  Active\r\n rdp-tcp                                 65536  Listen\r\n\r\nx\r\n";
    seeds.push(("running_state", running.to_vec()));
    seeds
}

fn entry_named(name: &str) -> entry::Entry {
    let found = entry::ENTRIES.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("no entry {name}")).1
}

/// One place that is damaged, and how.
fn damage() -> impl Strategy<Value = (Index, Vec<u8>)> {
    (any::<Index>(), prop::collection::vec(any::<u8>(), 0..8))
}

proptest! {
    #![proptest_config(properties::cases(48))]

    #[test]
    fn damaged_files_are_read_or_refused(
        seed in any::<Index>(),
        damages in prop::collection::vec(damage(), 1..6),
        cut in prop::option::weighted(0.2, any::<Index>()),
    ) {
        let seeds = seeds();
        let (name, mut bytes) = seeds[seed.index(seeds.len())].clone();
        for (at, new) in damages {
            let at = at.index(bytes.len());
            let end = (at + new.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&new[..end - at]);
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        entry_named(name)(&bytes);
    }

    /// Pure noise, behind the marks that make a reader go on.
    #[test]
    fn noise_is_read_or_refused(
        which in 0..entry::ENTRIES.len(),
        mark in prop::sample::select(vec![&b""[..], b"ElfFile\0", b"ElfChnk\0", b"regf", b"hbin", b"\x30\x82", b"[[case]]\n", b"O:SYD:(A;;", b"REGEDIT4\n\n[HKEY_", b"HKEY_LOCAL_MACHINE\\a\n    "]),
        noise in prop::collection::vec(any::<u8>(), 0..4096),
    ) {
        let bytes = [mark, &noise].concat();
        (entry::ENTRIES[which].1)(&bytes);
    }
}
