//! Names in a text, in whatever case they stand there: as many as a flooded log holds, all found in one walk.

use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};

use super::Secret;

/// Names, and what each is.
pub(super) struct Names {
    known: Vec<(String, Secret)>,
    all: AhoCorasick,
}

/// A name that was found.
pub(super) struct Found<'n> {
    /// Where it stands in the text.
    pub place: Range<usize>,
    /// As it is compared.
    pub name: &'n str,
    pub secret: Secret,
}

impl Names {
    /// To be found are these, folded.
    pub fn of(known: BTreeMap<String, Secret>) -> Self {
        let known: Vec<(String, Secret)> = known.into_iter().collect();
        let all = AhoCorasick::builder()
            // No part of a name is taken before the whole of it.
            .match_kind(MatchKind::LeftmostLongest)
            .build(known.iter().map(|(name, _)| name))
            .expect("names of a report take far less than the 2^31 states that there may be");
        Names { known, all }
    }

    /// Where names stand in a text, from its start to its end.
    pub fn find(&self, text: &str) -> Vec<Found<'_>> {
        let folded = Folded::of(text);
        let hits = self.all.find_iter(&folded.text);
        let found = hits.filter_map(|hit| {
            let (name, secret) = self.known.get(hit.pattern().as_usize())?;
            Some(Found {
                place: folded.place(hit.range())?,
                name,
                secret: *secret,
            })
        });
        found.collect()
    }
}

/// How names are compared: in lower case, letter by letter. The two small sigmas are one letter.
pub(super) fn folded(text: &str) -> String {
    text.chars().flat_map(lower).collect()
}

fn lower(letter: char) -> impl Iterator<Item = char> {
    letter.to_lowercase().map(|letter| match letter {
        'ς' => 'σ',
        other => other,
    })
}

/// A text as it is compared, and where each of its bytes comes from.
struct Folded {
    text: String,
    /// For each byte, the letter of the text that it comes from; none where both are byte by byte the same place.
    origins: Option<Vec<Range<usize>>>,
}

impl Folded {
    fn of(text: &str) -> Self {
        if text.is_ascii() {
            return Folded {
                text: text.to_ascii_lowercase(),
                origins: None,
            };
        }
        let mut folded = String::with_capacity(text.len());
        let mut origins = Vec::with_capacity(text.len());
        for (at, letter) in text.char_indices() {
            folded.extend(lower(letter));
            origins.resize(folded.len(), at..at + letter.len_utf8());
        }
        Folded {
            text: folded,
            origins: Some(origins),
        }
    }

    /// The place in the text; whole letters, so that a part of one is replaced with it.
    fn place(&self, folded: Range<usize>) -> Option<Range<usize>> {
        let Some(origins) = &self.origins else {
            return Some(folded);
        };
        let last = folded.end.checked_sub(1)?;
        Some(origins.get(folded.start)?.start..origins.get(last)?.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(names: &[&str], text: &str) -> Vec<String> {
        let known = names.iter().map(|name| (folded(name), Secret::Name));
        let names = Names::of(known.collect());
        let found = names.find(text);
        found
            .into_iter()
            .map(|found| text[found.place].to_owned())
            .collect()
    }

    #[test]
    fn names_are_found_in_any_case_and_as_a_whole() {
        let names = ["Anna", "anna.Müller", "ΟΔΥΣΣΕΥΣ", "İnci"];
        assert_eq!(
            places(&names, "ANNA.MÜLLER and aNNa, Οδυσσευς, i̇nci"),
            ["ANNA.MÜLLER", "aNNa", "Οδυσσευς", "i̇nci"]
        );
        assert_eq!(places(&names, "KİNCİ"), ["İNCİ"]);
        assert_eq!(places(&[], "Anna"), [""; 0]);
    }

    #[test]
    fn a_hundred_thousand_names_are_no_more_than_any_reads() {
        let names: Vec<String> = (0..100_000)
            .map(|number| format!("user{number:06}"))
            .collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(places(&names, "USER099999 was here"), ["USER099999"]);
    }
}
