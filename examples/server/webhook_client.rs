//! Sends requests to webhooks, each in a task of its own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::StreamExt;
use http::{Request, Response};
use hubcast::rest::webhook::{HandlerAnswer, RequestId, SendFailure, WebhookRequest};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::AbortHandle;

use crate::service::Input;

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
    pub(crate) result: Result<Response<Bytes>, SendFailure>,
    /// The room that the body takes.
    _room: OwnedSemaphorePermit,
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
    pub(crate) fn new(inputs: mpsc::WeakSender<Input>) -> Self {
        let mut tcp = HttpConnector::new();
        tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
        tcp.set_nodelay(true);
        // Whether it is https is decided one layer above.
        tcp.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_webpki_roots()
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
            let result = exchange(&http, request, &mut room).await;
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
) -> Result<Response<Bytes>, SendFailure> {
    let response = http.request(request.map(Body::from)).await;
    let (head, body) = response.map_err(|_| SendFailure::Network)?.into_parts();
    let mut pieces = Body::new(body).into_data_stream();
    let mut body = Vec::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| SendFailure::Network)?;
        if body.len() + piece.len() > HandlerAnswer::BYTES_MAX {
            return Err(SendFailure::BodyTooLarge);
        }
        let more = u32::try_from(piece.len()).map_err(|_| SendFailure::BodyTooLarge)?;
        let more = Arc::clone(room.semaphore()).try_acquire_many_owned(more);
        room.merge(more.map_err(|_| SendFailure::BodyTooLarge)?);
        body.extend_from_slice(&piece);
    }
    Ok(Response::from_parts(head, body.into()))
}
