//! From bytes to inputs.

use core::iter::FusedIterator;

use serde::Deserialize;

use super::{
    Checkpoint, Entry, FORMAT_VERSION, Header, JournalError, JournalProblem, MAGIC, WrittenEntry,
    WrittenHeader,
};
use crate::time::Time;

/// Reads a journal, entry by entry. It ends at the first entry that is malformed, which comes out as an error.
///
/// Memory is bounded by the bytes of the journal, whatever they say.
///
/// ```
/// use hubcast::replay::{JournalProblem, JournalReader};
///
/// let error = JournalReader::new(b"hubcast? no").unwrap_err();
/// assert_eq!(error.problem, JournalProblem::NoJournal);
/// assert_eq!(error.to_string(), "the header at byte 0: this is no journal of hubcast");
/// ```
#[derive(Clone, Debug)]
pub struct JournalReader<'a> {
    header: Header,
    bytes: &'a [u8],
    /// Where the next entry begins.
    offset: usize,
    /// The number of the entry that was read last.
    number: u64,
    before: Time,
    ended: bool,
    failed: bool,
}

impl<'a> JournalReader<'a> {
    /// Reads the header.
    ///
    /// # Errors
    /// When the bytes do not begin as a journal of this format does.
    pub fn new(bytes: &'a [u8]) -> Result<Self, JournalError> {
        let header = |problem| JournalError { entry: 0, offset: 0, problem };
        let Some(rest) = bytes.strip_prefix(&MAGIC) else {
            let cut = !bytes.is_empty() && MAGIC.starts_with(bytes);
            let problem = if cut { JournalProblem::CutOff } else { JournalProblem::NoJournal };
            return Err(header(problem));
        };
        match rest.first() {
            Some(&FORMAT_VERSION) => {}
            Some(&found) => {
                return Err(header(JournalProblem::Format { found, known: FORMAT_VERSION }));
            }
            None => return Err(header(JournalProblem::CutOff)),
        }
        let (written, offset) = cut(bytes, MAGIC.len() + 1).map_err(header)?;
        let written: WrittenHeader<'_> = decode(written).map_err(header)?;
        Ok(Self {
            header: Header {
                crate_version: written.crate_version.into_owned(),
                redaction: written.redaction,
                settings: written.settings.into_owned(),
            },
            bytes,
            offset,
            number: 0,
            before: Time::EPOCH,
            ended: false,
            failed: false,
        })
    }

    /// Returns the header.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Returns the number of the entry that was read last, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Returns the offset of the next entry.
    pub fn offset(&self) -> usize {
        self.offset
    }

    fn read(&mut self) -> Result<Entry, JournalProblem> {
        if self.ended {
            return Err(JournalProblem::BehindEnd);
        }
        let (written, end) = cut(self.bytes, self.offset)?;
        let entry = match decode(written)? {
            WrittenEntry::Input(since, input) => Entry::Input { now: self.pass(since), input },
            WrittenEntry::Drained(actions, digest) => {
                Entry::Drained(Checkpoint { actions, digest: digest.map(u64::from_le_bytes) })
            }
            WrittenEntry::Truncated(since) => {
                self.ended = true;
                Entry::Truncated { now: self.pass(since) }
            }
        };
        self.offset = end;
        Ok(entry)
    }

    fn pass(&mut self, since: i64) -> Time {
        let millis = self.before.as_millis().wrapping_add(since.cast_unsigned());
        self.before = Time::from_millis(millis);
        self.before
    }
}

impl Iterator for JournalReader<'_> {
    type Item = Result<Entry, JournalError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.offset == self.bytes.len() {
            return None;
        }
        self.number += 1;
        let (entry, offset) = (self.number, self.offset);
        let read = self.read();
        self.failed = read.is_err();
        Some(read.map_err(|problem| JournalError { entry, offset, problem }))
    }
}

impl FusedIterator for JournalReader<'_> {}

/// Cuts out what stands behind a length; returns also where it ends.
fn cut(bytes: &[u8], at: usize) -> Result<(&[u8], usize), JournalProblem> {
    let mut length = 0;
    let mut start = at;
    loop {
        let byte = *bytes.get(start).ok_or(JournalProblem::CutOff)?;
        let place = 7 * (start - at);
        if place > 28 || (place == 28 && byte > 0x0F) {
            return Err(JournalProblem::Length);
        }
        length |= u32::from(byte & 0x7F) << place;
        start += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    let end = start.checked_add(length as usize).ok_or(JournalProblem::CutOff)?;
    Ok((bytes.get(start..end).ok_or(JournalProblem::CutOff)?, end))
}

fn decode<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, JournalProblem> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        Ok(_) => Err(JournalProblem::LeftOver),
        Err(_) => Err(JournalProblem::Malformed),
    }
}
