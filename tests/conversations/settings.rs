//! The lines that an engine is made from.

use hubcast::{
    Config, EventHandler, EventListener, EventPattern, FailedEvent, HubConfig, Limits, Records,
    SlowConsumer, SystemEvents, UnknownHubs,
};

use super::line::{Line, duration, parse};

/// Changes the configuration as a line says; `false` when the line is no setting.
pub(crate) fn apply(config: &mut Config, verb: &str, line: &mut Line) -> Result<bool, String> {
    match verb {
        "config" => {
            for (name, value) in line.options() {
                match (name.as_str(), value.as_str()) {
                    ("unknown_hubs", "create") => config.unknown_hubs = UnknownHubs::Create,
                    ("unknown_hubs", "refuse") => config.unknown_hubs = UnknownHubs::Refuse,
                    ("records", "connections") => config.records = Records::Connections,
                    ("records", "messages") => config.records = Records::Messages,
                    ("hubs_max", most) => config.hubs_max = parse(most)?,
                    ("preset", "free") => config.limits = Limits::free(),
                    ("preset", "standard") => config.limits = Limits::standard(1),
                    (field, value) => limit(&mut config.limits, field, value)?,
                }
            }
        }
        "hub" => {
            let name = line.word()?;
            let mut settings = HubConfig::default();
            for (name, value) in line.options() {
                match (name.as_str(), value.as_str()) {
                    ("anonymous", "allow") => settings.allow_anonymous = true,
                    ("anonymous", "deny") => settings.allow_anonymous = false,
                    ("failed_event", "close") => settings.failed_event = FailedEvent::Close,
                    ("failed_event", "keep_open") => settings.failed_event = FailedEvent::KeepOpen,
                    ("slow_consumer", policy) => settings.slow_consumer = slow_consumer(policy)?,
                    (field, value) => {
                        let limits = settings.limits.get_or_insert_with(|| config.limits.clone());
                        limit(limits, field, value)?;
                    }
                }
            }
            config.hubs.push((name, settings));
        }
        "handler" => {
            let hub = line.word()?;
            let handler = EventHandler {
                url: line.word()?,
                user_events: EventPattern::parse(&line.option("events").unwrap_or_default()),
                system_events: system_events(&line.list("system").unwrap_or_default())?,
            };
            settings_of(config, &hub)?.handlers.push(handler);
        }
        "listener" => {
            let hub = line.word()?;
            let target = line.word()?;
            let user_events = EventPattern::parse(&line.option("events").unwrap_or_default());
            let system = system_events(&line.list("system").unwrap_or_default())?;
            let SystemEvents { connect, connected, disconnected, joined, left } = system;
            if connect || joined || left {
                return Err("listeners hear of connected and disconnected alone".into());
            }
            let listener = EventListener { target, user_events, connected, disconnected };
            settings_of(config, &hub)?.listeners.push(listener);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn settings_of<'a>(config: &'a mut Config, hub: &str) -> Result<&'a mut HubConfig, String> {
    let settings = config.hubs.iter_mut().find(|(name, _)| *name == hub);
    Ok(&mut settings.ok_or("there is no such hub above")?.1)
}

fn system_events(names: &[String]) -> Result<SystemEvents, String> {
    let mut events = SystemEvents::NONE;
    for name in names {
        match name.as_str() {
            "connect" => events.connect = true,
            "connected" => events.connected = true,
            "disconnected" => events.disconnected = true,
            "joined" => events.joined = true,
            "left" => events.left = true,
            _ => return Err(format!("{name:?} is no system event")),
        }
    }
    Ok(events)
}

fn slow_consumer(policy: &str) -> Result<SlowConsumer, String> {
    Ok(match policy {
        "disconnect" => SlowConsumer::Disconnect,
        "drop_newest" => SlowConsumer::DropNewest,
        "drop_oldest" => SlowConsumer::DropOldest,
        "keep_latest" => SlowConsumer::KeepLatest,
        _ => return Err(format!("{policy:?} is no policy")),
    })
}

fn limit(limits: &mut Limits, field: &str, value: &str) -> Result<(), String> {
    match field {
        "message_bytes" => limits.message_bytes = parse(value)?,
        "connections" => limits.connections = parse(value)?,
        "groups_per_connection" => limits.groups_per_connection = parse(value)?,
        "ack_cache" => limits.ack_cache = parse(value)?,
        "queued_messages" => limits.queued_messages = parse(value)?,
        "queued_bytes" => limits.queued_bytes = parse(value)?,
        "patterns_per_permission" => limits.patterns_per_permission = parse(value)?,
        "literals_per_permission" => limits.literals_per_permission = parse(value)?,
        "handshake_timeout" => limits.handshake_timeout = duration(value)?,
        "call_timeout" => limits.call_timeout = duration(value)?,
        "idle_timeout" => limits.idle_timeout = Some(duration(value)?),
        "unacknowledged_messages" => limits.unacknowledged_messages = parse(value)?,
        "unacknowledged_bytes" => limits.unacknowledged_bytes = parse(value)?,
        "recovery_window" => limits.recovery_window = duration(value)?,
        "paused_messages" => limits.paused_messages = parse(value)?,
        "paused_bytes" => limits.paused_bytes = parse(value)?,
        "streams_per_connection" => limits.streams_per_connection = parse(value)?,
        "invocations_per_connection" => limits.invocations_per_connection = parse(value)?,
        "group_state_bytes" => limits.group_state_bytes = parse(value)?,
        "messages_per_second" => limits.messages_per_second = Some(parse(value)?),
        "messages_per_day" => limits.messages_per_day = Some(parse(value)?),
        _ => return Err(format!("there is no setting {field:?}")),
    }
    Ok(())
}
