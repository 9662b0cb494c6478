//! What a code, an event or a rule means, what usually lies behind it, what would prove that, and what to collect for it.
//!
//! What codes and events mean stands in `data/`, each with its public source. What proves a cause and what that needs is taken from
//! the rules themselves, so that it is never written twice.

mod answer;
mod question;
mod tables;

use schemars::JsonSchema;
use serde::Serialize;

use crate::rules::RuleSet;
use crate::verdict::model::{SCHEMA_VERSION, Tool};

/// What was asked, and every answer to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Explained {
    /// The version of this shape.
    pub schema_version: u32,
    /// The program that wrote it.
    pub tool: Tool,
    /// What was asked.
    pub asked: String,
    /// The answers, the likeliest meaning first; never empty.
    pub answers: Vec<Answer>,
}

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A rule.
    Rule,
    /// An event of Windows.
    Event,
    /// A code that a Remote Desktop client shows.
    ClientCode,
    /// An HRESULT or NTSTATUS.
    Status,
    /// An alert of TLS.
    TlsAlert,
    /// An error state of Schannel.
    SchannelState,
    /// A number of which nothing is known.
    Number,
}

/// One meaning of what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Answer {
    /// What it is.
    pub subject: Subject,
    /// Its name: `Schannel 36874`, `SEC_E_UNKNOWN_CREDENTIALS (0x8009030D)`.
    pub name: String,
    /// Whether it is known here; else the meaning tells of its family.
    pub known: bool,
    /// Whether somebody who made it says so; Schannel's states are read from field reports.
    pub official: bool,
    /// What it means.
    pub meaning: String,
    /// What else has to be minded.
    pub remark: Option<String>,
    /// What usually lies behind it, the likeliest first.
    pub behind: Vec<Cause>,
    /// What to collect, so that these can be told apart.
    pub collect: Vec<ToCollect>,
    /// Where the meaning is from; none for a rule, which is this program's own.
    pub source: Option<String>,
}

/// A cause that may lie behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Cause {
    /// The rule's id.
    pub rule: String,
    /// Its title.
    pub title: String,
    /// What proves it, one of these: the names of the rule's decisive tests.
    pub proof: Vec<String>,
}

/// Something to collect on the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ToCollect {
    /// What.
    pub what: String,
    /// How, read-only.
    pub how: String,
}

/// Not a rule, event or code that could be looked up.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{asked}: neither a rule nor an event nor a code{}", self.hint())]
pub struct NotUnderstood {
    /// What was asked.
    pub asked: String,
    /// What may have been meant, the nearest first.
    pub nearest: Vec<String>,
}

impl NotUnderstood {
    fn hint(&self) -> String {
        match self.nearest.is_empty() {
            true => "; write it like key-missing, schannel 36874, 1057, 0x904/0x7, 0x80090016, alert 40 or state 10013".to_owned(),
            false => format!("; did you mean {}?", self.nearest.join(" or ")),
        }
    }
}

/// Explains a rule's id, an event (`schannel 36874`, `1057`), a client's code (`0x904`, `2308`, `0x904/0x7`), a status (`0x80090016`,
/// `STATUS_LOGON_FAILURE`), an alert of TLS (`alert 40`) or a state of Schannel (`state 10013`). A number that may be several things has
/// several answers.
///
/// # Errors
/// [`NotUnderstood`] where it is none of these. A code that is well formed and not known is no error: its answer says so.
pub fn explain(asked: &str, rules: &RuleSet) -> Result<Explained, NotUnderstood> {
    let questions = question::read(asked, rules);
    if questions.is_empty() {
        return Err(NotUnderstood {
            asked: asked.trim().to_owned(),
            nearest: question::nearest(asked, rules),
        });
    }
    let answers = questions
        .iter()
        .map(|question| answer::answer(question, rules));
    Ok(Explained {
        schema_version: SCHEMA_VERSION,
        tool: Tool::this(),
        asked: asked.trim().to_owned(),
        answers: answers.collect(),
    })
}

