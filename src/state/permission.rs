//! What a connection may do to groups: roles, patterns, and grants beside them (`webpubsub.md` 7).

mod pattern;

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::vec::Vec;

use smallvec::SmallVec;

use self::pattern::{Pattern, Rule};
use crate::name;

/// An operation on groups that a connection may be allowed (`webpubsub.md` 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Permission {
    /// Join and leave.
    JoinLeaveGroup,
    /// Send.
    SendToGroup,
    /// Set what the group knows of the client (`webpubsub.md` 3.9).
    SetGroupState,
    /// Subscribe to what the group knows of its members (`webpubsub.md` 3.9).
    GetGroupState,
}

/// How many permissions there are.
const COUNT: usize = 4;

/// What one connection may do to groups.
///
/// Roles make the rules: the plain role, which allows every group, and patterns. They never change. A
/// literal is an exception to them for one group: it is stored only while it differs from what they say.
#[derive(Clone, Debug, Default)]
pub(crate) struct Permissions {
    /// Whether the plain role is there, by [`place`].
    plain: [bool; COUNT],
    /// All else, by [`place`]. Most connections have nothing else, so it stands apart.
    details: Option<Box<[Details; COUNT]>>,
}

/// Tells that a connection has as many literals of a permission as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMany;

/// What goes beyond a plain role.
#[derive(Clone, Debug, Default)]
struct Details {
    /// Empty where the plain role is there: it could say no more.
    patterns: Box<[Pattern]>,
    /// Sorted by group, each group once.
    literals: Vec<Literal>,
}

/// An exception: one group that is allowed or denied, whatever the rules say.
#[derive(Clone, Debug)]
struct Literal {
    group: Box<str>,
    allowed: bool,
}

