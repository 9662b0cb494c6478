//! HTML: one file that opens anywhere, without a script and without anything fetched, to be read, printed and sent on.
//!
//! What it says is gathered here as plain texts; how it looks is the template's (`report.html`) and the style's (`style.css`).
//! All text goes through [`clean`] before the template escapes it for HTML.

mod chart;
mod reasoning;
mod sample;

use askama::Template;

use self::chart::Chart;
use self::reasoning::Reasoned;
use self::sample::Sampled;
use super::attempt_rows;
use super::clock::Clock;
use super::escape::{self, Charset};
use super::left_behind;
use super::source::Sources;
use super::text::attempts::locked_out;
use super::text::evidence::{Evidence, gather, true_tests};
use super::text::open::missing;
use super::text::repair::to_repair;
use super::text::ruled_out::{because, refutation, ruled_out};
use super::text::{count, finding, headline, in_role, related, thousands};
use crate::verdict::model::{
    Change, FactEntry, Finding, Level, Report, Role, SourceEntry, Status, TestRole, Tool,
};

/// Longer texts of the evidence are cut.
const LONGEST: usize = 400;
/// Longer commands are cut; none of ours is half as long.
const LONGEST_COMMAND: usize = 4000;
/// How many rows the long lists show; the rest is counted.
const MOST_CHANGES: usize = 40;
const MOST_CLIENTS: usize = 200;
/// How many attempts are shown one by one.
const MOST_ATTEMPTS: usize = 50;
const MOST_FILES: usize = 400;
const MOST_PROBLEMS: usize = 200;
const MOST_RULES: usize = 8;
/// How many places one observation names.
const MOST_PLACES: usize = 4;

#[derive(Template)]
#[template(path = "report.html", config = "src/report/html/askama.toml")]
struct Page {
    title: String,
    tool: String,
    zone: String,
    chart_width: String,
    cases: Vec<Case>,
}

/// One host's report.
struct Case {
    anchor: String,
    host: String,
    collection: Vec<String>,
    status: &'static str,
    mood: &'static str,
    title: String,
    summary: Vec<String>,
    sure: &'static str,
    rests_on: Vec<Ground>,
    moments: Vec<(String, String)>,
    related: Vec<Related>,
    chart: Option<Chart>,
    changes: Vec<Changed>,
    more_changes: usize,
    groups: Vec<EvidenceGroup>,
    reasoning: Vec<Reasoned>,
    negotiation: Option<Negotiated>,
    ruled_out: Vec<RuledOut>,
    missing: Vec<ToCollect>,
    repairs: Vec<Repair>,
    next: String,
    refuse: Vec<Refused>,
    connections: Vec<Client>,
    more_connections: String,
    attempts: Attempts,
    files: Vec<File>,
    more_files: usize,
    problems: Vec<(String, String)>,
    more_problems: usize,
    json: Sampled,
}

/// A test that carries the verdict.
struct Ground {
    role: &'static str,
    name: String,
    numbers: Vec<usize>,
}

struct Related {
    heading: &'static str,
    remark: &'static str,
    rows: Vec<(String, String)>,
}

struct Changed {
    time: String,
    what: String,
    numbers: Vec<usize>,
}

struct EvidenceGroup {
    title: String,
    known: Vec<usize>,
    rows: Vec<EvidenceRow>,
    more: String,
}

struct EvidenceRow {
    number: usize,
    time: String,
    says: String,
    places: Vec<Place>,
    more: String,
}

#[derive(Debug, PartialEq, Eq)]
struct Place {
    file: String,
    at: String,
    written: String,
}

struct Negotiated {
    versions: Vec<[String; 3]>,
    suites: Vec<[String; 3]>,
    groups: String,
    clients: Vec<[String; 4]>,
}

struct RuledOut {
    cause: String,
    title: String,
    because: String,
    numbers: Vec<usize>,
}

struct ToCollect {
    about: Vec<String>,
    rules: String,
    obtain: String,
}

struct Repair {
    cause: String,
    title: String,
    steps: Vec<Step>,
}

struct Step {
    step: String,
    run: String,
    risk: String,
    rollback: String,
    verify: String,
}

struct Refused {
    advice: String,
    why: String,
    instead: String,
}

