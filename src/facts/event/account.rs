//! Accounts as events name them: a name, and the domain or machine that keeps it.

use crate::parse::event_log::EventRecord;

/// An account that an event names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Account {
    /// Its name, in lower case: Windows does not tell cases apart.
    user: String,
    /// Its domain or machine, in lower case, where the event says it.
    domain: Option<String>,
}

impl Account {
    /// The account of a name, which may hold its domain as well (`CONTOSO\\anna`, `anna@contoso.example`).
    #[must_use]
    pub fn named(user: &str, domain: Option<&str>) -> Option<Account> {
        let (user, own) = match (user.split_once('\\'), user.rsplit_once('@')) {
            (Some((domain, user)), _) => (user, Some(domain)),
            (None, Some((user, domain))) => (user, Some(domain)),
            (None, None) => (user, None),
        };
        let user = user.trim().to_lowercase();
        let domain = own.or(domain).map(|domain| domain.trim().to_lowercase());
        (!user.is_empty() && user != "-").then(|| Account {
            user,
            domain: domain.filter(|domain| !matches!(domain.as_str(), "" | "-" | ".")),
        })
    }

    /// The account that a record of a logon or a session is about.
    pub(super) fn read(record: &EventRecord) -> Option<Account> {
        let field = |name: &str| record.data.field(name);
        match record.event_id {
            4624 | 4625 => Account::named(field("TargetUserName")?, field("TargetDomainName")),
            // There the domain's field holds the computer that the wrong passwords came from.
            4740 => Account::named(field("TargetUserName")?, None),
            4825 => Account::named(field("AccountName")?, field("AccountDomain")),
            1149 => Account::named(field("Param1")?, field("Param2")),
            21 | 22 | 25 => Account::named(field("User")?, None),
            _ => None,
        }
    }

    /// Whether both may be the same. A domain is compared by its first label, for it is written short and long; one that is not
    /// said is any.
    #[must_use]
    pub fn may_be(&self, other: &Account) -> bool {
        let label = |domain: &String| domain.split('.').next().unwrap_or_default().to_owned();
        let domains = (
            self.domain.as_ref().map(label),
            other.domain.as_ref().map(label),
        );
        self.user == other.user
            && match domains {
                (Some(one), Some(other)) => one == other,
                _ => true,
            }
    }
}

/// The parts as people write them, where they hold nothing but letters, digits and what names are joined with. Whoever guesses
/// may write anything for a name, and names stand in commands that people copy: quotes and the like never get there.
impl Account {
    /// `domain\\user`, or the name alone; none where it holds what a shell would read.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        let harmless = |text: &str| {
            text.chars()
                .all(|letter| letter.is_alphanumeric() || " ._-".contains(letter))
        };
        let user = self.user.strip_suffix('$').unwrap_or(&self.user);
        let domain = self.domain.as_deref().unwrap_or_default();
        (harmless(user) && harmless(domain)).then(|| match &self.domain {
            Some(domain) => format!("{domain}\\{}", self.user),
            None => self.user.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Account;

    #[test]
    fn one_account_is_written_in_many_ways() {
        let anna = Account::named("Anna", Some("CONTOSO"));
        for (user, domain) in [
            ("CONTOSO\\anna", None),
            ("anna@contoso.example", None),
            ("ANNA", Some("contoso.example")),
            ("anna", Some("-")),
            ("anna", Some(".")),
        ] {
            let other = Account::named(user, domain);
            let (Some(anna), Some(other)) = (&anna, &other) else {
                panic!("{user}: no account")
            };
            assert!(anna.may_be(other), "{user} {domain:?}");
        }
        let (Some(anna), Some(local)) = (anna, Account::named("anna", Some("RD3"))) else {
            panic!("no account")
        };
        assert!(!anna.may_be(&local));
        assert_eq!(Account::named("-", Some("-")), None);
        assert_eq!(Account::named("", None), None);
    }

    #[test]
    fn what_a_shell_would_read_is_no_name_to_show() {
        let shown = |user: &str| Account::named(user, Some("CONTOSO"))?.shown();
        assert_eq!(
            shown("Jörg_Müller-1").as_deref(),
            Some("contoso\\jörg_müller-1")
        );
        assert_eq!(shown("LAPTOP-4$").as_deref(), Some("contoso\\laptop-4$"));
        for name in [
            "x'; calc; '",
            "\u{2019}) | calc",
            "a\"b",
            "$(calc)",
            "a`nb",
            "a\nb",
        ] {
            assert_eq!(shown(name), None, "{name:?}");
        }
    }
}
