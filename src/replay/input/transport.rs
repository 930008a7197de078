//! What comes from transports, kept.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::codec;
use crate::input::{Closed, Incoming};

/// [`Incoming`], kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are those of `Incoming`")]
#[non_exhaustive]
pub enum Message<'a> {
    Text(Cow<'a, str>),
    Binary(#[serde(with = "codec::bytes")] Cow<'a, [u8]>),
    Alive,
    TooLarge,
    Malformed,
    NotUtf8,
}

/// [`Closed`], kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are those of `Closed`")]
#[non_exhaustive]
pub enum Ending<'a> {
    Clean { code: u16, reason: Cow<'a, str> },
    Lost,
    SlowConsumer,
}

impl<'a> From<Incoming<'a>> for Message<'a> {
    fn from(message: Incoming<'a>) -> Self {
        match message {
            Incoming::Text(text) => Self::Text(text.into()),
            Incoming::Binary(bytes) => Self::Binary(bytes.into()),
            Incoming::Alive => Self::Alive,
            Incoming::TooLarge => Self::TooLarge,
            Incoming::Malformed => Self::Malformed,
            Incoming::NotUtf8 => Self::NotUtf8,
        }
    }
}

impl Message<'_> {
    pub(super) fn lend(&self) -> Incoming<'_> {
        match self {
            Self::Text(text) => Incoming::Text(text),
            Self::Binary(bytes) => Incoming::Binary(bytes),
            Self::Alive => Incoming::Alive,
            Self::TooLarge => Incoming::TooLarge,
            Self::Malformed => Incoming::Malformed,
            Self::NotUtf8 => Incoming::NotUtf8,
        }
    }
}

impl<'a> From<Closed<'a>> for Ending<'a> {
    fn from(closed: Closed<'a>) -> Self {
        match closed {
            Closed::Clean { code, reason } => Self::Clean { code, reason: reason.into() },
            Closed::Lost => Self::Lost,
            Closed::SlowConsumer => Self::SlowConsumer,
        }
    }
}

impl Ending<'_> {
    pub(super) fn lend(&self) -> Closed<'_> {
        match self {
            Self::Clean { code, reason } => Closed::Clean { code: *code, reason },
            Self::Lost => Closed::Lost,
            Self::SlowConsumer => Closed::SlowConsumer,
        }
    }
}
