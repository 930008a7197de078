//! Plain counters; the host exports them.

use alloc::string::String;
use alloc::vec::Vec;
use core::ops::AddAssign;

use crate::protocol::AckError;

/// What the engine has counted since it was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// The hubs in the order in which they came to be.
    pub hubs: Vec<HubMetrics>,
    /// Connections that were refused.
    pub refused: u64,
    /// Messages received from clients.
    pub messages_in: u64,
    /// Their bytes.
    pub bytes_in: u64,
    /// Messages published or sent, each once however many get it.
    pub messages_out: u64,
    /// Messages that were not published or sent because a quota was used up.
    pub messages_throttled: u64,
    /// Frames encoded: one for each wire format among the recipients of a message.
    pub encodes: u64,
    /// Frames handed to the host, one for each recipient.
    pub deliveries: u64,
    /// The bytes of those frames, once for each recipient.
    pub bytes_out: u64,
    /// Acks by outcome.
    pub acks: AckMetrics,
    /// Ended connections by cause.
    pub closes: CloseMetrics,
    /// Events handed to handlers.
    pub calls: u64,
    /// Events handed to listeners, once for each listener.
    pub notifications: u64,
    /// Calls that failed or were not answered in time.
    pub calls_failed: u64,
    /// Blocking events that no handler takes.
    pub events_unhandled: u64,
    /// Groups of connections that were not joined because of a limit.
    pub joins_limited: u64,
    /// Messages for slow or absent connections that were dropped.
    pub drops: Drops,
    /// Reliable connections that lost their transport.
    pub detached: u64,
    /// Those that were taken up again.
    pub recovered: u64,
    /// Attempts at recovery that were refused.
    pub recoveries_refused: u64,
    /// Inputs for connections or calls that are gone; harmless.
    pub stale_inputs: u64,
}

/// The counters of one hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubMetrics {
    /// The name, in lower case.
    pub hub: String,
    /// Open connections.
    pub connections: u64,
    /// Connections that were ever accepted.
    pub connections_ever: u64,
}

/// Messages that were dropped before they were handed to the host, by why.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drops {
    /// There was no room for it: [`SlowConsumer::DropNewest`](crate::SlowConsumer::DropNewest), and every policy that
    /// drops where it is longer than all the room there is.
    pub newest: u64,
    /// It had waited longest: [`SlowConsumer::DropOldest`](crate::SlowConsumer::DropOldest), and
    /// [`SlowConsumer::KeepLatest`](crate::SlowConsumer::KeepLatest) without room.
    pub oldest: u64,
    /// A newer message of its group came: [`SlowConsumer::KeepLatest`](crate::SlowConsumer::KeepLatest).
    pub superseded: u64,
    /// Its time to live was over.
    pub expired: u64,
    /// It waited for a connection that ended, by [`SlowConsumer::Disconnect`](crate::SlowConsumer::Disconnect)
    /// or otherwise.
    pub ended: u64,
}

impl Drops {
    /// Tells whether nothing was dropped.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl AddAssign for Drops {
    fn add_assign(&mut self, other: Self) {
        let Self { newest, oldest, superseded, expired, ended } = other;
        self.newest += newest;
        self.oldest += oldest;
        self.superseded += superseded;
        self.expired += expired;
        self.ended += ended;
    }
}

/// Acks by outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AckMetrics {
    /// The request was done.
    pub success: u64,
    /// No permission.
    pub forbidden: u64,
    /// The ack id was used before.
    pub duplicate: u64,
    /// A limit was reached.
    pub bad_request: u64,
    /// The event failed or nobody took it.
    pub internal_server_error: u64,
    /// Too many messages.
    pub throttled: u64,
}

