//! A run from the first connection to the last delivery.

use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, JoinHandle};
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt, stream};
use hdrhistogram::Histogram;
use tokio::time;

use crate::clock::Clock;
use crate::connect::{Client, Opened, Target};
use crate::options::{Options, Protocol};
use crate::process::{Process, Usage};
use crate::progress::Progress;
use crate::receive::Receiver;
use crate::report::{Connected, Memory, Report, Used};
use crate::send::Senders;
use crate::tally::Tally;
use crate::timetable::Timetable;

/// Files that a process has open besides its connections.
const OTHER_FILES: u64 = 64;
/// When the timetable begins after all connections are open.
const LEAD: Duration = Duration::from_millis(100);
/// How often to look how far it is.
const GLANCE: Duration = Duration::from_millis(5);
/// How long deliveries may fail to come before they are lost.
const SILENCE: Duration = Duration::from_secs(3);

/// A run that has its connections.
struct Run<'a> {
    options: &'a Options,
    clock: Clock,
    tally: Arc<Tally>,
    server: Option<Process>,
    progress: Progress,
}

/// The thread that sends. It returns how late messages were made, and the senders, which stay open.
type Sending = JoinHandle<Result<(Histogram<u64>, Senders), String>>;

/// Opens the connections, sends what the timetable says and waits until all has arrived.
///
/// # Errors
///
/// One line that says why there is no result and what to do.
pub(crate) async fn run(options: &Options) -> Result<Report, String> {
    let server = options.server_pid.map(Process::of).transpose()?;
    check_files(options, server.as_ref())?;
    let clock = Clock::start();
    let tally = Arc::new(Tally::new(options.threads));
    let target = Target::find(&options.endpoint, &options.hub, options.keys.clone()).await?;
    let mut run = Run { options, clock, tally, server, progress: Progress::new(clock) };

    let memory = |run: &Run<'_>| run.server.as_ref().and_then(Process::memory);
    let before = memory(&run);
    let groups = group_names(options.groups);
    let (streams, connected) = run.connect(&target, &groups).await?;
    let connected_memory = memory(&run);

    let timetable = Timetable {
        start: clock.now() + LEAD,
        warm_up: options.warm_up,
        duration: options.duration,
        rate: options.rate,
        groups: options.groups,
        connections: options.connections,
    };
    run.tally.count_from(timetable.counted_from());
    let shared = (Arc::clone(&run.tally), clock);
    let senders = Senders::new(streams, &groups, options.payload, timetable, shared);
    let sending = thread::spawn(move || senders.run());
    run.watch(timetable.counted_from(), &sending, "warm-up").await;
    let (server_used, own_used, deliveries) = (run.usage(), usage(), run.tally.received());
    let counting = clock.now();
    run.watch(timetable.end(), &sending, "load").await;
    let (lateness, _senders) = run.sent(sending).await?;
    run.arrived().await;
    let used = Used { time: clock.since(counting), deliveries: run.tally.received() - deliveries };
    Ok(Report {
        options: options.clone(),
        timetable,
        connected,
        sent: run.tally.sent_counted.load(Relaxed),
        expected: run.tally.expected_counted.load(Relaxed),
        received: run.tally.total(),
        lateness,
        server: run.usage().zip(server_used).map(|(now, then)| now.since(then)),
        own: usage().zip(own_used).map(|(now, then)| now.since(then)),
        used,
        memory: Memory::new(before, connected_memory, memory(&run)),
    })
}

impl Run<'_> {
    /// Opens all connections. Returns those that send.
    async fn connect(
        &mut self,
        target: &Target,
        groups: &[String],
    ) -> Result<(Vec<(TcpStream, Vec<u8>)>, Connected), String> {
        let Options { connections, senders, protocol, parallel, .. } = *self.options;
        let of = connections + senders;
        let begun = self.clock.now();
        let open = |number: usize| async move {
            let user = format!("user-{number}");
            let is_receiver = number < connections;
            let group = is_receiver.then(|| groups[number % groups.len()].as_str());
            let subprotocol =
                if is_receiver { protocol.subprotocol() } else { Protocol::Json.subprotocol() };
            let opened = target.open(Client { user: &user, group, subprotocol }).await?;
            Ok::<_, String>((number, opened))
        };
        let mut opening = stream::iter(0..of).map(open).buffer_unordered(parallel);
        let mut streams = Vec::with_capacity(senders);
        let mut count = 0;
        while let Some(opened) = opening.next().await {
            let (number, opened) = opened?;
            count += 1;
            self.progress.connecting(count, of);
            if number < connections {
                let is_reliable = protocol == Protocol::ReliableJson;
                let tally = Arc::clone(&self.tally);
                let receiver = Receiver::new(opened, number, is_reliable, tally, self.clock);
                tokio::spawn(receiver.run());
            } else {
                let Opened { stream, rest } = opened;
                // It stays non-blocking.
                let stream = stream.into_std().map_err(|error| error.to_string())?;
                streams.push((stream, rest));
            }
        }
        Ok((streams, Connected { count, time: self.clock.since(begun) }))
    }

    /// Prints progress until a time, or until sending is over: before its end it can only have failed.
    async fn watch(&mut self, until: Duration, sending: &Sending, phase: &str) {
        while self.clock.now() < until && !sending.is_finished() {
            time::sleep(until.saturating_sub(self.clock.now()).min(GLANCE)).await;
            self.progress.loading(&self.tally, phase);
        }
    }

    /// Waits until everything is sent, or as much as the server takes.
    async fn sent(&mut self, sending: Sending) -> Result<(Histogram<u64>, Senders), String> {
        while !sending.is_finished() {
            time::sleep(GLANCE).await;
            self.progress.loading(&self.tally, "rest");
        }
        sending.join().unwrap_or_else(|_| {
            Err("the thread that sends has panicked, which is a bug: please report it".into())
        })
    }

    /// Waits until everything has arrived, or nothing comes any more.
    async fn arrived(&mut self) {
        let expected = self.tally.expected.load(Relaxed);
        let mut received = self.tally.received();
        let mut latest = self.clock.now();
        while received < expected && self.clock.now() < latest + SILENCE {
            time::sleep(GLANCE).await;
            self.progress.loading(&self.tally, "rest");
            let more = self.tally.received();
            if more > received {
                (received, latest) = (more, self.clock.now());
            }
        }
    }

    fn usage(&self) -> Option<Usage> {
        self.server.as_ref().and_then(Process::usage)
    }
}

fn usage() -> Option<Usage> {
    Process::this().usage()
}

/// Makes names that no other run has.
fn group_names(groups: usize) -> Vec<String> {
    let run = SystemTime::UNIX_EPOCH.elapsed().unwrap_or(Duration::ZERO).as_micros();
    (0..groups).map(|group| format!("load-{run:x}-{group}")).collect()
}

/// Checks that this process and the server may open enough files.
fn check_files(options: &Options, server: Option<&Process>) -> Result<(), String> {
    let needed = (options.connections + options.senders) as u64 + OTHER_FILES;
    let this = Process::this();
    for (process, who) in [(Some(&this), "this process"), (server, "the server")] {
        let Some(allowed) = process.and_then(Process::files) else { continue };
        if allowed < needed {
            return Err(format!(
                "{who} may open {allowed} files, and these connections need {needed}: run ulimit -n {needed} in its \
                 shell before it starts, or open fewer with --connections"
            ));
        }
    }
    Ok(())
}
