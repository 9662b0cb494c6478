//! What a fact says, as one line for people. A table of sentences, so that a new kind of fact needs a line here and no code.
//!
//! In a sentence `{field}` stands for the field's value. `[...]` is left out when a field in it has no value or is not known;
//! `[?field ...]` stands only when the field is true, `[!field ...]` only when it is false, `[field=word ...]` only when it is
//! that word.

use jiff::Timestamp;
use serde_json::Value;

use super::clock::Clock;
use super::source::fingerprint;
use crate::verdict::model::FactEntry;

/// A sentence for each kind.
const SENTENCES: &[(&str, &str)] = &[
    (
        "certificate.due",
        "the listener's certificate: {standing}[, ends {not_after}]",
    ),
    (
        "certificate.enrolment",
        "enrolment for the listener's certificate [!failing did not fail][?failing fails][, template {template}][?ended , the certificate has ended]",
    ),
    (
        "certificate.export",
        "[?listener the listener's certificate][!listener certificate {thumbprint}] was exported with [key=fits its private key][key=another another certificate's private key][key=locked a private key that no password opens][key=not-compared a private key that cannot be compared]",
    ),
    (
        "certificate.key_link",
        "the certificate [?without_key has no private key][!without_key has a private key][?falls_back , the service uses its own instead]",
    ),
    (
        "certificate.key_use",
        "the certificate's key [?signature_only only signs][!signature_only is not one for signatures alone][?suites_decrypt , and the suites left need one that decrypts]",
    ),
    (
        "certificate.notice",
        "event {event}: a notice about the listener's certificate",
    ),
    (
        "certificate.pin",
        "pinned certificate[ {thumbprint}][?dangling , in no store][?ending , ends soon and nothing renews it][?failing , credentials fail][?falls_back , the service uses its own instead][!dangling : none is missing]",
    ),
    (
        "certificate.renewal",
        "event {event}: certificate [result=created made][result=failed not made][: {status}][ {code}]",
    ),
    (
        "certificate.renewal_service",
        "{service} [?blocked is disabled or fails to start][!blocked can run][; certificate {certificate}]",
    ),
    (
        "certificate.revocation",
        "[?own the listener's certificate][!own a certificate above the listener's] [?revoked is on][!revoked is not on] a list of revoked certificates[ ({reason})][?out_of_date , which was out of date][, by {issuer}]; its signature is not checked",
    ),
    (
        "certificate.strength",
        "the certificate is [?weak too weak][!weak strong enough][: {says}][?refused , and the client refuses it]",
    ),
    (
        "certificate.usage",
        "the certificate [?unfit does not fit the service][!unfit fits the service][: {says}]",
    ),
    (
        "certificate.time_refused",
        "event {event}: the certificate's dates were refused",
    ),
    (
        "client.outcome",
        "client {client}: {state}[ since {since}][, got as far as {stage}][, code {code}]",
    ),
    (
        "client.report",
        "the client's own log, event {event}[: {code}][?denied_by_fips , denied because of FIPS]",
    ),
    (
        "clock.change",
        "the clock was set from {from} to {to}[?undone , and back later][?leaves_validity , out of the certificate's validity][?over_kerberos_limit , further than Kerberos takes]",
    ),
    ("clock.step", "the clock was set from {from} to {to}"),
    (
        "connection.attempt",
        "attempt[ from {client}] got as far as {reached}[, ended: {ended}][, {code}][transport=tcp+udp , with UDP][, session {session}]",
    ),
    (
        "connection.passed",
        "connection[ from {client}] got past {stage}",
    ),
    (
        "connection.security_error",
        "[source=rdpcorets RdpCoreTS][source=termdd TermDD] {event}: security layer error[ {code}][ in {transition}][ from {client}]",
    ),
    (
        "connection.state",
        "people's connections: {state}[, they die at {stage}]; clients that count: {clients}, strangers: {strangers}[; no log shows who got past: {unseen}]",
    ),
    (
        "broker.failure",
        "the connection broker failed (event {event})",
    ),
    (
        "connection.flood",
        "connections turned away: {refusals}; {sources} addresses since the last success, {busiest_minute} in the busiest minute[, limit set to {limit}][?harms , while people fail][?crowds_out , and people stopped arriving]",
    ),
    (
        "key.trace",
        "file system[told_by=change-journal 's change journal][told_by=file-table 's table of files][: {says}][, {when}][?superseded ; undone since]",
    ),
    (
        "licensing.certificate",
        "the licensing certificate[?damaged  is damaged: {values}][!damaged  is not damaged][?reported , and licences fail]",
    ),
    (
        "licensing.event",
        "licensing: RemoteConnectionManager {event}",
    ),
    (
        "licensing.role",
        "the Session Host role [?session_host is installed][!session_host is not installed][, licensing mode {mode}]",
    ),
    (
        "key_file.written",
        "key file {path} was written[?to_the_minute , as a listing has it]",
    ),
    (
        "policy.applied",
        "new settings of group policy were applied",
    ),
    (
        "policy.object",
        "group policy object {object} was applied ({extension})",
    ),
    ("policy.value", "policy '{policy}': {place} = {says}"),
    (
        "resource.exhausted",
        "{provider} {event}: out of {resource}",
    ),
    (
        "session.drops",
        "sessions and the path[?lately : {drops} of {clients} broke off, {how}][!lately : no client is dropped again and again to the end]",
    ),
    (
        "session.limit",
        "limit of sessions[ ({limit})][?reached : as many were connected when attempts died ({connected})][!reached : it was not met]",
    ),
    (
        "session.time_limit",
        "sessions ended for a limit of time: {ended}[ ({limits})]",
    ),
    (
        "udp.failure",
        "the UDP channel[ of {client}] failed[, {code}][?dropped , and the session with it]",
    ),
    (
        "udp.transport",
        "UDP channels that failed: {failures}, sessions that broke off with theirs: {drops}[, {code}]",
    ),
    ("update.installed", "{article} was installed"),
    (
        "update.regression",
        "updates known to break this[?breaks : one did][!breaks : none did][ ({article}: {symptom})]",
    ),
    (
        "firewall.listener",
        "Windows Firewall: port {port}[, profile {profile}][?blocks , kept closed][!blocks , let in][ ({by})][?moved_away , while 3389 would be let in][?closed_after_restart , from the service's next start on, and kept closed then][; also installed: {other_firewall}]",
    ),
    (
        "host.edition",
        "edition {edition}[?without_host , which cannot be connected to]",
    ),
    (
        "host.setup_refusal",
        "event {event}: no logon is accepted because setup is running",
    ),
    (
        "ipsec.demand",
        "IPsec [?demanded is demanded][!demanded is not demanded] of connections to the listener[ by the rule {rule}]",
    ),
    (
        "ipsec.failure",
        "event {event}: a negotiation of IPsec failed",
    ),
    (
        "listener.adapter",
        "the listener [?bound is bound to one adapter][!bound takes connections on every adapter][ {adapter}][?absent , which is not there any more]",
    ),
    (
        "listener.failure",
        "listener: event {event}[, {code}][?port_taken , the port is taken]",
    ),
    (
        "listener.refusal",
        "event {event}: a connection was ended because the listener is disabled",
    ),
    (
        "listener.logons",
        "logons over the network[?drained , drained: no new sessions][?switched_off , switched off][?refused : people authenticate and get no session][!refused : nobody who authenticates is left without a session]",
    ),
    (
        "listener.owner",
        "the listener [?other is another maker's][!other is Windows' own][ ({maker})][?fails , whose services failed]",
    ),
    (
        "listener.start",
        "since the last start of Windows the listener [?started started][!started did not start][?service_ran , the service ran]",
    ),
    ("listener.started", "the listener started (event {event})"),
    (
        "network.change",
        "[?joined joined][!joined left] a network of the kind {kind}",
    ),
    ("repair.residue", "left behind by a repair: {says}"),
    (
        "service.crash",
        "{program} crashed[ in {module}][, {code}] (event {event})",
    ),
    (
        "service.image",
        "TermService runs {library}[ as {account}][?replaced , which is not Windows' own]",
    ),
    (
        "service.trouble",
        "TermService failed: event {event}[, {code}][ in {module}][?down , and nothing shows it at work after that][!down , and it came back][?ends_attempts ; attempts to connect end with it]",
    ),
    ("host.boot", "Windows started (event {event})"),
    (
        "host.identity",
        "computer {name}[, {product}][, build {build}][, {role}]",
    ),
    ("host.installed", "{says}"),
    ("host.session_began", "desktop session {session} began"),
    (
        "key.operation",
        "event {event}[?listener , listener's key]: {result}[ by {account}]",
    ),
    (
        "key_file.access",
        "key file {path}: {account} [?can_read can read it][!can_read cannot read it][?denied (denied by an entry)]",
    ),
    ("key_file.state", "key file {path}: {state}"),
    (
        "certificate_store.access",
        "store key {key}: SYSTEM [?can_write may write][!can_write may not write][?denied , an entry denies it]",
    ),
    (
        "certificate_store.entry",
        "store entry {key}[?damaged  is damaged][!damaged  is sound][: {damage}][?listener , the listener's]",
    ),
    (
        "certificate_store.place",
        "self-signed certificates go into [?redirected another store than Windows' own][!redirected Windows' own store][ ({store})]",
    ),
    (
        "connection.tried",
        "somebody tried to connect[ at {time}][?arrived , and a connection arrived][!arrived , and nothing arrived]",
    ),
    (
        "host.setup",
        "Windows' setup [?in_progress is still running][!in_progress has ended]",
    ),
    ("key.chain", "{link}: {standing}[, {says}]"),
    (
        "key_folder.access",
        "permissions of {path} [?is_default are Windows' own][!is_default are not Windows' own][: {differs}]",
    ),
    (
        "key_folder.dependents",
        "{path} holds {others} other key files[ of {owners}]",
    ),
    (
        "key_folder.listing",
        "listing of {folder}: {files} key files[?complete , complete][!complete , not complete]",
    ),
    (
        "listener.certificate",
        "certificate {thumbprint} ({chosen_by})[, key in {container}][?not_begun , valid only from {not_before}][, valid to {not_after}][?ended , ended][?served_since_end , and people got in with it since]",
    ),
    (
        "listener.switch",
        "Remote Desktop is switched [?off off][!off on][ ({set_by})]",
    ),
    (
        "listener.values",
        "listener RDP-Tcp[!present  is not there][?disabled , switched off][?out_of_range , {which}][, port {port}]",
    ),
    (
        "listener.tls",
        "TLS [?in_use is in use][!in_use is not in use][, SecurityLayer {security_layer}][, UserAuthentication {user_authentication}][ ({set_by})]",
    ),
    (
        "account.locked",
        "event {event}: account[ {account}] is locked[?under_attack , strangers guessed {guesses} times at it][, wrong passwords from {computer}]",
    ),
    (
        "credssp.policy",
        "CredSSP: AllowEncryptionOracle[ {oracle}][?refuses_old , clients without the update of 2018 are refused][?vulnerable , they are let in, and can be attacked]",
    ),
    (
        "domain.trouble",
        "{provider} {event}: no domain controller, or the domain does not accept this machine[?at_boot  (at a start)]",
    ),
    (
        "logon.refused",
        "[event=140 RdpCoreTS ]event {event}: logon refused, {reason}[ ({code})][, account {account}][, from {client}]",
    ),
    (
        "logon.withheld",
        "right to log on through Remote Desktop: [how=nobody-allowed given to ][how=broad-denied denied to ][how=baseline-denied denied to ]{accounts}",
    ),
    (
        "machine_sid.refused",
        "LsaSrv {event}: a machine with this machine's own SID was refused",
    ),
    (
        "ntlm.policy",
        "incoming NTLM [?restricted is restricted][!restricted is not restricted][ ({receiving})]",
    ),
    ("ntlm.refused", "NTLM {event}: a logon by NTLM was blocked"),
    (
        "smartcard.refused",
        "{provider} {event}: a certificate for logging on was refused",
    ),
    ("log.cleared", "the log {channel} was cleared"),
    (
        "master_key.state",
        "DPAPI master key[ {key}][?missing  is not there][!missing  is there]",
    ),
    (
        "schannel.failure",
        "Schannel {event}[, {error}][, alert {alert}][, state {state}][?attributed , Remote Desktop's]",
    ),
    (
        "schannel.suite_refusals",
        "refused for want of a common suite (36874): {attributed} times[?repeats_to_end , to the end]",
    ),
    (
        "service.changed",
        "start type of {service} changed[?disabled to disabled][ by {by}]",
    ),
    (
        "service.failure",
        "{service} failed: event {event}[, {code}]",
    ),
    (
        "service.ran",
        "{service} [?running started][!running stopped]",
    ),
    (
        "service.state",
        "sc query: {service} [?running runs][!running does not run][?failed , it ended with an error][ {code}]",
    ),
    (
        "listener.session",
        "qwinsta: the listener RDP-Tcp [?listens listens][!listens does not listen][ ({state})]",
    ),
    (
        "service.library",
        "{file}[ {version}][?damaged  is no whole library][!damaged  is whole][: {damage}][?altered , altered since it was built]",
    ),
    (
        "service.rpc_hosting",
        "RpcEptMapper and RpcSs [?differs are hosted apart][!differs share one process]",
    ),
    (
        "service.start",
        "{service}[ start type: {start}][!present is not registered]",
    ),
    (
        "storage.failure",
        "{provider} {event}: trouble of the disk ({trouble})",
    ),
    (
        "tls.algorithms",
        "algorithms switched off below SCHANNEL: {keys}[?leave_nothing , so that no suite is left][?suspected , and undocumented values that may be]",
    ),
    (
        "tls.certificate_signature",
        "the certificate's signature[ {signature}] [?unsupported is not among the signature suites][!unsupported is accepted][?refused , and only TLS 1.2 and later is left]",
    ),
    (
        "tls.fips",
        "FIPS mode is [?on on][!on off][?encryption_level , FIPS encryption level][?conflict , and leaves nothing in common][?denied , and a client logged that it was denied for that]",
    ),
    (
        "tls.local_suites",
        "local suite order[?in_force , in force][?usable , usable][!usable , leaves nothing usable][ ({fault})]",
    ),
    (
        "tls.messages",
        "handshake messages[ up to {limit} bytes][?refuses  are refused][!refuses  are taken][?selective , and some clients fail by it]",
    ),
    (
        "tls.overlap",
        "server and {with}[?shares  agree][!shares  have nothing in common][ (no common {obstacle})]",
    ),
    ("tls.residue", "left behind by hardening: {says}"),
    (
        "tls.server",
        "TLS on this server[?all_versions_off : every version off][!all_versions_off : {versions}][, suites: {list_source}][!policy_known , policy not known]",
    ),
    (
        "tls.suite_policy",
        "suite policy [?present set][!present not set][?usable , usable][!usable , leaves nothing usable][ ({fault})][, unknown name {first_unknown}]",
    ),
];

