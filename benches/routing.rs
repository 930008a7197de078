//! What routing costs in a world of a million connections.
//!
//! `cargo bench --bench routing`. Times of a shared machine are only good as ratios within one run: compare
//! with the rows named `floor`. Where a row says so, its time is for one recipient.

#[path = "support/world.rs"]
mod world;

use std::hint::black_box;
use std::ops::Deref;
use std::time::{Duration, Instant};

use criterion::{Bencher, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hubcast::internals::find_group;
use hubcast::{
    Action, Audience, Closed, Command, ConnectionKey, Data, Engine, GroupKey, Incoming,
    SendOptions, Time,
};
use world::{Random, World, drain, open};

/// How many groups of about 10 the world has.
const SMALL_GROUPS: usize = 100_000;

/// How many connections the world has.
const CONNECTIONS: usize = 1_000_000;

const NOW: Time = Time::from_secs(1_790_000_000);

/// 128 bytes. Routing costs the same whatever is in them; validating JSON is measured where JSON comes in.
const PAYLOAD: &str = "The quick brown fox jumps over the lazy dog while the ferry leaves the harbour, \
    and the gulls follow it out to the open sea, too";

/// 128 bytes of JSON.
const JSON: &str = concat!(
    r#"{"kind":"position","player":"alice","x":1024.25,"y":-512.75,"z":64.5,"heading":270,"#,
    r#""speed":12.5,"zone":"harbour","tick":1234567}"#
);

/// 32 bytes of JSON.
const SMALL: &str = r#"{"x":1024.25,"y":-512,"tick":12}"#;

const _: () = assert!(PAYLOAD.len() == 128 && JSON.len() == 128 && SMALL.len() == 32);

fn all(criterion: &mut Criterion) {
    let mut world = World::build(CONNECTIONS, 0);
    floor(criterion, &world);
    fanout(criterion, &mut world);
    let mut members = many_groups(criterion, &mut world);
    broadcast(criterion, &mut world);
    membership(criterion, &mut world, &mut members);
    disconnect(criterion, &mut world);
    received(criterion, &mut world);
}

/// The least that a fan-out can cost: copying the keys, and the cheapest thing a host can do with them.
fn floor(criterion: &mut Criterion, world: &World) {
    let mut group = criterion.benchmark_group("floor: copy the keys, per recipient");
    for size in [10, 1_000, 100_000] {
        let keys = &world.keys[..size];
        let mut copy: Vec<ConnectionKey> = Vec::with_capacity(size);
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| {
                copy.clear();
                copy.extend_from_slice(black_box(keys));
                black_box(&copy);
            });
        });
    }
    group.finish();

    // One look at a random record of a connection's size: what everything that is cold is made of.
    let records = vec![[1_u64; 21]; CONNECTIONS];
    let mut random = Random::new(9);
    criterion.bench_function("floor: one look at a random record among 1M", |bencher| {
        bencher.iter(|| records[random.below(CONNECTIONS)][7]);
    });
    criterion.bench_function("floor: one dependent look at a random record among 1M", |bencher| {
        let mut last = 0;
        bencher
            .iter(|| last = records[(random.below(CONNECTIONS) + last as usize) % CONNECTIONS][7]);
    });
}

/// One hot group: route and emit.
fn fanout(criterion: &mut Criterion, world: &mut World) {
    let mut group = criterion.benchmark_group("fan-out to one group, per recipient");
    for size in [1, 10, 100, 1_000, 10_000, 100_000] {
        let name = format!("size-{size}");
        for &key in world.keys.iter().step_by(CONNECTIONS / size).take(size) {
            join(&mut world.engine, key, &name);
        }
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::from_parameter(size), |bencher| {
            bencher.iter(|| publish(&mut world.engine, Audience::Group("bench", &name)));
        });
    }
    group.finish();
}

/// 100,000 groups of 10, visited at random: memory decides. The name is made on the spot, as it would come out
/// of a frame, so that looking it up is the engine's cost and fetching it is not. Returns who is in which group.
fn many_groups(criterion: &mut Criterion, world: &mut World) -> Pool {
    let mut random = Random::new(1);
    let mut members = Vec::new();
    for number in 0..SMALL_GROUPS {
        for _ in 0..10 {
            let key = world.keys[random.below(CONNECTIONS)];
            join(&mut world.engine, key, &Name::small(number));
            members.push((key, number));
        }
        drain(&mut world.engine);
    }
    let mut group =
        criterion.benchmark_group("fan-out to 100k groups of 10 at random, per recipient");
    group.throughput(Throughput::Elements(10));
    group.bench_function("command", |bencher| {
        bencher.iter(|| {
            let name = Name::small(random.below(SMALL_GROUPS));
            publish(&mut world.engine, Audience::Group("bench", &name))
        });
    });
    let keys: Vec<_> = (0..SMALL_GROUPS)
        .map(|number| world.engine.group("bench", &Name::small(number)).expect("it has members"))
        .collect();
    group.bench_function("by key", |bencher| {
        bencher.iter(|| {
            let group = keys[random.below(SMALL_GROUPS)];
            let options = SendOptions::default();
            let command = Command::Publish { group, data: Data::Text(black_box(PAYLOAD)), options };
            world.engine.execute(command, NOW).expect("a good command");
            drain(&mut world.engine)
        });
    });
    group.finish();
    finding(criterion, world, &keys);
    Pool(members)
}

