//! The event listeners: each event becomes a line of JSON in the file that the listener names.
//!
//! This is the place to copy for Event Hubs, NATS or any other broker: [`EventMessage`] is what the service puts into
//! Event Hubs (`webpubsub.md` 8.10). Send `body` with `content_type` and `properties`, use `id` to tell repetitions, and
//! choose the partition by `partition_key`, so that events of one connection stay in order. Do it as it is done here:
//! not in the engine task, and without making it wait.
//!
//! A line, broken up for people:
//!
//! ```json
//! {
//!   "messageId": "<connection id>/<number of the event>",
//!   "partitionKey": "<connection id>",
//!   "contentType": "text/plain",
//!   "properties": { "cloudEvents:type": "azure.webpubsub.user.greet", "cloudEvents:hub": "chat" },
//!   "bodyEncoding": "text",
//!   "body": "hi"
//! }
//! ```
//!
//! `bodyEncoding` says how to read `body`: `text` is the text itself, `json` a value of JSON, `base64` bytes.

use std::collections::BTreeMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hubcast::rest::EventMessage;
use hubcast::{Config, Notify, Time};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::lines::{Line, LineWriter, Output};

/// Takes the events that listeners are told of.
#[derive(Debug)]
pub(crate) struct Listeners {
    outputs: ListenerOutputs,
    writer: LineWriter<EventMessage>,
}

/// The open files of listeners, by target.
#[derive(Debug, Default)]
pub(crate) struct ListenerOutputs(BTreeMap<String, Arc<Output>>);

impl ListenerOutputs {
    /// Opens the files that the listeners of all hubs name, each once.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong and what to do.
    pub(crate) fn open(config: &Config) -> Result<Self, String> {
        let mut outputs = BTreeMap::new();
        for (hub, settings) in &config.hubs {
            for listener in &settings.listeners {
                let target = &listener.target;
                if !outputs.contains_key(target) {
                    let output = Output::open(target)
                        .map_err(|error| format!("listener of hub {hub}: {error}"))?;
                    outputs.insert(target.clone(), output);
                }
            }
        }
        Ok(Self(outputs))
    }
}

impl Listeners {
    pub(crate) fn new(outputs: ListenerOutputs, writer: LineWriter<EventMessage>) -> Self {
        Self { outputs, writer }
    }

    /// Goes on with other files. What is on its way still goes to those of before.
    pub(crate) fn replace(&mut self, outputs: ListenerOutputs) {
        self.outputs = outputs;
    }

    /// Tells a listener.
    pub(crate) fn notify(&self, notify: &Notify<'_>, now: Time) {
        // Every listener of a configuration has its output, which was opened before.
        let Some(output) = self.outputs.0.get(&notify.listener.target) else { return };
        self.writer.write(output, EventMessage::new(&notify.event, now));
    }

    /// Returns how many lines were left out.
    pub(crate) fn left_out(&self) -> u64 {
        self.writer.left_out()
    }
}

impl Line for EventMessage {
    fn size(&self) -> usize {
        let properties = self.properties.iter().map(|(name, value)| name.len() + value.len());
        self.body.len() + properties.sum::<usize>() + self.id.len() + self.partition_key.len()
    }

    fn write(&self, to: &mut Vec<u8>) {
        let (body_encoding, body) = Body::of(self);
        let line = EventLine {
            message_id: &self.id,
            partition_key: &self.partition_key,
            content_type: self.content_type,
            properties: Properties(&self.properties),
            body_encoding,
            body,
        };
        serde_json::to_writer(to, &line).expect("nothing in it can fail");
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct EventLine<'a> {
    message_id: &'a str,
    partition_key: &'a str,
    content_type: &'a str,
    properties: Properties<'a>,
    body_encoding: &'static str,
    body: Body<'a>,
}

struct Properties<'a>(&'a [(String, String)]);

impl Serialize for Properties<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Body<'a> {
    Text(&'a str),
    Json(Box<RawValue>),
    Base64(String),
}

impl<'a> Body<'a> {
    /// Returns the body with the name of its encoding.
    fn of(message: &'a EventMessage) -> (&'static str, Self) {
        let text = std::str::from_utf8(&message.body).ok();
        let kind = message.content_type.split(';').next().unwrap_or_default();
        match (kind, text) {
            ("application/json", Some(text)) => {
                // Line breaks stand only between the parts of JSON, never within, but the line must not have any.
                let in_one_line = text.replace(['\n', '\r'], " ");
                match RawValue::from_string(in_one_line) {
                    Ok(value) => ("json", Self::Json(value)),
                    Err(_) => ("text", Self::Text(text)),
                }
            }
            ("text/plain", Some(text)) => ("text", Self::Text(text)),
            _ => ("base64", Self::Base64(STANDARD.encode(&message.body))),
        }
    }
}
