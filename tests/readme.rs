//! Every console block of README.md is run, and must print and return what README.md shows. A line `...` stands for any number of
//! lines; `? 1` says the exit code.
//!
//! Not by trycmd: it makes every backslash a slash, and registry keys are what these screens are full of.

use std::path::Path;
use std::process::Command;

struct Screen {
    command: String,
    code: i32,
    lines: Vec<String>,
}

fn screens(readme: &str) -> Vec<Screen> {
    let mut found = Vec::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        if line != "```console" {
            continue;
        }
        let command = lines
            .next()
            .and_then(|line| line.strip_prefix("$ "))
            .expect("a command");
        let mut code = 0;
        let mut shown = Vec::new();
        for line in lines.by_ref().take_while(|line| *line != "```") {
            match line.strip_prefix("? ") {
                Some(number) if shown.is_empty() => code = number.parse().expect("an exit code"),
                _ => shown.push(line.to_owned()),
            }
        }
        found.push(Screen {
            command: command.to_owned(),
            code,
            lines: shown,
        });
    }
    found
}

/// Whether the printed lines are those shown, with anything in the place of `...`.
fn fits(shown: &[String], printed: &[&str]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first == "..." => {
            (0..=printed.len()).any(|skipped| fits(rest, &printed[skipped..]))
        }
        Some((first, rest)) => match printed.split_first() {
            Some((line, others)) => line.trim_end() == first.trim_end() && fits(rest, others),
            None => first.is_empty() && fits(rest, printed),
        },
    }
}

#[test]
fn the_screens_of_the_readme_are_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let screens = screens(&readme);
    assert!(screens.len() >= 2, "{} console blocks", screens.len());
    for screen in screens {
        let arguments = screen
            .command
            .strip_prefix("rdptriage ")
            .expect("a command of rdptriage");
        let output = Command::new(env!("CARGO_BIN_EXE_rdptriage"))
            .args(arguments.split_whitespace())
            .current_dir(root)
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env_remove("CLICOLOR_FORCE")
            .output()
            .unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        let lines: Vec<&str> = printed.lines().collect();
        assert!(
            fits(&screen.lines, &lines),
            "{} prints\n{printed}",
            screen.command
        );
        assert_eq!(
            output.status.code(),
            Some(screen.code),
            "{}",
            screen.command
        );
    }
}

#[test]
fn an_elision_stands_for_any_lines_and_for_nothing_else() {
    let shown = |lines: &[&str]| {
        lines
            .iter()
            .map(|line| (*line).to_owned())
            .collect::<Vec<_>>()
    };
    assert!(fits(&shown(&["a", "...", "d"]), &["a", "b", "c", "d"]));
    assert!(!fits(&shown(&["a", "...", "d"]), &["a", "b", "c"]));
    assert!(!fits(&shown(&["a", "b"]), &["a", "c"]));
}
