//! A load generator for the example server, or any other server that speaks the client protocols of Azure Web PubSub:
//! `cargo run --release --example load -- --help`.
//!
//! Connections only listen (`receive.rs`). A few more connections only send, from a thread of their own that follows a
//! timetable (`send.rs`). Every message carries the time at which it was due (`stamp.rs`), and its latency counts from
//! then: a server that stalls, and so keeps messages from being sent, gets no better figures for it.

mod clock;
mod connect;
mod frame;
mod options;
mod process;
mod progress;
mod receive;
mod report;
mod run;
mod send;
mod stamp;
mod tally;
mod timetable;

use std::env;
use std::io::{self, Write};
use std::process::ExitCode;

use tokio::runtime::{Builder, Runtime};

use self::options::{Invocation, Options};

fn main() -> ExitCode {
    let options = match Invocation::parse(env::args_os().skip(1)) {
        Ok(Invocation::Help) => {
            print(options::HELP);
            return ExitCode::SUCCESS;
        }
        Ok(Invocation::Load(options)) => options,
        Err(error) => return failed(&error),
    };
    let runtime = match runtime(&options) {
        Ok(runtime) => runtime,
        Err(error) => return failed(&format!("no threads: {error}")),
    };
    match runtime.block_on(run::run(&options)) {
        Ok(report) => {
            print(&if options.json { report.json() } else { report.text() });
            ExitCode::from(u8::from(!report.is_complete()))
        }
        Err(error) => failed(&error),
    }
}

fn runtime(options: &Options) -> io::Result<Runtime> {
    // With one thread nothing has to be shared between cores.
    let mut builder = match options.threads {
        1 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    builder.worker_threads(options.threads).enable_all().build()
}

fn failed(error: &str) -> ExitCode {
    eprintln!("load: {error}");
    ExitCode::from(2)
}

fn print(text: &str) {
    // Nobody reads it, so nobody misses it.
    let _ = io::stdout().write_all(text.as_bytes());
}
