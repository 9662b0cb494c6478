//! The table of updates that are known to break Remote Desktop. Data, not code: `regressions.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::facts::catalog::connection::Stage;
use crate::facts::catalog::update::Side;

/// One regression.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Regression {
    /// Its name in the table.
    #[allow(dead_code, reason = "names the row for whoever reads the table")]
    pub id: String,
    /// The day on which it came out, such as `2022-10-11`.
    #[allow(dead_code, reason = "dates the row for whoever reads the table")]
    pub released: String,
    side: String,
    stage: String,
    #[serde(default)]
    codes: Vec<String>,
    /// The alerts of TLS by which it shows.
    #[serde(default)]
    pub alerts: Vec<u32>,
    /// What it does.
    pub symptom: String,
    /// Where Microsoft says so.
    #[allow(dead_code, reason = "the public source of the row")]
    pub source: String,
    /// The updates that brought it.
    pub updates: Vec<Update>,
}

/// One update that brought a regression.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Update {
    /// The build of Windows that it is for.
    pub build: u32,
    /// Its number in the knowledge base.
    pub article: String,
    /// The number behind the build that it brings.
    pub revision: Option<u32>,
    /// The update that cures it.
    pub fixed_by: Option<String>,
    /// The number behind the build from which on it is cured.
    pub fixed: Option<u32>,
}

impl Regression {
    /// The end that has to have the update.
    pub(super) fn side(&self) -> Side {
        match self.side.as_str() {
            "client" => Side::Client,
            _ => Side::Server,
        }
    }

    /// The stage at which attempts die; none for a name that is no stage.
    pub(super) fn stage(&self) -> Option<Stage> {
        Stage::ALL
            .iter()
            .copied()
            .find(|stage| stage.word() == self.stage)
    }

    /// The codes with which they die.
    pub(super) fn codes(&self) -> Vec<u32> {
        self.codes
            .iter()
            .filter_map(|code| u32::from_str_radix(code.strip_prefix("0x")?, 16).ok())
            .collect()
    }

    /// Whether anything in a log would tell it.
    pub(super) fn shows(&self) -> bool {
        !self.codes.is_empty() || !self.alerts.is_empty()
    }
}

#[derive(Debug, Deserialize)]
struct Table {
    regression: Vec<Regression>,
}

/// Every row; none if the table could not be read, which a test forbids.
pub(super) static REGRESSIONS: LazyLock<Vec<Regression>> = LazyLock::new(|| {
    toml::from_str(include_str!("regressions.toml"))
        .map(|table: Table| table.regression)
        .unwrap_or_default()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_says_what_it_must() {
        let table: Table = toml::from_str(include_str!("regressions.toml")).unwrap();
        assert!(!table.regression.is_empty());
        for row in &table.regression {
            assert!(
                ["client", "server"].contains(&row.side.as_str()),
                "{}",
                row.id
            );
            assert!(row.stage().is_some(), "{}", row.id);
            assert_eq!(row.codes().len(), row.codes.len(), "{}", row.id);
            assert!(
                row.released.parse::<jiff::civil::Date>().is_ok(),
                "{}",
                row.id
            );
            assert!(row.source.starts_with("https://"), "{}", row.id);
            for update in &row.updates {
                for article in [Some(&update.article), update.fixed_by.as_ref()] {
                    assert!(
                        article.is_none_or(|article| article.starts_with("KB")),
                        "{}",
                        row.id
                    );
                }
                let cured = update.revision.zip(update.fixed);
                assert!(cured.is_none_or(|(from, to)| from < to), "{}", row.id);
            }
        }
    }
}
