//! Texts for people: their placeholders are checked against what the rule's tests select.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;

use crate::facts::value::FieldType;
use crate::rules::command;
use crate::rules::error::Reporter;
use crate::rules::matcher::Wrong;
use crate::rules::model::FixStep;
use crate::rules::raw;
use crate::rules::template::{Placeholder, Template};

/// Kinds that say who the machine is and how it listens: any rule may name their fields without asking for them.
const OF_EVERY_MACHINE: [&str; 2] = ["host.identity", "listener.values"];

/// Checks texts with placeholders.
pub(super) struct Texts<'a, 'r> {
    pub(super) kinds: BTreeSet<&'static str>,
    pub(super) report: &'a mut Reporter<'r>,
}

impl Texts<'_, '_> {
    pub(super) fn template(&mut self, raw: &Spanned<String>) -> Option<Template> {
        match Template::parse(raw.get_ref()) {
            Ok(template) => {
                let fields: Vec<Placeholder> = template.placeholders().copied().collect();
                fields
                    .iter()
                    .all(|field| self.selected(field, &raw.span()))
                    .then_some(template)
            }
            Err(wrong) => self.misspelt(&raw.span(), wrong),
        }
    }

    fn optional(&mut self, raw: Option<&Spanned<String>>) -> Option<Option<Template>> {
        match raw {
            Some(raw) => self.template(raw).map(Some),
            None => Some(None),
        }
    }

    pub(super) fn time(&mut self, raw: &Spanned<String>) -> Option<Placeholder> {
        match Placeholder::parse(raw.get_ref()) {
            Ok(field) if field.ty() != Some(FieldType::Time) => {
                self.report
                    .wrong(&raw.span(), format!("`{}` holds no time", raw.get_ref()));
                None
            }
            Ok(field) => self.selected(&field, &raw.span()).then_some(field),
            Err(wrong) => self.misspelt(&raw.span(), wrong),
        }
    }

    fn misspelt<T>(&mut self, span: &Range<usize>, wrong: Wrong) -> Option<T> {
        let help = wrong.1.map(|near| format!("did you mean `{near}`?"));
        self.report.wrong_because(span, wrong.0, help);
        None
    }

    fn selected(&mut self, field: &Placeholder, span: &Range<usize>) -> bool {
        let known =
            self.kinds.contains(field.kind.name) || OF_EVERY_MACHINE.contains(&field.kind.name);
        if !known {
            let message = format!(
                "no test of this rule selects `{}`, so nothing fills this",
                field.kind.name
            );
            self.report.wrong(span, message);
        }
        known
    }
}

/// One step of a repair. Where its undo is left out, it is told from what the command line writes and an `earlier` one exported.
pub(super) fn fix_step(
    raw: &raw::Fix,
    earlier: &[&str],
    names: &[&str],
    texts: &mut Texts<'_, '_>,
) -> Option<FixStep> {
    let when = match &raw.when {
        None => Some(None),
        Some(name) => {
            let place = names.iter().position(|test| test == name.get_ref());
            if place.is_none() {
                let names = names.iter().copied();
                texts
                    .report
                    .unknown(&name.span(), "test of this rule", name.get_ref(), names);
            }
            place.map(Some)
        }
    };
    let step = texts.template(&raw.step);
    let run = texts.optional(raw.run.as_ref());
    let risk = texts.optional(raw.risk.as_ref());
    let told = match (&raw.run, &raw.rollback) {
        (Some(run), None) => {
            command::undo(run.get_ref(), earlier).map(|undo| Spanned::new(run.span(), undo))
        }
        _ => None,
    };
    let rollback = texts.optional(raw.rollback.as_ref().or(told.as_ref()));
    let verify = texts.optional(raw.verify.as_ref());
    Some(FixStep {
        step: step?,
        run: run?,
        risk: risk?,
        rollback: rollback?,
        verify: verify?,
        when: when?,
    })
}
