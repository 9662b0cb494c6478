//! How each client's connections fared, as the report shows it.

use std::collections::BTreeMap;

use crate::facts::connection::attempt::Attempt;
use crate::facts::history::History;
use crate::verdict::model::Connection;

/// How each client's connections fared, those that count first, then by address.
pub(super) fn connections(history: &History<'_>) -> Vec<Connection> {
    let mut found: Vec<Connection> = history
        .clients
        .iter()
        .map(|client| {
            let attempts: Vec<&Attempt> = client
                .attempts
                .iter()
                .filter_map(|index| history.attempts.get(*index))
                .collect();
            let mut reached: BTreeMap<String, u64> = BTreeMap::new();
            for attempt in &attempts {
                *reached
                    .entry(attempt.reached().word().to_owned())
                    .or_default() += 1;
            }
            Connection {
                client: client
                    .address
                    .map_or_else(|| "unknown".to_owned(), |address| address.to_string()),
                stranger: client.stranger,
                attempts: attempts.len() as u64,
                first: attempts
                    .iter()
                    .map(|attempt| attempt.at)
                    .min()
                    .map(|time| time.to_string()),
                last: attempts
                    .iter()
                    .map(|attempt| attempt.at)
                    .max()
                    .map(|time| time.to_string()),
                reached,
                state: client.outcome.word().to_owned(),
            }
        })
        .collect();
    found.sort_by(|one, other| (one.stranger, &one.client).cmp(&(other.stranger, &other.client)));
    found
}
