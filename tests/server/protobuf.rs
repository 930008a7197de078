//! The protobuf protocols over a WebSocket. The messages are written by hand, so that nothing but the wire is assumed.

use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, ConfigFile, PROTOBUF, RELIABLE_PROTOBUF, Server, Session};

/// A field with bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u8::try_from(bytes.len()).expect("short");
    assert!(number < 16 && length < 128);
    [&[number << 3 | 2, length], bytes].concat()
}

/// Reads the fields with bytes of a message; those with numbers become the bytes of their varint.
fn fields(mut bytes: &[u8]) -> Vec<(u8, &[u8])> {
    let mut fields = Vec::new();
    while let [tag, rest @ ..] = bytes {
        let length = match tag & 7 {
            0 => 1 + rest.iter().take_while(|byte| **byte >= 0x80).count(),
            2 => usize::from(rest[0]),
            other => panic!("wire type {other}"),
        };
        let rest = if tag & 7 == 2 { &rest[1..] } else { rest };
        fields.push((tag >> 3, &rest[..length]));
        bytes = &rest[length..];
    }
    fields
}

async fn send(client: &mut Client, bytes: Vec<u8>) {
    client.send_message(Message::binary(bytes)).await.expect("sent");
}

/// `join g`, ack id 1.
fn join() -> Vec<u8> {
    field(6, &[field(1, b"g"), vec![0x10, 1]].concat())
}

/// `send text to g`, ack id 2.
fn publish(text: &str) -> Vec<u8> {
    field(1, &[field(1, b"g"), vec![0x10, 2], field(3, &field(1, text.as_bytes()))].concat())
}

/// Reads the `connected` message.
async fn connected(client: &mut Client) -> Session {
    let message = client.binary().await;
    let [(3, system)] = fields(&message)[..] else { panic!("{message:?}") };
    let [(1, connected)] = fields(system)[..] else { panic!("{message:?}") };
    let text = |wanted: u8| {
        let found = fields(connected).into_iter().find(|(number, _)| *number == wanted);
        String::from_utf8(found.map(|(_, text)| text.to_vec()).unwrap_or_default()).expect("UTF-8")
    };
    assert_eq!(text(2), "alice");
    Session { id: text(1), token: text(3) }
}

/// Joining, publishing and pings work as with JSON, and JSON clients understand what protobuf clients send.
#[tokio::test]
async fn messages() {
    let server = Server::start(&[]).await;
    let mut json = server.member("bob").await;
    let mut client = server.connect("alice", &[PROTOBUF]).await;
    assert_eq!(connected(&mut client).await.token, "");
    // An ack id of 0 is one.
    send(&mut client, b"\x32\x05\x0a\x01g\x10\x00".to_vec()).await;
    let ack = client.binary().await;
    let [(1, ack)] = fields(&ack)[..] else { panic!("{ack:?}") };
    assert!(fields(ack).contains(&(2, &[1])), "{ack:?}");
    send(&mut client, publish("hi")).await;
    let message = [field(1, b"group"), field(2, b"g"), field(3, &field(1, b"hi"))].concat();
    assert_eq!(client.binary().await, field(2, &message));
    assert_eq!(client.binary().await, field(1, &[8, 2, 16, 1]));
    let seen = json.json().await;
    assert_eq!((&seen["fromUserId"], &seen["data"]), (&"alice".into(), &"hi".into()));
    send(&mut client, vec![0x4a, 0]).await;
    assert_eq!(client.binary().await, [0x22, 0]);
}

/// What is not a message closes.
#[tokio::test]
async fn close_codes() {
    let server = Server::start(&[]).await;
    for offer in [PROTOBUF, RELIABLE_PROTOBUF] {
        for (message, code) in [
            (Message::text("{}"), 1003),
            (Message::binary(vec![]), 1007),
            (Message::binary(vec![0xff]), 1007),
            (Message::binary(b"\x32\x00".to_vec()), 1007),
        ] {
            let mut client = server.connect("alice", &[offer]).await;
            connected(&mut client).await;
            client.send_message(message.clone()).await.expect("sent");
            assert_eq!(client.closed().await.1, code, "{message:?}");
        }
    }
}

/// A reliable session is recovered in protobuf as it is in JSON.
#[tokio::test]
async fn recovery() {
    let server = Server::start(&[]).await;
    let mut client = server.connect("alice", &[RELIABLE_PROTOBUF]).await;
    let session = connected(&mut client).await;
    send(&mut client, join()).await;
    client.binary().await;
    let numbered = |text: &[u8], sequence: u8| {
        let data = field(3, &field(1, text));
        field(2, &[field(1, b"group"), field(2, b"g"), data, vec![0x20, sequence]].concat())
    };
    let mut sender = server.member("bob").await;
    for (number, text) in (1..).zip(["one", "two"]) {
        sender.publish(10 + usize::from(number), text).await;
        assert_eq!(client.binary().await, numbered(text.as_bytes(), number));
    }
    // Acknowledges the first.
    send(&mut client, b"\x42\x02\x08\x01".to_vec()).await;
    send(&mut client, vec![0x4a, 0]).await;
    assert_eq!(client.binary().await, [0x22, 0]);
    drop(client);
    sender.publish(13, "three").await;
    let mut client = server.recover("chat", &session, &[RELIABLE_PROTOBUF]).await;
    assert_eq!(connected(&mut client).await, session);
    assert_eq!(client.binary().await, numbered(b"two", 2));
    assert_eq!(client.binary().await, numbered(b"three", 3));
}

/// An invocation is answered, and an event is echoed.
#[tokio::test]
async fn echo() {
    let config = "[[hubs.chat.handlers]]\nurl = \"echo:\"\nuser_events = \"*\"\n";
    let file = ConfigFile::new("protobuf-echo", config);
    let server = Server::start(&["--config", file.path()]).await;
    let mut client = server.connect("alice", &[PROTOBUF]).await;
    connected(&mut client).await;
    let data = field(3, &field(1, b"hi"));
    send(&mut client, field(10, &[field(1, b"e"), field(2, b"id"), data.clone()].concat())).await;
    let response = [field(1, b"id"), vec![0x10, 1], data.clone()].concat();
    assert_eq!(client.binary().await, field(5, &response));
    // Text, and an `Any` with an URL and a value.
    let any = [field(1, b"t/x"), field(2, &[1, 2])].concat();
    for data in [field(1, b"hi"), field(3, &any)] {
        send(&mut client, field(5, &[field(1, b"e"), field(2, &data)].concat())).await;
        let message = [field(1, b"server"), field(3, &data)].concat();
        assert_eq!(client.binary().await, field(2, &message));
    }
}
