//! Whether a request asks for a WebSocket, and of which hub (`webpubsub.md` 1.1).

use alloc::borrow::Cow;
use alloc::string::String;

use http::header::{CONNECTION, HeaderName, SEC_WEBSOCKET_KEY, UPGRADE};
use http::request::Parts;
use http::{HeaderMap, Method};
use percent_encoding::percent_decode_str;

use super::handshake::Refusal;
use super::query::Query;
use crate::name;

/// Tells whether WebSocket clients connect at this path: `/client/hubs/{hub}` or the older `/client`, each
/// with or without a trailing slash.
///
/// ```
/// use hubcast::rest::is_client_path;
///
/// assert!(is_client_path("/client/hubs/chat"));
/// assert!(is_client_path("/client/"));
/// assert!(!is_client_path("/clients/mqtt/hubs/chat"));
/// ```
pub fn is_client_path(path: &str) -> bool {
    Place::of(path).is_some()
}

/// Checks that a request asks for a WebSocket of a hub and returns the name of the hub.
pub(super) fn hub(request: &Parts, query: &Query) -> Result<String, Refusal> {
    let place = Place::of(request.uri.path()).ok_or(Refusal::NOT_FOUND)?;
    if !asks_for_upgrade(request) {
        return Err(Refusal::bad_request("A WebSocket upgrade is required."));
    }
    let hub = match place {
        Place::Segment(segment) => percent_decode_str(segment).decode_utf8_lossy(),
        Place::Parameter => Cow::Borrowed(query.last("hub").unwrap_or_default()),
    };
    if hub.trim().is_empty() {
        return Err(Refusal::bad_request("The hub is missing."));
    }
    if !name::is_hub(&hub) {
        return Err(Refusal::bad_request("Invalid hub name."));
    }
    Ok(hub.into_owned())
}

/// Where a request names its hub.
enum Place<'a> {
    /// In this segment of its path, not decoded.
    Segment(&'a str),
    /// In the query parameter `hub`.
    Parameter,
}

impl<'a> Place<'a> {
    fn of(path: &'a str) -> Option<Self> {
        if matches!(path, "/client" | "/client/") {
            return Some(Self::Parameter);
        }
        let rest = path.strip_prefix("/client/hubs/")?;
        let segment = rest.strip_suffix('/').unwrap_or(rest);
        (!segment.contains('/')).then_some(Self::Segment(segment))
    }
}

/// Tells whether this is an upgrade of HTTP/1.1 (RFC 6455 4.2.1). The version is left to the host's
/// WebSocket library, which has to name the one it speaks.
fn asks_for_upgrade(request: &Parts) -> bool {
    request.method == Method::GET
        && lists(&request.headers, &CONNECTION, "upgrade")
        && lists(&request.headers, &UPGRADE, "websocket")
        && request.headers.contains_key(SEC_WEBSOCKET_KEY)
}

/// Tells whether a header with comma-separated values has this one, without regard to case.
fn lists(headers: &HeaderMap, name: &HeaderName, wanted: &str) -> bool {
    let mut values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    values.any(|value| value.split(',').any(|each| each.trim().eq_ignore_ascii_case(wanted)))
}
