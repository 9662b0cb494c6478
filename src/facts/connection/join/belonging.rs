//! To which attempt a record belongs: by its activity id, its client, or the latest arrival before it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};

use super::super::attempt::{Arrival, Attempt};
use super::{ARRIVAL, HANDSHAKE, Joining};
use crate::facts::catalog::connection::Stage;
use crate::facts::event::LoggedEvent;

impl<'a> Joining<'a> {
    /// An arrival: the half that another log has shown already, or a new attempt.
    pub(super) fn arrival(
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

    pub(super) fn begin(&mut self, attempt: usize, client: Option<IpAddr>) {
        let known = &mut self.attempts[attempt];
        known.client = known.client.or(client);
        if let Some(client) = known.client {
            self.by_client.insert(client, attempt);
        }
        self.latest = Some(attempt);
    }

    pub(super) fn new_attempt(
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
            session: None,
            udp: false,
            side_channel_failed: None,
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

    pub(super) fn of_activity(
        &self,
        at: Timestamp,
        logged: &LoggedEvent,
        within: SignedDuration,
    ) -> Option<usize> {
        let attempt = *self.by_activity.get(logged.activity.as_deref()?)?;
        self.is_within(attempt, at, within).then_some(attempt)
    }

    pub(super) fn is_within(&self, attempt: usize, at: Timestamp, within: SignedDuration) -> bool {
        at.duration_since(self.attempts[attempt].at) <= within
    }

    pub(super) fn latest_within(&self, at: Timestamp, within: SignedDuration) -> Option<usize> {
        self.latest
            .filter(|attempt| self.is_within(*attempt, at, within))
    }

    /// The attempt to which a record belongs.
    pub(super) fn find(
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

    pub(super) fn name(&mut self, attempt: usize, client: Option<IpAddr>) {
        let known = &mut self.attempts[attempt];
        if let (None, Some(client)) = (known.client, client) {
            known.client = Some(client);
            self.by_client.insert(client, attempt);
        }
    }

    pub(super) fn find_or_begin(
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
}
