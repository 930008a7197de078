//! Tokens for clients of those who have no key (`webpubsub.md` 9.6).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::time::Duration;

use http::StatusCode;
use serde_json::Value;

use super::fault::Fault;
use super::parameters::Parameters;
use crate::rest::query::Query;
use crate::time::Time;
use crate::token::{AccessKeys, ClientToken, MintError};

/// Which clients a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClientKind {
    Default,
    Mqtt,
    SocketIo,
}

impl ClientKind {
    /// Reads the kind in any case.
    pub(super) fn read(query: &Query) -> Result<Self, Fault> {
        let Some(text) = query.last_filled("clientType") else { return Ok(Self::Default) };
        match &*text.to_ascii_lowercase() {
            "default" => Ok(Self::Default),
            "mqtt" => Ok(Self::Mqtt),
            "socketio" => Ok(Self::SocketIo),
            _ => Err(Fault::about("clientType", "Invalid clientType.")),
        }
    }
}

/// Signs a token and returns the body that it is answered with.
pub(super) fn generate(
    hub: &str,
    query: &Query,
    parameters: &Parameters,
    endpoint: &str,
    keys: &AccessKeys,
    now: Time,
) -> Result<String, Fault> {
    match parameters.client_kind {
        ClientKind::Default => {}
        ClientKind::Mqtt | ClientKind::SocketIo => {
            return Err(Fault::detail(
                StatusCode::NOT_IMPLEMENTED,
                "Error.NotImplemented",
                "The client type is not supported.",
                "clientType",
            ));
        }
    }
    let token = ClientToken {
        endpoint,
        hub,
        user: query.last_filled("userId"),
        roles: &query.all("role").collect::<Vec<_>>(),
        groups: &query.all("group").collect::<Vec<_>>(),
        lifetime: Duration::from_secs(u64::from(parameters.minutes) * 60),
        allow_long: true,
    };
    let token = token.mint(keys, now).map_err(|error| match error {
        MintError::Endpoint => Fault::bad_request("Invalid Host header."),
        MintError::Hub => Fault::bad_request("Invalid hub name."),
        MintError::Group => Fault::about("group", "Invalid group name."),
        MintError::Lifetime => Fault::about("minutesToExpire", "Invalid minutesToExpire."),
    })?;
    Ok(format!(r#"{{"token":{}}}"#, Value::from(token)))
}
