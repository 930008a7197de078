//! The vectors were made by another implementation of protobuf.

use alloc::boxed::Box;
use alloc::string::ToString;
use alloc::vec::Vec;

use bytes::BytesMut;
use serde_json::Value;

use super::super::{Measured, decode, is_any};
use super::check;
use crate::protocol::{AckError, Data, Format, Metadata, Outgoing, Request, StateItem, UserError};

const ANY: &[u8] = b"\x0a\x1etype.googleapis.com/demo.Point\x12\x04\x08\x01\x10\x02";

fn vectors() -> Vec<(&'static str, Value, Vec<u8>)> {
    let text = include_str!("../../../../tests/vectors/protobuf-vectors.json");
    let vectors: Vec<Value> = serde_json::from_str(text).unwrap();
    let parse = |vector: Value| {
        let hex = vector["hex"].as_str().unwrap().as_bytes();
        let digits = hex.iter().map(|&digit| char::from(digit).to_digit(16).unwrap() as u8);
        let nibbles: Vec<u8> = digits.collect();
        let bytes = nibbles.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect();
        let name: &'static str =
            Box::leak(vector["name"].as_str().unwrap().to_string().into_boxed_str());
        (name, vector, bytes)
    };
    vectors.into_iter().map(parse).collect()
}

