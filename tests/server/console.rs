//! The console without a browser: its files, and what it is told. `tests/console` uses it as people do.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::{ACCESS_KEY, JSON, PATIENCE, RELIABLE_JSON, Server};

/// Asks for a path and returns head and body of the answer.
async fn get(server: &Server, path: &str) -> (String, String) {
    let answer = server.http(&format!("GET {path} HTTP/1.1\r\nhost: x")).await;
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

async fn state(server: &Server, query: &str) -> Value {
    let (head, body) = get(server, &format!("/console/state?{query}")).await;
    assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
    serde_json::from_str(&body).expect("JSON")
}

/// Waits until the state of hub `chat` is as it should be, and returns it.
async fn state_where(server: &Server, is_so: impl Fn(&Value) -> bool) -> Value {
    let wait = async {
        loop {
            let state = state(server, "hub=chat").await;
            if is_so(&state) {
                return state;
            }
        }
    };
    timeout(PATIENCE, wait).await.expect("it comes to be in time")
}

/// The page and every file that it and its scripts name are served, with headers that allow nothing else.
#[tokio::test]
async fn files() {
    let server = Server::start(&[]).await;
    let mut unseen = vec!["/".to_owned()];
    let mut seen = BTreeSet::new();
    while let Some(path) = unseen.pop() {
        if !seen.insert(path.clone()) {
            continue;
        }
        let (head, body) = get(&server, &path).await;
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self';",
            "require-trusted-types-for 'script'",
            "frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "referrer-policy: no-referrer",
        ] {
            assert!(head.contains(header), "{path}: {header} is missing: {head}");
        }
        unseen.extend(body.split('"').filter(|text| text.starts_with("/console/")).map(Into::into));
        let imports = body.split('"').filter_map(|text| text.strip_prefix("./"));
        unseen.extend(imports.map(|file| format!("/console/{file}")));
    }
    assert!(seen.len() > 10, "{seen:?}");
    let whole = server.http("HEAD / HTTP/1.1\r\nhost: x").await;
    assert!(whole.starts_with("HTTP/1.1 200 ") && whole.ends_with("\r\n\r\n"), "{whole}");
}

/// Nothing else has come to be: other paths are unknown, and what is there can only be read.
#[tokio::test]
async fn nothing_else() {
    let server = Server::start(&[]).await;
    for path in
        ["/console", "/console/", "/console/nothing.js", "/index.html", "//", "/client.html"]
    {
        let (head, _) = get(&server, path).await;
        assert!(head.starts_with("HTTP/1.1 404 "), "{path}: {head}");
    }
    for path in ["/", "/console/state", "/console/page.js"] {
        let request = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: 0");
        let answer = server.http(&request).await;
        assert!(answer.starts_with("HTTP/1.1 405 "), "{path}: {answer}");
    }
}

/// Hubs, connections, groups and users are shown as they are, also a connection without its transport.
#[tokio::test]
async fn tables() {
    let server = Server::start(&[]).await;
    let empty = state(&server, "hub=chat").await;
    assert_eq!(empty["hubs"], json!({ "total": 0, "rows": [] }));
    assert_eq!(empty["hub"], Value::Null);
    let mut alice = server.connect("alice", &[JSON]).await;
    alice.text().await;
    alice.join().await;
    let (mut bob, session) = server.reliable_member("bob").await;
    alice.publish(2, "kept").await;
    bob.text().await;
    drop(bob);
    let _plain = server.connect("", &[]).await;
    let state = state_where(&server, |state| {
        let rows = &state["hub"]["connection_table"]["rows"];
        rows.as_array().is_some_and(|rows| rows.iter().any(|row| row["is_detached"] == true))
    })
    .await;
    let counts = json!({ "name": "chat", "connections": 3, "groups": 1, "users": 3 });
    assert_eq!(state["hubs"], json!({ "total": 1, "rows": [counts] }));
    let hub = &state["hub"];
    let groups = json!({ "total": 1, "rows": [{ "name": "g", "connections": 2 }] });
    assert_eq!(hub["group_table"], groups);
    let users = ["", "alice", "bob"].map(|name| json!({ "name": name, "connections": 1 }));
    assert_eq!(hub["user_table"], json!({ "total": 3, "rows": users }));
    let row = |user: Value| {
        let rows = hub["connection_table"]["rows"].as_array().expect("rows").iter();
        rows.filter(|row| row["user"] == user).collect::<Vec<_>>()
    };
    let in_g = json!({ "total": 1, "rows": ["g"] });
    let bob = row(json!("bob"))[0];
    assert_eq!((&bob["id"], &bob["protocol"]), (&json!(session.id), &json!(RELIABLE_JSON)));
    assert_eq!((&bob["groups"], &bob["unacknowledged"]), (&in_g, &json!(1)));
    let alice = row(json!("alice"))[0];
    assert_eq!((&alice["is_detached"], &alice["waiting"]), (&json!(false), &json!(0)));
    let plain = row(json!(""))[0];
    assert_eq!(plain["protocol"], Value::Null);
}

