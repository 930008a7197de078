//! Tokens that mean harm.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hubcast::token::{ClientToken, RestAudience, TokenError, verify_client, verify_rest};
use proptest::prelude::*;
use serde_json::json;

use crate::{CHAT, HOST, KEY, NOW, keys, signed, token};

/// A token is bounded before anything is done with it, and nesting does not exhaust the stack.
#[test]
fn hostile_sizes() {
    let long = "a".repeat(64 * 1024 + 1);
    assert_eq!(verify_client(&long, &keys(), CHAT, NOW), Err(TokenError::Malformed));
    let deep = format!("{{\"alg\":{}", "[".repeat(40_000));
    let deep = signed(&deep, "{}", KEY);
    assert_eq!(verify_client(&deep, &keys(), CHAT, NOW), Err(TokenError::Malformed));
}

/// What the host logs tells what was wrong, but neither token nor key.
#[test]
fn texts_of_errors() {
    let token = token(&json!({"aud": "http://example.com/client/hubs/chat", "exp": NOW.as_secs()}));
    let text = verify_client(&token, &keys(), CHAT, NOW).unwrap_err().to_string();
    assert!(text.contains("localhost:8080/client/hubs/chat"), "{text}");
    assert!(text.contains("http://example.com/client/hubs/chat"), "{text}");
    assert!(!text.contains("eyJ") && !text.contains(KEY), "{text}");
}

/// A valid token with any one byte changed is refused.
#[test]
fn changed_tokens_are_refused() {
    let token =
        ClientToken { endpoint: "http://localhost:8080", hub: "chat", ..Default::default() }
            .mint(&keys(), NOW)
            .unwrap();
    assert!(verify_client(&token, &keys(), CHAT, NOW).is_ok());
    for position in 0..token.len() {
        for byte in (0..128_u8).filter(|&byte| byte != token.as_bytes()[position]) {
            let mut changed = token.clone().into_bytes();
            changed[position] = byte;
            let changed = String::from_utf8(changed).unwrap();
            assert!(verify_client(&changed, &keys(), CHAT, NOW).is_err(), "{position}: {byte}");
        }
    }
}

proptest! {
    /// Nothing that a peer sends as a token makes the library panic or passes.
    #[test]
    fn garbage_is_refused(text in "\\PC*", parts in prop::collection::vec(any::<Vec<u8>>(), 0..5)) {
        prop_assert!(verify_client(&text, &keys(), CHAT, NOW).is_err());
        let encoded: Vec<String> = parts.iter().map(|part| URL_SAFE_NO_PAD.encode(part)).collect();
        prop_assert!(verify_client(&encoded.join("."), &keys(), CHAT, NOW).is_err());
        let payload = String::from_utf8_lossy(&parts.concat()).into_owned();
        let token = signed(r#"{"alg":"HS256"}"#, &payload, KEY);
        prop_assert!(verify_client(&token, &keys(), CHAT, NOW).is_err());
        let audience = RestAudience { host: HOST, path: &text };
        prop_assert!(verify_rest(&token, &keys(), audience, NOW).is_err());
    }

    /// No audience makes the library panic.
    #[test]
    fn audiences_do_not_panic(audience in "(http://|wss:/|)\\PC{0,9}(/client/|%|\\?|&|=|hub|\\PC){0,9}") {
        let claims = json!({"aud": audience, "exp": NOW.as_secs()});
        let _ = verify_client(&token(&claims), &keys(), CHAT, NOW);
        let path = RestAudience { host: HOST, path: &audience };
        let _ = verify_rest(&token(&claims), &keys(), path, NOW);
    }
}
