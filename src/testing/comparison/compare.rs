//! What is compared after a step.

use alloc::borrow::ToOwned;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;

use super::Comparison;
use crate::action::Action;
use crate::protocol::{Frame, Protocol};
use crate::testing::message::Received;
use crate::testing::model::Counters;
use crate::testing::request::Packet;
use crate::testing::seen::{Seen, Told};
use crate::time::Time;

impl Comparison {
    /// Polls all actions and compares what each connection was told, in order.
    pub(super) fn compare_actions(&mut self) {
        let mut told: BTreeMap<usize, Vec<Seen>> = BTreeMap::new();
        while let Some(action) = self.engine.poll_action() {
            let (key, seen) = match action {
                Action::Accept(it) => {
                    let number = self.numbers[&it.connection];
                    let named = it.subprotocol.and_then(Protocol::from_name);
                    self.protocols.insert(number, named.unwrap_or_default());
                    let id = if self.ids[number].is_empty() { "" } else { &*it.connection_id };
                    let subprotocol = it.subprotocol.map(str::to_owned);
                    (it.connection, Seen::Accept { id: id.to_owned(), subprotocol })
                }
                Action::Refuse(it) => (it.connection, Seen::Refuse(it.status)),
                Action::Close(it) => {
                    assert!(it.reason.len() <= 123, "a close frame has room for {:?}", it.reason);
                    (it.connection, Seen::Close(it.code))
                }
                Action::Notify(_) | Action::Record(_) => {
                    unreachable!("no listeners are configured, and no records are asked for")
                }
                Action::Call(it) => {
                    let number = self.numbers[&it.connection];
                    self.calls.extend(it.id.map(|id| (id, number, it.event.number)));
                    assert_eq!(&*it.event.connection_id, self.ids[number]);
                    (it.connection, Seen::Call(Told::from(&it).into()))
                }
                Action::Cancel(id) => {
                    let call = self.calls.iter().find(|(call, ..)| *call == id);
                    let &(_, number, event) = call.expect("what is cancelled was called");
                    told.entry(number).or_default().push(Seen::Cancel(event));
                    continue;
                }
                Action::Deliver(it) => {
                    let recipients: BTreeSet<_> = it.to.connections().iter().collect();
                    assert_eq!(recipients.len(), it.to.len(), "nobody gets a frame twice");
                    assert!(!recipients.is_empty(), "a frame goes to somebody");
                    for recipient in it.to {
                        let number = self.numbers[&recipient.connection];
                        let protocol = self.protocols[&number];
                        let seen = read(it.frame, recipient.sequence, protocol, it.expires);
                        told.entry(number).or_default().push(seen);
                    }
                    continue;
                }
            };
            told.entry(self.numbers[&key]).or_default().push(seen);
        }
        let expected = self.model.take_told();
        for number in told.keys().chain(expected.keys()) {
            assert_eq!(told.get(number), expected.get(number), "what connection {number} was told");
        }
    }

    pub(super) fn compare_state(&self) {
        for (number, &key) in self.keys.iter().enumerate() {
            let view = self.engine.connection(key);
            let expected = self.model.connection(number);
            assert_eq!(view.is_some(), expected.is_some(), "whether {number} is there");
            let (Some(view), Some(expected)) = (view, expected) else { continue };
            assert!(view.groups().eq(expected.groups.iter().map(String::as_str)));
            assert_eq!(&*view.id(), expected.id);
            assert_eq!(view.hub(), expected.hub);
            assert_eq!(view.is_open(), expected.open);
            assert_eq!(view.user(), expected.user.as_deref());
            assert_eq!(view.state(), expected.state.as_deref());
            assert_eq!(view.heard(), expected.heard);
            assert_eq!(view.queued(), expected.waiting.as_ref().map_or(0, |it| it.queue.len()));
            assert_eq!(view.is_detached(), !expected.is_attached());
            assert_eq!(view.unacknowledged(), expected.held.len());
            assert_eq!(view.waiting(), expected.backlog.iter().filter(|it| !it.control).count());
            assert_eq!(view.drops(), expected.drops);
            if view.is_open() {
                assert_eq!(view.subprotocol(), expected.subprotocol.as_deref());
                assert_eq!(view.protocol(), expected.protocol);
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
            drops: metrics.drops,
            detached: metrics.detached,
            recovered: metrics.recovered,
            recoveries_refused: metrics.recoveries_refused,
        };
        assert_eq!(counters, self.model.counters());
        for hub in &metrics.hubs {
            assert_eq!(hub.connections, self.model.open_in(&hub.hub), "open in {}", hub.hub);
        }
    }
}

/// Reads a frame of an engine.
fn read(frame: &Frame, sequence: u64, protocol: Protocol, expires: Option<Time>) -> Seen {
    let bytes = frame.bytes(sequence).to_vec();
    let packet = if frame.is_text() {
        Packet::Text(String::from_utf8(bytes).expect("a text frame is UTF-8"))
    } else {
        Packet::Binary(bytes)
    };
    let Received { sequence, message } =
        Received::read(protocol, &packet).expect("clients can read what they get");
    Seen::Message { message: message.bare(), sequence, expires }
}
