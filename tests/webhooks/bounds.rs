//! What a handler may answer is without end: nothing of it does harm.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use hubcast::rest::webhook::{
    CookieJar, HandlerAnswer, RequestId, SendFailure, WebhookAction, WebhookLimits,
    WebhookSettings, Webhooks,
};
use hubcast::token::{AccessKey, AccessKeys};
use hubcast::{
    Action, Closed, Config, ConnectionKey, Engine, EventHandler, HubConfig, Incoming, Open,
    Protocol, Time,
};
use proptest::collection::vec;
use proptest::prelude::*;

const START: Time = Time::from_secs(1_790_000_000);
const CALLS: usize = 20;

/// Something that happens.
#[derive(Clone, Debug)]
enum Happening {
    Open,
    Event(usize),
    Join(usize, u8),
    Close(usize),
    Respond(usize, Response<Bytes>),
    Fail(usize, SendFailure),
    Pass(u64),
}

/// An engine, its webhooks, and the requests that are out.
struct World {
    engine: Engine,
    webhooks: Webhooks,
    now: Time,
    peers: Vec<ConnectionKey>,
    out: Vec<RequestId>,
    /// Whether handlers allow events at once, so that these are what the responses are for.
    allowed: bool,
    finished: u64,
    /// How often which notification of which connection went out.
    notified: BTreeMap<String, BTreeMap<u64, u8>>,
}

impl World {
    fn new(allowed: bool) -> Self {
        let mut config = Config::new(7);
        let handlers = vec![EventHandler::all("http://h/{event}")];
        config.hubs.push(("chat".into(), HubConfig { handlers, ..HubConfig::default() }));
        let key = AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH").unwrap();
        let settings = WebhookSettings {
            keys: AccessKeys::from(key),
            origin: "hub.example".into(),
            limits: WebhookLimits { calls: CALLS, notifications: 3, ..WebhookLimits::default() },
        };
        Self {
            engine: Engine::new(config).unwrap(),
            webhooks: Webhooks::new(settings).unwrap(),
            now: START,
            peers: Vec::new(),
            out: Vec::new(),
            allowed,
            finished: 0,
            notified: BTreeMap::new(),
        }
    }

