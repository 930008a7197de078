//! A peer that wants to connect, kept.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use super::{Pairs, Texts, codec, keep_pairs, keep_texts, lend_pairs, lend_texts};
use crate::input::{self, Open, PlainMode};
use crate::protocol::Protocol;

/// [`Open`], kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of `Open`")]
pub struct Opening<'a> {
    pub hub: Cow<'a, str>,
    #[serde(with = "codec::protocol")]
    pub protocol: Protocol,
    pub plain_mode: Plain<'a>,
    pub anonymous: bool,
    pub user: Option<Cow<'a, str>>,
    pub roles: Texts<'a>,
    pub groups: Texts<'a>,
    pub subprotocols: Texts<'a>,
    pub claims: Pairs<'a>,
    pub query: Pairs<'a>,
    pub headers: Pairs<'a>,
    pub certificates: Vec<Certificate<'a>>,
    pub recovery: Option<Recovery<'a>>,
    pub entropy: [u8; 32],
}

/// [`PlainMode`], kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the variants are those of `PlainMode`")]
pub enum Plain<'a> {
    SendEvent,
    SendToGroup { group: Cow<'a, str>, no_echo: bool },
    Invalid { reason: Cow<'a, str> },
}

/// [`Certificate`](crate::Certificate), kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the other `Certificate`")]
pub struct Certificate<'a> {
    pub thumbprint: Cow<'a, str>,
    pub content: Cow<'a, str>,
}

/// [`Recovery`](crate::Recovery), kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are those of the other `Recovery`")]
pub struct Recovery<'a> {
    pub connection_id: Cow<'a, str>,
    pub token: Cow<'a, str>,
}

impl<'a> From<&Open<'a>> for Opening<'a> {
    fn from(request: &Open<'a>) -> Self {
        let Open {
            hub,
            protocol,
            plain_mode,
            anonymous,
            user,
            roles,
            groups,
            subprotocols,
            claims,
            query,
            headers,
            certificates,
            recovery,
            entropy,
        } = *request;
        let certificate = |each: &input::Certificate<'a>| Certificate {
            thumbprint: each.thumbprint.into(),
            content: each.content.into(),
        };
        let recover = |each: input::Recovery<'a>| Recovery {
            connection_id: each.connection_id.into(),
            token: each.token.into(),
        };
        Self {
            hub: hub.into(),
            protocol,
            plain_mode: plain_mode.into(),
            anonymous,
            user: user.map(Cow::Borrowed),
            roles: keep_texts(roles),
            groups: keep_texts(groups),
            subprotocols: keep_texts(subprotocols),
            claims: keep_pairs(claims),
            query: keep_pairs(query),
            headers: keep_pairs(headers),
            certificates: certificates.iter().map(certificate).collect(),
            recovery: recovery.map(recover),
            entropy,
        }
    }
}

impl<'a> From<PlainMode<'a>> for Plain<'a> {
    fn from(mode: PlainMode<'a>) -> Self {
        match mode {
            PlainMode::SendEvent => Self::SendEvent,
            PlainMode::SendToGroup { group, no_echo } => {
                Self::SendToGroup { group: group.into(), no_echo }
            }
            PlainMode::Invalid { reason } => Self::Invalid { reason: reason.into() },
        }
    }
}

impl Opening<'_> {
    pub(super) fn lend<R>(&self, take: impl FnOnce(Open<'_>) -> R) -> R {
        let certificates: Vec<_> = self.certificates.iter().map(Certificate::lend).collect();
        take(Open {
            hub: &self.hub,
            protocol: self.protocol,
            plain_mode: self.plain_mode.lend(),
            anonymous: self.anonymous,
            user: self.user.as_deref(),
            roles: &lend_texts(&self.roles),
            groups: &lend_texts(&self.groups),
            subprotocols: &lend_texts(&self.subprotocols),
            claims: &lend_pairs(&self.claims),
            query: &lend_pairs(&self.query),
            headers: &lend_pairs(&self.headers),
            certificates: &certificates,
            recovery: self.recovery.as_ref().map(Recovery::lend),
            entropy: self.entropy,
        })
    }
}

impl Plain<'_> {
    fn lend(&self) -> PlainMode<'_> {
        match self {
            Self::SendEvent => PlainMode::SendEvent,
            Self::SendToGroup { group, no_echo } => {
                PlainMode::SendToGroup { group, no_echo: *no_echo }
            }
            Self::Invalid { reason } => PlainMode::Invalid { reason },
        }
    }
}

impl Certificate<'_> {
    fn lend(&self) -> input::Certificate<'_> {
        input::Certificate { thumbprint: &self.thumbprint, content: &self.content }
    }
}

impl Recovery<'_> {
    fn lend(&self) -> input::Recovery<'_> {
        input::Recovery { connection_id: &self.connection_id, token: &self.token }
    }
}
