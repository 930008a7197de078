//! The semantics, written down as plainly as can be: maps, sets, lists, and a scan wherever one will do.
//!
//! It is written from the protocol notes, not from the engine, and it knows numbers where the engine knows keys.
//! [`Comparison`](super::Comparison) runs both side by side.

mod call;
mod command;
mod condition;
mod config;
mod ending;
mod invocation;
mod open;
mod request;
mod rights;
mod session;
mod state;
mod stream;
mod time;

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

pub use self::command::Outcome;
use self::invocation::Invocation;
use self::rights::Rights;
use self::session::{Parked, Standing};
use self::state::State;
use self::stream::Stream;
use super::message::Message;
use super::operation::{Handler, Opening, Said, Setup};
use super::payload::{Entries, Payload};
use super::seen::Seen;
use crate::config::Quota;
use crate::metrics::Drops;
use crate::protocol::Protocol;
use crate::time::Time;

/// The limits of every hub, small enough to be reached; those of a [`Setup`] come on top.
const MESSAGE_BYTES: usize = 200;
const CONNECTIONS: usize = 5;
const GROUPS: usize = 3;
const ACK_CACHE: usize = 3;
const QUEUED_MESSAGES: usize = 3;
const QUEUED_BYTES: usize = 300;
const PATTERNS: usize = 2;
const LITERALS: usize = 2;
const CALL: Duration = Duration::from_secs(5);
const HUBS: usize = 3;
const UNACKNOWLEDGED: usize = 5;
const PAUSED: usize = 3;
const WINDOW: Duration = Duration::from_secs(8);
const STREAMS: usize = 2;
const INVOCATIONS: usize = 2;
const STATE_BYTES: usize = 20;
/// The acks and the like that wait for a paused connection.
const CONTROL: usize = 32;

/// A naive engine. Connections are known by numbers that the caller gives.
///
/// ```
/// use hubcast::testing::{Model, Opening, Setup, strategy};
/// use hubcast::{Protocol, SlowConsumer, Time};
///
/// let setup = Setup {
///     idle_seconds: None,
///     handshake_seconds: 6,
///     per_second: None,
///     per_day: None,
///     close_on_failure: false,
///     refuse_unknown_hubs: false,
///     slow_consumer: SlowConsumer::Disconnect,
///     handlers: Vec::new(),
/// };
/// let mut model = Model::new(setup, Time::EPOCH);
/// let opening = Opening {
///     hub: "first".into(),
///     protocol: Protocol::Json,
///     anonymous: false,
///     user: None,
///     roles: Vec::new(),
///     groups: Vec::new(),
///     subprotocols: Vec::new(),
///     target: None,
/// };
/// model.open(0, 0, "id", "token", &opening);
/// assert_eq!(model.take_told()[&0].len(), 2); // accepted, connected
/// ```
#[derive(Clone, Debug)]
pub struct Model {
    setup: Setup,
    now: Time,
    stopped: bool,
    /// The hubs that there are, in lower case, with what was sent: when, and how many messages it counts.
    hubs: BTreeMap<String, Vec<(Time, u64)>>,
    connections: BTreeMap<usize, Connection>,
    told: BTreeMap<usize, Vec<Seen>>,
    counters: Counters,
    /// How often each group of each hub has come to be: it goes with its last member, and what comes under its name
    /// later is another group.
    births: BTreeMap<(String, String), u64>,
    /// Those for whom it was one message too many.
    doomed: Vec<usize>,
    ambiguous: bool,
}

/// What the metrics should say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields are those of `Metrics`")]
pub struct Counters {
    pub refused: u64,
    pub stale_inputs: u64,
    pub messages_in: u64,
    pub messages_out: u64,
    pub messages_throttled: u64,
    pub deliveries: u64,
    pub calls: u64,
    /// All of them.
    pub closes: u64,
    pub drops: Drops,
    pub detached: u64,
    pub recovered: u64,
    pub recoveries_refused: u64,
}

/// What the model knows of a connection.
#[derive(Clone, Debug)]
pub(super) struct Connection {
    pub hub: String,
    pub id: String,
    /// Of two connections with one deadline the one with the lower index comes first.
    index: usize,
    token: String,
    pub protocol: Protocol,
    pub open: bool,
    pub user: Option<String>,
    /// In the order in which the engine goes through them: who leaves makes room for the last.
    pub groups: Vec<String>,
    rights: Rights,
    acks: VecDeque<u64>,
    next_event: u64,
    pub heard: Time,
    pub waiting: Option<Waiting>,
    pub state: Option<String>,
    pub subprotocol: Option<String>,
    target: Option<(String, bool)>,
    pub standing: Standing,
    /// The sequence id of the newest message, and what is not acknowledged.
    newest: u64,
    pub held: Vec<(u64, Message)>,
    pub backlog: Vec<Parked>,
    pub drops: Drops,
    invocations: Vec<Invocation>,
    streams: Vec<Stream>,
    states: BTreeMap<String, State>,
    subscribed: BTreeSet<String>,
    /// When its newest state was set or cleared.
    stated_at: u64,
}

