//! How an event gets from one phase to the next.

use alloc::boxed::Box;
use core::time::Duration;

use bytes::Bytes;
use http::header::COOKIE;
use http::{Method, Response, StatusCode, Uri};

use super::super::action::{
    RequestId, WebhookAction, WebhookError, WebhookOutcome, WebhookRequest,
};
use super::super::answer::HandlerAnswer;
use super::super::targets::{Settled, Verdict, question};
use super::Webhooks;
use super::job::{Job, Kind, Phase, shown};
use crate::time::Time;

/// How long an event rests before it is sent again, once for each time (`webpubsub.md` 8.9).
const RESTS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(3), Duration::from_secs(5)];

/// What a handler answered, with its status.
type Answered = (StatusCode, Option<HandlerAnswer>);

impl Webhooks {
    /// Lets every event go on that may.
    pub(super) fn work(&mut self) {
        while let Some(serial) = self.ready.pop_front() {
            self.run(serial);
        }
    }

    fn run(&mut self, serial: u64) {
        let (now, timeout) = (self.now, self.limits.timeout);
        let check = self.next_serial();
        let Some(job) = self.jobs.get_mut(&serial) else { return };
        let deadline = *job.deadline.get_or_insert(now + timeout);
        let is_notification = matches!(job.kind, Kind::Notification { .. });
        let notified = is_notification.then_some(job.connection_id);
        if deadline <= now {
            return self.finish(serial, Err(WebhookError::Timeout));
        }
        let until = now + self.limits.validation_timeout;
        let (verdict, asked) = self.targets.ask(&job.target, serial, (check, until), now);
        if let Some(url) = asked {
            self.metrics.validations += 1;
            self.timers.insert((until, check));
            self.validate(RequestId { serial: check, attempt: 1 }, Method::OPTIONS, url, until);
        }
        match verdict {
            Verdict::Allowed => self.send(serial),
            Verdict::Refused(error) => self.finish(serial, Err(error)),
            Verdict::Wait => self.set_timer(serial, deadline),
        }
        if let Some(connection) = notified {
            self.proceed(connection);
        }
    }

    fn send(&mut self, serial: u64) {
        let Some(job) = self.jobs.get_mut(&serial) else { return };
        // Set when it began to run.
        let deadline = job.deadline.unwrap_or(self.now);
        let mut request = job.request.clone();
        if let Some(cookie) = self.jars.header(job.connection_id, request.uri(), self.now) {
            request.headers_mut().insert(COOKIE, cookie);
        }
        if job.attempts == 0 {
            job.next_begins = self.now + self.limits.notification_wait;
        }
        job.attempts += 1;
        job.phase = Phase::Sent;
        let id = RequestId { serial, attempt: job.attempts };
        let send = WebhookRequest { id, request, deadline };
        self.actions.push_back(WebhookAction::Send(send.into()));
        self.set_timer(serial, deadline);
    }

    pub(super) fn is_sent(&self, request: RequestId) -> bool {
        self.jobs
            .get(&request.serial)
            .is_some_and(|job| job.phase == Phase::Sent && job.attempts == request.attempt)
    }

    pub(super) fn on_response(&mut self, serial: u64, response: &Response<Bytes>) {
        let status = response.status();
        let by_chance = status == StatusCode::REQUEST_TIMEOUT || status.is_server_error();
        if by_chance && self.rest(serial) {
            return;
        }
        let Some(job) = self.jobs.get(&serial) else { return };
        if status.is_success() {
            let (of, url) = (job.connection_id, job.request.uri());
            self.jars.store(of, url, response.headers(), self.now);
        }
        let answer = match job.kind {
            Kind::Connect => HandlerAnswer::of_connect(response).map(Some),
            Kind::Event => HandlerAnswer::of_event(response).map(Some),
            Kind::Notification { .. } => HandlerAnswer::of_notification(response).map(|()| None),
        };
        self.finish(serial, answer.map(|answer| (status, answer)).map_err(WebhookError::Answer));
    }

    /// Lets an event rest before it is sent again; tells whether it may.
    pub(super) fn rest(&mut self, serial: u64) -> bool {
        let Some(job) = self.jobs.get_mut(&serial) else { return false };
        let Some(rest) = RESTS.get(usize::from(job.attempts) - 1) else { return false };
        let again = self.now + *rest;
        if job.deadline.is_some_and(|deadline| deadline <= again) {
            return false;
        }
        job.phase = Phase::Resting;
        self.metrics.retries += 1;
        self.set_timer(serial, again);
        true
    }