impl Permissions {
    /// Makes what these roles allow; unknown and invalid roles are skipped, and those beyond a limit.
    ///
    /// The limits are per permission. The order of the roles does not matter: they are sorted first.
    pub(crate) fn from_roles<'a>(
        roles: impl Iterator<Item = &'a str>,
        patterns_max: usize,
        literals_max: usize,
    ) -> Self {
        let mut roles: SmallVec<[&str; 8]> = roles.collect();
        roles.sort_unstable();

        let mut plain = [false; COUNT];
        let mut patterns = [const { Vec::new() }; COUNT];
        let mut names = SmallVec::<[(Permission, Cow<'_, str>); 4]>::new();
        for role in roles.into_iter().filter_map(Role::parse) {
            match role {
                Role::Plain(permission) => plain[place(permission)] = true,
                Role::Name(permission, name) => names.push((permission, Cow::Borrowed(name))),
                Role::Pattern(permission, text) => match Rule::parse(text) {
                    Some(Rule::Everything) => plain[place(permission)] = true,
                    Some(Rule::Name(name)) => names.push((permission, Cow::Owned(name))),
                    Some(Rule::Pattern(pattern)) => {
                        let patterns = &mut patterns[place(permission)];
                        if patterns.len() < patterns_max {
                            patterns.push(pattern);
                        }
                    }
                    None => {}
                },
            }
        }

        let mut permissions = Self::from_rules(plain, patterns);
        // Only now, when all rules are known: a name that a pattern covers too must not be stored, or a
        // later revoke would take away the stored name and leave the pattern to allow it.
        for (permission, name) in names {
            if name::is_group(&name) {
                // Beyond the limit: skipped.
                let _: Result<(), TooMany> = permissions.grant(permission, &name, literals_max);
            }
        }
        permissions
    }

    fn from_rules(plain: [bool; COUNT], mut patterns: [Vec<Pattern>; COUNT]) -> Self {
        for (patterns, plain) in patterns.iter_mut().zip(plain) {
            if plain {
                patterns.clear();
            }
        }
        if patterns.iter().all(Vec::is_empty) {
            return Self { plain, details: None };
        }
        let details = patterns.map(|patterns| Details {
            patterns: patterns.into_boxed_slice(),
            literals: Vec::new(),
        });
        Self { plain, details: Some(Box::new(details)) }
    }

    /// Tells whether the connection may do this to a group.
    pub(crate) fn allows(&self, permission: Permission, group: &str) -> bool {
        let plain = self.plain[place(permission)];
        let Some(details) = &self.details else {
            return plain;
        };
        let details = &details[place(permission)];
        match details.find(group) {
            Ok(at) => details.literals[at].allowed,
            Err(_) => plain || details.patterns_match(group),
        }
    }

    /// Allows this for one group, until revoked.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when it would take one more literal than `literals_max`; nothing has changed then.
    pub(crate) fn grant(
        &mut self,
        permission: Permission,
        group: &str,
        literals_max: usize,
    ) -> Result<(), TooMany> {
        self.set(permission, group, true, literals_max)
    }

    /// Denies this for one group, whatever the roles say, until granted.
    ///
    /// # Errors
    ///
    /// [`TooMany`] when it would take one more literal than `literals_max`; nothing has changed then.
    pub(crate) fn revoke(
        &mut self,
        permission: Permission,
        group: &str,
        literals_max: usize,
    ) -> Result<(), TooMany> {
        self.set(permission, group, false, literals_max)
    }

    fn set(
        &mut self,
        permission: Permission,
        group: &str,
        allowed: bool,
        literals_max: usize,
    ) -> Result<(), TooMany> {
        let place = place(permission);
        let details = self.details.as_ref().map(|details| &details[place]);
        let found = details.map_or(Err(0), |details| details.find(group));
        let count = details.map_or(0, |details| details.literals.len());
        let ruled = self.plain[place] || details.is_some_and(|it| it.patterns_match(group));
        match (found, ruled == allowed) {
            // A stored literal differs from the rules, so it says the same already.
            (Ok(_), false) | (Err(_), true) => {}
            (Ok(at), true) => self.remove(place, at),
            (Err(_), false) if count >= literals_max => return Err(TooMany),
            (Err(at), false) => {
                let literal = Literal { group: group.into(), allowed };
                self.details.get_or_insert_default()[place].literals.insert(at, literal);
            }
        }
        Ok(())
    }

    fn remove(&mut self, place: usize, at: usize) {
        let Some(details) = &mut self.details else {
            return;
        };
        details[place].literals.remove(at);
        if details.iter().all(Details::is_empty) {
            self.details = None;
        }
    }
}

impl Details {
    /// Finds the literal of a group, or the place where it would stand.
    fn find(&self, group: &str) -> Result<usize, usize> {
        self.literals.binary_search_by(|literal| (*literal.group).cmp(group))
    }

    fn patterns_match(&self, group: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(group))
    }

    fn is_empty(&self) -> bool {
        self.patterns.is_empty() && self.literals.is_empty()
    }
}

/// What a role is, by its text alone.
enum Role<'a> {
    Plain(Permission),
    Name(Permission, &'a str),
    Pattern(Permission, &'a str),
}

impl<'a> Role<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.strip_prefix("webpubsub.")?;
        // Only the first dot separates: a group name may have dots of its own.
        let (kind, target) = match text.split_once('.') {
            Some((kind, target)) => (kind, Some(target)),
            None => (text, None),
        };
        let (permission, plural) = match kind {
            "joinLeaveGroup" => (Permission::JoinLeaveGroup, false),
            "sendToGroup" => (Permission::SendToGroup, false),
            "setGroupState" => (Permission::SetGroupState, false),
            "getGroupState" => (Permission::GetGroupState, false),
            "joinLeaveGroups" => (Permission::JoinLeaveGroup, true),
            "sendToGroups" => (Permission::SendToGroup, true),
            "setGroupStates" => (Permission::SetGroupState, true),
            "getGroupStates" => (Permission::GetGroupState, true),
            _ => return None,
        };
        match target {
            None if plural => None,
            None => Some(Self::Plain(permission)),
            Some(text) if plural || is_pattern(permission, text) => {
                Some(Self::Pattern(permission, text))
            }
            Some(name) => Some(Self::Name(permission, name)),
        }
    }
}

