//! The sockets of the engine's connections, by connection key.

use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::Response;
use hubcast::ConnectionKey;
use tokio::sync::oneshot;

use crate::outbound::Outbound;

/// What the engine task knows of one socket.
#[derive(Debug)]
pub(crate) struct Socket {
    /// What is to be sent.
    pub(crate) outbound: Arc<Outbound>,
    /// Takes the outcome of the handshake, once.
    pub(crate) decision: Option<oneshot::Sender<Decision>>,
}

/// The outcome of a handshake.
#[derive(Debug)]
pub(crate) enum Decision {
    Accept {
        subprotocol: Option<String>,
    },
    /// The response to send in place of the upgrade.
    Refuse(Response<Bytes>),
}

/// A table of sockets. Keys have small indexes, so it is a plain list.
#[derive(Debug, Default)]
pub(crate) struct Sockets(Vec<Option<Entry>>);

#[derive(Debug)]
struct Entry {
    owner: ConnectionKey,
    /// Where the peer is. It stays when the socket is gone, until another connection takes the place.
    caller: Option<IpAddr>,
    socket: Option<Socket>,
}

impl Sockets {
    /// Puts the socket of a connection into the table. If the connection had another one, which happens when it is
    /// recovered before the loss of its transport was noticed, that one is cut.
    pub(crate) fn insert(&mut self, key: ConnectionKey, socket: Socket, caller: Option<IpAddr>) {
        if self.0.len() <= key.index() {
            self.0.resize_with(key.index() + 1, || None);
        }
        let entry = Entry { owner: key, caller, socket: Some(socket) };
        if let Some(Entry { socket: Some(old), .. }) = self.0[key.index()].replace(entry) {
            old.outbound.cut();
        }
    }

    /// Finds the socket of a connection; a later connection may have taken the place of this one.
    pub(crate) fn get_mut(&mut self, key: ConnectionKey) -> Option<&mut Socket> {
        self.entry(key)?.socket.as_mut()
    }

    /// Takes the socket of a connection out of the table.
    pub(crate) fn remove(&mut self, key: ConnectionKey) -> Option<Socket> {
        self.entry(key)?.socket.take()
    }

    /// Returns where the peer of a connection is or was, as long as no other one has taken its place.
    pub(crate) fn caller(&mut self, key: ConnectionKey) -> Option<IpAddr> {
        self.entry(key)?.caller
    }

    fn entry(&mut self, key: ConnectionKey) -> Option<&mut Entry> {
        self.0.get_mut(key.index())?.as_mut().filter(|entry| entry.owner == key)
    }
}
