//! What a connection may do to groups, with a matcher that tries everything.

use std::collections::BTreeMap;

use super::{LITERALS, PATTERNS, is_group};
use crate::operation::Right;

#[derive(Default)]
pub(super) struct Rights(BTreeMap<Right, Rules>);

#[derive(Default)]
struct Rules {
    plain: bool,
    patterns: Vec<String>,
    /// What differs from the rest, by group.
    literals: BTreeMap<String, bool>,
}

impl Rights {
    pub(super) fn new(roles: &[String]) -> Self {
        let mut rights = Self::default();
        let mut roles = roles.to_vec();
        roles.sort();
        for (right, one, many) in [
            (Right::Join, "webpubsub.joinLeaveGroup", "webpubsub.joinLeaveGroups."),
            (Right::Send, "webpubsub.sendToGroup", "webpubsub.sendToGroups."),
        ] {
            let mut rules =
                Rules { plain: roles.iter().any(|role| role == one), ..Rules::default() };
            let mut names = Vec::new();
            for role in &roles {
                if let Some(name) = role.strip_prefix(one).and_then(|rest| rest.strip_prefix('.')) {
                    names.push(name.to_owned());
                }
                let pattern = role.strip_prefix(many).filter(|pattern| is_pattern(pattern));
                match pattern {
                    Some("**") => rules.plain = true,
                    Some(pattern) if !unescaped(pattern).contains(['*', '?']) => {
                        names.push(pattern.replace('\\', ""));
                    }
                    Some(pattern) if rules.patterns.len() < PATTERNS => {
                        rules.patterns.push(pattern.to_owned());
                    }
                    Some(_) | None => {}
                }
            }
            rights.0.insert(right, rules);
            for name in names.iter().filter(|name| is_group(name)) {
                // One too many is left out.
                let _ = rights.set(right, name, true);
            }
        }
        rights
    }

    pub(super) fn allows(&self, right: Right, group: &str) -> bool {
        let Some(rules) = self.0.get(&right) else { return false };
        rules.literals.get(group).copied().unwrap_or_else(|| rules.say(group))
    }

    /// Grants or revokes; tells `Err` when there are too many exceptions.
    pub(super) fn set(&mut self, right: Right, group: &str, allowed: bool) -> Result<(), ()> {
        let rules = self.0.entry(right).or_default();
        if rules.say(group) == allowed {
            rules.literals.remove(group);
        } else if !rules.literals.contains_key(group) && rules.literals.len() >= LITERALS {
            return Err(());
        } else {
            rules.literals.insert(group.to_owned(), allowed);
        }
        Ok(())
    }
}

impl Rules {
    fn say(&self, group: &str) -> bool {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        let matches = |pattern: &String| matches(&chars(pattern), &chars(group));
        self.plain || self.patterns.iter().any(matches)
    }
}

/// Tells whether a pattern is valid, as far as the pool goes.
fn is_pattern(pattern: &str) -> bool {
    let wildcards = unescaped(pattern).matches(['*', '?']).count();
    let escapes = pattern.replace("\\\\", "").replace("\\*", "").replace("\\?", "");
    !pattern.is_empty() && wildcards <= 5 && !escapes.contains('\\')
}

fn unescaped(pattern: &str) -> String {
    pattern.replace("\\\\", "").replace("\\*", "").replace("\\?", "")
}

fn matches(pattern: &[char], name: &[char]) -> bool {
    match pattern {
        [] => name.is_empty(),
        ['*', '*', rest @ ..] => (0..=name.len()).any(|skip| matches(rest, &name[skip..])),
        ['*', rest @ ..] => (0..=name.len())
            .any(|skip| !name[..skip].contains(&'.') && matches(rest, &name[skip..])),
        ['?', rest @ ..] => {
            name.first().is_some_and(|first| *first != '.') && matches(rest, &name[1..])
        }
        ['\\', literal, rest @ ..] | [literal, rest @ ..] => {
            name.first() == Some(literal) && matches(rest, &name[1..])
        }
    }
}
