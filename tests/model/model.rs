//! The semantics, written down as plainly as can be: maps, sets, lists, and a scan wherever one will do.

mod call;
pub(crate) mod command;
mod open;
mod request;
mod rights;
mod time;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use hubcast::Time;

use self::rights::Rights;
use crate::operation::{Opening, Payload, Setup};
use crate::wire::{self, Seen};

/// The limits of every hub; those of a [`Setup`] come on top.
pub(crate) const MESSAGE_BYTES: usize = 200;
pub(crate) const CONNECTIONS: usize = 5;
pub(crate) const GROUPS: usize = 3;
pub(crate) const ACK_CACHE: usize = 3;
pub(crate) const QUEUED_MESSAGES: usize = 3;
pub(crate) const QUEUED_BYTES: usize = 300;
pub(crate) const PATTERNS: usize = 2;
pub(crate) const LITERALS: usize = 2;
pub(crate) const CALL: Duration = Duration::from_secs(5);
pub(crate) const HUBS: usize = 3;

pub(crate) struct Model {
    setup: Setup,
    now: Time,
    stopped: bool,
    /// The hubs that there are, in lower case, with what was sent: when, and how many messages it counts.
    hubs: BTreeMap<String, Vec<(Time, u64)>>,
    /// The connections that are not gone, by number.
    pub connections: BTreeMap<usize, Connection>,
    /// What each connection was told since the last comparison, by number.
    pub told: BTreeMap<usize, Vec<Seen>>,
    pub counters: Counters,
}

/// What the metrics should say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub refused: u64,
    pub stale_inputs: u64,
    pub messages_in: u64,
    pub messages_out: u64,
    pub messages_throttled: u64,
    pub deliveries: u64,
    pub calls: u64,
    pub closes: u64,
}

pub(crate) struct Connection {
    pub hub: String,
    pub id: String,
    /// Of two connections with one deadline the one with the lower index comes first.
    index: usize,
    json: bool,
    pub open: bool,
    pub user: Option<String>,
    pub groups: BTreeSet<String>,
    rights: Rights,
    acks: VecDeque<u64>,
    next_event: u64,
    pub heard: Time,
    pub waiting: Option<Waiting>,
    pub state: Option<String>,
    pub subprotocol: Option<String>,
    target: Option<(String, bool)>,
}

/// A call that is out, and what waits behind it.
pub(crate) struct Waiting {
    number: u64,
    deadline: Time,
    on: On,
    pub queue: VecDeque<crate::operation::Message>,
}

enum On {
    Connect(Opening),
    Event(Option<u64>),
}

impl Connection {
    /// Tells whether the call with this number is out.
    pub(crate) fn waits_for(&self, event: u64) -> bool {
        self.waiting.as_ref().is_some_and(|waiting| waiting.number == event)
    }
}

impl Model {
    pub(crate) fn new(setup: Setup, now: Time) -> Self {
        let hubs = ["first", "second"].map(|hub| (hub.to_owned(), Vec::new()));
        Self {
            setup,
            now,
            stopped: false,
            hubs: BTreeMap::from(hubs),
            connections: BTreeMap::new(),
            told: BTreeMap::new(),
            counters: Counters::default(),
        }
    }

    /// Moves the clock, which never goes back.
    pub(crate) fn clock(&mut self, now: Time) {
        self.now = self.now.max(now);
    }

    /// Returns how many connections a hub has open.
    pub(crate) fn open_in(&self, hub: &str) -> u64 {
        self.members(hub, |_| true).len() as u64
    }

    /// The transport of a connection ended.
    pub(crate) fn leave(&mut self, number: usize) {
        if self.connections.contains_key(&number) {
            self.end(number);
        } else {
            self.counters.stale_inputs += 1;
        }
    }

    pub(crate) fn stop(&mut self) {
        self.stopped = true;
        for number in self.connections.keys().copied().collect::<Vec<_>>() {
            if self.connections[&number].open {
                self.farewell(number);
                self.close(number, 1001);
            } else {
                self.refuse(number, 503);
            }
        }
    }

