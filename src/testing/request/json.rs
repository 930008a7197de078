//! Requests as JSON (`webpubsub.md` 3.1).

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;

use super::{Content, Request};
use crate::testing::payload::Payload;

/// Writes a request.
pub(super) fn text(request: &Request) -> String {
    let (kind, members) = match request {
        Request::Join { group, .. } => ("joinGroup", member("group", &quote(group))),
        Request::Leave { group, .. } => ("leaveGroup", member("group", &quote(group))),
        Request::Send { group, content, no_echo, ttl, .. } => {
            let ttl = if *ttl > 0 { member("ttlSeconds", &ttl.to_string()) } else { String::new() };
            let no_echo = member("noEcho", &no_echo.to_string());
            let group = member("group", &quote(group));
            ("sendToGroup", [group, no_echo, ttl, full(content)].concat())
        }
        Request::Event { name, content, .. } => {
            ("event", member("event", &quote(name)) + &full(content))
        }
        Request::SequenceAck { sequence } => {
            ("sequenceAck", member("sequenceId", &sequence.to_string()))
        }
        Request::Ping => ("ping", String::new()),
        Request::Invoke { id, event, content } => {
            let id = member("invocationId", &quote(id)) + &member("target", r#""event""#);
            ("invoke", id + &member("event", &quote(event)) + &full(content))
        }
        Request::CancelInvocation { id } => {
            ("cancelInvocation", member("invocationId", &quote(id)))
        }
        Request::StartStream { id, group, no_echo, idle_timeout } => {
            let idle = idle_timeout.map(|idle| member("idleTimeoutMs", &idle.to_string()));
            let id = quote(id);
            let stream = format!(r#"{{"streamId":{id}{}}}"#, idle.unwrap_or_default());
            let no_echo = member("noEcho", &no_echo.to_string());
            let group = member("group", &quote(group));
            ("sendToGroup", group + &no_echo + &member("stream", &stream))
        }
        Request::StreamData { id, sequence, payload } => {
            let sequence = member("streamSequenceId", &sequence.to_string());
            ("streamData", member("streamId", &quote(id)) + &sequence + &data(payload))
        }
        Request::StreamKeepAlive { id } => ("streamData", member("streamId", &quote(id))),
        Request::EndStream { id, error } => {
            let error = error.as_ref().map(|(message, code)| {
                let (message, code) = (quote(message), quote(code));
                format!(r#","error":{{"message":{message},"userErrorCode":{code}}}"#)
            });
            ("streamEnd", member("streamId", &quote(id)) + &error.unwrap_or_default())
        }
        Request::SetState { group, state, .. } => {
            let state = state.as_ref().map(|state| member("state", &object(state)));
            ("setGroupState", member("group", &quote(group)) + &state.unwrap_or_default())
        }
        Request::Subscribe { group, .. } => ("subscribeGroupState", member("group", &quote(group))),
        Request::Unsubscribe { group, .. } => {
            ("unsubscribeGroupState", member("group", &quote(group)))
        }
    };
    let ack = request.ack().map(|ack| member("ackId", &ack.to_string())).unwrap_or_default();
    format!(r#"{{"type":"{kind}"{members}{ack}}}"#)
}

/// Writes the members of a content, each behind a comma.
fn full(content: &Content) -> String {
    let data = content.data.as_ref().map(data).unwrap_or_default();
    if content.metadata.is_empty() && content.data.is_some() {
        return data;
    }
    data + &member("metadata", &object(&content.metadata))
}

fn data(payload: &Payload) -> String {
    let (kind, data) = match payload {
        Payload::Text(text) => ("text", quote(text)),
        Payload::Json(text) => ("json", text.clone()),
        Payload::Binary(bytes) => ("binary", base64(bytes)),
        Payload::Protobuf(bytes) => ("protobuf", base64(bytes)),
    };
    format!(r#","dataType":"{kind}","data":{data}"#)
}

fn base64(bytes: &[u8]) -> String {
    format!("\"{}\"", base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn object(entries: &[(String, String)]) -> String {
    let entries: Vec<_> =
        entries.iter().map(|(name, value)| format!("{}:{}", quote(name), quote(value))).collect();
    format!("{{{}}}", entries.join(","))
}

fn member(name: &str, value: &str) -> String {
    format!(r#","{name}":{value}"#)
}

fn quote(text: &str) -> String {
    serde_json::to_string(text).expect("a text can be quoted")
}
