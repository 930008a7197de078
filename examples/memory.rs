//! How much memory the engine takes: a million idle connections, each with a user and in some groups.
//!
//! `cargo run --release --example memory [CONNECTIONS [GROUPS_EACH]]`, by default 1000000 and 5.

#[path = "../benches/support/world.rs"]
mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering};

use hubcast::{Audience, Command, Data, Reply, SendOptions, Time};
use world::World;

fn main() {
    let mut numbers = env::args().skip(1).map(|word| word.parse::<usize>());
    let mut next = |default| match numbers.next() {
        None => default,
        Some(Ok(number)) => number,
        Some(Err(_)) => {
            eprintln!("memory: give two numbers: how many connections, how many groups each");
            exit(2);
        }
    };
    let (connections, groups) = (next(1_000_000).max(1), next(5));
    println!("{connections} connections with a user each");
    for groups_each in [0, 2, groups] {
        report(connections, groups_each);
    }
}

/// Builds a world and says what it takes; the keys that a host keeps are not the engine's.
fn report(connections: usize, groups_each: usize) {
    let before = LIVE.load(Ordering::Relaxed);
    let mut world = World::build(connections, groups_each);
    let host = world.keys.capacity() * size_of_val(&world.keys[0]);
    let bytes = LIVE.load(Ordering::Relaxed) - before - host;
    let (each, mebibytes) = (bytes / connections, bytes / (1024 * 1024));
    println!("  in {groups_each} groups each: {each:>4} bytes a connection, {mebibytes} MiB");
    // A world that did not work would make the number worthless.
    let to = Audience::Hub("bench");
    let command = Command::Send { to, data: Data::Text("hello"), options: SendOptions::default() };
    assert_eq!(world.engine.execute(command, Time::EPOCH), Ok(Reply::Affected(connections)));
}

/// Counts the bytes that were asked for and not given back; what the allocator adds is not in it.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator unchanged; only a number is kept beside.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }
}
