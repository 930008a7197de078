//! Hubs, groups and users.

use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;

use smallvec::SmallVec;

use super::label::Label;
use super::names::Names;
use super::quota::QuotaUse;
use super::roster::Roster;
use super::{ConnectionKey, GroupStates};
use crate::config::{EventHandler, EventListener, FailedEvent, HubConfig, Limits, SlowConsumer};

/// An isolated world of connections, groups and users.
#[derive(Debug)]
pub(crate) struct Hub {
    /// In lower case.
    pub name: Box<str>,
    pub settings: Settings,
    pub limits: Limits,
    /// Whether the limits have changed, so that there can be more of something than they allow.
    pub is_set_up_anew: bool,
    pub groups: Names,
    pub users: Names,
    /// All open connections.
    pub roster: Roster,
    /// How many connections wait for their `connect` handler.
    pub handshaking: usize,
    pub quota: QuotaUse,
}

/// How a hub is configured, but for its limits. Actions that wait hold on to their handlers and listeners, because
/// the settings can change meanwhile.
#[derive(Debug)]
pub(crate) struct Settings {
    /// Whether the configuration names the hub.
    pub is_configured: bool,
    pub allow_anonymous: bool,
    pub handlers: Vec<Arc<EventHandler>>,
    pub listeners: Vec<Arc<EventListener>>,
    pub failed_event: FailedEvent,
    pub slow_consumer: SlowConsumer,
}

impl Settings {
    pub(crate) fn new(config: HubConfig, is_configured: bool) -> Self {
        let HubConfig { allow_anonymous, handlers, listeners, failed_event, slow_consumer, .. } =
            config;
        Self {
            is_configured,
            allow_anonymous,
            handlers: handlers.into_iter().map(Arc::new).collect(),
            listeners: listeners.into_iter().map(Arc::new).collect(),
            failed_event,
            slow_consumer,
        }
    }
}

/// Names a group to its engine, for [`Command::Publish`](crate::Command::Publish).
///
/// A group exists as long as it has members. The key of one that is gone names nothing, also when there is a group
/// with the same name again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKey {
    pub(crate) slot: u32,
    pub(crate) number: u64,
}

/// Some connections of a hub under a name. It exists as long as it has a member.
#[derive(Debug)]
#[repr(align(64))]
pub(crate) struct Group {
    pub hub: u32,
    pub name: Label,
    /// No other group ever has the same.
    pub number: u64,
    pub roster: Roster,
    /// Most groups have none.
    pub states: Option<Box<GroupStates>>,
}

/// The connections of one user. It exists as long as it has one.
#[derive(Debug)]
pub(crate) struct User {
    pub hub: u32,
    pub name: Label,
    pub connections: SmallVec<[ConnectionKey; 2]>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A group with its first members is three lines of the cache, and begins with one.
    #[test]
    fn cache_lines() {
        if size_of::<usize>() == 8 {
            assert_eq!((size_of::<Group>(), align_of::<Group>()), (3 * 64, 64));
        }
    }
}
