//! What the server asks.

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;

use crate::command::{CommandError, Reply};
use crate::state::Permission;

use super::open::is_hub;
use super::{
    GROUPS, LITERALS, MESSAGE_BYTES, Model, distinct, is_group, is_json, is_metadata, length,
};
use crate::testing::message::Message;
use crate::testing::operation::{Deed, Order, Whom};
use crate::testing::payload::{Entries, Payload};
use crate::testing::seen::Seen;

/// What a command answers; pages of members by their ids and users.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Anything but a page.
    Reply(Reply),
    /// The members of a page, and whether there are more.
    Page(Vec<(String, Option<String>)>, bool),
}

impl Model {
    /// Executes a command. `ids` are the ids of the connections that it may name, by number.
    ///
    /// # Errors
    /// When the engine says so too.
    pub fn execute(&mut self, order: &Order, ids: &[String]) -> Result<Outcome, CommandError> {
        let outcome = self.execute_unsettled(order, ids);
        self.settle();
        outcome
    }

    /// Tells whether a command takes several connections out of groups, while others see the order of that.
    pub fn is_unordered(&self, order: &Order, ids: &[String]) -> bool {
        match &order.deed {
            Deed::Leave(_) | Deed::LeaveAll | Deed::Close(_) => {
                self.with_legacy(&self.audience(order, ids)) > 1
            }
            _ => false,
        }
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each command")]
    fn execute_unsettled(
        &mut self,
        order: &Order,
        ids: &[String],
    ) -> Result<Outcome, CommandError> {
        let id = |number: usize| ids.get(number).cloned().unwrap_or_default();
        let hub = order.hub.to_lowercase();
        let except: Vec<_> = order.except.iter().map(|&number| id(number)).collect();
        let affected = |count| Ok(Outcome::Reply(Reply::Affected(count)));
        match &order.deed {
            Deed::Send { data, metadata, ttl, filter } => {
                self.check_audience(order)?;
                check_message(data, metadata, *ttl)?;
                if !self.hubs.contains_key(&hub) {
                    return affected(0);
                }
                if let Some(quota) = self.exhausted(&hub) {
                    return Err(CommandError::Throttled(quota));
                }
                let mut members = self.audience(order, ids);
                members.retain(|number| !except.contains(&self.connections[number].id));
                if let Some(filter) = filter {
                    members.retain(|number| self.connections[number].fits(filter, ids));
                }
                let (payload, metadata) = (data.clone(), metadata.clone());
                let message = match &order.whom {
                    Whom::Group(group) => {
                        let (group, from_user, stream) = (group.clone(), None, None);
                        Message::Group { group, from_user, payload, metadata, stream }
                    }
                    Whom::Hub | Whom::User(_) | Whom::Connection(_) | Whom::Matching(_) => {
                        Message::Server { payload, metadata }
                    }
                };
                let recipients = members.into_iter();
                let recipients = recipients.filter(|it| self.send(*it, &message, *ttl)).count();
                self.charge(&hub, recipients, data);
                affected(recipients)
            }
            Deed::Join(groups) => {
                check_groups(groups)?;
                self.check_audience(order)?;
                let members = self.audience(order, ids);
                match &order.whom {
                    Whom::Connection(number) if members.is_empty() => {
                        return Err(CommandError::NoConnection(id(*number)));
                    }
                    Whom::User(user) if members.is_empty() => {
                        return Err(CommandError::NoUser(user.clone()));
                    }
                    Whom::Hub
                    | Whom::Group(_)
                    | Whom::User(_)
                    | Whom::Connection(_)
                    | Whom::Matching(_) => {}
                }
                let joined = |number: &usize| {
                    let mut all = self.connections[number].groups.clone();
                    all.extend(groups.iter().cloned());
                    distinct(&all)
                };
                if members.iter().any(|member| joined(member) > GROUPS) {
                    return Err(CommandError::TooManyGroups(GROUPS));
                }
                for member in &members {
                    for group in groups {
                        self.join_group(*member, group);
                    }
                }
                affected(members.len())
            }
            Deed::Leave(groups) => {
                check_groups(groups)?;
                self.check_audience(order)?;
                let members = self.audience(order, ids);
                for group in groups {
                    let mut cleared = members.clone();
                    cleared.retain(|member| self.leave_group(*member, group));
                    for member in cleared {
                        self.tell_cleared(member, group);
                    }
                }
                affected(members.len())
            }
            Deed::LeaveAll => {
                self.check_audience(order)?;
                let members = self.audience(order, ids);
                let mut cleared = Vec::new();
                for &member in &members {
                    let groups = self.leave_all(member);
                    cleared.extend(groups.into_iter().map(|group| (member, group)));
                }
                // Once all have left: many who leave at once do not tell each other.
                for (member, group) in &cleared {
                    self.tell_cleared(*member, group);
                }
                affected(members.len())
            }
            Deed::Close(_) => {
                self.check_audience(order)?;
                let mut members = self.audience(order, ids);
                members.retain(|number| !except.contains(&self.connections[number].id));
                for &member in &members {
                    self.farewell(member);
                }
                let mut gone = Vec::new();
                for &member in &members {
                    if self.connections[&member].is_attached() {
                        self.flush(member);
                        self.tell(member, Seen::Close(1000));
                    }
                    gone.extend(self.part(member));
                }
                for each in &gone {
                    self.mourn(each);
                }
                affected(members.len())
            }
            Deed::Grant(number, right, group) => {
                let target = self.target(order, &id(*number), group)?;
                let target = target.ok_or_else(|| CommandError::NoConnection(id(*number)))?;
                self.permit(target, *right, group, true)
            }
            Deed::Revoke(number, right, group) => match self.target(order, &id(*number), group)? {
                Some(target) => {
                    let outcome = self.permit(target, *right, group, false);
                    if outcome.is_ok() {
                        self.end_forbidden_streams(target);
                    }
                    outcome
                }
                None => Ok(Outcome::Reply(Reply::Done)),
            },
            Deed::Check(number, right, group) => {
                let target = self.target(order, &id(*number), group)?;
                let target = target.ok_or_else(|| CommandError::NoConnection(id(*number)))?;
                let allows = self.connections[&target].rights.allows(*right, group);
                Ok(Outcome::Reply(Reply::Is(allows)))
            }
            Deed::Exists => {
                self.check_audience(order)?;
                Ok(Outcome::Reply(Reply::Is(!self.audience(order, ids).is_empty())))
            }
            Deed::Count => {
                self.check_audience(order)?;
                affected(self.audience(order, ids).len())
            }
            Deed::List { group, after, limit } => {
                if !(1..=200).contains(limit) {
                    return Err(CommandError::PageSize(*limit));
                }
                check_hub(&order.hub)?;
                check_groups(std::slice::from_ref(group))?;
                self.check_known(&order.hub)?;
                let after = after.map(id).unwrap_or_default();
                let members = self.members(&hub, |it| it.is_in(group) && it.id > after);
                let mut page: Vec<_> = members
                    .iter()
                    .map(|number| &self.connections[number])
                    .map(|connection| (connection.id.clone(), connection.user.clone()))
                    .collect();
                page.sort();
                let more = page.len() > *limit;
                page.truncate(*limit);
                Ok(Outcome::Page(page, more))
            }
        }
    }

    /// Takes a connection out of all its groups.
    /// Takes a connection out of its groups, and returns those where it had a state.
    fn leave_all(&mut self, number: usize) -> Vec<String> {
        let groups = self.connections[&number].groups.clone();
        let mut stateful = groups.clone();
        stateful.retain(|group| self.connections[&number].states.contains_key(group));
        for group in &groups {
            self.notify(number, "left", Some(group.clone()), |handler| handler.left);
        }
        let connection = self.at(number);
        connection.groups.clear();
        connection.states.clear();
        connection.subscribed.clear();
        stateful
    }

    fn permit(
        &mut self,
        number: usize,
        right: Permission,
        group: &str,
        allowed: bool,
    ) -> Result<Outcome, CommandError> {
        let set = self.at(number).rights.set(right, group, allowed);
        set.map(|()| Outcome::Reply(Reply::Done))
            .map_err(|()| CommandError::TooManyGrants(LITERALS))
    }

    /// Finds the connection that a permission is about.
    fn target(&self, order: &Order, id: &str, group: &str) -> Result<Option<usize>, CommandError> {
        check_groups(&[group.to_owned()])?;
        check_hub(&order.hub)?;
        self.check_known(&order.hub)?;
        Ok(self.members(&order.hub.to_lowercase(), |it| it.id == id).pop())
    }

    fn audience(&self, order: &Order, ids: &[String]) -> Vec<usize> {
        self.members(&order.hub.to_lowercase(), |connection| match &order.whom {
            Whom::Hub => true,
            Whom::Group(group) => connection.is_in(group),
            Whom::User(user) => connection.user.as_ref() == Some(user),
            Whom::Connection(number) => ids.get(*number) == Some(&connection.id),
            Whom::Matching(condition) => connection.fits(condition, ids),
        })
    }

    fn check_audience(&self, order: &Order) -> Result<(), CommandError> {
        check_hub(&order.hub)?;
        if let Whom::Group(group) = &order.whom {
            check_groups(std::slice::from_ref(group))?;
        }
        self.check_known(&order.hub)
    }

    fn check_known(&self, hub: &str) -> Result<(), CommandError> {
        if self.setup.refuse_unknown_hubs && !self.hubs.contains_key(&hub.to_lowercase()) {
            return Err(CommandError::UnknownHub(hub.to_owned()));
        }
        Ok(())
    }
}

fn check_groups(groups: &[String]) -> Result<(), CommandError> {
    if groups.iter().all(|group| is_group(group)) { Ok(()) } else { Err(CommandError::GroupName) }
}

fn check_hub(hub: &str) -> Result<(), CommandError> {
    if is_hub(hub) { Ok(()) } else { Err(CommandError::HubName(hub.to_owned())) }
}

fn check_message(data: &Payload, metadata: &Entries, ttl: u32) -> Result<(), CommandError> {
    let size = length(data);
    match data {
        _ if size > MESSAGE_BYTES => Err(CommandError::TooLarge { size, most: MESSAGE_BYTES }),
        Payload::Json(text) if !is_json(text) => Err(CommandError::Json),
        _ if !is_metadata(metadata) => Err(CommandError::Metadata),
        _ if ttl > 300 => Err(CommandError::Ttl(ttl)),
        _ => Ok(()),
    }
}
