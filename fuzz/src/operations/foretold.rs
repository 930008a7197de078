//! What the engine says of a command before it is carried out, and what comes of it.

use std::collections::BTreeMap;
use std::time::Duration;

use hubcast::{
    Audience, Command, CommandError, ConnectionKey, ConnectionView, Engine, Explanation, Fate,
    HubView, Protocol, Reply, SendOptions, Time,
};
use serde_json::Value;

/// What was said of a command.
pub(super) struct Foretold {
    said: Result<Explanation, CommandError>,
    sends: bool,
    /// The group that members get a message of.
    group: Option<String>,
    /// How many messages had to wait for each connection, before.
    held_up: BTreeMap<ConnectionKey, u64>,
}

/// A frame that the host was told to send.
pub(super) struct Handed {
    pub frame: Vec<u8>,
    pub to: Vec<ConnectionKey>,
}

impl Foretold {
    /// Asks what would come of a command that is about an audience, and looks whether the reasons are true.
    pub(super) fn ask(
        engine: &Engine,
        command: &Command<'_>,
        who: Audience<'_>,
        now: Time,
    ) -> Self {
        let options = match command {
            Command::Send { options, .. } | Command::Publish { options, .. } => Some(options),
            _ => None,
        };
        let said = engine.explain(command, now);
        let mut held_up = BTreeMap::new();
        if let Ok(explanation) = &said {
            let open = engine.hub(who.hub()).map_or(0, HubView::len);
            assert_eq!(explanation.verdicts.len(), open, "a verdict on each open connection");
            for verdict in &explanation.verdicts {
                let view = engine.connection(verdict.connection).expect("it is open");
                assert_eq!((view.id(), view.is_open()), (verdict.connection_id, true));
                assert_is_true(verdict.fate, view, command, who, now);
                held_up.insert(verdict.connection, held_up_for(view));
            }
        }
        let group = match who {
            Audience::Group(_, group) => Some(group.to_owned()),
            Audience::Hub(_)
            | Audience::User(..)
            | Audience::Connection(..)
            | Audience::Matching(..) => None,
        };
        Self { said, sends: options.is_some(), group, held_up }
    }

    /// Looks whether it came as it was said. `handed` is what the host was told to send next, where that is known.
    pub(super) fn hold(
        &self,
        engine: &Engine,
        reply: &Result<Reply, CommandError>,
        handed: Option<&[Handed]>,
    ) {
        let explanation = match &self.said {
            Ok(explanation) => explanation,
            Err(error) if self.sends => {
                assert_eq!(reply.as_ref(), Err(error));
                assert!(handed.is_none_or(<[_]>::is_empty), "what fails reaches nobody");
                return;
            }
            Err(_) => return assert!(reply.is_err(), "it was said that it would fail"),
        };
        if self.sends || matches!(reply, Ok(Reply::Affected(_))) {
            assert_eq!(*reply, Ok(Reply::Affected(explanation.affected())));
        }
        if !self.sends {
            return;
        }
        // Whoever is closed can end streams, which others are told of.
        let closes = explanation.verdicts.iter().any(|verdict| verdict.fate == Fate::Closed);
        for verdict in &explanation.verdicts {
            let key = verdict.connection;
            let view = engine.connection(key);
            if verdict.fate == Fate::Closed {
                assert!(view.is_none(), "{key:?} had no room for it");
            } else if !closes {
                let waits = matches!(
                    verdict.fate,
                    Fate::Paused { .. } | Fate::Detached { .. } | Fate::Dropped
                );
                let (before, now) =
                    (self.held_up[&key], held_up_for(view.expect("none is closed")));
                assert_eq!(now - before, u64::from(waits), "{:?} of {key:?}", verdict.fate);
            }
        }
        if let Some(handed) = handed {
            self.hold_frames(engine, explanation, handed, closes);
        }
    }

    fn hold_frames(
        &self,
        engine: &Engine,
        explanation: &Explanation,
        handed: &[Handed],
        closes: bool,
    ) {
        let reached = explanation.verdicts.iter().filter(|each| each.fate == Fate::Reached);
        let mut reached: Vec<_> = reached.map(|verdict| verdict.connection).collect();
        let mut got: Vec<_> = handed.iter().flat_map(|handed| &handed.to).copied().collect();
        if closes {
            assert!(reached.iter().all(|key| got.contains(key)), "{reached:?} got it: {got:?}");
            return;
        }
        reached.sort_unstable();
        got.sort_unstable();
        assert_eq!(got, reached, "those who were said to get it");
        for Handed { frame, to } in handed {
            let view = engine.connection(to[0]).expect("nobody was closed");
            if view.protocol() != Protocol::Plain {
                let frame: Value = serde_json::from_slice(frame).expect("it is JSON");
                assert_eq!(frame["group"].as_str(), self.group.as_deref());
            }
        }
    }
}

/// Looks whether what is said of a connection is so.
fn assert_is_true(
    fate: Fate,
    view: ConnectionView<'_>,
    command: &Command<'_>,
    who: Audience<'_>,
    now: Time,
) {
    let (except, options) = match command {
        Command::Send { options, .. } | Command::Publish { options, .. } => {
            (options.except, Some(options))
        }
        Command::Close { except, .. } => (*except, None),
        _ => (&[][..], None),
    };
    let filter = options.and_then(|options| options.filter);
    let is_meant = match who {
        Audience::Hub(_) => true,
        Audience::Group(_, group) => view.groups().any(|each| each == group),
        Audience::User(_, user) => view.user() == Some(user),
        Audience::Connection(_, id) => *view.id() == *id,
        Audience::Matching(_, filter) => view.matches(filter),
    };
    let is_excluded = except.contains(&&*view.id());
    let is_let_through = filter.is_none_or(|filter| view.matches(filter));
    let chosen = is_meant && !is_excluded && is_let_through;
    let parked = view.is_paused() || view.is_detached();
    let expires = options.and_then(|options| expiry(options, now));
    let holds = match fate {
        Fate::Reached => chosen && (options.is_none() || !parked),
        Fate::Paused { until } => chosen && view.is_paused() && until == expires,
        Fate::Detached { until } => chosen && view.is_detached() && until == expires,
        Fate::Dropped => chosen && view.is_paused() && options.is_some(),
        Fate::Closed => chosen && options.is_some(),
        Fate::NotMember => !is_meant && matches!(who, Audience::Group(..)),
        Fate::OtherUser => !is_meant && matches!(who, Audience::User(..)),
        Fate::OtherConnection => !is_meant && matches!(who, Audience::Connection(..)),
        Fate::Filtered => !is_let_through || (!is_meant && matches!(who, Audience::Matching(..))),
        Fate::Excluded => is_meant && is_excluded,
        _ => panic!("{fate:?} is new"),
    };
    assert!(holds, "{fate:?} of {:?}", view.id());
}

fn expiry(options: &SendOptions<'_>, now: Time) -> Option<Time> {
    let seconds = u64::from(options.ttl_seconds);
    (seconds > 0).then(|| now + Duration::from_secs(seconds))
}

/// Returns how many messages wait for a connection, or have waited or tried to and were dropped.
fn held_up_for(view: ConnectionView<'_>) -> u64 {
    let drops = view.drops();
    let dropped = drops.newest + drops.oldest + drops.superseded + drops.expired + drops.ended;
    view.waiting() as u64 + dropped
}
