//! What is so in the end.

use std::io::{self, Write};

use hubcast::{ConnectionKey, Engine, HubView};

/// Writes the hubs with their groups, users and connections, each in the order of its name or key.
pub(crate) fn write(out: &mut impl Write, engine: &Engine) -> io::Result<()> {
    for hub in engine.hubs() {
        let (connections, groups, users) = (hub.len(), hub.group_count(), hub.user_count());
        writeln!(
            out,
            "hub {}: {connections} connections, {groups} groups, {users} users",
            hub.name()
        )?;
        write_groups(out, hub)?;
        write_connections(out, engine, hub)?;
    }
    match engine.next_deadline() {
        Some(deadline) => writeln!(out, "next deadline: {deadline}"),
        None => writeln!(out, "next deadline: none"),
    }
}

fn write_groups(out: &mut impl Write, hub: HubView<'_>) -> io::Result<()> {
    let mut groups: Vec<_> =
        hub.groups().map(|group| (group.name(), keys(group.connections()))).collect();
    groups.sort();
    for (name, members) in groups {
        writeln!(out, "  group {name:?}: {members:?}")?;
    }
    Ok(())
}

fn write_connections(out: &mut impl Write, engine: &Engine, hub: HubView<'_>) -> io::Result<()> {
    for key in keys(hub.connections()) {
        let Some(view) = engine.connection(key) else { continue };
        write!(out, "  connection {key:?}: id {}, {:?}", view.id(), view.protocol())?;
        if let Some(user) = view.user() {
            write!(out, ", user {user:?}")?;
        }
        if view.is_detached() {
            write!(out, ", without a transport")?;
        }
        if view.is_paused() {
            write!(out, ", paused")?;
        }
        for (count, what) in [
            (view.unacknowledged(), "unacknowledged"),
            (view.waiting(), "waiting to go out"),
            (view.queued(), "waiting behind an event"),
        ] {
            if count > 0 {
                write!(out, ", {count} {what}")?;
            }
        }
        writeln!(out)?;
    }
    Ok(())
}

fn keys(keys: impl Iterator<Item = ConnectionKey>) -> Vec<ConnectionKey> {
    let mut keys: Vec<_> = keys.collect();
    keys.sort();
    keys
}