struct Attempts {
    titles: [&'static str; 6],
    rows: Vec<[String; 6]>,
    before: String,
}

struct Client {
    client: String,
    counts: &'static str,
    attempts: String,
    reached: String,
    first: String,
    last: String,
    state: String,
}

struct File {
    path: String,
    kind: String,
    bytes: String,
    records: String,
    span: String,
    coverage: String,
    sha256: String,
    problems: Vec<String>,
}

/// The reports as one page.
pub(super) fn render(reports: &[Report], clock: &Clock) -> String {
    let several = reports.len() > 1;
    let title = match reports {
        [] => "Remote Desktop".to_owned(),
        [one] => format!("{}: {}", headline::host_name(one), one.verdict.title),
        many => format!("Remote Desktop on {} machines", many.len()),
    };
    let tool = Tool::this();
    let page = Page {
        title: clean(&title),
        tool: format!("{} {}", tool.name, tool.version),
        zone: clean(&clock.zone_name()),
        chart_width: chart::width(),
        cases: reports
            .iter()
            .enumerate()
            .map(|(index, report)| {
                let anchor = match several {
                    true => format!("host{}-", index + 1),
                    false => String::new(),
                };
                case(report, anchor, clock)
            })
            .collect(),
    };
    page.render()
        .expect("the template writes to memory and calls nothing that fails")
}

/// Text of the evidence: nothing in it acts, and it is not too long for a page.
fn clean(text: &str) -> String {
    escape::prose(&escape::cut(text, LONGEST), Charset::Unicode)
}

/// Commands keep their lines.
fn command(text: &str) -> String {
    let lines: Vec<String> = escape::cut(text, LONGEST_COMMAND)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .map(|line| escape::visible(line.trim_end(), Charset::Unicode))
        .collect();
    lines.join("\n")
}

fn optional(text: Option<&String>) -> String {
    text.map(|text| clean(text)).unwrap_or_default()
}

fn case(report: &Report, anchor: String, clock: &Clock) -> Case {
    let sources = Sources::of(report);
    let mut evidence = Evidence::new(&sources, clock, true);
    gather(
        report,
        &mut evidence,
        &ruled_out(report).collect::<Vec<_>>(),
    );
    let verdict = &report.verdict;
    let telling: Vec<&Change> = report
        .changes
        .iter()
        .filter(|change| change.is_telling())
        .collect();
    let (status, mood, sure) = words(verdict.status);
    let mut summary = vec![clean(&verdict.summary)];
    summary.retain(|text| !text.is_empty());
    Case {
        host: clean(&headline::host_name(report)),
        collection: headline::collection(report, clock)
            .iter()
            .skip(1)
            .map(|piece| clean(piece))
            .collect(),
        status,
        mood,
        title: clean(&verdict.title),
        summary,
        sure,
        rests_on: rests_on(report, &evidence),
        moments: moments(report, clock),
        related: related(report, clock),
        chart: chart::chart(report, &telling, clock),
        more_changes: telling.len().saturating_sub(MOST_CHANGES),
        changes: telling
            .iter()
            .take(MOST_CHANGES)
            .map(|change| Changed {
                time: clock.full(&change.time),
                what: clean(&related::what(change)),
                numbers: evidence.numbers_of(&change.evidence),
            })
            .collect(),
        groups: groups(&evidence, &sources, clock),
        reasoning: reasoning::reasoning(report, &evidence),
        negotiation: negotiation(report),
        ruled_out: refuted(report, &evidence),
        missing: missing(report)
            .iter()
            .map(|piece| ToCollect {
                about: piece
                    .about
                    .iter()
                    .map(|(kind, why)| clean(&format!("{kind}: {why}")))
                    .collect(),
                rules: some_rules(&piece.rules),
                obtain: command(piece.obtain),
            })
            .collect(),
        repairs: to_repair(report).map(repair).collect(),
        next: next(report),
        refuse: verdict
            .refuse
            .iter()
            .map(|refusal| Refused {
                advice: clean(&refusal.advice),
                why: clean(&refusal.why),
                instead: clean(&refusal.instead),
            })
            .collect(),
        connections: clients(report, clock),
        more_connections: more_clients(report),
        attempts: attempts(report, clock),
        files: files(report, clock),
        more_files: report.artifacts.len().saturating_sub(MOST_FILES),
        problems: report
            .problems
            .iter()
            .take(MOST_PROBLEMS)
            .map(|problem| {
                let place: Vec<&str> = [&problem.artifact, &problem.at]
                    .into_iter()
                    .flatten()
                    .map(String::as_str)
                    .collect();
                (clean(&place.join(", ")), clean(&problem.message))
            })
            .collect(),
        more_problems: report.problems.len().saturating_sub(MOST_PROBLEMS),
        json: sample::json(report),
        anchor,
    }
}

/// The level, how it is set, and what it means.
fn words(status: Status) -> (&'static str, &'static str, &'static str) {
    let word = headline::word(status);
    let (mood, sure) = match status {
        Status::Confirmed => (
            "bad",
            "Confirmed: all that must hold for this cause holds, something that only this cause leaves behind was found, and \
             nothing speaks against it.",
        ),
        Status::Likely => (
            "bad",
            "Likely: all that must hold for this cause holds and the evidence speaks for it, but something that would prove or \
             refute it could not be checked.",
        ),
        Status::Possible => (
            "warn",
            "Possible: something speaks for this cause, and too much is missing to say more.",
        ),
        Status::Inconclusive => (
            "warn",
            "Inconclusive: the evidence does not tell. What would settle it is listed under “Could not check”.",
        ),
        Status::Healthy => (
            "good",
            "No fault was found, and the collection covers enough to say so.",
        ),
    };
    (word, mood, sure)
}

fn rests_on(report: &Report, evidence: &Evidence<'_>) -> Vec<Ground> {
    in_role(report, Role::RootCause)
        .flat_map(true_tests)
        .map(|test| Ground {
            role: match test.role {
                TestRole::Decisive => "proof",
                TestRole::Require => "condition",
                TestRole::Support | TestRole::Exclude => "support",
            },
            name: clean(&test.name),
            numbers: evidence.numbers_of(&test.evidence),
        })
        .collect()
}

fn moments(report: &Report, clock: &Clock) -> Vec<(String, String)> {
    let verdict = &report.verdict;
    let mut found = Vec::new();
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            found.push((name.to_owned(), clean(&value)));
        }
    };
    let time = |time: &Option<String>| time.as_ref().map(|time| clock.full(time));
    add("Connections", Some(verdict.state.clone()));
    add("Last success", time(&verdict.last_success));
    add("First failure", time(&verdict.first_failure));
    add("Locked out", locked_out(report));
    add("Evidence ends", time(&report.host.as_of));
    add("Rule", verdict.cause.clone());
    add("Family", verdict.family.clone());
    let error = verdict.client_error.as_ref();
    add(
        "Client error",
        error.map(|error| format!("{}: {}", error.code, error.meaning)),
    );
    found
}

