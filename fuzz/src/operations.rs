//! Any operations in any order: the engine never panics, its invariants hold after each of them, and a
//! connection is told in a sensible order.

mod host;
mod read;

use core::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use hubcast::{
    Config, Engine, EventHandler, EventPattern, FailedEvent, HubConfig, Limits, SystemEvents, Time,
};

use self::host::Host;
use self::read::Operation;

/// The most operations of one run: enough for everything that can happen, few enough to stay fast.
const OPERATIONS_MAX: usize = 200;

/// Reads operations from the bytes and carries them out.
pub fn run(data: &[u8]) {
    let mut data = Unstructured::new(data);
    let Ok(config) = u8::arbitrary(&mut data) else { return };
    let mut host = Host::new(Engine::new(configure(config)).expect("the configuration is fine"));
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
    let hub = HubConfig {
        handlers: vec![handler],
        failed_event,
        allow_anonymous: true,
        ..HubConfig::default()
    };
    config.hubs = vec![("a".into(), hub)];
    config
}

/// Where the clock of every run starts: shortly before a day ends.
const START: Time = Time::from_secs(1_790_000_000 / 86_400 * 86_400 - 20);
