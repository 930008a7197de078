//! What the unit tests of the verbs share: an engine with some clients, and its actions as lines.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::time::Duration;

use super::Engine;
use crate::action::{Action, Notify};
use crate::command::{Audience, Command};
use crate::config::{Config, EventHandler, EventPattern, HubConfig, SystemEvents};
use crate::event::{Answer, CallId, EventKind};
use crate::input::{Closed, Incoming, Open};
use crate::protocol::Protocol;
use crate::state::{ConnectionId, ConnectionKey};
use crate::time::Time;

/// The hub `h`, whose only handler takes the event `ask` and what else `events` says.
pub(super) struct Stage {
    pub engine: Engine,
    pub now: Time,
    /// By the number that the lines show.
    keys: Vec<ConnectionKey>,
    ids: Vec<ConnectionId>,
    pub calls: Vec<CallId>,
}

/// Makes the configuration of the hub `h`.
fn config(events: SystemEvents, edit: impl FnOnce(&mut Config)) -> Config {
    let handler = EventHandler {
        url: "handler".into(),
        user_events: EventPattern::parse("ask"),
        system_events: events,
    };
    let mut config = Config::new(7);
    let hub = HubConfig { handlers: [handler].into(), ..HubConfig::default() };
    config.hubs.push(("h".into(), hub));
    edit(&mut config);
    config
}

impl Stage {
    pub(super) fn new(events: SystemEvents, edit: impl FnOnce(&mut Config)) -> Self {
        let engine = Engine::new(config(events, edit)).expect("the configuration is good");
        let now = Time::from_secs(1);
        Self { engine, now, keys: Vec::new(), ids: Vec::new(), calls: Vec::new() }
    }
    /// Lets somebody in who is in the group `g` and may do all or nothing, and returns the number.
    pub(super) fn open(&mut self, user: Option<&str>, protocol: Protocol, may: bool) -> usize {
        const ROLES: [&str; 4] = [
            "webpubsub.joinLeaveGroup",
            "webpubsub.sendToGroup",
            "webpubsub.setGroupState",
            "webpubsub.getGroupState",
        ];
        let roles = if may { &ROLES[..] } else { &[] };
        let entropy = [self.keys.len() as u8; 32];
        let groups = &["g"];
        let hub = "h";
        let open = Open { hub, protocol, user, roles, groups, entropy, ..Open::default() };
        let key = self.engine.open(open, self.now);
        self.keys.push(key);
        self.ids.push(self.engine.connection(key).expect("it is open").id());
        self.keys.len() - 1
    }

    /// Lets a JSON client in that may do everything.
    pub(super) fn join(&mut self) -> usize {
        let number = self.open(None, Protocol::Json, true);
        self.lines();
        number
    }

    pub(super) fn key(&self, who: usize) -> ConnectionKey {
        self.keys[who]
    }

    /// Sends a message, and returns what comes of it.
    pub(super) fn say(&mut self, who: usize, message: &str) -> Vec<String> {
        self.engine.receive(self.keys[who], Incoming::Text(message), self.now);
        self.lines()
    }

    pub(super) fn answer(&mut self, call: usize, answer: Answer<'_>) -> Vec<String> {
        self.engine.answer(self.calls[call], answer, self.now);
        self.lines()
    }

    pub(super) fn close(&mut self, who: usize, how: Closed<'_>) -> Vec<String> {
        self.engine.close(self.keys[who], how, self.now);
        self.lines()
    }

    /// Carries out a command on one connection.
    pub(super) fn execute(
        &mut self,
        who: usize,
        command: impl FnOnce(&str) -> Command<'_>,
    ) -> Vec<String> {
        self.engine.execute(command(&self.ids[who]), self.now).expect("it can be done");
        self.lines()
    }