fn related(report: &Report, clock: &Clock) -> Vec<Related> {
    let consequences: Vec<(String, String)> = report
        .verdict
        .consequences
        .iter()
        .map(|cause| {
            let title = finding(report, cause).map(|finding| finding.title.as_str());
            (clean(cause), clean(title.unwrap_or_default()))
        })
        .collect();
    let of = |role: Role| -> Vec<(String, String)> {
        in_role(report, role)
            .map(|finding| {
                let level = level(finding.level);
                let says = match &finding.strikes {
                    Some(time) => {
                        format!("{} ({level}); strikes {}", finding.title, clock.full(time))
                    }
                    None => format!("{} ({level})", finding.title),
                };
                (clean(&finding.cause), clean(&says))
            })
            .collect()
    };
    let parts = [
        ("It explains", "found too, and cured with it", consequences),
        ("Also broken", "causes that stand beside it", of(Role::Also)),
        (
            "It is one of these",
            "the evidence cannot tell them apart",
            of(Role::Candidate),
        ),
        (
            "Makes it worse",
            "never the verdict by itself",
            of(Role::Contributing),
        ),
        (
            "Not harmful yet",
            "would break Remote Desktop later",
            of(Role::Latent),
        ),
        (
            left_behind::HEADING,
            left_behind::REMARK,
            left_behind::rows(report)
                .into_iter()
                .map(|(what, says)| (clean(&what), clean(&says)))
                .collect(),
        ),
    ];
    parts
        .into_iter()
        .filter(|(_, _, rows)| !rows.is_empty())
        .map(|(heading, remark, rows)| Related {
            heading,
            remark,
            rows,
        })
        .collect()
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Confirmed => "confirmed",
        Level::Likely => "likely",
        Level::Possible => "possible",
        Level::Undetermined => "open",
        Level::RuledOut => "ruled out",
    }
}

