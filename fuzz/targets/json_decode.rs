#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubcast_fuzz::json_decode::run(data));
