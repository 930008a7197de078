//! The REST API of the data plane: from a request to a command for the engine, and back to a response
//! (`webpubsub.md` 9, `emulator.md` 10).
//!
//! A request goes through the checks in the order of the files: [`route`] (which operation, which names),
//! [`parameters`] (versions and ranges), [`caller`] (the token), then what the operation takes: [`body`], [`bulk`],
//! [`listing`], [`generation`]. What passes is an [`Operation`].

mod body;
mod bulk;
mod caller;
mod fault;
mod generation;
mod listing;
mod operation;
mod parameters;
mod read;
mod route;

use alloc::string::String;

use bytes::Bytes;
use http::{Request, Response};

use self::fault::answer;
pub use self::operation::Operation;
use crate::engine::Engine;
use crate::time::Time;
use crate::token::AccessKeys;

/// The REST API with which a server sends, closes, groups and asks: all 25 operations below `/api`.
///
/// | to ask for | send |
/// |---|---|
/// | whether the service is there | `HEAD /api/health` |
/// | a message to all, a group, a user, a connection | `POST /api/hubs/{hub}/:send`, `.../groups/{group}/:send`, `.../users/{user}/:send`, `.../connections/{id}/:send` |
/// | the end of connections | `POST .../:closeConnections` of a hub, group or user, `DELETE .../connections/{id}` |
/// | who is there | `HEAD` of a group, user or connection, `GET .../groups/{group}/connections` |
/// | membership | `PUT` and `DELETE` of `.../groups/{group}/connections/{id}` and `.../users/{user}/groups/{group}`, `DELETE .../groups` of a user or connection, `POST .../:addToGroups`, `.../:removeFromGroups` |
/// | permissions | `HEAD`, `PUT` and `DELETE` of `.../permissions/{permission}/connections/{id}?targetName={group}` |
/// | a token for a client | `POST .../:generateToken` |
///
/// # Checks
/// They come in the order of the service: route (404, 405), `api-version`, names and ranges (400), token (401), target
/// and filter (400), length (400), content type (415), body and metadata (400). A request that fails has changed
/// nothing. Bodies of errors hold a code, a text and a target, and never a token or a key.
///
/// A body needs the header `Content-Length`, which must be its length and at most 1 MiB. A host that reads chunked
/// bodies passes such a request on without the header, as it came; it is answered with 400, as the service does.
/// The host reads no more than [`BODY_BYTES_MAX`](Self::BODY_BYTES_MAX) and one byte; what it passes on may end there.
///
/// # Who may ask
/// Whoever has a token that one of the keys signed for the URL of the request. A host that knows other tokens, as those
/// of Microsoft Entra ID, looks at them itself and marks a request whose caller it knows with [`Trusted`]:
///
/// ```
/// use bytes::Bytes;
/// use hubcast::rest::{Api, Trusted};
/// use hubcast::token::AccessKey;
/// use hubcast::{Config, Engine, Time};
///
/// # fn host_knows(_: &http::Request<Bytes>) -> bool { true }
/// let mut engine = Engine::new(Config::new(1))?;
/// let api = Api::new(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?.into());
/// let mut request = http::Request::post("/api/hubs/chat/:generateToken?userId=ann")
///     .header("host", "localhost:8080")
///     .body(Bytes::new())?;
/// if host_knows(&request) {
///     request.extensions_mut().insert(Trusted);
/// }
/// let response = api.serve(&mut engine, &request, Time::from_secs(1_790_000_000));
/// assert_eq!(response.status(), 200);
/// assert!(response.body().starts_with(br#"{"token":"eyJ"#));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # A send
///
/// ```
/// use core::time::Duration;
/// use bytes::Bytes;
/// use hubcast::rest::Api;
/// use hubcast::token::{AccessKey, AccessKeys, mint_rest};
/// use hubcast::{Action, Config, Engine, Open, Time};
///
/// let keys = AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?);
/// let now = Time::from_secs(1_790_000_000);
/// let mut engine = Engine::new(Config::new(1))?;
/// engine.open(Open { hub: "chat", user: Some("ann"), ..Open::default() }, now);
///
/// let url = "http://localhost:8080/api/hubs/chat/users/ann/:send?api-version=2024-12-01";
/// let token = mint_rest(url, Duration::from_secs(60), &keys, now)?;
/// let request = http::Request::post(url)
///     .header("authorization", format!("Bearer {token}"))
///     .header("host", "localhost:8080")
///     .header("content-type", "text/plain")
///     .header("content-length", 2)
///     .body(Bytes::from("hi"))?;
///
/// let api = Api::new(keys);
/// let response = api.serve(&mut engine, &request, now);
/// assert_eq!(response.status(), 202);
///
/// let mut frames = Vec::new();
/// while let Some(action) = engine.poll_action() {
///     if let Action::Deliver(deliver) = action {
///         frames.push(deliver.frame.payload(0).collect::<Vec<_>>().concat());
///     }
/// }
/// assert_eq!(frames, [b"hi"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Api {
    /// The keys in force.
    pub keys: AccessKeys,
    /// Where clients and servers reach this host: scheme, host and maybe port, as `https://example.local`. It goes into
    /// links to the next page and into the tokens of `:generateToken`. `None`, the default, is what the request says,
    /// with `http` where that has no scheme.
    pub endpoint: Option<String>,
    /// Whether `:generateToken` also takes a token that a key signed. The service answers 401 (`emulator.md` 10), which
    /// is the default.
    pub generate_with_key: bool,
    /// For development only, `false` by default: whether a token for `https://webpubsub.azure.com` passes whoever made
    /// it. Nothing but its lifetime is looked at, not even the signature, so anybody can make one.
    pub allow_unvalidated_entra: bool,
}