    /// Does what is due.
    pub(super) fn fire(&mut self, serial: u64) {
        if let Some(attempt) = self.targets.attempt(serial) {
            self.actions.push_back(WebhookAction::Abort(RequestId { serial, attempt }));
            return self.settle(serial, Err(WebhookError::Timeout));
        }
        let Some(job) = self.jobs.get_mut(&serial) else { return };
        job.timer = None;
        if job.deadline.is_none() {
            let connection = job.connection_id;
            return self.proceed(connection);
        }
        let is_late = job.deadline.is_some_and(|deadline| deadline <= self.now);
        match job.phase {
            Phase::Resting if !is_late => self.send(serial),
            Phase::Resting | Phase::Waiting => self.finish(serial, Err(WebhookError::Timeout)),
            Phase::Sent => {
                let id = RequestId { serial, attempt: job.attempts };
                self.actions.push_back(WebhookAction::Abort(id));
                self.finish(serial, Err(WebhookError::Timeout));
            }
        }
    }

    pub(super) fn finish(&mut self, serial: u64, result: Result<Answered, WebhookError>) {
        let Some(job) = self.remove(serial) else { return };
        let (result, answer) = match result {
            Ok((status, answer)) => (Ok(status.as_u16()), answer),
            Err(error) => (Err(error), None),
        };
        match result {
            Ok(_) => self.metrics.answered += 1,
            Err(_) => self.metrics.failed += 1,
        }
        self.settle_connection(serial, &job, answer.as_ref().is_some_and(HandlerAnswer::accepts));
        self.actions.push_back(WebhookAction::Finish(Box::new(WebhookOutcome {
            answer: job.call.map(|call| (call, answer.unwrap_or(HandlerAnswer::FAIL))),
            connection_id: job.connection_id,
            hub: job.hub,
            event: job.event,
            url: shown(job.request.uri()),
            attempts: job.attempts,
            duration: self.now.since(job.started),
            result,
        })));
    }

    /// Does for the connection what comes after one of its events is over.
    pub(super) fn settle_connection(&mut self, serial: u64, job: &Job, accepted: bool) {
        let connection = job.connection_id;
        match job.kind {
            Kind::Event => {}
            Kind::Connect if accepted => {}
            Kind::Connect => self.jars.forget(connection),
            Kind::Notification { .. } => self.step_out(connection, serial),
        }
    }

    /// Takes an event out, with everything that leads to it but its lane.
    pub(super) fn remove(&mut self, serial: u64) -> Option<Job> {
        let job = self.jobs.remove(&serial)?;
        if let Some(timer) = job.timer {
            self.timers.remove(&(timer, serial));
        }
        if let Some(call) = job.call {
            self.calls.remove(&call);
        }
        self.targets.leave(&job.target, serial, job.weight);
        Some(job)
    }

    pub(super) fn abort(&mut self, serial: u64, job: &Job) {
        if job.phase == Phase::Sent {
            let id = RequestId { serial, attempt: job.attempts };
            self.actions.push_back(WebhookAction::Abort(id));
        }
    }

    /// Takes what came of a validation.
    pub(super) fn settle(&mut self, check: u64, response: Result<&Response<Bytes>, WebhookError>) {
        match self.targets.settle(check, response, &self.origin, self.now) {
            None => {}
            Some(Settled::AskAgain(url, until)) => {
                self.validate(RequestId { serial: check, attempt: 2 }, Method::GET, url, until);
            }
            Some(Settled::Known { allowed, deadline, waiting }) => {
                self.metrics.validations_failed += u64::from(!allowed);
                self.timers.remove(&(deadline, check));
                self.ready.extend(waiting);
            }
        }
    }

    fn validate(&mut self, id: RequestId, method: Method, url: Uri, deadline: Time) {
        let request = question(method, url, &self.origin_header);
        let send = WebhookRequest { id, request, deadline };
        self.actions.push_back(WebhookAction::Send(send.into()));
    }

    pub(super) fn set_timer(&mut self, serial: u64, at: Time) {
        let Some(job) = self.jobs.get_mut(&serial) else { return };
        if let Some(before) = job.timer.replace(at) {
            self.timers.remove(&(before, serial));
        }
        self.timers.insert((at, serial));
    }

    pub(super) fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }
}