/// Tells whether the text behind a singular role is a pattern. To join and to send it is always a name, and `*`
/// is the group with that name; for states it may be either, so what has wildcards is a pattern, in which a
/// backslash takes their meaning away (`webpubsub.md` 3.9, 7).
fn is_pattern(permission: Permission, text: &str) -> bool {
    match permission {
        Permission::JoinLeaveGroup | Permission::SendToGroup => false,
        Permission::SetGroupState | Permission::GetGroupState => text.contains(['*', '?']),
    }
}

const fn place(permission: Permission) -> usize {
    match permission {
        Permission::JoinLeaveGroup => 0,
        Permission::SendToGroup => 1,
        Permission::SetGroupState => 2,
        Permission::GetGroupState => 3,
    }
}

#[cfg(test)]
mod tests {
    use alloc::collections::BTreeSet;
    use alloc::format;

    use proptest::prelude::*;

    use super::Permission::{
        GetGroupState as Get, JoinLeaveGroup as Join, SendToGroup as Send, SetGroupState as Set,
    };
    use super::*;

    fn permissions(roles: &[&str]) -> Permissions {
        Permissions::from_roles(roles.iter().copied(), 10, 1000)
    }

    /// Plain roles are all that most connections have: they must cost nothing beside the connection.
    #[test]
    fn plain_roles_are_small() {
        assert!(size_of::<Permissions>() <= 16);
        let none = permissions(&["unknown", "webpubsub.sendToGroups", "webpubsub.SendToGroup"]);
        assert!(none.details.is_none() && !none.allows(Join, "a") && !none.allows(Send, "a"));

        let mut send = permissions(&["webpubsub.sendToGroups.a*", "webpubsub.sendToGroup"]);
        assert!(send.details.is_none() && !send.allows(Join, "a") && send.allows(Send, "a"));
        send.revoke(Send, "a", 1).unwrap();
        assert!(!send.allows(Send, "a") && send.allows(Send, "b"));
        assert_eq!(send.revoke(Send, "b", 1), Err(TooMany));
        send.grant(Send, "a", 1).unwrap();
        assert!(send.details.is_none() && send.allows(Send, "a"));
    }

    /// The text after a role's dot is a name for singular roles, a pattern for plural ones.
    #[test]
    fn roles_name_groups_or_patterns() {
        let it = permissions(&["webpubsub.sendToGroup.*", "webpubsub.sendToGroup.a.b"]);
        assert!(it.allows(Send, "*") && it.allows(Send, "a.b") && !it.allows(Send, "a"));
        let it = permissions(&["webpubsub.joinLeaveGroups.a\\*", "webpubsub.joinLeaveGroups.b.?"]);
        assert!(it.allows(Join, "a*") && !it.allows(Join, "ab") && it.allows(Join, "b.c"));
        let all = permissions(&["webpubsub.joinLeaveGroups.**"]);
        assert!(all.details.is_none() && all.allows(Join, "x.y") && !all.allows(Send, "x.y"));
        assert!(permissions(&["webpubsub.sendToGroup. "]).details.is_none());
        // A name that a pattern covers too: revoking it must not leave the pattern to allow it.
        let mut it = permissions(&["webpubsub.sendToGroup.ab", "webpubsub.sendToGroups.a*"]);
        it.revoke(Send, "ab", 1).unwrap();
        assert!(!it.allows(Send, "ab") && it.allows(Send, "a"));
    }

