//! Every input with every variant of its arguments, as they follow on each other in a small story.

use std::sync::OnceLock;

use hubcast::replay::Input;
use hubcast::{
    Action, Admission, Answer, Audience, CallId, Certificate, Closed, Command, Config,
    ConnectionKey, Data, Engine, EventHandler, EventListener, Filter, GroupPermission, HubConfig,
    Incoming, Limits, Open, Permission, PlainMode, Protocol, Records, Recovery, Response,
    SendOptions, SlowConsumer, Time, UnknownHubs,
};

/// The configuration of the story.
pub(crate) fn config() -> Config {
    let mut config = Config::new(7);
    config.records = Records::Connections;
    let hub = HubConfig {
        allow_anonymous: true,
        handlers: vec![EventHandler::all("http://localhost/{event}")],
        listeners: vec![EventListener::all("audit")],
        slow_consumer: SlowConsumer::KeepLatest,
        limits: Some(Limits::free()),
        ..HubConfig::default()
    };
    config.hubs = vec![("Chat".into(), hub)];
    config
}

static FILTER: OnceLock<Filter> = OnceLock::new();

/// Each input with its time. They fit an engine of [`config`], whose actions are polled after each of them.
pub(crate) fn every_input() -> Vec<(Time, Input<'static>)> {
    let (keys, call) = keys();
    let mut inputs = Vec::new();
    let mut millis = 1_790_000_000_000;
    let mut add = |input: Input<'static>| {
        // Also a clock that goes back.
        millis = if inputs.len() % 9 == 8 { millis - 3 } else { millis + 250 };
        inputs.push((Time::from_millis(millis), input));
    };
    for request in openings() {
        add(Input::open(&request));
    }
    let admission = Admission {
        user: Some("bob"),
        roles: Some(&["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"]),
        groups: Some(&["g"]),
        subprotocol: Some("graphql-ws"),
        state: Some("s"),
    };
    let response =
        Response { data: Some(Data::Json("[1]")), metadata: &[("a", "b")], state: Some("") };
    for answer in [
        Answer::Accept(admission),
        Answer::Accept(Admission::default()),
        Answer::Refuse { status: 403, reason: "no" },
        Answer::Reply(response),
        Answer::Reply(Response::default()),
        Answer::Fail,
    ] {
        add(Input::answer(call, &answer));
    }
    let join = Incoming::Text(r#"{"type":"joinGroup","group":"g","ackId":1}"#);
    add(Input::receive(keys[0], join));
    add(Input::receive(keys[0], Incoming::Binary(&[0, 1, 255])));
    for key in &keys {
        add(Input::receive(*key, Incoming::Alive));
    }
    for key in &keys {
        add(Input::pause(*key));
    }
    let filter = FILTER.get_or_init(|| Filter::parse("userId ne 'o''hara'").unwrap());
    for command in commands(filter) {
        add(Input::execute(&command));
    }
    for key in &keys {
        add(Input::resume(*key));
    }
    add(Input::Advance);
    let unknown_hubs = UnknownHubs::Refuse;
    add(Input::reconfigure(&Config { unknown_hubs, hubs_max: 3, ..config() }));
    for message in [Incoming::TooLarge, Incoming::Malformed, Incoming::NotUtf8] {
        add(Input::receive(keys[1], message));
    }
    for how in [Closed::Clean { code: 1000, reason: "bye" }, Closed::Lost, Closed::SlowConsumer] {
        for key in &keys {
            add(Input::close(*key, how));
        }
    }
    add(Input::stop("the end"));
    inputs
}

fn openings() -> [Open<'static>; 6] {
    let whole = Open {
        hub: "Chat",
        protocol: Protocol::ReliableJson,
        plain_mode: PlainMode::SendEvent,
        anonymous: true,
        user: Some("alice"),
        roles: &["webpubsub.sendToGroup"],
        groups: &["g", "h"],
        subprotocols: &["json.reliable.webpubsub.azure.v1", "graphql-ws"],
        claims: &[("sub", "alice"), ("role", "r")],
        query: &[("access_token", "t")],
        headers: &[("host", "localhost")],
        certificates: &[Certificate { thumbprint: "00", content: "pem" }],
        recovery: None,
        entropy: [9; 32],
    };
    let to_group = PlainMode::SendToGroup { group: "g", no_echo: true };
    let recovery = Some(Recovery { connection_id: "00000000", token: "t" });
    [
        whole,
        Open { hub: "open", protocol: Protocol::Plain, plain_mode: to_group, ..Open::default() },
        Open { hub: "open", plain_mode: PlainMode::Invalid { reason: "why" }, ..Open::default() },
        Open { hub: "open", protocol: Protocol::Protobuf, groups: &["g"], ..Open::default() },
        Open {
            hub: "open",
            protocol: Protocol::ReliableProtobuf,
            user: Some(""),
            ..Open::default()
        },
        Open { hub: "open", protocol: Protocol::Json, recovery, ..Open::default() },
    ]
}

fn commands(filter: &'static Filter) -> Vec<Command<'static>> {
    let right = |permission| GroupPermission {
        hub: "open",
        connection_id: "00000002000000000000000000000000",
        permission,
        group: "g",
    };
    let options = SendOptions {
        except: &["x", "y"],
        filter: Some(filter),
        metadata: &[("k", "v")],
        ttl_seconds: 300,
    };
    let send = |to, data, options| Command::Send { to, data, options };
    vec![
        send(Audience::Hub("open"), Data::Text("hé"), SendOptions::default()),
        send(Audience::Group("open", "g"), Data::Json("{}"), options),
        send(Audience::User("chat", "alice"), Data::Binary(&[0xff]), SendOptions::default()),
        send(Audience::Matching("open", filter), Data::Protobuf(&[0x12, 0]), options),
        Command::Join { who: Audience::Hub("open"), groups: &["i"] },
        Command::Leave { who: Audience::Group("open", "i"), groups: &["i"] },
        Command::LeaveAll { who: Audience::Hub("open") },
        Command::Grant(right(Permission::JoinLeaveGroup)),
        Command::Grant(right(Permission::SetGroupState)),
        Command::Revoke(right(Permission::SendToGroup)),
        Command::Check(right(Permission::GetGroupState)),
        Command::Exists { who: Audience::Connection("open", "nobody") },
        Command::Count { who: Audience::Hub("open") },
        Command::List { hub: "open", group: "g", after: None, limit: 1 },
        Command::List { hub: "open", group: "g", after: Some("0"), limit: 201 },
        Command::Close { who: Audience::Hub("chat"), except: &["x"], reason: "out" },
    ]
}

/// Plays the openings to get the keys that the engine gives, which nobody can make; and the call of the first.
fn keys() -> (Vec<ConnectionKey>, CallId) {
    let mut engine = Engine::new(config()).unwrap();
    let (mut keys, mut calls) = (Vec::new(), Vec::new());
    for request in openings() {
        keys.push(engine.open(request, Time::EPOCH));
        while let Some(action) = engine.poll_action() {
            if let Action::Call(call) = action {
                calls.extend(call.id);
            }
        }
    }
    (keys, calls[0])
}
