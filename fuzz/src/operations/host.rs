//! A host that does what it has read, and looks at what comes out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hubcast::{
    Action, Admission, Answer, Audience, CallId, Closed, Command, CommandError, ConnectionKey,
    Data, Engine, EventKind, Filter, GroupPermission, Incoming, Open, Permission, PlainMode,
    Protocol, Recovery, Response, SendOptions, Time,
};
use serde_json::{Value, json};

use super::foretold::{Foretold, Handed};
use super::groups::Groups;
use super::read::{
    Condition, Deed, Ending, Frame, Hub, Hubs, Name, Opening, Operation, Order, Publication, Reply,
    Role, Settings, Signal, Whom,
};
use super::{START, configure_anew};

/// The token of every connection: it is the second half of the entropy, which is nothing here.
const TOKEN: &str = "00000000000000000000000000000000";

/// How far a connection has come, as the actions tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Asked,
    Open,
    Gone,
}

pub(super) struct Host {
    engine: Engine,
    now: Time,
    /// Whether it polls after everything that it does, as most hosts do.
    polls: bool,
    /// All connections that ever were, with their ids where they had any.
    connections: Vec<(ConnectionKey, String)>,
    phases: BTreeMap<ConnectionKey, Phase>,
    /// Those whose transports ended without the engine: they get no last action.
    left: BTreeSet<ConnectionKey>,
    calls: Vec<CallId>,
    groups: Groups,
}

impl Host {
    pub(super) fn new(engine: Engine, polls: bool) -> Self {
        let (connections, phases, left) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let (calls, groups) = (Vec::new(), Groups::new());
        Self { engine, now: START, polls, connections, phases, left, calls, groups }
    }

    pub(super) fn carry_out(&mut self, operation: &Operation<'_>) {
        match operation {
            Operation::Open(opening) => {
                let protocol = if opening.json { Protocol::Json } else { Protocol::Plain };
                self.open(opening, protocol);
            }
            Operation::Frame(number, frame) => {
                let text = write(frame).to_string();
                self.receive(*number, Incoming::Text(&text));
            }
            Operation::Text(number, text) => self.receive(*number, Incoming::Text(text)),
            Operation::Binary(number, bytes) => self.receive(*number, Incoming::Binary(bytes)),
            Operation::Signal(number, signal) => {
                let incoming = match signal {
                    Signal::Alive => Incoming::Alive,
                    Signal::TooLarge => Incoming::TooLarge,
                    Signal::Malformed => Incoming::Malformed,
                    Signal::NotUtf8 => Incoming::NotUtf8,
                };
                self.receive(*number, incoming);
            }
            Operation::Close(number, ending) => self.close(*number, ending),
            Operation::Answer(number, reply) => self.answer(*number, reply),
            Operation::Execute(order) => self.execute(order, None),
            Operation::Advance(millis) => {
                self.now = self.now + Duration::from_millis(u64::from(*millis));
                self.engine.advance(self.now);
                let next = self.engine.next_deadline();
                assert!(next.is_none_or(|next| next > self.now), "what is due has been done");
            }
            Operation::Drain => {
                self.drain();
            }
            Operation::Stop => self.engine.stop("stop", self.now),
            Operation::Reliable(opening) => self.open(opening, Protocol::ReliableJson),
            Operation::Recover(number) => self.recover(*number),
            Operation::Pause(number) => {
                if let Some((key, _)) = self.pick(*number) {
                    self.engine.pause(key, self.now);
                }
            }
            Operation::Resume(number) => {
                if let Some((key, _)) = self.pick(*number) {
                    self.engine.resume(key, self.now);
                }
            }
            Operation::Filtered(condition, is_audience, order) => {
                let filter = self.filter(condition);
                self.execute(order, filter.as_ref().map(|filter| (filter, *is_audience)));
            }
            Operation::LookUp(of, group) => {
                self.groups.look_up(&self.engine, hub(of), &name(group));
            }
            Operation::Publish(publication) => self.publish(publication),
            Operation::Reconfigure(settings) => self.reconfigure(settings),
            Operation::Session(number, frame) => {
                self.receive(*number, Incoming::Text(&frame.json()));
            }
        }
        if self.polls {
            self.drain();
        }
        self.engine.check();
        self.groups.watch(&self.engine);
    }

    /// Stops and looks whether every connection came to an end.
    pub(super) fn finish(mut self) {
        self.engine.stop("the end", self.now);
        self.drain();
        self.engine.check();
        assert_eq!(self.engine.next_deadline(), None, "nobody is left to wait for");
        assert!(self.engine.metrics().hubs.iter().all(|hub| hub.connections == 0));
        for (key, phase) in &self.phases {
            assert!(self.engine.connection(*key).is_none(), "{key:?} is still there");
            assert!(*phase == Phase::Gone || self.left.contains(key), "{key:?} was forgotten");
        }
    }

