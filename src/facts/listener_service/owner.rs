//! Whose the listener, the service's library and account, and the edition are.

use crate::facts::catalog::listener::{HostEdition, ListenerOwner};
use crate::facts::catalog::service::{Crash, ServiceFailure, ServiceImage, ServiceTrouble};
use crate::facts::fact::{Fact, FactSet, Source};
use crate::facts::known::Known;
use crate::facts::listener::{LISTENER, WIN_STATIONS};
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;

const SERVICE: Place<'static> = Place::ControlSet("Services\\TermService");
const PARAMETERS: Place<'static> = Place::ControlSet("Services\\TermService\\Parameters");
const VERSION: Place<'static> = Place::Software("Microsoft\\Windows NT\\CurrentVersion");

/// Windows' own classes for the listener's protocol: from Windows 8 on, and of Server 2008 R2's time.
const OWN_PROTOCOLS: [&str; 2] = [
    "{5828227c-20cf-4408-b73f-73ab70b8849f}",
    "{18b726bb-6fe6-4fb9-9276-ed57ce7c7cb2}",
];
/// Where Citrix keeps the class that it replaced.
const CITRIX_BACKUP: &str = "CitrixBackupRdpTcpLoadableProtocolObject";

/// Makers of other remote desktops, with the beginnings of the names of their listeners and of their services and programs.
const MAKERS: &[(&str, &[&str], &[&str])] = &[
    (
        "Citrix",
        &["ICA-"],
        &[
            "BrokerAgent",
            "PorticaService",
            "CitrixDesktopService",
            "IMAService",
            "cpsvc",
            "picaSvc",
            "Citrix",
        ],
    ),
    (
        "VMware",
        &["VMW", "BLAST"],
        &["WSNM", "VMBlast", "VMware", "wsnm"],
    ),
];

/// Editions without a Remote Desktop host: Home (Core, as Windows 8 and later name it) and the like of Windows 7 and Vista.
const WITHOUT_HOST: [&str; 4] = ["Core", "HomeBasic", "HomePremium", "Starter"];

/// Adds `service.image`, `listener.owner` and `host.edition`.
pub(super) fn add_facts(registry: &Registry, facts: &mut FactSet) {
    let replaced = match registry.system().is_some() {
        true => {
            let replaced = image(registry, facts);
            owner(registry, facts);
            Some(replaced)
        }
        false => None,
    };
    edition(registry, replaced, facts);
}

pub(super) fn since_last_success(facts: &FactSet) -> impl Fn(&&Fact) -> bool + use<> {
    let since = facts.anchors.last_success.settled().copied().flatten();
    move |fact| since.is_none_or(|since| fact.at.is_none_or(|at| at > since))
}

/// Adds `service.image`, and says whether the library is another maker's.
fn image(registry: &Registry, facts: &mut FactSet) -> Known<bool> {
    let gaps = &mut facts.gaps;
    let library = registry.text(gaps, PARAMETERS, "ServiceDll");
    let account = registry.text(gaps, SERVICE, "ObjectName");
    // Windows before Vista ran the service as SYSTEM; its key has no type of service SID.
    let modern = registry
        .dword(gaps, SERVICE, "ServiceSidType")
        .present()
        .is_some();
    let other_library = library.value.as_ref().map(|path| {
        path.as_ref().is_some_and(|path| {
            let path = path.trim().trim_matches('"').to_ascii_lowercase();
            !path.ends_with("\\system32\\termsrv.dll")
        })
    });
    let other_account = account.value.as_ref().map(|name| {
        modern
            && name.as_ref().is_some_and(|name| {
                let name: String = name.to_ascii_lowercase().split_whitespace().collect();
                !name.ends_with("\\networkservice")
            })
    });
    let replaced = other_library.clone().or(other_account);
    let troubles = facts
        .of_kind(ServiceTrouble::KIND)
        .filter(since_last_success(facts));
    let failing = troubles.fold(Known::Is(false), |so, fact| {
        so.or(fact.truth("down")).or(fact.truth("ends_attempts"))
    });
    let sources: Vec<Source> = library.source.into_iter().chain(account.source).collect();
    if !sources.is_empty() {
        let at = library
            .written
            .max(account.written)
            .filter(|_| replaced == Known::Is(true));
        let fact = ServiceImage {
            library: library.value,
            account: account.value,
            fails: replaced.clone().and(failing),
            replaced,
        };
        facts.add(at, fact, sources);
    }
    other_library
}

