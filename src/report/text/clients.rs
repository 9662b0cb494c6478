//! Which common clients can connect, as far as TLS decides it.

use super::paper::{Ink, Paper};
use crate::verdict::model::{ASSUMING, ClientNegotiation, Negotiation};

const LABEL: usize = 11;

/// One short section; nothing where the settings were not collected.
pub(super) fn write(paper: &mut Paper, negotiation: &Negotiation) {
    let Some(server) = &negotiation.server else {
        return;
    };
    let common: Vec<&ClientNegotiation> = negotiation
        .clients
        .iter()
        .filter(|client| client.common)
        .collect();
    if common.is_empty() {
        return;
    }
    paper.heading(
        "Whom TLS lets in",
        "computed from the settings, for clients in common use",
    );
    let names = |clients: &[&ClientNegotiation]| -> String {
        let names: Vec<&str> = clients
            .iter()
            .map(|client| client.profile.as_str())
            .collect();
        names.join(", ")
    };
    let with = |outcome: &str| -> Vec<&ClientNegotiation> {
        common
            .iter()
            .copied()
            .filter(|client| client.outcome == outcome)
            .collect()
    };
    let agreed = with("agreed");
    match agreed.as_slice() {
        [] => {}
        [only] => {
            let says = format!("{}: {}", only.profile, reason(only));
            paper.labelled(2, (Ink::Good, "can"), LABEL, Ink::Plain, &says);
        }
        several => paper.labelled(2, (Ink::Good, "can"), LABEL, Ink::Plain, &names(several)),
    }
    for (label, ink, clients) in [
        ("cannot", Ink::Bad, with("none")),
        ("not sure", Ink::Warning, with("uncertain")),
    ] {
        for alike in by_reason(clients) {
            let reason = alike
                .first()
                .map(|client| reason(client))
                .unwrap_or_default();
            paper.labelled(
                2,
                (ink, label),
                LABEL,
                Ink::Plain,
                &format!("{}: {reason}", names(&alike)),
            );
        }
    }
    for assumption in &server.assumptions {
        paper.paragraph(2, Ink::Dim, &format!("Holds only if {assumption}."));
    }
    if server
        .settings
        .iter()
        .any(|setting| setting.waits == Some(true))
    {
        paper.paragraph(
            2,
            Ink::Dim,
            "Some of these settings were written after the last start of what reads them: this is what will be, not what is.",
        );
    }
}

/// Why, without what it takes for granted, which is said once for all.
pub(super) fn reason(client: &ClientNegotiation) -> &str {
    let reason = client.reason.as_str();
    reason
        .split_once(ASSUMING)
        .map_or(reason, |(reason, _)| reason)
}

/// Clients of the same obstacle and the same open questions stand together, the first one's reason for all.
fn by_reason(clients: Vec<&ClientNegotiation>) -> Vec<Vec<&ClientNegotiation>> {
    let mut groups: Vec<Vec<&ClientNegotiation>> = Vec::new();
    let unpublished =
        |client: &ClientNegotiation| client.obstacle.is_none() && client.version.is_none();
    for client in clients {
        let same = groups.iter_mut().find(|group| {
            group.first().is_some_and(|first| {
                first.reason == client.reason || (unpublished(first) && unpublished(client))
            })
        });
        match same {
            Some(group) => group.push(client),
            None => groups.push(vec![client]),
        }
    }
    groups
}
