//! The operators of `where`: what one field of a fact must be.

use toml::Value as Toml;

use crate::facts::catalog::Field;
use crate::facts::incident::{Anchor, Anchors};
use crate::facts::known::Known;
use crate::facts::value::{FieldState, FieldType, Value};

use super::error::nearest;

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

const OPERATORS: [&str; 8] = [
    "any_of", "not", "min", "max", "contains", "matches", "before", "after",
];

/// What is wrong with a matcher, and what was meant.
pub(super) type Wrong = (String, Option<String>);

impl Matcher {
    /// Reads what stands behind a field's name in `where`, for a field of this type.
    pub(super) fn parse(ty: FieldType, toml: &Toml) -> Result<Self, Wrong> {
        let Toml::Table(table) = toml else {
            return match (ty, toml) {
                (FieldType::Time, _) => {
                    Err(use_instead("a time", "{ before = .. } or { after = .. }"))
                }
                (FieldType::Texts, _) => Err(use_instead("a list", "{ contains = .. }")),
                (_, Toml::Array(_)) => Err(use_instead("one value", "{ any_of = [..] }")),
                _ => value(ty, toml).map(Matcher::Equals),
            };
        };
        if let Some(name) = table.keys().find(|key| !OPERATORS.contains(&key.as_str())) {
            let help = nearest(name, OPERATORS).map_or_else(
                || format!("there are: {}", OPERATORS.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            return Err((format!("unknown operator `{name}`"), Some(help)));
        }
        let bounds = ["min", "max"]
            .iter()
            .filter(|key| table.contains_key(**key))
            .count();
        match (table.len(), bounds) {
            (1, 0) | (1, 1) | (2, 2) => {}
            (0, _) => return Err(("no operator".to_owned(), Some(OPERATORS.join(", ")))),
            _ => {
                return Err(use_instead(
                    "one operator",
                    "{ min = .., max = .. } as the only pair",
                ));
            }
        }
        if bounds > 0 {
            let bound = |name: &str| table.get(name).map(|toml| number(ty, toml)).transpose();
            let (min, max) = (bound("min")?, bound("max")?);
            if matches!((min, max), (Some(min), Some(max)) if min > max) {
                return Err(("`min` is above `max`".to_owned(), None));
            }
            return Ok(Matcher::Between { min, max });
        }
        let Some((operator, operand)) = table.iter().next() else {
            return Err(("no operator".to_owned(), None));
        };
        match operator.as_str() {
            "any_of" => any_of(ty, operand),
            "not" => Ok(Matcher::Not(Box::new(Matcher::parse(ty, operand)?))),
            "contains" => text(ty, operator, operand).map(Matcher::Contains),
            "matches" => text(ty, operator, operand).map(Matcher::Matches),
            "before" => anchor(ty, operand).map(Matcher::Before),
            _ => anchor(ty, operand).map(Matcher::After),
        }
    }

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

fn use_instead(what: &str, instead: &str) -> Wrong {
    (
        format!("this takes {what}"),
        Some(format!("write {instead}")),
    )
}

/// One value for a field of this type, as a rule or a case writes it.
pub(super) fn value(ty: FieldType, toml: &Toml) -> Result<Value, Wrong> {
    match (ty, toml) {
        (FieldType::Bool, Toml::Boolean(value)) => Ok(Value::Bool(*value)),
        (FieldType::Number, Toml::Integer(value)) => Ok(Value::Number(*value)),
        (FieldType::Code, _) => code(toml).map(Value::Code),
        (FieldType::Text | FieldType::Texts, Toml::String(value)) => Ok(Value::Text(value.clone())),
        (FieldType::Choice(words), Toml::String(word)) => {
            if words.contains(&word.as_str()) {
                return Ok(Value::Text(word.clone()));
            }
            let help = nearest(word, words.iter().copied()).map_or_else(
                || format!("there are: {}", words.join(", ")),
                |near| format!("did you mean `{near}`?"),
            );
            Err((format!("unknown word `{word}`"), Some(help)))
        }
        _ => Err((
            format!("this takes {}, not {}", described(ty), toml.type_str()),
            None,
        )),
    }
}

fn described(ty: FieldType) -> String {
    match ty {
        FieldType::Bool => "true or false".to_owned(),
        FieldType::Number => "a whole number".to_owned(),
        FieldType::Code => "a code such as \"0x8009030D\"".to_owned(),
        FieldType::Text => "text".to_owned(),
        FieldType::Time => "a time".to_owned(),
        FieldType::Choice(words) => format!("one of: {}", words.join(", ")),
        FieldType::Texts => "a list of texts".to_owned(),
    }
}

fn code(toml: &Toml) -> Result<u32, Wrong> {
    let read = match toml {
        Toml::Integer(value) => u32::try_from(*value).ok(),
        Toml::String(text) => text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .filter(|digits| digits.len() <= 8)
            .and_then(|digits| u32::from_str_radix(digits, 16).ok()),
        _ => None,
    };
    read.ok_or_else(|| (format!("this takes {}", described(FieldType::Code)), None))
}

fn number(ty: FieldType, toml: &Toml) -> Result<i64, Wrong> {
    match (ty, toml) {
        (FieldType::Number, Toml::Integer(value)) => Ok(*value),
        (FieldType::Code, _) => code(toml).map(i64::from),
        (FieldType::Number, _) => Err(("this takes a whole number".to_owned(), None)),
        _ => Err((
            format!(
                "`min` and `max` compare numbers and codes, not {}",
                described(ty)
            ),
            None,
        )),
    }
}

fn any_of(ty: FieldType, operand: &Toml) -> Result<Matcher, Wrong> {
    let Toml::Array(list) = operand else {
        return Err(use_instead("a list", "{ any_of = [..] }"));
    };
    if list.is_empty() {
        return Err(("`any_of` of nothing is never true".to_owned(), None));
    }
    list.iter()
        .map(|each| value(ty, each))
        .collect::<Result<_, _>>()
        .map(Matcher::AnyOf)
}

fn text(ty: FieldType, operator: &str, operand: &Toml) -> Result<String, Wrong> {
    match (ty, operand) {
        (FieldType::Text | FieldType::Texts, Toml::String(text)) if !text.is_empty() => {
            Ok(text.clone())
        }
        (FieldType::Text | FieldType::Texts, _) => {
            Err((format!("`{operator}` takes a text"), None))
        }
        _ => Err((
            format!(
                "`{operator}` is for texts; this field holds {}",
                described(ty)
            ),
            None,
        )),
    }
}

fn anchor(ty: FieldType, operand: &Toml) -> Result<Anchor, Wrong> {
    match (ty, operand) {
        (FieldType::Time, Toml::String(word)) => anchor_named(word),
        (FieldType::Time, _) => Err((
            "this takes an anchor".to_owned(),
            Some(Anchor::WORDS.join(", ")),
        )),
        _ => Err((
            format!(
                "`before` and `after` are for times; this field holds {}",
                described(ty)
            ),
            None,
        )),
    }
}

/// The anchor of that name.
pub(super) fn anchor_named(word: &str) -> Result<Anchor, Wrong> {
    let found = Anchor::ALL
        .iter()
        .copied()
        .find(|anchor| anchor.word() == word);
    found.ok_or_else(|| {
        let help = nearest(word, Anchor::WORDS.iter().copied()).map_or_else(
            || format!("there are: {}", Anchor::WORDS.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        (format!("unknown anchor `{word}`"), Some(help))
    })
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
mod tests {
    use super::*;
    use crate::facts::gap::{Gap, Gaps};
    use crate::facts::incident::ConnectionState;

    fn anchors() -> Anchors {
        let gap = Gaps::default().record(Gap {
            about: String::new(),
            why: String::new(),
            obtain: String::new(),
        });
        Anchors {
            state: ConnectionState::Failing,
            last_success: Known::Is(None),
            first_failure: Known::Is("2026-03-02T08:10:00Z".parse().ok()),
            incident: None,
            last_boot: Known::Open(gap),
            service_start: Known::Open(gap),
            as_of: None,
            oldest: None,
            gap,
        }
    }

    fn ask(ty: FieldType, matcher: &str, state: &FieldState) -> Known<bool> {
        let table: toml::Table = format!("m = {matcher}").parse().unwrap();
        let anchors = anchors();
        let moments = Moments {
            fault: Known::Is(None),
            anchors: &anchors,
        };
        Matcher::parse(ty, &table["m"])
            .unwrap()
            .ask(state, &moments)
    }

    fn text(value: &str) -> FieldState {
        FieldState::Is(Value::Text(value.to_owned()))
    }

    #[test]
    fn texts_are_compared_as_windows_does() {
        assert_eq!(
            ask(FieldType::Text, "'termservice'", &text("TermService")),
            Known::Is(true)
        );
        assert_eq!(
            ask(
                FieldType::Text,
                "{ contains = 'TERM' }",
                &text("TermService")
            ),
            Known::Is(true)
        );
        assert_eq!(
            ask(
                FieldType::Text,
                "{ matches = '*\\machinekeys\\*' }",
                &text("C:\\MachineKeys\\f6")
            ),
            Known::Is(true)
        );
        assert_eq!(
            ask(FieldType::Text, "{ matches = 'a*b*c' }", &text("aXbYbZ")),
            Known::Is(false)
        );
    }

    #[test]
    fn codes_are_compared_as_numbers_without_sign() {
        let found = FieldState::Is(Value::Code(0x8009_030D));
        assert_eq!(
            ask(FieldType::Code, "'0x8009030d'", &found),
            Known::Is(true)
        );
        assert_eq!(
            ask(
                FieldType::Code,
                "{ min = '0x80090000', max = '0x8009FFFF' }",
                &found
            ),
            Known::Is(true)
        );
        assert_eq!(
            ask(
                FieldType::Code,
                "{ not = { any_of = ['0x8009030D', 0] } }",
                &found
            ),
            Known::Is(false)
        );
    }

    #[test]
    fn an_open_field_stays_open_under_every_operator_and_nothing_is_not_anything() {
        let gap = anchors().gap;
        for matcher in [
            "'a'",
            "{ not = 'a' }",
            "{ contains = 'a' }",
            "{ any_of = ['a'] }",
        ] {
            assert_eq!(
                ask(FieldType::Text, matcher, &FieldState::Open(gap)),
                Known::Open(gap)
            );
        }
        assert_eq!(
            ask(FieldType::Text, "{ not = 'a' }", &FieldState::Nothing),
            Known::Is(true)
        );
        assert_eq!(
            ask(FieldType::Text, "'a'", &FieldState::Nothing),
            Known::Is(false)
        );
    }

    #[test]
    fn members_of_lists() {
        let list = FieldState::Is(Value::List(vec![Value::Text("TLS 1.2".to_owned())]));
        assert_eq!(
            ask(FieldType::Texts, "{ contains = 'tls 1.2' }", &list),
            Known::Is(true)
        );
        assert_eq!(
            ask(FieldType::Texts, "{ contains = 'TLS' }", &list),
            Known::Is(false)
        );
        assert_eq!(
            ask(FieldType::Texts, "{ matches = 'TLS *' }", &list),
            Known::Is(true)
        );
        assert_eq!(
            ask(
                FieldType::Texts,
                "{ any_of = ['TLS 1.3', 'TLS 1.2'] }",
                &list
            ),
            Known::Is(true)
        );
    }

    #[test]
    fn times_are_measured_from_anchors() {
        let early = FieldState::Is(Value::Time("2026-03-01T00:00:00Z".parse().unwrap()));
        assert_eq!(
            ask(FieldType::Time, "{ before = 'first_failure' }", &early),
            Known::Is(true)
        );
        assert_eq!(
            ask(FieldType::Time, "{ after = 'first_failure' }", &early),
            Known::Is(false)
        );
        assert_eq!(
            ask(FieldType::Time, "{ before = 'incident' }", &early),
            Known::Open(anchors().gap)
        );
        assert_eq!(
            ask(FieldType::Time, "{ after = 'last_success' }", &early),
            Known::Is(true)
        );
    }

    #[test]
    fn what_does_not_fit_the_field_is_refused() {
        let parse = |ty, matcher: &str| {
            let table: toml::Table = format!("m = {matcher}").parse().unwrap();
            Matcher::parse(ty, &table["m"])
        };
        for (ty, matcher) in [
            (FieldType::Bool, "'true'"),
            (FieldType::Number, "{ contains = '1' }"),
            (FieldType::Code, "'8009030D'"),
            (FieldType::Text, "{ min = 1 }"),
            (FieldType::Text, "{ any_of = [] }"),
            (FieldType::Text, "{ like = 'a' }"),
            (FieldType::Text, "{ contains = 'a', matches = 'b' }"),
            (FieldType::Number, "{ min = 3, max = 2 }"),
            (FieldType::Time, "{ before = 'yesterday' }"),
            (FieldType::Choice(&["failing"]), "'failed'"),
        ] {
            assert!(parse(ty, matcher).is_err(), "{matcher}");
        }
    }
}
