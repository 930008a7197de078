//! What the types promise beside their methods: auto traits, sizes, and how the source is laid out.

#[path = "api/layout.rs"]
mod layout;

use std::error::Error;
use std::fmt::{Debug, Display};
use std::hash::Hash;

use hubcast::{
    Accept, Action, Answer, Audience, Call, CallId, Command, CommandError, Config, ConfigError,
    ConnectionId, ConnectionKey, ConnectionView, Engine, Event, Filter, Frame, Incoming, Limits,
    Metrics, Open, Quota, Recipient, Reply, Time,
};

fn is_sendable<T: Send + Sync + Unpin>() {}
fn is_static<T: Send + Sync + Unpin + Debug + 'static>() {}
fn is_error<T: Error + Send + Sync + Clone + Eq + Unpin + 'static>() {}
fn is_shown<T: Display + Ord>() {}
fn is_key<T: Copy + Eq + Hash + Debug + Send + Sync + 'static>() {}

/// An engine may live in any task, and what it says may be sent to others.
#[test]
fn everything_may_cross_threads() {
    is_static::<Engine>();
    is_static::<Config>();
    is_static::<Filter>();
    is_static::<Metrics>();
    is_static::<Frame>();
    is_static::<Reply>();
    is_static::<Limits>();
    is_sendable::<Action<'_>>();
    is_sendable::<Accept<'_>>();
    is_sendable::<Call<'_>>();
    is_sendable::<Event<'_>>();
    is_sendable::<Command<'_>>();
    is_sendable::<Open<'_>>();
    is_sendable::<Incoming<'_>>();
    is_sendable::<Answer<'_>>();
    is_sendable::<Audience<'_>>();
    is_sendable::<ConnectionView<'_>>();
}

/// Errors can be boxed, compared and kept.
#[test]
fn errors_are_errors() {
    is_error::<ConfigError>();
    is_error::<CommandError>();
    is_error::<Quota>();
    let error: Box<dyn Error + Send + Sync> = CommandError::GroupName.into();
    assert!(error.to_string().starts_with("group"));
}

/// Those of journals too, and whatever records or replays one may live in any task.
#[cfg(feature = "replay")]
#[test]
fn journals() {
    use hubcast::replay::{
        BudgetError, JournalError, Key, Recorder, RecorderError, Replay, ReplayError,
    };

    is_static::<Recorder>();
    is_static::<Replay<'static>>();
    is_error::<BudgetError>();
    is_error::<JournalError>();
    is_error::<RecorderError>();
    is_error::<ReplayError>();
    is_key::<Key>();
    is_shown::<Key>();
}

/// The errors of the tokens too.
#[cfg(feature = "jwt")]
#[test]
fn token_errors_are_errors() {
    is_error::<hubcast::token::TokenError>();
    is_error::<hubcast::token::KeyError>();
    is_error::<hubcast::token::MintError>();
}

/// The types and errors of webhooks too.
#[cfg(feature = "rest")]
#[test]
fn webhooks_may_cross_threads() {
    use hubcast::rest::webhook;

    is_static::<webhook::Webhooks>();
    is_static::<webhook::WebhookAction>();
    is_static::<webhook::HandlerAnswer>();
    is_static::<webhook::UrlTemplate>();
    is_static::<webhook::CookieJar>();
    is_sendable::<webhook::CallRequest<'_>>();
    is_key::<webhook::RequestId>();
    is_error::<webhook::WebhookError>();
    is_error::<webhook::AnswerError>();
    is_error::<webhook::RequestError>();
    is_error::<webhook::UrlTemplateError>();
    is_error::<webhook::WebhookSettingsError>();
}

/// And those of the filters.
#[cfg(feature = "filter")]
#[test]
fn filter_errors_are_errors() {
    is_error::<hubcast::FilterError>();
    is_error::<hubcast::FilterProblem>();
}

/// Requests of the REST API may be read in one task and carried out in another.
#[cfg(feature = "rest")]
#[test]
fn the_rest_api_may_cross_threads() {
    is_static::<hubcast::rest::Api>();
    is_static::<hubcast::rest::Operation>();
    is_static::<hubcast::rest::Trusted>();
}

/// What a host keeps in its tables can be copied, compared and hashed.
#[test]
fn keys_are_keys() {
    is_key::<ConnectionKey>();
    is_key::<ConnectionId>();
    is_key::<CallId>();
    is_key::<Time>();
    is_shown::<ConnectionId>();
    is_shown::<Time>();
}

/// The sizes that the costs in the documentation rest on; the others only must not grow unnoticed.
#[test]
fn sizes() {
    assert_eq!(size_of::<ConnectionKey>(), 8);
    assert_eq!(size_of::<Option<ConnectionKey>>(), 8);
    assert_eq!(size_of::<Time>(), 8);
    assert_eq!(size_of::<Recipient>(), 16);
    assert_eq!(size_of::<ConnectionId>(), 32);
    assert!(size_of::<CallId>() <= 16);
    assert!(size_of::<Frame>() <= 48, "{}", size_of::<Frame>());
    assert!(size_of::<Action<'_>>() <= 320, "{}", size_of::<Action<'_>>());
    assert!(size_of::<Command<'_>>() <= 128, "{}", size_of::<Command<'_>>());
}
