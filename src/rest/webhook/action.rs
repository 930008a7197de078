//! What webhooks tell their host.

use alloc::boxed::Box;
use core::fmt;
use core::time::Duration;

use bytes::Bytes;
use http::Request;
use thiserror::Error;

use super::answer::{AnswerError, HandlerAnswer};
use super::request::RequestError;
use crate::event::CallId;
use crate::state::ConnectionId;
use crate::time::Time;

/// One thing for the host to do, handed out by [`Webhooks::poll_action`](super::Webhooks::poll_action).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum WebhookAction {
    /// Send a request, and tell what came of it.
    Send(Box<WebhookRequest>),
    /// Nobody waits for the response to this request any more: the host may break it off. What comes all the same
    /// does nothing.
    Abort(RequestId),
    /// An event is over: give the engine its answer, if somebody waits for one.
    Finish(Box<WebhookOutcome>),
}

/// Names one attempt to send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId {
    pub(super) serial: u64,
    pub(super) attempt: u8,
}

/// A request to send.
#[derive(Clone)]
pub struct WebhookRequest {
    /// What to name when its response has come.
    pub id: RequestId,
    /// The request. Redirections are not to be followed: an answer with one has failed.
    pub request: Request<Bytes>,
    /// When nobody waits for the response any more. [`Webhooks::advance`](super::Webhooks::advance) sees to it.
    pub deadline: Time,
}

impl fmt::Debug for WebhookRequest {
    /// Leaves out headers, body and query, where secrets may be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.request.uri();
        f.debug_struct("WebhookRequest")
            .field("id", &self.id)
            .field("method", self.request.method())
            .field("host", &url.host().unwrap_or_default())
            .field("path", &url.path())
            .field("deadline", &self.deadline)
            .finish_non_exhaustive()
    }
}

/// How an event ended.
#[derive(Clone, Debug)]
pub struct WebhookOutcome {
    /// What to tell the engine, with [`Engine::answer`](crate::Engine::answer); `None` where nobody waits.
    pub answer: Option<(CallId, HandlerAnswer)>,
    /// The connection that it happened to.
    pub connection_id: ConnectionId,
    /// The hub.
    pub hub: Box<str>,
    /// The name of the event.
    pub event: Box<str>,
    /// Where it was to go, without the query and the name of a user, where secrets may be; empty where there is no
    /// such URL.
    pub url: Box<str>,
    /// How often it was sent: 0 to 4.
    pub attempts: u8,
    /// How long it took, the wait for earlier ones included.
    pub duration: Duration,
    /// The status of the response, or why there is no answer. The status with which a handler refuses a client is an
    /// answer.
    pub result: Result<u16, WebhookError>,
}

/// Why an event did not get its answer. Its text holds no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// There is no request for it.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The handler was asked whether it wants events of this service, and did not say so.
    #[error("the handler does not allow this origin")]
    NotAllowed,
    /// Too much is under way, by [`WebhookLimits`](super::WebhookLimits).
    #[error("too many events are under way")]
    Overloaded,
    /// It took too long, or the validation of the handler did.
    #[error("the handler did not answer in time")]
    Timeout,
    /// The handler could not be reached, with the event or with the validation before it.
    #[error("the handler could not be reached")]
    Network,
    /// The response is no answer.
    #[error(transparent)]
    Answer(#[from] AnswerError),
}

/// Why a host got no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendFailure {
    /// No connection, a broken one, or one that does not speak HTTP. The event is sent again.
    Network,
    /// It took too long, by the host's own measure. The event has failed.
    Timeout,
    /// The body has more than [`HandlerAnswer::BYTES_MAX`]. The event has failed.
    BodyTooLarge,
}

impl From<SendFailure> for WebhookError {
    /// Says it of the event.
    fn from(failure: SendFailure) -> Self {
        match failure {
            SendFailure::Network => Self::Network,
            SendFailure::Timeout => Self::Timeout,
            SendFailure::BodyTooLarge => Self::Answer(AnswerError::BodyTooLarge),
        }
    }
}

/// What has been counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WebhookMetrics {
    /// Events that were handed in.
    pub calls: u64,
    /// Events that got an answer.
    pub answered: u64,
    /// Events that failed, the dropped ones included.
    pub failed: u64,
    /// Notifications that were dropped because too much was under way.
    pub dropped: u64,
    /// Requests for events that were sent again.
    pub retries: u64,
    /// Validations of handlers.
    pub validations: u64,
    /// Validations that failed.
    pub validations_failed: u64,
}
