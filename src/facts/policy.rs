//! What group policy sets on this machine and a repair would write in vain: facts `policy.value` and `policy.object`. A value
//! below `Policies` comes before the machine's own, and is written again when policy is applied; preferences and security settings
//! write straight over it.

use super::catalog::policy::{PolicyExtension, PolicyObject, PolicyValue};
use super::fact::FactSet;
use super::registry::{Place, Registry};
use crate::parse::hive::{Value, ValueKind};

const TERMINAL_SERVICES: &str = "Policies\\Microsoft\\Windows NT\\Terminal Services";
const SUITES: &str = "Policies\\Microsoft\\Cryptography\\Configuration\\SSL\\00010002";
const CREDSSP: &str = "Microsoft\\Windows\\CurrentVersion\\Policies\\System\\CredSSP\\Parameters";
const LISTENER: &str =
    "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp";
const LOCAL_SUITES: &str =
    "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Cryptography\\Configuration\\Local\\SSL\\00010002";

/// A policy with a place of its own, and what it stands over besides that place.
struct Policy {
    /// Its English name in the editor.
    name: &'static str,
    /// Its key, in SOFTWARE.
    key: &'static str,
    /// Its value.
    value: &'static str,
    /// Only this setting of it stands over anything; none for any.
    only: Option<u32>,
    /// The machine's own values: a key and a value's name. An empty key stands for a command.
    over: &'static [(&'static str, &'static str)],
}

const fn policy(
    name: &'static str,
    key: &'static str,
    value: &'static str,
    over: &'static [(&'static str, &'static str)],
) -> Policy {
    Policy {
        name,
        key,
        value,
        only: None,
        over,
    }
}

const LOCAL_RULES: &[(&str, &str)] = &[
    ("", "Enable-NetFirewallRule"),
    ("", "Set-NetFirewallRule"),
    ("", "netsh advfirewall firewall add rule"),
    ("", "netsh advfirewall consec add rule"),
];

const fn local_rules(profile: &'static str) -> Policy {
    Policy {
        name: "Windows Firewall: Apply local firewall rules",
        key: profile,
        value: "AllowLocalPolicyMerge",
        only: Some(0),
        over: LOCAL_RULES,
    }
}

/// Names and places: Microsoft's administrative templates TerminalServer.admx, CipherSuiteOrder.admx, CredSsp.admx, and
/// WindowsFirewall.admx with \[MS-GPFAS\].
const POLICIES: &[Policy] = &[
    policy(
        "Allow users to connect remotely by using Remote Desktop Services",
        TERMINAL_SERVICES,
        "fDenyTSConnections",
        &[(
            "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server",
            "fDenyTSConnections",
        )],
    ),
    policy(
        "Require use of specific security layer for remote (RDP) connections",
        TERMINAL_SERVICES,
        "SecurityLayer",
        &[(LISTENER, "SecurityLayer")],
    ),
    policy(
        "Require user authentication for remote connections by using Network Level Authentication",
        TERMINAL_SERVICES,
        "UserAuthentication",
        &[(LISTENER, "UserAuthentication")],
    ),
    policy(
        "Set client connection encryption level",
        TERMINAL_SERVICES,
        "MinEncryptionLevel",
        &[(LISTENER, "MinEncryptionLevel")],
    ),
    policy(
        "Limit number of connections",
        TERMINAL_SERVICES,
        "MaxInstanceCount",
        &[(LISTENER, "MaxInstanceCount")],
    ),
    policy(
        "Server authentication certificate template",
        TERMINAL_SERVICES,
        "CertTemplateName",
        &[
            (LISTENER, "SSLCertificateSHA1Hash"),
            ("", "SSLCertificateSHA1Hash"),
        ],
    ),
    policy(
        "Select RDP transport protocols",
        TERMINAL_SERVICES,
        "SelectTransport",
        &[],
    ),
    policy(
        "Configure keep-alive connection interval",
        TERMINAL_SERVICES,
        "KeepAliveEnable",
        &[],
    ),
    policy(
        "Configure keep-alive connection interval",
        TERMINAL_SERVICES,
        "KeepAliveInterval",
        &[],
    ),
    policy(
        "Set time limit for active but idle Remote Desktop Services sessions",
        TERMINAL_SERVICES,
        "MaxIdleTime",
        &[(LISTENER, "MaxIdleTime")],
    ),
    policy(
        "Set time limit for active Remote Desktop Services sessions",
        TERMINAL_SERVICES,
        "MaxConnectionTime",
        &[(LISTENER, "MaxConnectionTime")],
    ),
    policy(
        "Set time limit for disconnected sessions",
        TERMINAL_SERVICES,
        "MaxDisconnectionTime",
        &[(LISTENER, "MaxDisconnectionTime")],
    ),
    policy(
        "Use the specified Remote Desktop license servers",
        TERMINAL_SERVICES,
        "LicenseServers",
        &[("", "SetSpecifiedLicenseServerList")],
    ),
    policy(
        "Set the Remote Desktop licensing mode",
        TERMINAL_SERVICES,
        "LicensingMode",
        &[("", "ChangeMode")],
    ),
    policy(
        "SSL Cipher Suite Order",
        SUITES,
        "Functions",
        &[
            (LOCAL_SUITES, "Functions"),
            ("", "Enable-TlsCipherSuite"),
            ("", "Disable-TlsCipherSuite"),
        ],
    ),
    policy(
        "ECC Curve Order",
        SUITES,
        "EccCurves",
        &[(LOCAL_SUITES, "EccCurves"), ("", "Enable-TlsEccCurve")],
    ),
    policy(
        "Encryption Oracle Remediation",
        CREDSSP,
        "AllowEncryptionOracle",
        &[],
    ),
    local_rules("Policies\\Microsoft\\WindowsFirewall\\DomainProfile"),
    local_rules("Policies\\Microsoft\\WindowsFirewall\\StandardProfile"),
    local_rules("Policies\\Microsoft\\WindowsFirewall\\PrivateProfile"),
    local_rules("Policies\\Microsoft\\WindowsFirewall\\PublicProfile"),
];

