//! A complete local publish/subscribe service that speaks the WebSocket protocols of Azure Web
//! PubSub: `cargo run --release --example server`. Its code is an example to copy.
//!
//! One task owns the engine (`service.rs`); the tasks of sockets only move bytes (`socket.rs`), those of requests to
//! webhooks (`webhook_client.rs`) too.

mod api;
mod banner;
mod clock;
mod config_file;
mod echo;
mod failures;
mod handler_url;
mod handlers;
mod options;
mod outbound;
mod routes;
mod service;
mod socket;
mod sockets;
mod stop;
mod webhook_client;

use std::env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;

use axum::serve::ListenerExt;
use hubcast::rest::Api;
use hubcast::rest::webhook::{WebhookLimits, WebhookSettings, Webhooks};
use hubcast::token::{AccessKey, AccessKeys};
use hubcast::{Config, Engine, EventHandler, EventPattern, HubConfig};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use self::clock::Clock;
use self::options::{Invocation, Options};
use self::outbound::Room;
use self::routes::App;
use self::service::Input;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Invocation::parse(env::args_os().skip(1)) {
        Ok(Invocation::Help) => banner::print(options::HELP),
        Ok(Invocation::Version) => {
            banner::print(concat!("hubcast server ", env!("CARGO_PKG_VERSION"), "\n"))
        }
        Ok(Invocation::Serve(options)) => serve(&options).await,
        Err(error) => Err(error),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("server: {error}");
            ExitCode::from(2)
        }
    }
}

/// Serves until a signal says to stop.
///
/// # Errors
///
/// One line that says why it cannot start and what to do.
async fn serve(options: &Options) -> Result<(), String> {
    let keys = access_keys(options)?;
    let config = config(options)?;
    let message_bytes = message_bytes(&config);
    let room = Room::for_all_of(&config);
    let deaf: Vec<String> =
        config.hubs.iter().filter(|(_, hub)| is_deaf(hub)).map(|(name, _)| name.clone()).collect();
    let engine = Engine::new(config).map_err(|error| error.to_string())?;

    let (listener, address) = listen(options).await?;
    let endpoint = format!("http://{address}");
    let webhooks = webhooks(&keys, address)?;
    let stopping =
        stop::requested().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let clock = Arc::new(Clock::default());
    banner::welcome(&endpoint, &keys, clock.now())?;

    for hub in deaf {
        eprintln!(
            "server: warning: hub {hub}: no handler takes user events: events of clients will fail"
        );
    }

    let (alive, mut all_gone) = mpsc::channel(1);
    let (inputs, engine_task) = service::start(engine, webhooks, Arc::clone(&clock), alive.clone());
    let api = Arc::new(Api::new(keys.clone()));
    let (inputs_of_app, keys) = (inputs.clone(), Arc::new(keys));
    let app = App { inputs: inputs_of_app, keys, api, clock, message_bytes, room, alive };
    let (accepting, stop_accepting) = oneshot::channel::<()>();
    let listener = listener.tap_io(|connection| {
        // Small messages are not to wait for more of them.
        let _ = connection.set_nodelay(true);
    });
    let serving = axum::serve(listener, routes::router(app)).with_graceful_shutdown(async {
        let _ = stop_accepting.await;
    });
    let serving = tokio::spawn(serving.into_future());

    let signal = tokio::select! {
        signal = stopping => signal,
        _ = engine_task => return Err("the engine ended, which is a bug: please report it".into()),
    };
    eprintln!("server: {signal}: closing all connections");
    drop(accepting);
    let _ = inputs.send(Input::Stop).await;
    stop::drain(async {
        let _ = serving.await;
        // Nothing is ever sent: this ends when the last connection and the engine task have dropped their senders.
        all_gone.recv().await;
    })
    .await;
    Ok(())
}

fn access_keys(options: &Options) -> Result<AccessKeys, String> {
    let key = |flag: &str, text: &str| {
        AccessKey::new(text)
            .map_err(|error| format!("--{flag}: {error}: try one from openssl rand -hex 32"))
    };
    let primary = key("access-key", &options.access_key)?;
    let secondary = options.secondary_key.as_deref();
    let secondary = secondary.map(|text| key("secondary-key", text)).transpose()?;
    Ok(AccessKeys { primary, secondary })
}

fn config(options: &Options) -> Result<Config, String> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| format!("no random numbers: {error}"))?;
    let mut config = Config::new(u64::from_le_bytes(seed));
    config.limits = options.limits.clone();
    if let Some(path) = &options.config {
        config_file::read(path, &mut config)?;
    }
    for (hub, url) in &options.handlers {
        handler_url::check(url).map_err(|error| format!("--handler {hub}: {error}"))?;
        let known = config.hubs.iter_mut().find(|(name, _)| name.eq_ignore_ascii_case(hub));
        match known {
            Some((_, settings)) => settings.handlers.push(EventHandler::all(url)),
            None => {
                let handlers = vec![EventHandler::all(url)];
                config.hubs.push((hub.clone(), HubConfig { handlers, ..HubConfig::default() }));
            }
        }
    }
    Ok(config)
}

/// Returns the most bytes of a message in any hub. Sockets keep no more; the engine knows the limit of
/// each hub.
fn message_bytes(config: &Config) -> usize {
    let of_hubs = config.hubs.iter().filter_map(|(_, hub)| hub.limits.as_ref());
    of_hubs.fold(config.limits.message_bytes, |most, limits| most.max(limits.message_bytes))
}

/// Tells whether a hub has handlers and none of them takes events of clients.
fn is_deaf(hub: &HubConfig) -> bool {
    let takes_none = |handler: &EventHandler| handler.user_events == EventPattern::default();
    !hub.handlers.is_empty() && hub.handlers.iter().all(takes_none)
}

fn webhooks(keys: &AccessKeys, address: SocketAddr) -> Result<Webhooks, String> {
    // As in a URL: an IPv6 address has its brackets.
    let origin = match address {
        SocketAddr::V4(address) => address.ip().to_string(),
        SocketAddr::V6(address) => format!("[{}]", address.ip()),
    };
    let settings = WebhookSettings { keys: keys.clone(), origin, limits: WebhookLimits::default() };
    Webhooks::new(settings).map_err(|error| format!("webhooks: {error}"))
}

/// Opens the port and returns it with the address at which clients on this machine find it.
async fn listen(options: &Options) -> Result<(TcpListener, SocketAddr), String> {
    let failed = |error: std::io::Error| {
        let address = options.listen;
        format!("--listen {address}: {error}: try another port, or port 0 for any free one")
    };
    let listener = TcpListener::bind(options.listen).await.map_err(failed)?;
    let mut address = listener.local_addr().map_err(failed)?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok((listener, address))
}
