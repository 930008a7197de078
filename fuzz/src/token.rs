//! Tokens and handshakes: nothing that a stranger can send makes them panic, and only what was signed with
//! the key is let in.

use arbitrary::{Arbitrary, Unstructured};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use http::request::Parts;
use hubcast::Time;
use hubcast::rest::{handshake, is_client_path};
use hubcast::token::{
    AccessKey, AccessKeys, ClientAudience, RestAudience, verify_client, verify_rest,
};
use serde_json::{Value, json};
use sha2::Sha256;

const KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";
const NOW: Time = Time::from_secs(1_790_000_000);

/// One thing to try.
#[derive(Arbitrary, Debug)]
enum Attempt<'a> {
    /// A token that nobody signed.
    Forged { token: &'a str, host: &'a str, path: &'a str, seconds: u64 },
    /// A token that was signed with the key, whatever it says.
    Signed { header: Header<'a>, claims: &'a str, host: &'a str, path: &'a str },
    /// A request for an upgrade.
    Request { uri: &'a str, headers: Vec<(Name<'a>, &'a [u8])> },
    /// A request whose token was signed with the key.
    SignedRequest { query: &'a str, claims: &'a str, protocols: &'a [u8] },
    /// The same, of parts that often mean something.
    Usual(Usual<'a>),
}

#[derive(Arbitrary, Debug)]
struct Usual<'a> {
    claims: Vec<(Claim<'a>, Said<'a>)>,
    path: u8,
    parameters: Vec<Parameter<'a>>,
    /// Whether the token is in a header, otherwise in the query.
    in_header: bool,
    protocols: Vec<u8>,
    /// What it asks of the REST API with the same token.
    resource: &'a str,
}

#[derive(Arbitrary, Debug)]
enum Claim<'a> {
    Audience,
    Expiry,
    NotBefore,
    Subject,
    NameIdentifier,
    Role,
    Group,
    Other(&'a str),
}

/// What a claim says.
#[derive(Arbitrary, Debug)]
enum Said<'a> {
    Null,
    Flag(bool),
    /// A time, in seconds from now.
    Moment(i16),
    Number(i64),
    Fraction(f64),
    Audience(u8),
    Text(&'a str),
    List(Vec<Item<'a>>),
    Object(&'a str, &'a str),
}

#[derive(Arbitrary, Debug)]
enum Item<'a> {
    Audience(u8),
    Text(&'a str),
    Number(u8),
    Null,
}

#[derive(Arbitrary, Debug)]
enum Parameter<'a> {
    Usual(u8),
    Other(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Header<'a> {
    Usual,
    Other(&'a str),
}

#[derive(Arbitrary, Debug)]
enum Name<'a> {
    Host,
    Connection,
    Upgrade,
    Version,
    Key,
    Protocol,
    Authorization,
    Other(&'a str),
}

/// Reads an attempt from the bytes and makes it.
pub fn run(data: &[u8]) {
    let Ok(attempt) = Attempt::arbitrary_take_rest(Unstructured::new(data)) else { return };
    match attempt {
        Attempt::Forged { token, host, path, seconds } => {
            let accepted = verify(token, host, path, Time::from_secs(seconds));
            assert!(!accepted, "nobody signed {token:?}");
        }
        Attempt::Signed { header, claims, host, path } => {
            let header = match header {
                Header::Usual => r#"{"alg":"HS256"}"#,
                Header::Other(text) => text,
            };
            verify(&sign(header, claims), host, path, NOW);
        }
        Attempt::Request { uri, headers } => {
            let headers = headers.iter().map(|(name, value)| (name.text(), *value));
            if let Some(request) = request(uri, headers) {
                connect(&request);
            }
        }
        Attempt::SignedRequest { query, claims, protocols } => {
            let token = sign(r#"{"alg":"HS256"}"#, claims);
            let uri = format!("/client/hubs/chat?access_token={token}&{query}");
            let headers = UPGRADE.into_iter().chain([("sec-websocket-protocol", protocols)]);
            if let Some(request) = request(&uri, headers) {
                connect(&request);
            }
        }
        Attempt::Usual(usual) => usual.make(),
    }
}

/// What tokens are made for.
const AUDIENCES: [&str; 12] = [
    "http://localhost/client/hubs/chat",
    "wss://LOCALHOST/Client/hubs/CHAT/",
    "https://localhost/client/?hub=chat",
    "ws://localhost/client?hub=x&HUB=ch%61t&y",
    "http://localhost/client/hubs/ch%61t?x=y",
    "http://localhost/client/hubs/%FF",
    "http://localhost/client",
    "http://localhost",
    "http://localhost/api/hubs/chat",
    "http%3A%2F%2Flocalhost%2Fapi+",
    "ftp://localhost/client/hubs/chat",
    "http://elsewhere/client/hubs/chat",
];

/// What clients ask for.
const PATHS: [&str; 8] = [
    "/client/hubs/chat",
    "/client/hubs/chat/",
    "/client/hubs/%63hat",
    "/client/hubs/chat/more",
    "/client/hubs/7",
    "/client/hubs/%20",
    "/client",
    "/client/",
];

/// What queries are made of.
const PARAMETERS: [&str; 16] = [
    "hub=chat",
    "hub=",
    "HUB=Chat",
    "webpubsub_mode=sendToGroup",
    "webpubsub_mode=SendEvent",
    "webpubsub_mode=other",
    "webpubsub_mode=",
    "group=room",
    "group=%20",
    "noEcho=true",
    "noEcho=False",
    "noEcho=other",
    "awps_connection_id=1",
    "awps_reconnection_token=2",
    "access_token=",
    "access_token=a.b.c",
];

const PROTOCOLS: [&str; 6] = [
    "json.webpubsub.azure.v1",
    "JSON.reliable.webpubsub.azure.v1",
    "protobuf.webpubsub.azure.v1",
    "protobuf.reliable.webpubsub.azure.v1",
    "mqtt",
    "",
];

impl Usual<'_> {
    fn make(&self) {
        let claims = self.claims.iter().map(|(claim, said)| (claim.name().to_owned(), said.json()));
        let claims = Value::Object(claims.collect()).to_string();
        let token = sign(r#"{"alg":"HS256","typ":"JWT"}"#, &claims);
        let parameters = self.parameters.iter().map(|parameter| match parameter {
            Parameter::Usual(place) => choose(&PARAMETERS, *place),
            Parameter::Other(text) => text,
        });
        let query = parameters.collect::<Vec<_>>().join("&");
        let protocols = self.protocols.iter().map(|place| choose(&PROTOCOLS, *place));
        let protocols = protocols.collect::<Vec<_>>().join(", ");
        let mut headers = UPGRADE.to_vec();
        headers.push(("sec-websocket-protocol", protocols.as_bytes()));
        let (path, bearer) = (choose(&PATHS, self.path), format!("Bearer {token}"));
        let uri = if self.in_header {
            headers.push(("authorization", bearer.as_bytes()));
            format!("{path}?{query}")
        } else {
            format!("{path}?{query}&access_token={token}")
        };
        if let Some(request) = request(&uri, headers.into_iter()) {
            connect(&request);
        }
        verify(&token, "localhost", self.resource, NOW);
    }
}

impl<'a> Claim<'a> {
    fn name(&self) -> &'a str {
        match self {
            Self::Audience => "aud",
            Self::Expiry => "exp",
            Self::NotBefore => "nbf",
            Self::Subject => "sub",
            Self::NameIdentifier => {
                "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
            }
            Self::Role => "role",
            Self::Group => "webpubsub.group",
            Self::Other(name) => name,
        }
    }
}

impl Said<'_> {
    fn json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Flag(flag) => json!(flag),
            Self::Moment(seconds) => json!(NOW.as_secs().saturating_add_signed((*seconds).into())),
            Self::Number(number) => json!(number),
            Self::Fraction(number) => json!(number),
            Self::Audience(place) => json!(choose(&AUDIENCES, *place)),
            Self::Text(text) => json!(text),
            Self::List(items) => items.iter().map(Item::json).collect(),
            Self::Object(name, text) => json!({ *name: text }),
        }
    }
}

impl Item<'_> {
    fn json(&self) -> Value {
        match self {
            Self::Audience(place) => json!(choose(&AUDIENCES, *place)),
            Self::Text(text) => json!(text),
            Self::Number(number) => json!(number),
            Self::Null => Value::Null,
        }
    }
}

