//! What every published message carries.

use std::fmt;

use hubcast::testing::Payload;

/// What every published message carries: who published it, and the how manieth of the publisher it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mark {
    /// `None` is the server.
    pub(crate) publisher: Option<usize>,
    pub(crate) number: u64,
}

impl Mark {
    pub(crate) fn client(client: usize, number: u64) -> Self {
        Self { publisher: Some(client), number }
    }

    pub(crate) fn server(number: u64) -> Self {
        Self { publisher: None, number }
    }

    /// Finds a mark in the data of a message.
    pub(crate) fn read(data: &[u8]) -> Option<Self> {
        let start = data.iter().position(|byte| *byte == b'<')?;
        let text = std::str::from_utf8(&data[start + 1..]).ok()?;
        let (publisher, number) = text.split('>').next()?.split_once(':')?;
        Some(Self { publisher: publisher.parse().ok(), number: number.parse().ok()? })
    }

    pub(crate) fn of(payload: &Payload) -> Option<Self> {
        match payload {
            Payload::Text(text) | Payload::Json(text) => Self::read(text.as_bytes()),
            Payload::Binary(bytes) | Payload::Protobuf(bytes) => Self::read(bytes),
        }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.publisher {
            Some(client) => write!(f, "<{client}:{}>", self.number),
            None => write!(f, "<server:{}>", self.number),
        }
    }
}