fn groups(evidence: &Evidence<'_>, sources: &Sources<'_>, clock: &Clock) -> Vec<EvidenceGroup> {
    evidence
        .groups
        .iter()
        .map(|group| EvidenceGroup {
            title: clean(&group.title),
            known: group.known.clone(),
            rows: group
                .rows
                .iter()
                .map(|row| {
                    let (places, more) = row
                        .fact
                        .map(|fact| places(fact, sources, clock))
                        .unwrap_or_default();
                    EvidenceRow {
                        number: row.number,
                        time: row
                            .time
                            .as_ref()
                            .map(|time| clock.full(time))
                            .unwrap_or_default(),
                        says: clean(&row.says),
                        places,
                        more,
                    }
                })
                .collect(),
            more: match group.more {
                0 => String::new(),
                more => format!(
                    "and {} more, all in the JSON report",
                    thousands(more as u64)
                ),
            },
        })
        .collect()
}

/// Where a fact stands, file by file, and what to say of further places.
fn places(fact: &FactEntry, sources: &Sources<'_>, clock: &Clock) -> (Vec<Place>, String) {
    let found = sources.leaves(fact, MOST_PLACES + 1);
    let more = match found.len() > MOST_PLACES {
        true => format!("and more: {} in the JSON", fact.id),
        false => String::new(),
    };
    let mut places: Vec<Place> = Vec::new();
    for source in found.iter().take(MOST_PLACES) {
        let place = place(source, clock);
        match places.last_mut() {
            Some(last) if last.file == place.file && last.written == place.written => {
                last.at = format!("{}, {}", last.at, place.at);
            }
            _ => places.push(place),
        }
    }
    (places, more)
}

fn place(source: &SourceEntry, clock: &Clock) -> Place {
    let mut at = Vec::new();
    if let Some(record) = source.record {
        at.push(match source.offset {
            Some(offset) => format!("record {record} at {offset:#x}"),
            None => format!("record {record}"),
        });
    }
    if let Some(key) = &source.key {
        at.push(match &source.value {
            Some(value) if value.is_empty() => format!("{key}, default value"),
            Some(value) => format!("{key}\\{value}"),
            None => key.clone(),
        });
    }
    if let Some(thumbprint) = &source.thumbprint {
        at.push(format!("certificate {thumbprint}"));
    }
    if let Some(line) = source.line {
        at.push(format!("line {line}"));
    }
    if let Some(option) = &source.option {
        at.push(option.clone());
    }
    Place {
        file: optional(source.artifact.as_ref()),
        at: clean(&at.join(", ")),
        written: source
            .written
            .as_ref()
            .map(|time| clock.full(time))
            .unwrap_or_default(),
    }
}

fn negotiation(report: &Report) -> Option<Negotiated> {
    let server = report.negotiation.server.as_ref();
    let clients: Vec<[String; 4]> = report
        .negotiation
        .clients
        .iter()
        .map(|client| {
            let agreed: Vec<String> = [&client.version, &client.suite]
                .into_iter()
                .flatten()
                .map(|word| clean(word))
                .collect();
            [
                clean(&client.profile),
                clean(&client.outcome),
                agreed.join(", "),
                clean(&client.reason),
            ]
        })
        .collect();
    if server.is_none() && clients.is_empty() {
        return None;
    }
    let mut negotiated = Negotiated {
        versions: Vec::new(),
        suites: Vec::new(),
        groups: String::new(),
        clients,
    };
    if let Some(server) = server {
        let versions = server.versions.iter();
        negotiated.versions = versions
            .map(|version| {
                [
                    clean(&version.version),
                    clean(&version.state),
                    clean(&version.reason),
                ]
            })
            .collect();
        let suites = server.suites.iter().take(MOST_FILES);
        negotiated.suites = suites
            .map(|suite| {
                [
                    clean(&suite.name),
                    clean(&suite.standing),
                    clean(&suite.reason),
                ]
            })
            .collect();
        negotiated.groups = clean(&server.groups.join(", "));
    }
    Some(negotiated)
}

fn refuted(report: &Report, evidence: &Evidence<'_>) -> Vec<RuledOut> {
    ruled_out(report)
        .map(|finding| {
            let test = refutation(finding);
            RuledOut {
                cause: clean(&finding.cause),
                title: clean(&finding.title),
                because: clean(&test.map(because).unwrap_or_default()),
                numbers: test
                    .map(|test| evidence.numbers_of(&test.evidence))
                    .unwrap_or_default(),
            }
        })
        .collect()
}

