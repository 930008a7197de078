//! hubcast beside what people use instead, and beside the least that it could cost.
//!
//! `cargo bench --bench peers` measures all in turns and prints tables; words behind `--` choose the workloads that have
//! them in their names. With `--save` it writes `docs/peers.md` and `docs/peers.svg`; `--machine` and `--date` say what
//! stands there if the system's own idea of it will not do. As with the other benches, `--test` only shows that all works.

#![expect(clippy::cast_precision_loss, reason = "what is counted here is far below 2^52")]

#[path = "peers/broadcast.rs"]
mod broadcast;
#[path = "peers/chart.rs"]
mod chart;
#[path = "peers/contender.rs"]
mod contender;
#[path = "peers/dash_map.rs"]
mod dash_map;
#[path = "peers/hubcast.rs"]
mod engine;
#[path = "peers/hash_map.rs"]
mod hash_map;
#[path = "peers/limits.rs"]
mod limits;
#[path = "peers/random.rs"]
mod random;
#[path = "peers/report.rs"]
mod report;
#[path = "peers/results.rs"]
mod results;
#[path = "peers/socket_io.rs"]
mod socket_io;
#[path = "peers/workload.rs"]
mod workload;

use std::error::Error;
use std::fs;
use std::path::Path;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

use lexopt::prelude::*;

use crate::broadcast::Broadcast;
use crate::contender::Contender;
use crate::dash_map::DashMaps;
use crate::engine::{Hubcast, Way};
use crate::hash_map::HashMaps;
use crate::limits::Limit;
use crate::report::Circumstances;
use crate::socket_io::SocketIo;
use crate::workload::{Scale, World};

fn main() -> Result<(), Box<dyn Error>> {
    let wanted = Wanted::parse(lexopt::Parser::from_env())?;
    let scale = if wanted.measure { Scale::FULL } else { Scale::SMOKE };
    let mut world = World::build(scale, contenders());
    world.check();
    let results = world.measure(&wanted.filter);
    let tables = report::tables(&results);
    println!("{tables}");
    let page = report::page(&results, &wanted.circumstances, &tables);
    let chart = chart::draw(&results);
    if wanted.save {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
        fs::create_dir_all(&docs)?;
        fs::write(docs.join("peers.md"), page)?;
        fs::write(docs.join("peers.svg"), chart)?;
    }
    Ok(())
}

fn contenders() -> Vec<Box<dyn Contender>> {
    vec![
        Box::new(Hubcast::new(Way::Delivery)),
        Box::new(Hubcast::new(Way::DeliveryByKey)),
        Box::new(HashMaps::new(hash_map::Way::Queues)),
        Box::new(DashMaps::default()),
        Box::new(SocketIo::new()),
        Box::new(Broadcast::default()),
        Box::new(Limit::new(limits::Way::Queue)),
        Box::new(Hubcast::new(Way::Command)),
        Box::new(Hubcast::new(Way::Key)),
        Box::new(Hubcast::new(Way::Frame)),
        Box::new(HashMaps::new(hash_map::Way::Actions)),
        Box::new(Limit::new(limits::Way::Copy)),
        Box::new(Limit::new(limits::Way::Read)),
    ]
}

/// What the command line asks for.
struct Wanted {
    /// Whether times are wanted, and not only that all works.
    measure: bool,
    filter: String,
    save: bool,
    circumstances: Circumstances,
}

impl Wanted {
    fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        let (mut bench, mut test, mut save) = (false, false, false);
        let mut filter = String::new();
        let mut circumstances = Circumstances { machine: machine(), date: today() };
        while let Some(argument) = parser.next()? {
            match argument {
                // What cargo says to a bench, as opposed to `cargo test`.
                Long("bench") => bench = true,
                Long("test") => test = true,
                Long("save") => save = true,
                Long("machine") => circumstances.machine = parser.value()?.string()?,
                Long("date") => circumstances.date = parser.value()?.string()?,
                Value(words) => filter = words.string()?,
                _ => return Err(argument.unexpected()),
            }
        }
        let measure = bench && !test;
        if save && (!measure || !filter.is_empty()) {
            return Err("only a whole run is saved".into());
        }
        Ok(Self { measure, filter, save, circumstances })
    }
}

/// Names the processor, where the system does.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model.trim());
    let cores = available_parallelism().map_or(1, usize::from);
    format!("{model} with {cores} cores")
}

/// Returns the date, in UTC.
fn today() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (mut year, mut days) = (1970, since.as_secs() / 86_400);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let length = |year| if leap(year) { 366 } else { 365 };
    while days >= length(year) {
        days -= length(year);
        year += 1;
    }
    let february = if leap(year) { 29 } else { 28 };
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if days < length {
            break;
        }
        days -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", days + 1)
}
