//! What a server asks of the engine, as data.

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

use crate::config::Quota;
use crate::filter::Filter;
use crate::protocol::Data;
use crate::state::{ConnectionId, GroupKey, Permission};

/// One operation of the server side, for [`Engine::execute`](crate::Engine::execute). It is never checked
/// for permission.
///
/// ```
/// use hubcast::{Audience, Command, Config, Data, Engine, Reply, Time};
///
/// let mut engine = Engine::new(Config::new(1))?;
/// let command = Command::Send {
///     to: Audience::Group("chat", "room"),
///     data: Data::Json(r#"{"hello":"world"}"#),
///     options: Default::default(),
/// };
/// assert_eq!(engine.execute(command, Time::EPOCH)?, Reply::Affected(0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Sends a message. Answers with how many connections it went to; nobody there is no error.
    Send {
        /// Who gets it.
        to: Audience<'a>,
        /// What they get.
        data: Data<'a>,
        /// Who does not, and what else goes with it.
        options: SendOptions<'a>,
    },
    /// Publishes to a group that was [looked up](crate::Engine::group) before: for whoever publishes to the same group
    /// again and again. Answers like [`Send`](Self::Send); a key of a group that is gone is an error.
    Publish {
        /// The group.
        group: GroupKey,
        /// What its members get.
        data: Data<'a>,
        /// Who does not, and what else goes with it.
        options: SendOptions<'a>,
    },
    /// Puts connections into groups. Answers with how many connections there were. A connection or user
    /// that is not there is an error.
    Join {
        /// Which connections.
        who: Audience<'a>,
        /// The groups; all names are checked before anything changes.
        groups: &'a [&'a str],
    },
    /// Takes connections out of groups. Answers with how many connections there were.
    Leave {
        /// Which connections.
        who: Audience<'a>,
        /// The groups; all names are checked before anything changes.
        groups: &'a [&'a str],
    },
    /// Takes connections out of all their groups. Answers with how many connections there were.
    LeaveAll {
        /// Which connections.
        who: Audience<'a>,
    },
    /// Closes connections with 1000, after a `disconnected` message to those with a subprotocol. Answers
    /// with how many there were.
    Close {
        /// Which connections.
        who: Audience<'a>,
        /// The ids of connections that stay.
        except: &'a [&'a str],
        /// The reason that the clients are told; may be empty.
        reason: &'a str,
    },
    /// Allows a connection an operation on a group. A connection that is not there is an error.
    Grant(GroupPermission<'a>),
    /// Forbids a connection an operation on a group. A connection that is not there is fine.
    Revoke(GroupPermission<'a>),
    /// Asks whether a connection may do an operation on a group. Answers with [`Reply::Is`]; a connection
    /// that is not there is an error.
    Check(GroupPermission<'a>),
    /// Asks whether an audience has any connection. Answers with [`Reply::Is`].
    Exists {
        /// The audience.
        who: Audience<'a>,
    },
    /// Asks how many connections an audience has. Answers with [`Reply::Affected`].
    Count {
        /// The audience.
        who: Audience<'a>,
    },
    /// Lists the members of a group in the order of their connection ids. Answers with [`Reply::Members`].
    List {
        /// The hub.
        hub: &'a str,
        /// The group.
        group: &'a str,
        /// Only members behind this connection id, the cursor of the page before; it need not exist.
        after: Option<&'a str>,
        /// The most members to list, 1 to 200.
        limit: usize,
    },
}

/// Some connections, by what they have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience<'a> {
    /// All connections of a hub.
    Hub(&'a str),
    /// The members of a group: hub, group.
    Group(&'a str, &'a str),
    /// The connections of a user: hub, user.
    User(&'a str, &'a str),
    /// One connection: hub, connection id.
    Connection(&'a str, &'a str),
    /// The connections of a hub that a filter lets through.
    Matching(&'a str, &'a Filter),
}

impl<'a> Audience<'a> {
    /// Returns the hub.
    pub fn hub(self) -> &'a str {
        match self {
            Self::Hub(hub)
            | Self::Group(hub, _)
            | Self::User(hub, _)
            | Self::Connection(hub, _)
            | Self::Matching(hub, _) => hub,
        }
    }
}

/// Who is left out of a send, and what goes with it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SendOptions<'a> {
    /// The ids of connections that do not get it; unknown ones are ignored.
    pub except: &'a [&'a str],
    /// Only connections that it lets through get it.
    pub filter: Option<&'a Filter>,
    /// The metadata of the message (`webpubsub.md` 3.3).
    pub metadata: &'a [(&'a str, &'a str)],
    /// After how many seconds a message that could not be handed over is of no more use: 0 to 300; 0 is
    /// never.
    pub ttl_seconds: u32,
}

