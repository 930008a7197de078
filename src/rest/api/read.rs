//! From a request to an operation.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use bytes::Bytes;
use http::{HeaderMap, Request};

use super::Api;
use super::body::{Content, not_json};
use super::bulk::{Bulk, filter};
use super::fault::Fault;
use super::generation::generate;
use super::listing::Page;
use super::operation::{Deed, Operation, Right};
use super::parameters::{Parameters, check_version};
use super::route::{Path, Route, Verb, Who, check_group};
use crate::command::CommandError;
use crate::name;
use crate::rest::headers;
use crate::rest::query::Query;
use crate::time::Time;

/// What the names of headers with metadata begin with.
const METADATA: &str = "x-webpubsub-metadata-";

impl Api {
    /// Makes all the checks that need no engine, in the order of the service.
    pub(super) fn check(&self, request: &Request<Bytes>, now: Time) -> Result<Operation, Fault> {
        let path = Path::find(request.method(), request.uri().path())?;
        let query = Query::read(request.uri().query().unwrap_or_default());
        check_version(&query)?;
        let route = path.route()?;
        let parameters = Parameters::read(route.verb, &query)?;
        self.admit(route.verb, request, now)?;
        let deed = self.deed(&route, &query, &parameters, request, now)?;
        Ok(Operation { hub: route.hub, deed })
    }

    fn deed(
        &self,
        route: &Route,
        query: &Query,
        parameters: &Parameters,
        request: &Request<Bytes>,
        now: Time,
    ) -> Result<Deed, Fault> {
        let who = route.who.clone();
        let (hub, group) = (&*route.hub, &route.group);
        let groups = || vec![group.clone()];
        Ok(match route.verb {
            Verb::Health => Deed::Nothing,
            Verb::GenerateToken => {
                let endpoint = self.endpoint(request);
                Deed::Token(generate(hub, query, parameters, &endpoint, &self.keys, now)?)
            }
            Verb::Send => return send(who, query, parameters, request),
            Verb::Close => Deed::Close {
                except: match who {
                    Who::Hub | Who::Group(_) | Who::User(_) => excluded(query),
                    Who::Connection(_) => Vec::new(),
                },
                reason: query.last("reason").unwrap_or_default().to_owned(),
                who,
            },
            Verb::Exists => Deed::Exists(who),
            Verb::Join => Deed::Join { who, groups: groups(), filter: None },
            Verb::Leave => Deed::Leave { who, groups: groups(), filter: None },
            Verb::LeaveAll => Deed::LeaveAll(who),
            Verb::JoinTogether => {
                let Bulk { groups, filter } = Bulk::read(request)?;
                Deed::Join { who, groups, filter }
            }
            Verb::LeaveTogether => {
                let Bulk { groups, filter } = Bulk::read(request)?;
                Deed::Leave { who, groups, filter }
            }
            Verb::List => {
                let Who::Group(group) = who else { unreachable!("groups are listed") };
                let token = query.last_filled("continuationToken");
                let url = format!("{}{}", self.endpoint(request), request.uri().path());
                Deed::List(Page::read(hub, &group, token, parameters, url)?)
            }
            Verb::Check => Deed::Check(right(route, query)?),
            Verb::Grant => Deed::Grant(right(route, query)?),
            Verb::Revoke => Deed::Revoke(right(route, query)?),
        })
    }

    /// Returns where this host is reached, without a slash at the end.
    fn endpoint(&self, request: &Request<Bytes>) -> String {
        if let Some(endpoint) = &self.endpoint {
            return endpoint.trim_end_matches('/').to_owned();
        }
        let scheme = request.uri().scheme_str().unwrap_or("http");
        format!("{scheme}://{}", headers::host(request.headers(), request.uri()))
    }
}

fn send(
    to: Who,
    query: &Query,
    parameters: &Parameters,
    request: &Request<Bytes>,
) -> Result<Deed, Fault> {
    let filter = match (&to, query.last("filter")) {
        (Who::Hub | Who::Group(_) | Who::User(_), Some(text)) => filter(text)?,
        (Who::Hub | Who::Group(_) | Who::User(_) | Who::Connection(_), _) => None,
    };
    let content = Content::read(request)?;
    let metadata = metadata(request.headers());
    // The body comes before the metadata, and the engine looks at it only when all else is right.
    if metadata.is_err() && !content.is_valid() {
        return Err(not_json());
    }
    let except = match to {
        Who::Hub | Who::Group(_) => excluded(query),
        Who::User(_) | Who::Connection(_) => Vec::new(),
    };
    Ok(Deed::Send {
        to,
        except,
        content,
        filter,
        metadata: metadata?,
        ttl_seconds: parameters.ttl_seconds,
    })
}

/// Returns the ids of connections that are left out.
fn excluded(query: &Query) -> Vec<String> {
    query.all("excluded").map(ToOwned::to_owned).collect()
}

/// Reads the metadata of a message (`emulator.md` 9).
fn metadata(headers: &HeaderMap) -> Result<Vec<(String, String)>, Fault> {
    let invalid = || Fault::from(CommandError::Metadata);
    let mut pairs = Vec::new();
    for name in headers.keys() {
        let Some(key) = name.as_str().strip_prefix(METADATA) else { continue };
        let Some(value) = headers.get_all(name).iter().next_back() else { continue };
        let value = str::from_utf8(value.as_bytes()).map_err(|_| invalid())?;
        let last = value.rsplit(',').next().unwrap_or_default().trim();
        pairs.push((key.to_owned(), last.to_owned()));
    }
    // In an order that does not depend on hashes.
    pairs.sort_unstable();
    let lent = pairs.iter().map(|(key, value)| (&**key, &**value));
    if name::is_metadata(lent) { Ok(pairs) } else { Err(invalid()) }
}

fn right(route: &Route, query: &Query) -> Result<Right, Fault> {
    let group = query.last("targetName").unwrap_or_default();
    check_group(group)?;
    let (Who::Connection(id), Some(permission)) = (&route.who, route.permission) else {
        unreachable!("connections have permissions")
    };
    Ok(Right { connection_id: id.clone(), permission, group: group.to_string() })
}
