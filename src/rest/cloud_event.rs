//! Events as `CloudEvents` have them, whatever carries them (`webpubsub.md` 8.2, 8.10).

mod body;

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;

pub(super) use self::body::body;
use crate::event::{Event, EventKind};
use crate::protocol::Data;
use crate::time::Time;

/// The version of the service's own attributes.
pub(super) const AWPS_VERSION: &str = "1.0";
/// The version of `CloudEvents`.
pub(super) const SPEC_VERSION: &str = "1.0";

/// An event as a message for an event listener: what the service puts into Event Hubs, for any broker or log
/// (`webpubsub.md` 8.10).
///
/// ```
/// use hubcast::rest::EventMessage;
/// use hubcast::{Action, Config, Engine, EventListener, HubConfig, Incoming, Open, Time};
///
/// let mut config = Config::new(0x5eed);
/// let listeners = vec![EventListener::all("events.jsonl")];
/// config.hubs.push(("chat".into(), HubConfig { listeners, ..HubConfig::default() }));
/// let mut engine = Engine::new(config)?;
/// let now = Time::from_secs(1_790_000_000);
/// let alice = engine.open(Open { hub: "chat", user: Some("alice"), ..Open::default() }, now);
/// while engine.poll_action().is_some() {} // accepted, and the event `connected`
///
/// engine.receive(alice, Incoming::Text("hello"), now); // the event `message` of a plain client
/// let Some(Action::Notify(notify)) = engine.poll_action() else { panic!("a listener is told") };
/// let message = EventMessage::new(&notify.event, now);
/// assert_eq!((&*message.body, message.content_type), (&b"hello"[..], "text/plain"));
/// let property = |name| message.properties.iter().find(|(each, _)| each == name).unwrap().1.as_str();
/// assert_eq!(property("cloudEvents:type"), "azure.webpubsub.user.message");
/// assert_eq!(property("cloudEvents:time"), "2026-09-21T14:13:20Z");
/// assert_eq!(message.id, format!("{}/2", message.partition_key));
/// # Ok::<(), hubcast::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventMessage {
    /// What the event says: the data of the client, or JSON.
    pub body: Bytes,
    /// The media type of the body.
    pub content_type: &'static str,
    /// The application properties, `cloudEvents:type` and so on, and the metadata of the client as
    /// `x-webpubsub-metadata-{key}`.
    pub properties: Vec<(String, String)>,
    /// Names the message: the connection id, a slash, the number of the event.
    pub id: String,
    /// The connection id: events of one connection stay in order where a broker keeps the order of a partition.
    pub partition_key: String,
}

impl EventMessage {
    /// Makes the message of an event, as of now.
    pub fn new(event: &Event<'_>, now: Time) -> Self {
        let (content_type, body) = body(&event.kind);
        let content_type = match event.kind {
            // Here the service names no character set (`emulator.md` 12).
            EventKind::User { data: Data::Text(_), .. } => "text/plain",
            _ => content_type,
        };
        let connection_id = event.connection_id.to_string();
        let id = format!("{connection_id}/{}", event.number);
        let properties = properties(event, now);
        Self { body, content_type, properties, id, partition_key: connection_id }
    }
}

fn properties(event: &Event<'_>, now: Time) -> Vec<(String, String)> {
    let attribute = |name: &str, value: String| (["cloudEvents:", name].concat(), value);
    let mut properties = Vec::from([
        attribute("specversion", SPEC_VERSION.into()),
        attribute("awpsversion", AWPS_VERSION.into()),
        attribute("type", event_type(&event.kind)),
        attribute("source", source(event)),
        attribute("id", event.number.to_string()),
        attribute("time", now.in_whole_seconds().to_string()),
        attribute("hub", event.hub.into()),
        attribute("eventname", event.kind.name().into()),
        attribute("connectionid", event.connection_id.to_string()),
    ]);
    let optional = [
        ("userid", event.user),
        ("subprotocol", event.subprotocol),
        ("connectionstate", event.state),
    ];
    for (name, value) in optional {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            properties.push(attribute(name, value.into()));
        }
    }
    if let EventKind::User { metadata, .. } = &event.kind {
        let metadata = metadata.iter();
        properties.extend(metadata.map(|(key, value)| ([METADATA, key].concat(), value.into())));
    }
    properties
}

