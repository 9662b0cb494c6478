//! What TLS would come to, as the report shows it.

use super::model::{ClientNegotiation, Negotiation, ServerOffer, SuiteEntry, VersionEntry};
use crate::facts::tls_settings::Computed;
use crate::tls::{self, Client, Doubt, Outcome, Standing, State};

/// The server's offer and what each client comes to with it; empty where there is no SYSTEM hive.
#[must_use]
pub fn negotiation(computed: Option<&Computed>) -> Negotiation {
    let Some(computed) = computed else {
        return Negotiation::default();
    };
    Negotiation {
        server: Some(server(&computed.offer)),
        clients: computed.negotiations.iter().map(client).collect(),
    }
}

fn server(offer: &tls::ServerOffer) -> ServerOffer {
    let versions = offer.versions.iter().map(|standing| VersionEntry {
        version: standing.version.to_string(),
        state: state(&standing.state).to_owned(),
        reason: with_doubts(&standing.reason, standing.state.doubts()),
    });
    let listed = offer.suites.iter().filter(|suite| {
        !matches!(
            suite.standing,
            Standing::NotInPolicy | Standing::NotInLocalList
        )
    });
    let suites = listed.map(|suite| SuiteEntry {
        name: suite.name.clone(),
        standing: standing(&suite.standing).to_owned(),
        reason: suite.reason.clone(),
    });
    let groups = offer
        .groups
        .iter()
        .filter(|group| group.state.is_possible());
    ServerOffer {
        versions: versions.collect(),
        suites: suites.collect(),
        groups: groups.map(|group| group.group.to_string()).collect(),
    }
}

fn state(state: &State) -> &'static str {
    match state {
        State::On => "on",
        State::Off => "off",
        State::Uncertain(_) => "uncertain",
    }
}

fn standing(standing: &Standing) -> &'static str {
    match standing {
        Standing::Offered => "offered",
        Standing::Uncertain(_) => "uncertain",
        Standing::NotInPolicy => "not-in-policy",
        Standing::NotInLocalList => "not-in-local-list",
        Standing::NotRegistered(_) => "not-registered",
        Standing::NotTls => "not-tls",
        Standing::OnlyOnRequest => "only-on-request",
        Standing::FipsExcluded => "fips-excluded",
        Standing::AlgorithmDisabled { .. } => "algorithm-disabled",
        Standing::NoEnabledVersion => "no-enabled-version",
        Standing::CertificateType { .. } => "certificate-type",
        Standing::NeedsDecryptKey => "needs-decrypt-key",
    }
}

fn client((client, negotiation): &(Client, tls::Negotiation)) -> ClientNegotiation {
    let (outcome, agreement, reason) = match &negotiation.outcome {
        Outcome::Agreed {
            agreement, doubts, ..
        } => (
            "agreed",
            Some(agreement),
            with_doubts(&agreement.to_string(), doubts),
        ),
        Outcome::None {
            failure, doubts, ..
        } => ("none", None, with_doubts(&failure.explanation, doubts)),
        Outcome::Uncertain { doubts, .. } => ("uncertain", None, with_doubts("", doubts)),
    };
    ClientNegotiation {
        profile: client.id.clone(),
        outcome: outcome.to_owned(),
        version: agreement.map(|agreement| agreement.version.to_string()),
        suite: agreement.map(|agreement| agreement.suite.clone()),
        reason,
    }
}

/// A reason, and the questions that it rests on.
fn with_doubts<'d>(reason: &str, doubts: impl IntoIterator<Item = &'d Doubt>) -> String {
    let reason = Some(reason.to_owned()).filter(|reason| !reason.is_empty());
    let doubts = doubts.into_iter().map(Doubt::to_string);
    let parts: Vec<String> = reason.into_iter().chain(doubts).collect();
    parts.join("; ")
}
