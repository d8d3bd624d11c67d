//! `millstream advise`: what theory knows before there is anything to measure.

mod capacity;
mod policy;
mod roi;

use std::{io::Write, time::Duration};

use serde_json::{Map, Value};

use crate::{Found, Outcome};

/// What theory knows before there is anything to measure.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    /// What backpressure is worth, and what it costs.
    Roi(roi::Args),
    /// Which policy fits a situation.
    Policy(policy::Args),
    /// How many workers and how long a queue a load needs.
    Capacity(capacity::Args),
}

impl Command {
    pub(crate) fn run(self, out: &mut dyn Write) -> Outcome {
        let (table, is_json) = match self {
            Self::Roi(args) => args.advise(),
            Self::Policy(args) => args.advise(),
            Self::Capacity(args) => args.advise(),
        };
        table.write(out, is_json)?;
        Ok(Found::Good)
    }
}

/// Names, values, and how people read them.
#[derive(Default)]
struct Table(Vec<(&'static str, Value, String)>);

impl Table {
    fn number(&mut self, name: &'static str, n: f64, unit: &str) {
        // JSON has no infinity.
        let value = if n.is_finite() { Value::from(n) } else { Value::Null };
        let text = if n.is_finite() { format!("{n:.4}") } else { "without bound".to_owned() };
        let text = if text.contains('.') {
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        } else {
            text
        };
        self.0.push((name, value, format!("{text} {unit}").trim_end().to_owned()));
    }

    fn text(&mut self, name: &'static str, text: &str) {
        self.0.push((name, Value::from(text), text.to_owned()));
    }

    fn write(self, out: &mut dyn Write, is_json: bool) -> std::io::Result<()> {
        if is_json {
            let map: Map<_, _> = self
                .0
                .into_iter()
                .map(|(name, value, _)| (name.replace(' ', "_"), value))
                .collect();
            return writeln!(out, "{}", Value::Object(map));
        }
        let width = self.0.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        self.0.iter().try_for_each(|(name, _, text)| writeln!(out, "{name:width$}  {text}"))
    }
}

/// A number that is neither negative nor without bound.
fn amount(text: &str) -> Result<f64, String> {
    let n: f64 = text.parse().map_err(|_| format!("`{text}` is no number"))?;
    if n.is_finite() && n >= 0.0 {
        Ok(n)
    } else {
        Err("it must be 0 or more, and finite".to_owned())
    }
}

/// A share of the whole.
fn share(text: &str) -> Result<f64, String> {
    let n = amount(text)?;
    if n <= 1.0 { Ok(n) } else { Err("it must lie between 0 and 1".to_owned()) }
}

/// A time with its unit, above 0.
fn time(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::SignedDuration, _> = text.parse();
    parsed
        .ok()
        .and_then(|time| Duration::try_from(time).ok())
        .filter(|time| !time.is_zero())
        .ok_or_else(|| {
            format!("`{text}` is no time above 0 with its unit, such as 10ms, 1.5s or 2m")
        })
}
