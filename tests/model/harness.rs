//! Carries out each step on the engine and on the model, and compares.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use hubcast::{
    Action, Admission, Answer, Audience, CallId, Closed, Command, CommandError, Config,
    ConnectionKey, Engine, EventHandler, EventPattern, FailedEvent, GroupPermission, HubConfig,
    Incoming, Limits, Open, Permission, PlainMode, Protocol, Recovery, Reply, Response,
    SendOptions, SystemEvents, Time, UnknownHubs,
};

use crate::model::command::Outcome;
use crate::model::{self, Counters, Model};
use crate::operation::{
    Deed, Ending, Message, Opening, Operation, Order, Payload, Right, Setup, Step, Whom,
};
use crate::wire::{Seen, read_call, read_frame};

/// Shortly before a second and a day end.
const START: Time = Time::from_millis(1_790_035_200_000 - 5_300);

pub(crate) struct Harness {
    engine: Engine,
    model: Model,
    now: Time,
    /// All connections that ever were, by number.
    keys: Vec<ConnectionKey>,
    numbers: BTreeMap<ConnectionKey, usize>,
    /// Their ids; empty where the engine took them for gone at once.
    ids: Vec<String>,
    /// Which of them speak JSON, since they were accepted.
    json: BTreeMap<usize, bool>,
    calls: Vec<(CallId, usize, u64)>,
}

