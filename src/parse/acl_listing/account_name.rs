//! The names under which Windows prints its well-known accounts, in the languages of its server editions. Japanese, Chinese
//! and Korean Windows print the English ones. A name that is not in the table stays unknown: it may be anybody.
//!
//! Sources: Microsoft's list of well-known SIDs, and the names that administrators quote from localized systems.

use encoding_rs::{IBM866, WINDOWS_1251, WINDOWS_1252};

use crate::parse::security::{Sid, Trustee};
use crate::parse::text::TextEncoding;

/// Who a name belongs to, written before it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Authority {
    None,
    Nt,
    Builtin,
}

const NT: &[&str] = &[
    "nt authority",
    "nt-autorität",
    "autorite nt",
    "autorité nt",
    "autoridade nt",
    "autoridad nt",
];
const BUILTIN: &[&str] = &["builtin", "vordefiniert", "integrado", "incorporado"];

/// SID, authority, names in lower case: English, German, French, Spanish, Italian, Portuguese, Russian.
const WELL_KNOWN: &[(&str, Authority, &[&str])] = &[
    (
        "S-1-1-0",
        Authority::None,
        &[
            "everyone",
            "jeder",
            "tout le monde",
            "todos",
            "tutti",
            "все",
        ],
    ),
    (
        "S-1-3-0",
        Authority::None,
        &[
            "creator owner",
            "ersteller-besitzer",
            "createur proprietaire",
            "créateur propriétaire",
            "propietario creador",
            "creatore proprietario",
            "proprietário criador",
            "criador proprietário",
            "создатель-владелец",
        ],
    ),
    (
        "S-1-3-4",
        Authority::None,
        &["owner rights", "eigentümerrechte", "droits du propriétaire"],
    ),
    (
        "S-1-5-2",
        Authority::Nt,
        &[
            "network", "netzwerk", "réseau", "reseau", "red", "rete", "rede", "сеть",
        ],
    ),
    (
        "S-1-5-4",
        Authority::Nt,
        &[
            "interactive",
            "interaktiv",
            "interactif",
            "interactivo",
            "interattivo",
            "interativo",
            "интерактивные",
        ],
    ),
    (
        "S-1-5-6",
        Authority::Nt,
        &[
            "service",
            "dienst",
            "servicio",
            "servizio",
            "serviço",
            "служба",
        ],
    ),
    (
        "S-1-5-11",
        Authority::Nt,
        &[
            "authenticated users",
            "authentifizierte benutzer",
            "utilisateurs authentifiés",
            "usuarios autentificados",
            "usuarios autenticados",
            "utenti autenticati",
            "usuários autenticados",
            "utilizadores autenticados",
            "прошедшие проверку",
        ],
    ),
    (
        "S-1-5-18",
        Authority::Nt,
        &["system", "système", "systeme", "sistema", "система"],
    ),
    (
        "S-1-5-19",
        Authority::Nt,
        &[
            "local service",
            "lokaler dienst",
            "service local",
            "servicio local",
            "servizio locale",
            "serviço local",
        ],
    ),
    (
        "S-1-5-20",
        Authority::Nt,
        &[
            "network service",
            "netzwerkdienst",
            "service réseau",
            "service reseau",
            "servicio de red",
            "servizio di rete",
            "serviço de rede",
        ],
    ),
    (
        "S-1-5-32-544",
        Authority::Builtin,
        &[
            "administrators",
            "administratoren",
            "administrateurs",
            "administradores",
            "администраторы",
        ],
    ),
    (
        "S-1-5-32-545",
        Authority::Builtin,
        &[
            "users",
            "benutzer",
            "utilisateurs",
            "usuarios",
            "utenti",
            "usuários",
            "utilizadores",
            "пользователи",
        ],
    ),
    (
        "S-1-5-32-555",
        Authority::Builtin,
        &[
            "remote desktop users",
            "remotedesktopbenutzer",
            "utilisateurs du bureau à distance",
            "usuarios de escritorio remoto",
            "utenti desktop remoto",
            "usuários da área de trabalho remota",
            "пользователи удаленного рабочего стола",
        ],
    ),
];

/// What a name in a listing turned out to be.
pub(super) struct Resolved {
    pub trustee: Trustee,
    /// Whether it stands with NT AUTHORITY before it, in its language: then other names with something else before them
    /// are none of that authority's.
    pub shows_language: bool,
}

