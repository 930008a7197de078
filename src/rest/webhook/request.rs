//! From a call to the request that its event handler gets (`webpubsub.md` 8.2).

use alloc::format;
use alloc::string::{String, ToString};
use core::fmt;

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue};
use http::{Method, Request};
use thiserror::Error;

use super::template::{UrlTemplate, UrlTemplateError};
use crate::action::Call;
use crate::event::EventKind;
use crate::rest::cloud_event::{self, METADATA, body, event_type, source};
use crate::time::Time;
use crate::token::AccessKeys;

/// Everything that the request for a call is made of: `CloudEvents` 1.0 over HTTP, in binary mode.
///
/// [`Webhooks`](super::Webhooks) makes these requests itself. This is for hosts that send events in a way of their
/// own.
///
/// ```
/// use hubcast::rest::webhook::CallRequest;
/// use hubcast::token::{AccessKey, AccessKeys};
/// use hubcast::{Action, Config, Engine, EventHandler, HubConfig, Open, Time};
///
/// let mut config = Config::new(0x5eed);
/// let handlers = vec![EventHandler::all("http://localhost:3000/{hub}/{event}")];
/// config.hubs.push(("chat".into(), HubConfig { handlers, ..HubConfig::default() }));
/// let mut engine = Engine::new(config)?;
/// let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
///
/// let now = Time::from_secs(1_790_000_000);
/// engine.open(Open { hub: "chat", user: Some("alice"), entropy: [7; 32], ..Open::default() }, now);
/// let Some(Action::Call(call)) = engine.poll_action() else { unreachable!() };
/// let request = CallRequest {
///     call: &call,
///     keys: &keys,
///     origin: "chat.example",
///     request_id: [9; 16], // fresh random bytes in a real host
///     bearer: None,
///     cookie: None,
/// }
/// .build(now)?;
/// assert_eq!(request.uri(), "http://localhost:3000/chat/connect");
/// assert_eq!(request.headers()["ce-type"], "azure.webpubsub.sys.connect");
/// assert_eq!(request.headers()["ce-userId"], "alice");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy)]
pub struct CallRequest<'a> {
    /// The call. Its handler's URL is a [`UrlTemplate`].
    pub call: &'a Call<'a>,
    /// The keys that sign it.
    pub keys: &'a AccessKeys,
    /// The host name of the service, without a port.
    pub origin: &'a str,
    /// What becomes the GUID in `x-ms-client-request-id`; the same for every attempt.
    pub request_id: [u8; 16],
    /// A token that proves the service to the handler: the one of a managed identity, which the host gets where it
    /// runs.
    pub bearer: Option<&'a str>,
    /// The header `Cookie`; see [`CookieJar`](super::CookieJar).
    pub cookie: Option<&'a HeaderValue>,
}

