//! From inputs to bytes.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::mem;

use thiserror::Error;

use super::{Checkpoint, FORMAT_VERSION, JournalConfig, MAGIC, WrittenEntry, WrittenHeader};
use crate::config::Config;
use crate::protocol::Protocol;
use crate::replay::input::{Input, Settings};
use crate::replay::redaction::Redactor;
use crate::time::Time;

/// Writes a journal: takes inputs, hands out bytes to append to wherever the host keeps it.
///
/// A [`Recorder`](crate::replay::Recorder) does this beside an engine; by hand it looks so:
///
/// ```
/// use hubcast::replay::{Checkpoint, Input, JournalConfig, JournalReader, JournalWriter};
/// use hubcast::{Config, Open, Time};
///
/// let mut writer = JournalWriter::new(&Config::new(1), JournalConfig::default())?;
/// let open = Open { hub: "chat", ..Open::default() };
/// writer.write(Input::open(&open), None, Time::EPOCH);
/// writer.drained(Checkpoint { actions: 1, digest: None });
/// let bytes = writer.take_bytes(); // to a file
/// assert_eq!(JournalReader::new(&bytes)?.count(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct JournalWriter {
    bytes: Vec<u8>,
    entry: Vec<u8>,
    /// How many bytes may still be written, without those that the last entry may take.
    left: u64,
    before: Time,
    truncated: bool,
    redactor: Redactor,
}

/// The bytes of a journal are too few for its header.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("bytes: a journal of this configuration takes at least {least} bytes")]
pub struct BudgetError {
    /// The fewest bytes that will do.
    pub least: u64,
}

impl JournalWriter {
    /// Begins the journal of an engine that was just made with this configuration.
    ///
    /// # Errors
    /// When the header is larger than the journal may be.
    pub fn new(config: &Config, journal: JournalConfig) -> Result<Self, BudgetError> {
        let redactor = Redactor::new(journal.redaction, config.seed);
        let mut settings = Settings::from(config);
        redactor.settings(&mut settings);
        let header = WrittenHeader {
            crate_version: Cow::Borrowed(env!("CARGO_PKG_VERSION")),
            redaction: journal.redaction,
            settings: Cow::Owned(settings),
        };
        let mut writer = Self {
            bytes: Vec::from(MAGIC),
            entry: Vec::new(),
            left: 0,
            before: Time::EPOCH,
            truncated: false,
            redactor,
        };
        writer.bytes.push(FORMAT_VERSION);
        encode(&header, &mut writer.entry);
        append(&mut writer.bytes, &writer.entry);
        let least = writer.bytes.len() as u64 + LAST_BYTES;
        writer.left = journal.bytes.checked_sub(least).ok_or(BudgetError { least })?;
        Ok(writer)
    }

    /// Writes an input down, before it is fed to the engine.
    ///
    /// `protocol` is what the connection speaks that the input comes from, as far as that is known: where payloads are
    /// redacted, the message is taken apart by it. A message of a connection that is not known is all payload.
    pub fn write(&mut self, mut input: Input<'_>, protocol: Option<Protocol>, now: Time) {
        if self.truncated {
            return;
        }
        self.redactor.input(&mut input, protocol);
        let entry = WrittenEntry::Input(self.since(now), input);
        if self.put(&entry) {
            self.before = now;
        } else {
            self.end(now);
        }
    }

    /// Writes down that all actions have been polled. It matters only where there was an input since the last time.
    pub fn drained(&mut self, checkpoint: Checkpoint) {
        let Checkpoint { actions, digest } = checkpoint;
        let entry = WrittenEntry::Drained(actions, digest.map(u64::to_le_bytes));
        if !self.truncated && !self.put(&entry) {
            self.end(self.before);
        }
    }

    /// Hands out what has been written since the last time. What is not taken stays in memory, within the budget.
    pub fn take_bytes(&mut self) -> Vec<u8> {
        mem::take(&mut self.bytes)
    }

    /// Returns how many bytes there are to take.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Tells whether there are no bytes to take.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Tells whether the budget is used up: the journal has its last entry, and nothing more is written.
    pub fn is_truncated(&self) -> bool {
        self.truncated
    }

    /// Appends an entry if there is room for it.
    fn put(&mut self, entry: &WrittenEntry<'_>) -> bool {
        self.entry.clear();
        encode(entry, &mut self.entry);
        let length = self.entry.len();
        // Nothing that is read may claim more; nothing that comes over a network gets there.
        if u32::try_from(length).is_err() {
            return false;
        }
        let Some(left) = self.left.checked_sub(written(length)) else { return false };
        self.left = left;
        append(&mut self.bytes, &self.entry);
        true
    }

    /// Writes the last entry, for which there always is room.
    fn end(&mut self, now: Time) {
        self.truncated = true;
        let entry = WrittenEntry::Truncated(self.since(now));
        self.left = LAST_BYTES;
        let fits = self.put(&entry);
        debug_assert!(fits, "room was kept for it");
        self.entry = Vec::new();
    }

    fn since(&self, now: Time) -> i64 {
        now.as_millis().wrapping_sub(self.before.as_millis()).cast_signed()
    }
}

/// The most bytes of an entry that says that the budget is used up: length, variant, and a varint of 64 bits.
const LAST_BYTES: u64 = 1 + 1 + 10;

fn encode(value: &impl serde::Serialize, output: &mut Vec<u8>) {
    let taken = mem::take(output);
    *output =
        postcard::to_extend(value, taken).expect("memory takes everything, and lengths are known");
}

fn append(bytes: &mut Vec<u8>, entry: &[u8]) {
    let mut length = entry.len();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes.extend_from_slice(entry);
}

/// Returns how many bytes an entry takes with its length.
fn written(length: usize) -> u64 {
    let digits = (usize::BITS - length.leading_zeros()).max(1).div_ceil(7);
    length as u64 + u64::from(digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What an entry takes is what is appended.
    #[test]
    fn lengths() {
        for length in [0, 1, 127, 128, 129, 16_383, 16_384, 2_097_151, 2_097_152] {
            let mut bytes = Vec::new();
            append(&mut bytes, &alloc::vec![0; length]);
            assert_eq!(bytes.len() as u64, written(length), "{length}");
        }
    }
}
