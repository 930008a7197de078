//! What the webhooks of a service are set up with.

use alloc::string::String;
use core::time::Duration;

use thiserror::Error;

use crate::token::AccessKeys;

/// Everything that [`Webhooks`](super::Webhooks) are made with.
#[derive(Clone, Debug)]
pub struct WebhookSettings {
    /// The keys that sign events.
    pub keys: AccessKeys,
    /// The host name of the service, without a port: what handlers allow or not.
    pub origin: String,
    /// How much may be under way.
    pub limits: WebhookLimits,
}

/// How much may be under way, and for how long.
///
/// The bounds are for each handler, so that one which hangs takes no room from the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebhookLimits {
    /// The most events of a handler that are under way or wait, at least 1. One more fails. Default 10,000.
    pub calls: usize,
    /// The most bytes of the requests of those events, bodies and headers together. Default 256 MiB.
    pub bytes: usize,
    /// The most notifications of a connection that are under way or wait, besides one. One more is dropped, unless
    /// it is `connected` or `disconnected`. Default 1,000.
    pub notifications: usize,
    /// How long a notification waits for the answer to the one before it at most, from when that was sent, or began to wait
    /// until a handler of its own is validated: then a later one for another handler goes out first. With zero it does
    /// not wait. Default 500 ms.
    pub notification_wait: Duration,
    /// The most handlers that are known at a time, at least 1; what an idle one has answered is forgotten for a
    /// new one. Default 1,000.
    pub handlers: usize,
    /// The most bytes of the cookies of all connections. Default 64 MiB.
    pub cookie_bytes: usize,
    /// How long an event may take in all, with its retries (`webpubsub.md` 8.9). Default 100 s.
    pub timeout: Duration,
    /// How long a validation may take. Default 10 s.
    pub validation_timeout: Duration,
}

impl Default for WebhookLimits {
    fn default() -> Self {
        Self {
            calls: 10_000,
            bytes: 256 * 1024 * 1024,
            notifications: 1_000,
            notification_wait: Duration::from_millis(500),
            handlers: 1_000,
            cookie_bytes: 64 * 1024 * 1024,
            timeout: Duration::from_secs(100),
            validation_timeout: Duration::from_secs(10),
        }
    }
}

/// Why [`WebhookSettings`] are not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WebhookSettingsError {
    /// The origin is empty or has characters that a header cannot have.
    #[error("the origin must be a host name")]
    Origin,
    /// A limit that must be at least 1 is 0.
    #[error("the limits calls, handlers, timeout and validation_timeout must be above zero")]
    Limit,
}
