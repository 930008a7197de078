//! The resource logs (`webpubsub.md` 10.5): who came and went, what was sent, what servers asked for, as lines of JSON.

use std::net::IpAddr;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::request::Parts;
use hubcast::rest::webhook::WebhookOutcome;
use hubcast::token::TokenError;
use hubcast::{Record, Time};

use crate::lines::{LineWriter, Output};
use crate::log_record::{Category, Level, LogRecord, Properties, UNAUTHORIZED, millis};
use crate::rest_routes::RestRoute;

/// The most characters that a client may name its request with.
const TRACE_ID_MAX: usize = 256;

/// The way to the logs. Where there are none, nothing is put together either.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logs(Option<OpenLogs>);

#[derive(Clone, Debug)]
struct OpenLogs {
    writer: LineWriter<LogRecord>,
    output: Arc<RwLock<Arc<Output>>>,
}

/// A request of the REST API, or a handshake, as the logs have it.
#[derive(Clone, Debug)]
pub(crate) struct LoggedRequest {
    method: String,
    path: String,
    trace_id: Option<String>,
    caller: Option<IpAddr>,
}

impl Logs {
    /// Opens the logs, if there are to be any.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong and what to do.
    pub(crate) fn open(path: Option<&str>) -> Result<Self, String> {
        let Some(output) = Self::output(path)? else { return Ok(Self(None)) };
        let output = Arc::new(RwLock::new(output));
        Ok(Self(Some(OpenLogs { writer: LineWriter::start("logs"), output })))
    }

    /// Opens the file again, for [`replace`](Self::replace): it may have been renamed.
    ///
    /// # Errors
    ///
    /// One line that says what is wrong and what to do.
    pub(crate) fn output(path: Option<&str>) -> Result<Option<Arc<Output>>, String> {
        let opened = path.map(Output::open).transpose();
        opened.map_err(|error| format!("--logs {error}"))
    }

    /// Goes on with another file. What is on its way still goes to the one of before.
    pub(crate) fn replace(&self, with: Option<Arc<Output>>) {
        if let (Some(logs), Some(with)) = (&self.0, with) {
            *logs.output.write().expect("nothing panics while it holds the lock") = with;
        }
    }

    /// Writes what the engine reports.
    pub(crate) fn record(&self, record: &Record<'_>, caller: Option<IpAddr>, now: Time) {
        let caller_ip_address = caller;
        self.write(|| LogRecord { caller_ip_address, ..LogRecord::of_engine(record, now) });
    }

    /// Writes what became of an event for a webhook.
    pub(crate) fn webhook(&self, outcome: &WebhookOutcome, now: Time) {
        self.write(|| LogRecord::of_webhook(outcome, now));
    }

    /// Writes that a handshake is refused of which the engine never hears.
    pub(crate) fn refused(
        &self,
        request: &LoggedRequest,
        status: StatusCode,
        error: Option<&TokenError>,
        now: Time,
    ) {
        self.write(|| {
            let is_unauthorized = status == StatusCode::UNAUTHORIZED;
            let collection = if is_unauthorized { "Authorization" } else { "Connection" };
            let properties = Properties {
                message: match error {
                    Some(error) => format!("The client is not let in: {error}."),
                    None => "The handshake is wrong.".to_owned(),
                },
                collection: Some(collection),
                error_code: is_unauthorized.then_some(UNAUTHORIZED),
                hub: hub(&request.path, "client"),
                url: Some(request.path.clone()),
                status_code: Some(status.as_u16()),
                trace_id: request.trace_id.clone(),
                ..Properties::default()
            };
            let (category, level) = (Category::ConnectivityLogs, Level::Warning);
            LogRecord {
                caller_ip_address: request.caller,
                ..LogRecord::new(category, level, "ConnectionRefused", properties, now)
            }
        });
    }

    /// Writes a request of the REST API and the answer to it.
    pub(crate) fn request(
        &self,
        request: &LoggedRequest,
        route: RestRoute,
        status: StatusCode,
        took: Duration,
        now: Time,
    ) {
        self.write(|| {
            let is_unauthorized = status == StatusCode::UNAUTHORIZED;
            let properties = Properties {
                message: format!("The answer is {}.", status.as_u16()),
                collection: is_unauthorized.then_some("Authorization"),
                hub: hub(&request.path, "api"),
                http_method: Some(request.method.clone()),
                url: Some(request.path.clone()),
                route_template: Some(route.template).filter(|template| !template.is_empty()),
                status_code: Some(status.as_u16()),
                duration: Some(millis(took)),
                trace_id: request.trace_id.clone(),
                ..Properties::default()
            };
            let level = match status.as_u16() {
                ..=399 => Level::Informational,
                400..=499 => Level::Warning,
                500.. => Level::Error,
            };
            let category = Category::HttpRequestLogs;
            LogRecord {
                caller_ip_address: request.caller,
                ..LogRecord::new(category, level, route.category, properties, now)
            }
        });
    }

    /// Returns how many lines were left out.
    pub(crate) fn left_out(&self) -> u64 {
        self.0.as_ref().map_or(0, |logs| logs.writer.left_out())
    }

    /// Waits until everything is written, but not for ever.
    pub(crate) async fn finish(&self) {
        if let Some(logs) = &self.0 {
            logs.writer.finish().await;
        }
    }

    fn write(&self, record: impl FnOnce() -> LogRecord) {
        if let Some(logs) = &self.0 {
            let output = logs.output.read().expect("nothing panics while it holds the lock");
            logs.writer.write(&output, record());
        }
    }
}

impl LoggedRequest {
    /// Keeps what the logs may have of a request: nothing of its query, and no header that proves anything.
    pub(crate) fn new(request: &Parts, caller: Option<IpAddr>) -> Self {
        let trace_id = ["x-ms-client-request-id", "traceparent"]
            .into_iter()
            .find_map(|name| request.headers.get(name)?.to_str().ok())
            .map(|id| id.chars().take(TRACE_ID_MAX).collect());
        Self {
            method: request.method.to_string(),
            path: request.uri.path().to_owned(),
            trace_id,
            caller,
        }
    }
}

/// Returns the hub that a path names, in lower case.
fn hub(path: &str, first: &str) -> Option<String> {
    let mut words = path.split('/').skip(1);
    let is_in_hub = words.next() == Some(first) && words.next() == Some("hubs");
    words.next().filter(|hub| is_in_hub && !hub.is_empty()).map(str::to_ascii_lowercase)
}
