//! What became of attempts to make or renew the listener's certificate: RemoteConnectionManager 1056 to 1065 in the System
//! log. The status stands there as text in the system's language, sometimes as a code.

use jiff::Timestamp;

use super::catalog::certificate::{
    CertificateNotice, Renewal, RenewalResult, RenewalStatus, TimeRefused,
};
use super::clock::Placed;
use super::coverage::Window;
use super::event::Event;
use super::fact::FactSet;
use super::history::History;
use super::known::Known;
use super::renewal_texts::STATUS_TEXTS;
use super::subject::Subject;
use super::value::Code;

/// What the status of a failed renewal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// Its meaning.
    pub status: RenewalStatus,
    /// The code, where one stands in the text.
    pub code: Option<Code>,
}

/// Reads a status: a code wherever one stands, else a text in one of the languages known.
#[must_use]
pub fn status(text: &str) -> Status {
    if let Some(code) = code_in(text) {
        let status = status_of(code);
        return Status {
            status,
            code: Some(code),
        };
    }
    let text = plain(text);
    let status = STATUS_TEXTS
        .iter()
        .find(|(_, texts)| texts.iter().any(|known| text.contains(&plain(known))))
        .map_or(RenewalStatus::Unrecognized, |(status, _)| *status);
    Status { status, code: None }
}

/// Names of codes are those of winerror.h.
fn status_of(code: Code) -> RenewalStatus {
    match code.0 {
        // ERROR_ACCESS_DENIED, NTE_PERM
        5 | 0x8007_0005 | 0x8009_0010 => RenewalStatus::AccessDenied,
        // NTE_EXISTS
        0x8009_000F => RenewalStatus::ObjectExists,
        // NTE_BAD_KEYSET
        0x8009_0016 => RenewalStatus::NoKeyset,
        // NTE_BAD_KEY_STATE
        0x8009_000B => RenewalStatus::BadKeyState,
        // ERROR_INVALID_PARAMETER
        87 | 0x8007_0057 => RenewalStatus::InvalidParameter,
        // ERROR_DISK_FULL
        112 | 0x8007_0070 => RenewalStatus::DiskFull,
        _ => RenewalStatus::Other,
    }
}

/// Whether a status is one of the key's.
fn is_about_key(status: Status) -> Option<bool> {
    match (status.status, status.code) {
        // NTE_PERM is the key's; the plain "access is denied" may be the certificate store's as well.
        (_, Some(Code(0x8009_0010))) => Some(true),
        (RenewalStatus::AccessDenied, _) => None,
        (RenewalStatus::ObjectExists | RenewalStatus::NoKeyset | RenewalStatus::BadKeyState, _) => {
            Some(true)
        }
        (RenewalStatus::InvalidParameter | RenewalStatus::DiskFull, _) => Some(false),
        // NTE_BAD_KEY, NTE_NO_KEY, NTE_KEYSET_NOT_DEF, NTE_KEYSET_ENTRY_BAD, SEC_E_UNKNOWN_CREDENTIALS
        (_, Some(Code(0x8009_0003 | 0x8009_000D | 0x8009_0019 | 0x8009_001A | 0x8009_030D))) => {
            Some(true)
        }
        (RenewalStatus::Other, _) => Some(false),
        (RenewalStatus::Unrecognized, _) => None,
    }
}

/// The first number in a text that is written as a code: `0x8009000F`, `8009000F`, `-2146893809`, or a number alone.
fn code_in(text: &str) -> Option<Code> {
    let words = || text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-');
    let hexadecimal = words().find_map(|word| {
        let digits = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X"));
        let digits = digits
            .or_else(|| (word.len() == 8 && word.starts_with(['8', 'c', 'C'])).then_some(word))?;
        u32::from_str_radix(digits, 16).ok()
    });
    let alone = || {
        let number: i64 = text.trim().trim_start_matches("%%").parse().ok()?;
        u32::try_from(number)
            .ok()
            .or_else(|| i32::try_from(number).ok().map(i32::cast_unsigned))
    };
    let negative = || {
        words()
            .find_map(|word| word.parse::<i32>().ok().filter(|number| *number < 0))
            .map(i32::cast_unsigned)
    };
    hexadecimal.or_else(alone).or_else(negative).map(Code)
}

/// A text as it is compared: without case, with one kind of apostrophe, single spaces, and no full stop at its end.
fn plain(text: &str) -> String {
    let unified: String = text
        .chars()
        .map(|letter| match letter {
            '\u{2019}' | '\u{2018}' | '\u{02BC}' | '\u{00B4}' | '`' => '\'',
            other if other.is_whitespace() => ' ',
            other => other,
        })
        .collect();
    let spaced = unified
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    spaced.trim_end_matches(['.', '。', ' ']).to_lowercase()
}

