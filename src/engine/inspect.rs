//! What is so, for whoever looks: nothing in here changes anything.

use super::{ConnectionView, Engine, HubView};
use crate::command::{Command, CommandError};
use crate::explanation::Explanation;
use crate::metrics::Metrics;
use crate::state::{ConnectionKey, GroupKey};
use crate::time::Time;

impl Engine {
    /// Shows a connection, also one whose handshake is not done.
    ///
    /// ```
    /// use hubcast::{Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "Chat", user: Some("alice"), groups: &["room"], ..Open::default() };
    /// let key = engine.open(open, Time::EPOCH);
    /// let alice = engine.connection(key).expect("it is open");
    /// assert_eq!((alice.hub(), alice.user()), ("chat", Some("alice")));
    /// assert!(alice.groups().eq(["room"]));
    /// assert_eq!(engine.find("chat", &alice.id()), Some(key));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn connection(&self, key: ConnectionKey) -> Option<ConnectionView<'_>> {
        let connection = self.world.connections.get(key)?;
        Some(ConnectionView::new(&self.world, key, connection))
    }

    /// Finds an open connection by its public id.
    pub fn find(&self, hub: &str, connection_id: &str) -> Option<ConnectionKey> {
        self.world.find(self.world.hub(hub)?, connection_id)
    }

    /// Looks a group up for [`Command::Publish`], which does not have to find it by its name any more; `None` when it
    /// has no members.
    ///
    /// ```
    /// use hubcast::{Command, CommandError, Config, Data, Engine, Open, Reply, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "game", groups: &["arena"], ..Open::default() };
    /// let player = engine.open(open, Time::EPOCH);
    /// let arena = engine.group("game", "arena").expect("it has a member");
    /// let tick = Command::Publish { group: arena, data: Data::Text("tick"), options: Default::default() };
    /// assert_eq!(engine.execute(tick, Time::EPOCH), Ok(Reply::Affected(1)));
    ///
    /// engine.close(player, hubcast::Closed::Lost, Time::EPOCH);
    /// assert_eq!(engine.execute(tick, Time::EPOCH), Err(CommandError::StaleGroup));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn group(&self, hub: &str, group: &str) -> Option<GroupKey> {
        let slot = self.world.group(self.world.hub(hub)?, group)?;
        Some(GroupKey { slot, number: self.world.groups[slot as usize].number })
    }

    /// Goes through the hubs in the order in which they came to be.
    ///
    /// ```
    /// use hubcast::{Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "Chat", user: Some("alice"), groups: &["room"], ..Open::default() };
    /// engine.open(open, Time::EPOCH);
    /// for hub in engine.hubs() {
    ///     assert_eq!((hub.name(), hub.len(), hub.group_count(), hub.user_count()), ("chat", 1, 1, 1));
    ///     assert!(hub.groups().map(|group| (group.name(), group.len())).eq([("room", 1)]));
    /// }
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn hubs(&self) -> impl ExactSizeIterator<Item = HubView<'_>> {
        HubView::all(&self.world)
    }

    /// Shows a hub, found without regard to case.
    ///
    /// ```
    /// use hubcast::{Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "chat", user: Some("alice"), groups: &["room"], ..Open::default() };
    /// let alice = engine.open(open, Time::EPOCH);
    /// let chat = engine.hub("CHAT").expect("somebody is connected");
    /// assert_eq!(chat.group("room").map(|group| group.len()), Some(1));
    /// assert_eq!(chat.user("alice").map(|user| user.connections()), Some(&[alice][..]));
    /// assert!(chat.group("hall").is_none() && chat.user("bob").is_none());
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn hub(&self, name: &str) -> Option<HubView<'_>> {
        HubView::find(&self.world, name)
    }

    /// Says what a command would do to each open connection of its hub, and why not to the others: who would receive a
    /// message, who is no member, left out, not let through by a filter, paused, or has no room. Nothing changes.
    ///
    /// It looks at every connection of the hub: for people who wonder, not for every message.
    ///
    /// # Errors
    /// When the command cannot be carried out, as far as can be told before it is tried.
    ///
    /// ```
    /// use hubcast::{Audience, Command, Config, Data, Engine, Fate, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// let open = Open { hub: "chat", groups: &["room"], ..Open::default() };
    /// let alice = engine.open(Open { user: Some("alice"), ..open.clone() }, Time::EPOCH);
    /// let bob = engine.open(Open { user: Some("bob"), ..open }, Time::EPOCH);
    /// let carol = engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// engine.pause(bob, Time::EPOCH);
    ///
    /// let to = Audience::Group("chat", "room");
    /// let send = Command::Send { to, data: Data::Text("hi"), options: Default::default() };
    /// let explanation = engine.explain(&send, Time::EPOCH)?;
    /// assert_eq!(explanation.fate(alice), Some(Fate::Reached));
    /// assert_eq!(explanation.fate(bob), Some(Fate::Paused { until: None }));
    /// assert_eq!(explanation.fate(carol), Some(Fate::NotMember));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn explain(&self, command: &Command<'_>, now: Time) -> Result<Explanation, CommandError> {
        self.on_explain(command, self.now.max(now))
    }

    /// Returns the counters.
    ///
    /// ```
    /// use hubcast::{Config, Engine, Open, Time};
    ///
    /// let mut engine = Engine::new(Config::new(1))?;
    /// engine.open(Open { hub: "chat", ..Open::default() }, Time::EPOCH);
    /// let hub = &engine.metrics().hubs[0];
    /// assert_eq!((hub.hub.as_str(), hub.connections), ("chat", 1));
    /// # Ok::<(), hubcast::ConfigError>(())
    /// ```
    pub fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Panics with a message when an invariant of the state does not hold. It looks at everything, so it is
    /// slow: for tests.
    pub fn check(&self) {
        self.world.check();
        for (hub, metrics) in self.world.hubs.iter().zip(&self.metrics.hubs) {
            assert_eq!(hub.roster.len() as u64, metrics.connections, "{:?}", hub.name);
        }
        assert!(self.doomed.is_empty(), "whoever got too much is closed");
        assert_eq!(self.world.hubs.len(), self.metrics.hubs.len(), "each hub is counted");
    }
}
