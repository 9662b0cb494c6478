//! What was logged of TLS, against what the settings come to. Where the two contradict each other, one of them is not what it
//! seems: settings that wait for a restart, hives of another time, or a Windows that does what no source says.

use jiff::Timestamp;

use crate::facts::catalog::schannel::SchannelRole;
use crate::facts::event::{Event, LoggedEvent, SchannelEvent};
use crate::facts::history::History;
use crate::facts::tls_settings::Computed;
use crate::tls::{ServerOffer, Standing, State, Version};
use crate::verdict::model::{CONTRADICTS, Problem};

/// The successes that the log shows and the settings do not allow: one problem for each version and suite.
pub(super) fn contradictions(history: &History<'_>, computed: Option<&Computed>) -> Vec<Problem> {
    let Some(computed) = computed else {
        return Vec::new();
    };
    let offer = &computed.offer;
    let written: Option<Timestamp> = computed
        .collected
        .values
        .iter()
        .filter_map(|value| value.written)
        .max();
    // Settings that wait for a start are not what answered before it.
    let boot = history.anchors.last_boot.settled().copied();
    if written > boot && boot.is_some() {
        return Vec::new();
    }
    let since = written.max(boot);
    let mut found: Vec<(String, Problem, usize)> = Vec::new();
    for placed in &history.events {
        if since.is_some_and(|since| placed.at <= since) {
            continue;
        }
        let Some(says) = contradiction(offer, &placed.event.event) else {
            continue;
        };
        match found.iter_mut().find(|(known, ..)| *known == says) {
            Some((_, _, count)) => *count += 1,
            None => {
                let problem = problem(placed.event, &says);
                found.push((says, problem, 1));
            }
        }
    }
    found
        .into_iter()
        .map(|(_, mut problem, count)| {
            if count > 1 {
                problem.message.push_str(&format!(" ({count} records)"));
            }
            problem
        })
        .collect()
}

fn problem(event: &LoggedEvent, says: &str) -> Problem {
    Problem {
        artifact: Some(event.artifact.to_string()),
        at: Some(format!("record {}", event.number)),
        message: format!(
            "{CONTRADICTS}{says}. What is computed from the settings may not be what was in force; are hives and logs \
             of the same time?"
        ),
    }
}

fn contradiction(offer: &ServerOffer, event: &Event) -> Option<String> {
    match event {
        Event::TlsNegotiated { version } => {
            let version = version_of(version.as_deref()?)?;
            off(offer, version, "RdpCoreTS 153")
        }
        Event::Schannel(event) if event.event == 36880 => {
            if event.role != Some(SchannelRole::Server) {
                return None;
            }
            let version = event.protocol.as_deref().and_then(version_of);
            version
                .and_then(|version| off(offer, version, "Schannel 36880"))
                .or_else(|| not_offered(offer, event))
        }
        _ => None,
    }
}

fn off(offer: &ServerOffer, version: Version, who: &str) -> Option<String> {
    (offer.version(version) == State::Off).then(|| {
        format!(
            "{who} logged a handshake with {version}, which they switch off for the server role"
        )
    })
}

/// Another service may have another certificate, so only what the list and the algorithms say counts.
fn not_offered(offer: &ServerOffer, event: &SchannelEvent) -> Option<String> {
    let code = u16::try_from(event.suite?).ok().filter(|code| *code != 0)?;
    let same = offer.suites.iter().filter(|standing| {
        standing.suite.as_ref().and_then(|suite| suite.code_point()) == Some(code)
    });
    let mut names = Vec::new();
    for standing in same {
        let kept_out = standing.hindrances.iter().any(|hindrance| {
            matches!(
                hindrance,
                Standing::NotInPolicy
                    | Standing::NotInLocalList
                    | Standing::FipsExcluded
                    | Standing::AlgorithmDisabled { .. }
            )
        });
        if !kept_out {
            return None;
        }
        names.push(standing.name.as_str());
    }
    let name = names.first()?;
    Some(format!(
        "Schannel 36880 logged a handshake with {name}, which they do not let the server use"
    ))
}

/// `TLS 1.2`, `TLSv1.2`, `1.2`.
fn version_of(text: &str) -> Option<Version> {
    let number = text
        .trim()
        .trim_start_matches(|letter: char| !letter.is_ascii_digit());
    match number {
        "1.0" | "1" => Some(Version::Tls10),
        "1.1" => Some(Version::Tls11),
        "1.2" => Some(Version::Tls12),
        "1.3" => Some(Version::Tls13),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tls::Generation;

    fn offer() -> ServerOffer {
        ServerOffer::windows(Generation::by_id("10-1809-2019").expect("a Windows version"))
    }

    fn logged(version: &str) -> Option<String> {
        let version = Some(version.to_owned());
        contradiction(&offer(), &Event::TlsNegotiated { version })
    }

    fn handshake(suite: u32) -> Option<String> {
        let event = SchannelEvent {
            event: 36880,
            role: Some(SchannelRole::Server),
            protocol: Some("TLS 1.2".to_owned()),
            suite: Some(suite),
            ..SchannelEvent::default()
        };
        contradiction(&offer(), &Event::Schannel(event))
    }

    #[test]
    fn a_version_that_is_off_cannot_have_been_negotiated() {
        assert!(
            logged("TLS 1.3")
                .expect("2019 has none")
                .contains("TLS 1.3")
        );
        assert_eq!(logged("TLS 1.2"), None);
        assert_eq!(logged("TLSv1.2"), None);
        assert_eq!(logged("something"), None);
    }

    #[test]
    fn a_suite_that_is_not_listed_cannot_have_been_negotiated() {
        // ECDHE_RSA AES_256_GCM, RC4, and a number that this Windows registers no suite for.
        assert_eq!(handshake(0xC030), None);
        assert!(
            handshake(0x0005)
                .expect("RC4 is off in 2019")
                .contains("RC4")
        );
        assert_eq!(handshake(0xFFFE), None);
    }
}