    /// Carries out a command on all connections.
    pub(super) fn execute_all(
        &mut self,
        command: impl FnOnce(Audience<'static>) -> Command<'static>,
    ) -> Vec<String> {
        self.engine.execute(command(Audience::Hub("h")), self.now).expect("it can be done");
        self.lines()
    }

    pub(super) fn wait(&mut self, millis: u64) -> Vec<String> {
        self.now = self.now + Duration::from_millis(millis);
        self.engine.advance(self.now);
        self.lines()
    }

    /// Takes all actions and checks every invariant.
    pub(super) fn lines(&mut self) -> Vec<String> {
        let Self { engine, keys, ids, calls, .. } = self;
        let name = |key| keys.iter().position(|each| *each == key).unwrap_or(keys.len());
        let mut lines = Vec::new();
        while let Some(action) = engine.poll_action() {
            lines.push(match action {
                Action::Accept(accept) => format!("accept {}", name(accept.connection)),
                Action::Refuse(refuse) => format!("refuse {}", name(refuse.connection)),
                Action::Close(close) => format!("close {} {}", name(close.connection), close.code),
                Action::Cancel(id) => {
                    let call = calls.iter().position(|each| *each == id);
                    format!("cancel {}", call.expect("it was called"))
                }
                Action::Notify(Notify { connection, listener, event }) => {
                    format!("notify {} {} {}", listener.target, name(connection), event.kind.name())
                }
                Action::Record(record) => format!("record {} {:?}", record.hub, record.kind),
                Action::Call(call) => {
                    let kind = &call.event.kind;
                    calls.extend(call.id);
                    let line = format!("call {} {}", name(call.connection), kind.name());
                    match kind {
                        EventKind::User { data, .. } => format!("{line} {data:?}"),
                        EventKind::Joined { group } | EventKind::Left { group } => {
                            format!("{line} {group}")
                        }
                        EventKind::Connect(_)
                        | EventKind::Connected
                        | EventKind::Disconnected { .. } => line,
                    }
                }
                Action::Deliver(deliver) => {
                    let mut to: Vec<_> =
                        deliver.to.iter().map(|to| name(to.connection).to_string()).collect();
                    to.sort_unstable();
                    let sequence = deliver.to.iter().next().map_or(0, |to| to.sequence);
                    let bytes = deliver.frame.bytes(sequence);
                    let mut text = String::from_utf8_lossy(&bytes).into_owned();
                    for (number, id) in ids.iter().enumerate() {
                        text = text.replace(&**id, &format!("${number}"));
                    }
                    format!("{} <- {text}", to.join(","))
                }
            });
        }
        self.engine.check();
        lines
    }
}

mod tests {
    use alloc::vec;

    use proptest::prelude::*;

    use super::*;
    use crate::command::{GroupPermission, SendOptions};
    use crate::config::{EventListener, SlowConsumer};
    use crate::event::Response;
    use crate::input::Recovery;
    use crate::protocol::Data;
    use crate::state::Permission;

    const EVENTS: SystemEvents = SystemEvents { connect: false, ..SystemEvents::ALL };

    /// Short times, small bounds and few names, so that everything happens often.
    fn small() -> Stage {
        Stage::new(EVENTS, bounds)
    }

    fn bounds(config: &mut Config) {
        config.limits.streams_per_connection = 2;
        config.limits.invocations_per_connection = 2;
        config.limits.group_state_bytes = 4;
        config.limits.call_timeout = Duration::from_millis(700);
        config.limits.recovery_window = Duration::from_millis(900);
        config.limits.idle_timeout = Some(Duration::from_secs(3));
        config.limits.unacknowledged_messages = 20;
        config.limits.paused_messages = 5;
        config.limits.messages_per_second = Some(30);
    }

    /// Less of everything.
    fn tight(config: &mut Config) {
        bounds(config);
        config.limits.streams_per_connection = 1;
        config.limits.invocations_per_connection = 1;
        config.limits.group_state_bytes = 2;
        config.limits.groups_per_connection = 1;
        config.limits.unacknowledged_messages = 3;
        config.limits.paused_messages = 1;
        config.limits.idle_timeout = Some(Duration::from_secs(2));
        config.hubs[0].1.slow_consumer = SlowConsumer::DropOldest;
        config.hubs[0].1.handlers.clear();
        config.hubs[0].1.listeners.push(EventListener::all("listener"));
    }

