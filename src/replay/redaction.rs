//! What is left out of a journal.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::{String, ToString};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::input::{
    Admission, Content, Ending, Input, Message, Opening, Order, Plain, Recovery, Response, Right,
    Sending, Settings, Verdict, Whom,
};
use crate::filter::Filter;
use crate::protocol::Protocol;
use crate::protocol::redact::{
    binary_message, blank_any, blank_bytes, blank_json, blank_text, text_message,
};
use crate::state::{ConnectionId, Token};

/// What is left out of a journal, so that it can be given to others.
///
/// What is left out is replaced by something of the same kind and length, so that a replay goes the same way, with the
/// same keys and as many actions. Its bytes are others, and so are its digests: they are those of the redacted run.
///
/// Names stay whatever is chosen: of hubs, groups, users, events, and the reasons that the server gives. Who may not read
/// those should not get the journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Redaction {
    /// Nothing is left out. The journal holds access tokens, the tokens by which connections are recovered, the seed of
    /// the hash tables, and everything that anybody said.
    None,
    /// No secrets: the values of claims, query parameters and headers, certificates, unknown subprotocols, where handlers
    /// and listeners are, and the seed. Connection ids and recovery tokens are replaced by others, the same one
    /// everywhere, derived by SHA-256 from them and the seed (so they say nothing, provided that
    /// [`Open::entropy`](crate::Open::entropy) is random).
    ///
    /// Ids within names, states and payloads stay as they are, so a group that is named after a connection
    /// still is; and a filter that looks at a part of an id may let others through.
    #[default]
    Secrets,
    /// That, and no payloads: the data of messages, the values of metadata and states, the reasons that clients give.
    ///
    /// Text becomes text, of characters of the same width; JSON keeps its structure; an `Any` of protobuf keeps its
    /// length. Of a message of a client the envelope stays. One that breaks its protocol is payload as a whole, and
    /// breaks it still, though perhaps in another way: the close that it leads to may have another code. Base64 with a
    /// digit that is none may become valid. A message of protobuf with fields that nobody knows becomes invalid.
    SecretsAndPayloads,
}

/// Replaces what is left out.
#[derive(Debug)]
pub(super) struct Redactor {
    redaction: Redaction,
    seed: u64,
}

impl Redactor {
    pub(super) fn new(redaction: Redaction, seed: u64) -> Self {
        Self { redaction, seed }
    }

    pub(super) fn settings(&self, settings: &mut Settings) {
        if self.redaction == Redaction::None {
            return;
        }
        // The order in a hash table never shows, so a replay does not need the seed.
        settings.seed = 0;
        let mut number = 0;
        let mut name = move |what: &str| {
            number += 1;
            format!("{what}-{number}")
        };
        for (_, hub) in &mut settings.hubs {
            for handler in &mut hub.handlers {
                handler.url = name("handler");
            }
            for listener in &mut hub.listeners {
                listener.target = name("listener");
            }
        }
    }

    pub(super) fn input(&self, input: &mut Input<'_>, protocol: Option<Protocol>) {
        if self.redaction == Redaction::None {
            return;
        }
        match input {
            Input::Open(opening) => self.opening(opening),
            Input::Receive { message, .. } if self.hides_payloads() => {
                redact_message(message, protocol.unwrap_or_default());
            }
            Input::Close { how: Ending::Clean { reason, .. }, .. } if self.hides_payloads() => {
                blank(reason);
            }
            Input::Answer { verdict, .. } => self.verdict(verdict),
            Input::Execute(order) => self.order(order),
            Input::Reconfigure(settings) => self.settings(settings),
            Input::Receive { .. }
            | Input::Close { .. }
            | Input::Pause { .. }
            | Input::Resume { .. }
            | Input::Advance
            | Input::Stop { .. } => {}
        }
    }

    fn hides_payloads(&self) -> bool {
        self.redaction == Redaction::SecretsAndPayloads
    }

    fn opening(&self, opening: &mut Opening<'_>) {
        let Opening { claims, query, headers, certificates, subprotocols, .. } = opening;
        for (_, value) in claims.iter_mut().chain(query).chain(headers) {
            blank(value);
        }
        for certificate in certificates {
            blank(&mut certificate.thumbprint);
            blank(&mut certificate.content);
        }
        for subprotocol in subprotocols {
            blank_unknown(subprotocol);
        }
        if let Plain::Invalid { reason } = &mut opening.plain_mode {
            blank(reason);
        }
        if let Some(Recovery { connection_id, token }) = &mut opening.recovery {
            self.id(connection_id);
            match Token::parse(token) {
                Some(bytes) => {
                    let digits = Token::new(self.token(bytes)).text();
                    *token = Cow::Owned(digits.into_iter().map(char::from).collect());
                }
                None => blank(token),
            }
        }
        let secret = *opening.entropy.first_chunk().expect("12 is less than 32");
        let token = *opening.entropy.last_chunk().expect("16 is less than 32");
        opening.entropy = [0; 32];
        opening.entropy[..12].copy_from_slice(&self.secret(secret));
        opening.entropy[16..].copy_from_slice(&self.token(token));
    }

