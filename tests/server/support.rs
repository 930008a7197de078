//! Starts the example server as a process of its own and connects clients to it.

mod client;
mod webhook;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::{Duration, SystemTime};

use hubcast::Time;
use hubcast::token::{AccessKey, AccessKeys, ClientToken};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpSocket, TcpStream};
use tokio::process::{Child, ChildStderr, ChildStdout, Command};
use tokio::time::{sleep, timeout};
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, http};

pub(crate) use self::client::{Client, Session};
pub(crate) use self::webhook::{Asked, Webhook, respond};

/// Only ends a test that hangs; nothing waits this long when all is well.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// The access key that the server has without flags.
pub(crate) const ACCESS_KEY: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH";

pub(crate) const JSON: &str = "json.webpubsub.azure.v1";
pub(crate) const RELIABLE_JSON: &str = "json.reliable.webpubsub.azure.v1";
pub(crate) const PROTOBUF: &str = "protobuf.webpubsub.azure.v1";
pub(crate) const RELIABLE_PROTOBUF: &str = "protobuf.reliable.webpubsub.azure.v1";

/// A running server; it is killed when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// The client URL that it printed.
    pub(crate) client_url: String,
    child: Child,
    stdout: BufReader<ChildStdout>,
    stderr: BufReader<ChildStderr>,
}

impl Server {
    /// Starts a server on a free port and waits until it has printed where it listens.
    pub(crate) async fn start(flags: &[&str]) -> Self {
        let mut child = command(flags)
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the server starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let address = line_after(&mut stdout, "Listening on http://").await;
        let client_url = format!("ws://{}", line_after(&mut stdout, "  ws://").await);
        let stderr = BufReader::new(child.stderr.take().expect("stderr is piped"));
        let address = address.parse().expect("an address");
        Self { address, client_url, child, stdout, stderr }
    }

    /// Waits for the end and returns the exit code and what was written to stderr.
    pub(crate) async fn ended(mut self) -> (Option<i32>, String) {
        let (mut rest, mut stderr) = (Vec::new(), String::new());
        let ended = async {
            self.stdout.read_to_end(&mut rest).await.expect("stdout ends");
            self.stderr.read_to_string(&mut stderr).await.expect("stderr ends");
            self.child.wait().await.expect("the server ends")
        };
        let status = timeout(PATIENCE, ended).await.expect("the server ends in time");
        (status.code(), stderr)
    }

    /// Reads stderr until a line that has this text in it, and returns that line.
    pub(crate) async fn says(&mut self, text: &str) -> String {
        line_with(&mut self.stderr, text).await
    }

    /// Reads stdout until a line that has this text in it, and returns that line.
    pub(crate) async fn prints(&mut self, text: &str) -> String {
        line_with(&mut self.stdout, text).await
    }

    /// Returns the id of the process.
    pub(crate) fn process(&self) -> u32 {
        self.child.id().expect("the server runs")
    }

    /// Sends a signal to the server.
    pub(crate) async fn signal(&self, signal: &str) {
        let id = self.process().to_string();
        let sent = Command::new("kill").args([signal, &id]).status().await.expect("kill is there");
        assert!(sent.success());
    }

    /// Connects a client of hub `chat` with a token that lets it join and send.
    pub(crate) async fn connect(&self, user: &str, offers: &[&str]) -> Client {
        let url = self.url("chat", user, ACCESS_KEY);
        self.try_connect(&url, offers).await.expect("the handshake works").0
    }

