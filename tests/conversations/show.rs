//! Actions and answers as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use hubcast::{
    Action, Call, CommandError, ConnectionKey, ConnectionView, Data, Deliver, EventKind, Metrics,
    Pairs, Reply, Time,
};

/// Who is who in a conversation.
#[derive(Default)]
pub(crate) struct Names {
    /// Key and, once it is known, connection id by name.
    pub peers: BTreeMap<String, (ConnectionKey, Option<String>)>,
}

impl Names {
    pub(crate) fn of(&self, key: ConnectionKey) -> &str {
        let found = self.peers.iter().find(|(_, (each, _))| *each == key);
        found.expect("every key comes from an open").0
    }

    /// Remembers the connection id of a peer, which never changes.
    pub(crate) fn learn(&mut self, key: ConnectionKey, id: &str) {
        let (_, known) = self.peers.values_mut().find(|(each, _)| *each == key).expect("opened");
        let known = known.get_or_insert_with(|| id.into());
        assert_eq!(known, id, "a connection has one id");
    }

    /// Shortens what is different in every run or too long to read.
    pub(crate) fn abridge(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, (_, id)) in &self.peers {
            if let Some(id) = id {
                text = text.replace(id, &format!("${name}"));
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

    pub(crate) fn action(&self, action: &Action<'_>) -> String {
        let shown = match action {
            Action::Accept(accept) => {
                let subprotocol = accept.subprotocol.unwrap_or_default();
                words(["accept", self.of(accept.connection), subprotocol])
            }
            Action::Refuse(refuse) => {
                let status = refuse.status.to_string();
                words(["refuse", self.of(refuse.connection), &status, refuse.reason])
            }
            Action::Deliver(deliver) => self.deliver(deliver),
            Action::Close(close) => {
                assert!(close.reason.len() <= 123, "a close frame has room for 123 bytes");
                let code = close.code.to_string();
                words(["close", self.of(close.connection), &code, close.reason])
            }
            Action::Call(call) => self.call(call),
            other => panic!("an action that nobody knows how to show: {other:?}"),
        };
        self.abridge(&shown)
    }

    fn deliver(&self, deliver: &Deliver<'_>) -> String {
        let mut to: Vec<_> = deliver.to.iter().map(|to| self.of(to.connection)).collect();
        to.sort_unstable();
        assert_eq!(to.len(), deliver.to.len());
        assert!(to.windows(2).all(|pair| pair[0] != pair[1]), "nobody gets a frame twice");
        let mut shown = to.join(", ");
        if let Some(expires) = deliver.expires {
            let _ = write!(shown, " until={}", moment(expires));
        }
        let payload = deliver.frame.payload(0).collect::<Vec<_>>().concat();
        if !deliver.frame.is_text() {
            return words([&shown, "<=", &hexadecimal(&payload)]);
        }
        words([&shown, "<-", str::from_utf8(&payload).expect("a text frame is UTF-8")])
    }

    fn call(&self, call: &Call<'_>) -> String {
        let event = &call.event;
        let kind = if matches!(event.kind, EventKind::User { .. }) { "user " } else { "" };
        let name = self.of(call.connection);
        let url = &call.handler.url;
        let mut shown = format!("call {url} {name}#{} {kind}{}", event.number, event.kind.name());
        assert_eq!(call.id.is_some(), call.deadline.is_some(), "who waits, waits until a time");
        put(&mut shown, "until", call.deadline.map(moment).as_deref());
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
                    other => panic!("data that nobody knows how to show: {other:?}"),
                };
                shown = words([&shown, kind, &data]);
            }
            other => panic!("an event that nobody knows how to show: {other:?}"),
        }
        shown
    }

    pub(crate) fn reply(&self, reply: &Result<Reply, CommandError>) -> String {
        let shown = match reply {
            Err(error) => format!("! {error}"),
            Ok(Reply::Done) => "= done".into(),
            Ok(Reply::Affected(count)) => format!("= {count}"),
            Ok(Reply::Is(answer)) => format!("= {answer}"),
            Ok(Reply::Members(page)) => {
                let members = page.members.iter().map(|member| {
                    let mut shown = member.connection_id.to_string();
                    put(&mut shown, "user", member.user.as_deref());
                    shown
                });
                let more = page.more.then(|| "more".to_owned());
                let shown: Vec<_> = members.chain(more).collect();
                if shown.is_empty() { "= nobody".into() } else { format!("= {}", shown.join(", ")) }
            }
            Ok(other) => panic!("a reply that nobody knows how to show: {other:?}"),
        };
        self.abridge(&shown)
    }

    pub(crate) fn view(&self, view: Option<ConnectionView<'_>>) -> String {
        let Some(view) = view else { return "= gone".into() };
        let phase = if view.is_open() { "open" } else { "handshaking" };
        let mut shown = format!("= {phase} {:?}", view.protocol());
        put(&mut shown, "hub", Some(view.hub()));
        put(&mut shown, "user", view.user());
        put(&mut shown, "subprotocol", view.subprotocol());
        let mut groups: Vec<_> = view.groups().collect();
        groups.sort_unstable();
        put(&mut shown, "groups", Some(&groups.join(",")));
        put(&mut shown, "state", view.state());
        put(&mut shown, "queued", Some(&view.queued().to_string()));
        put(&mut shown, "heard", Some(&moment(view.heard())));
        self.abridge(&shown)
    }
}

