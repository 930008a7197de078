//! Journals and replays: what is recorded comes out again, byte for byte.

mod budget;
mod example;
mod golden;
mod host;
mod inputs;
mod malformed;
mod redaction;
mod same;
mod story;
