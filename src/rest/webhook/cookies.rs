//! The cookies of one connection (`emulator.md` 12, RFC 6265).

mod date;

use alloc::borrow::ToOwned;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use http::Uri;
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};
use http::uri::Scheme;

use crate::time::Time;

/// The cookies that handlers set for one connection.
///
/// A cookie goes back to the host that set it, also where it says `Domain`, and only below its path. It ends when it
/// says so, or with its connection. A jar holds 50 cookies of 4 KiB each and 16 KiB in all; beyond that the oldest
/// make room.
///
/// ```
/// use hubcast::Time;
/// use hubcast::rest::webhook::CookieJar;
///
/// let now = Time::from_secs(1_790_000_000);
/// let url = "https://shop.example/hooks/connect".parse()?;
/// let mut jar = CookieJar::default();
/// let response = http::Response::builder().header("Set-Cookie", "node=7; Path=/; Max-Age=60");
/// jar.store(&url, response.body(())?.headers(), now);
///
/// assert_eq!(jar.header(&url, now).ok_or("none")?, "node=7");
/// assert_eq!(jar.header(&"https://other.example/".parse()?, now), None);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct CookieJar {
    /// The oldest first.
    cookies: Vec<Cookie>,
}

#[derive(Clone)]
struct Cookie {
    name: String,
    value: String,
    host: String,
    path: String,
    secure: bool,
    /// `None` lasts as long as the connection.
    expires: Option<Time>,
}

const COOKIES_MAX: usize = 50;
const COOKIE_BYTES_MAX: usize = 4 * 1024;
const JAR_BYTES_MAX: usize = 16 * 1024;

impl CookieJar {
    /// Takes the cookies of a response from this URL; skips those that are broken.
    ///
    /// Whether the response is one of success is for the caller to look at: others set no cookies.
    pub fn store(&mut self, url: &Uri, headers: &HeaderMap, now: Time) {
        for value in headers.get_all(SET_COOKIE) {
            let Some(cookie) = value.to_str().ok().and_then(|text| Cookie::read(text, url, now))
            else {
                continue;
            };
            self.cookies.retain(|other| !other.is_same(&cookie));
            if !cookie.is_over(now) {
                self.cookies.push(cookie);
                self.make_room(now);
            }
        }
    }

    fn make_room(&mut self, now: Time) {
        self.cookies.retain(|cookie| !cookie.is_over(now));
        while self.cookies.len() > COOKIES_MAX || self.bytes() > JAR_BYTES_MAX {
            self.cookies.remove(0);
        }
    }

    /// Returns the header `Cookie` for a request to this URL; `None` where there is nothing to send.
    ///
    /// Cookies with longer paths come first, then older ones.
    pub fn header(&self, url: &Uri, now: Time) -> Option<HeaderValue> {
        let sent = |cookie: &&Cookie| !cookie.is_over(now) && cookie.is_for(url);
        let mut cookies: Vec<&Cookie> = self.cookies.iter().filter(sent).collect();
        cookies.sort_by_key(|cookie| usize::MAX - cookie.path.len());
        let pairs: Vec<String> =
            cookies.iter().map(|cookie| [&cookie.name, "=", &cookie.value].concat()).collect();
        let mut value =
            HeaderValue::try_from(pairs.join("; ")).ok().filter(|_| !pairs.is_empty())?;
        value.set_sensitive(true);
        Some(value)
    }

    /// Returns how many bytes the cookies have.
    pub(super) fn bytes(&self) -> usize {
        self.cookies.iter().map(Cookie::bytes).sum()
    }
}

impl fmt::Debug for CookieJar {
    /// Leaves out the values, which may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.cookies.iter().map(|cookie| &cookie.name)).finish()
    }
}

