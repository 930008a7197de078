//! What the HTTP edge costs: the request for an event, and a whole event through the webhooks. The row `floor` is the
//! signature alone, which no request can do without.

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, criterion_group, criterion_main};
use http::Response;
use hubcast::rest::webhook::{
    CallRequest, RequestId, WebhookAction, WebhookLimits, WebhookSettings, Webhooks,
};
use hubcast::token::{AccessKey, AccessKeys};
use hubcast::{
    Action, Call, Config, ConnectionKey, Engine, EventHandler, EventPattern, HubConfig, Incoming,
    Open, Protocol, SystemEvents, Time,
};

const NOW: Time = Time::from_secs(1_790_000_000);

/// An event with 128 bytes of JSON.
const EVENT: &str = concat!(
    r#"{"type":"event","event":"move","data":"#,
    r#"{"kind":"position","player":"alice","x":1024.25,"y":-512.75,"z":64.5,"heading":270,"#,
    r#""speed":12.5,"zone":"harbour","tick":1234567}}"#
);

fn webhook(criterion: &mut Criterion) {
    let key = AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH").unwrap();
    let keys = AccessKeys::from(key);
    let (mut engine, alice) = engine();
    let mut group = criterion.benchmark_group("webhook");

    let id = "00000000010101010101010101010101";
    group.bench_function("floor", |bencher| bencher.iter(|| keys.signature(black_box(id))));

    engine.receive(alice, Incoming::Text(EVENT), NOW);
    with_call(&mut engine, |call| {
        let origin = "hub.example";
        let (request_id, bearer, cookie) = ([9; 16], None, None);
        let request = CallRequest { call, keys: &keys, origin, request_id, bearer, cookie };
        group.bench_function("request", |bencher| {
            bencher.iter(|| black_box(request).build(NOW).expect("it can be sent"));
        });
    });

    let (origin, limits) = ("hub.example".into(), WebhookLimits::default());
    let settings = WebhookSettings { keys: keys.clone(), origin, limits };
    let mut webhooks = Webhooks::new(settings).unwrap();
    let (mut engine, alice) = self::engine();
    engine.receive(alice, Incoming::Text(EVENT), NOW);
    with_call(&mut engine, |call| {
        let mut turn = || {
            webhooks.call(call, [9; 16], None, NOW);
            while let Some(action) = webhooks.poll_action() {
                if let WebhookAction::Send(send) = action {
                    respond(&mut webhooks, send.id, send.request.method() == "OPTIONS");
                }
            }
        };
        turn();
        group.bench_function("call to answer", |bencher| bencher.iter(&mut turn));
    });
    assert_eq!((webhooks.pending(), webhooks.metrics().failed), (0, 0));
}

fn respond(webhooks: &mut Webhooks, to: RequestId, is_validation: bool) {
    let allowed = Response::builder().header("webhook-allowed-origin", "*");
    let response = if is_validation { allowed } else { Response::builder().status(204) };
    webhooks.respond(to, &response.body(Bytes::new()).unwrap(), NOW);
}

fn engine() -> (Engine, ConnectionKey) {
    let mut config = Config::new(7);
    let handler = EventHandler {
        url: "https://shop.example/hooks/{hub}/{event}?code=0123456789abcdef".into(),
        user_events: EventPattern::parse("*"),
        system_events: SystemEvents::NONE,
    };
    let settings = HubConfig { handlers: vec![handler], ..HubConfig::default() };
    config.hubs.push(("chat".into(), settings));
    let mut engine = Engine::new(config).unwrap();
    let open = Open {
        hub: "chat",
        user: Some("alice"),
        protocol: Protocol::Json,
        entropy: [1; 32],
        ..Open::default()
    };
    let alice = engine.open(open, NOW);
    while engine.poll_action().is_some() {}
    (engine, alice)
}

/// Lends the call that waits in an engine.
fn with_call(engine: &mut Engine, mut with: impl FnMut(&Call<'_>)) {
    let Some(Action::Call(call)) = engine.poll_action() else { panic!("there is no call") };
    with(&call);
}

criterion_group!(benches, webhook);
criterion_main!(benches);
