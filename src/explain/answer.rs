//! The answer to one question.

use std::collections::BTreeSet;

use super::question::Question;
use super::tables::{self, CLIENT, FAMILIES, PROVIDERS, TLS};
use super::{Answer, Cause, Subject, ToCollect};
use crate::facts::subject::Subject as Collected;
use crate::rules::RuleSet;
use crate::rules::model::{Rule, TestRole};
use crate::rules::needs::needs;
use crate::verdict::client_error::ClientCode;

/// What is known of it.
pub(super) fn answer(question: &Question, rules: &RuleSet) -> Answer {
    let (told, behind) = match question {
        Question::Rule(id) => rule(id, rules),
        Question::Event { provider, id } => event(*provider, *id),
        Question::UnknownEvent { provider, id } => (unknown_event(*provider, *id), Vec::new()),
        Question::Client(code) => client(code),
        Question::Status(code) => status(*code),
        Question::Alert(code) => alert(*code),
        Question::State(code) => state(*code),
        Question::Unknown(number) => (unknown(*number), Vec::new()),
    };
    let causes: Vec<&Rule> = behind.iter().filter_map(|id| rules.rule(id)).collect();
    Answer {
        behind: causes.iter().map(|rule| cause(rule)).collect(),
        collect: collect(&causes),
        ..told
    }
}

/// The ids of what usually lies behind it.
type Behind = Vec<String>;

fn told(subject: Subject, name: String, meaning: String) -> Answer {
    Answer {
        subject,
        name,
        known: true,
        official: true,
        meaning,
        remark: None,
        behind: Vec::new(),
        collect: Vec::new(),
        source: None,
    }
}

fn cause(rule: &Rule) -> Cause {
    Cause {
        rule: rule.id.clone(),
        title: rule.title.to_string(),
        proof: rule
            .tests_of(TestRole::Decisive)
            .map(|(_, test)| test.name.clone())
            .collect(),
    }
}

/// What these rules need, each way of collecting it once.
fn collect(rules: &[&Rule]) -> Vec<ToCollect> {
    let subjects: BTreeSet<Collected> = rules.iter().flat_map(|rule| needs(rule)).collect();
    let mut found: Vec<ToCollect> = Vec::new();
    for subject in subjects {
        // The same command with a remark behind it is no other thing to do.
        let is_told = |known: &ToCollect| subject.obtain().starts_with(&known.how);
        if !found.iter().any(is_told) {
            found.push(ToCollect {
                what: subject.name().to_owned(),
                how: subject.obtain().to_owned(),
            });
        }
    }
    found
}

/// A rule, and before what else may explain it, itself: its own proof is asked first.
fn rule(id: &str, rules: &RuleSet) -> (Answer, Behind) {
    let mut behind = vec![id.to_owned()];
    let explaining = rules
        .rules()
        .filter(|rule| rule.explains.iter().any(|explained| explained == id));
    behind.extend(explaining.map(|rule| rule.id.clone()));
    let meaning = rules.rule(id).map_or_else(String::new, |rule| {
        format!("{}. {}", rule.title.spoken(), rule.summary.spoken().trim())
    });
    let mut answer = told(Subject::Rule, id.to_owned(), meaning);
    if let Some(rule) = rules.rule(id) {
        answer.remark = Some(format!(
            "A {} of the family {}; `rdptriage rules show {id}` has its tests and its repair.",
            rule.standing, rule.family
        ));
    }
    (answer, behind)
}

fn event(provider: usize, id: u32) -> (Answer, Behind) {
    let found = PROVIDERS.get(provider).and_then(|provider| {
        let event = provider.events.iter().find(|event| event.id == id)?;
        Some((provider, event))
    });
    let Some((provider, event)) = found else {
        return (unknown(id), Vec::new());
    };
    let mut answer = told(
        Subject::Event,
        format!("{} {id}", provider.name),
        format!("{} Log: {}.", event.says, provider.log),
    );
    let remarks = [&event.remark, &provider.remark];
    let remarks: Vec<&str> = remarks.into_iter().flatten().map(String::as_str).collect();
    answer.remark = Some(remarks.join(" ")).filter(|remark| !remark.is_empty());
    answer.source = Some(provider.source.clone());
    (answer, event.behind.clone())
}

