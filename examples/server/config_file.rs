//! The config file: TOML in, settings of hubs out.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use hubcast::{
    Config, EventHandler, EventListener, EventPattern, FailedEvent, HubConfig, Limits,
    SlowConsumer, SystemEvents, UnknownHubs,
};
use serde::Deserialize;

use crate::handler_url;

/// Reads a config file into `config`. The limits of a hub are those of `config`, except where the file
/// says something else.
///
/// # Errors
///
/// One line that says what is wrong and where.
pub(crate) fn read(path: &Path, config: &mut Config) -> Result<(), String> {
    let place = path.display();
    let text = fs::read_to_string(path)
        .map_err(|error| format!("--config {place}: cannot be read: {error}"))?;
    let file: File = toml::from_str(&text)
        .map_err(|error| format!("--config {place}: {}", in_one_line(&error, &text)))?;
    config.unknown_hubs = match file.unknown_hubs {
        Unknown::Create => UnknownHubs::Create,
        Unknown::Refuse => UnknownHubs::Refuse,
    };
    for (name, hub) in file.hubs {
        let settings = hub
            .into_settings(&config.limits)
            .map_err(|error| format!("--config {place}: hub {name}: {error}"))?;
        config.hubs.push((name, settings));
    }
    Ok(())
}

fn in_one_line(error: &toml::de::Error, text: &str) -> String {
    let message = error.message().lines().collect::<Vec<_>>().join(" ");
    match error.span() {
        Some(span) => {
            let line = text[..span.start.min(text.len())].matches('\n').count() + 1;
            format!("line {line}: {message}")
        }
        None => message,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    unknown_hubs: Unknown,
    #[serde(default)]
    hubs: BTreeMap<String, Hub>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Unknown {
    #[default]
    Create,
    Refuse,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hub {
    #[serde(default)]
    allow_anonymous: bool,
    #[serde(default)]
    failed_event: Failed,
    #[serde(default)]
    slow_consumer: Slow,
    #[serde(default)]
    handlers: Vec<Handler>,
    #[serde(default)]
    listeners: Vec<Listener>,
    limits: Option<HubLimits>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Failed {
    #[default]
    KeepOpen,
    Close,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Slow {
    #[default]
    Disconnect,
    DropNewest,
    DropOldest,
    KeepLatest,
}

impl From<Slow> for SlowConsumer {
    fn from(slow: Slow) -> Self {
        match slow {
            Slow::Disconnect => Self::Disconnect,
            Slow::DropNewest => Self::DropNewest,
            Slow::DropOldest => Self::DropOldest,
            Slow::KeepLatest => Self::KeepLatest,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Handler {
    url: String,
    #[serde(default)]
    system_events: Vec<SystemEvent>,
    #[serde(default)]
    user_events: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listener {
    path: String,
    #[serde(default)]
    system_events: Vec<SystemEvent>,
    #[serde(default)]
    user_events: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum SystemEvent {
    Connect,
    Connected,
    Disconnected,
    Joined,
    Left,
}

/// The fields of [`Limits`]; durations in seconds.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HubLimits {
    message_bytes: Option<usize>,
    connections: Option<usize>,
    groups_per_connection: Option<usize>,
    ack_cache: Option<usize>,
    queued_messages: Option<usize>,
    queued_bytes: Option<usize>,
    patterns_per_permission: Option<usize>,
    literals_per_permission: Option<usize>,
    handshake_timeout: Option<u64>,
    call_timeout: Option<u64>,
    idle_timeout: Option<u64>,
    unacknowledged_messages: Option<usize>,
    unacknowledged_bytes: Option<usize>,
    recovery_window: Option<u64>,
    paused_messages: Option<usize>,
    paused_bytes: Option<usize>,
    streams_per_connection: Option<usize>,
    invocations_per_connection: Option<usize>,
    group_state_bytes: Option<usize>,
    messages_per_second: Option<u64>,
    messages_per_day: Option<u64>,
}

impl Hub {
    fn into_settings(self, limits: &Limits) -> Result<HubConfig, String> {
        Ok(HubConfig {
            allow_anonymous: self.allow_anonymous,
            failed_event: match self.failed_event {
                Failed::KeepOpen => FailedEvent::KeepOpen,
                Failed::Close => FailedEvent::Close,
            },
            handlers: self
                .handlers
                .into_iter()
                .map(Handler::into_handler)
                .collect::<Result<_, _>>()?,
            listeners: self
                .listeners
                .into_iter()
                .map(Listener::into_listener)
                .collect::<Result<_, _>>()?,
            slow_consumer: self.slow_consumer.into(),
            limits: self.limits.map(|own| own.over(limits)),
        })
    }
}

impl Handler {
    fn into_handler(self) -> Result<EventHandler, String> {
        handler_url::check(&self.url)?;
        let mut system_events = SystemEvents::NONE;
        for event in self.system_events {
            match event {
                SystemEvent::Connect => system_events.connect = true,
                SystemEvent::Connected => system_events.connected = true,
                SystemEvent::Disconnected => system_events.disconnected = true,
                SystemEvent::Joined => system_events.joined = true,
                SystemEvent::Left => system_events.left = true,
            }
        }
        let user_events = EventPattern::parse(&self.user_events);
        Ok(EventHandler { url: self.url, user_events, system_events })
    }
}

impl Listener {
    fn into_listener(self) -> Result<EventListener, String> {
        let Self { path, system_events, user_events } = self;
        if path.is_empty() {
            return Err("listener: path is empty: name a file, or - for stdout".to_owned());
        }
        let (mut connected, mut disconnected) = (false, false);
        for event in system_events {
            let other = match event {
                SystemEvent::Connected => {
                    connected = true;
                    continue;
                }
                SystemEvent::Disconnected => {
                    disconnected = true;
                    continue;
                }
                SystemEvent::Connect => "connect",
                SystemEvent::Joined => "joined",
                SystemEvent::Left => "left",
            };
            return Err(format!(
                "listener {path}: the system event {other} cannot be listened to: only connected and disconnected can"
            ));
        }
        let user_events = EventPattern::parse(&user_events);
        Ok(EventListener { target: path, user_events, connected, disconnected })
    }
}

impl HubLimits {
    /// Takes what it says, and the rest from `base`.
    fn over(self, base: &Limits) -> Limits {
        let seconds = |own: Option<u64>, base| own.map_or(base, Duration::from_secs);
        Limits {
            message_bytes: self.message_bytes.unwrap_or(base.message_bytes),
            connections: self.connections.unwrap_or(base.connections),
            groups_per_connection: self.groups_per_connection.unwrap_or(base.groups_per_connection),
            ack_cache: self.ack_cache.unwrap_or(base.ack_cache),
            queued_messages: self.queued_messages.unwrap_or(base.queued_messages),
            queued_bytes: self.queued_bytes.unwrap_or(base.queued_bytes),
            patterns_per_permission: self
                .patterns_per_permission
                .unwrap_or(base.patterns_per_permission),
            literals_per_permission: self
                .literals_per_permission
                .unwrap_or(base.literals_per_permission),
            handshake_timeout: seconds(self.handshake_timeout, base.handshake_timeout),
            call_timeout: seconds(self.call_timeout, base.call_timeout),
            idle_timeout: self.idle_timeout.map(Duration::from_secs).or(base.idle_timeout),
            unacknowledged_messages: self
                .unacknowledged_messages
                .unwrap_or(base.unacknowledged_messages),
            unacknowledged_bytes: self.unacknowledged_bytes.unwrap_or(base.unacknowledged_bytes),
            recovery_window: seconds(self.recovery_window, base.recovery_window),
            paused_messages: self.paused_messages.unwrap_or(base.paused_messages),
            paused_bytes: self.paused_bytes.unwrap_or(base.paused_bytes),
            streams_per_connection: self
                .streams_per_connection
                .unwrap_or(base.streams_per_connection),
            invocations_per_connection: self
                .invocations_per_connection
                .unwrap_or(base.invocations_per_connection),
            group_state_bytes: self.group_state_bytes.unwrap_or(base.group_state_bytes),
            messages_per_second: self.messages_per_second.or(base.messages_per_second),
            messages_per_day: self.messages_per_day.or(base.messages_per_day),
        }
    }
}
