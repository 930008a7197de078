//! From the response of an event handler to the answer that it means (`webpubsub.md` 8.3, 8.5).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::{fmt, str};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Response, StatusCode};
use thiserror::Error;

use super::admission::OwnedAdmission;
use super::request::STATE;
use crate::event::{self, Answer};
use crate::protocol::Data;
use crate::rest::cloud_event::METADATA;

/// What a response means, for [`Engine::answer`](crate::Engine::answer).
///
/// It owns its parts, so it may travel to the task that owns the engine.
///
/// ```
/// use bytes::Bytes;
/// use hubcast::rest::webhook::HandlerAnswer;
/// use hubcast::{Answer, Data};
///
/// let response = http::Response::builder()
///     .header("Content-Type", "text/plain; charset=utf-8")
///     .body(Bytes::from_static(b"welcome"))?;
/// HandlerAnswer::of_event(&response)?.with_answer(|answer| {
///     let Answer::Reply(reply) = answer else { unreachable!() };
///     assert_eq!(reply.data, Some(Data::Text("welcome")));
///     // engine.answer(call, answer, now)
/// });
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HandlerAnswer(Meaning);

#[derive(Clone, PartialEq, Eq)]
enum Meaning {
    Accept(OwnedAdmission),
    Refuse(StatusCode),
    Reply { kind: Kind, body: Bytes, metadata: Vec<(String, String)>, state: Option<String> },
    Fail,
}

/// What kind of data a body is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Checked to be UTF-8.
    Text,
    /// Checked to be UTF-8; that it is JSON is for the engine to check.
    Json,
    Binary,
    Protobuf,
}

/// Why a response is not an answer: the event has failed, and a client that wants to connect gets status 500.
///
/// Its text holds nothing of the response, so it may be logged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The status is not one of success. Redirections count among them: they are not followed.
    #[error("the handler answered with status {0}")]
    Status(u16),
    /// The body has more than [`HandlerAnswer::BYTES_MAX`].
    #[error("the body of the answer is too large")]
    BodyTooLarge,
    /// The headers have more than 64 KiB.
    #[error("the headers of the answer are too large")]
    HeadersTooLarge,
    /// Nobody knows what the body is.
    #[error("the answer has a content type that is no message")]
    ContentType,
    /// A text is not UTF-8.
    #[error("the answer is not UTF-8")]
    NotUtf8,
    /// The state is more than ASCII, so no request could carry it.
    #[error("the header ce-connectionState of the answer is not ASCII")]
    State,
    /// The answer to `connect` is not JSON, or says what makes no sense.
    #[error("the answer to connect is malformed")]
    Malformed,
}

/// The most bytes of headers that are read, names and values together.
const HEADER_BYTES_MAX: usize = 64 * 1024;

impl HandlerAnswer {
    /// The most bytes of a body: 16 MiB. A host that reads a response stops after them.
    pub const BYTES_MAX: usize = 16 * 1024 * 1024;

    /// What a handler said that could not be asked.
    pub const FAIL: Self = Self(Meaning::Fail);

    /// Reads the response to `connect`.
    ///
    /// Success lets the client in: a body that is not empty is an object with `userId`, `groups`, `roles` and
    /// `subprotocol`, in any case of the names, all optional. A status of 400 or above refuses the client with this
    /// status; nothing else of that response comes through.
    ///
    /// # Errors
    ///
    /// Returns why the response makes no sense.
    pub fn of_connect(response: &Response<Bytes>) -> Result<Self, AnswerError> {
        let status = response.status();
        if (400..600).contains(&status.as_u16()) {
            return Ok(Self(Meaning::Refuse(status)));
        }
        check(response)?;
        let mut admission = OwnedAdmission::read(response.body()).ok_or(AnswerError::Malformed)?;
        admission.state = state(response.headers())?;
        Ok(Self(Meaning::Accept(admission)))
    }

    /// Reads the response to an event of a client.
    ///
    /// The body is the reply, of the kind that the content type says; without one it is binary. Headers
    /// `X-WebPubSub-Metadata-*` are its metadata: of a repeated one the last counts, and of that the part after the
    /// last comma.
    ///
    /// # Errors
    ///
    /// Returns why the event has failed.
    pub fn of_event(response: &Response<Bytes>) -> Result<Self, AnswerError> {
        check(response)?;
        let (headers, body) = (response.headers(), response.body().clone());
        let content_type = headers.get(CONTENT_TYPE);
        let kind = if body.is_empty() { Kind::Text } else { kind(content_type)? };
        match kind {
            Kind::Text | Kind::Json => {
                str::from_utf8(&body).map_err(|_| AnswerError::NotUtf8)?;
            }
            Kind::Binary | Kind::Protobuf => {}
        }
        let (metadata, state) = (metadata(headers), state(headers)?);
        Ok(Self(Meaning::Reply { kind, body, metadata, state }))
    }

