//! What the report says where no rule speaks: people fare well, or the evidence does not tell why they do not.

use super::model::Status;
use crate::facts::catalog::connection::State;
use crate::facts::fact::FactSet;
use crate::facts::incident::ConnectionState;
use crate::facts::value::{FieldState, Value};

/// Title and summary of a verdict without a cause.
pub(super) fn without_a_cause(status: Status, facts: &FactSet) -> (String, String) {
    let title = match (status, facts.anchors.state) {
        (Status::Healthy, ConnectionState::Succeeding) => "Remote Desktop works",
        (Status::Healthy, _) => "Nothing is found that would keep Remote Desktop from working",
        (_, ConnectionState::Failing | ConnectionState::Mixed) => {
            "Remote Desktop fails, and the evidence does not tell why"
        }
        (_, ConnectionState::Dropping) => "Sessions break off, and the evidence does not tell why",
        (_, ConnectionState::Succeeding) => {
            "People get in; whether their sessions last, the evidence does not tell"
        }
        (_, ConnectionState::Silent | ConnectionState::Unseen) => {
            "The evidence does not tell whether Remote Desktop works"
        }
    };
    let mut summary = fares(facts).to_owned();
    if status == Status::Healthy && facts.anchors.state != ConnectionState::Succeeding {
        summary.push_str(" Every cause that is known here is ruled out.");
    }
    (title.to_owned(), summary)
}

/// How people fare, and where their attempts die.
fn fares(facts: &FactSet) -> &'static str {
    let stage = facts
        .of_kind(State::KIND)
        .find_map(|fact| match fact.field("stage") {
            Some(FieldState::Is(Value::Text(stage))) => Some(stage.as_str()),
            _ => None,
        });
    match (facts.anchors.state, stage) {
        (ConnectionState::Succeeding, _) => "Everybody who is known to use it gets in to the end.",
        (ConnectionState::Dropping, _) => "People get in and are thrown out within minutes.",
        (ConnectionState::Silent, _) => {
            "Nobody has tried to connect for longer than is usual here, or at all: either nobody wanted to, or nothing arrives."
        }
        (ConnectionState::Unseen, _) => {
            "The logs do not show how people's connections fare at the end of the collection."
        }
        (ConnectionState::Failing | ConnectionState::Mixed, Some("arrived")) => {
            "The attempts of those who are locked out arrive at the server and end before TLS is negotiated."
        }
        (ConnectionState::Failing | ConnectionState::Mixed, Some("tls")) => {
            "The attempts of those who are locked out get past TLS and end before their credentials are accepted."
        }
        (ConnectionState::Failing | ConnectionState::Mixed, Some("credentials")) => {
            "The attempts of those who are locked out have their credentials accepted and end before they get a session."
        }
        (ConnectionState::Failing | ConnectionState::Mixed, Some("session")) => {
            "Those who are locked out got as far as a session."
        }
        (ConnectionState::Failing | ConnectionState::Mixed, _) => {
            "The logs do not tell at which stage the attempts of those who are locked out end."
        }
    }
}

/// A sentence about addresses that do not count, if there are any.
pub(super) fn strangers(facts: &FactSet) -> Option<String> {
    let count = facts
        .of_kind(State::KIND)
        .find_map(|fact| match fact.field("strangers") {
            Some(FieldState::Is(Value::Number(count))) => Some(*count),
            _ => None,
        })?;
    match count {
        ..=0 => None,
        1 => Some(
            "One address never got in; if it is one of yours, name it with --client-address."
                .to_owned(),
        ),
        _ => Some(format!(
            "{count} addresses never got in; name one with --client-address."
        )),
    }
}
