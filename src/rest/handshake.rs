//! From the request of a WebSocket client to the connection that it asks for (`webpubsub.md` 1).

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use http::request::Parts;
use http::{Response, StatusCode};

use super::query::Query;
use super::{headers, respond, upgrade};
use crate::input::{Open, PlainMode, Recovery};
use crate::name;
use crate::protocol::Protocol;
use crate::time::Time;
use crate::token::{AccessKeys, ClientAudience, ClientClaims, TokenError, verify_client};

/// Reads the request of a WebSocket client: checks it, verifies its token, gathers what the engine needs.
///
/// The checks come in the order of `webpubsub.md` 1.3. A client without a token passes as anonymous; the
/// engine refuses it unless the hub allows that. A client that takes up a session again needs no token.
///
/// ```
/// use hubcast::rest::handshake;
/// use hubcast::token::{AccessKey, AccessKeys, ClientToken};
/// use hubcast::{Protocol, Time};
///
/// let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
/// let now = Time::from_secs(1_790_000_000);
/// let token = ClientToken {
///     endpoint: "http://localhost:8080",
///     hub: "chat",
///     user: Some("alice"),
///     ..ClientToken::default()
/// };
///
/// let (request, ()) = http::Request::get(token.url(&keys, now)?)
///     .header("host", "localhost:8080")
///     .header("connection", "Upgrade")
///     .header("upgrade", "websocket")
///     .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
///     .header("sec-websocket-protocol", "json.webpubsub.azure.v1")
///     .body(())?
///     .into_parts();
///
/// let handshake = handshake(&request, &keys, now).map_err(|refused| refused.status().to_string())?;
/// let entropy = [7; 32]; // 32 fresh random bytes in a real host
/// handshake.with_open(entropy, |open| {
///     assert_eq!((open.hub, open.user, open.protocol), ("chat", Some("alice"), Protocol::Json));
///     // engine.open(open, now)
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Returns the response to send in place of the upgrade: 404 for a path that is not
/// [`is_client_path`](super::is_client_path), 400 with a text, or 401 without one. In the extensions of a
/// 401 there is the [`TokenError`], for the host's log.
#[expect(clippy::result_large_err, reason = "made once per refused request, and sent at once")]
pub fn handshake(
    request: &Parts,
    keys: &AccessKeys,
    now: Time,
) -> Result<Handshake, Response<Bytes>> {
    read(request, keys, now).map_err(Refusal::into_response)
}

/// A request that passed the checks, with everything that the engine needs to open its connection.
///
/// It owns its parts, so it may travel to the task that owns the engine.
#[derive(Clone)]
pub struct Handshake {
    hub: String,
    protocol: Protocol,
    identity: Identity,
    mode: Mode,
    subprotocols: Vec<String>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl Handshake {
    /// Lends the connection to open, with 32 fresh random bytes, and returns what the function returns.
    pub fn with_open<R>(&self, entropy: [u8; 32], open: impl FnOnce(Open<'_>) -> R) -> R {
        let nothing = ClientClaims::default();
        let (claims, anonymous, recovery) = match &self.identity {
            Identity::Token(claims) => (claims, false, None),
            Identity::Anonymous => (&nothing, true, None),
            // Nothing is proven yet: that is for the engine, which knows the reconnection token.
            Identity::Recovery { connection_id, token } => {
                (&nothing, true, Some(Recovery { connection_id, token }))
            }
        };
        open(Open {
            hub: &self.hub,
            protocol: self.protocol,
            plain_mode: self.mode.lend(),
            anonymous,
            user: claims.user.as_deref(),
            roles: &lend(&claims.roles),
            groups: &lend(&claims.groups),
            subprotocols: &lend(&self.subprotocols),
            claims: &lend_pairs(&claims.claims),
            query: &lend_pairs(&self.query),
            headers: &lend_pairs(&self.headers),
            certificates: &[],
            recovery,
            entropy,
        })
    }

    /// Returns the hub as the client spelled it.
    pub fn hub(&self) -> &str {
        &self.hub
    }

    /// Returns the user that the token names.
    pub fn user(&self) -> Option<&str> {
        match &self.identity {
            Identity::Token(claims) => claims.user.as_deref(),
            Identity::Anonymous | Identity::Recovery { .. } => None,
        }
    }
}

impl fmt::Debug for Handshake {
    /// Leaves out query and headers, where secrets of the client may be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handshake")
            .field("hub", &self.hub)
            .field("protocol", &self.protocol)
            .field("user", &self.user())
            .finish_non_exhaustive()
    }
}

/// Why a request is answered with something else than an upgrade.
pub(super) struct Refusal {
    status: StatusCode,
    text: &'static str,
    cause: Option<TokenError>,
}

impl Refusal {
    pub(super) const NOT_FOUND: Self =
        Self { status: StatusCode::NOT_FOUND, text: "", cause: None };

