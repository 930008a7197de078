//! A peer wants to connect.

use hubcast::{Certificate, ConnectionView, Open, PlainMode, Protocol, Recovery};

use super::{Host, Shown};
use crate::line::{Line, lend, lend_pairs};
use crate::show::{Peer, Secrets};

impl Host {
    pub(super) fn open(&mut self, line: &mut Line) -> Shown {
        let name = line.word()?;
        if self.names.peers.contains_key(&name) {
            return Err(format!("{name:?} is taken"));
        }
        let hub = line.option("hub").unwrap_or_else(|| "chat".into());
        let protocol = match line.option("protocol").as_deref() {
            None | Some("json") => Protocol::Json,
            Some("plain") => Protocol::Plain,
            Some("reliable-json") => Protocol::ReliableJson,
            Some("protobuf") => Protocol::Protobuf,
            Some("reliable-protobuf") => Protocol::ReliableProtobuf,
            Some(other) => return Err(format!("{other:?} is no protocol")),
        };
        let mode = line.option("mode");
        let no_echo = line.flag("no_echo");
        let plain_mode = match mode.as_deref().map(|mode| mode.split_once(':')) {
            None => PlainMode::SendEvent,
            Some(Some(("sendToGroup", group))) => PlainMode::SendToGroup { group, no_echo },
            Some(_) => return Err("the mode is sendToGroup:group or not there".into()),
        };
        let user = line.option("user");
        let mut list = |name| line.list(name).unwrap_or_default();
        let (roles, groups, offers) = (list("roles"), list("groups"), list("offers"));
        let (claims, query) = (line.pairs("claims")?, line.pairs("query")?);
        let (headers, certificates) = (line.pairs("headers")?, line.pairs("certificates")?);
        let recovery = line.option("recovery");
        let recovery = recovery.as_deref().map(|recovery| recovery.split_once(':'));
        let recovery = recovery.map(|recovery| recovery.ok_or("a recovery is id:token"));
        let recovery =
            recovery.transpose()?.map(|(connection_id, token)| Recovery { connection_id, token });
        let certificate = |(thumbprint, content)| Certificate { thumbprint, content };
        let certificates: Vec<_> = lend_pairs(&certificates).into_iter().map(certificate).collect();
        let request = Open {
            hub: &hub,
            protocol,
            plain_mode,
            anonymous: line.flag("anonymous"),
            user: user.as_deref(),
            roles: &lend(&roles),
            groups: &lend(&groups),
            subprotocols: &lend(&offers),
            claims: &lend_pairs(&claims),
            query: &lend_pairs(&query),
            headers: &lend_pairs(&headers),
            certificates: &certificates,
            recovery,
            entropy: entropy(&name),
        };
        let engine = self.engine.as_mut().expect("made before");
        let key = engine.open(request, self.now);
        let view = engine.connection(key);
        let id = view.map(|view| view.id().to_string());
        // What was taken up keeps its protocol, whatever is said now.
        let protocol = view.map_or(protocol, ConnectionView::protocol);
        let known = self.names.peers.iter();
        let mut known = known.filter(|(_, each)| each.recovers.is_none() && each.secrets.id == id);
        let recovers = known.next().filter(|_| id.is_some()).map(|(name, _)| name.clone());
        let secrets = Secrets { id, token: None };
        self.names.peers.insert(name, Peer { key, protocol, secrets, recovers, sequence: 0 });
        Ok(Vec::new())
    }
}

/// Makes bytes that are another's for every name.
fn entropy(name: &str) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (byte, of_name) in bytes.iter_mut().zip(name.bytes().cycle()) {
        *byte = of_name;
    }
    bytes
}