fn some_rules(rules: &[&str]) -> String {
    let named: Vec<&str> = rules.iter().take(MOST_RULES).copied().collect();
    let more = match rules.len().saturating_sub(MOST_RULES) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    clean(&format!("{}{more}", named.join(", ")))
}

fn repair(finding: &Finding) -> Repair {
    let text = |text: &Option<String>| text.as_ref().map(|text| command(text)).unwrap_or_default();
    Repair {
        cause: clean(&finding.cause),
        title: clean(&finding.title),
        steps: finding
            .fixes
            .iter()
            .map(|fix| Step {
                step: clean(&fix.step),
                run: text(&fix.run),
                risk: optional(fix.risk.as_ref()),
                rollback: text(&fix.rollback),
                verify: optional(fix.verify.as_ref()),
            })
            .collect(),
    }
}

/// What to do where there is nothing to repair, or nothing yet.
fn next(report: &Report) -> String {
    let to_repair = to_repair(report).next().is_some();
    match (report.verdict.status, to_repair) {
        (Status::Healthy, _) => {
            "Nothing to repair on this machine. If somebody still cannot connect, look at what lies between: the network, a \
             gateway, the client; or name the client's address and the time of its attempt, and run rdptriage again."
        }
        (_, true) => "",
        (_, false) => {
            "Nothing is to be changed yet: collect first what is listed under “Could not check”, and run rdptriage again."
        }
    }
    .to_owned()
}

fn clients(report: &Report, clock: &Clock) -> Vec<Client> {
    let time = |time: &Option<String>| {
        time.as_ref()
            .map(|time| clock.full(time))
            .unwrap_or_default()
    };
    let (people, strangers): (Vec<_>, Vec<_>) = report
        .connections
        .iter()
        .partition(|connection| !connection.stranger);
    people
        .into_iter()
        .chain(strangers)
        .take(MOST_CLIENTS)
        .map(|connection| {
            let reached: Vec<String> = connection
                .reached
                .iter()
                .map(|(stage, number)| format!("{stage} {}", thousands(*number)))
                .collect();
            Client {
                client: clean(&connection.client),
                counts: match connection.stranger {
                    true => "no: never got in",
                    false => "yes",
                },
                attempts: thousands(connection.attempts),
                reached: clean(&reached.join(", ")),
                first: time(&connection.first),
                last: time(&connection.last),
                state: clean(&connection.state),
            }
        })
        .collect()
}

/// The latest attempts, a row each.
fn attempts(report: &Report, clock: &Clock) -> Attempts {
    let (rows, before) = attempt_rows::latest(report, MOST_ATTEMPTS, clock);
    Attempts {
        titles: attempt_rows::TITLES,
        rows: rows
            .into_iter()
            .map(|row| row.map(|cell| clean(&cell)))
            .collect(),
        before: match before {
            0 => String::new(),
            before => format!(
                "{} before them.",
                count(before as u64, "attempt", "attempts")
            ),
        },
    }
}

fn more_clients(report: &Report) -> String {
    let attempts: u64 = report
        .connections
        .iter()
        .map(|connection| connection.attempts)
        .fold(0, u64::saturating_add);
    let all = report.connections.len();
    match all.saturating_sub(MOST_CLIENTS) {
        0 => String::new(),
        more => format!(
            "and {} more; {} and {} in all.",
            thousands(more as u64),
            count(all as u64, "client", "clients"),
            count(attempts, "attempt", "attempts")
        ),
    }
}

fn files(report: &Report, clock: &Clock) -> Vec<File> {
    report
        .artifacts
        .iter()
        .take(MOST_FILES)
        .map(|artifact| File {
            path: clean(&artifact.path),
            kind: clean(&artifact.kind),
            bytes: thousands(artifact.bytes),
            records: artifact.records.map(thousands).unwrap_or_default(),
            span: match (&artifact.first, &artifact.last) {
                (Some(first), Some(last)) => {
                    format!("{} to {}", clock.full(first), clock.full(last))
                }
                (None, Some(last)) => format!("to {}", clock.full(last)),
                _ => String::new(),
            },
            coverage: clean(&artifact.coverage),
            sha256: optional(artifact.sha256.as_ref()),
            problems: artifact
                .problems
                .iter()
                .take(MOST_RULES)
                .map(|problem| clean(problem))
                .collect(),
        })
        .collect()
}
