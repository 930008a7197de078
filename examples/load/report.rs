//! The result of a run, for people and for scripts.

use std::fmt::Write;
use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::options::Options;
use crate::process::Usage;
use crate::tally::Received;
use crate::timetable::Timetable;

/// What a run has shown.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) options: Options,
    pub(crate) timetable: Timetable,
    pub(crate) connected: Connected,
    /// Messages that count and were sent.
    pub(crate) sent: u64,
    /// Deliveries to expect of them.
    pub(crate) expected: u64,
    pub(crate) received: Received,
    /// How late messages were made, in microseconds.
    pub(crate) lateness: Histogram<u64>,
    /// What the server used.
    pub(crate) server: Option<Usage>,
    /// What this process used.
    pub(crate) own: Option<Usage>,
    /// What they used it for.
    pub(crate) used: Used,
    pub(crate) memory: Option<Memory>,
}

/// How connecting went.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Connected {
    pub(crate) count: usize,
    pub(crate) time: Duration,
}

/// The time in which CPU time was measured, and the deliveries in it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Used {
    pub(crate) time: Duration,
    pub(crate) deliveries: u64,
}

/// The resident memory of the server in bytes: without connections, with them, and after the load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Memory {
    before: u64,
    connected: u64,
    after: u64,
}

/// The quantiles that are reported, with their names for scripts.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];

impl Report {
    /// Tells whether everything was sent and has arrived.
    pub(crate) fn is_complete(&self) -> bool {
        self.unsent() == 0 && self.lost() == 0 && self.received.closed == 0
    }

    /// Returns the messages that the server did not take in time.
    fn unsent(&self) -> u64 {
        self.timetable.counted() - self.sent
    }

    fn lost(&self) -> u64 {
        self.expected.saturating_sub(self.received.counted)
    }

    /// Returns deliveries a second. If the last one came late, time went on until then.
    fn deliveries_a_second(&self) -> f64 {
        let until = self.received.latest.max(self.timetable.end());
        let time = until.saturating_sub(self.timetable.counted_from());
        float(self.received.counted) / time.as_secs_f64().max(1e-9)
    }

    /// Returns the memory that the server took for each connection in bytes.
    fn memory_each(&self, memory: Memory) -> u64 {
        memory.connected.saturating_sub(memory.before) / self.connected.count.max(1) as u64
    }

    /// Returns the result in some lines.
    pub(crate) fn text(&self) -> String {
        let Self { options, connected, received, timetable, .. } = self;
        let mut lines = String::new();
        let mut line = |name: &str, what: String| {
            writeln!(lines, "{name:<12} {what}").expect("a String takes any text");
        };
        line(
            "load",
            format!(
                "{} connections in {} groups, {}; {} senders, {} messages a second of {} bytes, {} s",
                options.connections,
                options.groups,
                options.protocol.name(),
                options.senders,
                options.rate,
                options.payload,
                options.duration.as_secs(),
            ),
        );
        line(
            "connected",
            format!(
                "{} in {:.2} s, {:.0} a second",
                connected.count,
                connected.time.as_secs_f64(),
                connected.a_second()
            ),
        );
        let mut sent = format!("{} of {} messages", self.sent, timetable.counted());
        if self.unsent() > 0 {
            sent.push_str(": the server did not take the others in time");
        }
        line("sent", sent);
        line(
            "delivered",
            format!("{:.0} a second, {} in all", self.deliveries_a_second(), received.counted),
        );
        line("lost", format!("{} of {} deliveries", self.lost(), self.expected));
        if received.closed > 0 {
            let why = received.reason.as_deref().unwrap_or_default();
            line("closed", format!("{} connections, the first because {why}", received.closed));
        }
        line("latency", quantiles(&received.latencies));
        line("sent late by", quantiles(&self.lateness));
        if let Some(usage) = self.server {
            line("server CPU", self.used.text(usage));
        }
        if let Some(memory) = self.memory {
            line(
                "server RSS",
                format!(
                    "{:.1} KiB a connection: {:.1} MiB before, {:.1} MiB connected, {:.1} MiB after the load",
                    float(self.memory_each(memory)) / 1024.0,
                    mebibytes(memory.before),
                    mebibytes(memory.connected),
                    mebibytes(memory.after),
                ),
            );
        }
        if let Some(usage) = self.own {
            line("own CPU", self.used.text(usage));
        }
        lines
    }

