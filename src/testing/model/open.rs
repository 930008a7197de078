//! Who is let in.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet, VecDeque};
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use super::rights::Rights;
use super::session::Standing;
use super::{CALL, CONNECTIONS, Connection, GROUPS, HUBS, Model, On, Waiting, distinct, is_group};
use crate::metrics::Drops;
use crate::protocol::Protocol;
use crate::testing::operation::Opening;
use crate::testing::seen::Seen;

impl Model {
    /// A peer wants to connect; `id` is the id that the engine gave it, where it has a place at all, `index` its place
    /// in the engine.
    pub fn open(&mut self, number: usize, index: usize, id: &str, token: &str, opening: &Opening) {
        self.open_unsettled(number, index, id, token, opening);
        self.settle();
    }

    fn open_unsettled(
        &mut self,
        number: usize,
        index: usize,
        id: &str,
        token: &str,
        opening: &Opening,
    ) {
        if let Some(status) = self.screen(opening) {
            return self.tell(number, Seen::Refuse(status));
        }
        let subprotocol = spelling(opening.protocol, &opening.subprotocols);
        let hub = opening.hub.to_lowercase();
        self.hubs.entry(hub.clone()).or_default();
        self.connections.insert(
            number,
            Connection {
                hub: hub.clone(),
                id: id.to_owned(),
                index,
                token: token.to_owned(),
                protocol: opening.protocol,
                open: false,
                user: None,
                groups: Vec::new(),
                rights: Rights::default(),
                acks: VecDeque::new(),
                next_event: 1,
                heard: self.now,
                waiting: None,
                state: None,
                subprotocol: None,
                target: opening.target.clone(),
                standing: Standing::Ready,
                newest: 0,
                held: Vec::new(),
                backlog: Vec::new(),
                drops: Drops::default(),
                invocations: Vec::new(),
                streams: Vec::new(),
                states: BTreeMap::new(),
                subscribed: BTreeSet::new(),
                stated_at: 0,
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
        self.call(number, handler, 0, "connect", user, Some(deadline), None, None);
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

        connection.subprotocol.clone_from(&subprotocol);
        for group in groups {
            self.enter(number, group);
        }
        let connection = &self.connections[&number];
        let (id, groups) = (connection.id.clone(), connection.groups.clone());
        self.tell(number, Seen::Accept { id, subprotocol });
        self.welcome(number);
        self.notify(number, "connected", None, |handler| handler.connected);
        for group in groups {
            self.notify(number, "joined", Some(group), |handler| handler.joined);
        }
    }
}

pub(super) fn is_hub(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphabetic()) && !name.contains(' ')
}

/// Returns the subprotocol to answer with, as the peer spelled it.
pub(super) fn spelling(protocol: Protocol, offers: &[String]) -> Option<String> {
    let name = protocol.name()?;
    let offered = offers.iter().find(|offer| offer.eq_ignore_ascii_case(name));
    Some(offered.cloned().unwrap_or(name.to_owned()))
}

/// Settles what the handler chose: what is spoken and the subprotocol to answer with. `None` is a choice
/// that the peer did not offer.
pub(super) fn choose(
    chosen: Option<&str>,
    opening: &Opening,
) -> Option<(Protocol, Option<String>)> {
    let own = opening.protocol;
    let Some(chosen) = chosen else { return Some((own, spelling(own, &opening.subprotocols))) };
    let offers = opening.subprotocols.iter().map(String::as_str).chain(own.name());
    let spelled = offers.into_iter().find(|offer| offer.eq_ignore_ascii_case(chosen))?;
    Some(match Protocol::from_name(chosen) {
        Some(protocol) => (protocol, spelling(protocol, &opening.subprotocols)),
        None => (Protocol::Plain, Some(spelled.to_owned())),
    })
}
