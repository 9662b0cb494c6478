//! How sure a rule is: the only place that knows the table.

use serde::Deserialize;

use super::truth::Truth;

/// How sure a rule is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The evidence speaks against it.
    RuledOut,
    /// The evidence leaves it open.
    Undetermined,
    /// Something speaks for it.
    Possible,
    /// The evidence speaks for it.
    Likely,
    /// The evidence proves it.
    Confirmed,
}

impl Level {
    /// The word for it in rules and reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Level::RuledOut => "ruled-out",
            Level::Undetermined => "undetermined",
            Level::Possible => "possible",
            Level::Likely => "likely",
            Level::Confirmed => "confirmed",
        }
    }

    /// Whether it is sure enough to be named as a cause, and to be explained by one.
    #[must_use]
    pub fn stands(self) -> bool {
        self >= Level::Likely
    }
}

impl std::fmt::Display for Level {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.word())
    }
}

/// The level of a rule whose tests came to these truths. The first line that matches wins:
///
/// | level | when |
/// |---|---|
/// | ruled-out | an exclude is true, or a require is false, or every decisive is false |
/// | confirmed | all requires and a decisive are true, and every exclude is false; where one is unknown, a support must be true |
/// | likely | all requires are true, and a decisive or a support is |
/// | possible | a decisive or a support is true |
/// | undetermined | anything else |
///
/// A rule always has a decisive test; the loader sees to it. Without any (a test that was dropped to see whether it matters)
/// nothing is ruled out for want of one.
#[must_use]
pub fn level(require: &[Truth], decisive: &[Truth], support: &[Truth], exclude: &[Truth]) -> Level {
    let any = |tests: &[Truth]| tests.iter().any(Truth::is_true);
    let required = require.iter().all(Truth::is_true);
    let (decided, supported) = (any(decisive), any(support));
    let undecidable = !decisive.is_empty() && decisive.iter().all(Truth::is_false);
    if any(exclude) || require.iter().any(Truth::is_false) || undecidable {
        Level::RuledOut
    } else if required && decided && (supported || exclude.iter().all(Truth::is_false)) {
        Level::Confirmed
    } else if required && (decided || supported) {
        Level::Likely
    } else if decided || supported {
        Level::Possible
    } else {
        Level::Undetermined
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::truth::Refutation;

    const VALUES: [char; 3] = ['t', 'f', 'u'];

    fn truths(text: &str) -> Vec<Truth> {
        text.chars()
            .map(|letter| match letter {
                't' => Truth::True(Vec::new()),
                'f' => Truth::False(Refutation::Absent(Vec::new())),
                _ => Truth::Unknown(Vec::new()),
            })
            .collect()
    }

    fn of(require: &str, decisive: &str, support: &str, exclude: &str) -> Level {
        level(
            &truths(require),
            &truths(decisive),
            &truths(support),
            &truths(exclude),
        )
    }

    /// Every text of up to `longest` letters out of t, f and u.
    fn texts(shortest: usize, longest: usize) -> Vec<String> {
        let mut all = vec![String::new()];
        let mut last = all.clone();
        for _ in 0..longest {
            last = last
                .iter()
                .flat_map(|text| VALUES.iter().map(move |letter| format!("{text}{letter}")))
                .collect();
            all.extend(last.clone());
        }
        all.retain(|text| text.len() >= shortest);
        all
    }

    /// The table as DESIGN words it, read from the bottom up.
    fn by_the_words(require: &str, decisive: &str, support: &str, exclude: &str) -> Level {
        let has = |text: &str, letter| text.contains(letter);
        let all_required = !has(require, 'f') && !has(require, 'u');
        let mut found = Level::Undetermined;
        if has(decisive, 't') || has(support, 't') {
            found = Level::Possible;
        }
        if all_required && (has(decisive, 't') || has(support, 't')) {
            found = Level::Likely;
        }
        if all_required && has(decisive, 't') {
            let excludes_false = !has(exclude, 't') && !has(exclude, 'u');
            if excludes_false || (has(exclude, 'u') && !has(exclude, 't') && has(support, 't')) {
                found = Level::Confirmed;
            }
        }
        if has(exclude, 't') || has(require, 'f') || !(has(decisive, 't') || has(decisive, 'u')) {
            found = Level::RuledOut;
        }
        found
    }

    #[test]
    fn every_combination_is_what_the_table_says() {
        for require in texts(0, 2) {
            for decisive in texts(1, 2) {
                for support in texts(0, 2) {
                    for exclude in texts(0, 2) {
                        assert_eq!(
                            of(&require, &decisive, &support, &exclude),
                            by_the_words(&require, &decisive, &support, &exclude),
                            "{require}/{decisive}/{support}/{exclude}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn lines_of_the_table() {
        assert_eq!(of("t", "t", "", ""), Level::Confirmed);
        assert_eq!(of("t", "t", "", "f"), Level::Confirmed);
        assert_eq!(of("t", "t", "u", "u"), Level::Likely);
        assert_eq!(of("t", "t", "t", "u"), Level::Confirmed);
        assert_eq!(of("t", "u", "t", "f"), Level::Likely);
        assert_eq!(of("u", "t", "", ""), Level::Possible);
        assert_eq!(of("u", "u", "", ""), Level::Undetermined);
        assert_eq!(of("t", "u", "u", "f"), Level::Undetermined);
        assert_eq!(of("t", "f", "t", ""), Level::RuledOut);
        assert_eq!(of("f", "t", "t", ""), Level::RuledOut);
        assert_eq!(of("t", "t", "t", "t"), Level::RuledOut);
    }

    /// What is known may rule a cause out; what is not known any more must never make one surer.
    #[test]
    fn losing_evidence_never_raises_a_level() {
        for require in texts(0, 2) {
            for decisive in texts(1, 2) {
                for support in texts(0, 1) {
                    for exclude in texts(0, 2) {
                        let parts =
                            [&require, &decisive, &support, &exclude].map(|part| truths(part));
                        let before = level(&parts[0], &parts[1], &parts[2], &parts[3]);
                        if before == Level::RuledOut {
                            continue;
                        }
                        for part in 0..4 {
                            for place in 0..parts[part].len() {
                                let mut less = parts.clone();
                                less[part][place] = Truth::Unknown(Vec::new());
                                let after = level(&less[0], &less[1], &less[2], &less[3]);
                                assert!(
                                    after <= before,
                                    "{require}/{decisive}/{support}/{exclude}"
                                );
                            }
                        }
                    }
                }
            }
        }
    }
}
