//! What is counted. Each scenario sets a world up, then does the same thing over and over.

#[path = "../support/world.rs"]
mod world;

use std::hint::black_box;

use hubcast::{
    Action, Answer, Audience, CallId, Closed, Command, Config, ConnectionKey, Data, Engine,
    EventHandler, EventPattern, Filter, HubConfig, Incoming, Open, Protocol, Recovery, Response,
    SendOptions, SystemEvents, Time,
};

use self::world::{World, drain, open};

/// How often each scenario does what it does.
pub(crate) const ROUNDS: u64 = 500;

const NOW: Time = Time::from_secs(1_790_000_000);
const ROLES: &[&str] = &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"];

/// The scenarios by name.
pub(crate) const SCENARIOS: [(&str, fn()); 20] = [
    ("publish by name, 1 member", || publish(1, true)),
    ("publish by key, 1 member", || publish(1, false)),
    ("publish by key, 100 members", || publish(100, false)),
    ("publish by key, 100 members, 5 protocols", mixed),
    ("publish by key, 100 reliable members", reliable),
    ("publish JSON of 1 KiB by name, 1 member", publish_json),
    ("broadcast with a filter, 100 connections", filtered),
    ("receive sendToGroup, 32 bytes, 10 members", || receive(32)),
    ("receive sendToGroup, 1 KiB JSON, 10 members", || receive(1024)),
    ("receive sendToGroup in protobuf, 10 members", receive_protobuf),
    ("join", || membership("joinGroup")),
    ("leave", || membership("leaveGroup")),
    ("join by command", || membership_by_command(true)),
    ("leave by command", || membership_by_command(false)),
    ("open", opens),
    ("disconnect from 10 groups", disconnects),
    ("event and its answer", event),
    ("pause, wait for 1 message, resume", pause),
    ("recover with 10 messages", recover),
    ("acknowledge 10 of 10 messages", acknowledge),
];

/// Runs a scenario.
pub(crate) fn run(name: &str) {
    let found = SCENARIOS.iter().find(|(known, _)| *known == name);
    found.expect("the scenario is one of those above").1();
}

/// Does something over and over. What happens in here is counted.
#[inline(never)]
fn measured(round: &mut dyn FnMut(usize)) {
    for number in 0..ROUNDS as usize {
        round(number);
    }
}

/// Does something over and over after some turns in which memory grows to what it will be.
fn measure(mut round: impl FnMut(usize)) {
    for number in 0..20 {
        round(number);
    }
    measured(&mut round);
}

fn engine() -> Engine {
    Engine::new(Config::new(7)).expect("a good configuration")
}

/// Opens connections in the group `room` of the hub `bench`.
fn room(engine: &mut Engine, members: usize, protocol: Protocol) -> Vec<ConnectionKey> {
    let keys = (0..members).map(|number| {
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let groups = &["room"];
        let roles = ROLES;
        let user = Some("someone");
        let hub = "bench";
        engine.open(Open { hub, protocol, user, roles, groups, entropy, ..Open::default() }, NOW)
    });
    let keys = keys.collect();
    drain(engine);
    keys
}

fn publish(members: usize, by_name: bool) {
    let mut engine = engine();
    room(&mut engine, members, Protocol::Json);
    let group = engine.group("bench", "room").expect("it has members");
    let (data, options) = (Data::Text("The quick brown fox"), SendOptions::default());
    measure(|_| {
        let to = Audience::Group("bench", "room");
        let command = if by_name {
            Command::Send { to, data, options }
        } else {
            Command::Publish { group, data, options }
        };
        engine.execute(black_box(command), NOW).expect("a good command");
        drain(&mut engine);
    });
}

fn mixed() {
    let mut engine = engine();
    for protocol in [
        Protocol::Plain,
        Protocol::Json,
        Protocol::Protobuf,
        Protocol::ReliableJson,
        Protocol::ReliableProtobuf,
    ] {
        room(&mut engine, 20, protocol);
    }
    publish_in_vain(&mut engine);
}

fn reliable() {
    let mut engine = engine();
    room(&mut engine, 100, Protocol::ReliableJson);
    publish_in_vain(&mut engine);
}

