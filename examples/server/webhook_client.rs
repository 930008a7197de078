//! Sends requests to webhooks, each in a task of its own.

use std::collections::BTreeMap;
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response, Uri};
use hubcast::rest::webhook::{HandlerAnswer, RequestId, SendFailure, WebhookRequest};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;

use crate::input::Input;

/// How long a connection is kept that nobody uses. Many servers close theirs after 5 s, and a request that meets a
/// close on its way has failed.
const IDLE: Duration = Duration::from_secs(4);
/// How long it may take to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// The most bytes of all bodies that the engine task has not taken yet. Whatever has no room has failed: those who wait
/// for room could wait for each other.
const BODIES_BYTES: usize = 256 * 1024 * 1024;

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) result: Result<Response<Bytes>, Failed>,
    /// The room that the body takes.
    _room: OwnedSemaphorePermit,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) struct Failed {
    /// Where the request went, without its query and the name of a user, where secrets may be.
    pub(crate) url: String,
    pub(crate) failure: SendFailure,
    /// What there is to say of it besides.
    pub(crate) why: Option<String>,
}

type Http = Client<HttpsConnector<HttpConnector>, Body>;

/// An HTTP/1.1 client that keeps connections alive and follows no redirections.
#[derive(Debug)]
pub(crate) struct WebhookClient {
    http: Http,
    /// The way to the engine task. It does not keep that task alive.
    inputs: mpsc::WeakSender<Input>,
    /// The requests whose tasks nobody has heard of yet.
    under_way: BTreeMap<RequestId, AbortHandle>,
    /// A permit for each byte of a body.
    room: Arc<Semaphore>,
}

impl WebhookClient {
    pub(crate) fn new(authorities: RootCertStore, inputs: mpsc::WeakSender<Input>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        // Whether it is https is decided one layer above.
        tcp.enforce_http(false);
        let tls = ClientConfig::builder().with_root_certificates(authorities).with_no_client_auth();
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let http = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        let room = Arc::new(Semaphore::new(BODIES_BYTES));
        Self { http, inputs, under_way: BTreeMap::new(), room }
    }

    /// Sends a request. What comes of it becomes an input of the engine task.
    pub(crate) fn send(&mut self, WebhookRequest { id, request, .. }: WebhookRequest) {
        // Without the engine task nobody waits for it.
        let Some(inputs) = self.inputs.upgrade() else { return };
        let http = self.http.clone();
        let room = Arc::clone(&self.room).try_acquire_many_owned(0);
        let mut room = room.expect("nobody closes it, and nothing needs no room");
        let task = tokio::spawn(async move {
            let url = shown(request.uri());
            let result = exchange(&http, request, &mut room).await;
            let result = result.map_err(|(failure, why)| Failed { url, failure, why });
            let answered = Box::new(Answered { result, _room: room });
            let _ = inputs.send(Input::Answered { id, answered }).await;
        });
        self.under_way.insert(id, task.abort_handle());
    }

    /// Breaks a request off, and its connection with it.
    pub(crate) fn abort(&mut self, id: RequestId) {
        if let Some(task) = self.under_way.remove(&id) {
            task.abort();
        }
    }

    /// Forgets a request that is over.
    pub(crate) fn forget(&mut self, id: RequestId) {
        self.under_way.remove(&id);
    }
}

async fn exchange(
    http: &Http,
    request: Request<Bytes>,
    room: &mut OwnedSemaphorePermit,
) -> Result<Response<Bytes>, (SendFailure, Option<String>)> {
    let broken = |error: &(dyn Error + 'static)| (SendFailure::Network, Some(why(error)));
    let too_large = (SendFailure::BodyTooLarge, None);
    let response = http.request(request.map(Body::from)).await;
    let (head, body) = response.map_err(|error| broken(&error))?.into_parts();
    let mut pieces = Body::new(body).into_data_stream();
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        if body.len() + piece.len() > HandlerAnswer::BYTES_MAX {
            return Err(too_large);
        }
        let more = u32::try_from(piece.len()).map_err(|_| too_large.clone())?;
        let more = Arc::clone(room.semaphore()).try_acquire_many_owned(more);
        room.merge(more.map_err(|_| too_large.clone())?);
        body.extend_from_slice(&piece);
    }
    Ok(Response::from_parts(head, body.into()))
}

/// Returns a URL without its query and the name of a user.
fn shown(url: &Uri) -> String {
    let (scheme, host) = (url.scheme_str().unwrap_or_default(), url.host().unwrap_or_default());
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{scheme}://{host}{port}{}", url.path())
}

/// Says in one line why a request failed: the outer errors only say that it did.
fn why(error: &(dyn Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(inner) = inner(innermost) {
        innermost = inner;
    }
    let hint = match innermost.downcast_ref() {
        Some(TlsError::InvalidCertificate(
            CertificateError::UnknownIssuer | CertificateError::BadSignature,
        )) => ": --handler-ca can name more authorities",
        Some(_) | None => "",
    };
    let text = innermost.to_string();
    format!("{}{hint}", text.lines().next().unwrap_or_default())
}

fn inner<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>() {
        // Its source is that of the error in it.
        Some(error) => error.get_ref().map(|error| error as _),
        None => error.source(),
    }
}
