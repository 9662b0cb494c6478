//! Whatever is wrong with a rule file is told with its line.

use crate::rules::{Cases, RuleSet};

const HEAD: &str =
    "id = \"a\"\nfamily = \"tls\"\nstanding = \"cause\"\ntitle = \"t\"\nsummary = \"s\"\n";
const DECISIVE: &str = "[[decisive]]\nname = \"d\"\nfact = \"service.failure\"\n";

/// What is said of a rule made of these lines, with the line it points at.
fn said(text: &str) -> Vec<(usize, String)> {
    match RuleSet::from_texts([("a.toml", text)], Cases::Optional) {
        Ok(_) => Vec::new(),
        Err(errors) => errors
            .0
            .into_iter()
            .map(|error| {
                let help = error
                    .help
                    .map(|help| format!("; {help}"))
                    .unwrap_or_default();
                (
                    error.place.map_or(0, |place| place.line),
                    error.message + &help,
                )
            })
            .collect(),
    }
}

/// A whole rule with one more line at the end of its decisive test says this, of the ninth line.
fn wrong(line: &str, expected: &str) {
    let text = format!("{HEAD}{DECISIVE}{line}\n");
    assert_eq!(said(&text), [(9, expected.to_owned())]);
}

#[test]
fn a_rule_with_a_decisive_loads() {
    assert_eq!(said(&format!("{HEAD}{DECISIVE}")), []);
}

#[test]
fn a_test_asks_only_for_what_the_catalogue_has() {
    wrong(
        "where = { servise = \"x\" }",
        "unknown field of `service.failure` `servise`; did you mean `service`?",
    );
    wrong(
        "where = { event = \"7000\" }",
        "`event`: this takes a whole number, not string",
    );
    wrong(
        "where = { event = { like = 7000 } }",
        "`event`: unknown operator `like`; there are: any_of, not, min, max, contains, matches, before, after",
    );
    wrong(
        "where = { code = \"five\" }",
        "`code`: this takes a code such as \"0x8009030D\"",
    );
    let text = format!("{HEAD}[[decisive]]\nname = \"d\"\nfact = \"service.failing\"\n");
    assert_eq!(
        said(&text)[0].1,
        "unknown fact kind `service.failing`; did you mean `service.failure`?"
    );
    let text = format!(
        "{HEAD}[[decisive]]\nname = \"d\"\nfact = \"service.start\"\nwhere = {{ start = \"disable\" }}\n"
    );
    assert_eq!(
        said(&text),
        [(
            9,
            "`start`: unknown word `disable`; did you mean `disabled`?".to_owned()
        )]
    );
}

#[test]
fn unknown_keys_are_errors_everywhere() {
    for text in [
        format!("{HEAD}sumary = \"s\"\n{DECISIVE}"),
        format!("{HEAD}{DECISIVE}wher = {{}}\n"),
        format!("{HEAD}{DECISIVE}within = {{ of = \"incident\", minuts = 1 }}\n"),
        format!("{HEAD}{DECISIVE}[[fix]]\nstep = \"s\"\nriks = \"low\"\n"),
        format!("{HEAD}{DECISIVE}[[case]]\nname = \"c\"\nexpect = \"confirmed\"\ngave = []\n"),
    ] {
        let found = said(&text);
        assert!(
            found[0].1.starts_with("unknown field") && found[0].0 > 0,
            "{text}\n{found:?}"
        );
    }
}

#[test]
fn times_that_cannot_be_are_errors() {
    wrong(
        "after = \"yesterday\"",
        "unknown anchor `yesterday`; there are: last_success, first_failure, incident, last_boot, service_start, as_of, fault",
    );
    wrong(
        "after = \"fault\"",
        "`fault` is the time of the requires and decisives, so these cannot ask for it",
    );
    wrong("window = \"some\"", "the only window is \"all\"");
    wrong(
        "within = { of = \"incident\", minutes = 0 }",
        "`minutes` is at least 1 and at most a year",
    );
    let both = format!("{HEAD}{DECISIVE}window = \"all\"\nafter = \"incident\"\n");
    assert_eq!(
        said(&both)[0].1,
        "a test takes one of `window`, `within`, or `before` and `after`"
    );
    let state =
        format!("{HEAD}[[decisive]]\nname = \"d\"\nfact = \"service.start\"\nwindow = \"all\"\n");
    assert_eq!(
        said(&state)[0].1,
        "`service.start` is a state: it is asked as it stands"
    );
}

#[test]
fn counts_that_cannot_be_are_errors() {
    wrong("count = { min = 3, max = 2 }", "`max` is below `min`");
    wrong("count = { min = 0 }", "no fact or more: this is always so");
}

#[test]
fn a_rule_without_a_decisive_is_an_error() {
    assert!(
        said(HEAD)[0]
            .1
            .starts_with("no test of this rule is decisive")
    );
}

#[test]
fn names_stand_once() {
    let twice = format!("{HEAD}{DECISIVE}[[support]]\nname = \"d\"\nfact = \"host.boot\"\n");
    assert_eq!(
        said(&twice),
        [(10, "there is another test of this name".to_owned())]
    );
}

#[test]
fn placeholders_must_be_filled_by_a_test() {
    let rule = |summary: &str| {
        HEAD.replace("summary = \"s\"", &format!("summary = \"{summary}\"")) + DECISIVE
    };
    assert_eq!(said(&rule("{service.failure.service}")), []);
    assert_eq!(
        said(&rule("{service.failure.servce}"))[0].1,
        "`service.failure` has no field `servce`; did you mean `service`?"
    );
    assert_eq!(
        said(&rule("{log.cleared.channel}")),
        [(
            5,
            "no test of this rule selects `log.cleared`, so nothing fills this".to_owned()
        )]
    );
    // What every machine has.
    assert_eq!(said(&rule("{host.identity.name}")), []);
    let strikes = format!("{HEAD}strikes = \"service.failure.event\"\n{DECISIVE}");
    assert_eq!(
        said(&strikes),
        [(6, "`service.failure.event` holds no time".to_owned())]
    );
}

