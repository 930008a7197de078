//! Actions as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hubcast::{
    Action, Call, CallId, ConnectionKey, Data, Deliver, Event, EventKind, GroupKey, Pairs,
    Protocol, Recipient, Record, RecordKind, Time,
};

use super::protobuf;

/// Who is who in a conversation.
#[derive(Default)]
pub(crate) struct Names {
    pub peers: BTreeMap<String, Peer>,
    /// Calls that came out, by names like `alice#1`.
    pub calls: BTreeMap<String, CallId>,
    /// The keys of groups that were looked up, by name.
    pub groups: BTreeMap<String, GroupKey>,
}

pub(crate) struct Peer {
    pub key: ConnectionKey,
    pub protocol: Protocol,
    pub secrets: Secrets,
    /// Whose connection it took up.
    pub recovers: Option<String>,
    /// The sequence id that it got last; 0 before.
    pub sequence: u64,
}

/// What is another for every connection.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// The connection id, once it is known.
    pub id: Option<String>,
    /// The reconnection token, once it is known.
    pub token: Option<String>,
}

impl Names {
    pub(crate) fn of(&self, key: ConnectionKey) -> &str {
        let found = self.peers.iter().find(|(_, each)| each.key == key);
        found.expect("every key comes from an open").0
    }

    /// Remembers the connection id of a peer, which never changes.
    pub(crate) fn learn(&mut self, key: ConnectionKey, id: &str) {
        let known = self.peer(key).secrets.id.get_or_insert_with(|| id.into());
        assert_eq!(known, id, "a connection has one id");
    }

    /// Remembers what a peer gets, and checks that its sequence ids have no gaps.
    pub(crate) fn note(&mut self, deliver: &Deliver<'_>) {
        for to in deliver.to {
            let frame = self.frame(deliver, to);
            let peer = self.peer(to.connection);
            let token = ["\"reconnectionToken\":\"", "reconnection_token: \""];
            let token = token.into_iter().find_map(|before| frame.split_once(before));
            if let Some((token, _)) = token.and_then(|(_, after)| after.split_once('"')) {
                let known = peer.secrets.token.get_or_insert_with(|| token.into());
                assert_eq!(known, token, "a connection has one token");
            }
            let numbered = deliver.frame.shared().is_none();
            assert_eq!(to.sequence > 0, numbered, "a number for whom the frame is numbered");
            if numbered {
                assert!(peer.protocol.is_reliable(), "only reliable connections have numbers");
                assert_eq!(deliver.expires, None, "what has a number must not be lost");
                let follows = peer.sequence == 0 || to.sequence == peer.sequence + 1;
                assert!(follows, "{} does not follow {}", to.sequence, peer.sequence);
                peer.sequence = to.sequence;
            }
        }
    }

    fn peer(&mut self, key: ConnectionKey) -> &mut Peer {
        self.peers.values_mut().find(|each| each.key == key).expect("every key comes from an open")
    }