    pub(super) const fn bad_request(text: &'static str) -> Self {
        Self { status: StatusCode::BAD_REQUEST, text, cause: None }
    }

    fn unauthorized(cause: TokenError) -> Self {
        Self { status: StatusCode::UNAUTHORIZED, text: "", cause: Some(cause) }
    }

    fn into_response(self) -> Response<Bytes> {
        let mut response = respond(self.status, Bytes::from_static(self.text.as_bytes()));
        if let Some(cause) = self.cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// What a client shows of itself.
#[derive(Clone)]
enum Identity {
    /// A valid token.
    Token(ClientClaims),
    /// Nothing.
    Anonymous,
    /// A session that it says is its own.
    Recovery { connection_id: String, token: String },
}

/// An owned [`PlainMode`].
#[derive(Clone)]
enum Mode {
    SendEvent,
    SendToGroup { group: String, no_echo: bool },
    Invalid { reason: &'static str },
}

impl Mode {
    fn lend(&self) -> PlainMode<'_> {
        match self {
            Self::SendEvent => PlainMode::SendEvent,
            Self::SendToGroup { group, no_echo } => {
                PlainMode::SendToGroup { group, no_echo: *no_echo }
            }
            Self::Invalid { reason } => PlainMode::Invalid { reason },
        }
    }
}

fn read(request: &Parts, keys: &AccessKeys, now: Time) -> Result<Handshake, Refusal> {
    let query = Query::read(request.uri.query().unwrap_or_default());
    let hub = upgrade::hub(request, &query)?;
    let (identity, mode) = match recovery(&query) {
        Some(recovery) => (recovery, Mode::SendEvent),
        None => {
            let identity = identify(request, &query, &hub, keys, now)?;
            let mode = match (plain_mode(&query), &identity) {
                // Whether anonymous clients get in comes first, and only the engine knows.
                (Err(refusal), Identity::Anonymous) => Mode::Invalid { reason: refusal.text },
                (mode, _) => mode?,
            };
            (identity, mode)
        }
    };
    let subprotocols = headers::subprotocols(&request.headers);
    Ok(Handshake {
        hub,
        protocol: choose_protocol(&subprotocols),
        identity,
        mode,
        subprotocols,
        query: query.without("access_token"),
        headers: headers::visible(&request.headers),
    })
}

/// Reads the session to take up again. A token without a connection id means nothing (`emulator.md` 2).
fn recovery(query: &Query) -> Option<Identity> {
    let connection_id = query.last_filled("awps_connection_id")?.to_owned();
    let token = query.last("awps_reconnection_token").unwrap_or_default().to_owned();
    Some(Identity::Recovery { connection_id, token })
}

fn identify(
    request: &Parts,
    query: &Query,
    hub: &str,
    keys: &AccessKeys,
    now: Time,
) -> Result<Identity, Refusal> {
    let header = headers::bearer(&request.headers);
    // A bad token in the query is not rescued by a good one in the header (`emulator.md` 2).
    let Some(token) = query.last_filled("access_token").or(header.as_deref()) else {
        return Ok(Identity::Anonymous);
    };
    let audience = ClientAudience { host: &headers::host(&request.headers, &request.uri), hub };
    let claims = verify_client(token, keys, audience, now).map_err(Refusal::unauthorized)?;
    if !claims.groups.iter().all(|group| name::is_group(group)) {
        return Err(Refusal::bad_request("The token contains an invalid group name."));
    }
    Ok(Identity::Token(claims))
}

/// Reads the parameters of plain clients (`webpubsub.md` 1.6). They are checked for other clients too.
fn plain_mode(query: &Query) -> Result<Mode, Refusal> {
    let mode = query.last_filled("webpubsub_mode").unwrap_or("sendEvent");
    if mode.eq_ignore_ascii_case("sendEvent") {
        return Ok(Mode::SendEvent);
    }
    if !mode.eq_ignore_ascii_case("sendToGroup") {
        return Err(Refusal::bad_request(
            "Invalid webpubsub_mode. Valid modes are sendToGroup and sendEvent.",
        ));
    }
    let group = query.last("group").unwrap_or_default();
    if !name::is_group(group) {
        return Err(Refusal::bad_request("The raw sendToGroup group name is invalid."));
    }
    let no_echo = query.last_filled("noEcho").unwrap_or("false");
    let is_true = no_echo.eq_ignore_ascii_case("true");
    if !is_true && !no_echo.eq_ignore_ascii_case("false") {
        return Err(Refusal::bad_request("Invalid noEcho. Valid values are true and false."));
    }
    Ok(Mode::SendToGroup { group: group.to_owned(), no_echo: is_true })
}

/// Chooses the first protocol that is known here; a client that offers none of them is a plain one
/// (`webpubsub.md` 1.5).
fn choose_protocol(offers: &[String]) -> Protocol {
    offers.iter().find_map(|offer| Protocol::from_name(offer)).unwrap_or_default()
}

fn lend(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn lend_pairs(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
