//! The engine against a naive model of its semantics: random operations, valid and invalid, and after each
//! of them both must say the same about who was told what, and about what is so.

use std::collections::BTreeMap;

use hubcast::testing::strategy::{lively_setup, lively_step, setup, step};
use hubcast::testing::{
    Comparison, Condition, Content, Deed, Handler, Opening, Operation, Payload, Request, Said,
    Setup, Step, Whom,
};
use hubcast::{Protocol, SlowConsumer};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, the engine does what the model does.
    #[test]
    fn engine_does_what_the_model_does(setup in setup(), steps in vec(step(), 1..150)) {
        let mut comparison = Comparison::new(&setup);
        for step in &steps {
            comparison.take(step);
        }
        comparison.finish();
    }

    /// Also where most things work, and so more happens.
    #[test]
    fn engine_does_what_the_model_does_when_all_is_well(
        setup in lively_setup(),
        steps in vec(lively_step(), 1..150),
    ) {
        let mut comparison = Comparison::new(&setup);
        for step in &steps {
            comparison.take(step);
        }
        comparison.finish();
    }
}

/// Few enough to be quick; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(600)
}

/// A host that comes late sees what one that came in time has seen: a connection whose time runs out after
/// another one's call still gets what that one sends when its call has failed.
#[test]
fn what_is_due_comes_in_order_however_late() {
    let handler = Handler {
        events: "*",
        connect: false,
        connected: false,
        disconnected: false,
        joined: false,
        left: false,
    };
    let mut comparison = Comparison::new(&Setup {
        idle_seconds: Some(9),
        handshake_seconds: 6,
        per_second: None,
        per_day: None,
        close_on_failure: false,
        refuse_unknown_hubs: false,
        slow_consumer: SlowConsumer::Disconnect,
        handlers: vec![handler],
    });
    let open = Operation::Open(Opening {
        hub: "first".into(),
        protocol: Protocol::Json,
        anonymous: false,
        user: None,
        roles: vec!["webpubsub.sendToGroup".into()],
        groups: vec!["g".into()],
        subprotocols: Vec::new(),
        target: None,
    });
    let content = Content::from(Payload::text("hi"));
    let event = Request::Event { name: "e".into(), content: content.clone(), ack: None };
    let send = Request::Send { group: "g".into(), content, no_echo: false, ttl: 0, ack: None };
    let receive = |from, request| Operation::Receive(from, Said::Request(request));
    for (millis, operation) in [
        (0, open.clone()),
        (1_000, open),
        (4_000, receive(0, event)),
        (0, receive(0, send)),
        (1_000, receive(1, Request::Ping)),
        (14_000, Operation::Advance),
    ] {
        comparison.take(&Step { millis, punctual: false, operation, hold: false });
    }
    comparison.finish();
}

/// Returns the condition of a send to those in a hub that match.
fn condition(operation: &Operation) -> Option<&Condition> {
    let Operation::Execute(order) = operation else { return None };
    match (&order.whom, &order.deed) {
        (Whom::Matching(condition), Deed::Send { filter: None, .. })
        | (Whom::Hub, Deed::Send { filter: Some(condition), .. }) => Some(condition),
        _ => None,
    }
}

/// Tells whether an index answers a condition or a part of it.
fn narrows(condition: &Condition) -> bool {
    match condition {
        Condition::User(_)
        | Condition::Users(_)
        | Condition::Group(_)
        | Condition::Connection(_)
        | Condition::Connections(_) => true,
        Condition::All(conditions) => conditions.iter().any(narrows),
        Condition::Anonymous
        | Condition::UserPrefix(_)
        | Condition::GroupsOver(_)
        | Condition::Protocol(_)
        | Condition::Not(_)
        | Condition::Any(_) => false,
    }
}

/// What the model is about does happen: operations that all fail prove nothing.
#[test]
fn everything_that_can_happen_does() {
    let mut runner = TestRunner::deterministic();
    let mut totals = BTreeMap::new();
    for _ in 0..150 {
        let setup = lively_setup().new_tree(&mut runner).unwrap().current();
        let steps = vec(lively_step(), 1..150).new_tree(&mut runner).unwrap().current();
        let mut comparison = Comparison::new(&setup);
        for step in &steps {
            let before = comparison.engine().metrics().deliveries;
            comparison.take(step);
            if let Some(condition) = condition(&step.operation) {
                let delivered = comparison.engine().metrics().deliveries > before;
                let what = if narrows(condition) { "found by an index" } else { "found by a walk" };
                *totals.entry(what).or_insert(0) += u64::from(delivered);
            }
        }
        let metrics = comparison.engine().metrics();
        for (what, count) in [
            ("detached", metrics.detached),
            ("recovered", metrics.recovered),
            ("calls", metrics.calls),
            ("slow clients", metrics.closes.slow_client),
            ("newest dropped", metrics.drops.newest),
            ("oldest dropped", metrics.drops.oldest),
            ("superseded", metrics.drops.superseded),
            ("expired", metrics.drops.expired),
            ("compared to the end", u64::from(!comparison.model().is_ambiguous())),
        ] {
            *totals.entry(what).or_insert(0) += count;
        }
    }
    println!("{totals:?}");
    assert!(totals.values().all(|count| *count > 5), "{totals:?}");
}
