//! The engine and the task that owns it: inputs come in through a channel, actions go out to
//! sockets.

use std::future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use hubcast::replay::Recorder;
use hubcast::rest::webhook::{RequestId, Webhooks};
use hubcast::rest::{self, Handshake, Operation};
use hubcast::{Action, Closed, Config, ConfigError, ConnectionKey, Incoming, Time};
use rustls::RootCertStore;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::{task, time};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::activity::{Activity, News};
use crate::clock::Clock;
use crate::deliveries::Deliveries;
use crate::handlers::Handlers;
use crate::journal::JournalFile;
use crate::listeners::{ListenerOutputs, Listeners};
use crate::load::Load;
use crate::logs::Logs;
use crate::metrics::Measured;
use crate::sockets::{Decision, Socket, Sockets};
use crate::tables::Tables;
use crate::webhook_client::{Answered, WebhookClient};

/// The most inputs that wait for the engine; whoever has one more waits until there is room.
const INPUTS: usize = 1_024;
/// The most inputs that the engine takes before its actions are carried out.
const BATCH: usize = 256;
/// The most bytes of those inputs, but for the last one: nobody is paused before that, so what comes meanwhile for a
/// connection that should be is to be little.
const BATCH_BYTES: usize = 64 * 1024;

/// Something for the engine.
#[derive(Debug)]
pub(crate) enum Input {
    /// A peer wants to connect; its key goes to `opened`.
    Open {
        handshake: Box<Handshake>,
        socket: Socket,
        caller: Option<IpAddr>,
        opened: oneshot::Sender<ConnectionKey>,
    },
    /// Something arrived from a peer.
    Received { from: ConnectionKey, what: Received },
    /// A transport is gone.
    Closed { connection: ConnectionKey, how: Ended },
    /// The crowded queue of a socket has drained.
    Drained { connection: ConnectionKey },
    /// A server asks something by the REST API.
    Asked { operation: Box<Operation>, answer: oneshot::Sender<Response<Bytes>> },
    /// The console wants to see a hub, and what happened after an entry that it knows.
    Looked { hub: String, after: u64, answer: oneshot::Sender<(Tables, News)> },
    /// A request to a webhook is over.
    Answered { id: RequestId, answered: Box<Answered> },
    /// There are new settings, with the open files of their listeners.
    Reconfigure {
        config: Box<Config>,
        outputs: ListenerOutputs,
        done: oneshot::Sender<Result<(), ConfigError>>,
    },
    /// Somebody wants to know what was counted.
    Measure { answer: oneshot::Sender<Box<Measured>> },
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
/// panics or nobody can send inputs any more. After a stop it drops `alive` as soon as webhooks have got all events.
pub(crate) fn start(
    engine: Recorder,
    webhooks: Webhooks,
    authorities: RootCertStore,
    outlets: Outlets,
    clock: Arc<Clock>,
    alive: mpsc::Sender<()>,
) -> (mpsc::Sender<Input>, JoinHandle<()>) {
    let (sender, inputs) = mpsc::channel(INPUTS);
    let client = WebhookClient::new(authorities, sender.downgrade());
    let handlers = Handlers::new(webhooks, client, outlets.logs.clone());
    let service = Service {
        engine,
        clock,
        sockets: Sockets::default(),
        deliveries: Deliveries::default(),
        handlers,
        outlets,
        activity: Activity::default(),
        load: Load::new(Instant::now()),
        is_stopping: false,
        alive: Some(alive),
    };
    (sender, tokio::spawn(service.run(inputs)))
}

/// Where events and records go, besides to handlers.
#[derive(Debug)]
pub(crate) struct Outlets {
    pub(crate) listeners: Listeners,
    pub(crate) logs: Logs,
    pub(crate) journal: Option<JournalFile>,
}

struct Service {
    engine: Recorder,
    clock: Arc<Clock>,
    sockets: Sockets,
    deliveries: Deliveries,
    handlers: Handlers,
    outlets: Outlets,
    load: Load,
    activity: Activity,
    is_stopping: bool,
    alive: Option<mpsc::Sender<()>>,
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
            let began = Instant::now();
            let mut bytes = 0;
            for input in batch.drain(..) {
                bytes += input.len();
                self.take(input);
                if bytes > BATCH_BYTES {
                    self.carry_out();
                    bytes = 0;
                }
            }
            let now = self.clock.now();
            self.engine.advance(now);
            self.handlers.advance(now);
            self.carry_out();
            if let Some(journal) = &mut self.outlets.journal {
                journal.append(&mut self.engine);
            }
            if self.is_stopping && !self.handlers.is_busy() {
                self.alive = None;
                self.outlets.journal = None;
            }
            self.load.worked(began, Instant::now());
            // Lets the sockets read on: what they bring until the next turn goes out together.
            task::yield_now().await;
        }
    }

    /// Waits until the engine wants to be told that time passed, or a handler has something to do.
    async fn deadline(&self) {
        let deadlines = [self.engine.next_deadline(), self.handlers.next_deadline()];
        match deadlines.into_iter().flatten().min() {
            Some(deadline) => time::sleep(deadline.since(self.clock.now())).await,
            None => future::pending().await,
        }
    }

    fn take(&mut self, input: Input) {
        let now = self.clock.now();
        match input {
            Input::Open { handshake, socket, caller, opened } => {
                let mut entropy = [0; 32];
                getrandom::fill(&mut entropy).expect("the system has random numbers");
                let key = handshake.with_open(entropy, |open| self.engine.open(open, now));
                self.sockets.insert(key, socket, caller);
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
            Input::Drained { connection } => self.engine.resume(connection, now),
            Input::Asked { operation, answer } => {
                let response = operation.carry_out_by(|command| self.engine.execute(command, now));
                // Whoever asked may have gone.
                let _ = answer.send(response);
            }
            Input::Looked { hub, after, answer } => {
                let tables = Tables::of(&self.engine, &hub);
                let _ = answer.send((tables, self.activity.after(after)));
            }
            Input::Answered { id, answered } => self.handlers.answered(id, &answered, now),
            Input::Reconfigure { config, outputs, done } => {
                let outcome = self.engine.reconfigure(*config, now);
                if outcome.is_ok() {
                    self.outlets.listeners.replace(outputs);
                }
                let _ = done.send(outcome);
            }
            Input::Measure { answer } => {
                let load = self.load.percent(Instant::now());
                let left_out = self.outlets.listeners.left_out();
                let webhooks = self.handlers.metrics();
                let _ =
                    answer.send(Box::new(Measured::new(&self.engine, webhooks, load, left_out)));
            }
            Input::Stop => {
                self.is_stopping = true;
                self.engine.stop("The server is stopping.", now);
            }
        }
    }

    /// Carries out actions until there are none. It never waits for a socket.
    fn carry_out(&mut self) {
        loop {
            let now = self.clock.now();
            let Self { sockets, deliveries, handlers, activity, outlets, .. } = self;
            while let Some(action) = self.engine.poll_action() {
                carry_out(action, sockets, deliveries, handlers, activity, outlets, now);
                if deliveries.is_large() {
                    deliveries.send(sockets, now);
                }
            }
            deliveries.send(sockets, now);
            let Deliveries { crowded, lost, .. } = deliveries;
            let mut is_settled = crowded.is_empty() && lost.is_empty();
            for connection in crowded.drain(..) {
                self.engine.pause(connection, now);
            }
            for connection in lost.drain(..) {
                self.engine.close(connection, Closed::SlowConsumer, now);
            }
            while let Some((call, answer)) = self.handlers.next_answer(&mut self.activity, now) {
                answer.give(&mut self.engine, call, now);
                is_settled = false;
            }
            if is_settled {
                return;
            }
        }
    }
}