impl Harness {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self {
            engine: Engine::new(configure(setup)).expect("the configuration is good"),
            model: Model::new(setup.clone(), START),
            now: START,
            keys: Vec::new(),
            numbers: BTreeMap::new(),
            ids: Vec::new(),
            json: BTreeMap::new(),
            calls: Vec::new(),
        }
    }

    pub(crate) fn take(&mut self, step: &Step) {
        let then = self.now + Duration::from_millis(step.millis);
        if step.punctual {
            self.pass(then);
        }
        self.now = then;
        self.model.clock(then);
        self.carry_out(&step.operation);
        self.engine.check();
        if !step.hold {
            self.compare_actions();
        }
        self.compare_state();
    }

    /// Ends everything and looks whether nothing is left.
    pub(crate) fn finish(&mut self) {
        self.carry_out(&Operation::Stop("the end".into()));
        self.compare_actions();
        self.compare_state();
        self.engine.check();
        assert!(self.model.connections.is_empty());
        assert_eq!(self.engine.next_deadline(), None);
    }

    /// Lets time pass as a good host does, which comes back at every deadline.
    fn pass(&mut self, then: Time) {
        loop {
            let next = self.engine.next_deadline();
            let due = self.model.next_deadline();
            assert_eq!(next.is_some(), due.is_some(), "there is a deadline where one is needed");
            assert!(next <= due, "a deadline never comes late: {next:?}, needed {due:?}");
            let Some(next) = next.filter(|next| *next <= then) else { break };
            self.now = self.now.max(next);
            self.advance();
        }
    }

    fn advance(&mut self) {
        self.engine.advance(self.now);
        self.model.clock(self.now);
        self.model.advance();
        let next = self.engine.next_deadline();
        assert!(next.is_none_or(|next| next > self.now), "all that is due has been done");
    }

    fn carry_out(&mut self, operation: &Operation) {
        match operation {
            Operation::Open(opening) => self.open(opening),
            Operation::Receive(whose, message) => {
                if let Some(number) = self.pick(*whose) {
                    let key = self.keys[number];
                    let text;
                    let incoming = match message {
                        Message::Frame(frame) => {
                            text = frame.text();
                            Incoming::Text(&text)
                        }
                        Message::Text(text) => Incoming::Text(text),
                        Message::Binary(bytes) => Incoming::Binary(bytes),
                        Message::Alive => Incoming::Alive,
                        Message::TooLarge => Incoming::TooLarge,
                        Message::Malformed => Incoming::Malformed,
                        Message::NotUtf8 => Incoming::NotUtf8,
                    };
                    self.engine.receive(key, incoming, self.now);
                    self.model.receive(number, message);
                }
            }
            Operation::Close(whose, ending) => {
                if let Some(number) = self.pick(*whose) {
                    let how = match ending {
                        Ending::Clean(reason) => Closed::Clean { code: 1000, reason },
                        Ending::Lost => Closed::Lost,
                        Ending::SlowConsumer => Closed::SlowConsumer,
                    };
                    self.engine.close(self.keys[number], how, self.now);
                    self.model.leave(number);
                }
            }
            Operation::Answer(which, reply) => self.answer(*which, reply),
            Operation::Execute(order) => self.execute(order),
            Operation::Advance => self.advance(),
            Operation::Stop(reason) => {
                self.engine.stop(reason, self.now);
                self.model.stop();
            }
        }
    }

    /// Finds a connection, counted from the newest: first those that are there, then those that are gone.
    fn pick(&self, place: usize) -> Option<usize> {
        self.order().get(place).copied()
    }

    fn order(&self) -> Vec<usize> {
        let mut numbers: Vec<_> = (0..self.keys.len()).rev().collect();
        numbers.sort_by_key(|number| !self.model.connections.contains_key(number));
        numbers
    }

    fn open(&mut self, opening: &Opening) {
        let number = self.keys.len();
        let mut entropy = [0x5a; 32];
        entropy[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let request = Open {
            hub: &opening.hub,
            protocol: if opening.json { Protocol::Json } else { Protocol::Plain },
            plain_mode: match &opening.target {
                Some((group, no_echo)) => PlainMode::SendToGroup { group, no_echo: *no_echo },
                None => PlainMode::SendEvent,
            },
            anonymous: opening.anonymous,
            user: opening.user.as_deref(),
            roles: &lend(&opening.roles),
            groups: &lend(&opening.groups),
            subprotocols: &lend(&opening.subprotocols),
            recovery: opening.recovery.then_some(Recovery { connection_id: "x", token: "y" }),
            entropy,
            ..Open::default()
        };
        let key = self.engine.open(request, self.now);
        let id = self.engine.connection(key).map_or(String::new(), |view| view.id().to_string());
        assert_eq!(self.numbers.insert(key, number), None, "{key:?} was given before");
        self.keys.push(key);
        self.model.open(number, key.index(), &id, opening);
        self.ids.push(id);
    }

    fn answer(&mut self, which: usize, reply: &crate::operation::Reply) {
        use crate::operation::Reply as Said;
        // Those that are waited for come first, so that not nearly all answers come too late.
        let (waiting, rest): (Vec<_>, Vec<_>) = self.calls.iter().rev().partition(|call| {
            let connection = self.model.connections.get(&call.1);
            connection.is_some_and(|connection| connection.waits_for(call.2))
        });
        let Some(&(call, number, event)) = waiting.into_iter().chain(rest).nth(which) else {
            return;
        };
        let (roles, groups): (Option<Vec<_>>, Option<Vec<_>>);
        let pairs: Vec<_>;
        let answer = match reply {
            Said::Accept { user, roles: said, groups: named, subprotocol, state } => {
                roles = said.as_deref().map(lend);
                groups = named.as_deref().map(lend);
                Answer::Accept(Admission {
                    user: user.as_deref(),
                    roles: roles.as_deref(),
                    groups: groups.as_deref(),
                    subprotocol: subprotocol.as_deref(),
                    state: state.as_deref(),
                })
            }
            Said::Refuse(status) => Answer::Refuse { status: *status, reason: "no" },
            Said::Respond { data, metadata, state } => {
                pairs = lend_pairs(metadata);
                let data = data.as_ref().map(Payload::lend);
                Answer::Reply(Response { data, metadata: &pairs, state: state.as_deref() })
            }
            Said::Fail => Answer::Fail,
        };
        self.engine.answer(call, answer, self.now);
        self.model.answer(number, event, reply);
    }

    fn execute(&mut self, order: &Order) {
        let ids: Vec<_> = self.order().iter().map(|&number| self.ids[number].clone()).collect();
        let expected = self.model.execute(order, &ids);
        let actual = command(&mut self.engine, order, &ids, self.now).map(|reply| match reply {
            Reply::Members(page) => {
                let members = page.members.into_iter();
                let members = members.map(|it| (it.connection_id.to_string(), it.user));
                Outcome::Page(members.collect(), page.more)
            }
            other => Outcome::Reply(other),
        });
        assert_eq!(actual, expected, "{order:?}");
    }

    /// Polls all actions and compares what each connection was told, in order.
    fn compare_actions(&mut self) {
        let mut told: BTreeMap<usize, Vec<Seen>> = BTreeMap::new();
        while let Some(action) = self.engine.poll_action() {
            let (key, seen) = match action {
                Action::Accept(it) => {
                    let number = self.numbers[&it.connection];
                    let named = it.subprotocol.and_then(Protocol::from_name);
                    self.json.insert(number, named == Some(Protocol::Json));
                    let id = if self.ids[number].is_empty() { "" } else { &*it.connection_id };
                    let subprotocol = it.subprotocol.map(str::to_owned);
                    (it.connection, Seen::Accept { id: id.to_owned(), subprotocol })
                }
                Action::Refuse(it) => (it.connection, Seen::Refuse(it.status)),
                Action::Close(it) => {
                    assert!(it.reason.len() <= 123, "a close frame has room for {:?}", it.reason);
                    (it.connection, Seen::Close(it.code))
                }
                Action::Call(it) => {
                    let number = self.numbers[&it.connection];
                    self.calls.extend(it.id.map(|id| (id, number, it.event.number)));
                    assert_eq!(&*it.event.connection_id, self.ids[number]);
                    (it.connection, read_call(&it))
                }
                Action::Deliver(it) => {
                    let recipients: BTreeSet<_> = it.to.connections().iter().collect();
                    assert_eq!(recipients.len(), it.to.len(), "nobody gets a frame twice");
                    assert!(!recipients.is_empty(), "a frame goes to somebody");
                    for recipient in it.to {
                        let number = self.numbers[&recipient.connection];
                        let seen = read_frame(it.frame, self.json[&number], it.expires);
                        told.entry(number).or_default().push(seen);
                    }
                    continue;
                }
                other => panic!("unknown action: {other:?}"),
            };
            told.entry(self.numbers[&key]).or_default().push(seen);
        }
        assert_eq!(told, std::mem::take(&mut self.model.told), "what was told, by connection");
    }

    fn compare_state(&self) {
        for (number, &key) in self.keys.iter().enumerate() {
            let view = self.engine.connection(key);
            let expected = self.model.connections.get(&number);
            assert_eq!(view.is_some(), expected.is_some(), "whether {number} is there");
            let (Some(view), Some(expected)) = (view, expected) else { continue };
            let groups: Vec<_> = view.groups().map(str::to_owned).collect();
            assert_eq!(groups.len(), expected.groups.len(), "a group once");
            assert_eq!(groups.into_iter().collect::<BTreeSet<_>>(), expected.groups);
            assert_eq!(&*view.id(), expected.id);
            assert_eq!(view.hub(), expected.hub);
            assert_eq!(view.is_open(), expected.open);
            assert_eq!(view.user(), expected.user.as_deref());
            assert_eq!(view.state(), expected.state.as_deref());
            assert_eq!(view.heard(), expected.heard);
            assert_eq!(view.queued(), expected.waiting.as_ref().map_or(0, |it| it.queue.len()));
            if view.is_open() {
                assert_eq!(view.subprotocol(), expected.subprotocol.as_deref());
            }
            let found = self.engine.find(&expected.hub, &expected.id);
            assert_eq!(found, expected.open.then_some(key), "found by its id where it is open");
        }
        self.compare_metrics();
    }

    fn compare_metrics(&self) {
        let metrics = self.engine.metrics();
        let closes = metrics.closes;
        let counters = Counters {
            refused: metrics.refused,
            stale_inputs: metrics.stale_inputs,
            messages_in: metrics.messages_in,
            messages_out: metrics.messages_out,
            messages_throttled: metrics.messages_throttled,
            deliveries: metrics.deliveries,
            calls: metrics.calls,
            closes: [
                closes.normal,
                closes.closed_by_app_server,
                closes.bad_request,
                closes.unauthorized,
                closes.throttled,
                closes.slow_client,
                closes.ping_timeout,
                closes.send_event_failed,
                closes.event_handler_not_found,
                closes.service_reload,
            ]
            .iter()
            .sum(),
        };
        assert_eq!(counters, self.model.counters);
        for hub in &metrics.hubs {
            assert_eq!(hub.connections, self.model.open_in(&hub.hub), "open in {}", hub.hub);
        }
    }
}

