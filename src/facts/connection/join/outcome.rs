//! What a record says of its attempt: that it passed a stage, opened a session, died or ended.

use std::net::IpAddr;

use jiff::Timestamp;

use super::super::attempt::{Death, Left, Parting};
use super::{HANDSHAKE, Joining, LOGON, REFUSAL};
use crate::facts::catalog::connection::{Ending, Stage};
use crate::facts::event::LoggedEvent;
use crate::facts::value::Code;

impl<'a> Joining<'a> {
    pub(super) fn session(
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
            .or_else(|| self.assigned(session, at))
            .or_else(|| {
                let of_client = self.find(at, logged, Some(client), LOGON)?;
                (!self.has(of_client, Stage::Session)).then_some(of_client)
            })
            .unwrap_or_else(|| self.new_attempt(index, at, logged, Some(client)));
        self.name(attempt, Some(client));
        self.pass_if(Some(attempt), index, Stage::Session);
        if let Some(session) = session {
            self.by_session.insert(session, attempt);
            self.attempts[attempt].session = Some(session);
        }
    }

    /// The attempt that RdpCoreTS has given this session a short while ago, and that has not opened one yet.
    pub(super) fn assigned(&self, session: Option<u32>, at: Timestamp) -> Option<usize> {
        let attempt = self.by_session.get(&session?).copied()?;
        let waits = !self.has(attempt, Stage::Session) && self.attempts[attempt].admitted.is_some();
        (waits && self.is_within(attempt, at, LOGON)).then_some(attempt)
    }

    /// An audited logon. Over the network (3) file shares log on too: such a record tells of an attempt only beside an arrival
    /// of its client, and then only of a refusal.
    pub(super) fn logon(
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

    pub(super) fn has(&self, attempt: usize, stage: Stage) -> bool {
        self.attempts[attempt].passed.contains_key(&stage)
    }

    pub(super) fn note(&mut self, attempt: usize, index: usize) {
        let records = &mut self.attempts[attempt].records;
        if records.last() != Some(&index) {
            records.push(index);
        }
    }

    pub(super) fn note_if(&mut self, attempt: Option<usize>, index: usize) {
        if let Some(attempt) = attempt {
            self.note(attempt, index);
        }
    }

    pub(super) fn pass_if(&mut self, attempt: Option<usize>, index: usize, stage: Stage) {
        let Some(attempt) = attempt else { return };
        self.note(attempt, index);
        let attempt = &mut self.attempts[attempt];
        attempt.passed.entry(stage).or_insert(index);
        if stage >= Stage::Credentials {
            attempt.death = None;
        }
    }

    /// Notes how an attempt died: what is said first counts, but a broken transport is only the sound of it.
    pub(super) fn die(
        &mut self,
        attempt: Option<usize>,
        index: usize,
        ending: Ending,
        code: Option<Code>,
    ) {
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

    /// The broker failed for somebody who has authenticated and has no session yet.
    pub(super) fn not_handed_on(&mut self, attempt: Option<usize>) {
        let waits = attempt.filter(|attempt| {
            self.has(*attempt, Stage::Credentials) && !self.has(*attempt, Stage::Session)
        });
        if let Some(attempt) = waits {
            self.attempts[attempt].death = Some(Death {
                ending: Ending::Broker,
                code: None,
            });
        }
    }

    pub(super) fn leave(&mut self, attempt: Option<usize>, at: Timestamp, parting: Parting) {
        let Some(attempt) = attempt else { return };
        let left = self.attempts[attempt].left.get_or_insert(Left {
            at,
            broken: false,
            wished: false,
            codes: Vec::new(),
        });
        match parting {
            Parting::Broken(code) => {
                left.broken = true;
                left.codes.extend(code);
            }
            Parting::Wished => left.wished = true,
            Parting::Quiet => {}
        }
    }
}
