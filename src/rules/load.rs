//! Reads one rule file and checks everything in it against the catalogue.

use std::collections::BTreeSet;
use std::ops::Range;

use jiff::SignedDuration;
use toml::Spanned;

use super::case;
use super::error::{Place, Reporter, RuleError};
use super::matcher::{self, Condition, Matcher};
use super::model::{
    Advice, Count, Family, FixStep, Rule, Standing, Test, TestRole, TestStanding, TestWindow,
};
use super::raw;
use crate::facts::catalog::{self, Kind, Nature};
use crate::facts::incident::Anchor;

mod texts;

use texts::{Texts, fix_step};

/// A rule with the places in its file that checks of the whole set point at.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The rule.
    pub rule: Rule,
    /// The file, as the user named it.
    pub(super) file: String,
    /// Its text.
    pub(super) text: String,
    /// Where its id stands.
    pub(super) id_span: Range<usize>,
    /// Where each of the ids stands that it explains.
    pub(super) explains_spans: Vec<Range<usize>>,
}

/// Reads one rule.
///
/// # Errors
/// Everything that is wrong with it, in the order of the file.
pub fn load(file: &str, text: &str) -> Result<Loaded, Vec<RuleError>> {
    let raw: raw::Rule = toml::from_str(text).map_err(|error| {
        vec![RuleError {
            file: file.to_owned(),
            message: error.message().to_owned(),
            help: None,
            place: error.span().map(|span| Place::of(text, &span)),
        }]
    })?;
    let mut report = Reporter {
        file,
        text,
        errors: Vec::new(),
    };
    let rule = rule(&raw, &mut report);
    match rule {
        Some(rule) if report.errors.is_empty() => Ok(Loaded {
            rule,
            file: file.to_owned(),
            text: text.to_owned(),
            id_span: raw.id.span(),
            explains_spans: raw.explains.iter().map(Spanned::span).collect(),
        }),
        _ => {
            report
                .errors
                .sort_by_key(|error| error.place.as_ref().map(|at| (at.line, at.column)));
            Err(report.errors)
        }
    }
}

fn rule(raw: &raw::Rule, report: &mut Reporter<'_>) -> Option<Rule> {
    id(&raw.id, report);
    let family = word(&raw.family, "family", Family::ALL, Family::word, report);
    let standing = word(
        &raw.standing,
        "standing",
        Standing::ALL,
        Standing::word,
        report,
    );
    let tests = tests(raw, report);
    let kinds: BTreeSet<&str> = tests.iter().flatten().map(|test| test.kind.name).collect();
    let mut texts = Texts { kinds, report };
    let title = texts.template(&raw.title);
    let summary = texts.template(&raw.summary);
    let strikes = raw.strikes.as_ref().map(|field| texts.time(field));
    let names: Vec<&str> = names(raw);
    let mut earlier: Vec<&str> = Vec::new();
    let mut fixes: Vec<Option<FixStep>> = Vec::new();
    for fix in &raw.fix {
        fixes.push(fix_step(fix, &earlier, &names, &mut texts));
        earlier.extend(fix.run.as_ref().map(|run| run.get_ref().as_str()));
    }
    let refuse: Vec<Option<Advice>> = raw
        .refuse
        .iter()
        .map(|raw| {
            let (advice, why) = (texts.template(&raw.advice), texts.template(&raw.why));
            let instead = texts.template(&raw.instead);
            Some(Advice {
                advice: advice?,
                why: why?,
                instead: instead?,
            })
        })
        .collect();
    let cases: Vec<Option<case::Case>> =
        raw.case.iter().map(|raw| case::read(raw, report)).collect();
    unique(raw.case.iter().map(|case| &case.name), "case", report);
    let mut explained = BTreeSet::new();
    for id in &raw.explains {
        if !explained.insert(id.get_ref()) {
            report.wrong(&id.span(), format!("`{}` stands here twice", id.get_ref()));
        }
    }
    Some(Rule {
        id: raw.id.get_ref().clone(),
        file: report
            .file
            .rsplit(['/', '\\'])
            .next()
            .unwrap_or_default()
            .to_owned(),
        family: family?,
        standing: standing?,
        title: title?,
        summary: summary?,
        explains: raw.explains.iter().map(|id| id.get_ref().clone()).collect(),
        strikes: match strikes {
            Some(found) => Some(found?),
            None => None,
        },
        tests: tests.into_iter().collect::<Option<_>>()?,
        fixes: fixes.into_iter().collect::<Option<_>>()?,
        refuse: refuse.into_iter().collect::<Option<_>>()?,
        cases: cases.into_iter().collect::<Option<_>>()?,
    })
}

