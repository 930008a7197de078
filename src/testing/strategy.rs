//! How operations are drawn: strategies for `proptest`.
//!
//! ```
//! use hubcast::testing::{Comparison, strategy};
//! use proptest::prelude::*;
//!
//! proptest!(ProptestConfig::with_cases(10), |(
//!     setup in strategy::setup(),
//!     steps in prop::collection::vec(strategy::step(), 1..20),
//! )| {
//!     let mut comparison = Comparison::new(&setup);
//!     for step in &steps {
//!         comparison.take(step);
//!     }
//!     comparison.finish();
//! });
//! ```

mod condition;
mod lively;
mod pool;
mod request;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use proptest::collection::vec;
use proptest::option::{of, weighted};
use proptest::prelude::*;
use proptest::sample::select;

pub use self::condition::condition;
pub use self::lively::{lively_setup, lively_step};
use self::pool::{group, hub, role, user};
use self::request::{metadata, payload, said, ttl};
use super::operation::{
    Deed, Ending, Handler, Opening, Operation, Order, Recovering, Setup, Step, Whom,
};
use super::reply::Reply;
use crate::config::SlowConsumer;
use crate::protocol::Protocol;
use crate::state::Permission;

/// Draws how an engine is set up.
pub fn setup() -> impl Strategy<Value = Setup> {
    let handler =
        (select(vec!["", "*", "talk", "x , MESSAGE"]), weighted(0.4, Just(())), any::<[bool; 4]>());
    let handler = handler.prop_map(|(events, connect, [connected, disconnected, joined, left])| {
        let connect = connect.is_some();
        Handler { events, connect, connected, disconnected, joined, left }
    });
    let policy = select(vec![
        SlowConsumer::Disconnect,
        SlowConsumer::DropNewest,
        SlowConsumer::DropOldest,
        SlowConsumer::KeepLatest,
    ]);
    (
        weighted(0.4, Just(9)),
        select(vec![3, 6]),
        weighted(0.2, 3u64..12),
        weighted(0.2, 10u64..40),
        (any::<bool>(), any::<bool>()),
        policy,
        prop_oneof![1 => Just(Vec::new()), 4 => vec(handler, 1..3)],
    )
        .prop_map(|(idle, handshake, second, day, (close, refuse), policy, handlers)| Setup {
            idle_seconds: idle,
            handshake_seconds: handshake,
            per_second: second,
            per_day: day,
            close_on_failure: close,
            refuse_unknown_hubs: refuse,
            slow_consumer: policy,
            handlers,
        })
}

/// Draws a step.
pub fn step() -> impl Strategy<Value = Step> {
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
        12 => recovering().prop_map(Operation::Recover),
        60 => (whose(), said()).prop_map(|(whose, said)| Operation::Receive(whose, said)),
        10 => (0usize..6, ending()).prop_map(|(whose, ending)| Operation::Close(whose, ending)),
        12 => whose().prop_map(Operation::Pause),
        6 => whose().prop_map(Operation::Resume),
        12 => (0usize..3, reply()).prop_map(|(which, reply)| Operation::Answer(which, reply)),
        30 => order().prop_map(Operation::Execute),
        8 => Just(Operation::Advance),
        1 => select(vec!["", "maintenance", LONG]).prop_map(|it| Operation::Stop(it.to_owned())),
    ]
}

/// More than a close frame can carry, and cut in the middle of a character.
const LONG: &str = "ééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééééé";

/// The newest connections do the most.
fn whose() -> impl Strategy<Value = usize> {
    prop_oneof![0usize..2, 0usize..6]
}

fn opening() -> impl Strategy<Value = Opening> {
    (
        (hub(), protocol(), weighted(0.1, Just(()))),
        of(user()),
        vec(role(), 0..6),
        vec(group(), 0..4),
        subprotocols(),
        weighted(0.4, (group(), any::<bool>())),
    )
        .prop_map(|((hub, protocol, anonymous), user, roles, groups, subprotocols, target)| {
            let anonymous = anonymous.is_some();
            Opening { hub, protocol, anonymous, user, roles, groups, subprotocols, target }
        })
}

fn protocol() -> impl Strategy<Value = Protocol> {
    prop_oneof![2 => Just(Protocol::ReliableJson), 5 => select(Protocol::ALL.to_vec())]
}

fn recovering() -> impl Strategy<Value = Recovering> {
    let token = prop_oneof![6 => Just(None), 1 => (0usize..6).prop_map(Some)];
    (hub(), 0usize..6, token, subprotocols()).prop_map(|(hub, whose, token, subprotocols)| {
        Recovering { hub, whose, token_of: token.unwrap_or(whose), subprotocols }
    })
}

fn subprotocols() -> impl Strategy<Value = Vec<String>> {
    let name = select(vec![
        "JSON.webpubsub.azure.v1",
        "json.webpubsub.azure.v1",
        "json.RELIABLE.webpubsub.azure.v1",
        "protobuf.webpubsub.azure.v1",
        "Custom",
    ]);
    vec(name.prop_map(str::to_owned), 0..3)
}

fn ending() -> impl Strategy<Value = Ending> {
    select(vec![
        Ending::Clean(1000, String::new()),
        Ending::Clean(1000, "bye".into()),
        Ending::Clean(1001, "bye".into()),
        Ending::Lost,
        Ending::Lost,
        Ending::SlowConsumer,
    ])
}

fn reply() -> impl Strategy<Value = Reply> {
    let accept = (
        of(user()),
        weighted(0.3, vec(role(), 0..4)),
        weighted(0.3, vec(group(), 0..5)),
        weighted(
            0.3,
            select(vec![
                "json.WEBPUBSUB.azure.v1",
                "json.reliable.webpubsub.azure.v1",
                "CUSTOM",
                "Custom",
                "stranger",
            ]),
        ),
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
        4 => condition().prop_map(Whom::Matching),
    ];
    (hub(), whom, vec(0usize..7, 0..3), deed()).prop_map(|(hub, whom, except, deed)| Order {
        hub,
        whom,
        except,
        deed,
    })
}

fn deed() -> impl Strategy<Value = Deed> {
    let right = || {
        select(vec![
            Permission::JoinLeaveGroup,
            Permission::SendToGroup,
            Permission::SendToGroup,
            Permission::SetGroupState,
            Permission::GetGroupState,
        ])
    };
    prop_oneof![
        8 => (payload(), metadata(), ttl(), weighted(0.4, condition()))
            .prop_map(|(data, metadata, ttl, filter)| Deed::Send { data, metadata, ttl, filter }),
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
