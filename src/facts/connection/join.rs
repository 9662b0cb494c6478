//! Joins records into attempts, from whatever logs are there.
//!
//! One attempt begins where a connection arrives (RdpCoreTS 131 over TCP, RemoteConnectionManager 261 or 1158) or, where no
//! log shows that, with the first record that names a client. The same activity id joins; the ids come from a small pool and
//! return (measured on a machine under attack: within the hour), so that an arrival always begins anew. A record without an
//! id belongs to the latest arrival before it, of its own client where it names one.

mod belonging;
mod outcome;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::SignedDuration;

use super::attempt::{Attempt, Parting, is_tls_failure};
use crate::facts::catalog::connection::{Ending, Stage};
use crate::facts::catalog::schannel::SchannelRole;
use crate::facts::clock::Placed;
use crate::facts::event::{Event, Transport};
use crate::facts::value::Code;

/// The records of one arrival stand within this time (measured: milliseconds).
const ARRIVAL: SignedDuration = SignedDuration::from_secs(2);
/// Until when a record that only names the client still belongs to that client's last arrival.
const HANDSHAKE: SignedDuration = SignedDuration::from_mins(2);
/// Credentials that were typed before connecting are refused within this time.
const REFUSAL: SignedDuration = SignedDuration::from_secs(15);
/// How long somebody may take from arriving to a session, with a password to type.
const LOGON: SignedDuration = SignedDuration::from_mins(10);

/// Joins the attempts out of the events of one host. `schannel` holds the places of the Schannel events that stem from
/// Remote Desktop.
#[must_use]
pub fn join(events: &[Placed<'_>], schannel: &BTreeSet<usize>) -> Vec<Attempt> {
    let mut joining = Joining::default();
    for (index, placed) in events.iter().enumerate() {
        joining.event(index, placed, schannel.contains(&index));
    }
    joining.attempts
}

#[derive(Default)]
struct Joining<'a> {
    attempts: Vec<Attempt>,
    by_activity: BTreeMap<&'a str, usize>,
    by_client: BTreeMap<IpAddr, usize>,
    by_session: BTreeMap<u32, usize>,
    latest: Option<usize>,
}

