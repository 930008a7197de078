//! How much memory the engine takes: a million idle connections, each with a user and in some groups, and which part of
//! it is held by what.
//!
//! `cargo run --release --example memory [CONNECTIONS [GROUPS_EACH]]`, by default 1000000 and 5.

#[path = "../benches/support/world.rs"]
mod world;

use std::alloc::{GlobalAlloc, Layout, System};
use std::env;
use std::process::exit;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use hubcast::{Audience, Command, Config, Data, Engine, Open, Protocol, Reply, SendOptions, Time};
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
    split(connections);
}

/// Says what holds the memory of a connection, by what it takes more with one thing more.
fn split(connections: usize) {
    let anonymous = take(connections, None, Protocol::Json, 0, &[]);
    let named = take(connections, Some("user"), Protocol::Json, 0, &[]);
    let reliable = take(connections, None, Protocol::ReliableJson, 0, &[]);
    let idle = take(connections, None, Protocol::Json, 60, &[]);
    let (two, ten) = (["a", "b"], ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]);
    let in_two = take(connections, None, Protocol::Json, 0, &two);
    let in_ten = take(connections, None, Protocol::Json, 0, &ten);
    println!("of which, in bytes:");
    for (what, bytes) in [
        ("a connection in its hub, nothing else", anonymous),
        ("its user, who has no other connection", named - anonymous),
        ("its session, if its protocol is reliable", reliable - anonymous),
        ("its timer, where a connection may not be idle", idle - anonymous),
        ("each of its first two memberships", (in_two - anonymous) / 2),
        ("each of the next eight", (in_ten - in_two) / 8),
    ] {
        println!("  {what:48} {bytes:>4}");
    }
}

/// Returns the bytes that each connection of a world takes.
fn take(
    connections: usize,
    user: Option<&str>,
    protocol: Protocol,
    idle_seconds: u64,
    groups: &[&str],
) -> usize {
    let before = LIVE.load(Ordering::Relaxed);
    let mut config = Config::new(7);
    config.limits.idle_timeout = (idle_seconds > 0).then_some(Duration::from_secs(idle_seconds));
    let mut engine = Engine::new(config).expect("a good configuration");
    for number in 0..connections {
        let user = user.map(|name| format!("{name}-{number}"));
        let mut entropy = [0; 32];
        entropy[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let (hub, user) = ("bench", user.as_deref());
        let open = Open { hub, protocol, user, groups, entropy, ..Open::default() };
        engine.open(open, Time::EPOCH);
        while engine.poll_action().is_some() {}
    }
    (LIVE.load(Ordering::Relaxed) - before) / connections
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