    /// Connects a JSON client that has read its `connected` frame and is in group `g`.
    pub(crate) async fn member(&self, user: &str) -> Client {
        let mut client = self.connect(user, &[JSON]).await;
        assert!(client.text().await.contains(r#""event":"connected""#));
        client.join().await;
        client
    }

    /// Connects a reliable JSON client that is in group `g`.
    pub(crate) async fn reliable_member(&self, user: &str) -> (Client, Session) {
        let mut client = self.connect(user, &[RELIABLE_JSON]).await;
        let session = client.connected().await;
        client.join().await;
        (client, session)
    }

    /// Connects a client that takes up a session again; the server accepts it, whatever comes then.
    pub(crate) async fn recover(&self, hub: &str, session: &Session, offers: &[&str]) -> Client {
        let url = self.recovery_url(hub, session);
        let (client, chosen) = self.try_connect(&url, offers).await.expect("accepted");
        assert_eq!(chosen.as_deref(), Some(offers[0]));
        client
    }

    /// Returns the URL at which a session is taken up again. It has no access token.
    pub(crate) fn recovery_url(&self, hub: &str, Session { id, token }: &Session) -> String {
        let address = self.address;
        format!(
            "ws://{address}/client/hubs/{hub}?awps_connection_id={id}&awps_reconnection_token={token}"
        )
    }

    /// Connects to a URL of this server; returns the subprotocol too.
    pub(crate) async fn try_connect(
        &self,
        url: &str,
        offers: &[&str],
    ) -> Result<(Client, Option<String>), Error> {
        let mut request = url.into_client_request().expect("a URL");
        if !offers.is_empty() {
            let offers = offers.join(", ").parse().expect("a header value");
            request.headers_mut().insert("sec-websocket-protocol", offers);
        }
        let socket = TcpSocket::new_v4().expect("a socket");
        // Small, so that a client that does not read is soon noticed.
        socket.set_recv_buffer_size(16 * 1024).expect("a buffer size");
        let stream = socket.connect(self.address).await.expect("the server listens");
        let shaken = timeout(PATIENCE, client_async(request, stream)).await;
        let (socket, response) = shaken.expect("an answer in time")?;
        let chosen = response.headers().get("sec-websocket-protocol");
        let chosen = chosen.map(|name| name.to_str().expect("a name").to_owned());
        Ok((Client(socket), chosen))
    }

    /// Returns the status that a handshake is refused with.
    pub(crate) async fn refused(&self, url: &str) -> u16 {
        match self.try_connect(url, &[]).await {
            Err(Error::Http(response)) => response.status().as_u16(),
            Err(error) => panic!("no HTTP answer: {error}"),
            Ok(_) => panic!("accepted"),
        }
    }

    /// Connects to a URL as soon as the hub has room.
    pub(crate) async fn accepted_at_last(&self, url: &str) -> Client {
        let accepted = async {
            loop {
                match self.try_connect(url, &[JSON]).await {
                    Ok((client, _)) => return client,
                    Err(Error::Http(response)) => assert_eq!(response.status().as_u16(), 429),
                    Err(error) => panic!("no HTTP answer: {error}"),
                }
            }
        };
        timeout(PATIENCE, accepted).await.expect("room in time")
    }

    /// Sends a request and goes away without waiting for the answer.
    pub(crate) async fn send_and_leave(&self, request: &str) {
        let mut stream = TcpStream::connect(self.address).await.expect("the server listens");
        stream.write_all(format!("{request}\r\n\r\n").as_bytes()).await.expect("it is sent");
    }

    /// Returns a client URL with a token.
    pub(crate) fn url(&self, hub: &str, user: &str, key: &str) -> String {
        let keys = AccessKeys::from(AccessKey::new(key).expect("a key"));
        let now = SystemTime::UNIX_EPOCH.elapsed().expect("a time after 1970");
        let endpoint = format!("http://{}", self.address);
        let token = ClientToken {
            endpoint: &endpoint,
            hub,
            user: Some(user),
            roles: &["webpubsub.joinLeaveGroup", "webpubsub.sendToGroup"],
            ..ClientToken::default()
        };
        token.url(&keys, Time::from_secs(now.as_secs())).expect("a token")
    }

    /// Sends a bare HTTP request and returns the whole response.
    pub(crate) async fn http(&self, request: &str) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            let request = format!("{request}\r\nconnection: close\r\n\r\n");
            stream.write_all(request.as_bytes()).await?;
            let mut response = String::new();
            stream.read_to_string(&mut response).await?;
            std::io::Result::Ok(response)
        };
        timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer")
    }

    /// Sends a bare HTTP request and returns the head of the response.
    pub(crate) async fn http_head(&self, request: &str) -> String {
        let exchange = async {
            let mut stream = TcpStream::connect(self.address).await?;
            stream.write_all(format!("{request}\r\n\r\n").as_bytes()).await?;
            let mut stream = BufReader::new(stream);
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") && stream.read_line(&mut head).await? > 0 {}
            std::io::Result::Ok(head)
        };
        timeout(PATIENCE, exchange).await.expect("an answer in time").expect("an answer")
    }
}

