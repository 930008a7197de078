//! `protobuf.webpubsub.azure.v1`: one protobuf message in every binary message (`webpubsub.md` 5).
//!
//! Payloads pass through as the bytes that came in, as in JSON. [`wire`] reads and writes fields and knows no
//! message, [`decode`](decode()) and [`Measured`] know the numbers.

mod decode;
mod encode;
#[cfg(feature = "replay")]
pub(crate) mod redact;
mod wire;

pub(crate) use self::decode::{decode, is_any};
pub(crate) use self::encode::Measured;

#[cfg(test)]
mod tests;
