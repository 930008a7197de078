//! Every file of the fuzz corpus once more, through the bodies of the fuzz targets.

#![cfg(all(feature = "rest", feature = "replay"))]

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "where they are a library of their own, the bodies are public")]
mod bodies;

use std::fs;
use std::path::Path;

#[track_caller]
fn replay(target: &str, run: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        // Shown where it fails.
        println!("{}", path.display());
        run(&fs::read(&path).unwrap());
        files += 1;
    }
    assert!(files > 0, "{target} has a corpus");
}

/// What the reader of filters has seen.
#[test]
fn filter() {
    replay("filter", bodies::filter::run);
}

/// What the reader of journals has seen.
#[test]
fn journal() {
    replay("journal", bodies::journal::run);
}

/// What the decoder of JSON clients has seen.
#[test]
fn json_decode() {
    replay("json_decode", bodies::json_decode::run);
}

/// What the decoder of protobuf clients has seen.
#[test]
fn protobuf_decode() {
    replay("protobuf_decode", bodies::protobuf_decode::run);
}

/// What tokens and handshakes have seen.
#[test]
fn token() {
    replay("token", bodies::token::run);
}

/// What the engine has seen.
#[test]
fn operations() {
    replay("operations", bodies::operations::run);
}

/// What the REST API has seen.
#[test]
fn rest() {
    replay("rest", bodies::rest::run);
}

/// What event handlers behind HTTP have seen.
#[test]
fn webhooks() {
    replay("webhooks", bodies::webhooks::run);
}

/// What sessions, streams and states have seen.
#[test]
fn sequences() {
    replay("sequences", bodies::sequences::run);
}
