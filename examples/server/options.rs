//! The command line.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use hubcast::Limits;
use hubcast::replay::{JournalConfig, Redaction};
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
    /// Event handlers in short form: hub, URL template.
    pub(crate) handlers: Vec<(String, String)>,
    /// Certificates of authorities that those behind `https` may have theirs from.
    pub(crate) handler_ca: Option<PathBuf>,
    /// Event listeners that are told of every event of a hub: hub, path.
    pub(crate) listeners: Vec<(String, String)>,
    /// Where the logs go.
    pub(crate) logs: Option<String>,
    /// Where the journal goes, and how it is written.
    pub(crate) journal: Option<PathBuf>,
    pub(crate) journal_config: JournalConfig,
    pub(crate) limits: Limits,
    /// Whether `:generateToken` also takes a token that a key signed.
    pub(crate) generate_with_key: bool,
    /// Whether tokens for the service pass whoever made them.
    pub(crate) allow_unvalidated_entra: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            access_key: "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH".to_owned(),
            secondary_key: None,
            config: None,
            handlers: Vec::new(),
            handler_ca: None,
            listeners: Vec::new(),
            logs: None,
            journal: None,
            journal_config: JournalConfig::default(),
            limits: Limits::default(),
            generate_with_key: false,
            allow_unvalidated_entra: false,
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
                "version" => return Ok(Self::Version),
                "listen" => options.listen = listen(&text(&mut parser, &flag)?)?,
                "access-key" => options.access_key = text(&mut parser, &flag)?,
                "secondary-key" => options.secondary_key = Some(text(&mut parser, &flag)?),
                "config" => options.config = Some(text(&mut parser, &flag)?.into()),
                "handler" => options.handlers.push(handler(&text(&mut parser, &flag)?)?),
                "handler-ca" => options.handler_ca = Some(text(&mut parser, &flag)?.into()),
                "listener" => options.listeners.push(listener(&text(&mut parser, &flag)?)?),
                "logs" => options.logs = Some(path(text(&mut parser, &flag)?)?),
                "generate-token-with-key" => options.generate_with_key = true,
                "allow-unvalidated-entra" => options.allow_unvalidated_entra = true,
                "journal" => options.journal = Some(text(&mut parser, &flag)?.into()),
                "journal-bytes" => {
                    options.journal_config.bytes = bytes(&text(&mut parser, &flag)?)?;
                }
                "journal-without" => {
                    options.journal_config.redaction = redaction(&text(&mut parser, &flag)?)?;
                }
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

fn listener(text: &str) -> Result<(String, String), String> {
    let pair = text.split_once('=').filter(|(hub, path)| !hub.is_empty() && !path.is_empty());
    let Some((hub, path)) = pair else {
        return Err(format!(
            "--listener {text}: is not HUB=PATH: try --listener chat=events.jsonl, or chat=- for stdout"
        ));
    };
    Ok((hub.to_owned(), path.to_owned()))
}

fn path(text: String) -> Result<String, String> {
    match &*text {
        "" => Err("--logs: is empty: try --logs hubcast.jsonl, or - for stdout".to_owned()),
        _ => Ok(text),
    }
}

fn bytes(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| {
        format!("--journal-bytes {text}: is no number of bytes: try --journal-bytes 1000000000")
    })
}

fn redaction(text: &str) -> Result<Redaction, String> {
    match text {
        "nothing" => Ok(Redaction::None),
        "secrets" => Ok(Redaction::Secrets),
        "payloads" => Ok(Redaction::SecretsAndPayloads),
        _ => Err(format!(
            "--journal-without {text}: is none of nothing, secrets and payloads: try --journal-without payloads"
        )),
    }
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