/// An operation of a connection on a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GroupPermission<'a> {
    /// The hub.
    pub hub: &'a str,
    /// The id of the connection.
    pub connection_id: &'a str,
    /// The operation.
    pub permission: Permission,
    /// The group, by its literal name: `*` is the group with that name.
    pub group: &'a str,
}

/// The answer to a [`Command`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// It is done.
    Done,
    /// It is done, and this many connections were concerned.
    Affected(usize),
    /// The answer to a question.
    Is(bool),
    /// A page of members.
    Members(Members),
}

/// A page of the members of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Members {
    /// The members in the order of their connection ids.
    pub members: Vec<Member>,
    /// Whether there are members behind the last one; its id is the cursor of the next page.
    pub more: bool,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The id of the connection.
    pub connection_id: ConnectionId,
    /// Its user.
    pub user: Option<String>,
}

/// Why a [`Command`] was not carried out. Nothing has changed then.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CommandError {
    /// The hub is not configured, and unknown hubs are refused.
    #[error("hub {0:?} is not configured")]
    UnknownHub(String),
    /// The name breaks the rules for hub names.
    #[error(
        "hub: {0:?} is no hub name: a letter, then up to 127 letters, digits or any of _ ` , . [ ]"
    )]
    HubName(String),
    /// The name breaks the rules for group names.
    #[error("group: a name has 1 to 1024 characters, not all white space")]
    GroupName,
    /// The key is of a group that is gone: all its members have left it since.
    #[error("group: the key is of a group that is gone: look it up again")]
    StaleGroup,
    /// No connection has this id.
    #[error("connection {0:?} is not found")]
    NoConnection(String),
    /// The user has no connection.
    #[error("user {0:?} has no connection")]
    NoUser(String),
    /// The data says it is JSON and is not.
    #[error("data: is not valid JSON")]
    Json,
    /// The data says it is a `google.protobuf.Any` and is not.
    #[error("data: is not a google.protobuf.Any")]
    Protobuf,
    /// The data is larger than a message may be.
    #[error("data: has {size} bytes, the most is {most}")]
    TooLarge {
        /// The bytes of the data.
        size: usize,
        /// The most that the hub allows.
        most: usize,
    },
    /// The metadata breaks its rules.
    #[error(
        "metadata: token keys of 1 to 256 bytes, no two the same, ASCII values up to 1024, 8192 in all"
    )]
    Metadata,
    /// The time to live is out of range.
    #[error("ttl_seconds: {0} is not within 0 to 300")]
    Ttl(u32),
    /// The page size is out of range.
    #[error("limit: {0} is not within 1 to 200")]
    PageSize(usize),
    /// The connection has as many literal permissions as it may have.
    #[error("the connection has {0} literal permissions, the most that are allowed")]
    TooManyGrants(usize),
    /// A connection is in as many groups as it may be in.
    #[error("a connection would be in more than {0} groups")]
    TooManyGroups(usize),
    /// The hub has sent as many messages as it may send for now.
    #[error("message count reaches limit: {0}")]
    Throttled(Quota),
}