/// What a publish by key saves: finding the group by its name.
fn finding(criterion: &mut Criterion, world: &World, keys: &[GroupKey]) {
    let mut random = Random::new(6);
    let mut group = criterion.benchmark_group("find one of 100k groups");
    for (name, groups) in [("any", SMALL_GROUPS), ("the same hundred", 100)] {
        group.bench_function(format!("by name, {name}"), |bencher| {
            bencher.iter(|| world.engine.group("bench", &Name::small(random.below(groups))));
        });
        group.bench_function(format!("by key, {name}"), |bencher| {
            bencher.iter(|| find_group(&world.engine, keys[random.below(groups)]));
        });
    }
    group.finish();
}

fn broadcast(criterion: &mut Criterion, world: &mut World) {
    let mut group = criterion.benchmark_group("broadcast to a hub of 1M, per recipient");
    group.throughput(Throughput::Elements(CONNECTIONS as u64));
    group.bench_function("command", |bencher| {
        bencher.iter(|| publish(&mut world.engine, Audience::Hub("bench")));
    });
    group.finish();
}

/// Join, leave and disconnect. Join and leave come as frames of the client, so that decoding them and checking the
/// permission are in the time.
fn membership(criterion: &mut Criterion, world: &mut World, members: &mut Pool) {
    let mut random = Random::new(2);
    let mut group = criterion.benchmark_group("membership");
    group.bench_function("decode alone", |bencher| {
        let mut scratch = Vec::new();
        bencher.iter(|| {
            let frame = Frame::new("joinGroup", &Name::small(random.below(SMALL_GROUPS)));
            hubcast::internals::decode_json(&frame, &mut scratch)
        });
    });
    // Cold: any of a million connections joins any of 100,000 groups, any of a million members leaves.
    let any = |world: &World, random: &mut Random, connections: usize, groups: usize| {
        (world.keys[random.below(connections)], random.below(groups))
    };
    group.bench_function("join, cold", |bencher| {
        in_batches(bencher, |count| {
            let pairs = some(count, || any(world, &mut random, CONNECTIONS, SMALL_GROUPS));
            let time = timed(|| each(&mut world.engine, &pairs, "joinGroup"));
            each(&mut world.engine, &pairs, "leaveGroup");
            time
        });
    });
    group.bench_function("leave, cold", |bencher| {
        in_batches(bencher, |count| {
            let pairs = some(count, || members.draw(&mut random));
            let time = timed(|| each(&mut world.engine, &pairs, "leaveGroup"));
            each(&mut world.engine, &pairs, "joinGroup");
            members.0.extend(pairs);
            time
        });
    });
    // Warm: a thousand of each, as in a burst of traffic around the same rooms; who leaves has just joined.
    for (name, is_join) in [("join, warm", true), ("leave, warm", false)] {
        group.bench_function(name, |bencher| {
            in_batches(bencher, |count| {
                let pairs = some(count, || any(world, &mut random, 1_000, 1_000));
                let joins = timed(|| each(&mut world.engine, &pairs, "joinGroup"));
                let leaves = timed(|| each(&mut world.engine, &pairs, "leaveGroup"));
                if is_join { joins } else { leaves }
            });
        });
    }
    group.finish();
}

/// Any of 100,000 connections goes, each in 10 groups of 10.
fn disconnect(criterion: &mut Criterion, world: &mut World) {
    let mut random = Random::new(5);
    let mut users = CONNECTIONS as u64..;
    let mut newcomer = |world: &mut World, random: &mut Random| {
        let key = open(&mut world.engine, users.next().expect("numbers do not end"), NOW);
        for _ in 0..10 {
            join(&mut world.engine, key, &Name::other(random.below(SMALL_GROUPS)));
        }
        drain(&mut world.engine);
        key
    };
    let mut keys = Pool(some(100_000, || newcomer(world, &mut random)));
    criterion.bench_function("membership/disconnect, 10 groups, cold", |bencher| {
        in_batches(bencher, |count| {
            let gone = some(count, || keys.draw(&mut random));
            let time = timed(|| {
                for &key in &gone {
                    world.engine.close(key, Closed::Lost, NOW);
                }
            });
            drain(&mut world.engine);
            keys.0.extend(some(count, || newcomer(world, &mut random)));
            time
        });
    });
}

/// Things that are drawn at random and put back later, so that each is cold when it is drawn.
struct Pool<T = (ConnectionKey, usize)>(Vec<T>);

