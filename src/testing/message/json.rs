//! Messages read from JSON (`webpubsub.md` 3.6).

use alloc::borrow::ToOwned;
use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use base64::Engine as _;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Message, Received, StateItem, StreamPlace};
use crate::testing::payload::{Entries, Payload};

/// Reads a message.
pub(super) fn read(text: &str) -> Result<Received, String> {
    let members = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let object = Object(members);
    let message = match &*object.text("type")? {
        "system" => match &*object.text("event")? {
            "connected" => Message::Connected {
                connection_id: object.text("connectionId")?,
                user: text_of(&object.value("userId")?),
                token: object.maybe_text("reconnectionToken")?,
            },
            "disconnected" => Message::Disconnected { message: object.text("message")? },
            other => return Err(format!("an unknown system event {other:?}")),
        },
        "ack" => Message::Ack { id: object.number("ackId")?, error: object.error()? },
        "pong" => Message::Pong,
        "message" => object.message()?,
        "invokeResponse" => Message::InvokeResponse {
            id: object.text("invocationId")?,
            error: object.error()?,
            payload: object.has("data").then(|| object.payload()).transpose()?,
            metadata: object.entries("metadata")?.unwrap_or_default(),
        },
        "streamAck" => Message::StreamAck {
            id: object.text("streamId")?,
            expected: object.number("expectedSequenceId")?,
        },
        "streamNack" => Message::StreamNack {
            id: object.text("streamId")?,
            expected: object.number("expectedSequenceId")?,
            name: object.text("name")?,
        },
        "streamClosed" => {
            let error = object.has("error").then(|| object.error_name()).transpose()?;
            Message::StreamClosed { id: object.text("streamId")?, error }
        }
        kind @ ("groupStateSnapshot" | "groupStateUpdate") => Message::State {
            group: object.text("group")?,
            snapshot: kind == "groupStateSnapshot",
            items: object.items()?,
        },
        other => return Err(format!("an unknown type {other:?}")),
    };
    let sequence = object.has("sequenceId").then(|| object.number("sequenceId")).transpose()?;
    Ok(Received { sequence, message })
}

/// The members of an object as they are spelled.
struct Object<'a>(BTreeMap<String, &'a RawValue>);

impl Object<'_> {
    fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    fn raw(&self, name: &str) -> Result<&str, String> {
        Ok(self.0.get(name).ok_or_else(|| format!("{name} is missing"))?.get())
    }

    fn value(&self, name: &str) -> Result<Value, String> {
        serde_json::from_str(self.raw(name)?).map_err(|error| error.to_string())
    }

    fn text(&self, name: &str) -> Result<String, String> {
        text_of(&self.value(name)?).ok_or_else(|| format!("{name} is no text"))
    }

    fn maybe_text(&self, name: &str) -> Result<Option<String>, String> {
        self.has(name).then(|| self.text(name)).transpose()
    }

    fn number(&self, name: &str) -> Result<u64, String> {
        self.value(name)?.as_u64().ok_or_else(|| format!("{name} is no number"))
    }

    fn entries(&self, name: &str) -> Result<Option<Entries>, String> {
        self.has(name).then(|| entries_of(&self.value(name)?)).transpose()
    }

    /// Reads `success` and the name of the `error` that goes with `false`.
    fn error(&self) -> Result<Option<String>, String> {
        match (self.value("success")?.as_bool(), self.has("error")) {
            (Some(true), false) => Ok(None),
            (Some(false), true) => self.error_name().map(Some),
            _ => Err("success and error do not fit".to_owned()),
        }
    }

    fn error_name(&self) -> Result<String, String> {
        let error = self.value("error")?;
        // The SDKs need both.
        let name = text_of(&error["name"]).zip(text_of(&error["message"]));
        name.map(|(name, _)| name).ok_or_else(|| "an error has a name and a message".to_owned())
    }

    fn message(&self) -> Result<Message, String> {
        let payload = self.payload()?;
        let metadata = self.entries("metadata")?.unwrap_or_default();
        match &*self.text("from")? {
            "server" => Ok(Message::Server { payload, metadata }),
            "group" => Ok(Message::Group {
                group: self.text("group")?,
                from_user: self
                    .has("fromUserId")
                    .then(|| self.value("fromUserId").map(|user| text_of(&user)))
                    .transpose()?,
                payload,
                metadata,
                stream: self
                    .has("stream")
                    .then(|| self.value("stream").and_then(|it| place(&it)))
                    .transpose()?,
            }),
            other => Err(format!("from {other:?}")),
        }
    }

    fn payload(&self) -> Result<Payload, String> {
        let bytes = || {
            let decoded = base64::engine::general_purpose::STANDARD.decode(self.text("data")?);
            decoded.map_err(|error| error.to_string())
        };
        match &*self.text("dataType")? {
            "text" => self.text("data").map(Payload::Text),
            "json" => self.raw("data").map(|text| Payload::Json(text.to_owned())),
            "binary" => bytes().map(Payload::Binary),
            "protobuf" => bytes().map(Payload::Protobuf),
            other => Err(format!("an unknown dataType {other:?}")),
        }
    }

    fn items(&self) -> Result<Vec<StateItem>, String> {
        let items = self.value("items")?;
        let items = items.as_array().ok_or("items is no list")?;
        items.iter().map(item).collect()
    }
}

fn place(stream: &Value) -> Result<StreamPlace, String> {
    let error = stream.get("error").map(|error| {
        let part = |name| text_of(&error[name]).unwrap_or_default();
        (part("name"), part("message"), part("userErrorCode"))
    });
    Ok(StreamPlace {
        id: text_of(&stream["streamId"]).ok_or("a stream has an id")?,
        sequence: stream["streamSequenceId"].as_u64().ok_or("a part of a stream has an id")?,
        end: stream["endOfStream"].as_bool().unwrap_or(false),
        error,
    })
}

fn item(item: &Value) -> Result<StateItem, String> {
    Ok(StateItem {
        connection_id: text_of(&item["connectionId"]).ok_or("an item has a connection")?,
        user: text_of(&item["userId"]).filter(|user| !user.is_empty()),
        state: item.get("state").map(entries_of).transpose()?.map(|mut entries| {
            entries.sort();
            entries
        }),
        updated_at: item["updatedAt"].as_u64().ok_or("an item has a time")?,
    })
}

fn entries_of(value: &Value) -> Result<Entries, String> {
    let object = value.as_object().ok_or("entries are an object")?;
    let entry = |(name, value): (&String, &Value)| Some((name.clone(), text_of(value)?));
    let entries: Option<_> = object.iter().map(entry).collect();
    entries.ok_or_else(|| "entries are texts".to_owned())
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}
