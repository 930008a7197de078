//! The URL templates of event handlers.

use hubcast::rest::webhook::UrlTemplate;
use hubcast::{EventHandler, SystemEvents};

/// The URL of the handler that is built into the server.
pub(crate) const ECHO: &str = "echo:";

/// Checks that a template is [`ECHO`] or the URL of a webhook.
///
/// # Errors
///
/// One line that says what is wrong and what to do.
pub(crate) fn check(template: &str) -> Result<(), String> {
    if template == ECHO {
        return Ok(());
    }
    // What comes after it may be a secret.
    let shown = template.split('?').next().unwrap_or_default();
    UrlTemplate::parse(template).map(|_| ()).map_err(|error| {
        format!(
            "handler URL {shown:?} is neither echo: nor that of a webhook: {error}: try \
             http://localhost:3000/eventhandler/{{event}}"
        )
    })
}

/// Returns the handler that `--handler` stands for. Webhooks get no `joined` and `left`: the official middleware of
/// today answers them with 404. A config file can name them.
pub(crate) fn handler(template: &str) -> EventHandler {
    let every = EventHandler::all(template);
    if template == ECHO {
        return every;
    }
    let system_events = SystemEvents { joined: false, left: false, ..SystemEvents::ALL };
    EventHandler { system_events, ..every }
}
