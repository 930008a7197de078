//! Records as they wait: nothing in them is borrowed.

use alloc::boxed::Box;

use super::Text;
use crate::metrics::CloseCause;
use crate::protocol::AckError;
use crate::record::{Record, RecordKind};
use crate::state::{ConnectionId, ConnectionKey};

#[derive(Debug)]
pub(crate) struct PendingRecord {
    pub hub: Box<str>,
    pub connection: Option<ConnectionKey>,
    pub connection_id: Option<ConnectionId>,
    pub user: Option<Box<str>>,
    pub kind: PendingRecordKind,
}

#[derive(Debug)]
pub(crate) enum PendingRecordKind {
    Started { subprotocol: Option<Text> },
    Refused { status: u16, reason: Text },
    Detached,
    Recovered,
    RecoveryRefused,
    Ended { cause: CloseCause, reason: Text },
    Requested { operation: &'static str, target: Box<str>, bytes: usize },
    Failed { error: AckError, reason: Text },
    Unhandled { event: Box<str> },
    Sent { recipients: usize, bytes: usize },
}

impl PendingRecord {
    pub(super) fn lend(&self) -> Record<'_> {
        Record {
            hub: &self.hub,
            connection: self.connection,
            connection_id: self.connection_id,
            user: self.user.as_deref(),
            kind: self.kind.lend(),
        }
    }
}

impl PendingRecordKind {
    fn lend(&self) -> RecordKind<'_> {
        match self {
            Self::Started { subprotocol } => {
                RecordKind::Started { subprotocol: subprotocol.as_deref() }
            }
            Self::Refused { status, reason } => RecordKind::Refused { status: *status, reason },
            Self::Detached => RecordKind::Detached,
            Self::Recovered => RecordKind::Recovered,
            Self::RecoveryRefused => RecordKind::RecoveryRefused,
            Self::Ended { cause, reason } => RecordKind::Ended { cause: *cause, reason },
            Self::Requested { operation, target, bytes } => {
                RecordKind::Requested { operation, target, bytes: *bytes }
            }
            Self::Failed { error, reason } => RecordKind::Failed { error: *error, reason },
            Self::Unhandled { event } => RecordKind::Unhandled { event },
            Self::Sent { recipients, bytes } => {
                RecordKind::Sent { recipients: *recipients, bytes: *bytes }
            }
        }
    }
}