/// Accounts that stand in every Windows under the same SID (Microsoft, "Security identifiers").
const ACCOUNTS: &[(&str, &str)] = &[
    ("S-1-1-0", "Everyone"),
    ("S-1-5-11", "Authenticated Users"),
    ("S-1-5-18", "SYSTEM"),
    ("S-1-5-19", "LOCAL SERVICE"),
    ("S-1-5-20", "NETWORK SERVICE"),
    ("S-1-5-32-544", "Administrators"),
    ("S-1-5-32-545", "Users"),
];

/// A value without spaces that is longer than this is shortened in the middle.
const LONGEST_WORD: usize = 40;

/// What the fact says.
pub(super) fn observation(fact: &FactEntry, clock: &Clock) -> String {
    let sentence = SENTENCES
        .iter()
        .find(|(kind, _)| *kind == fact.kind)
        .map(|(_, sentence)| *sentence);
    match sentence {
        Some(sentence) => fill(sentence, fact, clock),
        None => listed(fact, clock),
    }
}

/// A kind without a sentence: its fields as they are.
fn listed(fact: &FactEntry, clock: &Clock) -> String {
    let fields: Vec<String> = fact
        .fields
        .iter()
        .filter_map(|(name, value)| Some(format!("{name}={}", shown(value, clock)?)))
        .collect();
    match fields.is_empty() {
        true => fact.kind.clone(),
        false => format!("{}: {}", fact.kind, fields.join(" ")),
    }
}

