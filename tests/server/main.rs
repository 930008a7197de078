//! The example server as its users see it: a process with flags, a port and WebSocket clients.
#![cfg(unix)]

mod connections;
mod events;
mod handshakes;
mod listeners;
mod logs;
mod metrics;
// Its own tests run here, because an example that is built as a test is not built as a program.
#[expect(dead_code, reason = "only the server waits for the queue")]
#[path = "../../examples/server/outbound.rs"]
mod outbound;
mod process;
mod protobuf;
mod recovery;
mod reload;
mod rest;
mod slow;
mod support;
mod webhooks;
