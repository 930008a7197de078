//! A webhook in the test, for the server to call.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, Response};
use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::PATIENCE;

/// A request that the webhook got.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Asked {
    /// Returns a header; empty if there is none.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// Returns the name of the event; empty for a validation.
    pub(crate) fn event(&self) -> &str {
        self.header("ce-eventName")
    }

    /// Allows every origin, accepts everybody and replies with nothing.
    pub(crate) fn agree(&self) -> Response<Body> {
        let response = Response::builder().status(204);
        let response = match self.method {
            Method::OPTIONS => response.header("webhook-allowed-origin", "*"),
            _ => response,
        };
        response.body(Body::empty()).expect("a response")
    }
}

/// Returns a response.
pub(crate) fn respond(status: u16, content_type: &str, body: impl Into<Body>) -> Response<Body> {
    let response = Response::builder().status(status).header("content-type", content_type);
    response.body(body.into()).expect("a response")
}

/// A running webhook; it ends with the test.
pub(crate) struct Webhook {
    /// Scheme, host and port.
    origin: String,
    asked: mpsc::UnboundedReceiver<Asked>,
    /// Says which events were broken off before they were answered.
    broken_off: mpsc::UnboundedReceiver<String>,
}

impl Webhook {
    /// Starts a webhook on a free port that answers as the function says, or never where it returns nothing.
    pub(crate) async fn start(
        answer: impl Fn(&Asked) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        let (listener, address) = listen().await;
        Self::serve(listener, format!("http://{address}"), answer)
    }

    /// Starts one with TLS.
    pub(crate) async fn start_tls(
        config: ServerConfig,
        answer: impl Fn(&Asked) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        let (tcp, address) = listen().await;
        let listener = TlsListener { tcp, acceptor: TlsAcceptor::from(Arc::new(config)) };
        Self::serve(listener, format!("https://localhost:{}", address.port()), answer)
    }

    fn serve<L: Listener<Addr: Debug>>(
        listener: L,
        origin: String,
        answer: impl Fn(&Asked) -> Option<Response<Body>> + Send + Sync + 'static,
    ) -> Self {
        let (tell, asked) = mpsc::unbounded_channel();
        let (tell_broken_off, broken_off) = mpsc::unbounded_channel();
        let answer = Arc::new(answer);
        let router = Router::new().fallback(move |request: Request<Body>| {
            let (answer, tell) = (Arc::clone(&answer), tell.clone());
            let tell_broken_off = tell_broken_off.clone();
            async move {
                let asked = read(request).await;
                let mut guard =
                    Guard { event: Some(asked.event().to_owned()), tell: tell_broken_off };
                let response = answer(&asked);
                // The test may be over.
                let _ = tell.send(asked);
                let Some(response) = response else { return std::future::pending().await };
                guard.event = None;
                response
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, asked, broken_off }
    }

    /// Returns the flag that makes the server send the events of hub `chat` here.
    pub(crate) fn flag(&self) -> String {
        format!("chat={}", self.url())
    }

    /// Returns the URL template of the webhook.
    pub(crate) fn url(&self) -> String {
        format!("{}/{{hub}}/{{event}}?code=s3cret", self.origin)
    }

    /// Returns the next request.
    pub(crate) async fn next(&mut self) -> Asked {
        timeout(PATIENCE, self.asked.recv()).await.expect("a request in time").expect("a request")
    }

    /// Returns the next request with an event of this name; there is none with another one before it but validations.
    pub(crate) async fn event(&mut self, name: &str) -> Asked {
        loop {
            let asked = self.next().await;
            if asked.method != Method::OPTIONS {
                assert_eq!(asked.event(), name);
                return asked;
            }
        }
    }

    /// Returns the name of the next event that was broken off.
    pub(crate) async fn broken_off(&mut self) -> String {
        timeout(PATIENCE, self.broken_off.recv()).await.expect("in time").expect("an event")
    }
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    (listener, address)
}

/// Accepts those who trust its certificate.
struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = self.tcp.accept().await.expect("a connection");
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

/// Tells if it is dropped with an event in it.
struct Guard {
    event: Option<String>,
    tell: mpsc::UnboundedSender<String>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            let _ = self.tell.send(event);
        }
    }
}

async fn read(request: Request<Body>) -> Asked {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let path = head.uri.to_string();
    Asked { method: head.method, path, headers: head.headers, body }
}
