//! What a response and a log may show.

use hubcast::Time;
use hubcast::rest::Api;
use hubcast::token::TokenError;

use crate::request::{NOW, keys, request};

/// Why a token was refused is for the host alone, and the token itself for nobody.
#[test]
fn only_the_host_learns_why_a_token_was_refused() {
    let api = Api::new(keys());
    for (kind, cause) in [
        ("token: other", Some(TokenError::Signature)),
        ("token: entra", Some(TokenError::Algorithm)),
        ("token: expired", Some(TokenError::Expired { at: Time::from_secs(1_780_000_060) })),
        ("token: none", None),
    ] {
        let request = request("POST /api/hubs/chat/:send", &[kind.to_owned(), "| hi".to_owned()]);
        let response = api.read(&request, NOW).expect_err("nobody may send so");
        assert_eq!(response.status(), 401, "{kind}");
        assert!(response.body().is_empty(), "{kind}");
        assert_eq!(response.extensions().get::<TokenError>(), cause.as_ref(), "{kind}");
        let authorization = request.headers().get("authorization");
        let token = authorization.map_or("nobody", |value| value.to_str().unwrap());
        assert!(!format!("{response:?}").contains(token), "{kind}");
    }
}

/// A host may log an operation: neither what is sent nor a token that is handed out is in it.
#[test]
fn an_operation_does_not_show_what_it_carries() {
    let api = Api::new(keys());
    let send = request("POST /api/hubs/chat/:send", &["| confidential".to_owned()]);
    let shown = format!("{:?}", api.read(&send, NOW).unwrap());
    assert_eq!(shown, r#"Operation { hub: "chat", deed: "Send" }"#);
    let generate = "POST /api/hubs/chat/:generateToken";
    let generate = request(generate, &["token: trusted".to_owned()]);
    let shown = format!("{:?}", api.read(&generate, NOW).unwrap());
    assert_eq!(shown, r#"Operation { hub: "chat", deed: "GenerateToken" }"#);
    assert!(!format!("{api:?}").contains("ABCDEFGH"));
}