fn unknown_event(provider: usize, id: u32) -> Answer {
    const MOST: usize = 5;
    let Some(provider) = PROVIDERS.get(provider) else {
        return unknown(id);
    };
    let mut near: Vec<u32> = provider.events.iter().map(|event| event.id).collect();
    near.sort_by_key(|known| (known.abs_diff(id), *known));
    near.truncate(MOST);
    near.sort_unstable();
    let near: Vec<String> = near.iter().map(u32::to_string).collect();
    Answer {
        known: false,
        source: Some(provider.source.clone()),
        ..told(
            Subject::Event,
            format!("{} {id}", provider.name),
            format!(
                "Nothing is known here of this event. Of {} these are, the nearest: {}.",
                provider.name,
                near.join(", ")
            ),
        )
    }
}

fn client(code: &ClientCode) -> (Answer, Behind) {
    let explained = code.explain();
    let of = |table: &'static [tables::ClientCode], code: Option<u32>| {
        let found = table.iter().find(|known| Some(known.code) == code);
        found.map(|known| known.behind.clone()).unwrap_or_default()
    };
    // The extended reason is the narrower one, but 7 says next to nothing.
    let mut behind = of(&CLIENT.negotiation, code.negotiation());
    behind.extend(of(&CLIENT.extended, code.extended()));
    behind.extend(of(&CLIENT.primary, code.primary()));
    let mut seen = BTreeSet::new();
    behind.retain(|id| seen.insert(id.clone()));
    let mut answer = told(Subject::ClientCode, name_of(code), explained.meaning);
    answer.known = code.is_documented() || !behind.is_empty();
    answer.source = Some(CLIENT.source.clone());
    let family = code.primary().and_then(|code| {
        CLIENT
            .families
            .iter()
            .find(|family| code > 0xFF && family.low == code & 0xFF)
    });
    if let Some(family) = family {
        answer.remark = Some(format!(
            "Reasons that end in {:02X} tell of {}.",
            family.low, family.says
        ));
    } else if !answer.known {
        answer.remark = Some("Nor does it belong to a family of disconnect reasons.".to_owned());
    }
    (answer, behind)
}

fn name_of(code: &ClientCode) -> String {
    match (code.primary(), code.extended(), code.negotiation()) {
        (Some(primary), Some(extended), _) => {
            format!("client error 0x{primary:X}, extended 0x{extended:X}")
        }
        (Some(primary), None, _) => format!("client error 0x{primary:X}"),
        (None, Some(extended), _) => format!("client error, extended 0x{extended:X}"),
        (None, None, Some(refusal)) => format!("refusal {refusal} of the negotiation before TLS"),
        (None, None, None) => "client error".to_owned(),
    }
}

