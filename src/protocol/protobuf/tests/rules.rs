//! The rules of `webpubsub.md` 5.4, and what hostile bytes may try.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::slice;

use super::super::{decode, is_any};
use super::{check, decoded, field};
use crate::protocol::{Data, Metadata, Protocol, Request, UserError, Violation, problem};

const TEXT: &[u8] = &[0x0A, 1, b'x'];

fn send(fields: &[Vec<u8>]) -> Vec<u8> {
    field(1, &[field(1, b"g"), fields.concat()].concat())
}

fn event(fields: &[Vec<u8>]) -> Vec<u8> {
    field(5, &[field(1, b"e"), fields.concat()].concat())
}

fn pair(key: &[u8], value: &[u8]) -> Vec<u8> {
    [field(1, key), field(2, value)].concat()
}

fn request(data: Data<'static>, metadata: &[(&'static str, &'static str)]) -> Request<'static> {
    Request::SendToGroup {
        group: "g".into(),
        data,
        metadata: metadata.iter().map(|&(key, value)| (key.into(), value.into())).collect(),
        no_echo: false,
        ttl_seconds: 0,
        ack_id: None,
    }
}

/// A frame without a message, or with bytes that are none, breaks the protocol.
#[test]
fn no_message() {
    for bytes in [&[][..], &[0xFF], &[0x32, 0], b"\x0a\x06\x0a\x04room", &[0x12, 0], &[0x08, 1]] {
        assert_eq!(decoded(bytes), "None", "{bytes:02x?}");
    }
    let reason =
        "The client message is not a valid protobuf.reliable.webpubsub.azure.v1 protocol message.";
    let nothing = Data::Binary(&[]);
    assert_eq!(Protocol::Protobuf.broken_by(nothing).code, 1007);
    assert_eq!(Protocol::ReliableProtobuf.broken_by(nothing).reason, reason);
    let reason = "The protobuf.webpubsub.azure.v1 subprotocol requires binary messages.";
    for text in [Data::Text(""), Data::Json("{}")] {
        assert_eq!(Protocol::ReliableProtobuf.decode(text, &mut Vec::new()), None);
        let violation = Protocol::ReliableProtobuf.broken_by(text);
        assert_eq!(violation, Violation { code: 1003, reason });
    }
}

/// Of two messages the last counts; the same message twice is one in two pieces.
#[test]
fn repeated_messages() {
    let (ping, join) = (field(9, b""), field(6, &field(1, b"g")));
    check(&[&join[..], &ping].concat(), &Request::Ping);
    check(
        &[&ping[..], &join, &field(6, &[0x10, 3])].concat(),
        &Request::JoinGroup { group: "g".into(), ack_id: Some(3) },
    );
    assert_eq!(decoded(&[&join[..], &ping, &field(6, &[0x10, 3])].concat()), "None");
    // One that does not count any more has to be well-formed all the same.
    assert_eq!(decoded(&[&field(6, &field(1, &[0xFF]))[..], &ping].concat()), "None");
}

/// What is unknown is skipped: other numbers, and numbers that are spelled as they never are.
#[test]
fn unknown_fields() {
    let other = [0x1D, 0, 0, 0, 0, 0x3B, 0x08, 1, 0x3C, 0xF8, 0x07, 1, 0x08, 5, 0x12, 1, b'?'];
    let join = field(6, &[&other[..], &field(1, b"g")].concat());
    let expected = Request::JoinGroup { group: "g".into(), ack_id: None };
    check(&[&[0x30, 1, 0x22, 0][..], &join, &[0x7D, 0, 0, 0, 0]].concat(), &expected);
    assert_eq!(decoded(&[&join[..], &[0x7D, 0]].concat()), "None");
}

/// Data is of one kind, the last that is chosen; without a kind it is nothing that could be sent.
#[test]
fn data() {
    let of = |data: &[u8]| send(&[field(3, data)]);
    check(&of(TEXT), &request(Data::Text("x"), &[]));
    check(&of(&[TEXT, &field(2, b"\0")].concat()), &request(Data::Binary(b"\0"), &[]));
    check(&send(&[field(3, TEXT), field(3, &field(4, b"1"))]), &request(Data::Json("1"), &[]));
    check(&send(&[field(3, TEXT), field(3, b"")]), &request(Data::Text("x"), &[]));
    check(&of(&field(4, b" [1.0] ")), &request(Data::Json(" [1.0] "), &[]));
    for json in [&b"null"[..], b" null\n", b"", b"{", b"nul", b"\"\xFF\""] {
        assert_eq!(decoded(&of(&field(4, json))), "None", "{json:?}");
    }
    assert_eq!(decoded(&of(&field(1, b"\xFF"))), "None");
    let metadata = field(6, &pair(b"k", b"v"));
    check(&send(slice::from_ref(&metadata)), &request(Data::Text(""), &[("k", "v")]));
    assert_eq!(decoded(&send(&[metadata.clone(), field(3, b"")])), "None");
    assert_eq!(decoded(&send(&[metadata, field(3, &[0x28, 1])])), "None");
}

/// An `Any` is passed on as it came, if it is one.
#[test]
fn any() {
    for bytes in [&b""[..], b"\x12\x01\xff", b"\x12\x00\x0a\x01x", b"\x18\x01\x0a\x02\xc3\xa9"] {
        assert!(is_any(bytes), "{bytes:?}");
        let frame = send(&[field(3, &field(3, bytes))]);
        let Some(Request::SendToGroup { data: Data::Protobuf(passed), .. }) = decode(&frame) else {
            panic!("{bytes:?}");
        };
        assert_eq!(passed, bytes);
    }
    for bytes in [&b"\x0a\x01\xff"[..], b"\x0a\x02x", b"\xff", b"\x0a"] {
        assert!(!is_any(bytes), "{bytes:?}");
        assert_eq!(decoded(&send(&[field(3, &field(3, bytes))])), "None");
    }
}

/// Maps take the last value of a key; keys and values may be absent, and what is too much is refused.
#[test]
fn metadata() {
    let of = |pairs: &[Vec<u8>]| {
        send(&pairs.iter().map(|pair| field(6, pair)).chain([field(3, TEXT)]).collect::<Vec<_>>())
    };
    check(
        &of(&[pair(b"b", b"1"), pair(b"a", b""), pair(b"b", b"2")]),
        &request(Data::Text("x"), &[("b", "2"), ("a", "")]),
    );
    check(&of(&[field(1, b"k")]), &request(Data::Text("x"), &[("k", "")]));
    assert_eq!(decoded(&of(&[field(2, b"v")])), "None");
    assert_eq!(decoded(&of(&[pair(b"k", "é".as_bytes())])), "None");
    assert_eq!(decoded(&of(&[pair(b"k", b"\xFF")])), "None");
    assert_eq!(decoded(&of(&[pair(b"k", &[b'v'; 1025])])), "None");
    let same: Vec<_> = (0..100_000).map(|_| pair(b"k", b"v")).collect();
    check(&of(&same), &request(Data::Text("x"), &[("k", "v")]));
    let many: Vec<_> =
        (0..100_000).rev().map(|index| pair(format!("{index:06}").as_bytes(), b"")).collect();
    assert_eq!(decoded(&of(&many)), "None");
}

/// Names, ids and times to live have the limits that they have in JSON.
#[test]
fn field_rules() {
    let join = |group: &str| decode(&field(6, &field(1, group.as_bytes()))).is_some();
    assert!(join("é") && join(&"😀".repeat(512)));
    assert!(!join(" \u{2003}") && !join(&"a".repeat(1025)) && !join(""));
    let event = |name: &str| {
        decode(&field(5, &[field(1, name.as_bytes()), field(2, TEXT)].concat())).is_some()
    };
    assert!(event("a.B-1_") && !event("_a") && !event(&"a".repeat(129)) && !event(""));
    let cancel = |id: &str| decode(&field(11, &field(1, id.as_bytes()))).is_some();
    assert!(cancel(&"é".repeat(512)) && !cancel(&"a".repeat(1025)) && !cancel(""));
    let stream = |id: &str| decode(&field(13, &field(1, id.as_bytes()))).is_some();
    assert!(stream(&"é".repeat(512)) && !stream(&"a".repeat(1025)) && stream(""));

    let ttl = |ttl: &[u8]| decoded(&send(&[field(3, TEXT), [&[0x28], ttl].concat()]));
    assert!(ttl(&[0xAC, 2]).contains("ttl_seconds: 300") && ttl(&[0xAD, 2]) == "None");
    // Numbers of 32 bits lose what is above them.
    assert!(ttl(&[0x87, 0x80, 0x80, 0x80, 0x10]).contains("ttl_seconds: 7"));
    let echo = decoded(&send(&[field(3, TEXT), alloc::vec![0x20, 0x80, 2]]));
    assert!(echo.contains("no_echo: true"), "{echo}");
    check(&field(8, b""), &Request::SequenceAck { sequence_id: 0 });
}

/// A stream starts with a send that has nothing else to say; nothing else starts one.
#[test]
fn stream_starts() {
    let start = |stream: &[u8], more: &[Vec<u8>]| send(&[field(7, stream), more.concat()]);
    let id = field(1, b"s");
    let request = |no_echo, ttl_seconds, idle_timeout| Request::StartStream {
        stream_id: "s".into(),
        group: "g".into(),
        metadata: [("k".into(), "v".into())].into_iter().collect(),
        no_echo,
        ttl_seconds,
        idle_timeout,
    };
    let metadata = field(6, &pair(b"k", b"v"));
    check(&start(&id, slice::from_ref(&metadata)), &request(false, 0, 300_000));
    check(
        &start(&[&id[..], &[0x10, 1]].concat(), &[metadata, alloc::vec![0x20, 1, 0x28, 9]]),
        &request(true, 9, 1),
    );
    let bad = |stream_id: &'static str, problem| Request::BadStart {
        stream_id: stream_id.into(),
        problem,
    };
    check(&start(b"", &[]), &bad("", problem::EMPTY_STREAM_ID));
    check(&start(&[&id[..], &[0x10, 0]].concat(), &[]), &bad("s", problem::IDLE_TIMEOUT));
    check(&start(&id, &[field(3, TEXT)]), &bad("s", problem::DATA_IN_START));
    check(&start(&id, &[field(3, b"")]), &bad("s", problem::DATA_IN_START));
    check(&start(&id, &[alloc::vec![0x10, 0]]), &bad("s", problem::ACK_ID_IN_START));
    assert_eq!(decoded(&start(&id, &[alloc::vec![0x28, 0xAD, 2]])), "None");
    assert_eq!(decoded(&start(&field(1, &[b'a'; 1025]), &[])), "None");

    assert_eq!(decoded(&event(&[field(2, TEXT), field(5, &id)])), "None");
    let invoke = field(10, &[field(1, b"e"), field(2, b"1"), field(5, b"")].concat());
    let problem = problem::STREAM_IN_INVOCATION;
    check(&invoke, &Request::BadInvoke { invocation_id: "1".into(), problem });
}