fn id(id: &Spanned<String>, report: &mut Reporter<'_>) {
    let letters = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    let text = id.get_ref();
    if text.is_empty() || !text.chars().all(letters) || text.starts_with('-') {
        report.wrong(
            &id.span(),
            "an id is lower-case words with hyphens between them",
        );
    }
}

/// One of the words of a fixed list.
pub(super) fn word<T: Copy>(
    given: &Spanned<String>,
    what: &str,
    all: &[T],
    word: fn(T) -> &'static str,
    report: &mut Reporter<'_>,
) -> Option<T> {
    let found = all
        .iter()
        .copied()
        .find(|each| word(*each) == given.get_ref());
    if found.is_none() {
        let words: Vec<&'static str> = all.iter().map(|each| word(*each)).collect();
        report.unknown(&given.span(), what, given.get_ref(), words.iter().copied());
    }
    found
}

/// The kind of that name.
pub(super) fn kind(name: &Spanned<String>, report: &mut Reporter<'_>) -> Option<&'static Kind> {
    let found = catalog::kind(name.get_ref());
    if found.is_none() {
        let names: Vec<&str> = catalog::KINDS.iter().map(|kind| kind.name).collect();
        report.unknown(
            &name.span(),
            "fact kind",
            name.get_ref(),
            names.iter().copied(),
        );
    }
    found
}

fn unique<'a>(
    names: impl Iterator<Item = &'a Spanned<String>>,
    what: &str,
    report: &mut Reporter<'_>,
) {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name.get_ref().clone()) {
            report.wrong(
                &name.span(),
                format!("there is another {what} of this name"),
            );
        }
    }
}

fn roles(raw: &raw::Rule) -> [(TestRole, &Vec<raw::Test>); 4] {
    [
        (TestRole::Require, &raw.require),
        (TestRole::Decisive, &raw.decisive),
        (TestRole::Support, &raw.support),
        (TestRole::Exclude, &raw.exclude),
    ]
}

fn names(raw: &raw::Rule) -> Vec<&str> {
    let tests = roles(raw).into_iter().flat_map(|(_, tests)| tests);
    tests.map(|test| test.name.get_ref().as_str()).collect()
}

fn tests(raw: &raw::Rule, report: &mut Reporter<'_>) -> Vec<Option<Test>> {
    if raw.decisive.is_empty() {
        report.wrong_because(
            &raw.id.span(),
            "no test of this rule is decisive",
            Some("add [[decisive]]: what proves the cause when it is true".to_owned()),
        );
    }
    let all = roles(raw)
        .into_iter()
        .flat_map(|(_, tests)| tests.iter().map(|test| &test.name));
    unique(all, "test", report);
    let mut checked = Vec::new();
    for (role, tests) in roles(raw) {
        checked.extend(tests.iter().map(|raw| test(role, raw, report)));
    }
    checked
}

fn test(role: TestRole, raw: &raw::Test, report: &mut Reporter<'_>) -> Option<Test> {
    let kind = kind(&raw.fact, report)?;
    let conditions: Vec<Option<Condition>> = raw
        .conditions
        .iter()
        .map(|(name, toml)| {
            let field = field(kind, name, report)?;
            match Matcher::parse(field.ty, toml.get_ref()) {
                Ok(matcher) => {
                    let fault = matcher.anchor() == Some(Anchor::Fault);
                    knows_fault(role, fault, &toml.span(), report);
                    Some(Condition { field, matcher })
                }
                Err((message, help)) => {
                    report.wrong_because(
                        &toml.span(),
                        format!("`{}`: {message}", field.name),
                        help,
                    );
                    None
                }
            }
        })
        .collect();
    let window = window(role, kind, raw, report);
    let count = raw
        .count
        .as_ref()
        .map_or(Some(Count::default()), |raw| count(raw, report));
    let standing = match &raw.standing {
        None => None,
        Some(given) => {
            let standing = word(
                given,
                "standing of a test",
                TestStanding::ALL,
                TestStanding::word,
                report,
            )?;
            match (role, standing) {
                (TestRole::Decisive, _) | (TestRole::Require, TestStanding::Latent) => {}
                _ => report.wrong(
                    &given.span(),
                    "only a decisive has a standing, or a require the standing `latent`",
                ),
            }
            Some(standing)
        }
    };
    Some(Test {
        name: raw.name.get_ref().clone(),
        role,
        kind,
        conditions: conditions.into_iter().collect::<Option<_>>()?,
        window: window?,
        count: count?,
        standing,
    })
}

