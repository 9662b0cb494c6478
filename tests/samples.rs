//! Every sample gives the verdict that its `expect.toml` names, and is, byte for byte, what the project's own writers forge.
//!
//! `RDPTRIAGE_FORGE=1 cargo test --test samples` writes the samples anew instead of comparing them.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use serde::Deserialize;
use support::samples::{Sample, forge_all};

/// What a sample's verdict must be. What is not named is not compared.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expectation {
    /// What it shows, for whoever reads the folder.
    shows: String,
    status: String,
    cause: Option<String>,
    state: String,
    exit: i32,
    #[serde(default)]
    consequences: Vec<String>,
    #[serde(default)]
    also: Vec<String>,
    #[serde(default)]
    contributing: Vec<String>,
    #[serde(default)]
    latent: Vec<String>,
    #[serde(default)]
    candidates: Vec<String>,
    /// Some of the rules that must be ruled out.
    #[serde(default)]
    ruled_out: Vec<String>,
    /// Some of the things that could not be checked, as the gaps' kinds.
    #[serde(default)]
    gaps: Vec<String>,
    /// Options of `diagnose` that the sample is run with.
    #[serde(default)]
    options: Vec<String>,
}

fn samples_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let forge = std::env::var_os("RDPTRIAGE_FORGE").is_some();
    let mut trials = Vec::new();
    for sample in forge_all() {
        let name = sample.name;
        if forge {
            write(&sample);
        }
        trials.push(Trial::test(format!("{name} is as forged"), move || {
            same_bytes(&sample)
        }));
        trials.push(Trial::test(
            format!("{name} gives its verdict"),
            move || verdict(name),
        ));
    }
    trials.push(Trial::test("every sample is forged and small", || {
        folder_is_complete()
    }));
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn write(sample: &Sample) {
    let folder = samples_folder().join(sample.name).join("collected");
    let _ = fs::remove_dir_all(&folder);
    for (name, bytes) in &sample.files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&folder)).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(folder).unwrap();
            files.insert(
                name.to_string_lossy().replace('\\', "/"),
                fs::read(entry.path()).unwrap(),
            );
        }
    }
    files
}

fn same_bytes(sample: &Sample) -> Result<(), Failed> {
    let found = files_below(&samples_folder().join(sample.name).join("collected"));
    let names: Vec<_> = found.keys().collect();
    let wanted: Vec<_> = sample.files.keys().collect();
    if names != wanted {
        return Err(format!("the folder holds {names:?}, the writers forge {wanted:?}").into());
    }
    for (name, bytes) in &sample.files {
        if found[name] != *bytes {
            return Err(format!("{name} is not what the writers forge").into());
        }
    }
    Ok(())
}

fn verdict(name: &str) -> Result<(), Failed> {
    let folder = samples_folder().join(name);
    let text = fs::read_to_string(folder.join("expect.toml"))?;
    let expected: Expectation = toml::from_str(&text)?;
    if expected.shows.trim().is_empty() {
        return Err("expect.toml does not say what the sample shows".into());
    }
    let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["diagnose", "-f", "json"])
        .args(&expected.options)
        .arg(folder.join("collected"))
        .output()?;
    if !output.stderr.is_empty() {
        return Err(format!(
            "standard error: {}",
            String::from_utf8_lossy(&output.stderr)
        )
        .into());
    }
    let json: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let schema = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .arg("schema")
        .output()?;
    let schema: serde_json::Value = serde_json::from_slice(&schema.stdout)?;
    jsonschema::validate(&schema, &json)
        .map_err(|error| format!("the schema does not hold: {error}"))?;
    let reports = json["reports"].as_array().ok_or("no reports")?;
    if reports.len() != 1 {
        return Err(format!("{} reports", reports.len()).into());
    }
    let report = &reports[0];
    let verdict = &report["verdict"];
    let mut wrong = Vec::new();
    let mut compare = |what: &str, found: serde_json::Value, wanted: serde_json::Value| {
        if found != wanted {
            wrong.push(format!("{what}: {found}, expected {wanted}"));
        }
    };
    compare("status", verdict["status"].clone(), expected.status.into());
    compare("cause", verdict["cause"].clone(), expected.cause.into());
    compare("state", verdict["state"].clone(), expected.state.into());
    compare(
        "exit code",
        output.status.code().into(),
        expected.exit.into(),
    );
    for (what, wanted) in [
        ("consequences", expected.consequences),
        ("also", expected.also),
        ("contributing", expected.contributing),
        ("latent", expected.latent),
        ("candidates", expected.candidates),
    ] {
        compare(what, verdict[what].clone(), wanted.into());
    }
    let findings = report["findings"].as_array().ok_or("no findings")?;
    for cause in expected.ruled_out {
        let found = findings
            .iter()
            .find(|finding| finding["cause"] == cause.as_str());
        let level = found.map_or("no such rule", |finding| {
            finding["level"].as_str().unwrap_or("")
        });
        if level != "ruled-out" {
            wrong.push(format!("{cause} is {level}, not ruled out"));
        }
    }
    let gaps = report["gaps"].as_array().ok_or("no gaps")?;
    for kind in expected.gaps {
        if !gaps.iter().any(|gap| gap["kind"] == kind.as_str()) {
            wrong.push(format!("no gap about {kind}"));
        }
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(wrong.join("\n").into())
    }
}

/// A program for many machines, and none itself.
const FLEET: &str = "fleet";

fn folder_is_complete() -> Result<(), Failed> {
    let forged: Vec<&str> = forge_all().iter().map(|sample| sample.name).collect();
    let mut total = 0;
    for entry in fs::read_dir(samples_folder())? {
        let path = entry?.path();
        if path.is_dir() {
            let name = path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if name != FLEET && !forged.contains(&name.as_str()) {
                return Err(format!("samples/{name} is not forged by the project").into());
            }
            total += files_below(&path).values().map(Vec::len).sum::<usize>();
        }
    }
    if total > 15_000_000 {
        return Err(format!("the samples have {total} bytes together, more than 15 MB").into());
    }
    Ok(())
}
