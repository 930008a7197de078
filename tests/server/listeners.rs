//! Event listeners: what they are told, and where.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, ConfigFile, JSON, LineFile, Server};

/// Sends an event and waits for its ack.
async fn event(
    client: &mut Client,
    ack_id: u64,
    name: &str,
    data_type: &str,
    data: Value,
) -> Value {
    let event = json!({
        "type": "event", "event": name, "ackId": ack_id, "dataType": data_type, "data": data,
        "metadata": { "k": "v" },
    });
    client.send(&event.to_string()).await;
    client.json().await
}

/// A listener alone is told of everything in its order, and an event that it gets has succeeded.
#[tokio::test]
async fn without_a_handler() {
    let mut file = LineFile::new("alone");
    let server = Server::start(&["--listener", &format!("chat={}", file.path())]).await;
    let mut client = server.connect("alice", &[JSON]).await;
    let id = client.json().await["connectionId"].as_str().expect("an id").to_owned();

    let line = file.next().await;
    let time = line["properties"]["cloudEvents:time"].as_str().expect("a time");
    assert!(time.len() == 20 && time.ends_with('Z'), "{time}");
    let expected = json!({
        "messageId": format!("{id}/1"),
        "partitionKey": id,
        "contentType": "application/json; charset=utf-8",
        "properties": {
            "cloudEvents:specversion": "1.0",
            "cloudEvents:awpsversion": "1.0",
            "cloudEvents:type": "azure.webpubsub.sys.connected",
            "cloudEvents:source": format!("/hubs/chat/client/{id}"),
            "cloudEvents:id": "1",
            "cloudEvents:time": time,
            "cloudEvents:hub": "chat",
            "cloudEvents:eventname": "connected",
            "cloudEvents:connectionid": id,
            "cloudEvents:userid": "alice",
            "cloudEvents:subprotocol": JSON,
        },
        "bodyEncoding": "json",
        "body": {},
    });
    assert_eq!(line, expected);

    let ack = event(&mut client, 1, "greet", "text", json!("hi\n\"you\"")).await;
    assert_eq!(ack["success"], true);
    let line = file.next().await;
    assert_eq!(line["properties"]["cloudEvents:type"], "azure.webpubsub.user.greet");
    assert_eq!(line["properties"]["x-webpubsub-metadata-k"], "v");
    assert_eq!(
        (&line["contentType"], &line["bodyEncoding"]),
        (&json!("text/plain"), &json!("text"))
    );
    assert_eq!(
        (&line["body"], &line["messageId"]),
        (&json!("hi\n\"you\""), &json!(format!("{id}/2")))
    );

    client.send("{\"type\":\"event\",\"event\":\"x\",\"ackId\":2,\"dataType\":\"json\",\"data\":{\n\"a\":1.50}}").await;
    assert_eq!(client.json().await["success"], true);
    let line = file.next().await;
    assert_eq!((&line["bodyEncoding"], &line["body"]), (&json!("json"), &json!({ "a": 1.5 })));
    assert!(file.content().contains("1.50"), "numbers are not spelled anew");

    client.send_message(Message::Close(None)).await.expect("sent");
    let line = file.next().await;
    assert_eq!(line["properties"]["cloudEvents:eventname"], "disconnected");
    assert!(line["body"]["reason"].is_string(), "{line}");
}

/// Bytes are base64; a listener gets what it wants, besides the handler, and two in one file each have their line.
#[tokio::test]
async fn beside_a_handler() {
    let mut file = LineFile::new("beside");
    let path = file.path();
    let config = ConfigFile::new(
        "listeners",
        &format!(
            "[[hubs.chat.handlers]]\nurl = \"echo:\"\nuser_events = \"*\"\n\
             [[hubs.chat.listeners]]\npath = \"{path}\"\nuser_events = \"a, b\"\n\
             [[hubs.chat.listeners]]\npath = \"{path}\"\nuser_events = \"b\"\nsystem_events = [\"disconnected\"]\n"
        ),
    );
    let server = Server::start(&["--config", config.path()]).await;
    let mut client = server.connect("alice", &[JSON]).await;
    client.json().await;
    for (ack_id, name, told) in [(1, "a", 1), (2, "b", 2), (3, "c", 0)] {
        let reply = event(&mut client, ack_id, name, "binary", json!("AAH/")).await;
        assert_eq!(reply["data"], "AAH/", "the handler answers");
        assert_eq!(client.json().await["success"], true);
        for _ in 0..told {
            let line = file.next().await;
            assert_eq!(line["properties"]["cloudEvents:eventname"], name);
            assert_eq!((&line["bodyEncoding"], &line["body"]), (&json!("base64"), &json!("AAH/")));
        }
    }
    drop(client);
    assert_eq!(file.next().await["properties"]["cloudEvents:eventname"], "disconnected");
}

/// Lines go to stdout too, and all of them are written before the server ends.
#[tokio::test]
async fn stdout_and_the_end() {
    let file = LineFile::new("end");
    let flags = ["--listener", "chat=-", "--listener", &format!("CHAT={}", file.path())];
    let mut server = Server::start(&flags).await;
    let mut client = server.connect("alice", &[]).await;
    client.send("hello").await;
    let line = server.prints("azure.webpubsub.user.message").await;
    assert!(line.contains(r#""body":"hello""#), "{line}");
    server.signal("-TERM").await;
    assert_eq!(client.closed().await.1, 1001);
    drop(client);
    assert_eq!(server.ended().await.0, Some(0));
    let content = file.content();
    let lines: Vec<&str> = content.lines().collect();
    assert_eq!(lines.len(), 3, "{content}");
    assert!(lines[2].contains("azure.webpubsub.sys.disconnected"), "{content}");
}

/// Nobody reads stdout, so its pipe is full: clients do not wait for it, and nothing is lost once somebody reads.
#[tokio::test]
async fn full_pipe() {
    let mut server = Server::start(&["--listener", "chat=-"]).await;
    let mut client = server.connect("alice", &[JSON]).await;
    client.json().await;
    for ack_id in 1..=10 {
        let data = json!("x".repeat(100_000));
        let ack = event(&mut client, ack_id, "large", "text", data).await;
        assert_eq!(ack["success"], true);
    }
    for _ in 0..10 {
        let line: Value = serde_json::from_str(&server.prints("user.large").await).expect("JSON");
        assert_eq!(line["body"].as_str().map(str::len), Some(100_000));
    }
}

/// What cannot be written is counted and said, and holds nobody up.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn full_disk() {
    let mut server = Server::start(&["--listener", "chat=/dev/full"]).await;
    let mut client = server.connect("alice", &[JSON]).await;
    client.json().await;
    assert_eq!(event(&mut client, 1, "greet", "text", json!("hi")).await["success"], true);
    let line = server.says("lines left out").await;
    assert!(line.starts_with("server: listeners: /dev/full: "), "{line}");
    let metrics = server.http("GET /metrics HTTP/1.1\r\nhost: x").await;
    assert!(!metrics.contains("hubcast_lines_left_out_total{of=\"listeners\"} 0\n"), "{metrics}");
}
