//! Which connections a command is about.

use alloc::string::String;
use alloc::vec::Vec;
use core::cell::OnceCell;

use smallvec::SmallVec;

use super::Engine;
use crate::command::{Audience, CommandError};
use crate::filter::{Filter, Handle, Subject};
use crate::state::{Connection, ConnectionId, ConnectionKey, Roster, World};

/// The connections of an audience, which often is one.
pub(super) type Keys = SmallVec<[ConnectionKey; 2]>;

impl Engine {
    /// Collects the connections of an audience.
    pub(super) fn select(&self, who: Audience<'_>) -> Result<Keys, CommandError> {
        let Some(hub) = self.hub_of_audience(who)? else { return Ok(Keys::new()) };
        Ok(match who {
            Audience::Connection(_, id) => self.world.find(hub, id).into_iter().collect(),
            Audience::Hub(_)
            | Audience::Group(..)
            | Audience::User(..)
            | Audience::Matching(..) => matching(&self.world, hub, who, None).collect(),
        })
    }

    /// Counts the connections of an audience.
    pub(super) fn count(&self, who: Audience<'_>) -> Result<usize, CommandError> {
        let Some(hub) = self.hub_of_audience(who)? else { return Ok(0) };
        Ok(match who {
            Audience::Hub(_)
            | Audience::Group(..)
            | Audience::User(..)
            | Audience::Connection(..) => Candidates::of_audience(&self.world, hub, who).len(),
            Audience::Matching(..) => matching(&self.world, hub, who, None).count(),
        })
    }

    /// Tells whether an audience has any connection.
    pub(super) fn exists(&self, who: Audience<'_>) -> Result<bool, CommandError> {
        let hub = self.hub_of_audience(who)?;
        Ok(hub.is_some_and(|hub| matching(&self.world, hub, who, None).next().is_some()))
    }

    /// Collects the connections of an audience in a hub that a filter lets through and that are not left out.
    pub(super) fn chosen(
        &self,
        hub: u32,
        who: Audience<'_>,
        filter: Option<&Filter>,
        except: &[&str],
    ) -> Vec<ConnectionKey> {
        let world = &self.world;
        let mut except: SmallVec<[_; 4]> =
            except.iter().filter_map(|id| world.find(hub, id)).collect();
        except.sort_unstable();
        let keys = matching(world, hub, who, filter);
        keys.filter(|key| except.binary_search(key).is_err()).collect()
    }
}

/// Goes through the connections of an audience in a hub that a filter lets through, each once.
///
/// It looks at the fewest that have to be looked at: those of the audience, or those of one of the conditions in the
/// filters for which there is an index. Without a filter it looks at none.
fn matching<'a>(
    world: &'a World,
    hub: u32,
    who: Audience<'a>,
    filter: Option<&'a Filter>,
) -> impl Iterator<Item = ConnectionKey> + 'a {
    let of_audience = match who {
        Audience::Matching(_, filter) => Some(filter),
        Audience::Hub(_) | Audience::Group(..) | Audience::User(..) | Audience::Connection(..) => {
            None
        }
    };
    let filters: SmallVec<[&Filter; 2]> = of_audience.into_iter().chain(filter).collect();
    let mut fewest = Candidates::of_audience(world, hub, who);
    let mut bound = None;
    for handle in filters.iter().flat_map(|filter| filter.handles()) {
        let candidates = Candidates::of_handle(world, hub, &handle);
        if candidates.len() < fewest.len() {
            fewest = candidates;
            bound = Bound::of(world, hub, who);
        }
    }
    let mut scratch = String::new();
    fewest.keys().filter(move |&key| {
        if filters.is_empty() {
            return true;
        }
        let connection = world.at(key);
        let subject = Candidate::new(world, key, connection);
        bound.is_none_or(|bound| bound.contains(connection))
            && filters.iter().all(|filter| filter.matches(&subject, &mut scratch))
    })
}

/// Connections to look at, each of them once.
struct Candidates<'a> {
    /// Lists of the index.
    lists: SmallVec<[&'a [ConnectionKey]; 4]>,
    /// What is in no list.
    keys: SmallVec<[ConnectionKey; 4]>,
}

