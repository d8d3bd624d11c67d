//! `Report`: what came of a variant, as a table, as JSON and as SVG.

use std::{fmt::Write as _, time::Duration};

use serde::Serialize;

use crate::{Expectation, Measures, Scenario, Second, Unmet, Variant};

/// What was measured.
#[derive(Clone, Debug)]
pub(crate) struct Played {
    /// In each second, of all clients.
    pub(crate) seconds: Vec<Measures>,
    /// The same, of each kind of them.
    pub(crate) by_clients: Vec<Vec<Measures>>,
    /// The sum of all limits, ten times a second.
    pub(crate) limits: Vec<f64>,
    /// Whether the policies account for every attempt.
    pub(crate) is_whole: bool,
}

/// What came of a variant of a scenario.
#[derive(Clone, Debug)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The variant's.
    pub variant: String,
    /// The seed.
    pub seed: u64,
    /// Whether the policies account for every attempt.
    pub is_whole: bool,
    clients: Vec<String>,
    played: Played,
    expectations: Vec<Expectation>,
}

#[derive(Serialize)]
struct Json<'a> {
    scenario: &'a str,
    variant: &'a str,
    seed: u64,
    is_whole: bool,
    seconds: Vec<Second>,
}

impl Report {
    pub(crate) fn new(scenario: &Scenario, variant: &Variant, seed: u64, played: Played) -> Self {
        Self {
            scenario: scenario.name.clone(),
            variant: variant.name.clone(),
            seed,
            is_whole: played.is_whole,
            clients: scenario.clients.iter().map(|clients| clients.name.clone()).collect(),
            played,
            expectations: variant.expect.clone(),
        }
    }

    /// What happened in whole seconds from `from` to `until`.
    #[must_use]
    pub fn between(&self, from: Duration, until: Duration) -> Measures {
        between(&self.played.seconds, from, until)
    }

    /// The same, of the clients with this name; `None` if there are none.
    #[must_use]
    pub fn between_of(&self, clients: &str, from: Duration, until: Duration) -> Option<Measures> {
        let index = self.clients.iter().position(|name| name == clients)?;
        Some(between(&self.played.by_clients[index], from, until))
    }

    /// The sum of all limits, ten times a second.
    #[must_use]
    pub fn limits(&self) -> &[f64] {
        &self.played.limits
    }

    /// What happened in all.
    #[must_use]
    pub fn total(&self) -> Measures {
        Measures::of(&self.played.seconds)
    }

    /// Each second.
    #[must_use]
    pub fn seconds(&self) -> Vec<Second> {
        let second = |(second, measures): (usize, &Measures)| {
            let (p50, p99) = (measures.quantile(0.5), measures.quantile(0.99));
            Second { second, measures: measures.clone(), p50, p99 }
        };
        self.played.seconds.iter().enumerate().map(second).collect()
    }

    /// The expectations of the variant that were not met.
    #[must_use]
    pub fn unmet(&self) -> Vec<Unmet> {
        let all = self.expectations.iter();
        all.filter_map(|expectation| {
            let Expectation { clients, from, until, .. } = expectation;
            let measures = match clients {
                Some(name) => self.between_of(name, *from, *until)?,
                None => self.between(*from, *until),
            };
            expectation.check(&measures)
        })
        .collect()
    }

    /// A line for each expectation of several reports that was not met.
    #[must_use]
    pub fn unmet_lines(reports: &[Self]) -> Vec<String> {
        let lines = reports.iter().flat_map(|report| {
            let line = |unmet| format!("{}: {unmet}", report.variant);
            report.unmet().into_iter().map(line)
        });
        lines.collect()
    }

    /// A row for each of several reports, as a Markdown table.
    #[must_use]
    pub fn table(reports: &[Self]) -> String {
        let mut text =
            "| variant | offered | goodput | late | refused | attempts / offered | p50 ms \
                        | p99 ms | limit |\n|---|---|---|---|---|---|---|---|---|\n"
                .to_owned();
        for report in reports {
            let all = report.total();
            writeln!(
                text,
                "| {} | {} | {:.1} % | {:.1} % | {:.1} % | {:.2} | {:.1} | {:.1} | {:.1} |",
                report.variant,
                all.offered,
                100.0 * all.goodput(),
                100.0 * all.late_share(),
                100.0 * all.refused_share(),
                all.amplification(),
                1e3 * all.quantile(0.5),
                1e3 * all.quantile(0.99),
                all.limit,
            )
            .expect("a string takes all");
        }
        text
    }

    /// Everything, by the second.
    #[must_use]
    #[expect(clippy::missing_panics_doc, reason = "plain data can always be written")]
    pub fn to_json(&self) -> String {
        let Self { scenario, variant, seed, is_whole, .. } = self;
        let (seed, is_whole) = (*seed, *is_whole);
        let json = Json { scenario, variant, seed, is_whole, seconds: self.seconds() };
        serde_json::to_string_pretty(&json).expect("it is plain data")
    }

    /// A chart by the second: what was offered, what came in time and what came too late.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let (width, height) = (720.0, 240.0);
        let all = &self.played.seconds;
        let most = all.iter().map(|second| second.attempts.max(second.offered)).max();
        let most = most.unwrap_or(0).max(1) as f64;
        let n = all.len().max(2) as f64;
        let line = |color: &str, dashes: &str, value: fn(&Measures) -> f64| {
            let mut points = String::new();
            for (index, second) in all.iter().enumerate() {
                let x = 40.0 + index as f64 / (n - 1.0) * (width - 50.0);
                let y = height - 30.0 - value(second) / most * (height - 60.0);
                write!(points, "{x:.1},{y:.1} ").expect("a string takes all");
            }
            format!(
                "<polyline fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" \
                 stroke-dasharray=\"{dashes}\" points=\"{}\"/>\n",
                points.trim_end()
            )
        };
        let title = escaped(&format!("{}: {}", self.scenario, self.variant));
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
             font-family=\"sans-serif\" font-size=\"11\">\n<rect width=\"100%\" height=\"100%\" \
             fill=\"white\"/>\n<text x=\"40\" y=\"16\" font-size=\"13\">{title}</text>\n"
        );
        svg += &line("#888888", "4 3", |second| second.attempts as f64);
        svg += &line("#1f77b4", "", |second| second.offered as f64);
        svg += &line("#2ca02c", "", |second| second.good as f64);
        svg += &line("#d62728", "", |second| second.late as f64);
        let legend = [
            ("#888888", "attempts"),
            ("#1f77b4", "offered"),
            ("#2ca02c", "in time"),
            ("#d62728", "too late"),
        ];
        for (index, (color, name)) in legend.into_iter().enumerate() {
            let x = 40 + 80 * index;
            let y = height - 8.0;
            writeln!(svg, "<text x=\"{x}\" y=\"{y}\" fill=\"{color}\">{name}</text>")
                .expect("a string takes all");
        }
        let seconds = all.len();
        writeln!(
            svg,
            "<text x=\"36\" y=\"36\" text-anchor=\"end\">{most}/s</text>\n<text x=\"710\" \
             y=\"{}\" text-anchor=\"end\">{seconds} s</text>\n</svg>",
            height - 18.0
        )
        .expect("a string takes all");
        svg
    }
}

fn between(seconds: &[Measures], from: Duration, until: Duration) -> Measures {
    let end = (until.as_secs() as usize).min(seconds.len());
    let start = (from.as_secs() as usize).min(end);
    Measures::of(&seconds[start..end])
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
