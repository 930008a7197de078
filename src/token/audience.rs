//! What a token was made for (`webpubsub.md` 2.4, `emulator.md` 3).

use alloc::borrow::{Cow, ToOwned};
use alloc::format;
use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::TokenError;
use super::jwt::Claims;

/// What the token of a client must be for: `{scheme}://{host}/client/hubs/{hub}`.
///
/// The schemes `http`, `https`, `ws` and `wss` are the same; case makes no difference. A trailing slash, a
/// query and the older form `{scheme}://{host}/client/?hub={hub}` are fine too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAudience<'a> {
    /// The host that the request was sent to, with the port as in the header `Host`.
    pub host: &'a str,
    /// The hub, decoded.
    pub hub: &'a str,
}

impl ClientAudience<'_> {
    pub(super) fn check(self, claims: &Claims) -> Result<(), TokenError> {
        let actual = audiences(claims)?;
        if !self.host.is_empty() && actual.iter().any(|audience| self.accepts(audience)) {
            return Ok(());
        }
        let expected = format!("{}/client/hubs/{}", self.host, self.hub);
        Err(refused(expected, &actual))
    }

    fn accepts(self, audience: &str) -> bool {
        let Some(location) = after_scheme(audience) else { return false };
        let (location, query) = location.split_once('?').unwrap_or((location, ""));
        let Some((host, path)) = location.split_once('/') else { return false };
        let path = path.strip_suffix('/').unwrap_or(path);
        let hub = if path.eq_ignore_ascii_case("client") {
            hub_parameter(query)
        } else {
            after_prefix(path, "client/hubs/")
        };
        host.eq_ignore_ascii_case(self.host) && hub.is_some_and(|hub| is_same_hub(hub, self.hub))
    }
}

/// What the token of a REST request must be for: the URL of the request, without its query.
///
/// The schemes `http`, `https`, `ws` and `wss` are the same; case makes no difference. An audience that goes
/// on with `/` or `?` after that is fine too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RestAudience<'a> {
    /// The host that the request was sent to, with the port as in the header `Host`.
    pub host: &'a str,
    /// The path of the request as it was sent, not decoded, without the query.
    pub path: &'a str,
}

impl RestAudience<'_> {
    pub(super) fn check(self, claims: &Claims) -> Result<(), TokenError> {
        let actual = audiences(claims)?;
        let path = self.path.trim_end_matches('/');
        let decoded = format!("{}{}", self.host, decode_path(path));
        // A client may sign the path as it sends it, where a single decoding would also undo `%2F`.
        let sent = format!("{}{path}", self.host);
        let accepts = |text: &str| {
            after_scheme(text)
                .is_some_and(|location| covers(location, &decoded) || covers(location, &sent))
        };
        let fits = actual.iter().any(|text| accepts(text) || accepts(&decode_once(text)));
        if fits && !self.host.is_empty() { Ok(()) } else { Err(refused(decoded, &actual)) }
    }
}

/// What tokens of Microsoft Entra ID are for.
#[cfg(feature = "rest")]
const ENTRA: &str = "https://webpubsub.azure.com";

/// Checks that a token is for the service as Microsoft Entra ID names it.
#[cfg(feature = "rest")]
pub(super) fn check_entra(claims: &Claims) -> Result<(), TokenError> {
    let actual = audiences(claims)?;
    let is_entra = |text: &&str| text.trim_end_matches('/').eq_ignore_ascii_case(ENTRA);
    if actual.iter().any(is_entra) { Ok(()) } else { Err(refused(ENTRA.to_owned(), &actual)) }
}

/// Tells whether a location is the target, or goes on after it with a new segment or a query.
fn covers(location: &str, target: &str) -> bool {
    after_prefix(location, target)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

/// Returns the entries of `aud`; none when it is absent.
fn audiences(claims: &Claims) -> Result<Vec<&str>, TokenError> {
    let wrong = TokenError::Claim { name: "aud" };
    match claims.get("aud") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one]),
        Some(Value::Array(several)) => {
            several.iter().map(|each| each.as_str().ok_or(wrong.clone())).collect()
        }
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Err(wrong),
    }
}

fn refused(expected: String, actual: &[&str]) -> TokenError {
    TokenError::Audience { expected, actual: actual.iter().map(|&each| each.to_owned()).collect() }
}

/// Returns what follows one of the schemes that all count as the same.
fn after_scheme(url: &str) -> Option<&str> {
    ["http://", "https://", "ws://", "wss://"]
        .into_iter()
        .find_map(|scheme| after_prefix(url, scheme))
}

/// Returns what follows a prefix, without regard to the case of ASCII letters.
fn after_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (start, rest) = text.split_at_checked(prefix.len())?;
    start.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// Returns the last parameter `hub` of a query, not decoded.
fn hub_parameter(query: &str) -> Option<&str> {
    let mut pairs = query.rsplit('&').filter_map(|pair| pair.split_once('='));
    pairs.find_map(|(name, value)| name.eq_ignore_ascii_case("hub").then_some(value))
}

fn is_same_hub(encoded: &str, hub: &str) -> bool {
    percent_decode_str(encoded).decode_utf8().is_ok_and(|name| name.eq_ignore_ascii_case(hub))
}

/// Decodes the path of a request as the service sees it: all of it except `%2F`.
fn decode_path(path: &str) -> String {
    // A slash in a name must not become a boundary, so its escape is escaped before all are undone.
    let kept = path.replace("%2F", "%252F").replace("%2f", "%252f");
    percent_decode_str(&kept).decode_utf8().map_or_else(|_| path.to_owned(), Cow::into_owned)
}

/// Decodes an audience once, as a form value: `+` is a space.
fn decode_once(text: &str) -> String {
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8_lossy().into_owned()
}
