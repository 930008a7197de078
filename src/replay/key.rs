//! Keys as a journal has them.

use core::fmt;
use core::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use crate::event::CallId;
use crate::state::{ConnectionKey, GroupKey};

/// Names a connection in a journal. It is made from a [`ConnectionKey`], and only a replay turns it into one again: the
/// engine is deterministic, so in a replay the same connections have the same keys.
///
/// It is shown as `3v1`: the index and the generation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Key {
    index: u32,
    generation: NonZeroU32,
}

impl Key {
    pub(crate) const fn revive(self) -> ConnectionKey {
        ConnectionKey::recorded(self.index, self.generation)
    }
}

impl From<ConnectionKey> for Key {
    fn from(key: ConnectionKey) -> Self {
        Self { index: key.slot(), generation: key.generation() }
    }
}

impl PartialEq<ConnectionKey> for Key {
    fn eq(&self, other: &ConnectionKey) -> bool {
        *self == Self::from(*other)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}v{}", self.index, self.generation)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Names a call that waits for an answer, in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CallKey {
    connection: Key,
    number: u64,
}

impl CallKey {
    /// Returns the connection that the event happened to.
    pub const fn connection(self) -> Key {
        self.connection
    }

    /// Returns the number of the event within its connection.
    pub const fn number(self) -> u64 {
        self.number
    }

    pub(crate) const fn revive(self) -> CallId {
        CallId { connection: self.connection.revive(), number: self.number }
    }
}

impl From<CallId> for CallKey {
    fn from(call: CallId) -> Self {
        Self { connection: call.connection.into(), number: call.number }
    }
}

/// Names a group that was looked up, in a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FoundGroup {
    slot: u32,
    number: u64,
}

impl FoundGroup {
    pub(crate) const fn revive(self) -> GroupKey {
        GroupKey { slot: self.slot, number: self.number }
    }
}

impl From<GroupKey> for FoundGroup {
    fn from(group: GroupKey) -> Self {
        Self { slot: group.slot, number: group.number }
    }
}

impl fmt::Display for FoundGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.slot, self.number)
    }
}