    fn open(&mut self, opening: &Opening<'_>, protocol: Protocol) {
        let roles: Vec<_> = opening.roles.iter().map(role).collect();
        let groups: Vec<_> = opening.groups.iter().map(name).collect();
        let target = opening.target.as_ref().map(|(group, no_echo)| (name(group), *no_echo));
        let plain_mode = match &target {
            Some((group, no_echo)) => PlainMode::SendToGroup { group, no_echo: *no_echo },
            None => PlainMode::SendEvent,
        };
        let user = opening.user.map(|user| format!("u{}", user % 3));
        let open = Open {
            hub: hub(&opening.hub),
            protocol,
            plain_mode,
            anonymous: opening.anonymous,
            user: user.as_deref(),
            roles: &lend(&roles),
            groups: &lend(&groups),
            subprotocols: &["JSON.webpubsub.azure.v1", "other"],
            recovery: opening.recovery.then_some(Recovery { connection_id: "", token: "" }),
            ..Open::default()
        };
        self.connect(open);
    }

    /// Takes a connection up again, which is refused where it is not a reliable one that waits for it.
    fn recover(&mut self, number: u8) {
        let Some((key, id)) = self.pick(number) else { return };
        let hub = self.engine.connection(key).map_or("a", |view| view.hub()).to_owned();
        let recovery = Some(Recovery { connection_id: &id, token: TOKEN });
        self.connect(Open { hub: &hub, recovery, ..Open::default() });
    }

    fn connect(&mut self, open: Open<'_>) {
        let mut entropy = [0; 32];
        entropy[0] = self.connections.len() as u8;
        let key = self.engine.open(Open { entropy, ..open }, self.now);
        let id = self.engine.connection(key).map_or_else(String::new, |view| view.id().to_string());
        let fresh = self.phases.insert(key, Phase::Asked).is_none();
        assert!(fresh, "{key:?} was given before");
        self.connections.push((key, id));
    }

    fn receive(&mut self, number: u8, incoming: Incoming<'_>) {
        if let Some((key, _)) = self.pick(number) {
            self.engine.receive(key, incoming, self.now);
        }
    }

    fn close(&mut self, number: u8, ending: &Ending<'_>) {
        let how = match ending {
            Ending::Clean(code, reason) => Closed::Clean { code: *code, reason },
            Ending::Lost => Closed::Lost,
            Ending::Slow => Closed::SlowConsumer,
        };
        if let Some((key, _)) = self.pick(number) {
            self.engine.close(key, how, self.now);
            self.left.insert(key);
        }
    }

    fn answer(&mut self, number: u8, reply: &Reply<'_>) {
        let Some(place) = usize::from(number).checked_rem(self.calls.len()) else { return };
        // Counted from the newest one: that is the one that most likely still waits.
        let call = self.calls[self.calls.len() - 1 - place];
        let (names, metadata);
        let answer = match reply {
            Reply::Accept { user, roles, groups, subprotocol } => {
                let user = user.map(|user| format!("u{}", user % 3));
                let roles: Option<Vec<_>> =
                    roles.as_ref().map(|all| all.iter().map(role).collect());
                let groups: Option<Vec<_>> =
                    groups.as_ref().map(|all| all.iter().map(name).collect());
                names = (user, roles, groups);
                let (roles, groups) = (names.1.as_deref().map(lend), names.2.as_deref().map(lend));
                let admission = Admission {
                    user: names.0.as_deref(),
                    roles: roles.as_deref(),
                    groups: groups.as_deref(),
                    subprotocol: *subprotocol,
                    state: Some("s"),
                };
                return self.engine.answer(call, Answer::Accept(admission), self.now);
            }
            Reply::Refuse(status, reason) => Answer::Refuse { status: *status, reason },
            Reply::Text(text) => {
                Answer::Reply(Response { data: Some(Data::Text(text)), ..Response::default() })
            }
            Reply::Json(text) => {
                Answer::Reply(Response { data: Some(Data::Json(text)), ..Response::default() })
            }
            Reply::Metadata(key, value) => {
                metadata = [(*key, *value)];
                Answer::Reply(Response { metadata: &metadata, ..Response::default() })
            }
            Reply::Fail => Answer::Fail,
        };
        self.engine.answer(call, answer, self.now);
    }