/// Data of a stream has its sequence id and its payload, or neither to keep the stream alive.
#[test]
fn streams() {
    let data = |fields: &[u8]| field(13, &[&field(1, b"s")[..], fields].concat());
    let bad = |problem| Request::BadStream { stream_id: "s".into(), problem };
    check(&data(b""), &Request::StreamKeepAlive { stream_id: "s".into() });
    check(
        &data(&[&[0x10, 0][..], &field(3, TEXT)].concat()),
        &Request::StreamData { stream_id: "s".into(), sequence_id: 0, data: Data::Text("x") },
    );
    check(&data(&field(3, TEXT)), &bad(problem::STREAM_SEQUENCE_ID));
    check(&data(&[0x10, 1]), &bad(problem::STREAM_DATA));
    check(&data(&[0x10, 1, 0x1A, 0]), &bad(problem::STREAM_DATA));
    let null = field(3, &field(4, b"null"));
    check(&data(&[&[0x10, 1][..], &null].concat()), &bad(problem::STREAM_DATA));

    let end = |fields: &[u8]| field(14, &[&field(1, b"s")[..], fields].concat());
    let request = |error| Request::EndStream { stream_id: "s".into(), error };
    check(&end(&[0x12, 0]), &request(Some(UserError::default())));
    check(
        &end(&[field(2, &field(1, b"m")), field(2, &field(2, b""))].concat()),
        &request(Some(UserError { message: Some("m".into()), code: Some("".into()) })),
    );
    assert_eq!(decoded(&end(&field(2, &field(1, b"\xFF")))), "None");
}

