//! What the indexes narrow is what a walk through the hub finds.

use hubcast::{
    Action, Audience, Closed, Command, Config, ConnectionKey, Data, Engine, Filter, Open, Protocol,
    Reply, SendOptions, Time,
};
use proptest::prelude::*;
use proptest::sample::select;

const NOW: Time = Time::from_secs(1_790_000_000);
const USERS: [&str; 3] = ["ann", "bob", "cid"];
const GROUPS: [&str; 3] = ["den", "hall", "room"];

/// A connection to open.
#[derive(Clone, Debug)]
struct Opened {
    hub: &'static str,
    protocol: Protocol,
    user: Option<&'static str>,
    groups: Vec<&'static str>,
    /// Whether it takes nothing now: paused, or detached where it can be.
    parked: bool,
}

/// A term of a filter; connections are named by their numbers.
#[derive(Clone, Debug)]
enum Term {
    User(&'static str),
    Users(Vec<&'static str>),
    Group(&'static str),
    Connection(usize),
    Connections(Vec<usize>),
    Other(&'static str),
}

/// An audience; connections are named by their numbers.
#[derive(Clone, Copy, Debug)]
enum Whom {
    Hub,
    Group(&'static str),
    User(&'static str),
    Connection(usize),
}

struct World {
    engine: Engine,
    keys: Vec<ConnectionKey>,
    ids: Vec<String>,
}

impl World {
    fn build(connections: &[Opened]) -> Self {
        let mut engine = Engine::new(Config::new(1)).unwrap();
        let mut keys = Vec::new();
        for (number, opened) in connections.iter().enumerate() {
            let open = Open {
                hub: opened.hub,
                protocol: opened.protocol,
                user: opened.user,
                groups: &opened.groups,
                entropy: [number as u8; 32],
                ..Open::default()
            };
            keys.push(engine.open(open, NOW));
        }
        let ids = keys.iter().map(|&key| engine.connection(key).unwrap().id().to_string());
        let ids = ids.collect();
        for (&key, opened) in keys.iter().zip(connections).filter(|(_, opened)| opened.parked) {
            if opened.protocol.is_reliable() {
                engine.close(key, Closed::Lost, NOW);
            } else {
                engine.pause(key, NOW);
            }
        }
        Self { engine, keys, ids }
    }

    fn id(&self, number: usize) -> &str {
        self.ids.get(number).map_or("nobody", String::as_str)
    }

    fn text(&self, terms: &[Term]) -> String {
        let list = |items: &mut dyn Iterator<Item = &str>| {
            items.map(|item| format!("'{item}'")).collect::<Vec<_>>().join(",")
        };
        let terms = terms.iter().map(|term| match term {
            Term::User(user) => format!("userId eq '{user}'"),
            Term::Users(users) => format!("userId in ({})", list(&mut users.iter().copied())),
            Term::Group(group) => format!("'{group}' in groups"),
            Term::Connection(number) => format!("'{}' eq connectionId", self.id(*number)),
            Term::Connections(numbers) => {
                let mut ids = numbers.iter().map(|&number| self.id(number));
                format!("connectionId in ({})", list(&mut ids))
            }
            Term::Other(text) => format!("({text})"),
        });
        terms.collect::<Vec<_>>().join(" and ")
    }

    /// Walks through everybody: who is in the audience, let through, and not left out.
    fn walk(&self, whom: Whom, filters: &[&Filter], except: &[usize]) -> Vec<usize> {
        let is = |number: &usize| {
            let view = self.engine.connection(self.keys[*number]).unwrap();
            let inside = match whom {
                Whom::Hub => true,
                Whom::Group(group) => view.groups().any(|each| each == group),
                Whom::User(user) => view.user() == Some(user),
                Whom::Connection(only) => only == *number,
            };
            let through = filters.iter().all(|filter| view.matches(filter));
            view.hub() == "chat" && inside && through && !except.contains(number)
        };
        (0..self.keys.len()).filter(is).collect()
    }

    /// Sends, and finds out who got it, now or later.
    fn send(&mut self, to: Audience<'_>, options: SendOptions<'_>) -> (Reply, Vec<usize>) {
        let waiting = |engine: &Engine, key| engine.connection(key).unwrap().waiting();
        while self.engine.poll_action().is_some() {}
        let before: Vec<_> = self.keys.iter().map(|&key| waiting(&self.engine, key)).collect();
        let reply = self.engine.execute(Command::Send { to, data: Data::Text("hi"), options }, NOW);
        let mut got = Vec::new();
        while let Some(action) = self.engine.poll_action() {
            let Action::Deliver(deliver) = action else { panic!("{action:?}") };
            for to in deliver.to {
                got.push(self.keys.iter().position(|&key| key == to.connection).unwrap());
            }
        }
        for (number, &key) in self.keys.iter().enumerate() {
            got.extend((before[number]..waiting(&self.engine, key)).map(|_| number));
        }
        got.sort_unstable();
        (reply.unwrap(), got)
    }
}

fn opened() -> impl Strategy<Value = Opened> {
    let protocols =
        vec![Protocol::Plain, Protocol::Json, Protocol::Protobuf, Protocol::ReliableJson];
    let user = prop::option::of(select(&USERS[..]));
    let groups = prop::sample::subsequence(&GROUPS[..], 0..=3);
    let hub = prop_oneof![4 => Just("chat"), 1 => Just("other")];
    (hub, select(protocols), user, groups, prop::bool::weighted(0.3)).prop_map(
        |(hub, protocol, user, groups, parked)| Opened { hub, protocol, user, groups, parked },
    )
}

fn terms() -> impl Strategy<Value = Vec<Term>> {
    let users = || select(vec!["ann", "bob", "cid", "nobody"]);
    let groups = select(vec!["den", "hall", "room", "empty"]);
    let others = select(vec!["length(groups) gt 1", "protocol ne null", "true", "userId ne 'ann'"]);
    let term = prop_oneof![
        users().prop_map(Term::User),
        prop::collection::vec(users(), 0..4).prop_map(Term::Users),
        groups.prop_map(Term::Group),
        (0..14_usize).prop_map(Term::Connection),
        prop::collection::vec(0..14_usize, 0..8).prop_map(Term::Connections),
        others.prop_map(Term::Other),
    ];
    prop::collection::vec(term, 1..4)
}

fn whom() -> impl Strategy<Value = Whom> {
    prop_oneof![
        Just(Whom::Hub),
        select(vec!["den", "room", "empty"]).prop_map(Whom::Group),
        select(vec!["ann", "nobody"]).prop_map(Whom::User),
        (0..14_usize).prop_map(Whom::Connection),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Sends, counts and questions reach each that a walk finds, once, and nobody else.
    #[test]
    fn narrowed_is_walked(
        connections in prop::collection::vec(opened(), 0..12),
        whom in whom(),
        terms in (terms(), terms()),
        except in prop::collection::vec(0..14_usize, 0..3),
    ) {
        let mut world = World::build(&connections);
        let first = Filter::parse(&world.text(&terms.0)).unwrap();
        let second = Filter::parse(&world.text(&terms.1)).unwrap();

        let expected = world.walk(Whom::Hub, &[&first], &[]);
        let who = Audience::Matching("chat", &first);
        let count = world.engine.execute(Command::Count { who }, NOW);
        prop_assert_eq!(count, Ok(Reply::Affected(expected.len())));
        let exists = world.engine.execute(Command::Exists { who }, NOW);
        prop_assert_eq!(exists, Ok(Reply::Is(!expected.is_empty())));

        let ids: Vec<_> = except.iter().map(|&number| world.id(number).to_owned()).collect();
        let ids: Vec<_> = ids.iter().map(String::as_str).collect();
        let options = SendOptions { filter: Some(&second), except: &ids, ..SendOptions::default() };
        let expected = world.walk(Whom::Hub, &[&first, &second], &except);
        let sent = world.send(who, options);
        prop_assert_eq!(sent, (Reply::Affected(expected.len()), expected));

        let id = match whom {
            Whom::Connection(number) => world.id(number).to_owned(),
            Whom::Hub | Whom::Group(_) | Whom::User(_) => String::new(),
        };
        let to = match whom {
            Whom::Hub => Audience::Hub("chat"),
            Whom::Group(group) => Audience::Group("chat", group),
            Whom::User(user) => Audience::User("chat", user),
            Whom::Connection(_) => Audience::Connection("chat", &id),
        };
        let expected = world.walk(whom, &[&second], &except);
        let sent = world.send(to, options);
        prop_assert_eq!(sent, (Reply::Affected(expected.len()), expected));
        world.engine.check();
    }
}