    #[expect(
        clippy::redundant_closure,
        reason = "a variant alone is not general enough in its lifetime"
    )]
    fn execute(&mut self, order: &Order<'_>, condition: Option<(&Filter, bool)>) {
        let hub = hub(&order.hub);
        let (group, user, id);
        let who = match (condition, &order.whom) {
            (Some((filter, true)), _) => Audience::Matching(hub, filter),
            (_, Whom::Hub) => Audience::Hub(hub),
            (_, Whom::Group(of)) => {
                group = name(of);
                Audience::Group(hub, &group)
            }
            (_, Whom::User(number)) => {
                user = format!("u{}", number % 3);
                Audience::User(hub, &user)
            }
            (_, Whom::Connection(number)) => {
                id = self.pick(*number).map(|(_, id)| id).unwrap_or_default();
                Audience::Connection(hub, &id)
            }
        };
        let filter = condition.filter(|(_, is_audience)| !is_audience).map(|(filter, _)| filter);
        let except = order.except.and_then(|number| self.pick(number)).map(|(_, id)| id);
        let except: Vec<_> = except.iter().map(String::as_str).collect();
        let options = SendOptions { except: &except, filter, ..SendOptions::default() };
        let plain = |data| Command::Send { to: who, data, options };
        let command = match &order.deed {
            Deed::Text(text) => plain(Data::Text(text)),
            Deed::Json(text) => plain(Data::Json(text)),
            Deed::Binary(bytes) => plain(Data::Binary(bytes)),
            Deed::Timed(text, seconds) => {
                let options = SendOptions { ttl_seconds: u32::from(*seconds), ..options };
                Command::Send { to: who, data: Data::Text(text), options }
            }
            Deed::Metadata(key, value) => {
                let metadata = &[(*key, *value)];
                let options = SendOptions { metadata, ..options };
                let command = Command::Send { to: who, data: Data::Text(""), options };
                self.order(command, who);
                return;
            }
            Deed::Join(groups) => {
                let groups: Vec<_> = groups.iter().map(name).collect();
                self.order(Command::Join { who, groups: &lend(&groups) }, who);
                return;
            }
            Deed::Leave(groups) => {
                let groups: Vec<_> = groups.iter().map(name).collect();
                self.order(Command::Leave { who, groups: &lend(&groups) }, who);
                return;
            }
            Deed::LeaveAll => Command::LeaveAll { who },
            Deed::Close(reason) => Command::Close { who, except: &except, reason },
            Deed::Grant(number, group, send) => {
                return self.permit(hub, *number, group, *send, |it| Command::Grant(it));
            }
            Deed::Revoke(number, group, send) => {
                return self.permit(hub, *number, group, *send, |it| Command::Revoke(it));
            }
            Deed::Check(number, group, send) => {
                return self.permit(hub, *number, group, *send, |it| Command::Check(it));
            }
            Deed::Exists => Command::Exists { who },
            Deed::Count => Command::Count { who },
            Deed::List(group, after, limit) => {
                let (group, limit) = (&*name(group), usize::from(*limit));
                let command = Command::List { hub, group, after: *after, limit };
                self.order(command, Audience::Group(hub, group));
                return;
            }
        };
        self.order(command, who);
    }

    /// Publishes to a group by its key. That of one that is gone reaches nobody.
    fn publish(&mut self, publication: &Publication<'_>) {
        let Some(known) = self.groups.pick(publication.group) else { return };
        let except = publication.except.and_then(|number| self.pick(number)).map(|(_, id)| id);
        let filter = publication.condition.as_ref().and_then(|condition| self.filter(condition));
        let options = SendOptions {
            except: &except.iter().map(String::as_str).collect::<Vec<_>>(),
            filter: filter.as_ref(),
            ttl_seconds: u32::from(publication.seconds % 400),
            ..SendOptions::default()
        };
        let data = Data::Text(publication.text);
        let command = Command::Publish { group: known.key, data, options };
        let error = self.order(command, Audience::Group(&known.hub, &known.group));
        assert_eq!(error == Some(CommandError::StaleGroup), known.gone, "{known:?}");
    }

    fn reconfigure(&mut self, settings: &Settings) {
        let changed = self.engine.reconfigure(configure_anew(settings), self.now);
        assert_eq!(changed.is_err(), matches!(settings.hubs, Hubs::Twice), "{changed:?}");
    }

    /// Makes a filter; what is no filter at all is none.
    fn filter(&self, condition: &Condition<'_>) -> Option<Filter> {
        let quoted = |text: &str| text.replace('\'', "''");
        let text = match condition {
            Condition::User(number) => format!("userId eq 'u{}'", number % 3),
            Condition::Member(group) => format!("'{}' in groups", quoted(&name(group))),
            Condition::Connection(number) => {
                let id = self.pick(*number).map(|(_, id)| id).unwrap_or_default();
                format!("connectionId eq '{id}'")
            }
            Condition::Any(text) => (*text).into(),
        };
        Filter::parse(&text).ok()
    }

    fn permit(
        &mut self,
        hub: &str,
        number: u8,
        group: &Name<'_>,
        send: bool,
        command: impl FnOnce(GroupPermission<'_>) -> Command<'_>,
    ) {
        let connection_id = self.pick(number).map(|(_, id)| id).unwrap_or_default();
        let permission = if send { Permission::SendToGroup } else { Permission::JoinLeaveGroup };
        let (connection_id, group) = (&*connection_id, &*name(group));
        let command = command(GroupPermission { hub, connection_id, permission, group });
        self.order(command, Audience::Connection(hub, connection_id));
    }

    /// Carries out a command that is about an audience, and holds it to what was said of it before. Returns why it was
    /// not carried out.
    fn order(&mut self, command: Command<'_>, who: Audience<'_>) -> Option<CommandError> {
        let foretold = Foretold::ask(&self.engine, &command, who, self.now);
        let reply = self.engine.execute(command, self.now);
        let handed = self.polls.then(|| self.drain());
        foretold.hold(&self.engine, &reply, handed.as_deref());
        reply.err()
    }

    fn pick(&self, number: u8) -> Option<(ConnectionKey, String)> {
        let place = usize::from(number).checked_rem(self.connections.len())?;
        self.connections.get(self.connections.len() - 1 - place).cloned()
    }

    /// Does what there is to do. Returns what was to be sent before anything else was to be done.
    fn drain(&mut self) -> Vec<Handed> {
        let (mut handed, mut more) = (Vec::new(), true);
        while let Some(action) = self.engine.poll_action() {
            more &= matches!(action, Action::Deliver(_));
            match action {
                Action::Accept(it) => {
                    assert_eq!(self.phases.insert(it.connection, Phase::Open), Some(Phase::Asked));
                }
                Action::Refuse(it) => {
                    assert!((400..600).contains(&it.status));
                    assert_eq!(self.phases.insert(it.connection, Phase::Gone), Some(Phase::Asked));
                }
                Action::Close(it) => {
                    assert!(it.reason.len() <= 123);
                    assert_eq!(self.phases.insert(it.connection, Phase::Gone), Some(Phase::Open));
                }
                Action::Deliver(it) => {
                    assert!(it.to.len() > 0);
                    let bytes: Vec<u8> = it.frame.bytes(1).to_vec();
                    let readable = core::str::from_utf8(&bytes).is_ok();
                    assert!(readable || !it.frame.is_text(), "text is UTF-8");
                    for to in it.to {
                        assert_eq!(self.phases[&to.connection], Phase::Open);
                    }
                    if more {
                        handed.push(Handed { frame: bytes, to: it.to.connections().to_vec() });
                    }
                }
                Action::Call(it) => {
                    let first = matches!(it.event.kind, EventKind::Connect(_));
                    assert_eq!(first, it.event.number == 0);
                    self.calls.extend(it.id);
                }
                _ => {}
            }
        }
        handed
    }
}

