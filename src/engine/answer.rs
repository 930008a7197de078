//! An event handler answered (`webpubsub.md` 8.3, 8.5).

use alloc::collections::VecDeque;

use smallvec::SmallVec;

use super::Engine;
use super::fanout::Message;
use super::open::{Refusal, distinct, spelling};
use crate::event::{Admission, Answer, CallId, Response};
use crate::metrics::CloseCause;
use crate::name;
use crate::outbox::Text;
use crate::protocol::{Data, Protocol, json, protobuf};
use crate::state::{ConnectionKey, Handshake, On, Queued};

impl Engine {
    pub(super) fn on_answer(&mut self, call: CallId, answer: Answer<'_>) {
        let Some(key) = self.world.born_as(call.connection) else {
            self.metrics.stale_inputs += 1;
            return;
        };
        let waiting = &mut self.world.at_mut(key).waiting;
        let Some(waiting) = waiting.take_if(|waiting| waiting.number == call.number) else {
            return self.answer_invocation(key, call.number, answer);
        };
        match waiting.on {
            On::Connect(handshake) => self.finish_connect(key, &handshake, answer),
            On::Event { ack_id } => {
                self.stop_waiting(key);
                self.finish_event(key, ack_id, answer);
            }
        }
        self.catch_up(key, waiting.queue);
    }

    fn finish_connect(&mut self, key: ConnectionKey, handshake: &Handshake, answer: Answer<'_>) {
        let outcome = match answer {
            Answer::Accept(admission) => self.settle(key, handshake, &admission),
            Answer::Refuse { status, reason } => {
                let status = if (400..600).contains(&status) { status } else { 500 };
                let reason = Text::Owned(reason.into());
                return self.turn_away(key, handshake.user.as_deref(), Refusal { status, reason });
            }
            Answer::Reply(_) | Answer::Fail => None,
        };
        let (Some(subprotocol), Answer::Accept(admission)) = (outcome, answer) else {
            self.metrics.calls_failed += 1;
            let refusal = Refusal::new(500, "The connect event handler failed.");
            return self.turn_away(key, handshake.user.as_deref(), refusal);
        };
        let Handshake { user, roles, groups, .. } = handshake;
        let user = admission.user.or(user.as_deref());
        let roles: SmallVec<[&str; 8]> = match admission.roles {
            Some(roles) => roles.iter().copied().collect(),
            None => roles.iter().map(|role| &**role).collect(),
        };
        let groups: SmallVec<[&str; 8]> = match admission.groups {
            Some(groups @ [_, ..]) => groups.iter().copied().collect(),
            Some([]) | None => groups.iter().map(|group| &**group).collect(),
        };
        if let Some(state) = admission.state {
            self.world.at_mut(key).extra().state = Some(state.into());
        }
        let token = handshake.token;
        self.admit(key, subprotocol, user, roles.into_iter(), groups.into_iter(), token);
    }

    /// Checks what the handler chose and settles the protocol; returns the subprotocol to name. `None` means
    /// that the answer makes no sense, which is the handler's failure.
    fn settle(
        &mut self,
        key: ConnectionKey,
        handshake: &Handshake,
        admission: &Admission<'_>,
    ) -> Option<Option<Text>> {
        let groups = admission.groups.unwrap_or_default();
        let most = self.limits_of(key).groups_per_connection;
        if distinct(groups) > most || !groups.iter().all(|group| name::is_group(group)) {
            return None;
        }
        let connection = self.world.at_mut(key);
        let offers = || handshake.subprotocols.iter().map(|offer| &**offer);
        let Some(chosen) = admission.subprotocol else {
            return Some(spelling(connection.protocol, offers()));
        };
        let same = |offer: &&str| offer.eq_ignore_ascii_case(chosen);
        // Peers compare what is named with what they offered byte by byte: theirs is the spelling.
        let spelled = offers().chain(connection.protocol.name()).find(same)?;
        let Some(protocol) = Protocol::from_name(chosen) else {
            if is_of_the_service(chosen) {
                return None;
            }
            connection.protocol = Protocol::Plain;
            return Some(Some(Text::Owned(spelled.into())));
        };
        connection.protocol = protocol;
        Some(spelling(protocol, offers()))
    }

    fn finish_event(&mut self, key: ConnectionKey, ack_id: Option<u64>, answer: Answer<'_>) {
        let response = match answer {
            Answer::Reply(response) if is_deliverable(&response) => response,
            Answer::Reply(_) | Answer::Fail | Answer::Accept(_) | Answer::Refuse { .. } => {
                self.metrics.calls_failed += 1;
                return self.fail_event(key, ack_id, CloseCause::SendEventFailed);
            }
        };
        if let Some(state) = response.state {
            self.world.at_mut(key).extra().state = Some(state.into());
        }
        let (data, metadata) = message_of(&response);
        if let Some(data) = data {
            self.reply(key, &Message { data, metadata: &metadata, ttl_seconds: 0, stream: None });
        }
        self.acknowledge(key, ack_id, Ok(()));
    }

    /// Processes what waited behind a call, up to the next blocking one.
    pub(super) fn catch_up(&mut self, key: ConnectionKey, mut queue: VecDeque<Queued>) {
        while let Some(connection) = self.world.connections.get_mut(key) {
            if let Some(waiting) = &mut connection.waiting {
                waiting.queued_bytes = queue.iter().map(Queued::len).sum();
                waiting.queue = queue;
                return;
            }
            let Some(queued) = queue.pop_front() else { return };
            self.process(key, queued.lend());
        }
    }
}

/// Tells whether a name is one of the service's own: a client that is told it will speak it, so it must not be
/// given to a plain connection.
fn is_of_the_service(subprotocol: &str) -> bool {
    let lower = subprotocol.to_ascii_lowercase();
    lower == "mqtt" || lower.ends_with(".webpubsub.azure.v1")
}

/// Metadata as it is lent out.
type Lent<'a> = SmallVec<[(&'a str, &'a str); 4]>;

/// Returns the message that an answer makes. An empty one is none, unless it has metadata: then it is an empty text,
/// whatever its type.
pub(super) fn message_of<'a>(response: &Response<'a>) -> (Option<Data<'a>>, Lent<'a>) {
    let metadata: Lent<'a> =
        response.metadata.iter().copied().filter(|(key, _)| !key.is_empty()).collect();
    let empty = response.data.is_none_or(|data| data.is_empty());
    let data = match response.data {
        Some(data) if !empty => Some(data),
        Some(_) | None if !metadata.is_empty() => Some(Data::Text("")),
        Some(_) | None => None,
    };
    (data, metadata)
}

/// Tells whether what a handler answered can be sent.
pub(super) fn is_deliverable(response: &Response<'_>) -> bool {
    match response.data {
        Some(Data::Json(text)) => text.is_empty() || json::is_valid(text),
        Some(Data::Protobuf(bytes)) => protobuf::is_any(bytes),
        Some(Data::Text(_) | Data::Binary(_)) | None => true,
    }
}
