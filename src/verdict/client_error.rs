//! The codes that Remote Desktop clients show: what each says, and what it does not. A code is never a verdict: it tells how the
//! client saw the end, and the server's records tell where the attempt died.
//!
//! Sources: primary reasons, Microsoft, "IMsTscAxEvents::OnDisconnected method" (learn.microsoft.com, windows/win32/termserv);
//! extended reasons, "ExtendedDisconnectReasonCode enumeration" (ibid.) and \[MS-RDPBCGR\] 2.2.5.1.1, whose numbers they share;
//! refusals of the negotiation, \[MS-RDPBCGR\] 2.2.1.2.2. Read in 2026. The descriptions are our own words.

mod codes;

use self::codes::{Documented, EXTENDED, NEGOTIATION, PRIMARY, UNDOCUMENTED};
use super::model::ClientError;

/// A code as a client shows it: a reason, and perhaps an extended reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCode {
    given: String,
    meaning: Meaning,
}

/// What kind of code it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    /// A disconnect reason and, with it or alone, an extended one.
    Reasons {
        primary: Option<u32>,
        extended: Option<u32>,
    },
    /// The server refused the client's choice of security protocol.
    Negotiation(u32),
}

/// Not a code that a Remote Desktop client shows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` is no code of a Remote Desktop client: write 0x904/0x7 (error code / extended error code), 0x904, 2308, or the \
     name that Microsoft gives it"
)]
pub struct NotAClientCode {
    /// What was given.
    pub given: String,
}

/// The extended reasons that Microsoft reserves for errors of the protocol.
const PROTOCOL_ERRORS: std::ops::RangeInclusive<u32> = 0x1000..=0x7FFF;

/// The extended reasons of \[MS-RDPBCGR\] that tell of the connection broker.
const BROKER_ERRORS: std::ops::RangeInclusive<u32> = 0x400..=0x412;

impl ClientCode {
    /// Reads `0x904/0x7`, `0x904`, `2308`, a name of Microsoft's, or the line as the client shows it (`Error code: 0x904
    /// Extended error code: 0x7`).
    ///
    /// # Errors
    /// [`NotAClientCode`] when it is none of these.
    pub fn parse(given: &str) -> Result<Self, NotAClientCode> {
        let meaning = named(given.trim())
            .or_else(|| numbers(given))
            .ok_or_else(|| NotAClientCode {
                given: given.to_owned(),
            })?;
        Ok(ClientCode {
            given: given.trim().to_owned(),
            meaning,
        })
    }

    /// The primary reason, such as 0x904.
    #[must_use]
    pub fn primary(&self) -> Option<u32> {
        match self.meaning {
            Meaning::Reasons { primary, .. } => primary,
            Meaning::Negotiation(_) => None,
        }
    }

    /// The extended reason, such as 0x7.
    #[must_use]
    pub fn extended(&self) -> Option<u32> {
        match self.meaning {
            Meaning::Reasons { extended, .. } => extended,
            Meaning::Negotiation(_) => None,
        }
    }

    /// The refusal in the negotiation before TLS, such as HYBRID_REQUIRED_BY_SERVER, 5.
    #[must_use]
    pub fn negotiation(&self) -> Option<u32> {
        match self.meaning {
            Meaning::Reasons { .. } => None,
            Meaning::Negotiation(code) => Some(code),
        }
    }

    /// Whether every number of it is one that Microsoft documents.
    #[must_use]
    pub fn is_documented(&self) -> bool {
        let has =
            |table, code: Option<u32>| code.is_none_or(|code| documented(table, code).is_some());
        match self.meaning {
            Meaning::Reasons { primary, extended } => {
                has(PRIMARY, primary) && has(EXTENDED, extended)
            }
            Meaning::Negotiation(code) => has(NEGOTIATION, Some(code)),
        }
    }

    /// What it says, and what it does not.
    #[must_use]
    pub fn explain(&self) -> ClientError {
        let mut sentences = Vec::new();
        match self.meaning {
            Meaning::Reasons { primary, extended } => {
                sentences.extend(primary.map(primary_sentence));
                sentences.extend(extended.map(extended_sentence));
                sentences.push(limits(primary, extended).to_owned());
            }
            Meaning::Negotiation(code) => {
                let Documented(_, name, says) =
                    documented(NEGOTIATION, code).unwrap_or(&NEGOTIATION[0]);
                sentences.push(format!("{name}: {says}."));
                sentences.push("The server's settings and logs tell why.".to_owned());
            }
        }
        ClientError {
            code: self.given.clone(),
            meaning: sentences.join(" "),
        }
    }
}

fn named(given: &str) -> Option<Meaning> {
    let of = |table: &[Documented]| {
        table
            .iter()
            .find(|Documented(_, name, _)| name.eq_ignore_ascii_case(given))
            .map(|Documented(code, _, _)| *code)
    };
    let reasons = |primary, extended| Meaning::Reasons { primary, extended };
    of(PRIMARY)
        .map(|code| reasons(Some(code), None))
        .or_else(|| of(EXTENDED).map(|code| reasons(None, Some(code))))
        .or_else(|| of(NEGOTIATION).map(Meaning::Negotiation))
}

