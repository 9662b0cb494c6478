//! Markdown, for tickets and wikis: the screen's content, in what CommonMark and GitHub understand. Text of the evidence cannot
//! format, link or break out of its place.

use std::fmt::Write;

use super::clock::Clock;
use super::escape::{self, Charset};
use super::left_behind;
use super::source::Sources;
use super::text::evidence::{Evidence, gather, true_tests};
use super::text::open::missing;
use super::text::repair::to_repair;
use super::text::ruled_out::{because, refutation, ruled_out};
use super::text::{finding, headline, in_role, related, thousands};
use crate::verdict::model::{Change, Finding, Report, Role, Status};

/// Longer texts of the evidence are cut.
const LONGEST: usize = 400;
/// Longer commands are cut.
const LONGEST_COMMAND: usize = 4000;
const MOST_CHANGES: usize = 12;
const MOST_CLIENTS: usize = 30;
const MOST_FILES: usize = 60;
const MOST_PROBLEMS: usize = 20;

pub(super) fn render(reports: &[Report], clock: &Clock) -> String {
    let mut page = String::new();
    for (index, report) in reports.iter().enumerate() {
        if index > 0 {
            page.push_str("\n---\n\n");
        }
        one(&mut page, report, clock);
    }
    page
}

/// Writing to a String cannot fail.
macro_rules! put {
    ($page:expr, $($rest:tt)*) => {
        let _ = writeln!($page, $($rest)*);
    };
}

fn one(page: &mut String, report: &Report, clock: &Clock) {
    let sources = Sources::of(report);
    let mut evidence = Evidence::new(&sources, clock, true);
    gather(
        report,
        &mut evidence,
        &ruled_out(report).collect::<Vec<_>>(),
    );
    head(page, report, clock, &evidence);
    changes(page, report, clock);
    evidence_table(page, &evidence, clock);
    around(page, report);
    refuted(page, report, &evidence);
    open(page, report);
    repair(page, report);
    refuse(page, report);
    connections(page, report, clock);
    files(page, report);
}

fn head(page: &mut String, report: &Report, clock: &Clock, evidence: &Evidence<'_>) {
    let verdict = &report.verdict;
    put!(
        page,
        "# {}: {}\n",
        text(&headline::host_name(report)),
        text(&verdict.title)
    );
    let mut pieces = vec![format!("**{}**", headline::word(verdict.status))];
    pieces.extend(
        verdict
            .cause
            .as_ref()
            .map(|cause| format!("rule {}", code(cause))),
    );
    pieces.extend(
        headline::collection(report, clock)
            .iter()
            .skip(1)
            .map(|piece| text(piece)),
    );
    put!(page, "{}", pieces.join(" · "));
    if !verdict.summary.trim().is_empty() {
        put!(page, "\n{}", text(&verdict.summary));
    }
    let moments = [
        ("last success", &verdict.last_success),
        ("first failure", &verdict.first_failure),
    ];
    let mut line = vec![format!("connections: {}", text(&verdict.state))];
    for (name, time) in moments {
        if let Some(time) = time {
            line.push(format!(
                "{name} {} {}",
                clock.full(time),
                text(&clock.zone_name())
            ));
        }
    }
    put!(page, "\n{}", line.join(" · "));
    if let Some(error) = &verdict.client_error {
        put!(
            page,
            "\nClient error {}: {}",
            code(&error.code),
            text(&error.meaning)
        );
    }
    let grounds: Vec<_> = in_role(report, Role::RootCause)
        .flat_map(true_tests)
        .collect();
    if !grounds.is_empty() {
        put!(page, "\n## What it rests on\n");
    }
    for test in grounds {
        put!(
            page,
            "- {}{}",
            text(&test.name),
            numbers(&evidence.numbers_of(&test.evidence))
        );
    }
}

fn changes(page: &mut String, report: &Report, clock: &Clock) {
    let telling: Vec<&Change> = report
        .changes
        .iter()
        .filter(|change| change.is_telling())
        .collect();
    if telling.is_empty() {
        return;
    }
    put!(page, "\n## What changed\n");
    for change in telling.iter().take(MOST_CHANGES) {
        put!(
            page,
            "- {} {}",
            clock.full(&change.time),
            text(&related::what(change))
        );
    }
    more(page, telling.len(), MOST_CHANGES);
}

fn evidence_table(page: &mut String, evidence: &Evidence<'_>, clock: &Clock) {
    if evidence.groups.is_empty() {
        return;
    }
    put!(page, "\n## Evidence\n");
    put!(
        page,
        "| No. | Time ({}) | What it says | Where |",
        text(&clock.zone_name())
    );
    put!(page, "|--:|---|---|---|");
    for group in &evidence.groups {
        put!(
            page,
            "| | | *{}*{} | |",
            text(&group.title),
            numbers(&group.known)
        );
        for row in &group.rows {
            let time = row
                .time
                .as_ref()
                .map(|time| clock.full(time))
                .unwrap_or_default();
            put!(
                page,
                "| {} | {time} | {} | {} |",
                row.number,
                text(&row.says),
                text(&row.place)
            );
        }
        if group.more > 0 {
            put!(
                page,
                "| | | and {} more, all in the JSON report | |",
                thousands(group.more as u64)
            );
        }
    }
}

