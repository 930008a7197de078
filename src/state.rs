//! All that the engine knows, and the invariants that hold between its parts.

mod ack_cache;
mod arena;
mod check;
mod connection;
mod connection_id;
mod hub;
mod membership;
mod names;
mod permission;
mod quota;
mod roster;
mod timers;
mod world;

pub use self::arena::ConnectionKey;
pub use self::connection_id::ConnectionId;
pub use self::permission::Permission;

pub(crate) use self::arena::Arena;
pub(crate) use self::connection::{Connection, Handshake, On, Queued, Waiting};
pub(crate) use self::hub::Hub;
pub(crate) use self::permission::Permissions;
pub(crate) use self::world::{Full, World, keep};
