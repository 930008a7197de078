//! The bodies of the fuzz targets: ordinary functions of bytes that panic when something is wrong.
//!
//! `tests/corpus.rs` of the library calls them too, with every file of the corpus.

pub mod filter;
pub mod journal;
pub mod json_decode;
pub mod operations;
pub mod protobuf_decode;
pub mod rest;
pub mod sequences;
pub mod token;
pub mod webhooks;
