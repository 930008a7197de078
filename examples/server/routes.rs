//! The HTTP side: routes, and the handshake that turns a request into a connection.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use hubcast::rest::{self, Api, Handshake};
use hubcast::token::{AccessKeys, TokenError};
use hyper::upgrade::OnUpgrade;
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::clock::Clock;
use crate::console;
use crate::counters::Counters;
use crate::input::{Ended, Input, Inputs};
use crate::logs::{LoggedRequest, Logs};
use crate::outbound::Outbound;
use crate::pulse::Pulse;
use crate::room::SharedRoom;
use crate::socket::SocketTask;
use crate::sockets::{Decision, Socket};
use crate::{api, metrics};

/// What the routes work with.
#[derive(Clone)]
pub(crate) struct App {
    /// The way to the engine task.
    pub(crate) inputs: Inputs,
    /// The keys that tokens are signed with.
    pub(crate) keys: Arc<AccessKeys>,
    /// The REST API.
    pub(crate) api: Arc<Api>,
    pub(crate) clock: Arc<Clock>,
    /// Watches over the signs of life of all peers.
    pub(crate) pulse: Arc<Pulse>,
    /// The most bytes of one message from a client that connects now.
    pub(crate) message_bytes: Arc<AtomicUsize>,
    /// The most that waits for one socket.
    pub(crate) room: Arc<SharedRoom>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) logs: Logs,
    /// Every connection holds a clone, so that its receiver ends with the last of them.
    pub(crate) alive: mpsc::Sender<()>,
}

/// Makes the routes.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        .route("/client", any(connect))
        .route("/client/", any(connect))
        .route("/client/hubs/", any(connect))
        .route("/client/hubs/{hub}", any(connect))
        .route("/client/hubs/{hub}/", any(connect))
        .route("/api/health", get(StatusCode::OK).head(api::serve))
        .route("/api/{*path}", any(api::serve))
        .route("/metrics", get(metrics::serve))
        .merge(console::router(app.inputs.clone(), app.clock.now()))
        .fallback(not_found)
        .with_state(app)
}

async fn not_found() -> impl IntoResponse {
    (
        StatusCode::NOT_FOUND,
        "Not found. Clients connect to /client/hubs/{hub}, servers use /api/hubs/{hub}, people /.\n",
    )
}

/// Returns where the peer of a request is.
pub(crate) fn caller(request: &Parts) -> Option<IpAddr> {
    let ConnectInfo(address) = request.extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(address.ip().to_canonical())
}

/// Answers a handshake, and counts the answer.
async fn connect(State(app): State<App>, request: Request) -> Response {
    let counters = Arc::clone(&app.counters);
    let (mut parts, _) = request.into_parts();
    let caller = caller(&parts);
    let response = match examine(&app, &mut parts) {
        Ok(asked) => ask(app, asked, caller).await,
        Err(refusal) => {
            let error = refusal.extensions().get::<TokenError>();
            // The client is told nothing but 401; whoever runs the server may know why.
            if let Some(error) = error {
                eprintln!("server: {} is refused: {error}", parts.uri.path());
            }
            let request = LoggedRequest::new(&parts, caller);
            app.logs.refused(&request, refusal.status(), error, app.clock.now());
            refusal
        }
    };
    counters.count_handshake(response.status().as_u16());
    response
}

/// A handshake that may become a connection.
struct Asked {
    handshake: Handshake,
    /// What proves to the client that it speaks to a WebSocket server.
    accept_key: String,
    upgrade: OnUpgrade,
}

/// Checks all of a handshake for which no engine is needed.
#[expect(clippy::result_large_err, reason = "made once per refused handshake, and sent at once")]
fn examine(app: &App, parts: &mut Parts) -> Result<Asked, Response> {
    let handshake = rest::handshake(parts, &app.keys, app.clock.now())
        .map_err(|refusal| refusal.map(Body::from))?;
    if parts.headers.get(SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        // RFC 6455, 4.4.
        return Err((StatusCode::UPGRADE_REQUIRED, [(SEC_WEBSOCKET_VERSION, "13")]).into_response());
    }
    let key = parts.headers.get(SEC_WEBSOCKET_KEY).map(|key| derive_accept_key(key.as_bytes()));
    let (Some(accept_key), Some(upgrade)) = (key, parts.extensions.remove::<OnUpgrade>()) else {
        return Err((StatusCode::BAD_REQUEST, "A WebSocket handshake is expected.").into_response());
    };
    Ok(Asked { handshake, accept_key, upgrade })
}

/// Answers what the engine decides.
async fn ask(app: App, asked: Asked, caller: Option<IpAddr>) -> Response {
    let Asked { handshake, accept_key, upgrade } = asked;
    let (answer, answered) = oneshot::channel();
    // A task of its own, because a handler is dropped when the client goes away: the engine has to be told.
    tokio::spawn(run_connection(app, handshake, caller, upgrade, answer));
    match answered.await {
        Ok(Decision::Accept { subprotocol }) => {
            switch_protocols(&accept_key, subprotocol.as_deref())
        }
        Ok(Decision::Refuse(refusal)) => refusal.map(Body::from),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Asks the engine, has the handshake answered, then moves bytes until the end of the connection.
async fn run_connection(
    app: App,
    handshake: Handshake,
    caller: Option<IpAddr>,
    upgrade: OnUpgrade,
    mut answer: oneshot::Sender<Decision>,
) {
    let outbound = Arc::new(Outbound::new(app.room));
    let message_bytes = app.message_bytes.load(Ordering::Relaxed);
    let (decision, decided) = oneshot::channel();
    let socket = Socket { outbound: Arc::clone(&outbound), decision: Some(decision) };
    let (opened, open) = oneshot::channel();
    let handshake = Box::new(handshake);
    if app.inputs.send(Input::Open { handshake, socket, caller, opened }).await.is_err() {
        return;
    }
    let Ok(connection) = open.await else { return };
    let App { inputs, clock, pulse, alive: _alive, .. } = app;
    let task = SocketTask { connection, inputs, outbound, clock, message_bytes };
    let decision = tokio::select! {
        decision = decided => decision,
        () = answer.closed() => return task.report_closed(Ended::Lost).await,
    };
    let Ok(decision) = decision else { return };
    let accepted = matches!(decision, Decision::Accept { .. });
    let told = answer.send(decision).is_ok();
    if !accepted {
        return;
    }
    if !told {
        return task.report_closed(Ended::Lost).await;
    }
    match upgrade.await {
        Ok(upgraded) => {
            pulse.watch(&task.outbound);
            task.run(upgraded).await;
        }
        Err(_) => task.report_closed(Ended::Lost).await,
    }
}

fn switch_protocols(key: &str, subprotocol: Option<&str>) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    let key = HeaderValue::from_str(key).expect("base64 is fit for a header");
    headers.insert(SEC_WEBSOCKET_ACCEPT, key);
    if let Some(name) = subprotocol.and_then(|name| HeaderValue::from_str(name).ok()) {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, name);
    }
    response
}
