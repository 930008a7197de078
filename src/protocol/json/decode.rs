//! From the text of a frame to what the client asks for (`webpubsub.md` 3.1 to 3.3, 3.7 to 3.9).

mod fields;
mod stream;

use alloc::vec::Vec;

use self::fields::{Fields, find, id, integer, present};
use super::scan::{Value, visit_members};
use super::text::Text;
use crate::protocol::entries::Entries;
use crate::protocol::message::{Metadata, Request};
use crate::protocol::problem;

/// Decodes one text message; `None` where it breaks a rule of `webpubsub.md` 3.2. What has to be unescaped or decoded goes
/// into `scratch`, whose content before is thrown away; all else is borrowed from the text.
pub(crate) fn decode<'a>(text: &'a str, scratch: &'a mut Vec<u8>) -> Option<Request<'a>> {
    let mut fields = Fields::default();
    fields.read(text)?;
    // A bad id breaks every type of message, those that are never acknowledged included (`webpubsub.md` 3.2).
    let ack_id = match present(fields.ack_id) {
        None => None,
        Some(value) => Some(integer(value)?),
    };
    Some(match RequestType::from_text(fields.request_type?.text()?)? {
        RequestType::JoinGroup => Request::JoinGroup { group: fields.group()?, ack_id },
        RequestType::LeaveGroup => Request::LeaveGroup { group: fields.group()?, ack_id },
        RequestType::SendToGroup => return fields.send_to_group(ack_id, scratch),
        RequestType::Event => return fields.user_event(ack_id, scratch),
        RequestType::SequenceAck => {
            Request::SequenceAck { sequence_id: integer(fields.sequence_id?)? }
        }
        RequestType::Ping => Request::Ping,
        RequestType::Invoke => return fields.invoke(scratch),
        RequestType::CancelInvocation => {
            let invocation_id = id(fields.invocation_id).filter(|id| !id.is_empty())?;
            Request::CancelInvocation { invocation_id }
        }
        RequestType::StreamData => return fields.stream_data_or_keep_alive(scratch),
        RequestType::StreamEnd => return fields.end_stream(),
        RequestType::SetGroupState => return fields.set_group_state(ack_id),
        RequestType::SubscribeGroupState => {
            Request::SubscribeGroupState { group: fields.group()?, ack_id }
        }
        RequestType::UnsubscribeGroupState => {
            Request::UnsubscribeGroupState { group: fields.group()?, ack_id }
        }
    })
}

impl<'a> Fields<'a> {
    fn send_to_group(&self, ack_id: Option<u64>, scratch: &'a mut Vec<u8>) -> Option<Request<'a>> {
        if let Some(stream) = present(self.stream) {
            return self.start_stream(stream, ack_id);
        }
        let (no_echo, ttl_seconds) = (self.no_echo()?, self.ttl_seconds()?);
        let group = self.group()?;
        let (data, metadata) = self.data_and_metadata(scratch)?;
        Some(Request::SendToGroup { group, data, metadata, no_echo, ttl_seconds, ack_id })
    }

    #[inline(never)]
    fn user_event(&self, ack_id: Option<u64>, scratch: &'a mut Vec<u8>) -> Option<Request<'a>> {
        if present(self.stream).is_some() {
            return None;
        }
        let event = self.event()?;
        let (data, metadata) = self.data_and_metadata(scratch)?;
        Some(Request::Event { event, data, metadata, ack_id })
    }

    #[inline(never)]
    fn invoke(&self, scratch: &'a mut Vec<u8>) -> Option<Request<'a>> {
        let invocation_id = id(self.invocation_id).filter(|id| !id.is_empty())?;
        // What another target would need is not known, so that is not looked at.
        if self.target?.text()?.decode()? != "event" {
            return Some(Request::BadInvoke { invocation_id, problem: problem::TARGET });
        }
        let (event, metadata) = (self.event()?, self.metadata()?);
        let data = self.data(true, scratch)?;
        if present(self.stream).is_some() {
            let problem = problem::STREAM_IN_INVOCATION;
            return Some(Request::BadInvoke { invocation_id, problem });
        }
        Some(Request::Invoke { invocation_id, event, data, metadata })
    }

    #[inline(never)]
    fn set_group_state(&self, ack_id: Option<u64>) -> Option<Request<'a>> {
        let state = match present(self.state) {
            None => None,
            Some(value) => Some(read_state(value)?),
        };
        Some(Request::SetGroupState { group: self.group()?, state, ack_id })
    }
}

fn read_state(value: Value<'_>) -> Option<Metadata<'_>> {
    let mut entries = Entries::default();
    visit_members(value.raw, |key, value| entries.insert(key.decode()?, value.text()?.decode()?))?;
    Some(entries.into_pairs())
}

/// The types of messages that are understood.
#[derive(Clone, Copy)]
enum RequestType {
    JoinGroup,
    LeaveGroup,
    SendToGroup,
    Event,
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

impl RequestType {
    fn from_text(text: Text<'_>) -> Option<Self> {
        const NAMES: [(&str, RequestType); 13] = [
            ("sendToGroup", RequestType::SendToGroup),
            ("event", RequestType::Event),
            ("joinGroup", RequestType::JoinGroup),
            ("leaveGroup", RequestType::LeaveGroup),
            ("sequenceAck", RequestType::SequenceAck),
            ("ping", RequestType::Ping),
            ("streamData", RequestType::StreamData),
            ("streamEnd", RequestType::StreamEnd),
            ("invoke", RequestType::Invoke),
            ("cancelInvocation", RequestType::CancelInvocation),
            ("setGroupState", RequestType::SetGroupState),
            ("subscribeGroupState", RequestType::SubscribeGroupState),
            ("unsubscribeGroupState", RequestType::UnsubscribeGroupState),
        ];
        find(&NAMES, text)
    }
}
