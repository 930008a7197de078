//! Event listeners: those who are told of events and never answer.

use alloc::string::String;

use super::EventPattern;

/// One event listener of a hub: which events it is told of, and where they go (`webpubsub.md` 8.10).
///
/// Unlike with [handlers](super::EventHandler), every listener that wants an event gets it, before the handler
/// does, and nobody waits for it. An event of a client that a listener takes has succeeded even where no handler
/// does. The event `connect` cannot be listened to.
///
/// The engine never looks at `target`; it hands the listener to the host with each [`Notify`](crate::Notify).
///
/// ```
/// use hubcast::{Action, Config, Engine, EventListener, EventPattern, HubConfig, Incoming, Open, Time};
///
/// let mut config = Config::new(1);
/// let audit = EventListener {
///     target: "audit.jsonl".into(),
///     user_events: EventPattern::parse("*"),
///     connected: false,
///     disconnected: true,
/// };
/// config.hubs.push(("chat".into(), HubConfig { listeners: vec![audit], ..HubConfig::default() }));
/// let mut engine = Engine::new(config)?;
/// let alice = engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
/// engine.receive(alice, Incoming::Text("hello"), Time::EPOCH); // the event `message` of a plain client
/// let mut told = Vec::new();
/// while let Some(action) = engine.poll_action() {
///     if let Action::Notify(notify) = action {
///         told.push((notify.listener.target.clone(), notify.event.kind.name().to_owned()));
///     }
/// }
/// assert_eq!(told, [("audit.jsonl".to_owned(), "message".to_owned())]);
/// # Ok::<(), hubcast::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventListener {
    /// Where the events go: any text that the host understands.
    pub target: String,
    /// The user events that it is told of.
    pub user_events: EventPattern,
    /// Whether it is told of the `connected` event.
    pub connected: bool,
    /// Whether it is told of the `disconnected` event.
    pub disconnected: bool,
}

impl EventListener {
    /// Makes a listener that is told of every event that can be listened to.
    pub fn all(target: impl Into<String>) -> Self {
        let user_events = EventPattern::parse("*");
        Self { target: target.into(), user_events, connected: true, disconnected: true }
    }
}
