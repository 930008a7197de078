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
