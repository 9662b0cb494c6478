//! What well-known attempts at a repair leave in the registry: facts `repair.residue`. None is a cause by itself; some hide one,
//! some weaken the machine, some do nothing although somebody believes they do.

use super::catalog::listener::{Leftover, RepairResidue};
use super::fact::{FactSet, Source};
use super::known::Known;
use super::listener::{LISTENER, POLICY, WIN_STATIONS};
use super::registry::{Place, Registry};
use crate::parse::hive::Value;

const TERMINAL_SERVER: Place<'static> = Place::ControlSet("Control\\Terminal Server");
const GROUP_POLICY: Place<'static> = Place::ControlSet("Services\\gpsvc");
const CREDSSP: Place<'static> =
    Place::Software("Microsoft\\Windows\\CurrentVersion\\Policies\\System\\CredSSP\\Parameters");
const LISTENER_PATH: &str =
    "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\\WinStations\\RDP-Tcp";

/// Where advice for Remote Desktop has people write values.
const WRITTEN_TO: [Place<'static>; 4] = [TERMINAL_SERVER, WIN_STATIONS, LISTENER, POLICY];

/// Values that repairs of a disk from outside write, and that do nothing in another control set.
const REPAIRED: &[(&str, &str)] = &[
    ("Control\\Terminal Server", "fDenyTSConnections"),
    (
        "Control\\Terminal Server\\WinStations\\RDP-Tcp",
        "SecurityLayer",
    ),
    (
        "Control\\Terminal Server\\WinStations\\RDP-Tcp",
        "UserAuthentication",
    ),
    (
        "Control\\Terminal Server\\WinStations\\RDP-Tcp",
        "MinEncryptionLevel",
    ),
    (
        "Control\\Terminal Server\\WinStations\\RDP-Tcp",
        "PortNumber",
    ),
    (
        "Control\\Terminal Server\\WinStations\\RDP-Tcp",
        "fEnableWinStation",
    ),
    ("Services\\TermService", "Start"),
    ("Services\\SessionEnv", "Start"),
    ("Services\\gpsvc", "Start"),
];

/// Adds the facts; none without hives. A value that is there counts, however old the hive.
pub fn add_facts(registry: &Registry, facts: &mut FactSet) {
    let mut residues = Residues { registry, facts };
    residues.reset_rdp_cert();
    residues.names();
    residues.single_values();
    residues.other_control_sets();
}

struct Residues<'r, 'f> {
    registry: &'r Registry,
    facts: &'f mut FactSet,
}

impl Residues<'_, '_> {
    fn add(&mut self, left: Leftover, says: String, undo: Option<String>, source: Option<Source>) {
        let Some(source) = source else { return };
        let at = match &source {
            Source::Value { written, .. } => *written,
            _ => None,
        };
        self.facts
            .add(at, RepairResidue { left, says, undo }, vec![source]);
    }

    fn dword(&mut self, place: Place<'_>, name: &str) -> (Option<u32>, Option<Source>) {
        let answer = self.registry.dword(&mut self.facts.gaps, place, name);
        (answer.present().copied(), answer.source)
    }

    fn reset_rdp_cert(&mut self) {
        let (layer, source) = self.dword(LISTENER, "SecurityLayer");
        let (level, _) = self.dword(LISTENER, "MinEncryptionLevel");
        if (layer, level) == (Some(0), Some(1)) {
            let says = "SecurityLayer is 0 and MinEncryptionLevel 1, as the Azure agent's ResetRDPCert sets them: connections do without TLS, \
                        and whatever is wrong with TLS is hidden, not cured";
            let undo = format!(
                "reg export \"{LISTENER_PATH}\" listener-before.reg & reg add \"{LISTENER_PATH}\" /v SecurityLayer /t REG_DWORD /d 2 /f & reg add \"{LISTENER_PATH}\" /v MinEncryptionLevel /t REG_DWORD /d 2 /f"
            );
            self.add(Leftover::ResetRdpCert, says.to_owned(), Some(undo), source);
        }
    }

    /// Names that nothing reads: with a space before them, or one that only a published script knows.
    fn names(&mut self) {
        for place in WRITTEN_TO {
            let key = self.registry.key(&mut self.facts.gaps, place);
            let (Known::Is(Some(key)), source) = (key.value, key.source) else {
                continue;
            };
            for value in key.values().entries {
                let named = |source: Option<Source>| with_name(source, &value);
                if value.name.starts_with(char::is_whitespace) {
                    let says = format!(
                        "the value {:?} begins with a space: nothing reads it, and {} stays as it was",
                        value.name,
                        value.name.trim()
                    );
                    let undo = taken_back(place, &value.name);
                    self.add(Leftover::SpacedName, says, undo, named(source.clone()));
                } else if value
                    .name
                    .eq_ignore_ascii_case("SSLCertificateSHA1HashValue")
                {
                    let says = "SSLCertificateSHA1HashValue is a name that nothing reads: the pin of a certificate is SSLCertificateSHA1Hash";
                    let undo = taken_back(place, &value.name);
                    self.add(
                        Leftover::MisnamedPin,
                        says.to_owned(),
                        undo,
                        named(source.clone()),
                    );
                }
            }
        }
    }

    fn single_values(&mut self) {
        if let (Some(4), source) = self.dword(GROUP_POLICY, "Start") {
            let says = "the group policy client is disabled, a step of an emergency procedure that was not taken back: no policy reaches this machine any more";
            let undo = "reg add HKLM\\SYSTEM\\CurrentControlSet\\Services\\gpsvc /v Start /t REG_DWORD /d 2 /f".to_owned();
            self.add(
                Leftover::GroupPolicyOff,
                says.to_owned(),
                Some(undo),
                source,
            );
        }
        if let (Some(2), source) = self.dword(CREDSSP, "AllowEncryptionOracle") {
            let says = "AllowEncryptionOracle is 2: the hole CVE-2018-0886 in CredSSP stands open again, on every connection that this machine makes or takes";
            let undo = "reg add HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion\\Policies\\System\\CredSSP\\Parameters /v AllowEncryptionOracle /t REG_DWORD /d 1 /f".to_owned();
            self.add(
                Leftover::CredSspWeakened,
                says.to_owned(),
                Some(undo),
                source,
            );
        }
        if let (Some(limit), source) = self.dword(TERMINAL_SERVER, "MaxOutstandingConnections")
            && limit >= 10_000
        {
            let says = format!(
                "MaxOutstandingConnections is {limit}: the service holds that many connections open that nobody has authenticated, which helps a flood and cures nothing"
            );
            let undo = "reg delete \"HKLM\\SYSTEM\\CurrentControlSet\\Control\\Terminal Server\" /v MaxOutstandingConnections /f".to_owned();
            self.add(Leftover::FloodLimitRaised, says, Some(undo), source);
        }
    }

    /// A value that differs in a control set that is not in use, and was written there after the one in use: somebody edited the
    /// wrong one. A set that is older is only Windows' own copy of an earlier state.
    fn other_control_sets(&mut self) {
        for set in self.registry.other_control_sets() {
            for (path, name) in REPAIRED {
                let elsewhere = format!("{set}\\{path}");
                let other =
                    self.registry
                        .dword(&mut self.facts.gaps, Place::System(&elsewhere), name);
                let used = self
                    .registry
                    .dword(&mut self.facts.gaps, Place::ControlSet(path), name);
                let (Some(theirs), Known::Is(ours)) = (other.present(), &used.value) else {
                    continue;
                };
                if Some(theirs) == ours.as_ref() || other.written <= used.written {
                    continue;
                }
                let ours = ours.map_or("absent".to_owned(), |value| value.to_string());
                let says = format!(
                    "{name} is {theirs} in {set}, written later than the {ours} of the control set in use: Windows does not read it there"
                );
                self.add(Leftover::OtherControlSet, says, None, other.source);
            }
        }
    }
}

/// The command that takes a value away.
fn taken_back(place: Place<'_>, name: &str) -> Option<String> {
    let key = match place {
        Place::ControlSet(path) => format!("HKLM\\SYSTEM\\CurrentControlSet\\{path}"),
        Place::Software(path) => format!("HKLM\\SOFTWARE\\{path}"),
        Place::System(_) | Place::Security(_) => return None,
    };
    Some(format!("reg delete \"{key}\" /v \"{name}\" /f"))
}

fn with_name(source: Option<Source>, value: &Value) -> Option<Source> {
    match source? {
        Source::Value {
            artifact,
            key,
            written,
            line,
            ..
        } => Some(Source::Value {
            artifact,
            key,
            name: Some(value.name.clone()),
            written,
            line,
        }),
        other => Some(other),
    }
}
