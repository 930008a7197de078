//! Who must have got what, seen from outside: the rule that the simulation is about.

use std::collections::{BTreeMap, BTreeSet};

use hubcast::testing::{Content, Message, Occurrence, Request, Session, Simulation};
use hubcast::{Audience, Command, Data, Time};

use crate::mark::Mark;

/// Follows every published message. Time is counted in occurrences at the server.
pub(crate) struct Deliveries {
    /// The hubs in which nothing is dropped for slow clients.
    complete: BTreeSet<String>,
    moment: u64,
    published: BTreeMap<Mark, Published>,
    /// The memberships of sessions, by session and group.
    memberships: BTreeMap<(usize, String), Vec<Membership>>,
    /// What an ack is about, by session and ack id.
    asked: BTreeMap<(usize, u64), Asked>,
    /// What each client has heard, and what each session.
    heard: BTreeMap<usize, BTreeSet<Mark>>,
    heard_in: BTreeMap<usize, BTreeSet<Mark>>,
    /// The newest number that a client has heard of a publishing session, or of the server, in a group. Order is
    /// promised for one connection: what waits in an old one, behind an event, may come after what a new one says.
    newest: BTreeMap<(usize, Option<usize>, String), u64>,
    /// The sessions by the ids of their connections.
    ids: BTreeMap<String, usize>,
    /// The groups that the tokens of clients put them into.
    pub(crate) given: BTreeMap<usize, Vec<String>>,
    /// Leaves that may not be done yet, by session, ack id and group.
    leaving: BTreeSet<(usize, u64, String)>,
}

/// A message that was published at some moment between two.
struct Published {
    /// The session of the publisher; `None` is the server.
    by: Option<usize>,
    hub: String,
    group: String,
    /// The session of the publisher, where that does not want to hear itself.
    silent: Option<usize>,
    /// Whether it may be dropped when it is late.
    expires: bool,
    from: u64,
    /// `None` as long as it is not sure that it was published.
    until: Option<u64>,
}

/// A session in a group: possibly, and for sure.
#[derive(Clone, Copy, Default)]
struct Membership {
    possible_from: u64,
    sure_from: Option<u64>,
    sure_until: Option<u64>,
    possible_until: Option<u64>,
}

enum Asked {
    Join(String, usize),
    Leave(String, usize),
    Publish(Mark),
}

impl Deliveries {
    pub(crate) fn new(complete: BTreeSet<String>) -> Self {
        Self {
            complete,
            moment: 0,
            published: BTreeMap::new(),
            memberships: BTreeMap::new(),
            asked: BTreeMap::new(),
            heard: BTreeMap::new(),
            heard_in: BTreeMap::new(),
            newest: BTreeMap::new(),
            ids: BTreeMap::new(),
            given: BTreeMap::new(),
            leaving: BTreeSet::new(),
        }
    }