impl Api {
    /// The most bytes of a body.
    pub const BODY_BYTES_MAX: usize = 1024 * 1024;

    /// Makes the API as the service has it, with these keys.
    pub fn new(keys: AccessKeys) -> Self {
        Self { keys, endpoint: None, generate_with_key: false, allow_unvalidated_entra: false }
    }

    /// Carries out a request and returns the response to it. The actions that it causes come out of the engine.
    ///
    /// A 401 has the [`TokenError`](crate::token::TokenError) in its extensions, for the host's log, unless there was no
    /// token at all.
    pub fn serve(
        &self,
        engine: &mut Engine,
        request: &Request<Bytes>,
        now: Time,
    ) -> Response<Bytes> {
        match self.read(request, now) {
            Ok(operation) => operation.carry_out(engine, now),
            Err(response) => response,
        }
    }

    /// Reads a request: all of the checks for which no engine is needed, signatures among them.
    ///
    /// A host whose engine lives in a task of its own calls this in the task of the request.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use hubcast::rest::Api;
    /// use hubcast::token::AccessKey;
    /// use hubcast::{Config, Engine, Time};
    ///
    /// let api = Api::new(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?.into());
    /// let health = http::Request::head("/api/health").body(Bytes::new())?;
    /// let operation = api.read(&health, Time::EPOCH).map_err(|refused| refused.status().to_string())?;
    ///
    /// let mut engine = Engine::new(Config::new(1))?; // maybe in another task
    /// assert_eq!(operation.carry_out(&mut engine, Time::EPOCH).status(), 200);
    ///
    /// let lost = http::Request::get("/api/nothing").body(Bytes::new())?;
    /// assert_eq!(api.read(&lost, Time::EPOCH).unwrap_err().status(), 404);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns the response to a request that fails a check.
    #[expect(clippy::result_large_err, reason = "made once per refused request, and sent at once")]
    pub fn read(&self, request: &Request<Bytes>, now: Time) -> Result<Operation, Response<Bytes>> {
        self.check(request, now).map_err(|fault| answer(Err(fault), request.method()))
    }
}

/// Says that the host knows who made a request and lets it in, whatever token it carries.
///
/// The host puts it into the extensions of the request, where nothing from the network gets to. Names and ranges are
/// checked all the same. `:generateToken` takes it as it takes a token of Microsoft Entra ID. See [`Api`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trusted;
