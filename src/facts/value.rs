//! The values that facts carry, as rules and reports see them.

use jiff::Timestamp;
use serde::Serialize;

use super::gap::GapId;
use super::known::Known;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Number(i64),
    /// A status, error or HRESULT, written `0x8009030D`.
    Code(u32),
    /// Text.
    Text(String),
    /// A point in time.
    Time(Timestamp),
    /// Several values.
    List(Vec<Value>),
}

/// What is known of one field of one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldState {
    /// It has this value.
    Is(Value),
    /// It is known to have none.
    Nothing,
    /// It could not be told.
    Open(GapId),
}

/// What kind of value a field holds; rules are checked against it when they are loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldType {
    /// Yes or no.
    Bool,
    /// A whole number.
    Number,
    /// A 32-bit code, written in rules as `"0x8009030D"` or as a number.
    Code,
    /// Any text.
    Text,
    /// A point in time.
    Time,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Several texts.
    Texts,
}

/// A type that can stand in a field of a fact.
pub trait FieldValue {
    /// What rules may compare it with.
    const TYPE: FieldType;

    /// What is known of it.
    fn state(&self) -> FieldState;
}

/// A 32-bit status, error or HRESULT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(pub u32);

impl std::fmt::Display for Code {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "0x{:08X}", self.0)
    }
}

macro_rules! plain {
    ($($rust:ty, $kind:ident, |$value:ident| $made:expr;)*) => {$(
        impl FieldValue for $rust {
            const TYPE: FieldType = FieldType::$kind;
            fn state(&self) -> FieldState {
                let $value = self;
                FieldState::Is($made)
            }
        }
    )*};
}

plain! {
    bool, Bool, |value| Value::Bool(*value);
    u8, Number, |value| Value::Number(i64::from(*value));
    u16, Number, |value| Value::Number(i64::from(*value));
    u32, Number, |value| Value::Number(i64::from(*value));
    i64, Number, |value| Value::Number(*value);
    u64, Number, |value| Value::Number(i64::try_from(*value).unwrap_or(i64::MAX));
    usize, Number, |value| Value::Number(i64::try_from(*value).unwrap_or(i64::MAX));
    Code, Code, |value| Value::Code(value.0);
    String, Text, |value| Value::Text(value.clone());
    &'static str, Text, |value| Value::Text((*value).to_owned());
    Timestamp, Time, |value| Value::Time(*value);
    Vec<String>, Texts, |value| Value::List(value.iter().cloned().map(Value::Text).collect());
}

impl<T: FieldValue> FieldValue for Option<T> {
    const TYPE: FieldType = T::TYPE;
    fn state(&self) -> FieldState {
        self.as_ref().map_or(FieldState::Nothing, FieldValue::state)
    }
}

impl<T: FieldValue> FieldValue for Known<T> {
    const TYPE: FieldType = T::TYPE;
    fn state(&self) -> FieldState {
        match self {
            Known::Is(value) => value.state(),
            Known::Open(gap) => FieldState::Open(*gap),
        }
    }
}

/// Declares an enumeration whose members are words in rules and reports.
macro_rules! choice {
    ($(#[$meta:meta])* $name:ident { $($(#[$member_meta:meta])* $member:ident = $word:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$member_meta])* $member,)+ }

        impl $name {
            /// Every word, in the order of declaration.
            pub const WORDS: &'static [&'static str] = &[$($word),+];

            /// Every member, in the order of declaration.
            pub const ALL: &'static [$name] = &[$($name::$member),+];

            /// The word for it in rules and reports.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $($name::$member => $word,)+ }
            }
        }

        impl $crate::facts::value::FieldValue for $name {
            const TYPE: $crate::facts::value::FieldType =
                $crate::facts::value::FieldType::Choice($name::WORDS);
            fn state(&self) -> $crate::facts::value::FieldState {
                $crate::facts::value::FieldState::Is($crate::facts::value::Value::Text(
                    self.word().to_owned(),
                ))
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str(self.word())
            }
        }
    };
}
pub(crate) use choice;

impl std::fmt::Display for Value {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Value::Bool(true) => formatter.write_str("yes"),
            Value::Bool(false) => formatter.write_str("no"),
            Value::Number(number) => write!(formatter, "{number}"),
            Value::Code(code) => write!(formatter, "{}", Code(*code)),
            Value::Text(text) => formatter.write_str(text),
            Value::Time(time) => write!(formatter, "{time}"),
            Value::List(values) => {
                for (index, value) in values.iter().enumerate() {
                    if index > 0 {
                        formatter.write_str(", ")?;
                    }
                    write!(formatter, "{value}")?;
                }
                Ok(())
            }
        }
    }
}

impl Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Bool(value) => serializer.serialize_bool(*value),
            Value::Number(value) => serializer.serialize_i64(*value),
            Value::List(values) => serializer.collect_seq(values),
            other => serializer.collect_str(other),
        }
    }
}
