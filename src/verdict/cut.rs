//! How long the texts of a report may get that the evidence controls: a value of a registry key may hold a megabyte, and stands in
//! many facts.

use super::model::Report;

/// Characters of one text.
const LONGEST: usize = 8192;
/// Other names of one host.
const MOST_ALIASES: usize = 50;

/// Cuts what is longer, and says so in its place. Paths stay: they are what files are found by.
pub(super) fn cut(report: &mut Report) {
    text(&mut report.verdict.title);
    text(&mut report.verdict.summary);
    for fact in &mut report.facts {
        fact.fields.iter_mut().for_each(|(_, field)| value(field));
    }
    for entry in &mut report.timeline {
        text(&mut entry.title);
    }
    for problem in &mut report.problems {
        text(&mut problem.message);
    }
    for gap in &mut report.gaps {
        text(&mut gap.why);
    }
    let aliases = &mut report.host.aliases;
    if aliases.len() > MOST_ALIASES {
        let more = aliases.len() - MOST_ALIASES;
        aliases.truncate(MOST_ALIASES);
        aliases.push(format!("… ({more} more names)"));
    }
}

fn value(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(found) => text(found),
        serde_json::Value::Array(values) => values.iter_mut().for_each(self::value),
        _ => {}
    }
}

fn text(text: &mut String) {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        let more = text[end..].chars().count();
        text.truncate(end);
        text.push_str(&format!("… ({more} more characters)"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_says_how_much_of_it_is_left_out() {
        let mut short = "ü".repeat(LONGEST);
        text(&mut short);
        assert_eq!(short, "ü".repeat(LONGEST));
        let mut long = "ü".repeat(LONGEST + 5);
        text(&mut long);
        assert_eq!(long, format!("{short}… (5 more characters)"));
    }

    #[test]
    fn so_does_one_in_a_list() {
        let mut list = serde_json::json!(["x".repeat(LONGEST + 1), 7]);
        value(&mut list);
        let expected = format!("{}… (1 more characters)", "x".repeat(LONGEST));
        assert_eq!(list, serde_json::json!([expected, 7]));
    }
}