/// However many there are, 200 rows of each are shown, and how many there are in truth.
#[tokio::test]
async fn many_rows() {
    let server = Server::start(&[]).await;
    let mut clients = Vec::new();
    for number in 0..205 {
        let mut client = server.connect(&format!("user {number}"), &[JSON]).await;
        client.text().await;
        client.send(&format!(r#"{{"type":"joinGroup","group":"{number}","ackId":1}}"#)).await;
        client.text().await;
        clients.push(client);
    }
    let first = &mut clients[0];
    for number in 0..20 {
        first
            .send(&format!(r#"{{"type":"joinGroup","group":"+{number}","ackId":2{number}}}"#))
            .await;
        first.text().await;
    }
    let state = state(&server, "hub=CHAT").await;
    for (table, total) in [("connection_table", 205), ("group_table", 225), ("user_table", 205)] {
        let table = &state["hub"][table];
        assert_eq!(table["total"], total);
        assert_eq!(table["rows"].as_array().expect("rows").len(), 200);
    }
    let rows = state["hub"]["connection_table"]["rows"].as_array().expect("rows");
    let groups = rows.iter().map(|row| &row["groups"]).find(|groups| groups["total"] == 21);
    assert_eq!(groups.expect("the first")["rows"].as_array().expect("rows").len(), 5);
}

/// Entries have numbers; a page gets those after the last one that it knows, and the newest 500 at most.
#[tokio::test]
async fn news() {
    let server = Server::start(&["--handler", "chat=echo:"]).await;
    let mut client = server.connect("alice", &[JSON]).await;
    client.text().await;
    let before = state_where(&server, |state| {
        let entries = state["activity"]["entries"].as_array().expect("entries");
        entries.iter().any(|entry| entry["kind"] == "handler" && entry["name"] == "connected")
    })
    .await;
    let started = &before["activity"]["entries"][1];
    assert_eq!((&started["number"], &started["kind"]), (&json!(2), &json!("connection")));
    assert_eq!((&started["name"], &started["target"]), (&json!("ConnectionStarted"), &json!(JSON)));
    let latest = before["activity"]["latest"].as_u64().expect("a number");

    client.send(r#"{"type":"event","event":"fail","ackId":1,"dataType":"text","data":"x"}"#).await;
    client.text().await;
    let after = state(&server, &format!("after={latest}")).await;
    let entries = after["activity"]["entries"].as_array().expect("entries");
    assert_eq!((entries.len(), &after["activity"]["latest"]), (1, &json!(latest + 1)));
    let entry = &entries[0];
    assert_eq!((&entry["name"], &entry["user"]), (&json!("fail"), &json!("alice")));
    assert_eq!((&entry["has_failed"], &entry["target"]), (&json!(true), &json!("echo:")));

    for _ in 0..600 {
        client.send(r#"{"type":"event","event":"e","dataType":"text","data":"x"}"#).await;
        client.text().await;
    }
    let all = state(&server, "after=0").await;
    let entries = all["activity"]["entries"].as_array().expect("entries");
    assert_eq!(all["activity"]["latest"], latest + 601);
    assert_eq!((entries.len(), &entries[0]["number"]), (500, &json!(latest + 102)));
}

/// Whoever may look sees no key, no token, no content of a message and no query of a handler.
#[tokio::test]
async fn no_secrets() {
    let webhook = "hooked=http://127.0.0.1:1/{event}?code=TheSecretCode";
    let server = Server::start(&["--handler", "chat=echo:", "--handler", webhook]).await;
    let url = server.url("chat", "alice", ACCESS_KEY);
    let (mut client, _) = server.try_connect(&url, &[RELIABLE_JSON]).await.expect("accepted");
    let session = client.connected().await;
    client.join().await;
    client.publish(2, "TheContent").await;
    let event = r#"{"type":"event","event":"e","ackId":3,"dataType":"text","data":"TheContent"}"#;
    client.send(event).await;
    assert!(client.text().await.contains("TheContent"));
    assert_eq!(server.refused(&server.url("hooked", "mallory", ACCESS_KEY)).await, 500);
    let state = state_where(&server, |state| {
        let entries = state["activity"]["entries"].as_array().expect("entries");
        entries.iter().any(|entry| entry["status"] == 500 && entry["user"] == "mallory")
    })
    .await;
    let text = state.to_string();
    let token = url.split("access_token=").nth(1).expect("a token");
    for secret in [ACCESS_KEY, token, &*session.token, "TheContent", "TheSecretCode"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    let shown = state["activity"]["entries"].as_array().expect("entries").iter();
    let called = shown.filter(|entry| entry["hub"] == "hooked" && entry["kind"] == "handler");
    let called: Vec<_> = called.collect();
    assert_eq!(called[0]["target"], "http://127.0.0.1:1/connect");
    assert_eq!(called[0]["has_failed"], true);
}