    fn verdict(&self, verdict: &mut Verdict<'_>) {
        match verdict {
            Verdict::Accept(Admission { subprotocol, state, .. }) => {
                subprotocol.iter_mut().for_each(blank_unknown);
                if self.hides_payloads() {
                    state.iter_mut().for_each(blank);
                }
            }
            Verdict::Reply(Response { data, metadata, state }) if self.hides_payloads() => {
                data.iter_mut().for_each(redact_content);
                state.iter_mut().for_each(blank);
                blank_values(metadata);
            }
            Verdict::Reply(_) | Verdict::Refuse { .. } | Verdict::Fail => {}
        }
    }

    fn sending(&self, data: &mut Content<'_>, options: &mut Sending<'_>) {
        let Sending { except, filter, metadata, ttl_seconds: _ } = options;
        self.ids(except);
        if let Some(filter) = filter {
            self.filter(filter);
        }
        if self.hides_payloads() {
            redact_content(data);
            blank_values(metadata);
        }
    }

    fn order(&self, order: &mut Order<'_>) {
        match order {
            Order::Send { to, data, options } => {
                self.whom(to);
                self.sending(data, options);
            }
            Order::Publish { group: _, data, options } => self.sending(data, options),
            Order::Close { who, except, .. } => {
                self.whom(who);
                self.ids(except);
            }
            Order::Join { who, .. }
            | Order::Leave { who, .. }
            | Order::LeaveAll { who }
            | Order::Exists { who }
            | Order::Count { who } => self.whom(who),
            Order::Grant(right) | Order::Revoke(right) | Order::Check(right) => {
                let Right { connection_id, .. } = right;
                self.id(connection_id);
            }
            // The place in front of the id stays, and the members are in the order of that.
            Order::List { after, .. } => {
                if let Some(id) = after {
                    self.id(id);
                }
            }
        }
    }

    fn whom(&self, whom: &mut Whom<'_>) {
        match whom {
            Whom::Connection(_, id) => self.id(id),
            Whom::Matching(_, filter) => self.filter(filter),
            Whom::Hub(_) | Whom::Group(..) | Whom::User(..) => {}
        }
    }

    fn filter(&self, filter: &mut Cow<'_, Filter>) {
        *filter = Cow::Owned(filter.with_connections_renamed(&|id| self.renamed(id)));
    }

    /// Replaces what has the shape of a connection id; all else names nobody.
    fn id(&self, id: &mut Cow<'_, str>) {
        if let Some(renamed) = self.renamed(id) {
            *id = Cow::Owned(renamed);
        }
    }

    fn ids(&self, ids: &mut [Cow<'_, str>]) {
        for id in ids {
            self.id(id);
        }
    }

    fn renamed(&self, id: &str) -> Option<String> {
        let (slot, secret) = ConnectionId::parse(id)?;
        Some(ConnectionId::new(slot, &self.secret(secret)).to_string())
    }

    fn secret(&self, secret: [u8; 12]) -> [u8; 12] {
        self.derive(b"connection id", &secret)
    }

    fn token(&self, token: [u8; 16]) -> [u8; 16] {
        self.derive(b"recovery token", &token)
    }

    fn derive<const LENGTH: usize>(&self, what: &[u8], from: &[u8; LENGTH]) -> [u8; LENGTH] {
        let mut hash = Sha256::new();
        hash.update(what);
        hash.update(self.seed.to_le_bytes());
        hash.update(from);
        *hash.finalize().first_chunk().expect("a hash has 32 bytes, and both secrets less")
    }
}

fn redact_message(message: &mut Message<'_>, protocol: Protocol) {
    match message {
        Message::Text(text) => *text = Cow::Owned(text_message(protocol, text)),
        Message::Binary(bytes) => *bytes = Cow::Owned(binary_message(protocol, bytes)),
        Message::Alive | Message::TooLarge | Message::Malformed | Message::NotUtf8 => {}
    }
}

fn redact_content(content: &mut Content<'_>) {
    match content {
        Content::Text(text) => blank(text),
        Content::Json(text) => *text = Cow::Owned(blank_json(text)),
        Content::Binary(bytes) => *bytes = Cow::Owned(blank_bytes(bytes)),
        Content::Protobuf(bytes) => *bytes = Cow::Owned(blank_any(bytes)),
    }
}

fn blank(text: &mut Cow<'_, str>) {
    *text = Cow::Owned(blank_text(text));
}

fn blank_values(pairs: &mut [(Cow<'_, str>, Cow<'_, str>)]) {
    for (_, value) in pairs {
        blank(value);
    }
}

/// Some clients have nowhere else to put a token. The names of those that are known decide what is spoken.
fn blank_unknown(subprotocol: &mut Cow<'_, str>) {
    if Protocol::from_name(subprotocol).is_none() {
        blank(subprotocol);
    }
}
