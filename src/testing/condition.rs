//! Conditions on connections, which become filters.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::protocol::Protocol;

/// A condition on connections, as data that shrinks; connections are named by their numbers. An engine gets it as the
/// text of a [`Filter`](crate::Filter), the [`Model`](super::Model) has its own idea of what it means.
///
/// ```
/// use hubcast::Filter;
/// use hubcast::testing::Condition;
///
/// let ids = ["one".to_owned(), "two".to_owned()];
/// let condition = Condition::All(vec![
///     Condition::Group("o'clock".into()),
///     Condition::Not(Box::new(Condition::Connections(vec![1, 0]))),
/// ]);
/// let text = condition.text(&ids);
/// assert_eq!(text, "('o''clock' in groups) and (not (connectionId in ('two','one')))");
/// assert!(Filter::parse(&text).is_ok());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// The user is this one; there is an index for it.
    User(String),
    /// The user is one of these; there is an index for it.
    Users(Vec<String>),
    /// It is a member of the group; there is an index for it.
    Group(String),
    /// It is this connection; there is an index for it.
    Connection(usize),
    /// It is one of these connections; there is an index for it.
    Connections(Vec<usize>),
    /// It has no user.
    Anonymous,
    /// The name of the user begins like this.
    UserPrefix(String),
    /// It is in more groups than this.
    GroupsOver(usize),
    /// It speaks this protocol; a plain client speaks none.
    Protocol(Protocol),
    /// The condition does not hold.
    Not(Box<Condition>),
    /// All hold. Without any, all connections are meant.
    All(Vec<Condition>),
    /// One at least holds. Without any, no connection is meant.
    Any(Vec<Condition>),
}

impl Condition {
    /// Returns it as a filter. `ids` are the ids of the connections that it may name, by number.
    pub fn text(&self, ids: &[String]) -> String {
        let id = |number: &usize| quoted(ids.get(*number).map_or("", String::as_str));
        let joined = |conditions: &[Self], connective: &str, empty: &str| {
            let texts: Vec<_> = conditions.iter().map(|it| format!("({})", it.text(ids))).collect();
            if texts.is_empty() { empty.into() } else { texts.join(connective) }
        };
        match self {
            Self::User(user) => format!("userId eq {}", quoted(user)),
            Self::Users(users) => {
                let users: Vec<_> = users.iter().map(|user| quoted(user)).collect();
                format!("userId in ({})", users.join(","))
            }
            Self::Group(group) => format!("{} in groups", quoted(group)),
            Self::Connection(number) => format!("{} eq connectionId", id(number)),
            Self::Connections(numbers) => {
                let ids: Vec<_> = numbers.iter().map(id).collect();
                format!("connectionId in ({})", ids.join(","))
            }
            Self::Anonymous => "userId eq null".into(),
            Self::UserPrefix(prefix) => format!("startswith(userId,{})", quoted(prefix)),
            Self::GroupsOver(count) => format!("length(groups) gt {count}"),
            Self::Protocol(protocol) => match protocol.name() {
                Some(name) => format!("protocol eq {}", quoted(name)),
                None => "protocol eq null".into(),
            },
            Self::Not(condition) => format!("not ({})", condition.text(ids)),
            Self::All(conditions) => joined(conditions, " and ", "true"),
            Self::Any(conditions) => joined(conditions, " or ", "false"),
        }
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
