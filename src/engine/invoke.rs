//! Events whose answers come back as responses (`webpubsub.md` 3.7).

use alloc::vec::Vec;
use core::mem;

use super::Engine;
use super::answer::{is_deliverable, message_of};
use super::fanout::Message;
use crate::event::Answer;
use crate::outbox::Pending;
use crate::protocol::{Data, Outgoing};
use crate::state::{ConnectionKey, Invocation};

impl Engine {
    /// Hands an event to its handler like any other, but holds up nothing until the answer comes.
    pub(super) fn invoke(
        &mut self,
        key: ConnectionKey,
        invocation_id: &str,
        event: &str,
        data: Data<'_>,
        metadata: &[(&str, &str)],
    ) {
        let connection = self.world.at(key);
        let waiting = connection.invocations();
        if waiting.iter().any(|each| *each.id == *invocation_id) {
            let message = "An invocation with this id waits for its answer.";
            return self.refuse_invocation(key, invocation_id, "BadRequest", message);
        }
        let limits = self.limits_of(key);
        if waiting.len() >= limits.invocations_per_connection {
            let message = "Too many invocations wait for their answers.";
            return self.refuse_invocation(key, invocation_id, "BadRequest", message);
        }
        let deadline = self.now + limits.call_timeout;
        // Listeners are told, although only a handler can answer.
        let (handler, told) = self.tell_event(key, event, data, metadata);
        let (Some(handler), Some(told)) = (handler, told.clone()) else {
            if told.is_some() {
                self.note_unhandled(key, event);
            }
            let message = "No event handler takes the event.";
            return self.refuse_invocation(key, invocation_id, "NotFound", message);
        };
        let number = told.number;
        let invocation = Invocation { id: invocation_id.into(), number, deadline };
        self.world.at_mut(key).extra().invocations.push(invocation);
        self.arm(key);
        let id = self.call_id(key, number);
        self.call(handler, Some((id, deadline)), told);
    }

    /// Answers an invocation with an error.
    pub(super) fn refuse_invocation(
        &mut self,
        key: ConnectionKey,
        invocation_id: &str,
        name: &'static str,
        message: &str,
    ) {
        let outcome = Err((name, message));
        self.tell_one(key, &Outgoing::InvokeResponse { invocation_id, outcome, metadata: &[] });
    }

    /// Forgets an invocation that its client gave up. Nothing tells the client, who may cancel what was answered.
    pub(super) fn cancel_invocation(&mut self, key: ConnectionKey, invocation_id: &str) {
        if let Some(invocation) = self.take_invocation(key, |each| *each.id == *invocation_id) {
            let call = self.call_id(key, invocation.number);
            self.outbox.push(Pending::Cancel(call));
        }
    }

    /// Forgets all invocations of a connection that lost its transport: an answer would reach nobody who waits
    /// for it, even after a recovery.
    pub(super) fn drop_invocations(&mut self, key: ConnectionKey) {
        let Some(extra) = &mut self.world.at_mut(key).extra else { return };
        let invocations: Vec<_> = mem::take(&mut extra.invocations);
        if invocations.is_empty() {
            return;
        }
        for Invocation { number, .. } in invocations {
            let call = self.call_id(key, number);
            self.outbox.push(Pending::Cancel(call));
        }
        self.arm(key);
    }

    /// Passes on what a handler answered, if it is an invocation that it answered and somebody still waits.
    pub(super) fn answer_invocation(
        &mut self,
        key: ConnectionKey,
        number: u64,
        answer: Answer<'_>,
    ) {
        let Some(invocation) = self.take_invocation(key, |each| each.number == number) else {
            self.metrics.stale_inputs += 1;
            return;
        };
        let response = match answer {
            Answer::Reply(response) if is_deliverable(&response) => response,
            Answer::Reply(_) | Answer::Fail | Answer::Accept(_) | Answer::Refuse { .. } => {
                self.metrics.calls_failed += 1;
                let message = "The event handler failed.";
                return self.refuse_invocation(key, &invocation.id, "InvocationFailed", message);
            }
        };
        if let Some(state) = response.state {
            self.world.at_mut(key).extra().state = Some(state.into());
        }
        let (data, metadata) = message_of(&response);
        self.tell_one(
            key,
            &Outgoing::InvokeResponse {
                invocation_id: &invocation.id,
                outcome: Ok(data),
                metadata: &metadata,
            },
        );
        if let Some(data) = data {
            let hub = self.world.at(key).hub;
            let message = Message { data, metadata: &metadata, ttl_seconds: 0, stream: None };
            self.charge(hub, 1, &message);
        }
    }

    /// Gives up on the handler that has had the longest time to answer.
    pub(super) fn time_out_invocation(&mut self, key: ConnectionKey) {
        let waiting = self.world.at(key).invocations().iter();
        let first = waiting.min_by_key(|each| each.deadline).expect("one of them is due").number;
        let invocation = self.take_invocation(key, |each| each.number == first);
        let invocation = invocation.expect("it was found above");
        self.metrics.calls_failed += 1;
        let message = "The event handler did not answer in time.";
        self.refuse_invocation(key, &invocation.id, "Timeout", message);
    }

    fn take_invocation(
        &mut self,
        key: ConnectionKey,
        is: impl FnMut(&Invocation) -> bool,
    ) -> Option<Invocation> {
        let extra = self.world.connections.get_mut(key)?.extra.as_mut()?;
        let place = extra.invocations.iter().position(is)?;
        let invocation = extra.invocations.remove(place);
        self.arm(key);
        Some(invocation)
    }
}

