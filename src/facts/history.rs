//! The one way in: the events and logs of one host become its anchors, its coverage and its facts.
//!
//! ```text
//! records → EventReader::read
//! History::read      → anchors, attempts, clients, coverage
//! History::add_facts → facts and coverage into a FactSet
//! ```

use std::net::IpAddr;

use jiff::Timestamp;

use super::catalog::connection::Stage;
use super::catalog::host::{LogCleared, SessionBegan};
use super::clock::{Clock, Placed};
use super::connection::attempt::Attempt;
use super::connection::client::{self, Client, Fate};
use super::connection::facts::Whom;
use super::connection::join;
use super::connection::state::{self, Standing};
use super::event::{Event, LoggedEvent};
use super::fact::FactSet;
use super::gap::Gaps;
use super::incident::{Anchors, ConnectionState};
use super::known::Known;
use super::log_coverage::{CollectedLog, LogCoverage, Logging};
use super::schannel::{Attribution, OtherListeners};
use super::service_event::DisplayNames;
use super::subject::Subject;
use super::{connection, key_event, renewal, schannel, service_event, storage_event};

/// What the user said on the command line.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// `--incident`.
    pub incident: Option<Timestamp>,
    /// `--client-address`.
    pub client_addresses: Vec<IpAddr>,
}

/// What was learnt elsewhere and must be known before the logs can be judged.
#[derive(Debug, Clone)]
pub struct Surroundings {
    /// The newest time at which a hive was written.
    pub written: Option<Timestamp>,
    /// What the hives say about logging.
    pub logging: Logging,
    /// What else on the machine accepts TLS.
    pub others: OtherListeners,
}

/// What was learnt elsewhere, perhaps with the help of the anchors, and stands in facts about events.
#[derive(Debug, Clone)]
pub struct Bearing {
    /// Whether the suite lists that are known leave something in common with mainstream clients.
    pub lists_share: Known<bool>,
    /// Whether somebody's list of suites locks out a version of Windows that the build's own list would serve.
    pub list_locks_out: Known<bool>,
    /// The container of the listener's private key.
    pub listener_container: Known<Option<String>>,
    /// The first and the last moment of the listener's certificate, if it has one.
    pub certificate_validity: Known<Option<(Timestamp, Timestamp)>>,
    /// Display names of services, from the hive.
    pub display_names: DisplayNames,
}

/// What the logs of one host tell.
#[derive(Debug)]
pub struct History<'a> {
    /// The events, arranged in the order in which they happened.
    pub events: Vec<Placed<'a>>,
    /// How time runs.
    pub clock: Clock,
    /// What the logs cover.
    pub coverage: LogCoverage,
    /// Which Schannel events stem from Remote Desktop.
    pub attribution: Attribution,
    /// The attempts to connect.
    pub attempts: Vec<Attempt>,
    /// What became of each attempt.
    pub fates: Vec<Fate>,
    /// The clients behind them.
    pub clients: Vec<Client>,
    /// What they add up to.
    pub standing: Standing,
    /// The moments to measure from.
    pub anchors: Anchors,
}

impl<'a> History<'a> {
    /// Judges the events and logs of one host.
    #[must_use]
    pub fn read(
        events: &'a [LoggedEvent],
        logs: &[CollectedLog],
        surroundings: &Surroundings,
        options: &Options,
        gaps: &mut Gaps,
    ) -> Self {
        let clock = Clock::read(events, logs, surroundings.written);
        let events = clock.arrange(events);
        let coverage = LogCoverage::read(logs, &events, &clock, &surroundings.logging, gaps);
        let attribution = Attribution::read(&events, &clock, &coverage, &surroundings.others, gaps);
        let attempts = join::join(&events, &attribution.certain());
        let fates = client::fates(&attempts, &coverage, clock.as_of);
        let clients = client::clients(&events, &attempts, &fates, &options.client_addresses);
        let standing = state::judge(&state::Evidence {
            events: &events,
            attempts: &attempts,
            fates: &fates,
            clients: &clients,
            coverage: &coverage,
            clock: &clock,
        });
        let anchors = anchors(&standing, &events, &clock, &coverage, options, gaps);
        History {
            events,
            clock,
            coverage,
            attribution,
            attempts,
            fates,
            clients,
            standing,
            anchors,
        }
    }