/// Invocations may have no data, but not data of no kind.
#[test]
fn invocations() {
    let invoke =
        |fields: &[u8]| field(10, &[&field(1, b"e")[..], &field(2, b"1"), fields].concat());
    let request = |data, metadata| Request::Invoke {
        invocation_id: "1".into(),
        event: "e".into(),
        data,
        metadata,
    };
    check(&invoke(b""), &request(Data::Text(""), Metadata::new()));
    check(
        &invoke(&[field(3, TEXT), field(4, &pair(b"k", b"v"))].concat()),
        &request(Data::Text("x"), [("k".into(), "v".into())].into_iter().collect()),
    );
    assert_eq!(decoded(&invoke(&field(3, b""))), "None");
    assert_eq!(decoded(&field(10, &field(1, b"e"))), "None");
    assert_eq!(decoded(&field(10, &field(2, b"1"))), "None");
}

/// A state is a map like any other, and one without entries is not the same as none.
#[test]
fn group_states() {
    let set = |states: &[Vec<u8>]| {
        let states: Vec<_> = states.iter().map(|state| field(3, state)).collect();
        decoded(&field(15, &[field(1, b"g"), states.concat()].concat()))
    };
    let expected = |state: Option<&[(&'static str, &'static str)]>| -> String {
        let state: Option<Metadata<'_>> = state
            .map(|state| state.iter().map(|&(key, value)| (key.into(), value.into())).collect());
        format!("{:?}", Some(Request::SetGroupState { group: "g".into(), state, ack_id: None }))
    };
    assert_eq!(set(&[]), expected(None));
    assert_eq!(set(&[Vec::new()]), expected(Some(&[])));
    let (first, second) = (field(1, &pair(b"k", b"v")), field(1, &pair("é".as_bytes(), b"")));
    let merged = [[first.clone(), second].concat(), field(1, &pair(b"k", b"w"))];
    assert_eq!(set(&merged), expected(Some(&[("k", "w"), ("é", "")])));
    assert_eq!(set(&[field(1, b"")]), expected(Some(&[("", "")])));
}
