//! Clients that do not read for a while, and what becomes of the messages for them.

use serde_json::Value;

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
