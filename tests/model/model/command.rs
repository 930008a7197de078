//! What the server asks.

use hubcast::{CommandError, Reply};

use super::open::is_hub;
use super::{GROUPS, LITERALS, MESSAGE_BYTES, Model, is_group, is_json, is_metadata};
use crate::operation::{Deed, Order, Payload, Right, Whom};
use crate::wire;

/// What a command answers; pages of members by their ids and users.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Reply(Reply),
    Page(Vec<(String, Option<String>)>, bool),
}

impl Model {
    /// Carries out a command. `ids` are the ids of the connections that it may name, by number.
    #[expect(clippy::too_many_lines, reason = "an arm for each command")]
    pub(crate) fn execute(
        &mut self,
        order: &Order,
        ids: &[String],
    ) -> Result<Outcome, CommandError> {
        let id = |number: usize| ids.get(number).cloned().unwrap_or_default();
        let hub = order.hub.to_lowercase();
        let except: Vec<_> = order.except.iter().map(|&number| id(number)).collect();
        let affected = |count| Ok(Outcome::Reply(Reply::Affected(count)));
        match &order.deed {
            Deed::Send { data, metadata, ttl } => {
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
                let json = match &order.whom {
                    Whom::Group(group) => wire::group_message(group, None, data, metadata),
                    Whom::Hub | Whom::User(_) | Whom::Connection(_) => {
                        wire::server_message(data, metadata)
                    }
                };
                for &member in &members {
                    self.send(member, &json, data, self.expiry(*ttl));
                }
                self.charge(&hub, members.len(), data);
                affected(members.len())
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
                    Whom::Hub | Whom::Group(_) | Whom::User(_) | Whom::Connection(_) => {}
                }
                let joined = |number: &usize| {
                    let mut all = self.connections[number].groups.clone();
                    all.extend(groups.iter().cloned());
                    all
                };
                if members.iter().any(|member| joined(member).len() > GROUPS) {
                    return Err(CommandError::TooManyGroups(GROUPS));
                }
                for member in &members {
                    self.at(*member).groups.extend(groups.iter().cloned());
                }
                affected(members.len())
            }
            Deed::Leave(groups) => {
                check_groups(groups)?;
                self.check_audience(order)?;
                let members = self.audience(order, ids);
                for member in &members {
                    self.at(*member).groups.retain(|group| !groups.contains(group));
                }
                affected(members.len())
            }
            Deed::LeaveAll => {
                self.check_audience(order)?;
                let members = self.audience(order, ids);
                for member in &members {
                    self.at(*member).groups.clear();
                }
                affected(members.len())
            }
            Deed::Close(_) => {
                self.check_audience(order)?;
                let mut members = self.audience(order, ids);
                members.retain(|number| !except.contains(&self.connections[number].id));
                for &member in &members {
                    self.farewell(member);
                    self.close(member, 1000);
                }
                affected(members.len())
            }
            Deed::Grant(number, right, group) => {
                let target = self.target(order, &id(*number), group)?;
                let target = target.ok_or_else(|| CommandError::NoConnection(id(*number)))?;
                self.permit(target, *right, group, true)
            }
            Deed::Revoke(number, right, group) => match self.target(order, &id(*number), group)? {
                Some(target) => self.permit(target, *right, group, false),
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
                let members = self.members(&hub, |it| it.groups.contains(group) && it.id > after);
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

    fn permit(
        &mut self,
        number: usize,
        right: Right,
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
            Whom::Group(group) => connection.groups.contains(group),
            Whom::User(user) => connection.user.as_ref() == Some(user),
            Whom::Connection(number) => ids.get(*number) == Some(&connection.id),
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

fn check_message(
    data: &Payload,
    metadata: &[(String, String)],
    ttl: u32,
) -> Result<(), CommandError> {
    let size = data.len();
    match data {
        _ if size > MESSAGE_BYTES => Err(CommandError::TooLarge { size, most: MESSAGE_BYTES }),
        Payload::Json(text) if !is_json(text) => Err(CommandError::Json),
        _ if !is_metadata(metadata) => Err(CommandError::Metadata),
        _ if ttl > 300 => Err(CommandError::Ttl(ttl)),
        _ => Ok(()),
    }
}
