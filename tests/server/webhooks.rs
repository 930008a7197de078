//! Event handlers behind HTTP: what the server asks them, and what it makes of their answers.

use axum::body::Body;
use axum::http::Response;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{
    ACCESS_KEY, Asked, Client, ConfigFile, JSON, RELIABLE_JSON, Server, Webhook, ping_of, respond,
};

/// Starts a webhook that answers this event in its own way, and agrees to everything else, and a server that calls it.
async fn start(
    event: &'static str,
    answer: impl Fn(&Asked) -> Option<Response<Body>> + Send + Sync + 'static,
) -> (Server, Webhook) {
    let webhook =
        Webhook::start(
            move |asked| {
                if asked.event() == event { answer(asked) } else { Some(asked.agree()) }
            },
        )
        .await;
    let server = Server::start(&["--handler", &webhook.flag()]).await;
    (server, webhook)
}

/// Connects a JSON client that has read its `connected` frame.
async fn connect(server: &Server, user: &str) -> Client {
    let mut client = server.connect(user, &[JSON]).await;
    assert_eq!(client.json().await["event"], "connected");
    client
}

/// Sends an event with the text `hi`.
async fn send_event(client: &mut Client, name: &str, ack_id: u64) {
    let event = json!({ "type": "event", "event": name, "ackId": ack_id, "dataType": "text", "data": "hi" });
    client.send(&event.to_string()).await;
}

/// Reads an ack that says that the event failed, then checks that the connection works.
async fn assert_failed(client: &mut Client) {
    let ack = client.json().await;
    assert_eq!(ack["error"]["name"], "InternalServerError", "{ack}");
    client.send(&ping_of(20)).await;
    assert_eq!(client.json().await["type"], "pong");
}

