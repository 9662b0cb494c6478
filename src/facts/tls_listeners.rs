//! What the hives say that must be known before logs are judged: which channels log, and what else on the machine takes TLS
//! connections, so that Schannel's events need not be Remote Desktop's.

use std::collections::BTreeSet;

use super::catalog::host::Role;
use super::gap::Gaps;
use super::host::Identity;
use super::known::Known;
use super::log_coverage::Logging;
use super::registry::{Place, Registry};
use super::schannel::OtherListeners;
use super::service;
use super::service_event::DisplayNames;

/// The channels whose silence could be taken for evidence.
const CHANNELS: [&str; 5] = [
    "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational",
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Operational",
    "Microsoft-Windows-TerminalServices-RemoteConnectionManager/Admin",
    "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
    "Microsoft-Windows-TerminalServices-RDPClient/Operational",
];

/// Services that accept TLS connections of their own: web server, Exchange, SQL Server, Remote Desktop Gateway, directory
/// services, network policy (RADIUS), SSTP.
const TLS_SERVICES: [&str; 9] = [
    "W3SVC",
    "MSExchangeServiceHost",
    "MSSQLSERVER",
    "TSGateway",
    "NTDS",
    "ADWS",
    "IAS",
    "SstpSvc",
    "adfssrv",
];

const DISABLED: u32 = 4;

/// What the hives say about logging. `EventLogging` of SCHANNEL is a bit mask, 1 where it is not set; its lowest bit is errors
/// (Microsoft KB260729).
pub fn logging(registry: &Registry, gaps: &mut Gaps) -> Logging {
    let mut channels_off = BTreeSet::new();
    for channel in CHANNELS {
        let path = format!("Microsoft\\Windows\\CurrentVersion\\WINEVT\\Channels\\{channel}");
        let enabled = registry.dword(gaps, Place::Software(&path), "Enabled");
        if enabled.present() == Some(&0) {
            channels_off.insert(channel.to_owned());
        }
    }
    let key = Place::ControlSet("Control\\SecurityProviders\\SCHANNEL");
    let mask = registry.dword(gaps, key, "EventLogging");
    Logging {
        channels_off,
        schannel_errors: mask.value.map(|mask| mask.is_none_or(|mask| mask & 1 != 0)),
    }
}

/// What else on the machine takes TLS connections.
pub fn others(registry: &Registry, identity: &Identity, gaps: &mut Gaps) -> OtherListeners {
    let mut tls_listener = Known::Is(false);
    for service in TLS_SERVICES {
        let path = format!("Services\\{service}");
        let start = registry.dword(gaps, Place::ControlSet(&path), "Start");
        // SstpSvc is registered everywhere and waits for a VPN; it listens only where it is set to start by itself.
        let runs = |start: u32| start == 2 || (start != DISABLED && service != "SstpSvc");
        tls_listener = tls_listener.or(start.value.map(|start| start.is_some_and(runs)));
    }
    let bindings = Place::ControlSet("Services\\HTTP\\Parameters\\SslBindingInfo");
    let bound = registry.subkeys(gaps, bindings);
    let bound = bound
        .value
        .map(|list| list.is_some_and(|list| !list.entries.is_empty()));
    OtherListeners {
        domain_controller: identity
            .role
            .clone()
            .map(|role| role == Role::DomainController),
        tls_listener: tls_listener.or(bound),
    }
}

/// The display names of the services that matter here, where the hive holds them as text.
pub fn display_names(registry: &Registry, gaps: &mut Gaps) -> DisplayNames {
    let mut names = DisplayNames::new();
    for service in service::SERVICES {
        let path = format!("Services\\{service}");
        let shown = registry.text(gaps, Place::ControlSet(&path), "DisplayName");
        if let Some(shown) = shown.present().filter(|shown| !shown.starts_with('@')) {
            names.insert(shown.clone(), service.to_owned());
        }
    }
    names
}
