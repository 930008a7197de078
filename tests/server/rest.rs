//! The REST API over HTTP, with clients attached.

use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hubcast::Time;
use hubcast::token::{AccessKey, mint_rest};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{ACCESS_KEY, JSON, PATIENCE, Server};

/// Asks with a token for the URL, and returns the answer with its head.
pub(crate) async fn ask(
    server: &Server,
    method: &str,
    path: &str,
    content_type: &str,
    body: &str,
) -> String {
    let url = format!("http://{}{path}", server.address);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let keys = AccessKey::new(ACCESS_KEY).unwrap().into();
    let token = mint_rest(&url, Duration::from_secs(60), &keys, Time::from_secs(now.as_secs()));
    let length = body.len();
    exchange(
        server,
        &format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: {content_type}\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}",
            server.address,
            token.unwrap(),
        ),
    )
    .await
}

/// Sends a request as it is, and returns the whole answer.
async fn exchange(server: &Server, request: &str) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(server.address).await?;
        // The server may answer, and close, before it has read all of a long one.
        let _ = stream.write_all(request.as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        std::io::Result::Ok(String::from_utf8(answer).expect("text"))
    };
    timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer")
}

pub(crate) fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap()
}

/// What a server sends arrives, by audience and with its type; membership and existence can be asked and changed.
#[tokio::test]
async fn sends_and_groups() {
    let server = Server::start(&[]).await;
    let mut alice = server.connect("alice", &[JSON]).await;
    let id = alice.json().await["connectionId"].as_str().unwrap().to_owned();

    let answer = ask(&server, "POST", "/api/hubs/chat/:send", "text/plain", "to all").await;
    assert_eq!(status(&answer), "202", "{answer}");
    assert!(answer.contains("api-supported-versions: 2021-10-01"), "{answer}");
    assert_eq!(alice.json().await["data"], "to all");

    let membership = format!("/api/hubs/chat/groups/room/connections/{id}");
    assert_eq!(status(&ask(&server, "PUT", &membership, "text/plain", "").await), "200");
    let group = "/api/hubs/chat/groups/room/:send?filter=userId%20eq%20%27alice%27";
    let answer = ask(&server, "POST", group, "application/json", r#"{"n":1}"#).await;
    assert_eq!(status(&answer), "202", "{answer}");
    assert_eq!(
        alice.json().await,
        json!({ "type": "message", "from": "group", "group": "room", "dataType": "json", "data": { "n": 1 } })
    );

    assert_eq!(status(&ask(&server, "HEAD", "/api/hubs/chat/users/alice", "", "").await), "200");
    assert_eq!(status(&ask(&server, "HEAD", "/api/hubs/chat/users/bob", "", "").await), "404");
    let close = format!("/api/hubs/chat/connections/{id}?reason=enough");
    assert_eq!(status(&ask(&server, "DELETE", &close, "", "").await), "204");
    let farewell = alice.json().await["message"].as_str().unwrap().to_owned();
    assert!(farewell.ends_with("Reason: enough"), "{farewell}");
}

/// Flags let servers in that the service would not: with a key for `:generateToken`, with a token that anybody can make.
#[tokio::test]
async fn lenient_flags() {
    let path = "/api/hubs/chat/:generateToken?userId=ann";
    let strict = Server::start(&[]).await;
    assert_eq!(status(&ask(&strict, "POST", path, "", "").await), "401");
    let lenient = Server::start(&["--generate-token-with-key", "--allow-unvalidated-entra"]).await;
    let answer = ask(&lenient, "POST", path, "", "").await;
    assert!(status(&answer) == "200" && answer.contains(r#"{"token":"eyJ"#), "{answer}");

    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({ "aud": "https://webpubsub.azure.com", "exp": now + 60 }).to_string();
    let token = [r#"{"alg":"RS256","typ":"JWT"}"#, &claims, "signature"];
    let token = token.map(|part| URL_SAFE_NO_PAD.encode(part)).join(".");
    for (server, expected) in [(&strict, "401"), (&lenient, "404")] {
        let head = format!(
            "HEAD /api/hubs/chat/users/nobody HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n\
             connection: close\r\n\r\n"
        );
        assert_eq!(status(&exchange(server, &head).await), expected);
    }
}

/// Who has no token for the URL, or breaks a rule, changes nothing and is told why.
#[tokio::test]
async fn refusals() {
    let server = Server::start(&[]).await;
    let mut alice = server.connect("alice", &[JSON]).await;
    alice.json().await;
    let bare = format!(
        "POST /api/hubs/chat/:send HTTP/1.1\r\nHost: {}\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi",
        server.address
    );
    assert_eq!(status(&exchange(&server, &bare).await), "401");
    let wrong = "/api/hubs/chat/:send?filter=nonsense";
    let answer = ask(&server, "POST", wrong, "text/plain", "hi").await;
    assert_eq!(status(&answer), "400", "{answer}");
    assert!(answer.contains("Invalid syntax for 'nonsense'"), "{answer}");
    // More than a body may have is not even read to its end.
    let long = "x".repeat(1_100_000);
    let answer = ask(&server, "POST", "/api/hubs/chat/:send", "text/plain", &long).await;
    assert_eq!(status(&answer), "400", "{answer}");
    assert_eq!(status(&ask(&server, "GET", "/api/nowhere", "", "").await), "404");
    alice.send(r#"{"type":"ping"}"#).await;
    assert_eq!(alice.json().await, json!({ "type": "pong" }), "nothing came before");
}
