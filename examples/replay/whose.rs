//! What concerns one connection.

use hubcast::replay::{Input, Key, Order, Outcome, Step, Whom};
use hubcast::{Action, ConnectionKey, Engine};

/// A connection by its id or by the key of one of its transports.
pub(crate) struct Whose {
    asked: String,
    by_key: bool,
    /// The keys that it has had.
    keys: Vec<Key>,
}

impl Whose {
    pub(crate) fn new(asked: &str) -> Self {
        let by_key = asked.contains('v');
        Self { asked: asked.to_owned(), by_key, keys: Vec::new() }
    }

    /// Tells whether this key is one of the connection.
    pub(crate) fn has(&self, key: ConnectionKey) -> bool {
        self.has_key(key.into())
    }

    fn has_key(&self, key: Key) -> bool {
        if self.by_key { key.to_string() == self.asked } else { self.keys.contains(&key) }
    }

    /// Tells whether an input is from the connection, or names it.
    pub(crate) fn concerns_step(&mut self, step: &Step, engine: &Engine) -> bool {
        if let Outcome::Opened(key) = step.outcome {
            if engine.connection(key).is_some_and(|view| view.id().as_str() == self.asked) {
                self.keys.push(key.into());
            }
            return self.has(key);
        }
        match &step.input {
            Input::Execute(order) => self.is_named(order),
            other => other.connection().is_some_and(|key| self.has_key(key)),
        }
    }

    /// Tells whether an action is for the connection, or about it.
    pub(crate) fn concerns_action(&mut self, action: &Action<'_>) -> bool {
        match action {
            Action::Accept(accept) => {
                if accept.connection_id.as_str() == self.asked {
                    self.keys.push(accept.connection.into());
                }
                self.has(accept.connection)
            }
            Action::Refuse(refuse) => self.has(refuse.connection),
            Action::Deliver(deliver) => deliver.to.connections().iter().any(|key| self.has(*key)),
            Action::Close(close) => self.has(close.connection),
            Action::Notify(notify) => self.has(notify.connection),
            Action::Call(call) => self.has(call.connection),
            Action::Cancel(call) => {
                self.has_key(hubcast::replay::CallKey::from(*call).connection())
            }
            Action::Record(record) => record.connection.is_some_and(|key| self.has(key)),
            _ => true,
        }
    }

    fn is_named(&self, order: &Order<'_>) -> bool {
        match order {
            Order::Send { to: who, .. }
            | Order::Join { who, .. }
            | Order::Leave { who, .. }
            | Order::LeaveAll { who }
            | Order::Close { who, .. }
            | Order::Exists { who }
            | Order::Count { who } => {
                matches!(who, Whom::Connection(_, id) if **id == self.asked)
            }
            Order::Grant(right) | Order::Revoke(right) | Order::Check(right) => {
                right.connection_id == self.asked
            }
            _ => false,
        }
    }
}