fn choose(texts: &[&'static str], place: u8) -> &'static str {
    texts[usize::from(place) % texts.len()]
}

const UPGRADE: [(&str, &[u8]); 5] = [
    ("host", b"localhost"),
    ("connection", b"Upgrade"),
    ("upgrade", b"websocket"),
    ("sec-websocket-version", b"13"),
    ("sec-websocket-key", b"dGhlIHNhbXBsZSBub25jZQ=="),
];

impl<'a> Name<'a> {
    fn text(&self) -> &'a str {
        match self {
            Self::Host => "host",
            Self::Connection => "connection",
            Self::Upgrade => "upgrade",
            Self::Version => "sec-websocket-version",
            Self::Key => "sec-websocket-key",
            Self::Protocol => "sec-websocket-protocol",
            Self::Authorization => "authorization",
            Self::Other(name) => name,
        }
    }
}

fn verify(token: &str, host: &str, path: &str, now: Time) -> bool {
    let client = verify_client(token, &keys(), ClientAudience { host, hub: path }, now);
    let rest = verify_rest(token, &keys(), RestAudience { host, path }, now);
    for error in client.as_ref().err().into_iter().chain(rest.as_ref().err()) {
        assert!(!error.to_string().contains(KEY), "the key never shows");
    }
    client.is_ok() || rest.is_ok()
}

fn connect(request: &Parts) {
    let is_client = is_client_path(request.uri.path());
    match handshake(request, &keys(), NOW) {
        Ok(handshake) => {
            assert!(is_client, "only client paths are upgraded");
            let hub = handshake.with_open([7; 32], |open| open.hub.to_owned());
            assert_eq!(hub, handshake.hub());
        }
        Err(response) => assert!(response.status().as_u16() >= 400),
    }
}

/// Makes a request, where the parts can be in one at all.
fn request<'a>(uri: &str, headers: impl Iterator<Item = (&'a str, &'a [u8])>) -> Option<Parts> {
    let mut request = http::Request::get(uri);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    Some(request.body(()).ok()?.into_parts().0)
}

fn keys() -> AccessKeys {
    AccessKeys::from(AccessKey::new(KEY).expect("it is long enough"))
}

fn sign(header: &str, claims: &str) -> String {
    let head = URL_SAFE_NO_PAD.encode(header);
    let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
    let mut hmac = Hmac::<Sha256>::new_from_slice(KEY.as_bytes()).expect("any length will do");
    hmac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(hmac.finalize().into_bytes()))
}
