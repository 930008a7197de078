//! From the bytes of a message to what the client asks for (`webpubsub.md` 5.1, 5.3, 5.4).
//!
//! As in protobuf everywhere, the last of several messages counts, and fields of the same message that come
//! in pieces are merged; only a `google.protobuf.Any` in pieces is not put together, its last piece counts. Fields
//! with unknown numbers are skipped, and so are fields that are not spelled as their number says.

mod fields;

use self::fields::{Fields, Start, checked, each_bytes, id, text};
use super::wire::{Reader, Value};
use crate::protocol::entries::Entries;
use crate::protocol::message::{Data, IDLE_TIMEOUT, Request, TTL_SECONDS_MAX};
use crate::protocol::problem;

/// Decodes one binary message; everything is borrowed from it. `None` where it breaks a rule.
pub(crate) fn decode(bytes: &[u8]) -> Option<Request<'_>> {
    let mut reader = Reader::new(bytes);
    let (mut chosen, mut fields) = (None, Fields::default());
    while let Some((number, value)) = reader.field()? {
        let (Some(message), Value::Bytes(bytes)) = (Upstream::from_number(number), value) else {
            continue;
        };
        if chosen.is_some_and(|chosen| chosen != message) {
            fields = Fields::default();
        }
        chosen = Some(message);
        fields.read(message, bytes)?;
    }
    fields.request(chosen?)
}

/// Tells whether the bytes are a well-formed `google.protobuf.Any`.
pub(crate) fn is_any(bytes: &[u8]) -> bool {
    each_bytes(bytes, |field, bytes| {
        // The type is named in a text; what is in the value is up to those who exchange it.
        if field == 1 { text(bytes).map(|_| ()) } else { Some(()) }
    })
    .is_some()
}

/// The messages that clients send.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Upstream {
    SendToGroup,
    Event,
    JoinGroup,
    LeaveGroup,
    SequenceAck,
    Ping,
    Invoke,
    CancelInvocation,
    StreamData,
    StreamEnd,
    SetGroupState,
    SubscribeGroupState,
    UnsubscribeGroupState,
}

impl Upstream {
    #[inline]
    pub(super) const fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            1 => Self::SendToGroup,
            5 => Self::Event,
            6 => Self::JoinGroup,
            7 => Self::LeaveGroup,
            8 => Self::SequenceAck,
            9 => Self::Ping,
            10 => Self::Invoke,
            11 => Self::CancelInvocation,
            13 => Self::StreamData,
            14 => Self::StreamEnd,
            15 => Self::SetGroupState,
            16 => Self::SubscribeGroupState,
            17 => Self::UnsubscribeGroupState,
            _ => return None,
        })
    }

    /// Tells whether its first two fields are a group and an ack id.
    pub(super) const fn is_about_group(self) -> bool {
        match self {
            Self::SendToGroup
            | Self::JoinGroup
            | Self::LeaveGroup
            | Self::SetGroupState
            | Self::SubscribeGroupState
            | Self::UnsubscribeGroupState => true,
            Self::Event
            | Self::SequenceAck
            | Self::Ping
            | Self::Invoke
            | Self::CancelInvocation
            | Self::StreamData
            | Self::StreamEnd => false,
        }
    }
}

impl<'a> Fields<'a> {
    fn request(&mut self, message: Upstream) -> Option<Request<'a>> {
        let ack_id = self.ack_id;
        Some(match message {
            Upstream::SendToGroup => return self.send_to_group(),
            Upstream::Event => return self.user_event(),
            Upstream::JoinGroup => Request::JoinGroup { group: self.group()?, ack_id },
            Upstream::LeaveGroup => Request::LeaveGroup { group: self.group()?, ack_id },
            Upstream::SequenceAck => {
                Request::SequenceAck { sequence_id: self.sequence_id.unwrap_or(0) }
            }
            Upstream::Ping => Request::Ping,
            Upstream::Invoke => return self.invoke(),
            Upstream::CancelInvocation => {
                Request::CancelInvocation { invocation_id: self.invocation_id()? }
            }
            Upstream::StreamData => return self.stream_data_or_keep_alive(),
            Upstream::StreamEnd => {
                Request::EndStream { stream_id: self.id()?, error: self.error.take() }
            }
            Upstream::SetGroupState => {
                let state = self.state.take().map(Entries::into_pairs);
                Request::SetGroupState { group: self.group()?, state, ack_id }
            }
            Upstream::SubscribeGroupState => {
                Request::SubscribeGroupState { group: self.group()?, ack_id }
            }
            Upstream::UnsubscribeGroupState => {
                Request::UnsubscribeGroupState { group: self.group()?, ack_id }
            }
        })
    }

    fn send_to_group(&mut self) -> Option<Request<'a>> {
        let (group, metadata) = (self.group()?, self.metadata()?);
        let (no_echo, ttl_seconds) = (self.no_echo, self.ttl_seconds);
        if ttl_seconds > TTL_SECONDS_MAX {
            return None;
        }
        let Some(Start { stream_id, idle_timeout }) = self.stream.take() else {
            let data = self.data_beside(&metadata)?;
            let ack_id = self.ack_id;
            return Some(Request::SendToGroup {
                group,
                data,
                metadata,
                no_echo,
                ttl_seconds,
                ack_id,
            });
        };
        let stream_id = id(stream_id)?;
        let idle_timeout = idle_timeout.unwrap_or(IDLE_TIMEOUT);
        let problem = if stream_id.is_empty() {
            problem::EMPTY_STREAM_ID
        } else if self.data.is_some() {
            problem::DATA_IN_START
        } else if self.ack_id.is_some() {
            problem::ACK_ID_IN_START
        } else if idle_timeout == 0 {
            problem::IDLE_TIMEOUT
        } else {
            return Some(Request::StartStream {
                stream_id,
                group,
                metadata,
                no_echo,
                ttl_seconds,
                idle_timeout,
            });
        };
        Some(Request::BadStart { stream_id, problem })
    }

    fn user_event(&mut self) -> Option<Request<'a>> {
        if self.stream.is_some() {
            return None;
        }
        let (event, metadata) = (self.event()?, self.metadata()?);
        let data = self.data_beside(&metadata)?;
        Some(Request::Event { event, data, metadata, ack_id: self.ack_id })
    }

    fn invoke(&mut self) -> Option<Request<'a>> {
        let (invocation_id, event) = (self.invocation_id()?, self.event()?);
        let metadata = self.metadata()?;
        let data = match self.data {
            None => Data::Text(""),
            Some(data) => checked(data)?,
        };
        if self.stream.is_some() {
            let problem = problem::STREAM_IN_INVOCATION;
            return Some(Request::BadInvoke { invocation_id, problem });
        }
        Some(Request::Invoke { invocation_id, event, data, metadata })
    }

    fn stream_data_or_keep_alive(&self) -> Option<Request<'a>> {
        let stream_id = self.id()?;
        let (sequence_id, data) = match (self.sequence_id, self.data) {
            (None, None) => return Some(Request::StreamKeepAlive { stream_id }),
            (None, Some(_)) => {
                let problem = problem::STREAM_SEQUENCE_ID;
                return Some(Request::BadStream { stream_id, problem });
            }
            (Some(sequence_id), data) => (sequence_id, data.and_then(checked)),
        };
        let Some(data) = data else {
            return Some(Request::BadStream { stream_id, problem: problem::STREAM_DATA });
        };
        Some(Request::StreamData { stream_id, sequence_id, data })
    }
}
