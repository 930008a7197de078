//! A complete local publish/subscribe service that speaks the WebSocket protocols of Azure Web
//! PubSub: `cargo run --release --example server`. Its code is an example to copy.
//!
//! One task owns the engine (`service.rs`) and writes to the sockets what it says (`deliveries.rs`, `outbound.rs`); the
//! tasks of sockets only move bytes (`socket.rs`), those of requests to webhooks (`webhook_client.rs`) too. Events for
//! listeners (`listeners.rs`: the place to copy for a broker) and logs (`logs.rs`) are written by threads of their own
//! (`lines.rs`).

mod activity;
mod api;
mod authorities;
mod banner;
mod clock;
mod config_file;
mod console;
mod counters;
mod deliveries;
mod echo;
mod failures;
mod handler_url;
mod handlers;
mod help;
mod incoming;
mod input;
mod journal;
mod lines;
mod listeners;
mod load;
mod log_record;
mod logs;
mod metrics;
mod options;
mod outbound;
mod pulse;
mod queue;
mod reload;
mod rest_routes;
mod room;
mod routes;
mod service;
mod settings;
mod socket;
mod sockets;
mod stop;
mod tables;
mod webhook_client;
mod wire;

use std::env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use axum::serve::ListenerExt;
use hubcast::replay::Recorder;
use hubcast::rest::Api;
use hubcast::rest::webhook::{WebhookLimits, WebhookSettings, Webhooks};
use hubcast::token::{AccessKey, AccessKeys};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};

use self::clock::Clock;
use self::input::Input;
use self::journal::JournalFile;
use self::lines::LineWriter;
use self::listeners::{ListenerOutputs, Listeners};
use self::logs::Logs;
use self::options::{Invocation, Options};
use self::pulse::Pulse;
use self::reload::{HangUps, Reload};
use self::room::{Room, SharedRoom};
use self::routes::App;
use self::service::Outlets;

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match Invocation::parse(env::args_os().skip(1)) {
        Ok(Invocation::Help) => banner::print(help::HELP),
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
    let config = settings::read(options, seed()?)?;
    let journal_config = options.journal.is_some().then_some(options.journal_config);
    let engine =
        Recorder::new(config.clone(), journal_config).map_err(|error| error.to_string())?;
    let message_bytes = Arc::new(AtomicUsize::new(settings::message_bytes(&config)));
    let room = SharedRoom::new(Room::for_all_of(&config));
    let outputs = ListenerOutputs::open(&config)?;
    let logs = Logs::open(options.logs.as_deref())?;
    let journal = options.journal.as_deref().map(JournalFile::create).transpose()?;
    let (journal, written) = journal.unzip();
    let authorities = authorities::trusted(options.handler_ca.as_deref())?;

    let (listener, address) = listen(options).await?;
    let endpoint = format!("http://{address}");
    let webhooks = webhooks(&keys, address)?;
    let stopping =
        stop::requested().map_err(|error| format!("cannot wait for signals: {error}"))?;
    let hang_ups =
        HangUps::listen(options).map_err(|error| format!("cannot wait for signals: {error}"))?;
    let clock = Arc::new(Clock::default());
    banner::welcome(&endpoint, &options.access_key, &keys, clock.now())?;

    settings::warn(&config);
    if options.allow_unvalidated_entra {
        eprintln!(
            "server: warning: --allow-unvalidated-entra: anybody can make a token that lets them do everything: only \
             for development"
        );
    }

    let (alive, mut all_gone) = mpsc::channel(1);
    let writer = LineWriter::start("listeners");
    let listeners = Listeners::new(outputs, writer.clone());
    let outlets = Outlets { listeners, logs: logs.clone(), journal };
    let (inputs, engine_task) =
        service::start(engine, webhooks, authorities, outlets, Arc::clone(&clock), alive.clone());
    let app = App {
        inputs: inputs.clone(),
        keys: Arc::new(keys.clone()),
        api: Arc::new(api(keys, options)),
        pulse: Pulse::start(Arc::clone(&clock)),
        clock,
        message_bytes: Arc::clone(&message_bytes),
        room: Arc::clone(&room),
        counters: Arc::default(),
        logs: logs.clone(),
        alive,
    };
    let reload = Reload {
        options: options.clone(),
        config,
        message_bytes,
        room,
        logs: logs.clone(),
        inputs: inputs.clone(),
    };
    let (accepting, stop_accepting) = oneshot::channel::<()>();
    let listener = listener.tap_io(|connection| {
        // Small messages are not to wait for more of them.
        let _ = connection.set_nodelay(true);
    });
    let service = routes::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(async {
        let _ = stop_accepting.await;
    });
    let serving = tokio::spawn(serving.into_future());

    let signal = tokio::select! {
        signal = stopping => signal,
        never = reload.run(hang_ups) => match never {},
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
    writer.finish().await;
    logs.finish().await;
    if let Some(written) = written {
        written.wait().await;
    }
    Ok(())
}

/// Draws the seed of the engine.
fn seed() -> Result<u64, String> {
    let mut seed = [0; 8];
    getrandom::fill(&mut seed).map_err(|error| format!("no random numbers: {error}"))?;
    Ok(u64::from_le_bytes(seed))
}

fn api(keys: AccessKeys, options: &Options) -> Api {
    let mut api = Api::new(keys);
    api.generate_with_key = options.generate_with_key;
    api.allow_unvalidated_entra = options.allow_unvalidated_entra;
    api
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
