//! What event handlers say, kept.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::order::Content;
use super::{Pairs, Texts, keep_pairs, keep_texts, lend_pairs, lend_texts};
use crate::event::{self, Answer};

/// [`Answer`], kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are those of `Answer`")]
#[non_exhaustive]
pub enum Verdict<'a> {
    Accept(Admission<'a>),
    Refuse { status: u16, reason: Cow<'a, str> },
    Reply(Response<'a>),
    Fail,
}

/// [`Admission`](crate::Admission), kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the other `Admission`")]
pub struct Admission<'a> {
    pub user: Option<Cow<'a, str>>,
    pub roles: Option<Texts<'a>>,
    pub groups: Option<Texts<'a>>,
    pub subprotocol: Option<Cow<'a, str>>,
    pub state: Option<Cow<'a, str>>,
}

/// [`Response`](crate::Response), kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the other `Response`")]
pub struct Response<'a> {
    pub data: Option<Content<'a>>,
    pub metadata: Pairs<'a>,
    pub state: Option<Cow<'a, str>>,
}

impl<'a> From<&Answer<'a>> for Verdict<'a> {
    fn from(answer: &Answer<'a>) -> Self {
        match *answer {
            Answer::Accept(event::Admission { user, roles, groups, subprotocol, state }) => {
                Self::Accept(Admission {
                    user: user.map(Cow::Borrowed),
                    roles: roles.map(keep_texts),
                    groups: groups.map(keep_texts),
                    subprotocol: subprotocol.map(Cow::Borrowed),
                    state: state.map(Cow::Borrowed),
                })
            }
            Answer::Refuse { status, reason } => Self::Refuse { status, reason: reason.into() },
            Answer::Reply(event::Response { data, metadata, state }) => Self::Reply(Response {
                data: data.map(Content::from),
                metadata: keep_pairs(metadata),
                state: state.map(Cow::Borrowed),
            }),
            Answer::Fail => Self::Fail,
        }
    }
}

impl Verdict<'_> {
    pub(super) fn lend<R>(&self, take: impl FnOnce(Answer<'_>) -> R) -> R {
        match self {
            Self::Accept(Admission { user, roles, groups, subprotocol, state }) => {
                take(Answer::Accept(event::Admission {
                    user: user.as_deref(),
                    roles: roles.as_deref().map(lend_texts).as_deref(),
                    groups: groups.as_deref().map(lend_texts).as_deref(),
                    subprotocol: subprotocol.as_deref(),
                    state: state.as_deref(),
                }))
            }
            Self::Refuse { status, reason } => take(Answer::Refuse { status: *status, reason }),
            Self::Reply(Response { data, metadata, state }) => {
                take(Answer::Reply(event::Response {
                    data: data.as_ref().map(Content::lend),
                    metadata: &lend_pairs(metadata),
                    state: state.as_deref(),
                }))
            }
            Self::Fail => take(Answer::Fail),
        }
    }
}
