//! Reads the operators of `where`, checked against the type of the field.

use toml::Value as Toml;

use super::Matcher;
use crate::facts::incident::Anchor;
use crate::facts::value::{FieldType, Value};
use crate::rules::error::suggestion;

const OPERATORS: [&str; 8] = [
    "any_of", "not", "min", "max", "contains", "matches", "before", "after",
];

/// What is wrong with a matcher, and what was meant.
pub(in crate::rules) type Wrong = (String, Option<String>);

impl Matcher {
    /// Reads what stands behind a field's name in `where`, for a field of this type.
    pub(in crate::rules) fn parse(ty: FieldType, toml: &Toml) -> Result<Self, Wrong> {
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
            let help = suggestion(name, OPERATORS);
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
}

fn use_instead(what: &str, instead: &str) -> Wrong {
    (
        format!("this takes {what}"),
        Some(format!("write {instead}")),
    )
}

/// One value for a field of this type, as a rule or a case writes it.
pub(in crate::rules) fn value(ty: FieldType, toml: &Toml) -> Result<Value, Wrong> {
    match (ty, toml) {
        (FieldType::Bool, Toml::Boolean(value)) => Ok(Value::Bool(*value)),
        (FieldType::Number, Toml::Integer(value)) => Ok(Value::Number(*value)),
        (FieldType::Code, _) => code(toml).map(Value::Code),
        (FieldType::Text | FieldType::Texts, Toml::String(value)) => Ok(Value::Text(value.clone())),
        (FieldType::Choice(words), Toml::String(word)) => {
            if words.contains(&word.as_str()) {
                return Ok(Value::Text(word.clone()));
            }
            let help = suggestion(word, words.iter().copied());
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
pub(in crate::rules) fn anchor_named(word: &str) -> Result<Anchor, Wrong> {
    let found = Anchor::ALL
        .iter()
        .copied()
        .find(|anchor| anchor.word() == word);
    found.ok_or_else(|| {
        let help = suggestion(word, Anchor::WORDS.iter().copied());
        (format!("unknown anchor `{word}`"), Some(help))
    })
}
