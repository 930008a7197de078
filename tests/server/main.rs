//! The example server as its users see it: a process with flags, a port and WebSocket clients.
#![cfg(unix)]

mod connections;
mod handshakes;
mod process;
mod support;