/// The sentence with its optional parts resolved.
fn fill(sentence: &str, fact: &FactEntry, clock: &Clock) -> String {
    let mut line = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('[') {
        line.push_str(&substitute(before, fact, clock).0);
        let (part, tail) = after.split_once(']').unwrap_or((after, ""));
        line.push_str(&optional(part, fact, clock).unwrap_or_default());
        rest = tail;
    }
    line.push_str(&substitute(rest, fact, clock).0);
    let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// One optional part; none when it is to be left out.
fn optional(part: &str, fact: &FactEntry, clock: &Clock) -> Option<String> {
    let (condition, text) = match part.split_once(' ') {
        Some((condition, text)) if condition.starts_with(['?', '!']) || condition.contains('=') => {
            (Some(condition), text)
        }
        _ => (None, part),
    };
    if !condition.is_none_or(|condition| holds(condition, fact)) {
        return None;
    }
    let lead = match condition {
        Some(_) if !text.starts_with([',', ':', ';']) => " ",
        _ => "",
    };
    let (text, complete) = substitute(text, fact, clock);
    (complete || condition.is_some()).then(|| format!("{lead}{text}"))
}

fn holds(condition: &str, fact: &FactEntry) -> bool {
    let field = |name: &str| fact.fields.get(name);
    if let Some(name) = condition.strip_prefix('?') {
        return field(name) == Some(&Value::Bool(true));
    }
    if let Some(name) = condition.strip_prefix('!') {
        return field(name) == Some(&Value::Bool(false));
    }
    let (name, word) = condition.split_once('=').unwrap_or((condition, ""));
    field(name).and_then(Value::as_str) == Some(word)
}

/// The text with its fields filled in, and whether all of them had a value.
fn substitute(text: &str, fact: &FactEntry, clock: &Clock) -> (String, bool) {
    let mut line = String::new();
    let mut complete = true;
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        line.push_str(before);
        let (name, tail) = after.split_once('}').unwrap_or((after, ""));
        match fact.fields.get(name).and_then(|value| shown(value, clock)) {
            Some(value) => line.push_str(&value),
            None => {
                complete = false;
                line.push_str("(not known)");
            }
        }
        rest = tail;
    }
    line.push_str(rest);
    (line, complete)
}