    fn is_first(hub: &str) -> bool {
        hub == "first"
    }

    /// Returns the open connections of a hub that are as asked, by number.
    fn members(&self, hub: &str, is: impl Fn(&Connection) -> bool) -> Vec<usize> {
        let open = self.connections.iter().filter(|(_, it)| it.open && it.hub == hub && is(it));
        open.map(|(&number, _)| number).collect()
    }

    fn tell(&mut self, number: usize, seen: Seen) {
        match seen {
            Seen::Text(..) | Seen::Binary(..) | Seen::Ack(..) | Seen::Farewell => {
                self.counters.deliveries += 1;
            }
            Seen::Call(_) => self.counters.calls += 1,
            Seen::Refuse(_) => self.counters.refused += 1,
            Seen::Accept { .. } | Seen::Close(_) => {}
        }
        self.told.entry(number).or_default().push(seen);
    }

    /// Sends a message to one connection in the format that it speaks.
    fn send(&mut self, number: usize, json: &str, data: &Payload, expires: Option<Time>) {
        let seen = match data {
            _ if self.connections[&number].json => Seen::Text(json.to_owned(), expires),
            Payload::Text(text) | Payload::Json(text) => Seen::Text(text.clone(), expires),
            Payload::Binary(bytes) => Seen::Binary(bytes.clone(), expires),
        };
        self.tell(number, seen);
    }

    /// Tells a JSON client that it will be closed.
    fn farewell(&mut self, number: usize) {
        if self.connections[&number].json {
            self.tell(number, Seen::Farewell);
        }
    }

    fn refuse(&mut self, number: usize, status: u16) {
        self.connections.remove(&number);
        self.tell(number, Seen::Refuse(status));
    }

    fn close(&mut self, number: usize, code: u16) {
        self.tell(number, Seen::Close(code));
        self.end(number);
    }

    /// Forgets a connection and tells its handler, if it was open.
    fn end(&mut self, number: usize) {
        if self.connections[&number].open {
            self.counters.closes += 1;
            self.notify(number, "disconnected", |handler| handler.disconnected);
        }
        self.connections.remove(&number);
    }

    /// Counts a message against the quotas of a hub.
    pub(super) fn charge(&mut self, hub: &str, recipients: usize, data: &Payload) {
        let size = data.len().div_ceil(2048).max(1);
        self.counters.messages_out += 1;
        let sent = self.hubs.get_mut(hub).expect("somebody sent there");
        sent.push((self.now, (recipients * size) as u64));
    }

    /// Tells which quota of a hub is used up.
    fn exhausted(&mut self, hub: &str) -> Option<hubcast::Quota> {
        let within = |seconds: u64| {
            let same = |time: Time| time.as_secs() / seconds == self.now.as_secs() / seconds;
            let sent = self.hubs[hub].iter().filter(|(time, _)| same(*time));
            sent.map(|(_, messages)| messages).sum::<u64>()
        };
        let quota = if self.setup.per_day.is_some_and(|most| within(86_400) >= most) {
            Some(hubcast::Quota::Day)
        } else if self.setup.per_second.is_some_and(|most| within(1) >= most) {
            Some(hubcast::Quota::Second)
        } else {
            None
        };
        self.counters.messages_throttled += u64::from(quota.is_some());
        quota
    }

    fn expiry(&self, ttl: u32) -> Option<Time> {
        (ttl > 0).then(|| self.now + Duration::from_secs(u64::from(ttl)))
    }
}

/// Counts names, each once.
fn distinct(names: &[String]) -> usize {
    names.iter().collect::<BTreeSet<_>>().len()
}

/// Tells whether a group may have this name; the pools have no long ones.
fn is_group(name: &str) -> bool {
    !name.trim().is_empty()
}

fn is_metadata(pairs: &[(String, String)]) -> bool {
    let keys: BTreeSet<_> = pairs.iter().map(|(key, _)| key).collect();
    let good = |text: &str| !text.is_empty() && !text.contains([' ', 'é']);
    keys.len() == pairs.len() && pairs.iter().all(|(key, value)| good(key) && value.is_ascii())
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(text).is_ok()
}
