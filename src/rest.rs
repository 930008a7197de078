//! The HTTP edge: pure functions over the types of the crate `http`, for any server.
//!
//! A WebSocket host calls [`handshake`] for a request that asks for an upgrade, opens a connection with
//! what comes back, and finishes the upgrade when the engine accepts it or answers with [`refusal`].
//! Event handlers behind HTTP are asked through [`webhook`].
//! What a server asks over HTTP is for [`Api`]. [`EventMessage`] is an event as a broker or a log gets it.

mod api;
mod cloud_event;
mod handshake;
mod headers;
mod query;
mod upgrade;
pub mod webhook;

use alloc::borrow::ToOwned;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Response, StatusCode};

pub use self::api::{Api, Operation, Trusted};
pub use self::cloud_event::EventMessage;
pub use self::handshake::{Handshake, handshake};
pub use self::upgrade::is_client_path;
use crate::action::Refuse;

/// Makes the response to a handshake that the engine refused.
///
/// A status outside of 300 to 599 becomes 500: the answer must not look like a success.
///
/// ```
/// use hubcast::{Action, Config, Engine, Open, Time, rest};
///
/// # fn carry_out(action: Action<'_>) {
/// if let Action::Refuse(refuse) = action {
///     let response: http::Response<bytes::Bytes> = rest::refusal(&refuse);
///     // ... hand it to the HTTP server in place of the upgrade
/// #   let _ = response;
/// }
/// # }
/// ```
pub fn refusal(refuse: &Refuse<'_>) -> Response<Bytes> {
    respond(refusal_status(refuse.status), Bytes::from(refuse.reason.to_owned()))
}

fn refusal_status(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .ok()
        .filter(|_| (300..600).contains(&status))
        .unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

/// Makes a response with a text for people, which may be empty.
fn respond(status: StatusCode, body: Bytes) -> Response<Bytes> {
    let has_body = !body.is_empty();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    if has_body {
        let plain = HeaderValue::from_static("text/plain; charset=utf-8");
        response.headers_mut().insert(CONTENT_TYPE, plain);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A refusal never looks like a success.
    #[test]
    fn statuses_of_refusals() {
        for (status, expected) in [
            (300, 300),
            (401, 401),
            (429, 429),
            (599, 599),
            (0, 500),
            (101, 500),
            (200, 500),
            (299, 500),
            (600, 500),
            (u16::MAX, 500),
        ] {
            assert_eq!(refusal_status(status).as_u16(), expected, "{status}");
        }
    }

    #[test]
    fn only_a_text_has_a_type() {
        for (text, content_type) in [("", None), ("Why not.", Some("text/plain; charset=utf-8"))] {
            let response = respond(StatusCode::FORBIDDEN, Bytes::from_static(text.as_bytes()));
            assert_eq!(response.body(), text);
            let actual = response.headers().get(CONTENT_TYPE);
            assert_eq!(actual.map(|value| value.to_str().unwrap()), content_type);
        }
    }
}
