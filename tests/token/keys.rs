//! Keys and signatures.

use hubcast::token::{AccessKey, AccessKeys, ClientToken, KeyError, TokenError, verify_client};
use serde_json::json;

use crate::{CHAT, KEY, NOW, OTHER_KEY, keys, signed};

/// `webpubsub.md` 2.1.
#[test]
fn rules_of_keys() {
    for (text, expected) in [
        ("x".repeat(31), Some(KeyError::TooShort)),
        ("x".repeat(32), None),
        ("é".repeat(16), None),
        (format!("{KEY};"), Some(KeyError::Semicolon)),
        (format!("{KEY}\u{7}x"), Some(KeyError::ControlCharacter)),
        (format!(" {KEY}"), Some(KeyError::OuterWhitespace)),
        (format!("{KEY}\u{a0}"), Some(KeyError::OuterWhitespace)),
        (format!("{KEY} {KEY}"), None),
    ] {
        assert_eq!(AccessKey::new(text.clone()).err(), expected, "{text:?}");
    }
    assert!(!format!("{:?}", keys()).contains("ABC"));
}

/// Either key signs; another one does not.
#[test]
fn two_keys() {
    let both = AccessKeys {
        primary: AccessKey::new(KEY).unwrap(),
        secondary: Some(AccessKey::new(OTHER_KEY).unwrap()),
    };
    let claims =
        json!({"aud": "http://localhost:8080/client/hubs/chat", "exp": NOW.as_secs()}).to_string();
    let made_with = |key| signed(r#"{"alg":"HS256","kid":"0"}"#, &claims, key);
    assert!(verify_client(&made_with(KEY), &both, CHAT, NOW).is_ok());
    assert!(verify_client(&made_with(OTHER_KEY), &both, CHAT, NOW).is_ok());
    let stranger = "a-key-of-somebody-else-with-enough-bytes";
    for (token, keys) in [(made_with(stranger), &both), (made_with(OTHER_KEY), &keys())] {
        assert_eq!(verify_client(&token, keys, CHAT, NOW), Err(TokenError::Signature));
    }
    let minted =
        ClientToken { endpoint: "http://localhost:8080", hub: "chat", ..Default::default() }
            .mint(&both, NOW)
            .unwrap();
    assert!(verify_client(&minted, &keys(), CHAT, NOW).is_ok(), "the primary key signs");
}

/// Only HS256, whatever a token says of itself.
#[test]
fn algorithms() {
    let claims =
        json!({"aud": "http://localhost:8080/client/hubs/chat", "exp": NOW.as_secs()}).to_string();
    for (header, expected) in [
        (r#"{"alg":"HS256","typ":"JWT"}"#, None),
        (r#"{"alg":"none"}"#, Some(TokenError::Algorithm)),
        (r#"{"alg":"hs256"}"#, Some(TokenError::Algorithm)),
        (r#"{"alg":"HS512"}"#, Some(TokenError::Algorithm)),
        (r#"{"alg":"RS256"}"#, Some(TokenError::Algorithm)),
        (r#"{"alg":["HS256"]}"#, Some(TokenError::Algorithm)),
        ("{}", Some(TokenError::Algorithm)),
        ("[]", Some(TokenError::Malformed)),
        ("", Some(TokenError::Malformed)),
        (r#"{"alg":"HS256","crit":["b64"]}"#, Some(TokenError::Malformed)),
    ] {
        let token = signed(header, &claims, KEY);
        assert_eq!(verify_client(&token, &keys(), CHAT, NOW).err(), expected, "{header}");
    }
    let unsigned = signed(r#"{"alg":"HS256"}"#, &claims, KEY);
    let unsigned = unsigned.rsplit_once('.').unwrap().0;
    assert_eq!(
        verify_client(&format!("{unsigned}."), &keys(), CHAT, NOW),
        Err(TokenError::Signature)
    );
    assert_eq!(verify_client(unsigned, &keys(), CHAT, NOW), Err(TokenError::Malformed));
}
