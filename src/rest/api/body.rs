//! The body of a request: its length, its type and its text (`webpubsub.md` 9.3, `emulator.md` 10).

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, Request, StatusCode};

use super::Api;
use super::fault::Fault;
use crate::protocol::{Data, json};

/// The data of a message.
#[derive(Clone)]
pub(super) enum Content {
    Text(String),
    Json(String),
    Binary(Bytes),
}

impl Content {
    /// Reads what is sent. Whether a JSON text is valid is left to the engine, which looks at it anyway.
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, Fault> {
        check_length(request)?;
        let body = request.body();
        let Some(media) = Media::read(request.headers())? else {
            return Ok(Self::Binary(body.clone()));
        };
        match &*media.essence {
            "text/plain" => Ok(Self::Text(media.charset()?.decode(body))),
            "application/json" => Ok(Self::Json(media.charset()?.decode_strictly(body)?)),
            "application/octet-stream" => Ok(Self::Binary(body.clone())),
            _ => Err(unsupported()),
        }
    }

    pub(super) fn lend(&self) -> Data<'_> {
        match self {
            Self::Text(text) => Data::Text(text),
            Self::Json(text) => Data::Json(text),
            Self::Binary(bytes) => Data::Binary(bytes),
        }
    }

    /// Tells whether this is what it says it is.
    pub(super) fn is_valid(&self) -> bool {
        match self {
            Self::Json(text) => json::is_valid(text),
            Self::Text(_) | Self::Binary(_) => true,
        }
    }
}

/// Reads a body that has to be JSON.
pub(super) fn read_json(request: &Request<Bytes>) -> Result<String, Fault> {
    check_length(request)?;
    let media = Media::read(request.headers())?.ok_or_else(unsupported)?;
    if media.essence != "application/json" {
        return Err(unsupported());
    }
    media.charset()?.decode_strictly(request.body())
}

pub(super) fn not_json() -> Fault {
    Fault::bad_request("The request body is not a valid JSON.")
}

/// Checks that the length is known beforehand, is true and is not too large.
fn check_length(request: &Request<Bytes>) -> Result<(), Fault> {
    let mut said = request.headers().get_all(CONTENT_LENGTH).iter();
    let length = match (said.next(), said.next()) {
        (Some(length), None) => length.to_str().ok().and_then(read_length),
        (None | Some(_), _) => None,
    };
    let fits = |length: &usize| *length <= Api::BODY_BYTES_MAX && *length == request.body().len();
    match length.filter(fits) {
        Some(_) => Ok(()),
        None => Err(Fault::bad_request("Invalid Content-Length header.")),
    }
}

fn read_length(text: &str) -> Option<usize> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

fn unsupported() -> Fault {
    Fault::bare(StatusCode::UNSUPPORTED_MEDIA_TYPE)
}

/// A media type: `text/plain; charset=utf-8`.
struct Media {
    /// Type and subtype in lower case.
    essence: String,
    /// The charset in lower case.
    charset: Option<String>,
}

impl Media {
    /// Reads the type of a body; `None` when the request says none.
    fn read(headers: &HeaderMap) -> Result<Option<Self>, Fault> {
        let mut said = headers.get_all(CONTENT_TYPE).iter();
        let Some(value) = said.next() else { return Ok(None) };
        if said.next().is_some() {
            return Err(unsupported());
        }
        let media = value.to_str().ok().and_then(Self::parse);
        media.map(Some).ok_or_else(unsupported)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(';').map(str::trim);
        let essence = parts.next()?.to_ascii_lowercase();
        let (kind, subkind) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subkind) {
            return None;
        }
        let mut charset = None;
        for parameter in parts.filter(|part| !part.is_empty()) {
            let (name, value) = parameter.split_once('=')?;
            let value = value.strip_prefix('"').map_or(Some(value), |it| it.strip_suffix('"'))?;
            if !is_token(name) {
                return None;
            }
            if name.eq_ignore_ascii_case("charset") {
                charset = Some(value.to_ascii_lowercase());
            }
        }
        Some(Self { essence, charset })
    }

    fn charset(&self) -> Result<Charset, Fault> {
        match self.charset.as_deref() {
            None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => Ok(Charset::Utf8),
            Some("utf-16" | "utf-16le") => Ok(Charset::Utf16 { big: false }),
            Some("utf-16be") => Ok(Charset::Utf16 { big: true }),
            Some("iso-8859-1" | "latin1") => Ok(Charset::Latin1),
            Some(_) => Err(unsupported()),
        }
    }
}

/// How a text is written in bytes. ASCII is UTF-8.
#[derive(Clone, Copy)]
enum Charset {
    Utf8,
    Utf16 { big: bool },
    Latin1,
}

impl Charset {
    /// Reads a text; what is invalid becomes U+FFFD.
    fn decode(self, bytes: &[u8]) -> String {
        match self {
            Self::Utf8 => match String::from_utf8_lossy(bytes) {
                Cow::Borrowed(text) => text.to_owned(),
                Cow::Owned(text) => text,
            },
            Self::Utf16 { big } => {
                let mut text = String::from_utf16_lossy(&units(bytes, big));
                if bytes.len() % 2 == 1 {
                    text.push(char::REPLACEMENT_CHARACTER);
                }
                text
            }
            Self::Latin1 => bytes.iter().copied().map(char::from).collect(),
        }
    }

    /// Reads a JSON text, which has nothing invalid in it.
    fn decode_strictly(self, bytes: &[u8]) -> Result<String, Fault> {
        match self {
            Self::Utf8 => str::from_utf8(bytes).map(ToOwned::to_owned).map_err(|_| not_json()),
            Self::Utf16 { .. } if bytes.len() % 2 == 1 => Err(not_json()),
            Self::Utf16 { big } => String::from_utf16(&units(bytes, big)).map_err(|_| not_json()),
            Self::Latin1 => Ok(self.decode(bytes)),
        }
    }
}

fn units(bytes: &[u8], big: bool) -> Vec<u16> {
    let read = if big { u16::from_be_bytes } else { u16::from_le_bytes };
    bytes.chunks_exact(2).map(|pair| read([pair[0], pair[1]])).collect()
}

/// Tells whether this is a token of HTTP (RFC 9110 5.6.2).
fn is_token(text: &str) -> bool {
    let is_token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    !text.is_empty() && text.bytes().all(is_token)
}
