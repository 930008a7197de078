//! What clients say.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::pool::{event, group};
use crate::testing::operation::Said;
use crate::testing::payload::{Entries, Payload};
use crate::testing::request::{Content, Request};

pub(super) fn said() -> impl Strategy<Value = Said> {
    let garbage = vec![
        "",
        "{}",
        "hello",
        "[1]",
        r#"{"type":"ping""#,
        r#"{"type":"unknown"}"#,
        r#"{"type":"ping","ackId":-1}"#,
        r#"{"type":"joinGroup","group":7,"ackId":1}"#,
        r#"{"type":"sendToGroup","group":"g","ackId":1}"#,
        r#"{"type":"sendToGroup","group":"g","data":1,"noEcho":null}"#,
        r#"{"type":"event","event":"1","data":1}"#,
    ];
    let bytes = vec![vec![], vec![0xff], vec![0x32, 0], vec![0, 1, 2]];
    prop_oneof![
        60 => request().prop_map(Said::Request),
        2 => select(garbage).prop_map(|text| Said::Text(text.to_owned())),
        1 => select(bytes).prop_map(Said::Binary),
        2 => Just(Said::Alive),
        1 => select(vec![Said::TooLarge, Said::Malformed, Said::NotUtf8]),
        1 => (195usize..206).prop_map(|length| Said::Text("x".repeat(length))),
    ]
}

pub(super) fn request() -> impl Strategy<Value = Request> {
    prop_oneof![
        4 => (group(), ack()).prop_map(|(group, ack)| Request::Join { group, ack }),
        3 => (group(), ack()).prop_map(|(group, ack)| Request::Leave { group, ack }),
        8 => (group(), content(), any::<bool>(), ttl(), ack()).prop_map(
            |(group, content, no_echo, ttl, ack)| Request::Send { group, content, no_echo, ttl, ack }
        ),
        6 => (event(), content(), ack())
            .prop_map(|(name, content, ack)| Request::Event { name, content, ack }),
        1 => Just(Request::Ping),
        3 => prop_oneof![3 => 0u64..7, 1 => Just(u64::MAX)]
            .prop_map(|sequence| Request::SequenceAck { sequence }),
        3 => (id(), select(vec!["talk", "x", "nobody"]), content())
            .prop_map(|(id, event, content)| Request::Invoke { id, event: event.to_owned(), content }),
        1 => id().prop_map(|id| Request::CancelInvocation { id }),
        3 => (id(), group(), any::<bool>(), of(select(vec![0u32, 1_000, 9_000])))
            .prop_map(|(id, group, no_echo, idle_timeout)| Request::StartStream {
                id, group, no_echo, idle_timeout
            }),
        5 => (id(), 0u64..4, good_payload())
            .prop_map(|(id, sequence, payload)| Request::StreamData { id, sequence, payload }),
        1 => id().prop_map(|id| Request::StreamKeepAlive { id }),
        2 => (id(), weighted(0.4, Just(("no".to_owned(), "E1".to_owned()))))
            .prop_map(|(id, error)| Request::EndStream { id, error }),
        6 => (group(), weighted(0.8, state()), ack())
            .prop_map(|(group, state, ack)| Request::SetState { group, state, ack }),
        6 => (group(), ack()).prop_map(|(group, ack)| Request::Subscribe { group, ack }),
        1 => (group(), ack()).prop_map(|(group, ack)| Request::Unsubscribe { group, ack }),
    ]
}

pub(super) fn id() -> impl Strategy<Value = String> {
    select(vec!["1", "2", "3"]).prop_map(str::to_owned)
}

pub(super) fn state() -> impl Strategy<Value = Entries> {
    let states = vec![
        vec![],
        vec![("a".to_owned(), "1".to_owned())],
        vec![("a".to_owned(), String::new()), ("é".to_owned(), "\"".to_owned())],
        vec![("long".to_owned(), "x".repeat(15))],
        vec![("long".to_owned(), "x".repeat(17))],
    ];
    select(states)
}

pub(super) fn ack() -> impl Strategy<Value = Option<u64>> {
    weighted(0.7, prop_oneof![8 => 0u64..8, 1 => Just(u64::MAX)])
}

pub(super) fn ttl() -> impl Strategy<Value = u32> {
    prop_oneof![6 => Just(0u32), 2 => 1u32..9, 1 => select(vec![299u32, 300, 301])]
}

pub(super) fn content() -> impl Strategy<Value = Content> {
    (weighted(0.9, good_payload()), metadata())
        .prop_map(|(data, metadata)| Content { data, metadata })
}

pub(super) fn good_payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        select(vec!["", "hi", "a\"b\\\n\u{1}é"]).prop_map(|text| Payload::Text(text.to_owned())),
        select(vec!["1", "{ \"a\":[1.0,\"\\u0041\"]}", "\"\"", "false"])
            .prop_map(|text| Payload::Json(text.to_owned())),
        vec(any::<u8>(), 0..4).prop_map(Payload::Binary),
    ]
}

/// Like what clients send, and JSON that is none, and data over the limit.
pub(super) fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        12 => good_payload(),
        1 => select(vec!["", "{", "1 2"]).prop_map(|text| Payload::Json(text.to_owned())),
        1 => (199usize..202).prop_map(|length| Payload::Text("x".repeat(length))),
    ]
}

pub(super) fn metadata() -> impl Strategy<Value = Entries> {
    let pair = prop_oneof![
        9 => (select(vec!["k", "Trace-Id"]), select(vec!["", "v\""])),
        1 => select(vec![("k k", "v"), ("k", "é"), ("", "v")]),
    ];
    let pair = pair.prop_map(|(key, value): (&str, &str)| (key.to_owned(), value.to_owned()));
    let unique = |pairs: Entries| {
        let mut pairs = pairs;
        pairs.sort();
        pairs.dedup_by(|one, other| one.0 == other.0);
        pairs
    };
    prop_oneof![4 => Just(Vec::new()), 1 => vec(pair, 0..3).prop_map(unique)]
}
