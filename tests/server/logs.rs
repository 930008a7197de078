//! The resource logs: one record for each thing that happens, and no secret in any of them.

use serde_json::{Value, json};

use crate::rest::{ask, status};
use crate::support::{
    ACCESS_KEY, ConfigFile, JSON, LineFile, RELIABLE_JSON, Server, Webhook, respond,
};

/// Checks what every record has, and returns its operation.
fn operation<'a>(record: &'a Value, category: &str) -> &'a str {
    assert_eq!(record["category"], category, "{record}");
    let time = record["time"].as_str().expect("a time");
    assert!(time.len() == 24 && time.ends_with('Z') && time.as_bytes()[19] == b'.', "{time}");
    assert!(
        ["Informational", "Warning", "Error"].contains(&record["level"].as_str().expect("a level"))
    );
    assert_eq!(record["resourceId"], "/hubcast/server");
    assert_eq!(record["location"], "local");
    assert!(record["properties"]["message"].as_str().is_some_and(|it| !it.is_empty()), "{record}");
    record["operationName"].as_str().expect("an operation")
}

/// The life of a connection is told: who it is, where it comes from, how it ends.
#[tokio::test]
async fn accepted_and_ended() {
    let mut log = LineFile::new("log-life");
    let server = Server::start(&["--logs", log.path()]).await;
    let mut client = server.connect("alice", &[JSON]).await;
    let id = client.json().await["connectionId"].clone();
    let record = log.next().await;
    assert_eq!(operation(&record, "ConnectivityLogs"), "ConnectionStarted");
    assert_eq!(record["callerIpAddress"], "127.0.0.1");
    let properties = &record["properties"];
    assert_eq!((&properties["hub"], &properties["userId"]), (&json!("chat"), &json!("alice")));
    assert_eq!((&properties["connectionId"], &properties["subprotocol"]), (&id, &json!(JSON)));
    assert_eq!(properties["collection"], "Connection");

    let close = format!("/api/hubs/chat/connections/{}?reason=enough", id.as_str().expect("an id"));
    assert_eq!(status(&ask(&server, "DELETE", &close, "", "").await), "204");
    let record = log.next_with("/operationName", "ConnectionEnded").await;
    operation(&record, "ConnectivityLogs");
    assert_eq!(record["callerIpAddress"], "127.0.0.1", "it is known although the socket is gone");
    assert_eq!(record["properties"]["connectionId"], id);
    assert_eq!(record["properties"]["closeCategory"], "ClosedByAppServer");

    // An impolite client.
    let mut client = server.connect("bob", &[JSON]).await;
    client.send("no JSON").await;
    let record = log.next_with("/operationName", "ConnectionAborted").await;
    assert_eq!(
        (&record["level"], &record["properties"]["userId"]),
        (&json!("Warning"), &json!("bob"))
    );
    assert_eq!(record["properties"]["closeCategory"], "BadRequest");
}

/// Whoever is not let in is in the log with the reason, where it comes from, and the code of the service.
#[tokio::test]
async fn refused() {
    let mut log = LineFile::new("log-refused");
    let config = ConfigFile::new(
        "log-refused",
        "unknown_hubs = \"refuse\"\n[hubs.chat]\nlimits = { connections = 1 }\n",
    );
    let server = Server::start(&["--config", config.path(), "--logs", log.path()]).await;
    let _client = server.connect("alice", &[JSON]).await;
    let bad_key = "another-key-another-key-another-key";
    let anonymous = format!("ws://{}/client/hubs/chat", server.address);
    for (url, status, code, collection) in [
        (server.url("chat", "a", bad_key), 401, "ERR_CONNECTION_UNAUTHORIZED", "Authorization"),
        (anonymous, 401, "ERR_CONNECTION_UNAUTHORIZED", "Authorization"),
        (server.url("other", "a", ACCESS_KEY), 404, "ERR_HUB_NOT_FOUND", "Connection"),
        (server.url("chat", "a", ACCESS_KEY), 429, "ERR_CONNECTION_THROTTLED", "Throttling"),
    ] {
        assert_eq!(server.refused(&url).await, status);
        let record = log.next_with("/operationName", "ConnectionRefused").await;
        operation(&record, "ConnectivityLogs");
        let properties = &record["properties"];
        assert_eq!(
            (&record["callerIpAddress"], &record["level"]),
            (&json!("127.0.0.1"), &json!("Warning"))
        );
        assert_eq!(
            (&properties["statusCode"], &properties["errorCode"]),
            (&json!(status), &json!(code))
        );
        assert_eq!(properties["collection"], collection);
        assert!(
            ["chat", "other"].contains(&properties["hub"].as_str().expect("a hub")),
            "{record}"
        );
    }
}

