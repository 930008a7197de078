//! What happened last, for the console: a bounded list, numbered so that a page asks only for what is new.

use std::collections::{BTreeMap, VecDeque};

use hubcast::rest::webhook::WebhookOutcome;
use hubcast::{Call, CallId, CloseCause, Event, Notify, Record, RecordKind, Time};
use serde::Serialize;

/// The most entries that are kept.
const ENTRIES: usize = 500;
/// The most characters of a text: names and reasons come from peers.
const CHARACTERS: usize = 200;

/// The newest entries, and the calls of the built-in handler that are under way.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    entries: VecDeque<Entry>,
    latest: u64,
    calls: BTreeMap<CallId, Entry>,
}

/// One thing that happened. It never has a token or the content of a message in it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Entry {
    /// The first one is 1.
    number: u64,
    /// Milliseconds since 1970.
    time: u64,
    kind: Kind,
    hub: String,
    connection: Option<String>,
    user: Option<String>,
    /// The operation as logs have it, or the name of an event.
    name: String,
    /// The URL of the handler, or the subprotocol of the connection.
    target: Option<String>,
    /// The HTTP status.
    status: Option<u16>,
    /// Milliseconds.
    duration: Option<u64>,
    has_failed: bool,
    /// Why it failed, or why a connection ended.
    reason: Option<String>,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Connection,
    Handler,
    Listener,
}

/// The entries that a page has not seen.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct News {
    /// The number of the newest entry.
    latest: u64,
    /// The oldest one comes first.
    entries: Vec<Entry>,
}

impl Activity {
    /// Returns the entries that came after the one with this number.
    pub(crate) fn after(&self, number: u64) -> News {
        let first = self.entries.partition_point(|entry| entry.number <= number);
        News { latest: self.latest, entries: self.entries.range(first..).cloned().collect() }
    }

    /// Notes what the engine reports of connections. Messages would crowd out everything else.
    pub(crate) fn record(&mut self, record: &Record<'_>, now: Time) {
        let mut entry = Entry::new(Kind::Connection, record.hub, record.kind.name(), now);
        entry.connection = record.connection_id.map(|id| id.as_str().to_owned());
        entry.user = record.user.map(cut);
        match &record.kind {
            RecordKind::Started { subprotocol } => entry.target = subprotocol.map(cut),
            RecordKind::Refused { status, reason } => {
                entry.status = Some(*status);
                entry.has_failed = true;
                entry.reason = Some(cut(reason));
            }
            RecordKind::Ended { cause, reason } => {
                entry.has_failed =
                    !matches!(cause, CloseCause::Normal | CloseCause::ClosedByAppServer);
                entry.reason = Some(cut(reason));
            }
            RecordKind::Unhandled { event } => {
                entry.target = Some(cut(event));
                entry.has_failed = true;
            }
            RecordKind::RecoveryRefused => entry.has_failed = true,
            RecordKind::Detached | RecordKind::Recovered => {}
            // Messages, and what later versions may add.
            _ => return,
        }
        self.push(entry);
    }

    /// Notes that a listener is told of an event.
    pub(crate) fn notified(&mut self, notify: &Notify<'_>, now: Time) {
        self.push(Entry::of_event(Kind::Listener, &notify.event, now));
    }

    /// Notes how a webhook did.
    pub(crate) fn webhook(&mut self, outcome: &WebhookOutcome, now: Time) {
        let mut entry = Entry::new(Kind::Handler, &outcome.hub, &outcome.event, now);
        entry.connection = Some(outcome.connection_id.as_str().to_owned());
        entry.target = Some(cut(&outcome.url));
        entry.duration = u64::try_from(outcome.duration.as_millis()).ok();
        match outcome.result {
            Ok(status) => {
                entry.status = Some(status);
                entry.has_failed = status >= 400;
            }
            Err(error) => {
                entry.has_failed = true;
                entry.reason = Some(error.to_string());
            }
        }
        self.push(entry);
    }

    /// Notes a call of the built-in handler.
    pub(crate) fn echo_called(&mut self, call: &Call<'_>, now: Time) {
        let mut entry = Entry::of_event(Kind::Handler, &call.event, now);
        entry.target = Some(call.handler.url.clone());
        match call.id {
            Some(id) => _ = self.calls.insert(id, entry),
            None => self.push(entry),
        }
    }

    /// Notes that the built-in handler answers a call.
    pub(crate) fn echo_answered(&mut self, call: CallId, has_failed: bool, now: Time) {
        let Some(mut entry) = self.calls.remove(&call) else { return };
        entry.duration = Some(now.as_millis().saturating_sub(entry.time));
        entry.time = now.as_millis();
        entry.has_failed = has_failed;
        entry.reason = has_failed.then(|| "the handler failed".to_owned());
        self.push(entry);
    }

    /// Forgets a call of the built-in handler that nobody waits for.
    pub(crate) fn echo_cancelled(&mut self, call: CallId) {
        self.calls.remove(&call);
    }

    fn push(&mut self, mut entry: Entry) {
        self.latest += 1;
        entry.number = self.latest;
        if self.entries.len() == ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }
}

impl Entry {
    fn new(kind: Kind, hub: &str, name: &str, now: Time) -> Self {
        Self {
            number: 0,
            time: now.as_millis(),
            kind,
            hub: cut(hub),
            connection: None,
            user: None,
            name: cut(name),
            target: None,
            status: None,
            duration: None,
            has_failed: false,
            reason: None,
        }
    }

    fn of_event(kind: Kind, event: &Event<'_>, now: Time) -> Self {
        Self {
            connection: Some(event.connection_id.as_str().to_owned()),
            user: event.user.map(cut),
            ..Self::new(kind, event.hub, event.kind.name(), now)
        }
    }
}

fn cut(text: &str) -> String {
    beginning(text, CHARACTERS)
}

/// Copies a text, or the beginning of a long one.
pub(crate) fn beginning(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
