//! Where a collection lies, and what its folder is called, changes nothing of what is said of it.

mod support;

use std::path::{Path, PathBuf};
use std::process::Command;

use rdptriage::verdict::model::Report;
use support::verdict::{diagnosed, rules};

const SAMPLE: &str = "key-cut";

/// Names that file systems bear and programs stumble over.
fn names() -> Vec<String> {
    let mut names = vec![
        "with several  spaces".to_owned(),
        "-rf".to_owned(),
        "--exit-zero".to_owned(),
        "Überprüfung 証拠 🖥".to_owned(),
        "C%3A%5C100%".to_owned(),
        "x".repeat(200),
        "[case] {1} 'it' $HOME".to_owned(),
    ];
    if cfg!(unix) {
        names.extend([
            "two\nlines\tand a tab".to_owned(),
            "back\\slash: \"quoted\" <a>|*?".to_owned(),
        ]);
    }
    names
}

fn collected() -> PathBuf {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("samples");
    samples.join(SAMPLE).join("collected")
}

fn copy(from: &Path, to: &Path) {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.expect("an entry");
        let target = to.join(entry.path().strip_prefix(from).expect("below"));
        match entry.file_type().is_dir() {
            true => std::fs::create_dir_all(target).expect("a folder"),
            false => drop(std::fs::copy(entry.path(), target).expect("copied")),
        }
    }
}

fn report(folder: PathBuf) -> Report {
    let mut reports = diagnosed(&[folder], &rules());
    assert_eq!(reports.len(), 1, "one host");
    reports.remove(0)
}

#[test]
fn the_folders_name_does_not_matter() {
    let plain = report(collected());
    for name in names() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join(&name);
        copy(&collected(), &folder);
        assert_eq!(report(folder), plain, "{name:?}");
    }
}

#[test]
fn nor_how_deep_it_lies() {
    let plain = report(collected());
    let place = tempfile::tempdir().expect("a folder");
    // Longer than MAX_PATH of Windows many times over; Linux takes 4096 bytes at once.
    let mut folder = place.path().to_owned();
    for _ in 0..14 {
        folder = folder.join("d".repeat(200));
    }
    if std::fs::create_dir_all(&folder).is_err() {
        eprintln!("skipped: this file system takes no path as long as that");
        return;
    }
    copy(&collected(), &folder);
    assert_eq!(report(folder), plain);
}

#[test]
fn on_the_command_line_neither() {
    let run = |folder: &Path, working_in: &Path| {
        let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
            .current_dir(working_in)
            .args(["diagnose", "-f", "json", "--no-hash", "--"])
            .arg(folder)
            .output()
            .expect("it runs");
        (output.status.code(), output.stdout)
    };
    let plain = run(&collected(), Path::new("."));
    assert_eq!(plain.0, Some(1));
    for name in names() {
        let place = tempfile::tempdir().expect("a folder");
        copy(&collected(), &place.path().join(&name));
        assert_eq!(run(Path::new(&name), place.path()), plain, "{name:?}");
    }
}

/// The files' own names are told by what is in them; a name in the report is one line, whatever it holds.
#[cfg(unix)]
#[test]
fn a_files_name_of_two_lines_stays_one_line_of_the_report() {
    let place = tempfile::tempdir().expect("a folder");
    let log = collected().join("System.evtx");
    let found = walkdir::WalkDir::new(collected())
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .find(|path| path.ends_with("System.evtx"));
    let target = place.path().join("System\nCONFIRMED\u{1b}[31m.evtx");
    std::fs::copy(found.unwrap_or(log), target).expect("copied");
    let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
        .args(["diagnose", "--no-hash", "-v"])
        .arg(place.path())
        .output()
        .expect("it runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(!text.contains('\u{1b}'), "no command to the terminal");
    assert!(
        !text
            .lines()
            .any(|line| line.starts_with("CONFIRMED\u{fffd}") || line.starts_with("CONFIRMED.")),
        "no forged verdict:\n{text}"
    );
}
