//! The engine: its verbs, the actions that come out, and what can be seen of it.

mod advance;
mod answer;
mod close;
mod event;
mod execute;
mod explain;
mod fanout;
mod group_state;
mod inspect;
mod invoke;
mod membership;
mod open;
mod overview;
mod pause;
mod receive;
mod reconfigure;
mod report;
mod request;
mod select;
mod session;
#[cfg(test)]
mod stage;
mod stream;
mod view;

use alloc::vec::Vec;

use bytes::BytesMut;

pub use self::overview::{GroupView, HubView, UserView};
pub use self::view::ConnectionView;
use crate::action::Action;
use crate::command::{Command, CommandError, Reply};
use crate::config::{Config, ConfigError, Limits, Records, UnknownHubs};
use crate::event::{Answer, CallId};
use crate::input::{Closed, Incoming, Open};
use crate::metrics::Metrics;
use crate::outbox::Outbox;
use crate::protocol;
use crate::state::{ConnectionKey, World};
use crate::time::Time;

/// A whole real-time messaging service except its I/O.
///
/// Its methods are of four kinds:
/// - **What happens to it** goes in with [`open`](Self::open), [`receive`](Self::receive),
///   [`close`](Self::close), [`answer`](Self::answer), [`pause`](Self::pause), [`resume`](Self::resume) and
///   [`advance`](Self::advance). These never fail: what a peer does wrong comes out as an action, what concerns a connection that is gone is counted and
///   ignored.
/// - **What the server asks** goes in with [`execute`](Self::execute) and is answered at once; and
///   [`reconfigure`](Self::reconfigure) and [`stop`](Self::stop) are for whoever runs it.
/// - **What to do next** comes out of [`poll_action`](Self::poll_action), until it returns `None`; then
///   [`next_deadline`](Self::next_deadline) tells when to call `advance`.
/// - **What is so** can be read with [`connection`](Self::connection), [`find`](Self::find), [`hubs`](Self::hubs)
///   and [`metrics`](Self::metrics).
///
/// Inputs may be fed one by one or many at a time before the actions are polled: actions are complete when
/// they are queued, and their order is the order in which things happened.
///
/// The engine reads no clock, draws no random number and does no I/O: the same inputs give the same actions.
///
/// # Examples
///
/// An action borrows from the engine until it is carried out, so nothing can be fed while one is held:
///
/// ```compile_fail,E0499
/// # use hubcast::{Config, Engine, Time};
/// # let mut engine = Engine::new(Config::new(1)).unwrap();
/// let action = engine.poll_action();
/// engine.advance(Time::EPOCH);
/// drop(action);
/// ```
#[derive(Debug)]
pub struct Engine {
    world: World,
    outbox: Outbox,
    metrics: Metrics,
    /// The latest time that was told.
    now: Time,
    stopped: bool,
    /// Connections for whom a message was one too many. They are closed when the verb is done.
    doomed: Vec<ConnectionKey>,
    /// Where recipients are sorted that lie in no list by class.
    sorting: fanout::Sorting,
    unknown_hubs: UnknownHubs,
    records: Records,
    hubs_max: usize,
    limits: Limits,
    /// Frames are cut from here.
    buffer: BytesMut,
    /// Decoded texts and bytes lie here while a message is processed.
    scratch: Vec<u8>,
}

