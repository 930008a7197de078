//! Who a command is about, and who not and why.

use alloc::vec::Vec;

use crate::state::{ConnectionId, ConnectionKey};
use crate::time::Time;

/// What a command would do to each open connection of its hub, as [`Engine::explain`](crate::Engine::explain) sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The verdict on each open connection of the hub, in the order of connection ids.
    pub verdicts: Vec<Verdict>,
}

/// What a command would do to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The connection.
    pub connection: ConnectionKey,
    /// Its public id.
    pub connection_id: ConnectionId,
    /// What becomes of it.
    pub fate: Fate,
}

/// What becomes of a connection when a command is carried out, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fate {
    /// The message goes to it at once; or, where the command is no send, the command is about it.
    Reached,
    /// The message waits for it, because it is paused.
    Paused {
        /// When the message is of no more use and will be dropped; `None` is never.
        until: Option<Time>,
    },
    /// The message waits for it, because it has lost its transport and has not come back yet.
    Detached {
        /// When the message is of no more use and will be dropped; `None` is never.
        until: Option<Time>,
    },
    /// The message is dropped: the connection is paused, and has no room for one more.
    Dropped,
    /// The connection is closed with 1008: it has no room for one more message.
    Closed,
    /// It is not in the group.
    NotMember,
    /// It is one of another user, or of none.
    OtherUser,
    /// Another connection is meant.
    OtherConnection,
    /// A filter does not let it through.
    Filtered,
    /// It is left out by its id.
    Excluded,
}

impl Explanation {
    /// Returns how many connections the command is about: what [`Engine::execute`](crate::Engine::execute) would answer
    /// with.
    pub fn affected(&self) -> usize {
        self.verdicts.iter().filter(|verdict| verdict.fate.is_affected()).count()
    }

    /// Returns what becomes of a connection; `None` when it is not in the hub, or not open.
    pub fn fate(&self, connection: ConnectionKey) -> Option<Fate> {
        let found = self.verdicts.iter().find(|verdict| verdict.connection == connection);
        found.map(|verdict| verdict.fate)
    }
}

impl Fate {
    /// Tells whether the command counts the connection among those that it is about.
    pub const fn is_affected(self) -> bool {
        match self {
            Self::Reached | Self::Paused { .. } | Self::Detached { .. } | Self::Dropped => true,
            Self::Closed
            | Self::NotMember
            | Self::OtherUser
            | Self::OtherConnection
            | Self::Filtered
            | Self::Excluded => false,
        }
    }
}
