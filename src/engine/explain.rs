//! What a command would do, without doing it.

use alloc::string::String;
use alloc::vec::Vec;

use bytes::BytesMut;

use super::Engine;
use super::fanout::{Message, Sending};
use super::select::Candidate;
use crate::command::{Audience, Command, CommandError, SendOptions};
use crate::explanation::{Explanation, Fate, Verdict};
use crate::filter::Filter;
use crate::state::{ConnectionKey, Hub, Standing};
use crate::time::Time;

/// What decides about a connection before its own condition does.
struct Choice<'a> {
    who: Audience<'a>,
    filter: Option<&'a Filter>,
    except: &'a [&'a str],
}

impl Engine {
    pub(super) fn on_explain(
        &self,
        command: &Command<'_>,
        now: Time,
    ) -> Result<Explanation, CommandError> {
        let all = |who| Choice { who, filter: None, except: &[] };
        match *command {
            Command::Send { to, data, options } => {
                let SendOptions { filter, except, metadata, ttl_seconds } = options;
                let Some(hub) = self.check_send(to, data, &options)? else {
                    return Ok(Explanation::default());
                };
                let Hub { quota, limits, .. } = &self.world.hubs[hub as usize];
                quota.clone().check(limits, now).map_err(CommandError::Throttled)?;
                let message = Message { data, metadata, ttl_seconds, stream: None };
                let sending = match to {
                    Audience::Group(_, group) => {
                        self.world.group(hub, group).map(|slot| self.to_group(slot, &message))
                    }
                    Audience::Hub(_)
                    | Audience::User(..)
                    | Audience::Connection(..)
                    | Audience::Matching(..) => Some(Sending::from_server(&message)),
                };
                let choice = Choice { who: to, filter, except };
                Ok(self.verdicts(hub, &choice, sending.as_ref(), now))
            }
            Command::Publish { group, data, options } => {
                let slot = self.find_group(group)?;
                let group = &self.world.groups[slot as usize];
                let hub = &*self.world.hubs[group.hub as usize].name;
                let to = Audience::Group(hub, &group.name);
                self.on_explain(&Command::Send { to, data, options }, now)
            }
            Command::Join { who, .. }
            | Command::Leave { who, .. }
            | Command::LeaveAll { who }
            | Command::Exists { who }
            | Command::Count { who } => self.concerned(&all(who)),
            Command::Close { who, except, .. } => {
                self.concerned(&Choice { who, filter: None, except })
            }
            Command::Grant(it) | Command::Revoke(it) | Command::Check(it) => {
                self.concerned(&all(Audience::Connection(it.hub, it.connection_id)))
            }
            Command::List { hub, group, .. } => self.concerned(&all(Audience::Group(hub, group))),
        }
    }

    fn to_group<'a>(&'a self, slot: u32, message: &Message<'a>) -> Sending<'a> {
        Sending::to_group(&self.world.groups[slot as usize], None, message)
    }

    fn concerned(&self, choice: &Choice<'_>) -> Result<Explanation, CommandError> {
        let hub = self.hub_of_audience(choice.who)?;
        Ok(hub
            .map_or_else(Explanation::default, |hub| self.verdicts(hub, choice, None, Time::EPOCH)))
    }

    fn verdicts(
        &self,
        hub: u32,
        choice: &Choice<'_>,
        sending: Option<&Sending<'_>>,
        now: Time,
    ) -> Explanation {
        let keys = self.world.hubs[hub as usize].roster.keys();
        let mut verdicts: Vec<_> = keys
            .map(|connection| {
                let connection_id = self.world.at(connection).id(connection);
                let chosen = self.left_out(connection, &connection_id, choice);
                let fate = chosen.or_else(|| Some(self.arrival(connection, sending?, now)));
                Verdict { connection, connection_id, fate: fate.unwrap_or(Fate::Reached) }
            })
            .collect();
        verdicts.sort_unstable_by_key(|verdict| verdict.connection.slot());
        Explanation { verdicts }
    }

    /// Returns why the command is not about a connection.
    fn left_out(&self, key: ConnectionKey, id: &str, choice: &Choice<'_>) -> Option<Fate> {
        let connection = self.world.at(key);
        let subject = Candidate::new(&self.world, key, connection);
        let lets = |filter: &Filter| filter.matches(&subject, &mut String::new());
        let outside = match choice.who {
            Audience::Hub(_) => None,
            Audience::Group(_, group) => {
                let slot = self.world.group(connection.hub, group);
                let place = slot.and_then(|slot| connection.memberships.find(slot));
                place.is_none().then_some(Fate::NotMember)
            }
            Audience::User(_, user) => {
                (self.world.user_name(connection) != Some(user)).then_some(Fate::OtherUser)
            }
            Audience::Connection(_, meant) => (id != meant).then_some(Fate::OtherConnection),
            Audience::Matching(_, filter) => (!lets(filter)).then_some(Fate::Filtered),
        };
        outside
            .or_else(|| choice.except.contains(&id).then_some(Fate::Excluded))
            .or_else(|| (!choice.filter.is_none_or(lets)).then_some(Fate::Filtered))
    }

    /// Returns what becomes of a message for a connection that is meant to get it.
    fn arrival(&self, key: ConnectionKey, sending: &Sending<'_>, now: Time) -> Fate {
        let connection = self.world.at(key);
        let frame = connection.protocol.format().encode(sending.outgoing(), &mut BytesMut::new());
        let Some(frame) = frame else { return Fate::Reached };
        let numbered = sending.is_numbered(connection.class());
        let frame = if numbered { frame.sequenced() } else { frame };
        let hub = self.world.hub_of(connection);
        let (policy, bound) = Sending::room(&self.world.sessions, hub, key, connection);
        let until = sending.expires(now);
        match connection.standing {
            Standing::Ready if connection.protocol.is_reliable() => {
                let has_room = bound.messages > 0 && frame.len() <= bound.bytes;
                if has_room { Fate::Reached } else { Fate::Closed }
            }
            Standing::Ready => Fate::Reached,
            Standing::Paused | Standing::Detached => {
                let mut trial = connection.backlog().cloned().unwrap_or_default();
                let kind = sending.kind(now);
                match trial.push_data(frame, kind, policy, bound, now) {
                    Err(_) => Fate::Closed,
                    Ok(drops) if drops.newest > 0 => Fate::Dropped,
                    Ok(_) if connection.standing == Standing::Paused => Fate::Paused { until },
                    Ok(_) => Fate::Detached { until },
                }
            }
        }
    }
}
