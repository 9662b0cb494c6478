//! What runs, as Windows' own tools print it: the state of services by `sc query` and `sc queryex`, and the sessions and listeners by
//! `qwinsta` (`query session`).
//!
//! Of services only the names of the fields are in the language of Windows; the state is a number and a word that is not. Of sessions
//! the heading and the states are; names and numbers are not: a listener's number is 65536 or more. Columns are of different width
//! from one Windows to the next, and names and users may be missing, so that a row is read from its number on. Sources: Microsoft,
//! "sc.exe query" and "query session"; outputs in English, German, Spanish, Russian, Japanese and Chinese in public write-ups.

use super::text::Text;

/// What a text says of what runs.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct RunningState {
    /// Services, in their order.
    pub services: Vec<ServiceState>,
    /// The list of sessions; the last, where there are several.
    pub sessions: Option<SessionList>,
}

/// How a service was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceState {
    /// The line that gives its state, from 1.
    pub line: u64,
    /// Its key name, such as TermService.
    pub name: String,
    /// Whether it ran; none on its way up or down, or paused.
    pub runs: Option<bool>,
    /// The error that it ended with; 0 where it ended without, 1077 where it was not started since Windows was.
    pub exit_code: Option<u32>,
}

/// Sessions and listeners.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionList {
    /// The line of the first row, from 1.
    pub line: u64,
    /// Its rows.
    pub rows: Vec<SessionRow>,
    /// Whether something else was printed after it, so that no row is missing.
    pub has_end: bool,
}

/// A session or a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Its line, from 1.
    pub line: u64,
    /// Its name; empty of a session that nobody is connected to.
    pub name: String,
    /// Its number.
    pub id: u32,
    /// Its state, as it was printed.
    pub state: String,
}

/// The words for the states 1 to 7.
const STATES: [(&str, &str, Option<bool>); 7] = [
    ("1", "STOPPED", Some(false)),
    ("2", "START_PENDING", None),
    ("3", "STOP_PENDING", None),
    ("4", "RUNNING", Some(true)),
    ("5", "CONTINUE_PENDING", None),
    ("6", "PAUSE_PENDING", None),
    ("7", "PAUSED", None),
];

const FIRST_LISTENER: u32 = 65536;
/// The words for listening in English and Japanese, German, Spanish, Chinese and Russian; the last two also as the bytes of the code
/// pages 936 and 866, which an unknown code page is read as.
const LISTENING: [&str; 8] = [
    "Listen",
    "Abhören",
    "Escuchar",
    "侦听",
    "Прием",
    "Приём",
    "\u{d5}\u{ec}\u{cc}\u{fd}",
    "\u{8f}\u{e0}\u{a8}\u{a5}\u{ac}",
];
/// Of German only the letters that no code page changes; it is cut short as well.
const LISTENING_IN_GERMAN: &str = "Abhr";
const DOWN: [&str; 2] = ["Down", "Init"];

/// Reads what runs; what is not of these tools is passed over.
#[must_use]
pub fn read(bytes: &[u8]) -> RunningState {
    let text = Text::decode_joined(bytes);
    let mut state = RunningState::default();
    let mut service: Option<&str> = None;
    let (mut has_fields, mut awaits_code) = (false, false);
    for (line, number) in text.characters.split_inclusive('\n').zip(1..) {
        // Of a line without its end nobody knows what is missing.
        let Some(line) = line.strip_suffix('\n').map(str::trim_end) else {
            break;
        };
        take_session(line, number, &mut state.sessions);
        if line.is_empty() {
            (service, awaits_code) = (None, false);
        } else if !line.starts_with([' ', '\t']) {
            // The name as people know it follows the key name.
            if service.is_none() || has_fields {
                service = service_name(line);
            }
            (has_fields, awaits_code) = (false, false);
        } else if let Some((_, value)) = line.split_once(':') {
            has_fields = true;
            let value = value.trim();
            match (service, service_state(value)) {
                (Some(name), Some(runs)) => {
                    state.services.push(ServiceState {
                        line: number,
                        name: name.to_owned(),
                        runs,
                        exit_code: None,
                    });
                    awaits_code = true;
                }
                _ if awaits_code => {
                    awaits_code = false;
                    if let Some(last) = state.services.last_mut() {
                        last.exit_code = exit_code(value);
                    }
                }
                _ => {}
            }
        }
    }
    state
}

