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
    /// The account of a person, or of a program such as a web server, wrote it, and its source is a service of Windows.
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
        if is_service(writer) && is_foreign(account) {
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
                "bear the name of a service of Windows, and the account of a person or of another program wrote them: they are forged. \
                 They are not used, and nothing is concluded from what this log does not hold"
            }
            Forgery::Channel => {
                "bear the name of a source that never writes to Application, where everybody may write: they are forged, or were \
                 copied there. They are not used"
            }
        }
    }
}

/// Those whose records bear the account of a service, always (measured on logs of Windows 10 and Server 2012 to 2019: S-1-5-18 and
/// S-1-5-20; the list of networks and the broker write from services as well). Of others it may be that of whoever caused them, as in Service Control Manager 7040.
fn is_service(writer: Writer) -> bool {
    matches!(
        writer,
        Writer::RdpCoreTs
            | Writer::ConnectionManager
            | Writer::SessionManager
            | Writer::Networks
            | Writer::Broker
            | Writer::BrokerClient
    )
}

/// An account of a machine, a domain (S-1-5-21) or a tenant (S-1-12-1), one that a service has for itself (S-1-5-80), of a pool of web
/// applications (S-1-5-82), of a virtual machine (S-1-5-83), or of a program in a box (S-1-15): none of them is that of Remote Desktop's
/// services (Microsoft, "Well-known SIDs").
fn is_foreign(sid: &str) -> bool {
    const BEGIN: [&str; 6] = [
        "S-1-5-21-",
        "S-1-12-1-",
        "S-1-5-80-",
        "S-1-5-82-",
        "S-1-5-83-",
        "S-1-15-",
    ];
    BEGIN.iter().any(|begin| sid.starts_with(begin))
}

/// The sources of the watch list that write there.
fn writes_to_application(writer: Writer) -> bool {
    matches!(writer, Writer::Crashes | Writer::Wininit)
}

/// The records of one log that are not believed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forged {
    records: BTreeMap<Forgery, Records>,
    /// The channels that such an account wrote to.
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
        let pool = "S-1-5-82-3006700770-424185619-1745488364-794895919-4004696415";
        assert_eq!(logged(Writer::RdpCoreTs, pool), Some(Forgery::Account));
        assert_eq!(
            logged(Writer::Networks, PERSON),
            Some(Forgery::Account),
            "who tells which networks were joined is a service too"
        );
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
