//! What a connection may do to groups, with a matcher that tries everything.

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;

use super::{LITERALS, PATTERNS, is_group};
use crate::state::Permission;

/// The rules of each permission, by its place.
#[derive(Clone, Debug, Default)]
pub(super) struct Rights(BTreeMap<u8, Rules>);

#[derive(Clone, Debug, Default)]
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
        for (permission, one, many, is_mixed) in [
            (Permission::JoinLeaveGroup, "joinLeaveGroup", "joinLeaveGroups", false),
            (Permission::SendToGroup, "sendToGroup", "sendToGroups", false),
            (Permission::SetGroupState, "setGroupState", "setGroupStates", true),
            (Permission::GetGroupState, "getGroupState", "getGroupStates", true),
        ] {
            let behind = |role: &String, name: &str| {
                let rest = role.strip_prefix("webpubsub.")?.strip_prefix(name)?;
                rest.strip_prefix('.').map(str::to_owned)
            };
            let plain = roles.iter().any(|role| role.strip_prefix("webpubsub.") == Some(one));
            let mut rules = Rules { plain, ..Rules::default() };
            let mut names = Vec::new();
            for role in &roles {
                let name = behind(role, one);
                // The roles of states take a name or a pattern behind one word (`webpubsub.md` 3.9).
                let mixed = name.clone().filter(|name| is_mixed && name.contains(['*', '?']));
                names.extend(name.filter(|_| mixed.is_none()));
                let pattern = behind(role, many).or(mixed);
                match pattern.filter(|pattern| is_pattern(pattern)).as_deref() {
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
            rights.0.insert(place(permission), rules);
            for name in names.iter().filter(|name| is_group(name)) {
                // One too many is left out.
                let _ = rights.set(permission, name, true);
            }
        }
        rights
    }

    pub(super) fn allows(&self, permission: Permission, group: &str) -> bool {
        let Some(rules) = self.0.get(&place(permission)) else { return false };
        rules.literals.get(group).copied().unwrap_or_else(|| rules.say(group))
    }

    /// Grants or revokes; tells `Err` when there are too many exceptions.
    pub(super) fn set(
        &mut self,
        permission: Permission,
        group: &str,
        allowed: bool,
    ) -> Result<(), ()> {
        let rules = self.0.entry(place(permission)).or_default();
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

fn place(permission: Permission) -> u8 {
    match permission {
        Permission::JoinLeaveGroup => 0,
        Permission::SendToGroup => 1,
        Permission::SetGroupState => 2,
        Permission::GetGroupState => 3,
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
