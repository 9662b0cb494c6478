use super::*;
use crate::facts::fact::FactSet;
use crate::facts::incident::ConnectionState;
use crate::facts::value::FieldType;

fn anchors() -> Anchors {
    Anchors {
        state: ConnectionState::Failing,
        last_success: Known::Is(None),
        first_failure: Known::Is("2026-03-02T08:10:00Z".parse().ok()),
        ..FactSet::of_nothing().anchors
    }
}

fn ask(ty: FieldType, matcher: &str, state: &FieldState) -> Known<bool> {
    let table: toml::Table = format!("m = {matcher}").parse().unwrap();
    let anchors = anchors();
    let moments = Moments {
        fault: Known::Is(None),
        anchors: &anchors,
    };
    Matcher::parse(ty, &table["m"])
        .unwrap()
        .ask(state, &moments)
}

fn text(value: &str) -> FieldState {
    FieldState::Is(Value::Text(value.to_owned()))
}

#[test]
fn texts_are_compared_as_windows_does() {
    assert_eq!(
        ask(FieldType::Text, "'termservice'", &text("TermService")),
        Known::Is(true)
    );
    assert_eq!(
        ask(
            FieldType::Text,
            "{ contains = 'TERM' }",
            &text("TermService")
        ),
        Known::Is(true)
    );
    assert_eq!(
        ask(
            FieldType::Text,
            "{ matches = '*\\machinekeys\\*' }",
            &text("C:\\MachineKeys\\f6")
        ),
        Known::Is(true)
    );
    assert_eq!(
        ask(FieldType::Text, "{ matches = 'a*b*c' }", &text("aXbYbZ")),
        Known::Is(false)
    );
}

#[test]
fn codes_are_compared_as_numbers_without_sign() {
    let found = FieldState::Is(Value::Code(0x8009_030D));
    assert_eq!(
        ask(FieldType::Code, "'0x8009030d'", &found),
        Known::Is(true)
    );
    assert_eq!(
        ask(
            FieldType::Code,
            "{ min = '0x80090000', max = '0x8009FFFF' }",
            &found
        ),
        Known::Is(true)
    );
    assert_eq!(
        ask(
            FieldType::Code,
            "{ not = { any_of = ['0x8009030D', 0] } }",
            &found
        ),
        Known::Is(false)
    );
}

#[test]
fn an_open_field_stays_open_under_every_operator_and_nothing_is_not_anything() {
    let gap = anchors().gap;
    for matcher in [
        "'a'",
        "{ not = 'a' }",
        "{ contains = 'a' }",
        "{ any_of = ['a'] }",
    ] {
        assert_eq!(
            ask(FieldType::Text, matcher, &FieldState::Open(gap)),
            Known::Open(gap)
        );
    }
    assert_eq!(
        ask(FieldType::Text, "{ not = 'a' }", &FieldState::Nothing),
        Known::Is(true)
    );
    assert_eq!(
        ask(FieldType::Text, "'a'", &FieldState::Nothing),
        Known::Is(false)
    );
}

#[test]
fn members_of_lists() {
    let list = FieldState::Is(Value::List(vec![Value::Text("TLS 1.2".to_owned())]));
    assert_eq!(
        ask(FieldType::Texts, "{ contains = 'tls 1.2' }", &list),
        Known::Is(true)
    );
    assert_eq!(
        ask(FieldType::Texts, "{ contains = 'TLS' }", &list),
        Known::Is(false)
    );
    assert_eq!(
        ask(FieldType::Texts, "{ matches = 'TLS *' }", &list),
        Known::Is(true)
    );
    assert_eq!(
        ask(
            FieldType::Texts,
            "{ any_of = ['TLS 1.3', 'TLS 1.2'] }",
            &list
        ),
        Known::Is(true)
    );
}

#[test]
fn times_are_measured_from_anchors() {
    let early = FieldState::Is(Value::Time("2026-03-01T00:00:00Z".parse().unwrap()));
    assert_eq!(
        ask(FieldType::Time, "{ before = 'first_failure' }", &early),
        Known::Is(true)
    );
    assert_eq!(
        ask(FieldType::Time, "{ after = 'first_failure' }", &early),
        Known::Is(false)
    );
    assert_eq!(
        ask(FieldType::Time, "{ before = 'incident' }", &early),
        Known::Open(anchors().gap)
    );
    assert_eq!(
        ask(FieldType::Time, "{ after = 'last_success' }", &early),
        Known::Is(true)
    );
}

#[test]
fn what_does_not_fit_the_field_is_refused() {
    let parse = |ty, matcher: &str| {
        let table: toml::Table = format!("m = {matcher}").parse().unwrap();
        Matcher::parse(ty, &table["m"])
    };
    for (ty, matcher) in [
        (FieldType::Bool, "'true'"),
        (FieldType::Number, "{ contains = '1' }"),
        (FieldType::Code, "'8009030D'"),
        (FieldType::Text, "{ min = 1 }"),
        (FieldType::Text, "{ any_of = [] }"),
        (FieldType::Text, "{ like = 'a' }"),
        (FieldType::Text, "{ contains = 'a', matches = 'b' }"),
        (FieldType::Number, "{ min = 3, max = 2 }"),
        (FieldType::Time, "{ before = 'yesterday' }"),
        (FieldType::Choice(&["failing"]), "'failed'"),
    ] {
        assert!(parse(ty, matcher).is_err(), "{matcher}");
    }
}
