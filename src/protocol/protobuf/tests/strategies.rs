//! Arbitrary messages of clients: mostly sensible, with all that may be wrong in them.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::btree_map;
use proptest::option;
use proptest::prelude::*;

use super::schema::{self, Map, MessageData, Upstream};

pub(super) fn upstream() -> impl Strategy<Value = Upstream> {
    let ttl = option::of(0..310_u32);
    let send = (text(), ack_id(), message_data(), option::of(any::<bool>()), ttl, map(), stream())
        .prop_map(|(group, ack_id, data, no_echo, ttl_seconds, metadata, stream)| {
            schema::SendToGroup { group, ack_id, data, no_echo, ttl_seconds, metadata, stream }
        });
    let event = (text(), message_data(), ack_id(), map(), stream()).prop_map(
        |(event, data, ack_id, metadata, stream)| schema::UserEvent {
            event,
            data,
            ack_id,
            metadata,
            stream,
        },
    );
    let invoke = (text(), text(), message_data(), map(), stream()).prop_map(
        |(event, invocation_id, data, metadata, stream)| schema::Invoke {
            event,
            invocation_id,
            data,
            metadata,
            stream,
        },
    );
    let error = (option::of(text()), option::of(text()))
        .prop_map(|(message, user_error_code)| schema::UserError { message, user_error_code });
    let state =
        option::of(map()).prop_map(|entries| entries.map(|entries| schema::State { entries }));
    prop_oneof![
        4 => send.prop_map(Upstream::SendToGroup),
        3 => event.prop_map(Upstream::Event),
        1 => of_group().prop_map(Upstream::JoinGroup),
        1 => of_group().prop_map(Upstream::LeaveGroup),
        1 => any::<u64>().prop_map(|sequence_id| {
            Upstream::SequenceAck(schema::SequenceAck { sequence_id })
        }),
        1 => Just(Upstream::Ping(schema::Empty {})),
        3 => invoke.prop_map(Upstream::Invoke),
        1 => text().prop_map(|invocation_id| {
            Upstream::CancelInvocation(schema::CancelInvocation { invocation_id })
        }),
        3 => (text(), ack_id(), message_data()).prop_map(|(stream_id, stream_sequence_id, data)| {
            Upstream::StreamData(schema::StreamData { stream_id, stream_sequence_id, data })
        }),
        2 => (text(), option::of(error)).prop_map(|(stream_id, error)| {
            Upstream::StreamEnd(schema::StreamEnd { stream_id, error })
        }),
        2 => (text(), ack_id(), state).prop_map(|(group, ack_id, state)| {
            Upstream::SetGroupState(schema::SetGroupState { group, ack_id, state })
        }),
        1 => of_group().prop_map(Upstream::SubscribeGroupState),
        1 => of_group().prop_map(Upstream::UnsubscribeGroupState),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![4 => "[a-z]{1,3}", 1 => Just(String::new()), 1 => ".{0,3}", 1 => "[aé]{1020,1025}"]
}

fn map() -> impl Strategy<Value = Map> {
    btree_map(prop_oneof![9 => "[a-z]{1,2}", 1 => ".{0,2}"], "[a-z]{0,3}", 0..4)
}

fn message_data() -> impl Strategy<Value = Option<MessageData>> {
    let json =
        prop::sample::select(&["1", "{\"a\":[]}", " 1.0 ", "null", " null", "", "{", "[1"][..]);
    let typed = ("[a-z./]{0,9}", any::<Vec<u8>>());
    let kind = prop_oneof![
        text().prop_map(schema::Data::Text),
        any::<Vec<u8>>().prop_map(schema::Data::Binary),
        typed.prop_map(|(type_url, value)| schema::Data::Protobuf(schema::Any { type_url, value })),
        json.prop_map(|json| schema::Data::Json(json.into())),
    ];
    let data = option::weighted(0.9, kind).prop_map(|data| MessageData { data });
    option::weighted(0.8, data)
}

fn ack_id() -> impl Strategy<Value = Option<u64>> {
    option::of(prop_oneof![Just(0), any::<u64>()])
}

fn stream() -> impl Strategy<Value = Option<schema::StreamStart>> {
    let timeout = option::of(prop_oneof![Just(0), any::<u32>()]);
    let stream = (text(), timeout).prop_map(|(stream_id, idle_timeout_ms)| schema::StreamStart {
        stream_id,
        idle_timeout_ms,
    });
    option::weighted(0.3, stream)
}

fn of_group() -> impl Strategy<Value = schema::OfGroup> {
    (text(), ack_id()).prop_map(|(group, ack_id)| schema::OfGroup { group, ack_id })
}