impl Engine {
    /// Makes an engine without connections.
    ///
    /// # Errors
    /// When the configuration breaks a rule; the error names the field.
    ///
    /// ```
    /// use hubcast::{Config, Engine, HubConfig};
    ///
    /// let mut config = Config::new(1);
    /// config.hubs.push(("7th heaven".into(), HubConfig::default()));
    /// assert!(Engine::new(config).unwrap_err().to_string().contains("must be a letter"));
    /// ```
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        config.check()?;
        let mut engine = Self {
            world: World::new(config.seed),
            outbox: Outbox::default(),
            metrics: Metrics::default(),
            now: Time::EPOCH,
            stopped: false,
            doomed: Vec::new(),
            sorting: fanout::Sorting::default(),
            unknown_hubs: config.unknown_hubs,
            records: config.records,
            hubs_max: config.hubs_max,
            limits: config.limits,
            buffer: BytesMut::new(),
            scratch: Vec::new(),
        };
        for (name, settings) in config.hubs {
            engine.add_hub(&name, Some(settings));
        }
        Ok(engine)
    }

    /// Takes on new settings while it runs: limits, hubs with their handlers and listeners, and all else but the
    /// seed, which stays.
    ///
    /// A hub that the configuration does not name any more has the settings of
    /// [`HubConfig::default`](crate::HubConfig::default) from now on, and where unknown hubs are refused it lets
    /// nobody else in. Connections stay, even where there are more of them, or they are in more groups, than new
    /// limits allow. What is on its way to a handler still goes there.
    ///
    /// # Errors
    /// When the configuration breaks a rule; the error names the field, and nothing has changed.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, HubConfig, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let mut config = Config::new(1);
    /// let open_to_all = HubConfig { allow_anonymous: true, ..HubConfig::default() };
    /// config.hubs.push(("lobby".into(), open_to_all));
    /// engine.reconfigure(config, Time::EPOCH)?;
    /// engine.open(Open { hub: "lobby", anonymous: true, ..Open::default() }, Time::EPOCH);
    /// assert!(matches!(engine.poll_action(), Some(Action::Accept(_))));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn reconfigure(&mut self, config: Config, now: Time) -> Result<(), ConfigError> {
        config.check()?;
        self.tell(now);
        self.on_reconfigure(config);
        Ok(())
    }

    /// Takes up a peer that wants to connect, and returns the key by which it is known from now on.
    ///
    /// Whether it is let in comes out as [`Action::Accept`] or [`Action::Refuse`], at once or when the
    /// `connect` handler of the hub has answered.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let key = engine.open(Open { hub: "chat", anonymous: true, ..Open::default() }, Time::EPOCH);
    /// let Some(Action::Refuse(refuse)) = engine.poll_action() else { panic!("no anonymous peers here") };
    /// assert_eq!((refuse.connection, refuse.status), (key, 401));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn open(&mut self, request: Open<'_>, now: Time) -> ConnectionKey {
        self.tell(now);
        let key = self.on_open(request);
        self.close_doomed();
        key
    }

    /// Takes in what arrived from a connection.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, Incoming, Open, Protocol, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "chat", protocol: Protocol::Json, ..Open::default() };
    /// let key = engine.open(open, Time::EPOCH);
    /// while engine.poll_action().is_some() {} // accepted and connected
    ///
    /// engine.receive(key, Incoming::Text(r#"{"type":"ping"}"#), Time::EPOCH);
    /// let Some(Action::Deliver(deliver)) = engine.poll_action() else { panic!("a pong") };
    /// assert_eq!(deliver.frame.shared().unwrap(), r#"{"type":"pong"}"#);
    ///
    /// engine.receive(key, Incoming::Text("nonsense"), Time::EPOCH);
    /// let Some(Action::Close(close)) = engine.poll_action() else { panic!("a close") };
    /// assert_eq!(close.code, 1007);
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn receive(&mut self, from: ConnectionKey, message: Incoming<'_>, now: Time) {
        self.tell(now);
        self.on_receive(from, message);
        self.close_doomed();
    }

    /// Takes note that the transport of a connection is gone. Also right after an [`Action::Close`], where
    /// it does nothing.
    ///
    /// A reliable connection whose transport was lost, or closed with another code than 1000, is not gone: it waits
    /// for [`Limits::recovery_window`](crate::Limits::recovery_window) to be taken up again, with
    /// [`Open::recovery`].
    ///
    /// ```
    /// use hubcast::{Closed, Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let key = engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// engine.close(key, Closed::Clean { code: 1000, reason: "bye" }, Time::EPOCH);
    /// assert!(engine.connection(key).is_none());
    /// engine.close(key, Closed::Lost, Time::EPOCH); // counted and ignored
    /// assert_eq!(engine.metrics().stale_inputs, 1);
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    ///
    /// ```
    /// use hubcast::{Action, Audience, Closed, Command, Config, Data, Engine, Open, Protocol, Recovery, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let now = Time::EPOCH;
    /// let entropy = [7; 32]; // fresh random bytes in a real host
    /// let open = Open { hub: "chat", protocol: Protocol::ReliableJson, entropy, ..Open::default() };
    /// let lost = engine.open(open, now);
    /// while engine.poll_action().is_some() {} // accepted; its `connected` frame has the token
    /// let id = engine.connection(lost).expect("it is open").id();
    ///
    /// engine.close(lost, Closed::Lost, now);
    /// let to = Audience::Connection("chat", &id);
    /// let send = Command::Send { to, data: Data::Text("while you were out"), options: Default::default() };
    /// engine.execute(send, now)?;
    /// assert!(engine.poll_action().is_none());
    ///
    /// let recovery = Some(Recovery { connection_id: &id, token: "07070707070707070707070707070707" });
    /// let found = engine.open(Open { hub: "chat", recovery, entropy: [8; 32], ..Open::default() }, now);
    /// assert_ne!(lost, found); // a new transport has a new key
    /// let mut frames = Vec::new();
    /// while let Some(action) = engine.poll_action() {
    ///     if let Action::Deliver(deliver) = action {
    ///         for to in deliver.to {
    ///             frames.push(String::from_utf8(deliver.frame.bytes(to.sequence).to_vec())?);
    ///         }
    ///     }
    /// }
    /// assert!(frames[0].contains("connected"));
    /// assert!(frames[1].starts_with(r#"{"sequenceId":1,"type":"message","from":"server""#));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn close(&mut self, connection: ConnectionKey, how: Closed<'_>, now: Time) {
        self.tell(now);
        self.on_close(connection, how);
        self.close_doomed();
    }

    /// Takes in what an event handler answered to a [`Call`](crate::Call). A late or repeated answer does
    /// nothing.
    ///
    /// The host may be the handler itself:
    ///
    /// ```
    /// use hubcast::{
    ///     Action, Answer, Config, Data, Engine, EventHandler, EventKind, EventPattern, HubConfig, Incoming,
    ///     Open, Response, SystemEvents, Time,
    /// };
    ///
    /// let mut config = Config::new(1);
    /// let referee = EventHandler {
    ///     url: "referee".into(),
    ///     user_events: EventPattern::parse("*"),
    ///     system_events: SystemEvents::NONE,
    /// };
    /// config.hubs.push(("game".into(), HubConfig { handlers: vec![referee], ..HubConfig::default() }));
    /// let mut engine = Engine::new(config)?;
    /// let player = engine.open(Open { hub: "game", ..Open::default() }, Time::EPOCH);
    /// engine.receive(player, Incoming::Text("roll"), Time::EPOCH); // the event `message` of a plain client
    ///
    /// let mut asked = Vec::new();
    /// while let Some(action) = engine.poll_action() {
    ///     if let Action::Call(call) = action
    ///         && let EventKind::User { data: Data::Text("roll"), .. } = call.event.kind
    ///     {
    ///         asked.extend(call.id);
    ///     }
    /// }
    /// for id in asked {
    ///     let response = Response { data: Some(Data::Text("you rolled a 4")), ..Response::default() };
    ///     engine.answer(id, Answer::Reply(response), Time::EPOCH);
    /// }
    /// let Some(Action::Deliver(deliver)) = engine.poll_action() else { panic!("a reply") };
    /// assert_eq!(deliver.frame.shared().unwrap(), "you rolled a 4");
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn answer(&mut self, call: CallId, answer: Answer<'_>, now: Time) {
        self.tell(now);
        self.on_answer(call, answer);
        self.close_doomed();
    }

    /// Takes note that the transport of a connection is full. What comes for it waits until it is
    /// [resumed](Self::resume), in the engine and within the limits of its hub: a reliable connection keeps what it
    /// would keep anyway, for the others [`HubConfig::slow_consumer`](crate::HubConfig::slow_consumer) says what becomes
    /// of too much. Nobody else is held up, and those who are not paused pay nothing for it.
    ///
    /// A host pauses a connection when its outbound queue gets long, and resumes it when that is short again. What
    /// the engine has already handed out is still to be sent.
    ///
    /// ```
    /// use hubcast::{Audience, Command, Config, Data, Engine, HubConfig, Open, SlowConsumer, Time};
    ///
    /// let mut config = Config::new(1);
    /// let ticker = HubConfig { slow_consumer: SlowConsumer::KeepLatest, ..HubConfig::default() };
    /// config.hubs.push(("ticker".into(), ticker));
    /// let mut engine = Engine::new(config)?;
    /// let open = Open { hub: "ticker", groups: &["EURUSD"], ..Open::default() };
    /// let key = engine.open(open, Time::EPOCH);
    /// while engine.poll_action().is_some() {}
    ///
    /// engine.pause(key, Time::EPOCH);
    /// for price in ["1.07", "1.08", "1.09"] {
    ///     let to = Audience::Group("ticker", "EURUSD");
    ///     let send = Command::Send { to, data: Data::Text(price), options: Default::default() };
    ///     engine.execute(send, Time::EPOCH)?;
    /// }
    /// assert!(engine.poll_action().is_none()); // it waits
    /// let view = engine.connection(key).expect("it is only slow");
    /// assert_eq!((view.waiting(), view.drops().superseded), (1, 2));
    ///
    /// engine.resume(key, Time::EPOCH);
    /// let Some(hubcast::Action::Deliver(deliver)) = engine.poll_action() else { panic!("a price") };
    /// assert_eq!(deliver.frame.shared().unwrap(), "1.09");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pause(&mut self, connection: ConnectionKey, now: Time) {
        self.tell(now);
        self.on_pause(connection);
    }

    /// Takes note that the transport of a [paused](Self::pause) connection has room again: what has waited comes
    /// out now, in the order in which it came.
    pub fn resume(&mut self, connection: ConnectionKey, now: Time) {
        self.tell(now);
        self.on_resume(connection);
        self.close_doomed();
    }

    /// Takes note that time has passed: deadlines that are due are acted upon.
    ///
    /// ```
    /// use core::time::Duration;
    /// use hubcast::{Config, Engine, Open, Time};
    ///
    /// let mut config = Config::new(1);
    /// config.limits.idle_timeout = Some(Duration::from_secs(60));
    /// let mut engine = Engine::new(config)?;
    /// let key = engine.open(Open { hub: "chat", ..Open::default() }, Time::from_secs(100));
    /// assert_eq!(engine.next_deadline(), Some(Time::from_secs(160)));
    /// engine.advance(Time::from_secs(159)); // early is harmless
    /// assert!(engine.connection(key).is_some());
    /// engine.advance(Time::from_secs(160));
    /// assert!(engine.connection(key).is_none());
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn advance(&mut self, now: Time) {
        self.tell(now);
        self.on_advance();
        self.close_doomed();
    }

    /// Carries out an operation of the server side.
    ///
    /// # Errors
    /// When the command cannot be carried out; nothing has changed then.
    ///
    /// ```
    /// use hubcast::{Audience, Command, CommandError, Config, Engine, Open, Reply, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// engine.open(Open { hub: "chat", user: Some("alice"), ..Open::default() }, Time::EPOCH);
    /// let join = |user| Command::Join { who: Audience::User("chat", user), groups: &["room"] };
    /// assert_eq!(engine.execute(join("alice"), Time::EPOCH), Ok(Reply::Affected(1)));
    /// assert_eq!(engine.execute(join("bob"), Time::EPOCH), Err(CommandError::NoUser("bob".into())));
    /// let who = Audience::Group("chat", "room");
    /// assert_eq!(engine.execute(Command::Exists { who }, Time::EPOCH), Ok(Reply::Is(true)));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn execute(&mut self, command: Command<'_>, now: Time) -> Result<Reply, CommandError> {
        self.tell(now);
        self.on_execute(&command)
    }

    /// Closes every connection with 1001 and this reason, and refuses later ones with status 503.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// engine.stop("maintenance", Time::EPOCH);
    /// while let Some(action) = engine.poll_action() {
    ///     if let Action::Close(close) = action {
    ///         assert_eq!((close.code, close.reason), (1001, "maintenance"));
    ///     }
    /// }
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn stop(&mut self, reason: &str, now: Time) {
        self.tell(now);
        self.on_stop(reason);
        self.close_doomed();
    }

    /// Returns the next thing to do, or `None` when everything is done.
    ///
    /// ```
    /// use hubcast::{Action, Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let key = engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// let Some(Action::Accept(accept)) = engine.poll_action() else { panic!("it may come in") };
    /// assert_eq!(accept.connection, key);
    /// assert!(engine.poll_action().is_none());
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    #[inline]
    pub fn poll_action(&mut self) -> Option<Action<'_>> {
        if !self.outbox.advance() {
            self.world.connections.reclaim();
            protocol::renew(&mut self.buffer);
            return None;
        }
        self.outbox.current(&self.world.hubs)
    }

    /// Returns the next thing to do without letting slots be used again: for replays, where the journal says when
    /// that was.
    #[cfg(feature = "replay")]
    pub(crate) fn poll_quietly(&mut self) -> Option<Action<'_>> {
        if self.outbox.advance() { self.outbox.current(&self.world.hubs) } else { None }
    }

    /// Returns when to call [`advance`](Self::advance) next. Earlier is harmless; later is late.
    pub fn next_deadline(&self) -> Option<Time> {
        self.world.timers.first().map(|(time, _)| time)
    }

    /// Moves the clock, which never goes back.
    fn tell(&mut self, now: Time) {
        self.now = self.now.max(now);
    }
}
