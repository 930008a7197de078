//! When a token is valid.

use hubcast::Time;
use hubcast::token::TokenError;
use serde_json::json;

use crate::client;

/// Five minutes of skew both ways; fractions of a second count.
#[test]
fn lifetimes() {
    let now = 1_790_000_000_u64;
    let expired = |secs| Some(TokenError::Expired { at: Time::from_secs(secs) });
    let wrong = |name| Some(TokenError::Claim { name });
    for (claims, expected) in [
        (json!({"exp": now}), None),
        (json!({"exp": now - 300}), None),
        (json!({"exp": now - 301}), expired(now - 301)),
        (json!({"exp": 1_789_999_700.25}), None),
        (
            json!({"exp": 1_789_999_699.5}),
            Some(TokenError::Expired { at: Time::from_millis(1_789_999_699_500) }),
        ),
        (json!({"exp": 4.1e9}), None),
        (json!({"exp": 1e300}), None),
        (json!({"exp": u64::MAX}), None),
        (json!({"exp": -1}), expired(0)),
        (json!({"exp": 0}), expired(0)),
        (json!({"exp": null}), Some(TokenError::NoExpiry)),
        (json!({"exp": "4102444800"}), wrong("exp")),
        (json!({"nbf": now + 300}), None),
        (
            json!({"nbf": now + 301}),
            Some(TokenError::NotYetValid { from: Time::from_secs(now + 301) }),
        ),
        (json!({"nbf": [now]}), wrong("nbf")),
        (json!({"iat": now + 9999}), None),
    ] {
        assert_eq!(client(claims.clone()).err(), expected, "{claims}");
    }
}
