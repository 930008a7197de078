//! Inputs and actions as lines.

use std::fmt::Write as _;

use hubcast::replay::{
    Content, Ending, Input, Message, Opening, Order, Outcome, Right, Sending, Step, Verdict, Whom,
};
use hubcast::{Action, ConnectionKey, Data, Event, EventKind, Reply, Time};

/// The most characters of a payload.
const PAYLOAD_MAX: usize = 160;

/// Shows an input and what it returned.
pub(crate) fn step(step: &Step, start: Time, full: bool) -> String {
    let since = step.now.since(start).as_secs_f64();
    let mut line = format!("#{} +{since:.3} {}", step.number, step.input.name());
    let rest = match &step.input {
        Input::Open(opening) => open(opening),
        Input::Receive { from, message } => match message {
            Message::Text(text) => format!("{from} {}", payload(Data::Text(text), full)),
            Message::Binary(bytes) => format!("{from} {}", payload(Data::Binary(bytes), full)),
            other => format!("{from} {other:?}"),
        },
        Input::Close { connection, how } => match how {
            Ending::Clean { code, reason } => {
                format!("{connection} by the peer: {code} {reason:?}")
            }
            Ending::Lost => format!("{connection} lost"),
            Ending::SlowConsumer => format!("{connection} by the host: it did not read"),
            other => format!("{connection} {other:?}"),
        },
        Input::Answer { call, verdict } => {
            let (connection, number) = (call.connection(), call.number());
            format!("{connection} to event {number}: {}", answer(verdict, full))
        }
        Input::Pause { connection } | Input::Resume { connection } => connection.to_string(),
        Input::Execute(order) => execute(order, full),
        Input::Stop { reason } => format!("{reason:?}"),
        // There is nothing to say of time, and the settings would be a page.
        _ => String::new(),
    };
    if !rest.is_empty() {
        line.push(' ');
        line.push_str(&rest);
    }
    line.push_str(&outcome(&step.outcome));
    line
}

fn outcome(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Opened(key) => format!(" -> {key:?}"),
        Outcome::Executed(Ok(Reply::Affected(count))) => format!(" -> {count} connections"),
        Outcome::Executed(Ok(reply)) => format!(" -> {reply:?}"),
        Outcome::Executed(Err(error)) => format!(" -> error: {error}"),
        Outcome::Reconfigured(Err(error)) => format!(" -> error: {error}"),
        _ => String::new(),
    }
}

fn open(opening: &Opening<'_>) -> String {
    let mut text = format!("hub {:?}, {:?}", opening.hub, opening.protocol);
    if let Some(user) = &opening.user {
        _ = write!(text, ", user {user:?}");
    }
    if opening.anonymous {
        text.push_str(", anonymous");
    }
    for (what, names) in [("roles", &opening.roles), ("groups", &opening.groups)] {
        if !names.is_empty() {
            _ = write!(text, ", {what} {names:?}");
        }
    }
    if let Some(recovery) = &opening.recovery {
        _ = write!(text, ", to recover {}", recovery.connection_id);
    }
    text
}

fn answer(verdict: &Verdict<'_>, full: bool) -> String {
    match verdict {
        Verdict::Accept(admission) => format!("accept {admission:?}"),
        Verdict::Refuse { status, reason } => format!("refuse {status} {reason:?}"),
        Verdict::Reply(response) => match &response.data {
            Some(data) => format!("reply {}", content(data, full)),
            None => "reply".to_owned(),
        },
        Verdict::Fail => "fail".to_owned(),
        other => format!("{other:?}"),
    }
}

fn execute(order: &Order<'_>, full: bool) -> String {
    let right = |right: &Right<'_>| {
        let Right { hub, connection_id, permission, group } = right;
        format!("{connection_id} in hub {hub:?}: {permission:?} on group {group:?}")
    };
    match order {
        Order::Send { to, data, options } => {
            format!("send to {} {}{}", whom(to), content(data, full), but(options))
        }
        Order::Publish { group, data, options } => {
            format!("publish to found group {group} {}{}", content(data, full), but(options))
        }
        Order::Join { who, groups } => format!("join {} to {groups:?}", whom(who)),
        Order::Leave { who, groups } => format!("leave {} from {groups:?}", whom(who)),
        Order::LeaveAll { who } => format!("leave {} from all groups", whom(who)),
        Order::Close { who, reason, .. } => format!("close {}, reason {reason:?}", whom(who)),
        Order::Grant(it) => format!("grant {}", right(it)),
        Order::Revoke(it) => format!("revoke {}", right(it)),
        Order::Check(it) => format!("check {}", right(it)),
        Order::Exists { who } => format!("exists {}", whom(who)),
        Order::Count { who } => format!("count {}", whom(who)),
        Order::List { hub, group, after, limit } => {
            format!("list group {group:?} of hub {hub:?}, {limit} after {after:?}")
        }
        other => format!("{other:?}"),
    }
}