/// Publishes to reliable connections, which acknowledge nothing.
fn publish_in_vain(engine: &mut Engine) {
    let group = engine.group("bench", "room").expect("it has members");
    let (data, options) = (Data::Text("The quick brown fox"), SendOptions::default());
    measure(|_| {
        engine.execute(Command::Publish { group, data, options }, NOW).expect("a good command");
        drain(engine);
    });
}

fn json(bytes: usize) -> String {
    let item = r#"{"kind":"position","x":1024.25,"y":-512.75},"#;
    let mut json = String::from("[");
    while json.len() + item.len() + 2 < bytes {
        json += item;
    }
    let rest = "x".repeat(bytes.saturating_sub(json.len() + 3));
    json + &format!("\"{rest}\"]")
}

fn publish_json() {
    let mut engine = engine();
    room(&mut engine, 1, Protocol::Json);
    let json = json(1024);
    measure(|_| {
        let to = Audience::Group("bench", "room");
        let data = Data::Json(black_box(&json));
        let command = Command::Send { to, data, options: SendOptions::default() };
        engine.execute(command, NOW).expect("a good command");
        drain(&mut engine);
    });
}

fn filtered() {
    let mut engine = engine();
    room(&mut engine, 100, Protocol::Json);
    let filter = Filter::parse("'room' in groups and userId ne 'nobody'").expect("a good filter");
    let options = SendOptions { filter: Some(&filter), ..SendOptions::default() };
    measure(|_| {
        let to = Audience::Hub("bench");
        engine.execute(Command::Send { to, data: Data::Text("x"), options }, NOW).expect("good");
        drain(&mut engine);
    });
}

