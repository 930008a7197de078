//! The REST side: reads a request, has the engine task carry it out, and answers.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use hubcast::rest::Api;
use hubcast::token::TokenError;
use tokio::sync::oneshot;

use crate::input::Input;
use crate::logs::LoggedRequest;
use crate::rest_routes::RestRoute;
use crate::routes::{App, caller};

/// Answers a request of the REST API.
pub(crate) async fn serve(State(app): State<App>, request: Request) -> Response {
    // A task of its own, because a handler is dropped when the sender goes away: the request is to be counted.
    let answered = tokio::spawn(answer_and_tell(app, request)).await;
    answered.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Answers a request, measures how long it takes, and logs it.
async fn answer_and_tell(app: App, request: Request) -> Response {
    let began = Instant::now();
    let (parts, body) = request.into_parts();
    let route = RestRoute::find(parts.method.as_str(), parts.uri.path());
    let logged = LoggedRequest::new(&parts, caller(&parts));
    let response = answer(&app, parts, body).await;
    let (status, took) = (response.status(), began.elapsed());
    app.counters.count_rest(route.category, status.as_u16(), took);
    app.logs.request(&logged, route, status, took, app.clock.now());
    response
}

async fn answer(app: &App, parts: Parts, body: Body) -> Response {
    let path = parts.uri.path().to_owned();
    let Ok(body) = read(body).await else {
        // The sender broke off: there is nobody to tell.
        return StatusCode::BAD_REQUEST.into_response();
    };
    let operation = match app.api.read(&Request::from_parts(parts, body), app.clock.now()) {
        Ok(operation) => Box::new(operation),
        Err(response) => {
            // The caller is told nothing but 401; whoever runs the server may know why.
            if let Some(error) = response.extensions().get::<TokenError>() {
                eprintln!("server: {path} is refused: {error}");
            }
            return response.map(Body::from);
        }
    };
    let (answer, answered) = oneshot::channel();
    if app.inputs.send(Input::Asked { operation, answer }).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match answered.await {
        Ok(response) => response.map(Body::from),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Reads a body, and no more of it than tells that it is too long.
async fn read(body: Body) -> Result<Bytes, axum::Error> {
    let mut stream = body.into_data_stream();
    let mut whole = BytesMut::new();
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        let room = Api::BODY_BYTES_MAX + 1 - whole.len();
        whole.extend_from_slice(&piece[..piece.len().min(room)]);
        if whole.len() > Api::BODY_BYTES_MAX {
            break;
        }
    }
    Ok(whole.freeze())
}
