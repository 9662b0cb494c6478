//! Settings that refuse ways of authenticating: NTLM and old versions of CredSSP.

use crate::facts::catalog::logon::{CredSspPolicy, NtlmPolicy};
use crate::facts::coverage::{Coverage, Window};
use crate::facts::fact::FactSet;
use crate::facts::gap::Gap;
use crate::facts::history::History;
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;

/// "Network security: Restrict NTLM: Incoming NTLM traffic" (Microsoft, security policy settings).
const NTLM: Place<'static> = Place::ControlSet("Control\\Lsa\\MSV1_0");
/// "Encryption Oracle Remediation" (Microsoft, CredSSP updates for CVE-2018-0886).
const CREDSSP: Place<'static> =
    Place::Software("Microsoft\\Windows\\CurrentVersion\\Policies\\System\\CredSSP\\Parameters");

/// Adds the facts `ntlm.policy` and `credssp.policy`; whether incoming NTLM is restricted.
pub(super) fn add_facts(
    history: &History<'_>,
    registry: &Registry,
    facts: &mut FactSet,
) -> Known<bool> {
    let restricted = ntlm(registry, facts);
    cover_ntlm(history, &restricted, facts);
    credssp(registry, facts);
    restricted
}

fn ntlm(registry: &Registry, facts: &mut FactSet) -> Known<bool> {
    let receiving = registry.dword(&mut facts.gaps, NTLM, "RestrictReceivingNTLMTraffic");
    let restricted = receiving
        .value
        .as_ref()
        .map(|value| matches!(value, Some(1 | 2)));
    if let Some(source) = receiving.source {
        let set = restricted == Known::Is(true);
        let body = NtlmPolicy {
            receiving: receiving.value,
            restricted: restricted.clone(),
        };
        facts.add(receiving.written.filter(|_| set), body, vec![source]);
    }
    restricted
}

/// Where nobody is locked out, or NTLM is not restricted, nothing of it can be missing.
fn cover_ntlm(history: &History<'_>, restricted: &Known<bool>, facts: &mut FactSet) {
    let nothing_to_find = super::nobody_locked_out(history) || *restricted == Known::Is(false);
    if nothing_to_find {
        return facts.cover(Subject::NtlmRefusals, Coverage::Whole(Window::ALWAYS));
    }
    for part in history.coverage.parts(Subject::NtlmRefusals) {
        facts.cover(Subject::NtlmRefusals, part.clone());
    }
}

fn credssp(registry: &Registry, facts: &mut FactSet) {
    let oracle = registry.dword(&mut facts.gaps, CREDSSP, "AllowEncryptionOracle");
    let Some(source) = oracle.source else { return };
    let is = |number: u32| oracle.value.as_ref().map(|value| *value == Some(number));
    let refuses_old = is(0);
    // Which version of CredSSP a client has stands in no log of the server.
    let client = facts.gaps.record(Gap {
        about: "credssp.policy".to_owned(),
        why: "clients without the update of 2018 are refused, and nothing tells whether the locked-out client has it".to_owned(),
        obtain: "on the client: wevtutil epl System System.evtx (LsaSrv 6041), and (Get-Item C:\\Windows\\System32\\TSpkg.dll).VersionInfo.ProductVersion".to_owned(),
    });
    let body = CredSspPolicy {
        refuses_client: refuses_old.clone().and(Known::Open(client)),
        refuses_old: refuses_old.clone(),
        vulnerable: is(2),
        oracle: oracle.value,
    };
    let set = refuses_old == Known::Is(true);
    facts.add(oracle.written.filter(|_| set), body, vec![source]);
}
