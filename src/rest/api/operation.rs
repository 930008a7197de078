//! An operation that passed the checks: the command that it is, and what the reply says over HTTP.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use bytes::Bytes;
use http::{Method, Response, StatusCode};

use super::body::Content;
use super::fault::{Fault, answer, empty, json};
use super::listing::Page;
use super::route::Who;
use crate::command::{Audience, Command, CommandError, GroupPermission, Reply, SendOptions};
use crate::engine::Engine;
use crate::filter::Filter;
use crate::state::Permission;
use crate::time::Time;

/// A request of the REST API that passed the checks for which no engine is needed.
///
/// It owns its parts, so it may travel to the task that owns the engine. See [`Api::read`](super::Api::read).
#[derive(Clone)]
pub struct Operation {
    pub(super) hub: String,
    pub(super) deed: Deed,
}

/// What executes commands.
type Execute<'a> = &'a mut dyn FnMut(Command<'_>) -> Result<Reply, CommandError>;

/// What is to be done.
#[derive(Clone)]
pub(super) enum Deed {
    Nothing,
    /// The body with a new token, which only has to be handed out.
    Token(String),
    Send {
        to: Who,
        content: Content,
        except: Vec<String>,
        filter: Option<Filter>,
        metadata: Vec<(String, String)>,
        ttl_seconds: u32,
    },
    Close {
        who: Who,
        except: Vec<String>,
        reason: String,
    },
    Exists(Who),
    Join {
        who: Who,
        groups: Vec<String>,
        filter: Option<Filter>,
    },
    Leave {
        who: Who,
        groups: Vec<String>,
        filter: Option<Filter>,
    },
    LeaveAll(Who),
    List(Page),
    Check(Right),
    Grant(Right),
    Revoke(Right),
}

/// What a connection may do to a group.
#[derive(Clone)]
pub(super) struct Right {
    pub(super) connection_id: String,
    pub(super) permission: Permission,
    pub(super) group: String,
}

impl Operation {
    /// Carries it out and returns the response. The actions that it causes come out of the engine.
    pub fn carry_out(&self, engine: &mut Engine, now: Time) -> Response<Bytes> {
        self.carry_out_by(|command| engine.execute(command, now))
    }

    /// Carries it out by whatever executes commands: for a host whose engine is in something else, such as a recorder.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use hubcast::rest::{Api, Trusted};
    /// use hubcast::token::AccessKey;
    /// use hubcast::{Config, Engine, Time};
    ///
    /// let api = Api::new(AccessKey::new("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789ABCDEFGH")?.into());
    /// let mut request = http::Request::head("/api/hubs/chat/users/ann").body(Bytes::new())?;
    /// request.extensions_mut().insert(Trusted);
    /// let operation = api.read(&request, Time::EPOCH).map_err(|refused| refused.status().to_string())?;
    ///
    /// let (mut engine, mut journal) = (Engine::new(Config::new(1))?, Vec::new());
    /// let response = operation.carry_out_by(|command| {
    ///     journal.push(format!("{command:?}"));
    ///     engine.execute(command, Time::EPOCH)
    /// });
    /// assert_eq!((response.status().as_u16(), journal.len()), (404, 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn carry_out_by(
        &self,
        mut execute: impl FnMut(Command<'_>) -> Result<Reply, CommandError>,
    ) -> Response<Bytes> {
        answer(self.execute(&mut execute), &self.method())
    }

    /// Returns the hub as the request spells it; empty for the state of the service itself.
    pub fn hub(&self) -> &str {
        &self.hub
    }

    fn execute(&self, run: Execute<'_>) -> Result<Response<Bytes>, Fault> {
        match &self.deed {
            Deed::Nothing => Ok(empty(StatusCode::OK)),
            Deed::Token(body) => Ok(json(StatusCode::OK, body.clone())),
            Deed::Send { to, content, except, filter, metadata, ttl_seconds } => {
                let except = lend(except);
                let metadata: Vec<_> = metadata.iter().map(|(key, it)| (&**key, &**it)).collect();
                let options = SendOptions {
                    except: &except,
                    filter: filter.as_ref(),
                    metadata: &metadata,
                    ttl_seconds: *ttl_seconds,
                };
                run(Command::Send { to: self.audience(to, None), data: content.lend(), options })?;
                Ok(empty(StatusCode::ACCEPTED))
            }
            Deed::Close { who, except, reason } => {
                let who = self.audience(who, None);
                run(Command::Close { who, except: &lend(except), reason })?;
                Ok(empty(StatusCode::NO_CONTENT))
            }
            Deed::Exists(who) => match run(Command::Exists { who: self.audience(who, None) })? {
                Reply::Is(true) => Ok(empty(StatusCode::OK)),
                Reply::Is(false) | Reply::Done | Reply::Affected(_) | Reply::Members(_) => {
                    Err(who.absent())
                }
            },
            Deed::Join { who, groups, filter } => {
                let who = self.audience(who, filter.as_ref());
                run(Command::Join { who, groups: &lend(groups) })?;
                Ok(empty(StatusCode::OK))
            }
            Deed::Leave { who, groups, filter } => {
                let audience = self.audience(who, filter.as_ref());
                run(Command::Leave { who: audience, groups: &lend(groups) })?;
                Ok(empty(match who {
                    Who::Hub => StatusCode::OK,
                    Who::Group(_) | Who::User(_) | Who::Connection(_) => StatusCode::NO_CONTENT,
                }))
            }
            Deed::LeaveAll(who) => {
                run(Command::LeaveAll { who: self.audience(who, None) })?;
                Ok(empty(StatusCode::NO_CONTENT))
            }
            Deed::List(page) => self.list(page, run),
            Deed::Check(right) => {
                match run(Command::Check(self.lend_right(right))).map_err(of_permission)? {
                    Reply::Is(true) => Ok(empty(StatusCode::OK)),
                    Reply::Is(false) | Reply::Done | Reply::Affected(_) | Reply::Members(_) => {
                        Err(Fault::code(StatusCode::NOT_FOUND, NO_CONNECTION))
                    }
                }
            }
            Deed::Grant(right) => {
                run(Command::Grant(self.lend_right(right))).map_err(of_permission)?;
                Ok(empty(StatusCode::OK))
            }
            Deed::Revoke(right) => {
                run(Command::Revoke(self.lend_right(right))).map_err(of_permission)?;
                Ok(empty(StatusCode::NO_CONTENT))
            }
        }
    }

    fn list(&self, page: &Page, run: Execute<'_>) -> Result<Response<Bytes>, Fault> {
        let command = Command::List {
            hub: &self.hub,
            group: page.group(),
            after: page.after.as_deref(),
            limit: page.limit(),
        };
        let members = match run(command)? {
            Reply::Members(members) => members,
            Reply::Done | Reply::Affected(_) | Reply::Is(_) => {
                unreachable!("a list is answered with members")
            }
        };
        Ok(json(StatusCode::OK, page.write(&self.hub, &members)))
    }

    fn audience<'a>(&'a self, who: &'a Who, filter: Option<&'a Filter>) -> Audience<'a> {
        match (who, filter) {
            (Who::Hub, None) => Audience::Hub(&self.hub),
            (Who::Hub, Some(filter)) => Audience::Matching(&self.hub, filter),
            (Who::Group(group), _) => Audience::Group(&self.hub, group),
            (Who::User(user), _) => Audience::User(&self.hub, user),
            (Who::Connection(id), _) => Audience::Connection(&self.hub, id),
        }
    }

    fn lend_right<'a>(&'a self, right: &'a Right) -> GroupPermission<'a> {
        GroupPermission {
            hub: &self.hub,
            connection_id: &right.connection_id,
            permission: right.permission,
            group: &right.group,
        }
    }

    /// Returns the method that it was asked for with, as far as the response depends on it.
    fn method(&self) -> Method {
        match self.deed {
            Deed::Nothing | Deed::Exists(_) | Deed::Check(_) => Method::HEAD,
            Deed::List(_) => Method::GET,
            Deed::Token(_)
            | Deed::Send { .. }
            | Deed::Close { .. }
            | Deed::Join { .. }
            | Deed::Leave { .. }
            | Deed::LeaveAll(_)
            | Deed::Grant(_)
            | Deed::Revoke(_) => Method::POST,
        }
    }
}

