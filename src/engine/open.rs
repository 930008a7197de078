//! A peer wants to connect (`webpubsub.md` 1.3, 8.3).

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use alloc::format;
use alloc::string::ToString;
use alloc::sync::Arc;

use smallvec::SmallVec;

use super::Engine;
use crate::config::{EventHandler, UnknownHubs};
use crate::input::{Open, PlainMode};
use crate::metrics::CloseCause;
use crate::name;
use crate::outbox::{Pending, PendingConnect, PendingKind, PendingRecordKind, Text, keep_pairs};
use crate::protocol::Protocol;
use crate::state::{
    Connection, ConnectionId, ConnectionKey, Handshake, On, Permissions, Token, Waiting, keep,
};

/// Why a peer is not let in: the HTTP status and a text for people.
pub(super) struct Refusal {
    pub status: u16,
    pub reason: Text,
}

impl Engine {
    pub(super) fn on_open(&mut self, request: Open<'_>) -> ConnectionKey {
        if let Err(refusal) = self.screen(&request) {
            let key = self.world.connections.issue();
            self.report_refused(key, &request, &refusal);
            self.refuse(key, refusal);
            return key;
        }
        if request.recovery.is_some() {
            return self.recover(&request);
        }
        let hub = self.world.hub(request.hub);
        let hub = hub.unwrap_or_else(|| self.add_hub(request.hub, None));
        self.begin(hub, &request)
    }

    /// Checks all that is known before anything is kept, in the order of `webpubsub.md` 1.3.
    fn screen(&self, request: &Open<'_>) -> Result<(), Refusal> {
        if self.stopped {
            return Err(Refusal::new(503, "The server is stopping."));
        }
        if !name::is_hub(request.hub) {
            return Err(Refusal::new(400, "Invalid hub name."));
        }
        if request.recovery.is_some() {
            return Ok(());
        }
        let hub = self.world.hub(request.hub).map(|slot| &self.world.hubs[slot as usize]);
        let is_configured = hub.is_some_and(|hub| hub.settings.is_configured);
        if !is_configured && self.unknown_hubs == UnknownHubs::Refuse {
            let reason = format!("The hub '{}' is not configured.", request.hub);
            return Err(Refusal { status: 404, reason: reason.into() });
        }
        if request.anonymous && !hub.is_some_and(|hub| hub.settings.allow_anonymous) {
            return Err(Refusal::new(401, ""));
        }
        if !request.groups.iter().all(|group| name::is_group(group)) {
            return Err(Refusal::new(400, "The token contains an invalid group name."));
        }
        match request.plain_mode {
            PlainMode::SendToGroup { group, .. } if !name::is_group(group) => {
                return Err(Refusal::new(400, "The raw sendToGroup group name is invalid."));
            }
            PlainMode::Invalid { reason } => {
                return Err(Refusal { status: 400, reason: reason.to_string().into() });
            }
            PlainMode::SendToGroup { .. } | PlainMode::SendEvent => {}
        }
        let limits = hub.map_or(&self.limits, |hub| &hub.limits);
        if distinct(request.groups) > limits.groups_per_connection {
            let most = limits.groups_per_connection;
            let reason = format!("The token names more groups than the {most} that are allowed.");
            return Err(Refusal { status: 400, reason: reason.into() });
        }
        if hub.is_some_and(|hub| hub.roster.len() + hub.handshaking >= limits.connections) {
            let most = limits.connections;
            let reason = format!("Connection count reaches limit: the hub has {most} connections.");
            return Err(Refusal { status: 429, reason: reason.into() });
        }
        if hub.is_none() && self.world.hubs.len() >= self.hubs_max {
            let reason = format!("Hub count reaches limit: there are {} hubs.", self.hubs_max);
            return Err(Refusal { status: 429, reason: reason.into() });
        }
        Ok(())
    }

    pub(super) fn refuse(&mut self, connection: ConnectionKey, refusal: Refusal) {
        self.metrics.refused += 1;
        let Refusal { status, reason } = refusal;
        self.outbox.push(Pending::Refuse { connection, status, reason });
    }

    /// Refuses to take a session up. The peer is accepted first: on an HTTP error the SDKs would keep trying
    /// (`webpubsub.md` 4.4).
    pub(super) fn refuse_recovery(&mut self, request: &Open<'_>) -> ConnectionKey {
        let connection = self.world.connections.issue();
        self.report_unopened(connection, request, || PendingRecordKind::RecoveryRefused);
        let id = ConnectionId::new(connection.slot(), &secret(request));
        let subprotocol = spelling(request.protocol, request.subprotocols.iter().copied());
        self.outbox.push(Pending::Accept { connection, id, subprotocol });
        let reason = "The connection could not be recovered.".into();
        self.outbox.push(Pending::Close { connection, code: 1008, reason });
        self.metrics.recoveries_refused += 1;
        self.metrics.closes.count(CloseCause::BadRequest);
        connection
    }

