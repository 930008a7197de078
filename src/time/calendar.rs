//! Dates of the Gregorian calendar in UTC.

use core::fmt;

use super::Time;

const SECONDS_A_DAY: u64 = 24 * 60 * 60;

/// Days from the first of March of the year 0 to the Unix epoch. Years are counted from March, so that a leap
/// day is the last day of one.
const EPOCH: u64 = 719_468;

/// Days of 400 years, after which the calendar repeats itself.
const ERA: u64 = 146_097;

/// Writes a time as RFC 3339 has it, `2026-11-22T10:00:00.250Z`; without the fraction in whole seconds.
pub(super) fn write(out: &mut fmt::Formatter<'_>, time: Time) -> fmt::Result {
    let (days, second) = (time.as_secs() / SECONDS_A_DAY, time.as_secs() % SECONDS_A_DAY);
    let (year, month, day) = date(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    write!(out, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")?;
    match time.as_millis() % 1000 {
        0 => out.write_str("Z"),
        millis => write!(out, ".{millis:03}Z"),
    }
}

/// Returns the year, month and day that is so many days after the Unix epoch.
fn date(days: u64) -> (u64, u64, u64) {
    let days = days + EPOCH;
    let (era, day) = (days / ERA, days % ERA);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    // Months from March on have 31, 30, 31, 30, 31 days, again and again.
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (month, next) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (400 * era + year + next, month, day)
}

/// Returns the time of a date and the second within it; `None` before the Unix epoch and where there is no such
/// date.
#[cfg(any(feature = "rest", test))]
pub(crate) fn time(year: u64, month: u64, day: u64, second: u64) -> Option<Time> {
    if !(1970..10_000).contains(&year) || !(1..13).contains(&month) || day == 0 {
        return None;
    }
    let (march, from) = if month > 2 { (month - 3, year) } else { (month + 9, year - 1) };
    let (era, year_of_era) = (from / 400, from % 400);
    let day_of_year = (153 * march + 2) / 5 + day - 1;
    let days = era * ERA + 365 * year_of_era + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = days.checked_sub(EPOCH)?;
    // A thirty-first of February would come out as a day of March.
    let exists = date(days) == (year, month, day) && second < SECONDS_A_DAY;
    exists.then(|| Time::from_secs(days * SECONDS_A_DAY + second))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use proptest::prelude::*;

    use super::*;

    /// Known moments, among them leap days and the turns of centuries.
    #[test]
    fn known_moments() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (951_868_799, "2000-02-29T23:59:59Z"),
            (1_790_000_000, "2026-09-21T14:13:20Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (253_402_300_799, "9999-12-31T23:59:59Z"),
        ] {
            assert_eq!(Time::from_secs(seconds).to_string(), text);
        }
        assert_eq!(Time::from_millis(1_099).to_string(), "1970-01-01T00:00:01.099Z");
        let whole = Time::from_millis(1_999).in_whole_seconds();
        assert_eq!(whole.to_string(), "1970-01-01T00:00:01Z");
        assert!(Time::from_millis(u64::MAX).to_string().ends_with('Z'));
    }

    /// Dates that do not exist are none.
    #[test]
    fn no_such_date() {
        for (year, month, day) in [
            (1969, 12, 31),
            (2026, 2, 29),
            (2026, 4, 31),
            (2026, 0, 1),
            (2026, 13, 1),
            (2026, 1, 0),
            (2100, 2, 29),
            (10_000, 1, 1),
        ] {
            assert_eq!(time(year, month, day, 0), None, "{year}-{month}-{day}");
        }
        assert_eq!(time(2026, 1, 1, SECONDS_A_DAY), None);
    }

    proptest! {
        /// Every date comes back as the day that it was made from.
        #[test]
        fn there_and_back(days in 0_u64..2_932_897) {
            let (year, month, day) = date(days);
            let back = time(year, month, day, 7);
            prop_assert_eq!(back, Some(Time::from_secs(days * SECONDS_A_DAY + 7)));
        }
    }
}
