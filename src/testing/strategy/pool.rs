//! The pools that names come from.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use alloc::vec;

use proptest::prelude::*;
use proptest::sample::select;

pub(super) fn hub() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        30 => Just("first"),
        2 => Just("FIRST"),
        6 => Just("second"),
        3 => select(vec!["third", "Fourth"]),
        1 => select(vec!["", "1", "a b"]),
    ];
    names.prop_map(str::to_owned)
}

pub(super) fn user() -> impl Strategy<Value = String> {
    select(vec!["ann", "bob", ""]).prop_map(str::to_owned)
}

pub(super) fn group() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        20 => Just("g"),
        30 => select(vec!["g.a", "h", "*", "é\n\"", "room-1"]),
        1 => select(vec!["", " \t"]),
    ];
    names.prop_map(str::to_owned)
}

pub(super) fn event() -> impl Strategy<Value = String> {
    let names =
        prop_oneof![12 => select(vec!["talk", "TALK", "x", "message"]), 1 => Just("no name")];
    names.prop_map(str::to_owned)
}

pub(super) fn role() -> impl Strategy<Value = String> {
    let names = prop_oneof![
        6 => select(vec!["joinLeaveGroup", "sendToGroup", "setGroupState", "getGroupState"]),
        1 => select(vec!["setGroupState.g", "getGroupState.g*", "setGroupStates.**", "getGroupStates.?"]),
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