/// Returns what the message of this name asks for; `None` where it is invalid.
fn upstream(name: &str) -> Option<Request<'static>> {
    let group = || "room".into();
    let send = |data| Request::SendToGroup {
        group: group(),
        data,
        metadata: Metadata::new(),
        no_echo: false,
        ttl_seconds: 0,
        ack_id: None,
    };
    let pair = |key: &'static str, value: &'static str| -> Metadata<'static> {
        [(key.into(), value.into())].into_iter().collect()
    };
    Some(match name {
        "joinGroup no ack" => Request::JoinGroup { group: group(), ack_id: None },
        "joinGroup ackId 0 (explicit presence => must be acked)" => {
            Request::JoinGroup { group: group(), ack_id: Some(0) }
        }
        "joinGroup ackId 7" => Request::JoinGroup { group: group(), ack_id: Some(7) },
        "leaveGroup ackId 8" => Request::LeaveGroup { group: group(), ack_id: Some(8) },
        "sendToGroup text noEcho" => Request::SendToGroup {
            group: group(),
            data: Data::Text("hi"),
            metadata: Metadata::new(),
            no_echo: true,
            ttl_seconds: 0,
            ack_id: Some(9),
        },
        "sendToGroup binary" => send(Data::Binary(&[0, 1, 255])),
        "sendToGroup json" => send(Data::Json(r#"{"a":1}"#)),
        "sendToGroup Any" => send(Data::Protobuf(ANY)),
        "sendToGroup empty text (explicit oneof selection => valid)" => send(Data::Text("")),
        "sendToGroup metadata only (valid => empty text)" => Request::SendToGroup {
            group: group(),
            data: Data::Text(""),
            metadata: pair("k", "v"),
            no_echo: false,
            ttl_seconds: 0,
            ack_id: None,
        },
        "sendToGroup ttl 300" => Request::SendToGroup {
            group: group(),
            data: Data::Text("x"),
            metadata: Metadata::new(),
            no_echo: false,
            ttl_seconds: 300,
            ack_id: None,
        },
        "sendToGroup no data no metadata no stream (INVALID => close 1007)"
        | "sendToGroup ttl 301 (INVALID => close 1007)" => return None,
        "stream start" => Request::StartStream {
            stream_id: "s1".into(),
            group: group(),
            metadata: Metadata::new(),
            no_echo: false,
            ttl_seconds: 0,
            idle_timeout: 1000,
        },
        "event text" => Request::Event {
            event: "echo".into(),
            data: Data::Text("hi"),
            metadata: Metadata::new(),
            ack_id: Some(1),
        },
        "sequenceAck 5" => Request::SequenceAck { sequence_id: 5 },
        "ping" => Request::Ping,
        "invoke" => Request::Invoke {
            invocation_id: "1".into(),
            event: "calc".into(),
            data: Data::Json("{}"),
            metadata: Metadata::new(),
        },
        "cancelInvocation" => Request::CancelInvocation { invocation_id: "1".into() },
        "streamData 1" => {
            Request::StreamData { stream_id: "s1".into(), sequence_id: 1, data: Data::Text("a") }
        }
        "stream keepalive" => Request::StreamKeepAlive { stream_id: "s1".into() },
        "streamEnd" => Request::EndStream { stream_id: "s1".into(), error: None },
        "streamEnd with error" => Request::EndStream {
            stream_id: "s1".into(),
            error: Some(UserError { message: Some("boom".into()), code: Some("E1".into()) }),
        },
        "setGroupState" => Request::SetGroupState {
            group: group(),
            state: Some(pair("typing", "1")),
            ack_id: Some(3),
        },
        "setGroupState clear" => {
            Request::SetGroupState { group: group(), state: None, ack_id: Some(4) }
        }
        "subscribeGroupState" => Request::SubscribeGroupState { group: group(), ack_id: Some(5) },
        "unsubscribeGroupState" => {
            Request::UnsubscribeGroupState { group: group(), ack_id: Some(6) }
        }
        other => panic!("nobody knows what {other} asks for"),
    })
}

/// Every message of a client means what it is called, or is refused.
#[test]
fn up() {
    let mut count = 0;
    for (name, vector, bytes) in vectors() {
        if vector["direction"] != "up" {
            continue;
        }
        match upstream(name) {
            Some(expected) => check(&bytes, &expected),
            None => assert!(decode(&bytes).is_none(), "{name}"),
        }
        count += 1;
    }
    assert_eq!(count, 27);
}

/// The payload among the vectors is an `Any`.
#[test]
fn payload() {
    let any: Vec<_> = vectors().into_iter().filter(|it| it.1["direction"] == "payload").collect();
    assert_eq!(any.len(), 1);
    assert!(is_any(&any[0].2) && any[0].2 == ANY);
}

/// Every message to a client has exactly these bytes; the reliable ones with their sequence id in its place.
#[test]
fn down() {
    let state: [(Box<str>, Box<str>); 1] = [("k".into(), "v".into())];
    let items = [StateItem {
        connection_id: "c1",
        user: Some("u1"),
        state: Some(&state),
        updated_at: 1_700_000_000_000,
    }];
    let connected = |reconnection_token| Outgoing::Connected {
        connection_id: "c1",
        user: Some("u1"),
        reconnection_token,
    };
    let group = || Outgoing::Group {
        group: "room",
        from_user: Some(Some("nobody sees this")),
        data: Data::Text("hi"),
        metadata: &[],
        stream: None,
    };
    let error = Some((AckError::Forbidden, "no"));
    let closed = |error| Outgoing::StreamClosed { stream_id: "s1", error };
    let downstream = |name: &str| match name {
        "ack ok" => (Outgoing::Ack { ack_id: 7, error: None }, None),
        "ack error" => (Outgoing::Ack { ack_id: 7, error }, None),
        "group message (non reliable)" => (group(), None),
        "group message (reliable)" => (group(), Some(1)),
        "server message" => {
            (Outgoing::Server { data: Data::Json(r#"{"a":1}"#), metadata: &[] }, None)
        }
        "connected" => (connected(None), None),
        "connected reliable" => (connected(Some("t1")), None),
        "disconnected" => (Outgoing::Disconnected { message: "bye" }, None),
        "pong" => (Outgoing::Pong, None),
        "invokeResponse ok" => {
            let outcome = Ok(Some(Data::Text("ok")));
            (Outgoing::InvokeResponse { invocation_id: "1", outcome, metadata: &[] }, None)
        }
        "streamAck" => (Outgoing::StreamAck { stream_id: "s1", expected: 1 }, None),
        "streamNack" => {
            let name = "InvalidSequenceId";
            (Outgoing::StreamNack { stream_id: "s1", expected: 2, name, message: "m" }, None)
        }
        "streamClosed normal" => (closed(None), None),
        "streamClosed error" => (closed(Some(("IdleTimeout", "m"))), None),
        "groupStateSnapshot" => {
            (Outgoing::GroupState { group: "room", items: &items, snapshot: true }, Some(2))
        }
        other => panic!("nobody knows what to send for {other}"),
    };
    let mut count = 0;
    for (name, vector, bytes) in vectors() {
        if vector["direction"] != "down" {
            continue;
        }
        let (message, sequence) = downstream(name);
        let mut frame = Format::Protobuf.encode(&message, &mut BytesMut::new()).unwrap();
        assert!(!frame.is_text());
        assert_eq!(frame.len(), Measured::new(&message).len(), "{name}");
        if sequence.is_some() {
            frame = frame.sequenced();
        }
        assert_eq!(frame.bytes(sequence.unwrap_or(0)), bytes, "{name}");
        count += 1;
    }
    assert_eq!(count, 15);
}
