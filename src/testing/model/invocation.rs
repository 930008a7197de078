//! Events whose answers come back as responses.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use super::{CALL, INVOCATIONS, Model, is_json, takes};
use crate::testing::message::Message;
use crate::testing::payload::{Entries, Payload};
use crate::testing::reply::Reply;
use crate::testing::request::Content;
use crate::testing::seen::Seen;
use crate::time::Time;

/// An invocation that waits for its answer.
#[derive(Clone, Debug)]
pub(super) struct Invocation {
    pub id: String,
    pub number: u64,
    pub deadline: Time,
}

impl Model {
    pub(super) fn invoke(&mut self, number: usize, id: &str, event: &str, content: &Content) {
        let connection = &self.connections[&number];
        let same = connection.invocations.iter().any(|each| each.id == id);
        if same || connection.invocations.len() == INVOCATIONS {
            return self.respond_to(number, id, Some("BadRequest"), None, &Vec::new());
        }
        let hub = connection.hub.clone();
        let Some(handler) = self.handler(&hub, |handler| takes(handler, event)) else {
            return self.respond_to(number, id, Some("NotFound"), None, &Vec::new());
        };
        let place = self.next_event(number);
        let deadline = self.now + CALL;
        let invocation = Invocation { id: id.to_owned(), number: place, deadline };
        self.at(number).invocations.push(invocation);
        let user = self.connections[&number].user.clone();
        let data = Some((content.payload(), content.metadata.clone()));
        self.call(number, handler, place, event, user, Some(deadline), data, None);
    }

    pub(super) fn cancel_invocation(&mut self, number: usize, id: &str) {
        let invocations = &mut self.at(number).invocations;
        if let Some(place) = invocations.iter().position(|each| each.id == id) {
            let invocation = invocations.remove(place);
            self.tell(number, Seen::Cancel(invocation.number));
        }
    }

    /// Forgets all invocations of a connection that lost its transport.
    pub(super) fn drop_invocations(&mut self, number: usize) {
        for invocation in core::mem::take(&mut self.at(number).invocations) {
            self.tell(number, Seen::Cancel(invocation.number));
        }
    }

    /// A handler answered an event that nobody waits for, unless it was an invocation.
    pub(super) fn answer_invocation(&mut self, number: usize, event: u64, reply: &Reply) {
        let invocations = self.connections.get_mut(&number).map(|it| &mut it.invocations);
        let place = invocations.and_then(|all| all.iter().position(|it| it.number == event));
        let Some(place) = place else {
            self.counters.stale_inputs += 1;
            return;
        };
        let id = self.at(number).invocations.remove(place).id;
        let Reply::Respond { data, metadata, state } = reply else {
            return self.respond_to(number, &id, Some("InvocationFailed"), None, &Vec::new());
        };
        if matches!(data, Some(Payload::Json(text)) if !text.is_empty() && !is_json(text)) {
            return self.respond_to(number, &id, Some("InvocationFailed"), None, &Vec::new());
        }
        if state.is_some() {
            self.at(number).state.clone_from(state);
        }
        let (data, metadata) = Self::response(data.as_ref(), metadata);
        self.respond_to(number, &id, None, data.clone(), &metadata);
        if let Some(data) = data {
            let hub = self.connections[&number].hub.clone();
            self.charge(&hub, 1, &data);
        }
    }

    /// The handler took too long.
    pub(super) fn time_out_invocation(&mut self, number: usize) {
        let invocations = &mut self.at(number).invocations;
        let due = invocations.iter().enumerate().min_by_key(|(_, it)| it.deadline);
        let (place, _) = due.expect("one is due");
        let id = invocations.remove(place).id;
        self.respond_to(number, &id, Some("Timeout"), None, &Vec::new());
    }

    fn respond_to(
        &mut self,
        number: usize,
        id: &str,
        error: Option<&str>,
        payload: Option<Payload>,
        metadata: &Entries,
    ) {
        let (id, error) = (id.to_owned(), error.map(str::to_owned));
        let metadata = metadata.clone();
        self.send(number, &Message::InvokeResponse { id, error, payload, metadata }, 0);
    }
}