fn around(page: &mut String, report: &Report) {
    let consequences: Vec<&Finding> = report
        .verdict
        .consequences
        .iter()
        .filter_map(|cause| finding(report, cause))
        .collect();
    let parts = [
        ("It explains", consequences),
        ("Also broken", in_role(report, Role::Also).collect()),
        (
            "It is one of these",
            in_role(report, Role::Candidate).collect(),
        ),
        (
            "Makes it worse",
            in_role(report, Role::Contributing).collect(),
        ),
        ("Not harmful yet", in_role(report, Role::Latent).collect()),
    ];
    for (heading, findings) in parts {
        if findings.is_empty() {
            continue;
        }
        put!(page, "\n## {heading}\n");
        for finding in findings {
            put!(
                page,
                "- {} ({})",
                text(&finding.title),
                code(&finding.cause)
            );
        }
    }
    let left = left_behind::rows(report);
    if !left.is_empty() {
        put!(page, "\n## {}\n", left_behind::HEADING);
    }
    for (what, says) in left {
        put!(page, "- {} ({})", text(&says), code(&what));
    }
}

fn refuted(page: &mut String, report: &Report, evidence: &Evidence<'_>) {
    let findings: Vec<&Finding> = ruled_out(report).collect();
    if findings.is_empty() {
        return;
    }
    put!(page, "\n## Ruled out\n");
    for finding in findings {
        let test = refutation(finding);
        put!(
            page,
            "- {}: {}{}",
            code(&finding.cause),
            text(&test.map(because).unwrap_or_default()),
            numbers(
                &test
                    .map(|test| evidence.numbers_of(&test.evidence))
                    .unwrap_or_default()
            )
        );
    }
}

fn open(page: &mut String, report: &Report) {
    let missing = missing(report);
    if missing.is_empty() {
        return;
    }
    put!(page, "\n## Could not check\n");
    for piece in &missing {
        for (kind, why) in &piece.about {
            put!(page, "- {}", text(&format!("{kind}: {why}")));
        }
        put!(page, "  keeps open: {}\n", text(&piece.rules.join(", ")));
        fenced(page, "  ", piece.obtain);
    }
}

fn repair(page: &mut String, report: &Report) {
    put!(page, "\n## Repair");
    for finding in to_repair(report) {
        put!(
            page,
            "\n### {} ({})\n",
            text(&finding.title),
            code(&finding.cause)
        );
        for (index, fix) in finding.fixes.iter().enumerate() {
            put!(page, "{}. {}\n", index + 1, text(&fix.step));
            if let Some(run) = &fix.run {
                fenced(page, "   ", run);
            }
            let says = [
                ("Risk", &fix.risk),
                ("Undo", &fix.rollback),
                ("Verify", &fix.verify),
            ];
            for (name, says) in says {
                match (name, says) {
                    (_, None) => {}
                    ("Undo", Some(undo)) => {
                        put!(page, "   - {name}: {}", code(undo));
                    }
                    (_, Some(says)) => {
                        put!(page, "   - {name}: {}", text(says));
                    }
                }
            }
            page.push('\n');
        }
    }
    if to_repair(report).next().is_none() {
        let says = match report.verdict.status {
            Status::Healthy => "Nothing to repair on this machine.",
            _ => "Nothing is to be changed yet: collect first what could not be checked.",
        };
        put!(page, "\n{says}");
    }
}

fn refuse(page: &mut String, report: &Report) {
    if report.verdict.refuse.is_empty() {
        return;
    }
    put!(page, "\n## Do not\n");
    for refusal in &report.verdict.refuse {
        put!(
            page,
            "- **{}**: {} *Instead:* {}",
            text(&refusal.advice),
            text(&refusal.why),
            text(&refusal.instead)
        );
    }
}

fn connections(page: &mut String, report: &Report, clock: &Clock) {
    if report.connections.is_empty() {
        return;
    }
    put!(page, "\n## Connections by client\n");
    put!(page, "| Client | State | Attempts | Got as far as | Last |");
    put!(page, "|---|---|--:|---|---|");
    for client in report.connections.iter().take(MOST_CLIENTS) {
        let reached: Vec<String> = client
            .reached
            .iter()
            .map(|(stage, number)| format!("{stage} {number}"))
            .collect();
        let state = match client.stranger {
            true => format!("{}, never got in", client.state),
            false => client.state.clone(),
        };
        let last = client
            .last
            .as_ref()
            .map(|time| clock.full(time))
            .unwrap_or_default();
        put!(
            page,
            "| {} | {} | {} | {} | {last} |",
            text(&client.client),
            text(&state),
            thousands(client.attempts),
            text(&reached.join(", "))
        );
    }
    more(page, report.connections.len(), MOST_CLIENTS);
}

