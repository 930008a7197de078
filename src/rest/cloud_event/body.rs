//! What is in the body of a request to an event handler (`webpubsub.md` 8.3, 8.5 to 8.7).

use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use bytes::{BufMut, Bytes, BytesMut};

use crate::event::{Connect, EventKind, Pairs};
use crate::protocol::Data;
use crate::protocol::json::put_string;

const JSON_OF_SYSTEM_EVENTS: &str = "application/json; charset=utf-8";

/// Returns the content type and the body.
pub(in crate::rest) fn body(kind: &EventKind<'_>) -> (&'static str, Bytes) {
    let system = |body| (JSON_OF_SYSTEM_EVENTS, body);
    match kind {
        EventKind::Connect(connect) => system(self::connect(connect)),
        EventKind::Connected => system(Bytes::from_static(b"{}")),
        EventKind::Disconnected { reason } => system(object("reason", reason)),
        EventKind::Joined { group } | EventKind::Left { group } => system(object("group", group)),
        EventKind::User { data, .. } => match data {
            Data::Text(text) => ("text/plain; charset=utf-8", copy(text.as_bytes())),
            Data::Json(text) => ("application/json", copy(text.as_bytes())),
            Data::Binary(bytes) => ("application/octet-stream", copy(bytes)),
            Data::Protobuf(bytes) => ("application/x-protobuf", copy(bytes)),
        },
    }
}

fn copy(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn object(name: &str, value: &str) -> Bytes {
    let mut body = BytesMut::with_capacity(name.len() + value.len() + 16);
    body.put_slice(b"{");
    put_string(&mut body, name);
    body.put_slice(b":");
    put_string(&mut body, value);
    body.put_slice(b"}");
    body.freeze()
}

fn connect(connect: &Connect<'_>) -> Bytes {
    let mut body = BytesMut::with_capacity(1024);
    body.put_slice(b"{\"claims\":");
    put_lists(&mut body, connect.claims, |_| true);
    body.put_slice(b",\"query\":");
    put_lists(&mut body, connect.query, |name| !name.eq_ignore_ascii_case("access_token"));
    body.put_slice(b",\"headers\":");
    put_lists(&mut body, connect.headers, is_for_handlers);
    body.put_slice(b",\"subprotocols\":");
    put_list(&mut body, connect.subprotocols.iter().map(|offer| &**offer));
    body.put_slice(b",\"clientCertificates\":[");
    for (index, (thumbprint, content)) in connect.certificates.iter().enumerate() {
        body.put_slice(if index == 0 { b"{\"thumbprint\":" } else { b",{\"thumbprint\":" });
        put_string(&mut body, thumbprint);
        body.put_slice(b",\"content\":");
        put_string(&mut body, content);
        body.put_slice(b"}");
    }
    body.put_slice(b"]}");
    body.freeze()
}

/// Tells whether a handler may see a header of a client. Credentials are the service's own business.
fn is_for_handlers(name: &str) -> bool {
    let internal = "x-asrs-internal-";
    let is_internal =
        name.get(..internal.len()).is_some_and(|start| start.eq_ignore_ascii_case(internal));
    !is_internal && !name.eq_ignore_ascii_case("authorization")
}

/// Appends an object with a list of values for each name, in the order in which names come first.
fn put_lists(buffer: &mut BytesMut, pairs: Pairs<'_>, is_wanted: impl Fn(&str) -> bool) {
    let mut places = BTreeMap::new();
    let mut lists: Vec<(&str, Vec<&str>)> = Vec::new();
    for (name, value) in pairs.iter().filter(|(name, _)| is_wanted(name)) {
        let place = *places.entry(name).or_insert(lists.len());
        match lists.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => lists.push((name, [value].into())),
        }
    }
    buffer.put_slice(b"{");
    for (index, (name, values)) in lists.into_iter().enumerate() {
        if index > 0 {
            buffer.put_slice(b",");
        }
        put_string(buffer, name);
        buffer.put_slice(b":");
        put_list(buffer, values.into_iter());
    }
    buffer.put_slice(b"}");
}

fn put_list<'a>(buffer: &mut BytesMut, texts: impl Iterator<Item = &'a str>) {
    buffer.put_slice(b"[");
    for (index, text) in texts.enumerate() {
        if index > 0 {
            buffer.put_slice(b",");
        }
        put_string(buffer, text);
    }
    buffer.put_slice(b"]");
}
