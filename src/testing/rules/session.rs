//! Rules about sessions that hold for every server.

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;

use super::{Occurrence, Rule};
use crate::event::EventKind;
use crate::input::Closed;
use crate::time::Time;

/// On a reliable connection the sequence ids of new messages are 1, 2, 3 without a gap, at the server and at the client, a
/// replay has no gap either and comes once, and elsewhere there are no ids (`webpubsub.md` 4.1). Every
/// [`Simulation`](super::super::Simulation) keeps to it.
///
/// So a client of a session that is recovered misses nothing that was sent to it.
///
/// ```
/// use hubcast::testing::{ConsecutiveSequences, Rule};
///
/// assert_eq!(ConsecutiveSequences::default().conclude(), Ok(()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct ConsecutiveSequences {
    sessions: BTreeMap<usize, Sequences>,
}

#[derive(Clone, Debug, Default)]
struct Sequences {
    /// The largest that was sent.
    sent: u64,
    /// The last that was sent over this transport, if any was.
    last: Option<u64>,
    /// The largest that was heard.
    heard: u64,
}

impl Rule for ConsecutiveSequences {
    fn observe(&mut self, _: Time, occurrence: &Occurrence<'_>) -> Result<(), String> {
        let (session, received, fresh) = match occurrence {
            Occurrence::Recovered { session } => {
                self.sessions.entry(session.number).or_default().last = None;
                return Ok(());
            }
            Occurrence::Sent { session, received } => (session, received, None),
            Occurrence::Heard { session, received, fresh } => (session, received, Some(*fresh)),
            _ => return Ok(()),
        };
        let all = self.sessions.entry(session.number).or_default();
        let numbered = session.protocol.is_reliable() && received.message.is_sequenced();
        let Some(sequence) = received.sequence.filter(|_| numbered) else {
            if received.sequence.is_some() == numbered {
                return Ok(());
            }
            return Err(format!("session {}: {received:?}: an id or none", session.number));
        };
        let before = match fresh {
            None => all.last.replace(sequence).unwrap_or(all.sent.min(sequence - 1)),
            Some(true) => all.heard,
            // Part of a replay, dropped by the client.
            Some(false) => return Ok(()),
        };
        if sequence != before + 1 {
            return Err(format!(
                "session {} ({:?}) got {sequence} after {before}: {:?}",
                session.number, session.protocol, received.message
            ));
        }
        let largest = if fresh.is_some() { &mut all.heard } else { &mut all.sent };
        *largest = sequence.max(*largest);
        Ok(())
    }
}

/// The handler of a session is told of its end, exactly once, and until then the session can be recovered; a close with
/// 1000 ends it at once. Every [`Simulation`](super::super::Simulation) keeps to
/// it, as far as the hubs have handlers for the events `connected` and `disconnected`.
///
/// ```
/// use hubcast::testing::{OneEnd, Rule};
///
/// assert_eq!(OneEnd::default().conclude(), Ok(()));
/// ```
#[derive(Clone, Debug, Default)]
pub struct OneEnd {
    /// How often its handler was told of its beginning and its end, by session.
    told: BTreeMap<usize, [usize; 2]>,
    /// The session whose client closed it for good, and when.
    closed: Option<(usize, Time)>,
}

impl Rule for OneEnd {
    fn observe(&mut self, at: Time, occurrence: &Occurrence<'_>) -> Result<(), String> {
        if let Some((session, _)) = self.closed.take_if(|(_, closed)| *closed < at)
            && self.told.get(&session) == Some(&[1, 0])
        {
            return Err(format!("session {session} was closed with 1000 and went on"));
        }
        match occurrence {
            Occurrence::TransportGone { session, how: Closed::Clean { code: 1000, .. } } => {
                self.closed = Some((session.number, at));
                Ok(())
            }
            Occurrence::Called { session: Some(session), event } => {
                let told = self.told.entry(session.number).or_default();
                match &event.kind {
                    EventKind::Connected => told[0] += 1,
                    EventKind::Disconnected { .. } => told[1] += 1,
                    _ => {}
                }
                match told {
                    [0 | 1, 0 | 1] => Ok(()),
                    _ => Err(format!("session {} began and ended {told:?} times", session.number)),
                }
            }
            Occurrence::Recovered { session } => match self.told.get(&session.number) {
                Some([_, 1]) => Err(format!("session {} came back from its end", session.number)),
                _ => Ok(()),
            },
            Occurrence::RecoveryRefused { session } => match self.told.get(&session.number) {
                Some([1, 0]) => Err(format!("session {} was there, and refused", session.number)),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    fn conclude(&mut self) -> Result<(), String> {
        match self.told.iter().find(|(_, told)| **told == [1, 0]) {
            Some((session, _)) => Err(format!("session {session} has no end")),
            None => Ok(()),
        }
    }
}