/// Runs the server with flags that make it end by itself.
pub(crate) async fn run(flags: &[&str]) -> Output {
    let output = command(flags).stdin(Stdio::null()).kill_on_drop(true).output();
    timeout(PATIENCE, output).await.expect("it ends in time").expect("the server starts")
}

fn command(flags: &[&str]) -> Command {
    let mut command = example("server");
    command.args(flags);
    command
}

/// Returns the command that runs an example.
pub(crate) fn example(name: &str) -> Command {
    let mut path: PathBuf = std::env::current_exe().expect("a path");
    // From target/debug/deps/server-0123 to target/debug/examples/server.
    path.pop();
    path.pop();
    path.extend(["examples", name]);
    assert!(
        path.exists(),
        "not built: run `cargo build --example {name}` or the whole `cargo test`"
    );
    Command::new(path)
}

async fn line_after(stdout: &mut BufReader<ChildStdout>, prefix: &str) -> String {
    let line = line_with(stdout, prefix).await;
    line.strip_prefix(prefix).expect("it begins with it").trim().to_owned()
}

async fn line_with(stream: &mut (impl AsyncBufReadExt + Unpin), text: &str) -> String {
    let found = async {
        loop {
            let mut line = String::new();
            let read = stream.read_line(&mut line).await.expect("a line");
            assert!(read > 0, "the server ended without saying {text:?}");
            if line.contains(text) {
                return line;
            }
        }
    };
    timeout(PATIENCE, found).await.unwrap_or_else(|_| panic!("no line with {text:?} in time"))
}

/// Returns a handshake request as text, without the empty line at its end.
pub(crate) fn handshake(uri: &str, version: u8) -> String {
    assert!(uri.parse::<http::Uri>().is_ok());
    format!(
        "GET {uri} HTTP/1.1\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: {version}\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ=="
    )
}

/// A ping of this many bytes.
pub(crate) fn ping_of(bytes: usize) -> String {
    let ping = r#"{"type":"ping"}"#;
    format!("{ping}{}", " ".repeat(bytes - ping.len()))
}

/// A config file that is gone after the test.
pub(crate) struct ConfigFile(String);

impl ConfigFile {
    pub(crate) fn new(name: &str, content: &str) -> Self {
        let name = format!("hubcast-test-{}-{name}.toml", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, content).expect("a temporary file");
        Self(path.to_str().expect("a path in UTF-8").to_owned())
    }

    pub(crate) fn path(&self) -> &str {
        &self.0
    }

    /// Gives it another content.
    pub(crate) fn write(&self, content: &str) {
        std::fs::write(&self.0, content).expect("a temporary file");
    }
}

/// A file that the server writes lines of JSON to; it is gone after the test.
pub(crate) struct LineFile {
    path: String,
    /// How many bytes have been read.
    read: usize,
}

impl LineFile {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("hubcast-test-{}-{name}.jsonl", std::process::id());
        let path = std::env::temp_dir().join(name).to_str().expect("a path in UTF-8").to_owned();
        let _ = std::fs::remove_file(&path);
        Self { path, read: 0 }
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Reads a file that is there from its beginning.
    pub(crate) fn resume(path: &str) -> Self {
        Self { path: path.to_owned(), read: 0 }
    }

    /// Returns the whole content.
    pub(crate) fn content(&self) -> String {
        std::fs::read_to_string(&self.path).unwrap_or_default()
    }

    /// Waits for the next line.
    pub(crate) async fn next(&mut self) -> Value {
        let line = async {
            loop {
                if let Some((line, _)) = self.content()[self.read..].split_once('\n') {
                    self.read += line.len() + 1;
                    return serde_json::from_str(line).expect("a line of JSON");
                }
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(PATIENCE, line).await.expect("a line in time")
    }

    /// Waits for the next line where a member has this value, such as `/properties/hub`.
    pub(crate) async fn next_with(&mut self, member: &str, value: &str) -> Value {
        loop {
            let line = self.next().await;
            if line.pointer(member).is_some_and(|it| it == value) {
                return line;
            }
        }
    }
}

impl Drop for LineFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Drop for ConfigFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
