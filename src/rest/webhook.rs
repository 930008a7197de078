//! Event handlers behind HTTP: webhooks as the service sends them (`webpubsub.md` 8).
//!
//! [`Webhooks`] stands between the engine and an HTTP client. Calls of the engine go in, requests come out; responses
//! go in, answers for the engine come out. It opens no socket and reads no clock, so a host only has to send what
//! it is told to, each request in a task of its own:
//!
//! ```
//! use bytes::Bytes;
//! use hubcast::rest::webhook::{WebhookAction, WebhookLimits, WebhookSettings, Webhooks};
//! use hubcast::token::{AccessKey, AccessKeys};
//! use hubcast::{Action, Config, Engine, EventHandler, HubConfig, Open, Time};
//!
//! let mut config = Config::new(0x5eed);
//! let handlers = vec![EventHandler::all("http://localhost:3000/{event}")];
//! config.hubs.push(("chat".into(), HubConfig { handlers, ..HubConfig::default() }));
//! let mut engine = Engine::new(config)?;
//! let mut webhooks = Webhooks::new(WebhookSettings {
//!     keys: AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?),
//!     origin: "localhost".into(),
//!     limits: WebhookLimits::default(),
//! })?;
//!
//! // What a real host asks over the network.
//! let handler = |request: http::Request<Bytes>| match request.method().as_str() {
//!     "OPTIONS" => http::Response::builder().header("WebHook-Allowed-Origin", "*"),
//!     _ => http::Response::builder().status(204),
//! };
//!
//! let now = Time::from_secs(1_790_000_000);
//! engine.open(Open { hub: "chat", user: Some("alice"), entropy: [7; 32], ..Open::default() }, now);
//! let mut accepted = false;
//! loop {
//!     if let Some(action) = engine.poll_action() {
//!         match action {
//!             // 16 fresh random bytes in a real host
//!             Action::Call(call) => webhooks.call(&call, [9; 16], None, now),
//!             Action::Cancel(call) => webhooks.cancel(call, now),
//!             Action::Accept(_) => accepted = true,
//!             _ => {}
//!         }
//!     } else if let Some(action) = webhooks.poll_action() {
//!         match action {
//!             WebhookAction::Send(send) => {
//!                 let response = handler(send.request).body(Bytes::new())?;
//!                 webhooks.respond(send.id, &response, now);
//!             }
//!             WebhookAction::Finish(outcome) => {
//!                 if let Some((call, answer)) = outcome.answer {
//!                     answer.with_answer(|answer| engine.answer(call, answer, now));
//!                 }
//!             }
//!             _ => {} // `Abort`: break the request off
//!         }
//!     } else {
//!         break; // wait for a response, or for `next_deadline` and call `advance`
//!     }
//! }
//! assert!(accepted);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Rules
//!
//! - A handler is validated before it gets events, with OPTIONS, or with GET where that is not found; it must name
//!   the origin of the service, or `*`, in `WebHook-Allowed-Origin`. The first validation holds events back; after a
//!   minute another one runs beside them. After a failure the next event but one second later, then 2, 4 .. 60 s,
//!   tries anew.
//! - Status 408, those from 500 on, and failures of the network are tried again after 1, 3 and 5 s, with the same
//!   ids. All in all an event has 100 s.
//! - Redirections are not followed. A handler that answers with one has failed.
//! - Cookies of answers with success go back with later events of the same connection.
//! - The notifications of a connection (`connected`, `joined`, `left`, `disconnected`) go out in order. Each waits for
//!   the answer to the one before, but no longer than [`WebhookLimits::notification_wait`]: a handler that answers
//!   in that time gets one after the other, and one that is slow, or to be asked again, does not delay the news that
//!   a client has gone (`emulator.md` 12). They hold up neither the connection's other events nor anybody else.

mod action;
mod admission;
mod answer;
mod cookies;
mod jars;
mod request;
mod settings;
mod targets;
mod template;
mod webhooks;

pub use self::action::{
    RequestId, SendFailure, WebhookAction, WebhookError, WebhookMetrics, WebhookOutcome,
    WebhookRequest,
};
pub use self::answer::{AnswerError, HandlerAnswer};
pub use self::cookies::CookieJar;
pub use self::request::{CallRequest, RequestError};
pub use self::settings::{WebhookLimits, WebhookSettings, WebhookSettingsError};
pub use self::template::{UrlTemplate, UrlTemplateError};
pub use self::webhooks::Webhooks;
