//! The firewall's stores: rules and the settings of each profile, as the machine and its policies have them.

use jiff::Timestamp;

use crate::facts::fact::Source;
use crate::facts::gap::{GapId, Gaps};
use crate::facts::known::Known;
use crate::facts::registry::{Place, Registry};
use crate::facts::subject::Subject;
use crate::parse::firewall_rule::{ConnectionSecurityRule, FirewallRule, Profile, RuleError};

const LOCAL: &str = "Services\\SharedAccess\\Parameters\\FirewallPolicy";
const POLICY: &str = "Policies\\Microsoft\\WindowsFirewall";

/// Whose a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    Policy,
    Machine,
}

/// A rule in a store.
#[derive(Debug)]
pub(super) struct Stored<T> {
    /// The name of its value, which is its id.
    pub id: String,
    pub owner: Owner,
    pub rule: T,
}

/// The settings of one profile, as they come together.
#[derive(Debug)]
pub(super) struct ProfileSettings {
    /// Whether the firewall is on.
    pub on: Known<bool>,
    /// Whether what no rule matches is let in.
    pub lets_in: Known<bool>,
    /// Whether no rule may let anything in.
    pub no_exceptions: Known<bool>,
    /// Whether the machine's own firewall rules count.
    pub merges: Known<bool>,
    /// Whether its own connection security rules do.
    pub merges_ipsec: Known<bool>,
}

/// All of it.
#[derive(Debug)]
pub(super) struct Stores {
    pub rules: Vec<Stored<FirewallRule>>,
    pub ipsec: Vec<Stored<ConnectionSecurityRule>>,
    settings: [ProfileSettings; 3],
    /// Why not all firewall rules are known, where they are not.
    pub incomplete: Option<GapId>,
    /// The same of connection security rules.
    pub ipsec_incomplete: Option<GapId>,
    /// Why policies are not known, where they are not.
    pub policy_unknown: Option<GapId>,
    /// Where it stands.
    pub sources: Vec<Source>,
    /// When any of it was last written.
    pub written: Option<Timestamp>,
}

impl Stores {
    pub fn read(registry: &Registry, gaps: &mut Gaps) -> Stores {
        let policy_unknown = registry.key(gaps, Place::Software(POLICY)).value.gap();
        let mut reader = Reader {
            registry,
            gaps,
            sources: Vec::new(),
            written: None,
            incomplete: None,
        };
        let mut rules = reader.store(
            Place::ControlSet(&format!("{LOCAL}\\FirewallRules")),
            Owner::Machine,
            FirewallRule::parse,
        );
        if rules.is_empty() && reader.incomplete.is_none() {
            // Every Windows since Vista holds hundreds; without any this is no hive that says what the firewall does.
            let why = "no rule of the firewall stands in it";
            reader.incomplete = Some(reader.gaps.open(Subject::SystemHive, why));
        }
        // What a mobile device management sets counts like a policy.
        let managed = format!("{LOCAL}\\Mdm\\FirewallRules");
        rules.extend(reader.store(
            Place::ControlSet(&managed),
            Owner::Policy,
            FirewallRule::parse,
        ));
        if policy_unknown.is_none() {
            rules.extend(reader.store(
                Place::Software(&format!("{POLICY}\\FirewallRules")),
                Owner::Policy,
                FirewallRule::parse,
            ));
        }
        let incomplete = reader.incomplete.take();
        let mut ipsec = reader.store(
            Place::ControlSet(&format!("{LOCAL}\\ConSecRules")),
            Owner::Machine,
            ConnectionSecurityRule::parse,
        );
        if policy_unknown.is_none() {
            ipsec.extend(reader.store(
                Place::Software(&format!("{POLICY}\\ConSecRules")),
                Owner::Policy,
                ConnectionSecurityRule::parse,
            ));
        }
        let ipsec_incomplete = reader.incomplete.take();
        for rule in &rules {
            reader.unknown(&rule.id, &rule.rule.limits.unknown);
        }
        for rule in &ipsec {
            reader.unknown(&rule.id, &rule.rule.limits.unknown);
        }
        let settings = Profile::ALL.map(|profile| reader.settings(profile));
        let Reader {
            mut sources,
            written,
            ..
        } = reader;
        sources.sort();
        sources.dedup();
        Stores {
            rules,
            ipsec,
            settings,
            incomplete,
            ipsec_incomplete,
            policy_unknown,
            sources,
            written,
        }
    }

    /// The settings of a profile.
    pub fn settings(&self, profile: Profile) -> &ProfileSettings {
        let [domain, private, public] = &self.settings;
        match profile {
            Profile::Domain => domain,
            Profile::Private => private,
            Profile::Public => public,
        }
    }
}

