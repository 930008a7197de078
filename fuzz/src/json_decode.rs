//! Text from JSON clients: decoding never panics, and what is passed on to others is valid JSON.

use hubcast::internals::{decode_json, is_json};
use serde_json::value::RawValue;

/// Decodes the bytes as one text message; bytes that are not UTF-8 never get that far.
pub fn run(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let oracle = serde_json::from_str::<&RawValue>(text).is_ok();
    assert_eq!(is_json(text), oracle, "whether it is JSON: {text:?}");

    let mut scratch = Vec::new();
    let decoded = decode_json(text, &mut scratch);
    assert!(decoded.is_none() || oracle, "decoded, but no JSON: {text:?}");
    assert!(decoded.is_none_or(|length| length <= text.len()), "the payload grew: {text:?}");

    let again = decode_json(text, &mut scratch);
    assert_eq!(decoded, again, "what lies in the scratch space makes no difference: {text:?}");
}
