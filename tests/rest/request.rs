//! Requests as text.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::Request;
use hubcast::Time;
use hubcast::rest::Trusted;
use hubcast::token::{AccessKey, AccessKeys, mint_rest};

pub(crate) const NOW: Time = Time::from_secs(1_790_000_000);
const HOST: &str = "localhost:8080";
const PRIMARY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";
const SECONDARY: &str = "a-secondary-key-of-more-than-32-bytes";

pub(crate) fn keys() -> AccessKeys {
    let secondary = Some(AccessKey::new(SECONDARY).expect("it is long enough"));
    AccessKeys { primary: AccessKey::new(PRIMARY).expect("it is long enough"), secondary }
}

/// Tells whether a line goes on with a request: a header, or some of its body.
pub(crate) fn is_detail(line: &str) -> bool {
    let name = line.split_once(':').map_or("", |(name, _)| name);
    line.starts_with('|')
        || (!name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic() || b == b'-'))
        || name.to_ascii_lowercase().starts_with("x-webpubsub-metadata-")
}

/// Makes the request of a first line and its details, in which all names are replaced.
pub(crate) fn request(first: &str, details: &[String]) -> Request<Bytes> {
    let (method, target) = first.split_once(' ').expect("a method and a target");
    let mut request = Request::builder().method(method).uri(target);
    let (mut token, mut body, mut headers) = ("", None, Vec::new());
    for detail in details {
        if let Some(bytes) = detail.strip_prefix("|=") {
            body = Some(hexadecimal(bytes.trim()));
        } else if let Some(text) = detail.strip_prefix('|') {
            body = Some(text.strip_prefix(' ').unwrap_or(text).as_bytes().to_vec());
        } else {
            let (name, value) = detail.split_once(':').expect("a header has a colon");
            match (name, value.strip_prefix(' ').unwrap_or(value)) {
                ("token", kind) => token = kind,
                (name, value) => headers.push((name, value)),
            }
        }
    }
    let url = format!("http://{HOST}{target}");
    let authorization = authorization(token, &url);
    let length = body.as_ref().map(|body| body.len().to_string());
    let usual = [
        ("host", Some(HOST.to_owned())),
        ("authorization", authorization),
        ("content-length", length),
    ];
    for (name, value) in usual {
        if let (Some(value), false) = (value, headers.iter().any(|(each, _)| *each == name)) {
            request = request.header(name, value);
        }
    }
    for (name, value) in headers.into_iter().filter(|(_, value)| *value != "-") {
        request = request.header(name, value.as_bytes());
    }
    let mut request = request.body(Bytes::from(body.unwrap_or_default())).expect("a good request");
    if token == "trusted" {
        request.extensions_mut().insert(Trusted);
    }
    request
}

fn authorization(kind: &str, url: &str) -> Option<String> {
    let mint = |url: &str, keys: &AccessKeys, now: Time| {
        mint_rest(url, Duration::from_secs(60), keys, now).expect("a good URL")
    };
    let only = |key: &str| AccessKeys::from(AccessKey::new(key).expect("it is long enough"));
    let token = match kind {
        "" => mint(url, &keys(), NOW),
        "none" | "trusted" => return None,
        "secondary" => mint(url, &only(SECONDARY), NOW),
        "other" => mint(url, &only("a-key-that-this-host-has-never-heard-of"), NOW),
        "expired" => mint(url, &keys(), Time::from_secs(1_780_000_000)),
        "entra" => entra(1_790_000_060),
        "expired entra" => entra(1_780_000_000),
        other => {
            let url = other.strip_prefix("for ").expect("a kind of token");
            mint(url, &keys(), NOW)
        }
    };
    Some(format!("Bearer {token}"))
}

/// Makes a token as Microsoft Entra ID does, but for the signature, which nobody here can check.
fn entra(expires: u64) -> String {
    let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS256","typ":"JWT"}"#);
    let claims = format!(r#"{{"aud":"https://webpubsub.azure.com","exp":{expires}}}"#);
    format!("{head}.{}.c2lnbmVk", URL_SAFE_NO_PAD.encode(claims))
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let byte = |at| u8::from_str_radix(&text[at..at + 2], 16).expect("two digits");
    (0..text.len()).step_by(2).map(byte).collect()
}
