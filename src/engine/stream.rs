//! Streams of messages from a client to a group (`webpubsub.md` 3.8).

use alloc::boxed::Box;
use alloc::format;
use core::cmp::Ordering;
use core::mem;

use super::Engine;
use super::fanout::Message;
use crate::config::Quota;
use crate::protocol::{Data, Outgoing, StreamEnd, StreamPart, UserError};
use crate::state::{ConnectionKey, Permission, Stream};

impl Engine {
    /// Opens a stream, or says why not. A refusal closes nothing: a stream that has the id stays open.
    pub(super) fn start_stream(&mut self, key: ConnectionKey, stream: Stream) {
        let connection = self.world.at(key);
        let streams = connection.streams();
        if !connection.permissions.allows(Permission::SendToGroup, &stream.group) {
            let group = &stream.group;
            let message =
                format!("The client does not have permission to send to group '{group}'.");
            return self.close_stream(key, &stream.id, Some(("Forbidden", &message)));
        }
        if streams.iter().any(|each| each.id == stream.id) {
            let message = "A stream with this id is open.";
            return self.close_stream(key, &stream.id, Some(("BadRequest", message)));
        }
        if streams.len() >= self.limits_of(key).streams_per_connection {
            let message = "Too many streams are open.";
            return self.close_stream(key, &stream.id, Some(("BadRequest", message)));
        }
        self.tell_one(
            key,
            &Outgoing::StreamAck { stream_id: &stream.id, expected: stream.expected },
        );
        self.world.at_mut(key).extra().streams.push(stream);
        self.arm(key);
    }

    /// Publishes the next message of a stream. What came before is acknowledged again, what comes too early is not
    /// taken.
    pub(super) fn stream_data(
        &mut self,
        key: ConnectionKey,
        stream_id: &str,
        sequence_id: u64,
        data: Data<'_>,
    ) {
        let Some(place) = self.hear_stream(key, stream_id) else { return };
        let connection = self.world.at(key);
        let expected = connection.streams()[place].expected;
        match sequence_id.cmp(&expected) {
            Ordering::Less => {}
            Ordering::Equal => {
                match self.use_quota(connection.hub) {
                    Ok(()) => {}
                    Err(Quota::Second) => {
                        let (name, message) = ("TransientError", "Message count reaches limit");
                        let nack = Outgoing::StreamNack { stream_id, expected, name, message };
                        return self.tell_one(key, &nack);
                    }
                    Err(quota @ Quota::Day) => return self.throttle(key, quota),
                }
                self.publish_part(key, place, data);
            }
            Ordering::Greater => {
                let (name, message) = ("InvalidSequenceId", &*format!("expected {expected}"));
                let nack = Outgoing::StreamNack { stream_id, expected, name, message };
                return self.tell_one(key, &nack);
            }
        }
        let expected = self.world.at(key).streams()[place].expected;
        self.tell_one(key, &Outgoing::StreamAck { stream_id, expected });
    }

    /// Notes that a stream goes on; that is not answered.
    pub(super) fn keep_stream_alive(&mut self, key: ConnectionKey, stream_id: &str) {
        self.hear_stream(key, stream_id);
    }

    /// Ends a stream as its publisher wishes.
    pub(super) fn end_stream(
        &mut self,
        key: ConnectionKey,
        stream_id: &str,
        error: Option<&UserError<'_>>,
    ) {
        let Some(place) = self.hear_stream(key, stream_id) else { return };
        let end = match error {
            None => StreamEnd::Done,
            Some(UserError { message, code }) => StreamEnd::Failed {
                name: "UserError",
                message: message.as_deref(),
                code: code.as_deref(),
            },
        };
        self.finish_stream(key, place, end, None);
    }

    /// Ends a stream whose publisher sent something that makes no sense.
    pub(super) fn break_stream(&mut self, key: ConnectionKey, stream_id: &str, problem: &str) {
        let Some(place) = self.hear_stream(key, stream_id) else { return };
        let end = failed("Cancelled", "The publisher broke the protocol.");
        self.finish_stream(key, place, end, Some(("BadRequest", problem)));
    }

