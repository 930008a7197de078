//! What the JSON codec costs per frame, next to two yardsticks measured in the same run: `serde_json` cutting
//! the payload out as a `RawValue`, and copying the bytes.

use std::hint::black_box;
use std::time::Duration;

use bytes::BytesMut;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hubcast::internals::{decode_json, encode_group};
use hubcast::{Data, Protocol};
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
        }
    }
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

criterion_group! { name = benches; config = quick(); targets = decode, encode }
criterion_main!(benches);
