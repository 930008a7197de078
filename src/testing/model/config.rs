//! The configuration of an engine that can be compared with the model.

use alloc::format;
use alloc::vec;
use core::time::Duration;

use super::{
    ACK_CACHE, CALL, CONNECTIONS, GROUPS, HUBS, INVOCATIONS, LITERALS, MESSAGE_BYTES, Model,
    PATTERNS, PAUSED, QUEUED_BYTES, QUEUED_MESSAGES, STATE_BYTES, STREAMS, UNACKNOWLEDGED, WINDOW,
};
use crate::config::{
    Config, EventHandler, EventPattern, FailedEvent, HubConfig, Limits, SystemEvents, UnknownHubs,
};
use crate::testing::operation::Setup;

impl Model {
    /// Returns the configuration of an engine that does as the model says.
    pub fn config(setup: &Setup) -> Config {
        let mut config = Config::new(7);
        config.limits = Limits {
            message_bytes: MESSAGE_BYTES,
            connections: CONNECTIONS,
            groups_per_connection: GROUPS,
            ack_cache: ACK_CACHE,
            queued_messages: QUEUED_MESSAGES,
            queued_bytes: QUEUED_BYTES,
            patterns_per_permission: PATTERNS,
            literals_per_permission: LITERALS,
            handshake_timeout: Duration::from_secs(setup.handshake_seconds),
            call_timeout: CALL,
            idle_timeout: setup.idle_seconds.map(Duration::from_secs),
            messages_per_second: setup.per_second,
            messages_per_day: setup.per_day,
            unacknowledged_messages: UNACKNOWLEDGED,
            paused_messages: PAUSED,
            recovery_window: WINDOW,
            streams_per_connection: STREAMS,
            invocations_per_connection: INVOCATIONS,
            group_state_bytes: STATE_BYTES,
            ..Limits::default()
        };
        if setup.refuse_unknown_hubs {
            config.unknown_hubs = UnknownHubs::Refuse;
        }
        config.hubs_max = HUBS;
        let handlers = setup.handlers.iter().enumerate().map(|(place, handler)| EventHandler {
            url: format!("{place}"),
            user_events: EventPattern::parse(handler.events),
            system_events: SystemEvents {
                connect: handler.connect,
                connected: handler.connected,
                disconnected: handler.disconnected,
                joined: handler.joined,
                left: handler.left,
            },
        });
        let failed_event =
            if setup.close_on_failure { FailedEvent::Close } else { FailedEvent::KeepOpen };
        let first = HubConfig {
            allow_anonymous: true,
            handlers: handlers.collect(),
            failed_event,
            slow_consumer: setup.slow_consumer,
            ..HubConfig::default()
        };
        config.hubs = vec![("First".into(), first), ("second".into(), HubConfig::default())];
        config
    }
}
