//! `/metrics`, read as strictly as its format says.

use std::collections::BTreeMap;

use crate::rest::{ask, status};
use crate::support::{ACCESS_KEY, ConfigFile, Server};

/// The samples of a page by name and labels, as `name{label="value"}`.
struct Page(BTreeMap<String, f64>);

impl Page {
    async fn get(server: &Server) -> Self {
        let response = server.http("GET /metrics HTTP/1.1\r\nhost: x").await;
        let (head, body) = response.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(
            head.contains("content-type: text/plain; version=0.0.4; charset=utf-8\r\n"),
            "{head}"
        );
        Self(parse(body))
    }

    fn value(&self, sample: &str) -> f64 {
        *self.0.get(sample).unwrap_or_else(|| panic!("no {sample} in {:#?}", self.0.keys()))
    }

    fn is(&self, sample: &str, value: f64) -> bool {
        (self.value(sample) - value).abs() < 1e-9
    }
}

/// Reads the text format 0.0.4. Each metric has its help and its type before its samples, once, and each sample
/// belongs to the metric above it.
fn parse(text: &str) -> BTreeMap<String, f64> {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut samples = BTreeMap::new();
    let (mut metric, mut kind, mut seen) = ("", "", Vec::new());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            metric = help.split_once(' ').expect("a name and a text").0;
            assert!(is_name(metric) && metric.starts_with("hubcast_"), "{line}");
            assert!(!seen.contains(&metric), "{metric} comes twice");
            seen.push(metric);
            let of_type = lines.next().and_then(|line| line.strip_prefix("# TYPE "));
            let (name, of_type) = of_type.expect("a type").split_once(' ').expect("a type");
            assert_eq!(name, metric);
            kind = of_type;
            assert!(["counter", "gauge", "histogram"].contains(&kind), "{kind}");
            assert_eq!(kind == "counter", metric.ends_with("_total"), "{metric}");
            continue;
        }
        let (sample, value) = line.rsplit_once(' ').expect("a value");
        let name = sample.split('{').next().expect("a name");
        let labels = labels(&sample[name.len()..]);
        let suffix = name.strip_prefix(metric).unwrap_or_else(|| panic!("{name} below {metric}"));
        match kind {
            "histogram" => assert!(["_bucket", "_sum", "_count"].contains(&suffix), "{line}"),
            _ => assert_eq!(suffix, "", "{line}"),
        }
        assert_eq!(suffix == "_bucket", labels.iter().any(|label| label == "le"), "{line}");
        let value: f64 = value.replace("+Inf", "inf").parse().expect("a number");
        assert!(value >= 0.0, "{line}");
        assert!(samples.insert(sample.to_owned(), value).is_none(), "{sample} comes twice");
    }
    samples
}

/// Reads `{a="b",c="d"}` and returns the names of the labels.
fn labels(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut rest = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).expect("braces");
    let mut names = Vec::new();
    loop {
        let (name, value) = rest.split_once("=\"").expect("a label");
        assert!(is_name(name) && !name.contains(':'), "{name}");
        names.push(name.to_owned());
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next().expect("an end of the value") {
                (_, '\\') => {
                    let escaped = characters.next().expect("something escaped").1;
                    assert!(matches!(escaped, '\\' | '"' | 'n'), "{escaped}");
                }
                (end, '"') => break end,
                _ => {}
            }
        };
        match value[end + 1..].strip_prefix(',') {
            Some(more) => rest = more,
            None => {
                assert_eq!(&value[end + 1..], "");
                return names;
            }
        }
    }
}

fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    let is_first = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_' || byte == b':';
    bytes.next().is_some_and(is_first) && bytes.all(|byte| is_first(byte) || byte.is_ascii_digit())
}

