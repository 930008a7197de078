//! New settings for an engine that runs.

use alloc::vec::Vec;

use super::Engine;
use crate::config::{Config, HubConfig, Limits};
use crate::metrics::HubMetrics;
use crate::state::Settings;

impl Engine {
    pub(super) fn on_reconfigure(&mut self, config: Config) {
        let Config { seed: _, limits, unknown_hubs, records, hubs_max, hubs } = config;
        (self.unknown_hubs, self.records, self.hubs_max) = (unknown_hubs, records, hubs_max);
        self.limits = limits;
        let mut unnamed: Vec<bool> = self.world.hubs.iter().map(|_| true).collect();
        for (name, settings) in hubs {
            match self.world.hub(&name) {
                Some(hub) => {
                    self.set_up(hub, Some(settings));
                    unnamed[hub as usize] = false;
                }
                None => {
                    self.add_hub(&name, Some(settings));
                }
            }
        }
        for (hub, unnamed) in (0..).zip(unnamed) {
            if unnamed {
                self.set_up(hub, None);
            }
        }
        // What becomes due, and when, can be another thing now.
        let keys: Vec<_> = self.world.connections.iter().map(|(key, _)| key).collect();
        for key in keys {
            self.arm(key);
        }
    }

    /// Adds a hub that is not there yet, with the settings that the configuration has for it.
    pub(super) fn add_hub(&mut self, name: &str, config: Option<HubConfig>) -> u32 {
        let (settings, limits) = self.settings(config);
        let slot = self.world.add_hub(name, settings, limits);
        let hub = name.to_ascii_lowercase();
        self.metrics.hubs.push(HubMetrics { hub, ..HubMetrics::default() });
        slot
    }

    fn set_up(&mut self, hub: u32, config: Option<HubConfig>) {
        let (settings, limits) = self.settings(config);
        let hub = &mut self.world.hubs[hub as usize];
        (hub.settings, hub.limits, hub.is_set_up_anew) = (settings, limits, true);
    }

    fn settings(&self, config: Option<HubConfig>) -> (Settings, Limits) {
        let is_configured = config.is_some();
        let mut config = config.unwrap_or_default();
        let limits = config.limits.take().unwrap_or_else(|| self.limits.clone());
        (Settings::new(config, is_configured), limits)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use core::time::Duration;

    use super::super::stage::Stage;
    use crate::action::Action;
    use crate::config::{
        Config, EventHandler, EventListener, HubConfig, Limits, SystemEvents, UnknownHubs,
    };
    use crate::event::{Answer, Response};
    use crate::input::{Incoming, Open};

    const ASK: &str = r#"{"type":"event","event":"ask","ackId":1,"data":1,"dataType":"json"}"#;

    fn config(hub: HubConfig) -> Config {
        Config { hubs: [("H".into(), hub)].into(), ..Config::new(1) }
    }

    /// What waits for a handler that is gone by then keeps it; what comes later has none.
    #[test]
    fn handlers_change() {
        let mut stage = Stage::new(SystemEvents::NONE, |_| {});
        stage.join();
        stage.engine.receive(stage.key(0), Incoming::Text(ASK), stage.now);
        stage.engine.reconfigure(config(HubConfig::default()), stage.now).expect("it is good");
        assert_eq!(stage.lines(), [r#"call 0 ask Json("1")"#]);
        let acked = stage.answer(0, Answer::Reply(Response::default()));
        assert!(acked[0].contains(r#""ackId":1,"success":true"#), "{acked:?}");
        let failed = stage.say(0, &ASK.replace(r#""ackId":1"#, r#""ackId":2"#));
        assert!(failed[0].contains(r#""ackId":2,"success":false"#), "{failed:?}");
        let listeners = [EventListener::all("log")].into();
        let hub = HubConfig { listeners, ..HubConfig::default() };
        stage.engine.reconfigure(config(hub), stage.now).expect("it is good");
        let lines = stage.say(0, &ASK.replace(r#""ackId":1"#, r#""ackId":3"#));
        assert_eq!(lines[0], "notify log 0 ask");
        assert!(lines[1].contains(r#""ackId":3,"success":true"#), "{lines:?}");
    }

    /// New limits hold for connections that are there, and lower ones take nothing away.
    #[test]
    fn limits_change() {
        let mut stage = Stage::new(SystemEvents::NONE, |_| {});
        stage.join();
        stage.join();
        let limits = Limits {
            connections: 1,
            groups_per_connection: 1,
            idle_timeout: Some(Duration::from_secs(60)),
            ..Limits::default()
        };
        stage.say(0, r#"{"type":"joinGroup","group":"a"}"#);
        assert_eq!(stage.engine.next_deadline(), None);
        let config = Config { limits, ..config(HubConfig::default()) };
        stage.engine.reconfigure(config, stage.now).expect("it is good");
        let lines = stage.say(0, r#"{"type":"joinGroup","group":"b","ackId":1}"#);
        assert!(lines[0].contains("BadRequest"), "{lines:?}");
        assert_eq!(stage.engine.next_deadline(), Some(stage.now + Duration::from_secs(60)));
        stage.engine.open(Open { hub: "h", ..Open::default() }, stage.now);
        assert_eq!(stage.lines(), ["refuse 2"]);
        let lines = stage.wait(60_000);
        assert_eq!(lines.iter().filter(|line| line.starts_with("close")).count(), 2, "{lines:?}");
    }

    /// A hub that is configured no longer lets nobody else in, where unknown hubs are refused.
    #[test]
    fn hubs_go() {
        let mut stage = Stage::new(SystemEvents::NONE, |_| {});
        stage.join();
        let refusing = Config { unknown_hubs: UnknownHubs::Refuse, ..Config::new(1) };
        stage.engine.reconfigure(refusing, stage.now).expect("it is good");
        stage.engine.open(Open { hub: "h", ..Open::default() }, stage.now);
        let Some(Action::Refuse(refuse)) = stage.engine.poll_action() else { panic!("refused") };
        assert_eq!(refuse.status, 404);
        assert_eq!(stage.say(0, r#"{"type":"ping"}"#), [r#"0 <- {"type":"pong"}"#]);
    }

    /// What is wrong with a configuration is said, and nothing changes.
    #[test]
    fn bad_settings() {
        let mut stage = Stage::new(SystemEvents::NONE, |_| {});
        stage.join();
        let mut bad =
            config(HubConfig { handlers: [EventHandler::all("x")].into(), ..HubConfig::default() });
        bad.hubs.push(("7".into(), HubConfig::default()));
        let error = stage.engine.reconfigure(bad, stage.now).expect_err("a bad name");
        assert!(error.to_string().contains("hub name"), "{error}");
        assert_eq!(stage.say(0, ASK), [r#"call 0 ask Json("1")"#]);
    }
}
