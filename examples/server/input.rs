//! What the engine task is told, and the way to it.

use std::net::IpAddr;

use bytes::Bytes;
use http::Response;
use hubcast::rest::webhook::RequestId;
use hubcast::rest::{Handshake, Operation};
use hubcast::{Config, ConfigError, ConnectionKey};
use tokio::sync::mpsc::error::SendError;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use crate::activity::News;
use crate::listeners::ListenerOutputs;
use crate::metrics::Measured;
use crate::room::{INPUTS, Intake};
use crate::sockets::Socket;
use crate::tables::Tables;
use crate::webhook_client::Answered;

/// Something for the engine.
#[derive(Debug)]
pub(crate) enum Input {
    /// A peer wants to connect; its key goes to `opened`.
    Open {
        handshake: Box<Handshake>,
        socket: Socket,
        caller: Option<IpAddr>,
        opened: oneshot::Sender<ConnectionKey>,
    },
    /// Something arrived from a peer. The permit is for its bytes, while it waits.
    Received { from: ConnectionKey, what: Received, room: OwnedSemaphorePermit },
    /// A transport is gone.
    Closed { connection: ConnectionKey, how: Ended },
    /// The crowded queue of a socket has drained.
    Drained { connection: ConnectionKey },
    /// A server asks something by the REST API.
    Asked { operation: Box<Operation>, answer: oneshot::Sender<Response<Bytes>> },
    /// The console wants to see a hub, and what happened after an entry that it knows.
    Looked { hub: String, after: u64, answer: oneshot::Sender<(Tables, News)> },
    /// A request to a webhook is over.
    Answered { id: RequestId, answered: Box<Answered> },
    /// There are new settings, with the open files of their listeners.
    Reconfigure {
        config: Box<Config>,
        outputs: ListenerOutputs,
        done: oneshot::Sender<Result<(), ConfigError>>,
    },
    /// Somebody wants to know what was counted.
    Measure { answer: oneshot::Sender<Box<Measured>> },
    /// The server is about to stop.
    Stop,
}

/// What can arrive from a peer: [`hubcast::Incoming`], with the bytes that it borrows.
#[derive(Debug)]
pub(crate) enum Received {
    Text(Utf8Bytes),
    Binary(Bytes),
    Alive,
    TooLarge,
    Malformed,
    NotUtf8,
}

/// How a transport can end: [`hubcast::Closed`], with the text that it borrows.
#[derive(Debug)]
pub(crate) enum Ended {
    Clean { code: u16, reason: String },
    Lost,
}

/// The way to the engine task.
#[derive(Clone, Debug)]
pub(crate) struct Inputs {
    sender: mpsc::Sender<Input>,
    intake: Intake,
}

impl Inputs {
    /// Makes the way and the end of it.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Input>) {
        let (sender, receiver) = mpsc::channel(INPUTS);
        (Self { sender, intake: Intake::new() }, receiver)
    }

    /// Sends an input, when there is room.
    ///
    /// # Errors
    ///
    /// If the engine task has ended.
    pub(crate) async fn send(&self, input: Input) -> Result<(), SendError<()>> {
        // Every socket's task has memory for what this holds while it waits: a place takes less than what goes there.
        self.sender.reserve().await?.send(input);
        Ok(())
    }

    /// Sends what arrived from a peer, when there is room for its bytes too.
    ///
    /// # Errors
    ///
    /// If the engine task has ended.
    pub(crate) async fn receive(
        &self,
        from: ConnectionKey,
        what: Received,
    ) -> Result<(), SendError<()>> {
        let room = self.intake.admit(what.len()).await;
        self.sender.reserve().await?.send(Input::Received { from, what, room });
        Ok(())
    }

    /// Returns a way that does not keep the engine task alive.
    pub(crate) fn downgrade(&self) -> mpsc::WeakSender<Input> {
        self.sender.downgrade()
    }
}

impl Input {
    /// Returns the bytes that came from a peer or a webhook.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Received { what, .. } => what.len(),
            Self::Answered { answered, .. } => {
                answered.result.as_ref().map_or(0, |response| response.body().len())
            }
            Self::Open { .. }
            | Self::Closed { .. }
            | Self::Asked { .. }
            | Self::Looked { .. }
            | Self::Drained { .. }
            | Self::Reconfigure { .. }
            | Self::Measure { .. }
            | Self::Stop => 0,
        }
    }
}

impl Received {
    fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Binary(bytes) => bytes.len(),
            Self::Alive | Self::TooLarge | Self::Malformed | Self::NotUtf8 => 0,
        }
    }
}