#[cfg(test)]
mod tests {
    use super::super::stage::Stage;
    use crate::config::SystemEvents;
    use crate::event::{Answer, Response};
    use crate::input::Closed;
    use crate::protocol::{Data, Protocol};

    const ASK: &str =
        r#"{"type":"invoke","invocationId":"1","target":"event","event":"ask","data":[1]}"#;
    const CANCEL: &str = r#"{"type":"cancelInvocation","invocationId":"1"}"#;

    fn stage() -> Stage {
        let mut stage = Stage::new(SystemEvents::NONE, |config| {
            config.limits.invocations_per_connection = 2;
        });
        stage.join();
        stage
    }

    fn reply<'a>(data: Option<Data<'a>>, metadata: &'a [(&'a str, &'a str)]) -> Answer<'a> {
        Answer::Reply(Response { data, metadata, state: None })
    }

    fn error(id: &str, name: &str, message: &str) -> [alloc::string::String; 1] {
        [alloc::format!(
            r#"0 <- {{"type":"invokeResponse","invocationId":"{id}","success":false,"error":{{"name":"{name}","message":"{message}"}}}}"#
        )]
    }

    /// The answer of the handler comes back under the client's id, with its metadata, and holds up nothing.
    #[test]
    fn answers_are_responses() {
        let mut stage = stage();
        assert_eq!(stage.say(0, ASK), [r#"call 0 ask Json("[1]")"#]);
        assert_eq!(stage.say(0, r#"{"type":"ping"}"#), [r#"0 <- {"type":"pong"}"#]);
        let answer = reply(Some(Data::Json("3")), &[("k", "v"), ("", "x")]);
        let response = r#"0 <- {"type":"invokeResponse","invocationId":"1","success":true,"dataType":"json","data":3,"metadata":{"k":"v"}}"#;
        assert_eq!(stage.answer(0, answer), [response]);
        assert_eq!(stage.engine.metrics().messages_out, 1);
        assert!(stage.answer(0, answer).is_empty());
        assert_eq!(stage.engine.metrics().stale_inputs, 1);
        // The id is free again; an empty answer is a success without data.
        stage.say(0, ASK);
        let response = r#"0 <- {"type":"invokeResponse","invocationId":"1","success":true}"#;
        assert_eq!(stage.answer(1, reply(Some(Data::Json("")), &[])), [response]);
        assert_eq!(stage.engine.next_deadline(), None);
        assert_eq!(stage.engine.metrics().calls, 2);
    }

    /// What cannot be invoked is an error response, and harms nothing that waits.
    #[test]
    fn refusals() {
        let mut stage = stage();
        let other = ASK.replace("ask", "other");
        assert_eq!(
            stage.say(0, &other),
            error("1", "NotFound", "No event handler takes the event.")
        );
        assert_eq!(stage.engine.metrics().events_unhandled, 1);
        stage.say(0, ASK);
        let message = "An invocation with this id waits for its answer.";
        assert_eq!(stage.say(0, ASK), error("1", "BadRequest", message));
        stage.say(0, &ASK.replace(r#""1""#, r#""2""#));
        let third = ASK.replace(r#""1""#, r#""3""#);
        let message = "Too many invocations wait for their answers.";
        assert_eq!(stage.say(0, &third), error("3", "BadRequest", message));
        let message = "The event handler failed.";
        assert_eq!(stage.answer(1, Answer::Fail), error("2", "InvocationFailed", message));
        let broken = reply(Some(Data::Json("{")), &[]);
        assert_eq!(stage.answer(0, broken), error("1", "InvocationFailed", message));
        assert_eq!(stage.engine.metrics().calls_failed, 2);
        let target = ASK.replace(r#""event","event""#, r#""x","event""#);
        assert!(stage.say(0, &target)[0].contains("BadRequest"));
    }

    /// A cancelled invocation is forgotten, and the host is told; one that is unknown is nothing.
    #[test]
    fn cancel() {
        let mut stage = stage();
        stage.say(0, ASK);
        assert_eq!(stage.say(0, CANCEL), ["cancel 0"]);
        assert!(stage.say(0, CANCEL).is_empty());
        assert!(stage.answer(0, reply(None, &[])).is_empty());
        assert_eq!(stage.engine.next_deadline(), None);
    }

    /// A handler that takes too long is a `Timeout`, each invocation at its own time.
    #[test]
    fn deadlines() {
        let mut stage = stage();
        stage.say(0, ASK);
        stage.wait(1);
        stage.say(0, &ASK.replace(r#""1""#, r#""2""#));
        assert!(stage.wait(99_998).is_empty());
        let message = "The event handler did not answer in time.";
        assert_eq!(stage.wait(1), error("1", "Timeout", message));
        assert_eq!(stage.wait(1), error("2", "Timeout", message));
        assert_eq!((stage.engine.metrics().calls_failed, stage.engine.next_deadline()), (2, None));
    }

    /// When the transport goes nobody waits any more, whether the connection stays or not.
    #[test]
    fn lost_transports() {
        let mut stage = stage();
        stage.open(None, Protocol::ReliableJson, false);
        stage.lines();
        stage.say(0, ASK);
        assert_eq!(stage.close(0, Closed::Lost), ["cancel 0"]);
        stage.say(1, ASK);
        assert_eq!(stage.close(1, Closed::Lost), ["cancel 1"]);
        assert!(stage.answer(1, reply(None, &[])).is_empty());
    }
}
