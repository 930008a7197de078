//! Dates in cookies, read as generously as RFC 6265 5.1.1 wants.

use crate::time::Time;
use crate::time::calendar;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];

/// Reads a date with a time of the day, in UTC. A date before the Unix epoch is the epoch; `None` where it is no
/// date.
pub(super) fn read(text: &str) -> Option<Time> {
    let (mut clock, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(is_delimiter).filter(|token| !token.is_empty()) {
        if clock.is_none()
            && let Some(found) = second_of_day(token)
        {
            clock = Some(found);
        } else if day.is_none()
            && let Some(found) = number(token, 1, 2)
        {
            day = Some(found);
        } else if month.is_none()
            && let Some(found) = month_of_year(token)
        {
            month = Some(found);
        } else if year.is_none()
            && let Some(found) = number(token, 2, 4)
        {
            year = Some(found);
        }
    }
    let year = match year? {
        short @ 0..70 => short + 2000,
        short @ 70..100 => short + 1900,
        full => full,
    };
    match year {
        0..1601 => None,
        1601..1970 => Some(Time::EPOCH),
        _ => calendar::time(year, month?, day?, clock?),
    }
}

fn is_delimiter(character: char) -> bool {
    matches!(character, '\t' | ' '..='/' | ';'..='@' | '['..='`' | '{'..='~')
}

/// Reads `hh:mm:ss`, with one digit or two for each.
fn second_of_day(token: &str) -> Option<u64> {
    let mut parts = token.split(':');
    let mut next = |below| number(parts.next()?, 1, 2).filter(|value| *value < below);
    let (hour, minute, second) = (next(24)?, next(60)?, next(60)?);
    Some(hour * 3600 + minute * 60 + second)
}

fn month_of_year(token: &str) -> Option<u64> {
    let start = token.get(..3)?;
    let index = MONTHS.iter().position(|month| month.eq_ignore_ascii_case(start))?;
    Some(index as u64 + 1)
}

/// Reads the digits that a token starts with, if there are as many as that.
fn number(token: &str, least: usize, most: usize) -> Option<u64> {
    let digits = token.bytes().take_while(u8::is_ascii_digit).count();
    if !(least..=most).contains(&digits) {
        return None;
    }
    token[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The forms that servers use, and some that are none.
    #[test]
    fn forms() {
        let moment = Some(Time::from_secs(1_790_000_000));
        for (text, expected) in [
            ("Mon, 21 Sep 2026 14:13:20 GMT", moment),
            ("Mon, 21-Sep-2026 14:13:20 GMT", moment),
            ("Monday, 21-Sep-26 14:13:20 GMT", moment),
            ("Mon Sep 21 14:13:20 2026", moment),
            ("21 SEPTEMBER 2026 14:13:20", moment),
            ("Thu, 01 Jan 1970 0:0:0 GMT", Some(Time::EPOCH)),
            ("Mon, 01-Jan-1601 00:00:00 GMT", Some(Time::EPOCH)),
            ("Fri, 31 Feb 2026 00:00:00 GMT", None),
            ("Mon, 21 Sep 2026", None),
            ("Mon, 21 Sep 2026 24:00:00 GMT", None),
            ("14:13:20", None),
            ("0", None),
            ("", None),
            ("\u{fc}\u{1f600} 1\u{fc}: \u{fc}::", None),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }
}
