//! Handlers behind HTTP that answer anything, at any time, or never: no more than the limits allow is under way, every
//! event ends, once, within its time, and the notifications of a connection begin in order: those of each handler where
//! handlers are validated late, or else all of them.

mod step;

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use http::{Method, Request, Response};
use hubcast::rest::webhook::{
    RequestId, WebhookAction, WebhookLimits, WebhookOutcome, WebhookSettings, Webhooks,
};
use hubcast::token::{AccessKey, AccessKeys};
use hubcast::{
    Action, CallId, Certificate, Closed, Config, ConnectionId, ConnectionKey, Engine, EventHandler,
    EventPattern, HubConfig, Incoming, Limits, Open, Protocol, SystemEvents, Time,
};

use self::step::Step;

/// The most steps of one run: enough for everything that can happen, few enough to stay fast.
const STEPS_MAX: usize = 200;
const START: Time = Time::from_secs(1_790_000_000);

const CALLS: usize = 5;
const HANDLERS: usize = 2;
const TIMEOUT: Duration = Duration::from_secs(100);
const WAIT: Duration = Duration::from_millis(500);

/// Reads steps from the bytes and carries them out.
pub fn run(data: &[u8]) {
    let mut data = Unstructured::new(data);
    let Ok(choice) = u8::arbitrary(&mut data) else { return };
    let mut host = Host::new(choice);
    for _ in 0..STEPS_MAX {
        if data.is_empty() {
            break;
        }
        let Ok(step) = Step::arbitrary(&mut data) else { break };
        host.take(&step);
    }
    host.finish();
}

struct Host {
    engine: Engine,
    webhooks: Webhooks,
    now: Time,
    /// Whether validations succeed at once, so that the responses are for events.
    is_trusting: bool,
    /// What the handlers get as the token of the service.
    bearer: Option<&'static str>,
    connections: Vec<ConnectionKey>,
    ids: Vec<ConnectionId>,
    /// Every request that ever went out.
    requests: Vec<RequestId>,
    /// Those that nobody waits for any more.
    aborted: BTreeSet<RequestId>,
    /// Every call that somebody waited for.
    calls: BTreeSet<CallId>,
    finished: BTreeSet<CallId>,
    cancelled: BTreeSet<CallId>,
    notifications: BTreeMap<ConnectionId, Notifications>,
}

/// What went out for a connection.
#[derive(Default)]
struct Notifications {
    /// How often, by the number of the event.
    attempts: BTreeMap<u64, u8>,
    /// Of which handler they were, for those that keep their order among those of one handler only.
    handlers: BTreeMap<u64, String>,
    /// When the last of them began, and of which handler it was.
    began: Option<(Time, String)>,
    /// How many are over of those that began.
    over: usize,
}

impl Host {
    fn new(choice: u8) -> Self {
        let limits = WebhookLimits {
            calls: CALLS,
            bytes: 16 * 1024,
            notifications: 3,
            notification_wait: WAIT,
            timeout: TIMEOUT,
            handlers: HANDLERS,
            cookie_bytes: 1_000,
            ..WebhookLimits::default()
        };
        let key = AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH").expect("a key");
        let keys = AccessKeys::from(key);
        let settings = WebhookSettings { keys, origin: "hub.example".into(), limits };
        Self {
            engine: Engine::new(config(choice)).expect("the configuration is fine"),
            webhooks: Webhooks::new(settings).expect("the settings are fine"),
            now: START,
            is_trusting: choice & 1 != 0,
            bearer: (choice & 16 != 0).then_some("bearer"),
            connections: Vec::new(),
            ids: Vec::new(),
            requests: Vec::new(),
            aborted: BTreeSet::new(),
            calls: BTreeSet::new(),
            finished: BTreeSet::new(),
            cancelled: BTreeSet::new(),
            notifications: BTreeMap::new(),
        }
    }

