//! The screen: what a person reads first, top down: the verdict, what it rests on, what it does not rest on, what to do.
//!
//! The text carries terminal styles; whoever prints it keeps or strips them. What comes from the evidence is escaped.

pub(in crate::report) mod attempts;
mod clients;
pub(in crate::report) mod evidence;
mod explanation;
mod funnel;
pub(in crate::report) mod headline;
mod key_chain;
mod negotiation;
pub(in crate::report) mod next;
pub(in crate::report) mod open;
pub(in crate::report) mod paper;
pub(in crate::report) mod reasoning;
pub(in crate::report) mod related;
pub(in crate::report) mod repair;
mod rule;
pub(in crate::report) mod ruled_out;
pub(in crate::report) mod table;

use self::evidence::Evidence;
pub(super) use self::explanation::render as explanation;
pub(super) use self::negotiation::render as negotiation;
use self::paper::{Ink, Paper};
pub(super) use self::rule::render as rule;
use super::clock::Clock;
use super::escape::Charset;
use super::source::Sources;
use crate::verdict::model::{Finding, Report, Role};

/// From here on dates have their year and values their names.
const WIDE: usize = 100;

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    /// One line for each host.
    Verdict,
    /// The verdict, its evidence and the repair.
    Screen,
    /// The same, with every test of every rule.
    Reasoning,
}

/// How the screen is laid out.
#[derive(Debug, Clone)]
pub struct TextOptions {
    /// How many columns there are; between 60 and 200 are used.
    pub width: u16,
    /// The characters that can be shown.
    pub charset: Charset,
    /// The zone that times are shown in.
    pub clock: Clock,
    /// How much is said.
    pub detail: Detail,
}

/// The reports, one below the other.
pub(super) fn render(reports: &[Report], options: &TextOptions) -> String {
    let mut paper = Paper::new(options.width, options.charset);
    for (index, report) in reports.iter().enumerate() {
        if options.detail == Detail::Verdict {
            headline::one_line(&mut paper, report);
            continue;
        }
        if index > 0 {
            paper.blank();
            paper.line(0, &[(Ink::Dim, &"─".repeat(paper.width()))]);
            paper.blank();
        }
        screen(&mut paper, report, options);
    }
    paper.into_text()
}

fn screen(paper: &mut Paper, report: &Report, options: &TextOptions) {
    let clock = &options.clock;
    let sources = Sources::of(report);
    let mut evidence = Evidence::new(&sources, clock, paper.width() >= WIDE);

    headline::write(paper, report, clock);
    attempts::write(paper, report, clock);
    let suspects = ruled_out::suspects(report, options.detail);
    evidence::write(paper, report, &mut evidence, &suspects);
    key_chain::write(paper, report);
    related::write(paper, report, clock, &evidence);
    ruled_out::write(paper, report, &evidence, &suspects);
    clients::write(paper, &report.negotiation);
    open::write(paper, report, options.detail);
    repair::write(paper, report);
    if options.detail == Detail::Reasoning {
        funnel::write(paper, report, clock);
        reasoning::write(paper, report);
    }
    open::problems(paper, report);
    next::write(paper, report);
}

/// The finding of that rule.
pub(in crate::report) fn finding<'a>(report: &'a Report, cause: &str) -> Option<&'a Finding> {
    report
        .findings
        .iter()
        .find(|finding| finding.cause == cause)
}

/// The findings that play this part.
pub(in crate::report) fn in_role(report: &Report, role: Role) -> impl Iterator<Item = &Finding> {
    report
        .findings
        .iter()
        .filter(move |finding| finding.role == role)
}

/// `1 client`, `2 clients`; thousands are set apart.
pub(in crate::report) fn count(number: u64, one: &str, many: &str) -> String {
    format!(
        "{} {}",
        thousands(number),
        if number == 1 { one } else { many }
    )
}

/// `41,207`.
pub(in crate::report) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut set = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            set.push(',');
        }
        set.push(digit);
    }
    set
}
