//! An engine that is recorded.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::ops::Deref;

use thiserror::Error;

use super::digest::Digest;
use super::input::{Input, Outcome};
use super::journal::{BudgetError, Checkpoint, JournalConfig, JournalWriter};
use super::redaction::Redaction;
use crate::action::Action;
use crate::command::{Command, CommandError, Reply};
use crate::config::{Config, ConfigError};
use crate::engine::{ConnectionView, Engine};
use crate::event::{Answer, CallId};
use crate::input::{Closed, Incoming, Open};
use crate::state::ConnectionKey;
use crate::time::Time;

/// An [`Engine`] whose inputs go to a journal, if one is wanted; otherwise it costs a branch for each verb.
///
/// It has the verbs of the engine, and all that can be read of that:
///
/// ```
/// use hubcast::replay::{JournalConfig, Recorder, Replay};
/// use hubcast::{Config, Open, Time};
///
/// let mut engine = Recorder::new(Config::new(1), Some(JournalConfig::default()))?;
/// engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
/// while let Some(_action) = engine.poll_action() {} // a real host carries them out
/// let mut journal = engine.take_bytes(); // a real host appends them to a file, now and then
///
/// engine.stop("the end", Time::from_secs(1));
/// while let Some(_action) = engine.poll_action() {}
/// journal.extend(engine.take_bytes());
///
/// let mut replay = Replay::new(&journal)?;
/// let mut verbs = Vec::new();
/// while let Some(step) = replay.step()? {
///     verbs.push(step.input.name());
/// }
/// assert_eq!(verbs, ["open", "stop"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Recorder {
    engine: Engine,
    tape: Option<Box<Tape>>,
}

#[derive(Debug)]
struct Tape {
    writer: JournalWriter,
    digest: Option<Digest>,
    /// How many actions were polled since the last checkpoint.
    actions: u64,
    /// Whether there was an input since then.
    fresh: bool,
    scratch: Vec<u8>,
}

/// Why an engine cannot be made or recorded.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RecorderError {
    /// The configuration breaks a rule.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The journal may have too few bytes.
    #[error(transparent)]
    Budget(#[from] BudgetError),
}

impl Recorder {
    /// Makes an engine, and begins its journal.
    ///
    /// # Errors
    /// As [`Engine::new`], and when the journal may not even have its header.
    pub fn new(config: Config, journal: Option<JournalConfig>) -> Result<Self, RecorderError> {
        let tape = match journal {
            None => None,
            Some(journal) => Some(Box::new(Tape {
                writer: JournalWriter::new(&config, journal)?,
                digest: (journal.digests && journal.redaction == Redaction::None).then(Digest::new),
                actions: 0,
                fresh: false,
                scratch: Vec::new(),
            })),
        };
        Ok(Self { engine: Engine::new(config)?, tape })
    }