impl Input {
    /// Returns the bytes that came from a peer or a webhook.
    fn len(&self) -> usize {
        match self {
            Self::Received { what: Received::Text(text), .. } => text.len(),
            Self::Received { what: Received::Binary(bytes), .. } => bytes.len(),
            Self::Answered { answered, .. } => {
                answered.result.as_ref().map_or(0, |response| response.body().len())
            }
            Self::Received {
                what: Received::Alive | Received::TooLarge | Received::Malformed | Received::NotUtf8,
                ..
            }
            | Self::Open { .. }
            | Self::Closed { .. }
            | Self::Asked { .. }
            | Self::Looked { .. }
            | Self::Drained { .. }
            | Self::Reconfigure { .. }
            | Self::Measure { .. }
            | Self::Stop => 0,
        }
    }
}

/// Carries out one action.
fn carry_out(
    action: Action<'_>,
    sockets: &mut Sockets,
    deliveries: &mut Deliveries,
    handlers: &mut Handlers,
    activity: &mut Activity,
    outlets: &Outlets,
    now: Time,
) {
    match action {
        Action::Accept(it) => {
            let subprotocol = it.subprotocol.map(str::to_owned);
            decide(sockets.get_mut(it.connection), Decision::Accept { subprotocol });
        }
        Action::Refuse(it) => {
            let refusal = rest::refusal(&it);
            decide(sockets.remove(it.connection).as_mut(), Decision::Refuse(refusal));
        }
        Action::Deliver(it) => deliveries.push(&it),
        Action::Close(it) => deliveries.close(&it),
        Action::Notify(it) => {
            outlets.listeners.notify(&it, now);
            activity.notified(&it, now);
        }
        Action::Call(it) => handlers.call(&it, activity, now),
        Action::Cancel(call) => handlers.cancel(call, activity, now),
        Action::Record(it) => {
            let caller = it.connection.and_then(|connection| sockets.caller(connection));
            outlets.logs.record(&it, caller, now);
            activity.record(&it, now);
        }
        // What later versions may add.
        _ => {}
    }
}

fn decide(socket: Option<&mut Socket>, decision: Decision) {
    let Some(asking) = socket.and_then(|socket| socket.decision.take()) else { return };
    // A peer that left in the meantime is reported as closed by its own task.
    let _ = asking.send(decision);
}
