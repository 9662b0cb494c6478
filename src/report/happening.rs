//! What a fact of the timeline is: somebody got in, something failed, something changed, or neither.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::verdict::model::{FactEntry, Report};

/// What a fact tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happening {
    /// Somebody got in.
    Success,
    /// Something did not work.
    Failure,
    /// Something became different.
    Change,
    /// Anything else.
    Other,
}

/// Tells what facts of one report are.
pub(super) struct Happenings<'a> {
    strangers: BTreeSet<&'a str>,
}

impl<'a> Happenings<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        let strangers = report
            .connections
            .iter()
            .filter(|connection| connection.stranger)
            .map(|connection| connection.client.as_str())
            .collect();
        Happenings { strangers }
    }

    /// What it tells of.
    pub(super) fn kind(&self, fact: &FactEntry) -> Happening {
        let text = |name: &str| fact.fields.get(name).and_then(Value::as_str);
        match fact.kind.as_str() {
            "connection.attempt" if text("ended").is_some() => Happening::Failure,
            "connection.attempt" if text("reached") == Some("session") => Happening::Success,
            "certificate.renewal" if text("result") == Some("failed") => Happening::Failure,
            "certificate.renewal"
            | "clock.step"
            | "service.changed"
            | "log.cleared"
            | "update.installed"
            | "policy.applied"
            | "host.boot"
            | "host.installed"
            | "key.trace" => Happening::Change,
            "service.ran" => Happening::Change,
            "schannel.failure"
            | "connection.security_error"
            | "service.failure"
            | "certificate.time_refused"
            | "resource.exhausted"
            | "broker.failure"
            | "licensing.event"
            | "udp.failure"
            | "client.report" => Happening::Failure,
            _ => Happening::Other,
        }
    }

    /// Whether it is about somebody who does not count, or about another program's TLS.
    pub(super) fn is_noise(&self, fact: &FactEntry) -> bool {
        let is = |name: &str| fact.fields.get(name) == Some(&Value::Bool(true));
        let client = fact.fields.get("client").and_then(Value::as_str);
        is("stranger")
            || client.is_some_and(|client| self.strangers.contains(client))
            || (fact.kind == "schannel.failure" && (!is("attributed") || is("overcome")))
    }
}
