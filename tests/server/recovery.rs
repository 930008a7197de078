//! Reliable connections that lose their transport and are taken up again.

use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{
    ACCESS_KEY, Client, ConfigFile, JSON, PROTOBUF, RELIABLE_JSON, RELIABLE_PROTOBUF, Server,
    Session, handshake,
};

const REFUSED: (usize, u16, &str) = (0, 1008, "The connection could not be recovered.");

async fn assert_refused(mut client: Client) {
    let (before, code, reason) = client.closed().await;
    assert_eq!((before, code, reason.as_str()), REFUSED);
}

/// After a lost transport the connection goes on: same id, same token, what was not acknowledged comes again byte for
/// byte, then what was missed, then what is new.
#[tokio::test]
async fn replay() {
    let server = Server::start(&[]).await;
    let mut sender = server.member("sender").await;
    let (mut client, session) = server.reliable_member("a").await;
    let mut before = Vec::new();
    for number in 1..=3 {
        sender.publish(10 + number, &format!("message {number}")).await;
        before.push(client.text().await);
    }
    assert!(before[0].starts_with(r#"{"sequenceId":1,"#), "{before:?}");
    client.acknowledge(1).await;
    drop(client);
    sender.publish(14, "missed").await;

    let mut client = server.recover("chat", &session, &[RELIABLE_JSON]).await;
    assert_eq!(client.connected().await, session);
    assert_eq!(client.text().await, before[1]);
    assert_eq!(client.text().await, before[2]);
    let missed = client.json().await;
    assert_eq!((&missed["sequenceId"], &missed["data"]), (&4.into(), &"missed".into()));
    sender.publish(15, "live").await;
    let live = client.json().await;
    assert_eq!((&live["sequenceId"], &live["data"]), (&5.into(), &"live".into()));

    // What is acknowledged now does not come again, and the token is still good.
    client.acknowledge(5).await;
    drop(client);
    let mut client = server.recover("CHAT", &session, &[RELIABLE_JSON]).await;
    assert_eq!(client.connected().await, session);
    sender.publish(16, "last").await;
    assert_eq!(client.json().await["sequenceId"], 6);
}

/// A recovery cuts the transport that is still there; nothing is lost or repeated in between.
#[tokio::test]
async fn takeover() {
    let server = Server::start(&[]).await;
    let mut sender = server.member("sender").await;
    let (mut old, session) = server.reliable_member("a").await;
    for number in 1..=5 {
        let mut new = server.recover("chat", &session, &[RELIABLE_JSON]).await;
        assert_eq!(new.connected().await, session);
        old.cut().await;
        sender.publish(10 + number, "hi").await;
        assert_eq!(new.json().await["sequenceId"], number);
        new.acknowledge(number as u64).await;
        old = new;
    }
}

/// Whoever cannot show the token is let in, told so and closed; the connection does not notice.
#[tokio::test]
async fn wrong_token() {
    let server = Server::start(&[]).await;
    let (mut client, session) = server.reliable_member("a").await;
    let mut plain = server.connect("b", &[JSON]).await;
    let plain = plain.json().await["connectionId"].as_str().expect("an id").to_owned();
    let wrong = |id: &str, token: &str| Session { id: id.to_owned(), token: token.to_owned() };
    let Session { id, token } = &session;
    for (hub, attempt) in [
        ("chat", wrong(id, &"0".repeat(token.len()))),
        ("chat", wrong(id, "")),
        ("chat", wrong(id, &format!("{token}0"))),
        ("chat", wrong("nobody", token)),
        ("chat", wrong(&plain, token)),
        ("lobby", session.clone()),
    ] {
        for offer in [RELIABLE_JSON, RELIABLE_PROTOBUF, JSON, PROTOBUF] {
            assert_refused(server.recover(hub, &attempt, &[offer, "x"]).await).await;
        }
    }
    client.send(r#"{"type":"ping"}"#).await;
    assert_eq!(client.text().await, r#"{"type":"pong"}"#);
}

/// The connection keeps its subprotocol, and the answer names it, whatever is offered.
#[tokio::test]
async fn original_subprotocol() {
    let server = Server::start(&[]).await;
    let (_client, session) = server.reliable_member("a").await;
    let url = server.recovery_url("chat", &session);
    let target = url.split_once(&server.address.to_string()).expect("the address").1;
    for offer in [String::new(), format!("\r\nsec-websocket-protocol: {RELIABLE_PROTOBUF}")] {
        let request = format!("{}\r\nhost: {}{offer}", handshake(target, 13), server.address);
        let response = server.http_head(&request).await;
        assert!(response.starts_with("HTTP/1.1 101"), "{response}");
        let named = format!("sec-websocket-protocol: {RELIABLE_JSON}\r\n");
        assert!(response.contains(&named), "{response}");
    }
}

/// Only a client that closes with 1000 is gone at once.
#[tokio::test]
async fn close_codes() {
    let server = Server::start(&[]).await;
    for (frame, is_gone) in [
        (Some(CloseCode::Normal), true),
        (Some(CloseCode::Away), false),
        (Some(CloseCode::from(4001)), false),
        (None, false),
    ] {
        let (mut client, session) = server.reliable_member("a").await;
        let close = frame.map(|code| CloseFrame { code, reason: "".into() });
        client.send_message(Message::Close(close)).await.expect("sent");
        assert!(matches!(client.next().await, Message::Close(_)));
        let mut again = server.recover("chat", &session, &[RELIABLE_JSON]).await;
        if is_gone {
            assert_refused(again).await;
        } else {
            assert_eq!(again.connected().await, session);
        }
    }
}

/// After the window the connection is gone and its place is free.
#[tokio::test]
async fn window() {
    let config = "[hubs.chat]\nlimits = { connections = 1, recovery_window = 1 }\n";
    let file = ConfigFile::new("window", config);
    let server = Server::start(&["--config", file.path()]).await;
    let (client, session) = server.reliable_member("a").await;
    drop(client);
    let _next = server.accepted_at_last(&server.url("chat", "b", ACCESS_KEY)).await;
    assert_refused(server.recover("chat", &session, &[RELIABLE_JSON]).await).await;
}

/// A client that never acknowledges is closed when too much is kept for it, and that is the end of its session.
#[tokio::test]
async fn never_acknowledged() {
    let config = "[hubs.chat]\nlimits = { unacknowledged_messages = 10 }\n";
    let file = ConfigFile::new("unacknowledged", config);
    let server = Server::start(&["--config", file.path()]).await;
    let mut sender = server.member("sender").await;
    let (mut client, session) = server.reliable_member("a").await;
    for number in 1..=11 {
        sender.publish(10 + number, "hi").await;
    }
    let (before, code, reason) = client.closed().await;
    assert_eq!((before, code), (10, 1008));
    assert_eq!(reason, "The reliable message buffer is full.");
    assert_refused(server.recover("chat", &session, &[RELIABLE_JSON]).await).await;
}
