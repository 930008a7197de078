//! What a filter is asked about, and what it tells the indexes.
#![cfg_attr(
    not(feature = "filter"),
    expect(dead_code, reason = "nobody asks where there are no filters")
)]

use smallvec::SmallVec;

/// A connection, as filters see it. Nothing is looked up before a filter asks for it.
pub(crate) trait Subject {
    fn user(&self) -> Option<&str>;
    fn connection_id(&self) -> &str;
    /// Returns the name of the subprotocol; plain clients have none.
    fn protocol(&self) -> Option<&str>;
    /// Returns how many groups it is in.
    fn groups(&self) -> usize;
    fn is_in(&self, group: &str) -> bool;
}

/// A condition that an index answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Handle<'a> {
    /// The user is one of these.
    Users(SmallVec<[&'a str; 4]>),
    /// It is in this group.
    Group(&'a str),
    /// The connection is one of these.
    Connections(SmallVec<[&'a str; 4]>),
}

/// The conditions of a filter that indexes answer.
pub(crate) type Handles<'a> = SmallVec<[Handle<'a>; 4]>;
