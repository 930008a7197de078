//! The shape of a record of the resource logs (`webpubsub.md` 10.5), and what becomes one.

use std::net::IpAddr;
use std::time::Duration;

use hubcast::rest::webhook::WebhookOutcome;
use hubcast::{AckError, CloseCause, Record, RecordKind, Time};
use serde::Serialize;

use crate::lines::Line;

/// One line of the logs. It never has a token, a key or the content of a message in it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LogRecord {
    /// RFC 3339, UTC, with milliseconds.
    pub(crate) time: String,
    pub(crate) level: Level,
    pub(crate) resource_id: &'static str,
    pub(crate) location: &'static str,
    pub(crate) category: Category,
    pub(crate) operation_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) caller_ip_address: Option<IpAddr>,
    pub(crate) properties: Properties,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) enum Level {
    Informational,
    Warning,
    Error,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[expect(clippy::enum_variant_names, reason = "the service calls them so")]
pub(crate) enum Category {
    ConnectivityLogs,
    MessagingLogs,
    HttpRequestLogs,
}

/// What a record says; what does not apply is left out.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
#[rustfmt::skip]
pub(crate) struct Properties {
    pub(crate) message: String,
    /// `Connection`, `Authorization` or `Throttling`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) collection: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_code: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connection_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) user_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) subprotocol: Option<String>,
    /// Why a connection ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) close_category: Option<&'static str>,
    /// What a client asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) request: Option<&'static str>,
    /// The group, event or stream that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) target: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recipients: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) bytes: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) http_method: Option<String>,
    /// Without the query, where secrets may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) route_template: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status_code: Option<u16>,
    /// In milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) trace_id: Option<String>,
    /// How often a request to a webhook was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<u8>,
}

impl LogRecord {
    /// Makes a record.
    pub(crate) fn new(
        category: Category,
        level: Level,
        operation_name: &'static str,
        properties: Properties,
        now: Time,
    ) -> Self {
        let mut time = now.to_string();
        if !time.contains('.') {
            time = time.replace('Z', ".000Z");
        }
        Self {
            time,
            level,
            resource_id: "/hubcast/server",
            location: "local",
            category,
            operation_name,
            caller_ip_address: None,
            properties,
        }
    }

    /// Makes the record of something that the engine reports.
    pub(crate) fn of_engine(record: &Record<'_>, now: Time) -> Self {
        let category = if record.kind.is_about_message() {
            Category::MessagingLogs
        } else {
            Category::ConnectivityLogs
        };
        let properties = Properties {
            hub: Some(record.hub.to_owned()),
            connection_id: record.connection_id.map(|id| id.to_string()),
            user_id: record.user.map(str::to_owned),
            ..of_kind(record)
        };
        Self::new(category, level(&record.kind), record.kind.name(), properties, now)
    }

    /// Makes the record of an event that was sent to a webhook.
    pub(crate) fn of_webhook(outcome: &WebhookOutcome, now: Time) -> Self {
        let (message, status_code) = match outcome.result {
            Ok(status) => {
                (format!("The handler answered event {:?}.", outcome.event), Some(status))
            }
            Err(error) => (format!("Event {:?} failed: {error}.", outcome.event), None),
        };
        let level = match outcome.result {
            Ok(..=399) => Level::Informational,
            Ok(_) => Level::Warning,
            Err(_) => Level::Error,
        };
        let properties = Properties {
            message,
            hub: Some(outcome.hub.to_string()),
            connection_id: Some(outcome.connection_id.to_string()),
            target: Some(outcome.event.to_string()),
            http_method: Some("POST".to_owned()),
            url: Some(outcome.url.to_string()),
            status_code,
            duration: Some(millis(outcome.duration)),
            attempts: Some(outcome.attempts),
            ..Properties::default()
        };
        Self::new(Category::HttpRequestLogs, level, "WebhookRequest", properties, now)
    }
}

/// The error codes of the service's logs.
pub(crate) const UNAUTHORIZED: &str = "ERR_CONNECTION_UNAUTHORIZED";
const HUB_NOT_FOUND: &str = "ERR_HUB_NOT_FOUND";
const EVENT_HANDLER_NOT_CONFIGURED: &str = "ERR_EVENT_HANDLER_NOT_CONFIGURED";
const THROTTLED: &str = "ERR_CONNECTION_THROTTLED";

const CONNECTION: Option<&str> = Some("Connection");
const AUTHORIZATION: Option<&str> = Some("Authorization");
const THROTTLING: Option<&str> = Some("Throttling");

/// Returns a duration in milliseconds.
pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

fn level(kind: &RecordKind<'_>) -> Level {
    match kind {
        RecordKind::Ended { cause: CloseCause::Normal | CloseCause::ClosedByAppServer, .. }
        | RecordKind::Started { .. }
        | RecordKind::Detached
        | RecordKind::Recovered
        | RecordKind::Requested { .. }
        | RecordKind::Sent { .. } => Level::Informational,
        // Everything else is worth a look, also what later versions may add.
        _ => Level::Warning,
    }
}

fn of_kind(record: &Record<'_>) -> Properties {
    let connection = Properties { collection: CONNECTION, ..Properties::default() };
    match record.kind {
        RecordKind::Started { subprotocol } => Properties {
            message: "The connection is open.".to_owned(),
            subprotocol: subprotocol.map(str::to_owned),
            ..connection
        },
        RecordKind::Refused { status, reason } => {
            // A handler may answer with any status, and then means something of its own.
            let by_engine = record.connection_id.is_none();
            let (collection, error_code) = match status {
                401 => (AUTHORIZATION, Some(UNAUTHORIZED)),
                403 => (AUTHORIZATION, None),
                404 if by_engine => (CONNECTION, Some(HUB_NOT_FOUND)),
                429 if by_engine => (THROTTLING, Some(THROTTLED)),
                _ => (CONNECTION, None),
            };
            let message = match reason {
                "" => "The client is not let in.".to_owned(),
                reason => reason.to_owned(),
            };
            Properties { message, collection, error_code, status_code: Some(status), ..connection }
        }
        RecordKind::Detached => Properties {
            message: "The transport is lost; the connection waits to be recovered.".to_owned(),
            ..connection
        },
        RecordKind::Recovered => {
            Properties { message: "The connection is recovered.".to_owned(), ..connection }
        }
        RecordKind::RecoveryRefused => Properties {
            message: "The connection could not be recovered.".to_owned(),
            ..connection
        },
        RecordKind::Ended { cause, reason } => {
            let (collection, error_code) = match cause {
                CloseCause::Unauthorized => (AUTHORIZATION, Some(UNAUTHORIZED)),
                CloseCause::Throttled => (THROTTLING, Some(THROTTLED)),
                CloseCause::EventHandlerNotFound => {
                    (CONNECTION, Some(EVENT_HANDLER_NOT_CONFIGURED))
                }
                _ => (CONNECTION, None),
            };
            let close_category = Some(cause.name());
            Properties {
                message: reason.to_owned(),
                collection,
                error_code,
                close_category,
                ..connection
            }
        }
        _ => of_message(&record.kind),
    }
}

fn of_message(kind: &RecordKind<'_>) -> Properties {
    match *kind {
        RecordKind::Requested { operation, target, bytes } => Properties {
            message: format!("The client asked for {operation}."),
            request: Some(operation),
            target: Some(target.to_owned()).filter(|target| !target.is_empty()),
            bytes: Some(bytes),
            ..Properties::default()
        },
        RecordKind::Failed { error, reason } => Properties {
            message: format!("{}: {reason}", error.name()),
            error_code: (error == AckError::Throttled).then_some(THROTTLED),
            ..Properties::default()
        },
        RecordKind::Unhandled { event } => Properties {
            message: "No handler or listener takes this event.".to_owned(),
            error_code: Some(EVENT_HANDLER_NOT_CONFIGURED),
            target: Some(event.to_owned()),
            ..Properties::default()
        },
        RecordKind::Sent { recipients, bytes } => Properties {
            message: "A message went out.".to_owned(),
            recipients: Some(recipients),
            bytes: Some(bytes),
            ..Properties::default()
        },
        // What later versions may add.
        _ => Properties::default(),
    }
}

impl Line for LogRecord {
    fn size(&self) -> usize {
        let it = &self.properties;
        let texts = [
            &it.hub,
            &it.connection_id,
            &it.user_id,
            &it.subprotocol,
            &it.target,
            &it.http_method,
            &it.url,
            &it.trace_id,
        ];
        let texts = texts.into_iter().flatten().map(String::len).sum::<usize>();
        size_of::<Self>() + it.message.len() + texts
    }

    fn write(&self, to: &mut Vec<u8>) {
        serde_json::to_writer(to, self).expect("nothing in it can fail");
    }
}
