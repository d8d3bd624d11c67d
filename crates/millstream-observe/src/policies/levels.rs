//! Load levels: controllers, trees and forecasts.

use millstream_pressure::{
    Controller, Decision, Forecast, LoadLevel, Policy as _, PressureSource, PressureTree,
};

use super::reading_of;
use crate::{Bound, Condition, Observe, Reading, Value};

/// How serious a decision is, and what for.
pub(super) fn condition_of(decision: &Decision) -> Condition {
    let percent = |share: f64| (share * 100.0).round();
    let reason = || {
        let worst = decision.worst.as_deref().unwrap_or("nothing");
        let (pressure, factor) = (percent(decision.pressure), percent(decision.factor));
        format!("`{worst}` is at {pressure} %; {factor} % are let in")
    };
    match decision.level {
        LoadLevel::Normal => Condition::normal("normal"),
        LoadLevel::Elevated => Condition::warning("elevated").because(reason()),
        LoadLevel::High => Condition::warning("high").because(reason()),
        LoadLevel::Critical => Condition::critical("critical").because(reason()),
    }
}

impl Observe for Controller {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let last = &snapshot.last;
        let mut reading = Reading {
            condition: condition_of(last),
            bound: Bound::NOTHING,
            ..reading_of(self, "controller")
        }
        .gauge("load_level", last.level as u8 as f64)
        .gauge("pressure_ratio", last.pressure)
        .gauge("admitted_ratio", last.factor)
        .counter("decisions", snapshot.n_decisions)
        .counter("level_changes", snapshot.n_changes);
        let names = ["normal", "elevated", "high", "critical"];
        reading.values.extend(
            names
                .into_iter()
                .zip(snapshot.in_level)
                .map(|(name, time)| Value::counter("in_level_seconds", time).of_part(name)),
        );
        reading
    }
}

impl Observe for PressureTree {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let levels = self.snapshot();
        let worst = levels.iter().min_by(|one, other| one.factor.total_cmp(&other.factor));
        let condition = match worst {
            Some(level) if level.factor < 1.0 => {
                let factor = (level.factor * 100.0).round();
                let reason = format!("`{}` lets {factor} % in", level.path);
                Condition::warning("holding back").because(reason)
            }
            _ => Condition::normal("letting in"),
        };
        let values = levels.iter().flat_map(|level| {
            let pressure = level.pressure.map(|pressure| Value::gauge("pressure_ratio", pressure));
            [pressure, Some(Value::gauge("admitted_ratio", level.factor))]
                .into_iter()
                .flatten()
                .map(|value| value.of_part(level.path.clone()))
        });
        Reading {
            condition,
            values: values.collect(),
            bound: Bound::NOTHING,
            ..reading_of(self, "pressure_tree")
        }
    }
}

impl<S: PressureSource + 'static> Observe for Forecast<S> {
    fn name(&self) -> &str {
        millstream_pressure::Policy::name(self)
    }

    fn reading(&self) -> Reading {
        let snapshot = self.snapshot();
        let state = if snapshot.is_used { "used" } else { "not used" };
        let mut reading = Reading {
            condition: Condition::normal(state),
            bound: Bound::NOTHING,
            ..reading_of(self, "forecast")
        };
        for (name, value) in [
            ("forecast_ratio", snapshot.forecast),
            ("forecast_error", snapshot.error),
            ("naive_error", snapshot.naive_error),
        ] {
            if let Some(value) = value {
                reading = reading.gauge(name, value);
            }
        }
        reading
    }
}
