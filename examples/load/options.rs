//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use hubcast::token::{AccessKey, AccessKeys};
use lexopt::{Arg, Parser, ValueExt};

use crate::stamp;

/// What the command line asks for.
#[derive(Clone, Debug)]
pub(crate) enum Invocation {
    Load(Box<Options>),
    Help,
}

/// What load to make.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) endpoint: String,
    pub(crate) keys: AccessKeys,
    pub(crate) hub: String,
    pub(crate) connections: usize,
    pub(crate) groups: usize,
    pub(crate) senders: usize,
    /// Messages a second, of all senders together.
    pub(crate) rate: u64,
    /// Bytes.
    pub(crate) payload: usize,
    pub(crate) protocol: Protocol,
    pub(crate) duration: Duration,
    pub(crate) warm_up: Duration,
    /// Handshakes at a time.
    pub(crate) parallel: usize,
    pub(crate) threads: usize,
    pub(crate) server_pid: Option<u32>,
    pub(crate) json: bool,
}

/// What the connections that listen speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Json,
    ReliableJson,
    Protobuf,
    Plain,
}

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Loads a server that speaks the client protocols of Azure Web PubSub, and says how fast it delivers.

Usage: load [FLAGS]

Connections listen, each in one group; some more connections send to the groups in turn, at a fixed rate. A latency
counts from the time at which the message was due, not from when it could be sent, so a server that stalls cannot
hide it.

  --endpoint URL             The server. Default http://127.0.0.1:8080
                               --endpoint http://10.0.0.5:9000
  --access-key KEY           Signs the access tokens. Default: the key of the example server
                               --access-key \"$KEY\"
  --connection-string TEXT   Both of these, as the example server prints it
                               --connection-string 'Endpoint=http://127.0.0.1:8080;AccessKey=...;Version=1.0;'
  --hub NAME                 Default load
  --connections N            How many listen. Default 1000
  --groups N                 Over how many groups they are spread evenly. Default 100
  --senders N                How many more send. Default 10
  --rate N                   Messages a second that all of them send together; 0 for none. Default 2000
  --payload BYTES            The size of the data, 17 or more. Default 64
  --protocol NAME            What those who listen speak: json, the default, reliable-json, protobuf or plain
                               --protocol reliable-json
  --duration SECONDS         How long to measure. Default 10
  --warm-up SECONDS          How long to send before that. Default 2
  --parallel N               Handshakes at a time. Default 64
  --threads N                Threads that listen. Default 1, which takes more than most servers give
  --server-pid PID           On Linux: also says what CPU and memory the process of the server takes
                               --server-pid \"$(pgrep -f examples/server)\"
  --json                     Prints the result as one line of JSON
                               load --json | jq .latency_us.p99
  --help                     Prints this

Start a server in one terminal, then try these in another (cargo run --release --example load -- FLAGS):

  --connections 1000 --groups 100 --rate 2000         many small groups: 20,000 deliveries a second
  --connections 1000 --groups 1 --rate 50             one large group: 50,000 deliveries a second, in bursts
  --connections 10000 --groups 1000 --rate 100        many connections that hardly do anything, for their memory
  --rate 4000, then 8000 ...                          until messages are late: the most that the server takes

Thousands of connections need as many files: ulimit -n 20000, for the server too.
The exit code is 0 if every message has arrived, 1 if some have not, 2 if there is no result.
";

