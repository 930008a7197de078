//! Hubs, groups and users.

use alloc::boxed::Box;

use smallvec::SmallVec;

use super::names::Names;
use super::quota::QuotaUse;
use super::roster::Roster;
use super::{ConnectionKey, GroupStates};
use crate::config::{HubConfig, Limits};

/// An isolated world of connections, groups and users.
#[derive(Debug)]
pub(crate) struct Hub {
    /// In lower case.
    pub name: Box<str>,
    pub settings: HubConfig,
    pub limits: Limits,
    pub groups: Names,
    pub users: Names,
    /// All open connections.
    pub roster: Roster,
    /// How many connections wait for their `connect` handler.
    pub handshaking: usize,
    pub quota: QuotaUse,
}

/// Some connections of a hub under a name. It exists as long as it has a member.
#[derive(Debug)]
pub(crate) struct Group {
    pub hub: u32,
    pub name: Box<str>,
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
    pub name: Box<str>,
    pub connections: SmallVec<[ConnectionKey; 2]>,
}
