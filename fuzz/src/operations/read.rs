//! Operations as they are read from bytes. Connections, calls and names are small numbers, so that most of
//! what is read concerns something that exists.

use arbitrary::Arbitrary;

use super::super::sequences::frame::Frame as Session;

/// One thing for the host to do.
#[derive(Arbitrary, Debug)]
pub(super) enum Operation<'a> {
    Open(Opening<'a>),
    Frame(u8, Frame<'a>),
    Text(u8, &'a str),
    Binary(u8, &'a [u8]),
    Signal(u8, Signal),
    Close(u8, Ending<'a>),
    Answer(u8, Reply<'a>),
    Execute(Order<'a>),
    Advance(u16),
    Drain,
    Stop,
    /// The same as `Open`, of a reliable client.
    Reliable(Opening<'a>),
    /// Takes a connection up again, with its token.
    Recover(u8),
    Pause(u8),
    Resume(u8),
    /// Whether the condition is the audience; otherwise it goes along with a send.
    Filtered(Condition<'a>, bool, Order<'a>),
    LookUp(Hub<'a>, Name<'a>),
    Publish(Publication<'a>),
    Reconfigure(Settings),
    /// What else clients send: states, streams, invocations.
    Session(u8, Session<'a>),
}

#[derive(Arbitrary, Debug)]
pub(super) struct Opening<'a> {
    pub hub: Hub<'a>,
    pub json: bool,
    pub anonymous: bool,
    pub user: Option<u8>,
    pub roles: Vec<Role<'a>>,
    pub groups: Vec<Name<'a>>,
    pub target: Option<(Name<'a>, bool)>,
    pub recovery: bool,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Hub<'a> {
    First,
    Second,
    Other(&'a str),
}

#[derive(Arbitrary, Debug)]
pub(super) enum Name<'a> {
    Small(u8),
    Any(&'a str),
}

#[derive(Arbitrary, Debug)]
pub(super) enum Role<'a> {
    Join,
    Send,
    Pattern(&'a str),
    Literal(Name<'a>),
    Any(&'a str),
    /// To set states of groups, otherwise to see them.
    State(bool),
}

#[derive(Arbitrary, Debug)]
pub(super) enum Frame<'a> {
    Join(Name<'a>, Option<u8>),
    Leave(Name<'a>, Option<u8>),
    Send { group: Name<'a>, text: &'a str, no_echo: bool, seconds: u16, ack: Option<u8> },
    Event { name: Name<'a>, text: &'a str, ack: Option<u8> },
    Ping,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Signal {
    Alive,
    TooLarge,
    Malformed,
    NotUtf8,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Ending<'a> {
    Clean(u16, &'a str),
    Lost,
    Slow,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Reply<'a> {
    Accept {
        user: Option<u8>,
        roles: Option<Vec<Role<'a>>>,
        groups: Option<Vec<Name<'a>>>,
        subprotocol: Option<&'a str>,
    },
    Refuse(u16, &'a str),
    Text(&'a str),
    Json(&'a str),
    Metadata(&'a str, &'a str),
    Fail,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Whom<'a> {
    Hub,
    Group(Name<'a>),
    User(u8),
    Connection(u8),
}

#[derive(Arbitrary, Debug)]
pub(super) struct Order<'a> {
    pub hub: Hub<'a>,
    pub whom: Whom<'a>,
    pub except: Option<u8>,
    pub deed: Deed<'a>,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Deed<'a> {
    Text(&'a str),
    Json(&'a str),
    Binary(&'a [u8]),
    Timed(&'a str, u16),
    Metadata(&'a str, &'a str),
    Join(Vec<Name<'a>>),
    Leave(Vec<Name<'a>>),
    LeaveAll,
    Close(&'a str),
    Grant(u8, Name<'a>, bool),
    Revoke(u8, Name<'a>, bool),
    Check(u8, Name<'a>, bool),
    Exists,
    Count,
    List(Name<'a>, Option<&'a str>, u8),
}

#[derive(Arbitrary, Debug)]
pub(super) enum Condition<'a> {
    User(u8),
    Member(Name<'a>),
    Connection(u8),
    Any(&'a str),
}

/// What is published to a group that was looked up before.
#[derive(Arbitrary, Debug)]
pub(super) struct Publication<'a> {
    pub group: u8,
    pub except: Option<u8>,
    pub condition: Option<Condition<'a>>,
    pub text: &'a str,
    pub seconds: u16,
}

/// New settings for an engine that runs.
#[derive(Arbitrary, Debug)]
pub(super) struct Settings {
    /// As at the start.
    pub choice: u8,
    pub tight: bool,
    pub refuse: bool,
    pub slow: Slow,
    pub hubs: Hubs,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Slow {
    Disconnect,
    Newest,
    Oldest,
    Latest,
}

/// Which hubs there are settings for.
#[derive(Arbitrary, Debug)]
pub(super) enum Hubs {
    None,
    First,
    /// The first one, without handlers.
    Bare,
    /// The other one has limits of its own.
    Both,
    /// The first one, twice, which is an error.
    Twice,
}