    /// Ends the stream of a connection that has been silent for the longest time beyond its own.
    pub(super) fn time_out_stream(&mut self, key: ConnectionKey) {
        let streams = self.world.at(key).streams().iter().enumerate();
        let first = streams.min_by_key(|(_, stream)| stream.deadline());
        let (place, _) = first.expect("one of them is due");
        let message = "The stream was idle for too long.";
        let end = failed("IdleTimeout", message);
        self.finish_stream(key, place, end, Some(("IdleTimeout", message)));
    }

    /// Ends the streams of a connection that it is no longer allowed.
    pub(super) fn end_forbidden_streams(&mut self, key: ConnectionKey) {
        loop {
            let connection = self.world.at(key);
            let forbidden = |stream: &Stream| {
                !connection.permissions.allows(Permission::SendToGroup, &stream.group)
            };
            let Some(place) = connection.streams().iter().position(forbidden) else { return };
            let message = "The permission to send to the group was revoked.";
            let end = failed("Forbidden", message);
            self.finish_stream(key, place, end, Some(("Forbidden", message)));
        }
    }

    /// Tells the group of a stream that its publisher is gone.
    pub(super) fn cancel_stream(&mut self, hub: u32, user: Option<&str>, stream: &Stream) {
        let end = failed("Cancelled", "The connection of the publisher ended.");
        self.publish_last(hub, user, None, stream, end);
    }

    /// Tells a publisher that a stream is closed, or was never open.
    pub(super) fn close_stream(
        &mut self,
        key: ConnectionKey,
        stream_id: &str,
        error: Option<(&'static str, &str)>,
    ) {
        self.tell_one(key, &Outgoing::StreamClosed { stream_id, error });
    }

    /// Finds an open stream and notes that it is not idle; an unknown one is answered.
    fn hear_stream(&mut self, key: ConnectionKey, stream_id: &str) -> Option<usize> {
        let now = self.now;
        let streams = self.world.at(key).streams().iter();
        let Some(place) = streams.into_iter().position(|each| *each.id == *stream_id) else {
            let error = Some(("StreamNotFound", "No stream with this id is open."));
            self.close_stream(key, stream_id, error);
            return None;
        };
        self.world.at_mut(key).extra().streams[place].heard = now;
        Some(place)
    }

    fn publish_part(&mut self, key: ConnectionKey, place: usize, data: Data<'_>) {
        // Lent to the message for as long as it is published.
        let mut stream = mem::take(&mut self.world.at_mut(key).extra().streams[place]);
        let metadata = stream.metadata();
        let part = StreamPart { stream_id: &stream.id, sequence_id: stream.expected, end: None };
        let message = Message {
            data,
            metadata: &metadata,
            ttl_seconds: stream.ttl_seconds,
            stream: Some(&part),
        };
        self.publish_from(key, &stream.group, stream.no_echo, &message);
        drop(metadata);
        stream.expected += 1;
        self.world.at_mut(key).extra().streams[place] = stream;
    }

    /// Ends a stream: the group gets its last message, then the publisher is told.
    fn finish_stream(
        &mut self,
        key: ConnectionKey,
        place: usize,
        end: StreamEnd<'_>,
        error: Option<(&'static str, &str)>,
    ) {
        let stream = self.world.at_mut(key).extra().streams.remove(place);
        let connection = self.world.at(key);
        let hub = connection.hub;
        let user: Option<Box<str>> = self.world.user_name(connection).map(Into::into);
        let except = stream.no_echo.then_some(key);
        self.publish_last(hub, user.as_deref(), except, &stream, end);
        self.close_stream(key, &stream.id, error);
        self.arm(key);
    }

    fn publish_last(
        &mut self,
        hub: u32,
        user: Option<&str>,
        except: Option<ConnectionKey>,
        stream: &Stream,
        end: StreamEnd<'_>,
    ) {
        let part =
            StreamPart { stream_id: &stream.id, sequence_id: stream.expected, end: Some(end) };
        let message = Message {
            data: Data::Text(""),
            metadata: &stream.metadata(),
            // However late, it tells that no more will come.
            ttl_seconds: 0,
            stream: Some(&part),
        };
        self.publish_end(hub, &stream.group, user, except, &message);
    }
}

fn failed(name: &'static str, message: &'static str) -> StreamEnd<'static> {
    StreamEnd::Failed { name, message: Some(message), code: None }
}

#[cfg(test)]
mod tests;