    /// Hands out what was recorded since the last time, to be appended to the journal.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        self.tape.as_mut().map_or_else(Vec::new, |tape| tape.writer.take_bytes())
    }

    /// Returns how many bytes there are to take.
    pub fn recorded(&self) -> usize {
        self.tape.as_ref().map_or(0, |tape| tape.writer.len())
    }

    /// Tells whether the journal is as long as it may be, so that nothing more is recorded.
    pub fn is_truncated(&self) -> bool {
        self.tape.as_ref().is_some_and(|tape| tape.writer.is_truncated())
    }

    /// Stops recording, and returns the last bytes.
    pub fn finish(&mut self) -> Vec<u8> {
        let bytes = self.take_bytes();
        self.tape = None;
        bytes
    }

    /// [`Engine::open`].
    pub fn open(&mut self, request: Open<'_>, now: Time) -> ConnectionKey {
        self.record(|| Input::open(&request), now);
        let key = self.engine.open(request, now);
        self.note(|| Outcome::Opened(key));
        key
    }

    /// [`Engine::receive`].
    pub fn receive(&mut self, from: ConnectionKey, message: Incoming<'_>, now: Time) {
        if let Some(tape) = &mut self.tape {
            let protocol = self.engine.connection(from).map(ConnectionView::protocol);
            tape.writer.write(Input::receive(from, message), protocol, now);
        }
        self.engine.receive(from, message, now);
        self.note(|| Outcome::Done);
    }

    /// [`Engine::close`].
    pub fn close(&mut self, connection: ConnectionKey, how: Closed<'_>, now: Time) {
        self.record(|| Input::close(connection, how), now);
        self.engine.close(connection, how, now);
        self.note(|| Outcome::Done);
    }

    /// [`Engine::answer`].
    pub fn answer(&mut self, call: CallId, answer: Answer<'_>, now: Time) {
        self.record(|| Input::answer(call, &answer), now);
        self.engine.answer(call, answer, now);
        self.note(|| Outcome::Done);
    }

    /// [`Engine::pause`].
    pub fn pause(&mut self, connection: ConnectionKey, now: Time) {
        self.record(|| Input::pause(connection), now);
        self.engine.pause(connection, now);
        self.note(|| Outcome::Done);
    }

    /// [`Engine::resume`].
    pub fn resume(&mut self, connection: ConnectionKey, now: Time) {
        self.record(|| Input::resume(connection), now);
        self.engine.resume(connection, now);
        self.note(|| Outcome::Done);
    }

    /// [`Engine::advance`].
    pub fn advance(&mut self, now: Time) {
        self.record(|| Input::Advance, now);
        self.engine.advance(now);
        self.note(|| Outcome::Done);
    }

    /// [`Engine::execute`].
    ///
    /// # Errors
    /// As that.
    pub fn execute(&mut self, command: Command<'_>, now: Time) -> Result<Reply, CommandError> {
        self.record(|| Input::execute(&command), now);
        let reply = self.engine.execute(command, now);
        self.note(|| Outcome::Executed(reply.clone()));
        reply
    }

    /// [`Engine::stop`].
    pub fn stop(&mut self, reason: &str, now: Time) {
        self.record(|| Input::stop(reason), now);
        self.engine.stop(reason, now);
        self.note(|| Outcome::Done);
    }

    /// [`Engine::reconfigure`].
    ///
    /// # Errors
    /// As that.
    pub fn reconfigure(&mut self, config: Config, now: Time) -> Result<(), ConfigError> {
        self.record(|| Input::reconfigure(&config), now);
        let result = self.engine.reconfigure(config, now);
        self.note(|| Outcome::Reconfigured(result.clone()));
        result
    }

    /// [`Engine::poll_action`].
    pub fn poll_action(&mut self) -> Option<Action<'_>> {
        let action = self.engine.poll_action();
        if let Some(tape) = &mut self.tape {
            match &action {
                Some(action) => tape.polled(action),
                None => tape.drained(),
            }
        }
        action
    }

    /// Feeds an input, such as one of another journal, by [`Input::apply`]. So a journal can be written anew, with less
    /// in it.
    pub fn apply(&mut self, input: &Input<'_>, now: Time) -> Outcome {
        if let Some(tape) = &mut self.tape {
            let view = input.connection().and_then(|key| self.engine.connection(key.revive()));
            tape.writer.write(input.clone(), view.map(ConnectionView::protocol), now);
        }
        let outcome = input.apply(&mut self.engine, now);
        self.note(|| outcome.clone());
        outcome
    }

    /// Writes an input down; it is only put together where that is wanted.
    fn record<'a>(&mut self, input: impl FnOnce() -> Input<'a>, now: Time) {
        if let Some(tape) = &mut self.tape {
            tape.writer.write(input(), None, now);
        }
    }

    /// Takes note of what a verb returned.
    fn note(&mut self, outcome: impl FnOnce() -> Outcome) {
        let Some(tape) = &mut self.tape else { return };
        tape.fresh = true;
        if let Some(digest) = &mut tape.digest {
            digest.take_outcome(&outcome(), &mut tape.scratch);
        }
    }
}

/// What can be read of the engine.
impl Deref for Recorder {
    type Target = Engine;

    fn deref(&self) -> &Engine {
        &self.engine
    }
}

impl Tape {
    fn polled(&mut self, action: &Action<'_>) {
        self.actions += 1;
        if let Some(digest) = &mut self.digest
            && !self.writer.is_truncated()
        {
            digest.take_action(action, &mut self.scratch);
        }
    }

    fn drained(&mut self) {
        if !self.fresh {
            return;
        }
        let digest = self.digest.map(Digest::value);
        self.writer.drained(Checkpoint { actions: self.actions, digest });
        self.actions = 0;
        self.fresh = false;
    }
}
