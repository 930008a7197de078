//! What can be wrong with a journal.

use thiserror::Error;

/// Why a journal could not be read on. The entries before are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{place} at byte {offset}: {problem}", place = Place(*.entry))]
pub struct JournalError {
    /// The number of the entry, from 1; 0 is the header.
    pub entry: u64,
    /// The offset of its first byte.
    pub offset: usize,
    /// What is wrong with it.
    pub problem: JournalProblem,
}

/// What is wrong with an entry of a journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum JournalProblem {
    /// The bytes do not begin as a journal does.
    #[error("this is no journal of hubcast")]
    NoJournal,
    /// It has a format that is not known here.
    #[error("the journal has format {found}, this version of hubcast reads format {known}")]
    Format {
        /// The format that it has.
        found: u8,
        /// The format that can be read.
        known: u8,
    },
    /// The bytes end within the entry: the writer was stopped, or the end is lost.
    #[error("the journal ends within it")]
    CutOff,
    /// The length before it is not a number of at most 32 bits.
    #[error("its length is malformed")]
    Length,
    /// The bytes say nothing that is known.
    #[error("it is malformed")]
    Malformed,
    /// There are bytes left over in it.
    #[error("it has bytes left over")]
    LeftOver,
    /// There is something behind the entry that says that the journal ends.
    #[error("it comes behind the end")]
    BehindEnd,
}

struct Place(u64);

impl core::fmt::Display for Place {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            0 => f.write_str("the header"),
            entry => write!(f, "entry {entry}"),
        }
    }
}