fn hub<'a>(hub: &Hub<'a>) -> &'a str {
    match hub {
        Hub::First => "a",
        Hub::Second => "B",
        Hub::Other(name) => name,
    }
}

fn name(name: &Name<'_>) -> String {
    match name {
        Name::Small(number) => {
            ["a", "b", "c", "d.e", "message", "g", "h"][usize::from(number % 7)].into()
        }
        Name::Any(text) => (*text).into(),
    }
}

fn role(role: &Role<'_>) -> String {
    match role {
        Role::Join => "webpubsub.joinLeaveGroup".into(),
        Role::Send => "webpubsub.sendToGroup".into(),
        Role::Pattern(pattern) => format!("webpubsub.sendToGroups.{pattern}"),
        Role::Literal(group) => format!("webpubsub.joinLeaveGroup.{}", name(group)),
        Role::Any(text) => (*text).into(),
        Role::State(true) => "webpubsub.setGroupState".into(),
        Role::State(false) => "webpubsub.getGroupState".into(),
    }
}

fn write(frame: &Frame<'_>) -> Value {
    match frame {
        Frame::Join(group, ack) => {
            json!({ "type": "joinGroup", "group": name(group), "ackId": ack })
        }
        Frame::Leave(group, ack) => {
            json!({ "type": "leaveGroup", "group": name(group), "ackId": ack })
        }
        Frame::Send { group, text, no_echo, seconds, ack } => json!({
            "type": "sendToGroup", "group": name(group), "dataType": "text", "data": text,
            "noEcho": no_echo, "ttlSeconds": seconds % 400, "ackId": ack,
        }),
        Frame::Event { name: event, text, ack } => json!({
            "type": "event", "event": name(event), "data": text, "ackId": ack,
        }),
        Frame::Ping => json!({ "type": "ping" }),
    }
}

fn lend(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
