//! What the token of a client says about it.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use serde_json::Value;

use super::TokenError;
use super::jwt::Claims;

/// Where .NET puts the user id.
const NAME_IDENTIFIER: &str =
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier";

/// What the token of a client says about it (`webpubsub.md` 2.2).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClientClaims {
    /// The user: `sub`, or else the long .NET name of that claim. May be empty, which is not the same as
    /// absent.
    pub user: Option<String>,
    /// The roles: `role`.
    pub roles: Vec<String>,
    /// The groups to be in from the start: `webpubsub.group`. Their names are not checked yet.
    pub groups: Vec<String>,
    /// All claims by name, those above too, for the `connect` handler: a name once for each value of an
    /// array. What is not a string is its JSON text.
    pub claims: Vec<(String, String)>,
}

/// Reads the claims of a client.
pub(super) fn read_client(claims: Claims) -> Result<ClientClaims, TokenError> {
    let user = match text(&claims, "sub")? {
        Some(user) => Some(user),
        None => text(&claims, NAME_IDENTIFIER)?,
    };
    Ok(ClientClaims {
        user,
        roles: texts(&claims, "role")?,
        groups: texts(&claims, "webpubsub.group")?,
        claims: flatten(claims),
    })
}

/// Reads a string; `null` counts as absent.
fn text(claims: &Claims, name: &'static str) -> Result<Option<String>, TokenError> {
    match claims.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(value)) => Ok(Some(value.clone())),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            Err(TokenError::Claim { name })
        }
    }
}

/// Reads a string or an array of strings; `null` counts as absent.
fn texts(claims: &Claims, name: &'static str) -> Result<Vec<String>, TokenError> {
    let wrong = TokenError::Claim { name };
    match claims.get(name) {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::String(one)) => Ok(vec![one.clone()]),
        Some(Value::Array(several)) => several
            .iter()
            .map(|each| each.as_str().map(ToString::to_string).ok_or(wrong.clone()))
            .collect(),
        Some(Value::Bool(_) | Value::Number(_) | Value::Object(_)) => Err(wrong),
    }
}

fn flatten(claims: Claims) -> Vec<(String, String)> {
    let mut pairs = Vec::with_capacity(claims.len());
    for (name, value) in claims {
        match value {
            Value::Array(several) => {
                pairs.extend(several.into_iter().map(|each| (name.clone(), as_text(each))));
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Object(_) => pairs.push((name, as_text(value))),
        }
    }
    pairs
}

fn as_text(value: Value) -> String {
    match value {
        Value::String(text) => text,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}
