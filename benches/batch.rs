//! What it costs to gather the deliveries of a tick by connection.
//!
//! `cargo bench --bench batch`. Times of a shared machine are only good as ratios within one run: compare with the rows
//! named `polled`, in which the same deliveries are only looked at. Every time is for one frame of one recipient.

use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hubcast::{
    Action, Audience, Batch, Command, Config, Data, Deliver, Engine, Open, SendOptions, Time,
};

const NOW: Time = Time::from_secs(1_790_000_000);

/// How many messages go to the group in each tick.
const MESSAGES: usize = 16;

fn all(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("a tick of 16 messages to one group, per recipient");
    for size in [10, 1_000, 100_000] {
        let mut engine = members(size);
        let mut batch = Batch::default();
        group.throughput(Throughput::Elements((size * MESSAGES) as u64));
        group.bench_function(BenchmarkId::new("polled", size), |bencher| {
            bencher.iter(|| {
                tick(&mut engine, |deliver| {
                    black_box(deliver.to.connections());
                });
            });
        });
        group.bench_function(BenchmarkId::new("gathered", size), |bencher| {
            bencher.iter(|| {
                tick(&mut engine, |deliver| batch.push(deliver));
                let mut frames_each = 0;
                batch.drain(|_, frames| frames_each = black_box(frames).count());
                assert_eq!(frames_each, MESSAGES);
            });
        });
    }
    group.finish();
}

/// Publishes some messages and passes on the deliveries.
fn tick(engine: &mut Engine, mut pass_on: impl FnMut(&Deliver<'_>)) {
    for _ in 0..MESSAGES {
        let (to, data) = (Audience::Group("bench", "g"), Data::Text("hello"));
        let command = Command::Send { to, data, options: SendOptions::default() };
        engine.execute(command, NOW).expect("a good command");
    }
    while let Some(action) = engine.poll_action() {
        if let Action::Deliver(deliver) = action {
            pass_on(&deliver);
        }
    }
}

/// Makes an engine with so many connections, all in one group.
fn members(count: usize) -> Engine {
    let mut engine = Engine::new(Config::new(7)).expect("a good configuration");
    for _ in 0..count {
        engine.open(Open { hub: "bench", groups: &["g"], ..Open::default() }, NOW);
        while engine.poll_action().is_some() {}
    }
    engine
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
