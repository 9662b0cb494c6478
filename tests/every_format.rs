//! Every sample in every format that leaves the terminal, through the program; and the picture of a page that README.md shows.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The sample that README.md walks through, and its picture.
const PICTURED: &str = "ecdsa-only-policy";
const PICTURE: &str = "samples/ecdsa-only-policy/report.png";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn samples() -> Vec<PathBuf> {
    let folder = std::fs::read_dir(root().join("samples")).expect("the samples");
    let mut found: Vec<PathBuf> = folder
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("collected").is_dir())
        .collect();
    found.sort();
    assert!(found.len() > 20, "{found:?}");
    found
}

/// Writes a sample's report in all formats at once.
fn written(sample: &Path, folder: &Path) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rdptriage"));
    command
        .args(["diagnose", "-q"])
        .arg(sample.join("collected"));
    for extension in ["html", "md", "json", "jsonl", "csv", "txt"] {
        command
            .arg("-o")
            .arg(folder.join("case").with_extension(extension));
    }
    let output = command.stdin(Stdio::null()).output().expect("it starts");
    assert!(
        matches!(output.status.code(), Some(0 | 1 | 3)),
        "{}: {}",
        sample.display(),
        String::from_utf8_lossy(&output.stderr)
    );
}

#[test]
fn every_sample_leaves_in_every_format() {
    for sample in samples() {
        let name = sample.display();
        let folder = tempfile::tempdir().expect("a folder");
        written(&sample, folder.path());
        let text = |extension: &str| {
            let path = folder.path().join("case").with_extension(extension);
            std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{name}: {error}"))
        };
        let whole: serde_json::Value = serde_json::from_str(&text("json")).expect("JSON");
        let reports = whole["reports"].as_array().expect("reports");
        assert!(!reports.is_empty(), "{name}");
        assert_eq!(text("jsonl").lines().count(), reports.len(), "{name}");
        let page = text("html");
        let ticket = text("md");
        for report in reports {
            // What the page and the ticket say first is what the JSON says.
            let title = report["verdict"]["title"].as_str().expect("a title");
            let escaped = title.replace('&', "&amp;").replace('\'', "&#39;");
            let plain: String = ticket.chars().filter(|letter| *letter != '\\').collect();
            assert!(
                page.contains(&escaped),
                "{name}: {title} is not in the page"
            );
            assert!(
                plain.contains(title),
                "{name}: {title} is not in the ticket"
            );
            assert!(text("txt").split_whitespace().count() > 50, "{name}");
        }
        let timeline = text("csv");
        let mut rows = csv::Reader::from_reader(timeline.as_bytes());
        let told: usize = reports
            .iter()
            .map(|report| report["timeline"].as_array().map_or(0, Vec::len))
            .sum();
        let rows: Vec<csv::StringRecord> = rows.records().collect::<Result<_, _>>().expect("rows");
        assert!(rows.len() >= told, "{name}: {} rows of {told}", rows.len());
    }
}

/// README.md shows a page as a browser draws it. `RDPTRIAGE_BROWSER` names a Chromium: then the picture is drawn anew.
#[test]
fn the_picture_of_a_page() {
    let picture = root().join(PICTURE);
    match std::env::var_os("RDPTRIAGE_BROWSER") {
        None => eprintln!("RDPTRIAGE_BROWSER is not set: the picture is not drawn anew"),
        Some(browser) => {
            let folder = tempfile::tempdir().expect("a folder");
            written(&root().join("samples").join(PICTURED), folder.path());
            let status = Command::new(browser)
                .args([
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--hide-scrollbars",
                ])
                .arg("--window-size=1100,1380")
                .arg(format!(
                    "--user-data-dir={}",
                    folder.path().join("browser").display()
                ))
                .arg(format!("--screenshot={}", picture.display()))
                .arg(folder.path().join("case.html"))
                .stdin(Stdio::null())
                .stderr(Stdio::null())
                .status()
                .expect("the browser starts");
            assert!(status.success());
        }
    }
    let bytes = std::fs::read(&picture).expect("the picture is there");
    assert!(bytes.starts_with(b"\x89PNG"), "it is a PNG");
    assert!(bytes.len() < 400_000, "{} bytes", bytes.len());
    let readme = std::fs::read_to_string(root().join("README.md")).expect("README.md");
    assert!(readme.contains(PICTURE), "README.md shows it");
}