    fn take_in(&mut self, happening: Happening) {
        let now = self.now;
        match happening {
            Happening::Open => {
                let entropy = [self.peers.len() as u8; 32];
                let roles = &["webpubsub.joinLeaveGroup"];
                let open = Open {
                    hub: "chat",
                    protocol: Protocol::Json,
                    roles,
                    entropy,
                    ..Open::default()
                };
                self.peers.push(self.engine.open(open, now));
            }
            Happening::Event(at) => {
                self.hear(at, r#"{"type":"event","event":"e","data":1,"ackId":1}"#);
            }
            Happening::Join(at, group) => {
                self.hear(at, &format!(r#"{{"type":"joinGroup","group":"g{group}"}}"#));
            }
            Happening::Close(at) => {
                if let Some(&key) = self.peers.get(at) {
                    self.engine.close(key, Closed::Lost, now);
                }
            }
            Happening::Respond(at, response) => {
                if let Some(&id) = self.out.get(at) {
                    self.webhooks.respond(id, &response, now);
                }
            }
            Happening::Fail(at, failure) => {
                if let Some(&id) = self.out.get(at) {
                    self.webhooks.fail(id, failure, now);
                }
            }
            Happening::Pass(millis) => {
                self.now = now + Duration::from_millis(millis);
                self.engine.advance(self.now);
                self.webhooks.advance(self.now);
            }
        }
        self.carry_out();
    }

    fn hear(&mut self, at: usize, text: &str) {
        if let Some(&key) = self.peers.get(at) {
            self.engine.receive(key, Incoming::Text(text), self.now);
        }
    }

    fn carry_out(&mut self) {
        loop {
            match self.engine.poll_action() {
                Some(Action::Call(call)) => self.webhooks.call(&call, [1; 16], None, self.now),
                Some(Action::Cancel(call)) => self.webhooks.cancel(call, self.now),
                Some(_) => {}
                None => match self.webhooks.poll_action() {
                    Some(WebhookAction::Send(send)) => {
                        assert!(send.deadline > self.now, "there is time for a response");
                        self.check_order(&send.request);
                        if self.allowed && send.request.method() == "OPTIONS" {
                            let response =
                                Response::builder().header("webhook-allowed-origin", "*");
                            let response = response.body(Bytes::new()).unwrap();
                            self.webhooks.respond(send.id, &response, self.now);
                        } else {
                            self.out.push(send.id);
                        }
                    }
                    Some(WebhookAction::Finish(outcome)) => {
                        self.finished += 1;
                        if let Some((call, answer)) = outcome.answer {
                            answer.with_answer(|it| self.engine.answer(call, it, self.now));
                        }
                    }
                    Some(_) => {}
                    None => break,
                },
            }
        }
        assert!(self.webhooks.pending() <= CALLS);
        self.webhooks.advance(self.now);
        assert!(self.webhooks.next_deadline().is_none_or(|due| due > self.now));
    }

    /// Checks that the notifications of a connection begin in order; each may go out again later.
    fn check_order(&mut self, request: &Request<Bytes>) {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let (Some(connection), Some(event)) = (header("ce-connectionid"), header("ce-eventname"))
        else {
            return;
        };
        if !["connected", "joined", "left", "disconnected"].contains(&event) {
            return;
        }
        let number: u64 = header("ce-id").and_then(|id| id.parse().ok()).expect("events count");
        let begun = self.notified.entry(connection.into()).or_default();
        let is_first = !begun.contains_key(&number);
        assert!(!is_first || begun.keys().all(|earlier| *earlier < number), "they begin in order");
        let attempts = begun.entry(number).or_default();
        *attempts += 1;
        assert!(*attempts <= 4, "there are three more tries");
    }
}

fn response() -> impl Strategy<Value = Response<Bytes>> {
    let status = prop_oneof![
        4 => Just(200_u16),
        1 => Just(204),
        1 => prop::sample::select(vec![302_u16, 400, 404, 408, 429, 500, 503]),
        1 => 200_u16..1000,
    ];
    let name = prop::sample::select(vec![
        "webhook-allowed-origin",
        "content-type",
        "ce-connectionstate",
        "set-cookie",
        "x-webpubsub-metadata-",
        "x-webpubsub-metadata-k",
        "location",
    ]);
    let value = prop_oneof![
        prop::sample::select(vec![
            "*",
            "",
            ",",
            "hub.example:80, x",
            "text/plain",
            "application/json",
            "application/x-protobuf; x",
            "a=b; Max-Age=1",
            "a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Domain=h",
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        vec(32_u8..127, 0..20),
        vec(128_u8..=255, 0..4),
    ];
    (status, vec((name, value), 0..4), body()).prop_map(|(status, headers, body)| {
        let mut response = Response::new(Bytes::from(body));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        for (name, value) in headers {
            response.headers_mut().append(name, HeaderValue::from_bytes(&value).unwrap());
        }
        response
    })
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        Just(Vec::new()),
        prop::sample::select(vec![
            "{}",
            "null",
            r#"{"userId":"u","groups":["g"],"roles":[]}"#,
            r#"{"groups":[null]}"#,
            r#"{"groups":[" "]}"#,
            r#"{"subprotocol":"x"}"#,
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
        "[{}\\[\\]\",:a-z\\\\]{0,30}".prop_map(String::into_bytes),
        vec(any::<u8>(), 0..30),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    let failure = prop::sample::select(vec![
        SendFailure::Network,
        SendFailure::Timeout,
        SendFailure::BodyTooLarge,
    ]);
    prop_oneof![
        2 => Just(Happening::Open),
        3 => (0_usize..8).prop_map(Happening::Event),
        2 => (0_usize..8, 0_u8..9).prop_map(|(at, group)| Happening::Join(at, group)),
        1 => (0_usize..8).prop_map(Happening::Close),
        8 => (0_usize..60, response()).prop_map(|(at, it)| Happening::Respond(at, it)),
        1 => (0_usize..60, failure).prop_map(|(at, it)| Happening::Fail(at, it)),
        2 => prop_oneof![0_u64..2_000, 0_u64..200_000].prop_map(Happening::Pass),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever handlers answer, whenever and how often: every event ends once, within its time.
    #[test]
    fn every_event_ends(happenings in vec(happening(), 0..80), allowed in any::<bool>()) {
        let mut world = World::new(allowed);
        for happening in happenings {
            world.take_in(happening);
        }
        // In each pass a notification of every connection begins at least.
        for _ in 0..40 {
            world.take_in(Happening::Pass(100_000));
        }
        prop_assert_eq!(world.webhooks.pending(), 0);
        prop_assert_eq!(world.webhooks.next_deadline(), None);
        let metrics = world.webhooks.metrics();
        prop_assert_eq!(metrics.answered + metrics.failed, metrics.calls);
        prop_assert!(world.finished <= metrics.calls);
    }

    /// Reading a response never panics, and what is read fits into what was sent.
    #[test]
    fn responses_are_read(response in response()) {
        let url = http::Uri::from_static("http://h/a");
        let mut jar = CookieJar::default();
        jar.store(&url, response.headers(), START);
        let _ = jar.header(&url, START);
        if let Ok(answer) = HandlerAnswer::of_connect(&response) {
            answer.with_answer(|_| ());
        }
        let length = response.body().len();
        if let Ok(answer) = HandlerAnswer::of_event(&response) {
            answer.with_answer(|answer| {
                if let hubcast::Answer::Reply(reply) = answer {
                    assert!(reply.data.is_none_or(|data| data.len() == length));
                }
            });
        }
    }
}
