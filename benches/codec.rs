//! What the codecs cost per frame, next to yardsticks measured in the same run. For JSON: `serde_json` cutting the
//! payload out as a `RawValue`, and copying the bytes. For protobuf: `prost`, whose messages own what is in them.

#[path = "../tests/protobuf/schema.rs"]
#[allow(dead_code, unreachable_pub, reason = "the tests use all of it")]
mod schema;

use std::hint::black_box;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hubcast::internals::{decode_json, decode_protobuf, encode_group};
use hubcast::{Data, Protocol};
use prost::Message;
use serde::Deserialize;
use serde_json::value::RawValue;

const SIZES: [usize; 5] = [32, 128, 1024, 64 * 1024, 1024 * 1024];

#[derive(Deserialize)]
#[allow(dead_code, reason = "read by nobody: only the work of filling it is measured")]
struct Envelope<'a> {
    r#type: &'a str,
    group: &'a str,
    #[serde(rename = "ackId")]
    ack_id: Option<u64>,
    #[serde(borrow)]
    data: &'a RawValue,
}

fn decode(criterion: &mut Criterion) {
    for (kind, payload) in
        [("json", json as fn(usize) -> String), ("text", text), ("binary", base64)]
    {
        let mut group = criterion.benchmark_group(format!("decode/{kind}"));
        for size in SIZES {
            let frame = frame(kind, &payload(size));
            group.throughput(Throughput::Bytes(frame.len() as u64));
            let mut scratch = Vec::new();
            group.bench_function(BenchmarkId::new("hubcast", size), |bencher| {
                bencher.iter(|| decode_json(black_box(&frame), &mut scratch).expect("valid"));
            });
            group.bench_function(BenchmarkId::new("serde_json", size), |bencher| {
                bencher.iter(|| {
                    let envelope: Envelope<'_> = serde_json::from_str(black_box(&frame)).unwrap();
                    envelope.data.get().len()
                });
            });
            let mut copy = vec![0; frame.len()];
            group.bench_function(BenchmarkId::new("memcpy", size), |bencher| {
                bencher.iter(|| black_box(&mut copy).copy_from_slice(black_box(&frame).as_bytes()));
            });
        }
    }
}

fn encode(criterion: &mut Criterion) {
    for kind in ["json", "text", "binary"] {
        let mut group = criterion.benchmark_group(format!("encode/{kind}"));
        for size in SIZES {
            let payload = if kind == "json" { json(size) } else { text(size) };
            let data = match kind {
                "json" => Data::Json(&payload),
                "text" => Data::Text(&payload),
                _ => Data::Binary(payload.as_bytes()),
            };
            group.throughput(Throughput::Bytes(payload.len() as u64));
            let mut buffer = BytesMut::new();
            group.bench_function(BenchmarkId::new("hubcast", size), |bencher| {
                bencher.iter(|| {
                    encode_group(Protocol::Json, "room", black_box(data), &[], &mut buffer)
                });
            });
            // The least that any frame takes: its bytes are copied into the chunk that it is cut from.
            let frame = encode_group(Protocol::Json, "room", data, &[], &mut buffer);
            let frame = frame.expect("JSON says it").bytes(0);
            group.bench_function(BenchmarkId::new("copy of the frame", size), |bencher| {
                bencher.iter(|| {
                    if buffer.capacity() < frame.len() {
                        buffer.reserve(frame.len().max(CHUNK));
                    }
                    buffer.extend_from_slice(black_box(&frame));
                    buffer.split().freeze()
                });
            });
        }
    }
}

/// The sizes of payloads in protobuf.
const PROTOBUF_SIZES: [usize; 2] = [128, 1024];

/// How much memory frames are cut from.
const CHUNK: usize = 64 * 1024;

fn protobuf_decode(criterion: &mut Criterion) {
    for kind in ["text", "binary"] {
        let mut group = criterion.benchmark_group(format!("decode/protobuf {kind}"));
        for size in PROTOBUF_SIZES {
            let send = schema::SendToGroup {
                group: "room".into(),
                ack_id: Some(42),
                data: Some(protobuf_data(kind, size)),
                ..schema::SendToGroup::default()
            };
            let message = Some(schema::Upstream::SendToGroup(send));
            let frame = schema::UpstreamMessage { message }.encode_to_vec();
            group.throughput(Throughput::Bytes(frame.len() as u64));
            group.bench_function(BenchmarkId::new("hubcast", size), |bencher| {
                bencher.iter(|| decode_protobuf(black_box(&frame)).expect("valid"));
            });
            group.bench_function(BenchmarkId::new("prost", size), |bencher| {
                bencher.iter(|| schema::UpstreamMessage::decode(black_box(&frame[..])).unwrap());
            });
        }
    }
}

/// Both end with a frame cut from a chunk. For `prost` the message is made before, which is not measured.
fn protobuf_encode(criterion: &mut Criterion) {
    for kind in ["text", "binary"] {
        let mut group = criterion.benchmark_group(format!("encode/protobuf {kind}"));
        for size in PROTOBUF_SIZES {
            let payload = text(size);
            let data = match kind {
                "text" => Data::Text(&payload),
                _ => Data::Binary(payload.as_bytes()),
            };
            group.throughput(Throughput::Bytes(size as u64));
            let mut buffer = BytesMut::new();
            group.bench_function(BenchmarkId::new("hubcast", size), |bencher| {
                bencher.iter(|| {
                    encode_group(Protocol::Protobuf, "room", black_box(data), &[], &mut buffer)
                });
            });
            let message = schema::DataMessage {
                from: "group".into(),
                group: Some("room".into()),
                data: Some(protobuf_data(kind, size)),
                ..schema::DataMessage::default()
            };
            let message = Some(schema::Downstream::Data(message));
            let message = schema::DownstreamMessage { message };
            group.bench_function(BenchmarkId::new("prost", size), |bencher| {
                let mut buffer = BytesMut::with_capacity(CHUNK);
                bencher.iter(|| {
                    buffer.reserve(message.encoded_len());
                    black_box(&message).encode(&mut buffer).expect("there is room");
                    buffer.split().freeze()
                });
            });
        }
    }
}

fn protobuf_data(kind: &str, size: usize) -> schema::MessageData {
    let data = match kind {
        "text" => schema::Data::Text(text(size)),
        _ => schema::Data::Binary(text(size).into_bytes()),
    };
    schema::MessageData { data: Some(data) }
}

fn frame(kind: &str, payload: &str) -> String {
    let quote = if kind == "json" { "" } else { "\"" };
    format!(
        r#"{{"type":"sendToGroup","group":"room","ackId":42,"dataType":"{kind}","data":{quote}{payload}{quote}}}"#
    )
}

/// Returns an array of small objects, such as a game or a chat sends, of about this many bytes.
fn json(size: usize) -> String {
    let mut json = String::from("[");
    for index in 0.. {
        json += r#"{"x":-12.5,"name":"player","on":true,"id":"#;
        json += &index.to_string();
        json += "}";
        if json.len() >= size {
            break;
        }
        json += ",";
    }
    json + "]"
}

fn text(size: usize) -> String {
    "The quick brown fox jumps over the lazy dog. ".chars().cycle().take(size).collect()
}

fn base64(size: usize) -> String {
    "QUJD".repeat(size / 4)
}

fn quick() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(100))
        .measurement_time(Duration::from_millis(400))
        .without_plots()
}

criterion_group! { name = benches; config = quick(); targets = decode, encode, protobuf_decode, protobuf_encode }
criterion_main!(benches);
