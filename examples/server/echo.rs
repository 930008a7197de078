//! The event handler that is built into the server, for trying things out: it answers each event with what came with it.
//! The event `fail` fails, the event `slow` is answered late.

use std::collections::VecDeque;
use std::time::Duration;

use hubcast::replay::Recorder;
use hubcast::{Admission, Answer, Call, CallId, Data, EventKind, Response, Time};

/// How late the event `slow` is answered.
const SLOWNESS: Duration = Duration::from_secs(1);

/// What is to be answered, and when.
#[derive(Debug, Default)]
pub(crate) struct Echo {
    /// Answers to give at once. They cannot be given while the engine lends its action.
    ready: VecDeque<(CallId, Reply)>,
    /// Answers to give later, the next one first: all are equally late.
    late: VecDeque<(Time, CallId, Reply)>,
}

impl Echo {
    /// Takes a call.
    pub(crate) fn call(&mut self, call: &Call<'_>, now: Time) {
        // Nobody waits for the answers to notifications.
        let Some(id) = call.id else { return };
        match call.event.kind {
            EventKind::User { name: "slow", data, metadata } => {
                self.late.push_back((now + SLOWNESS, id, Reply::echo(data, metadata.iter())));
            }
            EventKind::User { name: "fail", .. } => self.ready.push_back((id, Reply::Fail)),
            EventKind::User { data, metadata, .. } => {
                self.ready.push_back((id, Reply::echo(data, metadata.iter())));
            }
            EventKind::Connect(_) => self.ready.push_back((id, Reply::Accept)),
            // What later versions may add.
            _ => self.ready.push_back((id, Reply::Fail)),
        }
    }

    /// Forgets a call.
    pub(crate) fn cancel(&mut self, call: CallId) {
        self.ready.retain(|(id, _)| *id != call);
        self.late.retain(|(_, id, _)| *id != call);
    }

    /// Takes an answer whose time has come.
    pub(crate) fn answer(&mut self, now: Time) -> Option<(CallId, Reply)> {
        if let Some(answer) = self.ready.pop_front() {
            return Some(answer);
        }
        if self.next_deadline()? > now {
            return None;
        }
        self.late.pop_front().map(|(_, call, reply)| (call, reply))
    }

    /// Returns when the next late answer is due.
    pub(crate) fn next_deadline(&self) -> Option<Time> {
        self.late.front().map(|(due, _, _)| *due)
    }
}

/// An [`Answer`] with the data that it borrows.
#[derive(Debug)]
pub(crate) enum Reply {
    Accept,
    Echo { data: Payload, metadata: Vec<(String, String)> },
    Fail,
}

/// [`Data`] with its text or bytes.
#[derive(Debug)]
pub(crate) enum Payload {
    Text(String),
    Json(String),
    Binary(Vec<u8>),
    Protobuf(Vec<u8>),
}

impl Reply {
    fn echo<'a>(data: Data<'_>, metadata: impl Iterator<Item = (&'a str, &'a str)>) -> Self {
        let data = match data {
            Data::Text(text) => Payload::Text(text.to_owned()),
            Data::Json(text) => Payload::Json(text.to_owned()),
            Data::Binary(bytes) => Payload::Binary(bytes.to_owned()),
            Data::Protobuf(bytes) => Payload::Protobuf(bytes.to_owned()),
            // What later versions may add.
            _ => return Self::Fail,
        };
        let metadata = metadata.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Self::Echo { data, metadata }
    }

    /// Gives the answer to the engine.
    pub(crate) fn give(&self, engine: &mut Recorder, call: CallId, now: Time) {
        match self {
            Self::Accept => engine.answer(call, Answer::Accept(Admission::default()), now),
            Self::Fail => engine.answer(call, Answer::Fail, now),
            Self::Echo { data, metadata } => {
                let metadata: Vec<(&str, &str)> =
                    metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                let data = Some(match data {
                    Payload::Text(text) => Data::Text(text),
                    Payload::Json(text) => Data::Json(text),
                    Payload::Binary(bytes) => Data::Binary(bytes),
                    Payload::Protobuf(bytes) => Data::Protobuf(bytes),
                });
                let response = Response { data, metadata: &metadata, ..Response::default() };
                engine.answer(call, Answer::Reply(response), now);
            }
        }
    }
}