    /// Checks the response to an event that nobody waits for: all that counts is that it is one of success.
    pub(super) fn of_notification(response: &Response<Bytes>) -> Result<(), AnswerError> {
        check(response)
    }

    /// Lends the answer, and returns what the function returns.
    pub fn with_answer<R>(&self, answer: impl FnOnce(Answer<'_>) -> R) -> R {
        match &self.0 {
            Meaning::Accept(admission) => {
                admission.with_admission(|admission| answer(Answer::Accept(admission)))
            }
            Meaning::Refuse(status) => {
                answer(Answer::Refuse { status: status.as_u16(), reason: REFUSED })
            }
            Meaning::Reply { kind, body, metadata, state } => {
                let text = || str::from_utf8(body).expect("checked when it was read");
                let data = match kind {
                    Kind::Text => Data::Text(text()),
                    Kind::Json => Data::Json(text()),
                    Kind::Binary => Data::Binary(body),
                    Kind::Protobuf => Data::Protobuf(body),
                };
                let data = Some(data).filter(|data| !data.is_empty());
                let metadata: Vec<(&str, &str)> =
                    metadata.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
                let state = state.as_deref();
                answer(Answer::Reply(event::Response { data, metadata: &metadata, state }))
            }
            Meaning::Fail => answer(Answer::Fail),
        }
    }

    /// Tells whether it lets a client in.
    pub(super) fn accepts(&self) -> bool {
        matches!(self.0, Meaning::Accept(_))
    }
}

impl fmt::Debug for HandlerAnswer {
    /// Says what kind of answer it is, not what is in it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Meaning::Accept(_) => f.write_str("Accept(..)"),
            Meaning::Refuse(status) => write!(f, "Refuse({})", status.as_u16()),
            Meaning::Reply { body, .. } => write!(f, "Reply({} bytes)", body.len()),
            Meaning::Fail => f.write_str("Fail"),
        }
    }
}

/// What a client reads whose `connect` was refused (`emulator.md` 12).
const REFUSED: &str = "The connect event handler rejected the connection.";

/// Checks what every answer has to be.
fn check(response: &Response<Bytes>) -> Result<(), AnswerError> {
    if !response.status().is_success() {
        return Err(AnswerError::Status(response.status().as_u16()));
    }
    if response.body().len() > HandlerAnswer::BYTES_MAX {
        return Err(AnswerError::BodyTooLarge);
    }
    let headers = response.headers().iter();
    let bytes: usize = headers.map(|(name, value)| name.as_str().len() + value.len()).sum();
    if bytes > HEADER_BYTES_MAX { Err(AnswerError::HeadersTooLarge) } else { Ok(()) }
}

/// Tells what a body is that is not empty. Parameters of the type make no difference, an empty one is none.
fn kind(content_type: Option<&HeaderValue>) -> Result<Kind, AnswerError> {
    let Some(value) = content_type else { return Ok(Kind::Binary) };
    let value = value.to_str().map_err(|_| AnswerError::ContentType)?;
    let essence = value.split(';').next().unwrap_or_default().trim();
    match essence.to_ascii_lowercase().as_str() {
        "" | "application/octet-stream" => Ok(Kind::Binary),
        "text/plain" => Ok(Kind::Text),
        "application/json" => Ok(Kind::Json),
        "application/x-protobuf" => Ok(Kind::Protobuf),
        _ => Err(AnswerError::ContentType),
    }
}

/// Reads what to remember for the connection; of repeated headers the last (`emulator.md` 12).
fn state(headers: &HeaderMap) -> Result<Option<String>, AnswerError> {
    let Some(value) = headers.get_all(STATE).iter().next_back() else { return Ok(None) };
    let value = value.to_str().map_err(|_| AnswerError::State)?;
    Ok(Some(value.to_owned()))
}

/// Reads the metadata of a reply, by key. Keys come in lower case, as names of headers are.
fn metadata(headers: &HeaderMap) -> Vec<(String, String)> {
    let mut pairs = BTreeMap::new();
    for (name, value) in headers {
        let Some(key) = name.as_str().strip_prefix(METADATA).filter(|key| !key.is_empty()) else {
            continue;
        };
        let value = String::from_utf8_lossy(value.as_bytes());
        let last = value.rsplit(',').next().unwrap_or_default().trim();
        pairs.insert(key.to_owned(), last.to_owned());
    }
    pairs.into_iter().collect()
}
