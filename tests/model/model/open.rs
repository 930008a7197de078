//! Who is let in.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::rights::Rights;
use super::{CALL, CONNECTIONS, Connection, GROUPS, HUBS, Model, On, Waiting, distinct, is_group};
use crate::operation::Opening;
use crate::wire::{self, Seen};

const JSON: &str = "json.webpubsub.azure.v1";

impl Model {
    /// A peer wants to connect; `id` is the id that the engine gave it, where it has a place at all.
    pub(crate) fn open(&mut self, number: usize, index: usize, id: &str, opening: &Opening) {
        if let Some(status) = self.screen(opening) {
            return self.tell(number, Seen::Refuse(status));
        }
        let subprotocol = spelling(opening.json, opening);
        if opening.recovery {
            // It is accepted only to be closed: the SDKs would retry after an error status.
            self.tell(number, Seen::Accept { id: String::new(), subprotocol });
            self.counters.closes += 1;
            return self.tell(number, Seen::Close(1008));
        }
        let hub = opening.hub.to_lowercase();
        self.hubs.entry(hub.clone()).or_default();
        self.connections.insert(
            number,
            Connection {
                hub: hub.clone(),
                id: id.to_owned(),
                index,
                json: opening.json,
                open: false,
                user: None,
                groups: BTreeSet::new(),
                rights: Rights::default(),
                acks: VecDeque::new(),
                next_event: 1,
                heard: self.now,
                waiting: None,
                state: None,
                subprotocol: None,
                target: opening.target.clone(),
            },
        );
        let Some(handler) = self.handler(&hub, |handler| handler.connect) else {
            let groups = &opening.groups;
            return self.admit(
                number,
                subprotocol,
                opening.user.as_deref(),
                &opening.roles,
                groups,
            );
        };
        let deadline = self.now + CALL.min(Duration::from_secs(self.setup.handshake_seconds));
        let on = On::Connect(opening.clone());
        let queue = VecDeque::new();
        self.at(number).waiting = Some(Waiting { number: 0, deadline, on, queue });
        let user = opening.user.clone();
        self.call(number, handler, 0, "connect", user, Some(deadline), None);
    }

    fn screen(&self, opening: &Opening) -> Option<u16> {
        let hub = opening.hub.to_lowercase();
        let known = self.hubs.contains_key(&hub);
        let in_hub = self.connections.values().filter(|it| it.hub == hub).count();
        let target = opening.target.as_ref();
        let rules = [
            (self.stopped, 503),
            (!is_hub(&opening.hub), 400),
            (!known && self.setup.refuse_unknown_hubs, 404),
            (opening.anonymous && !Self::is_first(&hub), 401),
            (!opening.groups.iter().all(|group| is_group(group)), 400),
            (target.is_some_and(|(group, _)| !is_group(group)), 400),
            (distinct(&opening.groups) > GROUPS, 400),
            (in_hub >= CONNECTIONS, 429),
            (!known && self.hubs.len() >= HUBS, 429),
        ];
        // A session that is taken up again is looked for before anything that a token says.
        let rules = &rules[..if opening.recovery { 2 } else { rules.len() }];
        rules.iter().find(|(broken, _)| *broken).map(|(_, status)| *status)
    }

    pub(super) fn admit(
        &mut self,
        number: usize,
        subprotocol: Option<String>,
        user: Option<&str>,
        roles: &[String],
        groups: &[String],
    ) {
        let now = self.now;
        let connection = self.at(number);
        connection.open = true;
        connection.heard = now;
        connection.user = user.map(str::to_owned);
        connection.rights = Rights::new(roles);
        connection.groups = groups.iter().cloned().collect();
        connection.subprotocol.clone_from(&subprotocol);
        let (id, json) = (connection.id.clone(), connection.json);
        self.tell(number, Seen::Accept { id: id.clone(), subprotocol });
        if json {
            self.tell(number, Seen::Text(wire::connected(&id, user), None));
        }
        self.notify(number, "connected", |handler| handler.connected);
    }

    pub(super) fn at(&mut self, number: usize) -> &mut Connection {
        self.connections.get_mut(&number).expect("it is there")
    }
}

pub(super) fn is_hub(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains(' ')
}

/// Returns the subprotocol to answer with, as the peer spelled it.
pub(super) fn spelling(json: bool, opening: &Opening) -> Option<String> {
    let offered = opening.subprotocols.iter().find(|offer| offer.eq_ignore_ascii_case(JSON));
    json.then(|| offered.cloned().unwrap_or(JSON.to_owned()))
}

/// Settles what the handler chose: what is spoken and the subprotocol to answer with. `None` is a choice
/// that the peer did not offer.
pub(super) fn choose(
    chosen: Option<&str>,
    json: bool,
    opening: &Opening,
) -> Option<(bool, Option<String>)> {
    let Some(chosen) = chosen else { return Some((json, spelling(json, opening))) };
    let offered = opening.subprotocols.iter().find(|offer| offer.eq_ignore_ascii_case(chosen));
    if chosen.eq_ignore_ascii_case(JSON) {
        return (json || offered.is_some()).then(|| (true, spelling(true, opening)));
    }
    offered.map(|offer| (false, Some(offer.clone())))
}
