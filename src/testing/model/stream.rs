//! Streams of messages from a client to a group.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::{Connection, Model, STREAMS};
use crate::config::Quota;
use crate::state::Permission;
use crate::testing::message::{Message, StreamPlace};
use crate::testing::payload::Payload;
use crate::time::Time;

/// A stream that is open.
#[derive(Clone, Debug)]
pub(super) struct Stream {
    id: String,
    group: String,
    no_echo: bool,
    expected: u64,
    pub heard: Time,
    idle: Duration,
}

impl Stream {
    pub(super) fn deadline(&self) -> Time {
        self.heard + self.idle
    }
}

impl Model {
    pub(super) fn start_stream(
        &mut self,
        number: usize,
        id: &str,
        group: &str,
        no_echo: bool,
        idle_timeout: Option<u32>,
    ) {
        let connection = &self.connections[&number];
        let streams = &connection.streams;
        let error = if idle_timeout == Some(0) {
            "BadRequest"
        } else if !connection.rights.allows(Permission::SendToGroup, group) {
            "Forbidden"
        } else if streams.iter().any(|each| each.id == id) || streams.len() == STREAMS {
            "BadRequest"
        } else {
            let heard = self.now;
            let idle = Duration::from_millis(u64::from(idle_timeout.unwrap_or(300_000)));
            let (id, group) = (id.to_owned(), group.to_owned());
            self.send(number, &Message::StreamAck { id: id.clone(), expected: 1 }, 0);
            let stream = Stream { id, group, no_echo, expected: 1, heard, idle };
            return self.at(number).streams.push(stream);
        };
        self.close_stream(number, id, Some(error));
    }

    pub(super) fn stream_data(
        &mut self,
        number: usize,
        id: &str,
        sequence: u64,
        payload: &Payload,
    ) {
        let Some(place) = self.hear_stream(number, id) else { return };
        let stream = self.connections[&number].streams[place].clone();
        let hub = self.connections[&number].hub.clone();
        let expected = stream.expected;
        let nack =
            |name: &str| Message::StreamNack { id: id.to_owned(), expected, name: name.to_owned() };
        if sequence > expected {
            self.send(number, &nack("InvalidSequenceId"), 0);
            return;
        }
        if sequence == expected {
            match self.exhausted(&hub) {
                None => {}
                Some(Quota::Second) => {
                    self.send(number, &nack("TransientError"), 0);
                    return;
                }
                Some(Quota::Day) => return self.shut(number, 1008),
            }
            let user = self.connections[&number].user.clone();
            let place_in = StreamPlace { id: id.to_owned(), sequence, end: false, error: None };
            let except = stream.no_echo.then_some(number);
            let except: Vec<_> = except.into_iter().collect();
            let message = Message::Group {
                group: stream.group.clone(),
                from_user: Some(user),
                payload: payload.clone(),
                metadata: Vec::new(),
                stream: Some(place_in),
            };
            let recipients = self.publish(&hub, &except, &message, 0);
            self.charge(&hub, recipients, payload);
            self.at(number).streams[place].expected += 1;
        }
        let expected = self.connections[&number].streams[place].expected;
        self.send(number, &Message::StreamAck { id: id.to_owned(), expected }, 0);
    }

    /// Finds an open stream and notes that it is not idle.
    pub(super) fn hear_stream(&mut self, number: usize, id: &str) -> Option<usize> {
        let now = self.now;
        let streams = &mut self.at(number).streams;
        let Some(place) = streams.iter().position(|each| each.id == id) else {
            self.close_stream(number, id, Some("StreamNotFound"));
            return None;
        };
        streams[place].heard = now;
        Some(place)
    }

    pub(super) fn end_stream(&mut self, number: usize, id: &str, error: Option<&(String, String)>) {
        if let Some(place) = self.hear_stream(number, id) {
            let error = error.map(|(message, code)| ("UserError", &**message, &**code));
            self.finish_stream(number, place, error, None);
        }
    }

    pub(super) fn time_out_stream(&mut self, number: usize) {
        let streams = self.connections[&number].streams.iter().enumerate();
        let (place, _) = streams.min_by_key(|(_, it)| it.deadline()).expect("one is due");
        self.finish_stream(number, place, Some(("IdleTimeout", "", "")), Some("IdleTimeout"));
    }

    pub(super) fn end_forbidden_streams(&mut self, number: usize) {
        while let Some(place) = {
            let connection = &self.connections[&number];
            let may = |group: &str| connection.rights.allows(Permission::SendToGroup, group);
            connection.streams.iter().position(|stream| !may(&stream.group))
        } {
            self.finish_stream(number, place, Some(("Forbidden", "", "")), Some("Forbidden"));
        }
    }

    /// Tells a group that the publisher of a stream is gone.
    pub(super) fn cancel_stream(&mut self, gone: &Connection, stream: &Stream) {
        self.publish_last(&gone.hub, gone.user.clone(), &[], stream, Some(("Cancelled", "", "")));
    }

    fn finish_stream(
        &mut self,
        number: usize,
        place: usize,
        last: Option<(&str, &str, &str)>,
        error: Option<&str>,
    ) {
        let stream = self.at(number).streams.remove(place);
        let connection = &self.connections[&number];
        let (hub, user) = (connection.hub.clone(), connection.user.clone());
        let except: Vec<_> = stream.no_echo.then_some(number).into_iter().collect();
        self.publish_last(&hub, user, &except, &stream, last);
        self.close_stream(number, &stream.id, error);
    }

    fn publish_last(
        &mut self,
        hub: &str,
        user: Option<String>,
        except: &[usize],
        stream: &Stream,
        error: Option<(&str, &str, &str)>,
    ) {
        let error = error
            .map(|(name, message, code)| (name.to_owned(), message.to_owned(), code.to_owned()));
        let place =
            StreamPlace { id: stream.id.clone(), sequence: stream.expected, end: true, error };
        self.counters.messages_out += 1;
        let message = Message::Group {
            group: stream.group.clone(),
            from_user: Some(user),
            payload: Payload::Text(String::new()),
            metadata: Vec::new(),
            stream: Some(place),
        };
        self.publish(hub, except, &message, 0);
    }

    fn close_stream(&mut self, number: usize, id: &str, error: Option<&str>) {
        let (id, error) = (id.to_owned(), error.map(str::to_owned));
        self.send(number, &Message::StreamClosed { id, error }, 0);
    }
}
