//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use hubcast::Limits;
use lexopt::{Arg, Parser, ValueExt};

/// What the command line asks for.
#[derive(Clone, Debug)]
pub(crate) enum Invocation {
    Serve(Box<Options>),
    Help,
    Version,
}

/// How to serve.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) listen: SocketAddr,
    pub(crate) access_key: String,
    pub(crate) secondary_key: Option<String>,
    pub(crate) config: Option<PathBuf>,
    /// Event handlers that take every event of a hub: hub, URL template.
    pub(crate) handlers: Vec<(String, String)>,
    pub(crate) limits: Limits,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            access_key: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH".to_owned(),
            secondary_key: None,
            config: None,
            handlers: Vec::new(),
            limits: Limits::default(),
        }
    }
}

/// What `--help` prints.
pub(crate) const HELP: &str = "\
A complete local publish/subscribe service that speaks the WebSocket protocols of Azure Web PubSub.
Nothing to install, nothing to sign up for: it keeps everything in memory until it stops.

Usage: server [FLAGS]

  --listen ADDR          Where to listen; port 0 takes any free port. Default 127.0.0.1:8080
                           --listen 0.0.0.0:9000
  --access-key KEY       Signs and checks access tokens; at least 32 bytes.
                         Default ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH, which everybody knows
                           --access-key \"$(openssl rand -hex 32)\"
  --secondary-key KEY    A second key that is good for tokens too, while keys are being changed
                           --secondary-key \"$OLD_KEY\"
  --config FILE          Settings of single hubs, in TOML; see below
                           --config hubs.toml
  --handler HUB=URL      Sends every event of a hub to a webhook, as CloudEvents over HTTP; {hub} and {event} in
                         the path or the query are filled in. The webhook has to allow the host of this server, or
                         *, in its answer to OPTIONS; the official middleware does so. With https:// it needs a
                         certificate of an authority that browsers know
                           --handler chat=http://localhost:3000/eventhandler/{event}
                         The URL echo: is a handler inside the server, for trying things out: it lets everybody in
                         and answers each event and each invocation with its own data and metadata; the event fail
                         fails, the event slow is answered after 1 s
                           --handler chat=echo:
  --limits TIER          Quotas of a pricing tier: free, standard, standard:UNITS or none, the default
                           --limits standard:2
  --help                 Prints this
  --version              Prints the version

A config file can say of each hub (limits are numbers, bytes and seconds):

  unknown_hubs = \"refuse\"                # or \"create\", the default: any hub name works
  [hubs.chat]
  allow_anonymous = true                 # clients may connect without a token; default false
  failed_event = \"close\"                 # or \"keep-open\", the default
  slow_consumer = \"drop-oldest\"          # or \"drop-newest\", \"keep-latest\", \"disconnect\", the default
  limits = { connections = 100, message_bytes = 65536, idle_timeout = 60, paused_messages = 200 }
  [[hubs.chat.handlers]]                 # the first handler that takes an event gets it
  url = \"echo:\"
  system_events = [\"connect\", \"connected\", \"disconnected\", \"joined\", \"left\"]
  user_events = \"*\"

slow_consumer says what becomes of messages for a client that does not read, once as many wait for it as
paused_messages and paused_bytes allow: the client is closed with 1008 (disconnect), what comes is dropped
(drop-newest), what has waited longest is dropped (drop-oldest), or only the newest message of each group waits
from the start (keep-latest). Clients of the reliable protocols lose nothing: they are closed when as many messages
wait for their acknowledgement as unacknowledged_messages and unacknowledged_bytes allow.

A hub has the limits of --limits except where the file says otherwise: message_bytes, connections,
groups_per_connection, ack_cache, queued_messages, queued_bytes, patterns_per_permission,
literals_per_permission, handshake_timeout, call_timeout, idle_timeout, unacknowledged_messages,
unacknowledged_bytes, recovery_window, paused_messages, paused_bytes, streams_per_connection,
invocations_per_connection, group_state_bytes, messages_per_second, messages_per_day.

What to do next: start it without flags. It prints a client URL that is ready to be pasted into a program.
";

impl Invocation {
    /// Reads the command line, without the name of the program.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong and what to do.
    pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Options::default();
        let mut parser = Parser::from_args(arguments);
        while let Some(argument) = parser.next().map_err(|error| see_help(&error))? {
            let Arg::Long(flag) = argument else { return Err(see_help(&argument.unexpected())) };
            let flag = flag.to_owned();
            match flag.as_str() {
                "help" => return Ok(Self::Help),
                "version" => return Ok(Self::Version),
                "listen" => options.listen = listen(&text(&mut parser, &flag)?)?,
                "access-key" => options.access_key = text(&mut parser, &flag)?,
                "secondary-key" => options.secondary_key = Some(text(&mut parser, &flag)?),
                "config" => options.config = Some(text(&mut parser, &flag)?.into()),
                "handler" => options.handlers.push(handler(&text(&mut parser, &flag)?)?),
                "limits" => options.limits = limits(&text(&mut parser, &flag)?)?,
                _ => return Err(see_help(&Arg::Long(&flag).unexpected())),
            }
        }
        Ok(Self::Serve(Box::new(options)))
    }
}

fn see_help(error: &lexopt::Error) -> String {
    format!("{error}: --help lists the flags")
}

fn text(parser: &mut Parser, flag: &str) -> Result<String, String> {
    let value = parser.value().and_then(ValueExt::string);
    value.map_err(|error| format!("--{flag}: {error}: --help shows an example"))
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    let address = text.replacen("localhost:", "127.0.0.1:", 1);
    address.parse().map_err(|_| {
        format!("--listen {text}: is not an address with a port: try --listen 127.0.0.1:8080")
    })
}

fn handler(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(hub, url)| !hub.is_empty() && !url.is_empty());
    let Some((hub, url)) = pair else {
        return Err(format!(
            "--handler {text}: is not HUB=URL: try --handler chat=http://localhost:3000/{{event}}"
        ));
    };
    Ok((hub.to_owned(), url.to_owned()))
}

fn limits(text: &str) -> Result<Limits, String> {
    let units = match text {
        "none" => return Ok(Limits::default()),
        "free" => return Ok(Limits::free()),
        "standard" => Some(1),
        _ => text.strip_prefix("standard:").and_then(|units| units.parse().ok()),
    };
    match units {
        Some(units @ 1..) => Ok(Limits::standard(units)),
        _ => Err(format!(
            "--limits {text}: is no tier: use free, standard, standard:UNITS (1 or more) or none"
        )),
    }
}