fn command(
    engine: &mut Engine,
    order: &Order,
    ids: &[String],
    now: Time,
) -> Result<Reply, CommandError> {
    let id = |number: usize| ids.get(number).map_or("", String::as_str);
    let hub = &*order.hub;
    let who = match &order.whom {
        Whom::Hub => Audience::Hub(hub),
        Whom::Group(group) => Audience::Group(hub, group),
        Whom::User(user) => Audience::User(hub, user),
        Whom::Connection(number) => Audience::Connection(hub, id(*number)),
    };
    let except: Vec<_> = order.except.iter().map(|&number| id(number)).collect();
    let permission = |number: &usize, right: &Right, group| GroupPermission {
        hub,
        connection_id: id(*number),
        permission: match right {
            Right::Join => Permission::JoinLeaveGroup,
            Right::Send => Permission::SendToGroup,
        },
        group,
    };
    let (pairs, groups): (Vec<_>, Vec<_>);
    let command = match &order.deed {
        Deed::Send { data, metadata, ttl } => {
            pairs = lend_pairs(metadata);
            let options = SendOptions { except: &except, metadata: &pairs, ttl_seconds: *ttl };
            Command::Send { to: who, data: data.lend(), options }
        }
        Deed::Join(names) => {
            groups = lend(names);
            Command::Join { who, groups: &groups }
        }
        Deed::Leave(names) => {
            groups = lend(names);
            Command::Leave { who, groups: &groups }
        }
        Deed::LeaveAll => Command::LeaveAll { who },
        Deed::Close(reason) => Command::Close { who, except: &except, reason },
        Deed::Grant(number, right, group) => Command::Grant(permission(number, right, group)),
        Deed::Revoke(number, right, group) => Command::Revoke(permission(number, right, group)),
        Deed::Check(number, right, group) => Command::Check(permission(number, right, group)),
        Deed::Exists => Command::Exists { who },
        Deed::Count => Command::Count { who },
        Deed::List { group, after, limit } => {
            Command::List { hub, group, after: after.map(id), limit: *limit }
        }
    };
    engine.execute(command, now)
}

