//! The connections that send, all in one thread that sleeps from message to message: a runtime's timers are too coarse.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::clock::{Clock, nanoseconds};
use crate::frame::{self, Kind};
use crate::receive::close_reason;
use crate::stamp;
use crate::tally::{Tally, latencies, microseconds};
use crate::timetable::Timetable;

/// The least time between two rounds: what is due within it goes out together.
const ROUND: Duration = Duration::from_micros(100);
/// How long to wait for a server that does not read.
const BLOCKED: Duration = Duration::from_millis(1);
/// How often senders look for pings.
const LISTENING: Duration = Duration::from_secs(1);
/// How many bytes of a sender wait for the server; more messages are made when these are gone.
const WAITING_BYTES: usize = 64 * 1024;
/// How long after the end of the timetable messages are made that are late, and how long after that those that are made
/// may wait for the server.
const PATIENCE: Duration = Duration::from_secs(5);

/// All connections that send.
#[derive(Debug)]
pub(crate) struct Senders {
    /// The one with index `n` sends message `n`, and then every so many.
    all: Vec<Sender>,
    /// The frame for each group, its stamp at the same distance from the end.
    frames: Vec<Vec<u8>>,
    payload: usize,
    timetable: Timetable,
    tally: Arc<Tally>,
    clock: Clock,
    /// How late those messages were made that count, in microseconds.
    lateness: Histogram<u64>,
}

/// A connection that sends every so many messages.
#[derive(Debug)]
struct Sender {
    stream: TcpStream,
    /// The message that it sends next.
    next: u64,
    /// What the server has not taken yet.
    waiting: Vec<u8>,
    /// What came, as far as it is no whole frame.
    partial: Vec<u8>,
}

/// The end of a message to a group.
const AFTER_PAYLOAD: &str = r#""}"#;

impl Senders {
    /// Gives the connections something to send: messages with `payload` bytes.
    pub(crate) fn new(
        streams: Vec<(TcpStream, Vec<u8>)>,
        groups: &[String],
        payload: usize,
        timetable: Timetable,
        (tally, clock): (Arc<Tally>, Clock),
    ) -> Self {
        let senders = (0..).zip(streams).map(|(next, (stream, partial))| Sender {
            stream,
            next,
            waiting: Vec::new(),
            partial,
        });
        let text = stamp::payload(payload);
        let frames = groups.iter().map(|group| {
            frame::text(&format!(
                r#"{{"type":"sendToGroup","group":"{group}","dataType":"text","data":"{text}{AFTER_PAYLOAD}"#
            ))
        });
        Self {
            all: senders.collect(),
            frames: frames.collect(),
            payload,
            timetable,
            tally,
            clock,
            lateness: latencies(),
        }
    }

    /// Sends everything when it is due, as far as the server takes it. Returns how late messages were made, in
    /// microseconds, and the senders, because they stay open until everything has arrived.
    ///
    /// # Errors
    ///
    /// One line that says why a sender cannot send.
    pub(crate) fn run(mut self) -> Result<(Histogram<u64>, Self), String> {
        let mut listened = self.clock.now();
        loop {
            let now = self.clock.now();
            let wake = self.round(now)?;
            let over = self.timetable.end();
            if now >= over + 2 * PATIENCE || (wake.is_none() && now >= over) {
                self.give_up();
                return Ok((std::mem::replace(&mut self.lateness, latencies()), self));
            }
            if now >= listened + LISTENING {
                listened = now;
                self.all.iter_mut().try_for_each(Sender::listen)?;
            }
            let wake = wake.unwrap_or(over).min(listened + LISTENING);
            thread::sleep(wake.saturating_sub(self.clock.now()).max(ROUND));
        }
    }

    /// Has every sender send what is due. Returns when to do it again, unless everything is sent.
    fn round(&mut self, now: Duration) -> Result<Option<Duration>, String> {
        let mut again = None;
        let mut behind = Duration::ZERO;
        for number in 0..self.all.len() {
            let due = self.make(number, now);
            behind = behind.max(due.map_or(Duration::ZERO, |due| now.saturating_sub(due)));
            let sender = &mut self.all[number];
            sender.write()?;
            // A sender that waits for the server tries again soon.
            let blocked = (!sender.waiting.is_empty()).then_some(now + BLOCKED);
            again = [again, blocked.or(due)].into_iter().flatten().min();
        }
        self.tally.behind.store(nanoseconds(behind), Relaxed);
        Ok(again)
    }

    /// Makes the messages of a sender that are due. Returns when its next one is, which has passed if too much waits
    /// for the server.
    fn make(&mut self, number: usize, now: Duration) -> Option<Duration> {
        if now >= self.timetable.end() + PATIENCE {
            return None;
        }
        let every = self.all.len() as u64;
        let Sender { next, waiting, .. } = &mut self.all[number];
        while *next < self.timetable.messages() {
            let due = self.timetable.due(*next);
            if due > now || waiting.len() >= WAITING_BYTES {
                return Some(due);
            }
            let group = self.timetable.group(*next);
            waiting.extend_from_slice(&self.frames[group]);
            let stamp = waiting.len() - AFTER_PAYLOAD.len() - self.payload;
            stamp::write(&mut waiting[stamp..], nanoseconds(due));
            let members = self.timetable.members(group);
            self.tally.note_sent(due, members);
            if self.tally.counts(nanoseconds(due)) {
                self.lateness.saturating_record(microseconds(now.saturating_sub(due)));
            }
            *next += every;
        }
        None
    }

    /// Takes back what was made and the server did not take.
    fn give_up(&mut self) {
        let every = self.all.len() as u64;
        for Sender { next, waiting, .. } in &mut self.all {
            let mut left = waiting.len();
            while left > 0 && *next >= every {
                *next -= every;
                let group = self.timetable.group(*next);
                left = left.saturating_sub(self.frames[group].len());
                self.tally.note_unsent(self.timetable.due(*next), self.timetable.members(group));
            }
        }
        self.tally.behind.store(0, Relaxed);
    }
}

impl Sender {
    /// Writes what the server takes.
    fn write(&mut self) -> Result<(), String> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        match self.stream.write(&self.waiting) {
            Ok(written) => {
                self.waiting.drain(..written);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            // What the server said before it closed tells more than the error.
            Err(error) => self.listen().and_then(|()| Err(lost(&error.to_string()))),
        }
    }

    /// Reads what came, and answers pings.
    fn listen(&mut self) -> Result<(), String> {
        let mut bytes = [0; 1024];
        loop {
            match self.stream.read(&mut bytes) {
                Ok(0) => return Err(lost("the server ended it")),
                Ok(read) => self.partial.extend_from_slice(&bytes[..read]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(lost(&error.to_string())),
            }
            while let Some(frame) =
                frame::first(&self.partial).map_err(|_| lost("the server sent no frame"))?
            {
                match frame.kind {
                    Kind::Ping => self.waiting.extend(frame::pong(frame.payload)),
                    Kind::Close => return Err(lost(&close_reason(frame.payload))),
                    Kind::Message | Kind::Rest | Kind::Pong => {}
                }
                let length = frame.length;
                self.partial.drain(..length);
            }
        }
    }
}

fn lost(why: &str) -> String {
    format!("a connection that sends was lost: {why}")
}
