//! Who the machine is, from its hives.

use super::catalog::host::{HostIdentity, Role};
use super::fact::{FactSet, Source};
use super::gap::Gaps;
use super::known::Known;
use super::registry::{Place, Registry, control_set_in_use};
use super::subject::Subject;

/// Who the machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The computer's name, first label, as long as DNS has it.
    pub name: Known<Option<String>>,
    /// The DNS domain it is joined to.
    pub domain: Known<Option<String>>,
    /// The product, as Windows names itself.
    pub product: Known<Option<String>>,
    /// The build.
    pub build: Known<u32>,
    /// Client, server or domain controller.
    pub role: Known<Role>,
    /// The control set in use, such as `ControlSet001`.
    pub control_set: Known<Option<String>>,
    /// The name of the time zone, such as `W. Europe Standard Time`.
    pub time_zone: Known<Option<String>>,
    /// Where this stands; empty where nothing but the other files' names says it.
    pub sources: Vec<Source>,
}

/// What other evidence says of the machine, for where the hives do not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hints {
    /// The host's name as its files were grouped by.
    pub name: Option<String>,
    /// The build that event 6009 of EventLog names at the last boot, with its source.
    pub build: Option<(u32, Source)>,
}

/// The first build of Windows 11, whose `ProductName` still says Windows 10.
const FIRST_WINDOWS_11: u32 = 22000;

/// Reads who the machine is.
pub fn identify(registry: &Registry, hints: &Hints, gaps: &mut Gaps) -> Identity {
    const PARAMETERS: Place<'static> = Place::ControlSet("Services\\Tcpip\\Parameters");
    const VERSION: Place<'static> = Place::Software("Microsoft\\Windows NT\\CurrentVersion");
    let named = Place::ControlSet("Control\\ComputerName\\ComputerName");
    let not_empty = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());

    let host_names = [
        registry.text(gaps, PARAMETERS, "NV Hostname"),
        registry.text(gaps, PARAMETERS, "Hostname"),
        registry.text(gaps, named, "ComputerName"),
    ];
    let found = host_names
        .iter()
        .find(|answer| answer.present().is_some_and(|name| !name.trim().is_empty()));
    let mut sources: Vec<Source> = found
        .and_then(|answer| answer.source.clone())
        .into_iter()
        .collect();
    let name = match (found.and_then(|answer| answer.present()), &hints.name) {
        (Some(name), _) => Known::Is(not_empty(name.clone())),
        (None, Some(name)) => Known::Is(Some(name.clone())),
        (None, None) => Known::Open(gaps.open(Subject::SystemHive, "nothing names the computer")),
    };

    let mut domain = Known::Is(None);
    for value in ["Domain", "NV Domain"] {
        let answer = registry.text(gaps, PARAMETERS, value);
        match answer.value {
            Known::Is(Some(text)) if !text.trim().is_empty() => {
                sources.extend(answer.source);
                domain = Known::Is(not_empty(text));
                break;
            }
            Known::Is(_) => {}
            Known::Open(gap) => domain = Known::Open(gap),
        }
    }

    let role_answer = registry.text(
        gaps,
        Place::ControlSet("Control\\ProductOptions"),
        "ProductType",
    );
    let role = match (role_answer.value, role_answer.source) {
        (Known::Is(Some(word)), source) => {
            let role = match word.to_ascii_lowercase().as_str() {
                "winnt" => Some(Role::Client),
                "servernt" => Some(Role::Server),
                "lanmannt" => Some(Role::DomainController),
                _ => None,
            };
            sources.extend(source);
            role.map_or_else(
                || Known::Open(gaps.open(Subject::SystemHive, format!("ProductType is {word:?}"))),
                Known::Is,
            )
        }
        (Known::Is(None), _) => Known::Open(gaps.open(
            Subject::SystemHive,
            "ProductOptions\\ProductType is not there",
        )),
        (Known::Open(gap), _) => Known::Open(gap),
    };

    let mut build = None;
    for value in ["CurrentBuild", "CurrentBuildNumber"] {
        let answer = registry.text(gaps, VERSION, value);
        if let Some(number) = answer.present().and_then(|text| text.trim().parse().ok()) {
            sources.extend(answer.source);
            build = Some(number);
            break;
        }
    }
    if let (None, Some((number, source))) = (build, &hints.build) {
        sources.push(source.clone());
        build = Some(*number);
    }
    let build = match build {
        Some(number) => Known::Is(number),
        None => {
            let why = "nothing in the collection tells the build of Windows";
            Known::Open(gaps.open(Subject::SoftwareHive, why))
        }
    };

    let product_answer = registry.text(gaps, VERSION, "ProductName");
    let product = product_answer.value.map(|name| {
        name.map(|name| match build {
            Known::Is(number) if number >= FIRST_WINDOWS_11 => {
                name.replacen("Windows 10", "Windows 11", 1)
            }
            _ => name,
        })
    });
    if product.settled().is_some_and(Option::is_some) {
        sources.extend(product_answer.source);
    }

    let zone = Place::ControlSet("Control\\TimeZoneInformation");
    let mut time_zone = registry.text(gaps, zone, "TimeZoneKeyName").value;
    if matches!(time_zone, Known::Is(None)) {
        time_zone = registry.text(gaps, zone, "StandardName").value;
    }
    let time_zone = time_zone.map(|name| name.and_then(not_empty));

    let control_set = match registry.system().and_then(control_set_in_use) {
        Some(set) => Known::Is(Some(set)),
        None => {
            let why = "Select\\Current names no control set";
            Known::Open(gaps.open(Subject::SystemHive, why))
        }
    };

    sources.sort();
    sources.dedup();
    Identity {
        name,
        domain,
        product,
        build,
        role,
        control_set,
        time_zone,
        sources,
    }
}

/// Whether the machine belongs to a domain or to a tenant in the cloud, so that people's accounts are not its own.
pub fn joined(identity: &Identity, registry: &Registry, gaps: &mut Gaps) -> Known<bool> {
    let tenants = registry.subkeys(
        gaps,
        Place::ControlSet("Control\\CloudDomainJoin\\JoinInfo"),
    );
    let in_tenant = tenants
        .value
        .map(|listing| listing.is_some_and(|listing| !listing.entries.is_empty()));
    let in_domain = identity.domain.as_ref().map(Option::is_some);
    in_domain.or(in_tenant)
}

/// Adds the fact `host.identity`, where the hives or the logs say anything of it.
pub fn add(identity: &Identity, facts: &mut FactSet) {
    if identity.sources.is_empty() {
        return;
    }
    let fact = HostIdentity {
        name: identity.name.clone(),
        domain: identity.domain.clone(),
        product: identity.product.clone(),
        build: identity.build.clone(),
        role: identity.role.clone(),
        control_set: identity.control_set.clone(),
    };
    facts.add(None, fact, identity.sources.clone());
}
