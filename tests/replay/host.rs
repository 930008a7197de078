//! A host that does what it is told by random operations, with an engine that is recorded.

use std::time::Duration;

use hubcast::replay::{JournalConfig, Outcome, Recorder, Replay, write_action, write_outcome};
use hubcast::testing::{
    Deed, Ending, Opening, Operation, Order, Recovering, Said, Setup, Step, Whom,
};
use hubcast::{
    Action, Audience, CallId, Closed, Command, Config, ConnectionKey, ConnectionView, EventHandler,
    EventListener, EventPattern, FailedEvent, Filter, GroupPermission, HubConfig, Incoming, Open,
    PlainMode, Protocol, Records, Recovery, SendOptions, SystemEvents, Time, UnknownHubs,
};

/// What no redacted journal may have in it. None of it comes out of the strategies by chance.
pub(crate) const SECRETS: [&str; 5] =
    ["query-secret", "header-secret", "claim-secret", "certificate-secret", "handler-secret"];

pub(crate) struct Host {
    pub(crate) engine: Recorder,
    /// The canonical form of every action, in the order in which they were polled.
    pub(crate) actions: Vec<Vec<u8>>,
    /// The same for outcomes.
    pub(crate) outcomes: Vec<Vec<u8>>,
    /// The connection ids and recovery tokens, as text.
    pub(crate) ids: Vec<String>,
    pub(crate) tokens: Vec<String>,
    config: Config,
    now: Time,
    keys: Vec<ConnectionKey>,
    calls: Vec<CallId>,
}

impl Host {
    pub(crate) fn new(setup: &Setup, journal: Option<JournalConfig>) -> Self {
        let config = configure(setup);
        Self {
            engine: Recorder::new(config.clone(), journal).unwrap(),
            actions: Vec::new(),
            outcomes: Vec::new(),
            ids: Vec::new(),
            tokens: Vec::new(),
            config,
            now: Time::from_millis(1_790_035_200_000 - 5_300),
            keys: Vec::new(),
            calls: Vec::new(),
        }
    }

    /// Takes all steps and returns the journal.
    pub(crate) fn run(&mut self, steps: &[Step]) -> Vec<u8> {
        for step in steps {
            self.step(step);
        }
        self.drain();
        self.engine.finish()
    }

    pub(crate) fn step(&mut self, step: &Step) {
        self.now = self.now + Duration::from_millis(step.millis);
        if step.punctual && self.engine.next_deadline().is_some_and(|next| next <= self.now) {
            self.engine.advance(self.now);
            self.put(&Outcome::Done);
        }
        self.carry_out(&step.operation);
        if !step.hold {
            self.drain();
        } else if let Some(action) = self.engine.poll_action() {
            // One is polled, the others wait.
            self.actions.push(canonical(&action));
        }
    }

    fn carry_out(&mut self, operation: &Operation) {
        let now = self.now;
        let outcome = match operation {
            Operation::Open(opening) => self.open(opening),
            Operation::Recover(recovering) => self.recover(recovering),
            Operation::Receive(whose, said) => {
                let Some(key) = self.key(*whose) else { return };
                let protocol = self.engine.connection(key).map(ConnectionView::protocol);
                let packet = said.packet(protocol.unwrap_or_default());
                let incoming = match (said, &packet) {
                    (Said::TooLarge, _) => Incoming::TooLarge,
                    (Said::Malformed, _) => Incoming::Malformed,
                    (Said::NotUtf8, _) => Incoming::NotUtf8,
                    (_, Some(packet)) => packet.incoming(),
                    (_, None) => Incoming::Alive,
                };
                self.engine.receive(key, incoming, now);
                Outcome::Done
            }
            Operation::Close(whose, ending) => {
                let Some(key) = self.key(*whose) else { return };
                let how = match ending {
                    Ending::Clean(code, reason) => Closed::Clean { code: *code, reason },
                    Ending::Lost => Closed::Lost,
                    Ending::SlowConsumer => Closed::SlowConsumer,
                };
                self.engine.close(key, how, now);
                Outcome::Done
            }
            Operation::Pause(whose) => {
                let Some(key) = self.key(*whose) else { return };
                self.engine.pause(key, now);
                Outcome::Done
            }
            Operation::Resume(whose) => {
                let Some(key) = self.key(*whose) else { return };
                self.engine.resume(key, now);
                Outcome::Done
            }
            Operation::Answer(which, reply) => {
                let Some(&call) = self.calls.iter().rev().nth(*which) else { return };
                let engine = &mut self.engine;
                reply.lend(|answer| engine.answer(call, answer, now));
                Outcome::Done
            }
            Operation::Execute(order) => self.execute(order),
            // There is no operation that sets the engine up anew.
            Operation::Advance if self.actions.len().is_multiple_of(3) => {
                self.config.limits.ack_cache = self.actions.len() + 1;
                Outcome::Reconfigured(self.engine.reconfigure(self.config.clone(), now))
            }
            Operation::Advance => {
                self.engine.advance(now);
                Outcome::Done
            }
            Operation::Stop(reason) => {
                self.engine.stop(reason, now);
                Outcome::Done
            }
        };
        self.put(&outcome);
    }

