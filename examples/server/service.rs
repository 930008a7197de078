//! The engine and the task that owns it: inputs come in through a channel, actions go out to
//! sockets.

use std::future;
use std::sync::Arc;

use bytes::Bytes;
use hubcast::rest::{self, Handshake};
use hubcast::{Action, Closed, ConnectionKey, Deliver, Engine, Incoming, Time};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::{task, time};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::clock::Clock;
use crate::outbound::{Close, Message};
use crate::sockets::{Decision, Socket, Sockets};

/// The most inputs that wait for the engine; whoever has one more waits until there is room.
const INPUTS: usize = 1_024;
/// The most inputs that the engine takes before its actions are carried out.
const BATCH: usize = 256;

/// Something for the engine.
#[derive(Debug)]
pub(crate) enum Input {
    /// A peer wants to connect; its key goes to `opened`.
    Open { handshake: Box<Handshake>, socket: Socket, opened: oneshot::Sender<ConnectionKey> },
    /// Something arrived from a peer.
    Received { from: ConnectionKey, what: Received },
    /// A transport is gone.
    Closed { connection: ConnectionKey, how: Ended },
    /// The server is about to stop.
    Stop,
}

/// What can arrive from a peer: [`Incoming`], with the bytes that it borrows.
#[derive(Debug)]
pub(crate) enum Received {
    Text(Utf8Bytes),
    Binary(Bytes),
    Alive,
    TooLarge,
    Malformed,
    NotUtf8,
}

/// How a transport can end: [`Closed`], with the text that it borrows.
#[derive(Debug)]
pub(crate) enum Ended {
    Clean { code: u16, reason: String },
    Lost,
}

/// Starts the task that owns the engine. Returns the way to it, and the task, which ends only if it
/// panics or nobody can send inputs any more.
pub(crate) fn start(engine: Engine, clock: Arc<Clock>) -> (mpsc::Sender<Input>, JoinHandle<()>) {
    let (sender, inputs) = mpsc::channel(INPUTS);
    let service = Service { engine, clock, sockets: Sockets::default() };
    (sender, tokio::spawn(service.run(inputs)))
}

struct Service {
    engine: Engine,
    clock: Arc<Clock>,
    sockets: Sockets,
}

impl Service {
    /// Takes inputs and carries out actions until nobody can send inputs any more.
    async fn run(mut self, mut inputs: mpsc::Receiver<Input>) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                taken = inputs.recv_many(&mut batch, BATCH) => if taken == 0 { return },
                () = self.deadline() => {}
            }
            for input in batch.drain(..) {
                self.take(input);
            }
            self.engine.advance(self.clock.now());
            self.carry_out();
            // Lets the sockets write what they got: in a burst their queues would fill up meanwhile.
            task::yield_now().await;
        }
    }

    /// Waits until the engine wants to be told that time passed.
    async fn deadline(&self) {
        match self.engine.next_deadline() {
            Some(deadline) => time::sleep(deadline.since(self.clock.now())).await,
            None => future::pending().await,
        }
    }

    fn take(&mut self, input: Input) {
        let now = self.clock.now();
        match input {
            Input::Open { handshake, socket, opened } => {
                let mut entropy = [0; 32];
                getrandom::fill(&mut entropy).expect("the system has random numbers");
                let key = handshake.with_open(entropy, |open| self.engine.open(open, now));
                self.sockets.insert(key, socket);
                // Whoever asked waits for it until it comes.
                let _ = opened.send(key);
            }
            Input::Received { from, what } => {
                let incoming = match &what {
                    Received::Text(text) => Incoming::Text(text),
                    Received::Binary(bytes) => Incoming::Binary(bytes),
                    Received::Alive => Incoming::Alive,
                    Received::TooLarge => Incoming::TooLarge,
                    Received::Malformed => Incoming::Malformed,
                    Received::NotUtf8 => Incoming::NotUtf8,
                };
                self.engine.receive(from, incoming, now);
            }
            Input::Closed { connection, how } => {
                let closed = match &how {
                    Ended::Clean { code, reason } => Closed::Clean { code: *code, reason },
                    Ended::Lost => Closed::Lost,
                };
                self.engine.close(connection, closed, now);
                self.sockets.remove(connection);
            }
            Input::Stop => self.engine.stop("The server is stopping.", now),
        }
    }

    /// Carries out actions until there are none. It never waits for a socket.
    fn carry_out(&mut self) {
        let mut slow = Vec::new();
        loop {
            let now = self.clock.now();
            while let Some(action) = self.engine.poll_action() {
                carry_out(action, &mut self.sockets, &mut slow, now);
            }
            if slow.is_empty() {
                return;
            }
            for connection in slow.drain(..) {
                self.engine.close(connection, Closed::SlowConsumer, now);
            }
        }
    }
}

/// Carries out one action; connections whose queue is full are dropped and go to `slow`.
fn carry_out(action: Action<'_>, sockets: &mut Sockets, slow: &mut Vec<ConnectionKey>, now: Time) {
    match action {
        Action::Accept(it) => {
            let subprotocol = it.subprotocol.map(str::to_owned);
            decide(sockets.get_mut(it.connection), Decision::Accept { subprotocol });
        }
        Action::Refuse(it) => {
            let refusal = rest::refusal(&it);
            decide(sockets.remove(it.connection).as_mut(), Decision::Refuse(refusal));
        }
        Action::Deliver(it) => deliver(&it, sockets, slow, now),
        Action::Close(it) => {
            if let Some(socket) = sockets.remove(it.connection) {
                let reason = it.reason.to_owned();
                socket.outbound.close(Close { code: it.code, reason });
            }
        }
        // Calls of event handlers: this server starts without any. And what later versions may add.
        _ => {}
    }
}

fn decide(socket: Option<&mut Socket>, decision: Decision) {
    let Some(asking) = socket.and_then(|socket| socket.decision.take()) else { return };
    // A peer that left in the meantime is reported as closed by its own task.
    let _ = asking.send(decision);
}

fn deliver(it: &Deliver<'_>, sockets: &mut Sockets, slow: &mut Vec<ConnectionKey>, now: Time) {
    for to in it.to {
        let Some(socket) = sockets.get_mut(to.connection) else { continue };
        // Most frames are the same for everyone: their bytes are shared, not copied.
        let bytes = match it.frame.shared() {
            Some(bytes) => bytes.clone(),
            None => it.frame.payload(to.sequence).collect::<Vec<_>>().concat().into(),
        };
        let message = Message { bytes, is_text: it.frame.is_text(), expires: it.expires };
        if socket.outbound.send(message, now).is_err() {
            let reason = "The outbound message queue is full.".to_owned();
            socket.outbound.abandon(Close { code: 1008, reason });
            sockets.remove(to.connection);
            slow.push(to.connection);
        }
    }
}
