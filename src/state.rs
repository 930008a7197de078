//! All that the engine knows, and the invariants that hold between its parts.

mod ack_cache;
mod arena;
mod backlog;
mod check;
mod connection;
mod connection_id;
mod group_state;
mod hub;
mod invocation;
mod label;
mod membership;
mod names;
mod permission;
mod quota;
mod roster;
mod session;
mod standing;
mod stream;
mod timers;
mod world;

pub use self::arena::ConnectionKey;
pub use self::connection_id::ConnectionId;
pub use self::hub::GroupKey;
pub use self::permission::Permission;

pub(crate) use self::arena::Arena;
pub(crate) use self::backlog::{Backlog, DataKind, Kind};
pub(crate) use self::connection::{Connection, Handshake, On, Phase, Queued, Standing, Waiting};
pub(crate) use self::group_state::{GroupStates, State};
pub(crate) use self::hub::{Group, Hub, Settings, User};
pub(crate) use self::invocation::Invocation;
pub(crate) use self::permission::Permissions;
pub(crate) use self::roster::{Class, Roster};
pub(crate) use self::session::{Bound, Sessions, Token};
pub(crate) use self::stream::Stream;
pub(crate) use self::world::{Full, World, keep};
