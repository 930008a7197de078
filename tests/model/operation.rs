//! What can be done to an engine, as data that shrinks: connections and calls are small numbers, counted
//! from the newest that is still there, and names come from small pools with good and bad ones in them.

pub(crate) mod strategy;

/// One step: something is done, and the actions are polled unless they are held back for the next step.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// How much time goes by before.
    pub millis: u64,
    /// Whether the host comes back at each deadline in that time; otherwise it forgets them all, and only
    /// the clock moves.
    pub punctual: bool,
    pub operation: Operation,
    pub hold: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Operation {
    Open(Opening),
    Receive(usize, Message),
    Close(usize, Ending),
    Answer(usize, Reply),
    Execute(Order),
    Advance,
    Stop(String),
}

#[derive(Clone, Debug)]
pub(crate) struct Opening {
    pub hub: String,
    pub json: bool,
    pub anonymous: bool,
    pub user: Option<String>,
    pub roles: Vec<String>,
    pub groups: Vec<String>,
    pub subprotocols: Vec<String>,
    /// The target of a plain client that sends to a group, and whether without echo.
    pub target: Option<(String, bool)>,
    pub recovery: bool,
}

/// What a client sends. A frame is text on the wire; a plain client means nothing but the text.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    Frame(Frame),
    Text(String),
    Binary(Vec<u8>),
    Alive,
    TooLarge,
    Malformed,
    NotUtf8,
}

#[derive(Clone, Debug)]
pub(crate) enum Frame {
    Join { group: String, ack: Option<u64> },
    Leave { group: String, ack: Option<u64> },
    Send { group: String, content: Content, no_echo: bool, ttl: u32, ack: Option<u64> },
    Event { name: String, content: Content, ack: Option<u64> },
    SequenceAck,
    Ping,
}

/// The data of a message, and what goes with it.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// `None` is a message of metadata alone.
    pub data: Option<Payload>,
    pub metadata: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Payload {
    Text(String),
    Json(String),
    Binary(Vec<u8>),
}

#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Clean(String),
    Lost,
    SlowConsumer,
}

#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Accept {
        user: Option<String>,
        roles: Option<Vec<String>>,
        groups: Option<Vec<String>>,
        subprotocol: Option<String>,
        state: Option<String>,
    },
    Refuse(u16),
    Respond {
        data: Option<Payload>,
        metadata: Vec<(String, String)>,
        state: Option<String>,
    },
    Fail,
}

/// A command; connections are named by their numbers.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub hub: String,
    pub whom: Whom,
    pub except: Vec<usize>,
    pub deed: Deed,
}

#[derive(Clone, Debug)]
pub(crate) enum Whom {
    Hub,
    Group(String),
    User(String),
    Connection(usize),
}

#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Send { data: Payload, metadata: Vec<(String, String)>, ttl: u32 },
    Join(Vec<String>),
    Leave(Vec<String>),
    LeaveAll,
    Close(String),
    Grant(usize, Right, String),
    Revoke(usize, Right, String),
    Check(usize, Right, String),
    Exists,
    Count,
    List { group: String, after: Option<usize>, limit: usize },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Right {
    Join,
    Send,
}

/// How the engine is set up.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub idle_seconds: Option<u64>,
    pub handshake_seconds: u64,
    pub per_second: Option<u64>,
    pub per_day: Option<u64>,
    pub close_on_failure: bool,
    pub refuse_unknown_hubs: bool,
    /// The handlers of the first hub.
    pub handlers: Vec<Handler>,
}

#[derive(Clone, Debug)]
pub(crate) struct Handler {
    pub events: &'static str,
    pub connect: bool,
    pub connected: bool,
    pub disconnected: bool,
}

impl Frame {
    /// Writes the frame as a client would.
    pub(crate) fn text(&self) -> String {
        let quote = |text: &str| serde_json::to_string(text).expect("a text can be quoted");
        let ack = |ack: Option<u64>| ack.map_or(String::new(), |ack| format!(r#","ackId":{ack}"#));
        match self {
            Self::Join { group, ack: id } => {
                format!(r#"{{"type":"joinGroup","group":{}{}}}"#, quote(group), ack(*id))
            }
            Self::Leave { group, ack: id } => {
                format!(r#"{{"type":"leaveGroup"{},"group":{}}}"#, ack(*id), quote(group))
            }
            Self::Send { group, content, no_echo, ttl, ack: id } => format!(
                r#"{{"type":"sendToGroup","group":{},"noEcho":{no_echo},"ttlSeconds":{ttl}{}{}}}"#,
                quote(group),
                content.members(),
                ack(*id)
            ),
            Self::Event { name, content, ack: id } => format!(
                r#"{{"event":{}{}{},"type":"event"}}"#,
                quote(name),
                ack(*id),
                content.members()
            ),
            Self::SequenceAck => r#"{"type":"sequenceAck","sequenceId":3}"#.into(),
            Self::Ping => r#"{ "type" : "ping" }"#.into(),
        }
    }
}

impl Content {
    fn members(&self) -> String {
        let mut text = self.data.as_ref().map_or(String::new(), Payload::members);
        if !self.metadata.is_empty() || self.data.is_none() {
            text.push_str(r#","metadata":"#);
            text.push_str(&crate::wire::object(&self.metadata));
        }
        text
    }

    /// Returns the data as it is meant: metadata alone goes with an empty text.
    pub(crate) fn payload(&self) -> Payload {
        self.data.clone().unwrap_or(Payload::Text(String::new()))
    }
}

impl Payload {
    /// Writes the members `dataType` and `data`, behind a comma.
    pub(crate) fn members(&self) -> String {
        let (kind, data) = match self {
            Self::Text(text) => ("text", serde_json::to_string(text).expect("it can be quoted")),
            Self::Json(text) => ("json", text.clone()),
            Self::Binary(bytes) => ("binary", format!("\"{}\"", crate::wire::base64(bytes))),
        };
        format!(r#","dataType":"{kind}","data":{data}"#)
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Text(text) | Self::Json(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
        }
    }

    pub(crate) fn lend(&self) -> hubcast::Data<'_> {
        match self {
            Self::Text(text) => hubcast::Data::Text(text),
            Self::Json(text) => hubcast::Data::Json(text),
            Self::Binary(bytes) => hubcast::Data::Binary(bytes),
        }
    }
}
