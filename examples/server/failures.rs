//! Says on stderr which events a webhook failed, and why it could not be reached.

use std::io::{self, Write};
use std::time::Duration;

use hubcast::Time;
use hubcast::rest::webhook::WebhookOutcome;

use crate::webhook_client::Failed;

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
        let WebhookOutcome { hub, event, url, .. } = outcome;
        // Names of events are the client's.
        self.write(&format!("{url}: event {event:?} of hub {hub}: {why}"), now);
    }

    /// Takes note of why there is no response to a request.
    pub(crate) fn note_request(&mut self, failed: &Failed, now: Time) {
        if let Some(why) = &failed.why {
            self.write(&format!("{}: {why}", failed.url), now);
        }
    }

    fn write(&mut self, what: &str, now: Time) {
        if self.quiet_until.is_some_and(|until| now < until) {
            self.left_out += 1;
            return;
        }
        let left_out = match self.left_out {
            0 => String::new(),
            more => format!(" ({more} more failed before)"),
        };
        let line = format!("server: {what}{left_out}\n");
        // Nobody reads it, so nobody misses it.
        let _ = io::stderr().write_all(line.as_bytes());
        (self.quiet_until, self.left_out) = (Some(now + PAUSE), 0);
    }
}
