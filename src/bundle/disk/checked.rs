//! What the files that were taken of a volume say of themselves beside their content: clusters that several of them claim, and
//! streams that are not read.

use std::collections::BTreeMap;

use super::What;
use super::installation::Taken;
use super::ntfs::Volume;
use super::trouble::DiskTrouble;

/// A file that Windows compressed by other means than NTFS has its content in it, which is told when it is opened.
const WHERE_WOF_KEEPS_IT: &str = "WofCompressedData";
/// Of more runs than this the claims are not compared.
const MOST_RUNS: usize = 1 << 20;

/// Looks at every file that was taken.
pub(super) fn check(volume: &Volume, taken: &mut Taken) {
    let mut claims: Vec<Claim> = Vec::new();
    let mut troubles = Vec::new();
    for (index, taken_file) in taken.files.iter().enumerate() {
        if !matches!(taken_file.what, What::Data) {
            continue;
        }
        // What is wrong with it is told when it is opened.
        let Ok(file) = volume.find(&taken_file.file) else {
            continue;
        };
        let mut streams: Vec<String> = file.streams().into_iter().collect();
        streams.retain(|name| name != WHERE_WOF_KEEPS_IT);
        if !streams.is_empty() {
            let streams = streams.join(", ");
            troubles.push((
                taken_file.path.clone(),
                DiskTrouble::OtherStreams { streams },
            ));
        }
        let places = volume.places(&file);
        if claims.len().saturating_add(places.len()) <= MOST_RUNS {
            claims.extend(places.into_iter().map(|place| Claim {
                start: place.start,
                end: place.end,
                file: index,
            }));
        }
    }
    for (one, other) in crossed(claims) {
        let path = |index: usize| taken.files.get(index).map(|file| file.path.clone());
        let (Some(one), Some(other)) = (path(one), path(other)) else {
            continue;
        };
        for (path, other) in [(one.clone(), other.clone()), (other, one)] {
            troubles.push((path, DiskTrouble::Shared { other }));
        }
    }
    taken.problems.extend(troubles);
}

/// Clusters that a file says are its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Claim {
    start: u64,
    end: u64,
    file: usize,
}

/// Which files claim the same clusters: each file that does, with the one that claims them before it.
fn crossed(mut claims: Vec<Claim>) -> BTreeMap<usize, usize> {
    claims.sort_unstable();
    let mut found = BTreeMap::new();
    let mut furthest: Option<Claim> = None;
    for claim in claims {
        match furthest {
            Some(before) if claim.start < before.end => {
                if before.file != claim.file {
                    found.entry(claim.file).or_insert(before.file);
                }
                if claim.end > before.end {
                    furthest = Some(claim);
                }
            }
            _ => furthest = Some(claim),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn claims_that_touch_are_not_crossed() {
        let claim = |start, end, file| Claim { start, end, file };
        let claims = vec![claim(10, 20, 0), claim(0, 10, 1), claim(20, 21, 0)];
        assert!(crossed(claims.clone()).is_empty());
        // One in the midst of a long one, and one that goes on behind it.
        let more = [claim(12, 13, 2), claim(19, 25, 3), claim(24, 30, 4)];
        let found = crossed([claims, more.to_vec()].concat());
        let expected = [(2, 0), (3, 0), (0, 3), (4, 3)];
        assert_eq!(found, BTreeMap::from(expected));
    }
}
