//! Records that are not from whom they name.
//!
//! Whoever is signed in may write records under any source's name to Application, and, through an event provider registered anew,
//! to Operational channels whose access is the default one (`isolation` "Application": interactive users may write; Microsoft,
//! "Defining channels"). Two things he cannot forge: the account in `System/Security`, which the event log service itself takes from
//! the writer's token, and the other channels.

use std::collections::{BTreeMap, BTreeSet};

use crate::parse::event_log::EventRecord;

use super::watch::{self, Writer};

/// Why a record is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Forgery {
    /// A person's account wrote it, and its source is a service.
    Account,
    /// It stands in Application, where its source never writes.
    Channel,
}

impl Forgery {
    /// What makes a record of the watch list unbelievable; none where nothing does.
    #[must_use]
    pub fn of(record: &EventRecord) -> Option<Forgery> {
        let source_name = record.source_name.as_deref();
        let writer = watch::watched(&record.provider, source_name, record.event_id)?;
        let account = record.user_sid.as_deref().unwrap_or_default();
        Forgery::judge(writer, &record.channel, account)
    }

    fn judge(writer: Writer, channel: &str, account: &str) -> Option<Forgery> {
        if is_service(writer) && is_persons(account) {
            return Some(Forgery::Account);
        }
        let misplaced =
            channel.eq_ignore_ascii_case("Application") && !writes_to_application(writer);
        misplaced.then_some(Forgery::Channel)
    }

    /// What people are told of it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Forgery::Account => {
                "bear the name of a service, and a person's account wrote them: they are forged. They are not used, and nothing \
                 is concluded from what this log does not hold"
            }
            Forgery::Channel => {
                "bear the name of a source that never writes to Application, where everybody may write: they are forged, or were \
                 copied there. They are not used"
            }
        }
    }
}

/// Those whose records bear the account of a service, always (measured on logs of Windows 10 and Server 2012 to 2019: S-1-5-18 and
/// S-1-5-20). Of others it may be that of whoever caused them, as in Service Control Manager 7040.
fn is_service(writer: Writer) -> bool {
    matches!(
        writer,
        Writer::RdpCoreTs | Writer::ConnectionManager | Writer::SessionManager
    )
}

/// An account of a machine, a domain (S-1-5-21) or a tenant (S-1-12-1).
fn is_persons(sid: &str) -> bool {
    sid.starts_with("S-1-5-21-") || sid.starts_with("S-1-12-1-")
}

/// The sources of the watch list that write there.
fn writes_to_application(writer: Writer) -> bool {
    matches!(writer, Writer::Crashes | Writer::Wininit)
}

/// The records of one log that are not believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forged {
    records: BTreeMap<Forgery, Records>,
    /// The channels that a person's account wrote to.
    channels: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Records {
    first: u64,
    count: u64,
}

impl Forged {
    /// Notes one more.
    pub fn note(&mut self, forgery: Forgery, record: &EventRecord) {
        let known = self.records.entry(forgery).or_insert(Records {
            first: record.number,
            count: 0,
        });
        known.first = known.first.min(record.number);
        known.count = known.count.saturating_add(1);
        if forgery == Forgery::Account {
            self.channels.insert(record.channel.clone());
        }
    }

    /// Whether a channel holds records that were forged with access to it.
    #[must_use]
    pub fn taints(&self, channel: &str) -> bool {
        self.channels.contains(channel)
    }

    /// Each kind of them, with the number of the first and what people are told.
    pub fn told(&self) -> impl Iterator<Item = (u64, String)> {
        self.records.iter().map(|(forgery, records)| {
            let count = match records.count {
                1 => "a record".to_owned(),
                count => format!("{count} records"),
            };
            (records.first, format!("{count}: {}", forgery.words()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: &str = "S-1-5-21-1-2-3-1104";

    #[test]
    fn a_services_record_bears_a_services_account() {
        let logged = |writer, account| {
            let channel = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational";
            Forgery::judge(writer, channel, account)
        };
        assert_eq!(logged(Writer::RdpCoreTs, "S-1-5-20"), None);
        assert_eq!(logged(Writer::RdpCoreTs, ""), None);
        assert_eq!(logged(Writer::RdpCoreTs, PERSON), Some(Forgery::Account));
        // Who changed how a service starts stands there by right.
        assert_eq!(
            Forgery::judge(Writer::ServiceControl, "System", PERSON),
            None
        );
    }

    #[test]
    fn application_holds_what_is_written_there() {
        let application = |writer| Forgery::judge(writer, "Application", "");
        assert_eq!(application(Writer::Crashes), None);
        assert_eq!(application(Writer::Schannel), Some(Forgery::Channel));
        assert_eq!(application(Writer::Security), Some(Forgery::Channel));
        assert_eq!(Forgery::judge(Writer::Schannel, "System", ""), None);
    }
}