/// Messages are told of without what is in them, an event that nobody takes with its name and its code.
#[tokio::test]
async fn messages() {
    let mut log = LineFile::new("log-messages");
    let server = Server::start(&["--logs", log.path()]).await;
    let mut client = server.member("alice").await;
    client.publish(2, "c0ntent").await;
    let record = log.next_with("/properties/request", "sendToGroup").await;
    assert_eq!(operation(&record, "MessagingLogs"), "MessageReceived");
    assert_eq!(
        (&record["properties"]["target"], &record["properties"]["bytes"]),
        (&json!("g"), &json!(7))
    );
    assert_eq!(record["callerIpAddress"], "127.0.0.1");

    client
        .send(r#"{"type":"event","event":"greet","ackId":3,"dataType":"text","data":"c0ntent"}"#)
        .await;
    assert_eq!(client.json().await["success"], false);
    let record = log.next_with("/operationName", "EventUnhandled").await;
    operation(&record, "MessagingLogs");
    assert_eq!(record["properties"]["errorCode"], "ERR_EVENT_HANDLER_NOT_CONFIGURED");
    assert_eq!(
        (&record["properties"]["target"], &record["level"]),
        (&json!("greet"), &json!("Warning"))
    );
    assert!(!log.content().contains("c0ntent"));
}

/// A lost and recovered connection, and one that cannot be recovered.
#[tokio::test]
async fn recovered() {
    let mut log = LineFile::new("log-recovered");
    let server = Server::start(&["--logs", log.path()]).await;
    let (client, session) = server.reliable_member("alice").await;
    drop(client);
    log.next_with("/operationName", "ConnectionDetached").await;
    let mut client = server.recover("chat", &session, &[RELIABLE_JSON]).await;
    client.json().await;
    let record = log.next_with("/operationName", "ConnectionRecovered").await;
    assert_eq!(record["callerIpAddress"], "127.0.0.1");
    let mut wrong = session.clone();
    wrong.token = "wrong-t0ken".to_owned();
    let _refused = server.recover("chat", &wrong, &[RELIABLE_JSON]).await;
    let record = log.next_with("/operationName", "ConnectionRecoveryRefused").await;
    assert_eq!(record["callerIpAddress"], "127.0.0.1");
    assert!(!log.content().contains("t0ken") && !log.content().contains(&session.token));
}

/// Requests of servers and to webhooks are told of, once each; nowhere is a token, a key or a secret of a URL.
#[tokio::test]
async fn requests() {
    let mut log = LineFile::new("log-requests");
    let webhook = Webhook::start(|asked| match asked.event() {
        "fail" => Some(respond(500, "text/plain", "broken")),
        _ => Some(asked.agree()),
    })
    .await;
    let server = Server::start(&["--logs", log.path(), "--handler", &webhook.flag()]).await;
    let url = server.url("chat", "alice", ACCESS_KEY);
    let token = url.split("access_token=").nth(1).expect("a token").to_owned();
    let (mut client, _) = server.try_connect(&url, &[JSON]).await.expect("accepted");
    client.json().await;
    let record = log.next_with("/operationName", "WebhookRequest").await;
    operation(&record, "HttpRequestLogs");
    let properties = &record["properties"];
    assert_eq!(
        (&properties["target"], &properties["statusCode"]),
        (&json!("connect"), &json!(204))
    );
    let path = properties["url"].as_str().expect("a URL");
    assert!(path.starts_with("http://127.0.0.1:") && path.ends_with("/chat/connect"), "{path}");

    let send = "/api/hubs/Chat/groups/g%20h/:send?filter=userId%20eq%20%27s3cret%27";
    assert_eq!(status(&ask(&server, "POST", send, "text/plain", "c0ntent").await), "202");
    let record = log.next_with("/operationName", "SendToGroup").await;
    operation(&record, "HttpRequestLogs");
    assert_eq!(record["callerIpAddress"], "127.0.0.1");
    let properties = &record["properties"];
    assert_eq!((&properties["hub"], &properties["httpMethod"]), (&json!("chat"), &json!("POST")));
    assert_eq!(properties["url"], "/api/hubs/Chat/groups/g%20h/:send");
    assert_eq!(properties["routeTemplate"], "/api/hubs/{hub}/groups/{group}/:send");
    assert_eq!(properties["statusCode"], 202);
    assert!(properties["duration"].as_f64().is_some_and(|millis| millis >= 0.0), "{record}");

    let traced = "POST /api/hubs/chat/:send HTTP/1.1\r\nhost: x\r\nauthorization: Bearer t0ken\r\n\
                  x-ms-client-request-id: trace-7\r\ncontent-length: 0";
    assert!(server.http(traced).await.starts_with("HTTP/1.1 401"));
    let record = log.next_with("/operationName", "SendToAll").await;
    let properties = &record["properties"];
    assert_eq!(
        (&properties["traceId"], &properties["statusCode"]),
        (&json!("trace-7"), &json!(401))
    );

    // Who breaks off is in the log too.
    let broken =
        "POST /api/hubs/chat/users/u/:send HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\nc0nt";
    server.send_and_leave(broken).await;
    let record = log.next_with("/operationName", "SendToUser").await;
    assert_eq!(record["properties"]["statusCode"], 400);

    let content = log.content();
    assert_eq!(content.matches("\"SendToGroup\"").count(), 1);
    for secret in [ACCESS_KEY, &token, "s3cret", "c0ntent", "t0ken", "access_token", "Bearer"] {
        assert!(!content.contains(secret), "{secret} in {content}");
    }
}