fn signature(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("a key");
    mac.update(text.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .fold("sha256=".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// A webhook is asked whether it wants events, once, and gets them after that, signed with both keys.
#[tokio::test]
async fn validation_and_signatures() {
    let mut webhook = Webhook::start(|asked| Some(asked.agree())).await;
    let secondary = "0123456789012345678901234567890123456789";
    let flags = ["--handler", &webhook.flag(), "--secondary-key", secondary];
    let server = Server::start(&flags).await;
    let mut client = connect(&server, "alice").await;

    let asked = webhook.next().await;
    assert_eq!(
        (asked.method.as_str(), asked.path.as_str()),
        ("OPTIONS", "/chat/validate?code=s3cret")
    );
    assert_eq!(asked.header("webhook-request-origin"), "127.0.0.1");

    let asked = webhook.next().await;
    assert_eq!((asked.method.as_str(), asked.path.as_str()), ("POST", "/chat/connect?code=s3cret"));
    assert_eq!(asked.header("ce-type"), "azure.webpubsub.sys.connect");
    assert_eq!((asked.header("ce-hub"), asked.header("ce-userId")), ("chat", "alice"));
    let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
    assert_eq!(body["subprotocols"], json!([JSON]));
    let id = asked.header("ce-connectionId").to_owned();
    let expected = [signature(ACCESS_KEY, &id), signature(secondary, &id)].join(",");
    assert_eq!(asked.header("ce-signature"), expected);

    assert_eq!(webhook.next().await.event(), "connected");
    send_event(&mut client, "greet", 1).await;
    let first = webhook.next().await;
    assert_eq!((first.path.as_str(), &first.body[..]), ("/chat/greet?code=s3cret", &b"hi"[..]));
    assert_eq!(first.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(first.header("ce-connectionId"), id);
    assert_eq!(client.json().await["success"], true);
}

/// A webhook that does not want events of this server gets none, and lets nobody in.
#[tokio::test]
async fn no_consent() {
    let mut webhook =
        Webhook::start(|asked| Some(respond(200, "text/plain", asked.event().to_owned()))).await;
    let server = Server::start(&["--handler", &webhook.flag()]).await;
    assert_eq!(server.refused(&server.url("chat", "alice", ACCESS_KEY)).await, 500);
    assert_eq!(webhook.next().await.method, "OPTIONS");
    server.signal("-TERM").await;
    let (_, stderr) = server.ended().await;
    assert!(stderr.contains("does not allow this origin"), "{stderr}");
    assert!(!stderr.contains("s3cret"), "{stderr}");
}

/// Where nothing listens nobody gets in, and an https URL is not answered by plain HTTP.
#[tokio::test]
async fn out_of_reach() {
    let webhook = Webhook::start(|asked| Some(asked.agree())).await;
    let over_tls = webhook.flag().replacen("http:", "https:", 1);
    for (flag, why) in [
        ("chat=http://127.0.0.1:1/{event}?code=s3cret", "127.0.0.1:1/validate: Connection refused"),
        (over_tls.as_str(), "/chat/validate: received corrupt message"),
    ] {
        let server = Server::start(&["--handler", flag]).await;
        assert_eq!(server.refused(&server.url("chat", "alice", ACCESS_KEY)).await, 500);
        server.signal("-TERM").await;
        let (_, stderr) = server.ended().await;
        assert!(stderr.contains(why) && !stderr.contains("s3cret"), "{stderr}");
    }
}

/// The answer to `connect` changes user, groups, roles and subprotocol.
#[tokio::test]
async fn connect_changes() {
    let (server, _webhook) = start("connect", |_| {
        let body = json!({
            "userId": "bob", "groups": ["g"], "roles": ["webpubsub.sendToGroup.g"], "subprotocol": JSON,
        });
        Some(respond(200, "application/json", body.to_string()))
    })
    .await;
    let url = server.url("chat", "alice", ACCESS_KEY);
    let (mut client, chosen) =
        server.try_connect(&url, &[RELIABLE_JSON, JSON]).await.expect("accepted");
    assert_eq!(chosen.as_deref(), Some(JSON));
    let connected = client.json().await;
    assert_eq!(
        (&connected["userId"], &connected["reconnectionToken"]),
        (&json!("bob"), &Value::Null)
    );
    client.send(r#"{"type":"sendToGroup","group":"g","dataType":"text","data":"x"}"#).await;
    let message = client.json().await;
    assert_eq!((&message["group"], &message["fromUserId"]), (&json!("g"), &json!("bob")));
}

/// The status with which a webhook refuses a client is the one that the client gets; what makes no sense is 500.
#[tokio::test]
async fn connect_refused() {
    for (status, body, expected) in
        [(401, "", 401), (403, "{}", 403), (302, "", 500), (200, "{", 500), (200, "\u{1}", 500)]
    {
        let (server, _webhook) =
            start("connect", move |_| Some(respond(status, "application/json", body))).await;
        let refused = server.refused(&server.url("chat", "alice", ACCESS_KEY)).await;
        assert_eq!(refused, expected, "{status} {body:?}");
    }
}

/// An event is answered with what the webhook says, as the type that it says.
#[tokio::test]
async fn replies() {
    for (content_type, body, data_type, data) in [
        ("text/plain; charset=utf-8", "ä", "text", json!("ä")),
        ("application/json", r#"{"a":[1]}"#, "json", json!({ "a": [1] })),
        ("application/octet-stream", "\0\u{1}", "binary", json!("AAE=")),
    ] {
        let (server, _webhook) = start("greet", move |_| {
            let mut response = respond(200, content_type, body);
            response.headers_mut().insert("x-webpubsub-metadata-k", "v".parse().expect("a value"));
            Some(response)
        })
        .await;
        let mut client = connect(&server, "alice").await;
        send_event(&mut client, "greet", 1).await;
        let expected = json!({
            "type": "message", "from": "server", "dataType": data_type, "data": data,
            "metadata": { "k": "v" },
        });
        assert_eq!(client.json().await, expected);
        assert_eq!(client.json().await["success"], true);
    }
}

/// What a webhook wants to be remembered for a connection comes with the later events, until it says something else.
#[tokio::test]
async fn state_comes_back() {
    let (server, mut webhook) = start("greet", |asked| {
        let state = [asked.header("ce-connectionState"), "+"].concat();
        Some(
            Response::builder()
                .header("ce-connectionState", state)
                .body(Body::empty())
                .expect("a response"),
        )
    })
    .await;
    let mut client = connect(&server, "alice").await;
    webhook.event("connect").await;
    webhook.event("connected").await;
    for (ack_id, state) in [(1, ""), (2, "+"), (3, "++")] {
        send_event(&mut client, "greet", ack_id).await;
        assert_eq!(webhook.event("greet").await.header("ce-connectionState"), state);
        assert_eq!(client.json().await["success"], true);
    }
}

/// What happens to a connection is told in order, up to its end, also when the server stops.
#[tokio::test]
async fn notifications_in_order() {
    let mut webhook = Webhook::start(|asked| Some(asked.agree())).await;
    let settings = format!(
        "[[hubs.chat.handlers]]\nurl = \"{}\"\n\
         system_events = [\"connect\", \"connected\", \"disconnected\", \"joined\", \"left\"]\n",
        webhook.url()
    );
    let file = ConfigFile::new("presence", &settings);
    let server = Server::start(&["--config", file.path()]).await;
    let mut client = connect(&server, "alice").await;
    client.join().await;
    client.send(r#"{"type":"leaveGroup","group":"g","ackId":2}"#).await;
    assert_eq!(client.json().await["success"], true);
    server.signal("-TERM").await;
    assert_eq!(client.closed().await.1, 1001);
    drop(client);
    let (code, stderr) = server.ended().await;
    assert_eq!(code, Some(0), "{stderr}");
    assert!(stderr.ends_with("stopped\n"), "{stderr}");
    let mut ids = Vec::new();
    for name in ["connect", "connected", "joined", "left", "disconnected"] {
        let asked = webhook.event(name).await;
        ids.push(asked.header("ce-connectionId").to_owned());
    }
    ids.dedup();
    assert_eq!(ids.len(), 1, "{ids:?}");
}

/// A webhook that hangs at `connected`, or fails it again and again, is told of the end all the same.
#[tokio::test]
async fn connected_without_an_answer() {
    let answers: [fn() -> Option<Response<Body>>; 2] =
        [|| None, || Some(respond(503, "text/plain", "later"))];
    for answer in answers {
        let (server, mut webhook) = start("connected", move |_| answer()).await;
        drop(connect(&server, "alice").await);
        webhook.event("connect").await;
        let mut tries = 0;
        while webhook.next().await.event() == "connected" {
            tries += 1;
        }
        assert!((1..4).contains(&tries), "before the last of its tries: {tries}");
    }
}

/// A handler in short form is told of connections and user events, not of groups, which the official middleware does
/// not know.
#[tokio::test]
async fn short_form() {
    let (server, mut webhook) = start("", |asked| Some(asked.agree())).await;
    let mut client = connect(&server, "alice").await;
    webhook.event("connect").await;
    webhook.event("connected").await;
    client.join().await;
    client.send(r#"{"type":"leaveGroup","group":"g","ackId":2}"#).await;
    assert_eq!(client.json().await["success"], true);
    send_event(&mut client, "greet", 3).await;
    webhook.event("greet").await;
    drop(client);
    webhook.event("disconnected").await;
}

/// An event whose webhook fails it, or answers what is no message, fails alone; stderr says so without the query.
#[tokio::test]
async fn failures() {
    type Answer = fn() -> Response<Body>;
    let answers: [(Answer, &str); 5] = [
        (|| respond(400, "text/plain", "no"), "status 400"),
        (|| respond(200, "image/png", "x"), "content type"),
        (|| respond(200, "text/plain", vec![0xff]), "not UTF-8"),
        (|| respond(200, "text/plain", vec![b'x'; 16 * 1024 * 1024 + 1]), "too large"),
        (
            || {
                let response = Response::builder().status(307).header("location", "/elsewhere");
                response.body(Body::empty()).expect("a response")
            },
            "status 307",
        ),
    ];
    for (answer, why) in answers {
        let (server, mut webhook) = start("greet", move |_| Some(answer())).await;
        let mut client = connect(&server, "alice").await;
        webhook.event("connect").await;
        // Nobody waits for the answer to this one, so an event may overtake it.
        webhook.event("connected").await;
        send_event(&mut client, "greet", 1).await;
        assert_failed(&mut client).await;
        webhook.event("greet").await;
        drop(client);
        // Nothing went where a redirection pointed to.
        webhook.event("disconnected").await;
        server.signal("-TERM").await;
        let (_, stderr) = server.ended().await;
        let line = stderr.lines().find(|line| line.contains("\"greet\"")).expect("a line");
        assert!(line.contains("/chat/greet: ") && line.contains("hub chat"), "{stderr}");
        assert!(line.contains(why), "{stderr}");
        assert!(!stderr.contains("s3cret") && !stderr.contains(ACCESS_KEY), "{stderr}");
    }
}

/// A webhook that hangs holds up the event that it has, not those of others; when its client gives up, so does the
/// server.
#[tokio::test]
async fn hanging() {
    let (server, mut webhook) = start("hang", |_| None).await;
    let mut alice = connect(&server, "alice").await;
    let mut bob = connect(&server, "bob").await;
    let invoke = json!({
        "type": "invoke", "invocationId": "1", "target": "event", "event": "hang",
        "dataType": "text", "data": "x",
    });
    alice.send(&invoke.to_string()).await;
    loop {
        if webhook.next().await.event() == "hang" {
            break;
        }
    }
    send_event(&mut bob, "greet", 1).await;
    assert_eq!(bob.json().await["success"], true);
    alice.send(&ping_of(20)).await;
    assert_eq!(alice.json().await["type"], "pong");
    alice.send(r#"{"type":"cancelInvocation","invocationId":"1"}"#).await;
    assert_eq!(webhook.broken_off().await, "hang");
}
