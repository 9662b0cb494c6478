//! The libraries of Remote Desktop as they lie in System32: their versions, and whether they are as Microsoft built them.

use crate::bundle::path::components;
use crate::bundle::{Artifact, Kind, NotUsed};
use crate::facts::catalog::service::{ServiceLibrary, ServiceTrouble};
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::GapId;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::parse::program::{NoProgram, Program};

/// The service's own library.
const SERVICE: &str = "termsrv.dll";
const NAMES: [&str; 2] = [SERVICE, "tspkg.dll"];

/// Adds `service.library`. After the facts about failures of the service.
pub fn add_facts(artifacts: &[Artifact], facts: &mut FactSet) {
    for artifact in artifacts {
        let Some(name) = library(artifact) else {
            continue;
        };
        let read = match &artifact.kind {
            Kind::Program => artifact
                .open()
                .map_err(|error| NoProgram::Unreadable(error.to_string()))
                .and_then(|source| Program::read(source.as_ref())),
            Kind::NotUsed(NotUsed::Empty | NotUsed::Zeros | NotUsed::Unrecognized) => {
                Err(NoProgram::NoHeader)
            }
            _ => continue,
        };
        let unread =
            |facts: &mut FactSet, why: &str| -> GapId { facts.gaps.open(Subject::SystemHive, why) };
        let (version, damage, altered) = match read {
            Ok(program) => {
                let version = program
                    .version
                    .map(|numbers| numbers.map(|number| number.to_string()).join("."));
                let altered = match program.sum_holds {
                    Some(holds) => Known::Is(!holds),
                    None => Known::Open(unread(
                        facts,
                        "the library has no sum to hold its bytes against",
                    )),
                };
                (version, None, altered)
            }
            // Not read is not damaged.
            Err(NoProgram::Unreadable(_)) => continue,
            Err(why) => (None, Some(why.to_string()), Known::Is(false)),
        };
        let troubles = facts
            .of_kind(ServiceTrouble::KIND)
            .filter(super::owner::since_last_success(facts));
        let failing = troubles.fold(Known::Is(false), |so, fact| {
            so.or(fact.truth("down")).or(fact.truth("ends_attempts"))
        });
        let damaged = damage.is_some();
        let fails = altered.clone().and(failing);
        let body = ServiceLibrary {
            file: name.to_owned(),
            version,
            damaged,
            damage,
            fails: match name {
                SERVICE => fails,
                _ => Known::Is(false),
            },
            altered,
        };
        let source = Source::File {
            artifact: artifact.path.clone(),
        };
        facts.add(None, body, vec![source]);
    }
}

/// The library that a file is, by its name and its folder.
fn library(artifact: &Artifact) -> Option<&'static str> {
    let lower: Vec<String> = components(&artifact.path)
        .iter()
        .map(|part| part.to_lowercase())
        .collect();
    let (name, folders) = lower.split_last()?;
    (folders.last()? == "system32").then_some(())?;
    NAMES.into_iter().find(|known| known == name)
}
