//! Text with `{kind.field}` in it, filled from the facts of the machine in question.

use crate::facts::catalog::{self, Kind};
use crate::facts::fact::{FactId, FactSet};
use crate::facts::value::{FieldState, FieldType, Value};

/// `kind.field`: a field of the facts that made a rule's tests true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placeholder {
    /// The kind.
    pub kind: &'static Kind,
    /// The field.
    pub field: &'static str,
}

impl Placeholder {
    /// Reads `kind.field`.
    ///
    /// # Errors
    /// What is wrong with it, and what it may have meant.
    pub(super) fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let Some((kind_name, field_name)) = text.rsplit_once('.') else {
            return Err((format!("`{text}` is not of the form kind.field"), None));
        };
        let Some(kind) = catalog::kind(kind_name) else {
            let names = catalog::KINDS.iter().map(|kind| kind.name);
            let help = super::error::nearest(kind_name, names);
            return Err((format!("there is no fact kind `{kind_name}`"), help));
        };
        match kind.field(field_name) {
            Some(field) => Ok(Placeholder {
                kind,
                field: field.name,
            }),
            None => {
                let names = kind.fields.iter().map(|field| field.name);
                let help = super::error::nearest(field_name, names);
                Err((format!("`{kind_name}` has no field `{field_name}`"), help))
            }
        }
    }

    /// What type of value stands there.
    pub(super) fn ty(&self) -> Option<FieldType> {
        self.kind.field(self.field).map(|field| field.ty)
    }

    /// What the facts say: those named first, then any of the kind; the first that settles it.
    #[must_use]
    pub fn value<'a>(&self, facts: &'a FactSet, evidence: &[FactId]) -> Option<&'a Value> {
        let named = evidence
            .iter()
            .map(|id| facts.fact(*id))
            .filter(|fact| fact.kind.name == self.kind.name);
        named
            .chain(facts.of_kind(self.kind))
            .find_map(|fact| match fact.field(self.field) {
                Some(FieldState::Is(value)) => Some(value),
                _ => None,
            })
    }
}

/// Text, some of it to be filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Field(Placeholder),
}

impl Template {
    /// Reads a text. Braces around anything but lower-case words with dots between them (a PowerShell block) stand for themselves.
    ///
    /// # Errors
    /// What is wrong with a placeholder in it, and what it may have meant.
    pub(super) fn parse(text: &str) -> Result<Self, (String, Option<String>)> {
        let mut pieces = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            plain.push_str(before);
            match after
                .split_once('}')
                .filter(|(inside, _)| names_a_field(inside))
            {
                Some((inside, behind)) => {
                    if !plain.is_empty() {
                        pieces.push(Piece::Text(std::mem::take(&mut plain)));
                    }
                    pieces.push(Piece::Field(Placeholder::parse(inside)?));
                    rest = behind;
                }
                None => {
                    plain.push('{');
                    rest = after;
                }
            }
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            pieces.push(Piece::Text(plain));
        }
        Ok(Template(pieces))
    }

    /// Its placeholders.
    pub fn placeholders(&self) -> impl Iterator<Item = &Placeholder> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Field(placeholder) => Some(placeholder),
            Piece::Text(_) => None,
        })
    }

    /// Its first placeholder that the evidence has no value for.
    #[must_use]
    pub fn open(&self, facts: &FactSet, evidence: &[FactId]) -> Option<&Placeholder> {
        self.placeholders()
            .find(|placeholder| placeholder.value(facts, evidence).is_none())
    }

    /// The text with this machine's values, `(unknown)` where the evidence has none.
    #[must_use]
    pub fn fill(&self, facts: &FactSet, evidence: &[FactId]) -> String {
        self.0
            .iter()
            .map(|piece| match piece {
                Piece::Text(text) => text.clone(),
                Piece::Field(placeholder) => placeholder
                    .value(facts, evidence)
                    .map_or_else(|| "(unknown)".to_owned(), ToString::to_string),
            })
            .collect()
    }
}

impl Template {
    /// For people who read a rule and not a report: each placeholder as the field's name, `<path>`.
    #[must_use]
    pub fn spoken(&self) -> String {
        let pieces = self.0.iter().map(|piece| match piece {
            Piece::Text(text) => text.clone(),
            // Its value is a part of the sentence.
            Piece::Field(field) if field.field == "says" => "...".to_owned(),
            Piece::Field(field) => format!("<{}>", field.field.replace('_', " ")),
        });
        pieces.collect()
    }
}

impl std::fmt::Display for Template {
    /// As it stands in the file.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => formatter.write_str(text)?,
                Piece::Field(field) => {
                    write!(formatter, "{{{}.{}}}", field.kind.name, field.field)?
                }
            }
        }
        Ok(())
    }
}

fn names_a_field(inside: &str) -> bool {
    inside.starts_with(|first: char| first.is_ascii_lowercase())
        && inside
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_' || char == '.')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_powershell_block_stands_for_itself() {
        let text = "Get-Item x | Where-Object { $_.Length -eq 0 } {";
        assert_eq!(Template::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn a_misspelt_placeholder_is_an_error_with_what_it_meant() {
        let (message, help) = Template::parse("it is {key_file.acess.path}").unwrap_err();
        assert_eq!(message, "there is no fact kind `key_file.acess`");
        assert_eq!(help.as_deref(), Some("key_file.access"));
        assert!(Template::parse("{key_file.access.Path}").is_err());
        assert!(Template::parse("{path}").is_err());
    }
}
