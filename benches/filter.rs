//! What filters cost.
//!
//! `cargo bench --bench filter`. Times of a shared machine are only good as ratios within one run.

#[path = "support/world.rs"]
mod world;

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use hubcast::internals::Portrait;
use hubcast::{Audience, Command, Data, Engine, Filter, Incoming, Reply, SendOptions, Time};
use world::{World, drain};

const CONNECTIONS: usize = 100_000;
const NOW: Time = Time::from_secs(1_790_000_000);

/// Two terms, as applications write them.
const TYPICAL: &str = "userId ne 'bot' and not ('muted' in groups)";

fn all(criterion: &mut Criterion) {
    parse(criterion);
    evaluate(criterion);
    send(criterion);
}

fn parse(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("parse");
    let long = format!("userId in ('user-0'{})", ",'user-1234'".repeat(600));
    for (name, text) in [("two terms", TYPICAL), ("600 users", long.as_str())] {
        Filter::parse(text).expect("a good filter");
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(name, |bencher| bencher.iter(|| Filter::parse(black_box(text))));
    }
    group.finish();
}

/// One connection, which is in the cache.
fn evaluate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("evaluate for one connection");
    let portrait = Portrait {
        user: Some("user-1234"),
        connection_id: "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        groups: &["lobby", "room-7", "team-red"],
        protocol: Some("json.webpubsub.azure.v1"),
    };
    let mut scratch = String::new();
    for (name, text) in [
        ("two terms", TYPICAL),
        ("two functions", "startswith(userId,'user-') and length(userId) gt 4"),
        ("composed", "toupper(concat(userId,'-x')) eq 'USER-1234-X'"),
    ] {
        let filter = Filter::parse(text).expect("a good filter");
        assert!(portrait.matches(&filter, &mut scratch), "{text}");
        group.bench_function(name, |bencher| {
            bencher.iter(|| black_box(&portrait).matches(black_box(&filter), &mut scratch));
        });
    }
    group.finish();
}

/// Sends in a hub of 100,000 connections of as many users, each in about three groups of 50.
fn send(criterion: &mut Criterion) {
    let World { mut engine, keys } = World::build(CONNECTIONS, 3);
    engine.receive(keys[7], Incoming::Text(r#"{"type":"joinGroup","group":"few"}"#), NOW);
    drain(&mut engine);

    let mut group = criterion.benchmark_group("send in a hub of 100k");
    group.bench_function("to its user", |bencher| {
        bencher.iter(|| send_to(&mut engine, Audience::User("bench", "user-7"), None, 1));
    });
    for (name, text, recipients) in [
        ("by the index of users", "userId eq 'user-7' and length(groups) gt 0", 1),
        ("by the index of groups", "'few' in groups and length(groups) gt 0", 1),
        ("walking, nobody", "tolower(userId) eq 'nobody' and length(groups) gt 0", 0),
        ("walking, one", "concat(userId,'') eq 'user-7' and length(groups) gt 0", 1),
        ("walking, everybody", TYPICAL, CONNECTIONS),
    ] {
        let filter = Filter::parse(text).expect("a good filter");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                send_to(&mut engine, Audience::Hub("bench"), Some(&filter), recipients);
            });
        });
    }
    group.bench_function("without a filter, everybody", |bencher| {
        bencher.iter(|| send_to(&mut engine, Audience::Hub("bench"), None, CONNECTIONS));
    });
    group.finish();
}

fn send_to(engine: &mut Engine, to: Audience<'_>, filter: Option<&Filter>, recipients: usize) {
    let options = SendOptions { filter, ..SendOptions::default() };
    let reply = engine.execute(Command::Send { to, data: Data::Text("hi"), options }, NOW);
    assert_eq!(reply, Ok(Reply::Affected(recipients)));
    drain(engine);
}

criterion_group!(benches, all);
criterion_main!(benches);
