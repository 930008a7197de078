//! What is encoded means the same to `prost`, and is what `prost` itself would write.

use alloc::boxed::Box;
use alloc::string::String;
use alloc::vec::Vec;

use bytes::BytesMut;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use prost::Message;

use super::super::Measured;
use super::schema::{self, Downstream, DownstreamMessage, Map, MessageData};
use crate::protocol::{AckError, Data, Format, Outgoing, StateItem, StreamEnd, StreamPart};

/// Encodes, also with a sequence id where there may be one, and compares with what is expected of each.
#[track_caller]
fn check(message: &Outgoing<'_>, mut expected: Downstream, sequence: u64) {
    let frame = Format::Protobuf.encode(message, &mut BytesMut::new()).unwrap();
    assert!(!frame.is_text());
    assert_eq!(frame.len(), Measured::new(message).len());
    same(&frame.bytes(0), &expected);
    if message.is_sequenced() {
        match &mut expected {
            Downstream::Data(data) => data.sequence_id = Some(sequence),
            Downstream::GroupStateUpdate(state) | Downstream::GroupStateSnapshot(state) => {
                state.sequence_id = Some(sequence);
            }
            other => panic!("{other:?} has no sequence id"),
        }
        same(&frame.sequenced().bytes(sequence), &expected);
    }
}

#[track_caller]
fn same(bytes: &[u8], expected: &Downstream) {
    let expected = DownstreamMessage { message: Some(expected.clone()) };
    assert_eq!(DownstreamMessage::decode(bytes).as_ref(), Ok(&expected));
    // Byte for byte: only an empty key or value of a map is left out by `prost`, and none is in here.
    assert_eq!(bytes, expected.encode_to_vec());
}

fn payload() -> impl Strategy<Value = (Kind, String, Vec<u8>)> {
    (
        prop::sample::select(&[Kind::Text, Kind::Json, Kind::Binary, Kind::Any][..]),
        text(),
        any::<Vec<u8>>(),
    )
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Text,
    Json,
    Binary,
    Any,
}

/// Makes data and what it is to `prost`; an `Any` has its bytes in a buffer.
fn data<'a>(
    (kind, text, bytes): &'a (Kind, String, Vec<u8>),
    buffer: &'a mut Vec<u8>,
) -> (Data<'a>, MessageData) {
    let (data, theirs) = match kind {
        Kind::Text => (Data::Text(text), schema::Data::Text(text.clone())),
        Kind::Json => (Data::Json(text), schema::Data::Json(text.clone())),
        Kind::Binary => (Data::Binary(bytes), schema::Data::Binary(bytes.clone())),
        Kind::Any => {
            let any = schema::Any { type_url: text.clone(), value: bytes.clone() };
            *buffer = any.encode_to_vec();
            (Data::Protobuf(buffer), schema::Data::Protobuf(any))
        }
    };
    (data, MessageData { data: Some(theirs) })
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => ".{0,4}", 1 => "x{120,135}"]
}

fn map() -> impl Strategy<Value = Map> {
    btree_map(".{1,3}", ".{1,3}", 0..4)
}

fn lend(map: &Map) -> Vec<(&str, &str)> {
    map.iter().map(|(key, value)| (&**key, &**value)).collect()
}