impl fmt::Debug for Operation {
    /// Leaves out what is sent, and the token that is handed out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let deed = match self.deed {
            Deed::Nothing => "Health",
            Deed::Token(_) => "GenerateToken",
            Deed::Send { .. } => "Send",
            Deed::Close { .. } => "Close",
            Deed::Exists(_) => "Exists",
            Deed::Join { .. } => "Join",
            Deed::Leave { .. } => "Leave",
            Deed::LeaveAll(_) => "LeaveAll",
            Deed::List(_) => "List",
            Deed::Check(_) => "Check",
            Deed::Grant(_) => "Grant",
            Deed::Revoke(_) => "Revoke",
        };
        f.debug_struct("Operation").field("hub", &self.hub).field("deed", &deed).finish()
    }
}

/// The code for a connection that is not there, where it is about permissions, and for one that lacks a permission.
const NO_CONNECTION: &str = "Info.Connection.NotExisted";

fn of_permission(error: CommandError) -> Fault {
    match error {
        CommandError::NoConnection(id) => Fault::no_connection(NO_CONNECTION, &id),
        other => Fault::from(other),
    }
}

impl Who {
    /// Says that there is nobody.
    fn absent(&self) -> Fault {
        match self {
            Self::Group(_) => Fault::code(StatusCode::NOT_FOUND, "Warning.Group.NotExisted"),
            Self::User(_) => Fault::code(StatusCode::NOT_FOUND, "Warning.User.NotExisted"),
            Self::Hub | Self::Connection(_) => Fault::bare(StatusCode::NOT_FOUND),
        }
    }
}

fn lend(texts: &[String]) -> Vec<&str> {
    texts.iter().map(String::as_str).collect()
}
