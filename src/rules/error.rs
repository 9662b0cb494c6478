//! What is wrong with a rule file: the file, the line, the place in it, and what was meant.

use std::ops::Range;

/// One thing that is wrong with a rule file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    /// The file, as the user named it.
    pub file: String,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Where, if it is somewhere.
    pub place: Option<Place>,
}

/// A place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// The line itself.
    pub text: String,
    /// How many characters of it are meant, at least 1.
    pub width: usize,
}

impl Place {
    /// The place of a byte range. Of a range over several lines, the first line.
    #[must_use]
    pub fn of(text: &str, span: &Range<usize>) -> Self {
        let mut start = span.start.min(text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        let before = &text[..start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let line_text = text[line_start..].lines().next().unwrap_or_default();
        let column = text[line_start..start].chars().count() + 1;
        let meant = text
            .get(start..span.end.min(text.len()))
            .and_then(|meant| meant.lines().next())
            .map_or(1, |meant| meant.chars().count());
        Place {
            line: before.matches('\n').count() + 1,
            column,
            text: line_text.to_owned(),
            width: meant.max(1),
        }
    }
}

impl std::fmt::Display for RuleError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "error: {}", self.message)?;
        if let Some(place) = &self.place {
            let number = place.line.to_string();
            let margin = " ".repeat(number.len());
            // Tabs stay tabs, so that the caret stands under its text at any width.
            let indent: String = place
                .text
                .chars()
                .take(place.column - 1)
                .map(|char| if char == '\t' { '\t' } else { ' ' })
                .collect();
            let carets = "^".repeat(place.width);
            write!(
                formatter,
                "\n{margin}--> {}:{number}:{}",
                self.file, place.column
            )?;
            write!(formatter, "\n{margin} |\n{number} | {}", place.text)?;
            write!(formatter, "\n{margin} | {indent}{carets}")?;
        } else {
            write!(formatter, "\n --> {}", self.file)?;
        }
        if let Some(help) = &self.help {
            write!(formatter, "\n  = help: {help}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong with a set of rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RuleErrors(pub Vec<RuleError>);

impl std::fmt::Display for RuleErrors {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n\n")?;
            }
            write!(formatter, "{error}")?;
        }
        Ok(())
    }
}

/// The name that was most likely meant, if one is near enough.
pub(super) fn nearest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<String> {
    names
        .into_iter()
        .map(|name| {
            (
                strsim::damerau_levenshtein(&given.to_lowercase(), name),
                name,
            )
        })
        .filter(|(distance, name)| *distance <= 1 + name.len().min(given.len()) / 4)
        .min()
        .map(|(_, name)| name.to_owned())
}

/// What may have been meant, else what there is.
pub(super) fn suggestion<'a>(
    given: &str,
    names: impl IntoIterator<Item = &'a str> + Clone,
) -> String {
    match nearest(given, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all: Vec<&str> = names.into_iter().collect();
            format!("there are: {}", all.join(", "))
        }
    }
}

/// Collects what is wrong with one file.
pub(super) struct Reporter<'a> {
    pub(super) file: &'a str,
    pub(super) text: &'a str,
    pub(super) errors: Vec<RuleError>,
}

impl Reporter<'_> {
    /// Something is wrong there.
    pub(super) fn wrong(&mut self, span: &Range<usize>, message: impl Into<String>) {
        self.wrong_because(span, message, None);
    }

    /// Something is wrong there, and this would help.
    pub(super) fn wrong_because(
        &mut self,
        span: &Range<usize>,
        message: impl Into<String>,
        help: Option<String>,
    ) {
        self.errors.push(RuleError {
            file: self.file.to_owned(),
            message: message.into(),
            help,
            place: Some(Place::of(self.text, span)),
        });
    }

    /// A name that is not one of those there are.
    pub(super) fn unknown<'n>(
        &mut self,
        span: &Range<usize>,
        what: &str,
        given: &str,
        names: impl IntoIterator<Item = &'n str> + Clone,
    ) {
        let help = suggestion(given, names);
        self.wrong_because(span, format!("unknown {what} `{given}`"), Some(help));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_under_what_is_meant() {
        let text = "id = \"ä\"\nfact = \"x.y\"\n";
        let start = text.find("\"x.y\"").unwrap();
        let error = RuleError {
            file: "a.toml".to_owned(),
            message: "unknown fact kind `x.y`".to_owned(),
            help: None,
            place: Some(Place::of(text, &(start..start + 5))),
        };
        assert_eq!(
            error.to_string(),
            "error: unknown fact kind `x.y`\n --> a.toml:2:8\n  |\n2 | fact = \"x.y\"\n  |        ^^^^^"
        );
    }

    #[test]
    fn a_place_in_the_middle_of_a_character_or_behind_the_end_is_still_a_place() {
        assert_eq!(Place::of("ä", &(1..2)).column, 1);
        assert_eq!(Place::of("a", &(9..12)).width, 1);
    }
}
