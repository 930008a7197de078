//! What a condition means: a connection is looked at, and that is all.

use alloc::string::String;

use super::Connection;
use crate::testing::condition::Condition;

impl Connection {
    /// Tells whether a condition holds for it. `ids` are the ids of the connections that it may name, by number.
    pub(super) fn fits(&self, condition: &Condition, ids: &[String]) -> bool {
        let is = |number: &usize| ids.get(*number) == Some(&self.id);
        match condition {
            Condition::User(user) => self.user.as_ref() == Some(user),
            Condition::Users(users) => self.user.as_ref().is_some_and(|user| users.contains(user)),
            Condition::Group(group) => self.is_in(group),
            Condition::Connection(number) => is(number),
            Condition::Connections(numbers) => numbers.iter().any(is),
            Condition::Anonymous => self.user.is_none(),
            Condition::UserPrefix(prefix) => {
                self.user.as_ref().is_some_and(|user| user.starts_with(prefix))
            }
            Condition::GroupsOver(count) => self.groups.len() > *count,
            Condition::Protocol(protocol) => self.protocol == *protocol,
            Condition::Not(condition) => !self.fits(condition, ids),
            Condition::All(conditions) => conditions.iter().all(|it| self.fits(it, ids)),
            Condition::Any(conditions) => conditions.iter().any(|it| self.fits(it, ids)),
        }
    }
}
