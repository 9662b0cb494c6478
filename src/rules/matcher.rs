//! The operators of `where`: what one field of a fact must be.

use crate::facts::catalog::Field;
use crate::facts::incident::{Anchor, Anchors};
use crate::facts::known::Known;
use crate::facts::value::{FieldState, Value};

mod parse;

pub(super) use parse::{Wrong, anchor_named, value};

/// What one field must be.
#[derive(Debug, Clone)]
pub struct Condition {
    /// The field.
    pub field: &'static Field,
    /// What it must be.
    pub matcher: Matcher,
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matcher {
    /// This value. Texts are compared as Windows does, without regard to case.
    Equals(Value),
    /// One of these.
    AnyOf(Vec<Value>),
    /// Not that; a field that has no value is not anything.
    Not(Box<Matcher>),
    /// Not below `min`, not above `max`.
    Between {
        /// The least.
        min: Option<i64>,
        /// The most.
        max: Option<i64>,
    },
    /// Has this text in it; of a list, has this text as a member.
    Contains(String),
    /// Is like this, where `*` stands for anything; of a list, a member is.
    Matches(String),
    /// Lies before this moment.
    Before(Anchor),
    /// Lies after this moment.
    After(Anchor),
}

impl Matcher {
    /// Whether what is known of a field is so.
    #[must_use]
    pub fn ask(&self, state: &FieldState, moments: &Moments<'_>) -> Known<bool> {
        match (self, state) {
            (_, FieldState::Open(gap)) => Known::Open(*gap),
            (Matcher::Not(inner), _) => inner.ask(state, moments).not(),
            (_, FieldState::Nothing) => Known::Is(false),
            (_, FieldState::Is(found)) => self.ask_value(found, moments),
        }
    }

    fn ask_value(&self, found: &Value, moments: &Moments<'_>) -> Known<bool> {
        let member = |test: &dyn Fn(&str) -> bool| match found {
            Value::Text(text) => test(text),
            Value::List(list) => list
                .iter()
                .any(|each| matches!(each, Value::Text(text) if test(text))),
            _ => false,
        };
        Known::Is(match self {
            Matcher::Equals(asked) => same(asked, found),
            Matcher::AnyOf(asked) => match found {
                Value::List(list) => list
                    .iter()
                    .any(|each| asked.iter().any(|one| same(one, each))),
                _ => asked.iter().any(|one| same(one, found)),
            },
            Matcher::Not(inner) => return inner.ask_value(found, moments).not(),
            Matcher::Between { min, max } => match found {
                Value::Number(found) => within(*found, *min, *max),
                Value::Code(found) => within(i64::from(*found), *min, *max),
                _ => false,
            },
            Matcher::Contains(part) => {
                let part = part.to_lowercase();
                match found {
                    Value::List(_) => member(&|text| text.to_lowercase() == part),
                    _ => member(&|text| text.to_lowercase().contains(&part)),
                }
            }
            Matcher::Matches(pattern) => member(&|text| like(pattern, text)),
            Matcher::Before(anchor) => match (found, moments.at(*anchor)) {
                (Value::Time(found), Known::Is(Some(moment))) => *found < moment,
                (_, Known::Is(None)) => return Known::Open(moments.anchors.gap),
                (_, Known::Open(gap)) => return Known::Open(gap),
                _ => false,
            },
            Matcher::After(anchor) => match (found, moments.at(*anchor)) {
                (Value::Time(found), Known::Is(Some(moment))) => *found > moment,
                // Nobody ever got in, so everything came after that.
                (_, Known::Is(None)) => *anchor == Anchor::LastSuccess,
                (_, Known::Open(gap)) => return Known::Open(gap),
                _ => false,
            },
        })
    }

    /// The moments it is measured from.
    pub(super) fn anchor(&self) -> Option<Anchor> {
        match self {
            Matcher::Before(anchor) | Matcher::After(anchor) => Some(*anchor),
            Matcher::Not(inner) => inner.anchor(),
            _ => None,
        }
    }
}

/// The anchors, with the rule's own.
#[derive(Debug, Clone)]
pub struct Moments<'a> {
    /// Those of the host.
    pub anchors: &'a Anchors,
    /// When the rule's fault took effect.
    pub fault: Known<Option<jiff::Timestamp>>,
}

impl Moments<'_> {
    /// One of them. `Is(None)` only for a last success, when nobody ever got in.
    #[must_use]
    pub fn at(&self, anchor: Anchor) -> Known<Option<jiff::Timestamp>> {
        let settled = |moment: Option<jiff::Timestamp>| match moment {
            Some(moment) => Known::Is(Some(moment)),
            None => Known::Open(self.anchors.gap),
        };
        match anchor {
            Anchor::LastSuccess => self.anchors.last_success.clone(),
            Anchor::FirstFailure => self.anchors.first_failure.clone().and_then(settled),
            Anchor::Incident => settled(self.anchors.incident),
            Anchor::LastBoot => self.anchors.last_boot.clone().map(Some),
            Anchor::ServiceStart => self.anchors.service_start.clone().map(Some),
            Anchor::AsOf => settled(self.anchors.as_of),
            Anchor::Fault => self.fault.clone().and_then(settled),
        }
    }
}

fn same(asked: &Value, found: &Value) -> bool {
    match (asked, found) {
        (Value::Text(asked), Value::Text(found)) => asked.to_lowercase() == found.to_lowercase(),
        _ => asked == found,
    }
}

fn within(found: i64, min: Option<i64>, max: Option<i64>) -> bool {
    min.is_none_or(|min| min <= found) && max.is_none_or(|max| found <= max)
}

/// Whether the text is like the pattern, in which `*` stands for any characters or none. Linear but for the last star, which it may
/// move on once for each character.
fn like(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.to_lowercase().chars().collect();
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at, from));
            at += 1;
        } else if pattern.get(at) == text.get(from) {
            at += 1;
            from += 1;
        } else if let Some((star_at, star_from)) = star {
            star = Some((star_at, star_from + 1));
            at = star_at + 1;
            from = star_from + 1;
        } else {
            return false;
        }
    }
    pattern[at.min(pattern.len())..]
        .iter()
        .all(|char| *char == '*')
}

#[cfg(test)]
mod tests;
