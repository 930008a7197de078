//! The console: a page that is part of the program, and the state that it shows.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hubcast::Time;
use serde::Serialize;
use tokio::sync::{Mutex, oneshot};

use crate::activity::News;
use crate::input::{Input, Inputs};
use crate::tables::Tables;

/// The files of the page: path, type, content.
const FILES: [(&str, &str, &str); 13] = [
    ("/", HTML, include_str!("console/page.html")),
    ("/console/style.css", CSS, include_str!("console/style.css")),
    ("/console/icon.svg", SVG, include_str!("console/icon.svg")),
    ("/console/page.js", SCRIPT, include_str!("console/page.js")),
    ("/console/access.js", SCRIPT, include_str!("console/access.js")),
    ("/console/link.js", SCRIPT, include_str!("console/link.js")),
    ("/console/client.js", SCRIPT, include_str!("console/client.js")),
    ("/console/cards.js", SCRIPT, include_str!("console/cards.js")),
    ("/console/frames.js", SCRIPT, include_str!("console/frames.js")),
    ("/console/sender.js", SCRIPT, include_str!("console/sender.js")),
    ("/console/tables.js", SCRIPT, include_str!("console/tables.js")),
    ("/console/activity.js", SCRIPT, include_str!("console/activity.js")),
    ("/console/dom.js", SCRIPT, include_str!("console/dom.js")),
];

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SVG: &str = "image/svg+xml";
const SCRIPT: &str = "text/javascript; charset=utf-8";

/// Nothing but the page's own files, and no text that becomes markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// What a page is shown.
#[derive(Clone, Debug, Serialize)]
struct Shown {
    version: &'static str,
    /// When the server started, in milliseconds since 1970: another one means that it is another run.
    started: u64,
    #[serde(flatten)]
    tables: Tables,
    activity: News,
}

/// What the console works with.
#[derive(Clone)]
struct Console {
    inputs: Inputs,
    started: u64,
    /// Whoever holds it may ask the engine task: one at a time, because everybody may look.
    turn: Arc<Mutex<()>>,
}

/// Makes the routes of the console. They need no access key, because they change nothing.
pub(crate) fn router<S>(inputs: Inputs, started: Time) -> Router<S> {
    let console = Console { inputs, started: started.as_millis(), turn: Arc::default() };
    let mut router = Router::new().route("/console/state", get(state));
    for (path, kind, content) in FILES {
        router = router.route(path, get(move || async move { answer(kind, "no-cache", content) }));
    }
    router.with_state(console)
}

/// Answers with the tables of a hub, and with what happened after the entry that the page knows:
/// `/console/state?hub=chat&after=12`.
async fn state(State(console): State<Console>, request: Request) -> Response {
    let (mut hub, mut after) = (String::new(), 0);
    let query = request.uri().query().unwrap_or_default();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        match (&*name, value.parse()) {
            ("hub", _) => hub = value.into_owned(),
            ("after", Ok(number)) => after = number,
            _ => {}
        }
    }
    let turn = console.turn.lock().await;
    let (answer_to, answered) = oneshot::channel();
    let input = Input::Looked { hub, after, answer: answer_to };
    if console.inputs.send(input).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let Ok((tables, activity)) = answered.await else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    drop(turn);
    let shown =
        Shown { version: env!("CARGO_PKG_VERSION"), started: console.started, tables, activity };
    let text = serde_json::to_vec(&shown).expect("names and numbers are JSON");
    answer("application/json", "no-store", text)
}

fn answer(kind: &'static str, caching: &'static str, body: impl IntoResponse) -> Response {
    let headers = [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, caching),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    (headers, body).into_response()
}
