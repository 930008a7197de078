//! `/metrics`: everything that is counted, in the text format of Prometheus, version 0.0.4.
//!
//! Metrics of the service (`webpubsub.md` 10.4) have its names in snake case, and as it spells them in their help.

use std::fmt::{Display, Write};

use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use hubcast::rest::webhook::WebhookMetrics;
use hubcast::{Engine, Metrics};
use tokio::sync::oneshot;

use crate::counters::{BUCKETS, Counts, ResponseTimes};
use crate::input::Input;
use crate::routes::App;

/// What the engine task knows.
#[derive(Clone, Debug)]
pub(crate) struct Measured {
    pub(crate) engine: Metrics,
    pub(crate) hubs: Vec<HubSize>,
    pub(crate) webhooks: WebhookMetrics,
    /// The share of time that the engine task is busy, in percent.
    pub(crate) load: f64,
    pub(crate) listener_lines_left_out: u64,
}

/// How large a hub is and may be.
#[derive(Clone, Debug)]
pub(crate) struct HubSize {
    pub(crate) name: String,
    pub(crate) connections: usize,
    /// `usize::MAX` where there is no limit.
    pub(crate) connections_max: usize,
    pub(crate) connections_ever: u64,
    pub(crate) groups: usize,
    pub(crate) users: usize,
}

impl Measured {
    /// Gathers what the engine task knows.
    pub(crate) fn new(
        engine: &Engine,
        webhooks: WebhookMetrics,
        load: f64,
        listener_lines_left_out: u64,
    ) -> Self {
        let metrics = engine.metrics().clone();
        // Both go through the hubs in the order in which they came to be.
        let hubs = engine.hubs().zip(&metrics.hubs).map(|(hub, counted)| HubSize {
            name: hub.name().to_owned(),
            connections: hub.len(),
            connections_max: hub.connections_max(),
            connections_ever: counted.connections_ever,
            groups: hub.group_count(),
            users: hub.user_count(),
        });
        let hubs = hubs.collect();
        Self { engine: metrics, hubs, webhooks, load, listener_lines_left_out }
    }
}

