//! Clients that do not read for a while, and what becomes of the messages for them.

use serde_json::Value;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, ConfigFile, JSON, RELIABLE_JSON, Server};

/// How large the messages are: a hundred of them are more than the kernel takes on its way to a client that does not
/// read, see [`MANY`].
const BYTES: usize = 100_000;
/// As many messages fill the buffers of the kernel and the queue of the socket.
const MANY: usize = 100;

/// A text with a number in front.
fn numbered(number: usize) -> String {
    format!("{number} {}", "x".repeat(BYTES))
}

/// The number of a message, or `None` for the pong behind all of them.
fn number(message: &Value) -> Option<usize> {
    if message["type"] == "pong" {
        return None;
    }
    let text = message["data"].as_str().unwrap_or_else(|| panic!("no message: {message}"));
    Some(text.split_once(' ').expect("a number").0.parse().expect("a number"))
}

/// Asks for a pong, which is queued behind all that waits, and returns the numbers of what comes before it.
async fn read_all(client: &mut Client) -> Vec<usize> {
    client.send(r#"{"type":"ping"}"#).await;
    let mut numbers = Vec::new();
    while let Some(number) = number(&client.json().await) {
        numbers.push(number);
    }
    numbers
}

/// Publishes numbered messages while the client does not read.
async fn publish_many(sender: &mut Client, first_ack: usize) {
    for number in 0..MANY {
        sender.publish(first_ack + number, &numbered(number)).await;
    }
}

/// A client that reads again gets everything that it missed, in order, also when it does so twice.
#[tokio::test]
async fn resumed_without_loss() {
    let server = Server::start(&[]).await;
    let mut sender = server.connect("sender", &[JSON]).await;
    sender.text().await;
    let mut plain = server.member("json").await;
    let (mut reliable, _) = server.reliable_member("reliable").await;
    for (round, first_ack) in [(1, 10), (2, 1_000)] {
        publish_many(&mut sender, first_ack).await;
        for client in [&mut plain, &mut reliable] {
            assert!(read_all(client).await.into_iter().eq(0..MANY));
        }
        // More than its limit would be kept otherwise.
        reliable.acknowledge(round * MANY as u64).await;
    }
}

/// Without a pause in the engine, messages that do not fit are dropped as the hub says.
#[tokio::test]
async fn policies() {
    for (policy, left) in [
        ("drop-newest", None),
        ("drop-oldest", Some(MANY - 5..MANY)),
        ("keep-latest", Some(MANY - 1..MANY)),
    ] {
        let config = format!(
            "[hubs.chat]\nslow_consumer = \"{policy}\"\nlimits = {{ paused_messages = 5 }}\n"
        );
        let file = ConfigFile::new(policy, &config);
        let server = Server::start(&["--config", file.path()]).await;
        let mut sender = server.connect("sender", &[JSON]).await;
        sender.text().await;
        let mut slow = server.member("slow").await;
        publish_many(&mut sender, 10).await;
        let numbers = read_all(&mut slow).await;
        let kept = left.as_ref().map_or(0, ExactSizeIterator::len);
        let (head, tail) = numbers.split_at(numbers.len() - kept);
        // What was on its way before the pause, then what the policy kept.
        assert!(!head.is_empty() && head.len() < MANY - 10, "{policy}: {numbers:?}");
        assert!(head.iter().copied().eq(0..head.len()), "{policy}: {numbers:?}");
        assert!(tail.iter().copied().eq(left.unwrap_or(0..0)), "{policy}: {numbers:?}");
        // From now on it gets everything again.
        for number in 0..20 {
            sender.publish(1_000 + number, &numbered(number)).await;
            assert_eq!(self::number(&slow.json().await), Some(number), "{policy}");
        }
    }
}

/// A client that reads now and then gets every message whole and in order, however the writes were cut, also large ones;
/// its pings are answered between messages, and the latest one in any case.
#[tokio::test]
async fn read_bit_by_bit() {
    const SIZES: [usize; 6] = [1, 70_000, 100, 1_000_000, 20_000, 300];
    const ROUNDS: usize = 8;
    let server = Server::start(&[]).await;
    let mut sender = server.connect("sender", &[JSON]).await;
    sender.text().await;
    let mut plain = server.member("json").await;
    let (mut reliable, _) = server.reliable_member("reliable").await;
    let mut read = 0;
    for round in 0..ROUNDS {
        for (place, size) in SIZES.into_iter().enumerate() {
            let number = round * SIZES.len() + place;
            sender.publish(number, &format!("{number} {}", "x".repeat(size))).await;
        }
        for client in [&mut plain, &mut reliable] {
            let ping = Message::Ping(vec![round as u8].into());
            client.send_message(ping).await.expect("the server reads");
        }
        // It stays behind by more and more.
        for _ in 0..SIZES.len() / 2 {
            for client in [&mut plain, &mut reliable] {
                expect_sized(client, read, SIZES[read % SIZES.len()]).await;
            }
            read += 1;
        }
    }
    for client in [&mut plain, &mut reliable] {
        let mut pongs = 0;
        for number in read..ROUNDS * SIZES.len() {
            pongs += expect_sized(client, number, SIZES[number % SIZES.len()]).await;
        }
        client.send_message(Message::Ping(vec![99].into())).await.expect("the server reads");
        while client.next().await != Message::Pong(vec![99].into()) {
            pongs += 1;
        }
        assert!(pongs < ROUNDS);
        client.send(r#"{"type":"ping"}"#).await;
        assert_eq!(client.text().await, r#"{"type":"pong"}"#);
    }
}

/// Reads a message with this number and size; returns how many pongs came before it.
async fn expect_sized(client: &mut Client, expected: usize, size: usize) -> usize {
    for pongs in 0.. {
        match client.next().await {
            Message::Pong(_) => {}
            Message::Text(text) => {
                let message = serde_json::from_str(&text).expect("JSON");
                assert_eq!(number(&message), Some(expected));
                let data = message["data"].as_str().expect("a text");
                assert_eq!(data.len(), expected.to_string().len() + 1 + size);
                return pongs;
            }
            other => panic!("not a text: {other:?}"),
        }
    }
    unreachable!("pongs come to an end")
}

/// A client that does not read is closed with 1008 when too much waits for it; it delays nobody else.
#[tokio::test]
async fn nobody_waits_for_it() {
    let server = Server::start(&[]).await;
    let mut slow = server.member("slow").await;
    let mut quick = server.member("quick").await;
    let (mut reliable, _) = server.reliable_member("reliable").await;
    let mut sender = server.connect("sender", &[JSON]).await;
    sender.text().await;
    // More than the 16 MiB that may wait and the buffers of the kernel hold.
    let (count, data) = (32, "x".repeat(1_000_000));
    for id in 0..count {
        sender.publish(id, &data).await;
        for client in [&mut quick, &mut reliable] {
            assert!(client.text().await.len() > data.len());
        }
        reliable.acknowledge(id as u64 + 1).await;
    }
    let (before, code, reason) = slow.closed().await;
    assert_eq!((code, reason.as_str()), (1008, "The outbound message queue is full."));
    assert!(before < count, "{before}");
    // The others are still served.
    quick.send(r#"{"type":"ping"}"#).await;
    assert_eq!(quick.text().await, r#"{"type":"pong"}"#);
}

/// A slow client that is cut off and comes back gets all that it did not acknowledge.
#[tokio::test]
async fn recovered_while_slow() {
    let server = Server::start(&[]).await;
    let mut sender = server.connect("sender", &[JSON]).await;
    sender.text().await;
    let (client, session) = server.reliable_member("slow").await;
    publish_many(&mut sender, 10).await;
    let mut again = server.recover("chat", &session, &[RELIABLE_JSON]).await;
    drop(client);
    assert_eq!(again.connected().await, session);
    // Nor does it read now.
    sender.publish(1_000, &numbered(MANY)).await;
    assert!(read_all(&mut again).await.into_iter().eq(0..=MANY));
}
