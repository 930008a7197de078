//! Any operations in any order: the engine never panics, its invariants hold after each of them, a connection is told in
//! a sensible order, and what comes of a command is what was said of it before.

mod foretold;
mod groups;
mod host;
mod read;

use core::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use hubcast::{
    Config, Engine, EventHandler, EventPattern, FailedEvent, HubConfig, Limits, Records,
    SlowConsumer, SystemEvents, Time, UnknownHubs,
};

use self::host::Host;
use self::read::{Hubs, Operation, Settings, Slow};

/// The most operations of one run: enough for everything that can happen, few enough to stay fast.
const OPERATIONS_MAX: usize = 200;

/// Reads operations from the bytes and carries them out.
pub fn run(data: &[u8]) {
    let mut data = Unstructured::new(data);
    let Ok(config) = u8::arbitrary(&mut data) else { return };
    let engine = Engine::new(configure(config)).expect("the configuration is fine");
    let mut host = Host::new(engine, config & 64 != 0);
    for _ in 0..OPERATIONS_MAX {
        if data.is_empty() {
            break;
        }
        let Ok(operation) = Operation::arbitrary(&mut data) else { break };
        host.carry_out(&operation);
    }
    host.finish();
}

/// Makes one of a few configurations, all with limits that are soon reached.
fn configure(choice: u8) -> Config {
    let limits = Limits {
        message_bytes: 200,
        connections: 6,
        groups_per_connection: 3,
        ack_cache: 2,
        queued_messages: 3,
        queued_bytes: 300,
        patterns_per_permission: 2,
        literals_per_permission: 2,
        handshake_timeout: Duration::from_secs(7),
        call_timeout: Duration::from_secs(5),
        idle_timeout: (choice & 1 != 0).then_some(Duration::from_secs(9)),
        messages_per_second: (choice & 2 != 0).then_some(4),
        messages_per_day: (choice & 4 != 0).then_some(20),
        unacknowledged_messages: 4,
        unacknowledged_bytes: 600,
        paused_messages: 3,
        paused_bytes: 400,
        ..Limits::default()
    };
    let handler = EventHandler {
        url: "here".into(),
        user_events: EventPattern::parse(if choice & 8 != 0 { "*" } else { "a, message" }),
        system_events: SystemEvents { connect: choice & 16 != 0, ..SystemEvents::ALL },
    };
    let failed_event = if choice & 32 != 0 { FailedEvent::Close } else { FailedEvent::KeepOpen };
    let mut config = Config::new(u64::from(choice));
    config.limits = limits;
    config.hubs_max = 2;
    config.records = if choice & 128 != 0 { Records::Messages } else { Records::None };
    let hub = HubConfig {
        handlers: vec![handler],
        failed_event,
        allow_anonymous: true,
        ..HubConfig::default()
    };
    config.hubs = vec![("a".into(), hub)];
    config
}

/// Makes one of the configurations that an engine gets while it runs.
fn configure_anew(settings: &Settings) -> Config {
    let mut config = configure(settings.choice);
    let loose = config.limits.clone();
    if settings.tight {
        config.limits = tight(&loose);
    }
    if settings.refuse {
        config.unknown_hubs = UnknownHubs::Refuse;
    }
    let (name, mut hub) = config.hubs.pop().expect("there is one");
    hub.slow_consumer = match settings.slow {
        Slow::Disconnect => SlowConsumer::Disconnect,
        Slow::Newest => SlowConsumer::DropNewest,
        Slow::Oldest => SlowConsumer::DropOldest,
        Slow::Latest => SlowConsumer::KeepLatest,
    };
    config.hubs = match settings.hubs {
        Hubs::None => vec![],
        Hubs::First => vec![(name, hub)],
        Hubs::Bare => vec![(name, HubConfig { handlers: vec![], ..hub })],
        Hubs::Both => {
            let limits = Some(if settings.tight { loose } else { tight(&loose) });
            vec![(name, hub.clone()), ("b".into(), HubConfig { limits, ..hub })]
        }
        Hubs::Twice => vec![(name.to_uppercase(), hub.clone()), (name, hub)],
    };
    config
}

/// Makes limits so low that what is there can be more than they allow.
fn tight(limits: &Limits) -> Limits {
    Limits {
        message_bytes: 60,
        connections: 2,
        groups_per_connection: 1,
        ack_cache: 1,
        queued_messages: 1,
        queued_bytes: 60,
        patterns_per_permission: 1,
        literals_per_permission: 1,
        handshake_timeout: Duration::from_secs(1),
        call_timeout: Duration::from_secs(1),
        unacknowledged_messages: 1,
        unacknowledged_bytes: 150,
        recovery_window: Duration::from_secs(1),
        paused_messages: 1,
        paused_bytes: 120,
        streams_per_connection: 1,
        invocations_per_connection: 1,
        group_state_bytes: 10,
        ..limits.clone()
    }
}

/// Where the clock of every run starts: shortly before a day ends.
const START: Time = Time::from_secs(1_790_000_000 / 86_400 * 86_400 - 20);
