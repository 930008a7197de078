//! What a token says.

use hubcast::token::TokenError;
use serde_json::json;

use crate::client;

/// `webpubsub.md` 2.2: what the claims mean.
#[test]
fn claims_of_clients() {
    let said = client(json!({
        "sub": "alice smith+é/1",
        "role": "webpubsub.sendToGroup",
        "webpubsub.group": ["a", "b"],
        "tenant": ["t9", 7],
        "vip": true,
        "place": {"x": 1},
        "nothing": null,
    }))
    .unwrap();
    assert_eq!(said.user.as_deref(), Some("alice smith+é/1"));
    assert_eq!(said.roles, ["webpubsub.sendToGroup"]);
    assert_eq!(said.groups, ["a", "b"]);
    let values = |name: &str| -> Vec<&str> {
        let named = said.claims.iter().filter(|(each, _)| each == name);
        named.map(|(_, value)| value.as_str()).collect()
    };
    assert_eq!(values("webpubsub.group"), ["a", "b"]);
    assert_eq!(values("tenant"), ["t9", "7"]);
    assert_eq!(values("vip"), ["true"]);
    assert_eq!(values("place"), [r#"{"x":1}"#]);
    assert_eq!(values("nothing"), ["null"]);
    assert_eq!(values("exp"), ["1790000060"]);
    assert_eq!(values("sub"), ["alice smith+é/1"]);

    let long = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";
    for (claims, user) in [
        (json!({}), None),
        (json!({"sub": ""}), Some("")),
        (json!({"sub": null}), None),
        (json!({ long: "bob" }), Some("bob")),
        (json!({ long: "bob", "sub": "alice" }), Some("alice")),
        (json!({ long: "bob", "sub": "" }), Some("")),
    ] {
        assert_eq!(client(claims.clone()).unwrap().user.as_deref(), user, "{claims}");
    }
    for (claims, name) in [
        (json!({"sub": 5}), "sub"),
        (json!({"sub": ["alice"]}), "sub"),
        (json!({ long: false }), long),
        (json!({"role": 5}), "role"),
        (json!({"role": ["a", null]}), "role"),
        (json!({"role": {"a": 1}}), "role"),
        (json!({"webpubsub.group": [1]}), "webpubsub.group"),
        (json!({"aud": 5}), "aud"),
        (json!({"aud": ["http://localhost:8080/client/hubs/chat", 5]}), "aud"),
    ] {
        assert_eq!(client(claims.clone()), Err(TokenError::Claim { name }), "{claims}");
    }
}
