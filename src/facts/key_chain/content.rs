//! What a copy of the key file holds: whether it is whole, whose key it is, what it is encrypted under.

use crate::bundle::Artifact;
use crate::facts::catalog::key::KeyFileState;
use crate::facts::fact::{FactSet, Source};
use crate::facts::gap::GapId;
use crate::facts::known::Known;
use crate::facts::subject::Subject;
use crate::parse::certificate::{KeyMatch, PublicKey};
use crate::parse::guid::Guid;
use crate::parse::key_file::{ContainerHash, KeyFile, KeyFileDamage, KeyFileForm, KeyFileName};
use crate::parse::store_blob::KeyStorage;

use super::evidence::{Shown, Sighting};

/// What is known of the file's content.
#[derive(Debug, Clone)]
pub(super) struct Content {
    /// Whether it is no whole key file of the container; the word for what it is.
    pub(super) damaged: Known<Option<KeyFileState>>,
    /// What is wrong, in words.
    pub(super) damage: Option<String>,
    /// Whether its public key is another one than the certificate's.
    pub(super) mismatch: Known<bool>,
    /// The master keys that its private parts are encrypted under.
    pub(super) master_keys: Vec<Guid>,
    /// Its size in bytes, where a copy was read.
    pub(super) length: Option<u64>,
    /// Where this was seen.
    pub(super) sources: Vec<Source>,
}

/// Reads the copies of the file that were seen; `dir` alone may show that it is empty.
pub(super) fn read(
    sightings: &[&Sighting],
    public_key: &Known<PublicKey>,
    facts: &mut FactSet,
) -> Content {
    let listed_size = sightings.iter().find_map(|sighting| match &sighting.shown {
        Shown::Name { size, .. } => size.map(|size| (size, sighting.source.clone())),
        Shown::Copy(_) | Shown::Permissions(_) => None,
    });
    let mut contents: Vec<Content> = sightings
        .iter()
        .filter_map(|sighting| match &sighting.shown {
            Shown::Copy(artifact) => Some(read_copy(sighting, artifact, public_key, facts)),
            Shown::Permissions(_) | Shown::Name { .. } => None,
        })
        .collect();
    if let Some((size, source)) = &listed_size {
        let differs = contents
            .iter()
            .find_map(|content| content.length.filter(|length| length != size));
        if let Some(length) = differs {
            let why = format!("the copy has {length} bytes, the file on the machine had {size}");
            return open(facts.gaps.open(Subject::KeyFile, why));
        }
        if contents.is_empty() && *size == 0 {
            return Content {
                damaged: Known::Is(Some(KeyFileState::Empty)),
                damage: Some(KeyFileDamage::Empty.to_string()),
                sources: vec![source.clone()],
                ..open(no_copy(facts))
            };
        }
    }
    let Some(mut first) = contents.pop() else {
        return open(no_copy(facts));
    };
    for other in contents {
        if other.damaged != first.damaged || other.mismatch != first.mismatch {
            let why = "several copies of the file are in the collection, and they differ";
            return open(facts.gaps.open(Subject::KeyFile, why));
        }
        first.sources.extend(other.sources);
    }
    first.sources.sort();
    first
}

fn no_copy(facts: &mut FactSet) -> GapId {
    facts
        .gaps
        .open(Subject::KeyFile, "the file itself is not in the collection")
}

fn open(gap: GapId) -> Content {
    Content {
        damaged: Known::Open(gap),
        damage: None,
        mismatch: Known::Open(gap),
        master_keys: Vec::new(),
        length: None,
        sources: Vec::new(),
    }
}

fn read_copy(
    sighting: &Sighting,
    artifact: &Artifact,
    public_key: &Known<PublicKey>,
    facts: &mut FactSet,
) -> Content {
    let file = match artifact
        .open()
        .and_then(|source| KeyFile::read(source.as_ref()))
    {
        Ok(file) => file,
        Err(error) => {
            let why = format!("{}: {error}", artifact.path);
            return open(facts.gaps.open(Subject::KeyFile, why));
        }
    };
    let (state, damage) = match damage(&file, sighting.name) {
        Some((state, damage)) => (Some(state), Some(damage)),
        None => (None, None),
    };
    let undecided = |facts: &mut FactSet| {
        let why = "its public key cannot be compared with the certificate's";
        Known::Open(facts.gaps.open(Subject::KeyFile, why))
    };
    let mismatch = match public_key {
        Known::Open(gap) => Known::Open(*gap),
        Known::Is(key) => match file.public_key_matches(key) {
            KeyMatch::Same => Known::Is(false),
            // What a damaged file seems to hold proves nothing.
            KeyMatch::Different if file.is_whole() => Known::Is(true),
            KeyMatch::Different | KeyMatch::Undecided => undecided(facts),
        },
    };
    let mut master_keys: Vec<Guid> = file.protection.iter().map(|blob| blob.master_key).collect();
    master_keys.sort_unstable();
    master_keys.dedup();
    Content {
        damaged: Known::Is(state),
        damage,
        mismatch,
        master_keys,
        length: Some(file.length),
        sources: vec![sighting.source.clone()],
    }
}

/// What is wrong with a file of this name: the worst of its damages, all in words.
fn damage(file: &KeyFile, name: KeyFileName) -> Option<(KeyFileState, String)> {
    let mut words: Vec<String> = file.damages.iter().map(ToString::to_string).collect();
    let worst = file.damages.iter().map(word).min();
    let worst = worst.or_else(|| {
        let inside = file.container.as_deref()?;
        let storage = match file.form? {
            KeyFileForm::Capi => KeyStorage::Capi,
            KeyFileForm::Cng => KeyStorage::Cng,
        };
        let hash = ContainerHash::of(inside, storage)?;
        if hash == name.hash {
            return None;
        }
        words.push(format!(
            "the container in it is {inside}, whose file has another name"
        ));
        Some(KeyFileState::OtherName)
    })?;
    Some((worst, words.join("; ")))
}

fn word(damage: &KeyFileDamage) -> KeyFileState {
    match damage {
        KeyFileDamage::Empty => KeyFileState::Empty,
        KeyFileDamage::Zeroed { .. } => KeyFileState::Zeroed,
        KeyFileDamage::Cut { .. } => KeyFileState::Cut,
        KeyFileDamage::NotAKeyFile | KeyFileDamage::Part { .. } | KeyFileDamage::NoKey => {
            KeyFileState::Garbage
        }
        KeyFileDamage::Trailing { .. } => KeyFileState::Trailing,
    }
}