    fn take(&mut self, step: &Step<'_>) {
        match step {
            Step::Open => self.open(),
            Step::Event { of, name, text } => {
                let kind = ["text", "json", "binary"][usize::from(name / 8 % 3)];
                let metadata = if *name < 128 { "{}" } else { r#"{"k":"v","K":"w"}"# };
                let name = NAMES[usize::from(*name) % NAMES.len()];
                let data: String = text.chars().filter(char::is_ascii_alphanumeric).collect();
                let event = format!(
                    r#"{{"type":"event","event":"{name}","dataType":"{kind}","data":"{data}","metadata":{metadata}}}"#
                );
                self.hear(*of, &event);
            }
            Step::Invoke { of, name } => {
                let name = NAMES[usize::from(*name) % NAMES.len()];
                let invoke = format!(
                    r#"{{"type":"invoke","invocationId":"1","target":"event","event":"{name}","data":1}}"#
                );
                self.hear(*of, &invoke);
            }
            Step::CancelInvocation(of) => {
                self.hear(*of, r#"{"type":"cancelInvocation","invocationId":"1"}"#);
            }
            Step::Join(of, group) => {
                self.hear(*of, &format!(r#"{{"type":"joinGroup","group":"{}"}}"#, group % 8));
            }
            Step::Leave(of, group) => {
                self.hear(*of, &format!(r#"{{"type":"leaveGroup","group":"{}"}}"#, group % 8));
            }
            Step::Close(of) => {
                if let Some(&key) = pick(&self.connections, *of) {
                    self.engine.close(key, Closed::Lost, self.now);
                }
            }
            Step::Respond(to, reply) => {
                if let Some(&id) = pick(&self.requests, *to) {
                    self.webhooks.respond(id, &reply.response(), self.now);
                }
            }
            Step::Fail(to, failure) => {
                if let Some(&id) = pick(&self.requests, *to) {
                    self.webhooks.fail(id, failure.failure(), self.now);
                }
            }
            Step::Cancel(place) => {
                let calls: Vec<CallId> = self.calls.iter().copied().collect();
                if let Some(&call) = pick(&calls, *place) {
                    self.cancel(call);
                }
            }
            Step::Forget(of) => {
                if let Some(&id) = pick(&self.ids, *of) {
                    self.webhooks.forget(id);
                }
            }
            Step::Pass(millis) => self.pass(Duration::from_millis(u64::from(*millis))),
            Step::PassLong(seconds) => self.pass(Duration::from_secs(u64::from(*seconds))),
            Step::Wait => {
                let due = self.webhooks.next_deadline();
                self.pass(due.map_or(Duration::ZERO, |due| due.since(self.now)));
            }
            Step::Oversleep(millis) => {
                self.now = self.now + Duration::from_millis(u64::from(*millis) * 4);
            }
        }
        self.carry_out();
        let pending = self.webhooks.pending();
        assert!(pending <= CALLS * HANDLERS, "no more is under way than the limits allow");
        let due = self.webhooks.next_deadline().map(|due| due.since(self.now));
        assert!(pending == 0 || due.is_some_and(|due| due <= TIMEOUT), "nothing waits for ever");
    }

    fn open(&mut self) {
        let entropy = [self.connections.len() as u8; 32];
        let mut open = Open {
            hub: "chat",
            protocol: Protocol::Json,
            roles: &["webpubsub.joinLeaveGroup"],
            entropy,
            ..Open::default()
        };
        // Every other one has more to say.
        if self.connections.len() % 2 == 1 {
            open.user = Some("ann");
            open.subprotocols = &["json.webpubsub.azure.v1", "other"];
            open.claims = &[("sub", "ann"), ("role", "r"), ("role", "s")];
            open.query = &[("q", "1"), ("Q", "2"), ("access_token", "t")];
            open.headers = &[("X-A", "1"), ("x-a", "\"2\""), ("Authorization", "b")];
            open.certificates = &CERTIFICATES;
        }
        self.connections.push(self.engine.open(open, self.now));
    }

    fn hear(&mut self, of: u8, text: &str) {
        if let Some(&key) = pick(&self.connections, of) {
            self.engine.receive(key, Incoming::Text(text), self.now);
        }
    }

    fn pass(&mut self, duration: Duration) {
        self.now = self.now + duration;
        self.engine.advance(self.now);
        self.webhooks.advance(self.now);
        let due = self.webhooks.next_deadline();
        assert!(due.is_none_or(|due| due > self.now), "what is due has been done");
    }

    fn carry_out(&mut self) {
        loop {
            if let Some(action) = self.engine.poll_action() {
                match action {
                    Action::Call(call) => {
                        let (id, connection) = (call.id, call.event.connection_id);
                        self.webhooks.call(&call, [1; 16], self.bearer, self.now);
                        if let Some(id) = id {
                            assert!(self.calls.insert(id), "each call has a name of its own");
                        }
                        if !self.ids.contains(&connection) {
                            self.ids.push(connection);
                        }
                    }
                    Action::Cancel(call) => self.cancel(call),
                    _ => {}
                }
            } else if let Some(action) = self.webhooks.poll_action() {
                match action {
                    WebhookAction::Send(send) => {
                        assert!(send.deadline > self.now, "there is time for a response");
                        self.send(send.id, &send.request);
                    }
                    WebhookAction::Abort(id) => {
                        assert!(self.requests.contains(&id), "it went out");
                        assert!(self.aborted.insert(id), "it is aborted once");
                    }
                    WebhookAction::Finish(outcome) => self.end(&outcome),
                    _ => {}
                }
            } else {
                return;
            }
        }
    }

    fn cancel(&mut self, call: CallId) {
        self.webhooks.cancel(call, self.now);
        self.cancelled.insert(call);
    }

    fn send(&mut self, id: RequestId, request: &Request<Bytes>) {
        assert!(!self.requests.contains(&id), "each attempt has a name of its own");
        self.requests.push(id);
        if request.method() != Method::POST {
            if self.is_trusting {
                let response = Response::builder().header("webhook-allowed-origin", "*");
                let response = response.body(Bytes::new()).expect("a response");
                self.webhooks.respond(id, &response, self.now);
            }
            return;
        }
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let kind = header("ce-type").expect("events have a type");
        if !kind.starts_with("azure.webpubsub.sys.") || kind.ends_with(".connect") {
            return;
        }
        let number = header("ce-id").and_then(|id| id.parse().ok()).expect("events count");
        let id = header("ce-connectionid").expect("events have a connection");
        let id = self.ids.iter().find(|each| each.as_str() == id).expect("it was there");
        let handler = request.uri().host().expect("handlers have a host");
        // Notifications of other handlers overtake one whose handler is validated for too long.
        let of = if self.is_trusting { "any" } else { handler };
        self.notifications.entry(*id).or_default().send(number, of, self.now);
    }

    fn end(&mut self, outcome: &WebhookOutcome) {
        assert!(outcome.attempts <= 4, "there are three more tries");
        match &outcome.answer {
            Some((call, answer)) => {
                assert!(self.calls.contains(call), "it was made");
                assert!(self.finished.insert(*call), "each call ends once");
                answer.with_answer(|answer| self.engine.answer(*call, answer, self.now));
            }
            None if outcome.attempts > 0 => {
                self.notifications.entry(outcome.connection_id).or_default().over += 1;
            }
            None => {}
        }
    }

    /// Lets time pass until everything is over.
    fn finish(mut self) {
        // Each event has three more tries, and a handler two validations; notifications begin one by one.
        for _ in 0..CALLS * HANDLERS * 8 {
            let Some(due) = self.webhooks.next_deadline() else { break };
            self.pass(due.since(self.now));
            self.carry_out();
        }
        assert_eq!(self.webhooks.next_deadline(), None, "nothing is left to wait for");
        assert_eq!(self.webhooks.pending(), 0, "every event ends");
        let ended = |call| self.finished.contains(call) || self.cancelled.contains(call);
        assert!(self.calls.iter().all(ended), "every call ends");
        let metrics = self.webhooks.metrics();
        assert_eq!(metrics.answered + metrics.failed, metrics.calls, "every event is counted");
    }
}

impl Notifications {
    /// Takes note of one that goes out.
    fn send(&mut self, number: u64, handler: &str, now: Time) {
        let begun = self.attempts.len();
        let attempts = self.attempts.entry(number).or_default();
        *attempts += 1;
        assert!(*attempts <= 4, "there are three more tries");
        if *attempts > 1 {
            return;
        }
        let mut later = self.handlers.range(number..);
        assert!(later.all(|(_, of)| of != handler), "they begin in order");
        self.handlers.insert(number, handler.to_owned());
        let before = self.began.as_ref().filter(|(_, of)| of == handler);
        let is_early = before.is_some_and(|(began, _)| now.since(*began) < WAIT);
        assert!(!is_early || self.over > 0 || begun == 0, "each waits for the one before");
        self.began = Some((now, handler.to_owned()));
    }
}

const CERTIFICATES: [Certificate<'_>; 2] = [
    Certificate { thumbprint: "t", content: "c" },
    Certificate { thumbprint: "\"", content: "\n" },
];

/// The names of events: for three handlers, and for none.
const NAMES: [&str; 5] = ["a", "b", "c", "bad", "connected"];

fn config(choice: u8) -> Config {
    let mut config = Config::new(u64::from(choice));
    config.limits = Limits {
        call_timeout: if choice & 2 != 0 {
            Duration::from_secs(7)
        } else {
            Duration::from_secs(300)
        },
        ..Limits::default()
    };
    let handler = |url: &str, user_events, system_events| EventHandler {
        url: url.into(),
        user_events: EventPattern::parse(user_events),
        system_events,
    };
    let (all, none) = (SystemEvents::ALL, SystemEvents::NONE);
    let ends = SystemEvents { disconnected: choice & 4 != 0, ..none };
    let handlers = vec![
        handler("http://b/{hub}?{event}", "b", ends),
        handler(
            "https://a/{event}?code=s3cret",
            "a, connected",
            SystemEvents { connect: choice & 8 != 0, ..all },
        ),
        handler("http://c/", "c", none),
        handler("http://d/{bad}", "bad", none),
    ];
    let hub = HubConfig { handlers, allow_anonymous: true, ..HubConfig::default() };
    config.hubs = vec![("chat".into(), hub)];
    config
}

/// Picks one, the last ones first.
fn pick<T>(from: &[T], place: u8) -> Option<&T> {
    let place = usize::from(place).checked_rem(from.len())?;
    from.iter().rev().nth(place)
}
