//! What reliable sessions and slow consumers cost: numbering and keeping, recovery, pause and resume.
//!
//! `cargo bench --bench sessions`. Times of a shared machine are only good as ratios within one run: compare
//! with the rows that have the same group without sessions.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hubcast::{
    Action, Audience, Closed, Command, Config, ConnectionKey, Data, Engine, HubConfig, Incoming,
    Open, Protocol, Recovery, SendOptions, SlowConsumer, Time,
};

const NOW: Time = Time::from_secs(1_790_000_000);

/// 128 bytes, as in the other benches.
const PAYLOAD: &str = "The quick brown fox jumps over the lazy dog while the ferry leaves the harbour, \
    and the gulls follow it out to the open sea, too";

/// How many messages a member lets come before it acknowledges them.
const UNACKNOWLEDGED: u64 = 100;

fn all(criterion: &mut Criterion) {
    fanout(criterion);
    acknowledge(criterion);
    mixed(criterion);
    recovery(criterion);
    pause(criterion);
}

/// Publishes to one group: the same for everybody, and with a sequence id and a place in the session of each. What
/// the members do about acks in between is not in the time; it has its own row.
fn fanout(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("fan-out to one group, per recipient");
    for size in [100, 1_000, 10_000, 100_000] {
        for protocol in [Protocol::Json, Protocol::ReliableJson] {
            let (mut engine, keys) = members(&[(protocol, size)]);
            let mut sequence = 0;
            group.throughput(Throughput::Elements(size as u64));
            group.bench_function(BenchmarkId::new(format!("{protocol:?}"), size), |bencher| {
                bencher.iter_custom(|count| {
                    let mut total = Duration::ZERO;
                    for batch in batches(count) {
                        let start = Instant::now();
                        for _ in 0..batch {
                            assert_eq!(publish(&mut engine), size);
                        }
                        total += start.elapsed();
                        sequence += batch;
                        acknowledge_all(&mut engine, &keys, sequence);
                    }
                    total
                });
            });
        }
    }
    group.finish();
}

/// A client says that a hundred messages have arrived. Decoding that is in the time.
fn acknowledge(criterion: &mut Criterion) {
    const MEMBERS: usize = 1_000;
    let (mut engine, keys) = members(&[(Protocol::ReliableJson, MEMBERS)]);
    let mut sequence = 0;
    criterion.bench_function("acknowledge 100 messages, one client", |bencher| {
        bencher.iter_custom(|count| {
            let mut total = Duration::ZERO;
            for _ in 0..count.div_ceil(MEMBERS as u64) {
                for _ in 0..UNACKNOWLEDGED {
                    publish(&mut engine);
                }
                sequence += UNACKNOWLEDGED;
                let start = Instant::now();
                acknowledge_all(&mut engine, &keys, sequence);
                total += start.elapsed();
            }
            share(total, count, count.next_multiple_of(MEMBERS as u64))
        });
    });
}

/// One publish to members of every protocol: each format is encoded once, and the reliable protocols share it.
fn mixed(criterion: &mut Criterion) {
    const EACH: usize = 200;
    let everybody = Protocol::ALL.map(|protocol| (protocol, EACH));
    let (mut engine, keys) = members(&everybody);
    let mut group = criterion.benchmark_group("fan-out to a mixed group, per recipient");
    group.throughput(Throughput::Elements(keys.len() as u64));
    let mut sequence = 0;
    group.bench_function("200 of each protocol", |bencher| {
        bencher.iter_custom(|count| {
            let mut total = Duration::ZERO;
            for batch in batches(count) {
                let before = engine.metrics().encodes;
                let start = Instant::now();
                for _ in 0..batch {
                    assert_eq!(publish(&mut engine), keys.len());
                }
                total += start.elapsed();
                assert_eq!(engine.metrics().encodes - before, 3 * batch, "one for each format");
                sequence += batch;
                acknowledge_all(&mut engine, &keys, sequence);
            }
            total
        });
    });
    group.finish();
}

/// A connection with 1,000 unacknowledged messages loses its transport and gets a new one: detach, handshake,
/// `connected`, and all messages out.
fn recovery(criterion: &mut Criterion) {
    let (mut engine, keys) = members(&[(Protocol::ReliableJson, 1)]);
    let mut key = keys[0];
    let id = engine.connection(key).expect("it is open").id();
    for _ in 0..1_000 {
        publish(&mut engine);
    }
    let token = "07".repeat(16);
    let mut group = criterion.benchmark_group("recovery");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("1,000 retained messages", |bencher| {
        bencher.iter(|| {
            engine.close(key, Closed::Lost, NOW);
            let recovery = Some(Recovery { connection_id: &id, token: &token });
            key = engine.open(Open { hub: "bench", recovery, ..Open::default() }, NOW);
            assert_eq!(poll(&mut engine), 1_001);
        });
    });
    group.finish();
}

