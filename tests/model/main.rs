//! The engine against a naive model of its semantics: random operations, valid and invalid, and after each
//! of them both must say the same about who was told what, and about what is so.

mod harness;
mod model;
mod operation;
mod wire;

use proptest::collection::vec;
use proptest::prelude::*;

use self::harness::Harness;
use self::operation::strategy::{setup, step};
use self::operation::{Content, Frame, Handler, Message, Opening, Operation, Payload, Setup, Step};

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    /// Whatever happens in whatever order, the engine does what the model does.
    #[test]
    fn engine_does_what_the_model_does(setup in setup(), steps in vec(step(), 1..150)) {
        let mut harness = Harness::new(&setup);
        for step in &steps {
            harness.take(step);
        }
        harness.finish();
    }
}

/// Few enough to be quick; `PROPTEST_CASES` asks for more.
fn cases() -> u32 {
    std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(800)
}

/// A host that comes late sees what one that came in time has seen: a connection whose time runs out after
/// another one's call still gets what that one sends when its call has failed.
#[test]
fn what_is_due_comes_in_order_however_late() {
    let handler = Handler { events: "*", connect: false, connected: false, disconnected: false };
    let mut harness = Harness::new(&Setup {
        idle_seconds: Some(9),
        handshake_seconds: 6,
        per_second: None,
        per_day: None,
        close_on_failure: false,
        refuse_unknown_hubs: false,
        handlers: vec![handler],
    });
    let open = Operation::Open(Opening {
        hub: "first".into(),
        json: true,
        anonymous: false,
        user: None,
        roles: vec!["webpubsub.sendToGroup".into()],
        groups: vec!["g".into()],
        subprotocols: Vec::new(),
        target: None,
        recovery: false,
    });
    let content = Content { data: Some(Payload::Text("hi".into())), metadata: Vec::new() };
    let event = Frame::Event { name: "e".into(), content: content.clone(), ack: None };
    let send = Frame::Send { group: "g".into(), content, no_echo: false, ttl: 0, ack: None };
    let receive = |from, frame| Operation::Receive(from, Message::Frame(frame));
    for (millis, operation) in [
        (0, open.clone()),
        (1_000, open),
        (4_000, receive(0, event)),
        (0, receive(0, send)),
        (1_000, receive(1, Frame::Ping)),
        (14_000, Operation::Advance),
    ] {
        harness.take(&Step { millis, punctual: false, operation, hold: false });
    }
    harness.finish();
}
