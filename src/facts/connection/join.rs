//! Joins records into attempts, from whatever logs are there.
//!
//! One attempt begins where a connection arrives (RdpCoreTS 131 over TCP, RemoteConnectionManager 261 or 1158) or, where no
//! log shows that, with the first record that names a client. The same activity id joins; the ids come from a small pool and
//! return (measured on a machine under attack: within the hour), so that an arrival always begins anew. A record without an
//! id belongs to the latest arrival before it, of its own client where it names one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::attempt::{Arrival, Attempt, Death, Left, is_tls_failure};
use crate::facts::catalog::connection::{Ending, Stage};
use crate::facts::catalog::schannel::SchannelRole;
use crate::facts::clock::Placed;
use crate::facts::event::{Event, LoggedEvent, Transport};
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
                    if let Some(activity) = logged.activity.as_deref() {
                        self.by_activity.insert(activity, attempt);
                    }
                }
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
                self.leave(attempt, at, true, false);
            }
            Event::Ended { .. } => {
                let attempt = self.find(at, logged, None, SignedDuration::MAX);
                self.note_if(attempt, index);
                self.leave(attempt, at, false, false);
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
                self.leave(attempt, at, *event == 40 && !wished, wished);
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
                self.leave(attempt, at, true, false);
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

    /// An arrival: the half that another log has shown already, or a new attempt.
    fn arrival(
        &mut self,
        index: usize,
        at: Timestamp,
        logged: &'a LoggedEvent,
        client: Option<IpAddr>,
        half: impl Fn(&mut Arrival) -> &mut bool,
    ) -> usize {
        let by_activity = logged
            .activity
            .as_deref()
            .and_then(|activity| self.by_activity.get(activity).copied());
        let fits = |joining: &mut Self, attempt: usize| {
            let known = &mut joining.attempts[attempt];
            at.duration_since(known.at) <= ARRIVAL
                && (known.client.is_none() || client.is_none() || known.client == client)
                && !*half(&mut known.arrival)
        };
        let without_id = |joining: &Self, attempt: usize| {
            logged.activity.is_none() || !joining.attempts[attempt].arrival.identified
        };
        let other_half = match (by_activity, self.latest) {
            (Some(attempt), _) if fits(self, attempt) => Some(attempt),
            (None, Some(latest)) if without_id(self, latest) && fits(self, latest) => Some(latest),
            _ => None,
        };
        let attempt = match other_half {
            Some(attempt) => {
                self.note(attempt, index);
                attempt
            }
            None => self.new_attempt(index, at, logged, client),
        };
        *half(&mut self.attempts[attempt].arrival) = true;
        if let Some(activity) = logged.activity.as_deref() {
            self.by_activity.insert(activity, attempt);
            self.attempts[attempt].arrival.identified = true;
        }
        attempt
    }

    fn begin(&mut self, attempt: usize, client: Option<IpAddr>) {
        let known = &mut self.attempts[attempt];
        known.client = known.client.or(client);
        if let Some(client) = known.client {
            self.by_client.insert(client, attempt);
        }
        self.latest = Some(attempt);
    }

    fn new_attempt(
        &mut self,
        index: usize,
        at: Timestamp,
        logged: &'a LoggedEvent,
        client: Option<IpAddr>,
    ) -> usize {
        let attempt = self.attempts.len();
        self.attempts.push(Attempt {
            at,
            client,
            records: vec![index],
            passed: BTreeMap::from([(Stage::Arrived, index)]),
            death: None,
            admitted: None,
            left: None,
            arrival: Arrival::default(),
        });
        if let Some(activity) = logged.activity.as_deref() {
            self.by_activity.insert(activity, attempt);
        }
        self.begin(attempt, client);
        attempt
    }

    fn of_activity(
        &self,
        at: Timestamp,
        logged: &LoggedEvent,
        within: SignedDuration,
    ) -> Option<usize> {
        let attempt = *self.by_activity.get(logged.activity.as_deref()?)?;
        self.is_within(attempt, at, within).then_some(attempt)
    }

    fn is_within(&self, attempt: usize, at: Timestamp, within: SignedDuration) -> bool {
        at.duration_since(self.attempts[attempt].at) <= within
    }

    fn latest_within(&self, at: Timestamp, within: SignedDuration) -> Option<usize> {
        self.latest
            .filter(|attempt| self.is_within(*attempt, at, within))
    }

    /// The attempt to which a record belongs.
    fn find(
        &mut self,
        at: Timestamp,
        logged: &LoggedEvent,
        client: Option<IpAddr>,
        within: SignedDuration,
    ) -> Option<usize> {
        if let Some(attempt) = self.of_activity(at, logged, SignedDuration::MAX) {
            let known = &mut self.attempts[attempt];
            if known.client.is_none() || client.is_none() || known.client == client {
                self.name(attempt, client);
                return Some(attempt);
            }
        }
        if let Some(client) = client {
            let of_client = self.by_client.get(&client).copied();
            if let Some(attempt) = of_client.filter(|attempt| self.is_within(*attempt, at, within))
            {
                return Some(attempt);
            }
            // An arrival that only the listener has shown bears no address until something names it.
            let nameless = self.latest_within(at, HANDSHAKE.min(within))?;
            if self.attempts[nameless].client.is_some() {
                return None;
            }
            self.name(nameless, Some(client));
            return Some(nameless);
        }
        match logged.activity {
            Some(_) => None,
            None => self.latest_within(at, within),
        }
    }

    fn name(&mut self, attempt: usize, client: Option<IpAddr>) {
        let known = &mut self.attempts[attempt];
        if let (None, Some(client)) = (known.client, client) {
            known.client = Some(client);
            self.by_client.insert(client, attempt);
        }
    }

    fn find_or_begin(
        &mut self,
        index: usize,
        at: Timestamp,
        logged: &'a LoggedEvent,
        client: Option<IpAddr>,
        within: SignedDuration,
    ) -> Option<usize> {
        match (self.find(at, logged, client, within), client) {
            (Some(attempt), _) => {
                self.note(attempt, index);
                Some(attempt)
            }
            (None, Some(_)) => Some(self.new_attempt(index, at, logged, client)),
            (None, None) => None,
        }
    }

    fn session(
        &mut self,
        index: usize,
        at: Timestamp,
        logged: &'a LoggedEvent,
        event: u32,
        session: Option<u32>,
        client: IpAddr,
    ) {
        // 22 follows 21 of the same session.
        let same = session
            .and_then(|session| self.by_session.get(&session).copied())
            .filter(|attempt| event == 22 && self.has(*attempt, Stage::Session));
        // The id decides, even where a broker or gateway lets the session show another address than the connection.
        let attempt = same
            .or_else(|| self.of_activity(at, logged, LOGON))
            .or_else(|| {
                let of_client = self.find(at, logged, Some(client), LOGON)?;
                (!self.has(of_client, Stage::Session)).then_some(of_client)
            })
            .unwrap_or_else(|| self.new_attempt(index, at, logged, Some(client)));
        self.name(attempt, Some(client));
        self.pass_if(Some(attempt), index, Stage::Session);
        if let Some(session) = session {
            self.by_session.insert(session, attempt);
        }
    }

    /// An audited logon. Over the network (3) file shares log on too: such a record tells of an attempt only beside an arrival
    /// of its client, and then only of a refusal.
    fn logon(
        &mut self,
        index: usize,
        at: Timestamp,
        logged: &'a LoggedEvent,
        kind: u32,
        client: IpAddr,
        refused: Option<Code>,
    ) {
        let of_client = self.by_client.get(&client).copied();
        let recent = of_client.filter(|attempt| self.is_within(*attempt, at, HANDSHAKE));
        let near = recent
            .or_else(|| self.nameless_before_refusal(at, client, refused))
            .filter(|attempt| !self.has(*attempt, Stage::Session));
        match (kind, refused) {
            // The logs of one moment come in any order: the session may have begun already.
            (10, None) => {
                let attempt = near
                    .or(recent)
                    .unwrap_or_else(|| self.new_attempt(index, at, logged, Some(client)));
                self.pass_if(Some(attempt), index, Stage::Tls);
                self.attempts[attempt].death = None;
                self.attempts[attempt].admitted.get_or_insert(index);
            }
            // In the session, after network level authentication: it is not in.
            (10, Some(code)) if near.is_some_and(|near| self.has(near, Stage::Credentials)) => {
                self.note_if(near, index);
                if let Some(near) = near {
                    self.attempts[near].death = Some(Death {
                        ending: Ending::Credentials,
                        code: Some(code),
                    });
                }
            }
            (10, Some(code)) => {
                let attempt =
                    near.unwrap_or_else(|| self.new_attempt(index, at, logged, Some(client)));
                self.pass_if(Some(attempt), index, Stage::Tls);
                self.die(Some(attempt), index, Ending::Credentials, Some(code));
            }
            (3, Some(code)) => {
                let alive = near.filter(|attempt| {
                    self.attempts[*attempt]
                        .death
                        .is_none_or(|death| death.ending != Ending::Tls)
                });
                self.pass_if(alive, index, Stage::Tls);
                self.die(alive, index, Ending::Credentials, Some(code));
            }
            _ => {}
        }
    }

    /// Without RdpCoreTS (Server 2008 R2) nothing but the refusal names the client of an arrival.
    fn nameless_before_refusal(
        &mut self,
        at: Timestamp,
        client: IpAddr,
        refused: Option<Code>,
    ) -> Option<usize> {
        refused?;
        let latest = self.latest_within(at, REFUSAL)?;
        if self.attempts[latest].client.is_some() {
            return None;
        }
        self.name(latest, Some(client));
        Some(latest)
    }

    fn has(&self, attempt: usize, stage: Stage) -> bool {
        self.attempts[attempt].passed.contains_key(&stage)
    }

    fn note(&mut self, attempt: usize, index: usize) {
        let records = &mut self.attempts[attempt].records;
        if records.last() != Some(&index) {
            records.push(index);
        }
    }

    fn note_if(&mut self, attempt: Option<usize>, index: usize) {
        if let Some(attempt) = attempt {
            self.note(attempt, index);
        }
    }

    fn pass_if(&mut self, attempt: Option<usize>, index: usize, stage: Stage) {
        let Some(attempt) = attempt else { return };
        self.note(attempt, index);
        let attempt = &mut self.attempts[attempt];
        attempt.passed.entry(stage).or_insert(index);
        if stage >= Stage::Credentials {
            attempt.death = None;
        }
    }

    /// Notes how an attempt died: what is said first counts, but a broken transport is only the sound of it.
    fn die(&mut self, attempt: Option<usize>, index: usize, ending: Ending, code: Option<Code>) {
        let Some(attempt) = attempt else { return };
        self.note(attempt, index);
        let attempt = &mut self.attempts[attempt];
        if attempt.reached() >= Stage::Credentials {
            return;
        }
        // What the security layer refuses once TLS stands is CredSSP: the credentials.
        let ending = match ending {
            Ending::Tls if attempt.reached() >= Stage::Tls => Ending::Credentials,
            other => other,
        };
        match &mut attempt.death {
            Some(death) if death.ending != Ending::Transport => {
                if death.ending == ending && death.code.is_none() {
                    death.code = code;
                }
            }
            death => *death = Some(Death { ending, code }),
        }
    }

    fn leave(&mut self, attempt: Option<usize>, at: Timestamp, broken: bool, wished: bool) {
        let Some(attempt) = attempt else { return };
        let left = self.attempts[attempt].left.get_or_insert(Left {
            at,
            broken: false,
            wished: false,
        });
        left.broken |= broken;
        left.wished |= wished;
    }
}
