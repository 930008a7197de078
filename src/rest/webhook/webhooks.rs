//! All events on their way to handlers: the state machine behind a host's HTTP client.

mod job;
mod lane;
mod run;
mod take_in;

use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use core::fmt;

use bytes::Bytes;
use http::Response;
use http::header::HeaderValue;

use self::job::Job;
use self::lane::Lane;
use super::action::{RequestId, SendFailure, WebhookAction, WebhookMetrics};
use super::jars::Jars;
use super::settings::{WebhookLimits, WebhookSettings, WebhookSettingsError};
use super::targets::Targets;
use crate::action::Call;
use crate::event::CallId;
use crate::state::ConnectionId;
use crate::time::Time;
use crate::token::AccessKeys;

/// Takes the engine's calls, says which requests to send, and turns responses into answers.
///
/// It validates handlers before they get events, sends again what failed by chance, keeps the cookies of each
/// connection, sends the notifications of a connection in order, and gives up in time. It sends nothing itself and
/// reads no clock: see the [module](super) for the loop around it.
///
/// What it holds is bounded by its [`WebhookLimits`], as long as its actions are polled.
pub struct Webhooks {
    keys: AccessKeys,
    origin: String,
    origin_header: HeaderValue,
    limits: WebhookLimits,
    now: Time,
    /// Numbers events and validations.
    serial: u64,
    jobs: BTreeMap<u64, Job>,
    /// The events that somebody waits for.
    calls: BTreeMap<CallId, u64>,
    /// The notifications of each connection.
    lanes: BTreeMap<ConnectionId, Lane>,
    targets: Targets,
    jars: Jars,
    /// One for each event and each validation under way.
    timers: BTreeSet<(Time, u64)>,
    /// The events that may go on.
    ready: VecDeque<u64>,
    actions: VecDeque<WebhookAction>,
    metrics: WebhookMetrics,
}

impl Webhooks {
    /// Makes webhooks without any event.
    ///
    /// # Errors
    ///
    /// Returns the setting that is wrong.
    pub fn new(settings: WebhookSettings) -> Result<Self, WebhookSettingsError> {
        let WebhookSettings { keys, origin, limits } = settings;
        let wrong = WebhookSettingsError::Origin;
        let origin_header = HeaderValue::from_str(&origin).map_err(|_| wrong)?;
        if origin.trim().is_empty() || !origin.is_ascii() {
            return Err(wrong);
        }
        let zero = limits.timeout.is_zero() || limits.validation_timeout.is_zero();
        if limits.calls == 0 || limits.handlers == 0 || zero {
            return Err(WebhookSettingsError::Limit);
        }
        Ok(Self {
            keys,
            origin,
            origin_header,
            jars: Jars::new(limits.cookie_bytes),
            limits,
            now: Time::EPOCH,
            serial: 0,
            jobs: BTreeMap::new(),
            calls: BTreeMap::new(),
            lanes: BTreeMap::new(),
            targets: Targets::default(),
            timers: BTreeSet::new(),
            ready: VecDeque::new(),
            actions: VecDeque::new(),
            metrics: WebhookMetrics::default(),
        })
    }

    /// Takes a call, with 16 fresh random bytes that name it in logs, and with the token of the service's managed
    /// identity where the handler wants one.
    ///
    /// The URL of the call's handler is a [`UrlTemplate`](super::UrlTemplate).
    pub fn call(&mut self, call: &Call<'_>, request_id: [u8; 16], bearer: Option<&str>, now: Time) {
        self.tick(now);
        self.metrics.calls += 1;
        self.take_in(call, request_id, bearer);
        self.work();
    }

    /// Breaks off a call that the engine cancelled. One that is over is ignored.
    pub fn cancel(&mut self, call: CallId, now: Time) {
        self.tick(now);
        if let Some(&serial) = self.calls.get(&call)
            && let Some(job) = self.remove(serial)
        {
            self.abort(serial, &job);
            self.metrics.failed += 1;
            self.settle_connection(serial, &job, false);
        }
        self.work();
    }

    /// Takes the response to a request. One that comes too late is ignored.
    pub fn respond(&mut self, to: RequestId, response: &Response<Bytes>, now: Time) {
        self.tick(now);
        if self.targets.attempt(to.serial) == Some(to.attempt) {
            self.settle(to.serial, Ok(response));
        } else if self.is_sent(to) {
            self.on_response(to.serial, response);
        }
        self.work();
    }

    /// Takes the word that there is no response to a request. One that comes too late is ignored.
    pub fn fail(&mut self, to: RequestId, failure: SendFailure, now: Time) {
        self.tick(now);
        if self.targets.attempt(to.serial) == Some(to.attempt) {
            self.settle(to.serial, Err(failure.into()));
        } else if self.is_sent(to) {
            match failure {
                SendFailure::Network if self.rest(to.serial) => {}
                SendFailure::Network | SendFailure::Timeout | SendFailure::BodyTooLarge => {
                    self.finish(to.serial, Err(failure.into()));
                }
            }
        }
        self.work();
    }

    /// Lets time pass: sends again what is due, gives up what took too long.
    pub fn advance(&mut self, now: Time) {
        self.tick(now);
        self.work();
    }

    /// Forgets the cookies of a connection that is gone. That is only of use where no handler takes `disconnected`,
    /// and even then they make room when they must.
    pub fn forget(&mut self, connection: ConnectionId) {
        self.forget_cookies(connection);
    }

    /// Hands out the next thing to do.
    pub fn poll_action(&mut self) -> Option<WebhookAction> {
        self.actions.pop_front()
    }

    /// Returns when to call [`advance`](Self::advance); earlier is harmless.
    pub fn next_deadline(&self) -> Option<Time> {
        self.timers.first().map(|(due, _)| *due)
    }

    /// Returns how many events are under way or wait.
    pub fn pending(&self) -> usize {
        self.jobs.len()
    }

    /// Returns what has been counted.
    pub fn metrics(&self) -> &WebhookMetrics {
        &self.metrics
    }

    /// Does first what was due before anything else happened, so that what comes too late is too late.
    fn tick(&mut self, now: Time) {
        self.now = self.now.max(now);
        while let Some(&(due, serial)) = self.timers.first()
            && due <= self.now
        {
            self.timers.pop_first();
            self.fire(serial);
        }
    }
}

impl fmt::Debug for Webhooks {
    /// Leaves out the requests, where secrets may be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks")
            .field("origin", &self.origin)
            .field("pending", &self.pending())
            .field("metrics", &self.metrics)
            .finish_non_exhaustive()
    }
}
