//! A client that is connected, and what tests do with it.

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::PATIENCE;

/// What a reliable client is told about its session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) token: String,
}

/// A client that is connected.
pub(crate) struct Client(pub(crate) WebSocketStream<TcpStream>);

impl Client {
    /// Sends a text message.
    pub(crate) async fn send(&mut self, text: &str) {
        self.send_message(Message::text(text)).await.expect("it is sent");
    }

    /// Sends any message or frame.
    pub(crate) async fn send_message(&mut self, message: Message) -> Result<(), Error> {
        timeout(PATIENCE, self.0.send(message)).await.expect("it is sent in time")
    }

    /// Returns the next text message.
    pub(crate) async fn text(&mut self) -> String {
        match self.next().await {
            Message::Text(text) => text.to_string(),
            other => panic!("not a text: {other:?}"),
        }
    }

    /// Returns the next text message as JSON.
    pub(crate) async fn json(&mut self) -> Value {
        serde_json::from_str(&self.text().await).expect("JSON")
    }

    /// Returns the next binary message.
    pub(crate) async fn binary(&mut self) -> Vec<u8> {
        match self.next().await {
            Message::Binary(bytes) => bytes.into(),
            other => panic!("not binary: {other:?}"),
        }
    }

    /// Reads the `connected` frame of a reliable client.
    pub(crate) async fn connected(&mut self) -> Session {
        let connected = self.json().await;
        assert_eq!(connected["event"], "connected", "{connected}");
        let text = |name: &str| connected[name].as_str().expect("a text").to_owned();
        Session { id: text("connectionId"), token: text("reconnectionToken") }
    }

    /// Joins the group `g`.
    pub(crate) async fn join(&mut self) {
        self.send(r#"{"type":"joinGroup","group":"g","ackId":1}"#).await;
        assert_eq!(self.text().await, r#"{"type":"ack","ackId":1,"success":true}"#);
    }

    /// Publishes a text to group `g` and waits until the server has done it.
    pub(crate) async fn publish(&mut self, ack_id: usize, text: &str) {
        let message = format!(
            r#"{{"type":"sendToGroup","group":"g","noEcho":true,"ackId":{ack_id},"dataType":"text","data":"{text}"}}"#
        );
        self.send(&message).await;
        let ack = format!(r#"{{"type":"ack","ackId":{ack_id},"success":true}}"#);
        assert_eq!(self.text().await, ack);
    }

    /// Says how far the messages of a reliable client have arrived, and waits until the server knows.
    pub(crate) async fn acknowledge(&mut self, sequence_id: u64) {
        self.send(&format!(r#"{{"type":"sequenceAck","sequenceId":{sequence_id}}}"#)).await;
        self.send(r#"{"type":"ping"}"#).await;
        assert_eq!(self.text().await, r#"{"type":"pong"}"#);
    }

    /// Waits for the transport to end without a close frame, before anything else arrives.
    pub(crate) async fn cut(&mut self) {
        match timeout(PATIENCE, self.0.next()).await.expect("an end in time") {
            None
            | Some(Err(
                Error::Io(_) | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake),
            )) => {}
            Some(other) => panic!("no end: {other:?}"),
        }
    }

    /// Returns the next message that is not a ping.
    pub(crate) async fn next(&mut self) -> Message {
        let next = async {
            loop {
                let message = self.0.next().await.expect("the connection is open");
                let message = message.expect("a message");
                if !message.is_ping() {
                    return message;
                }
            }
        };
        timeout(PATIENCE, next).await.expect("a message in time")
    }

    /// Reads until the close frame and returns how many messages came before it, its code and its reason.
    pub(crate) async fn closed(&mut self) -> (usize, u16, String) {
        for before in 0.. {
            if let Message::Close(frame) = self.next().await {
                let CloseFrame { code, reason } = frame.expect("a close frame with a code");
                return (before, code.into(), reason.to_string());
            }
        }
        unreachable!("messages come to an end")
    }
}
