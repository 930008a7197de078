//! What an engine is made with: limits, hubs, event handlers.

mod handler;
mod limits;
mod listener;

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

pub use self::handler::{EventHandler, EventPattern, SystemEvents};
pub use self::limits::{Limits, Quota};
pub use self::listener::EventListener;
use crate::name;

/// Everything an [`Engine`](crate::Engine) is made with.
///
/// ```
/// use hubcast::{Config, Engine, HubConfig, Limits};
///
/// let mut config = Config::new(0x5eed);
/// config.limits = Limits::standard(1);
/// config.hubs.push(("lobby".into(), HubConfig { allow_anonymous: true, ..HubConfig::default() }));
/// let engine = Engine::new(config)?;
/// # Ok::<(), hubcast::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Seeds the hash tables. Keep it secret and draw it at random: who knows it can choose group names
    /// that collide. The same seed and the same inputs give the same actions.
    pub seed: u64,
    /// The limits of every hub that has none of its own.
    pub limits: Limits,
    /// What happens when somebody connects to a hub that [`hubs`](Self::hubs) does not name.
    pub unknown_hubs: UnknownHubs,
    /// How much of its work the engine reports, as [`Action::Record`](crate::Action::Record).
    pub records: Records,
    /// The most hubs that may exist, at least 1; a connection that would make one more is refused with
    /// status 429.
    pub hubs_max: usize,
    /// The settings of hubs by name. Names are compared without regard to case.
    pub hubs: Vec<(String, HubConfig)>,
}

impl Config {
    /// Makes a configuration without quotas, where hubs come to be when first used.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            limits: Limits::default(),
            unknown_hubs: UnknownHubs::Create,
            records: Records::None,
            hubs_max: 10_000,
            hubs: Vec::new(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        self.limits.check("limits")?;
        if self.hubs_max < self.hubs.len().max(1) {
            return Err(ConfigError::Limit {
                of: "config".into(),
                field: "hubs_max",
                rule: "must be at least 1 and no less than the number of configured hubs",
            });
        }
        for (position, (hub, settings)) in self.hubs.iter().enumerate() {
            if !name::is_hub(hub) {
                return Err(ConfigError::HubName(hub.clone()));
            }
            if self.hubs[..position].iter().any(|(other, _)| other.eq_ignore_ascii_case(hub)) {
                return Err(ConfigError::RepeatedHub(hub.clone()));
            }
            if let Some(limits) = &settings.limits {
                limits.check(hub)?;
            }
        }
        Ok(())
    }
}

/// What happens when somebody connects to a hub that the configuration does not name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownHubs {
    /// The hub comes to be, with the settings of [`HubConfig::default`].
    #[default]
    Create,
    /// The connection is refused with status 404; commands fail with
    /// [`CommandError::UnknownHub`](crate::CommandError::UnknownHub).
    Refuse,
}

/// How much of its work the engine reports. What is not asked for costs nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Records {
    /// Nothing.
    #[default]
    None,
    /// How connections start and end, and who is refused.
    Connections,
    /// That, and one record or two for each message.
    Messages,
}

/// The settings of one hub.
#[derive(Clone, Debug, Default)]
pub struct HubConfig {
    /// Whether a peer without an access token may connect; otherwise it is refused with status 401.
    pub allow_anonymous: bool,
    /// The event handlers in order: the first one that takes an event gets it, and only that one.
    pub handlers: Vec<EventHandler>,
    /// The event listeners: each one gets every event that it is to be told of.
    pub listeners: Vec<EventListener>,
    /// What becomes of a connection whose event failed or had no handler.
    pub failed_event: FailedEvent,
    /// What becomes of messages for a connection that is paused, when too many wait. Reliable connections
    /// keep to their own limits.
    pub slow_consumer: SlowConsumer,
    /// The limits of this hub, in place of [`Config::limits`].
    pub limits: Option<Limits>,
}

/// What becomes of a client with a subprotocol when its event failed or no handler takes it.
///
/// Sources disagree; the first is what the service's emulator does. A plain WebSocket client has no way
/// to be told of the failure and is always closed with 1011.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FailedEvent {
    /// An error ack where the event asked for one, and the connection stays open.
    #[default]
    KeepOpen,
    /// An error ack where the event asked for one, then a close with 1011.
    Close,
}

/// What becomes of messages for a connection that is [paused](crate::Engine::pause), as they come and when
/// [`Limits::paused_messages`] or [`Limits::paused_bytes`] is reached. It is about messages from groups and from
/// the server; acks and the like always wait, and too many of them always close the connection.
///
/// Every message that is dropped is counted, in [`Metrics::drops`](crate::Metrics::drops) and in
/// [`ConnectionView::drops`](crate::ConnectionView::drops).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlowConsumer {
    /// One message too many closes the connection with 1008, as the service does.
    #[default]
    Disconnect,
    /// What comes when there is no more room is dropped.
    DropNewest,
    /// What has waited longest makes room.
    DropOldest,
    /// Of each group only the newest message waits: for positions, prices, and whatever else the next message
    /// outdates. When there is no more room, what has waited longest makes it.
    KeepLatest,
}

/// Why a [`Config`] is not acceptable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A hub name breaks the rules for hub names.
    #[error(
        "hub name {0:?}: must be a letter and then up to 127 letters, digits or any of _ ` , . [ ]"
    )]
    HubName(String),
    /// Two settings name one hub (names are compared without regard to case).
    #[error("hub {0:?} is configured twice (hub names are compared without regard to case)")]
    RepeatedHub(String),
    /// A limit is out of its range.
    #[error("{of}: {field} {rule}")]
    Limit {
        /// Whose limit: `limits`, `config`, or the name of a hub.
        of: String,
        /// The field.
        field: &'static str,
        /// The rule that it breaks.
        rule: &'static str,
    },
}
