//! Forges a whole machine: what it logs while people connect and fail to, its registry, its listener's certificate. The
//! same bytes every time.

mod connections;
mod event;
mod firewall;
mod happenings;
pub mod keys;
mod logons;
mod logs;
mod registry;
mod sessions;
mod windows;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

pub use connections::TlsFailure;
pub use event::{Channel, Datum, Logged, Payload, Provider};
pub use firewall::{FIREWALL, FIREWALL_POLICY, shipped_rule};
pub use logons::{Refused, rights};
pub use windows::Windows;

use super::certificate::{ForgedCertificate, StoreEntry};
use super::hive::HiveBuilder;

/// The control set that `Select\Current` names.
pub const CONTROL_SET: &str = "ControlSet001";
/// The RDP-Tcp listener's key, from the hive's root.
pub const LISTENER: &str = r"ControlSet001\Control\Terminal Server\WinStations\RDP-Tcp";
/// Where group policy puts the order of cipher suites, in SOFTWARE.
pub const SUITE_POLICY: &str = r"Policies\Microsoft\Cryptography\Configuration\SSL\00010002";
/// Where Schannel's versions are switched.
pub const PROTOCOLS: &str = r"ControlSet001\Control\SecurityProviders\SCHANNEL\Protocols";

/// A machine in the making.
pub struct Machine {
    pub name: &'static str,
    pub windows: Windows,
    pub system: HiveBuilder,
    pub software: HiveBuilder,
    pub certificate: Option<ForgedCertificate>,
    /// The name that it had until then.
    pub former: Option<(Timestamp, &'static str)>,
    /// From when until when its clock was so far ahead.
    pub clock_ahead: Option<(Timestamp, Timestamp, SignedDuration)>,
    /// Whether its logs are exported by a query that leaves every event out whose id is not among these.
    pub query: Option<&'static [u16]>,
    events: Vec<Logged>,
    next_connection: u32,
    service_process: u32,
}

/// How a case is told: the same machine at another time, under another name, or with its logs in other files.
#[derive(Debug, Clone, Copy, Default)]
pub struct Telling {
    /// How much later everything happens.
    pub later: SignedDuration,
    /// The name that every machine has instead of its own.
    pub name: Option<&'static str>,
    /// Whether each log comes in two files, the older half and the newer.
    pub split_logs: bool,
}

thread_local! {
    static TELLING: Cell<Telling> = Cell::default();
}

/// Forges machines that are told otherwise; what forges them need not know.
pub fn told<T>(telling: Telling, forge: impl FnOnce() -> T) -> T {
    TELLING.set(telling);
    let forged = forge();
    TELLING.set(Telling::default());
    forged
}

/// A point in time, as RFC 3339 has it.
pub fn at(text: &str) -> Timestamp {
    let time: Timestamp = text.parse().expect("a time in RFC 3339");
    time + TELLING.get().later
}

/// So many minutes.
pub fn minutes(count: i64) -> SignedDuration {
    SignedDuration::from_mins(count)
}

/// So many seconds.
pub fn seconds(count: i64) -> SignedDuration {
    SignedDuration::from_secs(count)
}

impl Machine {
    /// A machine as it stands some time after its installation: healthy, its registry last written at `since`.
    pub fn new(name: &'static str, windows: Windows, since: Timestamp) -> Self {
        let mut machine = Machine {
            name: TELLING.get().name.unwrap_or(name),
            windows,
            system: HiveBuilder::new("SYSTEM")
                .default_time(since)
                .written(since),
            software: HiveBuilder::new("SOFTWARE")
                .default_time(since)
                .written(since),
            certificate: None,
            former: None,
            clock_ahead: None,
            query: None,
            events: Vec::new(),
            next_connection: 1,
            service_process: 1184,
        };
        registry::fill(&mut machine);
        machine
    }

    /// One that was installed in May 2026 and made its certificate in September; it boots then, and listens forty seconds later.
    pub fn serving(name: &'static str, windows: Windows, boot: Timestamp) -> Self {
        let mut machine = Machine::new(name, windows, at("2026-05-04T06:00:00Z"));
        machine.self_signed_certificate(at("2026-09-01T06:10:00Z"));
        machine.boots(boot).listener_starts(boot + seconds(40));
        machine
    }

    /// The machine's full name in its domain.
    pub fn full_name(&self) -> String {
        format!("{}.contoso.example", self.name)
    }

    /// Gives the listener the self-signed certificate that Windows made at `made`.
    pub fn self_signed_certificate(&mut self, made: Timestamp) -> &mut Self {
        let certificate = ForgedCertificate::listener(&self.full_name(), made);
        self.install_certificate(certificate, made);
        self
    }

    fn install_certificate(&mut self, certificate: ForgedCertificate, made: Timestamp) {
        let der = certificate.der();
        let thumbprint = registry::sha1(&der);
        registry::name_certificate(self, &thumbprint, made);
        registry::store_certificate(self, &thumbprint, &StoreEntry::listener(der).blob(), made);
        self.certificate = Some(certificate);
    }

    /// When the hives were last written: the end of what they can tell.
    pub fn written(&mut self, time: Timestamp) -> &mut Self {
        self.system = self.system.clone().written(time);
        self.software = self.software.clone().written(time);
        self
    }

    /// The files of the named channels, oldest record first.
    pub fn logs(&self, channels: &[Channel]) -> BTreeMap<String, Vec<u8>> {
        let parts = match TELLING.get().split_logs {
            true => 2,
            false => 1,
        };
        channels
            .iter()
            .flat_map(|channel| logs::files(self, *channel, &self.events, parts))
            .collect()
    }

    /// These logs, and both hives.
    pub fn logs_and_hives(&self, channels: &[Channel]) -> BTreeMap<String, Vec<u8>> {
        let mut files = self.logs(channels);
        files.insert("SYSTEM".into(), self.system.to_bytes());
        files.insert("SOFTWARE".into(), self.software.to_bytes());
        files
    }

    /// Every event so far, for a test that wants to bend some.
    pub fn events_mut(&mut self) -> &mut Vec<Logged> {
        &mut self.events
    }

    fn log(&mut self, event: Logged) {
        self.events.push(event);
    }
}