struct Reader<'r, 'g> {
    registry: &'r Registry,
    gaps: &'g mut Gaps,
    sources: Vec<Source>,
    written: Option<Timestamp>,
    incomplete: Option<GapId>,
}

impl Reader<'_, '_> {
    /// The rules of one store. A text that is no rule leaves open whether it is one to Windows.
    fn store<T>(
        &mut self,
        place: Place<'_>,
        owner: Owner,
        parse: fn(&str) -> Result<T, RuleError>,
    ) -> Vec<Stored<T>> {
        let answer = self.registry.key(self.gaps, place);
        let key = match &answer.value {
            Known::Is(Some(key)) => key,
            Known::Is(None) => return Vec::new(),
            Known::Open(gap) => {
                self.incomplete = self.incomplete.or(Some(*gap));
                return Vec::new();
            }
        };
        self.written = self.written.max(answer.written);
        self.sources.extend(answer.source.clone());
        let listing = key.values();
        if !listing.is_whole() {
            let gap = self.gaps.open(
                Subject::SystemHive,
                "damaged: not every rule of the firewall could be read",
            );
            self.incomplete = self.incomplete.or(Some(gap));
        }
        let mut rules = Vec::new();
        for value in listing.entries {
            let read = value
                .text()
                .map_err(|wrong| wrong.to_string())
                .and_then(|text| parse(&text).map_err(|error| error.to_string()));
            match read {
                Ok(rule) => rules.push(Stored {
                    id: value.name,
                    owner,
                    rule,
                }),
                Err(why) => {
                    let why = format!("the rule {}: {why}", value.name);
                    self.remark(&answer.source, why.clone());
                    let gap = self.gaps.open(Subject::SystemHive, why);
                    self.incomplete = self.incomplete.or(Some(gap));
                }
            }
        }
        rules
    }

    /// Names what a rule holds that the grammar does not know.
    fn unknown(&mut self, id: &str, fields: &[String]) {
        if !fields.is_empty() {
            let source = self.sources.first().cloned();
            self.remark(
                &source,
                format!(
                    "the rule {id} holds {}, which is not known here",
                    fields.join(", ")
                ),
            );
        }
    }

    fn remark(&self, source: &Option<Source>, message: String) {
        if let Some(Source::Value { artifact, key, .. }) = source {
            self.registry.remark(artifact, Some(key.clone()), message);
        }
    }

    fn settings(&mut self, profile: Profile) -> ProfileSettings {
        let (local, policies): (_, &[&str]) = match profile {
            Profile::Domain => ("DomainProfile", &["DomainProfile"]),
            // Older templates of policy write StandardProfile.
            Profile::Private => ("StandardProfile", &["PrivateProfile", "StandardProfile"]),
            Profile::Public => ("PublicProfile", &["PublicProfile"]),
        };
        let mut value = |name: &str| self.setting(local, policies, name);
        let on = value("EnableFirewall");
        let lets_in = value("DefaultInboundAction");
        let no_exceptions = value("DoNotAllowExceptions");
        let merges = self.policy_alone(policies, "AllowLocalPolicyMerge");
        let merges_ipsec = self.policy_alone(policies, "AllowLocalIPsecPolicyMerge");
        ProfileSettings {
            on: on.map(|value| value != Some(0)),
            // 1 blocks, 0 allows ([MS-FASP] 2.2.41); blocking is the default.
            lets_in: lets_in.map(|value| value == Some(0)),
            no_exceptions: no_exceptions.map(|value| value.is_some_and(|value| value != 0)),
            merges: merges.map(|value| value != Some(0)),
            merges_ipsec: merges_ipsec.map(|value| value != Some(0)),
        }
    }

    /// The policy's value, else the machine's. Where policies are not known, the machine's: that doubt is the fact's own.
    fn setting(&mut self, local: &str, policies: &[&str], name: &str) -> Known<Option<u32>> {
        if let Known::Is(Some(value)) = self.policy_alone(policies, name) {
            return Known::Is(Some(value));
        }
        let path = format!("{LOCAL}\\{local}");
        let answer = self
            .registry
            .dword(self.gaps, Place::ControlSet(&path), name);
        if answer.present().is_some() {
            self.written = self.written.max(answer.written);
            self.sources.extend(answer.source);
        }
        answer.value
    }

    fn policy_alone(&mut self, policies: &[&str], name: &str) -> Known<Option<u32>> {
        for profile in policies {
            let path = format!("{POLICY}\\{profile}");
            let answer = self.registry.dword(self.gaps, Place::Software(&path), name);
            if answer.present().is_some() {
                self.written = self.written.max(answer.written);
                self.sources.extend(answer.source);
                return answer.value;
            }
        }
        Known::Is(None)
    }
}
