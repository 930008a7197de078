//! A configuration, kept.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::{
    Config, EventHandler, EventListener, EventPattern, FailedEvent, HubConfig, Limits, Records,
    SlowConsumer, SystemEvents, UnknownHubs,
};

/// [`Config`], kept. It holds the seed.
///
/// ```
/// use hubcast::Config;
/// use hubcast::replay::Settings;
///
/// let settings = Settings::from(&Config::new(7));
/// assert_eq!(settings.to_config().seed, 7);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    pub(in crate::replay) seed: u64,
    limits: Bounds,
    refuse_unknown_hubs: bool,
    records: Reporting,
    hubs_max: u64,
    pub(in crate::replay) hubs: Vec<(String, Hub)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::replay) struct Hub {
    allow_anonymous: bool,
    pub handlers: Vec<Handler>,
    pub listeners: Vec<Listener>,
    close_on_failure: bool,
    slow_consumer: Policy,
    limits: Option<Bounds>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::replay) struct Handler {
    pub url: String,
    user_events: String,
    connect: bool,
    connected: bool,
    disconnected: bool,
    joined: bool,
    left: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::replay) struct Listener {
    pub target: String,
    user_events: String,
    connected: bool,
    disconnected: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Reporting {
    None,
    Connections,
    Messages,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Policy {
    Disconnect,
    DropNewest,
    DropOldest,
    KeepLatest,
}

/// [`Limits`]. Counts are of 64 bits on every platform, and the highest is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Bounds {
    message_bytes: u64,
    connections: u64,
    groups_per_connection: u64,
    ack_cache: u64,
    queued_messages: u64,
    queued_bytes: u64,
    patterns_per_permission: u64,
    literals_per_permission: u64,
    handshake_timeout: Duration,
    call_timeout: Duration,
    idle_timeout: Option<Duration>,
    unacknowledged_messages: u64,
    unacknowledged_bytes: u64,
    recovery_window: Duration,
    paused_messages: u64,
    paused_bytes: u64,
    streams_per_connection: u64,
    invocations_per_connection: u64,
    group_state_bytes: u64,
    messages_per_second: Option<u64>,
    messages_per_day: Option<u64>,
}

impl From<&Config> for Settings {
    fn from(config: &Config) -> Self {
        let Config { seed, limits, unknown_hubs, records, hubs_max, hubs } = config;
        Self {
            seed: *seed,
            limits: limits.into(),
            refuse_unknown_hubs: *unknown_hubs == UnknownHubs::Refuse,
            records: match records {
                Records::None => Reporting::None,
                Records::Connections => Reporting::Connections,
                Records::Messages => Reporting::Messages,
            },
            hubs_max: widen(*hubs_max),
            hubs: hubs.iter().map(|(name, hub)| (name.clone(), hub.into())).collect(),
        }
    }
}

impl Settings {
    /// Returns the configuration.
    pub fn to_config(&self) -> Config {
        Config {
            seed: self.seed,
            limits: self.limits.to_limits(),
            unknown_hubs: if self.refuse_unknown_hubs {
                UnknownHubs::Refuse
            } else {
                UnknownHubs::Create
            },
            records: match self.records {
                Reporting::None => Records::None,
                Reporting::Connections => Records::Connections,
                Reporting::Messages => Records::Messages,
            },
            hubs_max: narrow(self.hubs_max),
            hubs: self.hubs.iter().map(|(name, hub)| (name.clone(), hub.to_config())).collect(),
        }
    }
}

impl From<&HubConfig> for Hub {
    fn from(hub: &HubConfig) -> Self {
        let HubConfig { allow_anonymous, handlers, listeners, failed_event, slow_consumer, limits } =
            hub;
        Self {
            allow_anonymous: *allow_anonymous,
            handlers: handlers.iter().map(Handler::from).collect(),
            listeners: listeners.iter().map(Listener::from).collect(),
            close_on_failure: *failed_event == FailedEvent::Close,
            slow_consumer: match slow_consumer {
                SlowConsumer::Disconnect => Policy::Disconnect,
                SlowConsumer::DropNewest => Policy::DropNewest,
                SlowConsumer::DropOldest => Policy::DropOldest,
                SlowConsumer::KeepLatest => Policy::KeepLatest,
            },
            limits: limits.as_ref().map(Bounds::from),
        }
    }
}

impl Hub {
    fn to_config(&self) -> HubConfig {
        HubConfig {
            allow_anonymous: self.allow_anonymous,
            handlers: self.handlers.iter().map(Handler::to_handler).collect(),
            listeners: self.listeners.iter().map(Listener::to_listener).collect(),
            failed_event: if self.close_on_failure {
                FailedEvent::Close
            } else {
                FailedEvent::KeepOpen
            },
            slow_consumer: match self.slow_consumer {
                Policy::Disconnect => SlowConsumer::Disconnect,
                Policy::DropNewest => SlowConsumer::DropNewest,
                Policy::DropOldest => SlowConsumer::DropOldest,
                Policy::KeepLatest => SlowConsumer::KeepLatest,
            },
            limits: self.limits.as_ref().map(Bounds::to_limits),
        }
    }
}

impl From<&EventHandler> for Handler {
    fn from(handler: &EventHandler) -> Self {
        let EventHandler { url, user_events, system_events } = handler;
        let SystemEvents { connect, connected, disconnected, joined, left } = *system_events;
        let (url, user_events) = (url.clone(), user_events.to_string());
        Self { url, user_events, connect, connected, disconnected, joined, left }
    }
}

impl Handler {
    fn to_handler(&self) -> EventHandler {
        let Self { connect, connected, disconnected, joined, left, .. } = *self;
        EventHandler {
            url: self.url.clone(),
            user_events: EventPattern::parse(&self.user_events),
            system_events: SystemEvents { connect, connected, disconnected, joined, left },
        }
    }
}

impl From<&EventListener> for Listener {
    fn from(listener: &EventListener) -> Self {
        let EventListener { target, user_events, connected, disconnected } = listener;
        Self {
            target: target.clone(),
            user_events: user_events.to_string(),
            connected: *connected,
            disconnected: *disconnected,
        }
    }
}

impl Listener {
    fn to_listener(&self) -> EventListener {
        EventListener {
            target: self.target.clone(),
            user_events: EventPattern::parse(&self.user_events),
            connected: self.connected,
            disconnected: self.disconnected,
        }
    }
}

/// Writes both directions from one list of the fields of [`Limits`], which has to name all of them.
macro_rules! bounds {
    (counts: $($count:ident)*; others: $($other:ident)*) => {
        impl From<&Limits> for Bounds {
            fn from(limits: &Limits) -> Self {
                let Limits { $($count,)* $($other,)* } = limits;
                Self { $($count: widen(*$count),)* $($other: *$other,)* }
            }
        }

        impl Bounds {
            fn to_limits(&self) -> Limits {
                let Self { $($count,)* $($other,)* } = self;
                Limits { $($count: narrow(*$count),)* $($other: *$other,)* }
            }
        }
    };
}

bounds! {
    counts:
        message_bytes connections groups_per_connection ack_cache queued_messages queued_bytes
        patterns_per_permission literals_per_permission unacknowledged_messages
        unacknowledged_bytes paused_messages paused_bytes streams_per_connection
        invocations_per_connection group_state_bytes;
    others:
        handshake_timeout call_timeout idle_timeout recovery_window messages_per_second
        messages_per_day
}

/// The highest number of every platform is no limit on the others too.
fn widen(count: usize) -> u64 {
    if count == usize::MAX { u64::MAX } else { count as u64 }
}

fn narrow(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
