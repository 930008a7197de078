//! Wildcard patterns of group names (`webpubsub.md` 7).

use alloc::boxed::Box;
use alloc::string::String;

use smallvec::SmallVec;

use crate::name::GROUP_UNITS_MAX;

/// The most UTF-16 units of a pattern.
const UNITS_MAX: usize = 1024;
/// The most wildcards of a pattern, and the most `*` characters.
const WILDCARDS_MAX: usize = 5;

/// What the pattern of a role means.
#[derive(Debug)]
pub(super) enum Rule {
    /// Every group: `**`, like the plain role.
    Everything,
    /// One group: there are no wildcards.
    Name(String),
    /// The groups that match.
    Pattern(Pattern),
}

/// A pattern with at least one wildcard, ready to match.
///
/// Matching takes at most (bytes of the pattern) x (bytes of the name) steps and allocates nothing.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// All text between the wildcards, escapes resolved.
    text: Box<str>,
    /// At least one.
    steps: SmallVec<[Step; WILDCARDS_MAX]>,
}

/// A wildcard and where it stands in the text.
#[derive(Clone, Copy, Debug)]
struct Step {
    wildcard: Wildcard,
    at: u16,
}

#[derive(Clone, Copy, Debug)]
enum Wildcard {
    /// `?`: one character other than a dot.
    One,
    /// `*`: zero or more characters other than a dot.
    Run,
    /// `**`: zero or more characters.
    Any,
}

impl Rule {
    /// Reads a pattern; an invalid one means nothing.
    pub(super) fn parse(pattern: &str) -> Option<Self> {
        let fits = pattern.len() <= UNITS_MAX || pattern.encode_utf16().count() <= UNITS_MAX;
        if pattern.is_empty() || !fits {
            return None;
        }
        let mut text = String::with_capacity(pattern.len());
        let mut steps = SmallVec::new();
        let (mut wildcards, mut stars) = (0, 0);
        let mut chars = pattern.chars().peekable();
        while let Some(char) = chars.next() {
            let wildcard = match char {
                '\\' => {
                    text.push(chars.next().filter(|escaped| matches!(escaped, '\\' | '*' | '?'))?);
                    continue;
                }
                '?' => {
                    wildcards += 1;
                    Wildcard::One
                }
                '*' => {
                    let mut run: usize = 1;
                    while chars.next_if_eq(&'*').is_some() {
                        run += 1;
                    }
                    stars += run;
                    // `***` is `**` and `*`. What follows the first `**` of a run adds nothing to match.
                    wildcards += run.div_ceil(2);
                    if run == 1 { Wildcard::Run } else { Wildcard::Any }
                }
                _ => {
                    text.push(char);
                    continue;
                }
            };
            if wildcards > WILDCARDS_MAX || stars > WILDCARDS_MAX {
                return None;
            }
            let at = u16::try_from(text.len()).expect("1,024 UTF-16 units are at most 3,072 bytes");
            steps.push(Step { wildcard, at });
        }
        Some(match &steps[..] {
            [] => Self::Name(text),
            [Step { wildcard: Wildcard::Any, .. }] if text.is_empty() => Self::Everything,
            _ => Self::Pattern(Pattern { text: text.into_boxed_str(), steps }),
        })
    }
}

impl Pattern {
    /// Tells whether a whole group name matches.
    pub(super) fn matches(&self, name: &str) -> bool {
        // Most names that do not match fail here, and most patterns have one wildcard.
        let (head, tail) = (self.text_before(0), self.text_before(self.steps.len()));
        let Some(middle) = name.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)) else {
            return false;
        };
        match &self.steps[..] {
            [step] => step.wildcard.covers(middle),
            _ => self.reaches_end(middle),
        }
    }

    /// Matches what lies between the text before the first wildcard and that after the last one.
    ///
    /// Goes through the pattern once and keeps all places of the name where a match may stand: there is
    /// nothing to go back to, hence nothing exponential.
    fn reaches_end(&self, name: &str) -> bool {
        if name.len() > NAME_BYTES_MAX {
            return false;
        }
        let mut places = Places::start();
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                places.read(self.text_before(index), name);
            }
            places.pass(step.wildcard, name);
        }
        places.contains(name.len())
    }

    /// Returns the text between a wildcard and the one before it.
    fn text_before(&self, index: usize) -> &str {
        let at = |index: usize| self.steps.get(index).map(|step| usize::from(step.at));
        let start = index.checked_sub(1).and_then(at).unwrap_or(0);
        let end = at(index).unwrap_or(self.text.len());
        &self.text[start..end]
    }
}

impl Wildcard {
    fn takes(self, char: char) -> bool {
        match self {
            Self::One | Self::Run => char != '.',
            Self::Any => true,
        }
    }

    /// Tells whether this wildcard alone matches all of a text.
    fn covers(self, text: &str) -> bool {
        match self {
            Self::One => {
                let mut chars = text.chars();
                chars.next().is_some_and(|char| self.takes(char)) && chars.next().is_none()
            }
            Self::Run => !text.as_bytes().contains(&b'.'),
            Self::Any => true,
        }
    }
}

/// The most bytes of a group name: three for a UTF-16 unit.
const NAME_BYTES_MAX: usize = 3 * GROUP_UNITS_MAX;

/// A set of places in a name, all of them between characters.
struct Places([u64; NAME_BYTES_MAX / 64 + 1]);

impl Places {
    fn start() -> Self {
        let mut places = Self([0; NAME_BYTES_MAX / 64 + 1]);
        places.insert(0);
        places
    }