impl Default for Options {
    fn default() -> Self {
        let key = AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH");
        Self {
            endpoint: "http://127.0.0.1:8080".to_owned(),
            keys: AccessKeys::from(key.expect("it is long enough")),
            hub: "load".to_owned(),
            connections: 1_000,
            groups: 100,
            senders: 10,
            rate: 2_000,
            payload: 64,
            protocol: Protocol::Json,
            duration: Duration::from_secs(10),
            warm_up: Duration::from_secs(2),
            parallel: 64,
            threads: 1,
            server_pid: None,
            json: false,
        }
    }
}

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
                "json" => options.json = true,
                "endpoint" => options.endpoint = text(&mut parser, &flag)?,
                "access-key" => options.keys = keys(&flag, &text(&mut parser, &flag)?)?,
                "connection-string" => {
                    let text = text(&mut parser, &flag)?;
                    (options.endpoint, options.keys) = connection_string(&flag, &text)?;
                }
                "hub" => options.hub = text(&mut parser, &flag)?,
                "connections" => options.connections = number(&mut parser, &flag, 1..=1_000_000)?,
                "groups" => options.groups = number(&mut parser, &flag, 1..=1_000_000)?,
                "senders" => options.senders = number(&mut parser, &flag, 1..=10_000)?,
                "rate" => options.rate = number(&mut parser, &flag, 0..=10_000_000)?,
                "payload" => {
                    options.payload = number(&mut parser, &flag, stamp::LENGTH..=1_000_000)?;
                }
                "protocol" => options.protocol = protocol(&text(&mut parser, &flag)?)?,
                "duration" => options.duration = seconds(&mut parser, &flag, 1)?,
                "warm-up" => options.warm_up = seconds(&mut parser, &flag, 0)?,
                "parallel" => options.parallel = number(&mut parser, &flag, 1..=10_000)?,
                "threads" => options.threads = number(&mut parser, &flag, 1..=256)?,
                "server-pid" => {
                    options.server_pid = Some(number(&mut parser, &flag, 1..=u32::MAX)?);
                }
                _ => return Err(see_help(&Arg::Long(&flag).unexpected())),
            }
        }
        if options.groups > options.connections {
            return Err(format!(
                "--groups {}: some would be empty: use at most as many as --connections {}",
                options.groups, options.connections
            ));
        }
        Ok(Self::Load(Box::new(options)))
    }
}

impl Protocol {
    /// Returns the name of the subprotocol, if it is one.
    pub(crate) fn subprotocol(self) -> Option<&'static str> {
        match self {
            Self::Json => Some("json.webpubsub.azure.v1"),
            Self::ReliableJson => Some("json.reliable.webpubsub.azure.v1"),
            Self::Protobuf => Some("protobuf.webpubsub.azure.v1"),
            Self::Plain => None,
        }
    }

    /// Returns its name on the command line.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::ReliableJson => "reliable-json",
            Self::Protobuf => "protobuf",
            Self::Plain => "plain",
        }
    }
}

fn see_help(error: &lexopt::Error) -> String {
    format!("{error}: --help lists the flags")
}

fn text(parser: &mut Parser, flag: &str) -> Result<String, String> {
    let value = parser.value().and_then(ValueExt::string);
    value.map_err(|error| format!("--{flag}: {error}: --help shows an example"))
}

fn number<N>(parser: &mut Parser, flag: &str, range: RangeInclusive<N>) -> Result<N, String>
where
    N: FromStr + PartialOrd + Display,
{
    let text = text(parser, flag)?;
    let number = text.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| {
        let (least, most) = range.into_inner();
        format!("--{flag} {text}: is no whole number from {least} to {most}")
    })
}

fn seconds(parser: &mut Parser, flag: &str, least: u64) -> Result<Duration, String> {
    number(parser, flag, least..=24 * 60 * 60).map(Duration::from_secs)
}

fn protocol(text: &str) -> Result<Protocol, String> {
    let all = [Protocol::Json, Protocol::ReliableJson, Protocol::Protobuf, Protocol::Plain];
    all.into_iter().find(|protocol| protocol.name() == text).ok_or_else(|| {
        format!("--protocol {text}: is none: use json, reliable-json, protobuf or plain")
    })
}

fn keys(flag: &str, text: &str) -> Result<AccessKeys, String> {
    let key = AccessKey::new(text);
    key.map(AccessKeys::from).map_err(|error| format!("--{flag}: {error}: use the server's key"))
}

fn connection_string(flag: &str, text: &str) -> Result<(String, AccessKeys), String> {
    let part = |name: &str| {
        let mut parts = text.split(';').filter_map(|part| part.split_once('='));
        let found = parts.find(|(key, _)| key.trim().eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_owned()).ok_or_else(|| {
            format!(
                "--{flag}: has no {name}: it looks like Endpoint=http://HOST:PORT;AccessKey=KEY"
            )
        })
    };
    Ok((part("Endpoint")?, keys(flag, &part("AccessKey")?)?))
}