/// The ids of the catalogue of causes, from the list in the rules' README.
#[cfg(test)]
fn catalogue_ids() -> Vec<&'static str> {
    let readme = include_str!("../rules/builtin/README.md");
    let list = readme.split("## The catalogue").nth(1).unwrap_or_default();
    let ids = list.lines().filter_map(|line| line.strip_prefix("- `"));
    ids.filter_map(|line| line.split('`').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(text: &str) -> Vec<Answer> {
        let rules = RuleSet::builtin().expect("the built-in rules");
        explain(text, &rules)
            .unwrap_or_else(|error| panic!("{error}"))
            .answers
    }

    fn only(text: &str) -> Answer {
        let mut answers = asked(text);
        assert_eq!(answers.len(), 1, "{text}: {answers:#?}");
        answers.remove(0)
    }

    fn names(answer: &Answer) -> Vec<&str> {
        answer
            .behind
            .iter()
            .map(|cause| cause.rule.as_str())
            .collect()
    }

    #[test]
    fn an_event_is_found_with_and_without_its_provider() {
        for text in ["schannel 36874", "36874", "36874 Schannel", "event 36874"] {
            let answer = only(text);
            assert_eq!(answer.name, "Schannel 36874", "{text}");
            assert_eq!(names(&answer)[0], "tls-no-common-suite");
            assert!(!answer.behind[0].proof.is_empty());
            let what: Vec<&str> = answer.collect.iter().map(|one| one.what.as_str()).collect();
            assert!(what.contains(&"SYSTEM hive"), "{what:?}");
        }
        for text in ["Schannel-36874", "Event ID: 36874", "system 36874"] {
            assert_eq!(only(text).name, "Schannel 36874", "{text}");
        }
        // Two providers have a 21.
        assert!(asked("21").len() >= 2);
        assert_eq!(
            only("TermService 1057").name,
            "RemoteConnectionManager 1057"
        );
        // 1058 is a service's error, too.
        let names: Vec<Subject> = asked("1058").iter().map(|answer| answer.subject).collect();
        assert_eq!(names, [Subject::Event, Subject::Status]);
    }

    #[test]
    fn what_people_write_around_a_code_does_no_harm() {
        for (text, name) in [
            ("key_missing", "key-missing"),
            ("error 0x80090016", "NTE_BAD_KEYSET (0x80090016)"),
            ("HRESULT: 0x80090016", "NTE_BAD_KEYSET (0x80090016)"),
            ("tls 40", "TLS alert 40, handshake_failure"),
            ("0x2740", "WSAEADDRINUSE (0x80072740)"),
            ("extended 0x7", "client error, extended 0x7"),
        ] {
            assert_eq!(only(text).name, name, "{text}");
        }
        // Alone, it may be the extended reason; as a status it would be another thing.
        let names: Vec<String> = asked("0x5").into_iter().map(|answer| answer.name).collect();
        assert_eq!(
            names,
            [
                "client error, extended 0x5",
                "ERROR_ACCESS_DENIED (0x80070005)"
            ]
        );
        assert!(!asked("key-missing")[0].meaning.contains('{'));
    }

    #[test]
    fn a_clients_code_is_explained_in_every_form() {
        for text in ["0x904", "2308", "904"] {
            let answer = only(text);
            assert_eq!(answer.subject, Subject::ClientCode, "{text}");
            assert!(
                answer.meaning.contains("TCP connection was closed"),
                "{text}"
            );
            assert!(answer.known, "{text}");
        }
        for text in [
            "0x904/0x7",
            "0x904 0x7",
            "Error code: 0x904 Extended error code: 0x7",
        ] {
            let answer = only(text);
            assert!(answer.meaning.contains("denied the connection"), "{text}");
            assert!(names(&answer).contains(&"no-connection-arrived"), "{text}");
        }
    }

    #[test]
    fn a_status_is_found_in_every_form() {
        for text in ["0x80090016", "80090016", "-2146893802", "nte_bad_keyset"] {
            let answer = only(text);
            assert_eq!(answer.name, "NTE_BAD_KEYSET (0x80090016)", "{text}");
            assert_eq!(names(&answer)[0], "key-missing");
        }
        assert!(only("0xC000006D").name.starts_with("STATUS_LOGON_FAILURE"));
        // TermDD's form of C00000B5.
        assert!(only("0xD00000B5").name.starts_with("STATUS_IO_TIMEOUT"));
    }

    #[test]
    fn alerts_have_names_and_states_are_unofficial() {
        assert_eq!(only("alert 40").name, "TLS alert 40, handshake_failure");
        assert_eq!(only("handshake_failure"), only("alert 40"));
        let state = only("state 10013");
        assert!(!state.official && state.known);
        assert!(only("schannel 36870").official);
    }

    #[test]
    fn a_rule_is_explained_by_itself() {
        let answer = only("tls-no-common-suite");
        assert_eq!(answer.subject, Subject::Rule);
        assert_eq!(answer.behind[0].rule, "tls-no-common-suite");
        assert!(
            names(&answer).contains(&"tls-suite-policy-unusable"),
            "what explains it"
        );
    }

    #[test]
    fn what_is_not_known_is_placed_near_what_is() {
        for (text, near) in [
            ("0x800903FF", "Schannel"),
            ("0xC0001234", "NTSTATUS"),
            ("0x2F04", "transport"),
            ("schannel 36999", "36888"),
            ("alert 41", "handshake_failure"),
            ("state 77", "no official"),
            ("0x12345678", "no family"),
            ("61234", "no event"),
        ] {
            let answer = only(text);
            assert!(!answer.known, "{text}: {answer:#?}");
            let said = format!("{} {}", answer.meaning, answer.remark.unwrap_or_default());
            assert!(said.contains(near), "{text}: {said}");
        }
    }

    #[test]
    fn nonsense_is_answered_with_what_may_have_been_meant() {
        let rules = RuleSet::builtin().expect("the built-in rules");
        let refused = |text: &str| explain(text, &rules).expect_err(text).to_string();
        assert!(refused("key-mising").contains("did you mean key-missing"));
        assert!(refused("shannel 36874").contains("schannel 36874"));
        assert!(refused("NTE_BAD_KEYSETT").contains("NTE_BAD_KEYSET"));
        for text in [
            "",
            "/",
            "0x",
            "0xzz",
            "0x123456789",
            "what is this",
            "-",
            "99999999999",
        ] {
            assert!(refused(text).contains("write it like"), "{text}");
        }
    }
}
