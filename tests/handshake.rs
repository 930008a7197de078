//! The WebSocket handshake, row by row (`webpubsub.md` 1.1 to 1.6, `emulator.md` 2).

#![cfg(feature = "rest")]

use std::time::Duration;

use bytes::Bytes;
use http::request::{Builder, Parts};
use http::{Request, Response};
use hubcast::rest::{Handshake, handshake, is_client_path};
use hubcast::token::{AccessKey, AccessKeys, ClientToken, TokenError, mint_rest};
use hubcast::{PlainMode, Protocol, Recovery, Time};
use proptest::prelude::*;

const NOW: Time = Time::from_secs(1_790_000_000);
const HOST: &str = "localhost:8080";

fn keys() -> AccessKeys {
    AccessKeys::from(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH").unwrap())
}

fn token() -> String {
    ClientToken {
        endpoint: "http://localhost:8080",
        hub: "chat",
        user: Some("alice"),
        roles: &["webpubsub.sendToGroup"],
        groups: &["news"],
        ..ClientToken::default()
    }
    .mint(&keys(), NOW)
    .unwrap()
}

/// A token that is good but for its lifetime.
fn expired() -> String {
    ClientToken {
        endpoint: "http://localhost:8080",
        hub: "chat",
        lifetime: Duration::from_secs(1),
        ..ClientToken::default()
    }
    .mint(&keys(), Time::from_secs(1_780_000_000))
    .unwrap()
}

/// A request for an upgrade.
fn get(uri: &str) -> Builder {
    Request::get(uri)
        .header("Host", HOST)
        .header("Connection", "keep-alive, Upgrade")
        .header("Upgrade", "WebSocket")
        .header("Sec-WebSocket-Version", "13")
        .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
}

fn parts(request: Builder) -> Parts {
    request.body(()).unwrap().into_parts().0
}

#[expect(clippy::result_large_err, reason = "what the library returns")]
fn shake(request: Builder) -> Result<Handshake, Response<Bytes>> {
    handshake(&parts(request), &keys(), NOW)
}

/// Returns status and body of the answer; an accepted request is `(101, "")`.
fn outcome(request: Builder) -> (u16, String) {
    match shake(request) {
        Ok(_) => (101, String::new()),
        Err(refused) => {
            let has_type = refused.headers().contains_key("content-type");
            assert_eq!(has_type, !refused.body().is_empty());
            let text = String::from_utf8(refused.body().to_vec()).unwrap();
            (refused.status().as_u16(), text)
        }
    }
}

fn status(request: Builder) -> u16 {
    outcome(request).0
}

/// 1.1: where clients connect.
#[test]
fn paths_and_hubs() {
    for (uri, expected, hub) in [
        ("/client/hubs/chat", 101, "chat"),
        ("/client/hubs/Chat/", 101, "Chat"),
        ("/client/hubs/%63hat", 101, "chat"),
        ("/client/hubs/a%60%5B1%5D", 101, "a`[1]"),
        ("/client/?hub=chat", 101, "chat"),
        ("/client?x=1&HUB=chat", 101, "chat"),
        ("/client?hub=lobby&hub=chat", 101, "chat"),
        ("/client/hubs/chat?hub=lobby", 101, "chat"),
        ("/client", 400, ""),
        ("/client/?hub=", 400, ""),
        ("/client/hubs/", 400, ""),
        ("/client/hubs/%20", 400, ""),
        ("/client/hubs/7up", 400, ""),
        ("/client/hubs/a%2Fb", 400, ""),
        ("/client/hubs/%ff", 400, ""),
        ("/client/hubs", 404, ""),
        ("/client/hubs/chat/x", 404, ""),
        ("/client/hubs/chat//", 404, ""),
        ("/clients/mqtt/hubs/chat", 404, ""),
        ("/api/hubs/chat", 404, ""),
        ("/", 404, ""),
    ] {
        let result = shake(get(uri));
        let actual = result.as_ref().map_or_else(|refused| refused.status().as_u16(), |_| 101);
        assert_eq!(actual, expected, "{uri}");
        let path = uri.split('?').next().unwrap();
        assert_eq!(is_client_path(path), expected != 404, "{uri}");
        if let Ok(handshake) = result {
            assert_eq!(handshake.hub(), hub, "{uri}");
        }
    }
    assert_eq!(outcome(get("/client/hubs/7up")), (400, "Invalid hub name.".to_owned()));
}

/// 1.1: what is not an upgrade is 400, even with a good token.
#[test]
fn upgrades() {
    let uri = format!("/client/hubs/chat?access_token={}", token());
    let with = |connection: &str, upgrade: &str| {
        Request::get(&uri)
            .header("Host", HOST)
            .header("Connection", connection)
            .header("Upgrade", upgrade)
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==")
    };
    assert_eq!(status(with("upgrade", "websocket")), 101);
    assert_eq!(status(with("close,UPGRADE ", "h2c, WEBSOCKET")), 101);
    assert_eq!(status(with("keep-alive", "websocket")), 400);
    assert_eq!(status(with("upgrade", "h2c")), 400);
    assert_eq!(status(with("upgrades", "websockets")), 400);
    assert_eq!(status(get(&uri).method("POST")), 400);
    assert_eq!(status(Request::get(&uri).header("Host", HOST)), 400);
    let keyless = Request::get(&uri)
        .header("Host", HOST)
        .header("Connection", "upgrade")
        .header("Upgrade", "websocket");
    assert_eq!(status(keyless), 400);
}

/// 1.2: where the token may be, and which one counts.
#[test]
fn places_of_the_token() {
    let good = token();
    let chat = "/client/hubs/chat";
    let bearer = |uri: &str, value: &str| get(uri).header("Authorization", value);
    let in_query = |name: &str| get(&format!("{chat}?{name}={good}"));
    let user = |request: Builder| shake(request).unwrap().user().map(str::to_owned);
    let alice = Some("alice".to_owned());

    assert_eq!(user(in_query("access_token")), alice);
    assert_eq!(user(in_query("ACCESS_TOKEN")), alice);
    assert_eq!(user(in_query("access%5Ftoken")), alice);
    assert_eq!(user(bearer(chat, &format!("Bearer {good}"))), alice);
    assert_eq!(user(bearer(chat, &format!("bEARER   {good} "))), alice);
    assert_eq!(user(bearer(&format!("{chat}?access_token="), &format!("Bearer {good}"))), alice);
    let both = format!("{chat}?access_token={good}");
    assert_eq!(user(bearer(&both, "Bearer nonsense")), alice, "the query comes first");
    let bad = format!("{chat}?access_token=nonsense");
    assert_eq!(outcome(bearer(&bad, &format!("Bearer {good}"))), (401, String::new()));
    assert_eq!(status(bearer(chat, "Bearer nonsense")), 401);

    for request in
        [get(chat), bearer(chat, "Bearer "), bearer(chat, "Bearer"), bearer(chat, "Basic eA==")]
    {
        let anonymous = shake(request).unwrap();
        assert!(anonymous.with_open([0; 32], |open| open.anonymous && open.user.is_none()));
    }
}

/// 1.2, 2.4: a token that does not fit is 401 without a body; the host may log why.
#[test]
fn bad_tokens() {
    let chat = "/client/hubs/chat";
    let with = |token: &str| get(chat).header("Authorization", format!("Bearer {token}"));
    let url = "http://localhost:8080/api/hubs/chat/:send";
    let rest = mint_rest(url, Duration::from_secs(60), &keys(), NOW).unwrap();
    assert_eq!(outcome(with(&expired())), (401, String::new()));
    assert_eq!(outcome(with(&rest)), (401, String::new()));
    let refused = shake(with(&expired())).unwrap_err();
    let cause = refused.extensions().get::<TokenError>();
    assert!(matches!(cause, Some(TokenError::Expired { .. })), "{cause:?}");

    let other_hub =
        get("/client/hubs/lobby").header("Authorization", format!("Bearer {}", token()));
    assert_eq!(status(other_hub), 401);
    let mut elsewhere = parts(with(&token()));
    elsewhere.headers.insert("host", "example.com".parse().unwrap());
    assert!(handshake(&elsewhere, &keys(), NOW).is_err());
    elsewhere.headers.remove("host");
    assert!(handshake(&elsewhere, &keys(), NOW).is_err(), "no host, no audience");
    elsewhere.uri = format!("http://{HOST}{chat}").parse().unwrap();
    assert!(handshake(&elsewhere, &keys(), NOW).is_ok(), "the host of the URI");
}

/// 1.3: of several faults the first in order is answered.
#[test]
fn order_of_checks() {
    let bad_mode = "webpubsub_mode=x";
    let blank_group = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJleHAiOjQxMDI0NDQ4MDAsImF1ZCI6Imh0dHA6Ly9sb2NhbGhvc3Q6ODA4MC9jbGllbnQvaHVicy9jaGF0Iiwid2VicHVic3ViLmdyb3VwIjpbIiAgIl19.VxF3EKQ0cXzUGkjbOQt0NXxA6MP_98wxfNFhiuAD3zc";
    let recovery = "awps_connection_id=c&awps_reconnection_token=t";
    for (query, expected) in [
        (format!("access_token=x&{bad_mode}"), (401, "")),
        (
            format!("access_token={blank_group}&{bad_mode}"),
            (400, "The token contains an invalid group name."),
        ),
        (
            format!("access_token={}&{bad_mode}", token()),
            (400, "Invalid webpubsub_mode. Valid modes are sendToGroup and sendEvent."),
        ),
        (format!("access_token=x&{bad_mode}&{recovery}"), (101, "")),
        (format!("access_token={blank_group}&{recovery}"), (101, "")),
    ] {
        let (status, text) = outcome(get(&format!("/client/hubs/chat?{query}")));
        assert_eq!((status, text.as_str()), expected, "{query}");
    }
    let plain = Request::get(format!("/client/hubs/chat?{recovery}"));
    assert_eq!(status(plain), 400, "an upgrade, even for a recovery");
    assert_eq!(status(get(&format!("/client/hubs/7up?{recovery}"))), 400);
}

/// 4.4: a session is taken up again without a token.
#[test]
fn recoveries() {
    let uri = format!(
        "/client/hubs/chat?access_token={}&AWPS_connection_id=c1&awps_reconnection_token=t%2B1",
        token()
    );
    shake(get(&uri)).unwrap().with_open([3; 32], |open| {
        assert_eq!(open.recovery, Some(Recovery { connection_id: "c1", token: "t+1" }));
        assert!(open.anonymous && open.user.is_none(), "the token is not even looked at");
        assert_eq!(open.entropy, [3; 32]);
    });
    let tokenless = shake(get("/client/hubs/chat?awps_connection_id=c1")).unwrap();
    tokenless.with_open([0; 32], |open| {
        assert_eq!(open.recovery, Some(Recovery { connection_id: "c1", token: "" }));
    });
    let query = "awps_connection_id=&awps_reconnection_token=t1";
    let fresh = shake(get(&format!("/client/hubs/chat?{query}"))).unwrap();
    assert!(fresh.with_open([0; 32], |open| open.recovery.is_none()));
}

/// 1.5: the first name that is known wins; all offers reach the engine as they were spelled.
#[test]
fn subprotocols() {
    for (offers, expected, names) in [
        (vec![], Protocol::Plain, vec![]),
        (vec![""], Protocol::Plain, vec![]),
        (vec!["json.webpubsub.azure.v1"], Protocol::Json, vec!["json.webpubsub.azure.v1"]),
        (
            vec!["graphql-ws , JSON.webpubsub.azure.v1"],
            Protocol::Json,
            vec!["graphql-ws", "JSON.webpubsub.azure.v1"],
        ),
        (
            vec!["a,,b ", "json.webpubsub.azure.v1"],
            Protocol::Json,
            vec!["a", "b", "json.webpubsub.azure.v1"],
        ),
        (vec!["mqtt", "x"], Protocol::Plain, vec!["mqtt", "x"]),
        (
            vec!["json.reliable.webpubsub.azure.v1"],
            Protocol::ReliableJson,
            vec!["json.reliable.webpubsub.azure.v1"],
        ),
        (
            vec!["x, Protobuf.WebPubSub.azure.v1", "json.webpubsub.azure.v1"],
            Protocol::Protobuf,
            vec!["x", "Protobuf.WebPubSub.azure.v1", "json.webpubsub.azure.v1"],
        ),
        (
            vec!["PROTOBUF.reliable.webpubsub.azure.v1,json.reliable.webpubsub.azure.v1"],
            Protocol::ReliableProtobuf,
            vec!["PROTOBUF.reliable.webpubsub.azure.v1", "json.reliable.webpubsub.azure.v1"],
        ),
        // The first one, also where another one could do more.
        (
            vec!["json.webpubsub.azure.v1", "json.reliable.webpubsub.azure.v1"],
            Protocol::Json,
            vec!["json.webpubsub.azure.v1", "json.reliable.webpubsub.azure.v1"],
        ),
    ] {
        let request = offers.iter().fold(get("/client/hubs/chat"), |request, offer| {
            request.header("Sec-WebSocket-Protocol", *offer)
        });
        shake(request).unwrap().with_open([0; 32], |open| {
            assert_eq!((open.protocol, open.subprotocols), (expected, names.as_slice()));
        });
    }
}

/// 1.6: what the messages of plain clients mean.
#[test]
fn raw_modes() {
    const MODE: &str = "Invalid webpubsub_mode. Valid modes are sendToGroup and sendEvent.";
    const GROUP: &str = "The raw sendToGroup group name is invalid.";
    const NO_ECHO: &str = "Invalid noEcho. Valid values are true and false.";
    let to = |group, no_echo| Ok(PlainMode::SendToGroup { group, no_echo });
    let long = "x".repeat(1025);
    let too_long = format!("webpubsub_mode=sendToGroup&group={long}");
    for (query, expected) in [
        ("", Ok(PlainMode::SendEvent)),
        ("webpubsub_mode=", Ok(PlainMode::SendEvent)),
        ("webpubsub_mode=SENDEVENT&group=+&noEcho=x", Ok(PlainMode::SendEvent)),
        ("group=g&noEcho=true", Ok(PlainMode::SendEvent)),
        ("webpubsub_mode=sendToGroup&group=g", to("g", false)),
        ("WebPubSub_Mode=SENDTOGROUP&GROUP=a%20b&NOECHO=True", to("a b", true)),
        ("webpubsub_mode=sendToGroup&group=g&noEcho=", to("g", false)),
        ("webpubsub_mode=sendToGroup&group=g&noEcho=FALSE", to("g", false)),
        ("webpubsub_mode=x&webpubsub_mode=sendToGroup&group=&group=g", to("g", false)),
        ("webpubsub_mode=sendToGroup&group=g&noEcho=1&noEcho=true", to("g", true)),
        ("webpubsub_mode=sendToUser&group=g", Err(MODE)),
        ("webpubsub_mode=sendEvent&webpubsub_mode=%20", Err(MODE)),
        ("webpubsub_mode=sendToGroup", Err(GROUP)),
        ("webpubsub_mode=sendToGroup&group=", Err(GROUP)),
        ("webpubsub_mode=sendToGroup&group=g&group=+", Err(GROUP)),
        ("webpubsub_mode=sendToGroup&group=+&noEcho=x", Err(GROUP)),
        (&too_long, Err(GROUP)),
        ("webpubsub_mode=sendToGroup&group=g&noEcho=1", Err(NO_ECHO)),
        ("webpubsub_mode=sendToGroup&group=g&noEcho=true&noEcho=yes", Err(NO_ECHO)),
    ] {
        for offer in ["", "json.webpubsub.azure.v1"] {
            let uri = format!("/client/hubs/chat?{query}");
            let request = || get(&uri).header("Sec-WebSocket-Protocol", offer);
            // Without a token the engine says so, after it has said whether anonymous clients get in.
            let anonymous = shake(request()).unwrap();
            let expected_of_anonymous =
                expected.unwrap_or_else(|reason| PlainMode::Invalid { reason });
            anonymous.with_open([0; 32], |open| {
                assert_eq!(open.plain_mode, expected_of_anonymous, "{query}");
            });
            let bearer = format!("Bearer {}", token());
            match (shake(request().header("Authorization", bearer)), expected) {
                (Ok(actual), Ok(expected)) => {
                    let mode = actual.with_open([0; 32], |open| open.plain_mode == expected);
                    assert!(mode, "{query}");
                }
                (Err(refused), Err(expected)) => {
                    assert_eq!(
                        (refused.status().as_u16(), &refused.body()[..]),
                        (400, expected.as_bytes())
                    );
                }
                (actual, _) => panic!("{query}: {actual:?}"),
            }
        }
    }
}

/// What the `connect` handler gets to see, and what it does not (`emulator.md` 12).
#[test]
fn what_the_engine_is_told() {
    let uri = format!("/client/hubs/chat?a=1&ACCESS_token={}&a=2&b=x+y", token());
    let request = get(&uri)
        .header("Authorization", "Bearer secret")
        .header("X-ASRS-Internal-Token", "secret")
        .header("X-Tag", "one")
        .header("X-Tag", &b"tw\xff"[..]);
    let handshake = shake(request).unwrap();
    handshake.with_open([9; 32], |open| {
        assert_eq!((open.hub, open.user, open.anonymous), ("chat", Some("alice"), false));
        assert_eq!((open.roles, open.groups), (&["webpubsub.sendToGroup"][..], &["news"][..]));
        assert_eq!(open.query, [("a", "1"), ("a", "2"), ("b", "x y")]);
        assert!(
            open.claims.contains(&("sub", "alice"))
                && open.claims.contains(&("role", "webpubsub.sendToGroup"))
        );
        assert!(open.headers.contains(&("host", HOST)));
        assert!(
            open.headers.contains(&("x-tag", "one"))
                && open.headers.contains(&("x-tag", "tw\u{fffd}"))
        );
        assert!(open.headers.iter().all(|(_, value)| !value.contains("secret")));
        assert!(open.certificates.is_empty() && open.recovery.is_none());
    });
    assert!(!format!("{handshake:?}").contains("eyJ"), "no token in the log");
}

proptest! {
    /// Nothing that a peer sends makes the handshake panic.
    #[test]
    fn garbage_does_not_panic(
        path in "(/client(/hubs/)?)?[!-~]{0,20}",
        query in "((access_token|webpubsub_mode|group|noEcho|hub|awps_connection_id)?=?[!-~]{0,5}&?){0,6}",
        authorization in prop::collection::vec(any::<u8>(), 0..40),
        protocols in prop::collection::vec(any::<u8>(), 0..40),
    ) {
        let Ok(uri) = format!("{path}?{query}").parse::<http::Uri>() else { return Ok(()) };
        let mut request = parts(get("/client/hubs/chat"));
        request.uri = uri;
        for (name, value) in [("authorization", authorization), ("sec-websocket-protocol", protocols)] {
            if let Ok(value) = http::HeaderValue::from_bytes(&value) {
                request.headers.insert(name, value);
            }
        }
        if let Ok(handshake) = handshake(&request, &keys(), NOW) {
            handshake.with_open([0; 32], |open| assert!(!open.hub.is_empty()));
        }
    }
}
