#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubcast_fuzz::journal::run(data));
