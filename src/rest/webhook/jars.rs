//! The cookies of all connections, within a bound.

use alloc::collections::BTreeMap;

use http::Uri;
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use super::cookies::CookieJar;
use crate::state::ConnectionId;
use crate::time::Time;

/// A jar for each connection that has cookies. Where they get too many, those that were not used for longest go.
#[derive(Debug)]
pub(super) struct Jars {
    by_connection: BTreeMap<ConnectionId, (u64, CookieJar)>,
    /// Which connection used its jar when, in a count of all uses.
    by_use: BTreeMap<u64, ConnectionId>,
    uses: u64,
    bytes: usize,
    bytes_max: usize,
}

/// What a jar takes besides its cookies.
const JAR: usize = 128;

impl Jars {
    pub(super) fn new(bytes_max: usize) -> Self {
        let (by_connection, by_use) = (BTreeMap::new(), BTreeMap::new());
        Self { by_connection, by_use, uses: 0, bytes: 0, bytes_max }
    }

    pub(super) fn store(&mut self, of: ConnectionId, url: &Uri, headers: &HeaderMap, now: Time) {
        if !headers.contains_key(SET_COOKIE) {
            return;
        }
        let mut jar = self.take(of).unwrap_or_default();
        jar.store(url, headers, now);
        if jar.bytes() > 0 {
            self.put(of, jar);
        }
        while self.bytes > self.bytes_max
            && let Some((_, &oldest)) = self.by_use.first_key_value()
        {
            self.forget(oldest);
        }
    }

    pub(super) fn header(&mut self, of: ConnectionId, url: &Uri, now: Time) -> Option<HeaderValue> {
        let jar = self.take(of)?;
        let header = jar.header(url, now);
        self.put(of, jar);
        header
    }

    pub(super) fn forget(&mut self, connection: ConnectionId) {
        self.take(connection);
    }

    fn take(&mut self, of: ConnectionId) -> Option<CookieJar> {
        let (last_use, jar) = self.by_connection.remove(&of)?;
        self.by_use.remove(&last_use);
        self.bytes -= JAR + jar.bytes();
        Some(jar)
    }

    fn put(&mut self, of: ConnectionId, jar: CookieJar) {
        self.uses += 1;
        self.by_use.insert(self.uses, of);
        self.bytes += JAR + jar.bytes();
        self.by_connection.insert(of, (self.uses, jar));
    }
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    /// The jar that nobody used makes room, not the first one.
    #[test]
    fn the_least_used_goes() {
        let id = |slot: u32| ConnectionId::new(slot, &[0; 12]);
        let url = Uri::from_static("http://h/");
        let mut jars = Jars::new(3 * (JAR + 4));
        for slot in 0..3 {
            let mut headers = HeaderMap::new();
            headers.insert(SET_COOKIE, format!("k={slot}").parse().unwrap());
            jars.store(id(slot), &url, &headers, Time::EPOCH);
        }
        assert_eq!(jars.header(id(0), &url, Time::EPOCH).unwrap(), "k=0");
        let mut headers = HeaderMap::new();
        headers.insert(SET_COOKIE, "k=3".parse().unwrap());
        jars.store(id(3), &url, &headers, Time::EPOCH);
        let kept = (0..4).map(|slot| jars.header(id(slot), &url, Time::EPOCH).is_some());
        assert!(kept.eq([true, false, true, true]));
        for slot in 0..4 {
            jars.forget(id(slot));
        }
        assert!(jars.by_connection.is_empty() && jars.by_use.is_empty() && jars.bytes == 0);
    }
}
