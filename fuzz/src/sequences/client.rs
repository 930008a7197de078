//! A client as the host sees it, and what it was sent.

use std::collections::BTreeMap;

use hubcast::{ConnectionKey, Engine, Incoming, Open, Protocol, Recovery, Time};

use super::frame::{Frame, group};
use super::step::Opening;

const ROLES: [&str; 4] = [
    "webpubsub.joinLeaveGroup",
    "webpubsub.sendToGroup",
    "webpubsub.setGroupState",
    "webpubsub.getGroupState",
];

pub(super) struct Client {
    pub key: ConnectionKey,
    /// All keys that it ever had.
    keys: Vec<ConnectionKey>,
    pub id: String,
    entropy: [u8; 32],
    /// What it was sent by sequence id.
    sent: BTreeMap<u64, Vec<u8>>,
    /// The sequence id of what came last, and by which transport.
    last: Option<(ConnectionKey, u64)>,
}

impl Client {
    pub(super) fn open(engine: &mut Engine, opening: &Opening, number: u8, now: Time) -> Self {
        let protocol = Protocol::ALL[usize::from(opening.protocol) % Protocol::ALL.len()];
        let entropy = [number; 32];
        let open = Open {
            hub: "h",
            protocol,
            user: (opening.user > 0).then_some("u"),
            roles: if opening.user < 128 { &ROLES } else { &ROLES[..1] },
            groups: &[group(opening.group)],
            entropy,
            ..Open::default()
        };
        let key = engine.open(open, now);
        Self::new(engine, key, entropy)
    }

    fn new(engine: &Engine, key: ConnectionKey, entropy: [u8; 32]) -> Self {
        let id = engine.connection(key).map_or_else(String::new, |view| view.id().to_string());
        Self { key, keys: vec![key], id, entropy, sent: BTreeMap::new(), last: None }
    }

    pub(super) fn token(&self) -> String {
        format!("{:02x}", self.entropy[16]).repeat(16)
    }

    pub(super) fn is(&self, key: ConnectionKey) -> bool {
        self.keys.contains(&key)
    }

    /// Asks for a recovery. Where it is refused, the transport belongs to another, short-lived client.
    pub(super) fn recover(&mut self, engine: &mut Engine, token: &str, now: Time) -> Option<Self> {
        let recovery = Some(Recovery { connection_id: &self.id, token });
        let recovered = engine.metrics().recovered;
        let before = engine.connection(self.key).is_some();
        let open = Open { hub: "h", recovery, entropy: [255; 32], ..Open::default() };
        let key = engine.open(open, now);
        if engine.metrics().recovered == recovered {
            assert_eq!(engine.connection(self.key).is_some(), before, "a refusal disturbs nobody");
            return Some(Self::new(engine, key, [255; 32]));
        }
        assert!(before && *token == self.token(), "only its own token opens a session");
        assert_eq!(key.index(), self.key.index());
        assert!(engine.connection(self.key).is_none(), "the old key is stale");
        self.key = key;
        self.keys.push(key);
        None
    }

    /// Takes what the host is told to send.
    pub(super) fn take(&mut self, key: ConnectionKey, bytes: &[u8], sequence: u64) {
        if sequence == 0 {
            return;
        }
        match self.last {
            Some((by, last)) if by == key => assert_eq!(sequence, last + 1, "ids have no gaps"),
            Some(_) | None => {
                let next = self.sent.last_key_value().map_or(1, |(newest, _)| newest + 1);
                assert!(sequence <= next, "nothing is left out");
            }
        }
        self.last = Some((key, sequence));
        let before = self.sent.entry(sequence).or_insert_with(|| bytes.to_vec());
        assert_eq!(*before, bytes, "what is sent again is the same");
    }

    pub(super) fn send(&self, engine: &mut Engine, frame: &Frame<'_>, now: Time) {
        let binary = engine.connection(self.key).is_some_and(|view| {
            matches!(view.protocol(), Protocol::Protobuf | Protocol::ReliableProtobuf)
        });
        match frame {
            Frame::Raw(text) => engine.receive(self.key, Incoming::Text(text), now),
            Frame::RawBinary(bytes) => engine.receive(self.key, Incoming::Binary(bytes), now),
            _ if binary => {
                engine.receive(self.key, Incoming::Binary(&frame.protobuf()), now);
            }
            _ => engine.receive(self.key, Incoming::Text(&frame.json()), now),
        }
    }
}
