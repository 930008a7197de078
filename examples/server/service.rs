//! The engine and the task that owns it: inputs come in through a channel, actions go out to
//! sockets.

use std::future;
use std::sync::Arc;
use std::time::Instant;

use hubcast::replay::Recorder;
use hubcast::rest;
use hubcast::rest::webhook::Webhooks;
use hubcast::{Action, Closed, Incoming, Time};
use rustls::RootCertStore;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::{task, time};

use crate::activity::Activity;
use crate::clock::Clock;
use crate::deliveries::Deliveries;
use crate::handlers::Handlers;
use crate::input::{Ended, Input, Inputs, Received};
use crate::journal::JournalFile;
use crate::listeners::Listeners;
use crate::load::Load;
use crate::logs::Logs;
use crate::metrics::Measured;
use crate::room::{BATCH_BYTES, INPUTS};
use crate::sockets::{Decision, Socket, Sockets};
use crate::tables::Tables;
use crate::webhook_client::WebhookClient;

/// Starts the task that owns the engine. Returns the way to it, and the task, which ends only if it
/// panics or nobody can send inputs any more. After a stop it drops `alive` as soon as webhooks have got all events.
pub(crate) fn start(
    engine: Recorder,
    webhooks: Webhooks,
    authorities: RootCertStore,
    outlets: Outlets,
    clock: Arc<Clock>,
    alive: mpsc::Sender<()>,
) -> (Inputs, JoinHandle<()>) {
    let (way, inputs) = Inputs::new();
    let client = WebhookClient::new(authorities, way.downgrade());
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
    (way, tokio::spawn(service.run(inputs)))
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
        let mut batch = Vec::with_capacity(INPUTS);
        loop {
            tokio::select! {
                taken = inputs.recv_many(&mut batch, INPUTS) => if taken == 0 { return },
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
            Input::Received { from, what, room: _room } => {
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
