//! Groups that the host has looked up: it keeps their keys, also when they are gone.

use hubcast::{Engine, GroupKey};

pub(super) struct Groups {
    all: Vec<Known>,
}

/// A group, as it was when it was looked up.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub key: GroupKey,
    pub hub: String,
    pub group: String,
    /// Whether all have left it since.
    pub gone: bool,
}

impl Groups {
    pub(super) fn new() -> Self {
        Self { all: Vec::new() }
    }

    pub(super) fn look_up(&mut self, engine: &Engine, hub: &str, group: &str) {
        let there = engine.hub(hub).is_some_and(|hub| hub.group(group).is_some());
        let key = engine.group(hub, group);
        assert_eq!(key.is_some(), there, "a group has a key while it has members");
        let known = |key| Known { key, hub: hub.into(), group: group.into(), gone: false };
        self.all.extend(key.map(known));
    }

    /// Returns one of the groups, counted from the newest one.
    pub(super) fn pick(&self, number: u8) -> Option<Known> {
        let place = usize::from(number).checked_rem(self.all.len())?;
        self.all.get(self.all.len() - 1 - place).cloned()
    }

    /// Takes note of those that are gone now. None of them comes back.
    pub(super) fn watch(&mut self, engine: &Engine) {
        for known in &mut self.all {
            let there = engine.group(&known.hub, &known.group) == Some(known.key);
            assert!(!there || !known.gone, "{known:?} is there again");
            known.gone = !there;
        }
    }
}
