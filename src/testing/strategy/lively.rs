//! Operations that mostly work.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

use super::condition::condition;
use super::pool::user;
use super::request::{good_payload, request};
use super::{ending, protocol, reply, setup, subprotocols};
use crate::protocol::Protocol;
use crate::state::Permission;
use crate::testing::operation::{
    Deed, Opening, Operation, Order, Recovering, Said, Setup, Step, Whom,
};
use crate::testing::payload::Payload;
use crate::testing::request::Request;

/// Draws how an engine is set up on which much happens: without quotas, and everybody is let in at once.
pub fn lively_setup() -> impl Strategy<Value = Setup> {
    setup().prop_map(|mut setup| {
        for handler in &mut setup.handlers {
            handler.connect = false;
        }
        let close_on_failure = false;
        Setup { idle_seconds: None, per_second: None, per_day: None, close_on_failure, ..setup }
    })
}

/// Draws a step of a kind that mostly works, in few groups, so that connections live long and much happens between
/// them.
pub fn lively_step() -> impl Strategy<Value = Step> {
    let operation = prop_oneof![
        10 => lively_opening().prop_map(Operation::Open),
        14 => (0usize..5, subprotocols()).prop_map(|(whose, subprotocols)| {
            let hub = "first".to_owned();
            Operation::Recover(Recovering { hub, whose, token_of: whose, subprotocols })
        }),
        70 => (0usize..5, request()).prop_map(|(whose, request)| {
            Operation::Receive(whose, Said::Request(tame(request)))
        }),
        6 => (0usize..5, ending()).prop_map(|(whose, ending)| Operation::Close(whose, ending)),
        12 => (0usize..5).prop_map(Operation::Pause),
        8 => (0usize..5).prop_map(Operation::Resume),
        12 => (0usize..2, reply()).prop_map(|(which, reply)| Operation::Answer(which, reply)),
        30 => lively_order().prop_map(Operation::Execute),
        2 => Just(Operation::Advance),
    ];
    let millis = prop_oneof![8 => Just(0u64), 3 => 1u64..900, 1 => 1_000u64..6_000];
    (millis, operation, weighted(0.15, Just(()))).prop_map(|(millis, operation, hold)| Step {
        millis,
        punctual: true,
        operation,
        hold: hold.is_some(),
    })
}

fn lively_opening() -> impl Strategy<Value = Opening> {
    let roles = ["joinLeaveGroup", "sendToGroup", "setGroupState", "getGroupState"];
    (protocol(), of(user()), of(Just("h")), subprotocols()).prop_map(
        move |(protocol, user, group, subprotocols)| Opening {
            hub: "first".to_owned(),
            protocol,
            anonymous: false,
            user,
            roles: roles.map(|role| format!("webpubsub.{role}")).into(),
            groups: ["g"].into_iter().chain(group).map(str::to_owned).collect(),
            subprotocols,
            target: Some(("g".to_owned(), false)).filter(|_| protocol == Protocol::Plain),
        },
    )
}

fn lively_order() -> impl Strategy<Value = Order> {
    let group = || select(vec!["g", "g", "h"]).prop_map(str::to_owned);
    let whom = prop_oneof![
        1 => Just(Whom::Hub),
        6 => group().prop_map(Whom::Group),
        1 => user().prop_map(Whom::User),
        2 => (0usize..5).prop_map(Whom::Connection),
        2 => condition().prop_map(Whom::Matching),
    ];
    let ttl = prop_oneof![3 => Just(0u32), 1 => 1u32..4];
    let send = (good_payload(), ttl, weighted(0.4, condition()))
        .prop_map(|(data, ttl, filter)| Deed::Send { data, metadata: Vec::new(), ttl, filter });
    let some = prop_oneof![
        3 => (0usize..5).prop_map(Whom::Connection),
        1 => condition().prop_map(Whom::Matching),
    ];
    let moves = prop_oneof![
        2 => vec(group(), 1..3).prop_map(Deed::Join),
        2 => vec(group(), 1..3).prop_map(Deed::Leave),
        1 => Just(Deed::LeaveAll),
        1 => (0usize..5, group()).prop_map(|(of, group)| {
            Deed::Revoke(of, Permission::SendToGroup, group)
        }),
        1 => (0usize..5, group()).prop_map(|(of, group)| {
            Deed::Grant(of, Permission::SendToGroup, group)
        }),
    ];
    prop_oneof![4 => (whom, send), 1 => (some, moves)].prop_map(|(whom, deed)| Order {
        hub: "first".to_owned(),
        whom,
        except: Vec::new(),
        deed,
    })
}

/// Makes a request one that breaks no rule.
fn tame(mut request: Request) -> Request {
    match &mut request {
        Request::Join { group, .. }
        | Request::Leave { group, .. }
        | Request::Send { group, .. }
        | Request::StartStream { group, .. }
        | Request::SetState { group, .. }
        | Request::Subscribe { group, .. }
        | Request::Unsubscribe { group, .. } => {
            let name = if group.len() < 3 { "g" } else { "h" };
            name.clone_into(group);
        }
        _ => {}
    }
    match &mut request {
        Request::Send { content, .. }
        | Request::Event { content, .. }
        | Request::Invoke { content, .. } => {
            content.data.get_or_insert_with(|| Payload::text("hi"));
            content.metadata.clear();
        }
        _ => {}
    }
    match &mut request {
        Request::Send { ttl, .. } if *ttl > 300 => *ttl = 0,
        Request::Event { name, .. } => "talk".clone_into(name),
        _ => {}
    }
    request
}