fn files(page: &mut String, report: &Report) {
    put!(page, "\n## Files read\n");
    put!(page, "| File | Kind | Bytes | Coverage | SHA-256 |");
    put!(page, "|---|---|--:|---|---|");
    for file in report.artifacts.iter().take(MOST_FILES) {
        put!(
            page,
            "| {} | {} | {} | {} | {} |",
            text(&file.path),
            text(&file.kind),
            thousands(file.bytes),
            text(&file.coverage),
            file.sha256.as_deref().map(code).unwrap_or_default()
        );
    }
    more(page, report.artifacts.len(), MOST_FILES);
    if report.problems.is_empty() {
        return;
    }
    put!(page, "\n## Could not be read\n");
    for problem in report.problems.iter().take(MOST_PROBLEMS) {
        let place: Vec<&str> = [&problem.artifact, &problem.at]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        put!(
            page,
            "- {}: {}",
            text(&place.join(", ")),
            text(&problem.message)
        );
    }
    more(page, report.problems.len(), MOST_PROBLEMS);
}

fn more(page: &mut String, all: usize, shown: usize) {
    if all > shown {
        put!(
            page,
            "\nand {} more, all in the JSON report",
            thousands((all - shown) as u64)
        );
    }
}

/// ` (evidence 2, 5)`, or nothing.
fn numbers(numbers: &[usize]) -> String {
    let words: Vec<String> = numbers.iter().map(ToString::to_string).collect();
    match words.is_empty() {
        true => String::new(),
        false => format!(" (evidence {})", words.join(", ")),
    }
}

/// Prose that is only prose: whatever Markdown would act on is escaped (CommonMark 0.31, 2.4; GitHub's bare links).
fn text(text: &str) -> String {
    let shown = escape::prose(&escape::cut(text, LONGEST), Charset::Unicode);
    let mut written = String::with_capacity(shown.len());
    for (at, character) in shown.char_indices() {
        let begins = at == 0;
        let acts = match character {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '~' | '&' | '#' | '!' | '$' => {
                true
            }
            '+' | '-' | '=' => begins,
            // "1." begins a list and "www." a link.
            '.' | ')' => {
                let before = shown.get(..at).unwrap_or_default();
                before.bytes().all(|byte| byte.is_ascii_digit())
                    || before.to_ascii_lowercase().ends_with("www")
            }
            ':' => shown.get(at..).is_some_and(|rest| rest.starts_with("://")),
            _ => false,
        };
        if acts {
            written.push('\\');
        }
        written.push(character);
    }
    written
}

/// A span of code, within as many backticks as it takes. A bar would end the cell of a table even there.
fn code(text: &str) -> String {
    let shown = escape::visible(&escape::cut(text, LONGEST_COMMAND), Charset::Unicode);
    let fence = "`".repeat(longest_run(&shown) + 1);
    let room = if shown.starts_with('`') || shown.ends_with('`') || shown.is_empty() {
        " "
    } else {
        ""
    };
    format!("{fence}{room}{shown}{room}{fence}")
}

/// A command as it is to be typed.
fn fenced(page: &mut String, indent: &str, command: &str) {
    let command = escape::cut(command, LONGEST_COMMAND);
    let fence = "`".repeat(longest_run(&command).max(2) + 1);
    put!(page, "{indent}{fence}text");
    for line in command.lines().filter(|line| !line.trim().is_empty()) {
        put!(
            page,
            "{indent}{}",
            escape::visible(line.trim_end(), Charset::Unicode)
        );
    }
    put!(page, "{indent}{fence}\n");
}

/// How many backticks stand together at most.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`')
        .map(str::len)
        .max()
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_cannot_format_or_link() {
        assert_eq!(text("[x](http://evil)"), "\\[x\\](http\\://evil)");
        assert_eq!(text("<b>|*_"), "\\<b\\>\\|\\*\\_");
        assert_eq!(text("www.evil.example"), "www\\.evil.example");
        assert_eq!(text("1. x"), "1\\. x");
        assert_eq!(text("a\n# b"), "a \\# b");
    }

    #[test]
    fn code_holds_whatever_it_holds() {
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`x"), "`` `x ``");
        let mut page = String::new();
        fenced(&mut page, "", "echo ```\n\u{202e}");
        assert!(
            page.starts_with("````text\necho ```\n\\u{202e}\n````"),
            "{page}"
        );
    }
}