fn owner(registry: &Registry, facts: &mut FactSet) {
    let gaps = &mut facts.gaps;
    let protocol = registry.text(gaps, LISTENER, "LoadableProtocol_Object");
    let backup = registry.value(gaps, LISTENER, CITRIX_BACKUP);
    let foreign = protocol.value.as_ref().map(|class| {
        class.as_ref().is_some_and(|class| {
            !OWN_PROTOCOLS
                .iter()
                .any(|own| own.eq_ignore_ascii_case(class.trim()))
        })
    });
    let other = foreign.or(backup.value.as_ref().map(Option::is_some));
    let listeners: Vec<String> = match registry.subkeys(gaps, WIN_STATIONS).value {
        Known::Is(Some(listing)) => listing.entries.iter().map(|key| key.name()).collect(),
        _ => Vec::new(),
    };
    let begins = |name: &str, with: &[&str]| {
        with.iter().any(|start| {
            name.get(..start.len())
                .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
        })
    };
    let maker = match backup.present() {
        Some(_) => MAKERS.iter().find(|(maker, ..)| *maker == "Citrix"),
        None => MAKERS
            .iter()
            .find(|(_, names, _)| listeners.iter().any(|name| begins(name, names))),
    };
    let maker = maker.filter(|_| other == Known::Is(true));
    let fails = maker.is_some_and(|(_, _, services)| {
        let failures = facts
            .of_kind(ServiceFailure::KIND)
            .filter(since_last_success(facts));
        let crashes = facts
            .of_kind(Crash::KIND)
            .filter(since_last_success(facts))
            .filter(|fact| fact.truth("borne_out") == Known::Is(true));
        let names = failures.filter_map(|fact| fact.text("service"));
        names
            .chain(crashes.filter_map(|fact| fact.text("program")))
            .any(|name| begins(name, services))
    });
    let Some(source) = protocol.source.or(backup.source) else {
        return;
    };
    let at = protocol.written.filter(|_| other == Known::Is(true));
    let fact = ListenerOwner {
        protocol: protocol.value,
        fails: other.clone().and(Known::Is(fails)),
        other,
        maker: maker.map(|(maker, ..)| (*maker).to_owned()),
    };
    facts.add(at, fact, vec![source]);
}

/// Adds `host.edition`; none without SOFTWARE.
fn edition(registry: &Registry, other_library: Option<Known<bool>>, facts: &mut FactSet) {
    if registry.software().is_none() {
        return;
    }
    let gaps = &mut facts.gaps;
    let edition = registry.text(gaps, VERSION, "EditionID");
    let no_host = edition.value.as_ref().map(|edition| {
        edition.as_ref().is_some_and(|edition| {
            let edition = edition.trim();
            // Server Core's names begin with Server.
            WITHOUT_HOST.iter().any(|start| {
                edition
                    .get(..start.len())
                    .is_some_and(|begin| begin.eq_ignore_ascii_case(start))
            })
        })
    });
    let other_library = other_library.unwrap_or_else(|| {
        let why = registry.why_missing(Subject::SystemHive);
        Known::Open(facts.gaps.open(Subject::SystemHive, why))
    });
    let Some(source) = edition.source else { return };
    let fact = HostEdition {
        edition: edition.value,
        without_host: no_host.and(other_library.not()),
    };
    facts.add(None, fact, vec![source]);
}
