//! The tables.

use std::fmt::Write;

use crate::contender::League;
use crate::results::{Measurement, Results};

/// Where and when it was measured.
pub(crate) struct Circumstances {
    pub(crate) machine: String,
    pub(crate) date: String,
}

/// Writes the tables.
pub(crate) fn tables(results: &Results) -> String {
    let mut text = String::new();
    let delivery: Vec<_> = rows(results, |row| row.league == League::Delivery);
    let routing: Vec<_> = rows(results, |row| row.league == League::Routing);
    let members: Vec<_> = rows(results, |row| row.has_members);
    text += "### Whole delivery\n\nFrom a publish to a message in the queue of each recipient; ns a recipient.\n\n";
    table(&mut text, results, &delivery, true);
    text += "\n### Routing alone\n\nFrom a publish to a list of who gets it, which is read; ns a recipient.\n\n";
    table(&mut text, results, &routing, true);
    text += "\n### Coming and going\n\nns an operation.\n\n";
    table(&mut text, results, &members, false);
    text += "\n### Against the limit\n\n";
    limits(&mut text, results);
    text
}

/// Writes the whole page.
pub(crate) fn page(results: &Results, circumstances: &Circumstances, tables: &str) -> String {
    let Circumstances { machine, date } = circumstances;
    let mut text = format!(
        "# Side by side\n\n\
         What hubcast costs, beside what people use instead, and beside the least that it could cost. All take turns in \
         one process, on one thread, with the same groups, members and messages of 128 bytes: in each round each has its \
         turn, and each round another one is first, so that the machine's bad moments hit all alike.\n\n\
         ```sh\ncargo bench --bench peers -- --save\n```\n\n\
         {date}, one core of {machine}; {}. A time is the median of all rounds; behind it, in parentheses, \
         how many times as long as hubcast that is: the median of the ratios within each round. Times differ from machine \
         to machine, ratios less so.\n\n\
         ![How many times as long as hubcast the others take](peers.svg)\n\n",
        rounds(results),
    );
    text += &tables.replace("### ", "## ");
    text += "\n## What is in the time\n\n\
        A group is found by name, except by the limits. A message of the others is copied into one `Bytes` for each publish \
        and not encoded, while hubcast writes the JSON frame that its clients understand. A queue is a `Vec<Bytes>` for \
        each connection, with room for what comes: no lock, no waker, no socket; taking out of it is not in the time. Members \
        are spread over 100,000 connections in no order. The groups of 1 to 100,000 are published to again and again and \
        so are in the caches, as far as they fit; which of the small groups is next cannot be foreseen. Who leaves or goes \
        came before those of all others did, so that hardly anything of it is in the nearest cache.\n\n\
        | | includes |\n|---|---|\n";
    for row in &results.rows {
        let _ = writeln!(text, "| {} | {} |", row.name, row.includes);
    }
    text += "\nThe others keep sets and nothing else. hubcast also checks permissions and limits, knows users, and can exclude, \
        filter, pause and recover connections; what of that a publish touches is in its times. A publish to few \
        costs what comes with any publish: names, checks, a frame. To many, what counts is what the host does for each \
        recipient, and that is the same for all. So a whole delivery cannot take less than with the cheapest host: where a \
        ratio says so, it tells how far such a ratio can be off, which is up to a fifth.\n";
    text
}

fn rows(results: &Results, is: impl Fn(&crate::results::Row) -> bool) -> Vec<usize> {
    (0..results.rows.len()).filter(|&place| is(&results.rows[place])).collect()
}

fn rounds(results: &Results) -> String {
    let rounds = results.workloads.iter().map(Measurement::rounds);
    match (rounds.clone().min(), rounds.max()) {
        (Some(least), Some(most)) => format!("{least} to {most} rounds for each column"),
        _ => "nothing measured".into(),
    }
}

/// Writes a row for each contender and a column for each workload of a kind.
fn table(text: &mut String, results: &Results, rows: &[usize], is_publish: bool) {
    let workloads: Vec<_> =
        results.workloads.iter().filter(|each| each.is_publish == is_publish).collect();
    head(text, &workloads);
    for &row in rows {
        let _ = write!(text, "| {} |", results.rows[row].name);
        for workload in &workloads {
            let base = results.base(workload, row);
            match (workload.nanos(row), workload.ratio(&[row], &[base])) {
                (Some(nanos), Some(_)) if row == base => {
                    let _ = write!(text, " **{}** |", figures(nanos));
                }
                (Some(nanos), Some(ratio)) => {
                    let _ = write!(text, " {} ({}) |", figures(nanos), figures(ratio));
                }
                _ => *text += " |",
            }
        }
        text.push('\n');
    }
}

/// Writes how far from the limit the engine is.
fn limits(text: &mut String, results: &Results) {
    let workloads: Vec<_> = results.workloads.iter().filter(|each| each.is_publish).collect();
    head(text, &workloads);
    let mut line = |name: &str, value: &dyn Fn(&Measurement) -> Option<String>| {
        let _ = write!(text, "| {name} |");
        for workload in &workloads {
            let _ = write!(text, " {} |", value(workload).unwrap_or_default());
        }
        text.push('\n');
    };
    line("routing, times copying and reading the ids", &|it| {
        results.routing_to_limit(it).map(figures)
    });
    line("whole delivery, times the cheapest host", &|it| {
        results.delivery_to_limit(it).map(figures)
    });
    line("share of routing in a whole delivery", &|it| {
        results.share_of_routing(it).map(|share| format!("{:.0} %", share * 100.0))
    });
}

fn head(text: &mut String, workloads: &[&Measurement]) {
    text.push_str("| |");
    for workload in workloads {
        let _ = write!(text, " {} |", workload.name);
    }
    text.push_str("\n|---|");
    text.push_str(&"---|".repeat(workloads.len()));
    text.push('\n');
}

/// Writes a number with two or three figures.
pub(crate) fn figures(value: f64) -> String {
    match value {
        value if value >= 100.0 => format!("{value:.0}"),
        value if value >= 10.0 => format!("{value:.1}"),
        value => format!("{value:.2}"),
    }
}
