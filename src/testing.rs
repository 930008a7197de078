//! Tests of what a server does with the engine, under chance that can be repeated: virtual clients that speak the real
//! protocols, links that delay, stall and break, time that stands still between two happenings, and rules that must hold
//! whatever happens. The tests of this crate are made with it, so yours can do what they can.
//!
//! Feature `testing`; needs `std`. For tests: nothing of it belongs into a server.
//!
//! | to | see |
//! |---|---|
//! | run clients against an engine | [`Simulation`], [`Profile`], [`Link`], [`Request`], [`Message`] |
//! | be the event handler | [`Handling`], [`Reply`] |
//! | say what must hold | [`Rule`], [`Occurrence`] |
//! | drive something of your own | [`Client`], [`VirtualTime`], [`Random`] |
//! | compare an engine with what the protocol notes say | [`Comparison`], [`Model`], [`strategy`] |
//!
//! # A rule of your own
//!
//! A game room: the players send their moves as events, and the server, who is the referee, lets only that player move whose
//! turn it is. The rule is that nobody ever sees two moves in a row of one player. It has to hold over links that break
//! and sessions that are recovered, with acks that are lost and events that are sent again.
//!
//! ```
//! use std::collections::BTreeMap;
//! use std::time::Duration;
//!
//! use hubcast::testing::{Handling, Link, Occurrence, Profile, Reply, Request, Simulation};
//! use hubcast::{Call, Config, EventHandler, EventKind, HubConfig, Protocol, Time};
//!
//! // The code under test: the referee.
//! let mut moved_last = String::new();
//! let referee = move |call: &Call<'_>| -> Handling {
//!     let EventKind::User { name: "move", .. } = call.event.kind else { return Reply::WELCOME.into() };
//!     let player = call.event.user.unwrap_or_default();
//!     if player == moved_last {
//!         return Reply::Fail.into(); // not your turn
//!     }
//!     player.clone_into(&mut moved_last);
//!     Handling::from(Reply::DONE).after(Duration::from_millis(50)).publish("room", player)
//! };
//!
//! // The rule.
//! let mut last = BTreeMap::new();
//! let rule = move |_: Time, occurrence: &Occurrence<'_>| {
//!     let Occurrence::Heard { session, received, fresh: true } = occurrence else { return Ok(()) };
//!     let Some(player) = received.message.text() else { return Ok(()) };
//!     match last.insert(session.number, player.to_owned()) {
//!         Some(before) if before == player => Err(format!("{player} moved twice in a row")),
//!         _ => Ok(()),
//!     }
//! };
//!
//! // The world. A failure names its seed; loop over as many as you have time for.
//! let mut config = Config::new(1);
//! let handlers = vec![EventHandler::all("referee")];
//! config.hubs.push(("game".into(), HubConfig { handlers, ..HubConfig::default() }));
//! let mut simulation = Simulation::new(config, 7)?;
//! simulation.set_handler(referee);
//! simulation.add_rule(rule);
//! for player in ["alice", "bob"] {
//!     let profile = Profile {
//!         user: Some(player.into()),
//!         groups: vec!["room".into()],
//!         ..Profile::new("game", Protocol::ReliableJson)
//!     };
//!     simulation.add_client(profile, Link { cut_per_mille: 30, ..Link::MOBILE });
//! }
//!
//! // Both try to move all the time.
//! for turn in 0..100 {
//!     simulation.ask(turn % 3 % 2, Request::event("move", "e4"));
//!     simulation.run_for(Duration::from_millis(500));
//! }
//! simulation.settle();
//! let moves = simulation.client(1).heard().iter().filter(|it| it.message.text().is_some());
//! assert!(moves.count() > 10);
//! simulation.finish();
//! # Ok::<(), hubcast::ConfigError>(())
//! ```

mod client;
mod comparison;
mod condition;
mod link;
mod message;
mod model;
mod operation;
mod payload;
mod random;
mod reply;
mod request;
mod rules;
mod seen;
mod simulation;
pub mod strategy;
mod virtual_time;

pub use self::client::{Client, ClientState, Profile, Ticket};
pub use self::comparison::Comparison;
pub use self::condition::Condition;
pub use self::link::Link;
pub use self::message::{Message, Received, StateItem, StreamPlace};
pub use self::model::{Counters, Model, Outcome};
pub use self::operation::{
    Deed, Ending, Handler, Opening, Operation, Order, Recovering, Said, Setup, Step, Whom,
};
pub use self::payload::{Entries, Payload};
pub use self::random::Random;
pub use self::reply::{Handling, Reply};
pub use self::request::{Content, Packet, Request};
pub use self::rules::{ConsecutiveSequences, Occurrence, OneEnd, Rule, Session};
pub use self::seen::{Seen, Told};
pub use self::simulation::Simulation;
pub use self::virtual_time::VirtualTime;