    pub(crate) fn observe(&mut self, _: Time, occurrence: &Occurrence<'_>) -> Result<(), String> {
        self.moment += 1;
        match occurrence {
            Occurrence::Accepted { session } => {
                self.ids.insert(session.connection_id.clone(), session.number);
                for group in self.given.get(&session.client).into_iter().flatten() {
                    let all = self.memberships.entry((session.number, group.clone())).or_default();
                    let (possible_from, sure_from) = (self.moment, Some(self.moment));
                    all.push(Membership { possible_from, sure_from, ..Membership::default() });
                }
                Ok(())
            }
            Occurrence::Requested { session, request } => self.requested(session, request),
            Occurrence::Sent { session, received } => {
                self.sent(session, &received.message);
                Ok(())
            }
            Occurrence::Heard { session, received, fresh: true } => {
                self.heard(session, &received.message)
            }
            Occurrence::Executed { command, done: true } => {
                self.executed(command);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn requested(&mut self, session: &Session, request: &Request) -> Result<(), String> {
        let moment = self.moment;
        match request {
            Request::Join { group, ack } => {
                let all = self.memberships.entry((session.number, group.clone())).or_default();
                if all.last().is_none_or(|last| last.sure_until.is_some()) {
                    all.push(Membership { possible_from: moment, ..Membership::default() });
                }
                let asked = Asked::Join(group.clone(), all.len() - 1);
                self.asked.entry((session.number, ack.ok_or("no ack")?)).or_insert(asked);
            }
            Request::Leave { group, ack } => {
                let all = self.memberships.entry((session.number, group.clone())).or_default();
                for each in all.iter_mut() {
                    each.sure_until.get_or_insert(moment);
                }
                let ack = ack.ok_or("no ack")?;
                if !self.asked.contains_key(&(session.number, ack)) {
                    self.leaving.insert((session.number, ack, group.clone()));
                    let asked = Asked::Leave(group.clone(), all.len());
                    self.asked.insert((session.number, ack), asked);
                }
            }
            Request::Send { group, content, no_echo, ttl, ack } => {
                let mark = mark(content)?;
                let silent = no_echo.then_some(session.number).filter(|_| ack.is_some());
                self.published.entry(mark).or_insert(Published {
                    by: Some(session.number),
                    hub: session.hub.clone(),
                    group: group.clone(),
                    silent,
                    expires: *ttl > 0,
                    from: moment,
                    until: None,
                });
                if let Some(ack) = ack {
                    self.asked.entry((session.number, *ack)).or_insert(Asked::Publish(mark));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What was sent was published before, and what is acked was done before.
    fn sent(&mut self, session: &Session, message: &Message) {
        let moment = self.moment;
        if let Some(published) =
            message.payload().and_then(Mark::of).and_then(|mark| self.published.get_mut(&mark))
        {
            published.until.get_or_insert(moment);
        }
        let Message::Ack { id, error } = message else { return };
        if error.as_ref().is_some_and(|error| error != "Duplicate") {
            return;
        }
        match self.asked.get(&(session.number, *id)) {
            Some(Asked::Publish(mark)) => {
                if let Some(published) = self.published.get_mut(mark) {
                    published.until.get_or_insert(moment);
                }
            }
            Some(Asked::Join(group, place)) => {
                let all = self.memberships.get_mut(&(session.number, group.clone()));
                if let Some(each) = all.and_then(|all| all.get_mut(*place)) {
                    each.sure_from.get_or_insert(moment);
                }
            }
            Some(Asked::Leave(group, count)) => {
                self.leaving.remove(&(session.number, *id, group.clone()));
                let all = self.memberships.get_mut(&(session.number, group.clone()));
                for each in all.into_iter().flatten().take(*count) {
                    each.possible_until.get_or_insert(moment);
                }
            }
            None => {}
        }
    }

    fn executed(&mut self, command: &Command<'_>) {
        let moment = self.moment;
        match command {
            Command::Send { to: Audience::Group(hub, group), data, options } => {
                let mark = match data {
                    Data::Text(text) | Data::Json(text) => Mark::read(text.as_bytes()),
                    Data::Binary(bytes) | Data::Protobuf(bytes) => Mark::read(bytes),
                    _ => None,
                };
                let published = Published {
                    by: None,
                    hub: (*hub).to_owned(),
                    group: (*group).to_owned(),
                    silent: None,
                    expires: options.ttl_seconds > 0,
                    from: moment,
                    until: Some(moment),
                };
                self.published.insert(mark.expect("every message has a mark"), published);
            }
            Command::Join { who: Audience::Connection(_, id), groups } => {
                let session = self.session(id);
                for group in *groups {
                    let all = self.memberships.entry((session, (*group).to_owned())).or_default();
                    if all.last().is_none_or(|last| last.sure_until.is_some()) {
                        all.push(Membership { possible_from: moment, ..Membership::default() });
                    }
                    // A leave that waits behind an event is done later.
                    let leaves = |it: &(usize, u64, String)| it.0 == session && it.2 == *group;
                    if !self.leaving.iter().any(leaves) {
                        let last = all.last_mut().expect("there is one");
                        last.sure_from.get_or_insert(moment);
                    }
                }
            }
            Command::Leave { who: Audience::Connection(_, id), groups } => {
                let session = self.session(id);
                for group in *groups {
                    // A join may wait behind an event, and be done later.
                    let all = self.memberships.get_mut(&(session, (*group).to_owned()));
                    for each in all.into_iter().flatten() {
                        each.sure_until.get_or_insert(moment);
                    }
                }
            }
            _ => {}
        }
    }

    fn heard(&mut self, session: &Session, message: &Message) -> Result<(), String> {
        let Some(payload) = message.payload() else { return Ok(()) };
        let mark = Mark::of(payload).ok_or_else(|| format!("{payload:?} has no mark"))?;
        let published =
            self.published.get(&mark).ok_or_else(|| format!("nobody published {mark}"))?;
        let client = session.client;
        if let Message::Group { group, .. } = message
            && *group != published.group
        {
            return Err(format!("{mark} came to {group:?} instead of {:?}", published.group));
        }
        let (group, by) = (published.group.clone(), published.by);
        if published.hub != session.hub {
            return Err(format!("client {client} heard {mark} of another hub"));
        }
        let all = self.memberships.get(&(session.number, group.clone()));
        let fits = |each: &Membership| {
            each.possible_from <= published.until.unwrap_or(u64::MAX)
                && each.possible_until.is_none_or(|until| until >= published.from)
        };
        if !all.into_iter().flatten().any(fits) {
            return Err(format!("client {client} heard {mark} without being in {group:?}"));
        }
        if published.silent == Some(session.number) {
            return Err(format!("client {client} heard its own {mark}, without echo"));
        }
        self.heard_in.entry(session.number).or_default().insert(mark);
        if !self.heard.entry(client).or_default().insert(mark) {
            return Err(format!("client {client} ({:?}) heard {mark} twice", session.protocol));
        }
        let newest = self.newest.insert((client, by, group), mark.number);
        match newest {
            Some(newest) if newest > mark.number => {
                Err(format!("client {client} heard {mark} after number {newest}"))
            }
            _ => Ok(()),
        }
    }

    /// Looks whether somebody missed something. Everybody who is connected has heard all; somebody who was cut off
    /// has heard all that came before the last thing that was heard.
    pub(crate) fn check(&self, simulation: &Simulation) {
        for session in simulation.sessions() {
            if !session.protocol.is_reliable() && !self.complete.contains(&session.hub) {
                continue;
            }
            let none = BTreeSet::new();
            let heard = self.heard_in.get(&session.number).unwrap_or(&none);
            let client = simulation.client(session.client);
            let newest = simulation.sessions().iter().rfind(|it| it.client == session.client);
            let live = client.is_open()
                && newest.is_some_and(|newest| newest.number == session.number)
                && client.ticket().is_none_or(|it| it.connection_id == session.connection_id);
            let heard_until = heard.iter().map(|mark| self.published[mark].from).max();
            let horizon = if live { u64::MAX } else { heard_until.unwrap_or(0) };
            let groups = (session.number, String::new())..(session.number + 1, String::new());
            let groups: Vec<_> = self.memberships.range(groups).collect();
            for (mark, published) in &self.published {
                if published.expires || published.hub != session.hub {
                    continue;
                }
                let Some(until) = published.until.filter(|until| *until < horizon) else {
                    continue;
                };
                let Some((_, all)) =
                    groups.iter().find(|((_, group), _)| *group == published.group)
                else {
                    continue;
                };
                let member = |each: &Membership| {
                    each.sure_from.is_some_and(|from| from <= published.from)
                        && each.sure_until.is_none_or(|end| until <= end)
                };
                let concerned = published.silent != Some(session.number) && all.iter().any(member);
                assert!(
                    !concerned || heard.contains(mark),
                    "{session:?} (live: {live}) missed {mark} to {:?}",
                    published.group
                );
            }
        }
    }

    fn session(&self, id: &str) -> usize {
        self.ids[id]
    }
}

fn mark(content: &Content) -> Result<Mark, String> {
    Mark::of(&content.payload()).ok_or_else(|| "every message has a mark".to_owned())
}
