//! What one side brings to a negotiation: versions, suites, groups and signatures as its settings leave them for a role.

use super::doubt::{Assumption, Doubt, State};
use super::generation::{Basis, Generation, GenerationMatch};
use super::group::Group;
use super::list::{self, ListSource, unless_unread, why_missing};
use super::protocol::{self, VersionStanding};
use super::settings::{SchannelSettings, Setting};
use super::signature::SignatureScheme;
use super::standing::{Fit, Measure, Standing, SuiteStanding, switch};
use super::version::{Role, Version};

/// A named group and whether it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupStanding {
    /// The group.
    pub group: Group,
    /// Whether it is on.
    pub state: State,
    /// Why, for people.
    pub reason: &'static str,
}

/// A signature scheme and whether it is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignatureStanding {
    /// The scheme.
    pub scheme: SignatureScheme,
    /// Whether it is on.
    pub state: State,
}

/// What the settings of one role come to.
pub(super) struct Side {
    pub versions: Vec<VersionStanding>,
    pub list_source: ListSource,
    pub suites: Vec<SuiteStanding>,
    pub groups: Vec<GroupStanding>,
    pub signatures: Vec<SignatureStanding>,
    pub assumptions: Vec<Assumption>,
}

impl Side {
    pub fn evaluate(
        settings: &SchannelSettings,
        generation: Option<GenerationMatch>,
        role: Role,
        fit: Fit<'_>,
    ) -> Side {
        let build = generation.map(|found| found.generation);
        let versions: Vec<VersionStanding> = Version::REMOTE_DESKTOP
            .into_iter()
            .map(|version| protocol::standing(settings, build, version, role))
            .collect();
        let list = list::effective(settings, build);
        let suites = Measure {
            settings,
            versions: &versions,
            fit,
        }
        .judge_all(&list);
        let mut assumptions = list.assumptions;
        match generation.map(|found| found.basis) {
            Some(Basis::NearestBuild) => {
                let nearest = generation.map(|found| found.title()).unwrap_or_default();
                assumptions.push(Assumption::NearestGeneration(nearest));
            }
            Some(Basis::Lists { .. }) => {
                let lists = generation.map(|found| found.title()).unwrap_or_default();
                assumptions.push(Assumption::GenerationByLists(lists));
            }
            Some(Basis::Build) | None => {}
        }
        if let Setting::Unknown(why) = &settings.fips {
            assumptions.push(Assumption::NoFips(why.clone()));
        }
        let groups = groups(settings, build, &suites, &mut assumptions);
        let signatures = signatures(settings, build, &mut assumptions);
        assumptions.sort();
        Side {
            versions,
            list_source: list.source,
            suites,
            groups,
            signatures,
            assumptions,
        }
    }
}

impl Side {
    /// Whether another side offers the same, whatever it takes for granted.
    pub fn offers_the_same(&self, other: &Side) -> bool {
        let states = |side: &Side| -> Vec<(Version, State)> {
            side.versions
                .iter()
                .map(|standing| (standing.version, standing.state.clone()))
                .collect()
        };
        let standings = |side: &Side| -> Vec<(String, Standing, State)> {
            side.suites
                .iter()
                .map(|suite| {
                    (
                        suite.name.clone(),
                        suite.standing.clone(),
                        suite.own.clone(),
                    )
                })
                .collect()
        };
        states(self) == states(other)
            && standings(self) == standings(other)
            && self.list_source == other.list_source
            && self.groups == other.groups
            && self.signatures == other.signatures
    }
}

