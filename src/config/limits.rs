//! Every limit of the engine, in one place.

use alloc::string::ToString;
use core::time::Duration;

use thiserror::Error;

use super::ConfigError;

/// The limits of a hub. A limit reached is an answer to the peer and a counter, never growth.
///
/// ```
/// use hubcast::Limits;
///
/// assert_eq!(Limits::default().message_bytes, 1024 * 1024);
/// assert_eq!(Limits::free().connections, 20);
/// assert_eq!(Limits::standard(3).connections, 3_000);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of one message, from a client or a command. A client that sends more is closed with
    /// 1009, a command fails. At least 1. Default 1 MiB (`webpubsub.md` 10.1).
    pub message_bytes: usize,
    /// The most connections of the hub; one more is refused with status 429. Default: no limit.
    pub connections: usize,
    /// The most groups of one connection; a join beyond gets an error ack. Default 10,000.
    pub groups_per_connection: usize,
    /// How many acknowledged ids a connection remembers. At least 1. Default 1,000.
    pub ack_cache: usize,
    /// The most messages that wait behind an event whose handler has not answered; one more closes the
    /// connection with 1008. Default 1,000.
    pub queued_messages: usize,
    /// The most bytes of those messages. Default 16 MiB.
    pub queued_bytes: usize,
    /// The most wildcard patterns of one permission of a connection; the rest are ignored. Default 10.
    pub patterns_per_permission: usize,
    /// The most literal group names of one permission of a connection; roles beyond are ignored, a grant
    /// fails. Default 1,000.
    pub literals_per_permission: usize,
    /// How long the handshake may take, from [`Engine::open`](crate::Engine::open) to the answer of the
    /// `connect` handler; then it is refused with status 503. Default 100 s.
    pub handshake_timeout: Duration,
    /// How long an event handler may take to answer. Default 100 s.
    pub call_timeout: Duration,
    /// How long a connection may be silent before it is closed; the time in which it waits for an event handler
    /// does not count. Default: for ever.
    pub idle_timeout: Option<Duration>,
    /// The most messages that a reliable connection has not acknowledged, while it is connected and while it
    /// is not; one more ends it for good. Default 1,000 (`webpubsub.md` 4.3).
    pub unacknowledged_messages: usize,
    /// The most bytes of those messages. Default 16 MiB.
    pub unacknowledged_bytes: usize,
    /// How long a reliable connection without a transport waits to be recovered. Default 30 s
    /// (`webpubsub.md` 4.5).
    pub recovery_window: Duration,
    /// The most messages that wait for a paused connection; see
    /// [`HubConfig::slow_consumer`](crate::HubConfig::slow_consumer). Default 1,000.
    pub paused_messages: usize,
    /// The most bytes of those messages. Default 16 MiB.
    pub paused_bytes: usize,
    /// The most streams that a connection may have open; one more is refused. Default 100.
    pub streams_per_connection: usize,
    /// The most invocations of a connection that wait for their answers; one more gets an error. Default 100.
    pub invocations_per_connection: usize,
    /// The most bytes of the state of a connection in one group, keys and values together. Default 512
    /// (`webpubsub.md` 3.9).
    pub group_state_bytes: usize,
    /// The most messages a second, counted as [`messages_per_day`](Self::messages_per_day). A publish
    /// beyond gets an error ack. Default: no limit.
    pub messages_per_second: Option<u64>,
    /// The most messages a day (UTC). A message counts once for each recipient and each started 2 KiB.
    /// A publish beyond closes the client with 1008. Default: no limit.
    pub messages_per_day: Option<u64>,
}

impl Limits {
    /// The limits of the service's free tier: 20 connections, 20,000 messages a day, 30 min idle.
    pub fn free() -> Self {
        Self {
            connections: 20,
            messages_per_day: Some(20_000),
            idle_timeout: Some(IDLE),
            ..Self::default()
        }
    }

    /// The limits of the service's standard tier: for each unit 1,000 connections, 1,000 messages a second
    /// and 1,000,000 messages a day; 30 min idle. The service sells 1 to 100 units; any number works here.
    pub fn standard(units: u32) -> Self {
        let units = u64::from(units);
        Self {
            connections: usize::try_from(units.saturating_mul(1_000)).unwrap_or(usize::MAX),
            messages_per_second: Some(units * 1_000),
            messages_per_day: Some(units * 1_000_000),
            idle_timeout: Some(IDLE),
            ..Self::default()
        }
    }

    pub(crate) fn check(&self, of: &str) -> Result<(), ConfigError> {
        let positive = "must be at least 1";
        let rules = [
            ("message_bytes", self.message_bytes > 0, positive),
            ("connections", self.connections > 0, positive),
            ("ack_cache", self.ack_cache > 0, positive),
            ("unacknowledged_messages", self.unacknowledged_messages > 0, positive),
            ("unacknowledged_bytes", self.unacknowledged_bytes > 0, positive),
            ("recovery_window", !self.recovery_window.is_zero(), "must be above zero"),
            ("paused_messages", self.paused_messages > 0, positive),
            ("paused_bytes", self.paused_bytes > 0, positive),
            ("handshake_timeout", !self.handshake_timeout.is_zero(), "must be above zero"),
            ("call_timeout", !self.call_timeout.is_zero(), "must be above zero"),
            ("idle_timeout", self.idle_timeout != Some(Duration::ZERO), "must be above zero"),
        ];
        for (field, holds, rule) in rules {
            if !holds {
                return Err(ConfigError::Limit { of: of.to_string(), field, rule });
            }
        }
        Ok(())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 1024 * 1024,
            connections: usize::MAX,
            groups_per_connection: 10_000,
            ack_cache: 1_000,
            queued_messages: 1_000,
            queued_bytes: 16 * 1024 * 1024,
            patterns_per_permission: 10,
            literals_per_permission: 1_000,
            handshake_timeout: Duration::from_secs(100),
            call_timeout: Duration::from_secs(100),
            idle_timeout: None,
            unacknowledged_messages: 1_000,
            unacknowledged_bytes: 16 * 1024 * 1024,
            recovery_window: Duration::from_secs(30),
            paused_messages: 1_000,
            paused_bytes: 16 * 1024 * 1024,
            streams_per_connection: 100,
            invocations_per_connection: 100,
            group_state_bytes: 512,
            messages_per_second: None,
            messages_per_day: None,
        }
    }
}

/// A quota of messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Quota {
    /// [`Limits::messages_per_second`].
    #[error("messages_per_second")]
    Second,
    /// [`Limits::messages_per_day`].
    #[error("messages_per_day")]
    Day,
}

const IDLE: Duration = Duration::from_secs(30 * 60);