    /// Gives the peer its place and asks the `connect` handler, if the hub has one.
    fn begin(&mut self, hub: u32, request: &Open<'_>) -> ConnectionKey {
        let mut connection = Connection::new(hub, request.protocol, secret(request), self.now);
        if let PlainMode::SendToGroup { group, no_echo } = request.plain_mode {
            connection.extra().target = Some((group.into(), no_echo));
        }
        let key = self.world.connections.insert(connection);
        self.world.hubs[hub as usize].handshaking += 1;
        match self.handler(hub, |handler| handler.system_events.connect) {
            Some(handler) => self.ask(key, handler, request),
            None => {
                let subprotocol = spelling(request.protocol, request.subprotocols.iter().copied());
                let roles = request.roles.iter().copied();
                let groups = request.groups.iter().copied();
                self.admit(key, subprotocol, request.user, roles, groups, token(request));
            }
        }
        key
    }

    fn ask(&mut self, key: ConnectionKey, handler: Arc<EventHandler>, request: &Open<'_>) {
        let limits = self.limits_of(key);
        let deadline = self.now + limits.call_timeout.min(limits.handshake_timeout);
        let handshake = Handshake {
            user: request.user.map(Into::into),
            roles: keep(request.roles),
            groups: keep(request.groups),
            subprotocols: keep(request.subprotocols),
            token: token(request),
        };
        self.world.at_mut(key).waiting = Some(Box::new(Waiting {
            number: 0,
            deadline,
            on: On::Connect(Box::new(handshake)),
            queue: VecDeque::new(),
            queued_bytes: 0,
        }));
        self.arm(key);
        let certificates = request.certificates.iter();
        let kind = PendingKind::Connect(PendingConnect {
            claims: keep_pairs(request.claims.iter().copied()),
            query: keep_pairs(request.query.iter().copied()),
            headers: keep_pairs(request.headers.iter().copied()),
            subprotocols: keep(request.subprotocols),
            certificates: keep_pairs(certificates.map(|each| (each.thumbprint, each.content))),
        });
        let id = self.call_id(key, 0);
        let event = self.take_event(key, 0, request.user, kind);
        self.call(handler, Some((id, deadline)), event);
    }

    /// Opens a connection: its memberships stand before it is told that it is connected.
    pub(super) fn admit<'a>(
        &mut self,
        key: ConnectionKey,
        subprotocol: Option<Text>,
        user: Option<&str>,
        roles: impl Iterator<Item = &'a str>,
        groups: impl Iterator<Item = &'a str>,
        token: Token,
    ) {
        let limits = self.limits_of(key);
        let (patterns, literals) = (limits.patterns_per_permission, limits.literals_per_permission);
        let connection = self.world.at_mut(key);
        connection.permissions = Permissions::from_roles(roles, patterns, literals);
        connection.heard = self.now;
        if let Some(Text::Owned(spelled)) = &subprotocol {
            connection.extra().subprotocol = Some(spelled.as_str().into());
        }
        let (hub, id) = (connection.hub, connection.id(key));
        if connection.protocol.is_reliable() {
            self.world.sessions.begin(key.slot(), token);
        }
        self.world.enter(key, user);
        for group in groups {
            if self.world.join(key, group).is_err() {
                self.metrics.joins_limited += 1;
            }
        }
        let metrics = &mut self.metrics.hubs[hub as usize];
        metrics.connections += 1;
        metrics.connections_ever += 1;
        self.report(key, || PendingRecordKind::Started { subprotocol: subprotocol.clone() });
        self.outbox.push(Pending::Accept { connection: key, id, subprotocol });
        self.welcome(key);
        self.arm(key);
        self.notify(key, |events| events.connected, PendingKind::Connected);
        self.notify_joined_all(key);
    }
}

impl Refusal {
    pub(super) const fn new(status: u16, reason: &'static str) -> Self {
        Self { status, reason: Text::Borrowed(reason) }
    }
}

/// Returns the name of the protocol as the peer spelled it, or else its own. It is owned only where it is
/// not the protocol's own.
pub(super) fn spelling<'a>(
    protocol: Protocol,
    mut offers: impl Iterator<Item = &'a str>,
) -> Option<Text> {
    let name = protocol.name()?;
    let offer = offers.find(|offer| offer.eq_ignore_ascii_case(name));
    Some(match offer {
        Some(offer) if offer != name => Text::Owned(offer.into()),
        Some(_) | None => Text::Borrowed(name),
    })
}

/// Counts names, each once.
pub(super) fn distinct(names: &[&str]) -> usize {
    let mut names: SmallVec<[&str; 8]> = names.iter().copied().collect();
    names.sort_unstable();
    names.dedup();
    names.len()
}

fn token(request: &Open<'_>) -> Token {
    Token::new(*request.entropy.last_chunk().expect("16 is less than 32"))
}

fn secret(request: &Open<'_>) -> [u8; 12] {
    *request.entropy.first_chunk().expect("12 is less than 32")
}