/// A call that is out, and what waits behind it.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    number: u64,
    deadline: Time,
    on: On,
    pub queue: VecDeque<Said>,
}

#[derive(Clone, Debug)]
enum On {
    Connect(Opening),
    Event(Option<u64>),
}

impl Model {
    /// Makes a model of an engine without connections.
    pub fn new(setup: Setup, now: Time) -> Self {
        let hubs = ["first", "second"].map(|hub| (hub.to_owned(), Vec::new()));
        Self {
            setup,
            now,
            stopped: false,
            hubs: BTreeMap::from(hubs),
            connections: BTreeMap::new(),
            told: BTreeMap::new(),
            counters: Counters::default(),
            births: BTreeMap::new(),
            doomed: Vec::new(),
            ambiguous: false,
        }
    }

    /// Moves the clock, which never goes back.
    pub fn clock(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// Returns how many connections a hub has open.
    pub fn open_in(&self, hub: &str) -> u64 {
        self.members(hub, |_| true).len() as u64
    }

    /// Tells whether a connection is there, with an open handshake too.
    pub fn has(&self, number: usize) -> bool {
        self.connections.contains_key(&number)
    }

    /// Takes what each connection was told since the last time, in order.
    pub fn take_told(&mut self) -> BTreeMap<usize, Vec<Seen>> {
        core::mem::take(&mut self.told)
    }

    /// Returns the counters.
    pub fn counters(&self) -> Counters {
        self.counters
    }

    /// Tells whether several connections were to end at once, in an order that nobody promises, with others who see
    /// that order. What an engine does from then on cannot be compared.
    pub fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    pub(super) fn connection(&self, number: usize) -> Option<&Connection> {
        self.connections.get(&number)
    }

    fn is_first(hub: &str) -> bool {
        hub == "first"
    }

    /// Returns the open connections of a hub that are as asked, by number.
    fn members(&self, hub: &str, is: impl Fn(&Connection) -> bool) -> Vec<usize> {
        let open = self.connections.iter().filter(|(_, it)| it.open && it.hub == hub && is(it));
        open.map(|(&number, _)| number).collect()
    }

    fn at(&mut self, number: usize) -> &mut Connection {
        self.connections.get_mut(&number).expect("it is there")
    }

    fn tell(&mut self, number: usize, seen: Seen) {
        match seen {
            Seen::Message { .. } => self.counters.deliveries += 1,
            Seen::Call(_) => self.counters.calls += 1,
            Seen::Refuse(_) => self.counters.refused += 1,
            Seen::Accept { .. } | Seen::Close(_) | Seen::Cancel(_) => {}
        }
        self.told.entry(number).or_default().push(seen);
    }

    /// Counts a message against the quotas of a hub.
    fn charge(&mut self, hub: &str, recipients: usize, data: &Payload) {
        let size = length(data).div_ceil(2048).max(1);
        self.counters.messages_out += 1;
        let sent = self.hubs.get_mut(hub).expect("somebody sent there");
        sent.push((self.now, (recipients * size) as u64));
    }

    /// Tells which quota of a hub is used up.
    fn exhausted(&mut self, hub: &str) -> Option<Quota> {
        let within = |seconds: u64| {
            let same = |time: Time| time.as_secs() / seconds == self.now.as_secs() / seconds;
            let sent = self.hubs[hub].iter().filter(|(time, _)| same(*time));
            sent.map(|(_, messages)| messages).sum::<u64>()
        };
        let quota = if self.setup.per_day.is_some_and(|most| within(86_400) >= most) {
            Some(Quota::Day)
        } else if self.setup.per_second.is_some_and(|most| within(1) >= most) {
            Some(Quota::Second)
        } else {
            None
        };
        self.counters.messages_throttled += u64::from(quota.is_some());
        quota
    }
}

impl Connection {
    /// Tells whether the call with this number is out.
    pub(super) fn waits_for(&self, event: u64) -> bool {
        let waiting = self.waiting.as_ref().is_some_and(|waiting| waiting.number == event);
        waiting || self.invocations.iter().any(|each| each.number == event)
    }

    fn is_in(&self, group: &str) -> bool {
        self.groups.iter().any(|each| each == group)
    }
}

fn length(payload: &Payload) -> usize {
    payload.lend().len()
}

/// Counts names, each once.
fn distinct(names: &[String]) -> usize {
    names.iter().collect::<BTreeSet<_>>().len()
}

/// Tells whether a group may have this name; the pools have no long ones.
fn is_group(name: &str) -> bool {
    !name.trim().is_empty()
}

fn is_metadata(pairs: &Entries) -> bool {
    let keys: BTreeSet<_> = pairs.iter().map(|(key, _)| key).collect();
    let good = |text: &str| !text.is_empty() && !text.contains([' ', 'é']);
    keys.len() == pairs.len() && pairs.iter().all(|(key, value)| good(key) && value.is_ascii())
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}

/// Tells whether a handler takes an event with this name.
fn takes(handler: &Handler, name: &str) -> bool {
    let same = |each: &str| each.trim() == "*" || each.trim().eq_ignore_ascii_case(name);
    handler.events.split(',').any(same)
}