/// A policy that may be set or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its English name in the editor.
    pub name: &'static str,
    /// Its key and value, from `HKLM`.
    pub place: String,
    /// What it stands over: that place itself, registry values, and commands that write them.
    pub over: Vec<String>,
}

/// Every policy that stands over something that repairs write.
pub fn all() -> impl Iterator<Item = Placed> {
    POLICIES.iter().map(placed)
}

fn placed(policy: &Policy) -> Placed {
    let place = format!("HKLM\\SOFTWARE\\{}\\{}", policy.key, policy.value);
    let mut over = vec![place.clone()];
    over.extend(policy.over.iter().map(|(key, name)| match *key {
        "" => (*name).to_owned(),
        key => format!("{key}\\{name}"),
    }));
    Placed {
        name: policy.name,
        place,
        over,
    }
}

/// Where Windows keeps which objects each client-side extension applied last.
const HISTORY: &str = "Microsoft\\Windows\\CurrentVersion\\Group Policy\\History";

/// The extensions that write what no policy has a fixed place for, by their registered ids ([MS-GPPREF] 1.9, [MS-GPSB] 1.9).
const EXTENSIONS: &[(&str, PolicyExtension)] = &[
    (
        "{B087BE9D-ED37-454F-AF9C-04291E351182}",
        PolicyExtension::RegistryPreferences,
    ),
    (
        "{91FBB303-0CD5-4055-BF42-E512A681B325}",
        PolicyExtension::ServicePreferences,
    ),
    (
        "{827D319E-6EAC-11D2-A4EA-00C04F79F83A}",
        PolicyExtension::SecuritySettings,
    ),
];

/// More objects than any machine has applied.
const MOST_OBJECTS: usize = 200;

/// Adds the facts; none without SOFTWARE. A value that is there counts, however old the hive.
pub fn add_facts(registry: &Registry, facts: &mut FactSet) {
    for policy in POLICIES {
        value(policy, registry, facts);
    }
    for (id, extension) in EXTENSIONS {
        objects(id, *extension, registry, facts);
    }
}

fn value(policy: &Policy, registry: &Registry, facts: &mut FactSet) {
    let answer = registry.value(&mut facts.gaps, Place::Software(policy.key), policy.value);
    let (Some(value), Some(source)) = (answer.present(), answer.source.clone()) else {
        return;
    };
    if policy
        .only
        .is_some_and(|only| value.dword().ok() != Some(only))
    {
        return;
    }
    let Placed { name, place, over } = placed(policy);
    let body = PolicyValue {
        policy: name.to_owned(),
        place,
        says: shown(value),
        over,
    };
    facts.add(answer.written, body, vec![source]);
}

fn objects(id: &str, extension: PolicyExtension, registry: &Registry, facts: &mut FactSet) {
    let key = format!("{HISTORY}\\{id}");
    let listing = registry.subkeys(&mut facts.gaps, Place::Software(&key));
    let applied = match listing.present() {
        Some(listing) => listing.entries.iter(),
        None => return,
    };
    let numbers: Vec<String> = applied.take(MOST_OBJECTS).map(|key| key.name()).collect();
    for number in numbers {
        let place = format!("{key}\\{number}");
        let answer = registry.text(&mut facts.gaps, Place::Software(&place), "DisplayName");
        if let (Some(object), Some(source)) = (answer.present(), answer.source.clone()) {
            let body = PolicyObject {
                object: object.clone(),
                extension,
            };
            facts.add(answer.written, body, vec![source]);
        }
    }
}

/// The longest list of suites is longer than anybody reads.
const LONGEST: usize = 48;

fn shown(value: &Value) -> String {
    let whole = match value.kind {
        ValueKind::RegDword => value.dword().map(|number| number.to_string()),
        ValueKind::RegMultiSz => value.multi_text().map(|texts| texts.join(",")),
        _ => value.text(),
    };
    let whole = whole.unwrap_or_else(|_| format!("{} bytes", value.bytes.len()));
    match whole.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{} ...", whole.get(..at).unwrap_or_default()),
        None => whole,
    }
}
