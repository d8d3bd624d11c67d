//! What each policy of `millstream-pressure` says of itself.

mod calls;
mod consumer;
mod levels;
mod queues;
mod rates;

use std::time::Duration;

use millstream_pressure::Policy;
use serde::Serialize;

use crate::Reading;

/// A reading with the settings of `policy`.
fn reading_of<P: Policy<Config: Serialize>>(policy: &P, kind: &'static str) -> Reading {
    // A configuration is numbers, names and times: it can be written, or is left out.
    let settings = serde_json::to_value(policy.config()).unwrap_or_default();
    Reading { settings, ..Reading::of(kind) }
}

/// A share in percent, without decimals.
fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 { 0 } else { (100.0 * part as f64 / whole as f64).round() as u64 }
}

/// A time as a person reads it.
fn words(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match seconds {
        s if s < 0.001 => format!("{:.0} µs", s * 1e6),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 120.0 => format!("{s:.1} s"),
        s => format!("{:.0} min", s / 60.0),
    }
}
