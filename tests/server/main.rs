//! The example server as its users see it: a process with flags, a port and WebSocket clients.
#![cfg(unix)]

// Modules of the example have their own tests, which run here, because an example that is built as a test is not
// built as a program.
#[path = "../../examples/server/clock.rs"]
mod clock;
mod connections;
mod console;
mod events;
mod handshakes;
mod https;
mod journal;
#[path = "../../examples/server/lines.rs"]
mod lines;
mod listeners;
#[path = "../../examples/server/load.rs"]
mod load;
mod load_generator;
mod logs;
mod metrics;
#[expect(dead_code, reason = "only the server has sockets")]
#[path = "../../examples/server/outbound.rs"]
mod outbound;
mod process;
mod protobuf;
#[expect(dead_code, reason = "only the server has sockets to watch over")]
#[path = "../../examples/server/pulse.rs"]
mod pulse;
#[path = "../../examples/server/queue.rs"]
mod queue;
mod recovery;
mod reload;
mod rest;
#[path = "../../examples/server/rest_routes.rs"]
mod rest_routes;
#[path = "../../examples/server/room.rs"]
mod room;
mod slow;
mod support;
mod webhooks;
#[path = "../../examples/server/wire.rs"]
mod wire;
