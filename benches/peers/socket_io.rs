//! The in-memory adapter of `socketioxide-core`, with the least of a host around it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock, RwLockWriteGuard};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{Empty, empty};
use serde::{Deserialize, Serialize};
use socketioxide_core::adapter::errors::SocketError;
use socketioxide_core::adapter::{
    AckStreamItem, BroadcastIter, BroadcastOptions, CoreLocalAdapter, RemoteSocketData,
    SocketEmitter,
};
use socketioxide_core::packet::{Packet, PacketData};
use socketioxide_core::parser::{Parse, ParseError, ParserError, ParserState};
use socketioxide_core::{Sid, Str, Uid, Value};

use crate::contender::{Contender, Group, League, new_queue, payload};

/// The adapter, and the sockets to which it sends.
pub(crate) struct SocketIo {
    adapter: CoreLocalAdapter<Host>,
    host: Host,
    sids: Vec<Sid>,
}

impl SocketIo {
    pub(crate) fn new() -> Self {
        let (sockets, delivered) = Default::default();
        let host = Host { sockets, delivered, path: Str::from("/") };
        Self { adapter: CoreLocalAdapter::new(host.clone()), host, sids: Vec::new() }
    }
}

impl Contender for SocketIo {
    fn name(&self) -> &'static str {
        "socketioxide adapter"
    }

    fn league(&self) -> League {
        League::Delivery
    }

    fn includes(&self) -> &'static str {
        "`CoreLocalAdapter` of `socketioxide-core`, driven without `socketioxide`: its broadcast calls a host of our own \
         that looks each recipient up in a map under a lock, as that one does, and pushes one clone of one `Bytes` into a \
         plain queue, where that one has a channel. The packet is handed through unencoded. Both favour it."
    }

    fn connect(&mut self, who: usize) {
        while self.sids.len() <= who {
            let text = format!("{:016}", self.sids.len());
            self.sids.push(text.parse().expect("16 characters of the alphabet"));
        }
        self.host.sockets().insert(self.sids[who], new_queue());
    }

    fn join(&mut self, who: usize, group: &Group) {
        self.adapter.add_all(self.sids[who], group.name.clone());
    }

    fn leave(&mut self, who: usize, group: &Group) {
        self.adapter.del(self.sids[who], group.name.clone());
    }

    fn disconnect(&mut self, who: usize) {
        self.adapter.del_all(self.sids[who]);
        self.host.sockets().remove(&self.sids[who]);
    }

    fn publish(&mut self, group: &Group) -> usize {
        let packet = Packet::event(self.host.path.clone(), Value::Bytes(payload()));
        let mut options = BroadcastOptions::default();
        options.rooms.push(Cow::Owned(group.name.clone()));
        self.adapter.broadcast(packet, options).expect("the queues have no end");
        self.host.delivered.load(Ordering::Relaxed)
    }

    fn take(&mut self, who: usize) -> Option<usize> {
        self.host.sockets().get_mut(&self.sids[who]).map(|queue| queue.drain(..).count())
    }
}

/// The sockets of a namespace, as the adapter sees them. It only sends and asks for a path and a parser here.
#[derive(Clone)]
struct Host {
    sockets: Arc<RwLock<HashMap<Sid, Vec<Bytes>>>>,
    /// How many got the last broadcast.
    delivered: Arc<AtomicUsize>,
    path: Str,
}

impl Host {
    fn sockets(&self) -> RwLockWriteGuard<'_, HashMap<Sid, Vec<Bytes>>> {
        self.sockets.write().expect("nothing panics while it holds the lock")
    }
}

impl SocketEmitter for Host {
    type AckError = Never;
    type AckStream = Empty<AckStreamItem<Never>>;

    fn get_all_sids(&self, filter: impl Fn(&Sid) -> bool) -> Vec<Sid> {
        self.sockets().keys().copied().filter(filter).collect()
    }

    fn get_remote_sockets(&self, _: BroadcastIter<'_>) -> Vec<RemoteSocketData> {
        Vec::new()
    }

    fn send_many(&self, sids: BroadcastIter<'_>, data: Value) -> Result<(), Vec<SocketError>> {
        let Value::Bytes(bytes) = data else { return Err(vec![SocketError::Closed]) };
        let mut sockets = self.sockets();
        let mut delivered = 0;
        for sid in sids {
            if let Some(queue) = sockets.get_mut(&sid) {
                queue.push(bytes.clone());
                delivered += 1;
            }
        }
        self.delivered.store(delivered, Ordering::Relaxed);
        Ok(())
    }

    fn send_many_with_ack(
        &self,
        _: BroadcastIter<'_>,
        _: Packet,
        _: Option<Duration>,
    ) -> (Self::AckStream, u32) {
        (empty(), 0)
    }

    fn disconnect_many(&self, _: Vec<Sid>) -> Result<(), Vec<SocketError>> {
        Ok(())
    }

    fn path(&self) -> &Str {
        &self.path
    }

    fn parser(&self) -> impl Parse {
        Unencoded
    }

    fn server_id(&self) -> Uid {
        Uid::ZERO
    }

    fn ack_timeout(&self) -> Duration {
        Duration::ZERO
    }
}

/// Hands the data of an event through, and refuses everything else.
#[derive(Clone, Copy, Default)]
struct Unencoded;

impl Parse for Unencoded {
    fn encode(self, packet: Packet) -> Value {
        match packet.inner {
            PacketData::Event(value, _)
            | PacketData::EventAck(value, _)
            | PacketData::BinaryEvent(value, _)
            | PacketData::BinaryAck(value, _) => value,
            PacketData::Connect(_) | PacketData::Disconnect | PacketData::ConnectError(_) => {
                Value::Bytes(Bytes::new())
            }
        }
    }

    fn decode_str(self, _: &ParserState, _: Str) -> Result<Packet, ParseError> {
        Err(ParseError::InvalidData)
    }

    fn decode_bin(self, _: &ParserState, _: Bytes) -> Result<Packet, ParseError> {
        Err(ParseError::InvalidData)
    }

    fn encode_value<T: ?Sized + Serialize>(
        self,
        _: &T,
        _: Option<&str>,
    ) -> Result<Value, ParserError> {
        Err(ParserError::new(Never))
    }

    fn decode_value<'de, T: Deserialize<'de>>(
        self,
        _: &'de mut Value,
        _: bool,
    ) -> Result<T, ParserError> {
        Err(ParserError::new(Never))
    }

    fn decode_default<'de, T: Deserialize<'de>>(
        self,
        _: Option<&'de Value>,
    ) -> Result<T, ParserError> {
        Err(ParserError::new(Never))
    }

    fn encode_default<T: ?Sized + Serialize>(self, _: &T) -> Result<Value, ParserError> {
        Err(ParserError::new(Never))
    }

    fn read_event(self, _: &Value) -> Result<&str, ParserError> {
        Err(ParserError::new(Never))
    }
}

/// What the bench never asks for.
#[derive(Debug, Serialize, Deserialize)]
struct Never;

impl fmt::Display for Never {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bench does not ask for this")
    }
}

impl std::error::Error for Never {}