impl CallRequest<'_> {
    /// Makes the request, as of now.
    ///
    /// # Errors
    ///
    /// Returns why there is no such request. It is no use to try again.
    pub fn build(&self, now: Time) -> Result<Request<Bytes>, RequestError> {
        let Call { handler, event, .. } = self.call;
        let url = UrlTemplate::parse(&handler.url)?.resolve(event.hub, event.kind.name())?;
        let (content_type, body) = body(&event.kind);
        let mut request = Request::new(body);
        *request.method_mut() = Method::POST;
        *request.uri_mut() = url;
        *request.headers_mut() = self.headers(content_type, now)?;
        Ok(request)
    }

    fn headers(&self, content_type: &'static str, now: Time) -> Result<HeaderMap, RequestError> {
        let event = &self.call.event;
        let mut headers = HeaderMap::with_capacity(24);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        headers.insert(ORIGIN, ascii("WebHook-Request-Origin", self.origin)?);
        let version = cloud_event::AWPS_VERSION;
        headers.insert(AWPS_VERSION, HeaderValue::from_static(version));
        let version = cloud_event::SPEC_VERSION;
        headers.insert(SPEC_VERSION, HeaderValue::from_static(version));
        headers.insert(TYPE, ascii("ce-type", &event_type(&event.kind))?);
        headers.insert(SOURCE, ascii("ce-source", &source(event))?);
        headers.insert(ID, HeaderValue::from(event.number));
        headers.insert(TIME, ascii("ce-time", &now.in_whole_seconds().to_string())?);
        let signature = self.keys.signature(&event.connection_id);
        headers.insert(SIGNATURE, secret("ce-signature", &signature)?);
        headers.insert(HUB, ascii("ce-hub", event.hub)?);
        headers.insert(CONNECTION_ID, ascii("ce-connectionId", &event.connection_id)?);
        headers.insert(EVENT_NAME, ascii("ce-eventName", event.kind.name())?);
        // The one header that may be more than ASCII (`emulator.md` 12).
        if let Some(user) = event.user.filter(|user| !user.is_empty()) {
            let value = HeaderValue::from_bytes(user.as_bytes());
            headers.insert(USER_ID, value.map_err(|_| RequestError::Header("ce-userId"))?);
        }
        if let Some(subprotocol) = event.subprotocol {
            headers.insert(SUBPROTOCOL, ascii("ce-subprotocol", subprotocol)?);
        }
        if let Some(state) = event.state {
            headers.insert(STATE, secret("ce-connectionState", state)?);
        }
        headers.insert(REQUEST_ID, ascii("x-ms-client-request-id", &guid(self.request_id))?);
        if let EventKind::User { metadata, .. } = &event.kind {
            for (key, value) in metadata.iter() {
                let wrong = RequestError::Header("X-WebPubSub-Metadata");
                let name = [METADATA, key].concat();
                let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong)?;
                headers.insert(name, ascii("X-WebPubSub-Metadata", value)?);
            }
        }
        if let Some(bearer) = self.bearer {
            headers.insert(AUTHORIZATION, secret("Authorization", &["Bearer ", bearer].concat())?);
        }
        if let Some(cookie) = self.cookie {
            headers.insert(COOKIE, cookie.clone());
        }
        Ok(headers)
    }
}

impl fmt::Debug for CallRequest<'_> {
    /// Leaves out the token, the cookies and what the client sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallRequest")
            .field("connection_id", &self.call.event.connection_id)
            .field("event", &self.call.event.kind.name())
            .finish_non_exhaustive()
    }
}

/// Why there is no request for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The URL of the handler is none.
    #[error(transparent)]
    Url(#[from] UrlTemplateError),
    /// The value of a header has characters that a header cannot have: anything but visible ASCII, or control
    /// characters in the name of a user.
    #[error("the header {0} cannot have this value")]
    Header(&'static str),
}

pub(super) const ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
pub(super) const AWPS_VERSION: HeaderName = HeaderName::from_static("ce-awpsversion");
pub(super) const STATE: HeaderName = HeaderName::from_static("ce-connectionstate");
const SPEC_VERSION: HeaderName = HeaderName::from_static("ce-specversion");
const TYPE: HeaderName = HeaderName::from_static("ce-type");
const SOURCE: HeaderName = HeaderName::from_static("ce-source");
const ID: HeaderName = HeaderName::from_static("ce-id");
const TIME: HeaderName = HeaderName::from_static("ce-time");
const SIGNATURE: HeaderName = HeaderName::from_static("ce-signature");
const HUB: HeaderName = HeaderName::from_static("ce-hub");
const CONNECTION_ID: HeaderName = HeaderName::from_static("ce-connectionid");
const EVENT_NAME: HeaderName = HeaderName::from_static("ce-eventname");
const USER_ID: HeaderName = HeaderName::from_static("ce-userid");
const SUBPROTOCOL: HeaderName = HeaderName::from_static("ce-subprotocol");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-ms-client-request-id");

fn guid(bytes: [u8; 16]) -> String {
    let digits = u128::from_be_bytes(bytes);
    let digits = format!("{digits:032x}");
    [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]].join("-")
}

fn ascii(name: &'static str, value: &str) -> Result<HeaderValue, RequestError> {
    // `HeaderValue` by itself would take any bytes but control characters.
    let value = Some(value).filter(|value| value.is_ascii());
    let value = value.and_then(|value| HeaderValue::from_str(value).ok());
    value.ok_or(RequestError::Header(name))
}

/// Makes a value that is not shown where requests are.
fn secret(name: &'static str, value: &str) -> Result<HeaderValue, RequestError> {
    let mut value = ascii(name, value)?;
    value.set_sensitive(true);
    Ok(value)
}
