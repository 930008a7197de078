//! What the server prints at its start.

use std::io::{self, Write};
use std::time::Duration;

use hubcast::Time;
use hubcast::token::{AccessKeys, ClientToken};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// How long the printed client URL is good for.
const LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);

/// Prints what this is, how to reach it, and what to try next.
///
/// # Errors
///
/// One line that says why it cannot be printed.
pub(crate) fn welcome(
    endpoint: &str,
    primary: &str,
    keys: &AccessKeys,
    now: Time,
) -> Result<(), String> {
    let connection_string = keys.primary.connection_string(endpoint);
    // After the #, where browsers send it nowhere.
    let key = utf8_percent_encode(primary, NON_ALPHANUMERIC);
    let token = ClientToken {
        endpoint,
        hub: "chat",
        user: Some("alice"),
        roles: &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"],
        lifetime: LIFETIME,
        ..ClientToken::default()
    };
    let client_url = token.url(keys, now).map_err(|error| format!("client URL: {error}"))?;
    print(&format!(
        r#"hubcast: a local publish/subscribe service that speaks the protocols of Azure Web PubSub
Listening on {endpoint}

Console, to connect test clients and watch what happens:
  {endpoint}/#key={key}

Connection string, for service SDKs and tools that issue client tokens:
  {connection_string}

Client URL of user alice in hub chat, good for 24 hours:
  {client_url}

What to try next:
  curl -i {endpoint}/api/health

  npm install @azure/web-pubsub-client, save this as alice.mjs, then: node alice.mjs '<client URL>'
    import {{ WebPubSubClient }} from "@azure/web-pubsub-client";
    const client = new WebPubSubClient(process.argv[2]);
    client.on("group-message", (e) => console.log(e.message.group, e.message.data));
    await client.start();
    await client.joinGroup("lobby");
    await client.sendToGroup("lobby", "hello from alice", "text");

Ctrl+C stops it. --help tells what else it can do.
"#
    ))
}

/// Prints a text at once, also into a pipe.
///
/// # Errors
///
/// One line that says why it cannot be printed.
pub(crate) fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let printed = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    match printed {
        // Nobody reads it, so nobody misses it.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(|error| format!("stdout: {error}")),
    }
}
