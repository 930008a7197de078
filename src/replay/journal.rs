//! What a journal is made of.
//!
//! ```text
//! journal = "hubcast\x1a", format version (one byte), length, header, { length, entry }
//! ```
//!
//! Lengths are LEB128 varints; headers and entries are in the `postcard` format.

mod error;
mod reader;
mod writer;

use alloc::borrow::Cow;
use alloc::string::String;

use serde::{Deserialize, Serialize};

pub use self::error::{JournalError, JournalProblem};
pub use self::reader::JournalReader;
pub use self::writer::{BudgetError, JournalWriter};
use super::input::{Input, Settings};
use super::redaction::Redaction;
use crate::time::Time;

/// What every journal begins with. The last byte ends the text for programs that show it.
const MAGIC: [u8; 8] = *b"hubcast\x1a";

/// The version of the format: any change of an [`Input`], of the canonical form of an action, or of what stands here
/// makes a new one.
const FORMAT_VERSION: u8 = 1;

/// How a journal is written.
///
/// ```
/// use hubcast::replay::{JournalConfig, Redaction};
///
/// let config = JournalConfig { redaction: Redaction::SecretsAndPayloads, ..JournalConfig::default() };
/// assert_eq!(config.bytes, 64 * 1024 * 1024);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JournalConfig {
    /// The most bytes of the whole journal. Where they are used up, a last entry says so, and nothing more is recorded.
    /// Default 64 MiB.
    pub bytes: u64,
    /// What is left out. Default: the secrets.
    pub redaction: Redaction,
    /// Whether digests of the actions are recorded, so that a replay tells whether it gets the same. They cost a pass
    /// over the bytes of every action, some nanoseconds for each recipient of a frame, and are not recorded where something is [redacted](Redaction), because a replay
    /// of that gets other bytes; how many actions there were is always recorded. Default: yes.
    pub digests: bool,
}

impl Default for JournalConfig {
    fn default() -> Self {
        Self { bytes: 64 * 1024 * 1024, redaction: Redaction::Secrets, digests: true }
    }
}

/// What stands at the start of a journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of hubcast that wrote it.
    pub crate_version: String,
    /// What was left out.
    pub redaction: Redaction,
    /// How the engine was made. The seed is in here, unless secrets are left out.
    pub settings: Settings,
}

/// An entry of a journal.
#[derive(Clone, Debug)]
pub enum Entry {
    /// A verb was called.
    Input {
        /// The time that it was told.
        now: Time,
        /// The verb and its arguments.
        input: Input<'static>,
    },
    /// All actions had been polled. From then on the engine may use the keys of connections again that are gone, so this
    /// belongs to what happened.
    Drained(Checkpoint),
    /// The budget was used up: what happened afterwards is not in the journal. Always the last one.
    Truncated {
        /// The time of the first input that is missing, or of the last one that is not.
        now: Time,
    },
}

/// What had come out when all actions had been polled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many actions came out since the checkpoint before.
    pub actions: u64,
    /// The digest of all actions and outcomes since the start, if digests are recorded.
    pub digest: Option<u64>,
}

/// The header as it is written.
#[derive(Serialize, Deserialize)]
struct WrittenHeader<'a> {
    crate_version: Cow<'a, str>,
    redaction: Redaction,
    settings: Cow<'a, Settings>,
}

/// An entry as it is written. Times are differences to the time before, modulo 2^64.
#[derive(Serialize, Deserialize)]
enum WrittenEntry<'a> {
    Input(i64, Input<'a>),
    Drained(u64, Option<[u8; 8]>),
    Truncated(i64),
}
