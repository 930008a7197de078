//! A test of a server's own rules, as a user of this crate writes it: a game room whose referee is an event handler.

use std::collections::BTreeMap;
use std::time::Duration;

use hubcast::testing::{
    Handling, Link, Occurrence, Profile, Random, Reply, Request, Rule, Simulation,
};
use hubcast::{Call, Config, EventHandler, EventKind, HubConfig, Protocol, Time};

/// However bad the links are, nobody ever sees two moves in a row of one player, and the game goes on.
#[test]
fn players_take_turns() {
    for seed in 0..40 {
        assert!(play(seed, referee()) > 10, "seed {seed}: the game goes on");
    }
}

/// A referee who does not look is found out.
#[test]
#[should_panic(expected = "moved twice in a row")]
fn a_blind_referee_is_found_out() {
    let blind = |call: &Call<'_>| match call.event.kind {
        EventKind::User { .. } => {
            let player = call.event.user.unwrap_or_default();
            Handling::from(Reply::DONE).publish("room", player)
        }
        _ => Reply::WELCOME.into(),
    };
    play(1, blind);
}

/// Plays for two minutes and returns how many moves the second player saw.
fn play(seed: u64, referee: impl FnMut(&Call<'_>) -> Handling + 'static) -> usize {
    let mut config = Config::new(seed);
    let handlers = vec![EventHandler::all("referee")];
    config.hubs.push(("game".into(), HubConfig { handlers, ..HubConfig::default() }));
    let mut simulation = Simulation::new(config, seed).expect("the configuration is good");
    simulation.set_handler(referee);
    simulation.add_rule(nobody_sees_two_in_a_row());

    for (user, protocol) in [
        ("alice", Protocol::ReliableJson),
        ("bob", Protocol::ReliableProtobuf),
        ("spectator", Protocol::ReliableJson),
    ] {
        let user = Some(user.to_owned());
        let profile =
            Profile { user, groups: vec!["room".into()], ..Profile::new("game", protocol) };
        simulation.add_client(profile, Link { cut_per_mille: 30, ..Link::MOBILE });
    }
    // Both move whenever they like: it is the referee who knows whose turn it is.
    let mut random = Random::new(seed);
    for _ in 0..240 {
        simulation.ask(random.below(2), Request::event("move", "e4"));
        simulation.run_for(Duration::from_millis(500));
    }
    simulation.settle();
    let seen = simulation.client(1).heard().iter().filter(|it| it.message.text().is_some()).count();
    simulation.finish();
    seen
}

/// Lets a player move whose turn it is, and tells the room.
fn referee() -> impl FnMut(&Call<'_>) -> Handling {
    let mut moved_last = String::new();
    move |call| match call.event.kind {
        EventKind::User { name: "move", .. } => {
            let player = call.event.user.unwrap_or_default();
            if player == moved_last {
                return Reply::Fail.into();
            }
            player.clone_into(&mut moved_last);
            Handling::from(Reply::DONE).after(Duration::from_millis(50)).publish("room", player)
        }
        _ => Reply::WELCOME.into(),
    }
}

/// Each message in the room names the player who moved.
fn nobody_sees_two_in_a_row() -> impl Rule {
    let mut last = BTreeMap::new();
    move |_: Time, occurrence: &Occurrence<'_>| {
        let Occurrence::Heard { session, received, fresh: true } = occurrence else {
            return Ok(());
        };
        let Some(player) = received.message.text() else { return Ok(()) };
        // A session that could not be recovered is followed by a new one, which may have missed something.
        match last.insert(session.number, player.to_owned()) {
            Some(before) if before == player => {
                Err(format!("client {} saw that {player} moved twice in a row", session.client))
            }
            _ => Ok(()),
        }
    }
}
