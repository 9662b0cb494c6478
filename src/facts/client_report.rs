//! What a client's own logs say of connections to this host, as facts of this host.

use super::catalog::connection::ClientReport;
use super::event::{Event, LoggedEvent};
use super::fact::FactSet;
use super::known::Known;
use super::subject::Subject;
use super::value::Code;

/// The disconnect reason for a server certificate that has ended or has not begun (SSL_ERR_CERT_EXPIRED, Microsoft's list of
/// `ExtendedDisconnectReasonCode` and disconnect reasons of IMsTscAxEvents).
const CERT_EXPIRED: Code = Code(6919);

/// A status of the security layer: 0x8009xxxx.
const SECURITY: u32 = 0x8009;
/// "The received certificate has expired" (winerror.h).
const SEC_E_CERT_EXPIRED: Code = Code(0x8009_0328);

/// exDiscReasonServerDeniedConnectionFips (Microsoft, "ExtendedDisconnectReasonCode enumeration"). The client's event 1026 has one
/// number; no disconnect reason is an 8 (IMsTscAxEvents::OnDisconnected knows 0 to 3, then 260 and above), so that there it is the
/// extended one.
const DENIED_BY_FIPS: Code = Code(8);

/// Whether an event is one that a client logs about its connections.
#[must_use]
pub fn is_clients(event: &Event) -> bool {
    match event {
        Event::ClientConnects { .. }
        | Event::ClientDisconnected { .. }
        | Event::ClientTransitionFailed { .. }
        | Event::CredSspRefused { .. } => true,
        Event::Schannel(schannel) => schannel.event == 36881,
        _ => false,
    }
}

/// Adds what the events of a client, in the order of its logs, say of a host with these names.
pub fn add_facts(client: &[LoggedEvent], names: &[String], facts: &mut FactSet) {
    let not_named = facts.gaps.open(
        Subject::RdpClientLog,
        "the client's record does not name the server",
    );
    let mut server = Known::Open(not_named);
    for logged in client {
        let body = match &logged.event {
            Event::ClientConnects { server: named } => {
                server = names_host(named, names, &Known::Open(not_named));
                continue;
            }
            Event::ClientDisconnected { reason } => ClientReport {
                event: 1026,
                code: *reason,
                certificate_time: *reason == Some(CERT_EXPIRED),
                denied_by_fips: *reason == Some(DENIED_BY_FIPS),
                names_host: server.clone(),
            },
            // Only a status of the security layer tells why; the others follow every closed connection.
            Event::ClientTransitionFailed { code } if code.0 >> 16 == SECURITY => ClientReport {
                event: 226,
                code: Some(*code),
                certificate_time: *code == SEC_E_CERT_EXPIRED,
                denied_by_fips: false,
                names_host: server.clone(),
            },
            // The service's name, such as TERMSRV/server.
            Event::CredSspRefused { server } => ClientReport {
                event: 6041,
                code: None,
                certificate_time: false,
                denied_by_fips: false,
                names_host: names_host(
                    server.rsplit('/').next().unwrap_or(server),
                    names,
                    &Known::Open(not_named),
                ),
            },
            // "The certificate received from the remote server has either expired or is not yet valid."
            Event::Schannel(schannel) if schannel.event == 36881 => ClientReport {
                event: 36881,
                code: None,
                certificate_time: true,
                denied_by_fips: false,
                names_host: Known::Open(not_named),
            },
            _ => continue,
        };
        facts.add(Some(logged.time), body, vec![logged.source()]);
    }
}

/// Whether a server as somebody typed it, perhaps with a port, is the host: by its first label. An address may be anybody's.
fn names_host(server: &str, names: &[String], unknown: &Known<bool>) -> Known<bool> {
    if super::connection::address::parse(server).is_some() {
        return unknown.clone();
    }
    let label = |name: &str| {
        name.split(['.', ':'])
            .next()
            .unwrap_or(name)
            .trim()
            .to_lowercase()
    };
    Known::Is(names.iter().any(|name| label(name) == label(server)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::gap::Gaps;

    #[test]
    fn a_server_is_named_by_its_first_label() {
        let gap = Known::Open(Gaps::default().open(Subject::RdpClientLog, "not named"));
        let names = ["SRV01".to_owned()];
        assert_eq!(
            names_host("srv01.corp.example:3390", &names, &gap),
            Known::Is(true)
        );
        assert_eq!(names_host("srv02", &names, &gap), Known::Is(false));
        assert_eq!(names_host("10.0.0.5", &names, &gap), gap);
    }
}
