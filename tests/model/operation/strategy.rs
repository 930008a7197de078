//! How operations are drawn.

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::{
    Content, Deed, Ending, Frame, Handler, Message, Opening, Operation, Order, Payload, Reply,
    Right, Setup, Step, Whom,
};

pub(crate) fn setup() -> impl Strategy<Value = Setup> {
    let handler = (
        select(vec!["", "*", "talk", "x , MESSAGE"]),
        weighted(0.4, Just(())),
        any::<bool>(),
        any::<bool>(),
    );
    let handler = handler.prop_map(|(events, connect, connected, disconnected)| Handler {
        events,
        connect: connect.is_some(),
        connected,
        disconnected,
    });
    (
        weighted(0.4, Just(9)),
        select(vec![3, 6]),
        weighted(0.2, 3u64..12),
        weighted(0.2, 10u64..40),
        any::<bool>(),
        any::<bool>(),
        prop_oneof![1 => Just(Vec::new()), 4 => vec(handler, 1..3)],
    )
        .prop_map(|(idle, handshake, second, day, close, refuse, handlers)| Setup {
            idle_seconds: idle,
            handshake_seconds: handshake,
            per_second: second,
            per_day: day,
            close_on_failure: close,
            refuse_unknown_hubs: refuse,
            handlers,
        })
}

pub(crate) fn step() -> impl Strategy<Value = Step> {
    let millis = prop_oneof![6 => Just(0u64), 3 => 1u64..900, 1 => 1_000u64..12_000];
    (millis, weighted(0.7, Just(())), operation(), weighted(0.15, Just(()))).prop_map(
        |(millis, punctual, operation, hold)| Step {
            millis,
            punctual: punctual.is_some(),
            operation,
            hold: hold.is_some(),
        },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        20 => opening().prop_map(Operation::Open),
        50 => (prop_oneof![0usize..2, 0usize..6], message()).prop_map(|(whose, message)| Operation::Receive(whose, message)),
        4 => (0usize..6, ending()).prop_map(|(whose, ending)| Operation::Close(whose, ending)),
        12 => (0usize..3, reply()).prop_map(|(which, reply)| Operation::Answer(which, reply)),
        30 => order().prop_map(Operation::Execute),
        8 => Just(Operation::Advance),
        1 => select(vec!["", "maintenance", LONG]).prop_map(|it| Operation::Stop(it.to_owned())),
    ]
}

/// More than a close frame can carry, and cut in the middle of a character.
const LONG: &str = "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé";

fn opening() -> impl Strategy<Value = Opening> {
    (
        (hub(), any::<bool>(), weighted(0.1, Just(()))),
        of(user()),
        vec(role(), 0..5),
        vec(group(), 0..4),
        subprotocols(),
        weighted(0.4, (group(), any::<bool>())),
        weighted(0.03, Just(())),
    )
        .prop_map(
            |((hub, json, anonymous), user, roles, groups, subprotocols, target, recovery)| {
                Opening {
                    hub,
                    json,
                    anonymous: anonymous.is_some(),
                    user,
                    roles,
                    groups,
                    subprotocols,
                    target,
                    recovery: recovery.is_some(),
                }
            },
        )
}

fn subprotocols() -> impl Strategy<Value = Vec<String>> {
    let name = select(vec!["JSON.webpubsub.azure.v1", "json.webpubsub.azure.v1", "Custom"]);
    vec(name.prop_map(str::to_owned), 0..3)
}

fn message() -> impl Strategy<Value = Message> {
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
    prop_oneof![
        60 => frame().prop_map(Message::Frame),
        2 => select(garbage).prop_map(|text| Message::Text(text.to_owned())),
        2 => vec(any::<u8>(), 0..5).prop_map(Message::Binary),
        2 => Just(Message::Alive),
        1 => select(vec![Message::TooLarge, Message::Malformed, Message::NotUtf8]),
        1 => (195usize..206).prop_map(|length| Message::Text("x".repeat(length))),
    ]
}

fn frame() -> impl Strategy<Value = Frame> {
    prop_oneof![
        4 => (group(), ack()).prop_map(|(group, ack)| Frame::Join { group, ack }),
        2 => (group(), ack()).prop_map(|(group, ack)| Frame::Leave { group, ack }),
        6 => (group(), content(), any::<bool>(), ttl(), ack()).prop_map(
            |(group, content, no_echo, ttl, ack)| Frame::Send { group, content, no_echo, ttl, ack }
        ),
        8 => (event(), content(), ack())
            .prop_map(|(name, content, ack)| Frame::Event { name, content, ack }),
        1 => select(vec![Frame::Ping, Frame::SequenceAck]),
    ]
}

fn ack() -> impl Strategy<Value = Option<u64>> {
    weighted(0.7, prop_oneof![8 => 0u64..8, 1 => Just(u64::MAX)])
}

fn ttl() -> impl Strategy<Value = u32> {
    prop_oneof![6 => Just(0u32), 2 => 1u32..300, 1 => select(vec![300u32, 301])]
}

fn content() -> impl Strategy<Value = Content> {
    (weighted(0.9, good_payload()), metadata())
        .prop_map(|(data, metadata)| Content { data, metadata })
}

fn good_payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        select(vec!["", "hi", "a\"b\\\n\u{1}é"]).prop_map(|text| Payload::Text(text.to_owned())),
        select(vec!["1", "{ \"a\":[1.0,\"\\u0041\"]}", "\"\"", "false"])
            .prop_map(|text| Payload::Json(text.to_owned())),
        vec(any::<u8>(), 0..4).prop_map(Payload::Binary),
    ]
}