/// One or two numbers, the second after a slash, a comma or the words of the client's own message.
fn numbers(given: &str) -> Option<Meaning> {
    let lower = given.to_ascii_lowercase();
    let plain = lower
        .replace("extended error code", " ")
        .replace("extended", " ")
        .replace("error code", " ");
    let parts: Vec<&str> = plain
        .split(|letter: char| {
            letter.is_whitespace() || matches!(letter, '/' | ',' | ':' | '(' | ')' | '.')
        })
        .filter(|part| !part.is_empty())
        .collect();
    match parts[..] {
        [extended] if lower.trim_start().starts_with("extended") => Some(Meaning::Reasons {
            primary: None,
            extended: Some(number(extended)?),
        }),
        [primary] => Some(Meaning::Reasons {
            primary: Some(number(primary)?),
            extended: None,
        }),
        [primary, extended] => Some(Meaning::Reasons {
            primary: Some(number(primary)?),
            extended: Some(number(extended)?),
        }),
        _ => None,
    }
}

fn number(text: &str) -> Option<u32> {
    match text.strip_prefix("0x") {
        // `from_str_radix` would take a sign.
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            u32::from_str_radix(digits, 16).ok()
        }
        Some(_) => None,
        None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok(),
        None => None,
    }
}

fn documented(table: &'static [Documented], code: u32) -> Option<&'static Documented> {
    table.iter().find(|Documented(known, _, _)| *known == code)
}

fn primary_sentence(code: u32) -> String {
    if let Some(Documented(_, name, says)) = documented(PRIMARY, code) {
        return format!("0x{code:X} ({code}, {name}): {says}.");
    }
    if let Some(Documented(_, _, says)) = documented(UNDOCUMENTED, code) {
        return format!("0x{code:X} ({code}) is not documented by Microsoft; {says}.");
    }
    // People copy the digits without the 0x.
    let meant = u32::from_str_radix(&code.to_string(), 16)
        .ok()
        .filter(|meant| documented(PRIMARY, *meant).is_some());
    match meant {
        Some(meant) => format!(
            "{code} (0x{code:X}) is not documented by Microsoft; if the client showed 0x{meant:X}, write it so."
        ),
        None => format!("0x{code:X} ({code}) is not documented by Microsoft."),
    }
}

fn extended_sentence(code: u32) -> String {
    if let Some(Documented(_, name, says)) = documented(EXTENDED, code) {
        return format!("Extended 0x{code:X} ({name}): {says}.");
    }
    if BROKER_ERRORS.contains(&code) {
        return format!("Extended 0x{code:X}: an error of the connection broker.");
    }
    if PROTOCOL_ERRORS.contains(&code) {
        return format!(
            "Extended 0x{code:X}: an error of the protocol, between client and server."
        );
    }
    format!("Extended 0x{code:X} is not documented by Microsoft.")
}

/// What these codes leave open.
fn limits(primary: Option<u32>, extended: Option<u32>) -> &'static str {
    match (primary, extended) {
        (Some(0x904), Some(7)) => {
            "Together they say only that the server, or something on the way, closed the connection after it was made; not \
             that TLS, a certificate or a licence is at fault. Microsoft explains the pair nowhere. The server's records tell \
             at which stage it was closed."
        }
        (Some(0x904), _) => {
            "That does not say who closed it, nor that TLS, a certificate or a licence is at fault; the server's records tell at \
             which stage it was closed."
        }
        _ => "It is how the client saw the end; the server's records tell where the attempt died.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(given: &str) -> ClientCode {
        ClientCode::parse(given).expect("a code")
    }

    #[test]
    fn every_way_of_writing_it_is_read() {
        let forms = [
            "0x904/0x7",
            "0x904 / 0x7",
            "2308/7",
            "0X904, 0X7",
            "Error code: 0x904 Extended error code: 0x7",
        ];
        for form in forms {
            let code = code(form);
            assert_eq!(
                (code.primary(), code.extended()),
                (Some(0x904), Some(7)),
                "{form}"
            );
        }
        assert_eq!(code("2308").primary(), Some(0x904));
        assert_eq!(
            code("disconnectreasonatclientwinsockfdclose").primary(),
            Some(0x904)
        );
        assert_eq!(
            code("exDiscReasonServerDeniedConnection").extended(),
            Some(7)
        );
    }

    #[test]
    fn the_pair_is_explained_without_blame() {
        let explained = code("0x904/0x7").explain();
        assert_eq!(explained.code, "0x904/0x7");
        assert!(
            explained
                .meaning
                .contains("disconnectReasonAtClientWinsockFDCLOSE")
        );
        assert!(explained.meaning.contains("denied the connection"));
        assert!(
            explained
                .meaning
                .contains("not that TLS, a certificate or a licence is at fault")
        );
    }

    #[test]
    fn what_microsoft_does_not_document_is_said_to_be_so() {
        for given in ["0x4", "0x507", "0xB09", "0x7777"] {
            assert!(
                code(given)
                    .explain()
                    .meaning
                    .contains("not documented by Microsoft"),
                "{given}"
            );
        }
    }

    #[test]
    fn digits_without_their_prefix_are_asked_about() {
        assert!(
            code("904")
                .explain()
                .meaning
                .contains("if the client showed 0x904")
        );
    }

    #[test]
    fn a_refusal_of_the_negotiation_has_its_name() {
        assert!(
            code("HYBRID_REQUIRED_BY_SERVER")
                .explain()
                .meaning
                .contains("network level authentication")
        );
    }

    #[test]
    fn anything_else_is_refused() {
        for given in [
            "",
            "/",
            "0x",
            "-5",
            "0x904/0x7/0x1",
            "tls",
            "0x+9",
            "99999999999",
        ] {
            assert!(ClientCode::parse(given).is_err(), "{given}");
        }
    }

    #[test]
    fn no_code_stands_twice() {
        for table in [PRIMARY, UNDOCUMENTED, EXTENDED, NEGOTIATION] {
            assert!(table.is_sorted_by_key(|Documented(code, _, _)| *code));
        }
    }
}
