//! What may be printed, and what may be set.

use std::fmt::Write as _;

use bytes::Bytes;
use http::{Response, Uri};
use hubcast::rest::webhook::{
    CallRequest, CookieJar, HandlerAnswer, WebhookAction, WebhookLimits, WebhookSettings,
    WebhookSettingsError, Webhooks,
};
use hubcast::token::{AccessKey, AccessKeys};
use hubcast::{Action, Config, Engine, EventHandler, HubConfig, Open, Time};

const NOW: Time = Time::from_secs(1_790_000_000);

fn settings(origin: &str, limits: WebhookLimits) -> WebhookSettings {
    let key = AccessKey::new("a-secret-key-a-secret-key-a-secret-key").unwrap();
    WebhookSettings { keys: AccessKeys::from(key), origin: origin.into(), limits }
}

/// Keys, tokens, cookies, bodies, and the query of a handler's URL never get into a log through `Debug`.
#[test]
fn nothing_secret_is_printed() {
    let mut config = Config::new(7);
    let handlers = vec![EventHandler::all("http://h/{event}?code=secret")];
    config.hubs.push(("chat".into(), HubConfig { handlers, ..HubConfig::default() }));
    let mut engine = Engine::new(config).unwrap();
    let settings = settings("hub.example", WebhookLimits::default());
    let mut webhooks = Webhooks::new(settings.clone()).unwrap();
    let headers = &[("cookie", "secret")];
    engine.open(Open { hub: "chat", headers, ..Open::default() }, NOW);
    let Some(Action::Call(call)) = engine.poll_action() else { panic!("nobody is asked") };
    webhooks.call(&call, [1; 16], Some("secret"), NOW);

    let response = Response::builder()
        .header("set-cookie", "name=secret; Path=/")
        .header("ce-connectionState", "secret")
        .header("webhook-allowed-origin", "*")
        .body(Bytes::from_static(br#"{"userId":"secret"}"#))
        .unwrap();
    let mut jar = CookieJar::default();
    jar.store(&Uri::from_static("http://h/"), response.headers(), NOW);
    let cookie = jar.header(&Uri::from_static("http://h/"), NOW).unwrap();
    let request = CallRequest {
        call: &call,
        keys: &settings.keys,
        origin: "hub.example",
        request_id: [1; 16],
        bearer: Some("secret"),
        cookie: Some(&cookie),
    };
    let answer = HandlerAnswer::of_connect(&response).unwrap();
    let built = request.build(NOW).unwrap();
    let mut shown = format!("{settings:?} {webhooks:?} {jar:?} {cookie:?} {request:?} {answer:?}");
    let _ = write!(shown, "{:?}", built.headers());
    let Some(WebhookAction::Send(send)) = webhooks.poll_action() else { panic!("no validation") };
    let _ = write!(shown, "{send:?}");
    webhooks.respond(send.id, &response, NOW);
    while let Some(action) = webhooks.poll_action() {
        let _ = write!(shown, "{action:?}");
    }
    assert!(shown.contains("POST") && shown.contains("OPTIONS"), "{shown}");
    assert!(!shown.contains("secret"), "{shown}");
}

/// An origin that cannot be sent, and limits under which nothing could ever go out.
#[test]
fn settings_that_are_wrong() {
    use std::time::Duration;

    let limits = WebhookLimits::default();
    for origin in ["", " ", "a\nb", "hüb.example"] {
        let result = Webhooks::new(settings(origin, limits.clone()));
        assert_eq!(result.err(), Some(WebhookSettingsError::Origin), "{origin:?}");
    }
    for wrong in [
        WebhookLimits { calls: 0, ..limits.clone() },
        WebhookLimits { handlers: 0, ..limits.clone() },
        WebhookLimits { timeout: Duration::ZERO, ..limits.clone() },
        WebhookLimits { validation_timeout: Duration::ZERO, ..limits.clone() },
    ] {
        let result = Webhooks::new(settings("h", wrong));
        assert_eq!(result.err(), Some(WebhookSettingsError::Limit));
    }
    let none = WebhookLimits { notifications: 0, cookie_bytes: 0, ..limits };
    assert!(Webhooks::new(settings("h", none)).is_ok());
}
