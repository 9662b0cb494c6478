//! What service control tells of services: failures, starts and stops, changes of how they start. Names and words stand
//! there in the system's language; the key's name stands in the record's bytes on most builds.

use std::collections::BTreeMap;

use super::catalog::service::{ServiceChanged, ServiceFailure, ServiceRan};
use super::event::{Event, ServiceName};
use super::fact::FactSet;
use super::history::History;
use super::known::Known;
use super::subject::Subject;

/// Display names, from the hive: name shown → key name. Names that the hive only refers to a library for are not in it.
pub type DisplayNames = BTreeMap<String, String>;

/// The display names of services that matter here, as Windows shows them in several languages.
const SHOWN: &[(&str, &[&str])] = &[
    (
        "TermService",
        &[
            "Remote Desktop Services",
            "Terminal Services",
            "Remotedesktopdienste",
            "Services Bureau à distance",
            "Servicios de Escritorio remoto",
            "Службы удаленных рабочих столов",
            "Serviços de Área de Trabalho Remota",
            "Servizi Desktop remoto",
            "リモート デスクトップ サービス",
            "Remote Desktop Services (TermService)",
        ],
    ),
    (
        "SessionEnv",
        &[
            "Remote Desktop Configuration",
            "Terminal Services Configuration",
            "Remotedesktopkonfiguration",
            "Configuration des services Bureau à distance",
            "Configuración de Escritorio remoto",
            "Настройка сервера удаленных рабочих столов",
            "Configuração da Área de Trabalho Remota",
            "Configurazione Desktop remoto",
        ],
    ),
    (
        "LanmanWorkstation",
        &[
            "Workstation",
            "Arbeitsstationsdienst",
            "Station de travail",
            "Рабочая станция",
        ],
    ),
    (
        "KeyIso",
        &[
            "CNG Key Isolation",
            "CNG-Schlüsselisolation",
            "Isolation de clé CNG",
        ],
    ),
    (
        "CryptSvc",
        &[
            "Cryptographic Services",
            "Kryptografiedienste",
            "Services de chiffrement",
            "Службы криптографии",
        ],
    ),
];

/// Words for "disabled" among the start types of 7040.
const DISABLED: &[&str] = &[
    "disabled",
    "deaktiviert",
    "désactivé",
    "deshabilitado",
    "desactivado",
    "отключен",
    "отключена",
    "отключено",
    "desabilitado",
    "desativado",
    "disabilitato",
    "disabilitata",
    "disattivato",
    "無効",
    "禁用",
    "已禁用",
    "已停用",
];

/// Words for all other start types of 7040.
const NOT_DISABLED: &[&str] = &[
    "auto start",
    "demand start",
    "boot start",
    "system start",
    "automatisch starten",
    "manuell starten",
    "démarrage automatique",
    "démarrage à la demande",
    "inicio automático",
    "inicio por solicitud",
    "inicio por petición",
    "автоматически",
    "вручную",
    "início automático",
    "início por demanda",
    "avvio automatico",
    "avvio a richiesta",
    "自動的な開始",
    "要求による開始",
    "自动启动",
    "按需启动",
];

const RUNNING: &[&str] = &[
    "running",
    "wird ausgeführt",
    "ausgeführt",
    "en cours d'exécution",
    "en ejecución",
    "работает",
    "実行中",
    "正在运行",
];
const STOPPED: &[&str] = &[
    "stopped",
    "beendet",
    "arrêté",
    "detenido",
    "остановлена",
    "停止",
    "停止済み",
    "已停止",
];

/// Adds the facts about service control's records.
pub fn add_facts(history: &History<'_>, names: &DisplayNames, facts: &mut FactSet) {
    let not_told = facts.gaps.open(
        Subject::SystemLog,
        "a word of service control is in a language not known here",
    );
    let told = |word: &str, yes: &[&str], no: &[&str]| {
        let word = word.trim().to_lowercase();
        match (yes.contains(&word.as_str()), no.contains(&word.as_str())) {
            (true, _) => Known::Is(true),
            (_, true) => Known::Is(false),
            _ => Known::Open(not_told),
        }
    };
    for placed in &history.events {
        let source = || vec![placed.event.source()];
        let at = Some(placed.at);
        match &placed.event.event {
            Event::ServiceFailed {
                event,
                service,
                code,
            } => {
                let body = ServiceFailure {
                    service: key_name(service, names),
                    event: *event,
                    code: *code,
                };
                facts.add(at, body, source());
            }
            Event::ServiceRan {
                service,
                state,
                word,
            } => {
                let body = ServiceRan {
                    service: key_name(service, names),
                    // SERVICE_RUNNING and SERVICE_STOPPED of winsvc.h.
                    running: match state {
                        Some(4) => Known::Is(true),
                        Some(1) => Known::Is(false),
                        _ => told(word, RUNNING, STOPPED),
                    },
                };
                facts.add(at, body, source());
            }
            Event::ServiceChanged { service, words } => {
                let body = ServiceChanged {
                    service: key_name(service, names),
                    disabled: told(words, DISABLED, NOT_DISABLED),
                    by: placed.event.user.as_deref().map(str::to_owned),
                };
                facts.add(at, body, source());
            }
            _ => {}
        }
    }
}

/// The key's name of a service, where it can be told; else what the event says.
#[must_use]
pub fn key_name(service: &ServiceName, names: &DisplayNames) -> String {
    let shown = service.shown.trim();
    let known = || {
        SHOWN
            .iter()
            .find(|(key, shown_as)| {
                key.eq_ignore_ascii_case(shown)
                    || shown_as
                        .iter()
                        .any(|name| name.to_lowercase() == shown.to_lowercase())
            })
            .map(|(key, _)| (*key).to_owned())
    };
    service
        .key
        .clone()
        .or_else(|| names.get(shown).cloned())
        .or_else(known)
        .unwrap_or_else(|| shown.to_owned())
}
