//! The side of the server: its event handler, and when sessions expire.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use hubcast::testing::{Handling, Occurrence, Random, Reply, Rule};
use hubcast::{EventKind, Time};

use crate::mark::Mark;

/// The groups of every hub.
pub(crate) const GROUPS: [&str; 4] = ["a", "b", "c", "d"];

/// A session that expires does so when its window is over, not before and not long after.
pub(crate) fn expire_in_time(window: Duration) -> impl Rule {
    let mut gone = BTreeMap::new();
    move |at: Time, occurrence: &Occurrence<'_>| {
        match occurrence {
            Occurrence::TransportGone { session, .. } => drop(gone.insert(session.number, at)),
            Occurrence::Called { session: Some(session), event } => {
                let EventKind::Disconnected { reason } = event.kind else { return Ok(()) };
                let waited = gone.get(&session.number).map(|gone| at.since(*gone));
                let waited = waited.filter(|_| reason.contains("timeout expired"));
                let late = Duration::from_millis(600);
                if waited.is_some_and(|waited| waited < window || waited > window + late) {
                    return Err(format!("session {} expired after {waited:?}", session.number));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Takes its time, fails now and then, and publishes something.
pub(crate) fn handler(
    mut random: Random,
    published: Rc<Cell<u64>>,
) -> impl FnMut(&hubcast::Call<'_>) -> Handling {
    move |call| {
        let EventKind::User { .. } = call.event.kind else { return Reply::WELCOME.into() };
        let reply = if random.chance(100) { Reply::Fail } else { Reply::DONE };
        let after =
            Duration::from_millis(if random.chance(50) { 6_000 } else { random.between(0..=900) });
        let handling = Handling::from(reply).after(after);
        if random.chance(500) {
            return handling;
        }
        let mark = Mark::server(published.get());
        published.set(published.get() + 1);
        handling.publish(*random.pick(&GROUPS), mark.to_string())
    }
}
