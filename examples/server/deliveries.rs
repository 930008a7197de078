//! What goes to sockets: gathered while the engine's actions are polled, so that each socket gets it in one write.

use bytes::Bytes;
use hubcast::{Batch, BatchFrame, Close, ConnectionKey, Deliver, Time};

use crate::queue::{Full, Level, Message};
use crate::sockets::Sockets;
use crate::wire;

/// With so many frames in it, each counted for every recipient, they go out before more are gathered.
const MOST: usize = 64 * 1024;

/// The close code that stands for a transport that ends without a close frame.
const CUT: u16 = 1006;

/// Frames and closes on their way from the engine to sockets.
#[derive(Debug, Default)]
pub(crate) struct Deliveries {
    batch: Batch,
    /// By number of the delivery: its frame as it stands on the wire, if it is the same for all recipients. It is made
    /// for the first of them.
    wires: Vec<Option<Bytes>>,
    closes: Vec<Ending>,
    /// Connections whose queue is crowded since.
    pub(crate) crowded: Vec<ConnectionKey>,
    /// Connections whose queue was full; their sockets are closed.
    pub(crate) lost: Vec<ConnectionKey>,
}

/// A socket to close after what it gets.
#[derive(Debug)]
struct Ending {
    connection: ConnectionKey,
    code: u16,
    reason: String,
}

impl Deliveries {
    /// Adds a delivery.
    pub(crate) fn push(&mut self, deliver: &Deliver<'_>) {
        self.batch.push(deliver);
        self.wires.push(None);
    }

    /// Adds a close, behind all that goes to the same connection.
    pub(crate) fn close(&mut self, close: &Close<'_>) {
        let Close { connection, code, reason } = *close;
        self.closes.push(Ending { connection, code, reason: reason.to_owned() });
    }

    /// Tells whether there is so much that it is better sent before more is gathered.
    pub(crate) fn is_large(&self) -> bool {
        self.batch.len() >= MOST
    }

    /// Hands everything to the sockets. It never waits for one.
    pub(crate) fn send(&mut self, sockets: &mut Sockets, now: Time) {
        let Self { batch, wires, closes, crowded, lost } = self;
        batch.drain(|connection, frames| {
            let Some(socket) = sockets.get_mut(connection) else { return };
            match socket.outbound.send(frames.map(|frame| message(frame, wires)), now) {
                Ok(Level::Same) => {}
                Ok(Level::Crowded) => crowded.push(connection),
                Err(Full) => {
                    socket.outbound.abandon(1008, "The outbound message queue is full.");
                    sockets.remove(connection);
                    lost.push(connection);
                }
            }
        });
        wires.clear();
        for Ending { connection, code, reason } in closes.drain(..) {
            let Some(socket) = sockets.remove(connection) else { continue };
            match code {
                CUT => socket.outbound.cut(),
                code => socket.outbound.close(code, &reason),
            }
        }
    }
}

fn message(it: BatchFrame<'_>, wires: &mut [Option<Bytes>]) -> Message {
    let wire = match it.frame.shared() {
        Some(_) => wires[it.delivery].get_or_insert_with(|| wire::message(it.frame, 0)).clone(),
        None => wire::message(it.frame, it.sequence),
    };
    Message { wire, expires: it.expires }
}
