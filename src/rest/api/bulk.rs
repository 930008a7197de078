//! The body of `:addToGroups` and `:removeFromGroups` (`webpubsub.md` 9.4).

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use bytes::Bytes;
use http::Request;
use serde_json::Value;

use super::body::{not_json, read_json};
use super::fault::Fault;
use super::route::check_group;
use crate::filter::Filter;

/// Some groups, and of which connections.
pub(super) struct Bulk {
    /// At least one group, each once.
    pub(super) groups: Vec<String>,
    /// `None` is all connections of the hub.
    pub(super) filter: Option<Filter>,
}

impl Bulk {
    pub(super) fn read(request: &Request<Bytes>) -> Result<Self, Fault> {
        let text = read_json(request)?;
        let value: Value = serde_json::from_str(&text).map_err(|_| not_json())?;
        let Value::Object(members) = value else { return Err(not_json()) };
        let (mut groups, mut filter) = (Value::Null, Value::Null);
        for (name, value) in members {
            if name.eq_ignore_ascii_case("groups") {
                groups = value;
            } else if name.eq_ignore_ascii_case("filter") {
                filter = value;
            }
        }
        Ok(Self { groups: read_groups(groups)?, filter: read_filter(filter)? })
    }
}

fn read_groups(value: Value) -> Result<Vec<String>, Fault> {
    let invalid = || Fault::bad_request("Invalid value of 'groups'.");
    let Value::Array(values) = value else { return Err(invalid()) };
    let mut groups = Vec::with_capacity(values.len());
    for value in values {
        let Value::String(group) = value else { return Err(invalid()) };
        check_group(&group)?;
        groups.push(group);
    }
    if groups.is_empty() {
        return Err(invalid());
    }
    groups.sort_unstable();
    groups.dedup();
    Ok(groups)
}

fn read_filter(value: Value) -> Result<Option<Filter>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => filter(&text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            Err(Fault::bad_request("Invalid value of 'filter'."))
        }
    }
}

/// Reads a filter; the empty one lets everything through.
pub(super) fn filter(text: &str) -> Result<Option<Filter>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    if text.trim().is_empty() {
        return Err(Fault::bad_request("Invalid value of 'filter'."));
    }
    Filter::parse(text).map(Some).map_err(|error| Fault::bad_request(error.to_string()))
}