/// Groups: by the suffixes of the suites before Windows 10, by `EccCurves` since.
fn groups(
    settings: &SchannelSettings,
    generation: Option<&Generation>,
    suites: &[SuiteStanding],
    assumptions: &mut Vec<Assumption>,
) -> Vec<GroupStanding> {
    let listed = || suites.iter().filter(|standing| standing.own.is_possible());
    let suffixed = match generation {
        Some(generation) => generation.has_suffixed_names(),
        None => listed().any(|standing| {
            standing
                .suite
                .as_ref()
                .is_some_and(|suite| suite.curve.is_some())
        }),
    };
    let mut states: Vec<(Group, State)> = Vec::new();
    if suffixed {
        for standing in listed() {
            let Some(curve) = standing
                .suite
                .as_ref()
                .and_then(|suite| suite.curve.clone())
            else {
                continue;
            };
            match states.iter_mut().find(|(group, _)| *group == curve) {
                Some((_, state)) if standing.own == State::On => *state = State::On,
                Some(_) => {}
                None => states.push((curve, standing.own.clone())),
            }
        }
    } else {
        if let Setting::Unknown(why) = &settings.policy_curves {
            assumptions.push(Assumption::NoCurvePolicy(why.clone()));
        }
        let names = settings
            .policy_curves
            .present()
            .or(settings.local_curves.present());
        let curves: Vec<Group> = match (names, generation) {
            (Some(names), _) => names.iter().filter_map(|name| Group::parse(name)).collect(),
            (None, Some(generation)) => {
                assumptions.push(Assumption::DefaultCurves(why_missing(
                    &settings.local_curves,
                )));
                generation.curves().to_vec()
            }
            (None, None) => Vec::new(),
        };
        let state = match names {
            Some(_) => State::On,
            None => unless_unread(&settings.local_curves, "EccCurves"),
        };
        states.extend(curves.into_iter().map(|group| (group, state.clone())));
        if names.is_none() && generation.is_none() {
            let common = [Group::X25519, Group::Secp256r1, Group::Secp384r1];
            states.extend(common.map(|group| (group, State::unless(Doubt::BuildUnknown))));
        }
    }
    let fips = settings.fips.present().is_some_and(|on| *on != 0);
    let standing = |(group, state): (Group, State)| {
        if fips && !group.is_allowed_in_fips() {
            GroupStanding {
                group,
                state: State::Off,
                reason: "not available in FIPS mode",
            }
        } else {
            let reason = if suffixed {
                "by the suffix of a suite"
            } else {
                "in the list of curves"
            };
            GroupStanding {
                group,
                state,
                reason,
            }
        }
    };
    states.into_iter().map(standing).collect()
}

fn signatures(
    settings: &SchannelSettings,
    generation: Option<&Generation>,
    assumptions: &mut Vec<Assumption>,
) -> Vec<SignatureStanding> {
    let schemes: Vec<(SignatureScheme, State)> = match (&settings.signature_suites, generation) {
        (Setting::Present(names), _) => names
            .iter()
            .filter_map(|name| SignatureScheme::parse(name))
            .map(|scheme| (scheme, State::On))
            .collect(),
        (missing, Some(generation)) => {
            assumptions.push(Assumption::DefaultSignatures(why_missing(missing)));
            let unread = unless_unread(missing, "the signature suites");
            let schemes = generation.signatures().into_iter();
            schemes
                .map(|(scheme, state)| (scheme, state.and(unread.clone())))
                .collect()
        }
        (_, None) => {
            let newest = Generation::all()
                .last()
                .map(Generation::signatures)
                .unwrap_or_default();
            newest
                .into_iter()
                .map(|(scheme, _)| (scheme, State::unless(Doubt::BuildUnknown)))
                .collect()
        }
    };
    let standing = |(scheme, state): (SignatureScheme, State)| {
        // KB245030 speaks of suites only, so what a hash that is off does to signatures is not known.
        let hash = switch("Hashes", &settings.hashes, &scheme.hash.to_string());
        let state = match (hash, scheme.hash) {
            (Ok(hash), _) => state.and(hash),
            (Err(_), hash) => state.and(State::unless(Doubt::HashOff(hash))),
        };
        SignatureStanding { scheme, state }
    };
    schemes.into_iter().map(standing).collect()
}
