//! Bytes from protobuf clients: decoding never panics, and agrees with `prost` on what is a message.

#[path = "../../tests/protobuf/schema.rs"]
#[allow(dead_code, reason = "nothing is sent to clients here")]
pub(crate) mod schema;

use hubcast::internals::decode_protobuf;
use prost::Message;

use self::schema::UpstreamMessage;

/// Decodes the bytes as one binary message.
pub fn run(data: &[u8]) {
    let decoded = decode_protobuf(data);
    assert!(decoded.is_none_or(|length| length <= data.len()), "the payload grew: {data:02x?}");

    match UpstreamMessage::decode(data) {
        // However it was spelled, in pieces or with more than we know: it is valid if its plainest spelling is.
        Ok(message) => {
            let again = decode_protobuf(&message.encode_to_vec());
            let agreed = decoded.is_some() == again.is_some();
            assert!(agreed || has_deep_groups(data), "{decoded:?}, {again:?}: {data:02x?}");
        }
        // We skip a field that is not spelled as its number says; `prost` does not.
        Err(error) if error.to_string().contains("invalid wire type: ") => {}
        Err(error) => assert!(decoded.is_none(), "{error}: {data:02x?}"),
    }
}

/// Tells whether groups may be nested so deep that we refuse them and `prost` does not.
fn has_deep_groups(data: &[u8]) -> bool {
    data.iter().filter(|&&byte| byte & 7 == 3).count() > 64
}
