//! Carries out each step on an engine and on the model, and compares.

mod compare;
mod deed;

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use self::deed::execute;
use super::model::Model;
use super::operation::{Ending, Opening, Operation, Order, Recovering, Said, Setup, Step};
use super::reply::{Reply, lend};
use crate::engine::{ConnectionView, Engine};
use crate::event::CallId;
use crate::input::{Closed, Incoming, Open, PlainMode, Recovery};
use crate::protocol::Protocol;
use crate::state::ConnectionKey;
use crate::time::Time;

/// Shortly before a second and a day end.
const START: Time = Time::from_millis(1_790_035_200_000 - 5_300);

/// An engine and the model of it, side by side. After each step both must say the same about who was told what, and about
/// what is so.
///
/// [`strategy`](super::strategy) draws the steps.
#[derive(Debug)]
pub struct Comparison {
    engine: Engine,
    model: Model,
    now: Time,
    /// All connections that ever were, by number: the newest keys.
    keys: Vec<ConnectionKey>,
    numbers: BTreeMap<ConnectionKey, usize>,
    /// Their ids; empty where the engine took them for gone at once.
    ids: Vec<String>,
    /// What they speak, since they were accepted.
    protocols: BTreeMap<usize, Protocol>,
    calls: Vec<(CallId, usize, u64)>,
}

impl Comparison {
    /// Makes an engine and its model.
    ///
    /// # Panics
    /// As all methods do, where the engine and the model differ.
    pub fn new(setup: &Setup) -> Self {
        Self {
            engine: Engine::new(Model::config(setup)).expect("the configuration is good"),
            model: Model::new(setup.clone(), START),
            now: START,
            keys: Vec::new(),
            numbers: BTreeMap::new(),
            ids: Vec::new(),
            protocols: BTreeMap::new(),
            calls: Vec::new(),
        }
    }

    /// Returns the engine, to look at.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Returns the model, to look at.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Takes a step. Nothing happens any more once the model [cannot say](Model::is_ambiguous) what should.
    pub fn take(&mut self, step: &Step) {
        if self.model.is_ambiguous() {
            return;
        }
        let then = self.now + Duration::from_millis(step.millis);
        if step.punctual {
            self.pass(then);
        }
        self.now = then;
        self.model.clock(then);
        self.carry_out(&step.operation);
        self.engine.check();
        if self.model.is_ambiguous() {
            return;
        }
        if !step.hold {
            self.compare_actions();
        }
        self.compare_state();
    }

    /// Ends everything and looks whether nothing is left.
    pub fn finish(&mut self) {
        if self.model.is_ambiguous() {
            return;
        }
        self.carry_out(&Operation::Stop("the end".into()));
        self.compare_actions();
        self.compare_state();
        self.engine.check();
        assert!((0..self.keys.len()).all(|number| !self.model.has(number)), "all is gone");
        assert_eq!(self.engine.next_deadline(), None);
    }

    /// Lets time pass as a good host does, which comes back at every deadline.
    fn pass(&mut self, then: Time) {
        while !self.model.is_ambiguous() {
            let next = self.engine.next_deadline();
            let due = self.model.next_deadline();
            assert_eq!(next.is_some(), due.is_some(), "there is a deadline where one is needed");
            assert!(next <= due, "a deadline never comes late: {next:?}, needed {due:?}");
            let Some(next) = next.filter(|next| *next <= then) else { break };
            self.now = self.now.max(next);
            self.advance();
        }
    }

    fn advance(&mut self) {
        self.engine.advance(self.now);
        self.model.clock(self.now);
        self.model.advance();
        let next = self.engine.next_deadline();
        assert!(next.is_none_or(|next| next > self.now), "all that is due has been done");
    }

    fn carry_out(&mut self, operation: &Operation) {
        let now = self.now;
        match operation {
            Operation::Open(opening) => self.open(opening),
            Operation::Recover(recovering) => self.recover(recovering),
            Operation::Receive(whose, said) => {
                if let Some(number) = self.pick(*whose) {
                    self.receive(number, said);
                }
            }
            Operation::Close(whose, ending) => {
                if let Some(number) = self.pick(*whose) {
                    let how = match ending {
                        Ending::Clean(code, reason) => Closed::Clean { code: *code, reason },
                        Ending::Lost => Closed::Lost,
                        Ending::SlowConsumer => Closed::SlowConsumer,
                    };
                    self.engine.close(self.keys[number], how, now);
                    self.model.close(number, ending);
                }
            }
            Operation::Pause(whose) => {
                if let Some(number) = self.pick(*whose) {
                    self.engine.pause(self.keys[number], now);
                    self.model.pause(number);
                }
            }
            Operation::Resume(whose) => {
                if let Some(number) = self.pick(*whose) {
                    self.engine.resume(self.keys[number], now);
                    self.model.resume(number);
                }
            }
            Operation::Answer(which, reply) => self.answer(*which, reply),
            Operation::Execute(order) => self.execute(order),
            Operation::Advance => self.advance(),
            Operation::Stop(reason) => {
                self.engine.stop(reason, now);
                self.model.stop();
            }
        }
    }

