//! What a token is for.

use hubcast::token::{ClientAudience, RestAudience, TokenError, verify_client, verify_rest};
use serde_json::json;

use crate::{HOST, NOW, client, keys, token};

/// `webpubsub.md` 2.4 and `emulator.md` 3.
#[test]
fn audiences_of_clients() {
    for (audience, fits) in [
        (json!("http://localhost:8080/client/hubs/chat"), true),
        (json!("https://localhost:8080/client/hubs/chat"), true),
        (json!("ws://localhost:8080/client/hubs/chat"), true),
        (json!("WSS://LOCALHOST:8080/client/hubs/CHAT"), true),
        (json!("http://localhost:8080/client/hubs/chat/"), true),
        (json!("http://localhost:8080/client/hubs/chat?x=1"), true),
        (json!("http://localhost:8080/client/hubs/%63hat"), true),
        (json!("http://localhost:8080/client/?hub=chat"), true),
        (json!("http://localhost:8080/client?hub=Chat"), true),
        (json!("http://localhost:8080/client?x=1&hub=chat"), true),
        (json!(["ftp://nowhere", "http://localhost:8080/client/hubs/chat"]), true),
        (json!([]), false),
        (json!(null), false),
        (json!(""), false),
        (json!("http://localhost:8080"), false),
        (json!("http://localhost:8080/"), false),
        (json!("http://localhost:8080/client"), false),
        (json!("http://localhost:8080/client?hub=chats"), false),
        (json!("http://localhost:8080/client?hub=chat&hub=lobby"), false),
        (json!("http://localhost:8080/client/hubs/"), false),
        (json!("http://localhost:8080/client/hubs/chats"), false),
        (json!("http://localhost:8080/client/hubs/chat//"), false),
        (json!("http://localhost:8080/client/hubs/chat/x"), false),
        (json!("http://localhost:8080/client/hubs/chat%2F"), false),
        (json!("http://localhost:8080/clients/mqtt/hubs/chat"), false),
        (json!("http://localhost:8080/api/hubs/chat"), false),
        (json!("http://localhost/client/hubs/chat"), false),
        (json!("http://example.com/client/hubs/chat"), false),
        (json!("ftp://localhost:8080/client/hubs/chat"), false),
        (json!("localhost:8080/client/hubs/chat"), false),
        (json!("http://é/client/hubs/chat"), false),
    ] {
        let result = client(json!({ "aud": audience }));
        let refused = matches!(result, Err(TokenError::Audience { .. }));
        assert_eq!((result.is_ok(), refused), (fits, !fits), "{audience}");
    }
    let claims = json!({"aud": "http:///client/hubs/chat", "exp": NOW.as_secs()});
    let nowhere = ClientAudience { host: "", hub: "chat" };
    assert!(verify_client(&token(&claims), &keys(), nowhere, NOW).is_err(), "no host, no audience");
}

/// `webpubsub.md` 2.4 and `emulator.md` 3.
#[test]
fn audiences_of_rest_requests() {
    let send = "/api/hubs/chat/:send";
    let spaced = "/api/hubs/chat/users/alice%20smith/groups/a%2Fb";
    for (path, audience, fits) in [
        (send, "http://localhost:8080/api/hubs/chat/:send", true),
        (send, "wss://LOCALHOST:8080/API/hubs/chat/:send", true),
        (send, "http://localhost:8080/api/hubs/chat/:send/", true),
        (send, "http://localhost:8080/api/hubs/chat/:send/x", true),
        (send, "http://localhost:8080/api/hubs/chat/%3Asend", true),
        (send, "http%3A%2F%2Flocalhost%3A8080%2Fapi%2Fhubs%2Fchat%2F%3Asend", true),
        (send, "http://localhost:8080/api/hubs/chat/:send%3Fx=1", true),
        (send, "http://localhost:8080/api/hubs/chat/:send%253Fx=1", false),
        (send, "http://localhost:8080/api/hubs/chat", false),
        (send, "http://localhost:8080/api/hubs/lobby/:send", false),
        (send, "http://localhost/api/hubs/chat/:send", false),
        (send, "https://webpubsub.azure.com", false),
        (send, "", false),
        ("/api/hubs/chat/:send/", "http://localhost:8080/api/hubs/chat/:send", true),
        ("/api/hubs/chat/%3Asend", "http://localhost:8080/api/hubs/chat/:send", true),
        (spaced, "http://localhost:8080/api/hubs/chat/users/alice smith/groups/a%2Fb", true),
        (spaced, "http://localhost:8080/api/hubs/chat/users/alice+smith/groups/a%252Fb", true),
        (spaced, "http://localhost:8080/api/hubs/chat/users/alice%20smith/groups/a%2Fb", true),
        (spaced, "http://localhost:8080/api/hubs/chat/users/alice%20smith/groups/a/b", false),
        ("/api/%ff", "http://localhost:8080/api/%ff", true),
    ] {
        let token = token(&json!({"aud": audience, "exp": NOW.as_secs() + 60}));
        let result = verify_rest(&token, &keys(), RestAudience { host: HOST, path }, NOW);
        assert_eq!(result.is_ok(), fits, "{audience} for {path}");
    }
}
