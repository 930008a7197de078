//! Versions and ranges in a query, which are looked at before the token (`emulator.md` 10).

use super::fault::Fault;
use super::generation::ClientKind;
use super::route::{Verb, check_group};
use crate::rest::query::Query;

/// The versions that there are. Each has all operations.
pub(super) const VERSIONS: [&str; 5] =
    ["2021-10-01", "2022-11-01", "2023-07-01", "2024-01-01", "2024-12-01"];

/// The longest time to live of a message, in seconds.
const TTL_SECONDS_MAX: u32 = 300;
/// The most members of a page, which is also the usual number.
const PAGE_SIZE_MAX: u32 = 200;
/// The largest number of a type with 31 bits.
const INTEGER_MAX: u32 = i32::MAX as u32;
/// How long a client may use a token to connect, unless said otherwise.
const MINUTES: u32 = 60;

/// The numbers in a query, each in its range; what an operation does not take is not looked at.
pub(super) struct Parameters {
    pub(super) ttl_seconds: u32,
    /// The most members of a page.
    pub(super) page_size: u32,
    /// The most members of all pages.
    pub(super) top: Option<u32>,
    /// How long a client may use a token to connect.
    pub(super) minutes: u32,
    /// Which clients the token is for.
    pub(super) client_kind: ClientKind,
}

impl Parameters {
    pub(super) fn read(verb: Verb, query: &Query) -> Result<Self, Fault> {
        let mut read = Self {
            ttl_seconds: 0,
            page_size: PAGE_SIZE_MAX,
            top: None,
            minutes: MINUTES,
            client_kind: ClientKind::Default,
        };
        match verb {
            Verb::Send => {
                let ttl = number(query, "messageTtlSeconds", 0, TTL_SECONDS_MAX);
                let ttl = ttl.map_err(|_| Fault::bad_request("Invalid messageTtlSeconds."))?;
                read.ttl_seconds = ttl.unwrap_or(0);
            }
            Verb::List => {
                let size = number(query, "maxpagesize", 1, PAGE_SIZE_MAX);
                let size = size.map_err(|_| Fault::bad_request("Invalid maxpagesize."))?;
                read.page_size = size.unwrap_or(PAGE_SIZE_MAX);
                let top = number(query, "top", 1, INTEGER_MAX);
                read.top = top.map_err(|_| Fault::bad_request("Invalid top."))?;
            }
            Verb::GenerateToken => {
                let minutes = number(query, "minutesToExpire", 1, INTEGER_MAX);
                let invalid = || Fault::about("minutesToExpire", "Invalid minutesToExpire.");
                read.minutes = minutes.map_err(|_| invalid())?.unwrap_or(MINUTES);
                read.client_kind = ClientKind::read(query)?;
                for group in query.all("group") {
                    check_group(group).map_err(|_| Fault::about("group", "Invalid group name."))?;
                }
            }
            Verb::Health
            | Verb::Close
            | Verb::Exists
            | Verb::Join
            | Verb::Leave
            | Verb::LeaveAll
            | Verb::JoinTogether
            | Verb::LeaveTogether
            | Verb::Check
            | Verb::Grant
            | Verb::Revoke => {}
        }
        Ok(read)
    }
}

/// Checks that a request says no version, or one that there is, once.
pub(super) fn check_version(query: &Query) -> Result<(), Fault> {
    let mut said = query.all("api-version");
    match (said.next(), said.next()) {
        (None, _) => Ok(()),
        (Some(version), None) if VERSIONS.contains(&version) => Ok(()),
        (Some(_), _) => {
            Err(Fault::about("api-version", "The specified API version is not supported."))
        }
    }
}

/// A value that is no number, or out of its range.
struct OutOfRange;

/// Reads a number; an empty value counts as absent.
fn number(query: &Query, name: &str, least: u32, most: u32) -> Result<Option<u32>, OutOfRange> {
    let Some(text) = query.last_filled(name) else { return Ok(None) };
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.map(Some).ok_or(OutOfRange)
}
