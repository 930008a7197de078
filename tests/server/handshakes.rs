//! Routes, access keys and subprotocols.

use crate::support::{
    ACCESS_KEY, JSON, PROTOBUF, RELIABLE_JSON, RELIABLE_PROTOBUF, Server, handshake,
};

/// The health check answers, everything else that is not served is 404.
#[tokio::test]
async fn routes() {
    let server = Server::start(&[]).await;
    for (request, status) in [
        ("GET /api/health HTTP/1.1", "200 OK"),
        ("HEAD /api/health HTTP/1.1", "200 OK"),
        ("GET /api/hubs/chat/connections/a HTTP/1.1", "405 Method Not Allowed"),
        ("POST /api/hubs/chat/:send HTTP/1.1", "401 Unauthorized"),
        ("GET / HTTP/1.1", "200 OK"),
        ("GET /index.html HTTP/1.1", "404 Not Found"),
        ("GET /clients/mqtt/hubs/chat HTTP/1.1", "404 Not Found"),
        ("GET /client/hubs/chat HTTP/1.1", "400 Bad Request"),
        (&handshake("/client/hubs/", 13), "400 Bad Request"),
        (&handshake("/client/", 13), "400 Bad Request"),
        (&handshake("/client", 13), "400 Bad Request"),
        (&handshake("/client/hubs/chat", 13), "401 Unauthorized"),
        (&handshake("/client/hubs/chat/", 13), "401 Unauthorized"),
        (&handshake("/client?hub=chat", 13), "401 Unauthorized"),
        (&handshake("/client/?hub=chat", 13), "401 Unauthorized"),
        (&handshake("/client/hubs/chat/x", 13), "404 Not Found"),
    ] {
        let response = server.http(request).await;
        assert!(response.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{request}: {response}");
    }
    let url = server.url("chat", "alice", ACCESS_KEY);
    let target = url.split_once(&server.address.to_string()).expect("the address").1;
    let request = format!("{}\r\nhost: {}", handshake(target, 12), server.address);
    let response = server.http(&request).await;
    assert!(response.contains("426 Upgrade Required"), "{response}");
    assert!(response.contains("sec-websocket-version: 13\r\n"), "{response}");
}

/// Tokens of either key get in, those of another key do not.
#[tokio::test]
async fn keys() {
    let (first, second) =
        ("first-key-first-key-first-key-1234", "second-key-second-key-second-key");
    let server = Server::start(&["--access-key", first, "--secondary-key", second]).await;
    for key in [first, second] {
        server.try_connect(&server.url("chat", "a", key), &[JSON]).await.expect("accepted");
    }
    assert_eq!(server.refused(&server.url("chat", "a", ACCESS_KEY)).await, 401);
    let other_hub = server.url("lobby", "a", first).replace("/lobby", "/chat");
    assert_eq!(server.refused(&other_hub).await, 401);
}

/// The URL that the server prints is good for its hub, its user and its roles.
#[tokio::test]
async fn printed_url() {
    let server = Server::start(&[]).await;
    let url = server.client_url.clone();
    let (mut client, chosen) = server.try_connect(&url, &[JSON]).await.expect("accepted");
    assert_eq!(chosen.as_deref(), Some(JSON));
    assert!(client.text().await.contains(r#""userId":"alice""#));
    client.send(r#"{"type":"joinGroup","group":"any","ackId":1}"#).await;
    assert_eq!(client.text().await, r#"{"type":"ack","ackId":1,"success":true}"#);
}

/// The first known subprotocol is chosen and spelled as it was offered; unknown ones make a plain client.
#[tokio::test]
async fn subprotocols() {
    let server = Server::start(&[]).await;
    let upper = "JSON.WebPubSub.azure.v1";
    for (offers, expected) in [
        (vec![], None),
        (vec![JSON], Some(JSON)),
        (vec![upper], Some(upper)),
        (vec!["unknown", upper, JSON], Some(upper)),
        (vec![RELIABLE_JSON], Some(RELIABLE_JSON)),
        (vec![PROTOBUF], Some(PROTOBUF)),
        (vec![RELIABLE_PROTOBUF], Some(RELIABLE_PROTOBUF)),
        (
            vec!["PROTOBUF.Reliable.webpubsub.azure.v1"],
            Some("PROTOBUF.Reliable.webpubsub.azure.v1"),
        ),
        (vec![JSON, RELIABLE_JSON], Some(JSON)),
        (vec!["mqtt", RELIABLE_PROTOBUF, RELIABLE_JSON, JSON], Some(RELIABLE_PROTOBUF)),
    ] {
        let url = server.url("chat", "a", ACCESS_KEY);
        let (_, chosen) = server.try_connect(&url, &offers).await.expect("accepted");
        assert_eq!(chosen.as_deref(), expected, "{offers:?}");
    }
    // The client library refuses an answer without a subprotocol, so this one is read as text.
    let url = server.url("chat", "a", ACCESS_KEY);
    let target = url.split_once(&server.address.to_string()).expect("the address").1;
    let request = handshake(target, 13);
    let request = format!("{request}\r\nhost: {}\r\nsec-websocket-protocol: x", server.address);
    let response = server.http_head(&request).await;
    assert!(response.starts_with("HTTP/1.1 101"), "{response}");
    assert!(!response.contains("sec-websocket-protocol"), "{response}");
}