/// `SERVICE_NAME: TermService`.
fn service_name(line: &str) -> Option<&str> {
    let (label, name) = line.split_once(':')?;
    let name = name.trim();
    let is_name = !label.trim().is_empty()
        && !name.is_empty()
        && name.len() <= 256
        && !name.contains(['\\', '/', ':', '\0']);
    is_name.then_some(name)
}

/// `4  RUNNING`: the number and its word agree.
fn service_state(value: &str) -> Option<Option<bool>> {
    let mut parts = value.split_whitespace();
    let (number, word) = (parts.next()?, parts.next()?);
    let known = STATES
        .iter()
        .find(|(known, of_it, _)| *known == number && *of_it == word)?;
    parts.next().is_none().then_some(known.2)
}

/// `1067  (0x42b)`: both tell the same.
fn exit_code(value: &str) -> Option<u32> {
    let (number, hexadecimal) = value.split_once('(')?;
    let number: u32 = number.trim().parse().ok()?;
    let digits = hexadecimal
        .trim_end()
        .strip_suffix(')')?
        .strip_prefix("0x")?;
    (u32::from_str_radix(digits, 16).ok()? == number).then_some(number)
}

/// Takes in one line of a list of sessions, or what follows one.
fn take_session(line: &str, number: u64, list: &mut Option<SessionList>) {
    let row = SessionRow::of(line, number);
    if row.as_ref().is_some_and(SessionRow::is_services) {
        *list = Some(SessionList {
            line: number,
            rows: Vec::new(),
            has_end: false,
        });
    }
    let Some(list) = list else { return };
    match row {
        Some(row) if !list.has_end => list.rows.push(row),
        _ => list.has_end |= !line.is_empty() && !line.starts_with([' ', '>']),
    }
}

impl SessionRow {
    /// `>rdp-tcp#2         Administrator             2  Active  rdpwd`: the number is the first word of digits before another word.
    fn of(line: &str, number: u64) -> Option<Self> {
        let named = line.starts_with(['>', ' ']).then(|| line.get(1..))??;
        let name = match named.starts_with(' ') {
            true => "",
            false => named.split_whitespace().next()?,
        };
        let words = named.split_whitespace().skip(usize::from(!name.is_empty()));
        let next = words.clone().skip(1);
        let (id, state) = words.zip(next).find_map(|(id, state)| {
            let is_word = !state.starts_with(|letter: char| letter.is_ascii_digit());
            Some((id.parse().ok().filter(|_| is_word)?, state))
        })?;
        Some(SessionRow {
            line: number,
            name: name.to_owned(),
            id,
            state: state.to_owned(),
        })
    }

    /// The session of services, which comes first and is on every machine.
    fn is_services(&self) -> bool {
        self.id == 0 && self.name.eq_ignore_ascii_case("services")
    }

    /// Whether it is a listener, by its number.
    #[must_use]
    pub fn is_listener(&self) -> bool {
        self.id >= FIRST_LISTENER
    }