/// A connection in 100 groups of 50 becomes slow and quick again, with nothing and with 100 messages waiting.
fn pause(criterion: &mut Criterion) {
    let mut config = Config::new(7);
    let slow_consumer = SlowConsumer::DropOldest;
    config.hubs.push(("bench".into(), HubConfig { slow_consumer, ..HubConfig::default() }));
    let mut engine = Engine::new(config).expect("a good configuration");
    let names: Vec<String> = (0..100).map(|number| format!("group-{number}")).collect();
    let groups: Vec<&str> = names.iter().map(String::as_str).collect();
    let keys: Vec<_> =
        (0..50).map(|number| open(&mut engine, Protocol::Json, &groups, number)).collect();
    poll(&mut engine);
    let mut group = criterion.benchmark_group("slow consumers");
    group.bench_function("pause and resume, 100 groups", |bencher| {
        bencher.iter(|| {
            engine.pause(keys[7], NOW);
            engine.resume(keys[7], NOW);
            poll(&mut engine)
        });
    });
    group.bench_function("a message to a paused connection, and out again", |bencher| {
        bencher.iter_custom(|count| {
            let mut total = Duration::ZERO;
            for _ in 0..count.div_ceil(UNACKNOWLEDGED) {
                engine.pause(keys[7], NOW);
                let start = Instant::now();
                for _ in 0..UNACKNOWLEDGED {
                    let id = engine.connection(keys[7]).expect("it is slow").id();
                    send(&mut engine, Audience::Connection("bench", &id));
                }
                engine.resume(keys[7], NOW);
                assert_eq!(poll(&mut engine) as u64, UNACKNOWLEDGED);
                total += start.elapsed();
            }
            share(total, count, count.next_multiple_of(UNACKNOWLEDGED))
        });
    });
    group.finish();
}

/// Makes an engine whose group `g` has so many members of these protocols.
fn members(counts: &[(Protocol, usize)]) -> (Engine, Vec<ConnectionKey>) {
    let mut engine = Engine::new(Config::new(7)).expect("a good configuration");
    let mut keys = Vec::new();
    for &(protocol, count) in counts {
        for _ in 0..count {
            let number = keys.len();
            keys.push(open(&mut engine, protocol, &["g"], number));
            poll(&mut engine);
        }
    }
    (engine, keys)
}

fn open(engine: &mut Engine, protocol: Protocol, groups: &[&str], number: usize) -> ConnectionKey {
    let mut entropy = [7; 32];
    entropy[..8].copy_from_slice(&number.to_le_bytes());
    engine.open(Open { hub: "bench", protocol, groups, entropy, ..Open::default() }, NOW)
}

fn publish(engine: &mut Engine) -> usize {
    send(engine, Audience::Group("bench", "g"));
    poll(engine)
}

fn send(engine: &mut Engine, to: Audience<'_>) {
    let command = Command::Send { to, data: Data::Text(PAYLOAD), options: SendOptions::default() };
    engine.execute(command, NOW).expect("a good command");
}

/// Polls everything, and counts who got something.
fn poll(engine: &mut Engine) -> usize {
    let mut recipients = 0;
    while let Some(action) = engine.poll_action() {
        if let Action::Deliver(deliver) = action {
            recipients += black_box(deliver.to.connections()).len();
        }
    }
    recipients
}

fn acknowledge_all(engine: &mut Engine, keys: &[ConnectionKey], sequence: u64) {
    let text = format!(r#"{{"type":"sequenceAck","sequenceId":{sequence}}}"#);
    let id = |mut rest: u64| {
        let mut bytes = vec![0x08];
        while rest >= 0x80 {
            bytes.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        bytes.push(rest as u8);
        bytes
    };
    let inner = id(sequence);
    let binary = [&[0x42, inner.len() as u8], &*inner].concat();
    for &key in keys {
        match engine.connection(key).expect("it is open").protocol() {
            Protocol::ReliableJson => engine.receive(key, Incoming::Text(&text), NOW),
            Protocol::ReliableProtobuf => engine.receive(key, Incoming::Binary(&binary), NOW),
            _ => {}
        }
    }
}

/// Cuts the time of whole rounds to what was asked for.
fn share(total: Duration, asked: u64, done: u64) -> Duration {
    let small = |count| u32::try_from(count).expect("fewer than 2^32 rounds");
    total * small(asked) / small(done)
}

/// Cuts a count into batches of as many messages as may be unacknowledged.
fn batches(count: u64) -> impl Iterator<Item = u64> {
    let most = UNACKNOWLEDGED;
    (0..count).step_by(most as usize).map(move |start| (count - start).min(most))
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