impl<'a> Candidates<'a> {
    fn of_audience(world: &'a World, hub: u32, who: Audience<'_>) -> Self {
        match who {
            Audience::Hub(_) | Audience::Matching(..) => {
                Self::listed(world.hubs[hub as usize].roster.lists().map(|(_, keys)| keys))
            }
            Audience::Group(_, group) => Self::of_group(world, hub, group),
            Audience::User(_, user) => Self::of_users(world, hub, &[user]),
            Audience::Connection(_, id) => Self::of_connections(world, hub, &[id]),
        }
    }

    fn of_handle(world: &'a World, hub: u32, handle: &Handle<'_>) -> Self {
        match handle {
            Handle::Users(users) => Self::of_users(world, hub, users),
            Handle::Group(group) => Self::of_group(world, hub, group),
            Handle::Connections(ids) => Self::of_connections(world, hub, ids),
        }
    }

    fn of_group(world: &'a World, hub: u32, group: &str) -> Self {
        let roster = world.group(hub, group).map(|slot| &world.groups[slot as usize].roster);
        Self::listed(roster.into_iter().flat_map(Roster::lists).map(|(_, keys)| keys))
    }

    fn of_users(world: &'a World, hub: u32, users: &[&str]) -> Self {
        let found = users.iter().filter_map(|user| world.user(hub, user));
        Self::listed(found.map(|slot| &*world.users[slot as usize].connections))
    }

    fn of_connections(world: &'a World, hub: u32, ids: &[&str]) -> Self {
        let keys = ids.iter().filter_map(|id| world.find(hub, id)).collect();
        Self { lists: SmallVec::new(), keys }
    }

    fn listed(lists: impl Iterator<Item = &'a [ConnectionKey]>) -> Self {
        Self { lists: lists.collect(), keys: SmallVec::new() }
    }

    fn len(&self) -> usize {
        self.lists.iter().map(|list| list.len()).sum::<usize>() + self.keys.len()
    }

    fn keys(self) -> impl Iterator<Item = ConnectionKey> + 'a {
        self.lists.into_iter().flatten().copied().chain(self.keys)
    }
}

/// What those are in that an audience has, by its slot.
#[derive(Clone, Copy)]
enum Bound {
    Group(u32),
    User(u32),
}

impl Bound {
    /// Returns the bound of an audience that has more than one connection and not all of its hub.
    fn of(world: &World, hub: u32, who: Audience<'_>) -> Option<Self> {
        match who {
            Audience::Group(_, group) => world.group(hub, group).map(Self::Group),
            Audience::User(_, user) => world.user(hub, user).map(Self::User),
            // Fewer than one is nobody, who needs no bound.
            Audience::Hub(_) | Audience::Connection(..) | Audience::Matching(..) => None,
        }
    }

    fn contains(self, connection: &Connection) -> bool {
        match self {
            Self::Group(slot) => connection.memberships.find(slot).is_some(),
            Self::User(slot) => connection.user.is_some_and(|seat| seat.user() == slot),
        }
    }
}

/// A connection that a filter is asked about.
pub(super) struct Candidate<'a> {
    world: &'a World,
    key: ConnectionKey,
    connection: &'a Connection,
    /// Written out when it is asked for.
    id: OnceCell<ConnectionId>,
}

impl<'a> Candidate<'a> {
    pub(super) fn new(world: &'a World, key: ConnectionKey, connection: &'a Connection) -> Self {
        Self { world, key, connection, id: OnceCell::new() }
    }
}

impl Subject for Candidate<'_> {
    fn user(&self) -> Option<&str> {
        self.world.user_name(self.connection)
    }

    fn connection_id(&self) -> &str {
        self.id.get_or_init(|| self.connection.id(self.key))
    }

    fn protocol(&self) -> Option<&str> {
        self.connection.protocol.name()
    }

    fn groups(&self) -> usize {
        self.connection.memberships.len()
    }

    fn is_in(&self, group: &str) -> bool {
        // Looking the name up costs the same in however many groups the connection is.
        let memberships = &self.connection.memberships;
        memberships.len() > 0
            && self
                .world
                .group(self.connection.hub, group)
                .is_some_and(|slot| memberships.find(slot).is_some())
    }
}