    fn put(&mut self, outcome: &Outcome) {
        let mut bytes = Vec::new();
        write_outcome(outcome, &mut bytes);
        self.outcomes.push(bytes);
    }

    fn drain(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            self.actions.push(canonical(&action));
            if let Action::Call(call) = action {
                self.calls.extend(call.id);
            }
        }
    }

    fn key(&self, whose: usize) -> Option<ConnectionKey> {
        self.keys.iter().rev().nth(whose).copied()
    }

    fn id(&self, whose: usize) -> &str {
        self.ids.iter().rev().nth(whose).map_or("", String::as_str)
    }

    fn open(&mut self, opening: &Opening) -> Outcome {
        let entropy = entropy(self.keys.len());
        let request = Open {
            hub: &opening.hub,
            protocol: opening.protocol,
            plain_mode: match &opening.target {
                Some((group, no_echo)) => PlainMode::SendToGroup { group, no_echo: *no_echo },
                None => PlainMode::SendEvent,
            },
            anonymous: opening.anonymous,
            user: opening.user.as_deref(),
            roles: &lend(&opening.roles),
            groups: &lend(&opening.groups),
            subprotocols: &lend(&opening.subprotocols),
            claims: &[("sub", SECRETS[2]), ("role", "r")],
            query: &[("access_token", SECRETS[0])],
            headers: &[("authorization", SECRETS[1]), ("host", "here")],
            certificates: &[hubcast::Certificate { thumbprint: "00", content: SECRETS[3] }],
            recovery: None,
            entropy,
        };
        let key = self.engine.open(request, self.now);
        self.keys.push(key);
        self.tokens.push(hex(&entropy[16..]));
        self.ids.push(self.engine.connection(key).map_or(String::new(), |it| it.id().to_string()));
        Outcome::Opened(key)
    }

    fn recover(&mut self, recovering: &Recovering) -> Outcome {
        let token_of = self.tokens.iter().rev().nth(recovering.token_of).cloned();
        let (id, token) = (self.id(recovering.whose).to_owned(), token_of.unwrap_or_default());
        let request = Open {
            hub: &recovering.hub,
            protocol: Protocol::ReliableJson,
            subprotocols: &lend(&recovering.subprotocols),
            recovery: Some(Recovery { connection_id: &id, token: &token }),
            entropy: entropy(self.keys.len()),
            ..Open::default()
        };
        let key = self.engine.open(request, self.now);
        self.keys.push(key);
        self.ids.push(id);
        self.tokens.push(token);
        Outcome::Opened(key)
    }

    fn execute(&mut self, order: &Order) -> Outcome {
        let (engine, ids, hub) = (&mut self.engine, &self.ids, &*order.hub);
        let id = |whose: usize| ids.iter().rev().nth(whose).map_or("", String::as_str);
        let filter = match &order.whom {
            Whom::Hub | Whom::Group(_) => "'g' in groups or userId ne 'nobody'".to_owned(),
            Whom::User(user) => format!("userId eq '{}'", user.replace('\'', "''")),
            Whom::Connection(whose) => format!("connectionId ne '{}'", id(*whose)),
            Whom::Matching(condition) => condition.text(ids),
        };
        let filter = Filter::parse(&filter).unwrap();
        let who = match &order.whom {
            Whom::Hub => Audience::Hub(hub),
            Whom::Group(group) => Audience::Group(hub, group),
            Whom::User(user) => Audience::User(hub, user),
            Whom::Connection(whose) => Audience::Connection(hub, id(*whose)),
            Whom::Matching(_) => Audience::Matching(hub, &filter),
        };
        let found = match &order.whom {
            Whom::Group(group) => engine.group(hub, group),
            Whom::Hub | Whom::User(_) | Whom::Connection(_) | Whom::Matching(_) => None,
        };
        let except: Vec<_> = order.except.iter().map(|&whose| id(whose)).collect();
        let right = |whose: usize, permission, group| GroupPermission {
            hub,
            connection_id: id(whose),
            permission,
            group,
        };
        let (pairs, groups, own_filter): (Vec<_>, Vec<_>, _);
        let command = match &order.deed {
            Deed::Send { data, metadata, ttl, filter: condition } => {
                pairs = metadata.iter().map(|(key, value)| (&**key, &**value)).collect::<Vec<_>>();
                let own = condition.as_ref().map(|condition| Filter::parse(&condition.text(ids)));
                own_filter = own.transpose().unwrap();
                let filter = own_filter.as_ref().or(except.is_empty().then_some(&filter));
                let options =
                    SendOptions { except: &except, filter, metadata: &pairs, ttl_seconds: *ttl };
                // Now and then as those do who publish to the same group over and over.
                match found.filter(|_| ttl.is_multiple_of(2)) {
                    Some(group) => Command::Publish { group, data: data.lend(), options },
                    None => Command::Send { to: who, data: data.lend(), options },
                }
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
            Deed::Grant(whose, permission, group) => {
                Command::Grant(right(*whose, *permission, group))
            }
            Deed::Revoke(whose, permission, group) => {
                Command::Revoke(right(*whose, *permission, group))
            }
            Deed::Check(whose, permission, group) => {
                Command::Check(right(*whose, *permission, group))
            }
            Deed::Exists => Command::Exists { who },
            Deed::Count => Command::Count { who: Audience::Matching(hub, &filter) },
            Deed::List { group, after, limit } => {
                let after = after.map(id);
                Command::List { hub, group, after, limit: *limit }
            }
        };
        Outcome::Executed(engine.execute(command, self.now))
    }
}

