//! An embeddable, sans-IO publish/subscribe engine.

#![no_std]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod time;

pub use self::time::Time;
