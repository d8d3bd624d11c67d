//! `millstream simulate PIPELINE.yaml`: the user's own pipeline in virtual time.

use std::{fs, io::Write, path::PathBuf, time::Duration};

use millstream_pipeline::{Pipeline, Service, Simulated, Spec, Time, Trace, Trial};
use serde_json::{Value, json};

use super::Format;
use crate::{Found, Outcome};

/// What a pipeline is tried with.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "For a pipeline")]
pub(super) struct PipelineArgs {
    /// Recorded arrivals: a line each, with the moment in seconds or as a timestamp, and behind a
    /// blank the item. Default: what a `generate` source makes.
    #[arg(long, value_name = "TRACE")]
    arrivals: Option<PathBuf>,
    /// How many items the sink takes at a time.
    #[arg(long, value_name = "N", requires = "service")]
    workers: Option<usize>,
    /// How long the sink takes for an item. Default: as the rate of a `null` sink.
    #[arg(long, value_name = "TIME")]
    service: Option<Time>,
    /// Service times are at random, with that mean, and not all the same.
    #[arg(long, requires = "service")]
    random: bool,
    /// An item that arrives later than this is of no use.
    #[arg(long, value_name = "TIME")]
    deadline: Option<Time>,
    /// How long a source that does not end is tried. Default: 60s.
    #[arg(long = "for", value_name = "TIME")]
    lasts: Option<Time>,
    /// Tries the pipeline with this value as well: `--try backpressure.queues.q.size=100`; may be
    /// given again, each is a variant of its own.
    #[arg(long = "try", value_name = "KEY=VALUE")]
    changes: Vec<String>,
    /// Ends with 1 if less than this share of the items arrives in time, in any variant.
    #[arg(long, value_name = "SHARE")]
    at_least: Option<f64>,
}

/// Returns whether it is a pipeline, and not a scenario.
pub(super) fn is_one(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("source:"))
}

impl PipelineArgs {
    pub(super) fn run(
        self,
        (name, text): (&str, &str),
        seed: u64,
        format: Format,
        out: &mut dyn Write,
    ) -> Outcome {
        let trial = self.trial(seed)?;
        let variants = std::iter::once(None).chain(self.changes.iter().map(Some));
        let mut rows = Vec::new();
        for change in variants {
            let overrides: Vec<_> = change.into_iter().cloned().collect();
            let spec =
                Spec::with_overrides(text, &overrides).map_err(|error| error.in_file(name))?;
            let simulated = Pipeline::new(spec).simulate(&trial)?;
            rows.push((change.map_or("as it is", String::as_str), simulated));
        }
        match format {
            Format::Table => table(&rows, out)?,
            Format::Json => {
                for (variant, simulated) in &rows {
                    writeln!(out, "{}", json(variant, simulated))?;
                }
            }
            Format::Svg => return Err("pictures are of scenarios: use table or json".into()),
        }
        let least = self.at_least.unwrap_or(0.0);
        let poor = rows.iter().filter(|(_, simulated)| simulated.goodput() < least);
        let poor: Vec<_> = poor
            .map(|(variant, simulated)| {
                let share = simulated.goodput();
                format!("{variant}: {share:.4} of the items arrive in time, and not {least}")
            })
            .collect();
        Ok(if poor.is_empty() { Found::Good } else { Found::Bad(poor) })
    }

    fn trial(&self, seed: u64) -> Result<Trial, String> {
        let arrivals = self.arrivals.as_ref().map(|path| {
            let shown = path.display();
            let text = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
            Trace::parse(&text).map_err(|error| format!("{shown}: {error}"))
        });
        let service = self.service.map(|Time(time)| Service {
            workers: self.workers.unwrap_or(1),
            time,
            is_random: self.random,
            seed,
        });
        let time = |time: Option<Time>| time.map(|Time(time)| time);
        let (deadline, lasts) = (time(self.deadline), time(self.lasts));
        Ok(Trial { arrivals: arrivals.transpose()?, service, deadline, lasts })
    }
}

fn table(rows: &[(&str, Simulated)], out: &mut dyn Write) -> std::io::Result<()> {
    let head = [
        "variant",
        "came",
        "in time",
        "arrived",
        "dropped",
        "skipped",
        "left",
        "p50",
        "p99",
        "most waiting",
        "bytes",
    ];
    let mut lines = vec![head.map(str::to_owned)];
    for (variant, simulated) in rows {
        let last = simulated.last();
        let status = &last.status;
        let done = status.arrived + status.lost();
        let ms = |time: Duration| format!("{:.1?}", time);
        lines.push([
            (*variant).to_owned(),
            last.offered.to_string(),
            format!("{:.1} %", 100.0 * simulated.goodput()),
            status.arrived.to_string(),
            status.dropped.to_string(),
            status.skipped.to_string(),
            last.offered.saturating_sub(done).to_string(),
            ms(status.latency.p50),
            ms(status.latency.p99),
            last.peak_items.to_string(),
            last.peak_bytes.to_string(),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths: Vec<_> = (0..head.len()).map(|column| width(column).unwrap_or(0)).collect();
    for line in &lines {
        let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        writeln!(out, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

fn json(variant: &str, simulated: &Simulated) -> Value {
    let seconds = simulated.moments.iter().map(|moment| {
        let status = &moment.status;
        json!({
            "at": moment.at.as_secs_f64(),
            "came": moment.offered,
            "in_time": moment.in_time,
            "taken": status.taken,
            "arrived": status.arrived,
            "dropped": status.dropped,
            "skipped": status.skipped,
            "waiting": status.waiting,
            "p50": status.latency.p50.as_secs_f64(),
            "p99": status.latency.p99.as_secs_f64(),
            "peak_items": moment.peak_items,
            "peak_bytes": moment.peak_bytes,
        })
    });
    let seconds: Vec<_> = seconds.collect();
    json!({ "variant": variant, "goodput": simulated.goodput(), "moments": seconds })
}
