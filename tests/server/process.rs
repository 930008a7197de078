//! Flags, config files, and the end of the process.

use std::process::Output;

use crate::support::{ACCESS_KEY, ConfigFile, JSON, Server, ping_of, run};

/// SIGTERM and SIGINT close every connection with 1001 and end the process with 0.
#[tokio::test]
async fn orderly_stop() {
    for signal in ["-TERM", "-INT"] {
        let server = Server::start(&[]).await;
        let mut clients = vec![server.member("a").await, server.member("b").await];
        clients.push(server.connect("plain", &[]).await);
        server.signal(signal).await;
        for client in &mut clients {
            assert_eq!(client.closed().await.1, 1001);
        }
        drop(clients);
        let (code, stderr) = server.ended().await;
        assert_eq!(code, Some(0), "{stderr}");
        assert!(stderr.contains("closing all connections"), "{stderr}");
        assert!(stderr.ends_with("stopped\n"), "{stderr}");
    }
}

/// A config file opens a hub to clients without a token, closes unknown hubs and sets limits.
#[tokio::test]
async fn config_file() {
    let file = ConfigFile::new(
        "ok",
        "unknown_hubs = \"refuse\"\n[hubs.chat]\nallow_anonymous = true\n\
         limits = { connections = 1, message_bytes = 2000000 }\n[hubs.closed]\n",
    );
    let server = Server::start(&["--config", file.path(), "--limits", "free"]).await;
    let url = |hub: &str| format!("ws://{}/client/hubs/{hub}", server.address);
    let (mut first, _) = server.try_connect(&url("CHAT"), &[JSON]).await.expect("accepted");
    first.text().await;
    assert_eq!(server.refused(&url("chat")).await, 429);
    assert_eq!(server.refused(&url("closed")).await, 401);
    assert_eq!(server.refused(&server.url("other", "a", ACCESS_KEY)).await, 404);
    first.send(&ping_of(2_000_000)).await;
    assert_eq!(first.text().await, r#"{"type":"pong"}"#);
}

/// What cannot work is refused with exit code 2 and one line that says what to do.
#[tokio::test]
async fn bad_flags() {
    let unknown_field = ConfigFile::new("unknown", "[hubs.chat]\nallow_anonymus = true\n");
    let not_toml = ConfigFile::new("syntax", "[hubs.chat\n");
    let hub_name = ConfigFile::new("hub", "[hubs.1st]\n");
    let limit = ConfigFile::new("limit", "[hubs.chat]\nlimits = { connections = 0 }\n");
    let handler =
        ConfigFile::new("handler", "[[hubs.chat.handlers]]\nurl = \"http://{hub}.h/{event}\"\n");
    let policy = ConfigFile::new("policy", "[hubs.chat]\nslow_consumer = \"drop\"\n");
    let event = ConfigFile::new(
        "event",
        "[[hubs.chat.handlers]]\nurl = \"http://h/\"\nsystem_events = [\"conect\"]\n",
    );
    let listener = ConfigFile::new(
        "joined",
        "[[hubs.a.listeners]]\npath = \"-\"\nsystem_events = [\"joined\"]\n",
    );
    let pathless = ConfigFile::new("pathless", "[[hubs.a.listeners]]\npath = \"\"\n");
    let no_directory = "chat=no/such/directory/events.jsonl";
    let no_certificate = ConfigFile::new("none", "what is this?");
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let bad_certificate = ConfigFile::new("bad", &format!("{begin}\nAAAA\n{end}\n"));
    let cut_certificate = ConfigFile::new("cut", &format!("{begin}\nAAAA\n"));
    for (flags, says) in [
        (vec!["--nonsense"], "--nonsense"),
        (vec!["surplus"], "surplus"),
        (vec!["--listen"], "--listen"),
        (vec!["--listen", "nowhere"], "--listen 127.0.0.1:8080"),
        (vec!["--access-key", "short"], "at least 32"),
        (vec!["--secondary-key", "short"], "--secondary-key"),
        (vec!["--journal-without", "names"], "--journal-without payloads"),
        (vec!["--journal-bytes", "many"], "--journal-bytes"),
        (vec!["--journal", "no/such/directory/j"], "directory that can be written"),
        (vec!["--limits", "huge"], "standard:UNITS"),
        (vec!["--limits", "standard:0"], "standard:UNITS"),
        (vec!["--handler", "chat"], "HUB=URL"),
        (vec!["--handler", "chat=ftp://h/"], "http://"),
        (vec!["--handler", "chat=echo"], "neither echo: nor"),
        (vec!["--handler", "chat=http://h/{evnt}"], "{evnt}"),
        (vec!["--handler", "1st=http://h/"], "1st"),
        (vec!["--handler", "chat=http://h/?code={secret}"], "\"http://h/\" is neither"),
        (vec!["--handler-ca", "no/such/file"], "no/such/file: cannot be read"),
        (vec!["--handler-ca", no_certificate.path()], "has no certificate"),
        (vec!["--handler-ca", bad_certificate.path()], "certificate 1 cannot be trusted"),
        (vec!["--handler-ca", cut_certificate.path()], "is not PEM"),
        (vec!["--config", "no/such/file"], "no/such/file"),
        (vec!["--config", unknown_field.path()], "line 2: unknown field `allow_anonymus`"),
        (vec!["--config", not_toml.path()], "line 1"),
        (vec!["--config", hub_name.path()], "1st"),
        (vec!["--config", limit.path()], "connections"),
        (vec!["--config", handler.path()], "parameters in its host"),
        (vec!["--config", event.path()], "conect"),
        (vec!["--config", policy.path()], "drop-newest"),
        (vec!["--listener", "chat"], "HUB=PATH"),
        (
            vec!["--listener", no_directory],
            "hub chat: no/such/directory/events.jsonl: cannot be opened",
        ),
        (
            vec!["--config", listener.path()],
            "joined cannot be listened to: only connected and disconnected",
        ),
        (vec!["--config", pathless.path()], "path is empty"),
        (vec!["--logs", ""], "--logs hubcast.jsonl"),
        (vec!["--logs", "no/such/directory/log"], "--logs no/such/directory/log: cannot be opened"),
    ] {
        let Output { status, stdout, stderr } = run(&flags).await;
        let stderr = String::from_utf8(stderr).expect("UTF-8");
        assert_eq!(status.code(), Some(2), "{flags:?}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{flags:?}: {stderr}");
        assert!(stderr.starts_with("server: ") && stderr.contains(says), "{flags:?}: {stderr}");
        assert!(stdout.is_empty());
    }
}

/// The config file that the help shows is one that the server starts with.
#[tokio::test]
async fn help_shows_a_config_file() {
    let Output { stdout, .. } = run(&["--help"]).await;
    let help = String::from_utf8(stdout).expect("UTF-8");
    let is_toml = |line: &&str| {
        line.starts_with("  ") && !line.starts_with("  -") && line.contains(['=', '['])
    };
    let shown: Vec<&str> =
        help.lines().skip_while(|line| !line.contains("unknown_hubs")).filter(is_toml).collect();
    assert!(shown.len() > 5, "{shown:?}");
    let file = ConfigFile::new("help", &shown.join("\n"));
    let server = Server::start(&["--config", file.path()]).await;
    // Unknown hubs are refused there, and in the other one there is a handler.
    assert_eq!(server.refused(&server.url("other", "a", ACCESS_KEY)).await, 404);
    let mut client = server.connect("a", &[]).await;
    client.send("hi").await;
    assert_eq!(client.text().await, "hi");
}

/// A port that somebody else has is said to be taken.
#[tokio::test]
async fn taken_port() {
    let server = Server::start(&[]).await;
    let address = server.address.to_string();
    let Output { status, stderr, .. } = run(&["--listen", &address]).await;
    let stderr = String::from_utf8(stderr).expect("UTF-8");
    assert_eq!(status.code(), Some(2), "{stderr}");
    assert_eq!(stderr.lines().count(), 1, "{stderr}");
    assert!(stderr.contains(&address) && stderr.contains("port 0"), "{stderr}");
}

/// Help and version are answers, not errors.
#[tokio::test]
async fn help_and_version() {
    for (flag, says) in [("--help", "--access-key KEY"), ("--version", "hubcast server ")] {
        let Output { status, stdout, stderr } = run(&[flag]).await;
        assert_eq!(status.code(), Some(0));
        assert!(String::from_utf8(stdout).expect("UTF-8").contains(says));
        assert!(stderr.is_empty());
    }
}

/// What lets everybody in is warned of.
#[tokio::test]
async fn unvalidated_tokens() {
    let mut server = Server::start(&["--allow-unvalidated-entra"]).await;
    let warning = server.says("warning").await;
    assert!(warning.contains("only for development"), "{warning}");
}

/// A hub whose handlers take no events of clients is warned of at the start, others are not.
#[tokio::test]
async fn deaf_hubs() {
    let file = ConfigFile::new(
        "deaf",
        "[hubs.none]\n[[hubs.deaf.handlers]]\nurl = \"echo:\"\nsystem_events = [\"connect\"]\n\
         [[hubs.all.handlers]]\nurl = \"echo:\"\n[[hubs.all.handlers]]\nurl = \"echo:\"\nuser_events = \"*\"\n\
         [[hubs.heard.handlers]]\nurl = \"echo:\"\n[[hubs.heard.listeners]]\npath = \"-\"\nuser_events = \"a\"\n",
    );
    let server = Server::start(&["--config", file.path()]).await;
    server.signal("-TERM").await;
    let (_, stderr) = server.ended().await;
    let warnings: Vec<&str> = stderr.lines().filter(|line| line.contains("warning")).collect();
    let expected = "server: warning: hub deaf: no handler or listener takes user events: events of clients will \
                    fail: give one of them user_events = \"*\", or add --handler deaf=URL or --listener deaf=PATH";
    assert_eq!(warnings, [expected]);
}
