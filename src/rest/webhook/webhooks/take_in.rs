//! How an event comes in.

use alloc::boxed::Box;
use core::time::Duration;

use http::Uri;

use super::super::action::{WebhookAction, WebhookError, WebhookOutcome};
use super::super::answer::HandlerAnswer;
use super::super::request::{CallRequest, RequestError};
use super::super::template::UrlTemplate;
use super::Webhooks;
use super::job::{Job, Kind, Phase, shown, weight};
use crate::action::Call;
use crate::event::EventKind;

impl Webhooks {
    pub(super) fn take_in(&mut self, call: &Call<'_>, request_id: [u8; 16], bearer: Option<&str>) {
        let serial = self.next_serial();
        match self.prepare(call, request_id, bearer) {
            Err(error) => self.refuse(call, error),
            Ok(job) => {
                if let Some(call) = job.call {
                    self.calls.insert(call, serial);
                }
                let (kind, connection) = (job.kind, job.connection_id);
                self.jobs.insert(serial, job);
                match kind {
                    Kind::Connect | Kind::Event => self.ready.push_back(serial),
                    Kind::Notification { last } => self.line_up(connection, serial, last),
                }
            }
        }
    }

    fn prepare(
        &mut self,
        call: &Call<'_>,
        request_id: [u8; 16],
        bearer: Option<&str>,
    ) -> Result<Job, WebhookError> {
        let event = &call.event;
        // `connected` and `disconnected` come once for each connection, so they need no bound.
        let is_presence = matches!(event.kind, EventKind::Joined { .. } | EventKind::Left { .. });
        let lane = self.lanes.get(&event.connection_id);
        if is_presence && lane.is_some_and(|lane| lane.len() > self.limits.notifications) {
            return Err(WebhookError::Overloaded);
        }
        let template = UrlTemplate::parse(&call.handler.url).map_err(RequestError::Url)?;
        let origin = &self.origin;
        let request =
            CallRequest { call, keys: &self.keys, origin, request_id, bearer, cookie: None }
                .build(self.now)?;
        let validation = template.validation(event.hub).map_err(RequestError::Url)?;
        let weight = weight(&request);
        let target = self.targets.enter(&validation, weight, &self.limits);
        let latest = self.now + self.limits.timeout;
        Ok(Job {
            call: call.id,
            connection_id: event.connection_id,
            hub: event.hub.into(),
            event: event.kind.name().into(),
            kind: Kind::of(&event.kind),
            request,
            target: target.ok_or(WebhookError::Overloaded)?,
            weight,
            started: self.now,
            deadline: call.id.map(|_| call.deadline.map_or(latest, |limit| limit.min(latest))),
            next_begins: self.now,
            attempts: 0,
            phase: Phase::Waiting,
            timer: None,
        })
    }

    /// Ends an event that never began.
    fn refuse(&mut self, call: &Call<'_>, error: WebhookError) {
        self.metrics.failed += 1;
        if call.id.is_none() && error == WebhookError::Overloaded {
            self.metrics.dropped += 1;
        }
        if matches!(call.event.kind, EventKind::Disconnected { .. }) {
            self.forget_cookies(call.event.connection_id);
        }
        self.actions.push_back(WebhookAction::Finish(Box::new(WebhookOutcome {
            answer: call.id.map(|call| (call, HandlerAnswer::FAIL)),
            connection_id: call.event.connection_id,
            hub: call.event.hub.into(),
            event: call.event.kind.name().into(),
            url: url(call).as_ref().map(shown).unwrap_or_default(),
            attempts: 0,
            duration: Duration::ZERO,
            result: Err(error),
        })));
    }
}

/// Returns where an event is to go.
fn url(call: &Call<'_>) -> Option<Uri> {
    let template = UrlTemplate::parse(&call.handler.url).ok()?;
    template.resolve(call.event.hub, call.event.kind.name()).ok()
}
