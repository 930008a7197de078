//! Hostile sequences of the frames of reliable clients, streams, states and invocations, over transports that come and
//! go: the engine never panics, its invariants and limits hold after each step, and what a reliable client is sent has
//! sequence ids without gaps and the same bytes whenever it is sent again.

mod client;
pub(crate) mod frame;
mod step;

use core::time::Duration;

use arbitrary::{Arbitrary, Unstructured};
use hubcast::{
    Action, Answer, Audience, CallId, Closed, Command, Config, Data, Engine, EventHandler,
    GroupPermission, HubConfig, Limits, Permission, Response, SendOptions, SlowConsumer, Time,
};

use self::client::Client;
use self::step::{Ending, Order, Step};

/// The most steps of one run: enough for everything that can happen, few enough to stay fast.
const STEPS_MAX: usize = 200;
const START: Time = Time::from_secs(1_790_000_000);

const LIMITS: fn() -> Limits = || Limits {
    message_bytes: 400,
    connections: 8,
    groups_per_connection: 3,
    ack_cache: 3,
    queued_messages: 3,
    queued_bytes: 600,
    call_timeout: Duration::from_secs(5),
    unacknowledged_messages: 6,
    unacknowledged_bytes: 900,
    recovery_window: Duration::from_secs(30),
    paused_messages: 4,
    paused_bytes: 500,
    streams_per_connection: 2,
    invocations_per_connection: 2,
    group_state_bytes: 40,
    ..Limits::default()
};

/// Reads steps from the bytes and carries them out.
pub fn run(data: &[u8]) {
    let mut data = Unstructured::new(data);
    let Ok(config) = u8::arbitrary(&mut data) else { return };
    let mut host = Host::new(config);
    for _ in 0..STEPS_MAX {
        if data.is_empty() {
            break;
        }
        let Ok(step) = Step::arbitrary(&mut data) else { break };
        host.take(&step);
    }
    host.finish();
}

struct Host {
    engine: Engine,
    now: Time,
    /// All clients that ever were. A client that recovers stays the same.
    clients: Vec<Client>,
    calls: Vec<CallId>,
}

impl Host {
    fn new(choice: u8) -> Self {
        let mut config = Config::new(u64::from(choice));
        config.limits = LIMITS();
        if choice & 16 != 0 {
            config.limits.messages_per_second = Some(6);
        }
        if choice & 32 != 0 {
            config.limits.messages_per_day = Some(20);
        }
        let slow_consumer = match choice & 3 {
            0 => SlowConsumer::Disconnect,
            1 => SlowConsumer::DropNewest,
            2 => SlowConsumer::DropOldest,
            _ => SlowConsumer::KeepLatest,
        };
        let mut handlers = vec![EventHandler::all("here")];
        handlers[0].system_events.connect = choice & 4 != 0;
        if choice & 8 != 0 {
            handlers.clear();
        }
        config
            .hubs
            .push(("h".into(), HubConfig { slow_consumer, handlers, ..HubConfig::default() }));
        let engine = Engine::new(config).expect("the configuration is fine");
        Self { engine, now: START, clients: Vec::new(), calls: Vec::new() }
    }

    fn take(&mut self, step: &Step<'_>) {
        let Self { engine, now, clients, calls } = self;
        match step {
            Step::Open(opening) => {
                let number = clients.len() as u8;
                clients.push(Client::open(engine, opening, number, *now));
            }
            Step::Recover(number, token, steal) => {
                let thief = pick(clients, *steal).map(|thief| clients[thief].token());
                if let Some(number) = pick(clients, *number) {
                    let token = if *token { clients[number].token() } else { thief.unwrap() };
                    let client = &mut clients[number];
                    if let Some(refused) = client.recover(engine, &token, *now) {
                        clients.push(refused);
                    }
                }
            }
            Step::Frame(number, frame) => {
                if let Some(number) = pick(clients, *number) {
                    clients[number].send(engine, frame, *now);
                }
            }
            Step::Close(number, ending) => {
                if let Some(number) = pick(clients, *number) {
                    let how = match ending {
                        Ending::Lost => Closed::Lost,
                        Ending::Clean => Closed::Clean { code: 1000, reason: "" },
                        Ending::Odd(code) => Closed::Clean { code: *code, reason: "odd" },
                        Ending::Slow => Closed::SlowConsumer,
                    };
                    engine.close(clients[number].key, how, *now);
                }
            }
            Step::Pause(number) => {
                if let Some(number) = pick(clients, *number) {
                    engine.pause(clients[number].key, *now);
                }
            }
            Step::Resume(number) => {
                if let Some(number) = pick(clients, *number) {
                    engine.resume(clients[number].key, *now);
                }
            }
            Step::Answer(number, fails, text) => {
                if let Some(place) = usize::from(*number).checked_rem(calls.len()) {
                    let call = calls[calls.len() - 1 - place];
                    let reply = match number >> 6 {
                        0 => Response { data: Some(Data::Text(text)), ..Response::default() },
                        1 => Response { data: Some(Data::Json(text)), ..Response::default() },
                        2 => Response {
                            data: Some(Data::Binary(text.as_bytes())),
                            metadata: &[("k", "v")],
                            state: Some(text),
                        },
                        _ => Response { metadata: &[("k", text)], ..Response::default() },
                    };
                    let answer = if *fails { Answer::Fail } else { Answer::Reply(reply) };
                    engine.answer(call, answer, *now);
                }
            }
            Step::Admit(number) => {
                if let Some(place) = usize::from(*number).checked_rem(calls.len()) {
                    let call = calls[calls.len() - 1 - place];
                    engine.answer(call, Answer::Accept(hubcast::Admission::default()), *now);
                }
            }
            Step::Order(order) => self.order(order),
            Step::Advance(millis) => {
                *now = *now + Duration::from_millis(u64::from(*millis));
                engine.advance(*now);
                let next = engine.next_deadline();
                assert!(next.is_none_or(|next| next > *now), "what is due has been done");
            }
            Step::Drain => self.drain(),
        }
        self.engine.check();
        self.check_limits();
    }

