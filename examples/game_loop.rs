//! A game server's loop with the engine inside: no runtime, no sockets, no threads, just a tick.
//!
//! `cargo run --example game_loop` plays five seconds of a match of three players in a few
//! milliseconds: they move twenty times a second and chat now and then. The players are in this process;
//! in a real game their bytes come from the network, and nothing else changes. The output is the same
//! every time.

use std::collections::BTreeMap;
use std::time::Duration;

use hubcast::{
    Action, Audience, Command, Config, ConnectionKey, Data, Engine, Incoming, Open, Protocol,
    SendOptions, Time,
};

const TICKS_PER_SECOND: u64 = 60;
const TICKS: u64 = 5 * TICKS_PER_SECOND;
const NAMES: [&str; 3] = ["ann", "bob", "cy"];

/// A player, as far as the network is concerned.
#[derive(Default)]
struct Player {
    name: &'static str,
    frames: usize,
    bytes: usize,
    chat: Vec<String>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // A real game draws the seed and the entropy of each connection from the system's random numbers.
    // Here they are fixed, so that every run is the same.
    let mut engine = Engine::new(Config::new(0x5eed))?;
    let start = Time::from_millis(1_790_000_000_000);
    let mut players = BTreeMap::new();
    for (number, name) in (1..).zip(NAMES) {
        let key = engine.open(
            Open {
                hub: "match_7",
                protocol: Protocol::Json,
                user: Some(name),
                roles: &["webpubsub.sendToGroup.positions", "webpubsub.sendToGroup.chat"],
                groups: &["positions", "chat"],
                entropy: [number; 32],
                ..Open::default()
            },
            start,
        );
        players.insert(key, Player { name, ..Player::default() });
    }

    for tick in 0..TICKS {
        let now = start + Duration::from_millis(tick * 1_000 / TICKS_PER_SECOND);

        // 1. What arrived since the last tick. A real game reads its sockets here, without waiting.
        for (number, &key) in (0..).zip(players.keys()) {
            for text in inputs_of(number, tick) {
                engine.receive(key, Incoming::Text(&text), now);
            }
        }

        // 2. The game's own say: the server speaks to everybody through the same engine.
        if tick % TICKS_PER_SECOND == 0 {
            let score = format!(r#"{{"second":{}}}"#, tick / TICKS_PER_SECOND);
            let to = Audience::Hub("match_7");
            let data = Data::Json(&score);
            engine.execute(Command::Send { to, data, options: SendOptions::default() }, now)?;
        }

        // 3. Time passed, and everything that follows from all of it goes out.
        engine.advance(now);
        while let Some(action) = engine.poll_action() {
            carry_out(action, &mut players);
        }

        // 4. A real game sleeps here until its next tick. `engine.next_deadline()` need not be asked: no
        //    deadline of the engine has to be kept more exactly than a tick.
    }

    report(&engine, &players);
    Ok(())
}

/// What a player does in one tick: move every third one, and say something every third second.
fn inputs_of(number: u64, tick: u64) -> Vec<String> {
    let mut inputs = Vec::new();
    if tick % 3 == number {
        let (x, y) = (tick + number, tick * number);
        inputs.push(format!(
            r#"{{"type":"sendToGroup","group":"positions","noEcho":true,"data":{{"x":{x},"y":{y}}}}}"#
        ));
    }
    if tick % (3 * TICKS_PER_SECOND) == number * TICKS_PER_SECOND + 30 {
        let line = format!("says something at tick {tick}");
        inputs.push(format!(
            r#"{{"type":"sendToGroup","group":"chat","ackId":{tick},"dataType":"text","data":"{line}"}}"#
        ));
    }
    inputs
}

fn carry_out(action: Action<'_>, players: &mut BTreeMap<ConnectionKey, Player>) {
    match action {
        // A real game finishes or refuses the WebSocket handshake here.
        Action::Accept(it) => println!("{} is in", players[&it.connection].name),
        Action::Refuse(it) => {
            println!("{} is refused: {}", players[&it.connection].name, it.reason);
        }
        Action::Deliver(it) => {
            for to in it.to {
                // A real game writes the parts of the payload to the player's socket.
                let payload = it.frame.payload(to.sequence).collect::<Vec<_>>().concat();
                let player = players.get_mut(&to.connection).expect("a player for each connection");
                player.frames += 1;
                player.bytes += payload.len();
                let text = String::from_utf8_lossy(&payload);
                if text.contains(r#""group":"chat""#) {
                    player.chat.push(text.into_owned());
                }
            }
        }
        Action::Close(it) => println!("{} is out: {}", players[&it.connection].name, it.reason),
        // No event handlers, no calls.
        _ => {}
    }
}

fn report(engine: &Engine, players: &BTreeMap<ConnectionKey, Player>) {
    println!("\nafter {TICKS} ticks:");
    for player in players.values() {
        println!("  {} got {} frames, {} bytes", player.name, player.frames, player.bytes);
    }
    let metrics = engine.metrics();
    let (received, sent) = (metrics.messages_in, metrics.deliveries);
    println!("  the engine received {received} messages and delivered {sent} frames");
    println!("\nthe chat, as {} saw it:", NAMES[0]);
    for line in players.values().take(1).flat_map(|player| &player.chat) {
        println!("  {line}");
    }
}
