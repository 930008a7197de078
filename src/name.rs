//! The rules for names and metadata that everything shares (`webpubsub.md` 3.2, 3.3, 10.1).

use smallvec::SmallVec;

/// The most UTF-16 units of a group name.
pub(crate) const GROUP_UNITS_MAX: usize = 1024;

/// The most bytes of a hub name.
pub(crate) const HUB_BYTES_MAX: usize = 128;

/// Tells whether this is a hub name: a letter, then up to 127 letters, digits or any of ``_ ` , . [ ]``.
pub(crate) fn is_hub(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= HUB_BYTES_MAX
        && bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"_`,.[]".contains(b))
}

/// Tells whether this is a group name: 1 to 1,024 UTF-16 units, not all white space.
pub(crate) fn is_group(name: &str) -> bool {
    let short = name.len() <= GROUP_UNITS_MAX || name.encode_utf16().count() <= GROUP_UNITS_MAX;
    short && name.chars().any(|c| !c.is_whitespace())
}

/// Tells whether this is an event name: a letter, then up to 127 letters, digits or any of `_ . -`.
pub(crate) fn is_event(name: &str) -> bool {
    let bytes = name.as_bytes();
    bytes.len() <= 128
        && bytes.first().is_some_and(u8::is_ascii_alphabetic)
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(b))
}

/// The most bytes of a metadata key, of a value, and of all keys and values of a message.
const METADATA_KEY_MAX: usize = 256;
const METADATA_VALUE_MAX: usize = 1024;
pub(crate) const METADATA_TOTAL_MAX: usize = 8192;

/// Tells whether these pairs are acceptable metadata: token keys of at most 256 bytes, no two the same,
/// ASCII values of at most 1 KiB, at most 8 KiB in all.
pub(crate) fn is_metadata<'a>(pairs: impl ExactSizeIterator<Item = (&'a str, &'a str)>) -> bool {
    if pairs.len() == 0 {
        return true;
    }
    let mut total = 0;
    let mut keys = SmallVec::<[&str; 16]>::new();
    for (key, value) in pairs {
        total += key.len() + value.len();
        let acceptable = is_metadata_key(key)
            && value.is_ascii()
            && value.len() <= METADATA_VALUE_MAX
            && total <= METADATA_TOTAL_MAX;
        if !acceptable {
            return false;
        }
        keys.push(key);
    }
    keys.sort_unstable();
    keys.windows(2).all(|pair| pair[0] != pair[1])
}

fn is_metadata_key(key: &str) -> bool {
    let token = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
    !key.is_empty() && key.len() <= METADATA_KEY_MAX && key.as_bytes().iter().all(token)
}