/// Adds the facts about renewals; `validity` is that of the listener's certificate.
pub fn add_facts(
    history: &History<'_>,
    validity: &Known<Option<(Timestamp, Timestamp)>>,
    facts: &mut FactSet,
) {
    let last_made = history
        .events
        .iter()
        .filter(|placed| {
            matches!(
                placed.event.event,
                Event::Renewal {
                    event: 1056 | 1063,
                    ..
                }
            )
        })
        .map(|placed| placed.at)
        .max();
    for placed in &history.events {
        match &placed.event.event {
            Event::Renewal { event, text } => {
                let body = renewal(
                    history,
                    placed,
                    *event,
                    text.as_deref(),
                    last_made,
                    validity,
                    facts,
                );
                facts.add(Some(placed.at), body, vec![placed.event.source()]);
            }
            Event::CertificateNotice { event: 1053 } => {
                facts.add(
                    Some(placed.at),
                    TimeRefused { event: 1053 },
                    vec![placed.event.source()],
                );
            }
            Event::CertificateNotice { event } => {
                let body = CertificateNotice { event: *event };
                facts.add(Some(placed.at), body, vec![placed.event.source()]);
            }
            _ => {}
        }
    }
}

fn renewal(
    history: &History<'_>,
    placed: &Placed<'_>,
    event: u32,
    text: Option<&str>,
    last_made: Option<Timestamp>,
    validity: &Known<Option<(Timestamp, Timestamp)>>,
    facts: &mut FactSet,
) -> Renewal {
    let failed = !matches!(event, 1056 | 1063);
    let read = text.filter(|_| failed).map(status);
    let made_later = last_made.is_some_and(|made| made > placed.at);
    let to_end = Window {
        from: Some(placed.at),
        to: history.clock.as_of,
    };
    Renewal {
        event,
        result: if failed {
            RenewalResult::Failed
        } else {
            RenewalResult::Created
        },
        status: read.map(|read| read.status),
        code: read.and_then(|read| read.code),
        text: text.map(str::to_owned),
        about_key: match (failed, read.and_then(is_about_key)) {
            (false, _) => Known::Is(false),
            (true, Some(about_key)) => Known::Is(about_key),
            (true, None) => Known::Open(facts.gaps.open(
                Subject::SystemLog,
                "the status of a failed renewal does not tell whether it is about the key",
            )),
        },
        superseded: match made_later || history.coverage.covers(Subject::SystemLog, &to_end) {
            true => Known::Is(made_later),
            false => Known::Open(history.coverage.gap(
                Subject::SystemLog,
                "does not reach to the end, where a later renewal would stand",
                &mut facts.gaps,
            )),
        },
        after_end: validity
            .clone()
            .map(|validity| validity.is_some_and(|(_, end)| end < placed.at)),
        served_since_end: validity
            .settled()
            .copied()
            .flatten()
            .is_some_and(|(_, end)| history.last_served().is_some_and(|served| end < served)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_known_in_their_languages() {
        for (text, expected) in [
            ("Access is denied.\r\n", RenewalStatus::AccessDenied),
            ("Zugriff verweigert\r\n", RenewalStatus::AccessDenied),
            (
                "L\u{2019}objet existe\u{00A0}déjà.",
                RenewalStatus::ObjectExists,
            ),
            ("L'objet existe déjà.\r\n", RenewalStatus::ObjectExists),
            ("El conjunto de claves no existe", RenewalStatus::NoKeyset),
            ("Отказано в доступе.\r\n", RenewalStatus::AccessDenied),
            ("キー セットがありません。", RenewalStatus::NoKeyset),
            ("对象已存在。", RenewalStatus::ObjectExists),
            (
                "Key not valid for use in specified state.\r\n",
                RenewalStatus::BadKeyState,
            ),
            (
                "There is not enough space on the disk.",
                RenewalStatus::DiskFull,
            ),
            ("Toegang geweigerd.", RenewalStatus::Unrecognized),
        ] {
            assert_eq!(
                status(text),
                Status {
                    status: expected,
                    code: None
                },
                "{text}"
            );
        }
    }

    /// English, German, French, Spanish, Russian, Portuguese, Italian, Japanese, Chinese.
    const NINE_LANGUAGES: [(RenewalStatus, [&str; 9]); 4] = [
        (
            RenewalStatus::AccessDenied,
            [
                "Access is denied.",
                "Zugriff verweigert",
                "Accès refusé.",
                "Acceso denegado.",
                "Отказано в доступе.",
                "Acesso negado.",
                "Accesso negato.",
                "アクセスが拒否されました。",
                "拒绝访问。",
            ],
        ),
        (
            RenewalStatus::ObjectExists,
            [
                "Object already exists.",
                "Das Objekt ist bereits vorhanden.",
                "L'objet existe déjà.",
                "El objeto ya existe.",
                "Объект уже существует.",
                "O objeto já existe.",
                "L'oggetto esiste già.",
                "オブジェクトは既に存在します。",
                "对象已存在。",
            ],
        ),
        (
            RenewalStatus::NoKeyset,
            [
                "Keyset does not exist",
                "Der Schlüsselsatz ist nicht vorhanden.",
                "Le jeu de clés n'existe pas.",
                "El conjunto de claves no existe.",
                "Набор ключей не существует.",
                "O conjunto de chaves não existe.",
                "Il set di chiavi non esiste.",
                "キー セットが存在しません。",
                "密钥集不存在。",
            ],
        ),
        (
            RenewalStatus::BadKeyState,
            [
                "Key not valid for use in specified state.",
                "Der Schlüssel ist im angegebenen Status nicht gültig.",
                "Clé non valide pour l'utilisation dans l'état spécifié.",
                "Clave no válida para utilizar en el estado especificado.",
                "Ключ не может быть использован в указанном состоянии.",
                "Chave não válida para uso no estado especificado.",
                "Chiave non valida per l'utilizzo nello stato specificato.",
                "指定された状態で使用するには無効なキーです。",
                "该项不适于在指定状态下使用。",
            ],
        ),
    ];

    #[test]
    fn nine_languages_are_known_as_records_write_them() {
        for (expected, texts) in NINE_LANGUAGES {
            for text in texts {
                for written in [
                    text.to_owned(),
                    format!("{text}\r\n"),
                    text.replace('\'', "\u{2019}").replace(' ', "\u{00A0}"),
                    text.to_uppercase(),
                    format!("  {}  ", text.trim_end_matches(['.', '。'])),
                ] {
                    let read = status(&written);
                    assert_eq!((read.status, read.code), (expected, None), "{written:?}");
                }
            }
        }
    }

    /// Of all texts, each is found under its own status alone: none is part of another's.
    #[test]
    fn no_text_is_taken_for_another() {
        for (own, texts) in STATUS_TEXTS {
            for text in *texts {
                let found: Vec<RenewalStatus> = STATUS_TEXTS
                    .iter()
                    .filter(|(_, others)| {
                        others
                            .iter()
                            .any(|other| plain(text).contains(&plain(other)))
                    })
                    .map(|(status, _)| *status)
                    .collect();
                assert_eq!(found, [*own], "{text}");
            }
        }
    }

    #[test]
    fn a_text_of_another_language_or_meaning_is_not_recognized() {
        for text in [
            // Dutch, Polish, Turkish, Korean, Czech, Hungarian, Swedish, Greek.
            "Toegang geweigerd.",
            "Object bestaat al.",
            "Odmowa dostępu.",
            "Obiekt już istnieje.",
            "Erişim engellendi.",
            "액세스가 거부되었습니다.",
            "키 집합이 없습니다.",
            "Přístup byl odepřen.",
            "A hozzáférés megtagadva.",
            "Åtkomst nekad.",
            "Δεν επιτρέπεται η πρόσβαση.",
            // The denial of something else, and a text that was cut.
            "The object does not exist.",
            "Das Objekt ist nicht vorhanden.",
            "Access is",
            "De l'objet",
            "?????? ? ???????.",
            "",
        ] {
            let read = status(text);
            assert_eq!(
                (read.status, read.code),
                (RenewalStatus::Unrecognized, None),
                "{text}"
            );
            assert_eq!(is_about_key(read), None, "{text}");
        }
    }

    #[test]
    fn codes_are_known_however_they_are_written() {
        for text in [
            "0x8009000F",
            "8009000f",
            "-2146893809",
            "2148073487",
            "failed (0x8009000f)",
        ] {
            let expected = Status {
                status: RenewalStatus::ObjectExists,
                code: Some(Code(0x8009_000F)),
            };
            assert_eq!(status(text), expected, "{text}");
        }
        assert_eq!(status("0x8009001A").status, RenewalStatus::Other);
        assert_eq!(is_about_key(status("0x8009001A")), Some(true));
        assert_eq!(is_about_key(status("Toegang geweigerd.")), None);
    }
}
