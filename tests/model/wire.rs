//! What a connection is told, in a form that can be compared: as the model says it, and as it was read from
//! the actions of an engine.

use base64::Engine as _;
use hubcast::{Call, Data, EventKind, Frame, Time};

use crate::operation::Payload;

/// One thing that a connection, or the handler for it, is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    Accept {
        id: String,
        subprotocol: Option<String>,
    },
    Refuse(u16),
    /// A frame, byte by byte, and when it is of no more use.
    Text(String, Option<Time>),
    Binary(Vec<u8>, Option<Time>),
    /// An ack, with the name of its error. The explanation is not compared.
    Ack(u64, Option<String>),
    /// A system message that says goodbye. Its text is not compared.
    Farewell,
    /// The code. The reason is not compared.
    Close(u16),
    Call(Box<Told>),
}

/// An event as its handler is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Told {
    pub handler: String,
    pub number: u64,
    pub name: String,
    pub user: Option<String>,
    pub subprotocol: Option<String>,
    pub state: Option<String>,
    /// When the engine stops waiting; `None` where it does not wait.
    pub deadline: Option<Time>,
    pub data: Option<(Payload, Vec<(String, String)>)>,
}

/// The members of a message from a group. `from` is `None` where no client sent it.
pub(crate) fn group_message(
    group: &str,
    from: Option<Option<&str>>,
    data: &Payload,
    metadata: &[(String, String)],
) -> String {
    let user = from.map_or(String::new(), |user| format!(r#","fromUserId":{}"#, nullable(user)));
    let (group, data, metadata) = (quote(group), data.members(), trailer(metadata));
    format!(r#"{{"type":"message","from":"group","group":{group}{user}{data}{metadata}}}"#)
}

pub(crate) fn server_message(data: &Payload, metadata: &[(String, String)]) -> String {
    format!(r#"{{"type":"message","from":"server"{}{}}}"#, data.members(), trailer(metadata))
}

pub(crate) fn connected(id: &str, user: Option<&str>) -> String {
    let user = nullable(user);
    format!(r#"{{"type":"system","event":"connected","userId":{user},"connectionId":"{id}"}}"#)
}

/// Writes names and values as a JSON object.
pub(crate) fn object(pairs: &[(String, String)]) -> String {
    let pairs: Vec<_> =
        pairs.iter().map(|(key, value)| format!("{}:{}", quote(key), quote(value))).collect();
    format!("{{{}}}", pairs.join(","))
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

fn trailer(metadata: &[(String, String)]) -> String {
    if metadata.is_empty() { String::new() } else { format!(r#","metadata":{}"#, object(metadata)) }
}

fn nullable(text: Option<&str>) -> String {
    text.map_or("null".to_owned(), quote)
}

fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be quoted")
}

/// Reads a frame of an engine.
pub(crate) fn read_frame(frame: &Frame, json: bool, expires: Option<Time>) -> Seen {
    let bytes: Vec<u8> = frame.bytes(0).to_vec();
    if !frame.is_text() {
        return Seen::Binary(bytes, expires);
    }
    let text = String::from_utf8(bytes).expect("a text frame is UTF-8");
    if json {
        let value: serde_json::Value =
            serde_json::from_str(&text).expect("a JSON client gets JSON");
        if value["type"] == "ack" {
            assert_eq!(expires, None, "an ack never expires");
            let error = value["error"]["name"].as_str().map(str::to_owned);
            assert_eq!(value["success"], error.is_none(), "{text}");
            return Seen::Ack(value["ackId"].as_u64().expect("an ack has an id"), error);
        }
        if value["type"] == "system" && value["event"] == "disconnected" {
            return Seen::Farewell;
        }
    }
    Seen::Text(text, expires)
}

/// Reads a call of an engine.
pub(crate) fn read_call(call: &Call<'_>) -> Seen {
    assert_eq!(call.id.is_some(), call.deadline.is_some(), "who waits has a deadline");
    let event = &call.event;
    let data = match &event.kind {
        EventKind::User { data, metadata, .. } => {
            let pairs = metadata.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
            Some((keep(*data), pairs.collect()))
        }
        _ => None,
    };
    Seen::Call(Box::new(Told {
        handler: call.handler.url.clone(),
        number: event.number,
        name: event.kind.name().to_owned(),
        user: event.user.map(str::to_owned),
        subprotocol: event.subprotocol.map(str::to_owned),
        state: event.state.map(str::to_owned),
        deadline: call.deadline,
        data,
    }))
}

fn keep(data: Data<'_>) -> Payload {
    match data {
        Data::Text(text) => Payload::Text(text.to_owned()),
        Data::Json(text) => Payload::Json(text.to_owned()),
        Data::Binary(bytes) => Payload::Binary(bytes.to_owned()),
        other => panic!("unknown data: {other:?}"),
    }
}
