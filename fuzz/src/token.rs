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
    }
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