#[test]
fn a_fix_hangs_on_a_test_of_its_rule() {
    let text = format!("{HEAD}{DECISIVE}[[fix]]\nstep = \"s\"\nwhen = \"e\"\n");
    assert!(
        said(&text)[0]
            .1
            .starts_with("unknown test of this rule `e`")
    );
}

#[test]
fn cases_are_checked_like_tests() {
    let case = |given: &str| {
        said(&format!(
            "{HEAD}{DECISIVE}[[case]]\nname = \"c\"\nexpect = \"confirmed\"\n{given}\n"
        ))
    };
    assert_eq!(
        case(
            "given = [{ fact = \"service.failure\", at = \"first_failure - 2 days\", event = 7000, code = \"?\" }]"
        ),
        []
    );
    for wrong in [
        "given = [{ fact = \"service.failure\", event = \"x\" }]",
        "given = [{ fact = \"service.failure\", evnt = 1 }]",
        "given = [{ fact = \"service.failure\", at = \"first_failure + 5 years\" }]",
        "given = [{ event = 1 }]",
        "missing = [\"service\"]",
        "gap = \"System log\"",
        "anchors = { state = \"broken\" }",
        "anchors = { last_failure = \"2026-03-02T08:00:00Z\" }",
        "role = \"root-cause\"",
    ] {
        assert_eq!(case(wrong).len(), 1, "{wrong}");
    }
}

#[test]
fn every_rule_carries_its_cases_where_they_are_asked_for() {
    let case = |expect: &str, gap: &str| {
        format!("[[case]]\nname = \"{expect}\"\nexpect = \"{expect}\"\n{gap}\n")
    };
    let text = format!(
        "{HEAD}{DECISIVE}{}{}",
        case("confirmed", ""),
        case("undetermined", "")
    );
    let errors = RuleSet::from_texts([("a.toml", text.as_str())], Cases::Required).unwrap_err();
    let messages: Vec<&str> = errors
        .0
        .iter()
        .map(|error| error.message.as_str())
        .collect();
    assert_eq!(
        messages,
        [
            "no case of this rule expects `ruled-out`",
            "the case \"undetermined\" does not name its gap"
        ]
    );
}

fn rule(id: &str, explains: &[&str]) -> String {
    HEAD.replace("\"a\"", &format!("\"{id}\"")) + &format!("explains = {explains:?}\n") + DECISIVE
}

#[test]
fn explanations_lead_to_rules_and_in_no_circle() {
    let set = |files: &[(&str, String)]| {
        RuleSet::from_texts(
            files.iter().map(|(name, text)| (*name, text.as_str())),
            Cases::Optional,
        )
        .map(|_| ())
        .map_err(|errors| errors.to_string())
    };
    assert_eq!(
        set(&[("a", rule("a", &["b"])), ("b", rule("b", &[]))]),
        Ok(())
    );
    let dangling = set(&[("a", rule("a", &["rule-c"])), ("b", rule("rule-b", &[]))]).unwrap_err();
    assert!(
        dangling.contains("no rule has the id `rule-c`") && dangling.contains("`rule-b`"),
        "{dangling}"
    );
    let circle = set(&[
        ("a", rule("a", &["b"])),
        ("b", rule("b", &["c"])),
        ("c", rule("c", &["a"])),
    ]);
    let circle = circle.unwrap_err();
    assert!(circle.contains("in a circle: a → b → c → a"), "{circle}");
    assert_eq!(circle.matches("error:").count(), 1);
    assert!(set(&[("a", rule("a", &["a"]))]).is_err());
    let twice = set(&[("a", rule("a", &[])), ("b", rule("a", &[]))]).unwrap_err();
    assert!(twice.contains("already the id of the rule in a"), "{twice}");
}

#[test]
fn a_users_rule_adds_or_replaces_and_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mine.toml"), rule("a", &["b"])).unwrap();
    std::fs::write(folder.path().join("more.toml"), rule("c", &[])).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "no rule").unwrap();
    let (a, b) = (rule("a", &[]), rule("b", &[]));
    let base =
        RuleSet::from_texts([("a", a.as_str()), ("b", b.as_str())], Cases::Optional).unwrap();
    let both = base.with_dir(folder.path(), Cases::Optional).unwrap();
    assert_eq!(
        both.rules()
            .map(|rule| rule.id.as_str())
            .collect::<Vec<_>>(),
        ["a", "b", "c"]
    );
    assert_eq!(both.rule("a").unwrap().explains, ["b"]);
    assert_eq!(both.replaced().len(), 1);
    assert_eq!(
        (
            both.replaced()[0].id.as_str(),
            both.replaced()[0].file.as_str()
        ),
        ("a", "mine.toml")
    );
}

#[test]
fn a_folder_without_rules_is_an_error_that_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let empty = || RuleSet::from_texts([], Cases::Optional).unwrap();
    let error = empty()
        .with_dir(folder.path(), Cases::Optional)
        .unwrap_err()
        .to_string();
    assert!(error.contains("no rules in this folder"), "{error}");
    let error = empty()
        .with_dir(&folder.path().join("no"), Cases::Optional)
        .unwrap_err()
        .to_string();
    assert!(error.contains("cannot be read"), "{error}");
}
