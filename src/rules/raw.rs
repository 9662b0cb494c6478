//! A rule file as it is written, before anything in it is checked against the catalogue.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::Spanned;

use super::level::Level;

/// Field names to values, with their places.
pub(super) type Fields = BTreeMap<Spanned<String>, Spanned<toml::Value>>;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Rule {
    pub(super) id: Spanned<String>,
    pub(super) family: Spanned<String>,
    pub(super) standing: Spanned<String>,
    pub(super) title: Spanned<String>,
    pub(super) summary: Spanned<String>,
    #[serde(default)]
    pub(super) explains: Vec<Spanned<String>>,
    pub(super) strikes: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) require: Vec<Test>,
    #[serde(default)]
    pub(super) decisive: Vec<Test>,
    #[serde(default)]
    pub(super) support: Vec<Test>,
    #[serde(default)]
    pub(super) exclude: Vec<Test>,
    #[serde(default)]
    pub(super) fix: Vec<Fix>,
    #[serde(default)]
    pub(super) refuse: Vec<Advice>,
    #[serde(default)]
    pub(super) case: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Test {
    pub(super) name: Spanned<String>,
    pub(super) fact: Spanned<String>,
    #[serde(default, rename = "where")]
    pub(super) conditions: Fields,
    pub(super) within: Option<Spanned<Within>>,
    pub(super) before: Option<Spanned<String>>,
    pub(super) after: Option<Spanned<String>>,
    pub(super) window: Option<Spanned<String>>,
    pub(super) count: Option<Spanned<Count>>,
    pub(super) standing: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Within {
    pub(super) of: Spanned<String>,
    pub(super) minutes: Spanned<i64>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Count {
    pub(super) min: Option<usize>,
    pub(super) max: Option<usize>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fix {
    pub(super) step: Spanned<String>,
    pub(super) run: Option<Spanned<String>>,
    pub(super) risk: Option<Spanned<String>>,
    pub(super) rollback: Option<Spanned<String>>,
    pub(super) verify: Option<Spanned<String>>,
    pub(super) when: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Advice {
    pub(super) advice: Spanned<String>,
    pub(super) why: Spanned<String>,
    pub(super) instead: Spanned<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Case {
    pub(super) name: Spanned<String>,
    pub(super) expect: Level,
    pub(super) role: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) missing: Vec<Spanned<String>>,
    pub(super) gap: Option<Spanned<String>>,
    pub(super) covered: Option<Vec<Covered>>,
    #[serde(default)]
    pub(super) anchors: Fields,
    #[serde(default)]
    pub(super) given: Vec<Fields>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Covered {
    pub(super) subject: Spanned<String>,
    pub(super) from: Option<Spanned<toml::Value>>,
    pub(super) to: Option<Spanned<toml::Value>>,
}
