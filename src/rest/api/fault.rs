//! Why a request is not carried out, and responses (`webpubsub.md` 9.7, `emulator.md` 10).

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::String;

use bytes::Bytes;
use http::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Response, StatusCode};
use serde_json::Value;

use super::parameters::VERSIONS;
use crate::command::CommandError;
use crate::token::TokenError;

const ERROR_CODE: HeaderName = HeaderName::from_static("x-ms-error-code");
const SUPPORTED_VERSIONS: HeaderName = HeaderName::from_static("api-supported-versions");

/// The usual code.
pub(super) const BAD_REQUEST: &str = "Error.BadRequest";
/// The usual target.
pub(super) const REQUEST: &str = "Request";

/// Why a request is not carried out.
pub(super) struct Fault {
    status: StatusCode,
    said: Said,
}

/// What is said beside the status.
enum Said {
    Nothing,
    /// Why a token was refused; that is not for the peer.
    Cause(TokenError),
    /// The methods that the path has.
    Methods(String),
    /// The code alone, in its header.
    Code(&'static str),
    Detail {
        code: &'static str,
        message: Cow<'static, str>,
        target: &'static str,
    },
}

impl Fault {
    pub(super) fn bare(status: StatusCode) -> Self {
        Self { status, said: Said::Nothing }
    }

    pub(super) fn code(status: StatusCode, code: &'static str) -> Self {
        Self { status, said: Said::Code(code) }
    }

    pub(super) fn not_allowed(methods: String) -> Self {
        Self { status: StatusCode::METHOD_NOT_ALLOWED, said: Said::Methods(methods) }
    }

    pub(super) fn unauthorized(cause: Option<TokenError>) -> Self {
        let said = cause.map_or(Said::Nothing, Said::Cause);
        Self { status: StatusCode::UNAUTHORIZED, said }
    }

    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::about(REQUEST, message)
    }

    /// Makes a bad request with another target than the usual one.
    pub(super) fn about(target: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::detail(StatusCode::BAD_REQUEST, BAD_REQUEST, message, target)
    }

    pub(super) fn detail(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        target: &'static str,
    ) -> Self {
        Self { status, said: Said::Detail { code, message: message.into(), target } }
    }

    fn into_response(self) -> Response<Bytes> {
        let mut response = empty(self.status);
        match self.said {
            Said::Nothing => {}
            Said::Cause(cause) => {
                response.extensions_mut().insert(cause);
            }
            Said::Methods(methods) => {
                let methods = HeaderValue::try_from(methods).expect("methods are ASCII");
                response.headers_mut().insert(ALLOW, methods);
            }
            Said::Code(code) => {
                response.headers_mut().insert(ERROR_CODE, HeaderValue::from_static(code));
            }
            Said::Detail { code, message, target } => {
                let text = format!(
                    r#"{{"code":"{code}","message":{},"target":"{target}"}}"#,
                    Value::from(message)
                );
                response = json(self.status, text);
                response.headers_mut().insert(ERROR_CODE, HeaderValue::from_static(code));
            }
        }
        response
    }
}

impl From<CommandError> for Fault {
    /// Says why the engine did not carry out a command.
    fn from(error: CommandError) -> Self {
        const NOT_FOUND: StatusCode = StatusCode::NOT_FOUND;
        match error {
            CommandError::UnknownHub(hub) => {
                let message = format!("Hub `{hub}` is not found.");
                Self::detail(NOT_FOUND, "Error.Hub.NotExisted", message, "Hub")
            }
            CommandError::HubName(_) => Self::bad_request("Invalid hub name."),
            CommandError::GroupName => Self::bad_request("Invalid group name."),
            CommandError::StaleGroup => unreachable!("requests name their groups"),
            CommandError::NoConnection(id) => {
                Self::no_connection("Error.Connection.NotExisted", &id)
            }
            CommandError::NoUser(user) => {
                let message = format!("User `{user}` is not found.");
                Self::detail(NOT_FOUND, "Error.User.NotExisted", message, "User")
            }
            CommandError::Json => Self::bad_request("The request body is not a valid JSON."),
            CommandError::Protobuf => {
                Self::bad_request("The request body is not a valid protobuf message.")
            }
            CommandError::TooLarge { .. } => Self::bad_request("Invalid Content-Length header."),
            CommandError::Metadata => Self::bad_request("Invalid metadata header."),
            CommandError::Ttl(_) => Self::bad_request("Invalid messageTtlSeconds."),
            CommandError::PageSize(_) => Self::bad_request("Invalid maxpagesize."),
            CommandError::TooManyGrants(most) => Self::conflict(format!(
                "The connection has {most} exceptions of this permission, the most that are allowed."
            )),
            CommandError::TooManyGroups(most) => {
                Self::conflict(format!("A connection would be in more than {most} groups."))
            }
            CommandError::Throttled(quota) => Self::detail(
                StatusCode::TOO_MANY_REQUESTS,
                "Error.TooManyRequests",
                format!("Message count reaches limit: {quota}"),
                REQUEST,
            ),
        }
    }
}

impl Fault {
    pub(super) fn no_connection(code: &'static str, id: &str) -> Self {
        let message = format!("Connection `{id}` is not found.");
        Self::detail(StatusCode::NOT_FOUND, code, message, "Connection")
    }

    fn conflict(message: String) -> Self {
        Self::detail(StatusCode::CONFLICT, "Error.Connection.Conflict", message, "Connection")
    }
}

/// Makes a response without a body.
pub(super) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    response
}

/// Makes a response with a JSON text.
pub(super) fn json(status: StatusCode, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

/// Makes the response to a request of a method: each says which versions there are, and HEAD gets no body.
pub(super) fn answer(result: Result<Response<Bytes>, Fault>, method: &Method) -> Response<Bytes> {
    let mut response = result.unwrap_or_else(Fault::into_response);
    if method == Method::HEAD {
        response.headers_mut().remove(CONTENT_TYPE);
        response.body_mut().clear();
    }
    let versions = HeaderValue::try_from(VERSIONS.join(", ")).expect("versions are ASCII");
    response.headers_mut().insert(SUPPORTED_VERSIONS, versions);
    response
}