impl Cookie {
    /// Reads the value of `Set-Cookie`; `None` where it is broken, or not for the server that says it.
    fn read(text: &str, url: &Uri, now: Time) -> Option<Self> {
        if text.len() > COOKIE_BYTES_MAX {
            return None;
        }
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts.next()?.split_once('=')?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() {
            return None;
        }
        let host = host(url)?;
        let mut cookie = Self {
            name: name.to_owned(),
            value: value.to_owned(),
            path: default_path(url.path()).to_owned(),
            secure: false,
            expires: None,
            host,
        };
        let mut max_age = None;
        for part in parts {
            let (attribute, value) = part.split_once('=').unwrap_or((part, ""));
            let value = value.trim();
            match attribute.trim().to_ascii_lowercase().as_str() {
                "secure" => cookie.secure = true,
                "path" if value.starts_with('/') => value.clone_into(&mut cookie.path),
                "path" => default_path(url.path()).clone_into(&mut cookie.path),
                "domain" if !covers(value, &cookie.host) => return None,
                "expires" => cookie.expires = date::read(value).or(cookie.expires),
                "max-age" => max_age = seconds(value).or(max_age),
                _ => {}
            }
        }
        // `Max-Age` counts before `Expires`, wherever it stands.
        if let Some(seconds) = max_age {
            cookie.expires = Some(now + Duration::from_secs(seconds));
        }
        Some(cookie)
    }

    fn is_same(&self, other: &Self) -> bool {
        (&self.name, &self.host, &self.path) == (&other.name, &other.host, &other.path)
    }

    fn is_over(&self, now: Time) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    fn is_for(&self, url: &Uri) -> bool {
        let below = match url.path().strip_prefix(self.path.as_str()) {
            Some(rest) => rest.is_empty() || self.path.ends_with('/') || rest.starts_with('/'),
            None => false,
        };
        let secure = url.scheme() == Some(&Scheme::HTTPS);
        below && (secure || !self.secure) && host(url).is_some_and(|host| host == self.host)
    }

    fn bytes(&self) -> usize {
        self.name.len() + self.value.len() + self.host.len() + self.path.len()
    }
}

fn host(url: &Uri) -> Option<String> {
    url.host().map(str::to_ascii_lowercase)
}

/// Tells whether a domain is this host or one above it. A leading dot means nothing.
fn covers(domain: &str, host: &str) -> bool {
    let domain = domain.strip_prefix('.').unwrap_or(domain).to_ascii_lowercase();
    match host.strip_suffix(domain.as_str()) {
        Some(rest) => rest.is_empty() || domain.is_empty() || rest.ends_with('.'),
        None => false,
    }
}

/// Returns the path that a cookie gets which names none: up to the last slash.
fn default_path(path: &str) -> &str {
    match path.rfind('/') {
        Some(0) | None => "/",
        Some(end) => &path[..end],
    }
}

