//! What a client is, and how it behaves.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use crate::protocol::Protocol;

/// What a client is, and how it behaves.
///
/// ```
/// use hubcast::Protocol;
/// use hubcast::testing::Profile;
///
/// let alice = Profile { user: Some("alice".into()), ..Profile::new("game", Protocol::ReliableJson) };
/// assert_eq!(alice.hub, "game");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// The hub that it connects to.
    pub hub: String,
    /// What it speaks.
    pub protocol: Protocol,
    /// Its user.
    pub user: Option<String>,
    /// Its roles; by default it may join, publish and use states everywhere.
    pub roles: Vec<String>,
    /// The groups that its token puts it into, on every new connection.
    pub groups: Vec<String>,
    /// The group that a plain client publishes to; its messages are events where there is none.
    pub target: Option<String>,
    /// How long it takes to acknowledge what has arrived. The official SDKs take a second.
    pub ack_delay: Duration,
    /// How many messages it leaves unacknowledged at most. In the official SDKs this is 300.
    pub ack_gap: u64,
    /// How long it waits between attempts to connect. The official SDKs wait for a second.
    pub retry_delay: Duration,
    /// How long it tries to recover a session. The official SDKs try for 30 seconds.
    pub recover_for: Duration,
}

impl Profile {
    /// Makes a profile with the habits of the official SDKs.
    pub fn new(hub: impl Into<String>, protocol: Protocol) -> Self {
        let roles = ["joinLeaveGroup", "sendToGroup", "setGroupState", "getGroupState"];
        Self {
            hub: hub.into(),
            protocol,
            user: None,
            roles: roles.map(|role| "webpubsub.".to_owned() + role).into(),
            groups: Vec::new(),
            target: None,
            ack_delay: Duration::from_secs(1),
            ack_gap: 300,
            retry_delay: Duration::from_secs(1),
            recover_for: Duration::from_secs(30),
        }
    }
}