    /// The singular roles of states take names and patterns, the plural ones patterns; none allows another's
    /// deed.
    #[test]
    fn roles_of_states() {
        let it = permissions(&["webpubsub.setGroupState.a*", "webpubsub.getGroupState.a\\b"]);
        assert!(it.allows(Set, "a") && it.allows(Set, "ab") && !it.allows(Set, "b"));
        assert!(it.allows(Get, "a\\b") && !it.allows(Get, "ab") && !it.allows(Send, "ab"));
        let it = permissions(&["webpubsub.setGroupState.\\*", "webpubsub.getGroupStates.a.?"]);
        assert!(it.allows(Set, "*") && !it.allows(Set, "a") && !it.allows(Set, "\\*"));
        assert!(it.allows(Get, "a.b") && !it.allows(Get, "a") && !it.allows(Join, "a.b"));
        let mut it = permissions(&["webpubsub.setGroupState", "webpubsub.getGroupState.**"]);
        assert!(it.details.is_none() && it.allows(Set, "x") && it.allows(Get, "x"));
        it.revoke(Get, "x", 1).unwrap();
        assert!(!it.allows(Get, "x") && it.allows(Set, "x") && !it.allows(Send, "x"));
        let none = ["webpubsub.setGroupStates", "webpubsub.getGroupState. "];
        assert!(permissions(&none).details.is_none() && !permissions(&none).allows(Set, "x"));
    }

    /// Excess roles are skipped, the last in order of text; duplicates count.
    #[test]
    fn roles_beyond_a_limit_are_skipped() {
        let roles = ["c*", "a*", "a*", "b*"].map(|it| format!("webpubsub.sendToGroups.{it}"));
        let it = Permissions::from_roles(roles.iter().map(|it| &**it), 3, 0);
        assert!(it.allows(Send, "a") && it.allows(Send, "b") && !it.allows(Send, "c"));
        let roles = ["b", "a"].map(|it| format!("webpubsub.sendToGroup.{it}"));
        let it = Permissions::from_roles(roles.iter().map(|it| &**it), 0, 1);
        assert!(it.allows(Send, "a") && !it.allows(Send, "b"));
    }

    const GROUPS: [&str; 5] = ["a", "ab", "a.b", "b", "b.b"];
    const RULES: [(&str, &[&str]); 5] = [
        ("webpubsub.sendToGroup", &GROUPS),
        ("webpubsub.sendToGroups.**", &GROUPS),
        ("webpubsub.sendToGroups.a*", &["a", "ab"]),
        ("webpubsub.sendToGroups.?.b", &["a.b", "b.b"]),
        ("webpubsub.sendToGroups.**b", &["ab", "a.b", "b", "b.b"]),
    ];

    proptest! {
        /// The naive twin: the last word on a group counts, else the rules; `odd` groups are stored.
        #[test]
        fn the_last_word_counts(
            rules in proptest::collection::vec(0..RULES.len(), 0..3),
            names in proptest::collection::vec(0..GROUPS.len(), 0..3),
            words in proptest::collection::vec((any::<bool>(), 0..GROUPS.len()), 0..20),
        ) {
            let max = 2;
            let names: BTreeSet<_> = names.into_iter().map(|at| GROUPS[at]).collect();
            let literals = names.iter().map(|name| format!("webpubsub.sendToGroup.{name}"));
            let roles: Vec<_> = rules.iter().map(|&at| RULES[at].0.into()).chain(literals).collect();
            let mut real = Permissions::from_roles(roles.iter().map(|it| &**it), 10, max);

            let ruled = |group: &str| rules.iter().any(|&at| RULES[at].1.contains(&group));
            let mut odd: BTreeSet<_> = names.into_iter().filter(|it| !ruled(it)).take(max).collect();
            for (allowed, at) in words {
                let group = GROUPS[at];
                let fits = odd.contains(group) || ruled(group) == allowed || odd.len() < max;
                let change = if allowed { Permissions::grant } else { Permissions::revoke };
                prop_assert_eq!(change(&mut real, Send, group, max).is_ok(), fits);
                if ruled(group) == allowed {
                    odd.remove(group);
                } else if fits {
                    odd.insert(group);
                }
                for group in GROUPS {
                    prop_assert_eq!(real.allows(Send, group), ruled(group) != odd.contains(group));
                }
                let stored = real.details.iter().flat_map(|it| &it[1].literals);
                prop_assert!(stored.map(|it| &*it.group).eq(odd.iter().copied()));
            }
        }
    }
}
