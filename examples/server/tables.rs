//! What the console shows of hubs, connections, groups and users: some rows of each, however many there are.

use std::collections::BTreeSet;

use hubcast::{ConnectionView, Engine, HubView};
use serde::Serialize;

use crate::activity::beginning;

/// The most rows of a table.
const ROWS: usize = 200;
/// The most connections, and groups that they are in, that are looked at for rows of groups and users.
const LOOKS: usize = 4_000;
/// The most characters of a name; groups have no longer ones, users may.
const CHARACTERS: usize = 1_024;
/// The most characters of a name in the row of a connection.
const CHARACTERS_SHOWN: usize = 200;
/// The most groups in the row of a connection.
const GROUPS_SHOWN: usize = 5;

/// Some rows, and how many there are in truth.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Table<Row> {
    total: usize,
    rows: Vec<Row>,
}

/// All tables.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Tables {
    hubs: Table<HubRow>,
    /// Of the hub that was asked for, if it exists.
    hub: Option<HubTables>,
}

#[derive(Clone, Debug, Serialize)]
struct HubRow {
    name: String,
    connections: usize,
    groups: usize,
    users: usize,
}

#[derive(Clone, Debug, Serialize)]
struct HubTables {
    #[serde(flatten)]
    row: HubRow,
    connections_max: usize,
    connection_table: Table<ConnectionRow>,
    group_table: Table<CountRow>,
    user_table: Table<CountRow>,
}

#[derive(Clone, Debug, Serialize)]
struct ConnectionRow {
    id: String,
    user: Option<String>,
    /// The subprotocol; `None` for plain clients without one.
    protocol: Option<String>,
    groups: Table<String>,
    is_detached: bool,
    is_paused: bool,
    /// Messages that wait to be handed over.
    waiting: usize,
    /// Messages that the client has not acknowledged.
    unacknowledged: usize,
    /// Requests that wait behind an event.
    queued: usize,
}

/// A group or a user, and how many connections it has.
#[derive(Clone, Debug, Serialize)]
struct CountRow {
    name: String,
    connections: usize,
}

impl Tables {
    /// Looks at the engine.
    pub(crate) fn of(engine: &Engine, hub: &str) -> Self {
        let hubs = engine.hubs();
        let total = hubs.len();
        let rows = hubs.take(ROWS).map(HubRow::of).collect();
        let hub = engine.hub(hub).map(|hub| HubTables::of(engine, hub));
        Self { hubs: Table { total, rows }, hub }
    }
}

impl HubRow {
    fn of(hub: HubView<'_>) -> Self {
        Self {
            name: hub.name().to_owned(),
            connections: hub.len(),
            groups: hub.group_count(),
            users: hub.user_count(),
        }
    }
}

impl HubTables {
    /// Groups and users are found by way of connections: to go through all of them could mean to pass over a million
    /// that belong to other hubs.
    fn of(engine: &Engine, hub: HubView<'_>) -> Self {
        let connections = || hub.connections().filter_map(|key| engine.connection(key));
        let (group_rows, user_rows) = (hub.group_count().min(ROWS), hub.user_count().min(ROWS));
        let (mut groups, mut users) = (BTreeSet::new(), BTreeSet::new());
        let mut looks = LOOKS;
        for connection in connections() {
            if looks == 0 || (groups.len() == group_rows && users.len() == user_rows) {
                break;
            }
            looks -= 1;
            if users.len() < user_rows {
                users.extend(connection.user());
            }
            for group in connection.groups().take(looks) {
                if groups.len() == group_rows {
                    break;
                }
                looks -= 1;
                groups.insert(group);
            }
        }
        let row = |name: &str, connections| {
            let name = beginning(name, CHARACTERS);
            CountRow { name, connections }
        };
        let groups = groups.into_iter().filter_map(|name| hub.group(name));
        let users = users.into_iter().filter_map(|name| hub.user(name));
        Self {
            connections_max: hub.connections_max(),
            connection_table: Table {
                total: hub.len(),
                rows: connections().take(ROWS).map(ConnectionRow::of).collect(),
            },
            group_table: Table {
                total: hub.group_count(),
                rows: groups.map(|group| row(group.name(), group.len())).collect(),
            },
            user_table: Table {
                total: hub.user_count(),
                rows: users.map(|user| row(user.name(), user.connections().len())).collect(),
            },
            row: HubRow::of(hub),
        }
    }
}

impl ConnectionRow {
    fn of(connection: ConnectionView<'_>) -> Self {
        let shown = |name: &str| beginning(name, CHARACTERS_SHOWN);
        let groups = Table {
            total: connection.groups().count(),
            rows: connection.groups().take(GROUPS_SHOWN).map(shown).collect(),
        };
        Self {
            id: connection.id().as_str().to_owned(),
            user: connection.user().map(|user| beginning(user, CHARACTERS)),
            protocol: connection.subprotocol().map(shown),
            groups,
            is_detached: connection.is_detached(),
            is_paused: connection.is_paused(),
            waiting: connection.waiting(),
            unacknowledged: connection.unacknowledged(),
            queued: connection.queued(),
        }
    }
}
