//! Events and invocations, answered by the handler that is built into the server.

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Client, JSON, RELIABLE_JSON, Server};

async fn echo(offer: &str) -> (Server, Client) {
    let server = Server::start(&["--handler", "chat=echo:"]).await;
    let mut client = server.connect("alice", &[offer]).await;
    let connected = client.json().await;
    assert_eq!(connected["userId"], "alice", "the connect handler changes nothing");
    (server, client)
}

async fn exchange(client: &mut Client, request: Value) -> Value {
    client.send(&request.to_string()).await;
    client.json().await
}

/// An event comes back as a message with its data, its type and its metadata, then it is acknowledged.
#[tokio::test]
async fn events() {
    let (_server, mut client) = echo(JSON).await;
    for (ack_id, data_type, data) in [
        (1, "text", json!("hi")),
        (2, "json", json!({ "a": [1, null] })),
        (3, "binary", json!("AAH/")),
    ] {
        let event = json!({
            "type": "event", "event": "Any.name", "ackId": ack_id, "dataType": data_type,
            "data": data, "metadata": { "k": "v" },
        });
        let reply = exchange(&mut client, event).await;
        let expected = json!({
            "type": "message", "from": "server", "dataType": data_type, "data": data,
            "metadata": { "k": "v" },
        });
        assert_eq!(reply, expected);
        assert_eq!(client.json().await["success"], true);
    }
}

/// The event `fail` fails and leaves the connection open.
#[tokio::test]
async fn failure() {
    let (_server, mut client) = echo(JSON).await;
    let event = json!({
        "type": "event", "event": "fail", "ackId": 1, "dataType": "text", "data": "x",
    });
    let ack = exchange(&mut client, event).await;
    assert_eq!(
        (&ack["success"], &ack["error"]["name"]),
        (&json!(false), &json!("InternalServerError"))
    );
    assert_eq!(exchange(&mut client, json!({ "type": "ping" })).await, json!({ "type": "pong" }));
}

/// A plain client gets what it sent, text as text and bytes as bytes.
#[tokio::test]
async fn plain_clients() {
    let server = Server::start(&["--handler", "chat=echo:"]).await;
    let mut client = server.connect("alice", &[]).await;
    client.send("hi").await;
    assert_eq!(client.text().await, "hi");
    client.send_message(Message::binary(vec![0, 1, 255])).await.expect("sent");
    assert_eq!(client.binary().await, [0, 1, 255]);
}

fn invoke(id: &str, event: &str) -> Value {
    json!({
        "type": "invoke", "invocationId": id, "target": "event", "event": event,
        "dataType": "json", "data": [1, 2], "metadata": { "k": "v" },
    })
}

/// An invocation is answered with its data, or with an error.
#[tokio::test]
async fn invocations() {
    for offer in [JSON, RELIABLE_JSON] {
        let (_server, mut client) = echo(offer).await;
        let response = exchange(&mut client, invoke("1", "sum")).await;
        assert_eq!(response["type"], "invokeResponse");
        assert_eq!((&response["invocationId"], &response["success"]), (&json!("1"), &json!(true)));
        assert_eq!((&response["dataType"], &response["data"]), (&json!("json"), &json!([1, 2])));

        let response = exchange(&mut client, invoke("1", "fail")).await;
        assert_eq!((&response["invocationId"], &response["success"]), (&json!("1"), &json!(false)));
        assert!(response["error"]["name"].is_string(), "{response}");
    }
}

/// An invocation that is cancelled is not answered; others are, quick ones before slow ones.
#[tokio::test]
async fn cancelled_invocations() {
    let (_server, mut client) = echo(JSON).await;
    client.send(&invoke("cancelled", "slow").to_string()).await;
    client.send(&invoke("slow", "slow").to_string()).await;
    client.send(r#"{"type":"cancelInvocation","invocationId":"cancelled"}"#).await;
    client.send(&invoke("quick", "x").to_string()).await;
    assert_eq!(client.json().await["invocationId"], "quick");
    let response = client.json().await;
    assert_eq!((&response["invocationId"], &response["success"]), (&json!("slow"), &json!(true)));
}

/// A client that leaves while its event is being answered does no harm.
#[tokio::test]
async fn leaving_in_the_middle() {
    let (server, mut client) = echo(JSON).await;
    let event = r#"{"type":"event","event":"slow","ackId":1,"dataType":"text","data":"x"}"#;
    client.send(event).await;
    drop(client);
    let mut client = server.connect("bob", &[JSON]).await;
    client.text().await;
    // Answered after the one of the client that left would have been.
    client.send(event).await;
    assert_eq!(client.json().await["data"], "x");
    assert_eq!(client.json().await["success"], true);
}