    const MESSAGES: [&str; 20] = [
        r#"{"type":"joinGroup","group":"$G","ackId":$A}"#,
        r#"{"type":"leaveGroup","group":"$G"}"#,
        r#"{"type":"sendToGroup","group":"$G","dataType":"text","data":"x"}"#,
        r#"{"type":"sendToGroup","group":"$G","noEcho":true,"stream":{"streamId":"$I"}}"#,
        r#"{"type":"sendToGroup","group":"$G","stream":{"streamId":"$I","idleTimeoutMs":500}}"#,
        r#"{"type":"streamData","streamId":"$I","streamSequenceId":1,"dataType":"text","data":"x"}"#,
        r#"{"type":"streamData","streamId":"$I","streamSequenceId":2,"dataType":"text","data":"x"}"#,
        r#"{"type":"streamData","streamId":"$I","streamSequenceId":3}"#,
        r#"{"type":"streamData","streamId":"$I"}"#,
        r#"{"type":"streamEnd","streamId":"$I"}"#,
        r#"{"type":"streamEnd","streamId":"$I","error":{}}"#,
        r#"{"type":"setGroupState","group":"$G","ackId":$A,"state":{"k":"v"}}"#,
        r#"{"type":"setGroupState","group":"$G","ackId":$A,"state":{"k":"vvvv"}}"#,
        r#"{"type":"setGroupState","group":"$G"}"#,
        r#"{"type":"subscribeGroupState","group":"$G","ackId":$A}"#,
        r#"{"type":"unsubscribeGroupState","group":"$G","ackId":$A}"#,
        r#"{"type":"invoke","invocationId":"$I","target":"event","event":"ask"}"#,
        r#"{"type":"cancelInvocation","invocationId":"$I"}"#,
        r#"{"type":"event","event":"ask","dataType":"text","data":""}"#,
        r#"{"type":"sequenceAck","sequenceId":$A}"#,
    ];

    #[derive(Clone, Debug)]
    enum Step {
        Say { who: usize, what: usize, group: bool, id: bool, ack: u8 },
        Answer { call: usize, well: bool },
        Lose(usize),
        Leave(usize),
        Recover(usize),
        Pause(usize),
        Resume(usize),
        Open { protocol: usize, may: bool },
        Revoke(usize),
        LeaveAll,
        CloseAll,
        Wait(u64),
        Configure { is_tight: bool },
        Publish(u8),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let who = || 0usize..8;
        let step = prop_oneof![
            30 => (who(), 0..MESSAGES.len(), any::<bool>(), any::<bool>(), any::<u8>())
                .prop_map(|(who, what, group, id, ack)| Step::Say { who, what, group, id, ack }),
            4 => (0usize..6, any::<bool>()).prop_map(|(call, well)| Step::Answer { call, well }),
            2 => who().prop_map(Step::Lose),
            1 => who().prop_map(Step::Leave),
            2 => who().prop_map(Step::Recover),
            2 => who().prop_map(Step::Pause),
            2 => who().prop_map(Step::Resume),
            3 => (0..Protocol::ALL.len(), any::<bool>())
                .prop_map(|(protocol, may)| Step::Open { protocol, may }),
            1 => who().prop_map(Step::Revoke),
            1 => Just(Step::LeaveAll),
            1 => Just(Step::CloseAll),
            3 => (0u64..1000).prop_map(Step::Wait),
            3 => (1u8..8).prop_map(Step::Publish),
            2 => any::<bool>().prop_map(|is_tight| Step::Configure { is_tight }),
        ];
        proptest::collection::vec(step, 0..120)
    }

