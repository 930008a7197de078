//! Commands, as an engine takes them.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::command::{Audience, Command, CommandError, GroupPermission, Reply, SendOptions};
use crate::engine::Engine;
use crate::filter::Filter;
use crate::state::Permission;
use crate::testing::condition::Condition;
use crate::testing::model::Outcome;
use crate::testing::operation::{Deed, Order, Whom};
use crate::testing::payload::Entries;
use crate::testing::reply::lend;
use crate::time::Time;

/// Executes a command. `ids` are the ids of the connections that it may name.
pub(super) fn execute(
    engine: &mut Engine,
    order: &Order,
    ids: &[String],
    now: Time,
) -> Result<Outcome, CommandError> {
    let id = |number: usize| ids.get(number).map_or("", String::as_str);
    let hub = &*order.hub;
    let parse = |condition: &Condition| {
        let text = condition.text(ids);
        Filter::parse(&text).unwrap_or_else(|error| panic!("{text}: {error}"))
    };
    let (matching, filter);
    let who = match &order.whom {
        Whom::Hub => Audience::Hub(hub),
        Whom::Group(group) => Audience::Group(hub, group),
        Whom::User(user) => Audience::User(hub, user),
        Whom::Connection(number) => Audience::Connection(hub, id(*number)),
        Whom::Matching(condition) => {
            matching = parse(condition);
            Audience::Matching(hub, &matching)
        }
    };
    let except: Vec<_> = order.except.iter().map(|&number| id(number)).collect();
    let about = |number: &usize, permission: &Permission, group| GroupPermission {
        hub,
        connection_id: id(*number),
        permission: *permission,
        group,
    };
    let (pairs, groups): (Vec<_>, Vec<_>);
    let command = match &order.deed {
        Deed::Send { data, metadata, ttl, filter: condition } => {
            filter = condition.as_ref().map(parse);
            pairs = lend_entries(metadata);
            let options = SendOptions {
                except: &except,
                filter: filter.as_ref(),
                metadata: &pairs,
                ttl_seconds: *ttl,
            };
            Command::Send { to: who, data: data.lend(), options }
        }
        Deed::Join(names) => {
            groups = lend(names);
            Command::Join { who, groups: &groups }
        }
        Deed::Leave(names) => {
            groups = lend(names);
            Command::Leave { who, groups: &groups }
        }
        Deed::LeaveAll => Command::LeaveAll { who },
        Deed::Close(reason) => Command::Close { who, except: &except, reason },
        Deed::Grant(number, right, group) => Command::Grant(about(number, right, group)),
        Deed::Revoke(number, right, group) => Command::Revoke(about(number, right, group)),
        Deed::Check(number, right, group) => Command::Check(about(number, right, group)),
        Deed::Exists => Command::Exists { who },
        Deed::Count => Command::Count { who },
        Deed::List { group, after, limit } => {
            Command::List { hub, group, after: after.map(id), limit: *limit }
        }
    };
    execute_as_explained(engine, command, now).map(|reply| match reply {
        Reply::Members(page) => {
            let members = page.members.into_iter();
            let members = members.map(|it| (it.connection_id.to_string(), it.user));
            Outcome::Page(members.collect(), page.more)
        }
        other => Outcome::Reply(other),
    })
}

/// Carries a command out, and holds a send to what was said of it before.
fn execute_as_explained(
    engine: &mut Engine,
    command: Command<'_>,
    now: Time,
) -> Result<Reply, CommandError> {
    let explained = engine.explain(&command, now);
    let reply = engine.execute(command, now);
    if let Command::Send { .. } = command {
        let affected = explained.map(|explanation| Reply::Affected(explanation.affected()));
        assert_eq!(affected, reply, "{command:?} does what was said before");
    }
    reply
}

fn lend_entries(entries: &Entries) -> Vec<(&str, &str)> {
    entries.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
