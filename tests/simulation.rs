//! Hundreds of virtual clients of all protocols over links that delay, stall and break, from a seed.
//!
//! `SIMULATION_SEED=7` runs one seed, `SIMULATION_SEEDS=1000..50000` or a count runs more than the usual 1,000.

#[path = "simulation/deliveries.rs"]
mod deliveries;
#[path = "simulation/mark.rs"]
mod mark;
#[path = "simulation/server.rs"]
mod server;
#[path = "simulation/world.rs"]
mod world;

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use self::world::{Size, run};

/// Whatever happens, reliable clients miss nothing and repeat nothing, nobody gets anything twice or out of order,
/// every connection ends once, and memory stays within its limits.
#[test]
fn nothing_is_lost_doubled_or_swapped() {
    let seeds = seeds();
    let next = AtomicU64::new(seeds.start);
    let failed = Mutex::new(Vec::new());
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    if catch_unwind(|| run(seed, Size::of(seed))).is_err() {
                        failed.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let mut failed = failed.into_inner().unwrap();
    failed.sort_unstable();
    for seed in &failed {
        println!("SIMULATION_SEED={seed} cargo test --all-features --test simulation");
    }
    assert!(failed.is_empty(), "seeds that failed: {failed:?}");
}

/// A seed says everything: a second run does the same, byte by byte.
#[test]
fn the_same_seed_does_the_same() {
    for seed in [1, 2, 3, 19] {
        let (digest, metrics) = run(seed, Size::of(seed));
        assert_eq!(run(seed, Size::of(seed)), (digest, metrics), "seed {seed}");
        let (other, _) = run(seed + 100_000, Size::of(seed));
        assert_ne!(other, digest, "another seed does something else");
    }
}

/// What the rules are about does happen: a simulation in which nothing goes wrong proves nothing.
#[test]
fn everything_that_can_go_wrong_does() {
    let mut totals = BTreeMap::new();
    for seed in 0..60 {
        let (_, metrics) = run(seed, Size::of(seed));
        for (what, count) in [
            ("detached", metrics.detached),
            ("recovered", metrics.recovered),
            ("recoveries refused", metrics.recoveries_refused),
            ("duplicates", metrics.acks.duplicate),
            ("failed events", metrics.acks.internal_server_error),
            ("slow clients", metrics.closes.slow_client),
            ("closed by the server", metrics.closes.closed_by_app_server),
            ("newest dropped", metrics.drops.newest),
            ("oldest dropped", metrics.drops.oldest),
            ("superseded", metrics.drops.superseded),
            ("expired", metrics.drops.expired),
        ] {
            *totals.entry(what).or_insert(0) += count;
        }
    }
    println!("{totals:?}");
    assert!(totals.values().all(|count| *count > 5), "{totals:?}");
}

fn seeds() -> Range<u64> {
    let variable = |name| std::env::var(name).ok();
    let number = |text: &str| text.trim().parse().expect("a seed is a number");
    if let Some(seed) = variable("SIMULATION_SEED") {
        let seed = number(&seed);
        return seed..seed + 1;
    }
    match variable("SIMULATION_SEEDS") {
        Some(range) => match range.split_once("..") {
            Some((start, end)) => number(start)..number(end),
            None => 0..number(&range),
        },
        None => 0..1_000,
    }
}
