//! **hubcast** is an embeddable publish/subscribe engine: one value, [`Engine`], is a whole real-time
//! messaging service except its I/O.
//!
//! It keeps hubs, connections, groups and users, checks permissions, speaks the wire protocols of Azure Web
//! PubSub, and tells its host what to do next. It opens no socket, reads no clock, draws no random number and
//! spawns nothing: the host passes the time and fresh random bytes with each input. So it runs in any server,
//! in a game loop, in a browser; and the same inputs give the same bytes out, every time.
//!
//! # Verbs in, actions out
//!
//! ```text
//!   open, receive, close ──▶ ┌──────────┐ ──▶ Accept, Refuse   finish or refuse a handshake
//!   answer               ──▶ │  Engine  │ ──▶ Deliver          one frame, many recipients
//!   execute              ──▶ │          │ ──▶ Close            close a transport
//!   pause, resume        ──▶ │          │ ──▶ Call, Cancel     ask an event handler, or stop asking
//!   advance, reconfigure ──▶ └──────────┘ ──▶ Notify, Record   tell listeners, write a log
//!                              │
//!                              └─▶ next_deadline               when to call advance
//! ```
//!
//! A host does three things in a loop: it feeds what happened, it carries out the actions until there are
//! none, and it waits for the next happening or the deadline.
//!
//! ```
//! use hubcast::{Action, Audience, Command, Config, Data, Engine, Incoming, Open, Protocol, Time};
//!
//! let mut engine = Engine::new(Config::new(0x5eed))?; // a secret random number in a real host
//! let now = Time::from_secs(1_790_000_000);
//!
//! let alice = engine.open(
//!     Open {
//!         hub: "chat",
//!         protocol: Protocol::Json,
//!         user: Some("alice"),
//!         roles: &["webpubsub.joinLeaveGroup"],
//!         entropy: [7; 32], // fresh random bytes in a real host
//!         ..Open::default()
//!     },
//!     now,
//! );
//! engine.receive(alice, Incoming::Text(r#"{"type":"joinGroup","group":"g","ackId":1}"#), now);
//! let to = Audience::Group("chat", "g");
//! engine.execute(Command::Send { to, data: Data::Text("hi"), options: Default::default() }, now)?;
//!
//! let mut sent = Vec::new(); // a real host has a socket for each connection
//! while let Some(action) = engine.poll_action() {
//!     match action {
//!         Action::Accept(accept) => assert_eq!(accept.connection, alice),
//!         Action::Deliver(deliver) => {
//!             for recipient in deliver.to {
//!                 let parts: Vec<_> = deliver.frame.payload(recipient.sequence).collect();
//!                 sent.push(String::from_utf8(parts.concat())?);
//!             }
//!         }
//!         Action::Refuse(_) | Action::Close(_) | Action::Call(_) => unreachable!("not in this story"),
//!         _ => {}
//!     }
//! }
//! assert!(sent[0].starts_with(r#"{"type":"system","event":"connected","userId":"alice""#));
//! assert_eq!(sent[1], r#"{"type":"ack","ackId":1,"success":true}"#);
//! assert_eq!(
//!     sent[2],
//!     r#"{"type":"message","from":"group","group":"g","dataType":"text","data":"hi"}"#,
//! );
//! assert_eq!(engine.next_deadline(), None); // nothing to wait for
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The story of a connection
//!
//! 1. A peer arrives. The host checks who it is (or lets [`rest::handshake`] do so from the HTTP request) and
//!    calls [`Engine::open`] with hub, user, roles and groups.
//! 2. If the hub has a handler for the `connect` event, a [`Call`] comes out and the connection waits for
//!    [`Engine::answer`]. Otherwise, or when the handler lets it in, [`Action::Accept`] comes out, then the
//!    `connected` frame. [`Action::Refuse`] carries the HTTP status for a peer that is not let in.
//! 3. Its messages go in with [`Engine::receive`]: it joins and leaves groups, publishes, sends events. A
//!    publish is encoded once for each protocol among the members, and comes out as one [`Deliver`] for each.
//!    Whoever breaks the protocol gets an [`Action::Close`] with the code that the service uses.
//! 4. An event goes to its handler as a [`Call`]. Until it is answered, the later messages of this connection
//!    wait in a bounded queue; nobody else waits. Every [`EventListener`] that wants it is told before, by a [`Notify`].
//! 5. The server sends, joins, grants and closes with [`Engine::execute`], answered at once.
//! 6. Where its transport gets full, the host says so with [`Engine::pause`]: what comes then waits in the engine, by
//!    the policy of its hub, and comes out after [`Engine::resume`]. Nobody else is held up.
//! 7. The transport ends ([`Engine::close`]), or the engine ends it. The connection leaves its groups, and its
//!    handler is told exactly once. Its [`ConnectionKey`] is stale from then on, which is harmless.
//!
//! On a [reliable](Protocol::is_reliable) protocol the loss of a transport is not the end. Every message has a sequence
//! id and is kept until the client acknowledges it. For a while ([`Limits::recovery_window`]) the connection stays in
//! its groups without a transport and goes on receiving; when the client comes back with its token
//! ([`Open::recovery`]), it gets a new key, [`Action::Accept`] comes out, and everything that it has not acknowledged.
//!
//! # Where things are
//!
//! | to read about | see |
//! |---|---|
//! | the engine and its verbs | [`Engine`] |
//! | what goes in | [`Open`], [`Incoming`], [`Closed`], [`Command`], [`Answer`] |
//! | what comes out | [`Action`], [`Frame`], [`Reply`], [`Metrics`]; [`Batch`] gathers it by connection |
//! | filters of connections (feature `filter`) | [`Filter`] |
//! | hubs, handlers, listeners, limits | [`Config`], [`HubConfig`], [`EventHandler`], [`EventListener`], [`Limits`] |
//! | who gets a message, and why not | [`Engine::explain`] |
//! | what is there, and what happened | [`Engine::hubs`], [`Engine::connection`], [`Metrics`], [`Record`] |
//! | access tokens (feature `jwt`) | [`token`] |
//! | the HTTP edge (feature `rest`) | [`rest`] |
//! | event handlers behind HTTP (feature `rest`) | [`rest::webhook`] |
//! | journals and replays of what went in (feature `replay`) | [`replay`] |
//! | tests of your own rules, over simulated links (feature `testing`) | [`testing`] |
//!
//! # Features
//!
//! The core is `no_std` with `alloc`. Features only add:
//! - `jwt` (default): verifies and mints access tokens.
//! - `filter` (with `rest` and `testing`): reads the filters of the REST API from text.
//! - `rest` (default): the WebSocket handshake, the REST API and webhooks over the types of the crate `http`; needs
//!   `std`.
//! - `replay` (default): journals of what goes in, and replays of them.
//! - `testing`: virtual clients, links and time, a reference model, strategies for `proptest`; needs `std`.
//!
//! # Failures
//!
//! There are three kinds, and they never mix. What a **peer** does wrong comes out as an action (an ack with an
//! error, a close with a code) and is counted in [`Metrics`]. What the **caller** does wrong is an `Err` that
//! names the field. What **we** did wrong is a panic, on an invariant that a comment explains.
//!
//! Texts in these pages such as `webpubsub.md 3.4` name the section of the project's protocol notes (`webpubsub.md`,
//! `emulator.md`, `service.md`) that a fact was taken from.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]
#![cfg_attr(docsrs, feature(doc_cfg))]