    /// Moves every place over a text; those where the name reads otherwise drop out.
    fn read(&mut self, text: &str, name: &str) {
        if text.is_empty() {
            return;
        }
        // Backwards, so that no place moves twice.
        for place in (0..=name.len()).rev() {
            if self.remove(place) && name.as_bytes()[place..].starts_with(text.as_bytes()) {
                self.insert(place + text.len());
            }
        }
    }

    /// Moves every place over a wildcard, to wherever that can end.
    fn pass(&mut self, wildcard: Wildcard, name: &str) {
        match wildcard {
            Wildcard::One => {
                self.remove(name.len());
                for (place, char) in name.char_indices().rev() {
                    if self.remove(place) && wildcard.takes(char) {
                        self.insert(place + char.len_utf8());
                    }
                }
            }
            Wildcard::Run | Wildcard::Any => {
                for (place, char) in name.char_indices() {
                    if self.contains(place) && wildcard.takes(char) {
                        self.insert(place + char.len_utf8());
                    }
                }
            }
        }
    }

    fn contains(&self, place: usize) -> bool {
        self.0[place / 64] & (1 << (place % 64)) != 0
    }

    fn insert(&mut self, place: usize) {
        self.0[place / 64] |= 1 << (place % 64);
    }

    /// Takes a place out; tells whether it was there.
    fn remove(&mut self, place: usize) -> bool {
        let there = self.contains(place);
        self.0[place / 64] &= !(1 << (place % 64));
        there
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use proptest::prelude::*;

    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        match Rule::parse(pattern).unwrap() {
            Rule::Everything => true,
            Rule::Name(it) => it == name,
            Rule::Pattern(it) => it.matches(name),
        }
    }

    /// The grammar's edges: what is invalid, and what just is not.
    #[test]
    fn invalid_patterns_mean_nothing() {
        for invalid in
            ["", "\\", "a\\", "\\a", "******", "*a*a*a*a*a*", "??????", "*?*?*?", "*****???"]
        {
            assert!(Rule::parse(invalid).is_none(), "{invalid}");
        }
        for valid in ["*****", "*****??", "\\******", "*?*?*", "?????", "a\\\\\\*\\?"] {
            assert!(Rule::parse(valid).is_some(), "{valid}");
        }
        for (unit, units) in [("a", 1), ("\u{20ac}", 1), ("\u{1f980}", 2)] {
            assert!(Rule::parse(&unit.repeat(1024 / units)).is_some());
            assert!(Rule::parse(&unit.repeat(1024 / units + 1)).is_none());
        }
        assert!(matches!(Rule::parse("**"), Some(Rule::Everything)));
        assert!(matches!(Rule::parse("a\\*"), Some(Rule::Name(name)) if name == "a*"));
    }

    /// Each wildcard on its own, and how far it goes.
    #[test]
    fn wildcards_stop_where_they_should() {
        let matching =
            "a* a|a? a\u{1f980}|*.b a.b|** a.b|*** a.b|a** a.b.c|*? ab|**.?b* x.y.ab|?*?*? abc";
        let other =
            "a* a.b|a? a.|a? a|* .|a* A|a*a a|a* ba|*.* a.b.c|**.b* a.bc.d|?*? a|?? ab.|*? .";
        for (pairs, expected) in [(matching, true), (other, false)] {
            for (pattern, name) in pairs.split('|').map(|pair| pair.split_once(' ').unwrap()) {
                assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
            }
        }
    }

    /// A pattern made to send a backtracking matcher round for ever, at full length.
    #[test]
    fn the_worst_case_ends() {
        let name = "a".repeat(1024);
        assert!(!matches("**a*a*a*b", &name) && matches("**a*a*a*", &name));
        let half = "a".repeat(500);
        assert!(!matches(&alloc::format!("*{half}*b{half}*"), &name));
        assert!(!matches("*a*", &"\u{20ac}".repeat(1024)) && !matches("*a*", &"a".repeat(9999)));
    }

    /// The naive twin: the grammar as it is written, by recursion.
    fn naive(pattern: &[char], name: &[char]) -> bool {
        let dotless = |name: &[char]| name.first().is_some_and(|&char| char != '.');
        match (pattern, name) {
            ([], _) => name.is_empty(),
            (['\\', escaped, rest @ ..], _) => {
                name.first() == Some(escaped) && naive(rest, &name[1..])
            }
            (['*', '*', rest @ ..], _) => (0..=name.len()).any(|at| naive(rest, &name[at..])),
            (['*', rest @ ..], _) => {
                naive(rest, name) || dotless(name) && naive(pattern, &name[1..])
            }
            (['?', rest @ ..], _) => dotless(name) && naive(rest, &name[1..]),
            ([char, rest @ ..], _) => name.first() == Some(char) && naive(rest, &name[1..]),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        /// Whatever the pattern and the name, the bounded matcher and the recursive one agree.
        #[test]
        fn matches_like_the_naive_twin(
            pattern in "([aab.é*?]|\\*{2}|\\\\[*?\\\\]){1,8}",
            name in "[aaab.é*?\\\\]{0,8}",
        ) {
            if Rule::parse(&pattern).is_some() {
                let chars = |text: &str| text.chars().collect::<Vec<_>>();
                let expected = naive(&chars(&pattern), &chars(&name));
                prop_assert_eq!(matches(&pattern, &name), expected);
            }
        }
    }
}
