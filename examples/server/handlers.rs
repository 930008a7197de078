//! The event handlers: webhooks, and the one that is built in.

use hubcast::replay::Recorder;
use hubcast::rest::webhook::{HandlerAnswer, RequestId, WebhookAction, WebhookMetrics, Webhooks};
use hubcast::{Call, CallId, Time};

use crate::activity::Activity;
use crate::echo::{Echo, Reply};
use crate::failures::Failures;
use crate::handler_url::ECHO;
use crate::logs::Logs;
use crate::webhook_client::{Answered, WebhookClient};

/// Takes the calls of the engine and has the answers to them.
#[derive(Debug)]
pub(crate) struct Handlers {
    echo: Echo,
    webhooks: Webhooks,
    client: WebhookClient,
    failures: Failures,
    logs: Logs,
}

/// An answer with the data that it borrows.
#[derive(Debug)]
pub(crate) enum GivenAnswer {
    Echo(Reply),
    Webhook(HandlerAnswer),
}

impl Handlers {
    pub(crate) fn new(webhooks: Webhooks, client: WebhookClient, logs: Logs) -> Self {
        Self { echo: Echo::default(), webhooks, client, failures: Failures::default(), logs }
    }

    /// Takes a call.
    pub(crate) fn call(&mut self, call: &Call<'_>, activity: &mut Activity, now: Time) {
        if call.handler.url == ECHO {
            activity.echo_called(call, now);
            return self.echo.call(call, now);
        }
        let mut request_id = [0; 16];
        getrandom::fill(&mut request_id).expect("the system has random numbers");
        self.webhooks.call(call, request_id, None, now);
    }

    /// Breaks off a call, whoever has it.
    pub(crate) fn cancel(&mut self, call: CallId, activity: &mut Activity, now: Time) {
        activity.echo_cancelled(call);
        self.echo.cancel(call);
        self.webhooks.cancel(call, now);
    }

    /// Takes what came of a request to a webhook.
    pub(crate) fn answered(&mut self, id: RequestId, answered: &Answered, now: Time) {
        self.client.forget(id);
        match &answered.result {
            Ok(response) => self.webhooks.respond(id, response, now),
            Err(failed) => {
                self.failures.note_request(failed, now);
                self.webhooks.fail(id, failed.failure, now);
            }
        }
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, now: Time) {
        self.webhooks.advance(now);
    }

    /// Sends the requests that are to be sent, and takes the next answer for the engine.
    pub(crate) fn next_answer(
        &mut self,
        activity: &mut Activity,
        now: Time,
    ) -> Option<(CallId, GivenAnswer)> {
        if let Some((call, reply)) = self.echo.answer(now) {
            activity.echo_answered(call, matches!(reply, Reply::Fail), now);
            return Some((call, GivenAnswer::Echo(reply)));
        }
        while let Some(action) = self.webhooks.poll_action() {
            match action {
                WebhookAction::Send(request) => self.client.send(*request),
                WebhookAction::Abort(id) => self.client.abort(id),
                WebhookAction::Finish(outcome) => {
                    self.failures.note(&outcome, now);
                    self.logs.webhook(&outcome, now);
                    activity.webhook(&outcome, now);
                    if let Some((call, answer)) = outcome.answer {
                        return Some((call, GivenAnswer::Webhook(answer)));
                    }
                }
                // What later versions may add.
                _ => {}
            }
        }
        None
    }

    /// Returns when to call [`advance`](Self::advance) and to ask for answers.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        [self.echo.next_deadline(), self.webhooks.next_deadline()].into_iter().flatten().min()
    }

    /// Returns what webhooks have counted.
    pub(crate) fn metrics(&self) -> WebhookMetrics {
        *self.webhooks.metrics()
    }

    /// Tells whether a webhook has still to get an event or to answer one.
    pub(crate) fn is_busy(&self) -> bool {
        self.webhooks.pending() > 0
    }
}

impl GivenAnswer {
    /// Gives the answer to the engine.
    pub(crate) fn give(&self, engine: &mut Recorder, call: CallId, now: Time) {
        match self {
            Self::Echo(reply) => reply.give(engine, call, now),
            Self::Webhook(answer) => answer.with_answer(|answer| engine.answer(call, answer, now)),
        }
    }
}