fn configure(setup: &Setup) -> Config {
    let mut config = Config::new(7);
    config.limits = Limits {
        message_bytes: model::MESSAGE_BYTES,
        connections: model::CONNECTIONS,
        groups_per_connection: model::GROUPS,
        ack_cache: model::ACK_CACHE,
        queued_messages: model::QUEUED_MESSAGES,
        queued_bytes: model::QUEUED_BYTES,
        patterns_per_permission: model::PATTERNS,
        literals_per_permission: model::LITERALS,
        handshake_timeout: Duration::from_secs(setup.handshake_seconds),
        call_timeout: model::CALL,
        idle_timeout: setup.idle_seconds.map(Duration::from_secs),
        messages_per_second: setup.per_second,
        messages_per_day: setup.per_day,
        ..Limits::default()
    };
    if setup.refuse_unknown_hubs {
        config.unknown_hubs = UnknownHubs::Refuse;
    }
    config.hubs_max = model::HUBS;
    let handlers = setup.handlers.iter().enumerate().map(|(place, handler)| EventHandler {
        url: place.to_string(),
        user_events: EventPattern::parse(handler.events),
        system_events: SystemEvents {
            connect: handler.connect,
            connected: handler.connected,
            disconnected: handler.disconnected,
            ..SystemEvents::NONE
        },
    });
    let first = HubConfig {
        allow_anonymous: true,
        handlers: handlers.collect(),
        failed_event: if setup.close_on_failure {
            FailedEvent::Close
        } else {
            FailedEvent::KeepOpen
        },
        ..HubConfig::default()
    };
    config.hubs = vec![("First".into(), first), ("second".into(), HubConfig::default())];
    config
}

fn lend(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}

fn lend_pairs(pairs: &[(String, String)]) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
