//! Steps as they are read from bytes. Clients, calls, groups and streams are small numbers, so that most of what is
//! read concerns something that exists.

use arbitrary::Arbitrary;

use super::frame::Frame;

#[derive(Arbitrary, Debug)]
pub(super) enum Step<'a> {
    Open(Opening),
    /// Whether with the right token, else with that of somebody else.
    Recover(u8, bool, u8),
    Frame(u8, Frame<'a>),
    Close(u8, Ending),
    Pause(u8),
    Resume(u8),
    Answer(u8, bool, &'a str),
    Admit(u8),
    Order(Order<'a>),
    Advance(u16),
    Drain,
}

#[derive(Arbitrary, Debug)]
pub(super) struct Opening {
    pub protocol: u8,
    pub user: u8,
    pub group: u8,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Ending {
    Lost,
    Clean,
    Odd(u16),
    Slow,
}

#[derive(Arbitrary, Debug)]
pub(super) enum Order<'a> {
    Send(u8, &'a str, u16),
    Grant(u8, u8),
    Revoke(u8, u8),
    Join(u8, u8),
    Leave(u8, u8),
    Close(u8),
}
