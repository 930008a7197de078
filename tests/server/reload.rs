//! New settings for a server that runs.

use serde_json::json;

use crate::support::{ACCESS_KEY, ConfigFile, JSON, LineFile, Server, Webhook, ping_of};

/// A new file opens a hub to clients without a token, adds a handler and a listener, and takes hubs away; those who are
/// connected stay, and flags still count.
#[tokio::test]
async fn settings_follow_the_file() {
    let mut events = LineFile::new("reloaded");
    let config = ConfigFile::new("reload", "unknown_hubs = \"refuse\"\n[hubs.gone]\n[hubs.open]\n");
    let flags = ["--config", config.path(), "--handler", "flagged=echo:"];
    let mut server = Server::start(&flags).await;
    let url = |hub: &str| format!("ws://{}/client/hubs/{hub}", server.address);
    let (open, added) = (url("open"), url("added"));
    assert_eq!((server.refused(&open).await, server.refused(&added).await), (401, 404));
    let flagged = server.url("flagged", "a", ACCESS_KEY);
    let (mut before, _) = server.try_connect(&flagged, &[JSON]).await.expect("accepted");
    before.json().await;

    config.write(&format!(
        "unknown_hubs = \"refuse\"\n[hubs.open]\nallow_anonymous = true\n\
         limits = {{ message_bytes = 3000000 }}\n\
         [hubs.added]\nallow_anonymous = true\n[[hubs.added.listeners]]\npath = \"{}\"\nuser_events = \"*\"\n\
         [[hubs.deaf.handlers]]\nurl = \"echo:\"\n",
        events.path()
    ));
    server.signal("-HUP").await;
    assert!(server.says("warning").await.contains("hub deaf"));
    let line = server.says("SIGHUP").await;
    let expected =
        "server: SIGHUP: settings are read again: added added, deaf; removed gone; changed open\n";
    assert_eq!(line, expected);

    let (mut client, _) = server.try_connect(&open, &[JSON]).await.expect("accepted");
    client.json().await;
    client.send(&ping_of(2_500_000)).await;
    assert_eq!(client.json().await, json!({ "type": "pong" }));
    let gone = server.url("gone", "a", ACCESS_KEY);
    assert_eq!(server.refused(&gone).await, 404);
    let (mut client, _) = server.try_connect(&added, &[]).await.expect("accepted");
    client.send("hi").await;
    assert_eq!(events.next().await["body"], "hi");
    let event = r#"{"type":"event","event":"e","ackId":1,"dataType":"text","data":"x"}"#;
    before.send(event).await;
    assert_eq!(before.json().await["data"], "x", "the handler of the flag is still there");
}

/// A file that is wrong changes nothing, whatever is wrong with it, and the line says what.
#[tokio::test]
async fn bad_files_change_nothing() {
    let good = "[hubs.chat]\nallow_anonymous = true\n";
    let config = ConfigFile::new("bad-reload", good);
    let mut server = Server::start(&["--config", config.path()]).await;
    let url = format!("ws://{}/client/hubs/chat", server.address);
    for (bad, says) in [
        ("[hubs.chat", "line 1"),
        ("[hubs.1st]\n", "1st"),
        ("[hubs.chat]\nlimits = { connections = 0 }\n", "connections"),
        ("[[hubs.chat.listeners]]\npath = \"no/such/directory/x\"\n", "no/such/directory/x"),
        ("[[hubs.chat.handlers]]\nurl = \"ftp://h/\"\n", "http://"),
    ] {
        config.write(bad);
        server.signal("-HUP").await;
        let line = server.says("SIGHUP").await;
        let begin = "server: SIGHUP: the settings stay as they are: ";
        assert!(line.starts_with(begin) && line.contains(says), "{line}");
        let (mut client, _) = server.try_connect(&url, &[JSON]).await.expect("as before");
        client.json().await;
    }
    config.write(good);
    server.signal("-HUP").await;
    assert!(server.says("SIGHUP").await.ends_with("nothing is different\n"));
}

/// What is known of a webhook stays known: it is not validated once more, and keeps its cookies.
#[tokio::test]
async fn webhooks_are_not_forgotten() {
    let mut webhook = Webhook::start(|asked| {
        let mut response = asked.agree();
        response.headers_mut().insert("set-cookie", "a=1".parse().expect("a header value"));
        Some(response)
    })
    .await;
    let config = ConfigFile::new("webhook-reload", "[hubs.chat]\n");
    let flags = ["--handler", &webhook.flag(), "--config", config.path()];
    let mut server = Server::start(&flags).await;
    let mut client = server.connect("alice", &[]).await;
    assert_eq!(webhook.next().await.method, "OPTIONS");
    webhook.event("connect").await;
    webhook.event("connected").await;
    config.write("[hubs.chat]\nallow_anonymous = true\n");
    server.signal("-HUP").await;
    assert!(server.says("SIGHUP").await.ends_with("changed chat\n"));
    client.send("hi").await;
    let asked = webhook.next().await;
    assert_eq!((asked.event(), asked.header("cookie")), ("message", "a=1"));
}

/// Where there is nothing to read again, a SIGHUP ends the server: somebody closed its terminal. Under `nohup` that is
/// not to matter, so it goes on.
#[tokio::test]
async fn closed_terminal() {
    let server = Server::start(&[]).await;
    server.signal("-HUP").await;
    if hang_ups_are_ignored() {
        server.signal("-TERM").await;
        let (code, stderr) = server.ended().await;
        assert!(code == Some(0) && stderr.ends_with("server: stopped\n"), "{code:?} {stderr}");
    } else {
        let (code, stderr) = server.ended().await;
        assert_eq!((code, &*stderr), (None, ""));
    }
}

/// Tells whether this process ignores SIGHUP, which those that it starts do, too.
fn hang_ups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask & 1 != 0)
}

/// Files that were renamed are opened anew: what comes then is in the new ones.
#[tokio::test]
async fn files_are_rotated() {
    let (mut events, mut logs) = (LineFile::new("rotated-events"), LineFile::new("rotated-logs"));
    let flags = ["--listener", &format!("chat={}", events.path()), "--logs", logs.path()];
    let mut server = Server::start(&flags).await;
    let mut client = server.connect("alice", &[]).await;
    assert_eq!(events.next().await["properties"]["cloudEvents:eventname"], "connected");
    logs.next_with("/operationName", "ConnectionStarted").await;
    let (old_events, old_logs) = (LineFile::new("old-events"), LineFile::new("old-logs"));
    std::fs::rename(events.path(), old_events.path()).expect("renamed");
    std::fs::rename(logs.path(), old_logs.path()).expect("renamed");
    server.signal("-HUP").await;
    server.says("SIGHUP").await;
    let (mut new_events, mut new_logs) =
        (LineFile::resume(events.path()), LineFile::resume(logs.path()));
    client.send("hi").await;
    assert_eq!(new_events.next().await["body"], "hi");
    new_logs.next_with("/operationName", "MessageReceived").await;
    assert_eq!(old_events.content().lines().count(), 1);
    assert!(!old_logs.content().contains("MessageReceived"));
}