impl<'a> Joining<'a> {
    fn event(&mut self, index: usize, placed: &Placed<'a>, of_remote_desktop: bool) {
        let Placed { at, event: logged } = *placed;
        match &logged.event {
            Event::Accepted {
                transport: Transport::Tcp,
                client,
            } => {
                let attempt = self.arrival(index, at, logged, *client, |seen| &mut seen.transport);
                self.begin(attempt, *client);
            }
            Event::Accepted {
                transport: Transport::Udp,
                client,
            } => {
                // The side channel of a connection that stands already; its own id leads there from now on.
                if let Some(attempt) =
                    client.and_then(|client| self.by_client.get(&client).copied())
                {
                    self.note(attempt, index);
                    self.attempts[attempt].udp = true;
                    if let Some(activity) = logged.activity.as_deref() {
                        self.by_activity.insert(activity, attempt);
                    }
                }
            }
            Event::SideChannelFailed { .. } => {
                if let Some(attempt) = self.find(at, logged, None, SignedDuration::MAX) {
                    self.note(attempt, index);
                    let known = &mut self.attempts[attempt];
                    known.udp = true;
                    known.side_channel_failed = Some(index);
                }
            }
            // What a connection broker says while a client arrives or signs in is about that client.
            Event::BrokerFailed { .. } => {
                let attempt = self.of_activity(at, logged, LOGON);
                let attempt = attempt.or_else(|| self.latest_within(at, HANDSHAKE));
                self.note_if(attempt, index);
                self.not_handed_on(attempt);
            }
            Event::ListenerReached => {
                let attempt = self.arrival(index, at, logged, None, |seen| &mut seen.listener);
                self.latest = Some(attempt);
            }
            Event::AcceptedFrom { client } => {
                let attempt = self.arrival(index, at, logged, *client, |seen| &mut seen.address);
                self.begin(attempt, *client);
            }
            Event::Created => {
                let attempt = self.find(at, logged, None, HANDSHAKE);
                self.note_if(attempt, index);
            }
            Event::Assigned { session } => {
                if let Some(attempt) = self.find(at, logged, None, LOGON) {
                    self.note(attempt, index);
                    self.attempts[attempt].admitted.get_or_insert(index);
                    if let Some(session) = session {
                        self.by_session.insert(*session, attempt);
                        self.attempts[attempt].session = Some(*session);
                    }
                }
            }
            Event::TlsNegotiated { .. } => {
                let attempt = self.find(at, logged, None, HANDSHAKE);
                self.pass_if(attempt, index, Stage::Tls);
            }
            Event::SecurityLayerError { code, client } => {
                let attempt = self.find_or_begin(index, at, logged, *client, HANDSHAKE);
                self.die(attempt, index, Ending::Tls, *code);
            }
            Event::TransitionFailed { machine, code } => {
                let attempt = self.find(at, logged, None, HANDSHAKE);
                self.note_if(attempt, index);
                match code {
                    Some(code) if is_tls_failure(machine, *code) => {
                        self.die(attempt, index, Ending::Tls, Some(*code));
                    }
                    // ERROR_LOGON_FAILURE as an HRESULT.
                    Some(code @ Code(0x8007_052E)) => {
                        self.die(attempt, index, Ending::Credentials, Some(*code));
                    }
                    _ => {}
                }
            }
            Event::PasswordRefused { client } => {
                let attempt = self.find_or_begin(index, at, logged, *client, LOGON);
                // The password travels inside TLS.
                self.pass_if(attempt, index, Stage::Tls);
                self.die(attempt, index, Ending::Credentials, None);
            }
            Event::TransportBroken { code } => {
                let attempt = self.find(at, logged, None, SignedDuration::MAX);
                self.note_if(attempt, index);
                self.die(attempt, index, Ending::Transport, *code);
                self.leave(attempt, at, Parting::Broken(*code));
            }
            Event::Ended { .. } => {
                let attempt = self.find(at, logged, None, SignedDuration::MAX);
                self.note_if(attempt, index);
                self.leave(attempt, at, Parting::Quiet);
            }
            Event::Authenticated { client } => {
                let known = self.find(at, logged, *client, LOGON);
                let fresh = known.filter(|attempt| !self.has(*attempt, Stage::Credentials));
                let attempt = fresh.or_else(|| Some(self.new_attempt(index, at, logged, *client)));
                self.pass_if(attempt, index, Stage::Credentials);
            }
            Event::SessionOpened {
                event,
                session,
                client: Some(client),
            } => {
                self.session(index, at, logged, *event, *session, *client);
            }
            Event::SessionOpened { .. } => {}
            Event::SessionLeft {
                event,
                session,
                reason,
            } => {
                let attempt = session
                    .and_then(|session| self.by_session.get(&session).copied())
                    .or_else(|| self.of_activity(at, logged, SignedDuration::MAX));
                self.note_if(attempt, index);
                // Reasons that somebody wished: 1 to 5, 11 and 12 (ExtendedDisconnectReasonCode).
                let wished = matches!((event, reason), (23 | 39, _) | (40, Some(1..=5 | 11 | 12)));
                let parting = match (wished, event) {
                    (true, _) => Parting::Wished,
                    (false, 40) => {
                        let code = reason.filter(|reason| *reason != 0).map(Code);
                        Parting::Broken(code)
                    }
                    (false, _) => Parting::Quiet,
                };
                self.leave(attempt, at, parting);
            }
            Event::DriverError { code, client, .. } => {
                let attempt = match client {
                    Some(_) => self.find_or_begin(index, at, logged, *client, SignedDuration::MAX),
                    None => self.latest_within(at, ARRIVAL),
                };
                self.note_if(attempt, index);
                let ending = match code {
                    Some(Code(code)) if code >> 16 == 0x8009 => Ending::Tls,
                    _ => Ending::Transport,
                };
                self.die(attempt, index, ending, *code);
                self.leave(attempt, at, Parting::Broken(*code));
            }
            Event::Logon {
                kind,
                client: Some(client),
                refused,
            } => {
                self.logon(index, at, logged, *kind, *client, *refused);
            }
            Event::Schannel(schannel) if of_remote_desktop => {
                let attempt = self.latest_within(at, ARRIVAL);
                self.note_if(attempt, index);
                match schannel.event {
                    36880 if schannel.role == Some(SchannelRole::Server) => {
                        self.pass_if(attempt, index, Stage::Tls);
                    }
                    36880 => {}
                    // (10, 1203) is what anything that does not speak TLS leaves behind.
                    36888 if schannel.alert == Some(10) && schannel.state == Some(1203) => {}
                    _ => self.die(attempt, index, Ending::Tls, schannel.error),
                }
            }
            _ => {}
        }
    }
}
