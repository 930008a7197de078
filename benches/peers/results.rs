//! What was measured, and what it is compared with.

use std::time::Duration;

use crate::contender::{Contender, League};

/// The names of rows that a table or the picture treats in its own way; the first two are what the others are compared
/// with.
pub(crate) const ROUTING: &str = "hubcast, by command";
pub(crate) const DELIVERY: &str = "hubcast";
const COPY: &str = "limit: copy the ids";
const READ: &str = "limit: read the ids";
pub(crate) const QUEUE: &str = "limit: clone and queue";
pub(crate) const ACTIONS: &str = "std hash map, action list";

/// The times of all contenders in all workloads.
pub(crate) struct Results {
    pub(crate) rows: Vec<Row>,
    pub(crate) workloads: Vec<Measurement>,
}

/// A contender, as far as a table says.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) league: League,
    pub(crate) has_members: bool,
    pub(crate) includes: &'static str,
}

/// The times of all contenders in one workload, one for each round.
pub(crate) struct Measurement {
    pub(crate) name: String,
    /// Whether messages are sent: then a time is for each recipient, otherwise for each operation.
    pub(crate) is_publish: bool,
    /// By contender, in nanoseconds.
    samples: Vec<Vec<f64>>,
    turn: usize,
}

impl Results {
    pub(crate) fn new(contenders: &[Box<dyn Contender>]) -> Self {
        let row = |contender: &dyn Contender| Row {
            name: contender.name(),
            league: contender.league(),
            has_members: contender.has_members(),
            includes: contender.includes(),
        };
        Self { rows: contenders.iter().map(|it| row(&**it)).collect(), workloads: Vec::new() }
    }

    /// Measures one more workload.
    pub(crate) fn add(
        &mut self,
        name: String,
        is_publish: bool,
        measure: impl FnOnce(&mut Measurement),
    ) {
        eprintln!("measuring: {name}");
        let samples = vec![Vec::new(); self.rows.len()];
        let mut measurement = Measurement { name, is_publish, samples, turn: 0 };
        measure(&mut measurement);
        self.workloads.push(measurement);
    }

    /// Returns the place of a row.
    pub(crate) fn row(&self, name: &str) -> usize {
        self.rows.iter().position(|row| row.name == name).expect("it takes part")
    }

    /// Returns with what a row is compared in a workload.
    pub(crate) fn base(&self, workload: &Measurement, row: usize) -> usize {
        match self.rows[row].league {
            League::Delivery if workload.is_publish => self.row(DELIVERY),
            League::Delivery | League::Routing => self.row(ROUTING),
        }
    }

    /// Returns how many times as long routing takes as copying and reading the ids.
    pub(crate) fn routing_to_limit(&self, workload: &Measurement) -> Option<f64> {
        workload.ratio(&[self.row(ROUTING)], &[self.row(COPY), self.row(READ)])
    }

    /// Returns how many times as long a whole delivery takes as with the cheapest host.
    pub(crate) fn delivery_to_limit(&self, workload: &Measurement) -> Option<f64> {
        workload.ratio(&[self.row(DELIVERY)], &[self.row(QUEUE)])
    }

    /// Returns the share of routing in a whole delivery.
    pub(crate) fn share_of_routing(&self, workload: &Measurement) -> Option<f64> {
        workload.ratio(&[self.row(ROUTING)], &[self.row(DELIVERY)])
    }
}

impl Measurement {
    /// Begins a round.
    pub(crate) fn begin(&mut self) {
        self.turn = 0;
    }

    /// Goes on to the next contender of the round.
    pub(crate) fn proceed(&mut self) {
        self.turn += 1;
    }

    /// Tells whether nobody had a turn in this round.
    pub(crate) fn is_new(&self) -> bool {
        self.turn == 0
    }

    /// Takes the time of a contender in this round, for so many recipients or operations.
    pub(crate) fn push(&mut self, place: usize, time: Duration, count: usize) {
        self.samples[place].push(time.as_secs_f64() * 1e9 / count.max(1) as f64);
    }

    /// Returns how many rounds there were.
    pub(crate) fn rounds(&self) -> usize {
        self.samples.iter().map(Vec::len).max().unwrap_or(0)
    }

    /// Returns the median time of a contender, in nanoseconds; `None` if it did not take part.
    pub(crate) fn nanos(&self, row: usize) -> Option<f64> {
        median(self.samples[row].clone())
    }

    /// Returns how many times as long some contenders take together as some others: the median of the ratios within
    /// each round, which the machine's bad moments hit alike.
    pub(crate) fn ratio(&self, these: &[usize], those: &[usize]) -> Option<f64> {
        let sum = |rows: &[usize], round: usize| -> Option<f64> {
            rows.iter().map(|&row| self.samples[row].get(round)).sum()
        };
        let ratio = |round| Some(sum(these, round)? / sum(those, round)?);
        median((0..self.rounds()).filter_map(ratio).collect())
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
