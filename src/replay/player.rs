//! Journals, played to a fresh engine.

use alloc::vec::Vec;
use core::fmt;

use thiserror::Error;

use super::digest::Digest;
use super::input::{Input, Outcome};
use super::journal::{Checkpoint, Entry, Header, JournalError, JournalReader};
use crate::action::Action;
use crate::config::ConfigError;
use crate::engine::Engine;
use crate::time::Time;

/// Plays a journal to a fresh engine, input by input, and hands out the actions of each.
///
/// ```
/// use hubcast::replay::{JournalConfig, Recorder, Redaction, Replay};
/// use hubcast::{Action, Config, Open, Time};
///
/// let whole = JournalConfig { redaction: Redaction::None, ..JournalConfig::default() };
/// let mut engine = Recorder::new(Config::new(1), Some(whole))?;
/// let key = engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
/// while engine.poll_action().is_some() {}
/// let journal = engine.finish();
///
/// let mut replay = Replay::new(&journal)?;
/// while let Some(step) = replay.step()? {
///     assert_eq!((step.number, step.input.name()), (1, "open"));
///     while let Some(action) = replay.poll_action() {
///         assert!(matches!(action, Action::Accept(accept) if accept.connection == key));
///     }
/// }
/// assert_eq!(replay.divergence(), None); // the digest in the journal is that of the replay
/// assert_eq!(replay.engine().hub("chat").map(|hub| hub.len()), Some(1));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Replay<'a> {
    reader: JournalReader<'a>,
    engine: Engine,
    total: Digest,
    latest: Digest,
    /// How many inputs were played.
    inputs: u64,
    /// How many of them, and how many actions, were there at the last checkpoint.
    checked: (u64, u64),
    actions: u64,
    divergence: Option<Divergence>,
    /// What was read and is not played yet.
    upcoming: Option<(Time, Input<'static>)>,
    truncated: Option<Time>,
    scratch: Vec<u8>,
}

/// One input that was played.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its number among the inputs of the journal, from 1.
    pub number: u64,
    /// The time that it was told.
    pub now: Time,
    /// The verb and its arguments.
    pub input: Input<'static>,
    /// What the verb returned.
    pub outcome: Outcome,
}

/// A replay that does not get what the recorded run got, from some inputs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The first input that may have led to it, by its number.
    pub first: u64,
    /// The last such input: all from the first to this one had been fed when the actions were polled.
    pub last: u64,
    /// What the recorded run got.
    pub recorded: Checkpoint,
    /// What the replay got.
    pub replayed: Checkpoint,
}

impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { first, last, recorded, replayed } = self;
        if first == last {
            write!(f, "the replay differs at input {first}: ")?;
        } else {
            write!(f, "the replay differs at one of the inputs {first} to {last}: ")?;
        }
        if recorded.actions == replayed.actions {
            return f.write_str("as many actions as recorded, but other ones");
        }
        write!(f, "{} actions, recorded were {}", replayed.actions, recorded.actions)
    }
}

/// Why a journal cannot be played on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// The journal is malformed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The configuration in its header breaks a rule.
    #[error("the configuration in the header: {0}")]
    Config(#[from] ConfigError),
}

impl<'a> Replay<'a> {
    /// Reads the header and makes the engine.
    ///
    /// # Errors
    /// When the header is malformed, or what it says is not acceptable.
    pub fn new(journal: &'a [u8]) -> Result<Self, ReplayError> {
        let reader = JournalReader::new(journal)?;
        let engine = Engine::new(reader.header().settings.to_config())?;
        Ok(Self {
            reader,
            engine,
            total: Digest::new(),
            latest: Digest::new(),
            inputs: 0,
            checked: (0, 0),
            actions: 0,
            divergence: None,
            upcoming: None,
            truncated: None,
            scratch: Vec::new(),
        })
    }

    /// Returns the header of the journal.
    pub fn header(&self) -> &Header {
        self.reader.header()
    }

    /// Plays the next input; `None` at the end of the journal. Actions that were not polled are polled before.
    ///
    /// # Errors
    /// When the next entry is malformed. All before it has been played, and `None` comes next.
    pub fn step(&mut self) -> Result<Option<Step>, ReplayError> {
        self.look_ahead()?;
        Ok(self.upcoming.take().map(|(now, input)| self.play(now, input)))
    }

    /// Returns the time of the next input, which is not played yet; `None` at the end of the journal. Actions that
    /// were not polled are polled before.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn next_time(&mut self) -> Result<Option<Time>, ReplayError> {
        self.look_ahead()?;
        Ok(self.upcoming.as_ref().map(|(now, _)| *now))
    }

    /// Plays everything that is left.
    ///
    /// # Errors
    /// As [`step`](Self::step).
    pub fn run(&mut self) -> Result<(), ReplayError> {
        while self.step()?.is_some() {}
        Ok(())
    }

    /// Returns the next action of the input that was played last.
    pub fn poll_action(&mut self) -> Option<Action<'_>> {
        let action = self.engine.poll_quietly()?;
        self.actions += 1;
        self.total.take_action(&action, &mut self.scratch);
        self.latest.take_action(&action, &mut self.scratch);
        Some(action)
    }

    /// Returns the engine, to look at.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the digest of all that has come out since the start.
    pub fn digest(&self) -> Digest {
        self.total
    }

    /// Returns the digest of what has come out for the input that was played last.
    pub fn step_digest(&self) -> Digest {
        self.latest
    }

    /// Returns how many inputs were played.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// Returns how many actions came out.
    pub fn actions(&self) -> u64 {
        self.actions
    }

    /// Returns where the replay first differed from what was recorded, as far as that was.
    pub fn divergence(&self) -> Option<Divergence> {
        self.divergence
    }

    /// Returns from when on inputs are missing, because the journal was as long as it might be.
    pub fn truncated(&self) -> Option<Time> {
        self.truncated
    }

    /// Reads up to the next input.
    fn look_ahead(&mut self) -> Result<(), ReplayError> {
        while self.poll_action().is_some() {}
        while self.upcoming.is_none() {
            let Some(entry) = self.reader.next() else { break };
            match entry? {
                Entry::Input { now, input } => self.upcoming = Some((now, input)),
                Entry::Drained(recorded) => self.check(recorded),
                Entry::Truncated { now } => self.truncated = Some(now),
            }
        }
        Ok(())
    }

    fn play(&mut self, now: Time, input: Input<'static>) -> Step {
        let outcome = input.apply(&mut self.engine, now);
        self.inputs += 1;
        self.latest = Digest::new();
        self.latest.take_outcome(&outcome, &mut self.scratch);
        self.total.take_outcome(&outcome, &mut self.scratch);
        Step { number: self.inputs, now, input, outcome }
    }

    /// The recorded host had polled everything here, and so does the replay.
    fn check(&mut self, recorded: Checkpoint) {
        let left = self.engine.poll_action().is_some();
        debug_assert!(!left, "the actions of the input before were polled");
        let (inputs, actions) = self.checked;
        self.checked = (self.inputs, self.actions);
        let replayed = Checkpoint {
            actions: self.actions - actions,
            digest: recorded.digest.map(|_| self.total.value()),
        };
        if replayed != recorded && self.divergence.is_none() {
            // A checkpoint without an input before it was written by nobody.
            let first = (inputs + 1).min(self.inputs);
            self.divergence = Some(Divergence { first, last: self.inputs, recorded, replayed });
        }
    }
}
