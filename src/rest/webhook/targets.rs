//! Whether a handler wants events at all: the abuse protection of webhooks (`webpubsub.md` 8.8).

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::sync::Arc;
use core::mem;
use core::time::Duration;

use bytes::Bytes;
use http::header::{HeaderName, HeaderValue};
use http::{Method, Request, Response, StatusCode, Uri};

use super::action::WebhookError;
use super::request::{AWPS_VERSION, ORIGIN};
use super::settings::WebhookLimits;
use crate::time::Time;

/// What is known of each validation URL, and how much is under way behind it.
///
/// The first validation holds the events back; later ones run beside them, which go by what was known last
/// (`emulator.md` 12).
#[derive(Debug, Default)]
pub(super) struct Targets {
    by_url: BTreeMap<Arc<str>, Target>,
    checks: BTreeMap<u64, Check>,
    uses: u64,
}

/// A validation under way.
#[derive(Debug)]
struct Check {
    url: Arc<str>,
    /// 1 with OPTIONS, 2 with GET.
    attempt: u8,
    /// When to give up.
    deadline: Time,
}

#[derive(Debug)]
struct Target {
    url: Uri,
    /// What came of the last validation; `None` before the first.
    known: Option<Result<(), WebhookError>>,
    /// The validation under way.
    check: Option<u64>,
    /// The events that wait for the first one.
    waiting: BTreeSet<u64>,
    /// When to validate again.
    next: Time,
    /// How long it was between the last failure and `next`; zero after a success.
    backoff: Duration,
    calls: usize,
    bytes: usize,
    last_use: u64,
}

/// Whether an event may go out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Allowed,
    Refused(WebhookError),
    /// Nobody knows yet.
    Wait,
}

/// What a response to a validation leads to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// Ask again, with GET, until then.
    AskAgain(Uri, Time),
    /// These events need wait no longer.
    Known { allowed: bool, deadline: Time, waiting: BTreeSet<u64> },
}

/// How long a success is good, and how far failures lie apart at most.
const PERIOD: Duration = Duration::from_secs(60);
const BACKOFF_MIN: Duration = Duration::from_secs(1);

impl Targets {
    /// Counts an event in that is to go out, unless too much is under way already.
    pub(super) fn enter(
        &mut self,
        url: &str,
        bytes: usize,
        limits: &WebhookLimits,
    ) -> Option<Arc<str>> {
        self.uses += 1;
        if !self.by_url.contains_key(url) {
            self.make_room(limits.handlers)?;
            let target = Target::new(url.parse().ok()?);
            self.by_url.insert(url.into(), target);
        }
        let (key, _) = self.by_url.get_key_value(url)?;
        let key = Arc::clone(key);
        let target = self.by_url.get_mut(url)?;
        target.last_use = self.uses;
        let fits = target.calls < limits.calls && target.bytes + bytes <= limits.bytes;
        if !fits {
            return None;
        }
        target.calls += 1;
        target.bytes += bytes;
        Some(key)
    }

    /// Counts an event out.
    pub(super) fn leave(&mut self, url: &str, call: u64, bytes: usize) {
        let Some(target) = self.by_url.get_mut(url) else { return };
        target.calls -= 1;
        target.bytes -= bytes;
        target.waiting.remove(&call);
    }

    /// Tells whether an event may go out; with a validation URL where it has to be asked first or again, under
    /// the number and until the deadline that are given.
    pub(super) fn ask(
        &mut self,
        url: &str,
        call: u64,
        (check, deadline): (u64, Time),
        now: Time,
    ) -> (Verdict, Option<Uri>) {
        let Some((key, _)) = self.by_url.get_key_value(url) else {
            return (Verdict::Refused(WebhookError::NotAllowed), None);
        };
        let key = Arc::clone(key);
        let Some(target) = self.by_url.get_mut(url) else {
            return (Verdict::Refused(WebhookError::NotAllowed), None);
        };
        let due = target.check.is_none() && target.next <= now;
        if due {
            target.check = Some(check);
            self.checks.insert(check, Check { url: key, attempt: 1, deadline });
        }
        let verdict = match target.known {
            Some(Ok(())) => Verdict::Allowed,
            Some(Err(error)) => Verdict::Refused(error),
            None => {
                target.waiting.insert(call);
                Verdict::Wait
            }
        };
        (verdict, due.then(|| target.url.clone()))
    }