impl<T> Pool<T> {
    fn draw(&mut self, random: &mut Random) -> T {
        let place = random.below(self.0.len());
        self.0.swap_remove(place)
    }
}

/// Measures batches of at most a thousand, each of which returns its time.
fn in_batches(bencher: &mut Bencher<'_>, mut batch: impl FnMut(u64) -> Duration) {
    bencher.iter_custom(|count| batches(count).map(&mut batch).sum());
}

fn some<T>(count: u64, mut one: impl FnMut() -> T) -> Vec<T> {
    (0..count).map(|_| one()).collect()
}

/// Cuts a count into batches of at most a thousand.
fn batches(count: u64) -> impl Iterator<Item = u64> {
    (0..count).step_by(1_000).map(move |start| (count - start).min(1_000))
}

fn each(engine: &mut Engine, pairs: &[(ConnectionKey, usize)], verb: &str) {
    for &(key, group) in pairs {
        engine.receive(key, Incoming::Text(&Frame::new(verb, &Name::small(group))), NOW);
    }
}

/// From the bytes of a client's frame to the actions.
fn received(criterion: &mut Criterion, world: &mut World) {
    let mut group = criterion.benchmark_group("publish from a received frame");
    for (name, target) in [("group of 1", "size-1"), ("group of 10", "size-10")] {
        let text = format!(
            r#"{{"type":"sendToGroup","group":"{target}","dataType":"json","data":{JSON}}}"#
        );
        let key = world.keys[0];
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                world.engine.receive(key, Incoming::Text(black_box(&text)), NOW);
                drain(&mut world.engine)
            });
        });
    }
    // To any of 100,000 groups of 10, from one of a few senders, and from any of a million.
    let mut random = Random::new(4);
    for (name, senders) in [("warm sender", 100), ("cold sender", CONNECTIONS)] {
        group.bench_function(format!("32 bytes, {name}, cold group of 10"), |bencher| {
            bencher.iter_custom(|count| {
                let mut total = Duration::ZERO;
                for batch in batches(count) {
                    let frames: Vec<_> = (0..batch)
                        .map(|_| {
                            let target = Name::small(random.below(SMALL_GROUPS));
                            let target = &*target;
                            let text = format!(
                                r#"{{"type":"sendToGroup","group":"{target}","dataType":"json","data":{SMALL}}}"#
                            );
                            (world.keys[random.below(senders)], text)
                        })
                        .collect();
                    total += timed(|| {
                        for (key, text) in &frames {
                            world.engine.receive(*key, Incoming::Text(black_box(text)), NOW);
                            drain(&mut world.engine);
                        }
                    });
                }
                total
            });
        });
    }
    group.finish();
}

fn join(engine: &mut Engine, key: ConnectionKey, group: &str) {
    engine.receive(key, Incoming::Text(&Frame::new("joinGroup", group)), NOW);
}

/// The name of a small group, made without touching memory far away.
struct Name(Text<16>);

impl Name {
    fn small(number: usize) -> Self {
        Self::new("small-", number)
    }

    fn other(number: usize) -> Self {
        Self::new("other-", number)
    }

    fn new(kind: &str, number: usize) -> Self {
        let mut text = Text::new();
        text.push(kind);
        for place in [100_000, 10_000, 1_000, 100, 10, 1] {
            let digit = number / place % 10;
            text.push(&"0123456789"[digit..=digit]);
        }
        Self(text)
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

/// A request of a client that names a group.
struct Frame(Text<96>);

impl Frame {
    fn new(verb: &str, group: &str) -> Self {
        let mut text = Text::new();
        for part in [r#"{"type":""#, verb, r#"","group":""#, group, r#""}"#] {
            text.push(part);
        }
        Self(text)
    }
}

impl Deref for Frame {
    type Target = str;

    fn deref(&self) -> &str {
        self.0.as_str()
    }
}

/// A short text on the stack.
struct Text<const MOST: usize> {
    bytes: [u8; MOST],
    end: usize,
}

impl<const MOST: usize> Text<MOST> {
    fn new() -> Self {
        Self { bytes: [0; MOST], end: 0 }
    }

    fn push(&mut self, part: &str) {
        let end = self.end + part.len();
        self.bytes[self.end..end].copy_from_slice(part.as_bytes());
        self.end = end;
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.end]).expect("made of texts")
    }
}

fn publish(engine: &mut Engine, to: Audience<'_>) -> usize {
    let command = Command::Send { to, data: Data::Text(PAYLOAD), options: SendOptions::default() };
    engine.execute(command, NOW).expect("a good command");
    let mut recipients = 0;
    while let Some(action) = engine.poll_action() {
        if let Action::Deliver(deliver) = action {
            recipients += black_box(deliver.to.connections()).len();
        }
    }
    recipients
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2));
    targets = all
}
criterion_main!(benches);