/// A field's value; none where it has none or is not known (`{"gap": ...}`).
fn shown(value: &Value, clock: &Clock) -> Option<String> {
    match value {
        Value::Null | Value::Object(_) => None,
        Value::Bool(true) => Some("yes".to_owned()),
        Value::Bool(false) => Some("no".to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) if values.is_empty() => Some("none".to_owned()),
        Value::Array(values) => {
            let parts: Vec<String> = values
                .iter()
                .filter_map(|value| shown(value, clock))
                .collect();
            Some(parts.join(", "))
        }
        Value::String(text) => Some(shown_text(text, clock)),
    }
}

fn shown_text(text: &str, clock: &Clock) -> String {
    if let Some((_, account)) = ACCOUNTS.iter().find(|(sid, _)| *sid == text) {
        return (*account).to_owned();
    }
    if text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return fingerprint(text);
    }
    if text.parse::<Timestamp>().is_ok() {
        return clock.full(text);
    }
    shortened(text)
}

/// The beginning and the end of a long word; of a path, of its last part.
fn shortened(text: &str) -> String {
    if text.chars().count() <= LONGEST_WORD || text.contains(' ') {
        return text.to_owned();
    }
    let last: Vec<char> = super::source::last_part(text).chars().collect();
    if last.len() <= LONGEST_WORD {
        return last.into_iter().collect();
    }
    last[..8]
        .iter()
        .chain(&['…'])
        .chain(&last[last.len() - 8..])
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::catalog;
    use serde_json::json;

    fn fact(kind: &str, fields: Value) -> FactEntry {
        FactEntry {
            id: "f1".to_owned(),
            kind: kind.to_owned(),
            time: None,
            fields: fields.as_object().cloned().unwrap_or_default(),
            sources: Vec::new(),
        }
    }

    fn says(kind: &str, fields: Value) -> String {
        observation(&fact(kind, fields), &Clock::new(jiff::tz::TimeZone::UTC))
    }

    /// The names of fields that a sentence uses.
    fn names(sentence: &str) -> Vec<&str> {
        let filled = sentence
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split_once('}'))
            .map(|(name, _)| name);
        let asked = sentence
            .split('[')
            .skip(1)
            .filter_map(|part| part.split_once(' '))
            .map(|(condition, _)| condition)
            .filter(|condition| condition.starts_with(['?', '!']) || condition.contains('='))
            .map(|condition| {
                let name = condition.trim_start_matches(['?', '!']);
                name.split_once('=').map_or(name, |(name, _)| name)
            });
        filled.chain(asked).collect()
    }

    #[test]
    fn every_kind_has_a_sentence_of_its_own_fields() {
        for kind in catalog::KINDS.iter() {
            let sentence = SENTENCES.iter().find(|(name, _)| *name == kind.name);
            let (_, sentence) = sentence.unwrap_or_else(|| panic!("no sentence for {}", kind.name));
            for name in names(sentence) {
                assert!(kind.field(name).is_some(), "{}: no field {name}", kind.name);
            }
        }
    }

    /// Whatever its fields hold: a row of evidence that says nothing is a row too many.
    #[test]
    fn every_kind_says_something_of_every_answer() {
        let mute: Vec<String> = catalog::KINDS
            .iter()
            .flat_map(|kind| {
                [json!(false), json!(true), json!(null), json!({"gap": "g1"})]
                    .into_iter()
                    .filter(|answer| {
                        let fields: serde_json::Map<String, Value> = kind
                            .fields
                            .iter()
                            .map(|field| (field.name.to_owned(), answer.clone()))
                            .collect();
                        let says = says(kind.name, Value::Object(fields));
                        says.trim_matches([',', ';', ':', ' ']) != says || says.is_empty()
                    })
                    .map(|answer| format!("{} with {answer}", kind.name))
            })
            .collect();
        assert!(mute.is_empty(), "{}", mute.join("\n"));
    }

    #[test]
    fn what_is_not_known_is_left_out_or_said() {
        let line = says(
            "schannel.failure",
            json!({"event": 36870, "error": "0x8009030D", "alert": null, "state": {"gap": "g1"}}),
        );
        assert_eq!(line, "Schannel 36870, 0x8009030D");
        assert_eq!(
            says(
                "key_file.state",
                json!({"path": "f686", "state": {"gap": "g2"}})
            ),
            "key file f686: (not known)"
        );
    }

    #[test]
    fn conditions_choose_the_words() {
        let fields = json!({"service": "TermService", "running": false});
        assert_eq!(says("service.ran", fields), "TermService stopped");
        let fields = json!({"path": "C:\\keys\\f686", "account": "S-1-5-20", "can_read": false, "denied": true});
        assert_eq!(
            says("key_file.access", fields),
            "key file C:\\keys\\f686: NETWORK SERVICE cannot read it (denied by an entry)"
        );
    }

    #[test]
    fn a_kind_from_elsewhere_shows_its_fields() {
        assert_eq!(
            says("new.kind", json!({"a": 1, "b": null})),
            "new.kind: a=1"
        );
    }
}
