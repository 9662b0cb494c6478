//! The names of values that .NET gives by place alone. Only for events whose values never changed their places; of others it cannot be
//! told what a value means.

use std::borrow::Cow;

use super::super::node::Node;

/// Events by provider and id, with the names of their values. From the providers' manifests, Windows 7 to 11.
const NAMES: &[(&str, &[u64], &[&str])] = &[
    (RDP_CORE, &[131], &["ConnType", "ClientIP"]),
    (RDP_CORE, &[140], &["IPString"]),
    (RDP_CORE, &[142, 143], &["error"]),
    (RDP_CORE, &[103], &["ReasonCode"]),
    (RDP_CORE, &[65], &["ConnectionName"]),
    (RDP_CORE, &[66], &["ConnectionName", "SessionID"]),
    (RDP_CORE, &[98, 102], &[]),
    (MANAGER, &[1149], &["Param1", "Param2", "Param3"]),
    (MANAGER, &[258, 261], &["listenerName"]),
    (MANAGER, &[1136], &[]),
    (
        SESSIONS,
        &[21, 22, 24, 25],
        &["User", "SessionID", "Address"],
    ),
    (SESSIONS, &[23], &["User", "SessionID"]),
    (SESSIONS, &[39], &["TargetSession", "Source"]),
    (SESSIONS, &[40], &["Session", "Reason"]),
    (
        SERVICES,
        &[7000, 7009, 7023, 7034, 7036],
        &["param1", "param2"],
    ),
    (SERVICES, &[7001], &["param1", "param2", "param3"]),
    (SERVICES, &[7040], &["param1", "param2", "param3", "param4"]),
];

const RDP_CORE: &str = "Microsoft-Windows-RemoteDesktopServices-RdpCoreTS";
const MANAGER: &str = "Microsoft-Windows-TerminalServices-RemoteConnectionManager";
const SESSIONS: &str = "Microsoft-Windows-TerminalServices-LocalSessionManager";
const SERVICES: &str = "Service Control Manager";

/// Classic events, whose values have no names in a record either.
const NAMELESS: &[(&str, &[u64])] = &[
    (
        MANAGER,
        &[
            1050, 1051, 1052, 1053, 1054, 1055, 1056, 1057, 1058, 1059, 1063, 1064, 1065,
        ],
    ),
    ("EventLog", &[6005, 6006, 6008, 6009, 6013]),
];

/// The values with their names, as the `EventData` of a record has them.
pub(super) fn named<'t>(provider: &str, id: u64, values: Vec<String>) -> Result<Node<'t>, String> {
    let is = |known: &str, ids: &[u64]| known.eq_ignore_ascii_case(provider) && ids.contains(&id);
    let text = |value: String| Node::Text(Cow::Owned(value));
    if NAMELESS.iter().any(|(known, ids)| is(known, ids)) {
        let data = |value| {
            let content = (Cow::Borrowed("#text"), text(value));
            (Cow::Borrowed("Data"), Node::Map(vec![content]))
        };
        return Ok(Node::Map(values.into_iter().map(data).collect()));
    }
    let names = NAMES.iter().find(|(known, ids, _)| is(known, ids));
    let names = names
        .map(|(_, _, names)| *names)
        .filter(|names| names.len() == values.len());
    let Some(names) = names else {
        return Err(format!(
            "{provider} {id} is written without the names of its values, which cannot be told from their places: use `wevtutil qe /f:xml` or `wevtutil epl`"
        ));
    };
    let named = names.iter().zip(values);
    let named = named.map(|(name, value)| (Cow::Borrowed(*name), text(value)));
    Ok(Node::Map(named.collect()))
}