/// What a replay got.
pub(crate) struct Replayed {
    pub(crate) actions: Vec<Vec<u8>>,
    pub(crate) outcomes: Vec<Vec<u8>>,
    pub(crate) digest: u64,
    pub(crate) inputs: u64,
}

/// Plays a journal that has to be good, and looks at every invariant after every step.
pub(crate) fn replay(journal: &[u8]) -> Replayed {
    let mut replay = Replay::new(journal).unwrap();
    let (mut actions, mut outcomes) = (Vec::new(), Vec::new());
    while let Some(step) = replay.step().unwrap() {
        let mut bytes = Vec::new();
        write_outcome(&step.outcome, &mut bytes);
        outcomes.push(bytes);
        while let Some(action) = replay.poll_action() {
            actions.push(canonical(&action));
        }
        replay.engine().check();
    }
    assert_eq!(replay.divergence(), None);
    Replayed { actions, outcomes, digest: replay.digest().value(), inputs: replay.inputs() }
}

pub(crate) fn canonical(action: &Action<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_action(action, &mut bytes);
    bytes
}

fn configure(setup: &Setup) -> Config {
    let mut config = Config::new(0x5eed_0000_5eed_0000);
    config.records = Records::Messages;
    config.limits.idle_timeout = setup.idle_seconds.map(Duration::from_secs);
    config.limits.handshake_timeout = Duration::from_secs(setup.handshake_seconds);
    config.limits.messages_per_second = setup.per_second;
    config.limits.messages_per_day = setup.per_day;
    config.limits.paused_messages = 3;
    if setup.refuse_unknown_hubs {
        config.unknown_hubs = UnknownHubs::Refuse;
    }
    let handlers = setup.handlers.iter().map(|handler| EventHandler {
        url: SECRETS[4].into(),
        user_events: EventPattern::parse(handler.events),
        system_events: SystemEvents {
            connect: handler.connect,
            connected: handler.connected,
            disconnected: handler.disconnected,
            joined: handler.joined,
            left: handler.left,
        },
    });
    let first = HubConfig {
        allow_anonymous: true,
        handlers: handlers.collect(),
        listeners: vec![EventListener::all(SECRETS[4])],
        failed_event: if setup.close_on_failure {
            FailedEvent::Close
        } else {
            FailedEvent::KeepOpen
        },
        slow_consumer: setup.slow_consumer,
        limits: None,
    };
    config.hubs = vec![("first".into(), first), ("second".into(), HubConfig::default())];
    config
}

/// No two bytes of it are the same for long, so that it is found where it is.
pub(crate) fn entropy(number: usize) -> [u8; 32] {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(number as u64 + 1);
    core::array::from_fn(|_| {
        state = (state ^ (state >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (state >> 32) as u8
    })
}

const DIGITS: [char; 16] =
    ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|it| DIGITS[usize::from(it)]).collect()
}

fn lend(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