/// What the name of a metadata key begins with.
pub(super) const METADATA: &str = "x-webpubsub-metadata-";

/// Returns the type of an event, such as `azure.webpubsub.sys.connected`.
pub(super) fn event_type(kind: &EventKind<'_>) -> String {
    let family = match kind {
        EventKind::Connect(_) | EventKind::Connected | EventKind::Disconnected { .. } => "sys",
        EventKind::User { .. } => "user",
        EventKind::Joined { .. } | EventKind::Left { .. } => "gp",
    };
    format!("azure.webpubsub.{family}.{}", kind.name())
}

/// Returns where an event comes from.
pub(super) fn source(event: &Event<'_>) -> String {
    format!("/hubs/{}/client/{}", event.hub, event.connection_id)
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::action::Action;
    use crate::config::{Config, EventListener, HubConfig};
    use crate::engine::Engine;
    use crate::input::{Closed, Incoming, Open};
    use crate::protocol::Protocol;

    /// Returns the messages of a connection that sends this and closes.
    fn messages(open: Open<'_>, say: Incoming<'_>) -> Vec<EventMessage> {
        let mut config = Config::new(1);
        let listeners = vec![EventListener::all("log")];
        config.hubs.push(("chat".into(), HubConfig { listeners, ..HubConfig::default() }));
        let mut engine = Engine::new(config).expect("it is good");
        let now = Time::from_millis(1_790_000_000_999);
        let key = engine.open(Open { hub: "Chat", ..open }, now);
        engine.receive(key, say, now);
        engine.close(key, Closed::Clean { code: 1000, reason: "bye" }, now);
        let mut messages = Vec::new();
        while let Some(action) = engine.poll_action() {
            if let Action::Notify(notify) = action {
                messages.push(EventMessage::new(&notify.event, now));
            }
        }
        messages
    }

    fn line(message: &EventMessage) -> String {
        let properties = message.properties.iter();
        let properties = properties.map(|(name, value)| {
            format!(" {name}={}", value.replace(&message.partition_key, "ID"))
        });
        let id = message.id.replace(&message.partition_key, "ID");
        let body = message.body.escape_ascii();
        format!("{id} {}{} {body}", message.content_type, properties.collect::<String>())
    }

    /// Every attribute is there, and the optional ones where they have a value.
    #[test]
    fn attributes() {
        let open = Open { user: Some("alice"), protocol: Protocol::Json, ..Open::default() };
        let say = r#"{"type":"event","event":"e","data":{"a": 1},"metadata":{"k":"v"}}"#;
        let said: Vec<_> = messages(open, Incoming::Text(say)).iter().map(line).collect();
        let common = |number: u64, kind: &str, name: &str| {
            format!(
                "ID/{number} {} cloudEvents:specversion=1.0 cloudEvents:awpsversion=1.0 \
                 cloudEvents:type=azure.webpubsub.{kind}.{name} \
                 cloudEvents:source=/hubs/chat/client/ID cloudEvents:id={number} \
                 cloudEvents:time=2026-09-21T14:13:20Z cloudEvents:hub=chat \
                 cloudEvents:eventname={name} cloudEvents:connectionid=ID cloudEvents:userid=alice \
                 cloudEvents:subprotocol=json.webpubsub.azure.v1",
                if kind == "sys" { "application/json; charset=utf-8" } else { "application/json" },
            )
        };
        let metadata = " x-webpubsub-metadata-k=v";
        assert_eq!(
            said,
            [
                format!("{} {{}}", common(1, "sys", "connected")),
                format!("{}{metadata} {{\\\"a\\\": 1}}", common(2, "user", "e")),
                format!("{} {{\\\"reason\\\":\\\"bye\\\"}}", common(3, "sys", "disconnected")),
            ]
        );
    }

    /// Empty values are left out, and text has no character set.
    #[test]
    fn plain_clients() {
        let open = Open { user: Some(""), ..Open::default() };
        let messages = messages(open, Incoming::Text("hi"));
        assert_eq!((messages[1].content_type, &*messages[1].body), ("text/plain", &b"hi"[..]));
        let names: Vec<_> = messages[1].properties.iter().map(|(name, _)| &**name).collect();
        assert_eq!((names.len(), names.contains(&"cloudEvents:userid")), (9, false));
    }
}