    /// The last time that somebody who got in at least once got past TLS.
    #[must_use]
    pub fn last_served(&self) -> Option<Timestamp> {
        let clients = self.clients.iter();
        let people = clients.filter(|client| client.last_success.is_some());
        let attempts = people.flat_map(|client| &client.attempts);
        attempts
            .filter_map(|index| self.attempts.get(*index))
            .flat_map(|attempt| attempt.passed.range(Stage::Tls..))
            .filter_map(|(_, record)| self.events.get(*record))
            .map(|placed| placed.at)
            .max()
    }

    /// Adds what the logs cover, and every fact that they give, to a set made with these anchors.
    pub fn add_facts(&self, bearing: &Bearing, facts: &mut FactSet) {
        self.coverage.apply(facts);
        self.clock
            .add_facts(&self.events, &bearing.certificate_validity, facts);
        for placed in &self.events {
            let source = || vec![placed.event.source()];
            match &placed.event.event {
                Event::LogCleared { channel } => {
                    facts.add(
                        Some(placed.at),
                        LogCleared {
                            channel: channel.clone(),
                        },
                        source(),
                    );
                }
                Event::DesktopBegan { session } if *session >= 2 => {
                    facts.add(
                        Some(placed.at),
                        SessionBegan { session: *session },
                        source(),
                    );
                }
                _ => {}
            }
        }
        let whom = Whom::new(self, facts);
        connection::facts::add_facts(self, &whom, facts);
        schannel::failure::add_facts(self, &whom, bearing, facts);
        renewal::add_facts(self, &bearing.certificate_validity, facts);
        storage_event::add_facts(self, facts);
        key_event::add_facts(self, &bearing.listener_container, facts);
        service_event::add_facts(self, &bearing.display_names, facts);
    }
}

fn anchors(
    standing: &Standing,
    events: &[Placed<'_>],
    clock: &Clock,
    coverage: &LogCoverage,
    options: &Options,
    gaps: &mut Gaps,
) -> Anchors {
    let gap = gaps.open(
        Subject::ConnectionState,
        "no log that records attempts to connect covers the end of the collection",
    );
    let shows_entries = [
        Subject::LocalSessionManagerLog,
        Subject::RemoteConnectionManagerLog,
    ]
    .into_iter()
    .any(|subject| {
        clock
            .as_of
            .is_some_and(|as_of| coverage.covers_moment(subject, as_of))
    });
    let unseen = standing.state == ConnectionState::Unseen;
    let started = events
        .iter()
        .filter(|placed| is_service_start(&placed.event.event))
        .map(|placed| placed.at)
        .chain(clock.boots.last().copied())
        .max();
    Anchors {
        state: standing.state,
        last_success: match standing.last_success {
            None if unseen && !shows_entries => Known::Open(gap),
            known => Known::Is(known),
        },
        first_failure: match unseen {
            true => Known::Open(gap),
            false => Known::Is(standing.first_failure),
        },
        incident: options.incident.or(standing.first_failure).or(clock.as_of),
        last_boot: match clock.boots.last() {
            Some(boot) => Known::Is(*boot),
            None => Known::Open(gaps.open(Subject::SystemLog, "no start of Windows stands in it")),
        },
        service_start: match started {
            Some(start) => Known::Is(start),
            None => Known::Open(gaps.open(
                Subject::SystemLog,
                "no start of the Remote Desktop service stands in it",
            )),
        },
        as_of: clock.as_of,
        oldest: clock.oldest,
        gap,
    }
}

fn is_service_start(event: &Event) -> bool {
    match event {
        Event::ListenerStarted => true,
        Event::ServiceRan { service, state, .. } => {
            let name = service_event::key_name(service, &DisplayNames::new());
            *state == Some(4) && name.eq_ignore_ascii_case("TermService")
        }
        _ => false,
    }
}