fn but(options: &Sending<'_>) -> String {
    let mut text = String::new();
    if !options.except.is_empty() {
        _ = write!(text, ", except {:?}", options.except);
    }
    if let Some(filter) = &options.filter {
        _ = write!(text, ", where {filter}");
    }
    text
}

fn whom(whom: &Whom<'_>) -> String {
    match whom {
        Whom::Hub(hub) => format!("hub {hub:?}"),
        Whom::Group(hub, group) => format!("group {group:?} of hub {hub:?}"),
        Whom::User(hub, user) => format!("user {user:?} of hub {hub:?}"),
        Whom::Connection(hub, id) => format!("connection {id} of hub {hub:?}"),
        Whom::Matching(hub, filter) => format!("those of hub {hub:?} where {filter}"),
    }
}

/// Shows an action, and of many recipients only those that are asked for.
pub(crate) fn action(
    action: &Action<'_>,
    only: impl Fn(ConnectionKey) -> bool,
    full: bool,
) -> String {
    match action {
        Action::Accept(it) => {
            let subprotocol = it.subprotocol.map_or(String::new(), |name| format!(", {name}"));
            format!("accept {:?}, id {}{subprotocol}", it.connection, it.connection_id)
        }
        Action::Refuse(it) => format!("refuse {:?}: {} {:?}", it.connection, it.status, it.reason),
        Action::Deliver(it) => {
            let mut recipients = it.to.iter().filter(|each| only(each.connection)).peekable();
            let sequence = recipients.peek().map_or(0, |first| first.sequence);
            let keys: Vec<_> = recipients.map(|each| format!("{:?}", each.connection)).collect();
            let frame = it.frame.bytes(sequence);
            let data = match str::from_utf8(&frame) {
                Ok(text) if it.frame.is_text() => Data::Text(text),
                _ => Data::Binary(&frame),
            };
            format!("deliver to {}, {}", list(&keys, full), payload(data, full))
        }
        Action::Close(it) => format!("close {:?}: {} {:?}", it.connection, it.code, it.reason),
        Action::Notify(it) => format!(
            "notify {:?} about {:?}: {}",
            it.listener.target,
            it.connection,
            event(&it.event, full)
        ),
        Action::Call(it) => {
            let waits = if it.id.is_some() { "call" } else { "tell" };
            let what = event(&it.event, full);
            format!("{waits} {:?} about {:?}: {what}", it.handler.url, it.connection)
        }
        Action::Cancel(call) => format!("cancel {call:?}"),
        Action::Record(it) => format!("record {}: {:?}", it.kind.name(), it.kind),
        other => format!("{other:?}"),
    }
}

fn event(event: &Event<'_>, full: bool) -> String {
    let (number, name) = (event.number, event.kind.name());
    match &event.kind {
        EventKind::User { data, .. } => format!("event {number} {name:?} {}", payload(*data, full)),
        EventKind::Joined { group } | EventKind::Left { group } => {
            format!("event {number} {name} group {group:?}")
        }
        EventKind::Disconnected { reason } => format!("event {number} {name} {reason:?}"),
        _ => format!("event {number} {name}"),
    }
}

fn content(content: &Content<'_>, full: bool) -> String {
    match content {
        Content::Text(text) => payload(Data::Text(text), full),
        Content::Json(text) => payload(Data::Json(text), full),
        Content::Binary(bytes) => payload(Data::Binary(bytes), full),
        Content::Protobuf(bytes) => payload(Data::Protobuf(bytes), full),
        other => format!("{other:?}"),
    }
}

/// Shows a payload in one line: text as it is but for what would break the line, bytes in hexadecimal digits.
fn payload(data: Data<'_>, full: bool) -> String {
    let size = data.len();
    let most = if full { usize::MAX } else { PAYLOAD_MAX };
    let (kind, shown) = match data {
        Data::Text(text) => ("text", escaped(text, most)),
        Data::Json(text) => ("JSON", escaped(text, most)),
        Data::Binary(bytes) => ("binary", digits(bytes, most)),
        Data::Protobuf(bytes) => ("protobuf", digits(bytes, most)),
        _ => ("other", String::new()),
    };
    let more = if shown.len() >= most && !full { "…" } else { "" };
    format!("{kind} {size} bytes {shown}{more}")
}

fn escaped(text: &str, most: usize) -> String {
    let characters = text.chars().take(most);
    characters
        .flat_map(|each| {
            let escape = each.is_control().then(|| each.escape_default());
            escape.into_iter().flatten().chain((!each.is_control()).then_some(each))
        })
        .collect()
}

fn digits(bytes: &[u8], most: usize) -> String {
    bytes.iter().take(most / 2).fold(String::new(), |mut text, byte| {
        _ = write!(text, "{byte:02x}");
        text
    })
}

/// Shows the first few of many.
fn list(names: &[String], full: bool) -> String {
    const MOST: usize = 8;
    if full || names.len() <= MOST {
        return names.join(" ");
    }
    format!("{} and {} more", names[..MOST].join(" "), names.len() - MOST)
}