/// An empty text stands for what is absent, where a field has no presence.
fn said(text: Option<&String>) -> String {
    text.cloned().unwrap_or_default()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Data from groups and servers, in and out of streams.
    #[test]
    fn data_messages(
        payload in payload(),
        group in text(),
        metadata in map(),
        stream in option::of((text(), any::<u64>(), 0..3_u8, option::of(text()), option::of(text()))),
        sequence in any::<u64>(),
    ) {
        let mut buffer = Vec::new();
        let (data, theirs) = data(&payload, &mut buffer);
        let pairs = lend(&metadata);
        let info = stream.as_ref().map(|(stream_id, stream_sequence_id, end, message, code)| {
            schema::StreamInfo {
                stream_id: stream_id.clone(),
                stream_sequence_id: *stream_sequence_id,
                end_of_stream: (*end > 0).then_some(true),
                error: (*end > 1).then(|| schema::StreamError {
                    name: "UserError".into(),
                    message: said(message.as_ref()),
                    user_error_code: said(code.as_ref()),
                }),
            }
        });
        let part = stream.as_ref().map(|(stream_id, sequence_id, end, message, code)| StreamPart {
            stream_id,
            sequence_id: *sequence_id,
            end: match end {
                0 => None,
                1 => Some(StreamEnd::Done),
                _ => Some(StreamEnd::Failed {
                    name: "UserError",
                    message: message.as_deref(),
                    code: code.as_deref(),
                }),
            },
        });
        let from_user = Some(Some("is never said"));
        let mut expected = schema::DataMessage {
            from: "group".into(),
            group: Some(group.clone()),
            data: Some(theirs),
            sequence_id: None,
            metadata: metadata.clone(),
            stream: info,
        };
        let message = Outgoing::Group { group: &group, from_user, data, metadata: &pairs, stream: part.as_ref() };
        check(&message, Downstream::Data(expected.clone()), sequence);
        expected = schema::DataMessage { from: "server".into(), group: None, stream: None, ..expected };
        let message = Outgoing::Server { data, metadata: &pairs };
        check(&message, Downstream::Data(expected), sequence);
    }

    /// The states of the members of a group.
    #[test]
    fn group_states(
        group in text(),
        items in vec((text(), option::of(text()), option::of(map()), 0..=i64::MAX as u64), 0..4),
        snapshot in any::<bool>(),
        sequence in any::<u64>(),
    ) {
        let boxed = |map: &Map| -> Vec<(Box<str>, Box<str>)> {
            map.iter().map(|(key, value)| ((&**key).into(), (&**value).into())).collect()
        };
        let states: Vec<_> = items.iter().map(|item| item.2.as_ref().map(boxed)).collect();
        let ours: Vec<_> = items.iter().zip(&states).map(|((connection_id, user, _, updated_at), state)| {
            StateItem { connection_id, user: user.as_deref(), state: state.as_deref(), updated_at: *updated_at }
        }).collect();
        let theirs = items.iter().map(|(connection_id, user, state, updated_at)| schema::GroupStateItem {
            connection_id: connection_id.clone(),
            user_id: user.clone(),
            state: state.clone().map(|entries| schema::State { entries }),
            updated_at: updated_at.cast_signed(),
        }).collect();
        let expected = schema::GroupState { group: group.clone(), items: theirs, sequence_id: None };
        let kind = if snapshot { Downstream::GroupStateSnapshot } else { Downstream::GroupStateUpdate };
        check(&Outgoing::GroupState { group: &group, items: &ours, snapshot }, kind(expected), sequence);
    }

    /// All that is said to one connection only.
    #[test]
    fn answers(
        payload in option::of(payload()),
        id in text(),
        words in text(),
        optional in option::of(text()),
        number in prop_oneof![Just(0), any::<u64>()],
        metadata in map(),
    ) {
        let error = || schema::Error { name: "Forbidden".into(), message: words.clone() };
        let check = |message: &Outgoing<'_>, expected| check(message, expected, 0);

        let ack = |error: Option<schema::Error>| {
            Downstream::Ack(schema::AckMessage { ack_id: number, success: error.is_none(), error })
        };
        check(&Outgoing::Ack { ack_id: number, error: None }, ack(None));
        let forbidden = Some((AckError::Forbidden, &*words));
        check(&Outgoing::Ack { ack_id: number, error: forbidden }, ack(Some(error())));

        let system = |system| Downstream::System(schema::SystemMessage { message: Some(system) });
        let connected = schema::Connected {
            connection_id: id.clone(),
            user_id: said(optional.as_ref()),
            reconnection_token: optional.clone(),
        };
        let message = Outgoing::Connected {
            connection_id: &id,
            user: optional.as_deref(),
            reconnection_token: optional.as_deref(),
        };
        check(&message, system(schema::System::Connected(connected)));
        let disconnected = schema::Disconnected { reason: words.clone() };
        let message = Outgoing::Disconnected { message: &words };
        check(&message, system(schema::System::Disconnected(disconnected)));
        check(&Outgoing::Pong, Downstream::Pong(schema::Empty {}));

        let mut buffer = Vec::new();
        let (data, theirs) = payload.as_ref().map(|payload| data(payload, &mut buffer)).unzip();
        let pairs = lend(&metadata);
        for outcome in [Ok(data), Err(("Forbidden", &*words))] {
            let expected = schema::InvokeResponse {
                invocation_id: id.clone(),
                success: outcome.is_ok(),
                data: theirs.clone().filter(|_| outcome.is_ok()),
                error: outcome.is_err().then(error),
                metadata: metadata.clone(),
            };
            let message = Outgoing::InvokeResponse { invocation_id: &id, outcome, metadata: &pairs };
            check(&message, Downstream::InvokeResponse(expected));
        }

        let ack = schema::StreamAck { stream_id: id.clone(), expected_sequence_id: number };
        check(&Outgoing::StreamAck { stream_id: &id, expected: number }, Downstream::StreamAck(ack));
        let nack = schema::StreamNack {
            stream_id: id.clone(),
            name: "TransientError".into(),
            message: words.clone(),
            expected_sequence_id: number,
        };
        let name = "TransientError";
        let message = Outgoing::StreamNack { stream_id: &id, expected: number, name, message: &words };
        check(&message, Downstream::StreamNack(nack));
        for failed in [false, true] {
            let closed =
                schema::StreamClosed { stream_id: id.clone(), error: failed.then(error) };
            let error = failed.then_some(("Forbidden", &*words));
            check(&Outgoing::StreamClosed { stream_id: &id, error }, Downstream::StreamClosed(closed));
        }
    }
}