/// Finds out who a name stands for.
pub(super) fn resolve(name: &str, encoding: TextEncoding) -> Resolved {
    let name = name.trim();
    if let Ok(sid) = name.trim_start_matches('*').parse::<Sid>() {
        return Resolved {
            trustee: Trustee::Sid(sid),
            shows_language: false,
        };
    }
    if let Some(service) = strip_prefix_ignoring_case(name, "NT SERVICE\\") {
        return Resolved {
            trustee: service_sid(service),
            shows_language: false,
        };
    }
    for reading in readings(name, encoding) {
        if let Some((sid, authority)) = well_known(&reading) {
            return Resolved {
                trustee: Trustee::Sid(sid),
                shows_language: authority == Authority::Nt,
            };
        }
    }
    Resolved {
        trustee: Trustee::Unknown(name.to_owned()),
        shows_language: false,
    }
}

/// In a listing whose language is known, a name with a domain or a computer before it is an account there.
pub(super) fn settle(trustee: &mut Trustee) {
    let Trustee::Unknown(name) = trustee else {
        return;
    };
    let domain = name
        .split_once('\\')
        .map(|(domain, _)| domain.to_lowercase());
    let of_windows = |domain: &str| {
        NT.contains(&domain)
            || BUILTIN.contains(&domain)
            || domain.contains("authority")
            || matches!(
                domain,
                "nt service"
                    | "nt virtual machine"
                    | "window manager"
                    | "font driver host"
                    | "iis apppool"
            )
    };
    if domain.is_some_and(|domain| !of_windows(&domain)) {
        *trustee = Trustee::Account(std::mem::take(name));
    }
}

fn service_sid(service: &str) -> Trustee {
    if service.eq_ignore_ascii_case("ALL SERVICES") {
        return "S-1-5-80-0"
            .parse()
            .map_or(Trustee::Unknown(service.to_owned()), Trustee::Sid);
    }
    Trustee::Sid(Sid::of_service(service))
}

fn well_known(name: &str) -> Option<(Sid, Authority)> {
    let name = name.to_lowercase();
    let (authority, account) = match name.split_once('\\') {
        None => (Authority::None, name.as_str()),
        Some((domain, account)) if NT.contains(&domain) => (Authority::Nt, account),
        Some((domain, account)) if BUILTIN.contains(&domain) => (Authority::Builtin, account),
        Some(_) => return None,
    };
    let (sid, ..) = WELL_KNOWN
        .iter()
        .find(|(_, of, names)| *of == authority && names.contains(&account))?;
    Some((sid.parse().ok()?, authority))
}

/// The text itself; where its code page is not known, the text in each that Windows' consoles use in these languages.
fn readings(name: &str, encoding: TextEncoding) -> Vec<String> {
    if encoding != TextEncoding::CodePage || name.is_ascii() {
        return vec![name.to_owned()];
    }
    let bytes: Vec<u8> = name
        .chars()
        .filter_map(|character| u8::try_from(u32::from(character)).ok())
        .collect();
    let mut readings: Vec<String> = [WINDOWS_1252, WINDOWS_1251, IBM866]
        .into_iter()
        .map(|page| page.decode_without_bom_handling(&bytes).0.into_owned())
        .collect();
    readings.push(bytes.iter().map(|byte| ibm850(*byte)).collect());
    readings
}

/// The letters of code page 850 (consoles of western Europe and South America) that the names above have.
fn ibm850(byte: u8) -> char {
    match byte {
        0x80 => 'Ç',
        0x81 => 'ü',
        0x82 => 'é',
        0x84 => 'ä',
        0x85 => 'à',
        0x87 => 'ç',
        0x88 => 'ê',
        0x8a => 'è',
        0x8e => 'Ä',
        0x90 => 'É',
        0x94 => 'ö',
        0x9a => 'Ü',
        0xa0 => 'á',
        0xa1 => 'í',
        0xa2 => 'ó',
        0xa3 => 'ú',
        0xb5 => 'Á',
        0xb7 => 'À',
        0xd4 => 'È',
        0xe9 => 'Ú',
        ascii if ascii.is_ascii() => char::from(ascii),
        _ => char::REPLACEMENT_CHARACTER,
    }
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| text.get(prefix.len()..))?
}
