//! Data flows one way, and so do the imports: each stage of the pipeline knows only those before it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each stage may import from the crate, itself apart.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("bundle", &[]),
    ("parse", &["bundle"]),
    ("tls", &[]),
    ("facts", &["bundle", "parse", "tls"]),
    ("rules", &["facts"]),
    ("verdict", &["facts", "rules"]),
    ("lookup", &["bundle", "parse", "facts"]),
    ("explain", &["facts", "rules", "verdict"]),
    (
        "report",
        &["parse", "facts", "rules", "verdict", "lookup", "explain"],
    ),
];

fn rust_files(folder: &Path, into: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The stages that a source text names as `crate::stage`, comments aside.
fn imported(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    // Unit tests stand at the end of a file and may look anywhere.
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    for (number, line) in code.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (at, _) in code.match_indices("crate::") {
            if code[..at].ends_with('$') {
                continue; // a macro's own path
            }
            let stage: String = code[at + "crate::".len()..]
                .chars()
                .take_while(|letter| letter.is_ascii_lowercase() || *letter == '_')
                .collect();
            found.push((number + 1, stage));
        }
    }
    found
}

#[test]
fn imports_point_one_way() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (stage, may) in &allowed {
        let mut files = Vec::new();
        rust_files(&source.join(stage), &mut files);
        assert!(!files.is_empty(), "no source in src/{stage}");
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            for (line, other) in imported(&text) {
                seen += 1;
                if allowed.contains_key(other.as_str())
                    && other != *stage
                    && !may.contains(&other.as_str())
                {
                    wrong.push(format!(
                        "{}:{line}: {stage} imports {other}",
                        file.display()
                    ));
                }
                if other == "cli" {
                    wrong.push(format!(
                        "{}:{line}: {stage} imports the command line",
                        file.display()
                    ));
                }
            }
        }
    }
    assert!(
        seen > 20,
        "only {seen} imports were found: the test no longer sees them"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