/// Like what clients send, and JSON that is none, and data over the limit.
fn payload() -> impl Strategy<Value = Payload> {
    prop_oneof![
        12 => good_payload(),
        1 => select(vec!["", "{", "1 2"]).prop_map(|text| Payload::Json(text.to_owned())),
        1 => (199usize..202).prop_map(|length| Payload::Text("x".repeat(length))),
    ]
}

fn metadata() -> impl Strategy<Value = Vec<(String, String)>> {
    let pair = prop_oneof![
        9 => (select(vec!["k", "Trace-Id"]), select(vec!["", "v\""])),
        1 => select(vec![("k k", "v"), ("k", "é"), ("", "v")]),
    ];
    let pair = pair.prop_map(|(key, value): (&str, &str)| (key.to_owned(), value.to_owned()));
    prop_oneof![4 => Just(Vec::new()), 1 => vec(pair, 0..3)]
}

fn ending() -> impl Strategy<Value = Ending> {
    select(vec![
        Ending::Clean(String::new()),
        Ending::Clean("bye".into()),
        Ending::Lost,
        Ending::SlowConsumer,
    ])
}

fn reply() -> impl Strategy<Value = Reply> {
    let accept = (
        of(user()),
        weighted(0.3, vec(role(), 0..4)),
        weighted(0.3, vec(group(), 0..5)),
        weighted(0.3, select(vec!["json.WEBPUBSUB.azure.v1", "CUSTOM", "Custom", "stranger"])),
        of(select(vec!["", "s"])),
    );
    let answer = (of(payload()), metadata(), of(select(vec!["", "t"])));
    prop_oneof![
        6 => accept.prop_map(|(user, roles, groups, subprotocol, state)| Reply::Accept {
            user,
            roles,
            groups,
            subprotocol: subprotocol.map(str::to_owned),
            state: state.map(str::to_owned),
        }),
        1 => select(vec![0u16, 200, 399, 400, 403, 599, 600]).prop_map(Reply::Refuse),
        6 => answer.prop_map(|(data, metadata, state)| Reply::Respond {
            data,
            metadata,
            state: state.map(str::to_owned),
        }),
        1 => Just(Reply::Fail),
    ]
}

fn order() -> impl Strategy<Value = Order> {
    let whom = prop_oneof![
        2 => Just(Whom::Hub),
        3 => group().prop_map(Whom::Group),
        3 => user().prop_map(Whom::User),
        4 => (0usize..7).prop_map(Whom::Connection),
    ];
    (hub(), whom, vec(0usize..7, 0..3), deed()).prop_map(|(hub, whom, except, deed)| Order {
        hub,
        whom,
        except,
        deed,
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let right = || select(vec![Right::Join, Right::Send]);
    prop_oneof![
        8 => (payload(), metadata(), ttl())
            .prop_map(|(data, metadata, ttl)| Deed::Send { data, metadata, ttl }),
        4 => vec(group(), 0..4).prop_map(Deed::Join),
        2 => vec(group(), 0..4).prop_map(Deed::Leave),
        1 => Just(Deed::LeaveAll),
        1 => select(vec!["", "because"]).prop_map(|reason| Deed::Close(reason.to_owned())),
        4 => (0usize..7, right(), group()).prop_map(|(of, right, group)| Deed::Grant(of, right, group)),
        4 => (0usize..7, right(), group()).prop_map(|(of, right, group)| Deed::Revoke(of, right, group)),
        3 => (0usize..7, right(), group()).prop_map(|(of, right, group)| Deed::Check(of, right, group)),
        1 => Just(Deed::Exists),
        1 => Just(Deed::Count),
        2 => (group(), of(0usize..7), prop_oneof![6 => 1usize..4, 1 => select(vec![0usize, 200, 201])])
            .prop_map(|(group, after, limit)| Deed::List { group, after, limit }),
    ]
}

fn hub() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        30 => Just("first"),
        2 => Just("FIRST"),
        6 => Just("second"),
        3 => select(vec!["third", "Fourth"]),
        1 => select(vec!["", "1", "a b"]),
    ];
    names.prop_map(str::to_owned)
}

fn user() -> impl Strategy<Value = String> {
    select(vec!["ann", "bob", ""]).prop_map(str::to_owned)
}

fn group() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        40 => select(vec!["g", "g.a", "h", "*", "é\n\"", "room-1"]),
        1 => select(vec!["", " \t"]),
    ];
    names.prop_map(str::to_owned)
}

fn event() -> impl Strategy<Value = String> {
    let names =
        prop_oneof![12 => select(vec!["talk", "TALK", "x", "message"]), 1 => Just("no name")];
    names.prop_map(str::to_owned)
}

fn role() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        4 => select(vec!["joinLeaveGroup", "sendToGroup"]),
        2 => select(vec!["joinLeaveGroup.g", "joinLeaveGroup.h", "joinLeaveGroup.*", "sendToGroup.g.a",
            "sendToGroup.room-1", "sendToGroup.", "sendToGroup.g"]),
        2 => select(vec!["joinLeaveGroups.g*", "joinLeaveGroups.?", "joinLeaveGroups.**.a",
            "joinLeaveGroups.room-?", "sendToGroups.*", "sendToGroups.**", "sendToGroups.\\*",
            "sendToGroups.?.?", "sendToGroups.r*-*", "sendToGroups.h"]),
        1 => select(vec!["sendToGroups.\\g", "sendToGroups.a*a*a*a*a*a*", "joinLeaveGroups.", "unknown",
            "SendToGroup"]),
    ];
    names.prop_map(|name| format!("webpubsub.{name}"))
}