/// Ended connections by cause (`webpubsub.md` 10.4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CloseMetrics {
    /// The client closed, or was lost.
    pub normal: u64,
    /// A command closed it.
    pub closed_by_app_server: u64,
    /// The client broke the protocol.
    pub bad_request: u64,
    /// The client may not do what it did.
    pub unauthorized: u64,
    /// The client sent too much.
    pub throttled: u64,
    /// The client did not read.
    pub slow_client: u64,
    /// Nothing was heard of the client.
    pub ping_timeout: u64,
    /// An event failed.
    pub send_event_failed: u64,
    /// An event had no handler.
    pub event_handler_not_found: u64,
    /// The engine was stopped.
    pub service_reload: u64,
}

/// Why a connection ended: the close categories of the service (`webpubsub.md` 10.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CloseCause {
    /// The client closed, or was lost.
    Normal,
    /// A command closed it.
    ClosedByAppServer,
    /// The client broke the protocol.
    BadRequest,
    /// The client may not do what it did.
    Unauthorized,
    /// The client sent too much.
    Throttled,
    /// The client did not read.
    SlowClient,
    /// Nothing was heard of the client.
    PingTimeout,
    /// An event failed.
    SendEventFailed,
    /// An event had no handler.
    EventHandlerNotFound,
    /// The engine was stopped.
    ServiceReload,
}

impl CloseCause {
    /// Returns the name of the category, such as `SlowClient`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Normal => "Normal",
            Self::ClosedByAppServer => "ClosedByAppServer",
            Self::BadRequest => "BadRequest",
            Self::Unauthorized => "Unauthorized",
            Self::Throttled => "Throttled",
            Self::SlowClient => "SlowClient",
            Self::PingTimeout => "PingTimeout",
            Self::SendEventFailed => "SendEventFailed",
            Self::EventHandlerNotFound => "EventHandlerNotFound",
            Self::ServiceReload => "ServiceReload",
        }
    }
}

impl CloseMetrics {
    /// Goes through the causes and how many connections ended by each.
    ///
    /// ```
    /// use hubcast::{CloseCause, CloseMetrics};
    ///
    /// let closes = CloseMetrics { slow_client: 2, ..CloseMetrics::default() };
    /// assert!(closes.iter().any(|(cause, count)| cause == CloseCause::SlowClient && count == 2));
    /// ```
    pub fn iter(&self) -> impl Iterator<Item = (CloseCause, u64)> {
        [
            (CloseCause::Normal, self.normal),
            (CloseCause::ClosedByAppServer, self.closed_by_app_server),
            (CloseCause::BadRequest, self.bad_request),
            (CloseCause::Unauthorized, self.unauthorized),
            (CloseCause::Throttled, self.throttled),
            (CloseCause::SlowClient, self.slow_client),
            (CloseCause::PingTimeout, self.ping_timeout),
            (CloseCause::SendEventFailed, self.send_event_failed),
            (CloseCause::EventHandlerNotFound, self.event_handler_not_found),
            (CloseCause::ServiceReload, self.service_reload),
        ]
        .into_iter()
    }

    pub(crate) fn count(&mut self, cause: CloseCause) {
        *match cause {
            CloseCause::Normal => &mut self.normal,
            CloseCause::ClosedByAppServer => &mut self.closed_by_app_server,
            CloseCause::BadRequest => &mut self.bad_request,
            CloseCause::Unauthorized => &mut self.unauthorized,
            CloseCause::Throttled => &mut self.throttled,
            CloseCause::SlowClient => &mut self.slow_client,
            CloseCause::PingTimeout => &mut self.ping_timeout,
            CloseCause::SendEventFailed => &mut self.send_event_failed,
            CloseCause::EventHandlerNotFound => &mut self.event_handler_not_found,
            CloseCause::ServiceReload => &mut self.service_reload,
        } += 1;
    }
}

impl AckMetrics {
    pub(crate) fn count(&mut self, error: Option<AckError>) {
        *match error {
            None => &mut self.success,
            Some(AckError::Forbidden) => &mut self.forbidden,
            Some(AckError::Duplicate) => &mut self.duplicate,
            Some(AckError::BadRequest) => &mut self.bad_request,
            Some(AckError::InternalServerError) => &mut self.internal_server_error,
            Some(AckError::Throttled) => &mut self.throttled,
        } += 1;
    }
}
