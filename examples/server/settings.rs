//! The settings of the engine: what the command line and the config file say together.

use hubcast::{Config, EventListener, EventPattern, HubConfig, Records, UnknownHubs};

use crate::options::Options;
use crate::{config_file, handler_url};

/// Makes the configuration of the engine: the file's, and what flags add to it.
///
/// # Errors
///
/// One line that says what is wrong and what to do.
pub(crate) fn read(options: &Options, seed: u64) -> Result<Config, String> {
    let mut config = Config::new(seed);
    config.limits = options.limits.clone();
    // The contents of messages are never in the logs, but who sends what is more than anybody else wants to know.
    config.records = if options.logs.is_some() { Records::Messages } else { Records::Connections };
    if let Some(path) = &options.config {
        config_file::read(path, &mut config)?;
    }
    for (hub, url) in &options.handlers {
        handler_url::check(url).map_err(|error| format!("--handler {hub}: {error}"))?;
        this_hub(&mut config, hub).handlers.push(handler_url::handler(url));
    }
    for (hub, path) in &options.listeners {
        this_hub(&mut config, hub).listeners.push(EventListener::all(path));
    }
    Ok(config)
}

/// Returns the settings of a hub, which has them from now on.
fn this_hub<'a>(config: &'a mut Config, hub: &str) -> &'a mut HubConfig {
    let known = config.hubs.iter().position(|(name, _)| name.eq_ignore_ascii_case(hub));
    let place = known.unwrap_or_else(|| {
        config.hubs.push((hub.to_owned(), HubConfig::default()));
        config.hubs.len() - 1
    });
    &mut config.hubs[place].1
}

/// Returns the most bytes of a message in any hub. Sockets keep no more; the engine knows the limit of
/// each hub.
pub(crate) fn message_bytes(config: &Config) -> usize {
    let of_hubs = config.hubs.iter().filter_map(|(_, hub)| hub.limits.as_ref());
    of_hubs.fold(config.limits.message_bytes, |most, limits| most.max(limits.message_bytes))
}

/// Says on stderr what is allowed and still not what anybody wants.
pub(crate) fn warn(config: &Config) {
    for (hub, _) in config.hubs.iter().filter(|(_, hub)| is_deaf(hub)) {
        eprintln!(
            "server: warning: hub {hub}: no handler or listener takes user events: events of clients will fail: give \
             one of them user_events = \"*\", or add --handler {hub}=URL or --listener {hub}=PATH"
        );
    }
}

/// Tells whether a hub has handlers or listeners and none of them takes events of clients.
fn is_deaf(hub: &HubConfig) -> bool {
    let mut patterns = hub
        .handlers
        .iter()
        .map(|handler| &handler.user_events)
        .chain(hub.listeners.iter().map(|listener| &listener.user_events))
        .peekable();
    patterns.peek().is_some() && patterns.all(|pattern| *pattern == EventPattern::default())
}

/// Says in a few words what is different in a new configuration.
pub(crate) fn changes(old: &Config, new: &Config) -> String {
    let added = names(new, |name, _| find(old, name).is_none());
    let removed = names(old, |name, _| find(new, name).is_none());
    let changed =
        names(new, |name, hub| find(old, name).is_some_and(|before| !is_same(before, hub)));
    let mut changes = Vec::new();
    for (what, names) in [("added", added), ("removed", removed), ("changed", changed)] {
        let shown = names[..names.len().min(NAMES_MAX)].join(", ");
        match names.len() {
            0 => {}
            1..=NAMES_MAX => changes.push(format!("{what} {shown}")),
            more => changes.push(format!("{what} {shown} and {} more", more - NAMES_MAX)),
        }
    }
    if old.unknown_hubs != new.unknown_hubs {
        changes.push(match new.unknown_hubs {
            UnknownHubs::Create => "unknown hubs come to be now".to_owned(),
            UnknownHubs::Refuse => "unknown hubs are refused now".to_owned(),
        });
    }
    if changes.is_empty() { "nothing is different".to_owned() } else { changes.join("; ") }
}

/// The most hubs that are named of those that changed in one way.
const NAMES_MAX: usize = 10;

fn names(config: &Config, is_meant: impl Fn(&str, &HubConfig) -> bool) -> Vec<&str> {
    let meant = config.hubs.iter().filter(|(name, hub)| is_meant(name, hub));
    meant.map(|(name, _)| name.as_str()).collect()
}

fn find<'a>(config: &'a Config, hub: &str) -> Option<&'a HubConfig> {
    let mut hubs = config.hubs.iter();
    hubs.find(|(name, _)| name.eq_ignore_ascii_case(hub)).map(|(_, settings)| settings)
}

fn is_same(old: &HubConfig, new: &HubConfig) -> bool {
    let HubConfig { allow_anonymous, handlers, listeners, failed_event, slow_consumer, limits } =
        old;
    *allow_anonymous == new.allow_anonymous
        && *handlers == new.handlers
        && *listeners == new.listeners
        && *failed_event == new.failed_event
        && *slow_consumer == new.slow_consumer
        && *limits == new.limits
}
