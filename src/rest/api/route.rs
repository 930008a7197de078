//! Which operation a request asks for, and of whom (`webpubsub.md` 9.1, 9.2).

use alloc::borrow::{Cow, ToOwned};
use alloc::string::String;
use alloc::vec::Vec;

use http::{Method, StatusCode};
use percent_encoding::percent_decode_str;

use super::fault::Fault;
use crate::name;
use crate::state::Permission;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Health,
    GenerateToken,
    Send,
    Close,
    Exists,
    Join,
    Leave,
    LeaveAll,
    JoinTogether,
    LeaveTogether,
    List,
    Check,
    Grant,
    Revoke,
}

/// Whom it is about, within a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Hub,
    Group(String),
    User(String),
    Connection(String),
}

/// An operation with the names of its path, which are decoded and checked.
pub(super) struct Route {
    pub(super) verb: Verb,
    /// Empty where the path has none.
    pub(super) hub: String,
    pub(super) who: Who,
    /// The group that is joined or left; empty otherwise.
    pub(super) group: String,
    /// The permission that is asked about, granted or revoked.
    pub(super) permission: Option<Permission>,
}

/// A path that leads somewhere, whatever its names are.
pub(super) struct Path<'a> {
    verb: Verb,
    names: Vec<Cow<'a, str>>,
}

impl<'a> Path<'a> {
    /// Finds what a method does at a path: 404 where there is no such path, 405 where it has other methods.
    pub(super) fn find(method: &Method, path: &'a str) -> Result<Self, Fault> {
        let path = path.strip_suffix('/').unwrap_or(path);
        let names: Vec<_> = path.split('/').skip(1).take(SEGMENTS_MAX + 1).map(decode).collect();
        let folded: Vec<_> = names.iter().map(|name| name.to_ascii_lowercase()).collect();
        let words: Vec<_> = folded.iter().map(String::as_str).collect();
        let verbs = verbs(&words);
        if verbs.is_empty() {
            return Err(Fault::bare(StatusCode::NOT_FOUND));
        }
        match verbs.iter().find(|(each, _)| *each == method.as_str()) {
            Some(&(_, verb)) => Ok(Self { verb, names }),
            None => {
                let methods: Vec<_> = verbs.iter().map(|(each, _)| *each).collect();
                Err(Fault::not_allowed(methods.join(", ")))
            }
        }
    }

    /// Checks the names.
    pub(super) fn route(self) -> Result<Route, Fault> {
        let name = |place: usize| self.names.get(place).map_or("", |name| &**name).to_owned();
        let is = |word: &str| name(3).eq_ignore_ascii_case(word);
        let (who, group, permission) = match self.verb {
            Verb::Health => return Ok(Route::health()),
            Verb::GenerateToken | Verb::JoinTogether | Verb::LeaveTogether => {
                (Who::Hub, String::new(), None)
            }
            Verb::Join | Verb::Leave if is("users") => (Who::User(name(4)), name(6), None),
            Verb::Join | Verb::Leave => (Who::Connection(name(6)), name(4), None),
            Verb::Check | Verb::Grant | Verb::Revoke => {
                (Who::Connection(name(6)), String::new(), Some(name(4)))
            }
            Verb::Send | Verb::Close | Verb::Exists | Verb::LeaveAll | Verb::List => {
                let who = if is("groups") {
                    Who::Group(name(4))
                } else if is("users") {
                    Who::User(name(4))
                } else if is("connections") {
                    Who::Connection(name(4))
                } else {
                    Who::Hub
                };
                (who, String::new(), None)
            }
        };
        let hub = name(2);
        if !name::is_hub(&hub) {
            return Err(Fault::bad_request("Invalid hub name."));
        }
        who.check()?;
        if matches!(self.verb, Verb::Join | Verb::Leave) {
            check_group(&group)?;
        }
        let permission = permission.map(|text| read_permission(&text)).transpose()?;
        Ok(Route { verb: self.verb, hub, who, group, permission })
    }
}

impl Route {
    fn health() -> Self {
        Self {
            verb: Verb::Health,
            hub: String::new(),
            who: Who::Hub,
            group: String::new(),
            permission: None,
        }
    }
}

impl Who {
    fn check(&self) -> Result<(), Fault> {
        match self {
            Self::Connection(id) if id.is_empty() => {
                Err(Fault::bad_request("Invalid connection ID."))
            }
            Self::User(user) if user.is_empty() => Err(Fault::bad_request("Invalid user ID.")),
            Self::Group(group) => check_group(group),
            Self::Hub | Self::User(_) | Self::Connection(_) => Ok(()),
        }
    }
}

/// The segments of the longest path.
const SEGMENTS_MAX: usize = 7;

/// Returns what the methods of a path do, in lower case; nothing for a path that leads nowhere.
fn verbs(words: &[&str]) -> &'static [(&'static str, Verb)] {
    let ["api", rest @ ..] = words else { return &[] };
    let rest = match rest {
        ["health"] => return &[("HEAD", Verb::Health)],
        ["hubs", _, rest @ ..] => rest,
        _ => return &[],
    };
    match rest {
        [":generatetoken"] => &[("POST", Verb::GenerateToken)],
        [":addtogroups"] => &[("POST", Verb::JoinTogether)],
        [":removefromgroups"] => &[("POST", Verb::LeaveTogether)],
        [":send"] | ["connections" | "groups" | "users", _, ":send"] => &[("POST", Verb::Send)],
        [":closeconnections"] | ["groups" | "users", _, ":closeconnections"] => {
            &[("POST", Verb::Close)]
        }
        ["connections", _] => &[("DELETE", Verb::Close), ("HEAD", Verb::Exists)],
        ["groups" | "users", _] => &[("HEAD", Verb::Exists)],
        ["connections" | "users", _, "groups"] => &[("DELETE", Verb::LeaveAll)],
        ["groups", _, "connections"] => &[("GET", Verb::List)],
        ["groups", _, "connections", _] | ["users", _, "groups", _] => {
            &[("DELETE", Verb::Leave), ("PUT", Verb::Join)]
        }
        ["permissions", _, "connections", _] => {
            &[("DELETE", Verb::Revoke), ("HEAD", Verb::Check), ("PUT", Verb::Grant)]
        }
        _ => &[],
    }
}

/// Decodes a segment once, all of it except `%2F`. What is not UTF-8 then stays as it is.
fn decode(segment: &str) -> Cow<'_, str> {
    if !segment.contains('%') {
        return Cow::Borrowed(segment);
    }
    // The escape of a slash is escaped, so that the one decoding gives it back.
    let kept = segment.replace("%2F", "%252F").replace("%2f", "%252f");
    let decoded = percent_decode_str(&kept).decode_utf8().map(Cow::into_owned);
    decoded.map_or(Cow::Borrowed(segment), Cow::Owned)
}

/// Checks the name of a group.
pub(super) fn check_group(group: &str) -> Result<(), Fault> {
    if name::is_group(group) { Ok(()) } else { Err(Fault::bad_request("Invalid group name.")) }
}

/// Reads a permission by its name in any case, or by its number.
fn read_permission(text: &str) -> Result<Permission, Fault> {
    match &*text.to_ascii_lowercase() {
        "sendtogroup" | "1" => Ok(Permission::SendToGroup),
        "joinleavegroup" | "2" => Ok(Permission::JoinLeaveGroup),
        _ => Err(Fault::bad_request("Invalid permission.")),
    }
}
