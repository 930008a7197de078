//! The mark in a payload that says when its message was due.

/// Begins a stamp. It stands nowhere else in what the server adds to a JSON message.
const MARK: u8 = b'~';
/// Digits of the time.
const DIGITS: usize = 16;
/// The length of a stamp, and so of the smallest payload.
pub(crate) const LENGTH: usize = 1 + DIGITS;

/// Returns a payload of at least [`LENGTH`] bytes that begins with the stamp of time zero.
pub(crate) fn payload(size: usize) -> String {
    let mut payload = String::with_capacity(size);
    payload.push(char::from(MARK));
    payload.extend(std::iter::repeat_n('0', DIGITS));
    payload.extend(std::iter::repeat_n('x', size.saturating_sub(LENGTH)));
    payload
}

/// Writes a time over the stamp that begins at the start of `bytes`.
pub(crate) fn write(bytes: &mut [u8], time: u64) {
    for (place, digit) in bytes[1..LENGTH].iter_mut().enumerate() {
        let nibble = time >> (4 * (DIGITS - 1 - place)) & 0xf;
        *digit = b"0123456789abcdef"[nibble as usize];
    }
}

/// Finds the stamp in a message and returns its time. `place` says where the last one stood, which is where the next
/// one most likely stands.
pub(crate) fn find(message: &[u8], place: &mut usize) -> Option<u64> {
    if let Some(time) = message.get(*place..).and_then(read) {
        return Some(time);
    }
    let mut from = 0;
    while let Some(found) = message[from..].iter().position(|byte| *byte == MARK) {
        // In protobuf the mark may also be a length.
        if let Some(time) = read(&message[from + found..]) {
            *place = from + found;
            return Some(time);
        }
        from += found + 1;
    }
    None
}

/// Reads the stamp at the start of `bytes`, if there is one.
fn read(bytes: &[u8]) -> Option<u64> {
    let (mark, digits) = bytes.get(..LENGTH)?.split_first()?;
    if *mark != MARK {
        return None;
    }
    digits.iter().try_fold(0, |time, digit| {
        let nibble = match digit {
            b'0'..=b'9' => digit - b'0',
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(time << 4 | u64::from(nibble))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A time that is written is found again, wherever the payload stands in a message.
    #[test]
    fn found_again() {
        let mut place = 0;
        for (before, time) in [("", 0), ("{\"data\":\"", u64::MAX), ("{\"data\":\"", 7)] {
            let mut message = format!("{before}{}\"}}", payload(40)).into_bytes();
            assert_eq!(message.len(), before.len() + 40 + 2);
            write(&mut message[before.len()..], time);
            assert_eq!(find(&message, &mut place), Some(time));
            assert_eq!(place, before.len());
        }
    }

    /// A mark without a time is passed over, and what has no stamp has none.
    #[test]
    fn not_misled() {
        let message = format!("~{}", payload(LENGTH));
        let mut place = 30;
        assert_eq!(find(message.as_bytes(), &mut place), Some(0));
        assert_eq!(place, 1);
        for message in ["", "~", "~0123", "~0123456789abcdeX", r#"{"type":"system"}"#] {
            assert_eq!(find(message.as_bytes(), &mut place), None, "{message}");
        }
    }
}