/// Answers with all metrics.
pub(crate) async fn serve(State(app): State<App>) -> Response {
    let (answer, measured) = oneshot::channel();
    if app.inputs.send(Input::Measure { answer }).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Ok(measured) = measured.await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let text = render(&measured, &app.counters.counts(), app.logs.left_out());
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

fn render(measured: &Measured, counts: &Counts, log_lines_left_out: u64) -> String {
    let mut page = Page::default();
    put_hubs(&mut page, &measured.hubs);
    put_connections(&mut page, &measured.engine);
    put_messages(&mut page, &measured.engine);
    put_requests(&mut page, counts);
    put_events(&mut page, &measured.engine, &measured.webhooks);
    page.gauge("server_load", "Server Load: the share of time that the engine is busy, in percent");
    page.put(&[], format_args!("{:.3}", measured.load));
    page.counter(
        "lines_left_out_total",
        "Lines for event listeners and logs that were not written, because too many waited or the file failed",
    );
    page.put(&[("of", "listeners")], measured.listener_lines_left_out);
    page.put(&[("of", "logs")], log_lines_left_out);
    page.text
}

fn put_hubs(page: &mut Page, hubs: &[HubSize]) {
    page.gauge("connection_count", "Connection Count: open connections");
    for hub in hubs {
        page.put(&[("hub", &hub.name)], hub.connections);
    }
    page.counter("connection_open_count_total", "Connection Open Count: connections ever accepted");
    for hub in hubs {
        page.put(&[("hub", &hub.name)], hub.connections_ever);
    }
    page.gauge("connection_quota", "The most connections that a hub may have");
    for hub in hubs {
        match hub.connections_max {
            usize::MAX => page.put(&[("hub", &hub.name)], "+Inf"),
            most => page.put(&[("hub", &hub.name)], most),
        }
    }
    page.gauge(
        "connection_quota_utilization",
        "Connection Quota Utilization: open connections as a share of the quota, in percent",
    );
    for hub in hubs {
        page.put(&[("hub", &hub.name)], format_args!("{:.3}", utilization(hub)));
    }
    page.gauge("group_count", "Groups that have members");
    for hub in hubs {
        page.put(&[("hub", &hub.name)], hub.groups);
    }
    page.gauge("user_count", "Users that are connected");
    for hub in hubs {
        page.put(&[("hub", &hub.name)], hub.users);
    }
}

#[expect(clippy::cast_precision_loss, reason = "a percentage for people")]
fn utilization(hub: &HubSize) -> f64 {
    match hub.connections_max {
        usize::MAX => 0.0,
        most => hub.connections as f64 * 100.0 / most as f64,
    }
}

fn put_connections(page: &mut Page, engine: &Metrics) {
    page.counter(
        "connection_close_count_total",
        "Connection Close Count: ended connections by why",
    );
    for (cause, count) in engine.closes.iter() {
        page.put(&[("endpoint", "client"), ("connection_close_category", cause.name())], count);
    }
    page.counter("connection_refused_total", "Connections that the engine refused");
    page.put(&[], engine.refused);
    page.counter("connection_detached_total", "Reliable connections that lost their transport");
    page.put(&[], engine.detached);
    page.counter("connection_recovery_total", "Attempts to take up a reliable connection again");
    page.put(&[("outcome", "recovered")], engine.recovered);
    page.put(&[("outcome", "refused")], engine.recoveries_refused);
}

fn put_messages(page: &mut Page, engine: &Metrics) {
    page.counter("inbound_traffic_bytes_total", "Inbound Traffic: bytes of messages from clients");
    page.put(&[], engine.bytes_in);
    page.counter("outbound_traffic_bytes_total", "Outbound Traffic: bytes of frames to clients");
    page.put(&[], engine.bytes_out);
    page.counter("inbound_messages_total", "Messages from clients");
    page.put(&[], engine.messages_in);
    page.counter("outbound_messages_total", "Messages published or sent, each once");
    page.put(&[], engine.messages_out);
    page.counter("deliveries_total", "Frames handed to sockets, once for each recipient");
    page.put(&[], engine.deliveries);
    page.counter("frames_encoded_total", "Frames encoded, once for each wire format");
    page.put(&[], engine.encodes);
    page.counter("messages_throttled_total", "Messages beyond a quota, which were not sent");
    page.put(&[], engine.messages_throttled);
    page.counter(
        "messages_dropped_total",
        "Messages for slow or absent connections, dropped by why",
    );
    for (why, count) in [
        ("newest", engine.drops.newest),
        ("oldest", engine.drops.oldest),
        ("superseded", engine.drops.superseded),
        ("expired", engine.drops.expired),
        ("ended", engine.drops.ended),
    ] {
        page.put(&[("why", why)], count);
    }
    page.counter("acks_total", "Acks by outcome");
    for (outcome, count) in [
        ("Success", engine.acks.success),
        ("Forbidden", engine.acks.forbidden),
        ("Duplicate", engine.acks.duplicate),
        ("BadRequest", engine.acks.bad_request),
        ("InternalServerError", engine.acks.internal_server_error),
        ("Throttled", engine.acks.throttled),
    ] {
        page.put(&[("outcome", outcome)], count);
    }
    page.counter("joins_limited_total", "Groups that were not joined because of a limit");
    page.put(&[], engine.joins_limited);
}

fn put_requests(page: &mut Page, counts: &Counts) {
    page.counter(
        "client_request_status_code_total",
        "Client Request Status Code: handshakes of clients by the status of the answer",
    );
    for (status, count) in &counts.handshakes {
        page.put(&[("client_type", "WebPubSub"), ("status", &status.to_string())], count);
    }
    page.counter("rest_api_requests_total", "Requests of the REST API by operation and status");
    for ((category, status), count) in &counts.rest_statuses {
        page.put(&[("category", category), ("status", &status.to_string())], count);
    }
    page.histogram(
        "rest_api_response_time_seconds",
        "Rest API Response Time: from LessThan100ms to GreaterThan5s, by operation",
    );
    for (category, times) in &counts.rest {
        page.put_times(("category", category), times);
    }
}

fn put_events(page: &mut Page, engine: &Metrics, webhooks: &WebhookMetrics) {
    for (name, help, count) in [
        ("events_called_total", "Events handed to event handlers", engine.calls),
        ("events_notified_total", "Events handed to event listeners", engine.notifications),
        (
            "events_failed_total",
            "Events that a handler failed or did not answer",
            engine.calls_failed,
        ),
        ("events_unhandled_total", "Events of clients that nobody takes", engine.events_unhandled),
        ("webhook_calls_total", "Events for webhooks", webhooks.calls),
        ("webhook_answered_total", "Events that a webhook answered", webhooks.answered),
        (
            "webhook_failed_total",
            "Events that a webhook failed, the dropped ones too",
            webhooks.failed,
        ),
        ("webhook_dropped_total", "Notifications beyond what may wait", webhooks.dropped),
        ("webhook_retries_total", "Requests to webhooks that were sent again", webhooks.retries),
        ("webhook_validations_total", "Validations of webhooks", webhooks.validations),
        (
            "webhook_validations_failed_total",
            "Validations of webhooks that failed",
            webhooks.validations_failed,
        ),
        (
            "stale_inputs_total",
            "Inputs for connections or calls that are gone; harmless",
            engine.stale_inputs,
        ),
    ] {
        page.counter(name, help);
        page.put(&[], count);
    }
}

/// The text as it comes to be.
#[derive(Default)]
struct Page {
    text: String,
    /// The metric whose samples come.
    name: &'static str,
}

impl Page {
    fn gauge(&mut self, name: &'static str, help: &str) {
        self.head(name, "gauge", help);
    }

    fn counter(&mut self, name: &'static str, help: &str) {
        self.head(name, "counter", help);
    }

    fn histogram(&mut self, name: &'static str, help: &str) {
        self.head(name, "histogram", help);
    }

    fn head(&mut self, name: &'static str, kind: &str, help: &str) {
        self.name = name;
        self.write(format_args!("# HELP hubcast_{name} {help}.\n# TYPE hubcast_{name} {kind}\n"));
    }

    fn put(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.sample("", labels, value);
    }

    fn put_times(&mut self, label: (&str, &str), times: &ResponseTimes) {
        let mut below = 0;
        for (bucket, most) in times.buckets.iter().zip(BUCKETS) {
            below += bucket;
            self.sample("_bucket", &[label, ("le", most)], below);
        }
        self.sample("_bucket", &[label, ("le", "+Inf")], times.count);
        self.sample("_sum", &[label], times.sum.as_secs_f64());
        self.sample("_count", &[label], times.count);
    }

    fn sample(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        let name = self.name;
        self.write(format_args!("hubcast_{name}{suffix}"));
        for (position, (label, text)) in labels.iter().enumerate() {
            let separator = if position == 0 { '{' } else { ',' };
            self.write(format_args!("{separator}{label}=\""));
            self.escaped(text);
            self.text.push('"');
        }
        let end = if labels.is_empty() { "" } else { "}" };
        self.write(format_args!("{end} {value}\n"));
    }

    fn escaped(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '\\' => self.text.push_str("\\\\"),
                '"' => self.text.push_str("\\\""),
                '\n' => self.text.push_str("\\n"),
                other => self.text.push(other),
            }
        }
    }

    fn write(&mut self, text: std::fmt::Arguments<'_>) {
        self.text.write_fmt(text).expect("a String takes everything");
    }
}
