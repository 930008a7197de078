//! The messages of `webpubsub.md` 5.1 to 5.3 as `prost` has them: what our own codec is compared with.

use prost::alloc::collections::BTreeMap;
use prost::alloc::string::String;
use prost::alloc::vec::Vec;
use prost::{Message, Oneof};

pub type Map = BTreeMap<String, String>;

#[derive(Clone, PartialEq, Message)]
pub struct UpstreamMessage {
    #[prost(oneof = "Upstream", tags = "1, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16, 17")]
    pub message: Option<Upstream>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Upstream {
    #[prost(message, tag = "1")]
    SendToGroup(SendToGroup),
    #[prost(message, tag = "5")]
    Event(UserEvent),
    #[prost(message, tag = "6")]
    JoinGroup(OfGroup),
    #[prost(message, tag = "7")]
    LeaveGroup(OfGroup),
    #[prost(message, tag = "8")]
    SequenceAck(SequenceAck),
    #[prost(message, tag = "9")]
    Ping(Empty),
    #[prost(message, tag = "10")]
    Invoke(Invoke),
    #[prost(message, tag = "11")]
    CancelInvocation(CancelInvocation),
    #[prost(message, tag = "13")]
    StreamData(StreamData),
    #[prost(message, tag = "14")]
    StreamEnd(StreamEnd),
    #[prost(message, tag = "15")]
    SetGroupState(SetGroupState),
    #[prost(message, tag = "16")]
    SubscribeGroupState(OfGroup),
    #[prost(message, tag = "17")]
    UnsubscribeGroupState(OfGroup),
}

#[derive(Clone, PartialEq, Message)]
pub struct SendToGroup {
    #[prost(string, tag = "1")]
    pub group: String,
    #[prost(uint64, optional, tag = "2")]
    pub ack_id: Option<u64>,
    #[prost(message, optional, tag = "3")]
    pub data: Option<MessageData>,
    #[prost(bool, optional, tag = "4")]
    pub no_echo: Option<bool>,
    #[prost(uint32, optional, tag = "5")]
    pub ttl_seconds: Option<u32>,
    #[prost(btree_map = "string, string", tag = "6")]
    pub metadata: Map,
    #[prost(message, optional, tag = "7")]
    pub stream: Option<StreamStart>,
}

#[derive(Clone, PartialEq, Message)]
pub struct UserEvent {
    #[prost(string, tag = "1")]
    pub event: String,
    #[prost(message, optional, tag = "2")]
    pub data: Option<MessageData>,
    #[prost(uint64, optional, tag = "3")]
    pub ack_id: Option<u64>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub metadata: Map,
    #[prost(message, optional, tag = "5")]
    pub stream: Option<StreamStart>,
}

/// To join, to leave, to subscribe and to unsubscribe look the same.
#[derive(Clone, PartialEq, Message)]
pub struct OfGroup {
    #[prost(string, tag = "1")]
    pub group: String,
    #[prost(uint64, optional, tag = "2")]
    pub ack_id: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SequenceAck {
    #[prost(uint64, tag = "1")]
    pub sequence_id: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, Message)]
pub struct Invoke {
    #[prost(string, tag = "1")]
    pub event: String,
    #[prost(string, tag = "2")]
    pub invocation_id: String,
    #[prost(message, optional, tag = "3")]
    pub data: Option<MessageData>,
    #[prost(btree_map = "string, string", tag = "4")]
    pub metadata: Map,
    #[prost(message, optional, tag = "5")]
    pub stream: Option<StreamStart>,
}

#[derive(Clone, PartialEq, Message)]
pub struct CancelInvocation {
    #[prost(string, tag = "1")]
    pub invocation_id: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamStart {
    #[prost(string, tag = "1")]
    pub stream_id: String,
    #[prost(uint32, optional, tag = "2")]
    pub idle_timeout_ms: Option<u32>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamData {
    #[prost(string, tag = "1")]
    pub stream_id: String,
    #[prost(uint64, optional, tag = "2")]
    pub stream_sequence_id: Option<u64>,
    #[prost(message, optional, tag = "3")]
    pub data: Option<MessageData>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamEnd {
    #[prost(string, tag = "1")]
    pub stream_id: String,
    #[prost(message, optional, tag = "2")]
    pub error: Option<UserError>,
}

#[derive(Clone, PartialEq, Message)]
pub struct UserError {
    #[prost(string, optional, tag = "1")]
    pub message: Option<String>,
    #[prost(string, optional, tag = "2")]
    pub user_error_code: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SetGroupState {
    #[prost(string, tag = "1")]
    pub group: String,
    #[prost(uint64, optional, tag = "2")]
    pub ack_id: Option<u64>,
    #[prost(message, optional, tag = "3")]
    pub state: Option<State>,
}

#[derive(Clone, PartialEq, Message)]
pub struct State {
    #[prost(btree_map = "string, string", tag = "1")]
    pub entries: Map,
}

#[derive(Clone, PartialEq, Message)]
pub struct MessageData {
    #[prost(oneof = "Data", tags = "1, 2, 3, 4")]
    pub data: Option<Data>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Data {
    #[prost(string, tag = "1")]
    Text(String),
    #[prost(bytes, tag = "2")]
    Binary(Vec<u8>),
    #[prost(message, tag = "3")]
    Protobuf(Any),
    #[prost(string, tag = "4")]
    Json(String),
}

#[derive(Clone, PartialEq, Message)]
pub struct Any {
    #[prost(string, tag = "1")]
    pub type_url: String,
    #[prost(bytes, tag = "2")]
    pub value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
pub struct DownstreamMessage {
    #[prost(oneof = "Downstream", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10")]
    pub message: Option<Downstream>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum Downstream {
    #[prost(message, tag = "1")]
    Ack(AckMessage),
    #[prost(message, tag = "2")]
    Data(DataMessage),
    #[prost(message, tag = "3")]
    System(SystemMessage),
    #[prost(message, tag = "4")]
    Pong(Empty),
    #[prost(message, tag = "5")]
    InvokeResponse(InvokeResponse),
    #[prost(message, tag = "6")]
    StreamAck(StreamAck),
    #[prost(message, tag = "7")]
    StreamNack(StreamNack),
    #[prost(message, tag = "8")]
    StreamClosed(StreamClosed),
    #[prost(message, tag = "9")]
    GroupStateUpdate(GroupState),
    #[prost(message, tag = "10")]
    GroupStateSnapshot(GroupState),
}

#[derive(Clone, PartialEq, Message)]
pub struct AckMessage {
    #[prost(uint64, tag = "1")]
    pub ack_id: u64,
    #[prost(bool, tag = "2")]
    pub success: bool,
    #[prost(message, optional, tag = "3")]
    pub error: Option<Error>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Error {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub message: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct DataMessage {
    #[prost(string, tag = "1")]
    pub from: String,
    #[prost(string, optional, tag = "2")]
    pub group: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub data: Option<MessageData>,
    #[prost(uint64, optional, tag = "4")]
    pub sequence_id: Option<u64>,
    #[prost(btree_map = "string, string", tag = "5")]
    pub metadata: Map,
    #[prost(message, optional, tag = "6")]
    pub stream: Option<StreamInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamInfo {
    #[prost(string, tag = "1")]
    pub stream_id: String,
    #[prost(uint64, tag = "2")]
    pub stream_sequence_id: u64,
    #[prost(bool, optional, tag = "3")]
    pub end_of_stream: Option<bool>,
    #[prost(message, optional, tag = "4")]
    pub error: Option<StreamError>,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamError {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub message: String,
    #[prost(string, tag = "3")]
    pub user_error_code: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct SystemMessage {
    #[prost(oneof = "System", tags = "1, 2")]
    pub message: Option<System>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum System {
    #[prost(message, tag = "1")]
    Connected(Connected),
    #[prost(message, tag = "2")]
    Disconnected(Disconnected),
}

#[derive(Clone, PartialEq, Message)]
pub struct Connected {
    #[prost(string, tag = "1")]
    pub connection_id: String,
    #[prost(string, tag = "2")]
    pub user_id: String,
    #[prost(string, optional, tag = "3")]
    pub reconnection_token: Option<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Disconnected {
    #[prost(string, tag = "2")]
    pub reason: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct InvokeResponse {
    #[prost(string, tag = "1")]
    pub invocation_id: String,
    #[prost(bool, tag = "2")]
    pub success: bool,
    #[prost(message, optional, tag = "3")]
    pub data: Option<MessageData>,
    #[prost(message, optional, tag = "4")]
    pub error: Option<Error>,
    #[prost(btree_map = "string, string", tag = "5")]
    pub metadata: Map,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamAck {
    #[prost(string, tag = "1")]
    pub stream_id: String,
    #[prost(uint64, tag = "2")]
    pub expected_sequence_id: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamNack {
    #[prost(string, tag = "1")]
    pub stream_id: String,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(string, tag = "3")]
    pub message: String,
    #[prost(uint64, tag = "4")]
    pub expected_sequence_id: u64,
}

#[derive(Clone, PartialEq, Message)]
pub struct StreamClosed {
    #[prost(string, tag = "1")]
    pub stream_id: String,
    #[prost(message, optional, tag = "2")]
    pub error: Option<Error>,
}

#[derive(Clone, PartialEq, Message)]
pub struct GroupState {
    #[prost(string, tag = "1")]
    pub group: String,
    #[prost(message, repeated, tag = "2")]
    pub items: Vec<GroupStateItem>,
    #[prost(uint64, optional, tag = "3")]
    pub sequence_id: Option<u64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct GroupStateItem {
    #[prost(string, tag = "1")]
    pub connection_id: String,
    #[prost(string, optional, tag = "2")]
    pub user_id: Option<String>,
    #[prost(message, optional, tag = "3")]
    pub state: Option<State>,
    #[prost(int64, tag = "4")]
    pub updated_at: i64,
}