/// The field of that name.
pub(super) fn field(
    kind: &'static Kind,
    name: &Spanned<String>,
    report: &mut Reporter<'_>,
) -> Option<&'static catalog::Field> {
    let found = kind.field(name.get_ref());
    if found.is_none() {
        let names = kind.fields.iter().map(|field| field.name);
        report.unknown(
            &name.span(),
            &format!("field of `{}`", kind.name),
            name.get_ref(),
            names,
        );
    }
    found
}

fn knows_fault(role: TestRole, asks: bool, span: &Range<usize>, report: &mut Reporter<'_>) {
    if asks && matches!(role, TestRole::Require | TestRole::Decisive) {
        report.wrong(
            span,
            "`fault` is the time of the requires and decisives, so these cannot ask for it",
        );
    }
}

fn window(
    role: TestRole,
    kind: &Kind,
    raw: &raw::Test,
    report: &mut Reporter<'_>,
) -> Option<TestWindow> {
    let mut anchor = |given: &Spanned<String>| match matcher::anchor_named(given.get_ref()) {
        Ok(anchor) => {
            knows_fault(role, anchor == Anchor::Fault, &given.span(), report);
            Some(anchor)
        }
        Err((message, help)) => {
            report.wrong_because(&given.span(), message, help);
            None
        }
    };
    let sides = raw.after.as_ref().or(raw.before.as_ref());
    match (&raw.window, &raw.within, sides) {
        (None, None, None) => Some(TestWindow::Usual),
        (Some(window), None, None) => {
            if window.get_ref() != "all" {
                report.wrong(&window.span(), "the only window is \"all\"");
            } else if kind.nature == Nature::State {
                let message = format!("`{}` is a state: it is asked as it stands", kind.name);
                report.wrong(&window.span(), message);
            }
            Some(TestWindow::All)
        }
        (None, Some(within), None) => {
            let anchor = anchor(&within.get_ref().of);
            let minutes = &within.get_ref().minutes;
            // A year, in minutes; more would be no bracket around anything.
            if !(1..=527_040).contains(minutes.get_ref()) {
                report.wrong(
                    &minutes.span(),
                    "`minutes` is at least 1 and at most a year",
                );
                return None;
            }
            Some(TestWindow::Within(
                anchor?,
                SignedDuration::from_mins(*minutes.get_ref()),
            ))
        }
        (None, None, Some(_)) => {
            let after = raw.after.as_ref().map(&mut anchor);
            let before = raw.before.as_ref().map(&mut anchor);
            match (after, before) {
                (Some(None), _) | (_, Some(None)) => None,
                (after, before) => Some(TestWindow::Between {
                    after: after.flatten(),
                    before: before.flatten(),
                }),
            }
        }
        _ => {
            report.wrong(
                &raw.name.span(),
                "a test takes one of `window`, `within`, or `before` and `after`",
            );
            None
        }
    }
}

fn count(raw: &Spanned<raw::Count>, report: &mut Reporter<'_>) -> Option<Count> {
    let raw::Count { min, max } = raw.get_ref();
    // Without a `min`, `max = 0` asks for absence.
    let min = min.unwrap_or(usize::from(*max != Some(0)));
    if max.is_some_and(|max| max < min) {
        report.wrong(&raw.span(), "`max` is below `min`");
        return None;
    }
    if min == 0 && max.is_none() {
        report.wrong(&raw.span(), "no fact or more: this is always so");
        return None;
    }
    Some(Count { min, max: *max })
}

#[cfg(test)]
mod tests;