    /// Whether its state is the word for listening; none where the word is not known.
    #[must_use]
    pub fn listens(&self) -> Option<bool> {
        let word = self.state.as_str();
        let letters = word.chars().filter(char::is_ascii_alphabetic);
        let in_german = word.starts_with("Abh") && letters.take(4).eq(LISTENING_IN_GERMAN.chars());
        if in_german || LISTENING.contains(&word) {
            Some(true)
        } else {
            DOWN.contains(&word).then_some(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "\r\nSERVICE_NAME: TermService \r\nDISPLAY_NAME: Remotedesktopdienste\r\n        TYP                : 30  WIN32  \r\n        STATUS             : 4  RUNNING \r\n                                (STOPPABLE, NOT_PAUSABLE, ACCEPTS_SHUTDOWN)\r\n        WIN32_EXIT_CODE    : 0  (0x0)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n        PRÜFPUNKT          : 0x0\r\n\r\nSERVICE_NAME: SessionEnv\r\n        TYPE               : 20  WIN32_SHARE_PROCESS  \r\n        STATE              : 1  STOPPED \r\n        WIN32_EXIT_CODE    : 1067  (0x42b)\r\n        SERVICE_EXIT_CODE  : 0  (0x0)\r\n\r\n";

    const SESSIONS: &str = " SITZUNGSNAME      BENUTZERNAME             ID  STATUS  TYP         GERÄT\r\n services                                    0  Getr.\r\n>console           Leo                       3  Aktiv\r\n                   Anna 7                    4  Getr.\r\n rdp-tcp                                 65536  Abhör.\r\n";

    fn listed(text: &[u8]) -> Option<Option<bool>> {
        let rows = read(text).sessions?.rows;
        let mut listeners = rows.iter().filter(|row| row.is_listener());
        let row = listeners.find(|row| row.name == "rdp-tcp")?;
        Some(row.listens())
    }

    fn has_end(text: &[u8]) -> Option<bool> {
        Some(read(text).sessions?.has_end)
    }

    #[test]
    fn services_tell_their_state_and_the_error_they_ended_with() {
        let state = read(QUERY.as_bytes());
        let told: Vec<_> = state
            .services
            .iter()
            .map(|one| (one.name.as_str(), one.line, one.runs, one.exit_code))
            .collect();
        assert_eq!(
            told,
            [
                ("TermService", 5, Some(true), Some(0)),
                ("SessionEnv", 13, Some(false), Some(1067))
            ]
        );
    }

    #[test]
    fn the_listener_is_told_in_the_languages_that_are_known_and_in_any_code_page() {
        assert_eq!(listed(SESSIONS.as_bytes()), Some(Some(true)));
        let oem: Vec<u8> = SESSIONS
            .chars()
            .map(|letter| match letter {
                'ö' => 0x94,
                'Ä' => 0x8E,
                other => other as u8,
            })
            .collect();
        assert_eq!(listed(&oem), Some(Some(true)));
        let wide: Vec<u8> = format!("\u{feff}{SESSIONS}")
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(listed(&wide), Some(Some(true)));
        for (word, listens) in [
            ("Listen", Some(true)),
            ("侦听", Some(true)),
            ("Down", Some(false)),
            ("Écouter", None),
        ] {
            let text = SESSIONS.replace("Abhör.", word);
            assert_eq!(listed(text.as_bytes()), Some(listens), "{word}");
        }
        let wider = " services                                            0  Disc                        \r\n 31c5ce94259d4...                                65536  Listen                      \r\n rdp-tcp                                         65537  Listen                      \r\n";
        assert_eq!(listed(wider.as_bytes()), Some(Some(true)));
    }

    #[test]
    fn a_list_has_its_end_where_something_else_follows() {
        assert_eq!(has_end(SESSIONS.as_bytes()), Some(false));
        let counted = format!("{SESSIONS}\r\nGesamtzahl der Sitzungen: 5\r\n");
        assert_eq!(has_end(counted.as_bytes()), Some(true));
        assert_eq!(listed(counted.as_bytes()), Some(Some(true)));
        let rows = read(SESSIONS.as_bytes()).sessions.unwrap().rows;
        let told: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.id)).collect();
        assert_eq!(
            told,
            [("services", 0), ("console", 3), ("", 4), ("rdp-tcp", 65536)]
        );
    }

    #[test]
    fn wherever_it_is_cut_nothing_wrong_is_told() {
        for end in (0..SESSIONS.len()).filter(|end| SESSIONS.is_char_boundary(*end)) {
            assert_ne!(has_end(&SESSIONS.as_bytes()[..end]), Some(true), "{end}");
        }
        for end in 0..QUERY.len() {
            for service in read(&QUERY.as_bytes()[..end]).services {
                let runs = service.name == "TermService";
                assert_eq!(service.runs, Some(runs), "{end}");
            }
        }
    }

    #[test]
    fn settings_and_other_texts_tell_nothing_of_what_runs() {
        for text in [
            "SERVICE_NAME: TermService\r\n        TYPE               : 20  WIN32_SHARE_PROCESS \r\n        START_TYPE         : 3   DEMAND_START\r\n        ERROR_CONTROL      : 1   NORMAL\r\n",
            "USERNAME SESSIONNAME ID STATE IDLE\r\n leo console 1 Active none\r\n",
            " rdp-tcp 65536 Listen\r\n",
        ] {
            assert_eq!(read(text.as_bytes()), RunningState::default(), "{text}");
        }
    }
}