/// Connections, their limit, messages, acks, handshakes and closes are counted where the service counts them.
#[tokio::test]
async fn clients() {
    let config = ConfigFile::new(
        "metrics",
        "[hubs.chat]\nlimits = { connections = 4 }\n[hubs.free]\n[hubs.'a,b.[c]']\n",
    );
    let server = Server::start(&["--config", config.path()]).await;
    let page = Page::get(&server).await;
    assert!(page.is(r#"hubcast_connection_count{hub="chat"}"#, 0.0));
    assert!(page.value(r#"hubcast_connection_quota{hub="free"}"#).is_infinite());

    assert!(page.is(r#"hubcast_connection_count{hub="a,b.[c]"}"#, 0.0));

    let mut alice = server.member("alice").await;
    let bob = server.member("bob").await;
    alice.publish(2, "hello").await;
    let event = r#"{"type":"event","event":"e","ackId":3,"dataType":"text","data":"x"}"#;
    alice.send(event).await;
    assert_eq!(alice.json().await["success"], false);
    assert_eq!(
        server.refused(&server.url("chat", "a", "another-key-another-key-another-key")).await,
        401
    );

    let page = Page::get(&server).await;
    for (sample, value) in [
        (r#"hubcast_connection_count{hub="chat"}"#, 2.0),
        (r#"hubcast_connection_count{hub="free"}"#, 0.0),
        (r#"hubcast_connection_open_count_total{hub="chat"}"#, 2.0),
        (r#"hubcast_connection_quota{hub="chat"}"#, 4.0),
        (r#"hubcast_connection_quota_utilization{hub="chat"}"#, 50.0),
        (r#"hubcast_group_count{hub="chat"}"#, 1.0),
        (r#"hubcast_user_count{hub="chat"}"#, 2.0),
        (r#"hubcast_acks_total{outcome="Success"}"#, 3.0),
        (r#"hubcast_acks_total{outcome="InternalServerError"}"#, 1.0),
        ("hubcast_events_unhandled_total", 1.0),
        ("hubcast_inbound_messages_total", 4.0),
        (r#"hubcast_client_request_status_code_total{client_type="WebPubSub",status="101"}"#, 2.0),
        (r#"hubcast_client_request_status_code_total{client_type="WebPubSub",status="401"}"#, 1.0),
    ] {
        assert!(page.is(sample, value), "{sample} {}", page.value(sample));
    }
    assert!(page.value("hubcast_inbound_traffic_bytes_total") > 200.0);
    assert!(page.value("hubcast_outbound_traffic_bytes_total") > 200.0);
    assert!((0.0..=100.0).contains(&page.value("hubcast_server_load")));

    drop(bob);
    let closed = r#"hubcast_connection_close_count_total{endpoint="client",connection_close_category="Normal"}"#;
    while !Page::get(&server).await.is(closed, 1.0) {}
    assert!(Page::get(&server).await.is(r#"hubcast_connection_count{hub="chat"}"#, 1.0));
    drop(alice);
}

/// Requests of servers are counted by operation and status, and their times lie in buckets that grow.
#[tokio::test]
async fn servers() {
    let server = Server::start(&[]).await;
    for _ in 0..3 {
        let answer = ask(&server, "POST", "/api/hubs/chat/:send", "text/plain", "hi").await;
        assert_eq!(status(&answer), "202", "{answer}");
    }
    assert_eq!(status(&ask(&server, "HEAD", "/api/hubs/chat/users/x", "", "").await), "404");
    assert_eq!(status(&ask(&server, "GET", "/api/nowhere", "", "").await), "404");
    let page = Page::get(&server).await;
    for (sample, value) in [
        (r#"hubcast_rest_api_requests_total{category="SendToAll",status="202"}"#, 3.0),
        (r#"hubcast_rest_api_requests_total{category="UserExists",status="404"}"#, 1.0),
        (r#"hubcast_rest_api_requests_total{category="Unknown",status="404"}"#, 1.0),
        (r#"hubcast_rest_api_response_time_seconds_count{category="SendToAll"}"#, 3.0),
        (r#"hubcast_rest_api_response_time_seconds_bucket{category="SendToAll",le="+Inf"}"#, 3.0),
    ] {
        assert!(page.is(sample, value), "{sample} {}", page.value(sample));
    }
    let mut below = 0.0;
    for most in
        ["0.001", "0.005", "0.01", "0.05", "0.1", "0.25", "0.5", "1", "2", "5", "10", "+Inf"]
    {
        let bucket = format!(
            r#"hubcast_rest_api_response_time_seconds_bucket{{category="SendToAll",le="{most}"}}"#
        );
        assert!(page.value(&bucket) >= below, "{bucket}");
        below = page.value(&bucket);
    }
    let sum = page.value(r#"hubcast_rest_api_response_time_seconds_sum{category="SendToAll"}"#);
    assert!(sum > 0.0);
}

/// It can only be read, and has no secrets in it.
#[tokio::test]
async fn only_for_reading() {
    let server = Server::start(&["--handler", "chat=http://127.0.0.1:1/x?code=s3cret"]).await;
    assert_eq!(server.refused(&server.url("chat", "alice", ACCESS_KEY)).await, 500);
    for method in ["POST", "PUT", "DELETE"] {
        let answer = server.http(&format!("{method} /metrics HTTP/1.1\r\nhost: x")).await;
        assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    }
    let page = server.http("GET /metrics HTTP/1.1\r\nhost: x").await;
    assert!(!page.contains("s3cret") && !page.contains(ACCESS_KEY), "{page}");
    assert!(
        parse(page.split_once("\r\n\r\n").expect("a body").1)
            .contains_key("hubcast_webhook_calls_total")
    );
}