/// Reads a number of seconds; below zero is zero, too many are very many.
fn seconds(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    if digits.len() < text.len() { Some(0) } else { Some(digits.parse().unwrap_or(u64::MAX)) }
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::ToString;

    use super::*;

    const NOW: Time = Time::from_secs(1_790_000_000);

    fn store(jar: &mut CookieJar, url: &str, lines: &[&str]) {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SET_COOKIE, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        jar.store(&url.parse().unwrap(), &headers, NOW);
    }

    fn sent(jar: &CookieJar, url: &str, now: Time) -> String {
        let header = jar.header(&url.parse().unwrap(), now);
        header.map_or_else(String::new, |value| value.to_str().unwrap().to_string())
    }

    /// What one line leads to, at the URL that set it and elsewhere.
    #[test]
    fn where_cookies_go() {
        let from = "https://h.example/a/b";
        for (line, url, expected) in [
            ("k=v", from, "k=v"),
            (" k = v ; HttpOnly; SameSite=Lax", from, "k=v"),
            ("k=a=b", from, "k=a=b"),
            ("k=", from, "k="),
            ("k=v", "https://H.EXAMPLE/a/x/y", "k=v"),
            ("k=v", "https://h.example:8443/a", "k=v"),
            ("k=v", "https://h.example/ab", ""),
            ("k=v", "https://h.example/", ""),
            ("k=v", "https://example/a/b", ""),
            ("k=v", "https://x.h.example/a/b", ""),
            ("k=v; Path=/", "https://h.example/", "k=v"),
            ("k=v; Path=/a/", "https://h.example/a/b", "k=v"),
            ("k=v; Path=/a/", "https://h.example/a", ""),
            ("k=v; Path=relative", "https://h.example/a/x", "k=v"),
            ("k=v; Secure", "http://h.example/a/b", ""),
            ("k=v; Secure", from, "k=v"),
            ("k=v; Domain=h.example", from, "k=v"),
            ("k=v; Domain=.EXAMPLE", from, "k=v"),
            ("k=v; Domain=example", "https://x.example/a/b", ""),
            ("k=v; Domain=other.example", from, ""),
            ("k=v; Domain=ample", from, ""),
            ("=v", from, ""),
            ("v", from, ""),
            ("", from, ""),
        ] {
            let mut jar = CookieJar::default();
            store(&mut jar, from, &[line]);
            assert_eq!(sent(&jar, url, NOW), expected, "{line} to {url}");
        }
    }

    /// Cookies end in time, and a new one takes the place of the old.
    #[test]
    fn when_cookies_end() {
        let url = "http://h/";
        for (line, lasts) in [
            ("k=v", u64::MAX),
            ("k=v; Max-Age=60", 60),
            ("k=v; Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 60),
            ("k=v; Max-Age=0", 0),
            ("k=v; Max-Age=-5", 0),
            ("k=v; Max-Age=99999999999999999999999", u64::MAX),
            ("k=v; Max-Age=soon", u64::MAX),
            ("k=v; Expires=Mon, 21 Sep 2026 14:14:20 GMT", 60),
            ("k=v; Expires=Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("k=v; Expires=whenever", u64::MAX),
        ] {
            let mut jar = CookieJar::default();
            store(&mut jar, url, &["k=old", line]);
            for (after, expected) in [(0, lasts > 0), (59, lasts > 59), (60, lasts > 60)] {
                let header = sent(&jar, url, NOW + Duration::from_secs(after));
                assert_eq!(header, if expected { "k=v" } else { "" }, "{line} after {after} s");
            }
        }
    }

    /// Longer paths go first, then older cookies.
    #[test]
    fn order() {
        let mut jar = CookieJar::default();
        let lines = ["a=1; Path=/", "b=2; Path=/x", "c=3; Path=/", "a=4; Path=/x"];
        store(&mut jar, "http://h/x/y", &lines);
        assert_eq!(sent(&jar, "http://h/x/y", NOW), "b=2; a=4; a=1; c=3");
    }

    /// A jar is bounded, whatever a handler sets, and broken lines do no harm.
    #[test]
    fn bounds() {
        let mut jar = CookieJar::default();
        for index in 0..1000 {
            store(&mut jar, "http://h/", &[&format!("k{index}=v"), "\u{e9}=\u{e9}"]);
        }
        assert_eq!(jar.cookies.len(), COOKIES_MAX);
        assert!(sent(&jar, "http://h/", NOW).ends_with("k999=v"));
        store(&mut jar, "http://h/", &[&format!("big={}", "x".repeat(COOKIE_BYTES_MAX))]);
        assert!(!sent(&jar, "http://h/", NOW).contains("big"));
        for index in 0..20 {
            store(&mut jar, "http://h/", &[&format!("k{index}={}", "x".repeat(4000))]);
        }
        assert!(jar.bytes() <= JAR_BYTES_MAX);
        assert_eq!(format!("{:?}", CookieJar::default()), "[]");
        assert!(!format!("{jar:?}").contains('x'));
    }
}