    /// Returns which attempt of a validation is under way, if it is one.
    pub(super) fn attempt(&self, check: u64) -> Option<u8> {
        self.checks.get(&check).map(|check| check.attempt)
    }

    /// Takes the response to a validation, or why there is none.
    pub(super) fn settle(
        &mut self,
        number: u64,
        response: Result<&Response<Bytes>, WebhookError>,
        origin: &str,
        now: Time,
    ) -> Option<Settled> {
        let check = self.checks.get_mut(&number)?;
        let target = self.by_url.get_mut(&*check.url)?;
        let missing = response.is_ok_and(|response| response.status() == StatusCode::NOT_FOUND);
        if missing && check.attempt == 1 {
            check.attempt = 2;
            return Some(Settled::AskAgain(target.url.clone(), check.deadline));
        }
        let deadline = check.deadline;
        self.checks.remove(&number);
        target.check = None;
        let known = response.and_then(|response| {
            if allows(response, origin) { Ok(()) } else { Err(WebhookError::NotAllowed) }
        });
        let allowed = known.is_ok();
        target.known = Some(known);
        let backoff = (target.backoff * 2).clamp(BACKOFF_MIN, PERIOD);
        target.backoff = if allowed { Duration::ZERO } else { backoff };
        target.next = now + if allowed { PERIOD } else { backoff };
        Some(Settled::Known { allowed, deadline, waiting: mem::take(&mut target.waiting) })
    }

    /// Forgets the handler that was used least lately, if there are too many; `None` where all are in use.
    fn make_room(&mut self, most: usize) -> Option<()> {
        if self.by_url.len() < most {
            return Some(());
        }
        let idle =
            self.by_url.iter().filter(|(_, target)| target.calls == 0 && target.check.is_none());
        let oldest =
            idle.min_by_key(|(_, target)| target.last_use).map(|(url, _)| Arc::clone(url))?;
        self.by_url.remove(&oldest);
        Some(())
    }
}

impl Target {
    fn new(url: Uri) -> Self {
        Self {
            url,
            known: None,
            check: None,
            waiting: BTreeSet::new(),
            next: Time::EPOCH,
            backoff: Duration::ZERO,
            calls: 0,
            bytes: 0,
            last_use: 0,
        }
    }
}

/// Makes the request that asks a handler whether it wants events.
pub(super) fn question(method: Method, url: Uri, origin: &HeaderValue) -> Request<Bytes> {
    let mut request = Request::new(Bytes::new());
    *request.method_mut() = method;
    *request.uri_mut() = url;
    request.headers_mut().insert(ORIGIN, origin.clone());
    request.headers_mut().insert(AWPS_VERSION, HeaderValue::from_static("1.0"));
    request
}

const ALLOWED: HeaderName = HeaderName::from_static("webhook-allowed-origin");

/// Tells whether a response allows this host to send events. A port makes no difference: the official middleware
/// names hosts with theirs.
fn allows(response: &Response<Bytes>, origin: &str) -> bool {
    let is_origin = |value: &str| value == "*" || same_host(value, origin);
    let values = response.headers().get_all(ALLOWED).iter().filter_map(|value| value.to_str().ok());
    let mut values = values.flat_map(|value| value.split(',')).map(str::trim);
    response.status().is_success() && values.any(is_origin)
}

fn same_host(value: &str, origin: &str) -> bool {
    without_port(value).eq_ignore_ascii_case(without_port(origin))
}

fn without_port(authority: &str) -> &str {
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        Some(_) | None => authority,
    }
}
