//! How values are written down that `serde` has no good form for, or that are not ours to derive it on.

use alloc::string::ToString;
use alloc::vec::Vec;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::Protocol;
use crate::state::Permission;

/// Bytes: as bytes, and not as a list of numbers.
pub(super) mod bytes {
    use alloc::borrow::Cow;
    use core::fmt;

    use serde::de::{Error, SeqAccess, Visitor};

    use super::{Deserializer, Serializer, Vec};

    #[expect(clippy::ptr_arg, reason = "serde hands out the field as it is")]
    pub(in super::super) fn serialize<S: Serializer>(
        bytes: &Cow<'_, [u8]>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(bytes)
    }

    pub(in super::super) fn deserialize<'de, 'a, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'a, [u8]>, D::Error> {
        deserializer.deserialize_byte_buf(Bytes).map(Cow::Owned)
    }

    struct Bytes;

    impl<'de> Visitor<'de> for Bytes {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
            Ok(bytes.to_vec())
        }

        /// Formats without bytes of their own, such as JSON, have lists.
        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Vec<u8>, A::Error> {
            let mut bytes = Vec::new();
            while let Some(byte) = list.next_element()? {
                bytes.push(byte);
            }
            Ok(bytes)
        }
    }
}

/// A filter: as its text.
pub(super) mod filter {
    use alloc::borrow::Cow;

    use super::{Deserialize, Deserializer, Serializer};
    use crate::filter::Filter;

    #[expect(clippy::ptr_arg, reason = "serde hands out the field as it is")]
    pub(in super::super) fn serialize<S: Serializer>(
        filter: &Cow<'_, Filter>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&**filter)
    }

    pub(in super::super) fn deserialize<'de, 'a, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'a, Filter>, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        Filter::parse_printed(&text).map(Cow::Owned).map_err(serde::de::Error::custom)
    }
}

/// A filter where there may be none.
pub(super) mod optional_filter {
    use alloc::borrow::Cow;

    use super::{Deserialize, Deserializer, Serialize, Serializer, ToString};
    use crate::filter::Filter;

    #[expect(clippy::ref_option, reason = "serde hands out the field as it is")]
    pub(in super::super) fn serialize<S: Serializer>(
        filter: &Option<Cow<'_, Filter>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        filter.as_deref().map(ToString::to_string).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, 'a, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Cow<'a, Filter>>, D::Error> {
        let Some(text) = Option::<Cow<'_, str>>::deserialize(deserializer)? else {
            return Ok(None);
        };
        let filter = Filter::parse_printed(&text).map_err(serde::de::Error::custom)?;
        Ok(Some(Cow::Owned(filter)))
    }
}

/// A protocol: as its place among all.
pub(super) mod protocol {
    use super::{Deserialize, Deserializer, Protocol, Serialize, Serializer, known, place};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out the field as it is")]
    pub(in super::super) fn serialize<S: Serializer>(
        protocol: &Protocol,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        place(&Protocol::ALL, *protocol).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Protocol, D::Error> {
        known(&Protocol::ALL, u8::deserialize(deserializer)?, "protocol")
    }
}

/// A permission: as its place among all.
pub(super) mod permission {
    use super::{Deserialize, Deserializer, Permission, Serialize, Serializer, known, place};

    const ALL: [Permission; 4] = [
        Permission::JoinLeaveGroup,
        Permission::SendToGroup,
        Permission::SetGroupState,
        Permission::GetGroupState,
    ];

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out the field as it is")]
    pub(in super::super) fn serialize<S: Serializer>(
        permission: &Permission,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        place(&ALL, *permission).serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Permission, D::Error> {
        known(&ALL, u8::deserialize(deserializer)?, "permission")
    }
}

fn place<T: Copy + PartialEq>(all: &[T], value: T) -> u8 {
    all.iter().position(|each| *each == value).expect("all of them are in the list") as u8
}

fn known<T: Copy, E: serde::de::Error>(all: &[T], place: u8, what: &str) -> Result<T, E> {
    all.get(usize::from(place))
        .copied()
        .ok_or_else(|| E::custom(alloc::format!("there is no {what} {place}")))
}