fn status(code: u32) -> (Answer, Behind) {
    let (plain, remark) = ntstatus(code);
    if let Some((family, status)) = tables::status(plain) {
        let mut answer = told(
            Subject::Status,
            format!("{} (0x{plain:08X})", status.name),
            status.says.clone(),
        );
        answer.remark = remark;
        answer.source = Some(family.source.clone());
        return (answer, status.behind.clone());
    }
    // Families that overlap: the narrower one tells more.
    let families = FAMILIES
        .iter()
        .filter(|family| (family.first..=family.last).contains(&plain));
    let family = families.min_by_key(|family| family.last - family.first);
    // All of 0x8009xxxx is the security interface's (FACILITY_SECURITY, winerror.h).
    let family = family.or_else(|| {
        let security = plain >> 16 == 0x8009;
        FAMILIES.iter().find(|_| security)
    });
    let meaning = match family {
        Some(family) => {
            let nearest = family
                .codes
                .iter()
                .min_by_key(|known| known.code.abs_diff(plain));
            let nearest = nearest.map_or_else(String::new, |known| {
                format!(
                    " The nearest that is known: {} (0x{:08X}).",
                    known.name, known.code
                )
            });
            format!(
                "Nothing is known here of this code. It belongs to the family {}.{nearest}",
                family.name
            )
        }
        None => {
            "Nothing is known here of this code, and it belongs to no family that is.".to_owned()
        }
    };
    let mut answer = told(Subject::Status, format!("0x{plain:08X}"), meaning);
    answer.known = false;
    answer.remark = remark;
    answer.source = family.map(|family| family.source.clone());
    (answer, Vec::new())
}

/// TermDD and LocalSessionManager set the bit that makes an HRESULT of an NTSTATUS (FACILITY_NT_BIT, winerror.h).
fn ntstatus(code: u32) -> (u32, Option<String>) {
    const FACILITY_NT_BIT: u32 = 0x1000_0000;
    match code >> 28 {
        0xD => {
            let plain = code & !FACILITY_NT_BIT;
            let remark = format!("0x{code:08X} is the NTSTATUS 0x{plain:08X} as an HRESULT.");
            (plain, Some(remark))
        }
        _ => (code, None),
    }
}

fn alert(code: u32) -> (Answer, Behind) {
    let alerts = &TLS.alerts.codes;
    let Some(alert) = alerts.iter().find(|alert| alert.code == code) else {
        let nearest = alerts.iter().min_by_key(|alert| alert.code.abs_diff(code));
        let nearest = nearest.map_or_else(String::new, |alert| {
            format!(" The nearest: {}, {}.", alert.code, alert.name)
        });
        let mut answer = told(
            Subject::TlsAlert,
            format!("TLS alert {code}"),
            format!("Nothing is known here of an alert of this number.{nearest}"),
        );
        answer.known = false;
        answer.source = Some(TLS.alerts.source.clone());
        return (answer, Vec::new());
    };
    let mut answer = told(
        Subject::TlsAlert,
        format!("TLS alert {code}, {}", alert.name),
        alert.says.clone(),
    );
    let status = alert.status.and_then(tables::status);
    answer.remark = status.map(|(_, status)| {
        format!(
            "Schannel gives the status {} (0x{:08X}) for it.",
            status.name, status.code
        )
    });
    answer.source = Some(TLS.alerts.source.clone());
    (answer, alert.behind.clone())
}

fn state(code: u32) -> (Answer, Behind) {
    let state = TLS.states.codes.iter().find(|state| state.code == code);
    let meaning = state.map_or_else(
        || "Nothing is known here of this state, and there is no official list of them.".to_owned(),
        |state| state.says.clone(),
    );
    let mut answer = told(
        Subject::SchannelState,
        format!("Schannel error state {code}"),
        meaning,
    );
    answer.known = state.is_some();
    answer.official = false;
    answer.source = Some(TLS.states.source.clone());
    let behind = state.map(|state| state.behind.clone()).unwrap_or_default();
    (answer, behind)
}

/// A number that may be anything.
fn unknown(number: u32) -> Answer {
    let events = PROVIDERS.iter().flat_map(|provider| {
        let events = provider.events.iter();
        events.map(move |event| (event.id.abs_diff(number), event.id, provider.name.as_str()))
    });
    let nearest = events.min().map_or_else(String::new, |(_, id, provider)| {
        format!(" The nearest event: {provider} {id}.")
    });
    Answer {
        known: false,
        ..told(
            Subject::Number,
            number.to_string(),
            format!(
                "Here it is no event, no client's code, no alert, no state and no error of Windows.{nearest} A code in hexadecimal \
                 needs its 0x."
            ),
        )
    }
}
