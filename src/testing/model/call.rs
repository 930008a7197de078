//! Events: who handles them, and what becomes of the answers.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;

use super::open::choose;
use super::{GROUPS, Model, On, Waiting, distinct, is_group, is_json, length};
use crate::protocol::Protocol;
use crate::testing::message::Message;
use crate::testing::operation::Handler;
use crate::testing::payload::{Entries, Payload};
use crate::testing::reply::Reply;
use crate::testing::seen::{Seen, Told};
use crate::time::Time;

type Data = (Payload, Entries);

impl Model {
    /// Returns the place of the first handler of a hub that takes an event.
    pub(super) fn handler(&self, hub: &str, takes: impl Fn(&Handler) -> bool) -> Option<usize> {
        if Self::is_first(hub) { self.setup.handlers.iter().position(takes) } else { None }
    }

    /// Tells a handler of something that needs no answer.
    pub(super) fn notify(
        &mut self,
        number: usize,
        name: &str,
        group: Option<String>,
        takes: impl Fn(&Handler) -> bool,
    ) {
        if let Some(handler) = self.handler(&self.connections[&number].hub, takes) {
            let event = self.next_event(number);
            let user = self.connections[&number].user.clone();
            self.call(number, handler, event, name, user, None, None, group);
        }
    }

    pub(super) fn next_event(&mut self, number: usize) -> u64 {
        let next = &mut self.at(number).next_event;
        *next += 1;
        *next - 1
    }

    #[expect(clippy::too_many_arguments, reason = "all that a handler is told")]
    pub(super) fn call(
        &mut self,
        number: usize,
        handler: usize,
        event: u64,
        name: &str,
        user: Option<String>,
        deadline: Option<Time>,
        data: Option<Data>,
        group: Option<String>,
    ) {
        let connection = &self.connections[&number];
        let told = Told {
            handler: format!("{handler}"),
            number: event,
            name: name.to_owned(),
            user,
            subprotocol: connection.subprotocol.clone(),
            state: connection.state.clone(),
            deadline,
            data,
            group,
        };
        self.tell(number, Seen::Call(Box::new(told)));
    }

    /// A handler answered the event with this number.
    pub fn answer(&mut self, number: usize, event: u64, reply: &Reply) {
        let waiting = self
            .connections
            .get_mut(&number)
            .and_then(|connection| connection.waiting.take_if(|waiting| waiting.number == event));
        match waiting {
            Some(waiting) => self.answer_call(number, waiting, reply),
            None => self.answer_invocation(number, event, reply),
        }
        self.settle();
    }

    fn answer_call(&mut self, number: usize, waiting: Waiting, reply: &Reply) {
        if let On::Event(_) = waiting.on {
            self.stop_waiting(number);
        }
        match (&waiting.on, reply) {
            (On::Connect(_), Reply::Refuse(status @ 400..600)) => self.refuse(number, *status),
            (On::Connect(opening), Reply::Accept { user, roles, groups, subprotocol, state }) => {
                let chosen = choose(subprotocol.as_deref(), opening);
                let named = groups.as_deref().unwrap_or_default();
                let good = distinct(named) <= GROUPS && named.iter().all(|group| is_group(group));
                let Some((protocol, subprotocol)) = chosen.filter(|_| good) else {
                    return self.refuse(number, 500);
                };
                let user = user.as_deref().or(opening.user.as_deref());
                let roles = roles.as_ref().unwrap_or(&opening.roles);
                let groups = groups.as_ref().filter(|groups| !groups.is_empty());
                let groups = groups.unwrap_or(&opening.groups);
                let connection = self.at(number);
                connection.protocol = protocol;
                connection.state.clone_from(state);
                self.admit(number, subprotocol, user, roles, groups);
            }
            (On::Connect(_), _) => self.refuse(number, 500),
            (On::Event(ack), Reply::Respond { data, metadata, state }) => {
                let is_bad = |data: &Payload| match data {
                    Payload::Json(text) => !text.is_empty() && !is_json(text),
                    Payload::Text(_) | Payload::Binary(_) | Payload::Protobuf(_) => false,
                };
                if data.as_ref().is_some_and(is_bad) {
                    self.fail(number, *ack);
                } else {
                    if state.is_some() {
                        self.at(number).state.clone_from(state);
                    }
                    self.respond(number, data.as_ref(), metadata);
                    self.acknowledge(number, *ack, None);
                }
            }
            (On::Event(ack), _) => self.fail(number, *ack),
        }
        self.catch_up(number, waiting);
    }

    /// Sends what a handler answered, where that is anything.
    fn respond(&mut self, number: usize, data: Option<&Payload>, metadata: &Entries) {
        let (Some(payload), metadata) = Self::response(data, metadata) else { return };
        let hub = self.connections[&number].hub.clone();
        let message = Message::Server { payload: payload.clone(), metadata };
        let recipients = usize::from(self.send(number, &message, 0));
        self.charge(&hub, recipients, &payload);
    }

    /// Returns the message that an answer makes: an empty one is none, unless it has metadata.
    pub(super) fn response(
        data: Option<&Payload>,
        metadata: &Entries,
    ) -> (Option<Payload>, Entries) {
        let metadata: Entries =
            metadata.iter().filter(|(key, _)| !key.is_empty()).cloned().collect();
        let data = match data.filter(|data| length(data) > 0) {
            None if metadata.is_empty() => None,
            None => Some(Payload::Text(String::new())),
            Some(data) => Some(data.clone()),
        };
        (data, metadata)
    }

    /// An event was not handled.
    pub(super) fn fail(&mut self, number: usize, ack: Option<u64>) {
        self.acknowledge(number, ack, Some("InternalServerError"));
        let connection = &self.connections[&number];
        let strict = self.setup.close_on_failure && Self::is_first(&connection.hub);
        if connection.protocol == Protocol::Plain || strict {
            self.shut(number, 1011);
        }
    }

    /// The time that a handler took is not the connection's own.
    pub(super) fn stop_waiting(&mut self, number: usize) {
        let now = self.now;
        let connection = self.at(number);
        connection.heard = now;
        for stream in &mut connection.streams {
            stream.heard = now;
        }
    }

    /// Carries out what has waited behind a call, up to the next event.
    pub(super) fn catch_up(&mut self, number: usize, mut waited: Waiting) {
        while let Some(connection) = self.connections.get_mut(&number) {
            if let Some(waiting) = &mut connection.waiting {
                waiting.queue = waited.queue;
                return;
            }
            let Some(message) = waited.queue.pop_front() else { return };
            self.process(number, &message);
        }
    }
}