    impl Stage {
        fn take(&mut self, step: &Step) {
            let now = self.now;
            let someone = |who: usize| self.keys.len().checked_sub(1 + who);
            match *step {
                Step::Say { who, what, group, id, ack } => {
                    let Some(who) = someone(who) else { return };
                    let text = MESSAGES[what]
                        .replace("$G", if group { "g" } else { "h" })
                        .replace("$I", if id { "a" } else { "b" })
                        .replace("$A", &ack.to_string());
                    self.engine.receive(self.keys[who], Incoming::Text(&text), now);
                }
                Step::Answer { call, well } => {
                    let Some(call) = self.calls.len().checked_sub(1 + call) else { return };
                    let data = Some(Data::Text("y"));
                    let response = Response { data, state: Some("s"), ..Response::default() };
                    let answer = if well { Answer::Reply(response) } else { Answer::Fail };
                    self.engine.answer(self.calls[call], answer, now);
                }
                Step::Lose(who) => {
                    let Some(who) = someone(who) else { return };
                    self.engine.close(self.keys[who], Closed::Lost, now);
                }
                Step::Leave(who) => {
                    let Some(who) = someone(who) else { return };
                    let how = Closed::Clean { code: 1000, reason: "" };
                    self.engine.close(self.keys[who], how, now);
                }
                Step::Recover(who) => {
                    let Some(who) = someone(who) else { return };
                    // The token is the second half of the entropy, in hexadecimal.
                    let token = format!("{who:02x}").repeat(16);
                    let connection_id = &*self.ids[who];
                    let recovery = Some(Recovery { connection_id, token: &token });
                    self.keys[who] =
                        self.engine.open(Open { hub: "h", recovery, ..Open::default() }, now);
                }
                Step::Pause(who) => {
                    let Some(who) = someone(who) else { return };
                    self.engine.pause(self.keys[who], now);
                }
                Step::Resume(who) => {
                    let Some(who) = someone(who) else { return };
                    self.engine.resume(self.keys[who], now);
                }
                Step::Open { protocol, may } => {
                    let protocol = Protocol::ALL[protocol];
                    self.open(may.then_some("u"), protocol, may);
                }
                Step::Revoke(who) => {
                    let Some(who) = someone(who) else { return };
                    let connection_id = &*self.ids[who];
                    let permission = Permission::SendToGroup;
                    let revoked =
                        GroupPermission { hub: "h", connection_id, permission, group: "g" };
                    self.engine.execute(Command::Revoke(revoked), now).expect("it can be done");
                }
                Step::LeaveAll => {
                    self.execute_all(|who| Command::LeaveAll { who });
                }
                Step::CloseAll => {
                    self.execute_all(|who| Command::Close { who, except: &[], reason: "" });
                }
                Step::Wait(millis) => {
                    self.wait(millis);
                }
                Step::Publish(messages) => {
                    for _ in 0..messages {
                        let to = Audience::Group("h", "g");
                        let options = SendOptions::default();
                        let send = Command::Send { to, data: Data::Text("x"), options };
                        // There can be too many in one second.
                        let _ = self.engine.execute(send, now);
                    }
                }
                Step::Configure { is_tight } => {
                    let config = config(EVENTS, if is_tight { tight } else { bounds });
                    self.engine.reconfigure(config, now).expect("it is good");
                }
            }
            self.lines();
        }
    }

    proptest! {
        /// Whatever clients, handlers and the network do, in whatever order, every invariant holds; and when all is
        /// over, nothing is left.
        #[test]
        fn nothing_breaks(steps in steps()) {
            let mut stage = small();
            for step in steps {
                stage.take(&step);
            }
            while let Some(deadline) = stage.engine.next_deadline() {
                let due = deadline.since(stage.now).as_millis() as u64;
                prop_assert!(stage.now < Time::from_secs(600), "it never ends");
                stage.wait(due);
            }
            prop_assert_eq!(stage.engine.metrics().hubs[0].connections, 0);
        }
    }
}
