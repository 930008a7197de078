//! What goes on between clients that are connected, and how connections end.

use futures_util::SinkExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use crate::support::{ACCESS_KEY, ConfigFile, JSON, Server, handshake, ping_of};

const MIB: usize = 1024 * 1024;

/// Members get what is sent, the sender its own echo before the ack.
#[tokio::test]
async fn messages() {
    let server = Server::start(&[]).await;
    let mut alice = server.member("alice").await;
    let mut bob = server.member("bob").await;
    let send = r#"{"type":"sendToGroup","group":"g","ackId":2,"dataType":"text","data":"hi"}"#;
    alice.send(send).await;
    let message = r#""group":"g","fromUserId":"alice","dataType":"text","data":"hi"}"#;
    assert!(alice.text().await.ends_with(message));
    assert_eq!(alice.text().await, r#"{"type":"ack","ackId":2,"success":true}"#);
    assert!(bob.text().await.ends_with(message));
    alice.send(send).await;
    assert!(alice.text().await.contains(r#""name":"Duplicate""#));
    bob.send(r#"{"type":"ping"}"#).await;
    assert_eq!(bob.text().await, r#"{"type":"pong"}"#);
}

/// What breaks a rule closes with the code of that rule, and the client sees the code.
#[tokio::test]
async fn close_codes() {
    let server = Server::start(&[]).await;
    let text = |bytes: Vec<u8>| Frame::message(bytes, OpCode::Data(Data::Text), true);
    let reserved = {
        let mut frame = text(b"{}".to_vec());
        frame.header_mut().rsv1 = true;
        frame
    };
    let fragment = |opcode, is_final| {
        let half = vec![b' '; MIB / 2 + 1];
        Message::Frame(Frame::message(half, OpCode::Data(opcode), is_final))
    };
    for (messages, code) in [
        (vec![Message::binary(vec![1])], 1003),
        (vec![Message::text("not JSON")], 1007),
        (vec![Message::text(r#"{"type":"nothing"}"#)], 1007),
        (vec![Message::Frame(text(vec![b'"', 0xff, b'"']))], 1007),
        (vec![Message::Frame(reserved)], 1002),
        (vec![Message::Frame(Frame::message("x", OpCode::Data(Data::Continue), true))], 1002),
        (vec![Message::text(" ".repeat(MIB + 1))], 1009),
        (vec![Message::text(" ".repeat(9 * MIB))], 1009),
        (vec![fragment(Data::Text, false), fragment(Data::Continue, true)], 1009),
    ] {
        let mut client = server.connect("a", &[JSON]).await;
        client.text().await;
        for message in &messages {
            client.send_message(message.clone()).await.expect("the server reads on");
        }
        let (_, seen, reason) = client.closed().await;
        assert_eq!(seen, code, "{reason}: {:.60}", format!("{messages:?}"));
        assert!(!reason.is_empty());
    }
}

/// What was asked for before a broken rule is answered before the close, also when all of it arrives at once.
#[tokio::test]
async fn answers_before_the_close() {
    const REQUESTS: usize = 100;
    let server = Server::start(&[]).await;
    let mut client = server.member("a").await;
    for ack_id in 2..2 + REQUESTS {
        let text = format!(r#"{{"type":"joinGroup","group":"g{ack_id}","ackId":{ack_id}}}"#);
        client.0.feed(Message::text(text)).await.expect("it is kept");
    }
    client.0.feed(Message::text("not JSON")).await.expect("it is kept");
    client.0.flush().await.expect("it is sent");
    let (before, code, _) = client.closed().await;
    assert_eq!((before, code), (REQUESTS, 1007));
}

/// A message of exactly 1 MiB is fine.
#[tokio::test]
async fn largest_message() {
    let server = Server::start(&[]).await;
    let mut client = server.connect("a", &[JSON]).await;
    client.text().await;
    client.send(&ping_of(MIB)).await;
    assert_eq!(client.text().await, r#"{"type":"pong"}"#);
}

/// A close frame of the client is answered with the same code.
#[tokio::test]
async fn client_closes() {
    let server = Server::start(&[]).await;
    for code in [CloseCode::Normal, CloseCode::from(4001)] {
        let mut client = server.member("a").await;
        let close = CloseFrame { code, reason: "done".into() };
        client.send_message(Message::Close(Some(close))).await.expect("sent");
        assert_eq!(client.closed().await, (0, code.into(), "done".into()));
    }
}

/// A client that is gone without a goodbye frees its place, also in the middle of its handshake.
#[tokio::test]
async fn lost_clients() {
    let file = ConfigFile::new("one", "[hubs.chat]\nlimits = { connections = 1 }\n");
    let server = Server::start(&["--config", file.path()]).await;
    let url = server.url("chat", "a", ACCESS_KEY);
    let target = url.split_once(&server.address.to_string()).expect("the address").1;
    let request = format!("{}\r\nhost: {}", handshake(target, 13), server.address);
    for _ in 0..20 {
        drop(server.accepted_at_last(&url).await);
        server.send_and_leave(&request).await;
    }
    let mut client = server.accepted_at_last(&url).await;
    assert!(client.text().await.contains("connected"));
}