extern crate alloc;
#[cfg(any(feature = "rest", feature = "testing"))]
extern crate std;

mod action;
mod batch;
mod command;
mod config;
mod engine;
mod event;
mod explanation;
mod filter;
mod input;
#[doc(hidden)]
pub mod internals;
mod metrics;
mod name;
mod outbox;
mod protocol;
mod record;
#[cfg(feature = "replay")]
pub mod replay;
#[cfg(feature = "rest")]
pub mod rest;
mod state;
#[cfg(feature = "testing")]
pub mod testing;
mod time;
#[cfg(feature = "jwt")]
pub mod token;

pub use self::action::{
    Accept, Action, Call, Close, Deliver, Notify, Recipient, Recipients, RecipientsIter, Refuse,
};
pub use self::batch::{Batch, BatchFrame, BatchFrames};
pub use self::command::{
    Audience, Command, CommandError, GroupPermission, Member, Members, Reply, SendOptions,
};
pub use self::config::{
    Config, ConfigError, EventHandler, EventListener, EventPattern, FailedEvent, HubConfig, Limits,
    Quota, Records, SlowConsumer, SystemEvents, UnknownHubs,
};
pub use self::engine::{ConnectionView, Engine, GroupView, HubView, UserView};
pub use self::event::{Admission, Answer, CallId, Connect, Event, EventKind, Pairs, Response};
pub use self::explanation::{Explanation, Fate, Verdict};
pub use self::filter::Filter;
#[cfg(feature = "filter")]
pub use self::filter::{FilterError, FilterProblem};
pub use self::input::{Certificate, Closed, Incoming, Open, PlainMode, Recovery};
pub use self::metrics::{AckMetrics, CloseCause, CloseMetrics, Drops, HubMetrics, Metrics};
pub use self::protocol::{AckError, Data, Frame, Part, Payload, Protocol};
pub use self::record::{Record, RecordKind};
pub use self::state::{ConnectionId, ConnectionKey, GroupKey, Permission};
pub use self::time::Time;

/// The code of the README is tested too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
