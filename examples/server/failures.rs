//! Says on stderr which events a webhook failed.

use std::io::{self, Write};
use std::time::Duration;

use hubcast::Time;
use hubcast::rest::webhook::WebhookOutcome;

/// How far two lines lie apart at least: a handler that is down fails every event.
const PAUSE: Duration = Duration::from_secs(1);

/// Writes a line now and then, and counts what it leaves out.
#[derive(Debug, Default)]
pub(crate) struct Failures {
    quiet_until: Option<Time>,
    left_out: u64,
}

impl Failures {
    /// Takes note of how an event ended.
    pub(crate) fn note(&mut self, outcome: &WebhookOutcome, now: Time) {
        let why = match outcome.result {
            Err(error) => error.to_string(),
            // With such a status a client was refused because its handler is broken.
            Ok(status @ 500..) => format!("the handler answered with status {status}"),
            Ok(_) => return,
        };
        if self.quiet_until.is_some_and(|until| now < until) {
            self.left_out += 1;
            return;
        }
        let WebhookOutcome { hub, event, url, .. } = outcome;
        let left_out = match self.left_out {
            0 => String::new(),
            more => format!(" ({more} more failed before)"),
        };
        // Names of events are the client's.
        let line = format!("server: {url}: event {event:?} of hub {hub}: {why}{left_out}\n");
        // Nobody reads it, so nobody misses it.
        let _ = io::stderr().write_all(line.as_bytes());
        (self.quiet_until, self.left_out) = (Some(now + PAUSE), 0);
    }
}
