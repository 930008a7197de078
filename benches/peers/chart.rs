//! The picture: bars of ratios on a logarithmic scale, in colours that can be read on white and on black.

use std::fmt::Write;

use crate::contender::League;
use crate::report::figures;
use crate::results::{ACTIONS, DELIVERY, Measurement, QUEUE, Results};

const WIDTH: f64 = 1_000.0;
const LEFT: f64 = 48.0;
const TOP: f64 = 96.0;
const PLOT: f64 = 340.0;
const BAR: f64 = 13.0;
/// The names of the workloads, in up to three lines.
const NAMES: f64 = 58.0;
/// A grey that stands out from white as from black.
const INK: &str = "#768390";
const COLOURS: [&str; 6] = ["#d9822b", "#3d8bd4", "#a371c9", "#3fa55d", "#8a9099", "#c9505a"];

/// Draws how many times as long as hubcast the others take.
pub(crate) fn draw(results: &Results) -> String {
    let series: Vec<_> = (0..results.rows.len())
        .filter(|&row| {
            let row = &results.rows[row];
            row.name == ACTIONS || (row.league == League::Delivery && row.name != DELIVERY)
        })
        .zip(COLOURS)
        .map(|(row, colour)| Series { row, colour })
        .collect();
    let scale = Scale::new(results, &series);
    let mut svg = String::new();
    let height = TOP + PLOT + NAMES;
    let _ = writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif" fill="{INK}" role="img">"#
    );
    let title = "Time of the others; that of hubcast for the same is 1. The scale is logarithmic, longer is slower.";
    let _ = writeln!(svg, "<title>{title}</title>");
    text(&mut svg, (LEFT, 18.0), "start", 14, title);
    legend(&mut svg, results, &series);
    scale.draw(&mut svg);
    let slot = (WIDTH - LEFT) / results.workloads.len().max(1) as f64;
    for (place, workload) in results.workloads.iter().enumerate() {
        let middle = slot.mul_add(place as f64 + 0.5, LEFT);
        bars(&mut svg, results, workload, &series, &scale, middle);
        for (line, words) in lines(&workload.name).iter().enumerate() {
            let y = 15.0f64.mul_add(line as f64, TOP + PLOT + 20.0);
            text(&mut svg, (middle, y), "middle", 12, words);
        }
    }
    svg += "</svg>\n";
    svg
}

/// A row of the tables, and its colour.
struct Series {
    row: usize,
    colour: &'static str,
}

impl Series {
    fn name(&self, results: &Results) -> &'static str {
        match results.rows[self.row].name {
            QUEUE => "limit: the cheapest host",
            ACTIONS => "std hash map, routing alone",
            name => name,
        }
    }

    fn ratio(&self, results: &Results, workload: &Measurement) -> Option<f64> {
        workload.ratio(&[self.row], &[results.base(workload, self.row)])
    }
}

/// Powers of ten between the least and the most that is drawn.
struct Scale {
    least: i32,
    most: i32,
}

impl Scale {
    fn new(results: &Results, series: &[Series]) -> Self {
        let of = |workload| series.iter().filter_map(move |it| it.ratio(results, workload));
        let ratios = results.workloads.iter().flat_map(of).map(f64::log10);
        let (least, most) =
            ratios.fold((0.0f64, 0.0f64), |(least, most), it| (least.min(it), most.max(it)));
        Self { least: least.floor() as i32, most: most.ceil().max(1.0) as i32 }
    }

    fn y(&self, ratio: f64) -> f64 {
        let (least, most) = (f64::from(self.least), f64::from(self.most));
        let share = (ratio.log10().clamp(least, most) - least) / (most - least);
        PLOT.mul_add(1.0 - share, TOP)
    }

    fn draw(&self, svg: &mut String) {
        for power in self.least..=self.most {
            let value = 10f64.powi(power);
            let (y, width) = (self.y(value), if power == 0 { 2.0 } else { 0.5 });
            let _ = writeln!(
                svg,
                r#"<line x1="{LEFT}" y1="{y:.1}" x2="{WIDTH}" y2="{y:.1}" stroke="{INK}" stroke-width="{width}"/>"#
            );
            text(svg, (LEFT - 6.0, y + 4.0), "end", 12, &value.to_string());
        }
    }
}

/// Draws the bars of a workload around its place: from 1 up, or down where less time is taken.
fn bars(
    svg: &mut String,
    results: &Results,
    workload: &Measurement,
    series: &[Series],
    scale: &Scale,
    middle: f64,
) {
    let drawn = series.iter().filter_map(|it| Some((it, it.ratio(results, workload)?)));
    let drawn: Vec<_> = drawn.collect();
    let mut x = middle - BAR * drawn.len() as f64 / 2.0;
    for (series, ratio) in drawn {
        let (one, end) = (scale.y(1.0), scale.y(ratio));
        let (top, height) = (one.min(end), (one - end).abs().max(1.0));
        let (width, colour) = (BAR - 1.0, series.colour);
        let (name, value) = (series.name(results), figures(ratio));
        let _ = writeln!(
            svg,
            r#"<rect x="{x:.1}" y="{top:.1}" width="{width}" height="{height:.1}" fill="{colour}"><title>{name}, {}: {value}</title></rect>"#,
            workload.name
        );
        let (y, anchor) = if ratio < 1.0 { (end + 4.0, "end") } else { (end - 4.0, "start") };
        let _ = writeln!(
            svg,
            r#"<text transform="translate({:.1} {y:.1}) rotate(-90)" text-anchor="{anchor}" font-size="10">{value}</text>"#,
            x + 9.5
        );
        x += BAR;
    }
}

/// Names the colours, in two lines.
fn legend(svg: &mut String, results: &Results, series: &[Series]) {
    for (place, series) in series.iter().enumerate() {
        let x = 230.0f64.mul_add((place % 3) as f64, LEFT);
        let y = if place < 3 { 30.0 } else { 48.0 };
        let colour = series.colour;
        let _ = writeln!(svg, r#"<rect x="{x}" y="{y}" width="12" height="12" fill="{colour}"/>"#);
        text(svg, (x + 18.0, y + 10.0), "start", 12, series.name(results));
    }
}

fn text(svg: &mut String, (x, y): (f64, f64), anchor: &str, size: u32, words: &str) {
    let _ = writeln!(
        svg,
        r#"<text x="{x:.1}" y="{y:.1}" text-anchor="{anchor}" font-size="{size}">{words}</text>"#
    );
}

/// Breaks a name into lines that fit under its bars.
fn lines(name: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in name.split(' ') {
        let line = lines.last_mut().expect("there is one");
        if line.is_empty() {
            line.push_str(word);
        } else if line.len() + word.len() < 13 {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
