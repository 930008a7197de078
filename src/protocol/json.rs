//! `json.webpubsub.azure.v1`: one JSON object in every text message (`webpubsub.md` 3).
//!
//! Payloads pass through as the bytes that came in. So nothing is parsed into a tree: [`scan`] checks the
//! grammar and cuts slices, [`decode`](decode()) gives them meaning, [`encode`](encode()) splices them back.

mod decode;
mod encode;
#[cfg(feature = "replay")]
pub(crate) mod redact;
mod scan;
mod text;

pub(crate) use self::decode::decode;
#[cfg(feature = "rest")]
pub(crate) use self::encode::put_string;
pub(crate) use self::encode::{PONG, encode, size_hint};
pub(crate) use self::scan::is_valid;
#[cfg(feature = "rest")]
pub(crate) use self::scan::visit_object;

#[cfg(test)]
mod tests;