    /// Returns the result as one line of JSON.
    pub(crate) fn json(&self) -> String {
        let Self { options, connected, received, .. } = self;
        let value = json!({
            "connections": options.connections,
            "groups": options.groups,
            "senders": options.senders,
            "protocol": options.protocol.name(),
            "rate": options.rate,
            "payload_bytes": options.payload,
            "duration_s": options.duration.as_secs(),
            "connects_per_s": rounded(connected.a_second()),
            "sent": self.sent,
            "unsent": self.unsent(),
            "delivered": received.counted,
            "lost": self.lost(),
            "closed": received.closed,
            "deliveries_per_s": rounded(self.deliveries_a_second()),
            "latency_us": quantile_values(&received.latencies),
            "sent_late_us": quantile_values(&self.lateness),
            "server_cpu": self.server.map(|usage| self.used.value(usage)),
            "server_memory": self.memory.map(|memory| json!({
                "before_bytes": memory.before,
                "connected_bytes": memory.connected,
                "after_bytes": memory.after,
                "connection_bytes": self.memory_each(memory),
            })),
            "own_cpu": self.own.map(|usage| self.used.value(usage)),
        });
        format!("{value}\n")
    }
}

impl Connected {
    fn a_second(self) -> f64 {
        float(self.count as u64) / self.time.as_secs_f64().max(1e-9)
    }
}

impl Memory {
    /// Takes the three figures, if they are known.
    pub(crate) fn new(
        before: Option<u64>,
        connected: Option<u64>,
        after: Option<u64>,
    ) -> Option<Self> {
        Some(Self { before: before?, connected: connected?, after: after? })
    }
}

impl Used {
    /// Returns a time in microseconds for each delivery.
    fn each(self, time: Duration) -> f64 {
        time.as_secs_f64() * 1e6 / float(self.deliveries.max(1))
    }

    /// Returns how many cores were busy.
    fn cores(self, usage: Usage) -> f64 {
        (usage.user + usage.system).as_secs_f64() / self.time.as_secs_f64().max(1e-9)
    }

    fn text(self, usage: Usage) -> String {
        let all = usage.user + usage.system;
        let share = 100.0 * usage.system.as_secs_f64() / all.as_secs_f64().max(1e-9);
        format!(
            "{:.2} us a delivery: {:.2} user, {:.2} kernel ({share:.0} %); {:.2} cores busy; {:.3} context switches a \
             delivery",
            self.each(all),
            self.each(usage.user),
            self.each(usage.system),
            self.cores(usage),
            float(usage.switches) / float(self.deliveries.max(1)),
        )
    }

    fn value(self, usage: Usage) -> Value {
        json!({
            "delivery_us": rounded(self.each(usage.user + usage.system)),
            "user_us": rounded(self.each(usage.user)),
            "kernel_us": rounded(self.each(usage.system)),
            "cores": rounded(self.cores(usage)),
            "switches": usage.switches,
        })
    }
}

/// Returns quantiles of microseconds in milliseconds.
fn quantiles(times: &Histogram<u64>) -> String {
    if times.is_empty() {
        return "nothing was measured".to_owned();
    }
    let milliseconds = |time: u64| float(time) / 1e3;
    let mut text = String::new();
    for (name, quantile) in QUANTILES {
        let name = name.replace("p999", "p99.9");
        let time = milliseconds(times.value_at_quantile(quantile));
        write!(text, "{name} {time:.2} ms, ").expect("a String takes any text");
    }
    text + &format!("max {:.2} ms", milliseconds(times.max()))
}

/// Returns quantiles in microseconds; without any value they are null.
fn quantile_values(times: &Histogram<u64>) -> Value {
    let value = |time: u64| if times.is_empty() { Value::Null } else { time.into() };
    let mut values: serde_json::Map<String, Value> = QUANTILES
        .into_iter()
        .map(|(name, quantile)| (name.to_owned(), value(times.value_at_quantile(quantile))))
        .collect();
    values.insert("max".to_owned(), value(times.max()));
    Value::Object(values)
}

fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3
}

fn mebibytes(bytes: u64) -> f64 {
    float(bytes) / (1024.0 * 1024.0)
}

/// Returns a count for a ratio.
#[expect(clippy::cast_precision_loss, reason = "the figures have three digits")]
fn float(count: u64) -> f64 {
    count as f64
}
