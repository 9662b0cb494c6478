//! The list of fact kinds in `src/facts/catalog/KINDS.md` is what the catalogue declares, and every example in it is a test that
//! a rule may hold.
//!
//! `RDPTRIAGE_WRITE=1 cargo test --test catalogue` writes the list anew.

use std::fmt::Write as _;
use std::path::Path;

use rdptriage::facts::catalog::{Absence, KINDS, Kind, Nature};
use rdptriage::facts::value::FieldType;
use rdptriage::rules::{Cases, RuleSet};

/// What a rule may write to compare with a field of that type.
fn example(ty: FieldType) -> String {
    match ty {
        FieldType::Bool => "true".to_owned(),
        FieldType::Number => "{ min = 1 }".to_owned(),
        FieldType::Code => "\"0x8009030D\"".to_owned(),
        FieldType::Text => "{ contains = \"text\" }".to_owned(),
        FieldType::Time => "{ before = \"incident\" }".to_owned(),
        FieldType::Choice(words) => format!("\"{}\"", words.first().unwrap_or(&"")),
        FieldType::Texts => "{ contains = \"one of them\" }".to_owned(),
    }
}

fn type_name(ty: FieldType) -> String {
    match ty {
        FieldType::Bool => "yes or no".to_owned(),
        FieldType::Number => "number".to_owned(),
        FieldType::Code => "code".to_owned(),
        FieldType::Text => "text".to_owned(),
        FieldType::Time => "time".to_owned(),
        FieldType::Choice(words) => words.join(", "),
        FieldType::Texts => "texts".to_owned(),
    }
}

fn test_of(kind: &Kind) -> String {
    let fields: Vec<String> = kind
        .fields
        .iter()
        .take(2)
        .map(|field| format!("{} = {}", field.name, example(field.ty)))
        .collect();
    format!(
        "[[decisive]]\nname = \"what it is about\"\nfact = \"{}\"\nwhere = {{ {} }}\n",
        kind.name,
        fields.join(", ")
    )
}

fn absence(kind: &Kind) -> String {
    let named = |subjects: &[rdptriage::facts::subject::Subject]| {
        let names: Vec<&str> = subjects.iter().map(|subject| subject.name()).collect();
        names.join(" and ")
    };
    match &kind.absence {
        Absence::All(subjects) => format!("Its absence is proved by: {}.", named(subjects)),
        Absence::By(field, words) => {
            let each: Vec<String> = words
                .iter()
                .map(|(word, subjects)| format!("`{word}` by {}", named(subjects)))
                .collect();
            format!(
                "Its absence is proved, by its `{field}`: {}.",
                each.join("; ")
            )
        }
        Absence::Never(subject) => {
            format!(
                "It is always there, with open fields where the evidence lacks; without {} it is not.",
                subject.name()
            )
        }
    }
}

fn list() -> String {
    let mut text = String::from(
        "# The kinds of facts\n\n\
         Written by a test from the catalogue; each example is a test as a rule may hold it.\n",
    );
    for kind in KINDS.iter() {
        let nature = match kind.nature {
            Nature::Event => "An event",
            Nature::State => "A state",
        };
        let _ = write!(
            text,
            "\n## `{}`\n\n{} {nature}. {}\n\n| field | holds | meaning |\n|---|---|---|\n",
            kind.name,
            kind.doc.trim(),
            absence(kind)
        );
        for field in kind.fields {
            let _ = writeln!(
                text,
                "| `{}` | {} | {} |",
                field.name,
                type_name(field.ty),
                field.doc.trim()
            );
        }
        let _ = write!(text, "\n```toml\n{}```\n", test_of(kind));
    }
    text
}

#[test]
fn the_list_of_kinds_is_the_catalogue() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/facts/catalog/KINDS.md");
    if std::env::var_os("RDPTRIAGE_WRITE").is_some() {
        std::fs::write(&path, list()).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == list(),
        "src/facts/catalog/KINDS.md is out of date: RDPTRIAGE_WRITE=1 cargo test --test catalogue"
    );
}

#[test]
fn every_example_loads() {
    assert!(KINDS.len() >= 25, "{}", KINDS.len());
    for kind in KINDS.iter() {
        let rule = format!(
            "id = \"example\"\nfamily = \"tls\"\nstanding = \"cause\"\ntitle = \"Example\"\nsummary = \"Example.\"\nexplains = []\n\n{}",
            test_of(kind)
        );
        if let Err(errors) = RuleSet::from_texts([("example.toml", rule.as_str())], Cases::Optional)
        {
            panic!("{}: {errors}", kind.name);
        }
    }
}
