//! Data that is kept.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::protocol::Data;

/// The data of a message, kept: [`Data`] that borrows from nothing.
///
/// ```
/// use hubcast::Data;
/// use hubcast::testing::Payload;
///
/// let payload = Payload::from(Data::Json("[1]"));
/// assert_eq!(payload, Payload::Json("[1]".into()));
/// assert_eq!(payload.lend(), Data::Json("[1]"));
/// assert_eq!(Payload::text("hi").as_text(), Some("hi"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// Text.
    Text(String),
    /// A JSON value.
    Json(String),
    /// Bytes.
    Binary(Vec<u8>),
    /// A serialized `google.protobuf.Any`.
    Protobuf(Vec<u8>),
}

impl Payload {
    /// Makes a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Returns the text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Json(_) | Self::Binary(_) | Self::Protobuf(_) => None,
        }
    }

    /// Lends it to an engine.
    pub fn lend(&self) -> Data<'_> {
        match self {
            Self::Text(text) => Data::Text(text),
            Self::Json(text) => Data::Json(text),
            Self::Binary(bytes) => Data::Binary(bytes),
            Self::Protobuf(bytes) => Data::Protobuf(bytes),
        }
    }
}

impl From<Data<'_>> for Payload {
    fn from(data: Data<'_>) -> Self {
        match data {
            Data::Text(text) => Self::Text(text.to_owned()),
            Data::Json(text) => Self::Json(text.to_owned()),
            Data::Binary(bytes) => Self::Binary(bytes.to_owned()),
            Data::Protobuf(bytes) => Self::Protobuf(bytes.to_owned()),
        }
    }
}

/// Names with values, in their order: metadata, or the entries of a state.
pub type Entries = Vec<(String, String)>;