    /// Shortens what is different in every run or too long to read.
    pub(crate) fn abridge(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, peer) in self.peers.iter().filter(|(_, peer)| peer.recovers.is_none()) {
            let Secrets { id, token } = &peer.secrets;
            for (secret, known_as) in [(id, format!("${name}")), (token, format!("${name}.token"))]
            {
                let Some(secret) = secret else { continue };
                text = text.replace(secret, &known_as);
                text = text.replace(&hexadecimal(secret.as_bytes()), &format!("({known_as})"));
            }
        }
        let mut short = String::new();
        let mut chars = text.chars().peekable();
        while let Some(char) = chars.next() {
            let mut run = 1;
            while chars.next_if_eq(&char).is_some() {
                run += 1;
            }
            if run >= LONG {
                let _ = write!(short, "$({char}*{run})");
                continue;
            }
            let last = chars.peek().is_none();
            for left in (0..run).rev() {
                let breaks = char.is_control() || matches!(char, '\u{2028}' | '\u{2029}');
                if breaks || (char == ' ' && last && left == 0) {
                    let _ = write!(short, "$(U+{:04X})", u32::from(char));
                } else {
                    short.push(char);
                }
            }
        }
        short
    }

    /// Shows an action: one line, or one for each sequence id.
    pub(crate) fn action(&self, action: &Action<'_>) -> Vec<String> {
        let shown = match action {
            Action::Accept(accept) => {
                let subprotocol = accept.subprotocol.unwrap_or_default();
                words(["accept", self.of(accept.connection), subprotocol])
            }
            Action::Refuse(refuse) => {
                let status = refuse.status.to_string();
                words(["refuse", self.of(refuse.connection), &status, refuse.reason])
            }
            Action::Deliver(deliver) => return self.deliver(deliver),
            Action::Close(close) => {
                assert!(close.reason.len() <= 123, "a close frame has room for 123 bytes");
                let code = close.code.to_string();
                words(["close", self.of(close.connection), &code, close.reason])
            }
            Action::Notify(notify) => {
                let to = &notify.listener.target;
                self.event("notify", to, notify.connection, None, &notify.event)
            }
            Action::Call(call) => self.call(call),
            Action::Record(record) => self.record(record),
            Action::Cancel(id) => {
                let found = self.calls.iter().find(|(_, each)| *each == id);
                words(["cancel", found.expect("it was called").0])
            }
            other => panic!("an action that nobody knows how to show: {other:?}"),
        };
        vec![self.abridge(&shown)]
    }

    fn deliver(&self, deliver: &Deliver<'_>) -> Vec<String> {
        let mut to: Vec<_> = deliver.to.iter().map(|to| (self.of(to.connection), to)).collect();
        to.sort_unstable_by_key(|(name, _)| *name);
        assert_eq!(to.len(), deliver.to.len());
        assert!(to.windows(2).all(|pair| pair[0].0 != pair[1].0), "nobody gets a frame twice");
        let mut lines: Vec<(String, String)> = Vec::new();
        for (name, to) in to {
            let frame = self.frame(deliver, to);
            let name =
                if to.sequence == 0 { name.into() } else { format!("{name}:{}", to.sequence) };
            match lines.iter_mut().find(|(_, each)| *each == frame) {
                Some((names, _)) => names.extend([", ", &*name]),
                None => lines.push((name, frame)),
            }
        }
        let until = deliver.expires.map(|expires| format!("until={}", moment(expires)));
        let until = until.as_deref().unwrap_or_default();
        let lines = lines.iter().enumerate().map(|(place, (names, frame))| {
            self.abridge(&words([if place == 0 { "" } else { "&" }, names, until, frame]))
        });
        lines.collect()
    }

    /// Shows a frame as one recipient gets it.
    fn frame(&self, deliver: &Deliver<'_>, to: Recipient) -> String {
        let payload = deliver.frame.payload(to.sequence).collect::<Vec<_>>().concat();
        if deliver.frame.is_text() {
            let text = str::from_utf8(&payload).expect("a text frame is UTF-8");
            return words(["<-", &without_the_middle(text)]);
        }
        let hexadecimal = hexadecimal(&payload);
        let peer = self.peers.values().find(|each| each.key == to.connection).expect("opened");
        match peer.protocol {
            Protocol::Protobuf | Protocol::ReliableProtobuf => {
                words(["<=", &hexadecimal, &protobuf::read("Downstream", &payload)])
            }
            _ => words(["<=", &hexadecimal]),
        }
    }

    fn record(&self, record: &Record<'_>) -> String {
        let who = record.connection.map_or("-", |key| self.of(key));
        let mut shown = words(["record", who, record.kind.name()]);
        put(&mut shown, "hub", Some(record.hub));
        put(&mut shown, "user", record.user);
        let id = record.connection_id.map(|id| id.to_string());
        put(&mut shown, "id", id.as_deref());
        match &record.kind {
            RecordKind::Started { subprotocol } => put(&mut shown, "subprotocol", *subprotocol),
            RecordKind::Refused { status, reason } => {
                put(&mut shown, "status", Some(&status.to_string()));
                put(&mut shown, "reason", Some(reason));
            }
            RecordKind::Detached | RecordKind::Recovered | RecordKind::RecoveryRefused => {}
            RecordKind::Ended { cause, reason } => {
                put(&mut shown, "cause", Some(cause.name()));
                put(&mut shown, "reason", Some(reason));
            }
            RecordKind::Requested { operation, target, bytes } => {
                put(&mut shown, operation, Some(target));
                put(&mut shown, "bytes", Some(&bytes.to_string()));
            }
            RecordKind::Failed { error, reason } => {
                put(&mut shown, "error", Some(error.name()));
                put(&mut shown, "reason", Some(reason));
            }
            RecordKind::Unhandled { event } => put(&mut shown, "event", Some(event)),
            RecordKind::Sent { recipients, bytes } => {
                put(&mut shown, "recipients", Some(&recipients.to_string()));
                put(&mut shown, "bytes", Some(&bytes.to_string()));
            }
            other => panic!("a record that nobody knows how to show: {other:?}"),
        }
        shown
    }

    fn call(&self, call: &Call<'_>) -> String {
        assert_eq!(call.id.is_some(), call.deadline.is_some(), "who waits, waits until a time");
        self.event("call", &call.handler.url, call.connection, call.deadline, &call.event)
    }

    /// Shows that somebody is told of an event.
    fn event(
        &self,
        verb: &str,
        to: &str,
        connection: ConnectionKey,
        deadline: Option<Time>,
        event: &Event<'_>,
    ) -> String {
        let kind = if matches!(event.kind, EventKind::User { .. }) { "user " } else { "" };
        let name = self.of(connection);
        let mut shown = format!("{verb} {to} {name}#{} {kind}{}", event.number, event.kind.name());
        put(&mut shown, "until", deadline.map(moment).as_deref());
        put(&mut shown, "hub", Some(event.hub));
        put(&mut shown, "user", event.user);
        put(&mut shown, "subprotocol", event.subprotocol);
        put(&mut shown, "state", event.state);
        match &event.kind {
            EventKind::Connect(connect) => {
                put_pairs(&mut shown, "claims", connect.claims);
                put_pairs(&mut shown, "query", connect.query);
                put_pairs(&mut shown, "headers", connect.headers);
                let offers = connect.subprotocols.join(",");
                put(&mut shown, "offers", Some(&*offers).filter(|offers| !offers.is_empty()));
                put_pairs(&mut shown, "certificates", connect.certificates);
            }
            EventKind::Connected => {}
            EventKind::Disconnected { reason } => put(&mut shown, "reason", Some(reason)),
            EventKind::User { data, metadata, .. } => {
                put_pairs(&mut shown, "metadata", *metadata);
                let (kind, data) = match data {
                    Data::Text(text) => ("text", (*text).to_owned()),
                    Data::Json(text) => ("json", (*text).to_owned()),
                    Data::Binary(bytes) => ("binary", hexadecimal(bytes)),
                    Data::Protobuf(bytes) => ("protobuf", hexadecimal(bytes)),
                    other => panic!("data that nobody knows how to show: {other:?}"),
                };
                shown = words([&shown, kind, &data]);
            }
            EventKind::Joined { group } | EventKind::Left { group } => {
                put(&mut shown, "group", Some(group));
            }
            other => panic!("an event that nobody knows how to show: {other:?}"),
        }
        shown
    }
}

/// The shortest run of one character that is counted rather than shown.
const LONG: usize = 40;

/// Leaves the middle of a long list of group states out.
fn without_the_middle(text: &str) -> String {
    let items: Vec<_> = text.split("},{").collect();
    let [first, between @ .., last] = &*items else { return text.into() };
    if between.len() < LONG {
        return text.into();
    }
    format!("{first}}}, ... {} more ... ,{{{last}", between.len())
}

/// Shows a moment as the time since the start.
pub(crate) fn moment(time: Time) -> String {
    let millis = time.as_millis();
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

/// Joins the texts that are not empty.
pub(crate) fn words<const N: usize>(words: [&str; N]) -> String {
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

pub(crate) fn put(shown: &mut String, name: &str, value: Option<&str>) {
    let Some(value) = value else { return };
    let bare = !value.is_empty() && !value.contains([' ', '"']);
    let _ = if bare {
        write!(shown, " {name}={value}")
    } else {
        write!(shown, " {name}={}", serde_json::Value::from(value))
    };
}

fn put_pairs(shown: &mut String, name: &str, pairs: Pairs<'_>) {
    let pairs: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    put(shown, name, Some(&*pairs.join(",")).filter(|_| !pairs.is_empty()));
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
