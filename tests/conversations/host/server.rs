//! The server side: what handlers answer, and what is asked of the engine.

use hubcast::{
    Admission, Answer, Audience, Command, CommandError, Data, Engine, Filter, GroupPermission,
    Permission, Reply, Response, SendOptions, Time,
};

use super::{Host, Shown};
use crate::line::{Line, bytes, lend, lend_pairs, parse};

impl Host {
    pub(super) fn answer(&mut self, line: &mut Line) -> Shown {
        let name = line.word()?;
        let call = *self.names.calls.get(&name).ok_or("there was no such call")?;
        let verb = line.word()?;
        let (user, subprotocol) = (line.option("user"), line.option("subprotocol"));
        let (roles, groups) = (line.list("roles"), line.list("groups"));
        let (roles, groups) = (roles.as_deref().map(lend), groups.as_deref().map(lend));
        let (state, metadata) = (line.option("state"), line.pairs("metadata")?);
        let metadata = lend_pairs(&metadata);
        let data = Owned::read(line)?;
        let reason;
        let answer = match verb.as_str() {
            "accept" => Answer::Accept(Admission {
                user: user.as_deref(),
                roles: roles.as_deref(),
                groups: groups.as_deref(),
                subprotocol: subprotocol.as_deref(),
                state: state.as_deref(),
            }),
            "refuse" => {
                let status = parse(&line.word()?)?;
                reason = line.text();
                Answer::Refuse { status, reason: &reason }
            }
            "reply" => Answer::Reply(Response {
                data: data.as_ref().map(Owned::lend),
                metadata: &metadata,
                state: state.as_deref(),
            }),
            "fail" => Answer::Fail,
            _ => return Err(format!("{verb:?} is no answer")),
        };
        self.engine.as_mut().expect("made before").answer(call, answer, self.now);
        Ok(Vec::new())
    }

    /// Remembers the key of a group.
    pub(super) fn look_up(&mut self, line: &mut Line) -> Shown {
        let (hub, group) = ("chat", line.word()?);
        let key = self.engine.as_ref().expect("made before").group(hub, &group);
        let found = if key.is_some() { "= found" } else { "= no such group" };
        self.names.groups.extend(key.map(|key| (group, key)));
        Ok(vec![found.into()])
    }

    pub(super) fn execute(&mut self, verb: &str, line: &mut Line) -> Shown {
        let explain = verb == "explain";
        let verb = if explain { line.word()? } else { verb.to_owned() };
        let hub = line.option("hub").unwrap_or_else(|| "chat".into());
        let (group, user) = (line.option("group"), line.option("user"));
        let connection = line.option("connection");
        let filter = line.option("filter").map(|text| Filter::parse(&text)).transpose();
        let filter = filter.map_err(|error| error.to_string())?;
        let who = match (&group, &user, &connection) {
            // A send has a filter of its own beside the audience.
            (None, None, None) => {
                match filter.as_ref().filter(|_| verb != "send" && verb != "publish") {
                    Some(filter) => Audience::Matching(&hub, filter),
                    None => Audience::Hub(&hub),
                }
            }
            (Some(group), None, None) => Audience::Group(&hub, group),
            (None, Some(user), None) => Audience::User(&hub, user),
            (None, None, Some(id)) => Audience::Connection(&hub, id),
            _ => return Err("an audience is one of group, user and connection".into()),
        };
        let (groups, except) = (line.list("groups"), line.list("except").unwrap_or_default());
        let groups = lend(groups.as_deref().unwrap_or_default());
        let (except, metadata) = (lend(&except), line.pairs("metadata")?);
        let metadata = lend_pairs(&metadata);
        let (data, target) = (Owned::read(line)?, target(line));
        let (after, reason) = (line.option("after"), line.option("reason").unwrap_or_default());
        let permission = || {
            let (permission, group) = target.as_ref().ok_or("which permission?")?;
            let connection_id = connection.as_deref().ok_or("whose permission?")?;
            let (hub, permission) = (hub.as_str(), *permission);
            Ok::<_, String>(GroupPermission { hub, connection_id, permission, group })
        };
        let number = |text: Option<String>, otherwise| text.map_or(Ok(otherwise), |it| parse(&it));
        let options = SendOptions {
            except: &except,
            filter: filter.as_ref(),
            metadata: &metadata,
            ttl_seconds: number(line.option("ttl"), 0)?,
        };
        let lent = data.as_ref().map(Owned::lend).ok_or("send what?");
        let command = match verb.as_str() {
            "send" => Command::Send { to: who, data: lent?, options },
            "publish" => {
                let key = group.as_ref().and_then(|group| self.names.groups.get(group));
                let group = *key.ok_or("to which group that was looked up?")?;
                Command::Publish { group, data: lent?, options }
            }
            "join" => Command::Join { who, groups: &groups },
            "leave" => Command::Leave { who, groups: &groups },
            "leave_all" => Command::LeaveAll { who },
            "close" => Command::Close { who, except: &except, reason: &reason },
            "grant" => Command::Grant(permission()?),
            "revoke" => Command::Revoke(permission()?),
            "check" => Command::Check(permission()?),
            "exists" => Command::Exists { who },
            "count" => Command::Count { who },
            "list" => Command::List {
                hub: &hub,
                group: group.as_deref().ok_or("list which group?")?,
                after: after.as_deref(),
                limit: number(line.option("limit"), 200)? as usize,
            },
            _ => return Err(format!("{verb:?} is nobody and no input")),
        };
        let engine = self.engine.as_mut().expect("made before");
        if explain {
            let explanation = engine.explain(&command, self.now);
            return Ok(vec![self.names.explanation(&explanation)]);
        }
        let reply = execute_as_explained(engine, command, self.now);
        Ok(vec![self.names.reply(&reply)])
    }
}

/// Carries out a command, and holds a send to what was said of it before.
fn execute_as_explained(
    engine: &mut Engine,
    command: Command<'_>,
    now: Time,
) -> Result<Reply, CommandError> {
    let explained = engine.explain(&command, now);
    let reply = engine.execute(command, now);
    if let Command::Send { .. } | Command::Publish { .. } = command {
        let affected = explained.map(|explanation| Reply::Affected(explanation.affected()));
        assert_eq!(affected, reply, "{command:?} does what was said");
    }
    reply
}

/// Data that a line holds.
enum Owned {
    Text(String),
    Json(String),
    Binary(Vec<u8>),
    Protobuf(Vec<u8>),
}

impl Owned {
    fn read(line: &mut Line) -> Result<Option<Self>, String> {
        let Some((kind, text)) = line.data() else { return Ok(None) };
        Ok(Some(match kind.as_str() {
            "text" => Self::Text(text),
            "json" => Self::Json(text),
            "protobuf" => Self::Protobuf(bytes(&text)?),
            _ => Self::Binary(bytes(&text)?),
        }))
    }

    fn lend(&self) -> Data<'_> {
        match self {
            Self::Text(text) => Data::Text(text),
            Self::Json(text) => Data::Json(text),
            Self::Binary(bytes) => Data::Binary(bytes),
            Self::Protobuf(bytes) => Data::Protobuf(bytes),
        }
    }
}

fn target(line: &mut Line) -> Option<(Permission, String)> {
    let permissions = [
        ("sendToGroup", Permission::SendToGroup),
        ("joinLeaveGroup", Permission::JoinLeaveGroup),
        ("setGroupState", Permission::SetGroupState),
        ("getGroupState", Permission::GetGroupState),
    ];
    permissions.into_iter().find_map(|(name, permission)| Some((permission, line.option(name)?)))
}
