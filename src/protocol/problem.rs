//! What can be wrong with a request without breaking the protocol, in words for the one who sent it.

pub(crate) const TARGET: &str = "The target of an invocation is 'event'.";
pub(crate) const STREAM_IN_INVOCATION: &str = "An invocation cannot start a stream.";

pub(crate) const EMPTY_STREAM_ID: &str = "The id of a stream is not empty.";
pub(crate) const IDLE_TIMEOUT: &str =
    "The idle timeout is a positive number of milliseconds of at most 32 bits.";
pub(crate) const DATA_IN_START: &str = "The start of a stream carries no data.";
pub(crate) const ACK_ID_IN_START: &str = "The start of a stream has no ackId.";

pub(crate) const STREAM_SEQUENCE_ID: &str = "Data of a stream has a sequence id of its own.";
pub(crate) const STREAM_DATA: &str = "The data of the stream is missing or does not fit its type.";
pub(crate) const STREAM_ERROR: &str =
    "The error of a stream is an object with a text as message and as userErrorCode.";
