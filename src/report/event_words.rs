//! What the events that matter to Remote Desktop say, in our own words. Their ids are those of the watch list.

use crate::facts::watch::{Writer, watched};
use crate::parse::event_log::EventRecord;

/// The words for an event of the watch list; none for all others.
pub(super) fn words(record: &EventRecord) -> Option<&'static str> {
    let writer = watched(
        &record.provider,
        record.source_name.as_deref(),
        record.event_id,
    )?;
    Some(match (writer, record.event_id) {
        (Writer::RdpCoreTs, 65 | 98) => "the connection got its place",
        (Writer::RdpCoreTs, 66) => "the connection was given to a session",
        (Writer::RdpCoreTs, 102 | 103) => "the connection ended",
        (Writer::RdpCoreTs, 131) => "a connection was accepted",
        (Writer::RdpCoreTs, 139) => "the security layer met an error and closed the connection",
        (Writer::RdpCoreTs, 140) => "user name or password were refused",
        (Writer::RdpCoreTs, 142 | 143) => "the socket broke",
        (Writer::RdpCoreTs, 153) => "TLS was negotiated",
        (Writer::RdpCoreTs, 226) => "a step of the connection failed",
        (Writer::ConnectionManager, 258) => "the listener started",
        (Writer::ConnectionManager, 261) => "the listener received a connection",
        (Writer::ConnectionManager, 1056) => "a self-signed certificate was made",
        (Writer::ConnectionManager, 1057 | 1058) => {
            "the self-signed certificate could not be made or renewed"
        }
        (Writer::ConnectionManager, 1149) => "credentials were accepted",
        (Writer::ConnectionManager, 1158) => "a connection from an address was accepted",
        (Writer::SessionManager, 21) => "somebody logged on",
        (Writer::SessionManager, 22) => "the shell started",
        (Writer::SessionManager, 23) => "somebody logged off",
        (Writer::SessionManager, 24) => "a session lost its client",
        (Writer::SessionManager, 25) => "somebody reconnected to a session",
        (Writer::SessionManager, 39 | 40) => "a session was disconnected",
        (Writer::TermDd, 50) => "the protocol stream was broken",
        (Writer::TermDd, 56) => "the security layer met an error and disconnected the client",
        (Writer::Schannel, 36869) => "the certificate has no private key",
        (Writer::Schannel, 36870) => "the private key could not be opened",
        (Writer::Schannel, 36871) => "a TLS credential could not be made",
        (Writer::Schannel, 36874) => "no cipher suite in common with the client",
        (Writer::Schannel, 36880) => "a TLS handshake succeeded",
        (Writer::Schannel, 36887) => "a TLS alert was received",
        (Writer::Schannel, 36888) => "a TLS alert was sent",
        _ => return None,
    })
}