    fn finish(mut self) {
        self.drain();
        self.engine.advance(self.now + Duration::from_secs(3600));
        self.drain();
        self.engine.check();
        self.engine.stop("the end", self.now);
        self.drain();
        self.engine.check();
        assert_eq!(self.engine.next_deadline(), None, "nobody is left to wait for");
        assert!(self.engine.metrics().hubs.iter().all(|hub| hub.connections == 0));
    }

    fn order(&mut self, order: &Order<'_>) {
        let id = |number: u8| {
            let number = pick(&self.clients, number)?;
            Some(self.clients[number].id.clone())
        };
        let group;
        let command = match order {
            Order::Send(of, text, seconds) => {
                group = frame::group(*of);
                let options = SendOptions {
                    ttl_seconds: u32::from(*seconds) % 301,
                    ..SendOptions::default()
                };
                Command::Send { to: Audience::Group("h", group), data: Data::Text(text), options }
            }
            Order::Revoke(number, of) | Order::Grant(number, of) => {
                let Some(id) = id(*number) else { return };
                let permission = GroupPermission {
                    hub: "h",
                    connection_id: &id,
                    permission: Permission::SendToGroup,
                    group: frame::group(*of),
                };
                let revoke = matches!(order, Order::Revoke(..));
                let command =
                    if revoke { Command::Revoke(permission) } else { Command::Grant(permission) };
                let _outcome = self.engine.execute(command, self.now);
                return;
            }
            Order::Join(number, of) | Order::Leave(number, of) => {
                let Some(id) = id(*number) else { return };
                let who = Audience::Connection("h", &id);
                let groups = &[frame::group(*of)];
                let join = matches!(order, Order::Join(..));
                let command = if join {
                    Command::Join { who, groups }
                } else {
                    Command::Leave { who, groups }
                };
                let _outcome = self.engine.execute(command, self.now);
                return;
            }
            Order::Close(number) => {
                let Some(id) = id(*number) else { return };
                let who = Audience::Connection("h", &id);
                let command = Command::Close { who, except: &[], reason: "so" };
                let _outcome = self.engine.execute(command, self.now);
                return;
            }
        };
        let _outcome = self.engine.execute(command, self.now);
    }

    fn drain(&mut self) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Deliver(it) => {
                    for to in it.to {
                        let client = self.clients.iter_mut().find(|each| each.is(to.connection));
                        let client = client.expect("somebody gets it");
                        let bytes = it.frame.bytes(to.sequence);
                        client.take(to.connection, &bytes, to.sequence);
                    }
                }
                Action::Call(it) => self.calls.extend(it.id),
                _ => {}
            }
        }
    }

    /// Whatever was sent, nothing grows past its limit.
    fn check_limits(&self) {
        let limits = LIMITS();
        for client in &self.clients {
            let Some(view) = self.engine.connection(client.key) else { continue };
            let most = if view.protocol().is_reliable() {
                limits.unacknowledged_messages
            } else {
                limits.paused_messages
            };
            assert!(view.unacknowledged() + view.waiting() <= most);
            assert!(view.queued() <= limits.queued_messages);
        }
    }
}

fn pick(clients: &[Client], number: u8) -> Option<usize> {
    let place = usize::from(number).checked_rem(clients.len())?;
    Some(clients.len() - 1 - place)
}
