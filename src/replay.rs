//! Journals of what went into an engine, and replays of them.
//!
//! An engine is a pure function of what it is told: the same configuration, inputs and times give the same actions, byte
//! for byte, on every platform. So a journal of the inputs is all that it takes to see again what happened, somewhere
//! else and as often as you like. **A journal that comes with a bug report is a bug that can be reproduced.**
//!
//! Feature `replay`; `no_std` as the core is.
//!
//! | to | see |
//! |---|---|
//! | record what goes into an engine | [`Recorder`], [`JournalConfig`] |
//! | choose what is left out | [`Redaction`] |
//! | play a journal, and look at what comes out | [`Replay`], or `cargo run --example replay` |
//! | tell whether two runs are the same | [`Digest`], [`write_action`] |
//! | read and write journals in your own way | [`JournalReader`], [`JournalWriter`], [`Input`] |
//!
//! A platform of 32 bits cannot have a limit that is higher than its memory: one that no journal of such a platform would
//! have is the highest there, and an error that quotes it quotes another number.
//!
//! # What is in a journal
//!
//! The [`Config`](crate::Config), **the seed of the hash tables included**; every call of a verb with its arguments and
//! its time, [`Open::entropy`](crate::Open::entropy) included; when all actions had been polled; and how many there were,
//! with a [`Digest`] if you like. By default secrets are [left out](Redaction::Secrets). It is bounded: where
//! [its bytes](JournalConfig::bytes) are used up, the last entry says so. Actions are not in it: they come out again.
//!
//! ```
//! use hubcast::replay::{JournalConfig, Recorder, Replay};
//! use hubcast::{Config, Incoming, Open, Protocol, Time};
//!
//! // What happened.
//! let mut engine = Recorder::new(Config::new(0x5eed), Some(JournalConfig::default()))?;
//! let open = Open { hub: "chat", protocol: Protocol::Json, ..Open::default() };
//! let alice = engine.open(open, Time::from_secs(100));
//! engine.receive(alice, Incoming::Text(r#"{"type":"ping"}"#), Time::from_secs(101));
//! while engine.poll_action().is_some() {}
//! let journal = engine.finish();
//!
//! // What happened, again.
//! let mut replay = Replay::new(&journal)?;
//! let mut story = Vec::new();
//! while let Some(step) = replay.step()? {
//!     let mut actions = 0;
//!     while replay.poll_action().is_some() {
//!         actions += 1;
//!     }
//!     story.push(format!("{} {} {actions}", step.now.as_secs(), step.input.name()));
//! }
//! assert_eq!(story, ["100 open 2", "101 receive 1"]);
//! assert_eq!(replay.divergence(), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod canonical;
mod digest;
mod input;
mod journal;
mod key;
mod player;
mod recorder;
mod redaction;

pub use self::canonical::{write_action, write_outcome};
pub use self::digest::Digest;
pub use self::input::{
    Admission, Certificate, Content, Ending, Input, Message, Opening, Order, Outcome, Plain,
    Recovery, Response, Right, Sending, Settings, Verdict, Whom,
};
pub use self::journal::{
    BudgetError, Checkpoint, Entry, Header, JournalConfig, JournalError, JournalProblem,
    JournalReader, JournalWriter,
};
pub use self::key::{CallKey, FoundGroup, Key};
pub use self::player::{Divergence, Replay, ReplayError, Step};
pub use self::recorder::{Recorder, RecorderError};
pub use self::redaction::Redaction;
