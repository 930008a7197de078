//! Opens WebSocket connections, several at a time.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use hubcast::Time;
use hubcast::token::{AccessKeys, ClientToken};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

/// How long a handshake may take.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long its response may be.
const RESPONSE_BYTES: usize = 16 * 1024;

/// Where connections go.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// Scheme and host.
    endpoint: String,
    host: String,
    address: SocketAddr,
    hub: String,
    keys: AccessKeys,
}

/// Who connects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Client<'a> {
    pub(crate) user: &'a str,
    /// The group that it is in from the start; a client of no group may send to every one.
    pub(crate) group: Option<&'a str>,
    pub(crate) subprotocol: Option<&'a str>,
}

/// A connection that is open.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) stream: TcpStream,
    /// What came after the handshake.
    pub(crate) rest: Vec<u8>,
}

impl Target {
    /// Finds the address of an endpoint, `http://HOST` with or without a port.
    ///
    /// # Errors
    ///
    /// One line that says why there is none.
    pub(crate) async fn find(endpoint: &str, hub: &str, keys: AccessKeys) -> Result<Self, String> {
        let endpoint = endpoint.trim_end_matches('/');
        let host = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("ws://"));
        let Some(host) = host else {
            return Err(format!(
                "--endpoint {endpoint}: is not http://HOST:PORT: TLS is not supported, so use the port behind it"
            ));
        };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let asked = if has_port { host.to_owned() } else { format!("{host}:80") };
        let unknown =
            |why: &str| format!("--endpoint {endpoint}: {why}: try http://127.0.0.1:8080");
        let mut found = lookup_host(asked).await.map_err(|error| unknown(&error.to_string()))?;
        let address = found.next().ok_or_else(|| unknown("the host has no address"))?;
        let (endpoint, host, hub) = (endpoint.to_owned(), host.to_owned(), hub.to_owned());
        Ok(Self { endpoint, host, address, hub, keys })
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// One line that says why it does not work and what to do.
    pub(crate) async fn open(&self, client: Client<'_>) -> Result<Opened, String> {
        let opening = async {
            let stream =
                TcpStream::connect(self.address).await.map_err(|error| self.why(&error))?;
            stream.set_nodelay(true).map_err(|error| self.why(&error))?;
            self.shake_hands(stream, client).await
        };
        timeout(HANDSHAKE_TIMEOUT, opening).await.unwrap_or_else(|_| {
            let seconds = HANDSHAKE_TIMEOUT.as_secs();
            Err(format!("{}: no answer to a handshake within {seconds} s", self.endpoint))
        })
    }

    async fn shake_hands(
        &self,
        mut stream: TcpStream,
        client: Client<'_>,
    ) -> Result<Opened, String> {
        let key = generate_key();
        let offer = match client.subprotocol {
            Some(name) => format!("sec-websocket-protocol: {name}\r\n"),
            None => String::new(),
        };
        let request = format!(
            "GET {} HTTP/1.1\r\nhost: {}\r\nupgrade: websocket\r\nconnection: upgrade\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: {key}\r\n{offer}\r\n",
            self.path(client)?,
            self.host,
        );
        stream.write_all(request.as_bytes()).await.map_err(|error| self.why(&error))?;
        let mut response = Vec::with_capacity(512);
        let end = loop {
            if let Some(end) = response.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            let read = stream.read_buf(&mut response).await.map_err(|error| self.why(&error))?;
            if read == 0 || response.len() > RESPONSE_BYTES {
                return Err(format!("{}: does not answer as HTTP does", self.endpoint));
            }
        };
        let rest = response.split_off(end);
        let head = String::from_utf8_lossy(&response);
        if !head.starts_with("HTTP/1.1 101 ") {
            return Err(self.refused(head.lines().next().unwrap_or_default()));
        }
        if !head.contains(&derive_accept_key(key.as_bytes())) {
            return Err(format!("{}: answers another handshake", self.endpoint));
        }
        if let Some(name) = client.subprotocol.filter(|name| !head.contains(*name)) {
            return Err(format!(
                "{}: does not speak {name}: try another --protocol",
                self.endpoint
            ));
        }
        Ok(Opened { stream, rest })
    }

    /// Returns the path to connect to, with the token in it.
    fn path(&self, client: Client<'_>) -> Result<String, String> {
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO);
        let roles: &[&str] = if client.group.is_some() { &[] } else { &["webpubsub.sendToGroup"] };
        let token = ClientToken {
            endpoint: &self.endpoint,
            hub: &self.hub,
            user: Some(client.user),
            roles,
            groups: client.group.as_slice(),
            ..ClientToken::default()
        };
        let url = token
            .url(&self.keys, Time::from_secs(now.as_secs()))
            .map_err(|error| format!("no token for hub {}: {error}", self.hub))?;
        let path = url.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        Ok(path.expect("a client URL has a path").to_owned())
    }

    fn refused(&self, status: &str) -> String {
        let advice = match status.split(' ').nth(1) {
            Some("401") => "give the key of the server with --access-key or --connection-string",
            Some("404") => "the server has no such hub: choose one with --hub",
            Some("429") => "the hub takes no more connections: open fewer, or raise its limit",
            _ => "is this a Web PubSub endpoint?",
        };
        format!("{}: refuses a connection with {status}: {advice}", self.endpoint)
    }

    fn why(&self, error: &io::Error) -> String {
        let advice = match error.kind() {
            io::ErrorKind::ConnectionRefused => {
                "nothing listens there: start it with cargo run --release --example server"
            }
            io::ErrorKind::AddrNotAvailable => {
                "no local port is left: open fewer connections, or wait a minute"
            }
            // EMFILE and ENFILE have no kind of their own.
            _ if matches!(error.raw_os_error(), Some(23 | 24)) => {
                "raise the limit first: ulimit -n 100000"
            }
            _ => "the connection broke while it was opened: open fewer at a time with --parallel",
        };
        format!("{}: {error}: {advice}", self.endpoint)
    }
}