    /// Finds a connection, counted from the newest: first those that are there, then those that are gone.
    fn pick(&self, place: usize) -> Option<usize> {
        self.order().get(place).copied()
    }

    fn order(&self) -> Vec<usize> {
        let mut numbers: Vec<_> = (0..self.keys.len()).rev().collect();
        numbers.sort_by_key(|number| !self.model.has(*number));
        numbers
    }

    fn open(&mut self, opening: &Opening) {
        let number = self.keys.len();
        let request = Open {
            hub: &opening.hub,
            protocol: opening.protocol,
            plain_mode: match &opening.target {
                Some((group, no_echo)) => PlainMode::SendToGroup { group, no_echo: *no_echo },
                None => PlainMode::SendEvent,
            },
            anonymous: opening.anonymous,
            user: opening.user.as_deref(),
            roles: &lend(&opening.roles),
            groups: &lend(&opening.groups),
            subprotocols: &lend(&opening.subprotocols),
            entropy: entropy(number),
            ..Open::default()
        };
        let key = self.engine.open(request, self.now);
        let id = self.add(key);
        self.model.open(number, key.index(), &id, &token(number), opening);
    }

    fn recover(&mut self, recovering: &Recovering) {
        let number = self.keys.len();
        let id = self.pick(recovering.whose).map_or("nobody", |it| &self.ids[it]).to_owned();
        let token = self.pick(recovering.token_of).map_or_else(String::new, token);
        let request = Open {
            hub: &recovering.hub,
            protocol: Protocol::ReliableJson,
            subprotocols: &lend(&recovering.subprotocols),
            recovery: Some(Recovery { connection_id: &id, token: &token }),
            entropy: entropy(number),
            ..Open::default()
        };
        let key = self.engine.open(request, self.now);
        match self.model.recover(number, &id, &token, recovering) {
            Some(old) => {
                assert_eq!(key.index(), self.keys[old].index(), "it keeps its place");
                assert_ne!(key, self.keys[old], "its old key is stale");
                self.keys[old] = key;
                self.numbers.insert(key, old);
            }
            None => drop(self.add(key)),
        }
    }

    /// Notes a new connection and returns its id.
    fn add(&mut self, key: ConnectionKey) -> String {
        let view = self.engine.connection(key);
        let id = view.map_or(String::new(), |view| view.id().to_string());
        self.numbers.insert(key, self.keys.len());
        self.keys.push(key);
        self.ids.push(id.clone());
        id
    }

    fn receive(&mut self, number: usize, said: &Said) {
        let key = self.keys[number];
        // Before it is accepted nothing says what it speaks, and whatever it says is ignored.
        let protocol =
            self.engine.connection(key).map_or(Protocol::Plain, ConnectionView::protocol);
        let packet = said.packet(protocol);
        let incoming = match (said, &packet) {
            (Said::TooLarge, _) => Incoming::TooLarge,
            (Said::Malformed, _) => Incoming::Malformed,
            (Said::NotUtf8, _) => Incoming::NotUtf8,
            (_, Some(packet)) => packet.incoming(),
            (_, None) => Incoming::Alive,
        };
        self.engine.receive(key, incoming, self.now);
        self.model.receive(number, said);
    }

    fn answer(&mut self, which: usize, reply: &Reply) {
        // The oldest call that somebody waits for comes first.
        let mut order: Vec<_> = (0..self.calls.len()).collect();
        order.sort_by_key(|place| {
            let (_, number, event) = self.calls[*place];
            !self.model.connection(number).is_some_and(|it| it.waits_for(event))
        });
        let Some(place) = order.get(which) else { return };
        let (call, number, event) = self.calls[*place];
        let (engine, now) = (&mut self.engine, self.now);
        reply.lend(|answer| engine.answer(call, answer, now));
        self.model.answer(number, event, reply);
    }

    fn execute(&mut self, order: &Order) {
        let ids: Vec<_> = self.order().iter().map(|&number| self.ids[number].clone()).collect();
        if self.model.is_unordered(order, &ids) {
            return;
        }
        let expected = self.model.execute(order, &ids);
        let actual = execute(&mut self.engine, order, &ids, self.now);
        assert_eq!(actual, expected, "{order:?}");
    }
}

/// Makes the bytes from which a connection gets its id and its token.
fn entropy(number: usize) -> [u8; 32] {
    let mut entropy = [0x5a; 32];
    entropy[..8].copy_from_slice(&(number as u64).to_be_bytes());
    entropy[16..24].copy_from_slice(&(number as u64).to_be_bytes());
    entropy
}

/// Returns the token that comes of that.
fn token(number: usize) -> String {
    format!("{number:016x}{}", "5a".repeat(8))
}
