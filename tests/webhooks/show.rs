//! How requests and outcomes are shown.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Request;
use hubcast::Time;
use hubcast::rest::webhook::WebhookOutcome;

use super::host::START;

pub(crate) fn headers(request: &Request<Bytes>) -> Vec<String> {
    let value = |value: &http::HeaderValue| match str::from_utf8(value.as_bytes()) {
        Ok(text) => text.to_owned(),
        Err(_) => hexadecimal(value.as_bytes()),
    };
    let mut lines: Vec<String> =
        request.headers().iter().map(|(name, it)| format!("{name}: {}", value(it))).collect();
    lines.sort();
    lines
}

pub(crate) fn body(request: &Request<Bytes>) -> String {
    match str::from_utf8(request.body()) {
        Ok(text) if text.len() > 1000 => format!("({} bytes)", text.len()),
        Ok(text) if !text.contains(char::is_control) => text.into(),
        Ok(_) | Err(_) => hexadecimal(request.body()),
    }
}

pub(crate) fn finish(outcome: &WebhookOutcome) -> String {
    let WebhookOutcome { hub, event, attempts, duration, result, .. } = outcome;
    assert_eq!(&**hub, "chat");
    let after = if duration.is_zero() {
        String::new()
    } else {
        format!(" after {}", moment(START + *duration))
    };
    match result {
        Ok(status) => format!("finish {event} {status}{after} attempts={attempts}"),
        Err(error) => format!("finish {event} failed{after} attempts={attempts}: {error}"),
    }
}

/// Shows a moment as the time since the start.
pub(crate) fn moment(time: Time) -> String {
    let millis = time.since(START).as_millis();
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

pub(crate) fn words<const N: usize>(words: [&str; N]) -> String {
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