/// The shortest run of one character that is counted rather than shown.
const LONG: usize = 40;

/// Shows a moment as the time since the start.
pub(crate) fn moment(time: Time) -> String {
    let millis = time.as_millis();
    if millis.is_multiple_of(1000) { format!("{}s", millis / 1000) } else { format!("{millis}ms") }
}

/// Joins the texts that are not empty.
fn words<const N: usize>(words: [&str; N]) -> String {
    words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn put(shown: &mut String, name: &str, value: Option<&str>) {
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

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Looks up a counter by its field.
pub(crate) fn counter(metrics: &Metrics, name: &str) -> Result<u64, String> {
    if let Some((hub, field)) = name.strip_prefix("hubs.").and_then(|name| name.split_once('.')) {
        let found = metrics.hubs.iter().find(|each| each.hub == hub);
        let found = found.ok_or_else(|| format!("there is no hub {hub:?}"))?;
        return match field {
            "connections" => Ok(found.connections),
            "connections_ever" => Ok(found.connections_ever),
            _ => Err(format!("there is no counter {name:?}")),
        };
    }
    Ok(match name {
        "refused" => metrics.refused,
        "messages_in" => metrics.messages_in,
        "bytes_in" => metrics.bytes_in,
        "messages_out" => metrics.messages_out,
        "messages_throttled" => metrics.messages_throttled,
        "deliveries" => metrics.deliveries,
        "bytes_out" => metrics.bytes_out,
        "acks.success" => metrics.acks.success,
        "acks.forbidden" => metrics.acks.forbidden,
        "acks.duplicate" => metrics.acks.duplicate,
        "acks.bad_request" => metrics.acks.bad_request,
        "acks.internal_server_error" => metrics.acks.internal_server_error,
        "acks.throttled" => metrics.acks.throttled,
        "closes.normal" => metrics.closes.normal,
        "closes.closed_by_app_server" => metrics.closes.closed_by_app_server,
        "closes.bad_request" => metrics.closes.bad_request,
        "closes.unauthorized" => metrics.closes.unauthorized,
        "closes.throttled" => metrics.closes.throttled,
        "closes.slow_client" => metrics.closes.slow_client,
        "closes.ping_timeout" => metrics.closes.ping_timeout,
        "closes.send_event_failed" => metrics.closes.send_event_failed,
        "closes.event_handler_not_found" => metrics.closes.event_handler_not_found,
        "closes.service_reload" => metrics.closes.service_reload,
        "calls" => metrics.calls,
        "calls_failed" => metrics.calls_failed,
        "events_unhandled" => metrics.events_unhandled,
        "joins_limited" => metrics.joins_limited,
        "stale_inputs" => metrics.stale_inputs,
        _ => return Err(format!("there is no counter {name:?}")),
    })
}
