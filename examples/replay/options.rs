//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use hubcast::Time;
use lexopt::{Arg, Parser, ValueExt};

pub(crate) const HELP: &str = "\
Plays a journal of hubcast to a fresh engine and shows what comes out.

usage: cargo run --example replay -- [OPTIONS] FILE

Each input is a line: its number, the seconds since the first one, the verb and its
arguments, what the verb returned. The actions that it led to stand below it.

    #7 +0.250 receive 2v1 text 42 bytes {\"type\":\"joinGroup\",\"group\":\"g\",\"ackId\":1}
        deliver to 2v1, text 38 bytes {\"type\":\"ack\",\"ackId\":1,\"success\":true}

2v1 is the key of a connection: place 2 of the engine, used for the first time. A
connection that was recovered has the same place and a new key.

options:
  --until N|TIME       Stop behind input N, or before the first input after TIME: a date
                       and time as 2026-11-22T10:00:00Z (or only its beginning), or
                       +SECONDS since the first input.
  --connection ID|KEY  Show only what concerns one connection: by its id, through all its
                       transports, or by the key of one transport, such as 2v1.
  --state              Show at the end the hubs, with their groups, users and connections.
  --check              Do not show the steps: only tell whether the actions are those that
                       were recorded. The exit code is 1 where they are not.
  --digests            Show a digest for each input and of all, to compare two platforms.
  --full               Show payloads as a whole; otherwise they are cut at 160 characters.
  --help               Show this.

examples:
  what led to input 1200, and what was so then:
      ... -- --until 1200 --state server.journal | tail -50
  all about one client:
      ... -- --connection 0000000239bc8db7c0a5a3e5a1f4d2b6 server.journal
  did a change of the code change what it does?
      ... -- --check server.journal

Where the journal was redacted, connection ids are others than those in your logs: find
the connection by its user, and then take the id that is shown.
";

pub(crate) enum Asked {
    Play(Options),
    Help,
}

/// What is asked for.
pub(crate) struct Options {
    pub(crate) file: PathBuf,
    pub(crate) until: Option<Until>,
    pub(crate) connection: Option<String>,
    pub(crate) state: bool,
    pub(crate) check: bool,
    pub(crate) digests: bool,
    pub(crate) full: bool,
}

impl Options {
    pub(crate) fn prints_steps(&self) -> bool {
        !self.check && !self.digests
    }
}

/// Where to stop.
pub(crate) enum Until {
    Input(u64),
    /// A time, as text that sorts.
    Time(String),
    /// Milliseconds since the first input.
    After(u64),
}

impl Until {
    fn parse(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "--until {text}: expected the number of an input (1200), a time (2026-11-22T10:00:00Z), or seconds \
                 since the first input (+12.5)"
            )
        };
        if let Some(seconds) = text.strip_prefix('+') {
            let seconds: f64 = seconds.parse().map_err(|_| wrong())?;
            // A negative or endless one becomes the nearest that there is.
            #[expect(clippy::cast_sign_loss, reason = "saturates")]
            return Ok(Self::After((seconds * 1000.0) as u64));
        }
        if let Ok(number) = text.parse() {
            return Ok(Self::Input(number));
        }
        let is_date = text.len() >= 4 && text.bytes().take(4).all(|byte| byte.is_ascii_digit());
        if is_date { Ok(Self::Time(sortable(text))) } else { Err(wrong()) }
    }

    /// Tells whether the next input comes behind it.
    pub(crate) fn is_passed(&self, number: u64, now: Time, start: Time) -> bool {
        match self {
            Self::Input(last) => number > *last,
            Self::Time(text) => sortable(&now.to_string()) > *text,
            Self::After(millis) => now.since(start).as_millis() > u128::from(*millis),
        }
    }
}

/// Spells the fraction of a second out, so that the order of times is that of texts.
fn sortable(time: &str) -> String {
    match time.strip_suffix('Z') {
        Some(seconds) if !time.contains('.') => format!("{seconds}.000Z"),
        Some(_) | None => time.to_owned(),
    }
}

/// Reads the command line.
pub(crate) fn read() -> Result<Asked, String> {
    parse(Parser::from_env())
}

fn parse(mut parser: Parser) -> Result<Asked, String> {
    let mut file: Option<OsString> = None;
    let mut options = Options {
        file: PathBuf::new(),
        until: None,
        connection: None,
        state: false,
        check: false,
        digests: false,
        full: false,
    };
    while let Some(argument) = parser.next().map_err(|error| see_help(&error))? {
        match argument {
            Arg::Long("until") => options.until = Some(Until::parse(&value(&mut parser)?)?),
            Arg::Long("connection") => options.connection = Some(value(&mut parser)?),
            Arg::Long("state") => options.state = true,
            Arg::Long("check") => options.check = true,
            Arg::Long("digests") => options.digests = true,
            Arg::Long("full") => options.full = true,
            Arg::Long("help") | Arg::Short('h') => return Ok(Asked::Help),
            Arg::Value(path) if file.is_none() => file = Some(path),
            Arg::Value(_) => return Err("give one journal at a time; see --help".into()),
            Arg::Long(_) | Arg::Short(_) => return Err(see_help(&argument.unexpected())),
        }
    }
    let Some(file) = file else {
        return Err("which journal? Give its file; see --help".into());
    };
    options.file = file.into();
    Ok(Asked::Play(options))
}

fn value(parser: &mut Parser) -> Result<String, String> {
    let value = parser.value().map_err(|error| see_help(&error))?;
    value.string().map_err(|error| see_help(&error))
}

fn see_help(error: &lexopt::Error) -> String {
    format!("{error}; see --help")
}