fn receive(bytes: usize) {
    let mut engine = engine();
    let key = room(&mut engine, 10, Protocol::Json)[0];
    let data = json(bytes);
    let text =
        format!(r#"{{"type":"sendToGroup","group":"room","dataType":"json","data":{data}}}"#);
    measure(|_| {
        engine.receive(key, Incoming::Text(black_box(&text)), NOW);
        drain(&mut engine);
    });
}

fn receive_protobuf() {
    let mut engine = engine();
    let key = room(&mut engine, 10, Protocol::Protobuf)[0];
    // UpstreamMessage { send_to_group_message { group: "room" data { binary_data: 32 bytes } } }
    let mut frame = vec![0x0a, 42, 0x0a, 4, b'r', b'o', b'o', b'm', 0x1a, 34, 0x12, 32];
    frame.extend([7; 32]);
    measure(|_| {
        engine.receive(key, Incoming::Binary(black_box(&frame)), NOW);
        assert!(drain(&mut engine) > 0, "it is published");
    });
}

/// Joins and leaves; only one of them is counted.
fn membership(counted: &str) {
    let World { mut engine, keys } = World::build(1_000, 3);
    let text = |verb: &str, group: usize| format!(r#"{{"type":"{verb}","group":"group-{group}"}}"#);
    let pairs: Vec<_> = (0..ROUNDS as usize).map(|number| (keys[number], number % 60)).collect();
    let frames = |verb: &str| pairs.iter().map(|&(_, group)| text(verb, group)).collect::<Vec<_>>();
    let (joins, leaves) = (frames("joinGroup"), frames("leaveGroup"));
    let all = |engine: &mut Engine, frames: &[String], number: usize| {
        engine.receive(pairs[number].0, Incoming::Text(&frames[number]), NOW);
        drain(engine);
    };
    // So that memory has grown, and nobody is there any more.
    for frames in [&joins, &leaves] {
        (0..pairs.len()).for_each(|number| all(&mut engine, frames, number));
    }
    if counted == "leaveGroup" {
        (0..pairs.len()).for_each(|number| all(&mut engine, &joins, number));
        measured(&mut |number| all(&mut engine, &leaves, number));
    } else {
        measured(&mut |number| all(&mut engine, &joins, number));
    }
}

/// The same, as the server asks for it.
fn membership_by_command(counts_joins: bool) {
    let World { mut engine, keys } = World::build(1_000, 3);
    let ids = keys[..ROUNDS as usize].iter().map(|&key| engine.connection(key).expect("open").id());
    let pairs: Vec<_> =
        ids.zip((0..60).cycle()).map(|(id, group)| (id, format!("group-{group}"))).collect();
    let all = |engine: &mut Engine, joins: bool, number: usize| {
        let (id, group) = &pairs[number];
        let (who, groups) = (Audience::Connection("bench", id), &[&**group][..]);
        let command =
            if joins { Command::Join { who, groups } } else { Command::Leave { who, groups } };
        engine.execute(command, NOW).expect("a good command");
        drain(engine);
    };
    // So that memory has grown, and nobody is there any more.
    for joins in [true, false] {
        (0..pairs.len()).for_each(|number| all(&mut engine, joins, number));
    }
    if !counts_joins {
        (0..pairs.len()).for_each(|number| all(&mut engine, true, number));
    }
    measured(&mut |number| all(&mut engine, counts_joins, number));
}

fn opens() {
    let World { mut engine, keys } = World::build(1_000, 0);
    for &key in &keys[..ROUNDS as usize + 20] {
        engine.close(key, Closed::Lost, NOW);
    }
    drain(&mut engine);
    let mut numbers = 1_000_000..;
    measure(|_| {
        open(&mut engine, numbers.next().expect("it never ends"), NOW);
        drain(&mut engine);
    });
}

fn disconnects() {
    let World { mut engine, keys } = World::build(1_000, 10);
    let mut keys = keys.into_iter();
    measure(|_| {
        engine.close(keys.next().expect("there are enough"), Closed::Lost, NOW);
        drain(&mut engine);
    });
}

fn event() {
    let mut config = Config::new(7);
    let handler = EventHandler {
        url: "local".into(),
        user_events: EventPattern::parse("*"),
        system_events: SystemEvents::NONE,
    };
    config
        .hubs
        .push(("bench".into(), HubConfig { handlers: vec![handler], ..HubConfig::default() }));
    let mut engine = Engine::new(config).expect("a good configuration");
    let key = room(&mut engine, 1, Protocol::Json)[0];
    let text = r#"{"type":"event","event":"ask","dataType":"text","data":"how are you?"}"#;
    measure(|_| {
        engine.receive(key, Incoming::Text(black_box(text)), NOW);
        let call = called(&mut engine);
        let data = Some(Data::Text("fine"));
        engine.answer(call, Answer::Reply(Response { data, ..Response::default() }), NOW);
        drain(&mut engine);
    });
}

fn called(engine: &mut Engine) -> CallId {
    let mut called = None;
    while let Some(action) = engine.poll_action() {
        if let Action::Call(call) = action {
            called = call.id;
        }
    }
    called.expect("a handler takes the event")
}

fn pause() {
    let mut engine = engine();
    let key = room(&mut engine, 10, Protocol::Json)[0];
    let group = engine.group("bench", "room").expect("it has members");
    let (data, options) = (Data::Text("The quick brown fox"), SendOptions::default());
    measure(|_| {
        engine.pause(key, NOW);
        engine.execute(Command::Publish { group, data, options }, NOW).expect("a good command");
        engine.resume(key, NOW);
        drain(&mut engine);
    });
}

/// Opens a reliable connection that has not acknowledged 10 messages.
fn behind(engine: &mut Engine) -> ConnectionKey {
    let key = room(engine, 1, Protocol::ReliableJson)[0];
    send_ten(engine);
    key
}

fn send_ten(engine: &mut Engine) {
    let group = engine.group("bench", "room").expect("it has members");
    let (data, options) = (Data::Text("The quick brown fox"), SendOptions::default());
    for _ in 0..10 {
        engine.execute(Command::Publish { group, data, options }, NOW).expect("a good command");
    }
    drain(engine);
}

fn recover() {
    let mut engine = engine();
    let mut key = behind(&mut engine);
    let id = engine.connection(key).expect("it is open").id();
    let token = "00".repeat(16);
    measure(|_| {
        engine.close(key, Closed::Lost, NOW);
        let recovery = Some(Recovery { connection_id: &id, token: &token });
        key = engine.open(Open { hub: "bench", recovery, ..Open::default() }, NOW);
        assert!(drain(&mut engine) > 10, "it is recovered");
    });
}

fn acknowledge() {
    let mut engine = engine();
    let key = behind(&mut engine);
    let mut sequence = 0;
    measure(|_| {
        sequence += 10;
        let text = format!(r#"{{"type":"sequenceAck","sequenceId":{sequence}}}"#);
        engine.receive(key, Incoming::Text(&text), NOW);
        send_ten(&mut engine);
    });
}
