//! What a request says in its headers.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use http::header::{AUTHORIZATION, HOST, HeaderValue, SEC_WEBSOCKET_PROTOCOL};
use http::{HeaderMap, Uri};

/// Reads `Authorization: Bearer {token}`; an empty token counts as absent.
pub(super) fn bearer(headers: &HeaderMap) -> Option<String> {
    let value = text(headers.get(AUTHORIZATION)?);
    let (scheme, token) = value.trim().split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then(|| token.to_owned())
}

/// Returns the host that the request was sent to, with its port; empty where it says none.
pub(super) fn host(headers: &HeaderMap, uri: &Uri) -> String {
    if let Some(host) = headers.get(HOST) {
        return text(host);
    }
    uri.authority().map_or_else(String::new, ToString::to_string)
}

/// Returns the subprotocols in the order and spelling of the client.
pub(super) fn subprotocols(headers: &HeaderMap) -> Vec<String> {
    let mut offers = Vec::new();
    for value in headers.get_all(SEC_WEBSOCKET_PROTOCOL) {
        let value = text(value);
        let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
        offers.extend(names.map(ToOwned::to_owned));
    }
    offers
}

/// Returns the headers that a `connect` handler may see (`emulator.md` 12).
pub(super) fn visible(headers: &HeaderMap) -> Vec<(String, String)> {
    let may_see = |name: &str| name != "authorization" && !name.starts_with("x-asrs-internal-");
    let pairs = headers.iter().filter(|(name, _)| may_see(name.as_str()));
    pairs.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Returns a header value as text. What is not valid UTF-8 is replaced.
fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}
