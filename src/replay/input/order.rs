//! Commands, kept.

use alloc::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::{Pairs, Texts, codec, keep_pairs, keep_texts, lend_pairs, lend_texts};
use crate::command::{Audience, Command, GroupPermission, SendOptions};
use crate::filter::Filter;
use crate::protocol::Data;
use crate::replay::key::FoundGroup;
use crate::state::Permission;

/// [`Command`], kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are those of `Command`")]
#[non_exhaustive]
pub enum Order<'a> {
    Send { to: Whom<'a>, data: Content<'a>, options: Sending<'a> },
    Join { who: Whom<'a>, groups: Texts<'a> },
    Leave { who: Whom<'a>, groups: Texts<'a> },
    LeaveAll { who: Whom<'a> },
    Close { who: Whom<'a>, except: Texts<'a>, reason: Cow<'a, str> },
    Grant(Right<'a>),
    Revoke(Right<'a>),
    Check(Right<'a>),
    Exists { who: Whom<'a> },
    Count { who: Whom<'a> },
    List { hub: Cow<'a, str>, group: Cow<'a, str>, after: Option<Cow<'a, str>>, limit: u64 },
    Publish { group: FoundGroup, data: Content<'a>, options: Sending<'a> },
}

/// [`Audience`], kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are those of `Audience`")]
pub enum Whom<'a> {
    Hub(Cow<'a, str>),
    Group(Cow<'a, str>, Cow<'a, str>),
    User(Cow<'a, str>, Cow<'a, str>),
    Connection(Cow<'a, str>, Cow<'a, str>),
    Matching(Cow<'a, str>, #[serde(with = "codec::filter")] Cow<'a, Filter>),
}

/// [`Data`], kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are those of `Data`")]
#[non_exhaustive]
pub enum Content<'a> {
    Text(Cow<'a, str>),
    Json(Cow<'a, str>),
    Binary(#[serde(with = "codec::bytes")] Cow<'a, [u8]>),
    Protobuf(#[serde(with = "codec::bytes")] Cow<'a, [u8]>),
}

/// [`SendOptions`], kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `SendOptions`")]
pub struct Sending<'a> {
    pub except: Texts<'a>,
    #[serde(with = "codec::optional_filter")]
    pub filter: Option<Cow<'a, Filter>>,
    pub metadata: Pairs<'a>,
    pub ttl_seconds: u32,
}

/// [`GroupPermission`], kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `GroupPermission`")]
pub struct Right<'a> {
    pub hub: Cow<'a, str>,
    pub connection_id: Cow<'a, str>,
    #[serde(with = "codec::permission")]
    pub permission: Permission,
    pub group: Cow<'a, str>,
}

impl<'a> From<&Command<'a>> for Order<'a> {
    fn from(command: &Command<'a>) -> Self {
        match *command {
            Command::Send { to, data, options } => {
                Self::Send { to: to.into(), data: data.into(), options: options.into() }
            }
            Command::Publish { group, data, options } => {
                Self::Publish { group: group.into(), data: data.into(), options: options.into() }
            }
            Command::Join { who, groups } => {
                Self::Join { who: who.into(), groups: keep_texts(groups) }
            }
            Command::Leave { who, groups } => {
                Self::Leave { who: who.into(), groups: keep_texts(groups) }
            }
            Command::LeaveAll { who } => Self::LeaveAll { who: who.into() },
            Command::Close { who, except, reason } => {
                Self::Close { who: who.into(), except: keep_texts(except), reason: reason.into() }
            }
            Command::Grant(right) => Self::Grant(right.into()),
            Command::Revoke(right) => Self::Revoke(right.into()),
            Command::Check(right) => Self::Check(right.into()),
            Command::Exists { who } => Self::Exists { who: who.into() },
            Command::Count { who } => Self::Count { who: who.into() },
            Command::List { hub, group, after, limit } => Self::List {
                hub: hub.into(),
                group: group.into(),
                after: after.map(Cow::Borrowed),
                limit: limit as u64,
            },
        }
    }
}

impl Order<'_> {
    pub(super) fn lend<R>(&self, take: impl FnOnce(Command<'_>) -> R) -> R {
        match self {
            Self::Send { to, data, options } => options
                .lend(|options| take(Command::Send { to: to.lend(), data: data.lend(), options })),
            Self::Publish { group, data, options } => options.lend(|options| {
                take(Command::Publish { group: group.revive(), data: data.lend(), options })
            }),
            Self::Join { who, groups } => {
                take(Command::Join { who: who.lend(), groups: &lend_texts(groups) })
            }
            Self::Leave { who, groups } => {
                take(Command::Leave { who: who.lend(), groups: &lend_texts(groups) })
            }
            Self::LeaveAll { who } => take(Command::LeaveAll { who: who.lend() }),
            Self::Close { who, except, reason } => {
                take(Command::Close { who: who.lend(), except: &lend_texts(except), reason })
            }
            Self::Grant(right) => take(Command::Grant(right.lend())),
            Self::Revoke(right) => take(Command::Revoke(right.lend())),
            Self::Check(right) => take(Command::Check(right.lend())),
            Self::Exists { who } => take(Command::Exists { who: who.lend() }),
            Self::Count { who } => take(Command::Count { who: who.lend() }),
            Self::List { hub, group, after, limit } => take(Command::List {
                hub,
                group,
                after: after.as_deref(),
                limit: usize::try_from(*limit).unwrap_or(usize::MAX),
            }),
        }
    }
}

impl<'a> From<Audience<'a>> for Whom<'a> {
    fn from(audience: Audience<'a>) -> Self {
        match audience {
            Audience::Hub(hub) => Self::Hub(hub.into()),
            Audience::Group(hub, group) => Self::Group(hub.into(), group.into()),
            Audience::User(hub, user) => Self::User(hub.into(), user.into()),
            Audience::Connection(hub, id) => Self::Connection(hub.into(), id.into()),
            Audience::Matching(hub, filter) => Self::Matching(hub.into(), Cow::Borrowed(filter)),
        }
    }
}

impl Whom<'_> {
    fn lend(&self) -> Audience<'_> {
        match self {
            Self::Hub(hub) => Audience::Hub(hub),
            Self::Group(hub, group) => Audience::Group(hub, group),
            Self::User(hub, user) => Audience::User(hub, user),
            Self::Connection(hub, id) => Audience::Connection(hub, id),
            Self::Matching(hub, filter) => Audience::Matching(hub, filter),
        }
    }
}

impl<'a> From<Data<'a>> for Content<'a> {
    fn from(data: Data<'a>) -> Self {
        match data {
            Data::Text(text) => Self::Text(text.into()),
            Data::Json(text) => Self::Json(text.into()),
            Data::Binary(bytes) => Self::Binary(bytes.into()),
            Data::Protobuf(bytes) => Self::Protobuf(bytes.into()),
        }
    }
}

impl Content<'_> {
    pub(super) fn lend(&self) -> Data<'_> {
        match self {
            Self::Text(text) => Data::Text(text),
            Self::Json(text) => Data::Json(text),
            Self::Binary(bytes) => Data::Binary(bytes),
            Self::Protobuf(bytes) => Data::Protobuf(bytes),
        }
    }
}

impl<'a> From<SendOptions<'a>> for Sending<'a> {
    fn from(options: SendOptions<'a>) -> Self {
        let SendOptions { except, filter, metadata, ttl_seconds } = options;
        Self {
            except: keep_texts(except),
            filter: filter.map(Cow::Borrowed),
            metadata: keep_pairs(metadata),
            ttl_seconds,
        }
    }
}

impl Sending<'_> {
    fn lend<R>(&self, take: impl FnOnce(SendOptions<'_>) -> R) -> R {
        take(SendOptions {
            except: &lend_texts(&self.except),
            filter: self.filter.as_deref(),
            metadata: &lend_pairs(&self.metadata),
            ttl_seconds: self.ttl_seconds,
        })
    }
}

impl<'a> From<GroupPermission<'a>> for Right<'a> {
    fn from(right: GroupPermission<'a>) -> Self {
        let GroupPermission { hub, connection_id, permission, group } = right;
        Self {
            hub: hub.into(),
            connection_id: connection_id.into(),
            permission,
            group: group.into(),
        }
    }
}

impl Right<'_> {
    fn lend(&self) -> GroupPermission<'_> {
        GroupPermission {
            hub: &self.hub,
            connection_id: &self.connection_id,
            permission: self.permission,
            group: &self.group,
        }
    }
}
